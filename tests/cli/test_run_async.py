"""The loop of a command gives its work's result back, and never spells it out."""

from __future__ import annotations

import asyncio

import pytest

from trueup.cli.transport import run_async


class Result:
    """Notes each time somebody writes it out, as Python 3.11 does with the result of a task."""

    def __init__(self) -> None:
        self.spelt = 0

    def __repr__(self) -> str:
        self.spelt += 1
        return "Result()"


def test_the_result_of_a_command_is_not_spelt_out() -> None:
    """A plan of ten thousand was written as text twice, only because the handler of Ctrl-C was put back."""
    made = Result()

    async def work() -> Result:
        await asyncio.sleep(0)
        return made

    assert run_async(work()) is made
    assert made.spelt == 0


def test_what_the_work_raises_is_raised() -> None:
    """Nothing between the work and the command changes a failure."""

    async def work() -> None:
        raise ValueError("this one")

    with pytest.raises(ValueError, match="this one"):
        run_async(work())
