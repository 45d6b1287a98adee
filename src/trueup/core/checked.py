"""Readers that turn untrusted JSON values into typed ones, each refusing what it does not know with a full sentence.

Knows no document: a codec puts its readers together. A reader is called with a value and the words for where it stands.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING as REQUIRED
from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from trueup.core.canonical import OBJECT

MAX_DEPTH = 200
"""Levels of nesting that a value may have."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)

Reader = Callable[[Any, str], Any]
_T = TypeVar("_T")


class MismatchError(Exception):
    """A value is not what its place wants; the message says where and what."""

    def __init__(self, where: str, wanted: str) -> None:
        super().__init__(f"{where} should be {wanted}")


def scalar_text(text: str) -> str:
    """The text with lone surrogates, which no UTF-8 file can hold, as U+FFFD."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def an_object(value: Any, where: str) -> Mapping[str, Any]:
    """A JSON object. Raises MismatchError."""
    if not isinstance(value, OBJECT):
        raise MismatchError(where, "an object")
    return value


def a_text(value: Any, where: str) -> str:
    """A string. Raises MismatchError."""
    if not isinstance(value, str):
        raise MismatchError(where, "a string")
    return scalar_text(value)


def a_moment(value: Any, where: str) -> str:
    """A moment in UTC that there is, ISO 8601 to the second. Raises MismatchError."""
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        with suppress(ValueError):
            datetime.fromisoformat(value)
            return value
    raise MismatchError(where, "a moment such as 2026-11-20T08:00:00Z")


def a_flag(value: Any, where: str) -> bool:
    """True or false, never a number. Raises MismatchError."""
    if not isinstance(value, bool):
        raise MismatchError(where, "true or false")
    return value


def a_count(value: Any, where: str) -> int:
    """A whole number of 0 or more. Raises MismatchError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise MismatchError(where, "a whole number of 0 or more")
    return value


def a_json_value(value: Any, where: str, depth: int = 0) -> Any:
    """Any JSON value that is not too deep and holds only numbers that JSON can write. Raises MismatchError."""
    if depth > MAX_DEPTH:
        raise MismatchError(where, f"nested at most {MAX_DEPTH} levels deep")
    if isinstance(value, str):
        return scalar_text(value)
    if isinstance(value, OBJECT):
        return {a_text(key, where): a_json_value(entry, where, depth + 1) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [a_json_value(entry, where, depth + 1) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise MismatchError(where, "a number that JSON can hold")
    if value is None or isinstance(value, (bool, int, float)):
        return value
    raise MismatchError(where, "a JSON value")


def optional(reader: Reader) -> Reader:
    """A reader that lets null through."""
    return lambda value, where: None if value is None else reader(value, where)


def list_of(reader: Reader) -> Reader:
    """A reader of a list whose entries are each read."""

    def read(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise MismatchError(where, "a list")
        return tuple(reader(entry, f"{where}[{place}]") for place, entry in enumerate(value))

    return read


def map_of(reader: Reader) -> Reader:
    """A reader of an object with any keys whose values are each read."""

    def read(value: Any, where: str) -> dict[str, Any]:
        return {a_text(key, where): reader(entry, f"{where}.{key}") for key, entry in an_object(value, where).items()}

    return read


def one_of(kind: type[Enum]) -> Reader:
    """A reader of an enum's values."""
    known = {member.value: member for member in kind}

    def read(value: Any, where: str) -> Enum:
        if not isinstance(value, str) or value not in known:
            raise MismatchError(where, "one of " + ", ".join(known))
        return known[value]

    return read


def record_of(kind: type[_T], readers: Mapping[str, Reader]) -> Callable[[Any, str], _T]:
    """A reader of a dataclass: no unknown key, none missing that has no default, each value read by its reader."""
    needed = [
        item.name
        for item in fields(kind)  # type: ignore[arg-type]  # a dataclass, which type[_T] cannot say
        if item.default is REQUIRED and item.default_factory is REQUIRED
    ]

    def read(value: Any, where: str) -> _T:
        found = an_object(value, where)
        for key in found:
            if key not in readers:
                raise MismatchError(f"{where}.{key}", "absent: there is no such key")
        for key in needed:
            if key not in found:
                raise MismatchError(f"{where}.{key}", "present")
        return kind(**{key: readers[key](entry, f"{where}.{key}") for key, entry in found.items()})

    return read
