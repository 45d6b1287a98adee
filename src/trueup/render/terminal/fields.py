"""The fields of one change as aligned rows: scalars with an arrow, texts by line, tools and lists by their parts.

Knows no heading and no summary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from trueup.core.field_table import Kind, top_of
from trueup.core.plans.diff import tool_changes, tool_label
from trueup.core.plans.plan import MISSING, Action, Cause, Change, FieldChange, Reason
from trueup.core.source import Position, Stretch
from trueup.core.texts.prose import Prose, first_line
from trueup.render.grouping import ChangeGroup, difference, first_difference
from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.terminal import prose as prose_rows
from trueup.render.terminal.values import (
    WHOLE,
    are_tools,
    fold,
    is_nested,
    lines_of,
    parts,
    sides,
    spelled,
    tool_lines,
    tool_parts,
)
from trueup.render.values import amount, is_brief, is_text, many, tools, value
from trueup.render.visible import columns, hanging, shortened, visible

INDENT = 4
LABEL = 20
"""Columns up to which names are aligned; a longer one pushes its own value to the right."""

BRIEF = 24
"""Columns of a value where each assistant has one row."""

HEAD = 3
"""Lines of a new text that are shown unless everything is asked for."""

STAYS = {
    Cause.IMPOSSIBLE: "stays as it is: this server cannot clear it",
    Cause.SECRET: "stays as it is: live holds a secret in it, which a write would erase",
}
"""What is shown of a field that no request is made for."""

_OUTSIDE = frozenset({Cause.DRIFTED, Cause.CONFLICT, Cause.UNKNOWN})
_WHY = {
    Cause.REMOVED: "gone from the file",
    Cause.DRIFTED: "changed by hand, put back",
    Cause.CONFLICT: "changed in the file and by hand, the file wins",
    Cause.UNKNOWN: "drifted or not kept, the file wins",
    Cause.FORCED: "the protocol makes the request change it",
    Cause.RECORDED: "live is so already",
}


def fields(group: ChangeGroup, look: Look) -> Iterator[Row]:
    """All fields of a group's change, texts last: names aligned, the file's line at the right."""
    change = group.first
    shown = [item for item in change.fields if item.cause is not Cause.RECORDED or look.verbose]
    label = max((wide for item in shown if (wide := columns(visible(item.path, look))) <= LABEL), default=0)
    for item in sorted(shown, key=lambda item: is_text(item.before) or is_text(item.after)):
        name, room = visible(item.path, look), look.width - 24
        if columns(name) > room and look.verbose:
            yield from hanging((Piece(" " * INDENT),), [Piece(name, Tone.STRONG)], look.width, INDENT + 2)
            yield from _field(group, item, (Piece(" " * (INDENT + 2)),), look)
            continue
        name = shortened(name, room, look)
        first = (Piece(" " * INDENT), Piece(name + " " * (max(label - columns(name), 0) + 2), Tone.STRONG))
        yield from _field(group, item, first, look)


def _field(group: ChangeGroup, item: FieldChange, first: Sequence[Piece], look: Look) -> Iterator[Row]:
    change = group.first
    outside = change.action not in (Action.MODIFY, Action.CREATE) and item.cause in _OUTSIDE
    old, new = (item.after, item.before) if outside else (item.before, item.after)
    where = where_of(group, item)
    if item.cause is Cause.FORCED and item.before == item.after:
        yield from _headed(first, "sent again unchanged: this target wants it in every modify", where, look)
    elif item.cause in STAYS:
        yield from _headed(first, STAYS[item.cause], where, look)
    elif are_tools(item.kind, old, new):
        if change.action is Action.CREATE and not look.verbose:
            yield from _tools(new, first, look, where)
            return
        yield from _headed(first, why(change, item, outside), where, look)
        yield from tool_parts(tool_changes(old, new), look, INDENT + 2)
    elif is_text(new) and (change.action is Action.CREATE or old is MISSING):
        yield from _new_text(new, first, look, where)
    elif change.action is Action.CREATE:
        yield from _sent(new, first, look, where)
    elif is_text(old) or is_text(new):
        yield from _text(group, item, (old, new), first, look)
    elif is_nested(old) and is_nested(new):
        yield from _headed(first, why(change, item, outside), where, look)
        yield from parts(old, new, look, INDENT + 2)
    else:
        yield from _scalar(change, item, first, look, where, outside=outside)


def summarize_field(change: Change, item: FieldChange, look: Look) -> str:
    """Return a field in a few words: its two sides where both are brief, else its name, and where a text differs."""
    if isinstance(item.before, str) and isinstance(item.after, str) and is_text(item.after):
        line = 1 + first_difference(item.before.split("\n"), item.after.split("\n"))
        at = places(change, item, item.after)(line)
        return f"{item.path} at {at}" if ":" in at else item.path
    if not (is_brief(item.before) and is_brief(item.after)) or item.cause in (Cause.FORCED, *STAYS):
        return item.path
    old, new = value(item.before, look, BRIEF), value(item.after, look, BRIEF)
    if change.action is Action.CREATE:
        return f"{item.path} {new}"
    if change.action is not Action.MODIFY and item.cause in _OUTSIDE:
        return f"{item.path} live {old} {look.dot} file {new}"
    return f"{item.path} {old} {look.arrow} {new}"


def _scalar(
    change: Change, item: FieldChange, first: Sequence[Piece], look: Look, where: str, *, outside: bool
) -> Iterator[Row]:
    """`old → new` where both are brief, wrapped where they do not fit on a row; else both below, whole."""
    if not (is_brief(item.before) and is_brief(item.after)):
        was, now = (item.after, item.before) if outside else (item.before, item.after)
        reason = "by hand: - in the file, + live" if outside else why(change, item, outside)
        yield from _headed(first, reason or ("cleared" if now is MISSING else ""), where, look)
        yield from sides(was, now, look, INDENT + 2)
        return
    old, new = value(item.before, look, WHOLE), value(item.after, look, WHOLE)
    if item.after is MISSING:
        new = "(gone from the file)" if outside else "(cleared)"
    if outside:
        words = [Piece("live "), Piece(old, Tone.GONE), Piece(f" {look.dot} file "), Piece(new, Tone.FRESH)]
    else:
        words = [Piece(old, Tone.GONE), Piece(f" {look.arrow} "), Piece(new, Tone.FRESH)]
    if reason := why(change, item, outside):
        words.append(Piece(f"  ({reason})", Tone.FAINT))
    yield from _headed(first, words, where, look)


def _headed(first: Sequence[Piece], words: Sequence[Piece] | str, where: str, look: Look) -> Iterator[Row]:
    """A field's first row: its words, and at the right end where it stands; below them if there is no room."""
    pieces = [Piece(words, Tone.FAINT)] if isinstance(words, str) else list(words)
    found = list(hanging(first, pieces, look.width)) if any(piece.text for piece in pieces) else [tuple(first)]
    yield from beside(found, where, look)


def beside(found: list[Row], where: str, look: Look) -> Iterator[Row]:
    """Rows with a place at the right end of the first one, or on a row of its own below."""
    place = shortened(visible(where, look), look.width - INDENT, look)
    gap = look.width - sum(columns(piece.text) for piece in found[0]) - columns(place)
    if place and gap >= 2:
        yield (*found[0], Piece(" " * gap), Piece(place, Tone.FAINT))
        yield from found[1:]
        return
    yield from found
    if place:
        yield (Piece(" " * (look.width - columns(place))), Piece(place, Tone.FAINT))


def why(change: Change, item: FieldChange, outside: bool) -> str:
    """Why a field is there, where the assistant's heading does not say it."""
    if outside or change.action is Action.CREATE:
        return ""
    if change.reason is Reason.BEHIND:
        return ""  # it is measured against what the other checkout applied, not against what was edited here
    if item.cause is Cause.EDITED and change.action in (Action.HELD, Action.DRIFT):
        return "edited in the file"
    if item.cause is Cause.REMOVED and item.after is MISSING:
        return ""
    return _WHY.get(item.cause, "")


def where_of(group: ChangeGroup, item: FieldChange) -> str:
    """Return `file:line` of a field, nothing where that is not known or not the same for the whole group."""
    position = _position(group.first, item)
    if position is None or any(_position(change, item) != position for change in group.items[1:]):
        return ""
    return f"{position.file}:{position.line}"


def _position(change: Change, item: FieldChange) -> Position | None:
    return change.sources.get(item.path) or change.sources.get(top_of(item.path))


def _new_text(text: str, first: Sequence[Piece], look: Look, where: str) -> Iterator[Row]:
    """A text that was not there: its size and first lines, or all of it; what is left out is counted."""
    yield from _headed(first, amount(text), where, look)
    lines = text.removesuffix("\n").split("\n")
    under, room = (Piece(" " * (INDENT + 2)), Piece("+ ", Tone.FRESH)), look.width - INDENT - 4
    if look.verbose:
        for line in lines:
            yield from hanging(under, [Piece(visible(line, look), Tone.FRESH)], look.width)
        return
    cut = 0
    for line in lines[:HEAD]:
        text = shortened(visible(line[: look.width * 4], look), room, look)
        cut += max(len(line) - len(text.removesuffix(look.cut)), 0)
        yield (*under, Piece(text, Tone.FRESH))
    if len(lines) > HEAD:
        yield fold(many(len(lines) - HEAD, "more line"), look, INDENT + 2)
    elif cut:
        yield fold(many(cut, "more character"), look, INDENT + 2)


def _sent(new: Any, first: Sequence[Piece], look: Look, where: str) -> Iterator[Row]:
    """What a create sends beside texts and tools: on one row; of what is too much for it the start, or all below."""
    if is_brief(new):
        yield from _headed(first, [Piece(value(new, look, WHOLE), Tone.FRESH)], where, look)
    elif look.verbose:
        yield from _headed(first, many(len(lines_of(new)), "line"), where, look)
        yield from spelled(new, look, INDENT + 2, "+ ", Tone.FRESH)
    else:
        room = look.width - sum(columns(piece.text) for piece in first)
        yield from _headed(first, [Piece(value(new, look, room), Tone.FRESH)], where, look)
        yield fold(many(len(lines_of(new)), "line"), look, INDENT + 2)


def _tools(new: Any, first: Sequence[Piece], look: Look, where: str) -> Iterator[Row]:
    """The tools that a create sends, by name, and how much there is to read of those that say more."""
    yield from _headed(first, [Piece(tools(new, look), Tone.FRESH)], where, look)
    said = [(tool_label(tool), number) for tool in new if (number := tool_lines(tool))]
    if said:
        whose = visible(said[0][0], look) if len(said) == 1 else many(len(said), "tool")
        words = f"{whose}: {many(sum(number for _, number in said), 'more line')}"
        yield fold(shortened(words, look.width - INDENT - 22, look), look, INDENT + 2)


def _text(
    group: ChangeGroup, item: FieldChange, sides: tuple[Any, Any], first: Sequence[Piece], look: Look
) -> Iterator[Row]:
    """A text that changed: its size beside the name, its hunks below."""
    change = group.first
    outside = sides != (item.before, item.after)
    old, new = ("" if side is MISSING or side is None else side for side in sides)
    if not isinstance(old, str) or not isinstance(new, str):
        yield from _scalar(change, item, first, look, where_of(group, item), outside=outside)
        return
    known = group.prose if item.kind is Kind.TEXT and not outside else None
    prose = known or difference(change, old, new)
    place = places(change, item, new if not outside else old)
    line = first_line(prose, old_side=outside)
    at = place(line) if line else ""
    words = text_words(change, item, sides, prose, outside)
    yield from _headed(first, words, at if ":" in at else where_of(group, item), look)
    notes = group.notes if known else {}
    yield from prose_rows.heads(prose, look, INDENT + 2, place, seen_in(group, item), old_side=outside)
    yield from prose_rows.rows(prose, look, INDENT + 2, place, notes, old_side=outside)


def text_words(change: Change, item: FieldChange, sides: tuple[Any, Any], prose: Prose, outside: bool) -> str:
    """How much of a text changed, and why where the assistant's heading does not say it."""
    if outside:
        return f"{prose_rows.size(prose)} by hand: - in the file, + live"
    if sides[1] is MISSING or sides[1] is None:
        return f"{amount(sides[0])}, cleared: gone from the file"
    reason = why(change, item, outside)
    return prose_rows.size(prose) + (f"  ({reason})" if reason else "")


def seen_in(group: ChangeGroup, item: FieldChange) -> str:
    """Return the assistant whose text a group's difference is of, nothing where all texts of the group are the same."""
    sides = item.before, item.after
    for change in group.items[1:]:
        if any(other.path == item.path and (other.before, other.after) != sides for other in change.fields):
            return group.first.name
    return ""


def places(change: Change, item: FieldChange, text: str) -> prose_rows.Place:
    """Where the text's lines stand: exact where the file's lines are the text's, else only the line within the text."""
    if item.kind is Kind.TEXT and change.stretches:
        return partial(_stretched, change.stretches)
    position = _position(change, item)
    start = 0
    if position is not None:
        if position.text and position.text.rstrip() == text.split("\n", 1)[0][: len(position.text)].rstrip():
            start = position.line
        elif re.search(r":\s*\|[-+0-9]*\s*(#.*)?$", position.text):
            start = position.line + 1
    if position is None or not start:
        return lambda number: f"line {number}"
    file = position.file
    return lambda number: f"{file}:{start + number - 1}"


def _stretched(stretches: Sequence[Stretch], number: int) -> str:
    """The place of a line in the file that it comes from; of the blank line between two, in the first of them."""
    found = next((item for item in reversed(stretches) if item.line <= number), None)
    if found is None or not found.at:
        return f"line {number:,} ({found.file})" if found and len(stretches) > 1 else f"line {number:,}"
    return f"{found.file}:{found.at + number - found.line}"
