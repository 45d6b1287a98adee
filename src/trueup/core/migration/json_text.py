"""JSON text to values, strictly: no key twice, no number that JSON does not have. Reads no file."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

DIGITS: Final = 400
"""Digits of the longest whole number: no value of an assistant is larger."""


def parse_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises json.JSONDecodeError where it is no JSON, ValueError with what it holds instead, and RecursionError.
    """
    return json.loads(text, parse_constant=_refuse, parse_int=_whole, object_pairs_hook=_object)


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word}, which is no JSON")


def _whole(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a key that stands twice nobody knows which value was meant."""
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next(key for place, (key, _) in enumerate(pairs) if key in dict(pairs[:place]))
        raise ValueError(f"the key {twice[:60]!r} twice in one object")
    return made
