"""A terminal whose commands and outputs become a transcript on a page."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.forks import start_python
from trueup.core.call import Call
from trueup.local.openai_assistants import Server

REGOLD = "TRUEUP_REGOLD"
GAP = "⋮"
INSTALLED = (sys.executable, "-m", "trueup")


def run_trueup(folder: Path, command: str, program: Sequence[str] = INSTALLED) -> tuple[int, str]:
    """Run `trueup …` with nothing of this environment but the path; return its exit code and all that it printed."""
    words = shlex.split(command, comments=True)
    assert words[0] == "trueup"
    process = start_python(
        [*program, *words[1:]],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONUTF8": "1", "CI": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    out, _ = process.communicate(timeout=60)
    assert process.returncode is not None
    return process.returncode, out.decode("utf-8")


class Session:
    """Commands in one folder, and what they printed."""

    def __init__(self, folder: Path, program: Sequence[str] = INSTALLED) -> None:
        self.folder = folder
        self.program = program
        self.lines: list[str] = []

    def run(self, command: str, code: int = 0, *, head: int = 0, tail: str = "") -> None:
        """Run and record a command; only the first `head` rows and those from the first that begins with `tail` on."""
        returned, printed = run_trueup(self.folder, command, self.program)
        assert returned == code, printed
        rows = printed.rstrip().splitlines()
        if head:
            end = next(number for number, row in enumerate(rows) if row.startswith(tail))
            rows = [*rows[:head], GAP, *rows[end:]]
        self.lines += [f"$ {command}", *rows, ""]

    def comment(self, text: str) -> None:
        """Record what happens outside of the terminal."""
        self.lines.append(f"# {text}")

    def edit(self, file: str, old: str, new: str) -> None:
        """Change a file as an editor would."""
        path = self.folder / file
        before = path.read_text(encoding="utf-8")
        assert old in before
        path.write_text(before.replace(old, new), encoding="utf-8")

    def change_live(self, name: str, **body: object) -> None:
        """Change an assistant at the vendor, past Trueup."""
        with Server(self.folder / ".trueup" / "local" / "openai-assistants.db") as server:
            listing = server.answer(Call("GET", "/assistants", {"limit": "100"}))
            found = next(item["id"] for item in listing.json["data"] if item["name"] == name)
            assert server.answer(Call("POST", f"/assistants/{found}", json=body)).status == 200

    @property
    def transcript(self) -> str:
        """Return all of it, with a placeholder for ids, which are random."""
        text = "\n".join(row.rstrip() for row in self.lines).rstrip() + "\n"
        return re.sub(r"asst_[A-Za-z0-9]{24}", "asst_…", text)


def check_transcript(page: Path, name: str, real: str) -> None:
    """Compare the block `<!-- name -->` of a page with the real transcript; with TRUEUP_REGOLD=1, rewrite it."""
    start, end = f"<!-- {name} -->\n```\n", f"```\n<!-- /{name} -->"
    before, rest = page.read_text(encoding="utf-8").split(start, 1)
    shown, after = rest.split(end, 1)
    if os.environ.get(REGOLD):
        page.write_text(f"{before}{start}{real}{end}{after}", encoding="utf-8")
        return
    assert shown == real
