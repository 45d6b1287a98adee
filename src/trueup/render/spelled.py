"""A whole value as rows, one for each of its keys and entries: what came or went and is too much for one row.

Folds what is long unless everything is asked for, and says how much. Knows no tool and no field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from trueup.core.plans.plan import MISSING
from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.values import is_text, many
from trueup.render.visible import columns, hanging, visible
from trueup.render.yaml_lines import yaml_lines

FOLD = 20
"""Rows after which a value is folded unless everything is asked for."""

ROWS = 8
"""Rows that one of its lines may take unless everything is asked for."""


def lines_of(item: Any) -> list[str]:
    """A value as the lines that its rows tell: a long text's own, anything else as YAML."""
    return item.split("\n") if is_text(item) else list(yaml_lines(item))


def spelled(item: Any, look: Look, indent: int, sign: str, tone: Tone) -> Iterator[Row]:
    """The rows of one value, each of its lines behind a sign."""
    lines, told = lines_of(item), 0
    for number, line in enumerate(lines):
        if told >= FOLD and not look.verbose:
            yield fold(f"{many(len(lines) - number, 'more line')}", look, indent)
            return
        for row in _line(line, look, indent, Piece(sign, tone)):
            told += 1
            yield row


def sides(old: Any, new: Any, look: Look, indent: int) -> Iterator[Row]:
    """What was there and what is there now, below each other; of a side that has nothing there is no row."""
    for sign, tone, side in (("- ", Tone.GONE, old), ("+ ", Tone.FRESH, new)):
        if side is not MISSING:
            yield from spelled(side, look, indent, sign, tone)


def fold(words: str, look: Look, indent: int) -> Row:
    """The row that says how much is left out here, and what shows it."""
    return (Piece(" " * indent), Piece(f"{look.fold} {words} (-v shows all)", Tone.FAINT))


def labelled(name: str, pieces: Sequence[Piece], look: Look, indent: int) -> Iterator[Row]:
    """A name with something beside it, or below it where the name takes more than half of the row."""
    lead = Piece(" " * indent)
    if columns(name) <= look.width // 2:
        yield from hanging((lead, Piece(name + "  " if pieces else name)), pieces, look.width)
        return
    yield from hanging((lead,), [Piece(name)], look.width, indent + 2)
    if pieces:
        yield from hanging((Piece(" " * (indent + 2)),), pieces, look.width)


def _line(line: str, look: Look, indent: int, sign: Piece) -> Iterator[Row]:
    """One line, wrapped below where it begins; of a very long one the start, and how much more there is."""
    depth = len(line) - len(line.lstrip(" "))
    text, room = line[depth:], ROWS * look.width
    pieces = [Piece(visible(text, look), sign.tone)]
    if len(text) > room and not look.verbose:
        more = f" {look.fold} {many(len(text) - room, 'more character')} (-v shows all)"
        pieces = [Piece(visible(text[:room], look), sign.tone), Piece(more, Tone.FAINT)]
    start = (Piece(" " * indent), sign, Piece(" " * min(depth, look.width // 3)))
    yield from hanging(start, pieces, look.width, sum(columns(piece.text) for piece in start) + 2)
