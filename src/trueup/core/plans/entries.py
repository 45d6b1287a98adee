"""Which entries of a list became which of another: tools by their names, the rest by what they are. Knows no file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from trueup.core.canonical import canonical_json
from trueup.core.texts.align import Allowance, align
from trueup.core.tools import tool_name

Gap = tuple[int, int]
"""From one index of a list to another."""


def gaps(left: Sequence[Any], right: Sequence[Any], allowance: Allowance) -> Iterator[tuple[Gap, Gap]]:
    """The stretches of two lists between what they share; two of one length hold pairs, others came or went.

    An entry that kept its name and changed within makes a stretch of its own.
    """
    for a, b in _between([*map(canonical_json, left)], [*map(canonical_json, right)], (0, 0), allowance):
        names = [*map(_name, left[slice(*a)])], [*map(_name, right[slice(*b)])]
        if len(names[0]) == len(names[1]) and not set(names[0]) & set(names[1]):
            yield a, b
            continue
        for start, other, length in align(*names, allowance):
            for step in range(length):
                i, j = a[0] + start + step, b[0] + other + step
                yield (i, i + 1), (j, j + 1)
        yield from _between(*names, (a[0], b[0]), allowance)


def _between(
    left: Sequence[bytes], right: Sequence[bytes], origin: Gap, allowance: Allowance
) -> Iterator[tuple[Gap, Gap]]:
    a = b = 0
    for start, other, length in [*align(left, right, allowance), (len(left), len(right), 0)]:
        if (a, b) != (start, other):
            yield (a + origin[0], start + origin[0]), (b + origin[1], other + origin[1])
        a, b = start + length, other + length


def _name(entry: Any) -> bytes:
    """Return what an entry is called: a tool by its name, one without by its type."""
    if not isinstance(entry, dict):
        return canonical_json(entry)
    return canonical_json([entry.get("type"), tool_name(entry) or sorted(entry)])
