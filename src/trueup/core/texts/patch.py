"""The difference of two versions of a file as a patch that `git apply` and `patch` take. Knows no disk.

The header names the file alone, without git's own first line: the path is then seen from the folder in which the patch
is applied, which need not be the repository's top.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from trueup.core.texts.align import Allowance, align

CONTEXT: Final = 3
"""Unchanged lines around a change."""

_COMPARISONS: Final = 4_000_000
_LINES: Final = re.compile(rb"[^\n]*\n|[^\n]+\Z")
_UNFIT: Final = re.compile('[\x00-\x1f"\\\\\x7f]')
_NO_BREAK: Final = b"\n\\ No newline at end of file\n"


def patch(file: str, before: bytes, after: bytes) -> bytes:
    """The patch from one content to another, empty where they are the same; `file` is seen from the project's root."""
    old, new = _LINES.findall(before), _LINES.findall(after)
    hunks = list(_hunks(old, new))
    if not hunks:
        return b""
    head = f"--- {_name('a', file)}\n+++ {_name('b', file)}\n".encode("utf-8", "surrogateescape")
    return head + b"".join(hunks)


Step = tuple[bytes, int, int]
"""A sign (blank, minus, plus) and the line's index on both sides."""


def _hunks(old: list[bytes], new: list[bytes]) -> Iterator[bytes]:
    steps = _steps(old, new)
    changed = [place for place, step in enumerate(steps) if step[0] != b" "]
    start = 0
    while start < len(changed):
        end = start
        while end + 1 < len(changed) and changed[end + 1] - changed[end] <= 2 * CONTEXT + 1:
            end += 1
        yield _hunk(steps[max(0, changed[start] - CONTEXT) : changed[end] + CONTEXT + 1], old, new)
        start = end + 1


def _hunk(steps: list[Step], old: list[bytes], new: list[bytes]) -> bytes:
    removed = sum(sign != b"+" for sign, _, _ in steps)
    added = sum(sign != b"-" for sign, _, _ in steps)
    _, i, j = steps[0]
    head = f"@@ -{i + bool(removed)},{removed} +{j + bool(added)},{added} @@\n".encode()
    lines = (sign + (new[b] if sign == b"+" else old[a]) for sign, a, b in steps)
    return head + b"".join(line if line.endswith(b"\n") else line + _NO_BREAK for line in lines)


def _steps(old: list[bytes], new: list[bytes]) -> list[Step]:
    """Every line of both sides in order, what goes before what comes."""
    found: list[Step] = []
    i = j = 0
    for a, b, length in [*align(old, new, Allowance(_COMPARISONS)), (len(old), len(new), 0)]:
        found += [(b"-", index, j) for index in range(i, a)]
        found += [(b"+", a, index) for index in range(j, b)]
        found += [(b" ", a + step, b + step) for step in range(length)]
        i, j = a + length, b + length
    return found


def _name(side: str, file: str) -> str:
    """The path as git writes it: quoted if a sign in it would end a line or a quote, before a tab if it has blanks."""
    if _UNFIT.search(file):
        quoted = _UNFIT.sub(lambda match: f"\\{ord(match.group()):03o}", file)
        return f'"{side}/{quoted}"'
    return f"{side}/{file}\t" if " " in file else f"{side}/{file}"
