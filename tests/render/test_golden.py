"""Each folder of golden/render is a plan and how it is read; TRUEUP_REGOLD=1 writes the outputs anew, for review."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.render import samples, text
from tests.render.changes import read_plan
from trueup.core.command import Command, parts_of
from trueup.core.plans.plan import Plan
from trueup.core.plans.summary import summary
from trueup.core.plans.wording import add_words
from trueup.render.records import json
from trueup.render.terminal import answers, problems
from trueup.render.visible import count_columns
from trueup.wire.described import dialect_tables

GOLDEN = Path(__file__).parents[1] / "golden" / "render"
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/plan.json"))


def _plan(case: str) -> Plan:
    return read_plan((GOLDEN / case / "plan.json").read_text("utf-8"))


def _check(path: Path, found: str) -> None:
    if os.environ.get("TRUEUP_REGOLD") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(found.encode("utf-8"))
    assert found == path.read_bytes().decode("utf-8")


def test_there_are_cases() -> None:
    assert len(CASES) >= 12


@pytest.mark.parametrize("case", CASES)
def test_a_plan_reads_as_it_did(case: str) -> None:
    plan = _plan(case)
    folder = GOLDEN / case
    _check(folder / "plan.txt", text.plan(plan, color=False, width=80))
    _check(folder / "plan.color.txt", text.plan(plan, color=True, width=80))
    _check(folder / "drift.txt", text.drift(plan, color=False, width=80))
    _check(folder / "out.json", json.plan(plan))


def test_other_answers_read_as_they_did() -> None:
    folder = GOLDEN / "_answers"
    _check(folder / "report.txt", text.report(samples.REPORT, color=False, width=80, verbose=True))
    _check(folder / "report.color.txt", text.report(samples.REPORT, color=True, width=80))
    _check(folder / "report.json", json.report(samples.REPORT))
    _check(
        folder / "diagnostics.txt",
        problems.write_diagnostics(samples.DIAGNOSTICS, samples.CHECKED, color=False, width=80),
    )
    _check(folder / "diagnostics.json", json.diagnostics(samples.DIAGNOSTICS, samples.CHECKED))
    _check(folder / "error.txt", problems.write_error(samples.ERROR, color=False, width=80))
    _check(folder / "error.json", json.error(samples.ERROR))
    _check(folder / "why.txt", answers.write_why(samples.WHY, color=False, width=80))
    _check(folder / "why.json", json.why(samples.WHY))
    _check(folder / "targets.txt", answers.write_targets(samples.TARGETS, "prod", color=False, width=80))
    _check(folder / "dialects.txt", answers.write_dialects(dialect_tables(), color=False, width=80))
    _check(folder / "dialects.narrow.txt", answers.write_dialects(dialect_tables(), color=False, width=50))
    _check(folder / "targets.json", json.targets(samples.TARGETS, "prod"))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("width", [40, 57, 80, 132])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_every_row_fits_and_the_last_line_is_the_summary(case: str, width: int, ascii_only: bool) -> None:
    plan = _plan(case)
    lines = text.plan(plan, color=False, width=width, ascii_only=ascii_only).split("\n")
    assert lines[-1] == ""
    assert lines[-2] == summary(plan)
    assert lines[-3] == ""
    commands = {
        part.write(ascii_only=ascii_only)
        for change in add_words(plan).changes
        for part in parts_of(change.hint)
        if isinstance(part, Command)
    }
    for line in lines[:-3]:
        assert count_columns(line) <= width or line.strip().removeprefix("-> ").removeprefix("→ ") in commands, line
        assert not ascii_only or line.isascii()


@pytest.mark.parametrize("case", CASES)
def test_colour_adds_nothing_but_colour_and_takes_only_the_word_marks(case: str) -> None:
    import re

    plan = _plan(case)
    bare = re.sub(r"\x1b\[[0-9;]*m", "", text.plan(plan, color=True, width=200))
    marks = str.maketrans("", "", "[]{}+-")
    squeezed = [line.translate(marks).split() for line in bare.splitlines()]
    plain = [line.translate(marks).split() for line in text.plan(plan, color=False, width=200).splitlines()]
    assert [word for line in squeezed for word in line] == [word for line in plain for word in line]
