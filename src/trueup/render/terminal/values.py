"""Values as rows: what differs inside one, entries, keys and tools by name, and a whole one line by line.

Folds what is long unless everything is asked for, and says how much. Knows no field and no assistant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trueup.core import yaml_text
from trueup.core.field_table import nested_tool
from trueup.core.plans.diff import Difference, Fate, ToolChange, diff, tool_changes
from trueup.core.plans.plan import MISSING
from trueup.core.source import dotted
from trueup.core.texts.align import Allowance, align
from trueup.core.texts.compare import compare
from trueup.render.model import FieldView, Shape
from trueup.render.prose_lines import describe_extent
from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.terminal.prose import difference_rows
from trueup.render.values import is_brief, is_nested, is_text, pluralize, write_value
from trueup.render.visible import count_columns, hanging_rows, make_visible
from trueup.wire.registry import built_in_tools

PARTS = 24
"""Differences inside one value that are shown unless everything is asked for."""

WHOLE = 4_000
"""Columns of a value that stands on one row: more than any that is brief has."""


def value_rows(field: FieldView, look: Look, indent: int) -> Iterator[Row]:
    """Yield what differs of a field that is neither text nor brief."""
    if field.shape is Shape.TOOLS:
        yield from tool_rows(tool_changes(field.old, field.new), look, indent)
    elif field.shape is Shape.PARTS:
        yield from part_rows(field.old, field.new, look, indent)
    elif field.shape is Shape.WHOLE:
        yield from side_rows(field.old, field.new, look, indent)


def part_rows(old: Any, new: Any, look: Look, indent: int) -> Iterator[Row]:
    """Yield the parts of a mapping or a list that differ; a list of plain values by what came and went."""
    lists = isinstance(old, (list, tuple)) and isinstance(new, (list, tuple))
    if lists and all(map(is_brief, (*old, *new))) and not any(map(is_nested, (*old, *new))):
        yield from _entries(
            [write_value(entry, look, WHOLE) for entry in old],
            [write_value(entry, look, WHOLE) for entry in new],
            look,
            indent,
        )
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
        yield from _signed_rows([Piece(sign + text, tone)], look, indent)
    yield from _rest_row(len(found), look, indent)
    if kept:
        yield (Piece(" " * indent), Piece(f"{look.fold} {kept:,} unchanged", Tone.FAINT))


def _rest_row(count: int, look: Look, indent: int) -> Iterator[Row]:
    if count > PARTS and not look.verbose:
        yield fold_row(f"{count - PARTS:,} more", look, indent)


def _differences(found: Sequence[Difference], look: Look, indent: int) -> Iterator[Row]:
    for item in found if look.verbose else found[:PARTS]:
        yield from _difference(item, make_visible(dotted(item.path) or "value", look), look, indent)
    yield from _rest_row(len(found), look, indent)


def _difference(item: Difference, name: str, look: Look, indent: int) -> Iterator[Row]:
    """Yield one place that differs: brief sides on its row, a text by its lines, all else whole below it."""
    if _is_prose(item):
        prose = compare(item.before, item.after, built_in_tools())
        yield from label_rows(name, [Piece(describe_extent(prose), Tone.FAINT)], look, indent)
        yield from difference_rows(prose, look, indent + 2, lambda number: f"line {number}", {})
        return
    if not (is_brief(item.before) and is_brief(item.after)):
        yield from label_rows(name, [], look, indent)
        yield from side_rows(item.before, item.after, look, indent + 2)
        return
    old, new = (
        Piece(write_value(item.before, look, WHOLE), Tone.GONE),
        Piece(write_value(item.after, look, WHOLE), Tone.FRESH),
    )
    if item.before is MISSING:
        pieces = [Piece("+ ", Tone.FRESH), new]
    elif item.after is MISSING:
        pieces = [Piece("- ", Tone.GONE), old]
    else:
        pieces = [old, Piece(f" {look.arrow} "), new]
    yield from label_rows(name, pieces, look, indent)


def _is_prose(item: Difference) -> bool:
    both = isinstance(item.before, str) and isinstance(item.after, str)
    return both and (is_text(item.before) or is_text(item.after))


def tool_rows(changes: Sequence[ToolChange], look: Look, indent: int) -> Iterator[Row]:
    """Yield each tool that came, went, moved or changed, with what differs of it; the others as a count.

    One that came is shown whole; of one that went there is the number of its lines unless everything is asked for.
    """
    kept = 0
    for change in changes:
        name = make_visible(change.label, look)
        if change.fate is Fate.ADDED:
            yield from _signed_rows([Piece(f"+ {name}", Tone.FRESH)], look, indent)
            yield from _tool_rows(change.differences[0].after, look, indent + 4, Tone.FRESH)
        elif change.fate is Fate.REMOVED:
            tool = change.differences[0].before
            words = [Piece(f"- {name}", Tone.GONE)]
            if not look.verbose and (said := tool_lines(tool)):
                words.append(Piece(f"  {look.fold} {pluralize(said, 'line')} (-v shows all)", Tone.FAINT))
            yield from _signed_rows(words, look, indent)
            if look.verbose:
                yield from _tool_rows(tool, look, indent + 4, Tone.GONE)
        elif change.fate is Fate.MOVED:
            where = f"  moved from place {(change.before or 0) + 1} to {(change.after or 0) + 1}"
            yield from _signed_rows([Piece("~ ", Tone.MODIFY), Piece(name), Piece(where, Tone.FAINT)], look, indent)
        elif change.fate is Fate.CHANGED:
            yield from _signed_rows([Piece("~ ", Tone.MODIFY), Piece(name)], look, indent)
            yield from _differences(_drop_own_level(change), look, indent + 4)
        else:
            kept += 1
    if kept:
        yield (Piece(" " * indent), Piece(f"{look.fold} {pluralize(kept, 'tool')} unchanged", Tone.FAINT))


def tool_lines(tool: Any) -> int:
    """Return how many lines a tool says besides its name and type."""
    said = _drop_label(tool)
    return len(value_lines(said)) if said else 0


def _signed_rows(words: Sequence[Piece], look: Look, indent: int) -> Iterator[Row]:
    """Yield words behind a sign of two columns, wrapped behind it."""
    yield from hanging_rows((Piece(" " * indent),), words, look.width, indent + 2)


def _tool_rows(tool: Any, look: Look, indent: int, tone: Tone) -> Iterator[Row]:
    """Yield what a tool says besides its name and type."""
    if said := _drop_label(tool):
        yield from whole_rows(said, look, indent, "", tone)


def _drop_label(tool: Any) -> Any:
    """Return a tool without what its label says: its type, and the name of a function."""
    if not isinstance(tool, Mapping):
        return None if isinstance(tool, str) else tool
    kind, inner = tool.get("type"), nested_tool(tool)
    if not isinstance(kind, str) or not kind:
        return tool
    if inner is not None and isinstance(inner.get("name"), str) and len(tool) == 2:
        return {key: entry for key, entry in inner.items() if key != "name"}
    said = {"type", "name"} if inner is None and isinstance(tool.get("name"), str) else {"type"}
    return {key: entry for key, entry in tool.items() if key not in said}


def _drop_own_level(change: ToolChange) -> list[Difference]:
    """Return the differences without the level of a tool's own object, which every path would begin with."""
    kind, _, name = change.label.partition(" ")
    if name and all(item.path[:1] == (kind,) and len(item.path) > 1 for item in change.differences):
        return [Difference(item.path[1:], item.before, item.after) for item in change.differences]
    return list(change.differences)


FOLD = 20
"""Rows after which a value is folded unless everything is asked for."""

ROWS = 8
"""Rows that one of its lines may take unless everything is asked for."""


def value_lines(item: Any) -> list[str]:
    """Return a value as the lines of its rows: a long text's own, anything else as YAML."""
    return item.split("\n") if is_text(item) else yaml_text.format_lines(item, yaml_text.LOGGED)


def whole_rows(item: Any, look: Look, indent: int, sign: str, tone: Tone) -> Iterator[Row]:
    """Yield the rows of one value, each of its lines behind a sign."""
    lines, taken = value_lines(item), 0
    for number, line in enumerate(lines):
        if taken >= FOLD and not look.verbose:
            yield fold_row(f"{pluralize(len(lines) - number, 'more line')}", look, indent)
            return
        for row in _line_rows(line, look, indent, Piece(sign, tone)):
            taken += 1
            yield row


def side_rows(old: Any, new: Any, look: Look, indent: int) -> Iterator[Row]:
    """Yield what was there and what is there now, below each other; of a side that has nothing there is no row."""
    for sign, tone, side in (("- ", Tone.GONE, old), ("+ ", Tone.FRESH, new)):
        if side is not MISSING:
            yield from whole_rows(side, look, indent, sign, tone)


def fold_row(words: str, look: Look, indent: int) -> Row:
    """Return the row that says how much is left out here, and what shows it."""
    return (Piece(" " * indent), Piece(f"{look.fold} {words} (-v shows all)", Tone.FAINT))


def label_rows(name: str, pieces: Sequence[Piece], look: Look, indent: int) -> Iterator[Row]:
    """Yield a name with something beside it, or below it where the name takes more than half of the row."""
    lead = Piece(" " * indent)
    if count_columns(name) <= look.width // 2:
        yield from hanging_rows((lead, Piece(name + "  " if pieces else name)), pieces, look.width)
        return
    yield from hanging_rows((lead,), [Piece(name)], look.width, indent + 2)
    if pieces:
        yield from hanging_rows((Piece(" " * (indent + 2)),), pieces, look.width)


def _line_rows(line: str, look: Look, indent: int, sign: Piece) -> Iterator[Row]:
    """Yield one line, wrapped below where it begins; of a very long one the start, and how much more there is."""
    depth = len(line) - len(line.lstrip(" "))
    text, room = line[depth:], ROWS * look.width
    pieces = [Piece(make_visible(text, look), sign.tone)]
    if len(text) > room and not look.verbose:
        more = f" {look.fold} {pluralize(len(text) - room, 'more character')} (-v shows all)"
        pieces = [Piece(make_visible(text[:room], look), sign.tone), Piece(more, Tone.FAINT)]
    start = (Piece(" " * indent), sign, Piece(" " * min(depth, look.width // 3)))
    yield from hanging_rows(start, pieces, look.width, sum(count_columns(piece.text) for piece in start) + 2)
