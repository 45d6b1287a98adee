"""JSON values as lines of YAML that reads back as the same values. Pure; knows no definition and no width.

Text of several lines is a literal block, so that a prompt can be read; all other text is JSON's, which YAML takes. No
line is a command to a runner in whose log it stands: such text is in quotes too, with an escape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from trueup.core.texts.escapes import SIGNS
from trueup.render.style import defused, unrunnable

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*\Z")
_BLOCK = re.compile(f"[^ \n\t{SIGNS}][^\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff{SIGNS}]*\\Z")
"""Text that a literal block holds as it is: nothing that cannot be seen, and nothing to strip at its beginning."""


def yaml_lines(value: Any) -> Iterator[str]:
    """The value from its outermost level: a mapping's keys, a list's entries, or a scalar on its one line."""
    if isinstance(value, Mapping) and value:
        yield from mapping_lines(value, 0)
    elif isinstance(value, (list, tuple)) and value:
        for entry in value:
            yield from _entry("-", entry, 0)
    else:
        yield _scalar(value)


def mapping_lines(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    """The keys of a mapping with their values, at a depth of two blanks each."""
    for key, entry in value.items():
        yield from _entry(f"{_key(key)}:", entry, depth)


def _entry(lead: str, value: Any, depth: int) -> Iterator[str]:
    """One key or dash with its value, on its line or below it."""
    pad = "  " * depth
    if isinstance(value, Mapping) and value:
        if lead == "-":
            first, *rest = mapping_lines(value, depth + 1)
            yield f"{pad}- {first.lstrip(' ')}"
            yield from rest
        else:
            yield f"{pad}{lead}"
            yield from mapping_lines(value, depth + 1)
    elif isinstance(value, (list, tuple)) and value:
        yield f"{pad}{lead}"
        for entry in value:
            yield from _entry("-", entry, depth + 1)
    elif isinstance(value, str) and "\n" in value and _is_block(value):
        yield from _block(f"{pad}{lead}", value, depth)
    else:
        yield f"{pad}{lead} {_scalar(value)}"


def _is_block(text: str) -> bool:
    """Whether a literal block may hold the text: it can, and no line of it is a command to a runner."""
    return _BLOCK.match(text) is not None and all(defused(line) == line for line in text.split("\n"))


def _block(lead: str, text: str, depth: int) -> Iterator[str]:
    """A literal block; the sign behind the bar says how the text ends."""
    body = text.rstrip("\n")
    ending = len(text) - len(body)
    yield f"{lead} |{'-' if ending == 0 else '' if ending == 1 else '+'}"
    pad = "  " * (depth + 1)
    for line in [*body.split("\n"), *[""] * max(ending - 1, 0)]:
        yield f"{pad}{line}" if line else ""


def _key(key: str) -> str:
    return key if _KEY.match(key) and key.lower() not in _WORDS else _quoted(key)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value if _PLAIN.match(value) and value.lower() not in _WORDS else _quoted(value)
    if isinstance(value, Mapping):
        return "{}"
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _quoted(text: str) -> str:
    """Text in double quotes: JSON's escapes, and YAML's for every other sign that cannot be seen."""
    quoted = unrunnable(json.dumps(text, ensure_ascii=False), "\\u0023")
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in quoted)
