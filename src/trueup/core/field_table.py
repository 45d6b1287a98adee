"""A protocol's fields as a table: what each is, what its absence means and how it is cleared. Names no field itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Any, Final

STAMP_KEY = "trueup"
"""The key of the ownership stamp in metadata."""


class Kind(Enum):
    """What a field holds, and with that how it is compared, shown and edited."""

    SCALAR = "scalar"
    NUMBER = "number"  # a sampling number, which servers keep in single precision
    TEXT = "text"  # the prompt: prose of many lines
    LIST = "list"
    TOOLS = "tools"
    OBJECT = "object"  # compared, sent and replaced as a whole
    MAP = "map"  # each of its entries is a field of its own, such as `metadata.owner`


class ServerDecided(Enum):
    """Marks a part of a value that the server fills in with something that only it knows."""

    RESOLVED = "resolved"


RESOLVED: Final = ServerDecided.RESOLVED

MASK: Final = "***"
"""What is shown of a value that may be a secret."""


@dataclass(frozen=True, slots=True)
class Field:
    """One top-level field of a protocol's body.

    `default` is what an absent field means and `clear` what a request carries to clear it. `resolved`: only the server
    knows the default, so that any value is as good as cleared. `letter` is the field's in a stamp, never given to
    another field later; a field without one is unknown after a rebuild. Of a MAP, `depth` is how many keys below it
    make a field, `entries` are the ones that there are where they are known, and `default` is an absent entry's;
    `max_entries` is how many a server takes, which the map with the stamp has to say; `merged`: the server keeps the
    entries that a request leaves out; `clear` is what resets one.

    `fills` is what the server adds inside a value that lacks it: of an OBJECT by key, of TOOLS, and of an OBJECT that
    is `typed`, by type and key. An object in it also fills one that is there; RESOLVED stands for any value.
    `numbers` are the dotted paths inside the value of numbers that servers keep in single precision, and `synonyms`
    maps words, by such a path, to those that they are compared as. `empty_is_null`:
    an empty text is no text. `unordered`: the server answers the list in an order of its own.
    """

    name: str
    kind: Kind = Kind.SCALAR
    default: Any = None
    clear: Any = None
    resolved: bool = False
    letter: str = ""
    depth: int = 1
    entries: tuple[str, ...] = ()
    max_entries: int = 0
    merged: bool = False
    fills: Mapping[str, Any] = field(default_factory=dict)
    typed: bool = False
    numbers: tuple[str, ...] = ()
    synonyms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    empty_is_null: bool = False
    unordered: bool = False

    def fills_of(self, value: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return what the server fills in inside this value, or this tool; None where nothing is known of it."""
        if self.typed or self.kind is Kind.TOOLS:
            kind = value.get("type")
            return self.fills.get(kind) if isinstance(kind, str) else None
        return self.fills or None


@dataclass(frozen=True, slots=True)
class FieldTable:
    """All fields of one protocol, in the order in which people write them.

    `prompt` is the text that a Markdown definition's body stands for and `tools` the list of tools; `stamp` is the
    entry that holds the ownership stamp, in at most `stamp_length` characters. `schemas` are the places of embedded
    JSON Schemas, `*` for any index, and `schema_keys` the last step of each; `secrets` are places that may hold a
    secret, which no definition does.
    `built_in` are the names of the tools that the vendor provides, which prompts speak of.
    `display_name` is the field that people know an assistant by, empty where there is none. `stuck` are fields that the
    server is known to clear by nothing, and `null_removes` says that null takes a map's entry away: a probe can tell.
    `names` are all fields,
    `maps` those whose entries are fields of their own, `letters` the letters of those that a stamp holds.
    """

    fields: tuple[Field, ...]
    prompt: str = "instructions"
    tools: str = "tools"
    stamp: str = f"metadata.{STAMP_KEY}"
    stamp_length: int = 512
    schemas: tuple[tuple[str, ...], ...] = ()
    secrets: tuple[tuple[str, ...], ...] = ()
    display_name: str = "name"
    built_in: frozenset[str] = frozenset()
    stuck: frozenset[str] = frozenset()
    null_removes: bool = False
    names: tuple[str, ...] = field(init=False, compare=False, repr=False)
    schema_keys: frozenset[str] = field(init=False, compare=False, repr=False)
    by_name: Mapping[str, Field] = field(init=False, compare=False, repr=False)
    maps: Mapping[str, Field] = field(init=False, compare=False, repr=False)
    letters: Mapping[str, str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        fill = partial(object.__setattr__, self)  # the table is frozen; these follow from its rows
        fill("names", tuple(entry.name for entry in self.fields))
        fill("schema_keys", frozenset(path[-1] for path in self.schemas))
        fill("by_name", {entry.name: entry for entry in self.fields})
        fill("maps", {entry.name: entry for entry in self.fields if entry.kind is Kind.MAP})
        fill("letters", {entry.name: entry.letter for entry in self.fields if entry.letter})

    def field_of(self, path: str) -> Field | None:
        """Return the row of a field or of a map's entry (`metadata.owner`); None for a name that the table lacks."""
        return self.by_name.get(path) or self.maps.get(top_of(path))

    def kind_of(self, path: str) -> Kind:
        """Return the kind of a field; a map's entry has its map's."""
        row = self.field_of(path)
        return row.kind if row is not None else Kind.SCALAR

    def is_stuck(self, path: str) -> bool:
        """Return whether the server is known to clear this field by nothing."""
        return top_of(path) in self.stuck

    def is_unstamped(self, path: str) -> bool:
        """Return whether a stamp holds nothing of a field, which is then unknown where only the stamp is left."""
        row = self.field_of(path)
        return row is not None and not row.letter

    def is_resolved(self, path: str) -> bool:
        """Return whether only the server knows what a field is when it was cleared."""
        row = self.field_of(path)
        return row is not None and row.resolved

    def default_of(self, path: str) -> Any:
        """Return what an absent field means."""
        row = self.field_of(path)
        return row.default if row is not None and path not in self.maps else None

    def clear_of(self, path: str) -> Any:
        """Return what a request carries to clear a field."""
        row = self.field_of(path)
        return row.clear if row is not None else None

    def path_of(self, path: str) -> tuple[str, ...]:
        """Return a field's path in the body."""
        row = self.maps.get(top_of(path))
        return (path,) if row is None else tuple(path.split(".", row.depth))

    def vary(
        self,
        changes: Mapping[str, Mapping[str, Any]],
        without: Collection[str] = (),
        also: tuple[Field, ...] = (),
    ) -> FieldTable:
        """Return the table of a server that differs: other attributes of some fields, some fields less and more."""
        kept = (entry for entry in self.fields if entry.name not in without)
        return replace(self, fields=(*(replace(entry, **changes.get(entry.name, {})) for entry in kept), *also))

    def has_secret(self, path: str, value: Any) -> bool:
        """Return whether a field's value holds something where a secret may be."""
        return any(_is_filled(value, steps[1:]) for steps in self.secrets if steps[0] == path)

    def mask_secrets(self, path: str, value: Any) -> Any:
        """Return a field's value as it may be shown, with `MASK` wherever a secret may be."""
        for steps in self.secrets:
            if steps[0] == path and _is_filled(value, steps[1:]):
                value = _mask(value, steps[1:])
        return value

    def read_stamp(self, body: Mapping[str, Any]) -> str | None:
        """Return the text of the stamp in an assistant's body, None where there is none; of no text an empty one."""
        text: Any = body
        for step in self.path_of(self.stamp):
            text = text.get(step) if isinstance(text, Mapping) else None
        return text if text is None or isinstance(text, str) else ""

    def split(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a body's values by field; an entry of a map is a field of its own."""
        found: dict[str, Any] = {}
        maps = self.maps
        for name, value in body.items():
            if name not in maps:  # asked of every field of a fleet: the quickest question there is
                found[name] = value
            elif value:
                found.update(_walk_entries(name, value, maps[name].depth))
        return found

    def join(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body that `split` took apart."""
        body: dict[str, Any] = {}
        for path, value in fields.items():
            row = self.maps.get(top_of(path))
            if row is None or path == row.name:
                body[path] = value
                continue
            *parents, last = path.split(".", row.depth)
            holder = body
            for name in parents:
                holder = holder.setdefault(name, {})
            holder[last] = value
        return body


def top_of(path: str) -> str:
    """Return the top-level field that a path leads into: `metadata` of `metadata.owner`."""
    return path.partition(".")[0]


def _is_filled(value: Any, steps: tuple[str, ...]) -> bool:
    """Return whether something stands at some place that the steps lead to, `*` for any index."""
    if not steps:
        return value not in (None, "", [], (), {})
    if steps[0] == "*":
        return isinstance(value, (list, tuple)) and any(_is_filled(entry, steps[1:]) for entry in value)
    return isinstance(value, Mapping) and _is_filled(value.get(steps[0]), steps[1:])


def _mask(value: Any, steps: tuple[str, ...]) -> Any:
    if not _is_filled(value, steps):
        return value
    if steps and steps[0] == "*":
        return [_mask(entry, steps[1:]) for entry in value]
    if steps:
        return {**value, steps[0]: _mask(value[steps[0]], steps[1:])}
    if isinstance(value, Mapping):
        return dict.fromkeys(value, MASK)
    return [MASK for _ in value] if isinstance(value, (list, tuple)) else MASK


def _walk_entries(path: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    for name, entry in (value or {}).items():
        if depth == 1:
            yield f"{path}.{name}", entry
        else:
            yield from _walk_entries(f"{path}.{name}", entry, depth - 1)


def nested_tool(tool: Any) -> Mapping[str, Any] | None:
    """Return the object that a tool nests under its type (`{type: function, function: {…}}`); None of a flat one."""
    kind = tool.get("type") if isinstance(tool, Mapping) else None
    inner = tool.get(kind) if isinstance(kind, str) else None
    return inner if isinstance(inner, Mapping) else None


def tool_name(tool: Any) -> str | None:
    """Return the name of a function or another named tool, or its server's label; None of a tool without one."""
    if not isinstance(tool, Mapping):
        return None
    named = nested_tool(tool)
    found = ((named or {}).get("name"), tool.get("name"), tool.get("server_label"))
    return next((name for name in found if isinstance(name, str) and name), None)
