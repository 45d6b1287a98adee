"""What only OpenAI's saved agents ask of a definition, beside their schema.

A body of any shape is taken: what has the wrong type is passed over, because the schema has told of it already.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from trueup.core.canonical import OBJECT
from trueup.core.definitions.definition import Definition
from trueup.core.rules.fault import SECRET, Fault, place, shown
from trueup.core.source import Path

TOOLS_SIZE: Final = 3 * 1024 * 1024
"""Bytes that all tools may have together, as compact JSON in UTF-8."""

NAMES: Final[Mapping[str, tuple[str, str]]] = {"function": ("function", "name"), "mcp": ("MCP server", "server_label")}
"""What a kind of tool is called in a message, and the key that tells its tools apart."""


_SECRET_KEY = re.compile(
    r"(?:\A|[_.-])(?:api_?key|key|token|secret|password|passwd|pwd|signature|sig)\Z", re.IGNORECASE
)
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
            f"Take away {size - TOOLS_SIZE:,}: shorten descriptions and schemas, or name fewer tools.", at_key=True,
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
    return f"a credential, the parameter {shown(named[0])}" if named else ""


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
                "repeated", at, f"the {what} {shown(name)} is there twice, first as {place(seen[kind, name])}",
                "A model tells them apart by their names; give each its own.",
            )  # fmt: skip
        elif isinstance(name, str):
            seen[kind, name] = at
