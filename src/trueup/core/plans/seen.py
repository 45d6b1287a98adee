"""One live assistant as everything that judges sees it: its fields, and its stamp read. Knows no file and no record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trueup.core.definitions.names import normal
from trueup.core.field_table import FieldTable
from trueup.core.memory.stamp import Stamp, parse


@dataclass(frozen=True, slots=True)
class Seen:
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


def see(live_id: str, body: Mapping[str, Any], created_at: int, stamp: str | None, table: FieldTable) -> Seen:
    """Return a live body and the text of its stamp as everything that judges sees them."""
    return Seen(live_id, fields_of(body, table), created_at, parse(stamp, table.letters), body, table.display_name)


def alike(name: object) -> str:
    """What display names share that look the same: how accents are stored and blanks at the ends make no difference.

    Empty for no name. For telling a namesake, never for what is sent; capitals and invisible characters make another.
    """
    return normal(name).strip() or name if isinstance(name, str) else ""


def fields_of(body: Mapping[str, Any], table: FieldTable) -> dict[str, Any]:
    """Return a live body as fields, without our stamp."""
    fields = table.split(body)
    fields.pop(table.stamp, None)
    return fields


def stamp_of(body: Mapping[str, Any], table: FieldTable) -> Stamp | None:
    """Return the stamp that a live body carries; None when there is none or it was released."""
    return parse(table.read_stamp(body), table.letters)
