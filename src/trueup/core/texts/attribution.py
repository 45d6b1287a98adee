"""Which of the parts that a text was joined from has changed. Knows no file; what cannot be told is not guessed."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.core.texts.align import Allowance, align

_SEAM = "\n\n"
_COMPARISONS = 2_000_000


def attributed(parts: Sequence[str], joined: str) -> list[str] | None:
    """The parts that come to `joined` when one blank line stands between them; None where there is no one way.

    Empty parts stay empty. If all but one are still there, that one changed; else the seams must be the only blank
    lines between what is left of the parts beside them.
    """
    places = [index for index, part in enumerate(parts) if part.strip("\n")]
    last = len(parts) - 1
    texts = [parts[index] if index == last else parts[index].rstrip("\n") for index in places]
    if not texts:
        return None
    found = _one_changed(texts, joined)
    if found is None:
        found = _cut_at_seams(texts, joined)
    if found is None or _SEAM.join(found) != joined:
        return None
    result = list(parts)
    for index, text in zip(places, found, strict=True):
        kept = parts[index][len(parts[index].rstrip("\n")) :] if index != last else ""
        result[index] = text + kept
    return result


def _one_changed(texts: Sequence[str], joined: str) -> list[str] | None:
    """The one part that differs where all others stand as they did; None where none or several could be that one."""
    found = []
    for place in range(len(texts)):
        before = "".join(text + _SEAM for text in texts[:place])
        after = "".join(_SEAM + text for text in texts[place + 1 :])
        if len(joined) < len(before) + len(after) or not (joined.startswith(before) and joined.endswith(after)):
            continue
        middle = joined[len(before) : len(joined) - len(after)]
        if middle.strip("\n") == middle and middle:
            found.append([*texts[:place], middle, *texts[place + 1 :]])
    return found[0] if len(found) == 1 else None


def _cut_at_seams(texts: Sequence[str], joined: str) -> list[str] | None:
    """The new text cut between lines that two parts still have, if there are as many blank lines as seams there."""
    old, new = _SEAM.join(texts).split("\n"), joined.split("\n")
    part_of = [place for place, text in enumerate(texts) for _ in range(text.count("\n") + 2)]
    kept = [
        (part_of[a + step], b + step)
        for a, b, length in align(old, new, Allowance(_COMPARISONS))
        for step in range(length)
        if old[a + step]
    ]
    cuts: list[int] = []
    for (part, line), (next_part, next_line) in zip([(0, -1), *kept], [*kept, (len(texts) - 1, len(new))], strict=True):
        blank = [place for place in range(line + 1, next_line) if not new[place]]
        if part != next_part and len(blank) != next_part - part:
            return None
        cuts += blank if part != next_part else []
    starts, ends = [0, *(cut + 1 for cut in cuts)], [*cuts, len(new)]
    return ["\n".join(new[start:end]) for start, end in zip(starts, ends, strict=True)]
