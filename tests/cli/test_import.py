"""`import`: what is written, what is linked, what is asked, and what is left to a person."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.place import Place, last_line
from trueup.core.call import Call, Reply
from trueup.local.openai_assistants import Server

EMPTY = "Plan: 0 to create, 0 to modify, 0 to delete, 0 drifted, "


FUNCTION = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}


def test_all_that_are_live_become_files_and_state(no_definitions: Place) -> None:
    long = "Be brief.\n" * 30
    first = no_definitions.create(
        name="Math Tutor", instructions=long + "End.", tools=[FUNCTION, {"type": "code_interpreter"}]
    )
    no_definitions.create(name="Math Tutor", tools=[FUNCTION], description="The other one")
    no_definitions.create()
    ran = no_definitions.run("import")
    assert ran.code == 0, ran.err
    assert last_line(ran.out) == "Import: 3 written, 0 linked, 0 there already."
    files = sorted(name for name in no_definitions.files() if name.startswith("assistants"))
    assert files == [
        "assistants/_shared/functions/get_weather.yaml",
        "assistants/assistant.yaml",
        "assistants/math-tutor-2.yaml",
        "assistants/math-tutor.md",
    ]
    assert (no_definitions.root / "assistants/math-tutor-2.yaml").read_text("utf-8") == (
        "# yaml-language-server: $schema=../.trueup/schemas/definition.schema.json\n"
        "name: Math Tutor\n"
        "description: The other one\n"
        "model: gpt-4.1\n"
        "tools:\n"
        "  - file: _shared/functions/get_weather.yaml\n"
    )
    assert (
        (no_definitions.root / "assistants/assistant.yaml")
        .read_text("utf-8")
        .endswith("name: null\nmodel: gpt-4.1\ntools: []\n")
    )
    assert (no_definitions.root / "assistants/math-tutor.md").read_text("utf-8").endswith(f"\n---\n\n{long}End.\n")
    assert last_line(no_definitions.run("plan").out) == f"{EMPTY}3 unchanged; of these 3 not stamped."
    assert no_definitions.run("state", "list", "--json").json["assistants"]["math-tutor"] == first


def test_a_dry_run_shows_the_files_and_makes_none(no_definitions: Place) -> None:
    no_definitions.create(name="Bot", instructions="Hi.\nYou.")
    before = no_definitions.files()
    ran = no_definitions.run("import", "--dry-run")
    assert ran.code == 0
    assert "would write assistants/bot.yaml  from asst_" in ran.out
    assert "    instructions: |-\n      Hi.\n      You.\n" in ran.out
    assert last_line(ran.out) == "Import: 1 to write, 0 to link, 0 there already."
    assert no_definitions.files() == before


def test_names_and_ids_choose(no_definitions: Place) -> None:
    no_definitions.create(name="Bot")
    second = no_definitions.create(name="Bot")
    no_definitions.create(name="Clerk")
    twice = no_definitions.run("import", "Bot")
    assert twice.code == 1
    assert "2 assistants have the display name 'Bot': asst_" in twice.err
    assert no_definitions.run("import", "Clark").code == 1
    assert "Did you mean 'Clerk'?" in no_definitions.run("import", "Clark").err
    assert not (no_definitions.root / "assistants").exists()
    ran = no_definitions.run("import", second, "Clerk", "--json")
    assert [(item["name"], item["id"] == second) for item in ran.json["written"]] == [("bot", True), ("clerk", False)]


def test_links_go_with_no_other_names(place: Place) -> None:
    assert place.run("import", "alpha=asst_1", "beta").code == 1
    assert place.run("import", "alpha=asst_1", "--dry-run").code == 1


def test_what_a_definition_cannot_say_is_told_and_left_alone(no_definitions: Place) -> None:
    no_definitions.create(name="Bot", metadata={"var": "x"}, instructions="Hi.")
    ran = no_definitions.run("import")
    assert ran.code == 3
    assert "! metadata is not in the definition, and what is live stays as it is: {var: x} cannot stand" in " ".join(
        ran.out.split()
    )
    assert last_line(no_definitions.run("plan").out) == f"{EMPTY}1 unchanged; of these 1 not stamped."
    assert no_definitions.live()["Bot"]["metadata"] == {"var": "x"}


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
    no_definitions: Place, monkeypatch: pytest.MonkeyPatch, path: tuple[str | int, ...], value: Any, field: str
) -> None:
    """A server that is newer than this program: nothing is shortened, and nothing is sent."""
    live_id = no_definitions.create(name="Bot", tools=[FUNCTION, {"type": "code_interpreter"}], temperature=0.5)
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
    dry = no_definitions.run("import", "--dry-run")
    ran = no_definitions.run("import", "--json")
    assert (dry.code, ran.code) == (3, 3)
    (omitted,) = ran.json["omitted"]
    assert omitted["from"] == live_id
    assert omitted["path"].startswith(field)
    assert f"! {omitted['message']}." in " ".join(dry.out.split())
    text = (no_definitions.root / "assistants/bot.yaml").read_text("utf-8")
    assert f"{field.split('.')[0]}:" not in text
    assert "temperature: 0.5\n" in text
    assert last_line(no_definitions.run("plan").out) == f"{EMPTY}1 unchanged; of these 1 not stamped."
    assert no_definitions.run("apply", "--yes").code == 0
    assert writes == []


@pytest.mark.parametrize(("declared", "code"), [("", 0), ("tools: [code_interpreter]\n", 3)])
def test_a_link_tells_what_is_not_known_of_the_fields_that_its_definition_declares(
    place: Place, monkeypatch: pytest.MonkeyPatch, declared: str, code: int
) -> None:
    place.write("assistants/alpha.yaml", f"model: gpt-4.1\n{declared}")
    (place.root / "assistants/team/beta.yaml").unlink()
    (place.root / ".trueup/local").mkdir(parents=True)
    live_id = place.create(name="alpha", tools=[{"type": "file_search"}])
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
    assert last_line(place.run("plan").out) == f"{EMPTY}1 unchanged; of these 1 not stamped."


def test_somebody_else_s_is_left_alone_and_named(place: Place) -> None:
    place.applied()
    theirs = json.dumps({"v": 1, "p": "theirs", "t": "prod", "n": "x", "o": "abc", "f": ""})
    live_id = place.create(name="Theirs", metadata={"trueup": theirs})
    place.create(name="Odd", metadata={"trueup": "?"})
    before = place.files()
    ran = place.run("import")
    assert ran.code == 0
    assert f"left {live_id} alone: it has the stamp of x of theirs/prod." in ran.out
    assert "has an unreadable stamp" in ran.out
    assert last_line(ran.out) == "Import: 0 written, 0 linked, 2 there already, 2 of somebody else."
    assert {name: data for name, data in place.files().items() if name != ".trueup/.definitions.lock"} == before


def test_what_lost_its_file_or_its_state_gets_its_own_name_back(place: Place) -> None:
    place.applied()
    (place.root / "assistants/team/beta.yaml").unlink()
    ran = place.run("import")
    assert "wrote assistants/team/beta.yaml" in ran.out
    assert last_line(place.run("plan").out) == f"{EMPTY}2 unchanged."
    (place.root / "assistants/team/beta.yaml").unlink()
    (place.root / ".trueup/local/local.state.json").unlink()
    assert "wrote assistants/team/beta.yaml" in place.run("import").out


def test_an_existing_definition_is_linked_and_says_what_is_live(place: Place) -> None:
    place.write("assistants/alpha.yaml", "# mine\nmodel: gpt-4.1   # cheap\ndescription: A\ninstructions: Say A.\n")
    (place.root / "assistants/team/beta.yaml").unlink()
    (place.root / ".trueup/local").mkdir(parents=True)
    place.create(name="alpha", instructions="Say B.", temperature=0.5)
    ran = place.run("import")
    assert ran.code == 0, ran.err
    assert "linked alpha to asst_" in ran.out
    assert (place.root / "assistants/alpha.yaml").read_text("utf-8") == (
        "# mine\nmodel: gpt-4.1   # cheap\ndescription: A\ninstructions: Say A.\n"
        "targets:\n  local:\n    description: null\n    instructions: Say B.\n"
    )
    assert last_line(place.run("plan").out) == f"{EMPTY}1 unchanged; of these 1 not stamped."


def test_two_of_a_name_and_one_definition_are_shown(place: Place) -> None:
    (place.root / ".trueup/local").mkdir(parents=True)
    ids = {place.create(name="alpha", description=text) for text in ("one", "two")}
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
    hosted.create(name="alpha", instructions=long, temperature=0.2, metadata={"theirs": "kept"})
    hosted.create(name="beta", instructions="Say B.", metadata={"owner": "bob"}, model="gpt-5")
    hosted.create(name="Gamma")
    ran = hosted.run("import", "-t", "prod")
    assert ran.code == 0, ran.err
    assert last_line(ran.out) == "Import: 1 written, 2 linked, 0 there already."
    assert "{file: _alpha.prod.md}" in (hosted.root / "assistants/alpha.yaml").read_text("utf-8").replace(
        "\n      file: ", " {file: "
    ).replace("_alpha.prod.md\n", "_alpha.prod.md}\n")
    assert (hosted.root / "assistants/_alpha.prod.md").read_text("utf-8") == f"{long}\n"
    assert last_line(hosted.run("plan", "-t", "prod").out) == f"{EMPTY}3 unchanged; of these 3 not stamped."
    assert last_line(hosted.run("plan", "-t", "local").out).startswith("Plan: 1 to create, 0 to modify")  # Gamma alone


def test_a_model_is_named_as_the_files_name_it(hosted: Place) -> None:
    text = (hosted.root / "trueup.yaml").read_text("utf-8")
    hosted.write("trueup.yaml", text.replace("settle: 0}", "settle: 0, models: {gpt-4.1: here, other: gpt-4.1}}"))
    hosted.create(name="One", model="here")
    hosted.create(name="Two", model="free")
    assert hosted.run("import").code == 0
    assert "model: gpt-4.1\n" in (hosted.root / "assistants/one.yaml").read_text("utf-8")
    assert "model: free\n" in (hosted.root / "assistants/two.yaml").read_text("utf-8")
    assert "0 to modify" in last_line(hosted.run("plan").out)


def test_stamps_are_asked_for(no_definitions: Place) -> None:
    no_definitions.write("trueup.yaml", "targets:\n  local: {base_url: local, state: stamps}\n")
    no_definitions.create(name="Bot")
    no_definitions.create(name="Full", metadata={f"k{n}": "v" for n in range(16)})
    ran = no_definitions.run("import")
    assert ran.code == 1
    assert "Confirmation required" in ran.err
    assert not (no_definitions.root / "assistants").exists()
    ran = no_definitions.run("import", "--yes")
    assert ran.code == 3
    assert "its metadata is full" in ran.out
    assert "trueup" in no_definitions.live()["Bot"]["metadata"]
    assert (no_definitions.root / ".trueup/local/local.journal").read_bytes() == b""


def test_nothing_is_written_through_a_link(no_definitions: Place) -> None:
    no_definitions.create(name="Bot")
    (no_definitions.root / "elsewhere").mkdir()
    (no_definitions.root / "assistants").symlink_to("elsewhere")
    assert no_definitions.run("import").code == 1
    assert not list((no_definitions.root / "elsewhere").iterdir())


def test_a_value_that_looks_like_a_reference_keeps_no_other_assistant_from_being_imported(
    no_definitions: Place,
) -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"file": "x"}}}
    no_definitions.create(name="Good")
    no_definitions.create(name="Bad", response_format=shape)
    ran = no_definitions.run("import")
    assert ran.code == 3, ran.err
    assert (
        last_line(ran.out) == "Import: 2 written, 0 linked, 0 there already; of these 1 with omitted values (exit 3)."
    )
    assert "x is the file that a definition would read instead." in ran.out
    assert "response_format" not in (no_definitions.root / "assistants/bad.yaml").read_text("utf-8")
    assert last_line(no_definitions.run("plan").out).startswith(EMPTY)


def test_a_folder_that_is_named_as_a_definition_would_be_takes_its_name(no_definitions: Place) -> None:
    no_definitions.create(name="A")
    (no_definitions.root / "assistants/a.yaml").mkdir(parents=True)
    assert no_definitions.run("import").code == 0
    assert (no_definitions.root / "assistants/a-2.yaml").is_file()
