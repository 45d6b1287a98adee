"""The line and word diff of the two longest instructions there can be, of kinds that others stumble over."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.process import PYTHON, run
from benchmarks.setting import Setting
from benchmarks.table import Row

PROMISED = 0.3


def rows(_setting: Setting) -> Iterator[Row]:
    """Yield a row for each kind of text."""
    for kind, spent in run([PYTHON, "-m", "benchmarks.inside", "text"]).json.items():
        yield Row(
            f"text diff of 2 x 256,000 characters: {kind}",
            f"{spent['cpu']:.3f} s CPU",
            f"{PROMISED} s",
            spent["cpu"] / PROMISED,
            1,
        )
