"""One live assistant as everything that judges sees it: its fields, and its stamp read. Knows no file and no record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trueup.core.canonical import split
from trueup.core.definitions.names import normal
from trueup.core.memory.stamp import KEY, Stamp


@dataclass(frozen=True, slots=True)
class Seen:
    """One live assistant with its stamp read."""

    id: str
    fields: Mapping[str, Any]
    created_at: int
    stamp: Stamp | None
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def display_name(self) -> str:
        """The vendor's name field, empty when null."""
        name = self.fields.get("name")
        return name if isinstance(name, str) else ""


def alike(name: object) -> str:
    """What display names share that look the same: how accents are stored and blanks at the ends make no difference.

    Empty for no name. For telling a namesake, never for what is sent; capitals and invisible characters make another.
    """
    return normal(name).strip() or name if isinstance(name, str) else ""


def fields_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """A live body as fields, without our stamp."""
    fields = split(body)
    fields.pop(f"metadata.{KEY}", None)
    return fields
