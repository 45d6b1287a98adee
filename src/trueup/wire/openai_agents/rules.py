"""What OpenAI's saved agents ask of a definition beside their schema, and what a dialect's server cannot hold of one.

A part that the server does not support is a loss: an error, or a warning where the target allows it. A part that only
says what is the default anyway is left out silently. A body of any shape is taken: what has the wrong type is passed
over, because the schema reports it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from trueup.core.canonical import OBJECT
from trueup.core.definitions.definition import Definition
from trueup.core.rules.fault import SECRET, Fault, show_path, show_value
from trueup.core.source import CREDENTIAL_NAME, Path
from trueup.wire.base import Dialect
from trueup.wire.bodies import Loss, fault_of
from trueup.wire.openai_agents.fields import TABLE, TOOLS
from trueup.wire.openai_agents.translation import LOSSES

TOOLS_SIZE: Final = 3 * 1024 * 1024
"""Bytes that all tools may have together, as compact JSON in UTF-8."""

NAMES: Final[Mapping[str, tuple[str, str]]] = {"function": ("function", "name"), "mcp": ("MCP server", "server_label")}
"""What a kind of tool is called in a message, and the key that tells its tools apart."""


_SECRET_KEY = re.compile(rf"(?:\A|[_.-])(?:key|{CREDENTIAL_NAME})\Z", re.IGNORECASE)
"""Names of parameters of an address whose values are credentials."""


def check(definition: Definition) -> Iterator[Fault]:
    """Yield what is wrong with a definition beyond its schema."""
    tools = definition.body.get("tools")
    if isinstance(tools, list):
        yield from _too_large(tools)
        yield from _credentials(tools)
        yield from _twice(tools)


def _too_large(tools: list[Any]) -> Iterator[Fault]:
    text = json.dumps(tools, ensure_ascii=False, separators=(",", ":"), default=str)
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > TOOLS_SIZE:
        yield Fault(
            "too-long", ("tools",), f"tools come to {size:,} bytes of compact JSON; at most {TOOLS_SIZE:,} are allowed",
            f"Remove {size - TOOLS_SIZE:,}: shorten descriptions and schemas, or use fewer tools.", at_key=True,
        )  # fmt: skip


def _credentials(tools: list[Any]) -> Iterator[Fault]:
    """Yield the addresses of MCP servers that hold a credential; no message repeats one."""
    for index, tool in enumerate(tools):
        transport = tool.get("transport") if isinstance(tool, OBJECT) else None
        url = transport.get("server_url") if isinstance(transport, OBJECT) else None
        held = _credential_in(url) if isinstance(url, str) else ""
        if held:
            yield Fault(
                SECRET, ("tools", index, "transport", "server_url"), f"the address of the MCP server holds {held}",
                "Store the credential with OpenAI and write its id: `credential_id: …`, in the mcp tool.", at_key=True,
            )  # fmt: skip


def _credential_in(url: str) -> str:
    """Return what of an address is a credential, empty where nothing is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if "@" in parts.netloc:
        return "a user or a password"
    named = [name for name, value in parse_qsl(parts.query) if value and _SECRET_KEY.search(name)]
    return f"a credential, the parameter {show_value(named[0])}" if named else ""


def _twice(tools: list[Any]) -> Iterator[Fault]:
    seen: dict[tuple[str, str], Path] = {}
    for index, tool in enumerate(tools):
        kind = tool.get("type") if isinstance(tool, OBJECT) else None
        if not isinstance(kind, str) or kind not in NAMES:
            continue
        what, key = NAMES[kind]
        name, at = tool.get(key), ("tools", index, key)
        if isinstance(name, str) and (kind, name) in seen:
            yield Fault(
                "repeated", at, f"the {what} {show_value(name)} is there twice, first as {show_path(seen[kind, name])}",
                "A model tells them apart by their names; give each its own.",
            )  # fmt: skip
        elif isinstance(name, str):
            seen[kind, name] = at


def audit(body: Mapping[str, Any], dialect: Dialect, allowed: Collection[str]) -> Iterator[Fault]:
    """Yield everything that the dialect cannot hold of a body."""
    for loss in losses(body, dialect):
        if not loss.idle:
            yield fault_of(loss, dialect.name, allowed)


def losses(body: Mapping[str, Any], dialect: Dialect) -> Iterator[Loss]:
    """Yield every part of a body that the dialect does not support."""
    for name, value in body.items():
        field = TABLE.by_name.get(name)
        if name not in dialect.fields:
            yield Loss(name, (name,), value in (None, "", [], {}) or (field is not None and value == field.default))
        elif name == TABLE.tools:
            yield from _tool_losses(value, dialect)
        else:
            yield from _part_losses(value, name, (name,), {}, dialect)


def loss_keys(dialects: Collection[Dialect]) -> frozenset[str]:
    """Return every path that `allow_loss` can hold: what a translation or one of the dialects can lose."""
    return LOSSES.union(*(_lacks(row) for row in dialects))


def lacking(dialect: Dialect, *, translate: bool = False) -> tuple[str, ...]:
    """Return what the dialect cannot hold, as people name it; with `translate` also what a translation loses."""
    return tuple(sorted(_lacks(dialect) | (LOSSES if translate else frozenset())))


def _lacks(dialect: Dialect) -> frozenset[str]:
    """Return the fields, tools and parts of the vendor's own dialect that this one lacks."""
    tools = set(TOOLS).difference(dialect.holds.kinds["tools"])
    fields = set(TABLE.names).difference(dialect.fields)
    return dialect.holds.lacks.union(fields, (f"tools.{kind}" for kind in tools))


def _tool_losses(tools: Any, dialect: Dialect) -> Iterator[Loss]:
    for index, tool in enumerate(tools if isinstance(tools, (list, tuple)) else ()):
        kind = tool.get("type") if isinstance(tool, OBJECT) else None
        if not isinstance(kind, str):
            continue
        if kind not in dialect.holds.kinds["tools"]:
            yield Loss(f"tools.{kind}", ("tools", index), idle=False)
        else:
            fills = TABLE.by_name["tools"].fills.get(kind, {})
            yield from _part_losses(tool, f"tools.{kind}", ("tools", index), fills, dialect)


def _part_losses(value: Any, name: str, path: Path, fills: Mapping[str, Any], dialect: Dialect) -> Iterator[Loss]:
    """Yield the keys of one object that the dialect lacks; `fills` are those that say what is the default."""
    for key in value if isinstance(value, OBJECT) else ():
        if f"{name}.{key}" in dialect.holds.lacks:
            idle = value[key] is None or value[key] == fills.get(key)
            yield Loss(f"{name}.{key}", (*path, key), idle)
