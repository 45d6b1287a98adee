"""Which text changes several assistants have in common, so that a shared part's difference is shown once.

Knows how to compare and to count, not how anything looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trueup.core.plans.plan import Action, Cause, Change, FieldChange
from trueup.core.source import Position
from trueup.core.texts.compare import compare
from trueup.core.texts.mentions import function_names
from trueup.core.texts.prose import Prose, Run, sections
from trueup.render.prose_rows import Key, key

NAMED = 4
"""Assistants that are named where many share a change."""


OWN = "."
"""In the place of a part: the assistant's own file."""


@dataclass(frozen=True, slots=True)
class Shared:
    """The instructions' differences by assistant, and the notes for the hunks that more than one of them has."""

    prose: Mapping[str, Prose] = field(default_factory=dict)
    notes: Mapping[str, Mapping[Key, str]] = field(default_factory=dict)


def text_change(change: Change) -> FieldChange | None:
    """The change's instructions if both sides are text."""
    return next(
        (
            item
            for item in change.fields
            if item.path == "instructions" and isinstance(item.before, str) and isinstance(item.after, str)
        ),
        None,
    )


def difference(change: Change, old: str, new: str) -> Prose:
    """The difference of two texts of one assistant, with the names of its functions known, those that go included."""
    tools = [side for item in change.fields if item.path == "tools" for side in (item.before, item.after)]
    return compare(old, new, {*change.functions, *(name for side in tools for name in function_names(side))})


def shared(changes: Sequence[Change]) -> Shared:
    """What the given changes, in the order in which they are shown, have in common from the same part.

    A change comes from the part in whose lines it stands; where no line says so, if exactly the part's users have it.
    """
    found: dict[str, Prose] = {}
    owners: dict[tuple[Key, str], list[str]] = {}
    users: dict[str, list[str]] = {}
    for change in changes:
        item = text_change(change)
        if item is None or not change.parts or change.name in found:
            continue
        found[change.name] = difference(change, item.before, item.after)
        groups = [group.changed for group in sections(found[change.name]) if group.changed]
        for owned in {(key(group), _part(change, group)): None for group in groups}:
            owners.setdefault(owned, []).append(change.name)
        for part in change.parts:
            users.setdefault(part, []).append(change.name)
    notes: dict[str, dict[Key, str]] = {}
    for (changed, part), names in owners.items():
        parts = [part] if part else [name for name, wanted in sorted(users.items()) if wanted == names]
        if parts and len(names) > 1 and part != OWN:
            _note(notes, changed, names, parts)
    return Shared(found, notes)


def part_spots(change: Change) -> tuple[Position, ...]:
    """Where the change stands in its parts, if it is a modify of the instructions that comes from their lines alone."""
    item = text_change(change)
    told = [other for other in change.fields if other.cause is not Cause.RECORDED]
    if item is None or told != [item] or change.action is not Action.MODIFY or change.hint or change.remarks:
        return ()
    prose = difference(change, item.before, item.after)
    found: dict[Position, None] = {}
    for group in (section.changed for section in sections(prose) if section.changed):
        if _part(change, group) in ("", OWN):
            return ()
        for run in group:
            spot = next(entry for entry in reversed(change.stretches) if entry.line <= group[0].after)
            found[Position(spot.file, spot.at + run.after - spot.line if spot.at else 1, 1)] = None
    return tuple(found)


def _part(change: Change, group: Sequence[Run]) -> str:
    """The part in whose lines a group of changes begins; nothing where that is not known."""
    files = [item.file for item in change.stretches if item.line <= group[0].after]
    return (files[-1] if files[-1] in change.parts else OWN) if files else ""


def _note(notes: dict[str, dict[Key, str]], changed: Key, names: Sequence[str], parts: Sequence[str]) -> None:
    """The first assistant gets the list of the others, each other one the reference to the first."""
    source = f" from {parts[0]}" if len(parts) == 1 else ""
    others = ", ".join(names[1 : 1 + NAMED]) + (f" and {len(names) - 1 - NAMED} more" if len(names) > 1 + NAMED else "")
    notes.setdefault(names[0], {})[changed] = f"This change{source} also reaches {others}:"
    for name in names[1:]:
        notes.setdefault(name, {})[changed] = f"=The same change{source} as in {names[0]}."
