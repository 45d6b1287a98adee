"""Three texts made one, as git does it: what one side changed is taken, what both changed stands between markers.

Works on lines that keep their line breaks. Knows no file, and not what the lines mean.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from trueup.core.texts.align import Allowance, align

OURS, MIDDLE, THEIRS = "<<<<<<< file", "=======", ">>>>>>> live"
"""The lines around a conflict."""

COMPARISONS: Final = 4_000_000
_MARKED: Final = re.compile(r"^<{7} .*\n(?:.*\n)*?={7}\r?\n(?:.*\n)*?>{7} ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Merged:
    """The lines, and how many conflicts stand in them."""

    text: str
    conflicts: int


def merged(base: str | None, ours: str, theirs: str) -> Merged:
    """Both texts as one; without a base every difference is a conflict."""
    left, right = _lines(ours), _lines(theirs)
    allowance = Allowance(COMPARISONS)
    if base is None:
        stretches = _two_sided(left, right, allowance)
    else:
        stretches = _three_sided(_lines(base), left, right, allowance)
    made: list[str] = []
    conflicts = 0
    for lines, other in stretches:
        if other is None:
            made += lines
        else:
            conflicts += 1
            made += [f"{OURS}\n", *_ended(lines), f"{MIDDLE}\n", *_ended(other), f"{THEIRS}\n"]
    return Merged("".join(made), conflicts)


def marked_at(text: str) -> int | None:
    """The offset of the first conflict's first marker in a text; None where there is none."""
    if ">>>>>>> " not in text:
        return None
    found = _MARKED.search(text)
    return found.start() if found else None


Stretch = tuple[Sequence[str], Sequence[str] | None]
"""Lines that are settled; or our lines, and theirs, where they are not."""


def _two_sided(left: list[str], right: list[str], allowance: Allowance) -> list[Stretch]:
    found: list[Stretch] = []
    i = j = 0
    for a, b, length in [*align(left, right, allowance), (len(left), len(right), 0)]:
        if (i, j) != (a, b):
            found.append((left[i:a], right[j:b]))
        found.append((left[a : a + length], None))
        i, j = a + length, b + length
    return found


def _three_sided(base: list[str], left: list[str], right: list[str], allowance: Allowance) -> list[Stretch]:
    """Between the lines that all three share, each stretch is ours, theirs, or both."""
    found: list[Stretch] = []
    here, there = _places(base, left, allowance), _places(base, right, allowance)
    o = i = j = 0
    for line in [*(line for line in range(len(base)) if line in here and line in there), len(base)]:
        a, b = here.get(line, len(left)), there.get(line, len(right))
        if (o, i, j) != (line, a, b):
            found += _settled(base[o:line], left[i:a], right[j:b])
        if line < len(base):
            found.append(([base[line]], None))
        o, i, j = line + 1, a + 1, b + 1
    return found


def _settled(before: list[str], left: list[str], right: list[str]) -> list[Stretch]:
    if left in (before, right):
        return [(right, None)]
    return [(left, None)] if right == before else _shortened(left, right)


def _shortened(left: list[str], right: list[str]) -> list[Stretch]:
    """A conflict without the lines at its ends that both sides share."""
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    end = 0
    while end < min(len(left), len(right)) - start and left[-1 - end] == right[-1 - end]:
        end += 1
    a, b = len(left) - end, len(right) - end
    return [(left[:start], None), (left[start:a], right[start:b]), (left[a:], None)]


def _places(base: list[str], other: list[str], allowance: Allowance) -> dict[int, int]:
    """Where each line of the base that is kept stands in the other text."""
    return {a + step: b + step for a, b, length in align(base, other, allowance) for step in range(length)}


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text)


def _ended(lines: Sequence[str]) -> list[str]:
    """The lines, the last of which ends so that a marker stands on a line of its own."""
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]
