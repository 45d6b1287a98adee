"""Which live values are to go into a file, whether the file was edited too, and in which words they are written.

Asks the judge that plans ask. Knows no file and no layout.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from trueup.core.canonical import Semantics, fits
from trueup.core.field_table import Kind
from trueup.core.memory.state import Record
from trueup.core.plans.fields import Rules, judge, matches
from trueup.core.plans.lean import lean
from trueup.core.plans.plan import MISSING, Cause


class Way(Enum):
    """How a live value meets the file."""

    TAKE = "take"  # the file is as it was applied, or the field was asked for
    MERGE = "merge"  # the file was edited too
    NOTHING = "nothing"  # the file says what is live


@dataclass(frozen=True, slots=True)
class Taking:
    """One field: `file` is what the definition comes to, `live` what is to be taken; MISSING is a side without one."""

    field: str
    way: Way
    file: Any
    live: Any


OUTSIDE = frozenset({Cause.DRIFTED, Cause.CONFLICT, Cause.UNKNOWN})
"""Why a field may be taken without being asked for: somebody else may have changed it."""


def takings(
    file: Mapping[str, Any],
    live: Mapping[str, Any],
    record: Record,
    ignored: Collection[str],
    rules: Rules,
    asked: Sequence[str] = (),
) -> list[Taking]:
    """The fields that were asked for, else those that somebody else changed, in the file's order."""
    found = []
    for name in asked or dict.fromkeys([*file, *record.fields]):
        wanted, there = file.get(name, MISSING), live.get(name, MISSING)
        cause = judge(name, wanted, there, record, rules)
        way = _way(name, wanted, there, record, cause, rules)
        if asked or (cause in OUTSIDE and way is not Way.NOTHING and name not in ignored):
            found.append(Taking(name, way, wanted, there))
    return found


def _way(name: str, file: Any, live: Any, record: Record, cause: Cause | None, rules: Rules) -> Way:
    wanted, found = (None if value is MISSING else value for value in (file, live))
    if fits(name, wanted, found, rules.semantics):
        return Way.NOTHING if file is not MISSING else Way.TAKE
    if cause is Cause.CONFLICT:
        return Way.MERGE
    if cause is Cause.UNKNOWN:
        applied = record.fields.get(name)
        known = applied is not None and file is not MISSING and matches(name, file, applied, rules.semantics)
        return Way.TAKE if known else Way.MERGE
    return Way.TAKE


def in_words(name: str, live: Any, file: Any, semantics: Semantics, *, has_null: bool) -> Any:
    """What a file has to say for the field to be as it is live, without what the server filled in by itself.

    `has_null` says that null there declares the field's default.
    """
    row = semantics.table.field_of(name)
    if live is MISSING or live is None:
        if has_null:
            return None
        return "" if row is not None and row.empty_is_null else semantics.table.default_of(name)
    if row is not None and row.kind is Kind.NUMBER and isinstance(live, float):
        return _shortest(live)
    return lean(name, live, file, semantics)


def _shortest(number: float) -> float | int:
    """The shortest number that is the same in single precision: what a person wrote before a server rounded it."""
    try:
        packed = struct.pack("<f", number)
        found = next(
            value for digits in range(1, 10) if struct.pack("<f", value := float(f"{number:.{digits}g}")) == packed
        )
    except (OverflowError, StopIteration):
        return number
    return int(found) if found.is_integer() else found
