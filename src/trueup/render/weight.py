"""Which findings a reviewer reads first, and which of many are only counted: one order and one choice for all pages.

A comment and a list of annotations end somewhere; what has no weight must not take the room of what has. Text, JSON and
lists for programs have no end, and keep the order of the files. Knows codes and severities and no format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from trueup.core.plans.plan import Reason
from trueup.core.source import Diagnostic, Severity, in_order
from trueup.render.values import pluralize

SETTINGS: Final = ("setting-changed", "not-used")
"""Codes of settings of a proposed project file that differ from the one in force."""

HEAVY: Final = (
    "snapshot", "guard", *SETTINGS, Reason.PRUNED.value, Reason.RECREATED.value, Reason.REVERTED.value,
)  # fmt: skip
"""Codes of what comes before everything of its severity: what a plan rests on, and what it destroys."""

FEW: Final = 5
"""Findings of one code and without weight that are shown one by one; an error has to be mended and is always shown."""

CODES: Final = 12
"""Codes that are named where findings are only counted."""

_ORDER: Final = (Severity.ERROR, Severity.WARNING, Severity.NOTE)

Rest = Mapping[str, tuple[Diagnostic, ...]]
"""Findings that are only counted, by their code."""


def weigh(item: Diagnostic, target: str = "") -> tuple[int, int, int]:
    """Return what to sort by: severity, what destroys or decides something, and how much of `target` it affects."""
    heavy = HEAVY.index(item.code) if item.code in HEAVY else len(HEAVY)
    return _ORDER.index(item.severity), heavy, _count_distance(item, target) if item.code in SETTINGS else 0


def _count_distance(item: Diagnostic, target: str) -> int:
    """Return how little a setting reaches: that of the project or of `target`, of one assistant, of another target."""
    if item.path[:1] == ("targets",) and item.path[1:2] != (target,):
        return 2
    return int(item.path[:1] == ("lifecycle",))


def sort_by_weight(found: Iterable[Diagnostic], target: str = "") -> tuple[Diagnostic, ...]:
    """Return problems by weight, each once; those of one weight by file, line, column and code."""
    return tuple(sorted(in_order(found), key=lambda item: weigh(item, target)))


def choose(found: Sequence[Diagnostic], room: int, few: int = FEW) -> tuple[tuple[Diagnostic, ...], Rest]:
    """Return the findings to list, `room` of them at most and in the order given, and the rest by code.

    Errors have the first choice, then what has weight, then all else; among these each code has its turn before one
    has the next, so that none takes all the room. Of a code without weight there are no more than a `few`.
    """
    seen: Counter[str] = Counter()
    turns = []
    for place, item in enumerate(found):
        is_light = item.severity is not Severity.ERROR and item.code not in HEAVY
        if not is_light or seen[item.code] < few:
            turns.append((item.severity is not Severity.ERROR, is_light, seen[item.code], place))
        seen[item.code] += 1
    kept = {place for *_, place in sorted(turns)[:room]}
    rest: dict[str, list[Diagnostic]] = {}
    for place, item in enumerate(found):
        if place not in kept:
            rest.setdefault(item.code, []).append(item)
    return tuple(found[place] for place in sorted(kept)), {code: tuple(items) for code, items in rest.items()}


def count_by_code(numbers: Mapping[str, int]) -> str:
    """Return how many there are of each code, as far as there is room: `790 until-passed, 6 unused-var`."""
    if len(numbers) == 1:
        return next(iter(numbers))
    named = [f"{number:,} {code}" for code, number in numbers.items()]
    more = f" and {pluralize(len(named) - CODES, 'more code')}" if len(named) > CODES else ""
    return f"{', '.join(named[:CODES])}{more}"
