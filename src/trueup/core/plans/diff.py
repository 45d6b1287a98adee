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

NODES = 2_000
"""Values, keys and entries on both sides together up to which DeepDiff is asked; it takes 10 µs and more for each."""

DEPTH = 60
"""Levels below which a value is compared whole."""

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
    """All differences of two JSON values, in path order; none iff they are the same by `core.canonical.same`."""
    if same(before, after):
        return []
    if _nodes(before, NODES) + _nodes(after, NODES) < NODES:
        found = _ordered(_deep(before, after))
        if same(patch(before, found), after):
            return found
    return _ordered(_walk((), before, after))


def patch(value: Any, differences: Sequence[Difference]) -> Any:
    """The value with every difference's after-side put in its place; the value itself stays as it was."""
    result = _plain(value)
    removed = [item for item in differences if item.after is MISSING]
    for item in differences:
        if item.after is not MISSING:
            result = _put(result, item.path, _plain(item.after))
    for item in sorted(removed, key=lambda item: _order(item.path), reverse=True):
        del _reach(result, item.path[:-1])[item.path[-1]]
    return result


def tool_changes(before: Any, after: Any) -> tuple[ToolChange, ...]:
    """What happened to each tool, matched by its function's name or its type, in the new order, removed ones last."""
    old, new = _labelled(before), _labelled(after)
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
    """What people call a tool: `function get_weather`, `mcp github`, or its type."""
    if not isinstance(tool, Mapping):
        return tool if isinstance(tool, str) else "tool"
    kind, name = str(tool.get("type") or "tool"), tool_name(tool)
    return kind if name is None else f"{kind} {name}"


def _labelled(tools: Any) -> list[tuple[str, Any]]:
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


def _deep(before: Any, after: Any) -> Iterator[Difference]:
    """DeepDiff's findings, with the values read from the originals: its own are placeholders where a text was."""
    from deepdiff import DeepDiff

    texts: dict[str, str] = {}
    tree = DeepDiff(
        _shielded(before, texts),
        _shielded(after, texts),
        view="tree",
        zip_ordered_iterables=True,
        ignore_private_variables=False,
        threshold_to_diff_deeper=0,
    )
    for levels in tree.values():
        for level in levels:
            path = tuple(level.path(output_format="list"))
            yield Difference(path, _get(before, path), _get(after, path))


def _shielded(value: Any, texts: dict[str, str]) -> Any:
    """The value in plain types and whole numbers as integers; texts DeepDiff would look into become placeholders."""
    if isinstance(value, Mapping):
        return {key: _shielded(entry, texts) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shielded(entry, texts) for entry in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and ("\n" in value or value.startswith("\0") or len(value) > 1_000):
        return texts.setdefault(value, f"\0{len(texts)}")
    return value


def _walk(path: Path, before: Any, after: Any) -> Iterator[Difference]:
    """The differences found by hand: into mappings by key and into lists by place."""
    if before is not MISSING and after is not MISSING and same(before, after):
        return
    if len(path) < DEPTH and isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in (*before, *(key for key in after if key not in before)):
            yield from _walk((*path, key), before.get(key, MISSING), after.get(key, MISSING))
    elif len(path) < DEPTH and isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)):
        for place in range(max(len(before), len(after))):
            one = before[place] if place < len(before) else MISSING
            other = after[place] if place < len(after) else MISSING
            yield from _walk((*path, place), one, other)
    else:
        yield Difference(path, before, after)


def _ordered(found: Iterator[Difference]) -> list[Difference]:
    return sorted(found, key=lambda item: _order(item.path))


def _order(path: Path) -> tuple[tuple[bool, int, str], ...]:
    """Paths in order: list places by number, keys by name."""
    return tuple((True, 0, part) if isinstance(part, str) else (False, part, "") for part in path)


def _nodes(value: Any, limit: int) -> int:
    """How many values there are, counted no further than the limit; a level too deep counts as the limit."""
    count, waiting = 0, [(value, 0)]
    while waiting and count < limit:
        entry, depth = waiting.pop()
        count += 1
        if isinstance(entry, (Mapping, list, tuple)):
            if depth >= DEPTH:
                return limit
            inner = entry.values() if isinstance(entry, Mapping) else entry
            waiting += [(item, depth + 1) for item in inner]
    return count


def _get(value: Any, path: Path) -> Any:
    """The value at a path, MISSING where there is none."""
    for part in path:
        listed = isinstance(value, (list, tuple)) and isinstance(part, int) and part < len(value)
        if not listed and not (isinstance(value, Mapping) and part in value):
            return MISSING
        value = value[part]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value


def _reach(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _put(value: Any, path: Path, entry: Any) -> Any:
    """The value with an entry set, or appended where a list ends."""
    if not path:
        return entry
    holder, last = _reach(value, path[:-1]), path[-1]
    if isinstance(holder, list) and last == len(holder):
        holder.append(entry)
    else:
        holder[last] = entry
    return value


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
