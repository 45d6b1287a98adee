"""The page on speed shows every row that the suite prints, and the suite judges its rows as it says. Times nothing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchmarks import corpus, growth, longtext, peers, planning, process
from benchmarks.__main__ import FULL, GROUPS
from benchmarks.inside import KINDS
from benchmarks.page import PAGE, embedded, row_names, with_table
from benchmarks.process import Spent
from benchmarks.protocols import SAMPLES
from benchmarks.setting import Setting
from benchmarks.table import Row, markdown
from trueup.wire.registry import protocols

CPU = {"wall": 1.0, "cpu": 1.0}
PHASES = {"both": CPU, "refresh": CPU, "found": {"pages": 1}}


class Silent:
    """A stub vendor that nobody asks anything."""

    base_url = "http://127.0.0.1:9/v1"

    def latency(self, _milliseconds: float) -> None:
        """Is none."""

    def reset(self) -> None:
        """Nothing is there."""

    def taken(self) -> tuple[int, float]:
        """As if for one request."""
        return 1, 0.0


@pytest.fixture
def suite(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Setting:
    """Set up a full run in which no process is started, no fleet is written and no peer is installed."""
    seconds = itertools.count(1)
    words = [text for count in FULL.sizes for text in _said(count)]

    def run(argv: Sequence[str], _cwd: Path = tmp_path, **_: Any) -> Spent:
        cpu = float(next(seconds))
        books = {part: {"wall": cpu, "cpu": cpu} for part in ("journal", "state", "plan")}
        outs = {"phases": PHASES, "books": books, "text": dict.fromkeys(KINDS, CPU)}
        out = next((json.dumps(value) for name, value in outs.items() if name in argv), "\n".join(words))
        return Spent(wall=cpu, cpu=cpu, waited=0.0, peak=1.0, code=0, out=out)

    def write(folder: Path, _count: int, _base_url: str = "", **_: Any) -> Path:
        (folder / ".trueup").mkdir(parents=True, exist_ok=True)
        (folder / ".trueup" / "stub.state.json").touch()
        return folder

    modules: list[ModuleType] = [process, growth, longtext, peers, planning]
    for module in modules:
        monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(corpus, "write", write)
    monkeypatch.setattr(corpus, "edit", lambda *_, **__: None)
    monkeypatch.setattr(peers, "_find_program", lambda _program: None)
    stub: Any = Silent()
    return Setting(tmp_path, stub, FULL.sizes, FULL.latencies, FULL.workers, 1, FULL.applied)


def _said(count: int) -> list[str]:
    """Return the last lines of plans of so many."""
    return [
        f"Plan: {count} to create, 0 to modify, 0 to delete, 0 drifted, 0 unchanged.",
        f"Plan: 0 to create, 0 to modify, 0 to delete, 0 drifted, {count} unchanged.",
        f"Plan: 0 to create, {-(-count // corpus.CHANGED)} to modify, 0 to delete.",
    ]


def test_the_page_shows_every_row_that_a_full_run_prints(suite: Setting) -> None:
    """By name; the numbers are a run's."""
    printed = [row.what for rows in GROUPS.values() for row in rows(suite)]
    assert list(row_names(embedded(PAGE.read_text("utf-8")))) == printed
    assert len(set(printed)) == len(printed)


def test_every_protocol_of_the_registry_is_measured() -> None:
    missing = set(protocols()) - SAMPLES.keys()
    assert not missing, f"write a row for each into benchmarks/protocols.py: {missing}"


def test_another_run_takes_the_old_one_s_place_and_nothing_else() -> None:
    page = PAGE.read_text("utf-8")
    other = "A machine\n\n" + markdown([Row("one", ratio=1.0, target=2), Row("two", skipped="not here")]) + "\n"
    changed = with_table(page, other)
    assert embedded(changed) == other
    assert row_names(other) == ["one", "two"]
    assert with_table(changed, embedded(page)) == page


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (Row("a", ratio=1.0, target=1), "met"),
        (Row("a", ratio=1.01, target=1), "MISSED"),
        (Row("a", ratio=1.01, target=1, calm=0.9), "unclear"),
        (Row("a", ratio=3.0, target=3, at_least=True), "met"),
        (Row("a", ratio=2.9, target=3, at_least=True), "MISSED"),
        (Row("a", ratio=2.9), ""),
        (Row("a", skipped="not here"), "skipped"),
    ],
)
def test_a_verdict_follows_from_ratio_and_target(row: Row, verdict: str) -> None:
    assert row.verdict == verdict
