"""Which elements of two sequences belong together: the alignment beneath every text diff. Knows no words.

Unique elements are the anchors (patience), then an exact longest common subsequence where the gap is small, then equal
elements by their count. Every path is bounded: no search costs the square of the text's size. `slide_blocks` then
decides where a stretch of new or lost lines begins when it could begin at several places.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

Block = tuple[int, int, int]
"""A run of equal elements: where it starts on the left, where on the right, and its length."""

DEPTH = 6
"""Rounds of anchoring before a gap is taken as replaced."""

SETUP = 50
"""What looking into a gap costs, in comparisons, however small it is."""

GAP = 12_000
"""Comparisons that one gap may cost when it is searched exactly."""


@dataclass(slots=True)
class Allowance:
    """How many comparisons a whole diff may still spend."""

    left: int

    def spend(self, cost: int) -> bool:
        """Take the cost if enough is left, and return whether there was."""
        if cost > self.left:
            return False
        self.left -= cost
        return True


def align(left: Sequence[Hashable], right: Sequence[Hashable], allowance: Allowance) -> list[Block]:
    """Return the runs that both sequences share, in order; takes O(n log n) plus what the allowance pays."""
    found: list[Block] = []
    gaps = [(0, len(left), 0, len(right), 0)]
    while gaps:
        a, a_end, b, b_end, depth = gaps.pop()
        start = a
        while a < a_end and b < b_end and left[a] == right[b]:
            a, b = a + 1, b + 1
        if a > start:
            found.append((start, b - (a - start), a - start))
        end = a_end
        while a < a_end and b < b_end and left[a_end - 1] == right[b_end - 1]:
            a_end, b_end = a_end - 1, b_end - 1
        if end > a_end:
            found.append((a_end, b_end, end - a_end))
        size = a_end - a + b_end - b
        if a == a_end or b == b_end or size == 2 or depth == DEPTH or not allowance.spend(SETUP + size // 4):
            continue
        anchors = _find_anchors(left[a:a_end], right[b:b_end], allowance)
        starts = [(a, b), *((a + i, b + j) for i, j in anchors)]
        ends = [*starts[1:], (a_end, b_end)]
        if anchors:
            gaps += [(i, i_end, j, j_end, depth + 1) for (i, j), (i_end, j_end) in zip(starts, ends, strict=True)]
    return _join_blocks(found)


def _join_blocks(found: list[Block]) -> list[Block]:
    """Sort the blocks and join neighbours that touch on both sides."""
    joined: list[Block] = []
    for a, b, length in sorted(found):
        if joined:
            i, j, before = joined[-1]
            if i + before == a and j + before == b:
                joined[-1] = (i, j, before + length)
                continue
        joined.append((a, b, length))
    return joined


def _find_anchors(left: Sequence[Hashable], right: Sequence[Hashable], allowance: Allowance) -> list[tuple[int, int]]:
    """Pairs of places that hold the same element, rising on both sides."""
    counts, others = Counter(left), Counter(right)
    places = {item: j for j, item in enumerate(right) if others[item] == 1}
    unique = [(i, places[item]) for i, item in enumerate(left) if counts[item] == 1 and item in places]
    if unique:
        return _longest_rising(unique)
    cost = len(left) * len(right)
    if cost <= GAP:
        return _longest_common(left, right) if allowance.spend(cost) else []
    return _longest_rising(_pair_by_count(left, right))


def _pair_by_count(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Each element's first occurrence with its first, its second with its second, and so on."""
    places: dict[Hashable, list[int]] = {}
    for j in range(len(right) - 1, -1, -1):
        places.setdefault(right[j], []).append(j)
    return [(i, waiting.pop()) for i, item in enumerate(left) if (waiting := places.get(item))]


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest subsequence of pairs, sorted on the left, that also rises on the right (O(n log n))."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        at = bisect_left(tails, j)
        before.append(ends[at - 1] if at else -1)
        if at == len(tails):
            tails.append(j)
            ends.append(index)
        else:
            tails[at], ends[at] = j, index
    chain: list[tuple[int, int]] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]


def _longest_common(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Return a longest common subsequence, exact; costs the product of the lengths."""
    rows = [[0] * (len(right) + 1)]
    for item in reversed(left):
        last, row = rows[-1], [0] * (len(right) + 1)
        for j in range(len(right) - 1, -1, -1):
            row[j] = last[j + 1] + 1 if item == right[j] else max(last[j], row[j + 1])
        rows.append(row)
    rows.reverse()
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif rows[i + 1][j] >= rows[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


REACH = 40
"""Lines by which a stretch may be slid."""


def slide_blocks(blocks: Sequence[Block], left: Sequence[str], right: Sequence[str]) -> list[Block]:
    """Move each stretch between runs of equal lines to where a paragraph begins and ends; return the new runs."""
    found = [list(block) for block in blocks]
    for place, block in enumerate(found):
        before = found[place - 1] if place else [0, 0, 0]
        i, j = before[0] + before[2], before[1] + before[2]
        if i == block[0] and j < block[1]:
            step = _best_step(right, j, block[1], before[2], block[2])
        elif j == block[1] and i < block[0]:
            step = _best_step(left, i, block[0], before[2], block[2])
        else:
            continue
        if place:
            before[2] += step
        elif step:
            continue  # nothing stands before the first stretch, so it cannot be slid
        block[:] = [block[0] + step, block[1] + step, block[2] - step]
    return [(i, j, length) for i, j, length in found if length]


def _best_step(lines: Sequence[str], start: int, end: int, above: int, below: int) -> int:
    """By how many lines the stretch from start to end had best be slid: down if positive, up if negative."""
    best, step = _rate_fit(lines, start, end), 0
    for shift in range(1, min(above, REACH) + 1):
        if lines[start - shift] != lines[end - shift]:
            break
        fit = _rate_fit(lines, start - shift, end - shift)
        if fit > best:
            best, step = fit, -shift
    for shift in range(1, min(below, REACH) + 1):
        if lines[start + shift - 1] != lines[end + shift - 1]:
            break
        fit = _rate_fit(lines, start + shift, end + shift)
        if fit > best:
            best, step = fit, shift
    return step


def _rate_fit(lines: Sequence[str], start: int, end: int) -> int:
    """How well a stretch is one of paragraphs: it begins with text after an empty line, and ends with an empty one."""
    begins = bool(lines[start].strip())
    after_blank = start == 0 or not lines[start - 1].strip()
    return 2 * (begins and after_blank) + (not lines[end - 1].strip()) + begins
