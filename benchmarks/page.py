"""The table in docs/speed.md: where it stands, and how a new run's takes its place.

`python -m benchmarks > table.md`, then `python -m benchmarks.page table.md`. Knows no measurement.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.process import ROOT

PAGE = ROOT / "docs" / "speed.md"
BEGIN = "<!-- python -m benchmarks -->\n"
END = "<!-- end of the table -->\n"


def embedded(page: str) -> str:
    """Return what stands between the marks. Raises ValueError where there are none."""
    return page[page.index(BEGIN) + len(BEGIN) : page.index(END)]


def with_table(page: str, table: str) -> str:
    """Return the page with another run's output in the old one's place. Raises ValueError where there is none."""
    return page.replace(BEGIN + embedded(page) + END, BEGIN + table + END)


def row_names(table: str) -> Sequence[str]:
    """Return the first column of a table, without its heading."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [line.split("|")[1].strip() for line in lines[2:]]


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8"), Path(sys.argv[1]).read_text("utf-8")), "utf-8")
