"""The tables of docs/guarantees.md are whole: every trouble struck, and every mutant was found."""

from __future__ import annotations

import re
from itertools import product

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.page import PAGE
from tests.simulation.tally import DISK, FILES, LISTS, WHENS, WRITES

pytestmark = pytest.mark.any_protocol("it reads a page")

KINDS = FILES[:3]
"""The state file, the journal and the plan file: each is torn, lost and refused by a full disk."""


def rows(name: str) -> dict[str, list[str]]:
    """Return the cells behind the first one of each row between the marks."""
    found = re.search(f"<!-- {name} -->(.*)<!-- /{name} -->", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines() if line[:1] == "|"]
    return {first: rest for first, *rest in cells}


def number(text: str) -> int:
    return int(text.replace(",", ""))


@pytest.mark.parametrize("words", LISTS.values(), ids=LISTS)
def test_every_trouble_struck(words: tuple[str, ...]) -> None:
    there = rows("schedules")
    assert [word for word in words if not number(there[word][0])] == []


def test_every_unclear_answer_struck_before_and_after_the_work() -> None:
    there = rows("schedules")
    cells = {(what, when): number(there[what][WHENS.index(when)]) for what, when in product(WRITES, WHENS)}
    assert [cell for cell, times in cells.items() if not times] == []


def test_every_file_was_torn_lost_and_refused() -> None:
    there = rows("schedules")
    cells = {(kind, what): number(there[kind][DISK.index(what)]) for kind, what in product(KINDS, DISK)}
    assert [cell for cell, times in cells.items() if not times] == []


def test_every_mutant_is_on_the_page_and_was_found() -> None:
    there = rows("mutants")
    assert [name for name in MUTANTS if not there[name][0].replace(",", "").isdigit()] == []
