"""The difference of a text as rows for a terminal: words marked, moved blocks named, unchanged lines folded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from trueup.core.texts.prose import Mention, Nature, Prose, RunKind
from trueup.render.prose_lines import Key, Line, Part, Place, describe_sizes, lines, mentions_by_fate
from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.values import pluralize
from trueup.render.visible import drop_last_blank, make_visible, shorten, wrap

LINES = 160
"""Changed lines of one text that are shown unless everything is asked for."""

ROWS = 30
"""Rows that one line may take unless everything is asked for."""

NAMES = 40
"""Names that appeared, and as many that vanished, that are listed unless everything is asked for."""

NEAR = 28
"""Characters kept on each side of a marked change in a long line."""

_SIGNS = {
    RunKind.KEPT: Piece("  ", Tone.FAINT),
    RunKind.REMOVED: Piece("- ", Tone.GONE),
    RunKind.ADDED: Piece("+ ", Tone.FRESH),
    RunKind.CHANGED: Piece("~ ", Tone.MODIFY),
    RunKind.LEFT: Piece("< ", Tone.GONE),
    RunKind.MOVED: Piece("> ", Tone.FRESH),
}
_WORD_TONES = {RunKind.REMOVED: Tone.GONE_WORD, RunKind.ADDED: Tone.FRESH_WORD}
_MARKS = {RunKind.REMOVED: ("[-", "-]"), RunKind.ADDED: ("{+", "+}")}


class Scene(NamedTuple):
    """What every row of one text needs to know; `quiet`: blanks are all that differs, which is said above."""

    look: Look
    indent: int
    quiet: bool = False


def head_rows(
    prose: Prose, look: Look, indent: int, place: Place, seen_in: str = "", *, old_side: bool = False
) -> Iterator[Row]:
    """Yield what stands above the difference: the sizes before and after, and the names that appeared or vanished.

    `seen_in` names the assistant whose text is shown for several that changed alike.
    """
    whose = f"in {make_visible(seen_in, look)}: " if seen_in else ""
    yield from _wrap_rows([Piece(whose + describe_sizes(prose, look), Tone.FAINT)], look, indent)
    for word, appeared, found in mentions_by_fate(prose):
        shown = found if look.verbose else found[:NAMES]
        names = ", ".join(_write_mention(item, look, place, old_side) for item in shown)
        names += f" and {len(found) - len(shown):,} more (-v shows all)" if len(found) > len(shown) else ""
        tone = Tone.FRESH if appeared else Tone.GONE
        yield from _wrap_rows([Piece(f"{word}: {names}", tone)], look, indent, Piece("+ " if appeared else "- ", tone))


def _write_mention(item: Mention, look: Look, place: Place, old_side: bool) -> str:
    """Return a name with its line, where that is a line of the file's side."""
    name = f"{item.sort.value} {make_visible(item.text, look)}"
    return f"{name} ({make_visible(place(item.line), look)})" if item.appeared is not old_side else name


def difference_rows(
    prose: Prose,
    look: Look,
    indent: int,
    place: Place,
    notes: Mapping[Key, str],
    *,
    old_side: bool = False,
) -> Iterator[Row]:
    """Yield the difference as rows; after `LINES` changed lines the rest is counted, unless everything is asked for."""
    scene = Scene(look, indent, prose.nature is Nature.WHITESPACE)
    found = [*lines(prose, place, notes, old_side=old_side)]
    left = LINES
    for number, line in enumerate(found):
        if line.is_change:
            if left == 0 and not look.verbose:
                rest = sum(later.is_change for later in found[number:])
                yield _fold(f"{pluralize(rest, 'more changed line')} (-v shows all)", scene)
                return
            left -= 1
        previous = found[number - 1] if number else None
        if line.is_alone:
            yield from _moved_row(line, found[number + 1], scene)
        elif previous is None or not previous.is_alone:
            yield from _line_rows(line, scene._replace(indent=indent + 2 * line.depth))


def _line_rows(line: Line, scene: Scene) -> Iterator[Row]:
    look, indent = scene.look, Piece(" " * scene.indent)
    if line.kind is RunKind.FOLDED and line.is_note:
        yield from _wrap_rows([Piece(make_visible(line.words, look), Tone.NOTE)], look, scene.indent)
    elif line.kind is RunKind.FOLDED:
        yield _fold(f" {look.dot} ".join(make_visible(text, look) for text in (line.words, line.at) if text), scene)
    elif line.kind is RunKind.LEFT:
        text = f"{line.words} {line.parts[0].text[: look.width] if line.parts else ''}"
        text = shorten(make_visible(text, look), look.width - scene.indent - 2, look)
        yield (indent, _SIGNS[line.kind], Piece(text, Tone.FAINT))
    elif line.kind is RunKind.MOVED:
        text = shorten(f"{make_visible(line.words, look)}:", look.width - scene.indent - 2, look)
        yield (indent, _SIGNS[line.kind], Piece(text, Tone.FAINT))
    elif line.kind is RunKind.CHANGED:
        pieces = list(_limit_pieces(_mark_parts(line.parts, look), look))
        if line.blanks and not scene.quiet:
            pieces.append(Piece("  (only blanks)", Tone.FAINT))
        yield from _wrap_rows(pieces, look, scene.indent, _SIGNS[line.kind])
    else:
        yield from _whole_rows(line, scene)


def _whole_rows(line: Line, scene: Scene) -> Iterator[Row]:
    """Yield a line on one side only, wrapped, or on both sides, on one row unless everything is asked for."""
    look, sign = scene.look, _SIGNS[line.kind]
    (part,) = line.parts
    if line.kind is RunKind.KEPT and not look.verbose:
        text = shorten(make_visible(part.text[: look.width * 4], look), look.width - scene.indent - 2, look)
        yield (Piece(" " * scene.indent), sign, Piece(text, sign.tone))
        return
    text = make_visible(part.text, look, blanks=part.blanks)
    yield from _wrap_rows(list(_limit_pieces([Piece(text, sign.tone)], look)), look, scene.indent, sign)


def _moved_row(line: Line, block: Line, scene: Scene) -> Iterator[Row]:
    """Yield a block of one line at its new place: as it was or with its changes marked, and where it came from."""
    look = scene.look
    if block.kind is RunKind.CHANGED:
        pieces = list(_limit_pieces(_mark_parts(block.parts, look), look))
    else:
        pieces = list(_pieces_near(block.parts[0].text, False, False, look))
    tail = Piece(f"  (moved from {make_visible(line.at, look)})", Tone.FAINT)
    yield from _wrap_rows([*pieces, tail], look, scene.indent, _SIGNS[line.kind])


def _fold(words: str, scene: Scene) -> Row:
    look = scene.look
    return (
        Piece(" " * scene.indent),
        Piece(shorten(f"{look.fold} {words}", look.width - scene.indent, look), Tone.FAINT),
    )


def _wrap_rows(pieces: Sequence[Piece], look: Look, indent: int, sign: Piece | None = None) -> Iterator[Row]:
    """Yield pieces on as many rows as they need, below each other."""
    room = look.width - indent - (len(sign.text) if sign else 0)
    for number, row in enumerate(drop_last_blank(wrap(pieces, room), room)):
        lead = sign if sign and not number else Piece(" " * len(sign.text) if sign else "")
        yield (Piece(" " * indent), lead, *row)


def _mark_parts(parts: Sequence[Part], look: Look) -> list[Piece]:
    """Return changed text with its words marked: by look, and without colour by signs."""
    pieces: list[Piece] = []
    for place, part in enumerate(parts):
        if part.kind is RunKind.KEPT:
            pieces += _pieces_near(part.text, place == 0, place == len(parts) - 1, look)
            continue
        opening, closing = ("", "") if look.color else _MARKS[part.kind]
        pieces.append(
            Piece(opening + make_visible(part.text, look, blanks=part.blanks) + closing, _WORD_TONES[part.kind])
        )
    return pieces


def _limit_pieces(pieces: Sequence[Piece], look: Look) -> Iterator[Piece]:
    """Yield the pieces of one line, as far as its rows reach."""
    room = ROWS * look.width
    rest = sum(len(piece.text) for piece in pieces) - room
    for piece in pieces:
        if look.verbose or room >= len(piece.text) or rest <= 0:
            yield piece
            room -= len(piece.text)
            continue
        yield Piece(piece.text[:room], piece.tone)
        yield Piece(f" {look.fold} {pluralize(rest, 'more character')} (-v shows all)", Tone.FAINT)
        return


def _pieces_near(text: str, is_first: bool, is_last: bool, look: Look) -> Iterator[Piece]:
    """Yield what is kept in a line, down to the words beside the change where there is much of it."""
    if look.verbose or len(text) <= 4 * NEAR:
        yield Piece(make_visible(text, look))
        return
    head = "" if is_first else text[: text.rfind(" ", 0, NEAR) + 1] or text[:NEAR]
    start = text.find(" ", len(text) - NEAR)
    tail = "" if is_last else text[start if start >= 0 else len(text) - NEAR :]
    fold = "".join((" " if head else "", look.fold, " " if tail and not tail.startswith(" ") else ""))
    yield Piece(make_visible(head.rstrip(" "), look))
    yield Piece(fold, Tone.FAINT)
    yield Piece(make_visible(tail, look))
