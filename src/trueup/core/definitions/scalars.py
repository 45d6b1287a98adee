"""What an unquoted word means: the core schema of YAML 1.2, in which `no` is a string. Knows no parser and no file.

And back: in which words a line writes a value.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

from trueup.core.source import Position

Scalar = str | int | float | bool | None

DIGITS: Final = 400
"""Characters a number may have; no double has more digits before its point than 309."""

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_STARTS: Final = frozenset("+-.0123456789")
_INTEGER: Final = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_OCTAL: Final = re.compile(r"0o[0-7]+\Z")
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]+\Z")
_NOT_FINITE: Final = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")


def scalar(text: str) -> Scalar:
    """The value of a plain scalar by YAML 1.2.2 §10.3.2. Raises ValueError for a number that JSON cannot hold."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _STARTS:
        return text
    return _number(text)


def _number(text: str) -> Scalar:
    if _NOT_FINITE.match(text):
        raise ValueError(f"{text} is no number that JSON can hold")
    integer = _INTEGER.match(text) or _OCTAL.match(text) or _HEXADECIMAL.match(text)
    if not integer and not _FLOAT.match(text):
        return text
    if len(text) > DIGITS:
        raise ValueError(f"a number of {len(text):,} characters is longer than JSON readers take")
    if integer:
        return int(text) if text[1:2] not in ("o", "x") else int(text, 0)
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is larger than any number that JSON readers take")
    return number


_BEFORE: Final = re.compile(r"(?:[&!][^\s,\[\]{}]*\s+)*")
_WORDS_AT: Final = (
    re.compile(r"'(?:[^']|'')*'"),
    re.compile(r'"[^"\\]*"'),
    re.compile(r"[^\s'\"](?:(?!:(?:\s|$)|\s+#).)*(?<=\S)"),
    re.compile(r"[^\s'\",\[\]{}](?:(?!:(?:\s|$)|\s+#|[,\[\]{}]).)*(?<=\S)"),
)
"""In single quotes, in double quotes without an escape, bare on its line, bare between brackets."""


def words_of(value: Any, position: Position) -> str:
    """Return a value as its line writes it, quotes included; empty where the line does not plainly hold the value."""
    start = _BEFORE.match(position.text, position.column - 1)
    found = (pattern.match(position.text, start.end() if start else 0) for pattern in _WORDS_AT)
    return next((words[0] for words in found if words and _reads_as(words[0], value)), "")


def _reads_as(words: str, value: Any) -> bool:
    if words[0] in "'\"":
        return bool(words[1:-1].replace("''", "'" if words[0] == "'" else "''") == value)
    try:
        read = scalar(words)
    except ValueError:
        return False
    return type(read) is type(value) and read == value
