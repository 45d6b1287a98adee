"""The connection of a command: its event loop, and the embedded server of a protocol."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from trueup.cli import transport
from trueup.cli.session import Session
from trueup.cli.transport import run_async
from trueup.core.call import Call, Reply
from trueup.local.registry import SERVERS


def _ask(root: Path, protocol: str, call: Call, writes: bool = True) -> Reply:
    target = SimpleNamespace(protocol=protocol, dialect=SERVERS[protocol].dialects[0])
    session: Any = SimpleNamespace(root=root, target=target)

    async def ask() -> Reply:
        async with transport._connect_local(cast(Session, session), writes) as send:
            return await send(call)

    return asyncio.run(ask())


@pytest.mark.parametrize(("protocol", "noun"), [("openai-assistants", "assistant"), ("openai-agents", "agent")])
def test_a_target_meets_the_server_of_its_protocol(tmp_path: Path, protocol: str, noun: str) -> None:
    made = _ask(tmp_path, protocol, Call("POST", f"/{noun}s", json={"model": "m"}))
    assert made.json["object"] == noun
    assert [path.name for path in (tmp_path / ".trueup/local").glob("*.db")] == [f"{protocol}.db"]
    other = "assistant" if noun == "agent" else "agent"
    assert _ask(tmp_path, protocol, Call("GET", f"/{other}s")).status == 404


def test_a_read_makes_no_file(tmp_path: Path) -> None:
    assert _ask(tmp_path, "openai-agents", Call("GET", "/agents"), writes=False).json["data"] == []
    assert list(tmp_path.iterdir()) == []


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
