"""A block of a comment as far as there is room: whole rows, long lines shorter, and what is left out counted.

The small parts of a block are whole and the large ones share what is left, so that no long schema takes the room of a
prompt, and no long line that of the others. Knows bytes and nothing of what a row says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trueup.render.markdown_blocks import Section
from trueup.render.markup import html_code, inline
from trueup.render.values import many

LEAST = 500
"""Bytes that a long line has before another one is left out for it."""

NOTE = 60
"""Bytes for saying how much is left out, beside the words that say where it is."""


def cut(sections: Sequence[Section], room: int, again: str) -> str:
    """A block in so many bytes, `again` says what shows all of it. Its heading and its end always stand."""
    if sum(map(Section.size, sections)) <= room:
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
    told = [line for place in sorted(found) for line in found[place]]
    return "\n".join([*head.lines(), *told, *([_note(left, 0, again)] if left else []), *end.lines()])


def _cut_rows(section: Section, room: int, note: int, again: str) -> list[str]:
    """A section's first rows, as many as fit with the least of each long one; nothing where not one does."""
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
    shorter, left = _shorter(section, sizes[:kept], room)
    rows = [shorter.get(place, section.rows[place]) for place in range(kept)]
    return [section.start, *rows, *([section.end] if section.end else []), _note(len(sizes) - kept, left, again)]


def _shorter(section: Section, sizes: Sequence[int], room: int) -> tuple[Mapping[int, str], int]:
    """The long rows by place, in what room the short ones leave, and the characters that are left out of them."""
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
    """How many rows and characters are left out, and what shows them."""
    told = [many(rows, "more row")] if rows else []
    told += [many(characters, "character")] if characters else []
    return f"<p>⋯ {' and '.join(told)} left out for want of room; all of it: {inline(again, html_code)}</p>"


def _size(text: str) -> int:
    return len(text.encode("utf-8")) + 1
