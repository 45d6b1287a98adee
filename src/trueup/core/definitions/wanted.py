"""Which JSON types a schema wants at a path, and a command line's text as one of them. Judges no value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from trueup.core.definitions.scalars import scalar
from trueup.core.source import Path

Wanted = Callable[[Path], frozenset[str]]
"""JSON type names (`string`, `number` …) by path; empty where nothing is known."""

_ENTRY: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s,"](?:[^,"]*[^\s,"])?')
_COMBINED: Final = ("allOf", "anyOf", "oneOf")
_BRANCHES: Final = ("then", "else")
_NAMES: Final[dict[type, str]] = {
    str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object", type(None): "null",
}  # fmt: skip


def wanted_types(schema: Mapping[str, Any]) -> Wanted:
    """The types that a draft 2020-12 schema allows at a path, over all branches; only local references are followed."""

    @cache
    def subschemas(path: Path) -> tuple[Mapping[str, Any], ...]:
        found = [schema] if not path else [inner for outer in subschemas(path[:-1]) for inner in _step(outer, path[-1])]
        return tuple(entry for start in found for entry in _expanded(start, schema, set()))

    @cache
    def types(path: Path) -> frozenset[str]:
        return frozenset(name for entry in subschemas(path) for name in _types(entry))

    return lambda path: types(tuple(0 if isinstance(part, int) else part for part in path))


def from_text(text: str, types: frozenset[str], entry_types: frozenset[str] = frozenset()) -> Any:
    """Return the text of a `--var` as a value of one of these types; text where nothing is known.

    `entry_types` are those of a list's entries. Raises ValueError.
    """
    if not types or "string" in types:
        return text
    if "array" in types and text.lstrip().startswith("["):
        return _list(text, entry_types)
    value = scalar(text)
    name = _NAMES[type(value)]
    if name in types and name not in ("array", "object"):
        return value
    if name == "integer" and "number" in types:
        return value
    if name == "number" and "integer" in types and isinstance(value, float) and value.is_integer():
        return int(value)
    raise ValueError(f"{text[:60]!r} is not {described(types)}")


def described(types: frozenset[str]) -> str:
    """The types in words: "a number", "true or false, or null"."""
    words = {
        "boolean": "true or false",
        "integer": "a whole number",
        "number": "a number",
        "string": "text",
        "null": "null",
        "array": 'a list such as ["a", "b"]',
        "object": "a mapping (which no --var can give)",
    }
    shown = types - {"integer"} if "number" in types else types
    return " or ".join(words[name] for name in sorted(shown)) or "a value"


def with_quotes(text: str) -> str:
    """Return a list's text with each entry in quotes, as it is written; empty where that makes no list of texts."""
    entries = _ENTRY.findall(text.strip().removeprefix("[").removesuffix("]"))
    made = ", ".join(entry if entry.startswith('"') else json.dumps(entry, ensure_ascii=False) for entry in entries)
    try:
        return f"[{made}]" if all(isinstance(entry, str) for entry in json.loads(f"[{made}]")) else ""
    except ValueError:
        return ""


def _list(text: str, entry_types: frozenset[str]) -> list[Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise ValueError(f"{text[:60]!r} is not a list in JSON") from None
    if not isinstance(value, list) or any(isinstance(entry, (dict, list)) for entry in value):
        raise ValueError(f"{text[:60]!r} is not a list of plain values")
    if entry_types and not {_NAMES[type(entry)] for entry in value} <= entry_types:
        raise ValueError(f"{text[:60]!r} is not a list whose entries are {described(entry_types)}")
    return value


def _types(entry: Mapping[str, Any]) -> Iterator[str]:
    if entry.get("x-secret"):
        return  # any text is handed on: what judges the definition refuses it and shows none of it
    given = entry.get("type", ())
    yield from [given] if isinstance(given, str) else given
    for value in (*entry.get("enum", ()), *([entry["const"]] if "const" in entry else ())):
        yield _NAMES[type(value)]


def _step(entry: Mapping[str, Any], part: str | int) -> Iterator[Mapping[str, Any]]:
    """The subschemas that speak of one key or one entry of a list."""
    if isinstance(part, int):
        yield from (
            inner for inner in (entry.get("items"), *entry.get("prefixItems", ())) if isinstance(inner, Mapping)
        )
        return
    named = entry.get("properties", {}).get(part)
    if isinstance(named, Mapping):
        yield named
        return
    patterns = entry.get("patternProperties", {}).items()
    matching = [inner for pattern, inner in patterns if re.search(pattern, part)] or [entry.get("additionalProperties")]
    yield from (inner for inner in matching if isinstance(inner, Mapping))


def _expanded(entry: Mapping[str, Any], root: Mapping[str, Any], seen: set[str]) -> Iterator[Mapping[str, Any]]:
    """A schema with everything it refers to or combines."""
    yield entry
    reference = entry.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/") and reference not in seen:
        target: Any = root
        for piece in reference[2:].split("/"):
            target = target.get(piece, {}) if isinstance(target, Mapping) else {}
        yield from _expanded(target, root, seen | {reference})
    for word in _COMBINED:
        for inner in entry.get(word, ()):
            yield from _expanded(inner, root, seen) if isinstance(inner, Mapping) else ()
    for word in _BRANCHES:
        if isinstance(entry.get(word), Mapping):
            yield from _expanded(entry[word], root, seen)
