"""Prints, for each edit and in sum, the rows a reviewer must read: `python -m tests.prose`."""

from __future__ import annotations

import sys

from tests.prose.reading import ENDLESS, edits, git, ours, rows


def main() -> int:
    """Print the table: at 80 columns, and with lines of any length."""
    sums = [0, 0, 0, 0]
    print(f"{'':<42}{'80 columns':^16}{'any length':^16}")
    print(f"{'edit':<42}{'ours':>7}{'git':>7}  {'ours':>7}{'git':>7}")
    for edit in edits():
        theirs = git(edit)
        found = [
            rows(ours(edit)), rows(theirs), rows(ours(edit, width=ENDLESS), ENDLESS), rows(theirs, ENDLESS),
        ]  # fmt: skip
        sums = [total + number for total, number in zip(sums, found, strict=True)]
        print(f"{edit.name:<42}{found[0]:>7}{found[1]:>7}  {found[2]:>7}{found[3]:>7}")
    print(f"{'sum':<42}{sums[0]:>7}{sums[1]:>7}  {sums[2]:>7}{sums[3]:>7}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
