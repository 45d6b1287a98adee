"""The README tells the truth: its commands run, its transcript is real, its example is valid, its links lead somewhere.

`TRUEUP_REGOLD=1` writes the transcript anew. The two commands for a fresh machine are run by `.ci/run`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trueup.core.call import Call
from trueup.local.openai_assistants import Server

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
MARKS = ("<!-- transcript -->\n```\n", "```\n<!-- /transcript -->")
GAP = "⋮"


def _text() -> str:
    return README.read_text(encoding="utf-8")


def _block(heading: str, kind: str = "sh") -> list[str]:
    section = _text().split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{kind}\n(.*?)```", section, re.DOTALL)


def _trueup(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Runs `trueup …` as installed, with nothing of this environment but the path."""
    words = shlex.split(command, comments=True)
    assert words[0] == "trueup"
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONUTF8": "1", "CI": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The example as a fresh clone has it."""
    for name in ("trueup.yaml", "assistants", "schemas"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    return tmp_path


class Session:
    """A terminal whose commands and outputs are written down."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []

    def run(self, command: str, code: int = 0, *, head: int = 0, tail: str = "") -> None:
        """Runs and notes a command; only the first `head` rows and those from the first that begins with `tail` on."""
        done = _trueup(self.folder, command)
        assert done.returncode == code, done.stdout
        rows = done.stdout.rstrip().splitlines()
        if head:
            end = next(number for number, row in enumerate(rows) if row.startswith(tail))
            rows = [*rows[:head], GAP, *rows[end:]]
        self.lines += [f"$ {command}", *rows, ""]

    def say(self, text: str) -> None:
        """Notes what happens outside of the terminal."""
        self.lines.append(f"# {text}")

    def edit(self, file: str, old: str, new: str) -> None:
        """Changes a file as an editor would."""
        path = self.folder / file
        before = path.read_text(encoding="utf-8")
        assert old in before
        path.write_text(before.replace(old, new), encoding="utf-8")

    def change_live(self, name: str, **body: object) -> None:
        """Changes an assistant at the vendor, past Trueup."""
        with Server(self.folder / ".trueup" / "local" / "openai-assistants.db") as server:
            listing = server.answer(Call("GET", "/assistants", {"limit": "100"}))
            found = next(item["id"] for item in listing.json["data"] if item["name"] == name)
            assert server.answer(Call("POST", f"/assistants/{found}", json=body)).status == 200

    @property
    def transcript(self) -> str:
        """All of it, with a sign in the place of ids, which are random."""
        text = "\n".join(row.rstrip() for row in self.lines).rstrip() + "\n"
        return re.sub(r"asst_[A-Za-z0-9]{24}", "asst_…", text)


def _recorded(folder: Path) -> str:
    session = Session(folder)
    session.run("trueup apply --yes", head=9, tail="Plan:")
    session.run("trueup apply --yes")
    session.say("somebody edits assistants/_shared/tutoring.md, which several prompts share")
    session.edit("assistants/_shared/tutoring.md", "offer one more task that is", "offer two more tasks that are")
    session.run("trueup plan")
    session.run("trueup apply --yes", head=1, tail="Applied:")
    session.say("and somebody else turns the Math Tutor's temperature up, by hand, at the vendor")
    session.change_live("Math Tutor", temperature=0.9)
    session.run("trueup drift", code=2)
    return session.transcript


def test_the_transcript_is_the_real_one(example: Path) -> None:
    real = _recorded(example)
    before, rest = _text().split(MARKS[0], 1)
    shown, after = rest.split(MARKS[1], 1)
    if os.environ.get("TRUEUP_REGOLD"):
        README.write_text(f"{before}{MARKS[0]}{real}{MARKS[1]}{after}", encoding="utf-8")
        return
    assert shown == real


def test_the_commands_of_every_day_run(example: Path) -> None:
    assert _trueup(example, "trueup apply --yes").returncode == 0
    (block,) = _block("Every day")
    commands = block.strip().splitlines()
    assert len(commands) >= 8
    for command in commands:
        done = _trueup(example, command)
        assert done.returncode == 0, f"{command}\n{done.stdout}"


def test_the_definition_shown_is_valid(example: Path) -> None:
    shown = re.findall(r"```yaml\n# (assistants/\S+)\n(.*?)```", _text(), re.DOTALL)
    ((file, text),) = shown
    assert len(text.splitlines()) <= 10
    (example / file).write_text(text, encoding="utf-8")
    done = _trueup(example, f"trueup validate {file}")
    assert (done.returncode, done.stdout) == (0, "1 assistant checked for targets local, staging: valid.\n")


def test_the_project_file_shown_is_valid(example: Path) -> None:
    (text,) = _block("A hosted target", "yaml")
    (example / "trueup.yaml").write_text(text, encoding="utf-8")
    done = _trueup(example, "trueup targets")
    assert done.returncode == 0, done.stdout
    assert "prod" in done.stdout


def test_the_two_commands_are_two_lines() -> None:
    blocks = _block("Two commands")
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
