"""Saved agents of OpenAI's from the command line: every command does for them what it does for assistants."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.place import Place
from trueup.local.registry import local_database

EMPTY = "0 to create, 0 to modify, 0 to delete"
TRIAGE = """\
model: gpt-5.5
instructions: |
  Sort what comes in.
  Then stop.
reasoning: {summary: auto}
text: {format: {type: json_schema, schema: {type: object}}}
experimental: {time_awareness: true}
metadata: {owner: bea}
tools:
  - type: function
    name: lookup
    description: Finds an order
    parameters: {type: object, properties: {id: {type: string}}}
  - {type: mcp, server_label: docs, transport: {type: http, server_url: "https://example.com/mcp"}}
  - {type: web_search}
"""


@pytest.fixture
def fleet(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Place:
    """Two saved agents for the local target, nothing applied yet."""
    monkeypatch.chdir(tmp_path)
    made = Place(tmp_path, capsys, protocol="openai-agents", objects="/agents")
    made.write("trueup.yaml", "project: shop\ntargets:\n  local: {base_url: local, protocol: openai-agents}\n")
    made.write("assistants/triage.yaml", TRIAGE)
    made.write("assistants/team/writer.md", "---\nmodel: gpt-5.5\n---\nWrite well.\n")
    return made


def assert_in_sync(place: Place) -> None:
    ran = place.run("plan", "--detailed-exitcode")
    assert ran.code == 0, ran.out + ran.err
    assert EMPTY in ran.out


def test_a_project_is_applied_and_the_plan_is_empty(fleet: Place) -> None:
    assert fleet.run("validate").code == 0
    ran = fleet.run("plan", "--detailed-exitcode")
    assert (ran.code, "2 to create" in ran.out) == (2, True), ran.out + ran.err
    ran = fleet.applied().run("drift")
    assert ran.code == 0, ran.out + ran.err
    assert_in_sync(fleet)
    live = fleet.live()
    assert live["triage"]["tools"][1]["connection_origin"] == "service"
    assert live["triage"]["experimental"] == {"time_awareness": True}
    assert live["writer"]["instructions"] == "Write well."
    assert {*live["triage"]["metadata"]} == {"owner", "trueup"}


def test_what_nobody_declared_survives_every_write(fleet: Place) -> None:
    fleet.applied()
    metadata = fleet.live()["writer"]["metadata"]
    fleet.poke("writer", {"metadata": {**metadata, "theirs": "x"}, "compaction": {"async": True}})
    assert_in_sync(fleet)
    fleet.replace("assistants/team/writer.md", "Write well.", "Write better.")
    assert "kept" not in fleet.applied().run("plan").out
    live = fleet.live()["writer"]
    assert (live["metadata"]["theirs"], live["compaction"], live["instructions"]) == (
        "x", {"async": True}, "Write better.",
    )  # fmt: skip


def test_what_leaves_the_file_is_cleared_whatever_its_default_is(fleet: Place) -> None:
    fleet.replace("assistants/triage.yaml", "{summary: auto}", "{effort: high, summary: auto}")
    fleet.applied()
    text = TRIAGE.replace("reasoning: {summary: auto}\n", "").replace("experimental: {time_awareness: true}\n", "")
    fleet.write("assistants/triage.yaml", text.replace("metadata: {owner: bea}\n", ""))
    ran = fleet.run("apply", "--yes")
    assert (ran.code, "not kept" in ran.out + ran.err) == (0, False), ran.out + ran.err
    live = fleet.live()["triage"]
    assert live["reasoning"] == {"effort": "medium", "summary": None}
    assert live["experimental"] == {"time_awareness": False}
    assert "owner" not in live["metadata"]
    assert_in_sync(fleet)


def test_a_part_of_an_object_that_leaves_the_file_is_left_to_the_server(fleet: Place) -> None:
    fleet.replace("assistants/triage.yaml", "{summary: auto}", "{effort: high, summary: auto}")
    fleet.applied()
    assert fleet.live()["triage"]["reasoning"]["effort"] == "high"
    fleet.replace("assistants/triage.yaml", "{effort: high, summary: auto}", "{summary: auto}")
    fleet.applied()
    assert fleet.live()["triage"]["reasoning"] == {"effort": "medium", "summary": "auto"}
    assert_in_sync(fleet)


def test_a_manual_change_is_drift_and_is_taken_or_reverted(fleet: Place) -> None:
    fleet.applied()
    fleet.poke("triage", {"instructions": "Sort what comes in.\nThen go on.\n", "service_tier": "flex"})
    tool = {"type": "function", "name": "lookup", "description": "Finds a parcel", "parameters": {"type": "object"}}
    fleet.poke("triage", {"tools": [tool]})
    ran = fleet.run("drift")
    assert (ran.code, "go on" in ran.out, "service_tier" in ran.out) == (2, True, False), ran.out + ran.err
    ran = fleet.run("accept", "triage")
    assert ran.code == 0, ran.out + ran.err
    assert "Finds a parcel" in (fleet.root / "assistants/triage.yaml").read_text("utf-8")
    assert_in_sync(fleet)
    fleet.poke("triage", {"text": {"format": {"type": "text"}}})
    assert fleet.run("drift").code == 2
    ran = fleet.run("apply", "--yes", "--on-drift", "revert")
    assert ran.code == 0, ran.out + ran.err
    assert fleet.live()["triage"]["text"]["format"]["type"] == "json_schema"
    assert_in_sync(fleet)


def test_live_agents_become_native_definitions(fleet: Place) -> None:
    tools = [{"type": "function", "name": "now", "description": "Tells the time", "parameters": {"type": "object"}},
             {"type": "web_search", "context_size": "high"}]  # fmt: skip
    body = {"model": "gpt-5.5", "name": "Found", "tools": tools, "text": {"verbosity": "low"}, "service_tier": "flex"}
    fleet.applied()
    fleet.ask("POST", "/agents", {**body, "instructions": "Look.\n", "experimental": {"time_awareness": True}})
    ran = fleet.run("import")
    assert ran.code == 0, ran.out + ran.err
    written = next((fleet.root / "assistants").glob("found.*")).read_text("utf-8")
    assert ("verbosity: low" in written, "defer_loading" in written, "time_awareness" in written) == (True, False, True)
    assert_in_sync(fleet)


def test_the_state_is_rebuilt_from_stamps(fleet: Place) -> None:
    fleet.applied()
    (fleet.root / ".trueup/local/local.state.json").unlink()
    ran = fleet.run("state", "rebuild")
    assert ran.code == 0, ran.out + ran.err
    assert_in_sync(fleet)
    fleet.replace("assistants/triage.yaml", "summary: auto", "summary: detailed")
    fleet.applied()
    assert fleet.live()["triage"]["reasoning"]["summary"] == "detailed"


def test_stamps_alone_are_state_enough(fleet: Place) -> None:
    fleet.replace("trueup.yaml", "protocol: openai-agents", "protocol: openai-agents, state: stamps")
    fleet.applied()
    assert_in_sync(fleet)
    fleet.replace("assistants/triage.yaml", "summary: auto", "summary: detailed")
    fleet.replace("assistants/triage.yaml", "{type: web_search}", "{type: web_search, mode: cached}")
    fleet.applied()
    assert_in_sync(fleet)
    fleet.poke("triage", {"reasoning": {"summary": "concise"}})
    assert fleet.run("drift").code == 2


def test_a_saved_plan_is_carried_out(fleet: Place) -> None:
    fleet.applied()
    fleet.replace("assistants/triage.yaml", "Then stop.", "Then go on.")
    assert fleet.run("plan", "--out", "change.plan").code == 0
    fleet.poke("triage", {"service_tier": "flex"})
    ran = fleet.run("apply", "change.plan", "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert fleet.live()["triage"]["instructions"] == "Sort what comes in.\nThen go on.\n"
    assert fleet.live()["triage"]["service_tier"] == "flex"


def test_an_export_holds_the_agents_as_they_are(fleet: Place) -> None:
    fleet.applied()
    ran = fleet.run("export", "agents.json")
    assert ran.code == 0, ran.err
    text = (fleet.root / "agents.json").read_text("utf-8")
    assert '"connection_origin":"service"' in text
    assert json.loads(text)["target"]["protocol"] == "openai-agents"


def test_everything_is_destroyed(fleet: Place) -> None:
    fleet.applied()
    ran = fleet.run("destroy", "--yes")
    assert ran.code == 4, ran.out + ran.err
    ran = fleet.run("destroy", "--yes", "--ack", ran.err.split()[-1])
    assert ran.code == 0, ran.out + ran.err
    assert fleet.live() == {}


SECRET = "Bearer canary-98765"


def add_secret(place: Place) -> None:
    """Puts a header with a credential into a live tool, as somebody else would."""
    tools = place.live()["triage"]["tools"]
    tools[1]["transport"]["headers"] = {"authorization": SECRET}
    place.poke("triage", {"tools": tools})


def test_a_live_secret_is_neither_shown_nor_erased(fleet: Place) -> None:
    fleet.applied()
    add_secret(fleet)
    shown = [fleet.run(*words.split()) for words in ("drift", "plan --out a.plan", "why triage -v", "accept triage")]
    assert [ran.code for ran in shown] == [2, 0, 0, 3]
    assert "***" in shown[0].out
    ran = fleet.run("apply", "--yes", "--on-drift", "revert")
    assert (ran.code, "holds a secret" in " ".join(ran.out.split())) == (3, True), ran.out + ran.err
    shown.append(ran)
    assert not any(SECRET in ran.out + ran.err for ran in shown)
    assert SECRET not in (fleet.root / "a.plan").read_text("utf-8")
    assert fleet.live()["triage"]["tools"][1]["transport"]["headers"] == {"authorization": SECRET}


def test_an_edit_of_another_field_is_sent_and_keeps_a_live_secret(fleet: Place) -> None:
    fleet.applied()
    add_secret(fleet)
    fleet.replace("assistants/triage.yaml", "Then stop.", "Then go on.")
    ran = fleet.run("apply", "--yes", "--on-drift", "revert")
    assert (ran.code, "1 modified" in ran.out) == (3, True), ran.out + ran.err
    live = fleet.live()["triage"]
    assert live["instructions"] == "Sort what comes in.\nThen go on.\n"
    assert live["tools"][1]["transport"]["headers"] == {"authorization": SECRET}
    assert fleet.run("drift").code == 2, "what was not reverted is drift still"


LOOKS = """drift --all|drift --format json|drift --format markdown|drift --format html|plan --format json
plan --format markdown|plan --format html|why triage --format json|accept triage|import --name triage|apply --yes
apply --yes --on-drift revert""".replace("\n", "|").split("|")


def test_no_format_shows_a_live_secret_and_an_edit_of_its_own_field_does_not_erase_it(fleet: Place) -> None:
    fleet.applied()
    add_secret(fleet)
    fleet.replace("assistants/triage.yaml", "{type: web_search}", "{type: web_search, mode: cached}")
    for words in (*LOOKS, "plan --out a.plan", "plan --on-drift revert --out b.plan"):
        ran = fleet.run(*words.split())
        assert SECRET not in ran.out + ran.err, words
    assert [SECRET in (fleet.root / name).read_text("utf-8") for name in ("a.plan", "b.plan")] == [False, False]
    assert fleet.live()["triage"]["tools"][1]["transport"]["headers"] == {"authorization": SECRET}
    fleet.replace("assistants/triage.yaml", "metadata:", "lifecycle: {ignore_changes: [tools]}\nmetadata:")
    assert fleet.run("apply", "--yes").code == 0
    assert fleet.live()["triage"]["tools"][1]["transport"]["headers"] == {"authorization": SECRET}


@pytest.mark.parametrize("value", ["{var: key}", "{authorization: {var: key}}"])
@pytest.mark.parametrize("form", ["text", "json", "markdown", "sarif", "github", "html"])
def test_a_variable_where_a_secret_may_stand_is_refused_and_not_shown(fleet: Place, value: str, form: str) -> None:
    fleet.replace("assistants/triage.yaml", 'mcp"}}', f'mcp", headers: {value}}}}}')
    ran = fleet.run("validate", "--var", "key=canary-98765", "--format", form)
    assert (ran.code, "canary" in ran.out + ran.err) == (1, False), ran.out + ran.err
    assert "credential_id" in ran.out + ran.err


def test_a_part_that_a_write_takes_away_is_a_row_of_the_plan(fleet: Place) -> None:
    fleet.replace("assistants/triage.yaml", "{summary: auto}", "{effort: low}")
    fleet.applied().poke("triage", {"reasoning": {"effort": "low", "summary": "detailed"}})
    assert fleet.run("drift").code == 0
    fleet.replace("assistants/triage.yaml", "{effort: low}", "{effort: high}")
    out = fleet.run("plan").out
    assert "summary" in out
    assert '"detailed"' in out
    fleet.applied()
    assert_in_sync(fleet)


def test_what_no_definition_can_hold_leads_to_ignore_changes(fleet: Place) -> None:
    fleet.applied()
    with closing(sqlite3.connect(local_database(fleet.root, fleet.protocol))) as database, database:
        found = """json_set(body, '$.tools[2].x_tool', json('true')) where json_extract(body, '$.name') = 'triage'"""
        database.execute(f"update assistants set body = {found}")
    assert fleet.run("drift").code == 2
    ran = fleet.run("accept", "triage")
    assert (ran.code, "unknown key 'x_tool'" in ran.said) == (3, True), ran.out + ran.err
    assert "name tools in `ignore_changes`" in ran.said
    fleet.replace("assistants/triage.yaml", "metadata:", "lifecycle: {ignore_changes: [tools]}\nmetadata:")
    assert fleet.run("drift").code == 0


def refusals() -> dict[str, tuple[str, str]]:
    """A line to replace, and the words of the error."""
    return {
        "model: gpt-5.5": ("model: gpt-5.5\ntemperature: 0.2", "temperature"),
        "{summary: auto}": ("{summary: loud}", "summary"),
        "description: Finds an order": ("strict: true", "strict"),
        "{type: web_search}": ("{type: code_interpreter}", "code_interpreter"),
        "metadata: {owner: bea}": (f"name: {'n' * 129}", "128"),
    }


@pytest.mark.parametrize("old", refusals())
def test_what_the_vendor_would_refuse_is_an_error_at_its_line(fleet: Place, old: str) -> None:
    new, words = refusals()[old]
    fleet.replace("assistants/triage.yaml", old, new)
    ran = fleet.run("validate")
    [written] = fleet.root.glob("assistants/triage*")
    text = written.read_text("utf-8")
    line = 1 + text[: text.index(new.partition("\n")[2] or new)].count("\n")
    assert ran.code == 1
    assert f"assistants/triage.yaml:{line}:" in ran.err + ran.out
    assert words in ran.err + ran.out


PORTABLE = """\
protocol: openai-assistants
model: gpt-5
instructions: Help.
reasoning_effort: low
temperature: 0.2
tools:
  - {type: code_interpreter}
  - type: function
    function: {name: pay, description: Pays, strict: true}
"""


@pytest.fixture
def moved(fleet: Place) -> Place:
    """A portable definition beside the native ones, for a target that translates."""
    fleet.write("assistants/helper.yaml", PORTABLE)
    target = "protocol: openai-agents, translate: true, models: {gpt-5: gpt-5.5}"
    fleet.replace("trueup.yaml", "project: shop\n", "project: shop\nprotocol: openai-agents\n")
    fleet.replace("trueup.yaml", "protocol: openai-agents}", f"{target}}}")
    return fleet


def test_what_cannot_be_translated_is_an_error_at_its_line(moved: Place) -> None:
    ran = moved.run("validate")
    told = ran.out + ran.err
    assert ran.code == 1
    for line, key in ((5, "temperature"), (7, "tools.code_interpreter"), (9, "tools.function.strict")):
        assert f"assistants/helper.yaml:{line}:" in told, told
        assert key in told


def test_a_portable_definition_is_translated_and_applied(moved: Place) -> None:
    losses = "allow_loss: [temperature, tools.code_interpreter, tools.function]"
    moved.replace("trueup.yaml", "translate: true", f"translate: true, {losses}")
    moved.applied()
    assert_in_sync(moved)
    live = moved.live()["helper"]
    assert (live["model"], live["reasoning"]["effort"], live["instructions"]) == ("gpt-5.5", "low", "Help.")
    parameters: dict[str, Any] = {"type": "object", "properties": {}}
    assert [(tool["name"], tool["parameters"]) for tool in live["tools"]] == [("pay", parameters)]


def test_the_target_s_patch_is_laid_over_the_translation(moved: Place) -> None:
    tools = json.dumps([{"type": "web_search"}])
    patch = f"targets: {{local: {{tools: {tools}, service_tier: flex}}}}\n"
    moved.write("assistants/helper.yaml", PORTABLE.replace("temperature: 0.2\n", "") + patch)
    moved.applied()
    live = moved.live()["helper"]
    assert ([tool["type"] for tool in live["tools"]], live["service_tier"]) == (["web_search"], "flex")


def test_without_translate_portable_definitions_are_counted(moved: Place) -> None:
    moved.replace("trueup.yaml", "translate: true, ", "")
    ran = moved.run("plan", "-v")
    assert ran.code == 0, ran.err
    assert "helper" in ran.out + ran.err
    assert "2 to create" in ran.out


def test_a_404_in_unknown_words_offers_to_forget_the_agent(fleet: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.applied().remove("triage")
    monkeypatch.setattr("trueup.wire.openai_agents.adapter.is_absent", lambda _: False)
    ran = fleet.run("plan")
    assert ran.code == 6
    assert "If it was deleted, forget it: trueup state rm triage" in " ".join(ran.out.split())
    assert fleet.run("state", "rm", "triage").code == 0
    assert "1 to create" in fleet.run("plan").out


def test_a_backup_becomes_a_definition_of_its_own_protocol(fleet: Place) -> None:
    fleet.applied()
    fleet.poke("triage", {"instructions": "Theirs."})
    assert fleet.run("apply", "--yes", "--on-drift", "revert").code == 0
    [backup] = (fleet.root / ".trueup/backup").iterdir()
    (fleet.root / "assistants/triage.yaml").unlink()
    ran = fleet.run("import", "--from", str(backup.relative_to(fleet.root)))
    assert ran.code == 0, ran.out + ran.err
    [written] = fleet.root.glob("assistants/triage*")
    text = written.read_text("utf-8")
    for line in (
        "instructions: Theirs.",
        "reasoning:",
        "experimental:",
        "time_awareness: true",
        "type: mcp",
        "server_label: docs",
    ):
        assert line in text, text
    backup.write_text(json.dumps({**json.loads(backup.read_text("utf-8")), "protocol": "newer"}), "utf-8")
    ran = fleet.run("import", "--from", str(backup.relative_to(fleet.root)))
    assert "is a backup of the protocol newer, which this Trueup does not know" in " ".join(ran.err.split())


def test_a_plan_of_another_protocol_is_refused_by_its_name(fleet: Place) -> None:
    assert fleet.run("plan", "--out", "saved.plan").code == 0
    fleet.replace("trueup.yaml", "protocol: openai-agents", "protocol: openai-assistants")
    ran = fleet.run("apply", "saved.plan", "--yes")
    assert ran.code == 4
    told = "made when local spoke openai-agents, and now it speaks openai-assistants."
    assert told in " ".join(ran.err.split()), ran.err
