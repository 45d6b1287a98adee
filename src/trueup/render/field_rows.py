"""The fields of one change as aligned rows: scalars with an arrow, texts by line, tools and lists by their parts.

Knows no heading and no summary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from trueup.core.plans.diff import tool_changes
from trueup.core.plans.plan import MISSING, Action, Cause, Change, FieldChange, Reason
from trueup.core.source import Position, Stretch
from trueup.core.texts.prose import Prose, first_line
from trueup.render import prose_rows
from trueup.render.part_rows import is_nested, parts, tool_parts
from trueup.render.shared import Shared, difference
from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.values import amount, is_text, many, tools, value
from trueup.render.visible import columns, hanging, shortened, visible

INDENT = 4
LABEL = 20
"""Columns up to which names are aligned; a longer one pushes its own value to the right."""

HEAD = 3
"""Lines of a new text that are shown unless everything is asked for."""

STAYS = "stays as it is: this server cannot clear it"

_OUTSIDE = frozenset({Cause.DRIFTED, Cause.CONFLICT, Cause.UNKNOWN})
_WHY = {
    Cause.REMOVED: "gone from the file",
    Cause.DRIFTED: "changed by hand, put back",
    Cause.CONFLICT: "changed in the file and by hand, the file wins",
    Cause.UNKNOWN: "drifted or not kept, the file wins",
    Cause.FORCED: "the protocol makes the request change it",
    Cause.RECORDED: "live is so already",
}


def fields(change: Change, look: Look, common: Shared) -> Iterator[Row]:
    """All fields of a change, texts last: names aligned, the file's line at the right."""
    shown = [item for item in change.fields if item.cause is not Cause.RECORDED or look.verbose]
    label = max((wide for item in shown if (wide := columns(visible(item.path, look))) <= LABEL), default=0)
    for item in sorted(shown, key=lambda item: is_text(item.before) or is_text(item.after)):
        name = shortened(visible(item.path, look), look.width - 24, look)
        first = (Piece(" " * INDENT), Piece(name + " " * (max(label - columns(name), 0) + 2), Tone.STRONG))
        yield from _field(change, item, first, look, common)


def _field(change: Change, item: FieldChange, first: Sequence[Piece], look: Look, common: Shared) -> Iterator[Row]:
    outside = change.action not in (Action.MODIFY, Action.CREATE) and item.cause in _OUTSIDE
    old, new = (item.after, item.before) if outside else (item.before, item.after)
    where = _where(change, item)
    if item.cause is Cause.FORCED and item.before == item.after:
        yield from _headed(first, "sent again unchanged: this target wants it in every modify", where, look)
    elif item.cause is Cause.IMPOSSIBLE:
        yield from _headed(first, STAYS, where, look)
    elif change.action is Action.CREATE or (old is MISSING and (is_text(new) or item.path == "tools")):
        yield from _sent(item.path, item.after if not outside else new, first, look, where)
    elif is_text(old) or is_text(new):
        yield from _text(change, item, (old, new), first, look, common)
    elif item.path == "tools" and (isinstance(old, (list, tuple)) or isinstance(new, (list, tuple))):
        yield from _headed(first, why(change, item, outside), where, look)
        yield from tool_parts(tool_changes(old, new), look, INDENT + 2)
    elif is_nested(old) and is_nested(new):
        yield from _headed(first, why(change, item, outside), where, look)
        yield from parts(old, new, look, INDENT + 2)
    else:
        yield from _scalar(change, item, first, look, where, outside=outside)


def _scalar(
    change: Change, item: FieldChange, first: Sequence[Piece], look: Look, where: str, *, outside: bool
) -> Iterator[Row]:
    """`old → new` on one row where it fits, else on two."""
    room = look.width - sum(columns(piece.text) for piece in first)
    old, new = value(item.before, look, room - 6), value(item.after, look, room - 6)
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


def _where(change: Change, item: FieldChange) -> str:
    position = _position(change, item)
    return f"{position.file}:{position.line}" if position else ""


def _position(change: Change, item: FieldChange) -> Position | None:
    return change.sources.get(item.path) or change.sources.get(item.path.split(".", 1)[0])


def _sent(path: str, new: Any, first: Sequence[Piece], look: Look, where: str) -> Iterator[Row]:
    """What a create sends: a text's size and first lines, tools by name, anything else on one row."""
    if is_text(new):
        yield from _headed(first, amount(new), where, look)
        lines = new.removesuffix("\n").split("\n")
        for line in lines if look.verbose else lines[:HEAD]:
            text = visible(line if look.verbose else line[: look.width * 4], look)
            under = (Piece(" " * (INDENT + 2)), Piece("+ ", Tone.FRESH))
            if look.verbose:
                yield from hanging(under, [Piece(text, Tone.FRESH)], look.width)
            else:
                yield (*under, Piece(shortened(text, look.width - INDENT - 4, look), Tone.FRESH))
        if len(lines) > HEAD and not look.verbose:
            more = f"{look.fold} {many(len(lines) - HEAD, 'more line')}"
            yield (Piece(" " * (INDENT + 2)), Piece(more, Tone.FAINT))
        return
    room = look.width - sum(columns(piece.text) for piece in first)
    words = tools(new, look) if path == "tools" else value(new, look, room)
    yield from _headed(first, [Piece(words, Tone.FRESH)], where, look)


def _text(
    change: Change, item: FieldChange, sides: tuple[Any, Any], first: Sequence[Piece], look: Look, common: Shared
) -> Iterator[Row]:
    """A text that changed: its size beside the name, its hunks below."""
    outside = sides != (item.before, item.after)
    old, new = ("" if side is MISSING or side is None else side for side in sides)
    if not isinstance(old, str) or not isinstance(new, str):
        yield from _scalar(change, item, first, look, _where(change, item), outside=outside)
        return
    known = common.prose.get(change.name) if item.path == "instructions" and not outside else None
    prose = known or difference(change, old, new)
    place = places(change, item, new if not outside else old)
    line = first_line(prose, old_side=outside)
    at = place(line) if line else ""
    words = text_words(change, item, sides, prose, outside)
    yield from _headed(first, words, at if ":" in at else _where(change, item), look)
    notes = common.notes.get(change.name, {}) if known else {}
    yield from prose_rows.heads(prose, look, INDENT + 2, place, old_side=outside)
    yield from prose_rows.rows(prose, look, INDENT + 2, place, notes, old_side=outside)


def text_words(change: Change, item: FieldChange, sides: tuple[Any, Any], prose: Prose, outside: bool) -> str:
    """How much of a text changed, and why where the assistant's heading does not say it."""
    if outside:
        return f"{prose_rows.size(prose)} by hand: - in the file, + live"
    if sides[1] is MISSING or sides[1] is None:
        return f"{amount(sides[0])}, cleared: gone from the file"
    reason = why(change, item, outside)
    return prose_rows.size(prose) + (f"  ({reason})" if reason else "")


def places(change: Change, item: FieldChange, text: str) -> prose_rows.Place:
    """Where the text's lines stand: exact where the file's lines are the text's, else only the line within the text."""
    if item.path == "instructions" and change.stretches:
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
