"""The difference of two texts as a value: the one model that text, markdown, html and json show.

`core.texts.compare.compare` makes it. Knows no colour, width, file or assistant, and not how a difference is found.

How to show one. `Prose.runs` is the whole difference from top to bottom, each run a stretch of lines of one kind:

- KEPT: unchanged `lines` shown as context. FOLDED: unchanged, not shown; `old` (= `new`) says how many.
- REMOVED, ADDED: `lines` that only the old or only the new text has.
- CHANGED: `spans` of kept, removed and added text in one flow; `rows(run)` gives it row by row as a new line each,
  `side(run, …)` one side of it. `blanks_only` says that a change cannot be seen.
- LEFT: here stood `old` lines which now begin at line `after`; `lines` is the first of them, to know the block by.
- MOVED: the same block at its new place; it began at line `before`, and `runs` is what became of it inside: KEPT,
  FOLDED, CHANGED, REMOVED and ADDED. LEFT and MOVED of one block have the same four numbers.

`before` and `after` are the numbers, from 1, of a run's first line in the old and the new text; where it has none on a
side (`old` or `new` is 0), of the line there that follows it. `mentions` go above the runs, `before` and `after` of
`Prose` are the sizes. `sections(prose)` gives the runs in groups of change, for whoever shows a shared one only once.

No change is hidden: `after_from(prose, before)` and `before_from(prose, after)` give each text back from the other one,
and read of that other text only the folded lines, by their numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple


class RunKind(Enum):
    """What happened to a stretch of lines, or of a line."""

    KEPT = "kept"
    FOLDED = "folded"
    REMOVED = "removed"
    ADDED = "added"
    CHANGED = "changed"
    LEFT = "left"
    MOVED = "moved"


class Nature(Enum):
    """What sort of difference the whole is, so that one that cannot be seen is named."""

    SAME = "same"
    TEXT = "text"
    WHITESPACE = "whitespace"  # only blanks, tabs or line breaks inside
    END = "end"  # only the newline after the last line
    MOVED = "moved"  # only places changed


class Span(NamedTuple):
    """A stretch of a changed run: KEPT on both sides, REMOVED or ADDED on one; it may hold line breaks."""

    text: str
    kind: RunKind


@dataclass(frozen=True, slots=True)
class TextRun:
    """Neighbouring lines that fared alike; the module's first lines say which kind fills which field."""

    kind: RunKind
    before: int
    after: int
    old: int
    new: int
    lines: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    runs: tuple[TextRun, ...] = ()

    @property
    def blanks_only(self) -> bool:
        """Whether what differs are only blanks, tabs and line breaks."""
        if self.kind is RunKind.CHANGED:
            return not any(span.text.strip() for span in self.spans if span.kind is not RunKind.KEPT)
        return self.kind in (RunKind.REMOVED, RunKind.ADDED) and not any(map(str.strip, self.lines))

    @property
    def edited(self) -> bool:
        """Whether a moved block also changed inside."""
        return any(run.kind not in UNCHANGED for run in self.runs)


UNCHANGED = frozenset({RunKind.KEPT, RunKind.FOLDED})
"""The kinds that are no news."""


class Size(NamedTuple):
    """How much text there is."""

    lines: int
    characters: int

    @property
    def tokens(self) -> int:
        """About how many tokens a model counts: characters / 4, rounded; say so wherever it is shown."""
        return (self.characters + 2) // 4


class Sort(Enum):
    """What a name in a prompt stands for."""

    PLACEHOLDER = "placeholder"
    TOOL = "tool"


class Mention(NamedTuple):
    """A placeholder or a tool's name that one text has and the other has not, with its first line there, from 1."""

    sort: Sort
    text: str
    appeared: bool
    line: int


@dataclass(frozen=True, slots=True)
class Prose:
    """A whole difference. `newline_*` say whether a side ends with one; `removed`, `added`, `changed` count lines."""

    runs: tuple[TextRun, ...]
    nature: Nature
    before: Size
    after: Size
    mentions: tuple[Mention, ...] = ()
    newline_before: bool = False
    newline_after: bool = False

    @property
    def removed(self) -> int:
        """Lines that are gone, those inside moved blocks included."""
        return sum(run.old for run in _flatten(self.runs) if run.kind is RunKind.REMOVED)

    @property
    def added(self) -> int:
        """Lines that are new, those inside moved blocks included."""
        return sum(run.new for run in _flatten(self.runs) if run.kind is RunKind.ADDED)

    @property
    def changed(self) -> int:
        """Lines of the new text in which something changed."""
        return sum(run.new for run in _flatten(self.runs) if run.kind is RunKind.CHANGED)

    @property
    def moves(self) -> tuple[TextRun, ...]:
        """The moved blocks, in the new text's order."""
        return tuple(run for run in self.runs if run.kind is RunKind.MOVED)


class FlowRow(NamedTuple):
    """A row of a changed run: the numbers of the lines it stands in, 0 on a side that has nothing of it."""

    before: int
    after: int
    spans: tuple[Span, ...]


class ChangeSection(NamedTuple):
    """A group of changes that have no unchanged line between them, and what is unchanged before it."""

    unchanged: tuple[TextRun, ...]
    changed: tuple[TextRun, ...]


def split_rows(run: TextRun) -> Iterator[FlowRow]:
    """Split a changed run into rows, one for each line of the new text; a removed line break stays inside a row.

    A break that both sides have is the row's end and in no span; one that is added is the last span of its row.
    """
    before, after, spans = run.before, run.after, list[Span]()
    old = new = False
    for span in run.spans:
        pieces = span.text.split("\n") if span.kind is not RunKind.REMOVED else [span.text]
        for number, piece in enumerate(pieces):
            ends = number < len(pieces) - 1
            text = piece + "\n" if ends and span.kind is RunKind.ADDED else piece
            if text:
                spans.append(Span(text, span.kind))
                old, new = old or span.kind is not RunKind.ADDED, new or span.kind is not RunKind.REMOVED
            if ends:
                yield FlowRow(before if old or span.kind is RunKind.KEPT else 0, after, tuple(spans))
                after += 1
                before += (span.kind is RunKind.KEPT) + _count_breaks(spans)
                spans, old, new = [], False, False
    yield FlowRow(before, after, tuple(spans))


def one_side(run: TextRun, kind: RunKind) -> tuple[Span, ...]:
    """Return the spans of one side of a changed run: REMOVED selects the old side, ADDED the new one."""
    return tuple(span for span in run.spans if span.kind in (RunKind.KEPT, kind))


def split_sections(prose: Prose) -> Iterator[ChangeSection]:
    """Group the runs into changes, each with the unchanged runs before it; those after the last come alone."""
    unchanged: list[TextRun] = []
    changed: list[TextRun] = []
    for run in prose.runs:
        if run.kind in UNCHANGED and changed:
            yield ChangeSection(tuple(unchanged), tuple(changed))
            unchanged, changed = [], []
        (unchanged if run.kind in UNCHANGED else changed).append(run)
    if unchanged or changed:
        yield ChangeSection(tuple(unchanged), tuple(changed))


def first_line(prose: Prose, *, old_side: bool = False) -> int:
    """Return the number of the first line that differs on one side; 0 if none does."""
    return next((run.before if old_side else run.after for run in prose.runs if run.kind not in UNCHANGED), 0)


def after_from(prose: Prose, before: str) -> str:
    """Rebuild the new text from the difference; the old text is used only for folded lines."""
    return _join_lines(_collect_side(prose.runs, split_lines(before)[0], {}, new=True), prose.newline_after)


def before_from(prose: Prose, after: str) -> str:
    """Rebuild the old text from the difference; the new text is used only for folded lines."""
    blocks = {(run.before, run.after): run.runs for run in prose.moves}
    return _join_lines(_collect_side(prose.runs, split_lines(after)[0], blocks, new=False), prose.newline_before)


def split_lines(text: str) -> tuple[list[str], bool]:
    """Return the lines without their `\\n`, and whether the last one ends with it; an empty text has no lines."""
    if not text:
        return [], False
    lines = text.split("\n")
    if lines[-1]:
        return lines, False
    return lines[:-1], True


def _flatten(runs: Sequence[TextRun]) -> Iterator[TextRun]:
    for run in runs:
        yield run
        yield from run.runs


def _count_breaks(spans: Sequence[Span]) -> int:
    return sum(span.text.count("\n") for span in spans if span.kind is RunKind.REMOVED)


def _collect_side(
    runs: Sequence[TextRun], known: Sequence[str], blocks: dict[tuple[int, int], tuple[TextRun, ...]], *, new: bool
) -> list[str]:
    """Collect the lines of one side; `known` are the other side's, `blocks` the moved blocks for LEFT runs."""
    other = RunKind.REMOVED if new else RunKind.ADDED
    found: list[str] = []
    for run in runs:
        if run.kind is RunKind.FOLDED:
            start = (run.before if new else run.after) - 1
            found += known[start : start + run.old]
        elif run.kind is RunKind.CHANGED:
            found += "".join(span.text for span in run.spans if span.kind is not other).split("\n")
        elif run.kind is (RunKind.MOVED if new else RunKind.LEFT):
            inner = run.runs if new else blocks[run.before, run.after]
            found += _collect_side(inner, known, {}, new=new)
        elif run.kind not in (other, RunKind.LEFT, RunKind.MOVED):
            found += run.lines
    return found


def _join_lines(lines: Sequence[str], newline: bool) -> str:
    return "\n".join(lines) + ("\n" if newline else "")


def encode_prose(prose: Prose) -> dict[str, Any]:
    """Return the difference as JSON: every key is present, except those of a run that its kind does not fill."""
    return {
        "nature": prose.nature.value,
        "before": _encode_size(prose.before, prose.newline_before),
        "after": _encode_size(prose.after, prose.newline_after),
        "removed": prose.removed,
        "added": prose.added,
        "changed": prose.changed,
        "moved": len(prose.moves),
        "mentions": [
            {"sort": item.sort.value, "text": item.text, "appeared": item.appeared, "line": item.line}
            for item in prose.mentions
        ],
        "runs": [_encode_run(run) for run in prose.runs],
    }


def _encode_size(size: Size, newline: bool) -> dict[str, Any]:
    return {
        "lines": size.lines,
        "characters": size.characters,
        "characters_by_four": size.tokens,
        "ends_with_newline": newline,
    }


def _encode_run(run: TextRun) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": run.kind.value, "before": run.before, "after": run.after, "old": run.old, "new": run.new,
    }  # fmt: skip
    if run.lines:
        found["lines"] = list(run.lines)
    if run.spans:
        found["spans"] = [[span.kind.value, span.text] for span in run.spans]
        found["blanks_only"] = run.blanks_only
    if run.runs:
        found["runs"] = [_encode_run(inner) for inner in run.runs]
    return found
