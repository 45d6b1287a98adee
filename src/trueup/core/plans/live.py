"""Live assistants as everything that judges sees them, and which of them are unmanaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trueup.core.canonical import fits
from trueup.core.field_table import FieldTable
from trueup.core.memory.stamp import UNREADABLE, Stamp, parse
from trueup.core.memory.state import State


@dataclass(frozen=True, slots=True)
class LiveAssistant:
    """One live assistant with its stamp read; `named_by` is the field that people know it by."""

    id: str
    fields: Mapping[str, Any]
    created_at: int
    stamp: Stamp | None
    body: Mapping[str, Any] = field(default_factory=dict)
    named_by: str = "name"

    @property
    def display_name(self) -> str:
        """The vendor's name field, empty when null and where there is none."""
        name = self.fields.get(self.named_by)
        return name if isinstance(name, str) else ""


def read_live(
    live_id: str, body: Mapping[str, Any], created_at: int, stamp: str | None, table: FieldTable
) -> LiveAssistant:
    """Return a live body and the text of its stamp as everything that judges sees them."""
    return LiveAssistant(
        live_id, fields_of(body, table), created_at, parse(stamp, table.letters), body, table.display_name
    )


def fields_of(body: Mapping[str, Any], table: FieldTable) -> dict[str, Any]:
    """Return a live body as fields, without our stamp."""
    fields = table.split(body)
    fields.pop(table.stamp, None)
    return fields


def stamp_of(body: Mapping[str, Any], table: FieldTable) -> Stamp | None:
    """Return the stamp that a live body carries; None when there is none or it was released."""
    return parse(table.read_stamp(body), table.letters)


@dataclass(frozen=True, slots=True)
class Stranger:
    """A live assistant that is unmanaged."""

    id: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """By assistant the live fields that its file does not declare and that hold no default; and the strangers."""

    undeclared: Mapping[str, Mapping[str, Any]]
    strangers: tuple[Stranger, ...]


def find_unmanaged(
    bodies: Mapping[str, Mapping[str, Any]],
    state: State,
    seen: Mapping[str, LiveAssistant],
    table: FieldTable,
    extra: Mapping[str, Mapping[str, Any]],
) -> Unmanaged:
    """Return what is unmanaged beside these definitions; assistants in the order of their ids.

    `extra` are the live keys, by id, that no field of the table is.
    """
    undeclared = {}
    for name, body in sorted(bodies.items()):
        record = state.records.get(name)
        live = seen.get(record.id) if record is not None else None
        if record is not None and live is not None:
            fields = _list_undeclared(live.fields, {*table.split(body), *record.fields}, table)
            unknown = extra.get(live.id, {})
            fields.update({key: value for key, value in unknown.items() if value not in (None, "", [], {})})
            if fields:
                undeclared[name] = fields
    recorded = {record.id for record in state.records.values()}
    unclaimed = (live for live in seen.values() if live.stamp is None or live.stamp is UNREADABLE)
    strangers = (live for live in unclaimed if live.id not in recorded)
    return Unmanaged(undeclared, tuple(Stranger(live.id, live.display_name) for live in sorted(strangers, key=_by_id)))


def _list_undeclared(fields: Mapping[str, Any], managed: set[str], table: FieldTable) -> dict[str, Any]:
    """Return the unmanaged fields that are not at their defaults, with secrets masked."""
    return {
        name: table.mask_secrets(name, value)
        for name, value in fields.items()
        if name not in managed and not fits(name, None, value, table)
    }


def _by_id(live: LiveAssistant) -> str:
    return live.id
