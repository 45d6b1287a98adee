"""What a server filled in by itself, taken out of a live value: shown, or written into a file, it would mislead.

Knows the defaults as data and no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.core.canonical import Semantics, canonical, same, without_open_parts
from trueup.core.field_table import Kind
from trueup.core.tools import tool_name

_DEPTH = 4
"""Levels below a field in which servers fill in defaults; a JSON Schema, further down, is left as it is."""


def lean(name: str, live: Any, file: Any, semantics: Semantics) -> Any:
    """The live value without each key that the file does not have and that means nothing: a default, or null.

    Each tool is looked at by itself, so that many of them cost no more than each.
    """
    if semantics.table.kind_of(name) is Kind.TOOLS and isinstance(live, (list, tuple)):
        return [_lean_tool(name, tool, _partner(tool, file), semantics) for tool in live]
    return lean_whole(name, without_open_parts(name, live, file, semantics), file, semantics)


def _lean_tool(name: str, tool: Any, file: Any, semantics: Semantics) -> Any:
    return lean_whole(name, without_open_parts(name, [tool], [file], semantics), [file], semantics)[0]


def lean_whole(name: str, live: Any, file: Any, semantics: Semantics) -> Any:
    """The live value without what means nothing, but with the parts that only the server decides."""
    wanted = canonical(name, live, semantics)

    def without(value: Any, known: Any, depth: int, put: Any) -> Any:
        if depth == 0 or not isinstance(value, (dict, list)):
            return value
        if isinstance(value, list):
            for index, entry in enumerate(value):
                beside = _partner(entry, known)
                value = _with(value, index, without(entry, beside, depth - 1, _nested(put, value, index)))
            return value
        for key in list(value):
            if not (isinstance(known, Mapping) and key in known):
                fewer = {other: entry for other, entry in value.items() if other != key}
                if same(canonical(name, put(fewer), semantics), wanted):
                    value = fewer
                    continue
            inner = known.get(key) if isinstance(known, Mapping) else None
            value = _with(value, key, without(value[key], inner, depth - 1, _nested(put, value, key)))
        return value

    return without(_copied(live), file, _DEPTH, lambda value: value)


def _nested(put: Any, holder: Any, key: Any) -> Any:
    return lambda value: put(_with(holder, key, value))


def _with(holder: Any, key: Any, value: Any) -> Any:
    """A copy with one entry replaced."""
    if isinstance(holder, list):
        return [*holder[:key], value, *holder[key + 1 :]]
    return {**holder, key: value}


def _partner(entry: Any, known: Any) -> Any:
    """The file's entry of the same tool, whose words are kept."""
    if not isinstance(known, (list, tuple)) or not isinstance(entry, Mapping):
        return None
    return next((other for other in known if _called(other) == _called(entry)), None)


def _called(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return (entry, None)
    return (entry.get("type"), tool_name(entry))


def _copied(value: Any) -> Any:
    """The value in plain containers."""
    if isinstance(value, Mapping):
        return {key: _copied(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copied(entry) for entry in value]
    return value
