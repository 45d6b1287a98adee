"""What differs inside one value, as rows: entries of a list, keys of a mapping, tools by name. Knows no assistant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trueup.core.plans.diff import Difference, Fate, ToolChange, diff
from trueup.core.plans.plan import MISSING
from trueup.core.source import dotted
from trueup.core.texts.align import Allowance, align
from trueup.core.texts.compare import compare
from trueup.render import prose_rows
from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.values import is_text, many, value
from trueup.render.visible import columns, hanging, shortened, visible

PARTS = 24
"""Differences inside one value that are shown unless everything is asked for."""


def is_nested(item: Any) -> bool:
    """Whether a value has parts."""
    return isinstance(item, (Mapping, list, tuple))


def parts(old: Any, new: Any, look: Look, indent: int) -> Iterator[Row]:
    """The parts of a mapping or a list that differ; a list of plain values by what came and went."""
    lists = isinstance(old, (list, tuple)) and isinstance(new, (list, tuple))
    if lists and not any(map(is_nested, (*old, *new))):
        yield from _entries([value(entry, look) for entry in old], [value(entry, look) for entry in new], look, indent)
    else:
        yield from _differences(diff(old, new), look, indent)


def _entries(old: Sequence[str], new: Sequence[str], look: Look, indent: int) -> Iterator[Row]:
    found: list[tuple[str, str, Tone]] = []
    kept = a = b = 0
    for i, j, length in (*align(old, new, Allowance(20_000)), (len(old), len(new), 0)):
        found += [("- ", text, Tone.GONE) for text in old[a:i]]
        found += [("+ ", text, Tone.FRESH) for text in new[b:j]]
        kept, a, b = kept + length, i + length, j + length
    for sign, text, tone in found if look.verbose else found[:PARTS]:
        yield (Piece(" " * indent), Piece(sign + text, tone))
    yield from _rest(len(found), look, indent)
    if kept:
        yield (Piece(" " * indent), Piece(f"{look.fold} {kept:,} unchanged", Tone.FAINT))


def _rest(count: int, look: Look, indent: int) -> Iterator[Row]:
    if count > PARTS and not look.verbose:
        text = f"{look.fold} {count - PARTS:,} more (-v shows all)"
        yield (Piece(" " * indent), Piece(text, Tone.FAINT))


def _differences(found: Sequence[Difference], look: Look, indent: int) -> Iterator[Row]:
    for item in found if look.verbose else found[:PARTS]:
        name = shortened(visible(dotted(item.path) or "value", look), look.width // 2, look)
        first = (Piece(" " * indent), Piece(name + "  "))
        if _is_prose(item):
            prose = compare(item.before, item.after)
            yield (*first, Piece(prose_rows.size(prose), Tone.FAINT))
            yield from prose_rows.rows(prose, look, indent + 2, lambda number: f"line {number}", {})
            continue
        room = look.width - indent - columns(name) - 4
        old, new = Piece(value(item.before, look, room), Tone.GONE), Piece(value(item.after, look, room), Tone.FRESH)
        if item.before is MISSING:
            pieces = [Piece("+ ", Tone.FRESH), new]
        elif item.after is MISSING:
            pieces = [Piece("- ", Tone.GONE), old]
        else:
            pieces = [old, Piece(f" {look.arrow} "), new]
        yield from hanging(first, pieces, look.width)
    yield from _rest(len(found), look, indent)


def _is_prose(item: Difference) -> bool:
    both = isinstance(item.before, str) and isinstance(item.after, str)
    return both and (is_text(item.before) or is_text(item.after))


def tool_parts(changes: Sequence[ToolChange], look: Look, indent: int) -> Iterator[Row]:
    """Each tool that came, went, moved or changed, with its changed parts; the others as a count."""
    kept = 0
    for change in changes:
        name = visible(change.label, look)
        at = " " * indent
        if change.fate is Fate.ADDED:
            yield from _new_tool(name, change.differences[0].after, look, indent)
        elif change.fate is Fate.REMOVED:
            yield (Piece(at), Piece(shortened(f"- {name}", look.width - indent, look), Tone.GONE))
        elif change.fate is Fate.MOVED:
            words = f"  moved from place {(change.before or 0) + 1} to {(change.after or 0) + 1}"
            yield (Piece(at), Piece("~ ", Tone.MODIFY), Piece(name), Piece(words, Tone.FAINT))
        elif change.fate is Fate.CHANGED:
            yield (Piece(at), Piece("~ ", Tone.MODIFY), Piece(shortened(name, look.width - indent - 2, look)))
            yield from _differences(_short_paths(change), look, indent + 4)
        else:
            kept += 1
    if kept:
        yield (Piece(" " * indent), Piece(f"{look.fold} {many(kept, 'tool')} unchanged", Tone.FAINT))


def _new_tool(name: str, tool: Any, look: Look, indent: int) -> Iterator[Row]:
    """A tool that came, with what it says it is for and the names of its parameters."""
    yield (Piece(" " * indent), Piece(shortened(f"+ {name}", look.width - indent, look), Tone.FRESH))
    inner = tool.get("function") if isinstance(tool, Mapping) else None
    if not isinstance(inner, Mapping):
        return
    parameters = inner.get("parameters")
    names = parameters.get("properties") if isinstance(parameters, Mapping) else None
    described = {"description": inner.get("description"), "parameters": ", ".join(names) if names else None}
    for word, text in described.items():
        if isinstance(text, str) and text:
            first = (Piece(" " * (indent + 4)), Piece(f"{word}  "))
            yield from hanging(first, [Piece(value(text, look, look.width * 2), Tone.FRESH)], look.width)


def _short_paths(change: ToolChange) -> list[Difference]:
    """The differences without the function's own level, which every path would begin with."""
    if all(item.path[:1] == ("function",) and len(item.path) > 1 for item in change.differences):
        return [Difference(item.path[1:], item.before, item.after) for item in change.differences]
    return list(change.differences)
