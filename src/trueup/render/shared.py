"""Which text changes several assistants have in common, so that a shared part's difference is shown once.

Knows how to compare and to count, not how anything looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trueup.core.compare import compare
from trueup.core.mentions import function_names
from trueup.core.plan import Change, FieldChange
from trueup.core.prose import Prose, sections
from trueup.render.prose_rows import Key, key

NAMED = 4
"""Assistants that are named where many share a change."""


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

    A change comes from a part if exactly the assistants that use the part have it.
    """
    found: dict[str, Prose] = {}
    owners: dict[Key, list[Change]] = {}
    users: dict[str, set[str]] = {}
    for change in changes:
        item = text_change(change)
        if item is None or not change.parts or change.name in found:
            continue
        found[change.name] = difference(change, item.before, item.after)
        for changed in {key(group.changed): None for group in sections(found[change.name]) if group.changed}:
            owners.setdefault(changed, []).append(change)
        for part in change.parts:
            users.setdefault(part, set()).add(change.name)
    notes: dict[str, dict[Key, str]] = {}
    for changed, all_of_them in owners.items():
        names = [change.name for change in all_of_them]
        parts = [part for part, wanted in sorted(users.items()) if len(names) > 1 and wanted == set(names)]
        if parts:
            _note(notes, changed, names, parts)
    return Shared(found, notes)


def _note(notes: dict[str, dict[Key, str]], changed: Key, names: Sequence[str], parts: Sequence[str]) -> None:
    """The first assistant gets the list of the others, each other one the reference to the first."""
    source = f" from {parts[0]}" if len(parts) == 1 else ""
    others = ", ".join(names[1 : 1 + NAMED]) + (f" and {len(names) - 1 - NAMED} more" if len(names) > 1 + NAMED else "")
    notes.setdefault(names[0], {})[changed] = f"This change{source} also reaches {others}:"
    for name in names[1:]:
        notes.setdefault(name, {})[changed] = f"=The same change{source} as in {names[0]}."
