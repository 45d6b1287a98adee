"""The fields of one assistant as aligned rows for a terminal: short ones with an arrow, texts by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from trueup.core.plans.diff import tool_label
from trueup.render.model import Brief, FieldView, Shape
from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.terminal.prose import difference_rows, head_rows
from trueup.render.terminal.values import WHOLE, fold_row, tool_lines, value_lines, value_rows, whole_rows
from trueup.render.values import list_tools, pluralize, write_value
from trueup.render.visible import count_columns, hanging_rows, make_visible, shorten

INDENT = 4
LABEL = 20
"""Columns up to which names are aligned; a longer one pushes its own value to the right."""

BRIEF = 24
"""Columns of a value where each assistant has one row."""

HEAD = 3
"""Lines of a new text that are shown unless everything is asked for."""


def field_rows(fields: Sequence[FieldView], look: Look) -> Iterator[Row]:
    """Yield the fields: names aligned, the file's line at the right."""
    label = max((wide for item in fields if (wide := count_columns(make_visible(item.path, look))) <= LABEL), default=0)
    for field in fields:
        name, room = make_visible(field.path, look), look.width - 24
        if count_columns(name) > room and look.verbose:
            yield from hanging_rows((Piece(" " * INDENT),), [Piece(name, Tone.STRONG)], look.width, INDENT + 2)
            yield from _field(field, (Piece(" " * (INDENT + 2)),), look)
            continue
        name = shorten(name, room, look)
        first = (Piece(" " * INDENT), Piece(name + " " * (max(label - count_columns(name), 0) + 2), Tone.STRONG))
        yield from _field(field, first, look)


def _field(field: FieldView, first: Sequence[Piece], look: Look) -> Iterator[Row]:
    if field.shape is Shape.TEXT and field.is_new:
        yield from _new_text(field, first, look)
    elif field.shape is Shape.TOOLS and field.is_new and not look.verbose:
        yield from _new_tools(field, first, look)
    elif field.shape is Shape.SIDES:
        yield from _first_row(first, _sides(field, look), field.where, look)
    elif field.shape is Shape.WHOLE and field.is_new:
        yield from _new_value(field.new, first, look, field.where)
    else:
        yield from _first_row(first, field.words, field.where, look)
        if field.shape is Shape.TEXT:
            old_side, indent = field.is_outside, INDENT + 2
            yield from head_rows(field.prose, look, indent, field.place, field.seen_in, old_side=old_side)
            yield from difference_rows(field.prose, look, indent, field.place, field.notes, old_side=old_side)
        else:
            yield from value_rows(field, look, INDENT + 2)


def summarize(brief: Brief, look: Look) -> str:
    """Return a field in a few words: its two sides where both are brief, else its name, and where a text differs."""
    if brief.at:
        return f"{brief.path} at {brief.at}"
    if brief.sides is None:
        return brief.path
    old, new = (write_value(side, look, BRIEF) for side in brief.sides)
    if brief.is_new:
        return f"{brief.path} {new}"
    if brief.is_outside:
        return f"{brief.path} live {old} {look.dot} file {new}"
    return f"{brief.path} {old} {look.arrow} {new}"


def _sides(field: FieldView, look: Look) -> list[Piece]:
    """Return `old → new`, or what is live and what the file has."""
    old, new = write_value(field.old, look, WHOLE), write_value(field.new, look, WHOLE)
    if field.is_new:
        return [Piece(new, Tone.FRESH)]
    if field.is_outside:
        words = [Piece("live "), Piece(new, Tone.GONE), Piece(f" {look.dot} file "), Piece(old, Tone.FRESH)]
    else:
        words = [Piece(old, Tone.GONE), Piece(f" {look.arrow} "), Piece(new, Tone.FRESH)]
    if field.words:
        words.append(Piece(f"  ({field.words})", Tone.FAINT))
    return words


def _first_row(first: Sequence[Piece], words: Sequence[Piece] | str, where: str, look: Look) -> Iterator[Row]:
    """Yield a field's first row: its words, and at the right end where it stands; below them if there is no room."""
    pieces = [Piece(words, Tone.FAINT)] if isinstance(words, str) else list(words)
    found = list(hanging_rows(first, pieces, look.width)) if any(piece.text for piece in pieces) else [tuple(first)]
    yield from rows_with_place(found, where, look)


def rows_with_place(found: list[Row], where: str, look: Look) -> Iterator[Row]:
    """Yield rows with a place at the right end of the first one, or on a row of its own below."""
    place = shorten(make_visible(where, look), look.width - INDENT, look)
    gap = look.width - sum(count_columns(piece.text) for piece in found[0]) - count_columns(place)
    if place and gap >= 2:
        yield (*found[0], Piece(" " * gap), Piece(place, Tone.FAINT))
        yield from found[1:]
        return
    yield from found
    if place:
        yield (Piece(" " * (look.width - count_columns(place))), Piece(place, Tone.FAINT))


def _new_text(field: FieldView, first: Sequence[Piece], look: Look) -> Iterator[Row]:
    """Yield a text that was not there: its size and first lines, or all of it; what is left out is counted."""
    yield from _first_row(first, field.words, field.where, look)
    lines = field.new.removesuffix("\n").split("\n")
    under, room = (Piece(" " * (INDENT + 2)), Piece("+ ", Tone.FRESH)), look.width - INDENT - 4
    if look.verbose:
        for line in lines:
            yield from hanging_rows(under, [Piece(make_visible(line, look), Tone.FRESH)], look.width)
        return
    cut = 0
    for line in lines[:HEAD]:
        text = shorten(make_visible(line[: look.width * 4], look), room, look)
        cut += max(len(line) - len(text.removesuffix(look.cut)), 0)
        yield (*under, Piece(text, Tone.FRESH))
    if len(lines) > HEAD:
        yield fold_row(pluralize(len(lines) - HEAD, "more line"), look, INDENT + 2)
    elif cut:
        yield fold_row(pluralize(cut, "more character"), look, INDENT + 2)


def _new_value(new: Any, first: Sequence[Piece], look: Look, where: str) -> Iterator[Row]:
    """Yield what a create sends and is too much for one row: all of it below, or its start and how much there is."""
    if look.verbose:
        yield from _first_row(first, pluralize(len(value_lines(new)), "line"), where, look)
        yield from whole_rows(new, look, INDENT + 2, "+ ", Tone.FRESH)
        return
    room = look.width - sum(count_columns(piece.text) for piece in first)
    yield from _first_row(first, [Piece(write_value(new, look, room), Tone.FRESH)], where, look)
    yield fold_row(pluralize(len(value_lines(new)), "line"), look, INDENT + 2)


def _new_tools(field: FieldView, first: Sequence[Piece], look: Look) -> Iterator[Row]:
    """Yield the tools that a create sends, by name, and how much there is to read of those that say more."""
    yield from _first_row(first, [Piece(list_tools(field.new, look), Tone.FRESH)], field.where, look)
    said = [(tool_label(tool), number) for tool in field.new if (number := tool_lines(tool))]
    if said:
        whose = make_visible(said[0][0], look) if len(said) == 1 else pluralize(len(said), "tool")
        words = f"{whose}: {pluralize(sum(number for _, number in said), 'more line')}"
        yield fold_row(shorten(words, look.width - INDENT - 22, look), look, INDENT + 2)
