"""An assistant that was found, what of it a definition can say, and what an import of many comes to.

Absent, left out and empty are three things. What the source does not have stays undeclared, and so does what is at
its default, but for tools: an empty list is declared. A field with a value that no definition can hold is left
undeclared whole, so that an apply leaves it as it is live, and each such value is an `Omission`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.core.canonical import canonical, fits, float32, same, strip_object
from trueup.core.command import HERE, Selection
from trueup.core.field_table import Field, FieldTable, Kind
from trueup.core.projects.project import PORTABLE
from trueup.core.source import Diagnostic, Path, Severity, dotted

Problems = Callable[[Mapping[str, Any]], Sequence[Diagnostic]]
"""What is wrong with a body as a definition."""

ROUNDS: Final = 40
"""Times that a body is looked at again after something was taken out of it."""


KEYSTONES: Final = frozenset({"model", "name"})
"""Fields without which there is no definition, or one that says something else."""

ALONE: Final = frozenset({"unknown-key", "not-held"})
"""Problems of a nested key that definitions, or the target's dialect, do not have: it can go without its tool."""


@dataclass(frozen=True, slots=True)
class Omission:
    """A value of a source that the definition does not hold.

    `path` is where it stands in the source (`tools[2].function.title`); `message` names it too, as a sentence without
    its full stop.
    """

    path: str
    message: str

    @property
    def field(self) -> str:
        """The top-level key that the path begins with."""
        return re.split(r"[.\[]", self.path, maxsplit=1)[0]


@dataclass(frozen=True, slots=True)
class NotAnAssistant:
    """Something in a file that is no assistant, and why, as the end of a sentence."""

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class ImportedAssistant:
    """An assistant in the names of a protocol, wherever it was found.

    `body` holds fields that definitions have, raw, and only those that the source has; `extra` what else the object
    held beside its `id` and its time; `where` says where it stood ("live", "old.json", "old.json, entry 3");
    `remarks` what became something else while it was read, and `omissions` what was left out then.
    """

    id: str
    body: Mapping[str, Any]
    where: str = "live"
    created_at: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    omissions: tuple[Omission, ...] = ()
    protocol: str = PORTABLE

    @property
    def display_name(self) -> str:
        """The vendor's name field, empty when null."""
        name = self.body.get("name")
        return name if isinstance(name, str) else ""


@dataclass(frozen=True, slots=True)
class FittedBody:
    """A body that is a definition's; `reason` says why there is none, as a sentence."""

    body: Mapping[str, Any]
    omissions: tuple[Omission, ...] = ()
    reason: str = ""


def slim_body(body: Mapping[str, Any], written: FieldTable, table: FieldTable, *, linked: bool) -> dict[str, Any]:
    """Return a body as people write it: in their order, without defaults and our stamp, but with its name and `tools`.

    `written` are the fields that it may hold. The tools stay out where the body has none: it lacks them, or has null
    for them and is no live (`linked`) one.
    """
    slim: dict[str, Any] = {}
    name = written.display_name
    if name:
        slim[name] = None if body.get(name) == "" else body.get(name)
    for row in written.fields:
        value = body.get(row.name)
        if row.name == written.tools:
            slim.update(_slim_tools(body, written, linked))
        elif row.kind is Kind.MAP:
            slim.update(_slim_map(row.name, value, row, written.stamp))
        elif row.name != name and not _is_default(row, value, table):
            slim[row.name] = _slim_value(row, value, written)
    return slim


def fit_body(body: Mapping[str, Any], written: FieldTable, problems: Problems, *, linked: bool) -> FittedBody:
    """Return the body without what `problems` refuses, which becomes omissions.

    A list is never shortened: the field that a refused value stands in is left out whole, and an entry of a map is a
    field. Of a body that is not `linked` a nested key that definitions do not have is left out alone.
    """
    omissions: list[tuple[Path, Omission]] = []
    for _ in range(ROUNDS):
        found = [item for item in problems(body) if item.severity is Severity.ERROR]
        if not found:
            return FittedBody(body, _sort_omissions(omissions, written))
        fatal = next((item for item in found if not item.path or item.path[0] not in body.keys() - KEYSTONES), None)
        if fatal is not None:
            return FittedBody({}, _sort_omissions(omissions, written), fatal.message)
        told: list[tuple[Path, Path]] = []
        for item in found:
            place = _place_to_omit(item, body, written, linked)
            if not any(place == other and _are_nested(item.path, path) for path, other in told):
                omissions.append((item.path, _make_omission(item, place)))
            told.append((item.path, place))
        body = _without(body, {place for _, place in told})
    return FittedBody({}, _sort_omissions(omissions, written), "too many of its values cannot be written")


def unknown_fields(body: Mapping[str, Any], written: FieldTable) -> dict[str, Any]:
    """Return the fields of a body that definitions for this server do not have."""
    return {key: value for key, value in body.items() if key not in written.by_name}


def list_omissions(found: ImportedAssistant) -> list[Omission]:
    """Return what was left out while an object was read, and what it held beside the fields of definitions."""
    left = sorted(key for key, value in found.extra.items() if value not in (None, [], {}, ""))
    return [
        *found.omissions,
        *(Omission(key, f"{key} is not a field of a definition, so it was left out") for key in left),
    ]


def _is_default(row: Field, value: Any, table: FieldTable) -> bool:
    """Whether a value says no more than that nobody chose one."""
    here = canonical(row.name, value, table)
    nothing = canonical(row.name, {}, table) if row.resolved and isinstance(value, Mapping) else None
    return same(here, row.default) or (nothing is not None and same(here, nothing))


def _slim_tools(body: Mapping[str, Any], written: FieldTable, linked: bool) -> dict[str, Any]:
    """Return the body's tools in short form; leave a value that is no list for the schema to refuse."""
    name = written.tools
    value = body.get(name)
    if value is None:
        return {name: []} if linked and name in body else {}
    return {name: [_slim_tool(tool, written) for tool in value] if isinstance(value, list) else value}


def _slim_map(path: str, value: Any, row: Field, stamp: str, depth: int = 1) -> dict[str, Any]:
    """One map with the entries that say something; nothing when none is left, as for an object inside of it.

    What is no mapping is the schema's to refuse.
    """
    name = path.rpartition(".")[2]
    if not isinstance(value, Mapping):
        return {} if value is None else {name: value}
    entries: dict[str, Any] = {}
    for key, entry in value.items():
        if depth < row.depth:
            entries.update(_slim_map(f"{path}.{key}", entry, row, stamp, depth + 1))
        elif f"{path}.{key}" != stamp and entry is not None and not same(entry, row.default):
            entries[key] = entry
    return {name: entries} if entries else {}


def _slim_value(row: Field, value: Any, written: FieldTable) -> Any:
    if row.kind is Kind.NUMBER and isinstance(value, float):
        return _shorten_number(value)
    return strip_object(value, None, row, written, 1) if isinstance(value, Mapping) else value


def _shorten_number(value: float) -> float:
    """Return the number with the fewest digits equal in single precision: 0.7, not 0.69999998."""
    return next(short for digits in range(1, 18) if float32(short := float(f"{value:.{digits}g}")) == float32(value))


def _slim_tool(tool: Any, written: FieldTable) -> Any:
    """Return a tool without nulls and server defaults, its type first; a bare word is its type."""
    if not isinstance(tool, Mapping):
        return {"type": tool} if isinstance(tool, str) else tool
    first = {"type": tool["type"]} if "type" in tool else {}
    tool = {key: entry for key, entry in {**first, **tool}.items() if entry is not None}
    return strip_object(tool, None, written.by_name[written.tools], written, 1)


def _place_to_omit(item: Diagnostic, body: Mapping[str, Any], written: FieldTable, linked: bool) -> Path:
    """Return the path to remove for a problem: an unknown key, an entry that is its own field, or the whole field."""
    path = item.path
    top, inner = str(path[0]), body[str(path[0])]
    row = written.maps.get(top)
    if row is not None and isinstance(inner, Mapping):
        return path[: min(_count_known_steps(path, body), row.depth + 1)]
    deep = item.code in ALONE and len(path) > (2 if top == written.tools else 1)
    return path if deep and not linked and _count_known_steps(path, body) == len(path) else path[:1]


def _sort_omissions(omissions: Sequence[tuple[Path, Omission]], written: FieldTable) -> tuple[Omission, ...]:
    """Sort the omissions by field, then by list index."""
    order = {name: place for place, name in enumerate(written.by_name)}

    def key(pair: tuple[Path, Omission]) -> tuple[int, list[str]]:
        top, *rest = pair[0]
        return order.get(str(top), len(order)), [f"{step:09}" if isinstance(step, int) else step for step in rest]

    return tuple(omission for _, omission in sorted(omissions, key=key))


def _are_nested(left: Path, right: Path) -> bool:
    """Whether one path leads to the other, so that two problems there are most often one."""
    length = min(len(left), len(right))
    return left[:length] == right[:length]


def _count_known_steps(path: Path, body: Mapping[str, Any]) -> int:
    """How many steps of a path lead to something in the body."""
    value: Any = body
    for depth, step in enumerate(path):
        known = value if isinstance(value, Mapping) else range(len(value)) if isinstance(value, list) else ()
        if step not in known:
            return depth
        value = value[step]
    return len(path)


def _without(value: Any, paths: set[Path]) -> Any:
    """Remove the values at the paths, and each mapping that this empties; lists keep their length."""
    if isinstance(value, list):
        return [_without(entry, {path[1:] for path in paths if path[0] == index}) for index, entry in enumerate(value)]
    if not paths or not isinstance(value, Mapping):
        return value
    kept: dict[str, Any] = {}
    for key, entry in value.items():
        below = {path[1:] for path in paths if path[0] == key}
        if () not in below:
            left = _without(entry, below)
            kept |= {} if below and left == {} else {key: left}
    return kept


def _make_omission(item: Diagnostic, place: Path) -> Omission:
    path, said = dotted(item.path), item.message
    if place == item.path and item.code in ALONE and len(place) > 1:
        return Omission(path, f"{path} is not in the definition: {said}")
    where = "" if path == dotted(place) or path in said else f"{path}: "
    return Omission(path, f"{dotted(place)} is not in the definition, and what is live stays as it is: {where}{said}")


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Assistants and definitions of one name, of which nobody can say which belongs to which."""

    display_name: str
    ids: tuple[str, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewFile:
    """A definition to be written; `origin` is the live id, or where the assistant stood, `id` empty when unlinked."""

    name: str
    file: str
    text: str
    origin: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A definition that gets a live assistant. `patch` is what its entry for the target must say, empty where they
    agree; `edit` the file before and after it, None where it has to be put in by hand, for the reason `why`."""

    name: str
    file: str
    id: str
    patch: Mapping[str, Any] = field(default_factory=dict)
    edit: tuple[bytes, bytes] | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Imports:
    """All of one import. `parts` are further new files, path to text; `omissions` are, by origin, the values that a
    definition does not hold, and `remarks` what else is to be known of it; `managed` maps ids, or places, to
    definitions that are there already; `outside` maps what was not imported to the reason, as the end of a sentence;
    `unlinked` maps the names of definitions without a record to the id that their assistant has in its source;
    `selection` is how a command line selects the target."""

    target: str
    files: tuple[NewFile, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    omissions: Mapping[str, tuple[Omission, ...]] = field(default_factory=dict)
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    managed: Mapping[str, str] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)
    outside: Mapping[str, str] = field(default_factory=dict)
    ambiguous: tuple[Ambiguous, ...] = ()
    unread: tuple[NotAnAssistant, ...] = ()
    shared: int = 0
    unlinked: Mapping[str, str] = field(default_factory=dict)
    selection: Selection = HERE

    @property
    def ids(self) -> dict[str, str]:
        """The names that get a live assistant, and its id."""
        return {item.name: item.id for item in self.files if item.id} | {item.name: item.id for item in self.links}

    @property
    def is_whole(self) -> bool:
        """Whether nothing that was asked for is left out or left to a person."""
        by_hand = any(item.why for item in self.links)
        return not (self.outside or self.ambiguous or self.unread or by_hand or any(self.omissions.values()))


def make_override(
    declared: Mapping[str, Any],
    live: Mapping[str, Any],
    written: Mapping[str, Any],
    table: FieldTable,
    ignored: Collection[str] = (),
) -> dict[str, Any]:
    """Return the patch that makes a definition match what is live; it is empty if nothing differs.

    `declared` and `live` are fields; `written` is what a new definition of the live assistant would declare.
    """
    known = table.split(written)
    patch = {
        name: _value_to_declare(name, live.get(name), known, table)
        for name, value in declared.items()
        if name not in ignored and not fits(name, value, live.get(name), table)
    }
    return table.join(patch)


def add_override(
    document: Mapping[str, Any], target: str, patch: Mapping[str, Any], table: FieldTable
) -> dict[str, Any]:
    """Add the patch to the target's entry in a file's mapping; keep what the entry already declares."""
    targets = document.get("targets")
    entries = dict(targets) if isinstance(targets, Mapping) else {}
    entry = entries.get(target)
    entries[target] = _lay_over(entry if isinstance(entry, Mapping) else {}, patch, table)
    return {**document, "targets": entries}


def _value_to_declare(name: str, value: Any, known: Mapping[str, Any], table: FieldTable) -> Any:
    """Return the live value as a file declares it, else the field's default, else null."""
    if name in known:
        return known[name]
    default = table.default_of(name)
    is_default = value is None or same(canonical(name, value, table), default)
    return default if is_default else None


def _lay_over(low: Mapping[str, Any], high: Mapping[str, Any], table: FieldTable) -> dict[str, Any]:
    made = dict(low)
    for key, entry in high.items():
        below = made.get(key)
        nested = key in table.maps and isinstance(entry, Mapping) and isinstance(below, Mapping)
        made[key] = _merge(below, entry) if nested else entry
    return made


def _merge(low: Any, high: Mapping[str, Any]) -> dict[str, Any]:
    """Entries over entries, all the way down, as a patch is laid over a definition."""
    made = dict(low)
    for key, entry in high.items():
        inner = made.get(key)
        made[key] = _merge(inner, entry) if isinstance(inner, Mapping) and isinstance(entry, Mapping) else entry
    return made
