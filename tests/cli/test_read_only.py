"""Guarantee 4: the commands that look cannot write, by construction and on every path; nor do they write a file."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.place import Place
from trueup.cli import transport
from trueup.core.call import Call, Reply
from trueup.local.openai_assistants import Server

CLI = Path(transport.__file__).parent
LOOKING = (
    "commands/validate",
    "commands/plan",
    "commands/drift",
    "commands/targets",
    "commands/setup",
    "planning",
    "session",
    "output",
    "options",
)
COMMANDS = (
    ["validate"],
    ["render"],
    ["render", "--json"],
    ["plan"],
    ["plan", "--json", "alpha"],
    ["plan", "--on-drift", "revert", "--prune", "--stamp"],
    ["drift"],
    ["drift", "--all"],
    ["drift", "--since", "none.json", "--json"],
    ["why", "alpha"],
    ["why", "team/beta", "model", "--json"],
    ["state", "list"],
    ["targets"],
)


def _fresh(_place: Place) -> None:
    """Nothing was ever applied."""


def _applied(place: Place) -> None:
    place.applied()


def _drifted(place: Place) -> None:
    place.applied().poke("alpha", {"temperature": 1.9})
    place.remove("beta")


def _edited(place: Place) -> None:
    place.applied().replace("assistants/alpha.yaml", "Say A", "Say AA")
    (place.root / "assistants/team/beta.yaml").unlink()


def _forgotten(place: Place) -> None:
    place.applied().run("state", "rm", "alpha")


def _killed(place: Place) -> None:
    """Leave a create without an answer in the journal."""
    place.applied()
    line = {
        "step": "intent",
        "name": "gone",
        "action": "create",
        "operation": "00",
        "id": "",
        "after": "",
        "since": 1.0,
    }
    place.write(".trueup/local/local.journal", json.dumps({**line, "record": None}) + "\n")


@pytest.mark.exhaustive
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("situation", [_fresh, _applied, _drifted, _edited, _forgotten, _killed])
def test_only_gets_and_no_file(
    place: Place, situation: Callable[[Place], None], arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    situation(place)
    methods: list[str] = []
    answer = Server.answer

    def recorded(self: Server, call: Call) -> Reply:
        methods.append(call.method)
        return answer(self, call)

    before = place.files()
    with monkeypatch.context() as patched:
        patched.setattr(Server, "answer", recorded)
        ran = place.run(*arguments)
    assert ran.code in (0, 2, 6), ran.err
    assert set(methods) <= {"GET"}
    assert place.files() == before
    assert situation is not _fresh or not (place.root / ".trueup").exists()


def test_the_reading_transport_refuses_to_write(place: Place) -> None:
    import asyncio

    from trueup.cli.flags import Flags
    from trueup.cli.session import open_session

    session = open_session(Flags(chdir=str(place.root)))

    async def write() -> None:
        async with transport.reading(session) as runner:
            for call in (Call("POST", "/assistants", json={}), Call("DELETE", "/assistants/x"), Call("PUT", "/x")):
                with pytest.raises(PermissionError):
                    await runner.write(call)
            with pytest.raises(PermissionError):
                runner.ports.backup("x", "modify", {})

    asyncio.run(write())


@pytest.mark.parametrize("module", LOOKING)
def test_what_looks_has_no_way_to_the_writing_transport(module: str) -> None:
    names: set[str] = set()
    for node in ast.walk(ast.parse((CLI / f"{module}.py").read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    forbidden = {"writing", "journal_writes", "_open_transport", "_connect_local", "connect_remote"}
    assert not {name for name in names if name.startswith("trueup.cli.transport.") and name.split(".")[-1] in forbidden}
    assert not {name for name in names if name.startswith(("trueup.cli.applying", "trueup.engine.creates"))}
    assert "trueup.cli.transport" not in {name.rsplit(".", 1)[0] for name in names if name.endswith(".*")}


def test_plan_writes_only_the_file_it_was_told_to(place: Place) -> None:
    assert place.run("plan", "--out", "saved.plan").code == 0
    assert set(place.files()) == {"assistants/alpha.yaml", "assistants/team/beta.yaml", "saved.plan"}
    assert (place.root / "saved.plan").stat().st_mode & 0o777 == 0o600
