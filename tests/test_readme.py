"""The README tells the truth: its commands run, its transcript is real, its example is valid, its links lead somewhere.

`TRUEUP_REGOLD=1` writes the transcript anew. The two commands for a fresh machine are run by `.ci/run`.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.transcript import Session, check_transcript, run_trueup

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def _text() -> str:
    return README.read_text(encoding="utf-8")


def _block(heading: str, kind: str = "sh") -> list[str]:
    section = _text().split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{kind}\n(.*?)```", section, re.DOTALL)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """Return the example as a fresh clone has it."""
    for name in ("trueup.yaml", "assistants", "schemas"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    return tmp_path


def _recorded(folder: Path) -> str:
    session = Session(folder)
    session.run("trueup apply --yes", head=9, tail="Plan:")
    session.run("trueup apply --yes")
    session.comment("somebody edits assistants/_shared/tutoring.md, which several prompts share")
    session.edit("assistants/_shared/tutoring.md", "offer one more task that is", "offer two more tasks that are")
    session.run("trueup plan")
    session.run("trueup apply --yes", head=1, tail="Applied:")
    session.comment("and somebody else turns the Math Tutor's temperature up, by hand, at the vendor")
    session.change_live("Math Tutor", temperature=0.9)
    session.run("trueup drift", code=2)
    return session.transcript


def test_the_transcript_is_the_real_one(example: Path) -> None:
    check_transcript(README, "transcript", _recorded(example))


def test_the_commands_of_every_day_run(example: Path) -> None:
    assert run_trueup(example, "trueup apply --yes")[0] == 0
    (block,) = _block("Every day")
    commands = block.strip().splitlines()
    assert len(commands) >= 8
    for command in commands:
        code, printed = run_trueup(example, command)
        assert code == 0, f"{command}\n{printed}"


def test_the_definition_shown_is_valid(example: Path) -> None:
    shown = re.findall(r"```yaml\n# (assistants/\S+)\n(.*?)```", _text(), re.DOTALL)
    ((file, text),) = shown
    assert len(text.splitlines()) <= 10
    (example / file).write_text(text, encoding="utf-8")
    checked = run_trueup(example, f"trueup validate {file}")
    assert checked == (0, "1 assistant checked for targets local, staging: valid.\n")


def test_the_project_file_shown_is_valid(example: Path) -> None:
    (text,) = _block("A hosted target", "yaml")
    (example / "trueup.yaml").write_text(text, encoding="utf-8")
    code, printed = run_trueup(example, "trueup targets")
    assert code == 0, printed
    assert "prod" in printed


def test_the_two_commands_are_two_lines() -> None:
    blocks = _block("Two commands for contributors")
    assert [block.count("\n") for block in blocks] == [1, 1]
    assert "trueup apply" in blocks[0]
    assert "pytest" in blocks[1]


def test_every_guarantee_names_its_test() -> None:
    rows = re.findall(r"^\| (\d) \| \*\*.*\((tests/guarantees/test_(\d)_\w+\.py)\) \|$", _text(), re.MULTILINE)
    assert [row[0] for row in rows] == [row[2] for row in rows] == list("123456789")
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests" / "guarantees").glob("test_*.py")}
    assert {row[1] for row in rows} <= there


PAGES = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    lost = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert lost == []
