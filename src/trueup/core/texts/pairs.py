"""Which removed line became which added one, and where the line breaks moved with the text. Knows no moved blocks."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.core.texts.align import Allowance
from trueup.core.texts.moves import Gap
from trueup.core.texts.prose import Kind, Run
from trueup.core.texts.words import flow, kept, likeness, words_of

ALIKE = 0.4
"""The share of words two lines must have in common to be one line changed."""

SHOWN = 0.35
"""The share of characters that one changed line must have kept for its words to be marked in one row."""

WHOLE = 0.8
"""The share of the shorter side that is enough for the same: then the other one only says more."""

FLOW = 0.5
"""The share of characters that lines must have kept, together, to be shown as one text that was broken anew."""

BETTER = 0.15
"""How much more, as a share, one flow must keep than lines side by side do."""

TABLE = 2_500
"""Pairs of lines up to which the best pairing is found; beyond it each line takes the best that is left."""


def pairs(
    left: Sequence[str], right: Sequence[str], old: Sequence[range], new: Sequence[range], allowance: Allowance
) -> list[tuple[int, int]]:
    """Which line of the old ranges became which of the new ones, rising on both sides; none where that is too much."""
    removed, added = sum(map(len, old)), sum(map(len, new))
    if not removed or not added or not allowance.spend(20 * removed * added):
        return []
    before = [(i, frozenset(words_of(left[i][:2_000]))) for places in old for i in places]
    after = [(j, frozenset(words_of(right[j][:2_000]))) for places in new for j in places]
    floor = 0.0 if removed == added == 1 else ALIKE
    table = [[_worth(left[i], right[j], mine, other, floor) for j, other in after] for i, mine in before]
    found = _best(table) if removed * added <= TABLE else _greedy(table)
    return [(before[x][0], after[y][0]) for x, y in found]


def _worth(old: str, new: str, mine: frozenset[str], other: frozenset[str], floor: float) -> float:
    """How alike two lines are; lines without words are alike if they are not empty and the same but for blanks."""
    if not mine and not other:
        return float(bool(old.strip()) and old.split() == new.split())
    share = likeness(mine, other)
    return share if share > floor or (share == floor and share) else 0.0


def _best(table: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """The rising pairs whose worth is greatest in sum; costs the product of the lengths."""
    width = len(table[0])
    sums = [[0.0] * (width + 1)]
    for worths in reversed(table):
        below, row = sums[-1], [0.0] * (width + 1)
        for j in range(width - 1, -1, -1):
            row[j] = max(below[j], row[j + 1], below[j + 1] + worths[j] if worths[j] else 0.0)
        sums.append(row)
    sums.reverse()
    found: list[tuple[int, int]] = []
    i = j = 0
    while i < len(table) and j < width:
        if table[i][j] and sums[i][j] == sums[i + 1][j + 1] + table[i][j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif sums[i][j] == sums[i + 1][j]:
            i += 1
        else:
            j += 1
    return found


def _greedy(table: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    start = 0
    for i, worths in enumerate(table):
        best = max(worths[start:], default=0.0)
        if best:
            start = worths.index(best, start) + 1
            found.append((i, start - 1))
    return found


def changed(left: Sequence[str], right: Sequence[str], i: int, j: int, allowance: Allowance) -> Run | None:
    """One line that became another, its words marked; None where so little was kept that marks would only confuse."""
    old, new = left[i], right[j]
    spans = flow(old, new, allowance)
    same, sizes = kept(spans), sorted((_weight(old), _weight(new)))
    if 2 * same >= SHOWN * sum(sizes) or (sizes[0] and same >= WHOLE * sizes[0]):
        return Run(Kind.CHANGED, i + 1, j + 1, 1, 1, spans=spans)
    return None


def flowing(left: Sequence[str], right: Sequence[str], gap: Gap, allowance: Allowance) -> Run | None:
    """The lines of a gap as one text with its breaks marked, where that keeps much more of it than line by line."""
    removed, added = gap.a_end - gap.a, gap.b_end - gap.b
    if not removed or not added or removed == added == 1 or not allowance.spend(4 * (removed + added)):
        return None
    old, new = "\n".join(left[gap.a : gap.a_end]), "\n".join(right[gap.b : gap.b_end])
    total = (_weight(old) + _weight(new)) / 2
    spans = flow(old, new, allowance)
    whole = kept(spans)
    if whole < FLOW * total:
        return None
    sides = [range(gap.a, gap.a_end)], [range(gap.b, gap.b_end)]
    by_line = sum(
        kept(run.spans)
        for i, j in pairs(left, right, *sides, allowance)
        if (run := changed(left, right, i, j, allowance))
    )
    if whole < by_line + BETTER * total:
        return None
    return Run(Kind.CHANGED, gap.a + 1, gap.b + 1, removed, added, spans=spans)


def _weight(text: str) -> int:
    return len("".join(text.split()))
