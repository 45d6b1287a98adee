"""A block of a comment as far as there is room: whole rows, long lines shorter, and what is left out counted.

The small parts of a block are whole and the large ones share what is left, so that no long schema takes the room of a
prompt, and no long line that of the others. Knows bytes and nothing of what a row says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from trueup.core.texts.prose import RunKind
from trueup.render.markup.escape import code_element, write_sentence
from trueup.render.prose_lines import Part
from trueup.render.values import pluralize

LEAST = 500
"""Bytes that a long line has before another one is left out for it."""

NOTE = 60
"""Bytes for saying how much is left out, beside the words that say where it is."""


Shorten = Callable[[int, int], tuple[str, int]]
"""From a row's place and a number of bytes: the row in no more of them if it can be, and the characters left out."""


@dataclass(frozen=True, slots=True)
class RowSection:
    """A beginning and an end that belong together, and rows between them, each whole by itself; no line is empty.

    `shorten` makes a long row of it shorter; without it the rows are as short as they can be.
    """

    start: str
    rows: tuple[str, ...] = ()
    end: str = ""
    shorten: Shorten | None = None

    @property
    def weight(self) -> int:
        """How many rows are left out where the section is."""
        return len(self.rows) or 1

    def lines(self) -> list[str]:
        """Return the section as lines."""
        return [self.start, *self.rows, *([self.end] if self.end else [])]

    def size(self) -> int:
        """Return the bytes of its lines in UTF-8, line ends included."""
        return sum(len(line.encode("utf-8")) + 1 for line in self.lines())


def cut_block(sections: Sequence[RowSection], room: int, again: str) -> str:
    """Return a block in so many bytes, `again` says what shows all of it. Its heading and its end always stand."""
    if sum(map(RowSection.size, sections)) <= room:
        return "\n".join(line for section in sections for line in section.lines())
    head, *inner, end = sections
    note = NOTE + len(_note(9_999_999, 9_999_999, again).encode("utf-8"))
    room -= head.size() + end.size() + note
    found: dict[int, list[str]] = {}
    listed = sorted((place for place, section in enumerate(inner) if section.rows), key=lambda at: inner[at].size())
    free = min(sum(min(inner[place].size(), LEAST + note) for place in listed), room // 2)
    for place, section in enumerate(inner):
        if not section.rows and section.size() <= room - free:
            found[place] = section.lines()
            room -= section.size()
    for done, place in enumerate(listed):
        lines = _cut_rows(inner[place], room // (len(listed) - done), note, again)
        if lines:
            found[place] = lines
            room -= sum(map(_size, lines))
    left = sum(section.weight for place, section in enumerate(inner) if place not in found)
    kept = [line for place in sorted(found) for line in found[place]]
    return "\n".join([*head.lines(), *kept, *([_note(left, 0, again)] if left else []), *end.lines()])


def _cut_rows(section: RowSection, room: int, note: int, again: str) -> list[str]:
    """Return a section's first rows, as many as fit with the least of each long one; nothing where not one does."""
    if section.size() <= room:
        return section.lines()
    sizes = [*map(_size, section.rows)]
    leasts = [min(size, LEAST) if section.shorten else size for size in sizes]
    room -= section.size() - sum(sizes) + note
    kept, used = 0, 0
    while kept < len(sizes) and used + leasts[kept] <= room:
        used += leasts[kept]
        kept += 1
    if not kept:
        return []
    shorter, left = _shorten_rows(section, sizes[:kept], room)
    rows = [shorter.get(place, section.rows[place]) for place in range(kept)]
    return [section.start, *rows, *([section.end] if section.end else []), _note(len(sizes) - kept, left, again)]


def _shorten_rows(section: RowSection, sizes: Sequence[int], room: int) -> tuple[Mapping[int, str], int]:
    """Return the long rows by place, in the room that the short ones leave, and the characters left out of them."""
    found: dict[int, str] = {}
    left = 0
    if section.shorten is None or sum(sizes) <= room:
        return found, left
    long = sorted((place for place, size in enumerate(sizes) if size > LEAST), key=sizes.__getitem__)
    room -= sum(size for size in sizes if size <= LEAST)
    for done, place in enumerate(long):
        share = room // (len(long) - done)
        if sizes[place] > share:
            found[place], characters = section.shorten(place, share)
            left += characters
        room -= _size(found.get(place, section.rows[place]))
    return found, left


def _note(rows: int, characters: int, again: str) -> str:
    """Return how many rows and characters are left out, and what shows them."""
    parts = [pluralize(rows, "more row")] if rows else []
    parts += [pluralize(characters, "character")] if characters else []
    return f"<p>⋯ {' and '.join(parts)} left out to save space; all of it: {write_sentence(again, code_element)}</p>"


def _size(text: str) -> int:
    return len(text.encode("utf-8")) + 1


STRETCH = 60
"""Characters of each stretch that are shown while all stretches are."""

LONGEST = 100_000
"""Characters of a stretch beyond which no room reaches."""

Fits = Callable[[tuple[Part, ...]], bool]
"""Whether a line of these stretches has room; what is longer never fits better."""


def shorten_line(parts: Sequence[Part], fits: Fits) -> tuple[tuple[Part, ...], int]:
    """Return the most of a line that fits, and the characters left out; changed and kept stretches share the room.

    Where there is not even room for the ends of all stretches, the first ones.
    """
    if fits(_cut_stretches(parts, STRETCH)):
        longest = min(max((len(part.text) for part in parts), default=0), LONGEST)
        length = _find_most(STRETCH, max(longest, STRETCH), lambda number: fits(_cut_stretches(parts, number)))
        return _cut_stretches(parts, length), sum(_count_left_out(part.text, length) for part in parts)
    count = _find_most(0, len(parts), lambda number: fits(_first_stretches(parts, number)))
    left = sum(_count_left_out(part.text, STRETCH) for part in parts[:count])
    return _first_stretches(parts, count), left + sum(len(part.text) for part in parts[count:])


def _find_most(least: int, most: int, fits: Callable[[int], bool]) -> int:
    """Return the largest number that fits; `least` where none does."""
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if fits(middle) else (least, middle - 1)
    return least


def _cut_stretches(parts: Sequence[Part], length: int) -> tuple[Part, ...]:
    """Return the stretches, of each longer one its two ends."""
    return tuple(
        part._replace(text=_cut_middle(part.text, length)) if len(part.text) > length else part for part in parts
    )


def _cut_middle(text: str, length: int) -> str:
    half = length // 2
    return f"{text[:half]} ⋯ {pluralize(_count_left_out(text, length), 'more character')} ⋯ {text[-half:]}"


def _count_left_out(text: str, length: int) -> int:
    """Return the characters that are left out of a stretch."""
    return len(text) - 2 * (length // 2) if len(text) > length else 0


def _first_stretches(parts: Sequence[Part], count: int) -> tuple[Part, ...]:
    """Return the ends of the first stretches, and how much there is in the others."""
    left = sum(len(part.text) for part in parts[count:])
    more = (Part(f" ⋯ {pluralize(left, 'more character')}", RunKind.KEPT),) if left else ()
    return (*_cut_stretches(parts[:count], STRETCH), *more)
