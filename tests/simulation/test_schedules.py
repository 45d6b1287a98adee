"""Thousands of stories against the real engine; the gate runs some, and a failing seed says how to replay it."""

from __future__ import annotations

import os

import pytest

from tests.simulation.story import protocol_at, run
from tests.simulation.watch import Violation

SEEDS = int(os.environ.get("TRUEUP_SEEDS", "400"))


FOUND = (3548, 54914, 72284, 90470, 132266, 202267, 205231)
"""Seeds of the assistants protocol that failed once; `test_found_once.py` tells by name what they found."""


def told(seed: int, protocol: str = "") -> str:
    name = protocol or protocol_at(seed)
    try:
        run(seed, name)
    except Violation as violation:
        return f"seed {seed}: replay with python -m tests.simulation {seed} --protocol={name}\n{violation}"
    return ""


@pytest.mark.any_protocol("the seed decides")
@pytest.mark.exhaustive
@pytest.mark.parametrize("start", range(0, SEEDS, 50))
def test_no_promise_is_broken(start: int) -> None:
    assert [text for seed in range(start, start + 50) if (text := told(seed))] == []


@pytest.mark.only_protocol("openai-assistants", "these seeds failed in it")
@pytest.mark.parametrize("seed", FOUND)
def test_what_failed_once_holds(seed: int) -> None:
    assert told(seed, "openai-assistants") == ""


@pytest.mark.any_protocol("the seed decides")
def test_a_seed_decides_everything() -> None:
    from tests.simulation.story import Story

    first, second = (Story(17).vendor, Story(17).vendor)
    assert (first.habit, first.page, first.lag, first.lies) == (second.habit, second.page, second.lag, second.lies)
