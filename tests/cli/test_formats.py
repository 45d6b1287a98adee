"""Each command in each of its formats: the right document on stdout, the same exit code, and nothing else on stdout."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.place import Place
from tests.ran import Ran

STARTS = {
    "text": "",
    "json": "{",
    "markdown": "<!-- trueup:",
    "html": "<!doctype html>\n",
    "github": "",
    "sarif": "{",
    "junit": "<?xml ",
}
PAGES = ["text", "json", "markdown", "html", "github"]


def _document(ran: Ran, form: str) -> str:
    assert ran.out.startswith(STARTS[form])
    if form in ("json", "sarif"):
        json.loads(ran.out)
    if form == "junit":
        ElementTree.fromstring(ran.out)
    return ran.out


@pytest.fixture
def drifted(place: Place) -> Place:
    """One edited in the file, one by hand."""
    place.applied()
    place.replace("assistants/alpha.yaml", "Say A.", "Say A, kindly.")
    place.poke("Beta" if "Beta" in place.live() else "beta", {"instructions": "::error::@all </details>\n```"})
    return place


@pytest.mark.parametrize("form", PAGES)
def test_a_plan_and_the_saved_plan_are_told_alike(drifted: Place, form: str) -> None:
    plain = drifted.run("plan", "--detailed-exitcode", "--out", "p.plan")
    ran = drifted.run("plan", "--detailed-exitcode", "--format", form)
    assert ran.code == plain.code
    assert (ran.code, ran.out.count(" (exit 2)")) == (2, 1), (
        "the last line has the exit code, which `show` ends without"
    )
    ran = replace(ran, out=ran.out.replace(" (exit 2)", ""))
    assert _document(ran, form) == _document(drifted.run("show", "p.plan", "--format", form), form)
    for name in ("alpha", "team/beta"):
        assert name in ran.out


@pytest.mark.parametrize("form", STARTS)
def test_drift_keeps_its_code(drifted: Place, form: str) -> None:
    ran = drifted.run("drift", "--format", form)
    assert ran.code == 2
    assert "team/beta" in _document(ran, form)
    clean = drifted.run("drift", "alpha", "--format", form)
    assert clean.code == 0
    _document(clean, form)


@pytest.mark.parametrize("form", PAGES[1:])
def test_apply_writes_one_document_its_report(drifted: Place, form: str) -> None:
    ran = drifted.run("apply", "--yes", "--format", form)
    assert ran.code == 0
    _document(ran, form)
    assert "alpha was modified" in re.sub("<[^>]*>", "", ran.out)
    again = drifted.run("apply", "--yes", "--format", form)
    assert again.code == 0
    _document(again, form)


@pytest.mark.parametrize("form", PAGES)
def test_a_saved_plan_that_is_applied_is_told_in_each_format(drifted: Place, form: str) -> None:
    assert drifted.run("plan", "--out", "p.plan").code == 0
    ran = drifted.run("apply", "p.plan", "--format", form)
    assert ran.code == 0
    assert "Applied: 0 created, 1 modified, 0 deleted, 0 failed" in ran.out.replace("<b>", "")


@pytest.mark.parametrize("form", STARTS)
def test_validate_tells_every_problem(place: Place, form: str) -> None:
    assert place.run("validate", "--format", form).code == 0
    place.replace("assistants/alpha.yaml", "0.2", "9.5")
    ran = place.run("validate", "--format", form)
    assert ran.code == 1
    assert "out-of-range" in _document(ran, form)
    assert ran.err == ""


@pytest.mark.parametrize("form", list(STARTS)[1:])
def test_a_failure_is_told_in_the_format_and_in_words(place: Place, form: str) -> None:
    place.replace("assistants/alpha.yaml", "0.2", "9.5")
    ran = place.run("drift", "--format", form)
    assert ran.code == 1
    assert "out-of-range" in _document(ran, form)
    assert ("out-of-range" in ran.err) == (form != "json")


def test_a_guard_is_read_first(place: Place) -> None:
    for number in range(9):
        place.write(f"assistants/many/a{number}.yaml", f"model: gpt-4.1\ninstructions: Say {number}.\n")
    place.applied()
    for number in range(9):
        place.replace(f"assistants/many/a{number}.yaml", "Say", "Tell")
    for form in ("markdown", "html", "github"):
        ran = place.run("plan", "--format", form)
        assert "A guard requires an acknowledgement of this plan" in ran.out
        assert "--ack" in ran.out
        refused = place.run("apply", "--yes", "--format", form)
        assert refused.code == 4
        assert "--ack" in _document(refused, form)


def test_annotations_name_files_from_the_repository_s_top(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place.replace("assistants/alpha.yaml", "0.2", "9.5")
    inside = place.run("validate", "--format", "github").out
    assert inside.startswith("::error file=assistants/alpha.yaml,line=5,col=14,")
    monkeypatch.chdir(tmp_path.parent)
    below = place.run("-C", tmp_path.name, "validate", "--format", "github").out
    assert below.startswith(f"::error file={tmp_path.name}/assistants/alpha.yaml,")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert place.run("-C", tmp_path.name, "validate", "--format", "github").out == inside


def test_two_formats_are_one_too_many(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = place.run("plan", "--json", "--format", "html")
    assert ran.code == 1
    assert "--json and --format html are two formats" in ran.out + ran.err
    monkeypatch.setenv("TRUEUP_JSON", "1")
    assert place.run("plan", "--format", "markdown").out.startswith("<!-- trueup:")
    assert place.run("plan").out.startswith("{")
    monkeypatch.setenv("TRUEUP_FORMAT", "html")
    assert place.run("plan").out.startswith("{")
    monkeypatch.delenv("TRUEUP_JSON")
    assert place.run("plan").out.startswith("<!doctype html>")


def test_a_format_that_a_command_has_not_is_refused(place: Place) -> None:
    ran = place.run("plan", "--format", "sarif")
    assert ran.code == 1
    assert ran.out == ""
    assert "'sarif' is not one of" in ran.err
