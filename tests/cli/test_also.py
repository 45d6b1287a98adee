"""`--also FORMAT=FILE`: one run, one answer, in as many formats as are wanted."""

from __future__ import annotations

import json

import pytest

from tests.cli.place import Place


def test_one_apply_is_told_in_four_formats(place: Place) -> None:
    ran = place.run(
        "apply", "--yes", "--also", "json=report.json", "--also", "markdown=report.md", "--also=html=r.html"
    )
    assert ran.code == 0
    assert "Applied: 2 created" in ran.out
    assert json.loads((place.root / "report.json").read_text())["summary"].startswith("Applied: 2 created")
    assert (place.root / "report.md").read_text().startswith("<!-- trueup:local/local apply -->\n")
    assert (place.root / "r.html").read_text().startswith("<!doctype html>")


def test_a_plan_and_its_file_are_of_one_run(place: Place) -> None:
    ran = place.run(
        "plan", "--out", "a.plan", "--format", "github", "--also", "markdown=plan.md", "--also", "text=plan.txt"
    )
    assert ran.out.startswith("::notice")
    assert "\nPlan: 2 to create" in (place.root / "plan.txt").read_text()
    shown = place.run("show", "a.plan", "--format", "markdown", "--also", "json=plan.json").out
    assert shown == (place.root / "plan.md").read_text()
    assert json.loads((place.root / "plan.json").read_text())["kind"] == "plan"


def test_drift_and_validate_too(place: Place) -> None:
    place.applied().poke("alpha", {"temperature": 0.9})
    ran = place.run("drift", "--json", "--also", "sarif=drift.sarif", "--also", "junit=drift.xml")
    assert ran.code == 2
    assert ran.json["kind"] == "drift"
    assert json.loads((place.root / "drift.sarif").read_text())["version"] == "2.1.0"
    assert "alpha" in (place.root / "drift.xml").read_text()
    place.write("assistants/alpha.yaml", "model: 1\n")
    assert place.run("validate", "--also", "json=found.json").code == 1
    assert json.loads((place.root / "found.json").read_text())["kind"] == "diagnostics"


@pytest.mark.parametrize("format_", ["text", "json", "markdown"])
def test_what_ended_the_command_is_written_too(place: Place, format_: str) -> None:
    place.write("trueup.yaml", "targts: {}\n")
    ran = place.run("plan", "--format", format_, "--also", "json=a.json", "--also", "text=a.txt")
    assert ran.code == 1
    assert json.loads((place.root / "a.json").read_text())["kind"] == "error"
    assert "trueup.yaml has a problem" in (place.root / "a.txt").read_text()


@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_guard_that_refuses_is_a_report(place: Place, format_: str) -> None:
    for number in range(12):
        place.write(f"assistants/n{number}.yaml", "model: gpt-4.1\n")
    place.applied()
    for number in range(12):
        place.write(f"assistants/n{number}.yaml", "model: gpt-5\n")
    assert place.run("apply", "--yes", "--format", format_, "--also", "json=a.json").code == 4
    report = json.loads((place.root / "a.json").read_text())
    assert (report["kind"], report["exit"]) == ("report", 4)
    assert "--ack" in report["problems"][0]


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_sent(place: Place) -> None:
    for wrong in ("json=no/such/report.json", "json=assistants", "sarif=x", "json", "=x"):
        ran = place.run("apply", "--yes", "--also", wrong)
        assert ran.code == 1, wrong
        assert "--also" in ran.err
    assert not (place.root / ".trueup").exists()


def test_a_file_that_cannot_be_written_after_all_takes_nothing_back(place: Place) -> None:
    (place.root / "gone").symlink_to("/dev/full")
    ran = place.run("apply", "--yes", "--also", "json=report.json", "--also", "json=gone")
    assert ran.code == 1
    assert "Applied: 2 created" in ran.out
    assert "What the command did stands" in " ".join(ran.err.split())
    assert json.loads((place.root / "report.json").read_text())["kind"] == "report"
    assert place.run("plan", "--detailed-exitcode").code == 0
