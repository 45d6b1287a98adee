"""Where two JSON values differ, as paths: the one door to DeepDiff. Knows only what a list of tools looks like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from trueup.core.canonical import canonical_json, same
from trueup.core.field_table import tool_name
from trueup.core.plans.plan import MISSING
from trueup.core.source import Path
from trueup.core.texts.align import Allowance, align

NODES = 20_000
"""Values on both sides together that DeepDiff is asked about; it takes 20 µs for each."""

DEPTHS = (60, 8, 4, 2, 1, 0)
"""Levels below which a value is compared whole: the first at which there are no more than `NODES` values counts."""

ALIGNMENT = 20_000
"""Comparisons for finding out which of many tools only moved."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that differs; the side that has nothing there is MISSING, which is not None."""

    path: Path
    before: Any
    after: Any


class Fate(Enum):
    """What became of one tool."""

    KEPT = "kept"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class ToolChange:
    """One tool of a list, matched by what it is; `before` and `after` are places in the lists, None where absent."""

    label: str
    fate: Fate
    before: int | None
    after: int | None
    differences: tuple[Difference, ...] = ()


def diff(before: Any, after: Any) -> list[Difference]:
    """Return all differences of two JSON values, in path order; none iff they are the same by `core.canonical.same`.

    Of values that are very large or nested very deep, what is further down is compared whole.
    """
    if same(before, after):
        return []
    depth = next(depth for depth in DEPTHS if _has_few_values((before, after), depth) or not depth)
    found = [Difference(path, _get(before, path), _get(after, path)) for path in _differing_paths(before, after, depth)]
    return sorted(found, key=lambda item: _path_order(item.path))


def tool_changes(before: Any, after: Any) -> tuple[ToolChange, ...]:
    """Match tools by function name or type and return each one's change, in the new order, removed ones last."""
    old, new = _label_tools(before), _label_tools(after)
    places = {label: (place, tool) for place, (label, tool) in enumerate(old)}
    blocks = align([label for label, _ in old], [label for label, _ in new], Allowance(ALIGNMENT))
    settled = {start + n for start, _, length in blocks for n in range(length)}
    changes: list[ToolChange] = []
    for place, (label, tool) in enumerate(new):
        if label not in places:
            changes.append(ToolChange(label, Fate.ADDED, None, place, (Difference((), MISSING, tool),)))
            continue
        was, past = places[label]
        found = tuple(diff(past, tool))
        fate = Fate.CHANGED if found else Fate.KEPT if was in settled else Fate.MOVED
        changes.append(ToolChange(label, fate, was, place, found))
    gone = {label for label, _ in old} - {label for label, _ in new}
    for place, (label, tool) in enumerate(old):
        if label in gone:
            changes.append(ToolChange(label, Fate.REMOVED, place, None, (Difference((), tool, MISSING),)))
    return tuple(changes)


def tool_label(tool: Any) -> str:
    """Return a tool's usual name: `function get_weather`, `mcp github`, or its type."""
    if not isinstance(tool, Mapping):
        return tool if isinstance(tool, str) else "tool"
    kind, name = str(tool.get("type") or "tool"), tool_name(tool)
    return kind if name is None else f"{kind} {name}"


def _label_tools(tools: Any) -> list[tuple[str, Any]]:
    """Tools with labels that are each used once: a repeated one carries its count."""
    labelled: dict[str, Any] = {}
    seen: dict[str, int] = {}
    for tool in tools if isinstance(tools, (list, tuple)) else ():
        first = label = tool_label(tool)
        while label in labelled:
            seen[first] = seen.get(first, 1) + 1
            label = f"{first} ({seen[first]})"
        labelled[label] = tool
    return list(labelled.items())


def _differing_paths(before: Any, after: Any, depth: int) -> Iterator[Path]:
    """Yield the paths that DeepDiff finds. Its values are left alone: where a text was it has a placeholder."""
    from deepdiff import DeepDiff

    opaque: dict[bytes, str] = {}
    tree = DeepDiff(
        _shield(before, depth, opaque),
        _shield(after, depth, opaque),
        view="tree",
        zip_ordered_iterables=True,
        ignore_private_variables=False,
        threshold_to_diff_deeper=0,
    )
    for levels in tree.values():
        for level in levels:
            yield tuple(level.path(output_format="list"))


def _shield(value: Any, depth: int, opaque: dict[bytes, str]) -> Any:
    """Return a value as DeepDiff may see it: plain types, and whole numbers as integers.

    Texts that it would diff itself, and what is too deep, become placeholders; `opaque` has one for each value.
    """
    is_holder = isinstance(value, (Mapping, list, tuple))
    if is_holder and depth:
        if isinstance(value, Mapping):
            return {key: _shield(entry, depth - 1, opaque) for key, entry in value.items()}
        return [_shield(entry, depth - 1, opaque) for entry in value]
    if is_holder or (isinstance(value, str) and ("\n" in value or value.startswith("\0") or len(value) > 1_000)):
        return opaque.setdefault(canonical_json(value), f"\0{len(opaque)}")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _has_few_values(values: Sequence[Any], depth: int) -> bool:
    """Return whether there are at most `NODES` values down to a depth."""
    count = 0
    waiting = [(value, depth) for value in values]
    while waiting:
        value, left = waiting.pop()
        count += 1
        if count > NODES:
            return False
        if left and isinstance(value, (Mapping, list, tuple)):
            entries = value.values() if isinstance(value, Mapping) else value
            waiting += [(entry, left - 1) for entry in entries]
    return True


def _path_order(path: Path) -> tuple[tuple[bool, int, str], ...]:
    """Return what puts paths in order: list places by number, keys by name."""
    return tuple((True, 0, part) if isinstance(part, str) else (False, part, "") for part in path)


def _get(value: Any, path: Path) -> Any:
    """Return the value at a path, MISSING where there is none."""
    for part in path:
        is_listed = isinstance(value, (list, tuple)) and isinstance(part, int) and part < len(value)
        if not is_listed and not (isinstance(value, Mapping) and part in value):
            return MISSING
        value = value[part]
    return value


Gap = tuple[int, int]
"""From one index of a list to another."""


def find_gaps(left: Sequence[Any], right: Sequence[Any], allowance: Allowance) -> Iterator[tuple[Gap, Gap]]:
    """Yield the stretches of two lists between their shared entries.

    Stretches of equal length hold pairs; in others, entries were added or removed. An entry that kept its name and
    changed within is a stretch of its own.
    """
    for a, b in _walk_between([*map(canonical_json, left)], [*map(canonical_json, right)], (0, 0), allowance):
        names = [*map(_entry_key, left[slice(*a)])], [*map(_entry_key, right[slice(*b)])]
        if len(names[0]) == len(names[1]) and not set(names[0]) & set(names[1]):
            yield a, b
            continue
        for start, other, length in align(*names, allowance):
            for step in range(length):
                i, j = a[0] + start + step, b[0] + other + step
                yield (i, i + 1), (j, j + 1)
        yield from _walk_between(*names, (a[0], b[0]), allowance)


def _walk_between(
    left: Sequence[bytes], right: Sequence[bytes], origin: Gap, allowance: Allowance
) -> Iterator[tuple[Gap, Gap]]:
    a = b = 0
    for start, other, length in [*align(left, right, allowance), (len(left), len(right), 0)]:
        if (a, b) != (start, other):
            yield (a + origin[0], start + origin[0]), (b + origin[1], other + origin[1])
        a, b = start + length, other + length


def _entry_key(entry: Any) -> bytes:
    """Return what an entry is called: a tool by its name, one without by its type."""
    if not isinstance(entry, dict):
        return canonical_json(entry)
    return canonical_json([entry.get("type"), tool_name(entry) or sorted(entry)])
