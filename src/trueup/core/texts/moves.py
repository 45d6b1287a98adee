"""Which lost and gained lines belong together: moved elsewhere, edited in place, or broken anew.

Lines that are equal and stand once on each side are found by looking them up, edited ones by the words they share; all
of it is bounded, and with very many lines lost and gained only the largest blocks are told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from trueup.core.texts.align import Allowance
from trueup.core.texts.prose import RunKind, TextRun
from trueup.core.texts.words import align_words, count_kept, find_words, likeness

MOVES = 100
"""Blocks that one difference may tell of."""

LINES = 20_000
"""Lines lost and gained together beyond which nobody is looked for: that is another text."""

EDITED = 3_000
"""Lines lost and gained together among which edited ones are looked for."""

RARE = 8
"""Gained lines in which a word may stand and still tell where a lost line went."""

ALIKE = 0.6
"""The share of words that a line must keep to be the same line elsewhere."""

APART = 3
"""Lines that two found ones may be apart and still be one block."""


class Gap(NamedTuple):
    """Lines that were replaced, from 0: `a` up to `a_end` in the old text by `b` up to `b_end` in the new one."""

    a: int
    a_end: int
    b: int
    b_end: int


class Move(NamedTuple):
    """A block of `old` lines from line `before` (from 0) that stands as `new` lines at line `after` now."""

    before: int
    old: int
    after: int
    new: int


def find_moves(left: Sequence[str], right: Sequence[str], gaps: Sequence[Gap], allowance: Allowance) -> list[Move]:
    """Find the moved blocks, in the old text's order; each lies in one gap per side, and none overlap."""
    lost = {i: gap for gap in gaps for i in range(gap.a, gap.a_end)} if _is_bounded(gaps) else {}
    gained = {j: gap for gap in gaps for j in range(gap.b, gap.b_end)} if lost else {}
    if not lost or not gained:
        return []
    found = _find_equal(left, right, lost, gained)
    if len(lost) + len(gained) <= EDITED:
        found |= _find_edited(left, right, lost, gained, found, allowance)
    taken = set(found.values())
    free = (
        {i: gap for i, gap in lost.items() if i not in found},
        {j: gap for j, gap in gained.items() if j not in taken},
    )
    blocks = [
        _add_blank(block, left, right, (lost[block.before], gained[block.after]), free)
        for block in _make_blocks(found, lost, gained)
        if any(_is_strong(left[i]) for i in range(block.before, block.before + block.old) if i in found)
    ]
    return sorted(sorted(blocks, key=lambda block: -block.old)[:MOVES])


def _add_blank(
    block: Move,
    left: Sequence[str],
    right: Sequence[str],
    gaps: tuple[Gap, Gap],
    free: tuple[Mapping[int, Gap], Mapping[int, Gap]],
) -> Move:
    """Extend the block by the empty line after it, if that line moved too and is free on both sides."""
    i, j = block.before + block.old, block.after + block.new
    follows = free[0].get(i) is gaps[0] and free[1].get(j) is gaps[1]
    if follows and not left[i].strip() and left[i] == right[j]:
        return block._replace(old=block.old + 1, new=block.new + 1)
    return block


def _is_bounded(gaps: Sequence[Gap]) -> bool:
    return sum(gap.a_end - gap.a + gap.b_end - gap.b for gap in gaps) <= LINES


def _is_strong(line: str) -> bool:
    """Whether a line says enough for being the same one elsewhere to be no chance."""
    words = find_words(line[:400])
    return len(words) > 3 or (len(words) > 2 and len(line.strip()) >= 16)


def _find_equal(
    left: Sequence[str], right: Sequence[str], lost: Mapping[int, Gap], gained: Mapping[int, Gap]
) -> dict[int, int]:
    """Lines that say something and stand once on each side, and the equal ones next to them."""
    counts, others = Counter(left[i] for i in lost), Counter(right[j] for j in gained)
    places = {right[j]: j for j in gained if others[right[j]] == 1}
    seeds = [(i, places[left[i]]) for i in lost if counts[left[i]] == 1 and left[i] in places and _is_strong(left[i])]
    found = dict(seeds)
    taken = set(found.values())
    for start in seeds:
        for step in (1, -1):
            i, j = start[0] + step, start[1] + step
            while (
                i not in found
                and j not in taken
                and lost.get(i) is lost[start[0]]
                and gained.get(j) is gained[start[1]]
                and left[i] == right[j]
            ):
                found[i] = j
                taken.add(j)
                i, j = i + step, j + step
    return found


def _find_edited(
    left: Sequence[str],
    right: Sequence[str],
    lost: Mapping[int, Gap],
    gained: Mapping[int, Gap],
    found: Mapping[int, int],
    allowance: Allowance,
) -> dict[int, int]:
    """Lines that kept most of their words and are nowhere nearer to what they were than in another gap."""
    taken = set(found.values())
    words = {j: frozenset(find_words(right[j][:2_000])) for j in gained if j not in taken}
    index: dict[str, list[int]] = {}
    for j, said in words.items():
        for word in said if len(said) > 3 else ():
            index.setdefault(word, []).append(j)
    more: dict[int, int] = {}
    for i, gap in lost.items():
        mine = frozenset(find_words(left[i][:2_000])) if i not in found else frozenset()
        if len(mine) < 4 or not allowance.spend(len(mine)):
            continue
        votes = Counter(j for word in mine if len(index.get(word, ())) <= RARE for j in index.get(word, ()))
        alike = [(likeness(mine, words[j]), gained[j] is gap, -j) for j, _ in votes.most_common(5) if j not in taken]
        share, is_near, place = max(alike, default=(0.0, True, 0))
        if share >= ALIKE and not is_near:
            more[i] = -place
            taken.add(-place)
    return more


def _make_blocks(found: Mapping[int, int], lost: Mapping[int, Gap], gained: Mapping[int, Gap]) -> Iterator[Move]:
    """Found lines that follow each other closely on both sides, as blocks; what lies between them was edited."""
    taken = set(found.values())
    start: tuple[int, int] | None = None
    last = (0, 0)
    for i, j in sorted(found.items()):
        follows = (
            start is not None
            and 0 < i - last[0] <= APART
            and 0 < j - last[1] <= APART
            and lost[i] is lost[last[0]]
            and gained[j] is gained[last[1]]
            and not any(between in taken for between in range(last[1] + 1, j))
        )
        if start is not None and not follows:
            yield Move(start[0], last[0] + 1 - start[0], start[1], last[1] + 1 - start[1])
        if start is None or not follows:
            start = (i, j)
        last = (i, j)
    if start is not None:
        yield Move(start[0], last[0] + 1 - start[0], start[1], last[1] + 1 - start[1])


PAIRED = 0.4
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


def pair_lines(
    left: Sequence[str], right: Sequence[str], old: Sequence[range], new: Sequence[range], allowance: Allowance
) -> list[tuple[int, int]]:
    """Which line of the old ranges became which of the new ones, rising on both sides; none where that is too much."""
    removed, added = sum(map(len, old)), sum(map(len, new))
    if not removed or not added or not allowance.spend(20 * removed * added):
        return []
    before = [(i, frozenset(find_words(left[i][:2_000]))) for places in old for i in places]
    after = [(j, frozenset(find_words(right[j][:2_000]))) for places in new for j in places]
    floor = 0.0 if removed == added == 1 else PAIRED
    table = [[_rate_pair(left[i], right[j], mine, other, floor) for j, other in after] for i, mine in before]
    found = _pair_best(table) if removed * added <= TABLE else _pair_greedily(table)
    return [(before[x][0], after[y][0]) for x, y in found]


def _rate_pair(old: str, new: str, mine: frozenset[str], other: frozenset[str], floor: float) -> float:
    """How alike two lines are; lines without words are alike if they are not empty and the same but for blanks."""
    if not mine and not other:
        return float(bool(old.strip()) and old.split() == new.split())
    share = likeness(mine, other)
    return share if share > floor or (share == floor and share) else 0.0


def _pair_best(table: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Return the rising pairs with the greatest total worth; costs the product of the lengths."""
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


def _pair_greedily(table: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    start = 0
    for i, worths in enumerate(table):
        best = max(worths[start:], default=0.0)
        if best:
            start = worths.index(best, start) + 1
            found.append((i, start - 1))
    return found


def mark_change(left: Sequence[str], right: Sequence[str], i: int, j: int, allowance: Allowance) -> TextRun | None:
    """One line that became another, its words marked; None where so little was kept that marks would only confuse."""
    old, new = left[i], right[j]
    spans = align_words(old, new, allowance)
    same, sizes = count_kept(spans), sorted((_weight(old), _weight(new)))
    if 2 * same >= SHOWN * sum(sizes) or (sizes[0] and same >= WHOLE * sizes[0]):
        return TextRun(RunKind.CHANGED, i + 1, j + 1, 1, 1, spans=spans)
    return None


def mark_flow(left: Sequence[str], right: Sequence[str], gap: Gap, allowance: Allowance) -> TextRun | None:
    """Return a gap's lines as one text with marked breaks, if that keeps much more of it than line by line."""
    removed, added = gap.a_end - gap.a, gap.b_end - gap.b
    if not removed or not added or removed == added == 1 or not allowance.spend(4 * (removed + added)):
        return None
    old, new = "\n".join(left[gap.a : gap.a_end]), "\n".join(right[gap.b : gap.b_end])
    total = (_weight(old) + _weight(new)) / 2
    spans = align_words(old, new, allowance)
    whole = count_kept(spans)
    if whole < FLOW * total:
        return None
    sides = [range(gap.a, gap.a_end)], [range(gap.b, gap.b_end)]
    by_line = sum(
        count_kept(run.spans)
        for i, j in pair_lines(left, right, *sides, allowance)
        if (run := mark_change(left, right, i, j, allowance))
    )
    if whole < by_line + BETTER * total:
        return None
    return TextRun(RunKind.CHANGED, gap.a + 1, gap.b + 1, removed, added, spans=spans)


def _weight(text: str) -> int:
    return len("".join(text.split()))
