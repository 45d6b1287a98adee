"""What no schema can say of a definition: sums, repetitions, and fields that speak of each other.

Knows the numbers and words as tables and no schema, no validator, no protocol. Lengths, counts and ranges of single
values stand in the schema and are not repeated here. A body of any shape is taken: what has the wrong type is passed
over, because the schema has told of it already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from trueup.core.canonical import OBJECT
from trueup.core.definitions.definition import Definition, Ignore
from trueup.core.memory.stamp import KEY as STAMP_KEY
from trueup.core.rules.fault import Fault, nearest, place, shown
from trueup.core.rules.numbers import lost_numbers
from trueup.core.rules.written_schema import is_type
from trueup.core.source import Path, Severity

METADATA_PAIRS = 16
"""Pairs an assistant's metadata holds, the stamp included (the vendors' documentation says so in prose only)."""

STAMP_LENGTH = 512
"""Characters of a metadata value."""

STAMP_NAMES = 256
"""Characters that project, target and name may have together, so that the stamp fits."""

FIELDS = (
    "name", "description", "model", "instructions", "reasoning_effort", "temperature", "top_p", "tools",
    "tool_resources", "metadata", "response_format",
)  # fmt: skip
"""The top-level fields of a body, in the order people write them."""

OLDER_FIELDS = ("file_ids",)
"""Fields that only the first protocol has; what a target can hold of them is said by its dialect."""

RESOURCE_LISTS = {"code_interpreter": "file_ids", "file_search": "vector_store_ids"}
"""The list of each tool that has resources."""

ONCE = ("code_interpreter", "file_search", "retrieval")
"""Tools that make no sense twice."""

KNOWN_WORDS: Mapping[str, tuple[str, ...]] = {
    "reasoning_effort": ("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    "ranker": ("auto", "default_2024_08_21"),
}
"""Words that vendors documented by the summer of 2026; others pass with a warning, for these lists grow."""


def beyond_schema(
    definition: Definition, stamp_length: int | None, *, stamp_needed: bool = False, today: str = ""
) -> Iterator[Fault]:
    """The faults of a definition; `stamp_length` in characters, None where no stamp is written.

    `stamp_needed`: the stamp is all that remembers the assistant (`state: stamps`), so that it must have its room.
    `today` is an ISO date; without it no day has passed.
    """
    body = definition.body
    tools = tuple(_tools(body))
    yield from _metadata(body, stamp_length is not None, stamp_needed)
    yield from _stamp(stamp_length)
    yield from _twice(tools)
    yield from _unused(body, tools)
    yield from _words(body, tools)
    yield from lost_numbers(body, ())
    yield from lost_numbers(definition.options, ("options",))
    yield from _object_parameters(tools)
    for index, entry in enumerate(definition.lifecycle.ignore_changes):
        yield from _ignore(entry, ("lifecycle", "ignore_changes", index), today)


def written_schemas(body: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The JSON Schemas that a definition holds: functions' parameters and the response format's schema, by path."""
    for path, tool in _tools(body):
        parameters = _at(tool, "function", "parameters")
        if isinstance(parameters, OBJECT):
            yield (*path, "function", "parameters"), parameters
    answer = _at(body, "response_format", "json_schema", "schema")
    if isinstance(answer, Mapping):
        yield ("response_format", "json_schema", "schema"), answer


def _at(value: Any, *path: str) -> Any:
    for key in path:
        if value is None or not isinstance(value, OBJECT):
            return None
        value = value.get(key)
    return value


def _tools(body: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    tools = body.get("tools")
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        if isinstance(tool, OBJECT):
            yield ("tools", index), tool


def _warning(code: str, path: Path, message: str, hint: str) -> Fault:
    return Fault(code, path, message, hint, at_key=True, severity=Severity.WARNING)


def _metadata(body: Mapping[str, Any], stamped: bool, needed: bool) -> Iterator[Fault]:
    for name in ("metadata", "tool_resources"):
        if name in body and not body[name] and isinstance(body[name], (Mapping, type(None))):
            yield _warning(
                "declares-nothing", (name,), f"{name} names no key, so it declares nothing",
                f"Only the keys named under {name} are managed; name them, or leave {name} out.",
            )  # fmt: skip
    metadata = body.get("metadata")
    if not isinstance(metadata, Mapping):
        return
    if STAMP_KEY in metadata:
        yield Fault(
            "reserved-key", ("metadata", STAMP_KEY),
            f"the metadata key '{STAMP_KEY}' is the one that Trueup writes itself",
            "Give your own entry another key.", at_key=True,
        )  # fmt: skip
    count = sum(entry is not None and key != STAMP_KEY for key, entry in metadata.items())
    if count > METADATA_PAIRS:
        yield Fault(
            "too-many", ("metadata",), f"metadata holds {count} keys; at most {METADATA_PAIRS} are allowed",
            f"Keep {METADATA_PAIRS - 1}: one is needed for Trueup's stamp.", at_key=True,
        )  # fmt: skip
    elif count == METADATA_PAIRS and stamped:
        yield _no_room(count, needed)


def _no_room(count: int, needed: bool) -> Fault:
    """Where the stamp is the only memory an error; else a create is blocked, and what exists can be kept."""
    message = f"the stamp has no room: metadata holds {count} keys of {METADATA_PAIRS}"
    lost = "With `state: stamps` the stamp is all that remembers an assistant."
    kept = "Without its stamp an assistant is not created, and a lost state cannot be rebuilt."
    severity = Severity.ERROR if needed else Severity.WARNING
    hint = f"Leave one key free. {lost if needed else kept}"
    return Fault("no-room-for-stamp", ("metadata",), message, hint, at_key=True, severity=severity)


def _stamp(length: int | None) -> Iterator[Fault]:
    if length is not None and length > STAMP_LENGTH:
        yield Fault(
            "stamp-too-long", (),
            f"the stamp would hold {length} characters, and a metadata value holds {STAMP_LENGTH}",
            f"Shorten the path of the definition: project, target and name may have {STAMP_NAMES} characters together.",
        )  # fmt: skip


def _twice(tools: Sequence[tuple[Path, Mapping[str, Any]]]) -> Iterator[Fault]:
    seen: dict[tuple[str, str], Path] = {}
    for path, tool in tools:
        kind, name = tool.get("type"), _at(tool, "function", "name")
        if kind in ONCE:
            key, what, hint, at = (str(kind), ""), f"the tool {kind}", "Name it once.", path
        elif kind == "function" and isinstance(name, str):
            key, what, at = ("function", name), f"the function {shown(name)}", (*path, "function", "name")
            hint = "A model tells functions apart by their names; give each its own."
        else:
            continue
        if key in seen:
            yield Fault("repeated", at, f"{what} is there twice, first as {place(seen[key])}", hint)
        seen.setdefault(key, path)


def _unused(body: Mapping[str, Any], tools: Sequence[tuple[Path, Mapping[str, Any]]]) -> Iterator[Fault]:
    kinds = {tool.get("type") for _, tool in tools if isinstance(tool.get("type"), str)}
    if len(tools) < len(body.get("tools") or ()):
        return  # what is no tool may have been meant as the one in question
    for kind, name in RESOURCE_LISTS.items():
        if _at(body, "tool_resources", kind, name) and kind not in kinds:
            yield _warning(
                "unused-resource", ("tool_resources", kind),
                f"tool_resources.{kind} is given, but {kind} is not among the tools",
                f"Add {kind} to tools, or leave its resources out.",
            )  # fmt: skip


def _words(body: Mapping[str, Any], tools: Sequence[tuple[Path, Mapping[str, Any]]]) -> Iterator[Fault]:
    found: list[tuple[str, Path, Any]] = [("reasoning_effort", ("reasoning_effort",), body.get("reasoning_effort"))]
    inner = ("file_search", "ranking_options", "ranker")
    found += [("ranker", (*path, *inner), _at(tool, *inner)) for path, tool in tools]
    for kind, path, word in found:
        known = KNOWN_WORDS[kind]
        if isinstance(word, str) and word and word not in known:
            close = nearest(word, known)
            message = f"{place(path)} {shown(word)} is not among the known words"
            yield Fault(
                "unknown-word", path, f"{message}; did you mean '{close}'?" if close else message,
                f"Known are {', '.join(known)}. It is sent as it is; the vendor may refuse it.",
                severity=Severity.WARNING,
            )  # fmt: skip


def _object_parameters(tools: Sequence[tuple[Path, Mapping[str, Any]]]) -> Iterator[Fault]:
    for tool_path, tool in tools:
        parameters = _at(tool, "function", "parameters")
        if not isinstance(parameters, OBJECT) or parameters.get("type") == "object":
            continue
        path = (*tool_path, "function", "parameters")
        hint = "Write type: object, and under properties what the function takes; or leave parameters out."
        if "type" not in parameters:
            yield Fault("missing-key", (*path, "type"), f"{place(path)} lacks type: object", hint)
        elif is_type(parameters["type"]):
            yield Fault("not-allowed", (*path, "type"), f"{place(path)} must be a JSON Schema of type object", hint)


def _ignore(entry: Ignore, path: Path, today: str) -> Iterator[Fault]:
    if not isinstance(entry.field, str) or not isinstance(entry.until, str):
        return
    fault = _ignored_field(entry.field)
    if fault:
        message, hint = fault
        yield Fault("unknown-field", (*path, "field"), message, hint)
    if entry.until and not _is_day(entry.until):
        yield Fault(
            "bad-format",
            (*path, "until"),
            f"until {shown(entry.until)} is no day of the calendar",
            "Write it like 2027-01-31.",
        )
    elif entry.until and entry.until < today:
        message = f"until {entry.until} has passed, and {entry.field} is still ignored"
        hint = "Take the entry out to manage the field again, or give it a later day."
        yield Fault("until-passed", (*path, "until"), message, hint, severity=Severity.WARNING)


def _ignored_field(name: str) -> tuple[str, str] | None:
    """What is wrong with a field's name, and what to write; None when it names a field."""
    head, dot, rest = name.partition(".")
    lists = [f"tool_resources.{kind}.{entry}" for kind, entry in RESOURCE_LISTS.items()]
    if name in lists or (head == "metadata" and rest and rest != STAMP_KEY):
        return None
    if name == f"metadata.{STAMP_KEY}":
        return f"metadata.{STAMP_KEY} is Trueup's own entry and never compared", "Leave it out."
    if head == "metadata" and not rest:
        return "metadata as a whole is no field; each of its keys is one", "Name the key, such as metadata.owner."
    if head == "tool_resources":
        return f"{shown(name)} is no field; each list of a tool is one", f"Write {' or '.join(lists)}."
    if head in FIELDS or head in OLDER_FIELDS:
        return (f"{shown(name)} is no field; {head} is compared as a whole", f"Write {head}.") if dot else None
    close = nearest(name, [*(field for field in FIELDS if field not in ("metadata", "tool_resources")), *lists])
    question = f"; did you mean '{close}'?" if close else ""
    return (
        f"unknown field {shown(name)}{question}",
        f"Fields are {', '.join(FIELDS)}; of the nested ones, name the entry.",
    )


def _is_day(text: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
