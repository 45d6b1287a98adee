"""How cost grows with the size of a fleet: bookkeeping and whole plans, ten times as many for ten times the price."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.inside import Figures
from benchmarks.process import PYTHON, run, trueup
from benchmarks.setting import Setting
from benchmarks.table import Row

PROMISED = 11


def rows(setting: Setting) -> Iterator[Row]:
    """Yield the cost of the largest size against a tenth of it, less start-up."""
    large = max(setting.sizes)
    small = large // 10
    books = {count: _measure_books(setting, count) for count in (small, large)}
    for part in ("journal", "state", "plan"):
        low, high = (books[count][part]["cpu"] for count in (small, large))
        yield Row(f"growth: {part}, {large:,} / {small:,}", f"{high:.2f} s CPU", f"{low:.2f} s", high / low)
    low, high = (sum(part["cpu"] for part in books[count].values()) for count in (small, large))
    yield Row(
        f"growth: all bookkeeping, {large:,} / {small:,}", f"{high:.2f} s CPU", f"{low:.2f} s", high / low, PROMISED
    )
    start = trueup("plan", "--quiet", cwd=setting.fleet(10)).cpu
    low, high = (trueup("plan", "--quiet", cwd=setting.fleet(count)).cpu - start for count in (small, large))
    yield Row(f"growth: plan, clean, {large:,} / {small:,}", f"{high:.2f} s CPU", f"{low:.2f} s", high / low)


def _measure_books(setting: Setting, count: int) -> Figures:
    """Return what journal, state and plan file cost, each in the cheaper of two runs."""
    argv = [PYTHON, "-m", "benchmarks.inside", "books", str(setting.project(count))]
    first, second = run(argv).json, run(argv).json
    return {part: min(first[part], second[part], key=lambda spent: spent["cpu"]) for part in first}
