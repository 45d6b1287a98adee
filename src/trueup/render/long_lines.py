"""A line too long for its room, told shorter: the two ends of each long stretch, and how much is left out between.

Knows no dialect: whether a line fits is asked of the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trueup.core.texts.prose import Kind
from trueup.render.prose_lines import Part
from trueup.render.values import many

STRETCH = 60
"""Characters of each stretch that are shown while all stretches are."""

LONGEST = 100_000
"""Characters of a stretch beyond which no room reaches."""

Fits = Callable[[tuple[Part, ...]], bool]
"""Whether a line of these stretches has room; what is longer never fits better."""


def shortened(parts: Sequence[Part], fits: Fits) -> tuple[tuple[Part, ...], int]:
    """The most of a line that fits, and the characters left out; what changed in it and what did not share the room.

    Where there is not even room for the ends of all stretches, the first ones.
    """
    if fits(_ends(parts, STRETCH)):
        longest = min(max((len(part.text) for part in parts), default=0), LONGEST)
        length = _most(STRETCH, max(longest, STRETCH), lambda number: fits(_ends(parts, number)))
        return _ends(parts, length), sum(_left(part.text, length) for part in parts)
    count = _most(0, len(parts), lambda number: fits(_first(parts, number)))
    left = sum(_left(part.text, STRETCH) for part in parts[:count])
    return _first(parts, count), left + sum(len(part.text) for part in parts[count:])


def _most(least: int, most: int, fits: Callable[[int], bool]) -> int:
    """The largest number that fits; `least` where none does."""
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if fits(middle) else (least, middle - 1)
    return least


def _ends(parts: Sequence[Part], length: int) -> tuple[Part, ...]:
    """The stretches, of each longer one its two ends."""
    return tuple(part._replace(text=_end(part.text, length)) if len(part.text) > length else part for part in parts)


def _end(text: str, length: int) -> str:
    half = length // 2
    return f"{text[:half]} ⋯ {many(_left(text, length), 'more character')} ⋯ {text[-half:]}"


def _left(text: str, length: int) -> int:
    """Characters of a stretch that are left out of it."""
    return len(text) - 2 * (length // 2) if len(text) > length else 0


def _first(parts: Sequence[Part], count: int) -> tuple[Part, ...]:
    """The ends of the first stretches, and how much there is in the others."""
    left = sum(len(part.text) for part in parts[count:])
    more = (Part(f" ⋯ {many(left, 'more character')}", Kind.KEPT),) if left else ()
    return (*_ends(parts[:count], STRETCH), *more)
