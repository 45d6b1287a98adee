"""Hold that a plain run has a fixed third of each long table, and that `--all` and a test's name leave nothing out.

And that a run in the background, which a shell starts with SIGINT ignored, can interrupt its commands all the same.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import extent

ROOT = Path(__file__).parents[1]
TABLES = """
import signal
import pytest
from tests.extent import examples, third

@pytest.mark.exhaustive
@pytest.mark.parametrize("one", range(7))
def test_one_axis(one): pass

@pytest.mark.exhaustive
@pytest.mark.parametrize(("row", "of", "three"), [(n, n, n) for n in range(4)])
@pytest.mark.parametrize("column", range(3))
def test_two_axes(row, of, three, column): pass

@pytest.fixture(params=range(4))
def made(request): return request.param

@pytest.mark.exhaustive
def test_an_axis_of_a_fixture(made): pass

@pytest.mark.exhaustive
def test_the_same_axis(made): pass

@pytest.mark.exhaustive
@pytest.mark.parametrize("one", [1])
def test_short(one): pass

@pytest.mark.parametrize("one", range(4))
def test_unmarked(one): pass

@pytest.mark.in_turn
@pytest.mark.parametrize("protocol", ["a", "b"])
@pytest.mark.parametrize("one", range(3))
def test_in_turn(protocol, one): pass

@pytest.mark.in_turn
@pytest.mark.parametrize("protocol", ["a"])
def test_of_one(protocol): pass

@pytest.mark.exhaustive
@pytest.mark.alternates("reason")
@pytest.mark.parametrize("protocol", ["a", "b"])
@pytest.mark.parametrize("one", range(3))
def test_alternating(protocol, one): pass

def test_interrupt(): assert signal.getsignal(signal.SIGINT) == signal.default_int_handler

def test_inside(): assert (examples(10), list(third(range(5)))) == {inside}
"""
CELLS = {
    "test_alternating": (3, 2), "test_an_axis_of_a_fixture": (4, 1),
    "test_in_turn": (6, 3), "test_inside": (1, 1), "test_interrupt": (1, 1),
    "test_of_one": (1, 1), "test_one_axis": (7, 3),
    "test_short": (1, 1), "test_the_same_axis": (4, 2), "test_two_axes": (12, 4), "test_unmarked": (4, 4),
}  # fmt: skip
"""How many cells of each table run in the gate, and how many in a plain run."""


def run(folder: Path, *arguments: str) -> list[str]:
    """Run the tables with this project's settings alone; return the tests that passed, which are all that were run."""
    words = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest", "-rA", "-n0"]
    done = subprocess.run(
        [*words, f"--rootdir={folder}", *arguments], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[100%]" in done.stdout, "progress"
    return re.findall(r"^PASSED \S*::(\S+)$", done.stdout, re.MULTILINE)


def counts(tests: list[str]) -> dict[str, int]:
    """Return how many cells of each table ran."""
    names = [name.partition("[")[0] for name in tests]
    return {name: names.count(name) for name in sorted(set(names))}


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    (tmp_path / "test_tables.py").write_text(TABLES.replace("{inside}", "(4, [0, 3])"), encoding="utf-8")
    return tmp_path


def test_a_plain_run_has_the_same_third_of_each_table_on_every_machine(tables: Path) -> None:
    tests = run(tables, str(tables))
    assert counts(tests) == {name: number for name, (_, number) in CELLS.items()}
    assert [name for name in tests if "one_axis" in name] == [f"test_one_axis[{n}]" for n in (0, 3, 6)]
    assert [name[-3:] for name in tests if "axis_of" in name or "same_axis" in name] == ["[2]", "[0]", "[3]"], "in turn"
    turns = [name for name in tests if "in_turn" in name]
    assert turns == ["test_in_turn[0-a]", "test_in_turn[1-b]", "test_in_turn[2-a]"]
    cells = [re.findall(r"\d+", name) for name in tests if name.startswith("test_two_axes")]
    assert len({cell[0] for cell in cells}) == 3, "each column"
    assert len({cell[1] for cell in cells}) == 4, "each row"


def test_the_gate_has_every_cell_and_so_has_a_test_that_is_named(tables: Path) -> None:
    (tables / "test_tables.py").write_text(TABLES.replace("{inside}", "(10, [0, 1, 2, 3, 4])"), encoding="utf-8")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell starts what is to run in the background
    try:
        tests = run(tables, "--all", str(tables))
    finally:
        signal.signal(signal.SIGINT, before)
    assert counts(tests) == {name: number for name, (number, _) in CELLS.items()}
    turns = [name for name in tests if "alternating" in name]
    assert turns == ["test_alternating[0-a]", "test_alternating[1-b]", "test_alternating[2-a]"]
    wanted = {"test_alternating": 6, "test_inside": 1, "test_one_axis": 7}
    assert counts(run(tables, *(f"test_tables.py::{name}" for name in wanted))) == wanted


def test_a_law_has_a_third_of_its_examples_and_a_walk_every_third_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extent, "_is_whole", True)
    extent.take_a_third()
    assert [extent.examples(number) for number in (1, 3, 60, 400)] == [1, 1, 20, 134]
    assert list(extent.third("abcdefg")) == ["a", "d", "g"]
    assert list(extent.third("abcdefg", 1)) == ["b", "e"]
