"""Numbers that do not arrive as sent: JSON cannot hold them, or readers round them. Knows no field's range."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from trueup.core.rules.fault import Fault, Proposal, place, spelt
from trueup.core.source import Path

LARGEST_INTEGER = 2**53
"""Integers beyond it lose digits in every program that reads JSON numbers as doubles; gateways do."""

NO_NUMBER = frozenset({str, bool, type(None)})


def lost_numbers(value: Any, path: Path) -> Iterator[Fault]:
    """A fault for each number in a value of plain dicts and lists that would be lost; the value stands at the path.

    A schema may have refused the same number for its range.
    """
    if not _all_small(value):
        yield from _lost(value, path)


def _all_small(value: Any) -> bool:
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


def _lost(value: Any, path: Path) -> Iterator[Fault]:
    if isinstance(value, float):
        if not math.isfinite(value):
            yield Fault(
                "bad-number",
                path,
                f"{place(path)} is {spelt(value)}, which JSON cannot hold",
                "Write a finite number.",
            )
    elif isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            yield Fault(
                "bad-number", path, f"{place(path)} is a whole number beyond 2**53, which gateways round",
                "Write it as text, in quotes.", proposal=Proposal(value, 'Write it as text, in quotes: "{}".'),
            )  # fmt: skip
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _lost(entry, (*path, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _lost(entry, (*path, index))
