"""Rows of measurements and the table they make. Knows no measurement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HEADINGS = ("what", "measured", "held against", "ratio", "target", "verdict", "note")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a figure, what it is held against, and the target for one divided by the other.

    Without a `target` the row is for orientation; `at_least` says that more is better; a `skipped` row has only that.
    `calm` is the ratio without the time in which the machine was busy with others.
    """

    what: str
    measured: str = ""
    against: str = ""
    ratio: float | None = None
    target: float | None = None
    at_least: bool = False
    note: str = ""
    skipped: str = ""
    calm: float | None = None

    @property
    def verdict(self) -> str:
        """Return met, missed, unclear where only a busy machine may be to blame, or nothing without a target."""
        if self.skipped:
            return "skipped"
        if self.ratio is None or self.target is None:
            return ""
        if self._meets(self.ratio):
            return "met"
        return "unclear" if self.calm is not None and self._meets(self.calm) else "MISSED"

    def _meets(self, ratio: float) -> bool:
        assert self.target is not None
        return ratio >= self.target if self.at_least else ratio <= self.target

    def cells(self) -> tuple[str, ...]:
        """Return the row as texts, in the order of the headings."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        target = "" if self.target is None else f"{'≥' if self.at_least else '≤'} {self.target:g}"
        return self.what, self.measured, self.against, ratio, target, self.verdict, self.skipped or self.note


def markdown(rows: Iterable[Row]) -> str:
    """Return the rows as a Markdown table, its columns aligned for terminals too."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    texts.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(texts)
