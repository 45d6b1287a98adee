"""`import`: what is written, what is linked, what is asked, and what is left to a person."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.place import Place
from trueup.core.call import Call, Reply
from trueup.core.errors import TrueupError
from trueup.edge import files
from trueup.edge.state.lock_file import hold
from trueup.local.openai_assistants import Server

EMPTY = "Plan: 0 to create, 0 to modify, 0 to delete, 0 drifted, "
FUNCTION = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture
def empty(place: Place) -> Place:
    """A project without a definition, whose server is made by the first assistant."""
    for path in sorted((place.root / "assistants").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (place.root / "assistants").rmdir()
    (place.root / ".trueup/local").mkdir(parents=True)
    return place


def made(place: Place, **body: Any) -> str:
    return str(place.ask("POST", "/assistants", {"model": "gpt-4.1", **body})["id"])


def last(text: str) -> str:
    return text.strip().split("\n")[-1]


def test_all_that_are_live_become_files_and_state(empty: Place) -> None:
    long = "Be brief.\n" * 30
    first = made(empty, name="Math Tutor", instructions=long + "End.", tools=[FUNCTION, {"type": "code_interpreter"}])
    made(empty, name="Math Tutor", tools=[FUNCTION], description="The other one")
    made(empty)
    ran = empty.run("import")
    assert ran.code == 0, ran.err
    assert last(ran.out) == "Import: 3 written, 0 linked, 0 there already."
    files = sorted(name for name in empty.files() if name.startswith("assistants"))
    assert files == [
        "assistants/_shared/functions/get_weather.yaml",
        "assistants/assistant.yaml",
        "assistants/math-tutor-2.yaml",
        "assistants/math-tutor.md",
    ]
    assert (empty.root / "assistants/math-tutor-2.yaml").read_text("utf-8") == (
        "# yaml-language-server: $schema=../.trueup/schemas/definition.schema.json\n"
        "name: Math Tutor\n"
        "description: The other one\n"
        "model: gpt-4.1\n"
        "tools:\n"
        "  - file: _shared/functions/get_weather.yaml\n"
    )
    assert (
        (empty.root / "assistants/assistant.yaml")
        .read_text("utf-8")
        .endswith("name: null\nmodel: gpt-4.1\ntools: []\n")
    )
    assert (empty.root / "assistants/math-tutor.md").read_text("utf-8").endswith(f"\n---\n\n{long}End.\n")
    assert last(empty.run("plan").out) == f"{EMPTY}3 unchanged; of these 3 not stamped."
    assert empty.run("state", "list", "--json").json["assistants"]["math-tutor"] == first


def test_a_dry_run_shows_the_files_and_makes_none(empty: Place) -> None:
    made(empty, name="Bot", instructions="Hi.\nYou.")
    before = empty.files()
    ran = empty.run("import", "--dry-run")
    assert ran.code == 0
    assert "would write assistants/bot.yaml  from asst_" in ran.out
    assert "    instructions: |-\n      Hi.\n      You.\n" in ran.out
    assert last(ran.out) == "Import: 1 to write, 0 to link, 0 there already."
    assert empty.files() == before


def test_names_and_ids_choose(empty: Place) -> None:
    made(empty, name="Bot")
    second = made(empty, name="Bot")
    made(empty, name="Clerk")
    twice = empty.run("import", "Bot")
    assert twice.code == 1
    assert "2 assistants have the display name 'Bot': asst_" in twice.err
    assert empty.run("import", "Clark").code == 1
    assert "Did you mean 'Clerk'?" in empty.run("import", "Clark").err
    assert not (empty.root / "assistants").exists()
    ran = empty.run("import", second, "Clerk", "--json")
    assert [(item["name"], item["id"] == second) for item in ran.json["written"]] == [("bot", True), ("clerk", False)]


def test_links_go_with_no_other_names(place: Place) -> None:
    assert place.run("import", "alpha=asst_1", "beta").code == 1
    assert place.run("import", "alpha=asst_1", "--dry-run").code == 1


def test_what_a_definition_cannot_say_is_told_and_left_alone(empty: Place) -> None:
    made(empty, name="Bot", metadata={"var": "x"}, instructions="Hi.")
    ran = empty.run("import")
    assert ran.code == 3
    assert "! metadata is not in the definition, and what is live stays as it is: {var: x} cannot stand" in " ".join(
        ran.out.split()
    )
    assert last(empty.run("plan").out) == f"{EMPTY}1 unchanged; of these 1 not stamped."
    assert empty.live()["Bot"]["metadata"] == {"var": "x"}


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("tools", 0), {"type": "browser"}, "tools"),
        (("tools", 0, "function", "x-own"), 1, "tools"),
        (("response_format",), {"type": "grammar"}, "response_format"),
        (("tool_resources", "browser"), {"urls": ["u"]}, "tool_resources.browser"),
        (("voice",), "alloy", "voice"),
    ],
)
def test_what_is_live_and_not_known_is_told_and_its_field_left_undeclared(
    empty: Place, monkeypatch: pytest.MonkeyPatch, path: tuple[str | int, ...], value: Any, field: str
) -> None:
    """A server that is newer than this program: nothing is shortened, and nothing is sent."""
    live_id = made(empty, name="Bot", tools=[FUNCTION, {"type": "code_interpreter"}], temperature=0.5)
    real, writes = Server.answer, []

    def answer(server: Server, call: Call) -> Reply:
        writes.extend([call] if call.method != "GET" else [])
        reply = real(server, call)
        for entry in reply.json["data"] if call.path == "/assistants" else [reply.json]:
            holder: Any = entry
            for step in path[:-1]:
                holder = holder[step] if isinstance(step, int) else holder.setdefault(step, {})
            holder[path[-1]] = value
        return reply

    monkeypatch.setattr(Server, "answer", answer)
    dry = empty.run("import", "--dry-run")
    ran = empty.run("import", "--json")
    assert (dry.code, ran.code) == (3, 3)
    (omitted,) = ran.json["omitted"]
    assert omitted["from"] == live_id
    assert omitted["path"].startswith(field)
    assert f"! {omitted['message']}." in " ".join(dry.out.split())
    text = (empty.root / "assistants/bot.yaml").read_text("utf-8")
    assert f"{field.split('.')[0]}:" not in text
    assert "temperature: 0.5\n" in text
    assert last(empty.run("plan").out) == f"{EMPTY}1 unchanged; of these 1 not stamped."
    assert empty.run("apply", "--yes").code == 0
    assert writes == []


@pytest.mark.parametrize(("declared", "code"), [("", 0), ("tools: [code_interpreter]\n", 3)])
def test_a_link_tells_what_is_not_known_of_the_fields_that_its_definition_declares(
    place: Place, monkeypatch: pytest.MonkeyPatch, declared: str, code: int
) -> None:
    place.write("assistants/alpha.yaml", f"model: gpt-4.1\n{declared}")
    (place.root / "assistants/team/beta.yaml").unlink()
    (place.root / ".trueup/local").mkdir(parents=True)
    live_id = made(place, name="alpha", tools=[{"type": "file_search"}])
    real = Server.answer

    def answer(server: Server, call: Call) -> Reply:
        reply = real(server, call)
        for entry in reply.json["data"] if call.path == "/assistants" else [reply.json]:
            entry |= {"tools": [{"type": "browser"}], "voice": "alloy"}
        return reply

    monkeypatch.setattr(Server, "answer", answer)
    ran = place.run("import")
    assert ran.code == code, ran.out
    assert f"linked alpha to {live_id}" in ran.out
    assert ("! tools is not in the definition" in ran.out) is bool(code)
    assert "voice" not in ran.out
    text = (place.root / "assistants/alpha.yaml").read_text("utf-8")
    assert ("targets:\n  local:\n    tools: null\n" in text) is bool(code)
    assert last(place.run("plan").out) == f"{EMPTY}1 unchanged; of these 1 not stamped."


def test_somebody_else_s_is_left_alone_and_named(place: Place) -> None:
    place.applied()
    theirs = json.dumps({"v": 1, "p": "theirs", "t": "prod", "n": "x", "o": "abc", "f": ""})
    live_id = made(place, name="Theirs", metadata={"trueup": theirs})
    made(place, name="Odd", metadata={"trueup": "?"})
    before = place.files()
    ran = place.run("import")
    assert ran.code == 0
    assert f"left {live_id} alone: it carries the stamp of x of theirs/prod." in ran.out
    assert "carries a stamp that cannot be read" in ran.out
    assert last(ran.out) == "Import: 0 written, 0 linked, 2 there already, 2 of somebody else."
    assert {name: data for name, data in place.files().items() if name != ".trueup/.definitions.lock"} == before


def test_what_lost_its_file_or_its_state_gets_its_own_name_back(place: Place) -> None:
    place.applied()
    (place.root / "assistants/team/beta.yaml").unlink()
    ran = place.run("import")
    assert "wrote assistants/team/beta.yaml" in ran.out
    assert last(place.run("plan").out) == f"{EMPTY}2 unchanged."
    (place.root / "assistants/team/beta.yaml").unlink()
    (place.root / ".trueup/local/local.state.json").unlink()
    assert "wrote assistants/team/beta.yaml" in place.run("import").out


def test_an_existing_definition_is_linked_and_says_what_is_live(place: Place) -> None:
    place.write("assistants/alpha.yaml", "# mine\nmodel: gpt-4.1   # cheap\ndescription: A\ninstructions: Say A.\n")
    (place.root / "assistants/team/beta.yaml").unlink()
    (place.root / ".trueup/local").mkdir(parents=True)
    made(place, name="alpha", instructions="Say B.", temperature=0.5)
    ran = place.run("import")
    assert ran.code == 0, ran.err
    assert "linked alpha to asst_" in ran.out
    assert (place.root / "assistants/alpha.yaml").read_text("utf-8") == (
        "# mine\nmodel: gpt-4.1   # cheap\ndescription: A\ninstructions: Say A.\n"
        "targets:\n  local:\n    description: null\n    instructions: Say B.\n"
    )
    assert last(place.run("plan").out) == f"{EMPTY}1 unchanged; of these 1 not stamped."


def test_two_of_a_name_and_one_definition_are_shown(place: Place) -> None:
    (place.root / ".trueup/local").mkdir(parents=True)
    ids = {made(place, name="alpha", description=text) for text in ("one", "two")}
    before = place.files()
    ran = place.run("import", "--json")
    assert ran.code == 3
    (group,) = ran.json["ambiguous"]
    assert (set(group["ids"]), group["definitions"]) == (ids, ["alpha"])
    shown = place.run("import").out
    assert all(live_id in shown for live_id in ids)
    assert "trueup import alpha=asst_000000000000000000000002" in shown
    assert {name for name in place.files() if name.startswith("assistants")} == {
        name for name in before if name.startswith("assistants")
    }


def test_a_second_target_gets_links_and_overrides(hosted: Place) -> None:
    text = (hosted.root / "trueup.yaml").read_text("utf-8")
    hosted.write("trueup.yaml", text + "  local: {base_url: local}\ndefault_target: local\n")
    hosted.applied()
    long = "Word by word.\n" * 40 + "End."
    made(hosted, name="alpha", instructions=long, temperature=0.2, metadata={"theirs": "kept"})
    made(hosted, name="beta", instructions="Say B.", metadata={"owner": "bob"}, model="gpt-5")
    made(hosted, name="Gamma")
    ran = hosted.run("import", "-t", "prod")
    assert ran.code == 0, ran.err
    assert last(ran.out) == "Import: 1 written, 2 linked, 0 there already."
    assert "{file: _alpha.prod.md}" in (hosted.root / "assistants/alpha.yaml").read_text("utf-8").replace(
        "\n      file: ", " {file: "
    ).replace("_alpha.prod.md\n", "_alpha.prod.md}\n")
    assert (hosted.root / "assistants/_alpha.prod.md").read_text("utf-8") == f"{long}\n"
    assert last(hosted.run("plan", "-t", "prod").out) == f"{EMPTY}3 unchanged; of these 3 not stamped."
    assert last(hosted.run("plan", "-t", "local").out).startswith("Plan: 1 to create, 0 to modify")  # Gamma alone


def test_a_model_is_named_as_the_files_name_it(hosted: Place) -> None:
    text = (hosted.root / "trueup.yaml").read_text("utf-8")
    hosted.write("trueup.yaml", text.replace("settle: 0}", "settle: 0, models: {gpt-4.1: here, other: gpt-4.1}}"))
    made(hosted, name="One", model="here")
    made(hosted, name="Two", model="free")
    assert hosted.run("import").code == 0
    assert "model: gpt-4.1\n" in (hosted.root / "assistants/one.yaml").read_text("utf-8")
    assert "model: free\n" in (hosted.root / "assistants/two.yaml").read_text("utf-8")
    assert "0 to modify" in last(hosted.run("plan").out)


def test_stamps_are_asked_for(empty: Place) -> None:
    empty.write("trueup.yaml", "targets:\n  local: {base_url: local, state: stamps}\n")
    made(empty, name="Bot")
    made(empty, name="Full", metadata={f"k{n}": "v" for n in range(16)})
    ran = empty.run("import")
    assert ran.code == 1
    assert "Confirmation required" in ran.err
    assert not (empty.root / "assistants").exists()
    ran = empty.run("import", "--yes")
    assert ran.code == 3
    assert "its metadata is full" in ran.out
    assert "trueup" in empty.live()["Bot"]["metadata"]
    assert (empty.root / ".trueup/local/local.journal").read_bytes() == b""


@pytest.mark.parametrize("at", range(4))
def test_killed_between_two_files_it_goes_on(empty: Place, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    for name in ("A", "B"):
        made(empty, name=name, tools=[FUNCTION])
    made(empty)
    real, calls = files.write_inside, iter(range(100))

    def dying(root: Path, file: str, content: bytes, before: bytes | None = None) -> None:
        if next(calls) == at:
            raise KeyboardInterrupt
        real(root, file, content, before)

    monkeypatch.setattr("trueup.cli.commands.importing.write_inside", dying)
    assert empty.run("import").code == 130
    monkeypatch.undo()
    os.chdir(empty.root)
    ran = empty.run("import")
    assert ran.code == 0, ran.out + ran.err
    assert last(empty.run("plan").out) == f"{EMPTY}3 unchanged; of these 3 not stamped."
    names = {name for name in empty.files() if name.startswith("assistants")}
    assert names == {
        f"assistants/{name}" for name in ("_shared/functions/get_weather.yaml", "a.yaml", "assistant.yaml", "b.yaml")
    }


@pytest.mark.parametrize("landed", [False, True])
def test_killed_while_the_stamps_are_on_their_way_it_goes_on(
    empty: Place, monkeypatch: pytest.MonkeyPatch, landed: bool
) -> None:
    """The journal knows of each stamp that was sent, and not of its answer."""
    empty.write("trueup.yaml", "targets:\n  local: {base_url: local, state: stamps}\n")
    ids = [made(empty, name=f"Bot {number}", instructions=f"Say {number}.") for number in range(3)]
    journal, seen = empty.root / ".trueup/local/local.journal", [b""]
    real = Server.answer

    def answer(server: Server, call: Call) -> Reply:
        if call.method == "POST":
            seen.append(journal.read_bytes())
        return real(server, call)

    monkeypatch.setattr(Server, "answer", answer)
    assert empty.run("import", "--yes").code == 0
    monkeypatch.undo()
    os.chdir(empty.root)
    journal.write_bytes(max(seen, key=len))
    assert journal.read_bytes()
    for live_id in ids if not landed else []:
        empty.ask("POST", f"/assistants/{live_id}", {"metadata": {}})
    ran = empty.run("import", "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert sorted(name for name in empty.files() if name.startswith("assistants")) == [
        "assistants/bot-0.yaml", "assistants/bot-1.yaml", "assistants/bot-2.yaml",
    ]  # fmt: skip
    assert last(empty.run("plan").out) == f"{EMPTY}3 unchanged."
    assert all("trueup" in live["metadata"] for live in empty.live().values())


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
    with hold(place.root / ".trueup/.definitions.lock", "other", 0.0):
        ran = place.run("import", *source)
    assert ran.code == 1
    assert "Another import is running" in ran.err


def test_two_at_once_do_not_mix(empty: Place) -> None:
    made(empty, name="Bot")
    with hold(empty.root / ".trueup/local/local.lock", "local", 0.0):
        ran = empty.run("import")
    assert ran.code == 1
    assert not (empty.root / "assistants").exists()


def test_nothing_is_written_through_a_link(empty: Place) -> None:
    made(empty, name="Bot")
    (empty.root / "elsewhere").mkdir()
    (empty.root / "assistants").symlink_to("elsewhere")
    assert empty.run("import").code == 1
    assert not list((empty.root / "elsewhere").iterdir())


def test_a_file_that_appears_meanwhile_stays(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("mine")
    with pytest.raises(TrueupError, match="something of that name"):
        files.write_inside(tmp_path, "a.yaml", b"ours")
    assert (tmp_path / "a.yaml").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]


def test_a_value_that_looks_like_a_reference_keeps_no_other_assistant_from_being_imported(empty: Place) -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"file": "x"}}}
    made(empty, name="Good")
    made(empty, name="Bad", response_format=shape)
    ran = empty.run("import")
    assert ran.code == 3, ran.err
    assert last(ran.out) == "Import: 2 written, 0 linked, 0 there already; of these 1 with omitted values (exit 3)."
    assert "x is the file that a definition would read in its place." in ran.out
    assert "response_format" not in (empty.root / "assistants/bad.yaml").read_text("utf-8")
    assert last(empty.run("plan").out).startswith(EMPTY)


def test_a_folder_that_is_named_as_a_definition_would_be_takes_its_name(empty: Place) -> None:
    made(empty, name="A")
    (empty.root / "assistants/a.yaml").mkdir(parents=True)
    assert empty.run("import").code == 0
    assert (empty.root / "assistants/a-2.yaml").is_file()
