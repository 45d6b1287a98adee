"""What a target's entry in a definition must say so that the definition says what is live there. Pure values only.

Only what the definition declares is looked at. A value that cannot be written is taken out of the declaration, for in
a target's entry null means *not declared*.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from trueup.core.canonical import Semantics, canonical, fits, same
from trueup.core.field_table import FieldTable


def override(
    declared: Mapping[str, Any],
    live: Mapping[str, Any],
    written: Mapping[str, Any],
    semantics: Semantics,
    ignored: Collection[str] = (),
) -> dict[str, Any]:
    """The patch, empty where nothing differs; `declared` and `live` are fields, `written` what a new definition of
    the live one would say."""
    table = semantics.table
    known = table.split(written)
    patch = {
        name: _wanted(name, live.get(name), known, semantics)
        for name, value in declared.items()
        if name not in ignored and not fits(name, value, live.get(name), semantics)
    }
    return table.join(patch)


def patched_document(
    document: Mapping[str, Any], target: str, patch: Mapping[str, Any], table: FieldTable
) -> dict[str, Any]:
    """The file's mapping with the patch in its entry for the target; what the entry says already stays."""
    targets = document.get("targets")
    entries = dict(targets) if isinstance(targets, Mapping) else {}
    entry = entries.get(target)
    entries[target] = _over(entry if isinstance(entry, Mapping) else {}, patch, table)
    return {**document, "targets": entries}


def _wanted(name: str, value: Any, known: Mapping[str, Any], semantics: Semantics) -> Any:
    """The live value as a file would say it; its default where that is a value, and null where none can be had."""
    if name in known:
        return known[name]
    default = semantics.table.default_of(name)
    is_default = value is None or same(canonical(name, value, semantics), default)
    return default if is_default else None


def _over(low: Mapping[str, Any], high: Mapping[str, Any], table: FieldTable) -> dict[str, Any]:
    made = dict(low)
    for key, entry in high.items():
        below = made.get(key)
        nested = key in table.maps and isinstance(entry, Mapping) and isinstance(below, Mapping)
        made[key] = _merged(below, entry) if nested else entry
    return made


def _merged(low: Any, high: Mapping[str, Any]) -> dict[str, Any]:
    """Entries over entries, all the way down, as a patch is laid over a definition."""
    made = dict(low)
    for key, entry in high.items():
        inner = made.get(key)
        made[key] = _merged(inner, entry) if isinstance(inner, Mapping) and isinstance(entry, Mapping) else entry
    return made
