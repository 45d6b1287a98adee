"""Two texts as one flow of kept, removed and added words; and the placeholders and tools that a prompt speaks of.

A line break is a word like others. Every search is bounded: where there is too much to compare, the middle is one
change.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from trueup.core.field_table import nested_tool
from trueup.core.texts.align import Allowance, Block, align
from trueup.core.texts.prose import Mention, RunKind, Sort, Span

WORDS = 4_000
"""Words of one change that are compared with each other; a longer middle is marked as one change."""

_ONE = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_MARKS = "\u0300-\u036f\u0591-\u05bd\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
_EMOJI = "\u2600-\u27bf\U0001f000-\U0001faff"
_PIECE = re.compile(
    rf"[{_ONE}]|(?:[^\W{_ONE}]|[{_MARKS}])+|[{_EMOJI}](?:[\ufe0f\u200d{_EMOJI}]*[\ufe0f{_EMOJI}])?|\n|[^\S\n]+|[^\w\s]"
)
"""A word with its combining marks, a sign of a script that writes without blanks, emoji that are joined, blanks."""

_WORD = re.compile(rf"[{_ONE}]|(?:[^\W{_ONE}]|[{_MARKS}])+")


def find_words(text: str) -> list[str]:
    """Return the words of a text, without punctuation and blanks."""
    return _WORD.findall(text)


def likeness(left: frozenset[str], right: frozenset[str]) -> float:
    """From 0 to 1: the share of different words that two texts have in common."""
    return 2 * len(left & right) / (len(left) + len(right)) if left or right else 1.0


def align_words(before: str, after: str, allowance: Allowance) -> tuple[Span, ...]:
    """Both texts in one: without the added spans it is the old one, without the removed ones the new one."""
    old, new = _PIECE.findall(before), _PIECE.findall(after)
    head = _count_common(old, new)
    tail = _count_common(old[head:][::-1], new[head:][::-1])
    old_middle, new_middle = old[head : len(old) - tail], new[head : len(new) - tail]
    blocks: list[Block] = []
    if len(old_middle) + len(new_middle) <= WORDS and allowance.spend(len(old_middle) + len(new_middle)):
        blocks = align(old_middle, new_middle, allowance)
    whole = [(0, 0, head), *((i + head, j + head, length) for i, j, length in blocks)]
    return _merge_scraps(_make_spans(old, new, [*whole, (len(old) - tail, len(new) - tail, tail)]))


def count_kept(spans: Sequence[Span]) -> int:
    """Characters that both sides have, blanks not counted."""
    return sum(len("".join(span.text.split())) for span in spans if span.kind is RunKind.KEPT)


def _count_common(left: Sequence[str], right: Sequence[str]) -> int:
    """How many elements two sequences begin with in common."""
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


def _make_spans(old: Sequence[str], new: Sequence[str], blocks: Sequence[Block]) -> list[Span]:
    """Alternately a change, both sides of which may be empty, and what is kept after it."""
    spans: list[Span] = []
    a = b = 0
    for i, j, length in blocks:
        spans += [
            Span("".join(old[a:i]), RunKind.REMOVED),
            Span("".join(new[b:j]), RunKind.ADDED),
            Span("".join(old[i : i + length]), RunKind.KEPT),
        ]
        a, b = i + length, j + length
    return spans


def _merge_scraps(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Merge changes that only a scrap of kept text separates; a longer text between them counts as kept."""
    found: list[tuple[str, str, str]] = []  # removed, added, and kept after them
    for place in range(0, len(spans), 3):
        removed, added, same = (span.text for span in spans[place : place + 3])
        if found and not removed and not added:
            was = found.pop()
            removed, added, same = was[0], was[1], was[2] + same
        elif len(found) > 1 or (found and (found[0][0] or found[0][1])):
            was = found[-1]
            if _is_scrap(was[2], was[:2], (removed, added)):
                found.pop()
                removed, added = was[0] + was[2] + removed, was[1] + was[2] + added
        found.append((removed, added, same))
    flat = (
        Span(text, kind)
        for change in found
        for text, kind in zip(change, (RunKind.REMOVED, RunKind.ADDED, RunKind.KEPT), strict=True)
    )
    return tuple(span for span in flat if span.text)


def _is_scrap(text: str, before: tuple[str, str], after: tuple[str, str]) -> bool:
    """Whether kept text between two changes is too little to help a reader: no word, or short beside both changes."""
    if not find_words(text):
        changed = (*before, *after)
        return not (all(not part.strip() for part in changed)) and "\n" not in text
    near = min(max(map(len, before)), max(map(len, after)))
    return "\n" not in text and len(text) <= near // 2


_PLACEHOLDER = re.compile(
    r"\{\{[^{}\n]{1,80}\}\}|\{[^\W\d][\w.-]{0,60}\}|<[^\W\d][\w.:-]{0,60}>"  # {{x}}, {x}, <x>
)


def function_names(tools: Any) -> tuple[str, ...]:
    """Return the names of functions and labels of servers in a list of tools; for an invalid list, none."""
    found: dict[str, None] = {}
    for tool in tools if isinstance(tools, (list, tuple)) else ():
        for holder in (nested_tool(tool), tool):
            named = [holder.get(key) for key in ("name", "server_label")] if isinstance(holder, Mapping) else []
            found.update({name: None for name in named if isinstance(name, str)})
    return tuple(found)


def find_mentions(before: str, after: str, tools: Collection[str] = ()) -> tuple[Mention, ...]:
    """Return what only one of the texts names, that which appeared first, each in the order of its text.

    `tools` are the names of tools that count as mentioned where they stand.
    """
    old, new = _find_named(before, tools), _find_named(after, tools)
    return (*_find_only(new, old, after, appeared=True), *_find_only(old, new, before, appeared=False))


def _find_named(text: str, names: Collection[str]) -> dict[str, Sort]:
    """Find the placeholders of a text, in order, and those of the names that stand in it as whole words."""
    found = dict.fromkeys(_PLACEHOLDER.findall(text), Sort.PLACEHOLDER)
    for name in names:
        if name and name in text and _whole_word(name).search(text):
            found[name] = Sort.TOOL
    return found


def _whole_word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")


def _find_only(mine: Mapping[str, Sort], other: Mapping[str, Sort], text: str, *, appeared: bool) -> Iterator[Mention]:
    """Yield what one text names and the other does not, each with its first line."""
    fresh = {name: sort for name, sort in mine.items() if name not in other}
    places: dict[str, int] = {}
    for match in _PLACEHOLDER.finditer(text) if fresh else ():
        if match.group() in fresh:
            places.setdefault(match.group(), match.start())
    for name in (name for name, sort in fresh.items() if sort is Sort.TOOL):
        found = _whole_word(name).search(text)
        places[name] = found.start() if found else 0
    line, last = 1, 0
    for name, place in sorted(places.items(), key=lambda item: item[1]):
        line, last = line + text.count("\n", last, place), place
        yield Mention(fresh[name], name, appeared, line)
