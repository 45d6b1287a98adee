"""What changed between two texts, line by line and word by word, as data that any renderer can show.

Knows no colour, width or file. Every search is bounded, so that two texts of 256,000 characters compare in well under
0.3 s whatever is in them; where a bound is reached the answer is coarser, never wrong: `rebuild` gives both texts back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from itertools import count, repeat
from typing import NamedTuple

from trueup.core.align import Allowance, Block, align

CONTEXT = 2
"""Unchanged lines kept on each side of a change; prose lines are long."""

COMPARISONS = 300_000
"""Exact comparisons one diff may spend on lines and words together."""

RUNS = 4_000
"""Unchanged runs one diff may have; beyond it the short ones count as replaced."""

WORDS = 4_000
"""Words of one line that are compared with each other; a longer middle is marked as one change."""

ALIKE = 0.4
"""The share of words two lines must have in common to be shown as one line changed."""

_PIECE = re.compile(r"\w+|\s+|[^\w\s]")
_WORD = re.compile(r"\w+")


class Kind(Enum):
    """What happened to a line."""

    KEPT = "kept"
    REMOVED = "removed"
    ADDED = "added"


class Nature(Enum):
    """What sort of difference the whole is, so that one that cannot be seen is named."""

    SAME = "same"
    TEXT = "text"
    WHITESPACE = "whitespace"  # only blanks, tabs or line breaks inside
    END = "end"  # only the newline after the last line


class Span(NamedTuple):
    """A stretch of a line; a tuple, since a diff may hold a hundred thousand."""

    text: str
    changed: bool


class Line(NamedTuple):
    """One line without its newline; `before` and `after` are its numbers from 1, 0 on the side that lacks it.

    `spans` make up the text where words are marked: this line and its neighbour of the other kind are one line changed.
    """

    kind: Kind
    text: str
    before: int
    after: int
    spans: tuple[Span, ...] = ()


_LINE: Callable[[Iterable[object]], Line] = partial(tuple.__new__, Line)


@dataclass(frozen=True, slots=True)
class Hunk:
    """Changed lines with the context around them; `folded` unchanged lines come before."""

    folded: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Prose:
    """A whole difference; `folded` unchanged lines follow the last hunk, `newline_*`: whether a side ends with one."""

    hunks: tuple[Hunk, ...]
    folded: int
    nature: Nature
    removed: int = 0
    added: int = 0
    newline_before: bool = False
    newline_after: bool = False


def compare(before: str, after: str) -> Prose:
    """The difference of two texts; lines end with `\\n` only, anything else is part of a line."""
    (left, left_end), (right, right_end) = _lines(before), _lines(after)
    allowance = Allowance(COMPARISONS)
    blocks = _coarse(align(left, right, allowance))
    hunks, folded = _hunks(left, right, blocks, allowance)
    kept = sum(length for _, _, length in blocks)
    return Prose(
        hunks=hunks,
        folded=folded,
        nature=_nature(before, after, bool(hunks)),
        removed=len(left) - kept,
        added=len(right) - kept,
        newline_before=left_end,
        newline_after=right_end,
    )


def rebuild(prose: Prose, before: str) -> tuple[str, str]:
    """Both texts, from what the difference shows and, for the folded lines alone, the text before."""
    known = _lines(before)[0]
    left: list[str] = []
    right: list[str] = []
    for hunk in (*prose.hunks, Hunk(prose.folded, ())):
        same = known[len(left) : len(left) + hunk.folded]
        left += same
        right += same
        for line in hunk.lines:
            text = "".join(span.text for span in line.spans) if line.spans else line.text
            if line.kind is not Kind.ADDED:
                left.append(text)
            if line.kind is not Kind.REMOVED:
                right.append(text)
    return _text(left, prose.newline_before), _text(right, prose.newline_after)


def _lines(text: str) -> tuple[list[str], bool]:
    """The lines, and whether the last one ends with a newline; the empty text has no line."""
    if not text:
        return [], False
    lines = text.split("\n")
    if lines[-1]:
        return lines, False
    return lines[:-1], True


def _text(lines: Sequence[str], newline: bool) -> str:
    return "\n".join(lines) + ("\n" if newline else "")


def _nature(before: str, after: str, lines_differ: bool) -> Nature:
    if before == after:
        return Nature.SAME
    if not lines_differ:
        return Nature.END
    return Nature.WHITESPACE if "".join(before.split()) == "".join(after.split()) else Nature.TEXT


def _coarse(blocks: list[Block]) -> list[Block]:
    """The blocks, without the short ones while there are more than anybody would read one by one."""
    shortest = 1
    while len(blocks) > RUNS:
        shortest *= 2
        blocks = [block for block in blocks if block[2] > shortest]
    return blocks


def _hunks(
    left: Sequence[str], right: Sequence[str], blocks: Sequence[Block], allowance: Allowance
) -> tuple[tuple[Hunk, ...], int]:
    """The changes with their context, and the unchanged lines after the last one; a fold of one line is not made."""
    hunks: list[Hunk] = []
    lines: list[Line] = []
    folded = a = b = 0
    for i, j, length in (*blocks, (len(left), len(right), 0)):
        lines += _replaced(left[a:i], right[b:j], a, b, allowance)
        last = i + length == len(left) and j + length == len(right)
        head = min(length, CONTEXT) if lines else 0
        tail = 0 if last else min(length - head, CONTEXT)
        hidden = length - head - tail
        if lines and hidden == 1:
            head, hidden = head + 1, 0
        lines += _kept(left, i, j, head)
        if hidden and lines:
            hunks.append(Hunk(folded, tuple(lines)))
            lines, folded = [], 0
        folded += hidden
        lines += _kept(left, i + length - tail, j + length - tail, tail)
        a, b = i + length, j + length
    if lines:
        hunks.append(Hunk(folded, tuple(lines)))
        folded = 0
    return tuple(hunks), folded


def _kept(left: Sequence[str], i: int, j: int, length: int) -> Iterable[Line]:
    return _whole(Kind.KEPT, left[i : i + length], count(i + 1), count(j + 1))


def _whole(kind: Kind, texts: Sequence[str], before: Iterable[int], after: Iterable[int]) -> Iterable[Line]:
    """Lines without marks, made in C: a text may have 128,000 of them."""
    return map(_LINE, zip(repeat(kind), texts, before, after, repeat(()), strict=False))


def _replaced(removed: Sequence[str], added: Sequence[str], a: int, b: int, allowance: Allowance) -> list[Line]:
    """Lines that took the place of others: what is one line changed stands together, words marked."""
    lines: list[Line] = []
    i = j = 0
    for x, y in (*_pairs(removed, added, allowance), (len(removed), len(added))):
        lines += _whole(Kind.REMOVED, removed[i:x], count(a + i + 1), repeat(0))
        lines += _whole(Kind.ADDED, added[j:y], repeat(0), count(b + j + 1))
        if x < len(removed):
            old, new = _words(removed[x], added[y], allowance)
            lines.append(Line(Kind.REMOVED, removed[x], a + x + 1, 0, old))
            lines.append(Line(Kind.ADDED, added[y], 0, b + y + 1, new))
        i, j = x + 1, y + 1
    return lines


def _pairs(removed: Sequence[str], added: Sequence[str], allowance: Allowance) -> list[tuple[int, int]]:
    """Which removed line became which added one, in order on both sides; none where that is too much to ask."""
    if not removed or not added or not allowance.spend(20 * len(removed) * len(added)):
        return []
    old = [frozenset(_WORD.findall(line[:2_000])) for line in removed]
    new = [frozenset(_WORD.findall(line[:2_000])) for line in added]
    pairs: list[tuple[int, int]] = []
    start = 0
    for i, words in enumerate(old):
        likeness = [_likeness(words, other) for other in new[start:]]
        best = max(likeness, default=0.0)
        if best >= ALIKE or (best > 0 and len(removed) == len(added) == 1):
            start += likeness.index(best) + 1
            pairs.append((i, start - 1))
    return pairs


def _likeness(left: frozenset[str], right: frozenset[str]) -> float:
    """From 0 to 1: the share of different words that two lines have in common."""
    return 2 * len(left & right) / (len(left) + len(right)) if left or right else 1.0


def _words(before: str, after: str, allowance: Allowance) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Both lines as spans of kept and changed words; what lies between two changes is only kept if it holds a word."""
    old, new = _PIECE.findall(before), _PIECE.findall(after)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    old_middle, new_middle = old[head : len(old) - tail], new[head : len(new) - tail]
    blocks: list[Block] = []
    if len(old_middle) + len(new_middle) <= WORDS and allowance.spend(len(old_middle) + len(new_middle)):
        blocks = align(old_middle, new_middle, allowance)
    blocks = [(i + head, j + head, length) for i, j, length in blocks if _holds(old_middle[i : i + length])]
    whole = [(0, 0, head), *blocks, (len(old) - tail, len(new) - tail, tail)]
    return _spans(old, [(i, length) for i, _, length in whole]), _spans(new, [(j, length) for _, j, length in whole])


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """How many elements two sequences begin with in common."""
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


def _holds(words: Sequence[str]) -> bool:
    """Whether kept words between two changes are worth showing as kept: a word, not just a blank or a comma."""
    return any(word[0].isalnum() for word in words)


def _spans(words: Sequence[str], kept: Sequence[tuple[int, int]]) -> tuple[Span, ...]:
    spans: list[Span] = []
    at = 0
    for start, length in kept:
        if start > at:
            spans.append(Span("".join(words[at:start]), True))
        if length:
            spans.append(Span("".join(words[start : start + length]), False))
        at = start + length
    return tuple(spans)
