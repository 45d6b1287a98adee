"""What a reviewer reads of one edit: our rows, and what `git diff --word-diff` prints for the same two files.

Counted is everything printed, on both sides: of ours the line of counts, the sizes and the names, folds and notes; of
git its four lines of header and its `@@` lines. Both have the same two lines of context. A line that is longer than the
terminal counts as the rows it takes there.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from trueup.core.texts.compare import CONTEXT, compare
from trueup.core.texts.prose import Prose
from trueup.render.prose_lines import describe_extent
from trueup.render.style import Look, Piece, Row, paint
from trueup.render.terminal import prose as prose_rows
from trueup.render.visible import count_columns
from trueup.wire.registry import built_in_tools

WIDTH = 80
TOOLS = frozenset({"lookup_order", "get_order", "restart_modem", "create_ticket", "check_stock", "repair_queue"})
"""Functions that the assistants of these prompts declare."""

ENDLESS = 100_000
"""Columns of a place where nothing is wrapped or shortened."""

EDITS = Path(__file__).parents[1] / "golden" / "prose"


@dataclass(frozen=True, slots=True)
class Edit:
    """Two versions of one prompt."""

    name: str
    before: str
    after: str
    folder: Path

    @property
    def prose(self) -> Prose:
        """Their difference."""
        return compare(self.before, self.after, {*built_in_tools(), *TOOLS})


def edits() -> list[Edit]:
    """All edits, by number."""
    return [
        Edit(
            folder.name,
            (folder / "old.md").read_bytes().decode("utf-8"),
            (folder / "new.md").read_bytes().decode("utf-8"),
            folder,
        )
        for folder in sorted(EDITS.iterdir())
    ]


def ours(edit: Edit, *, width: int = WIDTH, verbose: bool = False) -> str:
    """Return the edit as a plan shows it, without colour."""
    look = Look(color=False, width=width, verbose=verbose)
    shown: list[Row] = [(Piece(describe_extent(edit.prose)),)]
    shown += prose_rows.head_rows(edit.prose, look, 0, "line {}".format)
    shown += prose_rows.difference_rows(edit.prose, look, 0, "line {}".format, {})
    return paint(shown, color=False)


def git(edit: Edit) -> str:
    """Return what git prints for the edit, with as much context as we show and no setting of the user's."""
    command = ["git", "diff", "--no-index", "--no-color", "--word-diff=plain", f"--unified={CONTEXT}"]
    quiet = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "HOME": os.devnull, "PATH": os.defpath}
    done = subprocess.run(
        [*command, "old.md", "new.md"], cwd=edit.folder, env=quiet, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr.decode()
    return done.stdout.decode("utf-8")


def rows(text: str, width: int = WIDTH) -> int:
    """Rows that a text takes in a terminal of a width."""
    return sum(max(1, -(-count_columns(line) // width)) for line in text.removesuffix("\n").split("\n")) if text else 0
