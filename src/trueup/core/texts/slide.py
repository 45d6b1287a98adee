"""Where a stretch of new or lost lines begins, when it could begin at several places. Knows how prose is laid out.

An inserted paragraph may be told with the empty line before it or the one after: both are right, and the second reads
as one paragraph. Only that is decided here; nothing that is kept becomes changed.
"""

from __future__ import annotations

from collections.abc import Sequence

from trueup.core.texts.align import Block

REACH = 40
"""Lines by which a stretch may be slid."""


def slid(blocks: Sequence[Block], left: Sequence[str], right: Sequence[str]) -> list[Block]:
    """The same runs of equal lines, each stretch between them moved to where a paragraph begins and ends."""
    found = [list(block) for block in blocks]
    for place, block in enumerate(found):
        before = found[place - 1] if place else [0, 0, 0]
        i, j = before[0] + before[2], before[1] + before[2]
        if i == block[0] and j < block[1]:
            step = _step(right, j, block[1], before[2], block[2])
        elif j == block[1] and i < block[0]:
            step = _step(left, i, block[0], before[2], block[2])
        else:
            continue
        if place:
            before[2] += step
        elif step:
            continue  # nothing stands before the first stretch, so it cannot be slid
        block[:] = [block[0] + step, block[1] + step, block[2] - step]
    return [(i, j, length) for i, j, length in found if length]


def _step(lines: Sequence[str], start: int, end: int, above: int, below: int) -> int:
    """By how many lines the stretch from start to end had best be slid: down if positive, up if negative."""
    best, step = _fit(lines, start, end), 0
    for shift in range(1, min(above, REACH) + 1):
        if lines[start - shift] != lines[end - shift]:
            break
        fit = _fit(lines, start - shift, end - shift)
        if fit > best:
            best, step = fit, -shift
    for shift in range(1, min(below, REACH) + 1):
        if lines[start + shift - 1] != lines[end + shift - 1]:
            break
        fit = _fit(lines, start + shift, end + shift)
        if fit > best:
            best, step = fit, shift
    return step


def _fit(lines: Sequence[str], start: int, end: int) -> int:
    """How well a stretch is one of paragraphs: it begins with text after an empty line, and ends with an empty one."""
    begins = bool(lines[start].strip())
    after_blank = start == 0 or not lines[start - 1].strip()
    return 2 * (begins and after_blank) + (not lines[end - 1].strip()) + begins
