"""The fields of one change for a page: scalars with two sides, texts as differences, all else as rows.

Decides what a field is shown as, and leaves how to the page's dialect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from trueup.core.field_table import Kind
from trueup.core.plans.diff import tool_changes
from trueup.core.plans.plan import MISSING, Action, Cause, Change, FieldChange
from trueup.core.texts.prose import first_line
from trueup.render.grouping import ChangeGroup, difference
from trueup.render.markup.escape import LOOK, shown
from trueup.render.model import Field
from trueup.render.terminal import fields as field_rows
from trueup.render.terminal.values import WHOLE as ONE_ROW
from trueup.render.terminal.values import are_tools, is_nested, parts, sides, tool_parts
from trueup.render.values import amount, is_brief, is_text, value

WHOLE = replace(LOOK, verbose=True)
"""How rows are made for a page: folded nowhere. A page that has an end cuts them itself, and counts what it cuts."""

SAME = "sent again unchanged: this target wants it in every modify"

_OUTSIDE = frozenset({Cause.DRIFTED, Cause.CONFLICT, Cause.UNKNOWN})


def fields_of(group: ChangeGroup) -> Iterator[Field]:
    """All fields of a group's change, texts last; what is only remembered is left out."""
    items = [item for item in group.first.fields if item.cause is not Cause.RECORDED]
    for item in sorted(items, key=lambda item: is_text(item.before) or is_text(item.after)):
        yield _field(group, item)


def is_outside(change: Change, item: FieldChange) -> bool:
    """Whether a field is told as news about live: from what the file says to what is live."""
    return change.action not in (Action.MODIFY, Action.CREATE) and item.cause in _OUTSIDE


def _field(group: ChangeGroup, item: FieldChange) -> Field:
    change = group.first
    outside = is_outside(change, item)
    old, new = (item.after, item.before) if outside else (item.before, item.after)
    path, where = shown(item.path), shown(field_rows.where_of(group, item))
    words = field_rows.why(change, item, outside)
    if item.cause is Cause.FORCED and item.before == item.after:
        return Field(path, where, SAME)
    if item.cause in field_rows.STAYS:
        return Field(path, where, field_rows.STAYS[item.cause])
    if _is_prose(old, new):
        return _text(group, item, (old, new), outside)
    if are_tools(item.kind, old, new):
        return Field(path, where, words, rows=tuple(tool_parts(tool_changes(old, new), WHOLE, 0)), is_outside=outside)
    if is_nested(old) and is_nested(new):
        return Field(path, where, words, rows=tuple(parts(old, new, WHOLE, 0)), is_outside=outside)
    if not (is_brief(old) and is_brief(new)):
        words = "in the file and live" if outside else words or ("cleared" if new is MISSING else "")
        return Field(path, where, words, rows=tuple(sides(old, new, WHOLE, 0)), is_outside=outside)
    if outside:
        return Field(path, where, words, _gone(old, "(gone from the file)"), _gone(new, "(not set)"), is_outside=True)
    before = "" if old is MISSING and change.action is Action.CREATE else _gone(old, "(not set)")
    return Field(path, where, words, before, _gone(new, "(cleared)"))


def _is_prose(old: Any, new: Any) -> bool:
    """Whether both sides are text or nothing, and one wants lines of its own."""
    plain = all(side is MISSING or side is None or isinstance(side, str) for side in (old, new))
    return plain and (is_text(old) or is_text(new))


def _gone(side: Any, words: str) -> str:
    """One side of a scalar, visible; in words where there is nothing."""
    return words if side is MISSING else value(side, LOOK, ONE_ROW)


def _text(group: ChangeGroup, item: FieldChange, sides: tuple[Any, Any], outside: bool) -> Field:
    """A text that came, went or changed, with its difference."""
    change = group.first
    old, new = ("" if side is MISSING or side is None else side for side in sides)
    known = group.prose if item.kind is Kind.TEXT and not outside else None
    prose = known or difference(change, old, new)
    place = field_rows.places(change, item, new if not outside else old)
    words = amount(new) if not old else field_rows.text_words(change, item, sides, prose, outside)
    line = first_line(prose, old_side=outside)
    at = place(line) if line else ""
    return Field(
        shown(item.path),
        shown(at if ":" in at else field_rows.where_of(group, item)),
        words,
        prose=prose,
        seen_in=field_rows.seen_in(group, item),
        notes=group.notes if known else {},
        place=place,
        is_outside=outside,
    )
