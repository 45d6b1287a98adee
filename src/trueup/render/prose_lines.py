"""The difference of a text as lines: what each row of it shows, in every format; a format decides how it looks.

A page lays the lines out below each other or side by side, a terminal wraps them. All texts are foreign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from trueup.core.texts import prose as model
from trueup.core.texts.prose import (
    UNCHANGED,
    Mention,
    Nature,
    Prose,
    RunKind,
    Span,
    TextRun,
    first_line,
    split_sections,
)
from trueup.render.style import Look
from trueup.render.values import pluralize

Place = Callable[[int], str]
"""Where a line of a text, counted from 1 on the file's side, is to be found: `file:line`, or `line 12`."""

Key = tuple[tuple[object, ...], ...]
"""What makes two groups of changed lines the same change, wherever they stand."""


class Part(NamedTuple):
    """A stretch of a line: KEPT on both sides, REMOVED or ADDED on one; `blanks`: its blanks are to be seen."""

    text: str
    kind: RunKind
    blanks: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a difference.

    `kind` is KEPT, REMOVED, ADDED or CHANGED for text in `parts`; FOLDED, LEFT or MOVED for a sentence in `words`.
    `before` and `after` are line numbers, 0 where a side has none; `at` is the place that the words are about. `depth`
    is 1 within a moved block. `is_alone`: the block that moved is the next line, and no more. `is_note`: the words are
    about the change, and stand for no lines.
    """

    kind: RunKind
    before: int = 0
    after: int = 0
    parts: tuple[Part, ...] = ()
    words: str = ""
    at: str = ""
    depth: int = 0
    blanks: bool = False
    is_alone: bool = False
    is_note: bool = False

    @property
    def is_change(self) -> bool:
        """Whether it is a line that differs."""
        return self.kind in (RunKind.CHANGED, RunKind.REMOVED, RunKind.ADDED)


SIGNS = {
    RunKind.KEPT: "", RunKind.REMOVED: "-", RunKind.ADDED: "+", RunKind.CHANGED: "~",
    RunKind.FOLDED: "⋯", RunKind.LEFT: "<", RunKind.MOVED: ">",
}  # fmt: skip
"""What each kind of row is marked with, beside its colour."""


def hunk_key(changed: Sequence[TextRun]) -> Key:
    """Return what a group of changes is, without the line numbers."""
    return tuple((run.kind.value, run.lines, run.spans, hunk_key(run.runs)) for run in changed)


def describe_extent(prose: Prose) -> str:
    """Return how much changed, in words; a change that cannot be seen is named."""
    if prose.nature is Nature.END:
        return f"only the newline at the end was {'added' if prose.newline_after else 'removed'}"
    counts = ((prose.changed, "changed"), (prose.removed, "removed"), (prose.added, "added"))
    found = [(number, word) for number, word in counts if number]
    words = [
        f"{pluralize(number, 'line') if not at else f'{number:,}'} {word}" for at, (number, word) in enumerate(found)
    ]
    words += [f"{pluralize(len(prose.moves), 'block')} moved"] if prose.moves else []
    words += ["only in blanks and line breaks"] if prose.nature is Nature.WHITESPACE else []
    return ", ".join(words)


def describe_sizes(prose: Prose, look: Look) -> str:
    """Return the size before and after, in characters and in tokens as they are commonly estimated."""
    old, new = prose.before, prose.after
    characters = f"{old.characters:,} {look.arrow} {pluralize(new.characters, 'character')}"
    tokens = f"{old.tokens:,} {look.arrow} {pluralize(new.tokens, 'token')}"
    if old.characters == new.characters:
        characters = pluralize(new.characters, "character")
    if old.tokens == new.tokens:
        tokens = pluralize(new.tokens, "token")
    return f"{characters}, about {tokens} (characters / 4)"


def mentions_by_fate(prose: Prose) -> Iterator[tuple[str, bool, list[Mention]]]:
    """Yield the names that appeared, then those that vanished, each under its word; nothing for none."""
    for word, appeared in (("appeared", True), ("vanished", False)):
        found = [item for item in prose.mentions if item.appeared is appeared]
        if found:
            yield word, appeared, found


def lines(prose: Prose, place: Place, notes: Mapping[Key, str], *, old_side: bool) -> Iterator[Line]:
    """Yield the whole difference from top to bottom.

    A group whose note begins with `=` has been shown before and is only named. `old_side`: the file is the old side.
    The place of the first line that differs stands beside the field already.
    """
    note, file = "", _file_of(place(first_line(prose, old_side=old_side)))
    for number, (unchanged, changed) in enumerate(split_sections(prose)):
        was, note = note, notes.get(hunk_key(changed), "") if changed else ""
        if note.startswith("="):
            yield from _note_line(note, was)
            continue
        first = changed[0] if changed else None
        at = place(first.before if old_side else first.after) if first else ""
        before = [*_lines_before(unchanged, was, is_last=not changed)]
        is_elsewhere = _file_of(at) not in ("", file)
        file = _file_of(at) or file
        if is_elsewhere and not any(run.kind is RunKind.FOLDED for run in before):
            yield Line(RunKind.FOLDED, at=at)
        for run in before:
            yield from _run_lines(run, at if number or is_elsewhere else "")
        yield from _note_line(note, was)
        for run in changed:
            yield from _run_lines(run, "", place, old_side)
    has_both = bool(prose.before.lines and prose.after.lines)
    if prose.newline_before != prose.newline_after and has_both and prose.nature is not Nature.END:
        end = "now ends" if prose.newline_after else "no longer ends"
        yield Line(RunKind.FOLDED, words=f"The text {end} with a newline.", is_note=True)


def _file_of(at: str) -> str:
    """Return the file of a place, empty where only the line is known."""
    return at.rpartition(":")[0]


def _lines_before(unchanged: Sequence[TextRun], was: str, *, is_last: bool) -> Sequence[TextRun]:
    """Return what is unchanged before a group; after one that is not shown again only what leads to this one."""
    if not was.startswith("="):
        return unchanged
    folds = [place for place, run in enumerate(unchanged) if run.kind is RunKind.FOLDED]
    return unchanged[folds[0] :] if folds else () if is_last else unchanged


def _note_line(note: str, was: str) -> Iterator[Line]:
    if note and note != was:
        yield Line(RunKind.FOLDED, words=note.removeprefix("="), is_note=True)


def _run_lines(run: TextRun, at: str, place: Place | None = None, old_side: bool = False) -> Iterator[Line]:
    """Yield the rows of one run; `at` is where it stands in the file."""
    if run.kind is RunKind.FOLDED:
        yield Line(RunKind.FOLDED, words=f"{pluralize(run.old, 'line')} unchanged", at=at)
    elif run.kind is RunKind.CHANGED:
        for row in model.split_rows(run):
            parts = tuple(_span_parts(row.spans, blanks=run.blanks_only))
            is_seen = all(part.kind is RunKind.KEPT for part in parts)
            yield Line(RunKind.CHANGED, row.before, row.after, parts, blanks=run.blanks_only and not is_seen)
    elif run.kind is RunKind.LEFT and place is not None:
        there = f"live line {run.after:,}" if old_side else place(run.after)
        start = tuple(Part(text, RunKind.KEPT) for text in run.lines[:1])
        yield Line(RunKind.LEFT, run.before, 0, start, f"{pluralize(run.old, 'line')} moved to {there}:", there)
    elif run.kind is RunKind.MOVED and place is not None:
        there = place(run.before) if old_side else f"line {run.before:,}"
        end = ", changed inside" if run.edited else ", unchanged"
        words = f"{pluralize(run.new, 'line')} moved here from {there}{end}"
        yield Line(RunKind.MOVED, 0, run.after, words=words, at=there, is_alone=run.new == len(run.runs) == 1)
        for inner in run.runs:
            if run.edited or inner.kind is not RunKind.FOLDED:
                yield from (replace(line, depth=1) for line in _run_lines(inner, ""))
    else:
        yield from _whole_lines(run)


def _whole_lines(run: TextRun) -> Iterator[Line]:
    """Yield lines that are on both sides, or on one."""
    blanks = run.blanks_only and run.kind not in UNCHANGED
    for number, text in enumerate(run.lines):
        before = run.before + number if run.kind is not RunKind.ADDED else 0
        after = run.after + number if run.kind is not RunKind.REMOVED else 0
        yield Line(run.kind, before, after, (Part(text, run.kind, blanks),), blanks=blanks)


def _span_parts(spans: Sequence[Span], *, blanks: bool) -> Iterator[Part]:
    for span in spans:
        is_changed = span.kind is not RunKind.KEPT
        yield Part(span.text, span.kind, blanks or (is_changed and not span.text.strip()))
