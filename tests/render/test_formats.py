"""Each golden plan as a comment, a page, annotations, SARIF and JUnit; TRUEUP_REGOLD=1 writes them anew, for review."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.render import samples
from tests.render.changes import read_plan
from tests.render.test_golden import GOLDEN as PLANS
from trueup.render import pages
from trueup.render.markup import html, markdown
from trueup.render.records import github, junit, sarif

GOLDEN = Path(__file__).parents[1] / "golden" / "formats"
CASES = (
    "conflict-and-held", "delete-and-orphans", "drift", "first-create", "hostile", "nothing-to-do", "partial",
    "revert", "shared-part", "stamps", "tools", "whitespace",
)  # fmt: skip


def _check(path: Path, found: str) -> None:
    if os.environ.get("TRUEUP_REGOLD") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(found.encode("utf-8"))
    assert found == path.read_bytes().decode("utf-8")


@pytest.mark.parametrize("case", CASES)
def test_a_plan_reads_as_it_did(case: str) -> None:
    plan = read_plan((PLANS / case / "plan.json").read_text("utf-8"))
    folder = GOLDEN / case
    _check(folder / "plan.md", markdown.write_page(pages.plan_page(plan)))
    _check(folder / "plan.html", html.write_page(pages.plan_page(plan)))
    _check(folder / "plan.github.txt", github.plan(plan, folder="fleet"))
    _check(folder / "drift.md", markdown.write_page(pages.drift_page(plan)))
    _check(folder / "drift.github.txt", github.drift(plan))
    _check(folder / "drift.sarif", sarif.drift(plan))
    _check(folder / "drift.junit.xml", junit.drift(plan))


def test_other_answers_read_as_they_did() -> None:
    folder = GOLDEN / "_answers"
    _check(folder / "report.md", markdown.write_page(pages.report_page(samples.REPORT)))
    _check(folder / "report.html", html.write_page(pages.report_page(samples.REPORT)))
    _check(folder / "report.github.txt", github.report(samples.REPORT))
    checked = samples.CHECKED
    _check(folder / "validate.md", markdown.write_page(pages.problems_page(samples.DIAGNOSTICS, checked)))
    _check(folder / "validate.github.txt", github.diagnostics(samples.DIAGNOSTICS, checked))
    _check(folder / "validate.sarif", sarif.diagnostics(samples.DIAGNOSTICS, folder="fleet"))
    files = ["assistants/math-tutor.yaml", "assistants/press.yaml"]
    _check(folder / "validate.junit.xml", junit.diagnostics(samples.DIAGNOSTICS, files, checked))
    _check(folder / "error.md", markdown.write_page(pages.error_page(samples.ERROR)))
    _check(folder / "error.github.txt", github.error(samples.ERROR))
    _check(folder / "error.sarif", sarif.error(samples.ERROR))
    _check(folder / "error.junit.xml", junit.error(samples.ERROR))
