"""Three texts made one, a text cut into the parts it was joined from, and the difference of two versions as a patch.

A merge works as git's: what one side changed is taken, what both changed stands between markers. What cannot be told
is not guessed. A patch's header names the file alone, without git's own first line: the path is then seen from the
folder in which the patch is applied, which need not be the repository's top.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from trueup.core.texts.align import Allowance, align

OURS, MIDDLE, THEIRS = "<<<<<<< file", "=======", ">>>>>>> live"
"""The lines around a conflict."""

COMPARISONS: Final = 4_000_000
_MARKED: Final = re.compile(r"^<{7} .*\n(?:.*\n)*?={7}\r?\n(?:.*\n)*?>{7} ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The lines, and how many conflicts stand in them."""

    text: str
    conflicts: int


def merge_texts(base: str | None, ours: str, theirs: str) -> MergeResult:
    """Both texts as one; without a base every difference is a conflict."""
    left, right = _split_lines(ours), _split_lines(theirs)
    allowance = Allowance(COMPARISONS)
    if base is None:
        stretches = _merge_two(left, right, allowance)
    else:
        stretches = _merge_three(_split_lines(base), left, right, allowance)
    made: list[str] = []
    conflicts = 0
    for lines, other in stretches:
        if other is None:
            made += lines
        else:
            conflicts += 1
            made += [f"{OURS}\n", *_end_lines(lines), f"{MIDDLE}\n", *_end_lines(other), f"{THEIRS}\n"]
    return MergeResult("".join(made), conflicts)


def find_conflict(text: str) -> int | None:
    """Return the offset of the first conflict's first marker in a text; None if there is none."""
    if ">>>>>>> " not in text:
        return None
    found = _MARKED.search(text)
    return found.start() if found else None


MergePart = tuple[Sequence[str], Sequence[str] | None]
"""Lines that are settled; or our lines, and theirs, where they are not."""


def _merge_two(left: list[str], right: list[str], allowance: Allowance) -> list[MergePart]:
    found: list[MergePart] = []
    i = j = 0
    for a, b, length in [*align(left, right, allowance), (len(left), len(right), 0)]:
        if (i, j) != (a, b):
            found.append((left[i:a], right[j:b]))
        found.append((left[a : a + length], None))
        i, j = a + length, b + length
    return found


def _merge_three(base: list[str], left: list[str], right: list[str], allowance: Allowance) -> list[MergePart]:
    """Between the lines that all three share, each stretch is ours, theirs, or both."""
    found: list[MergePart] = []
    here, there = _map_lines(base, left, allowance), _map_lines(base, right, allowance)
    o = i = j = 0
    for line in [*(line for line in range(len(base)) if line in here and line in there), len(base)]:
        a, b = here.get(line, len(left)), there.get(line, len(right))
        if (o, i, j) != (line, a, b):
            found += _decide(base[o:line], left[i:a], right[j:b])
        if line < len(base):
            found.append(([base[line]], None))
        o, i, j = line + 1, a + 1, b + 1
    return found


def _decide(before: list[str], left: list[str], right: list[str]) -> list[MergePart]:
    if left in (before, right):
        return [(right, None)]
    return [(left, None)] if right == before else _shorten_conflict(left, right)


def _shorten_conflict(left: list[str], right: list[str]) -> list[MergePart]:
    """Split off the lines at a conflict's ends that both sides share."""
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    end = 0
    while end < min(len(left), len(right)) - start and left[-1 - end] == right[-1 - end]:
        end += 1
    a, b = len(left) - end, len(right) - end
    return [(left[:start], None), (left[start:a], right[start:b]), (left[a:], None)]


def _map_lines(base: list[str], other: list[str], allowance: Allowance) -> dict[int, int]:
    """Where each line of the base that is kept stands in the other text."""
    return {a + step: b + step for a, b, length in align(base, other, allowance) for step in range(length)}


def _split_lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text)


def _end_lines(lines: Sequence[str]) -> list[str]:
    """End each line with a newline, so that a marker after the last one stands on its own line."""
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]


_SEAM = "\n\n"
PART_COMPARISONS = 2_000_000


def split_into_parts(parts: Sequence[str], joined: str) -> list[str] | None:
    """Split `joined` into its parts, joined by one blank line each; return None unless one way is certain.

    Empty parts stay empty. If all parts but one are unchanged, that one changed; else the seams must be the only blank
    lines between what is left of the parts beside them.
    """
    places = [index for index, part in enumerate(parts) if part.strip("\n")]
    last = len(parts) - 1
    texts = [parts[index] if index == last else parts[index].rstrip("\n") for index in places]
    if not texts:
        return None
    found = _find_changed_part(texts, joined)
    if found is None:
        found = _cut_at_seams(texts, joined)
    if found is None or _SEAM.join(found) != joined:
        return None
    result = list(parts)
    for index, text in zip(places, found, strict=True):
        kept = parts[index][len(parts[index].rstrip("\n")) :] if index != last else ""
        result[index] = text + kept
    return result


def _find_changed_part(texts: Sequence[str], joined: str) -> list[str] | None:
    """Find the one part that changed while all others stayed; return None if none or several could be it."""
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
    """Cut the new text between lines that two parts still have, if it has as many blank lines there as seams."""
    old, new = _SEAM.join(texts).split("\n"), joined.split("\n")
    part_of = [place for place, text in enumerate(texts) for _ in range(text.count("\n") + 2)]
    kept = [
        (part_of[a + step], b + step)
        for a, b, length in align(old, new, Allowance(PART_COMPARISONS))
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


CONTEXT: Final = 3
"""Unchanged lines around a change."""

_BYTE_LINES: Final = re.compile(rb"[^\n]*\n|[^\n]+\Z")
_UNFIT: Final = re.compile('[\x00-\x1f"\\\\\x7f]')
_NO_BREAK: Final = b"\n\\ No newline at end of file\n"


def make_patch(file: str, before: bytes, after: bytes) -> bytes:
    """Make the patch from one content to another, empty if they are equal; `file` is relative to the root."""
    old, new = _BYTE_LINES.findall(before), _BYTE_LINES.findall(after)
    hunks = list(_make_hunks(old, new))
    if not hunks:
        return b""
    head = f"--- {_quote_name('a', file)}\n+++ {_quote_name('b', file)}\n".encode("utf-8", "surrogateescape")
    return head + b"".join(hunks)


Step = tuple[bytes, int, int]
"""A sign (blank, minus, plus) and the line's index on both sides."""


def _make_hunks(old: list[bytes], new: list[bytes]) -> Iterator[bytes]:
    steps = _make_steps(old, new)
    changed = [place for place, step in enumerate(steps) if step[0] != b" "]
    start = 0
    while start < len(changed):
        end = start
        while end + 1 < len(changed) and changed[end + 1] - changed[end] <= 2 * CONTEXT + 1:
            end += 1
        yield _make_hunk(steps[max(0, changed[start] - CONTEXT) : changed[end] + CONTEXT + 1], old, new)
        start = end + 1


def _make_hunk(steps: list[Step], old: list[bytes], new: list[bytes]) -> bytes:
    removed = sum(sign != b"+" for sign, _, _ in steps)
    added = sum(sign != b"-" for sign, _, _ in steps)
    _, i, j = steps[0]
    head = f"@@ -{i + bool(removed)},{removed} +{j + bool(added)},{added} @@\n".encode()
    lines = (sign + (new[b] if sign == b"+" else old[a]) for sign, a, b in steps)
    return head + b"".join(line if line.endswith(b"\n") else line + _NO_BREAK for line in lines)


def _make_steps(old: list[bytes], new: list[bytes]) -> list[Step]:
    """Every line of both sides in order, what goes before what comes."""
    found: list[Step] = []
    i = j = 0
    for a, b, length in [*align(old, new, Allowance(COMPARISONS)), (len(old), len(new), 0)]:
        found += [(b"-", index, j) for index in range(i, a)]
        found += [(b"+", a, index) for index in range(j, b)]
        found += [(b" ", a + step, b + step) for step in range(length)]
        i, j = a + length, b + length
    return found


def _quote_name(side: str, file: str) -> str:
    """Write a path as git does: quoted if a character would end a line or a quote, before a tab if it has blanks."""
    if _UNFIT.search(file):
        quoted = _UNFIT.sub(lambda match: f"\\{ord(match.group()):03o}", file)
        return f'"{side}/{quoted}"'
    return f"{side}/{file}\t" if " " in file else f"{side}/{file}"
