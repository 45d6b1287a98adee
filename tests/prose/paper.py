"""Reads a printed difference back: the new text, from the old one and nothing but the rows on paper.

Knows the signs that a row begins with and the marks within it, as docs/reading-diffs.md explains them to people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FOLD = re.compile(r"⋯ ([\d,]+) lines? unchanged")
_MOVED = re.compile(r"> ([\d,]+) lines moved here from line ([\d,]+)(?:(, unchanged)|, changed inside):$")
_ONE = re.compile(r"> (.*)  \(moved from line ([\d,]+)\)$")
_LEFT = re.compile(r"< ([\d,]+) lines? moved to line ([\d,]+): ")
_HEAD = re.compile(r"[\d,]+ (?:→ [\d,]+ )?characters?, about ")
_MENTION = re.compile(r"[+-] (?:appeared|vanished): ")
_MARK = re.compile(r"\[-(.*?)-\]|\{\+(.*?)\+\}")


def after(printed: str, before: str) -> str:
    """Return the new text; `printed` is one whose lines were not wrapped or shortened."""
    rows = iter(printed.removesuffix("\n").split("\n"))
    ends = before.endswith("\n")
    head = next(rows)
    if head.startswith("only the newline"):
        return before.removesuffix("\n") + ("\n" if "added" in head else "")
    quiet = head.endswith("only in blanks and line breaks")
    old = before.removesuffix("\n").split("\n")
    found, _ = _read(_body(rows), old, quiet)
    return "".join(found).removesuffix("\n") + ("\n" if ends else "")


def _body(rows: Iterator[str]) -> list[str]:
    return [row for row in rows if not _HEAD.match(row) and not _MENTION.match(row)]


def _read(rows: list[str], old: list[str], quiet: bool, at: int = 0) -> tuple[list[str], int]:
    """Return the new lines, each with its break, and how many old lines were used; `at` is a place in the old ones."""
    found: list[str] = []
    place = 0
    while place < len(rows):
        row, place = rows[place], place + 1
        if fold := _FOLD.match(row):
            count = _number(fold[1])
            found += [line + "\n" for line in old[at : at + count]]
            at += count
        elif left := _LEFT.match(row):
            at += _number(left[1])
        elif block := _MOVED.match(row):
            start, inner = _number(block[2]) - 1, _inner(rows[place:], _number(block[1]), whole=bool(block[3]))
            place += len(inner)
            if block[3]:
                found += [line + "\n" for line in old[start : start + _number(block[1])]]
            else:
                found += _read([row.removeprefix("  ") for row in inner], old, quiet, start)[0]
        elif one := _ONE.match(row):
            found.append(_side(one[1], new=True) + "\n")
        elif row.startswith(("~ ", "~")):
            text = row[2:].removesuffix("  (only blanks)")
            new, past = _side(text, new=True), _side(text, new=False)
            found.append(new if new.endswith("\n") else new + "\n")
            at += past.count("\n") + (not new.endswith("\n"))
        elif row.startswith("-"):
            at += 1
        elif row.startswith("+"):
            found.append((row[2:].replace("·", " ") if quiet else row[2:]) + "\n")
        else:
            assert row[2:] == old[at].rstrip(), (row, old[at])
            found.append(old[at] + "\n")
            at += 1
    return found, at


def _inner(rows: list[str], count: int, *, whole: bool) -> list[str]:
    """Return the rows of a moved block; of one that moved unchanged three lines are shown, or only the first."""
    if whole:
        return rows[: count if count <= 3 else 1]
    taken = 0
    while count > 0:
        count -= _new_lines(rows[taken].removeprefix("  "))
        taken += 1
    return rows[:taken]


def _new_lines(row: str) -> int:
    fold = _FOLD.match(row)
    return _number(fold[1]) if fold else int(not row.startswith("-"))


def _side(text: str, *, new: bool) -> str:
    """One side of a row with marks, signs for blanks read as what they stand for inside the marks."""

    def read(match: re.Match[str]) -> str:
        part = match[2] if new else match[1]
        signs = str.maketrans({"·": " ", "⇥": "\t", "␊": "\n"})
        return (part or "").translate(signs)

    return _MARK.sub(read, text)


def _number(text: str) -> int:
    return int(text.replace(",", ""))
