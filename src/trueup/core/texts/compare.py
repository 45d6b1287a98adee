"""Makes the difference of two texts (`core.texts.prose.Prose`): lines, then moved blocks, then words inside lines.

Every search is bounded, so that two texts of 256,000 characters compare in less than 0.3 s whatever is in them; where a
bound is reached the answer is coarser, never wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from trueup.core.texts.align import Allowance, Block, align, slide_blocks
from trueup.core.texts.moves import Gap, Move, find_moves, mark_change, mark_flow, pair_lines
from trueup.core.texts.prose import UNCHANGED, Nature, Prose, RunKind, Size, TextRun, split_lines
from trueup.core.texts.words import find_mentions

CONTEXT = 2
"""Unchanged lines kept on each side of a change; prose lines are long."""

COMPARISONS = 300_000
"""Exact comparisons one difference may spend on lines and words together."""

RUNS = 4_000
"""Unchanged runs one difference may have; beyond it the short ones count as replaced."""

MOVED_WHOLE = 3
"""Lines of a moved block that are shown though nothing changed in it; of a longer one the first."""


@dataclass(frozen=True, slots=True)
class TextPair:
    """The lines of both texts, what moved between them, and what may still be spent."""

    left: Sequence[str]
    right: Sequence[str]
    moves: Sequence[Move]
    allowance: Allowance


def compare(before: str, after: str, tools: Collection[str] = ()) -> Prose:
    """Return the difference of two texts; lines end with `\\n` only, anything else is part of a line.

    `tools` are the names of the assistant's and the vendor's tools, so that mentions of them are found.
    """
    (left, left_end), (right, right_end) = split_lines(before), split_lines(after)
    allowance = Allowance(COMPARISONS)
    blocks = slide_blocks(_drop_short_blocks(align(left, right, allowance)), left, right)
    gaps = [gap for gap in _walk_gaps(blocks, len(left), len(right)) if gap.a < gap.a_end or gap.b < gap.b_end]
    texts = TextPair(left, right, find_moves(left, right, gaps, allowance), allowance)
    runs = tuple(_make_runs(texts, blocks, Gap(0, len(left), 0, len(right))))
    return Prose(
        runs=runs,
        nature=_find_nature(before, after, runs),
        before=Size(len(left), len(before)),
        after=Size(len(right), len(after)),
        mentions=find_mentions(before, after, tools),
        newline_before=left_end,
        newline_after=right_end,
    )


def _drop_short_blocks(blocks: list[Block]) -> list[Block]:
    """Drop the shortest blocks while there are more than anybody would read one by one."""
    shortest = 1
    while len(blocks) > RUNS:
        shortest *= 2
        blocks = [block for block in blocks if block[2] > shortest]
    return blocks


def _walk_gaps(blocks: Sequence[Block], old: int, new: int) -> Iterator[Gap]:
    a = b = 0
    for i, j, length in (*blocks, (old, new, 0)):
        yield Gap(a, i, b, j)
        a, b = i + length, j + length


def _find_nature(before: str, after: str, runs: Sequence[TextRun]) -> Nature:
    if before == after:
        return Nature.SAME
    changed = [run for run in runs if run.kind not in UNCHANGED]
    if not changed:
        return Nature.END
    if "".join(before.split()) == "".join(after.split()):
        return Nature.WHITESPACE
    placed = [run.kind in (RunKind.LEFT, RunKind.MOVED) for run in changed]
    quiet = all(
        run.blanks_only or (is_placed and not run.edited) for run, is_placed in zip(changed, placed, strict=True)
    )
    return Nature.MOVED if quiet else Nature.TEXT


def _make_runs(texts: TextPair, blocks: Sequence[Block], area: Gap, context: int = CONTEXT) -> Iterator[TextRun]:
    """Yield the runs of an area; fold unchanged lines between changes to their context, never a single line."""
    end = (area.a_end, area.b_end)
    shown = False
    a, b = area.a, area.b
    for i, j, length in (*blocks, (*end, 0)):
        if i > a or j > b:
            yield from _make_replaced(texts, Gap(a, i, b, j))
            shown = True
        last = (i + length, j + length) == end
        head = min(length, context) if shown else 0
        tail = 0 if last else min(length - head, context)
        hidden = length - head - tail
        if hidden == 1:
            head, hidden = (head + 1, 0) if shown or last else (head, hidden)
            tail, hidden = (tail + hidden, 0)
        yield from _make_unchanged(texts, i, j, (head, hidden, tail))
        a, b = i + length, j + length


def _make_unchanged(texts: TextPair, i: int, j: int, sizes: tuple[int, int, int]) -> Iterator[TextRun]:
    """Lines that both texts have: some shown, some folded, some shown; those at places `i` and `j`, from 0."""
    head, hidden, tail = sizes if sizes[1] else (sum(sizes), 0, 0)
    for size, kind in ((head, RunKind.KEPT), (hidden, RunKind.FOLDED), (tail, RunKind.KEPT)):
        if size:
            lines = tuple(texts.left[i : i + size]) if kind is RunKind.KEPT else ()
            yield TextRun(kind, i + 1, j + 1, size, size, lines)
        i, j = i + size, j + size


def _make_replaced(texts: TextPair, gap: Gap) -> Iterator[TextRun]:
    """Yield the runs of a replaced stretch: moved blocks at both places, the rest removed, added and changed."""
    gone = [move for move in texts.moves if gap.a <= move.before < gap.a_end]
    come = sorted((move for move in texts.moves if gap.b <= move.after < gap.b_end), key=lambda move: move.after)
    if not gone and not come and (run := mark_flow(texts.left, texts.right, gap, texts.allowance)):
        yield run
        return
    old = _ranges_outside([(move.before, move.old) for move in gone], gap.a, gap.a_end)
    new = _ranges_outside([(move.after, move.new) for move in come], gap.b, gap.b_end)
    found = pair_lines(texts.left, texts.right, old, new, texts.allowance)
    marked = [run for x, y in found if (run := mark_change(texts.left, texts.right, x, y, texts.allowance))]
    i, j = gap.a, gap.b
    for run in (*marked, None):
        x, y = (run.before - 1, run.after - 1) if run else (gap.a_end, gap.b_end)
        yield from _make_removed(texts, [move for move in gone if i <= move.before < x], i, x, j)
        yield from _make_added(texts, [move for move in come if j <= move.after < y], j, y, x)
        if run:
            yield run
        i, j = x + 1, y + 1


def _ranges_outside(taken: Iterable[tuple[int, int]], start: int, end: int) -> list[range]:
    """Return the places from start to end outside the taken stretches, which must be in order."""
    found: list[range] = []
    for place, length in (*taken, (end, 0)):
        if place > start:
            found.append(range(start, place))
        start = place + length
    return found


def _make_removed(texts: TextPair, gone: Sequence[Move], start: int, end: int, at: int) -> Iterator[TextRun]:
    """Yield the old lines from start to end, which are removed or moved elsewhere."""
    for move in gone:
        if start < move.before:
            yield TextRun(
                RunKind.REMOVED, start + 1, at + 1, move.before - start, 0, tuple(texts.left[start : move.before])
            )
        yield TextRun(RunKind.LEFT, move.before + 1, move.after + 1, move.old, move.new, (texts.left[move.before],))
        start = move.before + move.old
    if start < end:
        yield TextRun(RunKind.REMOVED, start + 1, at + 1, end - start, 0, tuple(texts.left[start:end]))


def _make_added(texts: TextPair, come: Sequence[Move], start: int, end: int, at: int) -> Iterator[TextRun]:
    """Yield the new lines from start to end, which are added or moved from elsewhere."""
    for move in come:
        if start < move.after:
            yield TextRun(
                RunKind.ADDED, at + 1, start + 1, 0, move.after - start, tuple(texts.right[start : move.after])
            )
        inner = tuple(_make_inside(texts, move))
        yield TextRun(RunKind.MOVED, move.before + 1, move.after + 1, move.old, move.new, runs=inner)
        start = move.after + move.new
    if start < end:
        yield TextRun(RunKind.ADDED, at + 1, start + 1, 0, end - start, tuple(texts.right[start:end]))


def _make_inside(texts: TextPair, move: Move) -> Iterator[TextRun]:
    """Yield the runs inside a moved block: its changes with one line around, else its first lines."""
    a, b = move.before, move.after
    area = Gap(a, a + move.old, b, b + move.new)
    left, right = texts.left[a : area.a_end], texts.right[b : area.b_end]
    if left == right:
        shown = move.old if move.old <= MOVED_WHOLE else 1
        yield from _make_unchanged(texts, a, b, (shown, move.old - shown, 0))
        return
    blocks = [(a + i, b + j, length) for i, j, length in slide_blocks(align(left, right, texts.allowance), left, right)]
    yield from _make_runs(replace(texts, moves=()), blocks, area, 1)
