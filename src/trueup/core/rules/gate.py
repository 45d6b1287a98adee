"""A quick yes to what plainly obeys a JSON Schema, and to schemas that are plainly valid.

A yes is certain, a no means "look closer": the validator stays the judge and alone explains; it is not imported here. A
schema is made into plain functions once; whatever word, type or form of a rule is not known here gives a no. A schema
that people wrote into a definition is held against a table of the draft's words, which costs a thousandth of the
meta-schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Check = Callable[[Any], bool]

SILENT = frozenset(
    {"$schema", "$defs", "$comment", "title", "description", "default", "examples", "format"}
    | {"x-around", "x-instead", "x-older", "x-secret", "errorMessage", "patternErrorMessage"}
)
"""Words that refuse nothing; `format` is a note unless a validator is told otherwise, and ours is not."""

RULES = frozenset(
    {"type", "enum", "const", "minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "items"}
    | {"minItems", "maxItems", "uniqueItems", "required", "properties", "additionalProperties", "propertyNames"}
    | {"minProperties", "maxProperties", "allOf", "if", "then", "else"}
)
"""Words that are understood."""

TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "object": (dict,), "array": (list,), "boolean": (bool,), "null": (type(None),),
    "integer": (int,), "number": (int, float),
}  # fmt: skip
"""The plain types of each; a whole float, which is an integer too, is looked at closer."""


def make_gate(schema: Any) -> Check:
    """Return a check that accepts only values the schema allows; references must have been replaced before."""
    if schema is True:
        return _accept
    if not isinstance(schema, Mapping) or not schema.keys() <= RULES | SILENT:
        return _refuse
    named = schema.get("type", list(TYPES))
    names = [named] if isinstance(named, str) else named
    kinds = {kind: _gate_of_kind(kind, schema) for name in names for kind in TYPES.get(name, ())}
    return _all_of(_gate_by_kind(kinds), [*map(make_gate, schema.get("allOf", ())), *_gate_condition(schema)])


def _accept(_value: Any) -> bool:
    return True


def _refuse(_value: Any) -> bool:
    return False


def _all_of(first: Check, others: Iterable[Check]) -> Check:
    checks = [check for check in (first, *others) if check is not _accept]
    if len(checks) < 2:
        return checks[0] if checks else _accept

    def check(value: Any) -> bool:
        for one in checks:  # noqa: SIM110 - `all` over a generator takes twice the time
            if not one(value):
                return False
        return True

    return check


def _gate_by_kind(kinds: Mapping[type, Check]) -> Check:
    """Return a check chosen by a value's exact type; other types are refused."""

    def check(value: Any) -> bool:
        return kinds.get(type(value), _refuse)(value)

    return check


def _gate_of_kind(kind: type, schema: Mapping[str, Any]) -> Check:
    """Return the check for values of one type; `enum` and `const` are only supported for text."""
    if kind is str:
        return _gate_text(schema)
    if "enum" in schema or "const" in schema:
        return _refuse
    if kind is dict:
        return _gate_mapping(schema)
    if kind is list:
        return _gate_list(schema)
    return _gate_number(schema) if kind in (int, float) else _accept


def _gate_text(schema: Mapping[str, Any]) -> Check:
    low, high = schema.get("minLength", 0), schema.get("maxLength", float("inf"))
    checks: list[Check] = []
    if "pattern" in schema:
        search = re.compile(schema["pattern"]).search
        checks.append(lambda value: search(value) is not None)
    for choice in (schema[word] if word == "enum" else [schema[word]] for word in ("enum", "const") if word in schema):
        words = frozenset(word for word in choice if isinstance(word, str))
        checks.append(words.__contains__)
    return _all_of(lambda value: low <= len(value) <= high, checks)


def _gate_number(schema: Mapping[str, Any]) -> Check:
    low, high = schema.get("minimum", float("-inf")), schema.get("maximum", float("inf"))
    beyond = schema.get("exclusiveMinimum", float("-inf"))
    return lambda value: low <= value <= high and (value > beyond or "exclusiveMinimum" not in schema)


def _gate_list(schema: Mapping[str, Any]) -> Check:
    low, high = schema.get("minItems", 0), schema.get("maxItems", float("inf"))
    entry = make_gate(schema.get("items", True))
    entries = _accept if entry is _accept else lambda value: all(map(entry, value))
    return _all_of(
        lambda value: low <= len(value) <= high, [entries, _are_different if schema.get("uniqueItems") else _accept]
    )


def _are_different(value: list[Any]) -> bool:
    """Whether a list holds different texts and nothing else: of other values it is not told here."""
    return {*map(type, value)} <= {str} and len({*value}) == len(value)


def _gate_mapping(schema: Mapping[str, Any]) -> Check:
    needed = frozenset(schema.get("required", ()))
    low, high = schema.get("minProperties", 0), schema.get("maxProperties", float("inf"))
    rules = {key: make_gate(rule) for key, rule in schema.get("properties", {}).items()}
    other = make_gate(schema.get("additionalProperties", True))
    key_check = make_gate(schema.get("propertyNames", True))

    def check(value: dict[Any, Any]) -> bool:
        if not (needed <= value.keys() and low <= len(value) <= high):
            return False
        for key, entry in value.items():
            if not rules.get(key, other)(entry):
                return False
        return key_check is _accept or all(map(key_check, value))

    return check


def _gate_condition(schema: Mapping[str, Any]) -> list[Check]:
    """`if`, `then` and `else` as one check, where the condition is of a form that can be told for certain."""
    if "if" not in schema:
        return []
    holds = _make_condition(schema["if"])
    if holds is None:
        return [_refuse]
    then, otherwise = make_gate(schema.get("then", True)), make_gate(schema.get("else", True))
    return [lambda value: then(value) if holds(value) else otherwise(value)]


def _make_condition(schema: Any) -> Check | None:
    """Whether a value meets a condition, exactly: one type, or `{key: word}` with the key required."""
    if not isinstance(schema, Mapping):
        return None
    if schema.keys() == {"type"} and schema["type"] in ("string", "object"):
        kind = TYPES[schema["type"]]
        return lambda value: isinstance(value, kind)
    if schema.keys() != {"required", "properties"} or schema["required"] != [*schema["properties"]]:
        return None
    words: dict[str, frozenset[Any]] = {}
    for key, rule in schema["properties"].items():
        if not isinstance(rule, Mapping) or rule.keys() not in ({"const"}, {"enum"}):
            return None
        chosen = rule["enum"] if "enum" in rule else [rule["const"]]
        if not all(isinstance(word, str) for word in chosen):
            return None
        words[key] = frozenset(chosen)

    def holds(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        for key, allowed in words.items():
            entry = value.get(key)
            if not isinstance(entry, str) or entry not in allowed:
                return False
        return True

    return holds


SCHEMA_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})


def is_type(value: Any) -> bool:
    """Whether a value may stand under `type`: one of the seven words, or a list of different ones."""
    if isinstance(value, str):
        return value in SCHEMA_TYPES
    if not isinstance(value, list) or not value or not all(isinstance(entry, str) for entry in value):
        return False
    return SCHEMA_TYPES.issuperset(value) and len(set(value)) == len(value)


def looks_valid(schema: Any) -> bool:
    """Whether a schema is certainly valid; False means that it has to be looked at closer."""
    if isinstance(schema, bool):
        return True
    if not isinstance(schema, dict):
        return False
    for word, value in schema.items():
        check = CHECKS.get(word)
        if check is None or not check(value):
            return False
    return True


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_anything(_value: Any) -> bool:
    return True


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value) and len(set(value)) == len(value)


def _are_schemas(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(looks_valid, value))


def _are_named_schemas(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(key, str) and looks_valid(entry) for key, entry in value.items())


CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "type": is_type, "enum": _is_list, "const": _is_anything, "default": _is_anything, "examples": _is_list,
    "title": _is_text, "description": _is_text, "$comment": _is_text, "format": _is_text,
    "pattern": _is_text, "$ref": _is_text, "$schema": _is_text,
    "deprecated": _is_flag, "readOnly": _is_flag, "writeOnly": _is_flag, "uniqueItems": _is_flag,
    "minimum": _is_number, "maximum": _is_number, "exclusiveMinimum": _is_number, "exclusiveMaximum": _is_number,
    "minLength": _is_count, "maxLength": _is_count, "minItems": _is_count, "maxItems": _is_count,
    "minProperties": _is_count, "maxProperties": _is_count, "required": _are_names,
    "properties": _are_named_schemas, "$defs": _are_named_schemas, "additionalProperties": looks_valid,
    "items": looks_valid, "not": looks_valid, "contains": looks_valid, "propertyNames": looks_valid,
    "anyOf": _are_schemas, "oneOf": _are_schemas, "allOf": _are_schemas, "prefixItems": _are_schemas,
}  # fmt: skip
"""What may stand under each word, a little stricter than the draft."""
