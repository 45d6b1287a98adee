"""A text difference as rows: changed lines with their words marked, unchanged ones folded. Knows no plan and no file.

Where a line of the text stands in a file is asked of `place`, which the caller makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from trueup.core.prose import Hunk, Kind, Line, Nature, Prose, Span
from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.values import many
from trueup.render.visible import fitting, shortened, visible, wrapped

LINES = 160
"""Changed lines of one text that are shown unless everything is asked for."""

ROWS = 30
"""Rows that one line may take unless everything is asked for."""

NEAR = 28
"""Characters kept on each side of a marked change in a long line."""

Place = Callable[[int], str]
"""Where a line of the text, counted from 1 on the file's side, is to be found: `file:line`, or `line 12`."""

Key = tuple[tuple[str, str], ...]
"""What makes two runs of changed lines the same change: the removed and the added ones."""

_SIGNS = {Kind.KEPT: "  ", Kind.REMOVED: "- ", Kind.ADDED: "+ "}
_TONES = {Kind.KEPT: Tone.FAINT, Kind.REMOVED: Tone.GONE, Kind.ADDED: Tone.FRESH}
_WORD_TONES = {Kind.KEPT: Tone.FAINT, Kind.REMOVED: Tone.GONE_WORD, Kind.ADDED: Tone.FRESH_WORD}
_MARKS = {Kind.KEPT: ("", ""), Kind.REMOVED: ("[-", "-]"), Kind.ADDED: ("{+", "+}")}


def runs(hunk: Hunk) -> Iterator[tuple[Key, tuple[Line, ...]]]:
    """The hunk's stretches of changed lines, each with the context before it; what follows the last is its own too."""
    lines: list[Line] = []
    changed: list[Line] = []
    for line in hunk.lines:
        if line.kind is Kind.KEPT and changed and lines[-1].kind is not Kind.KEPT:
            yield _key(changed), tuple(lines)
            lines, changed = [], []
        lines.append(line)
        if line.kind is not Kind.KEPT:
            changed.append(line)
    if lines:
        yield _key(changed), tuple(lines)


def _key(changed: Sequence[Line]) -> Key:
    return tuple((line.kind.value, line.text) for line in changed)


def size(prose: Prose) -> str:
    """How much changed, in words; a change that cannot be seen is named."""
    if prose.nature is Nature.END:
        return f"only the newline at the end was {'added' if prose.newline_after else 'removed'}"
    words = f"{many(prose.removed, 'line')} removed, {prose.added:,} added"
    if prose.removed == prose.added:
        words = f"{many(prose.added, 'line')} changed"
    elif not prose.removed or not prose.added:
        words = f"{many(prose.removed or prose.added, 'line')} {'removed' if prose.removed else 'added'}"
    return words + (", only in blanks and line breaks" if prose.nature is Nature.WHITESPACE else "")


def first_line(hunk: Hunk, *, old_side: bool) -> int:
    """The number of the first changed line on one side; of the line that follows, where that side has none."""
    at = 1
    for line in hunk.lines:
        number = line.before if old_side else line.after
        if line.kind is not Kind.KEPT:
            return number or at
        at = number + 1
    return at


def rows(
    prose: Prose, look: Look, indent: int, place: Place, notes: Mapping[Key, str], *, old_side: bool = False
) -> Iterator[Row]:
    """The hunks as rows; a run whose note starts with `=` is not shown again, any other note stands above its run."""
    left = prose.removed + prose.added if look.verbose else LINES
    blanks = prose.nature is Nature.WHITESPACE
    for number, hunk in enumerate(prose.hunks):
        told = all(note.startswith("=") for note, _ in _noted(hunk, notes))
        if (hunk.folded or number) and not told:
            where = place(first_line(hunk, old_side=old_side)) if number else ""
            yield _fold(f"{many(hunk.folded, 'line')} unchanged", indent, look, where)
        for note, lines in _noted(hunk, notes):
            yield from _note(note.removeprefix("="), indent, look)
            shown = () if note.startswith("=") else _within(lines, left)
            for line in shown:
                yield from _line(line, look, indent, blanks)
            left -= _changed(lines)
            if left < 0:
                rest = min(-left, _changed(lines)) + sum(_changed(later.lines) for later in prose.hunks[number + 1 :])
                yield _fold(f"{many(rest, 'more changed line')} (-v shows all)", indent, look)
                return
    if prose.folded and prose.hunks:
        yield _fold(f"{many(prose.folded, 'line')} unchanged", indent, look)
    if prose.hunks and prose.newline_before != prose.newline_after:
        side = "now ends" if prose.newline_after else "no longer ends"
        yield (Piece(" " * indent + f"  (the text {side} with a newline)", Tone.FAINT),)


def _noted(hunk: Hunk, notes: Mapping[Key, str]) -> Iterator[tuple[str, Sequence[Line]]]:
    """The hunk in parts that have one note each, or none; what follows the last change belongs to it."""
    note, lines = "", list[Line]()
    for changed, part in runs(hunk):
        found = notes.get(changed, "") if changed else note
        if lines and found != note:
            yield note, lines
            lines = []
        note = found
        lines += part
    yield note, lines


def _changed(lines: Sequence[Line]) -> int:
    return sum(line.kind is not Kind.KEPT for line in lines)


def _within(lines: Sequence[Line], limit: int) -> Sequence[Line]:
    """The lines up to so many changed ones."""
    for place, line in enumerate(lines):
        if line.kind is not Kind.KEPT:
            limit -= 1
            if limit < 0:
                return lines[:place]
    return lines


def _fold(words: str, indent: int, look: Look, where: str = "") -> Row:
    text = f"{look.fold} {words}" + (f" {look.dot} {where}" if where else "")
    return (Piece(" " * indent), Piece(shortened(text, look.width - indent, look), Tone.FAINT))


def _note(text: str, indent: int, look: Look) -> Iterator[Row]:
    if not text:
        return
    room = look.width - indent
    for row in fitting(wrapped([Piece(visible(text, look), Tone.NOTE)], room), room):
        yield (Piece(" " * indent), *row)


def _line(line: Line, look: Look, indent: int, blanks: bool) -> Iterator[Row]:
    """One line of text after its sign, wrapped; context takes one row only."""
    tone, width = _TONES[line.kind], look.width - indent - 2
    first = (Piece(" " * indent), Piece(_SIGNS[line.kind], tone))
    if line.kind is Kind.KEPT:
        text = shortened(visible(line.text[: look.width * 4], look), width, look)
        yield (*first, Piece(text, tone))
        return
    pieces = _marked(line, look, blanks) or [Piece(visible(line.text, look, blanks=blanks), tone)]
    broken = fitting(wrapped(_limited(pieces, look), width), width)
    for number, row in enumerate(broken):
        yield (*first, *row) if number == 0 else (Piece(" " * (indent + 2)), *row)


def _limited(pieces: Sequence[Piece], look: Look) -> Iterator[Piece]:
    """The pieces of one line, as far as its rows reach."""
    room = ROWS * look.width
    rest = sum(len(piece.text) for piece in pieces) - room
    for piece in pieces:
        if look.verbose or room >= len(piece.text) or rest <= 0:
            yield piece
            room -= len(piece.text)
            continue
        yield Piece(piece.text[:room], piece.tone)
        yield Piece(f" {look.fold} {many(rest, 'more character')} (-v shows all)", Tone.FAINT)
        return


def _marked(line: Line, look: Look, blanks: bool) -> list[Piece]:
    """The line with its changed words marked: by look, and without colour by signs; empty when nothing is kept."""
    if all(span.changed for span in line.spans):
        return []
    opening, closing = ("", "") if look.color else _MARKS[line.kind]
    pieces: list[Piece] = []
    for place, span in enumerate(line.spans):
        if span.changed:
            whole = blanks or not span.text.strip()
            text = visible(span.text, look, blanks=whole)
            pieces.append(Piece(opening + text + closing, _WORD_TONES[line.kind]))
        else:
            pieces += _near(span, place == 0, place == len(line.spans) - 1, look, _TONES[line.kind])
    return pieces


def _near(span: Span, is_first: bool, is_last: bool, look: Look, tone: Tone) -> list[Piece]:
    """What is kept in a line, down to the words beside the change where there is much of it."""
    text = span.text
    if look.verbose or len(text) <= 4 * NEAR:
        return [Piece(visible(text, look), tone)]
    head = "" if is_first else text[: text.rfind(" ", 0, NEAR) + 1] or text[:NEAR]
    start = text.find(" ", len(text) - NEAR)
    tail = "" if is_last else text[start if start >= 0 else len(text) - NEAR :]
    fold = "".join((" " if head else "", look.fold, " " if tail and not tail.startswith(" ") else ""))
    return [
        Piece(visible(head.rstrip(" "), look), tone),
        Piece(fold, Tone.FAINT),
        Piece(visible(tail, look), tone),
    ]
