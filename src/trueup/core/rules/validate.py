"""The one door to jsonschema: checks a value against a schema that is handed in, and a definition against the limits.

It reads no file and asks no network: a schema's references may only point into itself. Schemas of our own are taken
as correct here, because a test checks them against the meta-schema; those that people write in a function's
parameters are checked, once for each content.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trueup.core.definitions.definition import Definition
from trueup.core.field_table import FieldTable
from trueup.core.rules.fault import Fault, explain, place_faults, show_path
from trueup.core.rules.gate import looks_valid, make_gate
from trueup.core.rules.limits import check_limits, find_schemas
from trueup.core.source import Diagnostic, Path, SourceMap

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


Check = Callable[[Definition], Iterable[Fault]]
"""What only one protocol asks of a definition, beside its schema."""

FIRST_FEW = 3
"""Mistakes told of one function's parameters; the rest usually follow from them."""

CACHED_SCHEMAS = 512
"""Contents of function parameters whose verdict is remembered; fleets share most of theirs."""


class Checker:
    """Checks values against one schema; what its gate lets pass is not shown to the validator, which says the same.

    The validator is built at the first value that needs it, and kept.
    """

    __slots__ = ("_gate", "_schema", "_validator")

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = _inline(schema, schema.get("$defs", {}), ())
        self._gate = make_gate(self._schema)
        self._validator: Validator | None = None

    def problems(self, value: Any, locate: Callable[[], SourceMap]) -> list[Diagnostic]:
        """Every mistake in a value of plain dicts and lists, by position; `locate` is only called if there is one."""
        if self._gate(value):
            return []
        if self._validator is None:
            self._validator = _make_validator(self._schema)
        errors = list(self._validator.iter_errors(value))
        return place_faults(explain(errors), locate) if errors else []


def check_definition(
    definition: Definition,
    table: FieldTable,
    check: Check,
    *,
    stamp_length: int | None,
    stamp_needed: bool = False,
    today: str = "",
) -> list[Diagnostic]:
    """Return what no schema can find: wrong sums, repetitions, references between fields, bad inner schemas.

    `check` finds what only the definition's protocol requires, and `table` has its fields. `stamp_length` is the length
    in characters of the stamp it would carry, None where none is written; `stamp_needed` means that nothing else
    records the assistant; `today` is an ISO date, without which no date counts as past. Lengths, counts and ranges of
    single values are left to the schema; a body that breaks the schema may be passed all the same.
    """
    faults = [
        *check_limits(definition, table, stamp_length, stamp_needed=stamp_needed, today=today),
        *check(definition),
        *_check_schemas(definition.body, table),
    ]
    return place_faults(faults, definition.locate, definition.file)


def _make_validator(schema: Mapping[str, Any]) -> Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema)


def _inline(node: Any, shared: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    """Replace the schema's references with what they name, a fifth faster to check; recursive ones stay."""
    if isinstance(node, list):
        return [_inline(entry, shared, inside) for entry in node]
    if not isinstance(node, Mapping):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str):
        if not reference.startswith("#"):
            raise ValueError(f"The schema refers to {reference}, which is outside of it; references are not fetched.")
        name = reference.removeprefix("#/$defs/")
        if len(node) == 1 and name in shared and name not in inside:
            return _inline(shared[name], shared, (*inside, name))
    return {key: _inline(_make_findable(key, entry), shared, inside) for key, entry in node.items()}


def _check_schemas(body: Mapping[str, Any], table: FieldTable) -> Iterator[Fault]:
    for path, schema in find_schemas(body, table):
        if not looks_valid(schema):
            for fault in _check_schema(json.dumps(schema)):
                yield replace(fault, path=(*path, *fault.path), message=_say_where(path, fault.message))


def _say_where(path: Path, message: str) -> str:
    return f"the JSON Schema in {show_path(path)} is not valid: {message}"


def _make_findable(word: str, value: Any) -> Any:
    """Properties with `false` written as a rule: of a bare `false` jsonschema does not say where it was."""
    if word != "properties" or not isinstance(value, Mapping):
        return value
    return {key: {"not": {}} if entry is False else entry for key, entry in value.items()}


@lru_cache(maxsize=CACHED_SCHEMAS)
def _check_schema(text: str) -> tuple[Fault, ...]:
    """Return the first few mistakes of a schema in JSON text, by the meta-schema of draft 2020-12."""
    faults = explain(_make_meta_validator().iter_errors(json.loads(text)))
    return tuple(replace(fault, code="bad-schema") for fault in faults[:FIRST_FEW])


@lru_cache(maxsize=1)
def _make_meta_validator() -> Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(Draft202012Validator.META_SCHEMA)
