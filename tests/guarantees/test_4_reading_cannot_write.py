"""Guarantee 4: `validate`, `plan`, `drift`, `show`, `render`, `why` cannot write, whatever goes wrong inside them."""

from __future__ import annotations

import ast
import asyncio
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.guarantees.terminal import change, define, files, live, project, remove, run
from tests.protocols import current
from trueup.cli import planning
from trueup.cli.main import COMMANDS
from trueup.core.call import Call, Reply, read_only
from trueup.core.memory.journal import Entry
from trueup.local.server import EmbeddedServer

CLI = Path(__file__).parents[2] / "src" / "trueup" / "cli"
READING = ("validate", "render", "plan", "show", "drift", "why")
WRITERS = frozenset(
    {
        "writing",
        "journal_writes",
        "Client",
        "Server",
        "_open_transport",
        "_connect_local",
        "connect_remote",
        "open_journal",
    }
)
"""Names by which a command could come by a transport, or a journal, that writes."""

LINES = (
    ("validate",),
    ("render",),
    ("plan",),
    ("plan", "--on-drift", "revert", "--prune", "--stamp"),
    ("plan", "--json"),
    ("plan", "-vv"),
    ("drift",),
    ("drift", "--all", "--json"),
    ("why", "one"),
    ("why", "one", "instructions"),
)


def _module(command: str) -> str:
    return next(section[command][0] for section in COMMANDS.values() if command in section)


def _imported(tree: ast.AST) -> dict[str, set[str]]:
    """Modules of `trueup` with the names that are imported from them, lazy ones included."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("trueup"):
            found.setdefault(str(node.module), set()).update(alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            found.update({alias.name: set() for alias in node.names if alias.name.startswith("trueup")})
    return found


def _reach(command: str) -> set[str]:
    """Return the files of `cli` that a command's own file leads to; `transport` is where the two kinds part."""
    seen: set[str] = set()
    todo = [f"commands/{_module(command)}"]
    while todo:
        name = todo.pop()
        if name in seen or name == "transport":
            continue
        seen.add(name)
        for module, names in _imported(ast.parse((CLI / f"{name}.py").read_text(encoding="utf-8"))).items():
            if module == "trueup.cli":
                todo += sorted(names)
            elif module == "trueup.cli.commands":
                todo += sorted(f"commands/{name}" for name in names)
            elif module.startswith("trueup.cli."):
                todo.append(module.removeprefix("trueup.cli.").replace(".", "/"))
    return seen


@pytest.mark.any_protocol("it reads the source")
@pytest.mark.parametrize("command", READING)
def test_no_file_it_leads_to_can_come_by_a_transport_that_writes(command: str) -> None:
    wrong = []
    for name in _reach(command):
        tree = ast.parse((CLI / f"{name}.py").read_text(encoding="utf-8"))
        found = _imported(tree)
        wrong += [f"{name}: {item}" for names in found.values() for item in names & WRITERS]
        wrong += [
            f"{name}: {module}" for module in found if module.startswith(("trueup.local", "trueup.edge.http.client"))
        ]
        wrong += [
            f"{name}: {node.attr}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr in WRITERS
        ]
        wrong += [
            f"{name}: all of transport" for module in found if module == "trueup.cli.transport" and not found[module]
        ]
        wrong += [f"{name}: all of transport" for item in found.get("trueup.cli", ()) if item == "transport"]
    assert wrong == []


@pytest.mark.any_protocol("it reads the source")
def test_apply_would_be_caught_by_the_same_look() -> None:
    found = [_imported(ast.parse((CLI / f"{name}.py").read_text(encoding="utf-8"))) for name in _reach("apply")]
    assert any(names & WRITERS for modules in found for names in modules.values())


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH", "get", ""])
def test_its_transport_refuses_everything_but_get(method: str) -> None:
    sent = []

    async def send(call: Call) -> Reply:
        sent.append(call)
        return Reply(200)

    async def get(call: Call) -> None:
        await read_only(send)(call)

    with pytest.raises(PermissionError, match="read-only"):
        asyncio.run(get(Call(method, current().path)))
    assert sent == []
    asyncio.run(get(Call("GET", current().path)))
    assert [call.method for call in sent] == ["GET"]


def _everything_at_once(folder: Path) -> None:
    """Make a project with something to create, modify, delete, revert, stamp, adopt and forget."""
    project(folder, "one", "two", "three", "four", "five")
    assert run(folder, "apply", "--yes").code == 0
    change(folder, "one", instructions="Shout.", metadata={})
    remove(folder, "two")
    define(folder, "three", "Be kind.")
    (folder / "assistants" / "four.yaml").unlink()
    define(folder, "six")
    assert run(folder, "state", "rm", "five").code == 0


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_nothing_is_sent_and_no_file_changes(tmp_path: Path, monkeypatch: Any, words: tuple[str, ...]) -> None:
    _everything_at_once(tmp_path)
    before, sent = files(tmp_path), []
    answer = EmbeddedServer.answer

    def noted(self: EmbeddedServer, call: Call) -> Reply:
        sent.append(call.method)
        return answer(self, call)

    monkeypatch.setattr(EmbeddedServer, "answer", noted)
    done = run(tmp_path, *words)
    assert done.code in (0, 2), done.said
    assert set(sent) <= {"GET"}
    assert bool(sent) == (words[0] not in ("validate", "render"))
    assert files(tmp_path) == before


def test_show_sends_nothing(tmp_path: Path) -> None:
    project(tmp_path, "one")
    assert run(tmp_path, "plan", "--out", "change.plan").code == 0
    before = files(tmp_path)
    assert run(tmp_path, "show", "change.plan").code == 0
    assert files(tmp_path) == before
    assert live(tmp_path) == {}


@pytest.mark.parametrize("command", [("plan",), ("drift",), ("why", "one")], ids=" ".join)
@pytest.mark.parametrize("attempt", ["POST", "DELETE", "journal", "backup"])
def test_a_mistake_inside_them_is_stopped(
    tmp_path: Path, monkeypatch: Any, command: tuple[str, ...], attempt: str
) -> None:
    project(tmp_path, "one")
    assert run(tmp_path, "apply", "--yes").code == 0
    found = live(tmp_path)["one"]
    before = files(tmp_path)

    async def mistaken(_adapter: Any, runner: Any, _recorded: Any) -> None:
        if attempt == "journal":
            await runner.ports.journal(Entry("intent", "one", "delete", "op", 0.0))
        elif attempt == "backup":
            runner.ports.backup("one", "delete", found)
        else:
            await runner.write(Call(attempt, current().path_of(found["id"]), json={"instructions": "x"}))

    monkeypatch.setattr(planning, "refresh", mistaken)
    done = run(tmp_path, *command)
    assert done.code == 1
    assert "PermissionError" in done.said
    assert files(tmp_path) == before
    assert live(tmp_path) == {"one": found}


@pytest.mark.any_protocol("it reads the source")
def test_the_modules_are_the_ones_that_run() -> None:
    for command in READING:
        module = import_module(f"trueup.cli.commands.{_module(command)}")
        callback: Any = module.COMMANDS[command].callback
        assert callback.__module__ == module.__name__
