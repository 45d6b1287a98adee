"""Makes the schema of what people write, for editors, out of the schema of what it comes to.

What is written may stand for something else (`{var: NAME}`, `{file: PATH}`, a bare tool name, a list of parts), may
build on another file, and may be a patch in which nothing is required and null takes a field out. Knows those forms
and where each may stand; the fields themselves it takes from the schema it is handed, and it reads no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = dict[str, Any]

SCALARS = frozenset({"string", "number", "integer", "boolean"})

MERGED = frozenset({("metadata",), ("tool_resources",), ("tool_resources", "*"), ("options",), ("lifecycle",)})
"""Objects that a patch merges by key; every other field it replaces as a whole."""

AROUND = ("options", "lifecycle")
"""Keys that are no part of the body: variables do not reach into them."""

BARE_TOOLS = ["code_interpreter", "file_search", "retrieval"]
"""Tools that need no more than their name."""

FILE_FORMS = frozenset({"parameters", "schema"})
"""Objects inside the body that `{file: PATH}` may stand for, beside the instructions, a tool and a list of tools."""

FORMS: Schema = {
    "var": {
        "title": "Variable",
        "description": "The value of a variable: from --var, the target's vars, or the project's vars.",
        "type": "object",
        "required": ["var"],
        "additionalProperties": False,
        "properties": {
            "var": {
                "title": "Variable name",
                "description": "The name under which the variable is given.",
                "type": "string",
                "minLength": 1,
            }
        },
    },
    "file": {
        "title": "File",
        "description": "The content of another file; a name that starts with _ keeps it from being a definition.",
        "type": "object",
        "required": ["file"],
        "additionalProperties": False,
        "properties": {
            "file": {
                "title": "Path",
                "description": "The path, relative to this file; it stays inside the project.",
                "type": "string",
                "minLength": 1,
            }
        },
    },
}

EXTENDS: Schema = {
    "title": "Extends",
    "description": "The file this one builds on, relative to this file. What is written here is a patch to it.",
    "type": "string",
    "minLength": 1,
    "examples": ["_base.yaml"],
}


def editor_schema(assistant: Mapping[str, Any]) -> Schema:
    """The schema of a definition as it is written, generated from the schema of a resolved one; changes no input."""
    properties = {name: _written(rule, (name,)) for name, rule in assistant["properties"].items()}
    properties["instructions"] = _instructions(properties["instructions"])
    definitions = {name: _written(rule, ("$defs", name)) for name, rule in assistant["$defs"].items()}
    return {
        "$schema": assistant["$schema"],
        "title": "Definition",
        "description": "What a file says an assistant should be. Only what it names is managed.",
        "type": "object",
        "additionalProperties": False,
        "properties": {"extends": EXTENDS, **properties, "targets": _targets()},
        "$defs": {**FORMS, "patch": _patch(properties), **definitions},
    }


def _targets() -> Schema:
    return {
        "title": "Targets",
        "description": "What is different on one target, by its name; false leaves the assistant out there.",
        "type": ["object", "null"],
        "additionalProperties": {"$ref": "#/$defs/patch"},
    }


def _patch(properties: Mapping[str, Any]) -> Schema:
    return {
        "title": "Patch for one target",
        "description": "Fields that replace those above; null takes a field out. False: no such assistant here.",
        "type": ["object", "boolean", "null"],
        "not": {"const": True},
        "additionalProperties": False,
        "properties": {name: {"$ref": f"#/properties/{name}"} for name in properties},
    }


def _instructions(rule: Schema) -> Schema:
    """Text, a file, or a list of parts of either kind."""
    part = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/file"}]}
    text = {key: value for key, value in rule.items() if key not in ("title", "description")}
    parts = {"type": "array", "items": part, "description": "Parts, joined by one blank line."}
    return {**_told(rule), "anyOf": [text, {"$ref": "#/$defs/file"}, parts]}


def _written(rule: Any, path: tuple[str, ...]) -> Any:
    """A rule and everything in it, with the forms that may stand there; `path` leads to it, `*` for any key or item."""
    if not isinstance(rule, Mapping):
        return rule
    inner: Schema = dict(_inner(rule, path))
    if path == ("$defs", "tool"):
        return _tool(inner)
    if path[-1] in FILE_FORMS:
        return {**_told(inner), "anyOf": [{"$ref": "#/$defs/file"}, _untold(inner)]}
    if _in_patch(path):
        inner = _patched(inner, _any_key(path) in MERGED)
    if _takes_variable(rule, path):
        return {**_told(inner), "anyOf": [_untold(inner), {"$ref": "#/$defs/var"}]}
    return inner


def _inner(rule: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for word, value in rule.items():
        if word.startswith("x-"):
            continue
        if word == "properties":
            yield word, {name: _written(entry, (*path, name)) for name, entry in value.items()}
        elif word in ("items", "additionalProperties"):
            yield word, _written(value, (*path, "*"))
        elif word == "then":
            yield word, _written(value, (*path, "then"))
        elif word == "allOf":
            yield word, [dict(_inner(entry, path)) for entry in value]
        else:
            yield word, value


def _told(rule: Mapping[str, Any]) -> Schema:
    """What an editor shows of a rule."""
    return {word: rule[word] for word in ("title", "description", "default") if word in rule}


def _untold(rule: Mapping[str, Any]) -> Schema:
    return {word: value for word, value in rule.items() if word not in ("title", "description", "default")}


def _tool(rule: Schema) -> Schema:
    """A tool by its name alone, from a file that holds it or a list of tools, or in full."""
    file = {"$ref": "#/$defs/file", "description": "A file that holds a tool, or a list of tools for this place."}
    return {**_told(rule), "anyOf": [{"enum": BARE_TOOLS}, file, _untold(rule)]}


def _types(rule: Mapping[str, Any]) -> set[str]:
    types = rule.get("type", [])
    return {types} if isinstance(types, str) else set(types)


def _takes_variable(rule: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    """Whether the body expects a scalar or a list here, and a variable may give it."""
    if path == ("instructions",) or path[0] in AROUND or "then" in path:
        return False
    if path == ("$defs", "format_word") or path == ("$defs", "format_object"):
        return False
    return bool(_types(rule) & (SCALARS | {"array"}))


def _any_key(path: tuple[str, ...]) -> tuple[str, ...]:
    """The path with `*` for every key but the first, as `MERGED` is written."""
    return (path[0], *("*" for _ in path[1:]))


def _in_patch(path: tuple[str, ...]) -> bool:
    """Whether a patch may take this out by null: fields, and the entries of objects that are merged."""
    return path[0] != "$defs" and (len(path) == 1 or _any_key(path[:-1]) in MERGED)


def _patched(rule: Schema, merged: bool) -> Schema:
    """The rule with nothing required where keys are merged, and with null."""
    kept = {word: value for word, value in rule.items() if not (merged and word == "required")}
    if "type" in kept and "null" not in _types(kept):
        kept["type"] = [*([kept["type"]] if isinstance(kept["type"], str) else kept["type"]), "null"]
    return kept
