"""Request bodies made of what is to be set and of the last read. Goes by a field table; names no field itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.core.field_table import Field, FieldTable, top_of


def create_body(sets: Mapping[str, Any], stamp: str, table: FieldTable) -> dict[str, Any]:
    """Return the body of a create: everything that is set, and the stamp unless it is empty."""
    return table.join({**sets, table.stamp: stamp} if stamp else sets)


def patch_body(
    live: Mapping[str, Any], sets: Mapping[str, Any], stamp: str, table: FieldTable, *, null_removes: bool = False
) -> dict[str, Any]:
    """Return the body of a request that sets some fields, None clearing one, and leaves all others as they are.

    A map that the server replaces as a whole carries the other entries of `live`, the last read. `null_removes`: the
    server is known to take an entry away that is null. An empty stamp is not sent.
    """
    body: dict[str, Any] = {}
    for path, value in sets.items():
        name = top_of(path)
        row = table.maps.get(name)
        if row is None:
            body[path] = table.clear_of(path) if value is None else value
        elif name not in body:
            body[name] = _map_value(row, table, live, sets, null_removes)
    if stamp:
        holder, _, key = table.stamp.partition(".")
        body[holder] = {**(body[holder] if holder in body else live.get(holder) or {}), key: stamp}
    return body


def has_room(live: Mapping[str, Any], sets: Mapping[str, Any], table: FieldTable) -> bool:
    """Return whether the stamp fits among the entries that its map will hold."""
    holder = top_of(table.stamp)
    most = table.maps[holder].max_entries
    if len(live.get(holder) or ()) + len(sets) < most:
        return True  # most often: there are so few entries that none needs to be looked at
    there = {**table.split({holder: live.get(holder)}), **_entries(holder, sets)}
    return sum(value is not None for path, value in there.items() if path != table.stamp) < most


def _entries(name: str, sets: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is set of the entries of one map."""
    return {path: value for path, value in sets.items() if top_of(path) == name}


def _map_value(
    row: Field, table: FieldTable, live: Mapping[str, Any], sets: Mapping[str, Any], null_removes: bool
) -> Any:
    """Return a map's value: what is set in it and, unless the server merges, the rest of what is live."""
    entries = _entries(row.name, sets)
    there = {} if row.merged else table.split({row.name: live.get(row.name)})
    if row.clear is None:  # an entry is cleared by its absence
        kept = {path: value for path, value in there.items() if entries.get(path, value) == value}
        gone = {path: None for path, value in entries.items() if value is None} if null_removes or row.merged else {}
        whole = {**kept, **gone, **{path: value for path, value in entries.items() if value is not None}}
    else:
        whole = {path: row.clear if value is None else value for path, value in entries.items()}
        whole.update({path: value for path, value in there.items() if value and path not in whole})
    return table.join(whole).get(row.name, {})
