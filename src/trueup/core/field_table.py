"""A protocol's fields as a table: what each is, what its absence means and how it is cleared. Names no field itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any, Final


class Kind(Enum):
    """What a field holds, and with that how it is compared, shown and edited."""

    SCALAR = "scalar"
    NUMBER = "number"  # a sampling number, which servers keep in single precision
    TEXT = "text"  # prose of many lines
    LIST = "list"
    TOOLS = "tools"
    OBJECT = "object"  # compared, sent and replaced as a whole
    MAP = "map"  # each of its entries is a field of its own, such as `metadata.owner`


class Resolved(Enum):
    """Marks a part of a value that the server fills in with something that only it knows."""

    RESOLVED = "resolved"


RESOLVED: Final = Resolved.RESOLVED


@dataclass(frozen=True, slots=True)
class Field:
    """One top-level field of a protocol's body.

    `default` is what an absent field means and `clear` what a request carries to clear it. `resolved`: only the server
    knows the default, so that any value is as good as cleared. `letter` is the field's in a stamp, never given to
    another field later; a field without one is unknown after a rebuild. Of a MAP, `depth` is how many keys below it
    make a field, `entries` are the ones that there are where they are known, and `default` is an absent entry's;
    `merged`: the server keeps the entries that a request leaves out; `clear` is what resets one.
    `fills` is what the server adds inside a value that lacks it: of an OBJECT by key, of TOOLS by type and key. An
    object in it fills one that is there; RESOLVED stands for any value.
    """

    name: str
    kind: Kind = Kind.SCALAR
    default: Any = None
    clear: Any = None
    resolved: bool = False
    letter: str = ""
    depth: int = 1
    entries: tuple[str, ...] = ()
    merged: bool = False
    fills: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldTable:
    """All fields of one protocol, in the order in which people write them.

    `prompt` is the text that a Markdown definition's body stands for and `tools` the list of tools; `stamp` is the
    entry that holds the ownership stamp. `schemas` are the places of embedded JSON Schemas, `*` for any index.
    `maps` are the fields whose entries are fields of their own, `letters` those of the fields that a stamp holds.
    """

    fields: tuple[Field, ...]
    prompt: str = "instructions"
    tools: str = "tools"
    stamp: str = "metadata.trueup"
    schemas: tuple[tuple[str, ...], ...] = ()
    by_name: Mapping[str, Field] = field(init=False, compare=False, repr=False)
    maps: Mapping[str, Field] = field(init=False, compare=False, repr=False)
    letters: Mapping[str, str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        fill = partial(object.__setattr__, self)  # the table is frozen; these follow from its rows
        fill("by_name", {entry.name: entry for entry in self.fields})
        fill("maps", {entry.name: entry for entry in self.fields if entry.kind is Kind.MAP})
        fill("letters", {entry.name: entry.letter for entry in self.fields if entry.letter})

    def field_of(self, path: str) -> Field | None:
        """Return the row of a field or of a map's entry (`metadata.owner`); None for a name that the table lacks."""
        return self.by_name.get(path) or self.maps.get(path.partition(".")[0])

    def split(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a body's values by field; an entry of a map is a field of its own."""
        found: dict[str, Any] = {}
        for name, value in body.items():
            row = self.maps.get(name)
            if row is None:
                found[name] = value
            else:
                found.update(_entries(name, value, row.depth))
        return found

    def join(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body that `split` took apart."""
        body: dict[str, Any] = {}
        for path, value in fields.items():
            row = self.maps.get(path.partition(".")[0])
            if row is None or path == row.name:
                body[path] = value
                continue
            *parents, last = path.split(".", row.depth)
            holder = body
            for name in parents:
                holder = holder.setdefault(name, {})
            holder[last] = value
        return body


def _entries(path: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    for name, entry in (value or {}).items():
        if depth == 1:
            yield f"{path}.{name}", entry
        else:
            yield from _entries(f"{path}.{name}", entry, depth - 1)
