"""An assistant that was found, and what of it a definition can say. Knows no file, no protocol and no server.

What is at its default is left out, except `tools`, which are always said. What no definition can hold is listed and
never dropped in silence: of an assistant that stays linked the whole field is then left undeclared, so that what is
live stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.core.canonical import Semantics, canonical, float32, same
from trueup.core.memory.stamp import KEY
from trueup.core.rules.limits import FIELDS, OLDER_FIELDS
from trueup.core.source import Diagnostic, Path, Severity, dotted

Problems = Callable[[Mapping[str, Any]], Sequence[Diagnostic]]
"""What is wrong with a body as a definition."""

ROUNDS: Final = 40
"""Times that a body is looked at again after something was taken out of it."""


KEYSTONES: Final = frozenset({"model", "name"})
"""Fields without which there is no definition, or one that says something else."""


@dataclass(frozen=True, slots=True)
class Found:
    """An assistant in the neutral shape, wherever it was found.

    `body` holds fields that definitions have, raw; `extra` what else the object held beside its `id` and its time;
    `where` says where it stood ("live", "old.json", "old.json, entry 3"); `remarks` what reading it already lost.
    """

    id: str
    body: Mapping[str, Any]
    where: str = "live"
    created_at: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def display_name(self) -> str:
        """The vendor's name field, empty when null."""
        name = self.body.get("name")
        return name if isinstance(name, str) else ""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A body that is a definition's; `reason` says why there is none, as a sentence."""

    body: Mapping[str, Any]
    remarks: tuple[str, ...] = ()
    reason: str = ""


def slimmed(body: Mapping[str, Any], semantics: Semantics) -> dict[str, Any]:
    """A live body as people write it: in their order, without defaults and our stamp, but with `name` and `tools`."""
    slim: dict[str, Any] = {"name": body.get("name") or None}
    for name in (*FIELDS, *(older for older in OLDER_FIELDS if older in semantics.defaults)):
        value = body.get(name)
        if name == "tools":
            slim[name] = [_tool(tool, semantics) for tool in value] if isinstance(value, list) else value or []
        elif name == "metadata":
            slim.update(_kept(name, value, lambda key, entry: key != KEY and entry is not None))
        elif name == "tool_resources":
            slim.update(_resources(value))
        elif name != "name" and not same(canonical(name, value, semantics), semantics.default(name)):
            slim[name] = _value(name, value, semantics)
    return slim


def fitted(body: Mapping[str, Any], problems: Problems, *, linked: bool) -> Fitted:
    """The body without what `problems` refuses, which becomes remarks; `linked` assistants keep a field whole or not
    at all."""
    remarks: list[str] = []
    for _ in range(ROUNDS):
        found = [item for item in problems(body) if item.severity is Severity.ERROR]
        if not found:
            return Fitted(body, tuple(remarks))
        fatal = next((item for item in found if not item.path or item.path[0] not in body.keys() - KEYSTONES), None)
        if fatal is not None:
            return Fitted({}, tuple(remarks), fatal.message)
        taken: dict[Path, Diagnostic] = {}
        for item in found:
            taken.setdefault(_place(item.path, body, linked), item)  # the first is the cause of those behind it
        remarks += [_remark(path, item, linked) for path, item in taken.items()]
        body = _without(body, set(taken))
    return Fitted({}, tuple(remarks), "too much of it cannot be written")


def unknown(body: Mapping[str, Any], semantics: Semantics) -> dict[str, Any]:
    """What a body holds beside the fields that a definition has for this server."""
    known = {*FIELDS, *(older for older in OLDER_FIELDS if older in semantics.defaults)}
    return {key: value for key, value in body.items() if key not in known}


def left_over(found: Found) -> list[str]:
    """What an object held that no definition has a word for, as sentences."""
    shown = sorted(key for key, value in found.extra.items() if value not in (None, [], {}, ""))
    return [f"{key} is no field of a definition, so it was left out" for key in shown]


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
    if name in semantics.float32 and isinstance(value, float):
        return _short(value)
    if name == "response_format" and isinstance(value, Mapping) and isinstance(value.get("json_schema"), Mapping):
        return {**value, "json_schema": _shed(value["json_schema"], semantics.format_defaults)}
    return value


def _short(value: float) -> float:
    """The number with the fewest digits that is the same in single precision: 0.7, not 0.69999998."""
    return next(short for digits in range(1, 18) if float32(short := float(f"{value:.{digits}g}")) == float32(value))


def _tool(tool: Any, semantics: Semantics) -> Any:
    """A tool without what the server fills in."""
    kind = tool.get("type") if isinstance(tool, Mapping) else None
    if not isinstance(kind, str) or kind not in semantics.tool_defaults:
        return tool
    if not isinstance(tool.get(kind, {}), (Mapping, type(None))):
        return tool
    inner = _shed(tool.get(kind) or {}, semantics.tool_defaults[kind])
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


def _place(path: Path, body: Mapping[str, Any], linked: bool) -> Path:
    """What is taken out for a problem at a path: an entry where entries are fields of their own, else the field."""
    top, rest = path[0], path[1:]
    if not rest:
        return (top,)
    if top == "tools":
        return (top,) if linked or not isinstance(body[top], list) else (top, rest[0])
    if top in ("metadata", "tool_resources") and isinstance(body[top], Mapping) and rest[0] in body[top]:
        return (top, rest[0])
    return (top,)


def _without(body: Mapping[str, Any], paths: set[Path]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in body.items():
        gone = {path[1] for path in paths if path[0] == key and len(path) > 1}
        if (key,) in paths:
            continue
        if gone and isinstance(value, Mapping):
            value = {name: entry for name, entry in value.items() if name not in gone}
            if not value:
                continue
        elif gone:
            value = [entry for index, entry in enumerate(value) if index not in gone]
        kept[key] = value
    return kept


def _remark(path: Path, item: Diagnostic, linked: bool) -> str:
    stays = ", and what is live stays as it is" if linked else ""
    return f"{dotted(path)} is not in the definition{stays}: {item.message}"
