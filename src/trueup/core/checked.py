"""Untrusted JSON text to typed values: one strict parser, and readers that each refuse what they do not know.

A codec puts its readers together. A reader is called with a value and the words for where it stands; inside lists and
objects these are put before a refusal on its way out, so that a good document costs nothing for them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import MISSING as REQUIRED
from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import Any, NoReturn, TypeVar

from trueup.core.canonical import OBJECT

MAX_DEPTH = 200
"""Levels of nesting that a value may have."""

MAX_DIGITS = 4_000
"""Digits of a whole number; Python itself ends at 4,300."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)

Reader = Callable[[Any, str], Any]
_T = TypeVar("_T")


class MismatchError(ValueError):
    """A value is not what its place wants; the message says where and what."""

    def __init__(self, where: str, wanted: str) -> None:
        super().__init__(f"{where} should be {wanted}")
        self.where = where
        self.wanted = wanted

    def below(self, where: str) -> MismatchError:
        """Return the same refusal as told from further out."""
        return MismatchError(where + self.where, self.wanted)


class NotJsonError(ValueError):
    """A text is not JSON from a line and column on; both count from 1."""

    def __init__(self, line: int, column: int, *, empty: bool) -> None:
        super().__init__("it is empty" if empty else f"from line {line}, column {column} on it is not JSON")
        self.line = line
        self.column = column


def load_json(text: str) -> Any:
    """Return the value of a JSON text that repeats no key and holds only numbers that JSON has.

    Raises NotJsonError, and ValueError with what is wrong as a sentence about "it".
    """
    try:
        return json.loads(text, object_pairs_hook=_make_object, parse_constant=_refuse_number, parse_int=_read_integer)
    except json.JSONDecodeError as error:
        raise NotJsonError(error.lineno, error.colno, empty=not text.strip()) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"it holds the name {twice[:60]!r} twice")
    return value


def _refuse_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON number")


def _read_integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"it holds a number of {len(digits):,} digits")
    return int(digits)


def scalar_text(text: str) -> str:
    """Replace lone surrogates, which no UTF-8 file can hold, with U+FFFD."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def an_object(value: Any, where: str) -> Mapping[str, Any]:
    """Return the value if it is a JSON object. Raises MismatchError."""
    if not isinstance(value, OBJECT):
        raise MismatchError(where, "an object")
    return value


def a_text(value: Any, where: str) -> str:
    """Return the value, without lone surrogates, if it is a string. Raises MismatchError."""
    if not isinstance(value, str):
        raise MismatchError(where, "a string")
    return scalar_text(value)


def a_moment(value: Any, where: str) -> str:
    """Return the value if it is an existing UTC time, ISO 8601 to the second. Raises MismatchError."""
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        with suppress(ValueError):
            datetime.fromisoformat(value)
            return value
    raise MismatchError(where, "a moment such as 2026-11-20T08:00:00Z")


def a_flag(value: Any, where: str) -> bool:
    """Return the value if it is true or false, not a number. Raises MismatchError."""
    if not isinstance(value, bool):
        raise MismatchError(where, "true or false")
    return value


def a_count(value: Any, where: str) -> int:
    """Return the value if it is a whole number of 0 or more. Raises MismatchError."""
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


def an_exact_text(value: Any, where: str) -> str:
    """Return a string as it is, lone surrogates too. Raises MismatchError."""
    if type(value) is not str:
        raise MismatchError(where, "a string")
    return value


def an_integer(value: Any, where: str) -> int:
    """Return a whole number. Raises MismatchError."""
    if type(value) is not int:
        raise MismatchError(where, "a whole number")
    return value


def a_time(value: Any, where: str) -> float:
    """Return a point in time in finite Unix seconds. Raises MismatchError."""
    if type(value) not in (int, float) or not math.isfinite(value):
        raise MismatchError(where, "a number of seconds")
    return float(value)


def optional(reader: Reader) -> Reader:
    """Return a reader that lets null through."""
    return lambda value, where: None if value is None else reader(value, where)


def list_of(reader: Reader) -> Reader:
    """Return a reader of a list whose entries are each read."""

    def read(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise MismatchError(where, "a list")
        made = []
        try:
            for entry in value:
                made.append(reader(entry, ""))
        except MismatchError as problem:
            raise problem.below(f"{where}[{len(made)}]") from None
        return tuple(made)

    return read


def map_of(reader: Reader, key_reader: Reader = a_text) -> Reader:
    """Return a reader of an object with any keys whose values are each read."""

    def read(value: Any, where: str) -> dict[str, Any]:
        made, key = {}, ""
        try:
            for key, entry in an_object(value, "").items():
                made[key_reader(key, "")] = reader(entry, "")
        except MismatchError as problem:
            raise problem.below(f"{where}.{key}" if key else where) from None
        return made

    return read


def one_of(kind: type[Enum]) -> Reader:
    """Return a reader of an enum's values."""
    known = {member.value: member for member in kind}

    def read(value: Any, where: str) -> Enum:
        if not isinstance(value, str) or value not in known:
            raise MismatchError(where, "one of " + ", ".join(known))
        return known[value]

    return read


def object_of(readers: Mapping[str, Reader], needed: Collection[str]) -> Callable[[Any, str], dict[str, Any]]:
    """Return a reader of an object: no unknown key, none of the `needed` missing, each value read by its reader."""

    def read(value: Any, where: str) -> dict[str, Any]:
        found, made, key = an_object(value, where), {}, ""
        try:
            for key, entry in found.items():
                made[key] = readers[key](entry, "")
        except MismatchError as problem:
            raise problem.below(f"{where}.{key}") from None
        except KeyError:
            if key in readers:
                raise
            raise MismatchError(f"{where}.{key}", "absent: there is no such key") from None
        for name in needed:
            if name not in made:
                raise MismatchError(f"{where}.{name}", "present")
        return made

    return read


def record_of(
    kind: type[_T], readers: Mapping[str, Reader], needed: Collection[str] | None = None
) -> Callable[[Any, str], _T]:
    """Return a reader of a dataclass; without `needed` the keys that have no default are."""
    if needed is None:
        required = (item for item in fields(kind) if item.default is REQUIRED and item.default_factory is REQUIRED)  # type: ignore[arg-type]  # a dataclass, which type[_T] cannot say
        needed = [item.name for item in required]
    read_object = object_of(readers, needed)
    return lambda value, where: kind(**read_object(value, where))
