"""What a tool is called, whether its protocol nests it under its type or not. Knows no protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def inner_of(tool: Any) -> Mapping[str, Any] | None:
    """Return the object that a tool nests under its type (`{type: function, function: {…}}`); None of a flat one."""
    kind = tool.get("type") if isinstance(tool, Mapping) else None
    inner = tool.get(kind) if isinstance(kind, str) else None
    return inner if isinstance(inner, Mapping) else None


def tool_name(tool: Any) -> str | None:
    """Return the name of a function or another named tool, or its server's label; None of a tool without one."""
    if not isinstance(tool, Mapping):
        return None
    named = inner_of(tool)
    found = ((named or {}).get("name"), tool.get("name"), tool.get("server_label"))
    return next((name for name in found if isinstance(name, str) and name), None)
