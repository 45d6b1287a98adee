"""Checks on what a client sends, built from small parts and answered in the vendor's error vocabulary.

Deliberately does not know any vendor's fields: each embedded server puts its own tables together from these parts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Check = Callable[[Any, str], None]
"""Accepts a value found at a path (`tools[0].function.name`; empty for the body itself) or raises `Refusal`."""


class Refusal(Exception):
    """A request the server does not take, as its answer says it; `param` is the path, None for the whole."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status


def text(maximum: int | None = None, pattern: str = "", minimum: int = 0) -> Check:
    """Check for a string of `minimum` to `maximum` characters that matches `pattern` from end to end."""
    compiled = re.compile(pattern) if pattern else None

    def check(value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise _wrong_type(value, path, "a string")
        if len(value) < minimum:
            raise _length(path, "string", "below_min", minimum, len(value))
        if maximum is not None and len(value) > maximum:
            raise _length(path, "string", "above_max", maximum, len(value))
        if compiled is not None and not compiled.fullmatch(value):
            said = f"Invalid '{path}': string does not match pattern. Expected a string that matches '^{pattern}$'."
            raise Refusal(said, path, "invalid_value")

    return check


def number(low: float, high: float) -> Check:
    """Check for a number from `low` to `high`, both included; a boolean is none."""

    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _wrong_type(value, path, "a decimal")
        _in_range(value, path, low, high, "decimal")

    return check


def whole(low: int, high: int) -> Check:
    """Check for a whole number from `low` to `high`, both included; `2.0` is one, as in JSON Schema."""

    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
            raise _wrong_type(value, path, "an integer")
        _in_range(value, path, low, high, "integer")

    return check


def boolean(value: Any, path: str) -> None:
    """Check for true or false."""
    if not isinstance(value, bool):
        raise _wrong_type(value, path, "a boolean")


def mapping(value: Any, path: str) -> None:
    """Any JSON object."""
    if not isinstance(value, dict):
        raise _wrong_type(value, path, "an object")


def choice(*values: str) -> Check:
    """One of the given strings."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise _wrong_type(value, path, "a string")
        if value not in values:
            raise Refusal(
                f"Invalid value: '{_short(value)}'. Supported values are: {_list_words(values)}.", path, "invalid_value"
            )

    return check


def nullable(check: Check) -> Check:
    """Check for what `check` accepts, and null."""

    def accept(value: Any, path: str) -> None:
        if value is not None:
            check(value, path)

    return accept


def array(item: Check, maximum: int | None, what: str) -> Check:
    """Check for a list of at most `maximum` entries that `item` accepts; `what` names the entries in the plural."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise _wrong_type(value, path, f"an array of {what}")
        if maximum is not None and len(value) > maximum:
            raise _length(path, "array", "above_max", maximum, len(value))
        for index, entry in enumerate(value):
            item(entry, f"{path}[{index}]")

    return check


def table(pairs: int | None, key: int | None, value: Check) -> Check:
    """Check for a mapping of at most `pairs` entries: keys of at most `key` characters, values that `value` accepts."""

    def check(entries: Any, path: str) -> None:
        mapping(entries, path)
        if pairs is not None and len(entries) > pairs:
            said = (
                f"Expected an object with at most {pairs} properties, but got an object with {len(entries)} properties"
            )
            raise Refusal(
                f"Invalid '{path}': too many properties. {said} instead.", path, "object_above_max_properties"
            )
        for name, entry in entries.items():
            if key is not None and len(name) > key:
                raise _length(path, "string", "above_max", key, len(name), "the name of a property: ")
            value(entry, f"{path}.{name}")

    return check


def record(fields: Mapping[str, Check], required: Sequence[str] = ()) -> Check:
    """Check for an object with these fields and no others."""

    def check(value: Any, path: str) -> None:
        mapping(value, path)
        for name in value:
            if name not in fields:
                raise Refusal(f"Unknown parameter: '{_at(path, _short(name))}'.", _at(path, name), "unknown_parameter")
        for name in required:
            if name not in value:
                at = _at(path, name)
                raise Refusal(f"Missing required parameter: '{at}'.", at, "missing_required_parameter")
        for name, entry in value.items():
            fields[name](entry, _at(path, name))

    return check


def kinds(by_type: Mapping[str, Check]) -> Check:
    """Check for an object whose `type` says which of the checks holds for the whole."""
    known = choice(*by_type)

    def check(value: Any, path: str) -> None:
        mapping(value, path)
        at = _at(path, "type")
        if "type" not in value:
            raise Refusal(f"Missing required parameter: '{at}'.", at, "missing_required_parameter")
        known(value["type"], at)
        by_type[value["type"]](value, path)

    return check


def either(word: Check, other: Check) -> Check:
    """`word` for a string, `other` for anything else."""

    def check(value: Any, path: str) -> None:
        (word if isinstance(value, str) else other)(value, path)

    return check


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _in_range(value: float, path: str, low: float, high: float, kind: str) -> None:
    if value < low:
        said = f"Invalid '{path}': {kind} below minimum value. Expected a value >= {low}, but got {value} instead."
        raise Refusal(said, path, f"{kind}_below_min_value")
    if not value <= high:
        said = f"Invalid '{path}': {kind} above maximum value. Expected a value <= {high}, but got {value} instead."
        raise Refusal(said, path, f"{kind}_above_max_value")


def _length(path: str, kind: str, side: str, limit: int, found: int, where: str = "") -> Refusal:
    """Return the refusal of a string or an array that is too long (`above_max`) or too short (`below_min`)."""
    problem, bound = ("too long", "maximum") if side == "above_max" else ("too short", "minimum")
    article = "an" if kind == "array" else "a"
    said = (
        f"Expected {article} {kind} with {bound} length {limit}, but got {article} {kind} with length {found} instead."
    )
    return Refusal(f"Invalid '{path}': {where}{kind} {problem}. {said}", path, f"{kind}_{side}_length")


def _wrong_type(value: Any, path: str, expected: str) -> Refusal:
    where = f"'{path}'" if path else "the body"
    said = f"Invalid type for {where}: expected {expected}, but got {_kind(value)} instead."
    return Refusal(said, path or None, "invalid_type")


def _kind(value: Any) -> str:
    names = {
        type(None): "null",
        bool: "a boolean",
        int: "an integer",
        float: "a decimal",
        str: "a string",
        list: "an array",
    }
    return names.get(type(value), "an object")


def _list_words(values: Sequence[str]) -> str:
    quoted = [f"'{value}'" for value in values]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])}, and {quoted[-1]}"


def _short(word: str) -> str:
    return word if len(word) <= 80 else f"{word[:77]}..."
