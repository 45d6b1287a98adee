"""Bodies of requests, made of what is to be set and of the last read, and bodies without what a dialect cannot hold.

Goes by a field table and names no field itself. Each protocol finds its own losses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from trueup.core.field_table import Field, FieldTable, top_of
from trueup.core.rules.fault import CODE, Fault, is_allowed
from trueup.core.source import Path, Severity


def create_body(sets: Mapping[str, Any], stamp: str, table: FieldTable) -> dict[str, Any]:
    """Return the body of a create: everything that is set, and the stamp unless it is empty."""
    return table.join({**sets, table.stamp: stamp} if stamp else sets)


def patch_body(live: Mapping[str, Any], sets: Mapping[str, Any], stamp: str, table: FieldTable) -> dict[str, Any]:
    """Return the body of a request that sets some fields, None clearing one, and leaves all others as they are.

    A map that the server replaces as a whole carries the other entries of `live`, the last read. An empty
    stamp is not sent.
    """
    body: dict[str, Any] = {}
    for path, value in sets.items():
        name = top_of(path)
        row = table.maps.get(name)
        if row is None:
            body[path] = table.clear_of(path) if value is None else value
        elif name not in body:
            body[name] = _map_value(row, table, live, sets)
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


def _map_value(row: Field, table: FieldTable, live: Mapping[str, Any], sets: Mapping[str, Any]) -> Any:
    """Return a map's value: what is set in it and, unless the server merges, the rest of what is live."""
    entries = _entries(row.name, sets)
    there = {} if row.merged else table.split({row.name: live.get(row.name)})
    if row.clear is None:  # an entry is cleared by its absence
        kept = {path: value for path, value in there.items() if entries.get(path, value) == value}
        is_null_gone = table.null_removes or row.merged
        gone = {path: None for path, value in entries.items() if value is None} if is_null_gone else {}
        whole = {**kept, **gone, **{path: value for path, value in entries.items() if value is not None}}
    else:
        whole = {path: row.clear if value is None else value for path, value in entries.items()}
        whole.update({path: value for path, value in there.items() if value and path not in whole})
    return table.join(whole).get(row.name, {})


@dataclass(frozen=True, slots=True)
class Loss:
    """A part that a dialect does not support: `key` is how `allow_loss` names it, `path` where it stands."""

    key: str
    path: Path
    idle: bool
    """Whether it only says what is the default anyway."""


def fault_of(loss: Loss, name: str, allowed: Collection[str], instead: str = "") -> Fault:
    """Return the error for a loss, or the warning where the target allows it; `instead` says what to write."""
    if is_allowed(loss.key, allowed):
        return Fault(
            CODE, loss.path, f"{name} does not support {loss.key}; it is left out",
            "allow_loss permits it.", at_key=True, severity=Severity.WARNING,
        )  # fmt: skip
    message = f"{name} does not support {loss.key}"
    return Fault("not-held", loss.path, message, instead or _way_on(loss.key), at_key=True)


def remove_losses(body: Mapping[str, Any], losses: Iterable[Loss]) -> Mapping[str, Any]:
    """Return the body without its losses, in the order in which they stand; the same body where there are none."""
    kept = body
    for loss in reversed(tuple(losses)):  # so that the index of a tool still says which one is meant
        kept = _without(kept, loss.path)
    return kept


def _without(value: Any, path: Path) -> Any:
    """Return the value without what stands at a path; nothing that was handed in is changed."""
    head, rest = path[0], path[1:]
    if isinstance(value, (list, tuple)):
        kept = enumerate(value)
        if not rest:
            return [entry for index, entry in kept if index != head]
        return [_without(entry, rest) if index == head else entry for index, entry in kept]
    if not rest:
        return {key: entry for key, entry in value.items() if key != head}
    return {key: _without(entry, rest) if key == head else entry for key, entry in value.items()}


def _way_on(key: str) -> str:
    """Return how to leave out a part that a dialect does not support."""
    top, _, part = key.partition(".")
    where, value = (f"Write {top} without it", "…") if part else ("Take it out", "null")
    patch = f"`targets: {{TARGET: {{{top}: {value}}}}}`"
    return f"{where} for this target, in the definition: {patch}. Or permit it: `allow_loss: [{key}]`."
