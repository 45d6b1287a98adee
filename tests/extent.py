"""How much of the long tables, laws and walks runs: a fixed third, or all of it after `pytest --all`, as in the gate.

A third is the same third on every machine and in every run. Programs (`python -m tests.…`) run everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import pytest

T = TypeVar("T")

_is_whole = True


def take_a_third() -> None:
    """Leave out two thirds from now on. What is decided while modules are imported is decided by then."""
    global _is_whole
    _is_whole = False


def is_whole() -> bool:
    """Whether nothing is left out."""
    return _is_whole


def third(values: Iterable[T], turn: int = 0) -> Iterator[T]:
    """Return every third value, beginning with the first, of the next turn with the second; all of them in the gate."""
    return iter(values) if _is_whole else islice(values, turn % 3, None, 3)


def examples(number: int) -> int:
    """Return how many examples of a law are looked at: the first third of those that the gate looks at."""
    return number if _is_whole else -(-number // 3)


def split_cells(items: Sequence[pytest.Item], *, is_named: bool = False) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return the tests that run and those that are left out: two of three cells of each table marked `exhaustive`.

    `is_named`: the command line names tests, and nothing is left out.

    Where a table has several axes, each row and column keeps its third. The tables of a file begin at their first,
    second and third cell in turn, so that what one leaves out another meets. At least one cell of each runs.
    """
    tables: dict[str, list[pytest.Item]] = {}
    for item in items:
        if is_cell(item) and not _is_whole:
            tables.setdefault(item.nodeid.partition("[")[0], []).append(item)
    begun: Counter[str] = Counter()
    out: set[pytest.Item] = set() if is_named else _out_of_turn(items, "alternates" if _is_whole else "in_turn")
    for name, cells in tables.items():
        file = name.partition("::")[0]
        chosen = [cell for cell in cells if (place(cell) - begun[file]) % 3 == 0] or cells[:1]
        begun[file] += 1
        out |= {cell for cell in cells if cell not in chosen}
    return [item for item in items if item not in out], [item for item in items if item in out]


def _out_of_turn(items: Sequence[pytest.Item], mark: str) -> set[pytest.Item]:
    """Return what is left out of the tests with a mark: each runs in one protocol, its next one in the next."""
    tests: dict[tuple[str, tuple[tuple[str, int], ...]], list[pytest.Item]] = {}  # by the very values of all axes
    for item in items:
        if item.get_closest_marker(mark) is not None and isinstance(item, pytest.Function):
            axes = tuple(
                sorted((name, id(value)) for name, value in item.callspec.params.items() if name != "protocol")
            )
            tests.setdefault((item.nodeid.partition("[")[0], axes), []).append(item)
    return {
        item for number, alike in enumerate(tests.values()) for item in alike if item is not alike[number % len(alike)]
    }


def is_cell(item: pytest.Item) -> bool:
    """Whether a test is a cell of a table that is marked `exhaustive`."""
    return item.get_closest_marker("exhaustive") is not None and isinstance(item, pytest.Function)


def place(item: pytest.Item) -> int:
    """Return the number of a cell in its table: the sum of its places on all axes."""
    assert isinstance(item, pytest.Function)
    axes = dict(item.callspec.indices)
    for mark in item.iter_markers("parametrize"):
        names = mark.args[0].split(",") if isinstance(mark.args[0], str) else mark.args[0]
        for name in names[1:]:  # they move together with the first one
            axes.pop(name.strip(), None)
    return sum(axes.values())
