"""What no schema can say of a definition of any protocol: sums, lost numbers, repeated names, room for the stamp.

Knows a protocol's fields as a table, and no schema and no validator. Lengths, counts and ranges of single values stand
in the schema and are not repeated here; what only one protocol asks for stands beside that protocol. A body of any
shape is taken: what has the wrong type is passed over, because the schema has told of it already.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from trueup.core.canonical import OBJECT
from trueup.core.definitions.definition import Definition, Ignore
from trueup.core.definitions.names import comparable_name
from trueup.core.field_table import FieldTable
from trueup.core.rules.fault import Fault, Proposal, nearest, show_path, show_value, spell_number
from trueup.core.rules.gate import is_type
from trueup.core.source import Diagnostic, Path, Position, Severity

STAMP_NAMES = 256
"""Characters that project, target and name may have together, so that the stamp fits."""


def check_limits(
    definition: Definition,
    table: FieldTable,
    stamp_length: int | None,
    *,
    stamp_needed: bool = False,
    today: str = "",
) -> Iterator[Fault]:
    """Yield the faults of a definition; `stamp_length` is in characters, None where no stamp is written.

    `stamp_needed` means that the stamp is the only record of the assistant (`state: stamps`), so it must fit. `today`
    is an ISO date; without it no date counts as past.
    """
    body = definition.body
    yield from _check_empty_maps(body, table)
    yield from _check_metadata(body, table, stamp_length is not None, stamp_needed)
    yield from _check_stamp(stamp_length, table.stamp_length)
    yield from find_lost_numbers(body, ())
    yield from _check_parameters(body, table)
    for index, entry in enumerate(definition.lifecycle.ignore_changes):
        yield from _check_ignore(entry, table, ("lifecycle", "ignore_changes", index), today)


def find_schemas(body: Mapping[str, Any], table: FieldTable) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the JSON Schemas in a definition with their paths: the parameters of functions and the like."""
    for steps in table.schemas:
        found: list[tuple[Path, Any]] = [((), body)]
        for step in steps:
            found = list(_step(found, step))
        for path, schema in found:
            if isinstance(schema, OBJECT):
                yield path, schema


def _step(found: Iterable[tuple[Path, Any]], step: str) -> Iterator[tuple[Path, Any]]:
    """Yield what stands one step below each value, `*` being each entry of a list."""
    for path, value in found:
        if step == "*":
            for index, entry in enumerate(value if isinstance(value, list) else ()):
                yield (*path, index), entry
        elif isinstance(value, OBJECT) and step in value:
            yield (*path, step), value[step]


def _warn(code: str, path: Path, message: str, hint: str) -> Fault:
    return Fault(code, path, message, hint, at_key=True, severity=Severity.WARNING)


def _check_empty_maps(body: Mapping[str, Any], table: FieldTable) -> Iterator[Fault]:
    for name in table.maps:
        if name in body and not body[name] and isinstance(body[name], (Mapping, type(None))):
            yield _warn(
                "declares-nothing", (name,), f"{name} is empty, so it declares nothing",
                f"Only the keys listed under {name} are managed; list some, or leave {name} out.",
            )  # fmt: skip


def _check_metadata(body: Mapping[str, Any], table: FieldTable, stamped: bool, needed: bool) -> Iterator[Fault]:
    name, _, key = table.stamp.partition(".")
    metadata = body.get(name)
    if not isinstance(metadata, Mapping):
        return
    if key in metadata:
        yield Fault(
            "reserved-key", (name, key), f"the {name} key '{key}' is reserved for Trueup's stamp",
            "Use another key.", at_key=True,
        )  # fmt: skip
    count = sum(entry is not None and other != key for other, entry in metadata.items())
    most = table.maps[name].max_entries
    if count > most:
        yield Fault(
            "too-many", (name,), f"{name} holds {count} keys; at most {most} are allowed",
            f"Keep {most - 1}: one is needed for Trueup's stamp.", at_key=True,
        )  # fmt: skip
    elif count == most and stamped:
        yield _make_no_room(name, most, needed)


def _make_no_room(name: str, most: int, needed: bool) -> Fault:
    """Where the stamp is the only memory an error; else a create is blocked, and what exists can be kept."""
    message = f"the stamp has no room: {name} holds {most} keys of {most}"
    lost = "With `state: stamps` the stamp is the only record of an assistant."
    kept = "Without its stamp an assistant is not created, and a lost state cannot be rebuilt."
    severity = Severity.ERROR if needed else Severity.WARNING
    hint = f"Leave one key free. {lost if needed else kept}"
    return Fault("no-room-for-stamp", (name,), message, hint, at_key=True, severity=severity)


def _check_stamp(length: int | None, most: int) -> Iterator[Fault]:
    if length is not None and length > most:
        yield Fault(
            "stamp-too-long", (),
            f"the stamp would hold {length} characters, and a metadata value holds {most}",
            f"Shorten the path of the definition: project, target and name may have {STAMP_NAMES} characters together.",
        )  # fmt: skip


def _check_parameters(body: Mapping[str, Any], table: FieldTable) -> Iterator[Fault]:
    """Yield a fault for each tool whose parameters are not a JSON Schema of type object."""
    for path, parameters in find_schemas(body, table):
        if path[0] != table.tools or parameters.get("type") == "object":
            continue
        hint = "Write type: object, and under properties what the function takes; or leave parameters out."
        if "type" not in parameters:
            yield Fault("missing-key", (*path, "type"), f"{show_path(path)} lacks type: object", hint)
        elif is_type(parameters["type"]):
            yield Fault("not-allowed", (*path, "type"), f"{show_path(path)} must be a JSON Schema of type object", hint)


def _check_ignore(entry: Ignore, table: FieldTable, path: Path, today: str) -> Iterator[Fault]:
    if not isinstance(entry.field, str) or not isinstance(entry.until, str):
        return
    fault = _check_ignored_field(entry.field, table)
    if fault:
        message, hint = fault
        yield Fault("unknown-field", (*path, "field"), message, hint)
    if entry.until and not _is_day(entry.until):
        yield Fault(
            "bad-format",
            (*path, "until"),
            f"until {show_value(entry.until)} is not a date",
            "Write it like 2027-01-31.",
        )
    elif entry.until and entry.until < today:
        message = f"until {entry.until} has passed, and {entry.field} is still ignored"
        hint = "Remove the entry to manage the field again, or set a later date."
        yield Fault("until-passed", (*path, "until"), message, hint, severity=Severity.WARNING)


def _check_ignored_field(name: str, table: FieldTable) -> tuple[str, str] | None:
    """Return what is wrong with a field's name and what to write; None if it names a field."""
    head, dot, rest = name.partition(".")
    known = {key: [f"{key}.{entry}" for entry in row.entries] for key, row in table.maps.items()}
    entries = [entry for listed in known.values() for entry in listed]
    if name == table.stamp:
        return f"{name} is Trueup's own entry, which is never compared", "Leave it out."
    if name in entries or (head in known and not known[head] and rest):
        return None
    if head in known and not known[head]:
        return f"{head} as a whole is not a field; each of its keys is one", f"Name the key, such as {head}.owner."
    if head in known:
        return f"{show_value(name)} is not a field; each of its entries is one", f"Write {' or '.join(known[head])}."
    if head in table.by_name:
        return (f"{show_value(name)} is not a field; {head} is compared as a whole", f"Write {head}.") if dot else None
    close = nearest(name, [*(field for field in table.by_name if field not in known), *entries])
    question = f"; did you mean '{close}'?" if close else ""
    return (
        f"unknown field {show_value(name)}{question}",
        f"Fields are {', '.join(table.by_name)}; of the nested ones, name the entry.",
    )


def _is_day(text: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


LARGEST_INTEGER = 2**53
"""Integers beyond it lose digits in every program that reads JSON numbers as doubles; gateways do."""

NO_NUMBER = frozenset({str, bool, type(None)})


def find_lost_numbers(value: Any, path: Path) -> Iterator[Fault]:
    """Yield a fault for each number in plain dicts and lists that JSON cannot hold or its readers round.

    `path` is where the value stands. A schema may have refused the same number for its range.
    """
    if not _are_small(value):
        yield from _find_lost(value, path)


def _are_small(value: Any) -> bool:
    """Whether no number in a value is large or none at all: a quick yes, which nearly every value gets."""
    waiting = [value]
    while waiting:
        entry = waiting.pop()
        kind = type(entry)
        if kind in NO_NUMBER:
            continue
        if kind is dict:
            waiting.extend(entry.values())
        elif kind is list:
            waiting.extend(entry)
        elif kind not in (int, float) or not -LARGEST_INTEGER <= entry <= LARGEST_INTEGER:
            return False
    return True


def _find_lost(value: Any, path: Path) -> Iterator[Fault]:
    if isinstance(value, float):
        if not math.isfinite(value):
            yield Fault(
                "bad-number",
                path,
                f"{show_path(path)} is {spell_number(value)}, which JSON cannot hold",
                "Write a finite number.",
            )
    elif isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            yield Fault(
                "bad-number", path, f"{show_path(path)} is a whole number above 2**53, which gateways round",
                "Write it as text, in quotes.", proposal=Proposal(value, 'Write it as text, in quotes: "{}".'),
            )  # fmt: skip
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _find_lost(entry, (*path, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _find_lost(entry, (*path, index))


PATH = ("name",)


def find_repeated_names(definitions: Iterable[Definition]) -> Iterator[Diagnostic]:
    """Yield a warning for each definition whose display name an earlier one has, with both places."""
    first: dict[str, Definition] = {}
    for definition in definitions:
        name = comparable_name(definition.body.get("name"))
        earlier = first.setdefault(name, definition)
        if name and earlier is not definition:
            yield Diagnostic(
                Severity.WARNING,
                "display-name-repeated",
                f"{definition.name} has the same display name as {earlier.name} ({_place_of_name(earlier)})",
                definition.locate().key(PATH),
                PATH,
                "Give one of them another `name`: at the vendor only their ids differ.",
            )


def _place_of_name(definition: Definition) -> Position | str:
    return definition.locate().key(PATH) or definition.file
