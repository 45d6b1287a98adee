"""An `import` that is killed, or that meets another one: the same command goes on, and nothing is written twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.place import Place, last_line
from trueup.core.call import Call, Reply
from trueup.core.errors import TrueupError
from trueup.edge import files
from trueup.edge.state.lock_file import hold_lock
from trueup.local.openai_assistants import Server

EMPTY = "Plan: 0 to create, 0 to modify, 0 to delete, 0 drifted, "


FUNCTION = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}


@pytest.mark.parametrize("at", range(4))
def test_killed_between_two_files_it_goes_on(no_definitions: Place, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    for name in ("A", "B"):
        no_definitions.create(name=name, tools=[FUNCTION])
    no_definitions.create()
    real, calls = files.write_inside, iter(range(100))

    def dying(root: Path, file: str, content: bytes, before: bytes | None = None) -> None:
        if next(calls) == at:
            raise KeyboardInterrupt
        real(root, file, content, before)

    monkeypatch.setattr("trueup.cli.commands.importing.write_inside", dying)
    assert no_definitions.run("import").code == 130
    monkeypatch.undo()
    os.chdir(no_definitions.root)
    ran = no_definitions.run("import")
    assert ran.code == 0, ran.out + ran.err
    assert last_line(no_definitions.run("plan").out) == f"{EMPTY}3 unchanged; of these 3 not stamped."
    names = {name for name in no_definitions.files() if name.startswith("assistants")}
    assert names == {
        f"assistants/{name}" for name in ("_shared/functions/get_weather.yaml", "a.yaml", "assistant.yaml", "b.yaml")
    }


@pytest.mark.parametrize("landed", [False, True])
def test_killed_while_the_stamps_are_on_their_way_it_goes_on(
    no_definitions: Place, monkeypatch: pytest.MonkeyPatch, landed: bool
) -> None:
    """The journal knows of each stamp that was sent, and not of its answer."""
    no_definitions.write("trueup.yaml", "targets:\n  local: {base_url: local, state: stamps}\n")
    ids = [no_definitions.create(name=f"Bot {number}", instructions=f"Say {number}.") for number in range(3)]
    journal, seen = no_definitions.root / ".trueup/local/local.journal", [b""]
    real = Server.answer

    def answer(server: Server, call: Call) -> Reply:
        if call.method == "POST":
            seen.append(journal.read_bytes())
        return real(server, call)

    monkeypatch.setattr(Server, "answer", answer)
    assert no_definitions.run("import", "--yes").code == 0
    monkeypatch.undo()
    os.chdir(no_definitions.root)
    journal.write_bytes(max(seen, key=len))
    assert journal.read_bytes()
    for live_id in ids if not landed else []:
        no_definitions.ask("POST", f"/assistants/{live_id}", {"metadata": {}})
    ran = no_definitions.run("import", "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert sorted(name for name in no_definitions.files() if name.startswith("assistants")) == [
        "assistants/bot-0.yaml", "assistants/bot-1.yaml", "assistants/bot-2.yaml",
    ]  # fmt: skip
    assert last_line(no_definitions.run("plan").out) == f"{EMPTY}3 unchanged."
    assert all("trueup" in live["metadata"] for live in no_definitions.live().values())


def test_what_a_cut_off_apply_may_have_created_is_not_given_a_second_file(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("trueup.yaml", "targets:\n  local: {base_url: local, stamp: false}\n")
    journal, seen = place.root / ".trueup/local/local.journal", [b""]
    real = Server.answer

    def answer(server: Server, call: Call) -> Reply:
        if call.method == "POST":
            seen.append(journal.read_bytes())
        return real(server, call)

    monkeypatch.setattr(Server, "answer", answer)
    place.applied()
    monkeypatch.undo()
    os.chdir(place.root)
    (place.root / ".trueup/local/local.state.json").unlink()
    journal.write_bytes(max(seen, key=len))
    files = {name for name in place.files() if name.startswith("assistants")}
    ran = place.run("import")
    assert ran.code == 3
    assert {name for name in place.files() if name.startswith("assistants")} == files
    assert "import" in ran.out


@pytest.mark.parametrize("source", [(), ("--from", "x.json")])
def test_an_import_into_another_target_of_the_project_waits_its_turn(place: Place, source: tuple[str, ...]) -> None:
    place.write("x.json", '{"model": "m", "name": "New"}')
    (place.root / ".trueup").mkdir()
    with hold_lock(place.root / ".trueup/.definitions.lock", "other", 0.0):
        ran = place.run("import", *source)
    assert ran.code == 1
    assert "Another import is running" in ran.err


def test_two_at_once_do_not_mix(no_definitions: Place) -> None:
    no_definitions.create(name="Bot")
    with hold_lock(no_definitions.root / ".trueup/local/local.lock", "local", 0.0):
        ran = no_definitions.run("import")
    assert ran.code == 1
    assert not (no_definitions.root / "assistants").exists()


def test_a_file_that_appears_meanwhile_stays(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("mine")
    with pytest.raises(TrueupError, match="of that name exists already"):
        files.write_inside(tmp_path, "a.yaml", b"ours")
    assert (tmp_path / "a.yaml").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]
