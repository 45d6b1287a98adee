"""The fields of a change as a page shows them: what each one is, why it is there, and where it stands in the files.

How a field is laid out, and how much of a long one is shown, is left to the format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from trueup.core.field_table import Kind, top_of
from trueup.core.plans.plan import MISSING, OUTSIDE, Action, Cause, Change, FieldChange, Reason
from trueup.core.source import Position, Stretch
from trueup.core.texts.prose import Prose, first_line
from trueup.render.grouping import ChangeGroup, compare_texts, count_common_lines
from trueup.render.model import Brief, FieldView, Shape
from trueup.render.prose_lines import Place, describe_extent
from trueup.render.values import Words, describe_amount, is_brief, is_nested, is_text

SIDES = ": - in the file, + live"
"""What two sides below each other are, of which one is the file's and the other one live."""

_FORCED = "sent again unchanged: this target requires it in every modify"
_STAYS = {
    Cause.IMPOSSIBLE: "not changed: this server cannot clear it",
    Cause.SECRET: "not changed: live has a secret in it, which a write would erase",
}
_WHY = {
    Cause.REMOVED: "removed from the file",
    Cause.DRIFTED: "manual change, put back",
    Cause.CONFLICT: "changed in the file and manually; the file wins",
    Cause.UNKNOWN: "drifted or not kept; the file wins",
    Cause.FORCED: "changed by the request, as the protocol requires",
    Cause.RECORDED: "live already matches",
}


def fields_of(group: ChangeGroup, *, whole: bool = False) -> Iterator[FieldView]:
    """Yield all fields of a group's change, texts last; `whole`: also what is only remembered."""
    items = [item for item in group.first.fields if whole or item.cause is not Cause.RECORDED]
    for item in sorted(items, key=lambda item: is_text(item.before) or is_text(item.after)):
        yield _field(group, item)


def brief_fields(change: Change, *, by_name: bool = False) -> Iterator[Brief]:
    """Yield the fields of a change in a few words each, or `by_name` alone; of a create only the model."""
    is_create = change.action is Action.CREATE
    for item in change.fields:
        if item.cause is Cause.RECORDED or (is_create and item.path != "model"):
            continue
        if by_name and not is_create:
            yield Brief(item.path)
        elif isinstance(item.before, str) and isinstance(item.after, str) and is_text(item.after):
            line = 1 + count_common_lines(item.before.split("\n"), item.after.split("\n"))
            at = _place_of_lines(change, item, item.after)(line)
            yield Brief(item.path, at if ":" in at else "")
        elif not (is_brief(item.before) and is_brief(item.after)) or _note(item, is_alone=False):
            yield Brief(item.path)
        else:
            yield Brief(item.path, "", (item.before, item.after), is_create, is_news(change, item))


def is_news(change: Change, item: FieldChange) -> bool:
    """Whether a field is news about live: shown from what the file has to what is live."""
    return change.action not in (Action.MODIFY, Action.CREATE) and item.cause in OUTSIDE


def _field(group: ChangeGroup, item: FieldChange) -> FieldView:
    change = group.first
    outside = is_news(change, item)
    old, new = (item.after, item.before) if outside else (item.before, item.after)
    shape = _shape(item, old, new)
    if shape is Shape.TEXT:
        return _text_field(group, item, (old, new), outside)
    words = _note(item) if shape is Shape.NOTE else _describe_cause(change, item, outside)
    if shape is Shape.WHOLE:
        words = f"manual change{SIDES}" if outside else words or ("cleared" if new is MISSING else "")
    if shape is Shape.SIDES and outside and old is MISSING:
        old = Words("(removed from the file)")
    elif shape is Shape.SIDES and not outside and new is MISSING:
        new = Words("(cleared)")
    is_new = change.action is Action.CREATE
    return FieldView(item.path, shape, old, new, _find_place(group, item), words, outside, is_new)


def _shape(item: FieldChange, old: Any, new: Any) -> Shape:
    """Return how a field differs, from which its layout follows."""
    if _note(item):
        return Shape.NOTE
    if item.kind is Kind.TOOLS and any(isinstance(side, (list, tuple)) and side for side in (old, new)):
        return Shape.TOOLS
    is_plain = all(side is MISSING or side is None or isinstance(side, str) for side in (old, new))
    if is_plain and (is_text(old) or is_text(new)):
        return Shape.TEXT
    if is_nested(old) and is_nested(new):
        return Shape.PARTS
    return Shape.SIDES if is_brief(old) and is_brief(new) else Shape.WHOLE


def _note(item: FieldChange, *, is_alone: bool = True) -> str:
    """Return what is shown of a field that is not changed; `is_alone`: nothing else is."""
    if item.cause is Cause.FORCED and (item.before == item.after or not is_alone):
        return _FORCED
    return _STAYS.get(item.cause, "")


def _text_field(group: ChangeGroup, item: FieldChange, sides: tuple[Any, Any], outside: bool) -> FieldView:
    """Return a text that came, went or changed, with its difference; that of a new one is made where it is shown."""
    change = group.first
    old, new = ("" if side is MISSING or side is None else side for side in sides)
    known = group.prose if item.kind is Kind.TEXT and not outside else None
    is_new = not old or change.action is Action.CREATE
    prose = known or (None if is_new else compare_texts(change, old, new))
    place = _place_of_lines(change, item, new if not outside else old)
    words, at = describe_amount(new), ""
    if prose is not None and not is_new:
        words, line = _text_words(change, item, sides, prose, outside), first_line(prose, old_side=outside)
        at = place(line) if line else ""
    return FieldView(
        item.path,
        Shape.TEXT,
        old,
        new,
        at if ":" in at else _find_place(group, item),
        words,
        outside,
        is_new,
        make_prose=lambda: prose or compare_texts(change, old, new),
        place=place,
        notes=group.notes if known else {},
        seen_in=_name_of_text(group, item),
    )


def _text_words(change: Change, item: FieldChange, sides: tuple[Any, Any], prose: Prose, outside: bool) -> str:
    """Return how much of a text changed, and why where the assistant's heading does not say it."""
    if outside:
        return f"{describe_extent(prose)} manually{SIDES}"
    if sides[1] is MISSING or sides[1] is None:
        return f"{describe_amount(sides[0])}, cleared: removed from the file"
    reason = _describe_cause(change, item, outside)
    return describe_extent(prose) + (f"  ({reason})" if reason else "")


def _describe_cause(change: Change, item: FieldChange, outside: bool) -> str:
    """Return why a field is there, where the assistant's heading does not say it."""
    if outside or change.action is Action.CREATE:
        return ""
    if change.reason is Reason.BEHIND:
        return ""  # it is measured against what the other checkout applied, not against what was edited here
    if item.cause is Cause.EDITED and change.action in (Action.HELD, Action.DRIFT):
        return "edited in the file"
    if item.cause is Cause.REMOVED and item.after is MISSING:
        return ""
    return _WHY.get(item.cause, "")


def _find_place(group: ChangeGroup, item: FieldChange) -> str:
    """Return `file:line` of a field, nothing where that is not known or not the same for the whole group."""
    position = _position(group.first, item)
    if position is None or any(_position(change, item) != position for change in group.items[1:]):
        return ""
    return f"{position.file}:{position.line}"


def _position(change: Change, item: FieldChange) -> Position | None:
    return change.sources.get(item.path) or change.sources.get(top_of(item.path))


def _name_of_text(group: ChangeGroup, item: FieldChange) -> str:
    """Return the assistant whose text a group's difference is of, nothing where all texts of the group are the same."""
    sides = item.before, item.after
    for change in group.items[1:]:
        if any(other.path == item.path and (other.before, other.after) != sides for other in change.fields):
            return group.first.name
    return ""


def _place_of_lines(change: Change, item: FieldChange, text: str) -> Place:
    """Return where a text's lines stand: exact where the file's lines are the text's, else the line in the text."""
    if item.kind is Kind.TEXT and change.stretches:
        return partial(_place_in_stretches, change.stretches)
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


def _place_in_stretches(stretches: Sequence[Stretch], number: int) -> str:
    """Return a line's place in the file that it comes from; of the blank line between two, in the first of them."""
    found = next((item for item in reversed(stretches) if item.line <= number), None)
    if found is None or not found.at:
        return f"line {number:,} ({found.file})" if found and len(stretches) > 1 else f"line {number:,}"
    return f"{found.file}:{found.at + number - found.line}"
