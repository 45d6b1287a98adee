"""Splices of a text, and where its lines end. Knows offsets and line breaks, and nothing of what the text means."""

from __future__ import annotations

from collections.abc import Sequence

Splice = tuple[int, int, str]
"""From one offset to another, and the text that comes there."""


class TooFine(Exception):
    """A part cannot be changed by itself; what holds it is written anew."""


def spliced(text: str, splices: Sequence[Splice]) -> str:
    """The text with all splices done. Raises TooFine where two overlap."""
    made, place = [], 0
    for start, end, fresh in sorted(splices, key=lambda splice: splice[:2]):
        if start < place:
            raise TooFine("two changes meet")
        made += [text[place:start], fresh]
        place = end
    return "".join([*made, text[place:]])


def end_of_line(text: str, offset: int) -> int:
    """The offset of the line break behind an offset, or of the end of the text."""
    found = text.find("\n", offset)
    return len(text) if found < 0 else found


def next_line(text: str, offset: int) -> int:
    """Where the line after the one at an offset begins; the end of the text where there is none."""
    return min(end_of_line(text, offset) + 1, len(text))


def past_blank_lines(text: str, offset: int) -> int:
    """The end of the line at an offset, or of the last blank one that follows it."""
    end = end_of_line(text, offset)
    while end < len(text) and not text[end + 1 : end_of_line(text, end + 1)].strip(" "):
        end = end_of_line(text, end + 1)
    return end
