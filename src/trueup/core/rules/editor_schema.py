"""Makes the schema of what people write, for editors, out of the schema of what it comes to.

What is written may stand for something else (`{var: NAME}`, `{file: PATH}`, a bare tool name, a list of parts), may
build on another file, and may be a patch in which nothing is required and null takes a field out. Knows those forms
and where each may stand; the fields it takes from the schema and the table it is handed, and it reads no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trueup.core.field_table import FieldTable

Schema = dict[str, Any]

SCALARS = frozenset({"string", "number", "integer", "boolean"})

AROUND = "lifecycle"
"""A key that is no part of the body: variables and files do not reach into it."""

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


PROTOCOL: Schema = {
    "title": "Protocol",
    "description": "In whose names this definition is written; left out, trueup.yaml or the targets decide.",
    "type": "string",
    "minLength": 1,
}


def make_editor_schema(resolved: Mapping[str, Any], protocol: str, table: FieldTable) -> Schema:
    """Make the schema of a protocol's definitions as written from that of resolved ones; change no input."""
    return _Writer(resolved, protocol, table).schema()


class _Writer:
    """Makes the schema of one protocol's definitions."""

    def __init__(self, resolved: Mapping[str, Any], protocol: str, table: FieldTable) -> None:
        self._resolved = resolved
        self._protocol = protocol
        self._table = table

    def schema(self) -> Schema:
        resolved, prompt = self._resolved, self._table.prompt
        properties = {name: self._write_rule(rule, (name,)) for name, rule in resolved["properties"].items()}
        properties[prompt] = _prompt_schema(properties[prompt])
        definitions = {name: self._write_rule(rule, ("$defs", name)) for name, rule in resolved["$defs"].items()}
        around = {"protocol": {**PROTOCOL, "const": self._protocol}, "extends": EXTENDS}
        return {
            "$schema": resolved["$schema"],
            "title": "Definition",
            "description": "What a file says an assistant should be. Only what it names is managed.",
            "type": "object",
            "additionalProperties": False,
            "properties": {**around, **properties, "targets": _targets_schema()},
            "$defs": {**FORMS, "patch": _patch_schema(properties), **definitions},
        }

    def _write_rule(self, rule: Any, path: tuple[str, ...]) -> Any:
        """Return a rule with the forms that may replace its values; `path` leads to it, `*` stands for any key."""
        if not isinstance(rule, Mapping):
            return rule
        inner: Schema = dict(self._write_inner(rule, path))
        if path == ("$defs", "tool"):
            return self._write_tool(inner)
        if path[-1] in self._table.schema_keys and "then" not in path:
            return {**_annotations(inner), "anyOf": [{"$ref": "#/$defs/file"}, _constraints(inner)]}
        if self._in_patch(path):
            inner = _make_nullable(inner, self._is_merged(path))
        forms = [{"$ref": f"#/$defs/{form}"} for form in self._list_forms(rule, path)]
        return {**_annotations(inner), "anyOf": [_constraints(inner), *forms]} if forms else inner

    def _write_inner(self, rule: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        for word, value in rule.items():
            if word.startswith("x-"):
                continue
            if word == "properties":
                yield word, {name: self._write_rule(entry, (*path, name)) for name, entry in value.items()}
            elif word in ("items", "additionalProperties"):
                yield word, self._write_rule(value, (*path, "*"))
            elif word == "then":
                yield word, self._write_rule(value, (*path, "then"))
            elif word == "allOf":
                yield word, [dict(self._write_inner(entry, path)) for entry in value]
            else:
                yield word, value

    def _write_tool(self, rule: Schema) -> Schema:
        """Return the rule of a tool: its name alone, a file that holds one or a list, or the tool in full."""
        file = {"$ref": "#/$defs/file", "description": "A file that holds a tool, or a list of tools for this place."}
        return {**_annotations(rule), "anyOf": [{"enum": self._list_bare_tools()}, file, _constraints(rule)]}

    def _list_bare_tools(self) -> list[str]:
        """Return the tools that need nothing but their name."""
        shared, found = self._resolved["$defs"], []
        for branch in shared["tool"]["allOf"]:
            rule = shared[branch["then"]["$ref"].removeprefix("#/$defs/")]
            if not rule.get("required"):
                found.append(branch["if"]["properties"]["type"]["const"])
        return found

    def _list_forms(self, rule: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
        """Yield the forms that may replace a body's value: a variable for a scalar or a list, a file for any."""
        if path == (self._table.prompt,) or path[0] == AROUND or "then" in path or path in self._list_branches():
            return
        if _types_of(rule) & (SCALARS | {"array"}):
            yield "var"
        row = self._table.maps.get(path[0])
        is_open = row is not None and not row.entries and len(path) == 1
        if _types_of(rule) and not is_open:
            yield "file"

    def _list_branches(self) -> set[tuple[str, ...]]:
        """Return the shared rules that one type of a value leads to; the rule that leads there has the forms."""
        return {
            ("$defs", branch["then"]["$ref"].removeprefix("#/$defs/"))
            for rule in self._resolved["$defs"].values()
            for branch in rule.get("allOf", ())
            if "$ref" in branch.get("then", ())
        }

    def _is_merged(self, path: tuple[str, ...]) -> bool:
        """Whether a patch merges the object at a path by key; every other field it replaces as a whole."""
        row = self._table.maps.get(path[0])
        return path == (AROUND,) or (row is not None and len(path) <= row.depth)

    def _in_patch(self, path: tuple[str, ...]) -> bool:
        """Whether a patch may take this out by null: fields, and the entries of objects that are merged."""
        return path[0] != "$defs" and (len(path) == 1 or self._is_merged(path[:-1]))


def _targets_schema() -> Schema:
    return {
        "title": "Targets",
        "description": "What is different on one target, by its name; false leaves the assistant out there.",
        "type": ["object", "null"],
        "additionalProperties": {"$ref": "#/$defs/patch"},
    }


def _patch_schema(properties: Mapping[str, Any]) -> Schema:
    return {
        "title": "Patch for one target",
        "description": "Fields that replace those above; null takes a field out. False: no such assistant here.",
        "type": ["object", "boolean", "null"],
        "not": {"const": True},
        "additionalProperties": False,
        "properties": {name: {"$ref": f"#/properties/{name}"} for name in properties},
    }


def _prompt_schema(rule: Schema) -> Schema:
    """Text, a file, or a list of parts of either kind."""
    part = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/file"}]}
    text = {key: value for key, value in rule.items() if key not in ("title", "description")}
    parts = {"type": "array", "items": part, "description": "Parts, joined by one blank line."}
    return {**_annotations(rule), "anyOf": [text, {"$ref": "#/$defs/file"}, parts]}


def _annotations(rule: Mapping[str, Any]) -> Schema:
    """Return what an editor shows of a rule: title, description and default."""
    return {word: rule[word] for word in ("title", "description", "default") if word in rule}


def _constraints(rule: Mapping[str, Any]) -> Schema:
    return {word: value for word, value in rule.items() if word not in ("title", "description", "default")}


def _types_of(rule: Mapping[str, Any]) -> set[str]:
    types = rule.get("type", [])
    return {types} if isinstance(types, str) else set(types)


def _make_nullable(rule: Schema, merged: bool) -> Schema:
    """Return the rule with null allowed and, where keys are merged, with nothing required."""
    kept = {word: value for word, value in rule.items() if not (merged and word == "required")}
    if "type" in kept and "null" not in _types_of(kept):
        kept["type"] = [*([kept["type"]] if isinstance(kept["type"], str) else kept["type"]), "null"]
    return kept
