"""A quick yes for the JSON Schemas that people write into a definition, so that most need no meta-schema.

It only ever says "certainly valid" or "look closer": what it does not know it leaves to the meta-schema of draft
2020-12, which costs a thousand times more. Knows that draft's words as a table, and no validator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})


def is_type(value: Any) -> bool:
    """Whether a value may stand under `type`: one of the seven words, or a list of different ones."""
    if isinstance(value, str):
        return value in TYPES
    if not isinstance(value, list) or not value or not all(isinstance(entry, str) for entry in value):
        return False
    return TYPES.issuperset(value) and len(set(value)) == len(value)


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


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _anything(_value: Any) -> bool:
    return True


def _truth(value: Any) -> bool:
    return isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _list(value: Any) -> bool:
    return isinstance(value, list)


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value) and len(set(value)) == len(value)


def _schemas(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(looks_valid, value))


def _named_schemas(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(key, str) and looks_valid(entry) for key, entry in value.items())


CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "type": is_type, "enum": _list, "const": _anything, "default": _anything, "examples": _list,
    "title": _text, "description": _text, "$comment": _text, "format": _text,
    "pattern": _text, "$ref": _text, "$schema": _text,
    "deprecated": _truth, "readOnly": _truth, "writeOnly": _truth, "uniqueItems": _truth,
    "minimum": _number, "maximum": _number, "exclusiveMinimum": _number, "exclusiveMaximum": _number,
    "minLength": _count, "maxLength": _count, "minItems": _count, "maxItems": _count,
    "minProperties": _count, "maxProperties": _count, "required": _names,
    "properties": _named_schemas, "$defs": _named_schemas, "additionalProperties": looks_valid,
    "items": looks_valid, "not": looks_valid, "contains": looks_valid, "propertyNames": looks_valid,
    "anyOf": _schemas, "oneOf": _schemas, "allOf": _schemas, "prefixItems": _schemas,
}  # fmt: skip
"""What may stand under each word, a little stricter than the draft."""
