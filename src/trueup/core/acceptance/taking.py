"""Which live values are to go into a file, whether the file was edited too, and in which words they are written.

Asks the judge that plans ask. Knows no file and no layout.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from trueup.core.canonical import Semantics, canonical, same
from trueup.core.memory.state import Record
from trueup.core.plans.fields import Rules, judge, matches
from trueup.core.plans.plan import MISSING, Cause
from trueup.core.source import Path


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
    wanted = canonical(name, None if file is MISSING else file, rules.semantics)
    if same(wanted, canonical(name, None if live is MISSING else live, rules.semantics)):
        return Way.NOTHING if file is not MISSING else Way.TAKE
    if cause is Cause.CONFLICT:
        return Way.MERGE
    if cause is Cause.UNKNOWN:
        applied = record.fields.get(name)
        known = applied is not None and file is not MISSING and matches(name, file, applied, rules.semantics)
        return Way.TAKE if known else Way.MERGE
    return Way.TAKE


def path_of(name: str) -> Path:
    """The keys that lead to a field; a metadata key may hold dots, of which only the first parts."""
    top, _, rest = name.partition(".")
    if top == "metadata" and rest:
        return (top, rest)
    return tuple(name.split(".", 2))


def in_words(name: str, live: Any, file: Any, semantics: Semantics, *, has_null: bool) -> Any:
    """What a file has to say for the field to be as it is live, without what the server filled in by itself.

    `has_null` says that null there declares the field's default.
    """
    if live is MISSING or live is None:
        if has_null:
            return None
        return "" if name in semantics.empty_is_null else semantics.default(name)
    if name in semantics.float32 and isinstance(live, float):
        return _shortest(live)
    return _lean(name, live, file, semantics)


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


def _lean(name: str, live: Any, file: Any, semantics: Semantics) -> Any:
    """The live value without each key that the file does not have and that means nothing: a default, or null."""
    wanted = canonical(name, live, semantics)

    def without(value: Any, known: Any, depth: int, put: Any) -> Any:
        if depth == 0 or not isinstance(value, (dict, list)):
            return value
        if isinstance(value, list):
            for index, entry in enumerate(value):
                beside = _partner(entry, known)
                value = _with(value, index, without(entry, beside, depth - 1, _nested(put, value, index)))
            return value
        for key in list(value):
            if not (isinstance(known, Mapping) and key in known):
                fewer = {other: entry for other, entry in value.items() if other != key}
                if same(canonical(name, put(fewer), semantics), wanted):
                    value = fewer
                    continue
            inner = known.get(key) if isinstance(known, Mapping) else None
            value = _with(value, key, without(value[key], inner, depth - 1, _nested(put, value, key)))
        return value

    return without(_copied(live), file, _DEPTH, lambda value: value)


_DEPTH = 4
"""Levels below a field in which servers fill in defaults; a JSON Schema, further down, is left as it is."""


def _nested(put: Any, holder: Any, key: Any) -> Any:
    return lambda value: put(_with(holder, key, value))


def _with(holder: Any, key: Any, value: Any) -> Any:
    """A copy with one entry replaced."""
    if isinstance(holder, list):
        return [*holder[:key], value, *holder[key + 1 :]]
    return {**holder, key: value}


def _partner(entry: Any, known: Any) -> Any:
    """The file's entry of the same tool, whose words are kept."""
    if not isinstance(known, (list, tuple)) or not isinstance(entry, Mapping):
        return None
    return next((other for other in known if _called(other) == _called(entry)), None)


def _called(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return (entry, None)
    function = entry.get("function")
    return (entry.get("type"), function.get("name") if isinstance(function, Mapping) else None)


def _copied(value: Any) -> Any:
    """The value in plain containers."""
    if isinstance(value, Mapping):
        return {key: _copied(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copied(entry) for entry in value]
    return value
