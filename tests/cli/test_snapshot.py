"""Plans and drift from an export: offline, without a credential, marked as old wherever told, never applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.place import Place
from trueup.local.openai_assistants import Server

PAGES = ["text", "json", "markdown", "html", "github"]


@pytest.fixture
def exported(hosted: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Apply, change, export; from then on there is no credential and no server that answers."""
    hosted.applied()
    hosted.poke("beta", {"instructions": "By hand."})
    assert hosted.run("export", "live.json").code == 0
    text = (hosted.root / "live.json").read_text("utf-8")
    moment = json.loads(text)["exported_at"]
    (hosted.root / "live.json").write_text(text.replace(moment, "2099-01-02T03:04:05Z"), encoding="utf-8")
    monkeypatch.delenv("CANARY_KEY")

    def answered(_self: Server, _call: object) -> Any:
        raise AssertionError("a snapshot asks no server")

    monkeypatch.setattr(Server, "answer", answered)
    return hosted


@pytest.mark.parametrize("form", PAGES)
@pytest.mark.parametrize("command", ["plan", "drift", "show"])
def test_every_answer_is_marked_with_the_moment(exported: Place, command: str, form: str) -> None:
    assert exported.run("plan", "--snapshot", "live.json", "--out", "old.plan").code == 0
    words = ["show", "old.plan"] if command == "show" else [command, "--snapshot", "live.json"]
    ran = exported.run(*words, "--format", form)
    assert ran.code == (2 if command == "drift" else 0)
    assert "2099-01-02T03:04:05Z" in ran.out
    assert "team/beta" in ran.out


@pytest.mark.parametrize("form", ["sarif", "junit"])
def test_so_are_lists_of_findings(exported: Place, form: str) -> None:
    ran = exported.run("drift", "--snapshot", "live.json", "--format", form)
    assert ran.code == 2
    assert "As of a snapshot of 2099-01-02T03:04:05Z." in ran.out


def test_also_the_short_line(exported: Place) -> None:
    ran = exported.run("plan", "--snapshot", "live.json", "-q")
    assert ran.out.startswith(
        "Plan: 0 to create, 0 to modify, 0 to delete, 1 drifted, 1 unchanged. As of a snapshot of "
    )


def test_a_program_reads_the_moment(exported: Place) -> None:
    assert exported.run("plan", "--snapshot", "live.json", "--json").json["plan"]["snapshot"] == "2099-01-02T03:04:05Z"
    told = exported.run("drift", "--snapshot", "live.json", "--json").json
    assert (told["snapshot"], told["checked_at"]) == ("2099-01-02T03:04:05Z",) * 2


def test_it_is_never_applied_also_with_the_mark_taken_off(exported: Place) -> None:
    exported.replace("assistants/alpha.yaml", "Say A.", "Say A, kindly.")
    assert exported.run("plan", "--snapshot", "live.json", "--out", "old.plan").code == 0
    ran = exported.run("apply", "old.plan", "--yes")
    assert ran.code == 4
    assert "made from a snapshot of 2099-01-02T03:04:05Z" in " ".join(ran.err.split())
    path = exported.root / "old.plan"
    plan = json.loads(path.read_text("utf-8"))
    del plan["snapshot"]
    path.write_text(json.dumps(plan), encoding="utf-8")
    ran = exported.run("apply", "old.plan", "--yes")
    assert ran.code == 1
    assert "edited by hand or damaged" in ran.err
    assert "Make a new plan; nothing was sent. To make one: trueup plan --out old.plan" in " ".join(ran.err.split())
    for damage in ("{", '{"kind":"export"}', "\n" * 5):
        (exported.root / "live.json").write_text(damage, encoding="utf-8")
        ran = exported.run("plan", "--snapshot", "live.json")
        assert ran.code == 1
        assert "To make one: trueup export live.json" in " ".join(ran.err.split())


def test_no_line_to_acknowledge_it_is_given(exported: Place) -> None:
    path = exported.root / "trueup.yaml"
    path.write_text(
        path.read_text("utf-8").replace("settle: 0", "settle: 0, prune: true, guard: {deletes: 0}"), "utf-8"
    )
    (exported.root / "assistants/alpha.yaml").unlink()
    ran = exported.run("plan", "--snapshot", "live.json")
    assert ran.code == 0
    assert "--ack" not in ran.out + ran.err


def test_what_was_made_since_is_not_called_deleted(exported: Place) -> None:
    text = (exported.root / "live.json").read_text("utf-8").replace("2099-", "2001-")
    lines = [line for line in text.splitlines() if '"name":"alpha"' not in line]
    lines[1:3] = [line.rstrip(",") for line in lines[1:3]]
    (exported.root / "older.json").write_text("\n".join(lines) + "\n", encoding="utf-8")
    ran = exported.run("drift", "--snapshot", "older.json")
    told = " ".join(ran.out.split())
    assert "was created after the snapshot was taken" in told, ran.err
    assert "make a newer snapshot: trueup export" in told
    assert "deleted outside" not in told.split("Drift:")[0]
    assert ran.code == 6


def test_a_state_of_another_moment_says_so(exported: Place) -> None:
    path = exported.root / ".trueup/prod.state.json"
    state = json.loads(path.read_text("utf-8"))
    operation = state["records"]["alpha"]["operation"]
    path.write_text(path.read_text("utf-8").replace(operation, "0" * len(operation)), encoding="utf-8")
    exported.replace("assistants/alpha.yaml", "Say A.", "Say A, kindly.")
    told = " ".join(exported.run("plan", "--snapshot", "live.json").out.split())
    assert "state and the snapshot are of different moments" in told
    assert "make a newer snapshot: trueup export" in told


def test_of_another_target_or_no_export_it_is_refused(exported: Place) -> None:
    text = (exported.root / "live.json").read_text("utf-8")
    for content, words in (
        (text.replace('"prod"', '"other"', 1), "another target"),
        ("{}", "no export"),
        ("", "no export"),
        ("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "no export"),
    ):
        exported.write("bad.json", content)
        for command in ("plan", "drift"):
            ran = exported.run(command, "--snapshot", "bad.json")
            assert ran.code == 1
            assert words in " ".join(ran.err.split())
    assert exported.run("plan", "--snapshot", "nowhere.json").code == 1


def test_a_saved_plan_with_a_hostile_moment_is_refused(exported: Place) -> None:
    assert exported.run("plan", "--snapshot", "live.json", "--out", "old.plan").code == 0
    path: Path = exported.root / "old.plan"
    plan = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**plan, "snapshot": "2099\n::error::x"}), encoding="utf-8")
    ran = exported.run("show", "old.plan", "--format", "github")
    assert ran.code == 1
    assert "\n::error::x" not in ran.out
