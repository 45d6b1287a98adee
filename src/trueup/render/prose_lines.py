"""A text's difference as a table: one entry for each row a page shows, with line numbers and marked words.

A page lays them out below each other or side by side. Knows no dialect; all texts in it are visible already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trueup.core.texts import prose as model
from trueup.core.texts.prose import UNCHANGED, Kind, Prose, Run, Span, sections
from trueup.render.markup.escape import LOOK, shown
from trueup.render.model import Place
from trueup.render.terminal.prose import Key, key
from trueup.render.values import many
from trueup.render.visible import visible

START = 60
"""Columns of a moved block's beginning, where it left."""


class Part(NamedTuple):
    """A stretch of a line: KEPT on both sides, REMOVED or ADDED on one."""

    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Line:
    """One row: `before` and `after` are line numbers, 0 where a side has none.

    `kind` is KEPT, REMOVED, ADDED or CHANGED for text in `parts`; FOLDED, LEFT or MOVED for a sentence in `words`.
    """

    kind: Kind
    before: int = 0
    after: int = 0
    parts: tuple[Part, ...] = ()
    words: str = ""
    blanks: bool = False


SIGNS = {
    Kind.KEPT: "", Kind.REMOVED: "-", Kind.ADDED: "+", Kind.CHANGED: "~",
    Kind.FOLDED: "⋯", Kind.LEFT: "<", Kind.MOVED: ">",
}  # fmt: skip
"""What each kind of row is marked with, beside its colour."""


def lines(prose: Prose, place: Place, notes: Mapping[Key, str], *, old_side: bool, home: str = "") -> Iterator[Line]:
    """The whole difference from top to bottom.

    A group whose note begins with `=` has been shown before and is only named. `old_side`: the file is the old side;
    `home` is the file that the page has named already.
    """
    note, file = "", home
    for number, (unchanged, changed) in enumerate(sections(prose)):
        was, note = note, notes.get(key(changed), "") if changed else ""
        if note.startswith("="):
            yield from _noted(note, was)
            continue
        first = changed[0] if changed else None
        at = place(first.before if old_side else first.after) if first else ""
        shown_before = [*_before(unchanged, was, is_last=not changed)]
        is_elsewhere = file_of(at) not in ("", file)
        file = file_of(at) or file
        if is_elsewhere and not any(run.kind is Kind.FOLDED for run in shown_before):
            yield Line(Kind.FOLDED, words=shown(at))
        for run in shown_before:
            yield from _run(run, at if number or is_elsewhere else "")
        yield from _noted(note, was)
        for run in changed:
            yield from _run(run, "", place, old_side)
    if prose.newline_before != prose.newline_after and prose.before.lines and prose.after.lines:
        end = "now ends" if prose.newline_after else "no longer ends"
        yield Line(Kind.FOLDED, words=f"the text {end} with a newline")


def file_of(at: str) -> str:
    """The file of a place, empty where only the line is known."""
    return at.rpartition(":")[0]


def _before(unchanged: Sequence[Run], was: str, *, is_last: bool) -> Sequence[Run]:
    """What is unchanged before a group; after one that is not shown again only what leads to this one."""
    if not was.startswith("="):
        return unchanged
    folds = [place for place, run in enumerate(unchanged) if run.kind is Kind.FOLDED]
    return unchanged[folds[0] :] if folds else () if is_last else unchanged


def _noted(note: str, was: str) -> Iterator[Line]:
    if note and note != was:
        yield Line(Kind.FOLDED, words=shown(note.removeprefix("=")))


def _run(run: Run, at: str, place: Place | None = None, old_side: bool = False) -> Iterator[Line]:
    """The rows of one run; `at` is where it stands in the file."""
    if run.kind is Kind.FOLDED:
        yield Line(Kind.FOLDED, words=many(run.old, "line") + " unchanged" + (f" · {shown(at)}" if at else ""))
    elif run.kind is Kind.CHANGED:
        for row in model.rows(run):
            parts = tuple(_parts(row.spans, blanks=run.blanks_only))
            yield Line(Kind.CHANGED, row.before, row.after, parts, blanks=run.blanks_only)
    elif run.kind is Kind.LEFT and place is not None:
        there = f"live line {run.after:,}" if old_side else place(run.after)
        start = shown(run.lines[0], START) if run.lines else ""
        yield Line(Kind.LEFT, run.before, 0, words=f"{many(run.old, 'line')} moved to {shown(there)}: {start}")
    elif run.kind is Kind.MOVED and place is not None:
        there = place(run.before) if old_side else f"line {run.before:,}"
        end = ", changed inside" if run.edited else ", unchanged"
        yield Line(Kind.MOVED, 0, run.after, words=f"{many(run.new, 'line')} moved here from {shown(there)}{end}")
        for inner in run.runs:
            yield from _run(inner, "")
    else:
        yield from _whole(run)


def _whole(run: Run) -> Iterator[Line]:
    """Lines that are on both sides, or on one."""
    for number, text in enumerate(run.lines):
        before = run.before + number if run.kind is not Kind.ADDED else 0
        after = run.after + number if run.kind is not Kind.REMOVED else 0
        parts = (Part(visible(text, LOOK, blanks=run.blanks_only and run.kind not in UNCHANGED), run.kind),)
        yield Line(run.kind, before, after, parts, blanks=run.blanks_only and run.kind not in UNCHANGED)


def _parts(spans: Sequence[Span], *, blanks: bool) -> Iterator[Part]:
    for span in spans:
        changed = span.kind is not Kind.KEPT
        seen = blanks or (changed and not span.text.strip())
        yield Part(visible(span.text, LOOK, blanks=seen), span.kind)
