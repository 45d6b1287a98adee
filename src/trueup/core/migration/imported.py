"""An assistant that was found, and what of it a definition can say. Knows no file, no protocol and no server.

Absent, left out and empty are three things. What the source does not have stays undeclared, and so does what is at
its default, but for tools: an empty list is declared. A field with a value that no definition can hold is left
undeclared whole, so that an apply leaves it as it is live, and each such value is an `Omission`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.core.canonical import Semantics, canonical, float32, same
from trueup.core.field_table import Kind
from trueup.core.memory.stamp import KEY
from trueup.core.rules.limits import FIELDS, OLDER_FIELDS
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
class Unread:
    """Something in a file that is no assistant, and why, as the end of a sentence."""

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """An assistant in the neutral shape, wherever it was found.

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

    @property
    def display_name(self) -> str:
        """The vendor's name field, empty when null."""
        name = self.body.get("name")
        return name if isinstance(name, str) else ""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A body that is a definition's; `reason` says why there is none, as a sentence."""

    body: Mapping[str, Any]
    omissions: tuple[Omission, ...] = ()
    reason: str = ""


def slimmed(body: Mapping[str, Any], semantics: Semantics, *, linked: bool) -> dict[str, Any]:
    """Return a body as people write it: in their order, without defaults and our stamp, but with `name` and `tools`.

    `tools` stay out where the body has none: it lacks them, or has null for them and is no live (`linked`) one.
    """
    slim: dict[str, Any] = {"name": None if body.get("name") == "" else body.get("name")}
    for name in (*FIELDS, *(older for older in OLDER_FIELDS if older in semantics.table.by_name)):
        value = body.get(name)
        if name == "tools":
            slim.update(_tools(body, semantics, linked))
        elif name == "metadata":
            slim.update(_kept(name, value, lambda key, entry: key != KEY and entry is not None))
        elif name == "tool_resources":
            slim.update(_resources(value))
        elif name != "name" and not same(canonical(name, value, semantics), semantics.table.default_of(name)):
            slim[name] = _value(name, value, semantics)
    return slim


def fitted(body: Mapping[str, Any], problems: Problems, *, linked: bool) -> Fitted:
    """Return the body without what `problems` refuses, which becomes omissions.

    A list is never shortened: the field that a refused value stands in is left out whole, entries of `metadata` and
    lists of `tool_resources` being fields. Of a body that is not `linked` a nested key that definitions do not have
    is left out alone.
    """
    omissions: list[tuple[Path, Omission]] = []
    for _ in range(ROUNDS):
        found = [item for item in problems(body) if item.severity is Severity.ERROR]
        if not found:
            return Fitted(body, _by_place(omissions))
        fatal = next((item for item in found if not item.path or item.path[0] not in body.keys() - KEYSTONES), None)
        if fatal is not None:
            return Fitted({}, _by_place(omissions), fatal.message)
        told: list[tuple[Path, Path]] = []
        for item in found:
            place = _place(item, body, linked)
            if not any(place == other and _are_nested(item.path, path) for path, other in told):
                omissions.append((item.path, _omission(item, place)))
            told.append((item.path, place))
        body = _without(body, {place for _, place in told})
    return Fitted({}, _by_place(omissions), "too much of it cannot be written")


def unknown(body: Mapping[str, Any], semantics: Semantics) -> dict[str, Any]:
    """What a body holds beside the fields that a definition has for this server."""
    known = {*FIELDS, *(older for older in OLDER_FIELDS if older in semantics.table.by_name)}
    return {key: value for key, value in body.items() if key not in known}


def omissions_of(found: Found) -> list[Omission]:
    """Return what was left out while an object was read, and what it held beside the fields of definitions."""
    left = sorted(key for key, value in found.extra.items() if value not in (None, [], {}, ""))
    return [
        *found.omissions,
        *(Omission(key, f"{key} is no field of a definition, so it was left out") for key in left),
    ]


def _tools(body: Mapping[str, Any], semantics: Semantics, linked: bool) -> dict[str, Any]:
    """The tools, where the body has them; what is no list is the schema's to refuse."""
    value = body.get("tools")
    if value is None:
        return {"tools": []} if linked and "tools" in body else {}
    return {"tools": [_tool(tool, semantics) for tool in value] if isinstance(value, list) else value}


def _kept(name: str, value: Any, keep: Callable[[str, Any], bool]) -> dict[str, Any]:
    """One mapping with the entries to keep; nothing when none is left. What is no mapping is the schema's to refuse."""
    if not isinstance(value, Mapping):
        return {} if value is None else {name: value}
    entries = {key: entry for key, entry in value.items() if keep(key, entry)}
    return {name: entries} if entries else {}


def _resources(value: Any) -> dict[str, Any]:
    """The resource lists that hold something."""
    if not isinstance(value, Mapping):
        return {} if value is None else {"tool_resources": value}
    tools = {tool: _kept(tool, lists, lambda _, entry: entry not in (None, [])) for tool, lists in value.items()}
    filled = {tool: inner[tool] for tool, inner in tools.items() if inner}
    return {"tool_resources": filled} if filled else {}


def _value(name: str, value: Any, semantics: Semantics) -> Any:
    row = semantics.table.by_name[name]
    if row.kind is Kind.NUMBER and isinstance(value, float):
        return _short(value)
    fills = row.fills_of(value) if isinstance(value, Mapping) else None
    return value if fills is None else {key: _slim(key, entry, fills) for key, entry in value.items()}


def _slim(key: str, value: Any, fills: Mapping[str, Any]) -> Any:
    inner = fills.get(key)
    return _shed(value, inner) if isinstance(value, Mapping) and isinstance(inner, Mapping) else value


def _short(value: float) -> float:
    """The number with the fewest digits that is the same in single precision: 0.7, not 0.69999998."""
    return next(short for digits in range(1, 18) if float32(short := float(f"{value:.{digits}g}")) == float32(value))


def _tool(tool: Any, semantics: Semantics) -> Any:
    """A tool without nulls and what the server fills in; a bare word is its type."""
    if not isinstance(tool, Mapping):
        return {"type": tool} if isinstance(tool, str) else tool
    tool = {key: entry for key, entry in tool.items() if entry is not None}
    kind, fills = tool.get("type"), semantics.table.by_name["tools"].fills_of(tool)
    if not isinstance(kind, str) or fills is None:
        return tool
    if not isinstance(tool.get(kind, {}), (Mapping, type(None))):
        return tool
    inner = _shed(tool.get(kind) or {}, fills.get(kind, {}))
    rest = {key: entry for key, entry in tool.items() if key not in ("type", kind)}
    return {"type": kind, **({kind: inner} if inner else {}), **rest}


def _shed(value: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping without nulls and defaults; one level down nulls only, for there a key may be needed for another."""
    slim = {}
    for key, entry in value.items():
        default = defaults.get(key)
        if isinstance(default, Mapping) and isinstance(entry, Mapping) and key != "parameters":
            entry = {name: inner for name, inner in entry.items() if inner is not None}
            entry = {} if same({**default, **entry}, default) else entry
            if not entry:
                continue
        if entry is not None and not (key in defaults and same(entry, default)):
            slim[key] = entry
    return slim


def _place(item: Diagnostic, body: Mapping[str, Any], linked: bool) -> Path:
    """What is taken out for a problem: a key that no definition has, an entry that is a field of its own, or all."""
    path = item.path
    top, inner = path[0], body[str(path[0])]
    if top == "metadata" and isinstance(inner, Mapping):
        return path[:2] if len(path) > 1 and path[1] in inner else path[:1]
    if top == "tool_resources" and isinstance(inner, Mapping):
        return path[: min(_depth(path, body), 3)]
    deep = item.code in ALONE and len(path) > (2 if top == "tools" else 1)
    return path if deep and not linked and _depth(path, body) == len(path) else path[:1]


def _by_place(omissions: Sequence[tuple[Path, Omission]]) -> tuple[Omission, ...]:
    """The omissions in the order of fields, and of entries in a list."""

    def key(pair: tuple[Path, Omission]) -> tuple[int, list[str]]:
        top, *rest = pair[0]
        return FIELDS.index(str(top)) if top in FIELDS else len(FIELDS), [
            f"{step:09}" if isinstance(step, int) else step for step in rest
        ]

    return tuple(omission for _, omission in sorted(omissions, key=key))


def _are_nested(left: Path, right: Path) -> bool:
    """Whether one path leads to the other, so that two problems there are most often one."""
    length = min(len(left), len(right))
    return left[:length] == right[:length]


def _depth(path: Path, body: Mapping[str, Any]) -> int:
    """How many steps of a path lead to something in the body."""
    value: Any = body
    for depth, step in enumerate(path):
        known = value if isinstance(value, Mapping) else range(len(value)) if isinstance(value, list) else ()
        if step not in known:
            return depth
        value = value[step]
    return len(path)


def _without(value: Any, paths: set[Path]) -> Any:
    """The value without what stands at the paths; a mapping that becomes empty goes too, and no list gets shorter."""
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


def _omission(item: Diagnostic, place: Path) -> Omission:
    path, said = dotted(item.path), item.message
    if place == item.path and item.code in ALONE and len(place) > 1:
        return Omission(path, f"{path} is not in the definition: {said}")
    where = "" if path == dotted(place) or path in said else f"{path}: "
    return Omission(path, f"{dotted(place)} is not in the definition, and what is live stays as it is: {where}{said}")
