"""JSON as it comes out of a gateway that reads it and writes it again in JavaScript. Pure; knows no gateway.

What was seen on the wire: `1.0` becomes `1`, digits beyond the 17th are lost, a number that is too large becomes null,
and keys that look like array indexes come first, in their order.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

INDEX_LIMIT = 2**32 - 1
WHOLE_LIMIT = 1e21
"""From here on JavaScript writes a whole number with an exponent."""


def no_constant(word: str) -> Any:
    """Raises ValueError for what Python's reader takes and JavaScript's does not: NaN and Infinity."""
    raise ValueError(f"{word} is no JSON")


def rewritten(value: Any) -> Any:
    """The value after JavaScript read and wrote it."""
    if isinstance(value, dict):
        indexes = sorted((name for name in value if _is_index(name)), key=int)
        names = [*indexes, *(name for name in value if not _is_index(name))]
        return {name: rewritten(value[name]) for name in names}
    if isinstance(value, list):
        return [rewritten(entry) for entry in value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return _number(value)


def _number(value: float) -> Any:
    try:
        double = float(value)
    except OverflowError:
        return None
    if not math.isfinite(double):
        return None
    if double == int(double) and abs(double) < WHOLE_LIMIT:
        return int(Decimal(repr(double)))
    return double


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and str(int(name[:11])) == name and int(name) < INDEX_LIMIT
