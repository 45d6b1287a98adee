"""Saved agents of OpenAI's from the command line: every command does for them what it does for assistants."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.cli.agents import TRIAGE, assert_in_sync
from tests.cli.place import Place
from trueup.local.registry import local_database


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


def test_a_part_that_the_server_is_known_to_fill_in_is_no_row_of_the_plan(fleet: Place) -> None:
    fleet.replace("assistants/triage.yaml", "{summary: auto}", "{effort: low}")
    fleet.applied().poke("triage", {"reasoning": {"effort": "low", "summary": "detailed"}})
    assert fleet.run("drift").code == 0
    fleet.replace("assistants/triage.yaml", "{effort: low}", "{effort: high}")
    out = fleet.run("plan").out
    assert '"low" → "high"' in out
    assert "summary" not in out
    fleet.applied()
    assert_in_sync(fleet)


def test_a_stranger_s_part_that_a_write_takes_away_is_a_row_of_the_plan(fleet: Place) -> None:
    fleet.replace("assistants/triage.yaml", "{summary: auto}", "{effort: low}")
    fleet.applied()
    _store(fleet, "triage", reasoning={"effort": "low", "summary": "auto", "theirs": "x"})
    assert fleet.run("drift").code == 2
    fleet.replace("assistants/triage.yaml", "{effort: low}", "{effort: high}")
    out = fleet.run("plan", "--on-drift", "revert").out
    assert ("theirs" in out, "summary" in out) == (True, False), out


def _store(place: Place, name: str, **parts: Any) -> None:
    """Change what the server holds, past everything that it checks."""
    with closing(sqlite3.connect(local_database(place.root, place.protocol))) as database, database:
        for live_id, text in database.execute("select id, body from assistants").fetchall():
            body = json.loads(text)
            if body["name"] == name:
                database.execute(
                    "update assistants set body = ? where id = ?", (json.dumps({**body, **parts}), live_id)
                )


def test_what_no_definition_can_hold_leads_to_ignore_changes(fleet: Place) -> None:
    fleet.applied()
    with closing(sqlite3.connect(local_database(fleet.root, fleet.protocol))) as database, database:
        found = """json_set(body, '$.tools[2].x_tool', json('true')) where json_extract(body, '$.name') = 'triage'"""
        database.execute(f"update assistants set body = {found}")
    assert fleet.run("drift").code == 2
    ran = fleet.run("accept", "triage")
    assert (ran.code, "unknown key 'x_tool'" in ran.said) == (3, True), ran.out + ran.err
    assert "list tools in `ignore_changes`" in ran.said
    fleet.replace("assistants/triage.yaml", "metadata:", "lifecycle: {ignore_changes: [tools]}\nmetadata:")
    assert fleet.run("drift").code == 0


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


def test_agents_as_the_api_answers_them_are_imported_in_their_own_fields(fleet: Place) -> None:
    fleet.applied()
    live = fleet.live()["triage"]
    page = {"object": "list", "data": [{**live, "theirs": 1}], "has_more": True}
    for name, content in (("page.json", page), ("bare.json", {key: live[key] for key in live if key != "object"})):
        for file in (*fleet.root.glob("assistants/*.yaml"), fleet.root / "assistants/team/writer.md"):
            file.unlink(missing_ok=True)
        fleet.write(name, json.dumps(page if name == "page.json" else content))
        ran = fleet.run("import", "--from", name)
        assert (ran.code, "has more entries" in ran.out) == ((3, True) if content is page else (0, False)), ran.out
        (made,) = (path for path in fleet.root.glob("assistants/**/*.yaml"))
        text = made.read_text("utf-8")
        assert "experimental:" in text
        assert "server_label: docs" in text
        assert "reasoning_effort" not in text
        assert fleet.run("validate").code == 0


def test_a_backup_that_names_no_protocol_is_of_the_one_whose_fields_it_has(fleet: Place) -> None:
    fleet.applied()
    known = ("name", "model", "reasoning", "text", "experimental", "tools", "metadata")
    body = {key: entry for key, entry in fleet.live()["triage"].items() if key in known}
    (fleet.root / "assistants/triage.yaml").unlink()
    fleet.write("old.json", json.dumps({"taken_at": "2026-11-01T00:00:00Z", "body": body}))
    assert fleet.run("import", "--from", "old.json").code == 0
    assert fleet.run("validate").code == 0
    text = "".join(path.read_text("utf-8") for path in fleet.root.glob("assistants/**/*.yaml"))
    assert "time_awareness: true" in text


def test_drift_of_all_names_live_keys_that_nobody_knows(fleet: Place) -> None:
    fleet.applied()
    _store(fleet, "writer", theirs="x", empty=None)
    ran = fleet.run("drift", "--all")
    assert ran.code == 0
    assert "theirs" in ran.out
    assert "empty" not in ran.out
