"""The threat model keeps to what there is: each row that says *defended* names tests, and these exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.split("## Who can do what")[1].split("\n## ")[0].splitlines()
    if line.startswith("|") and not line.startswith(("| who |", "|---"))
]


def test_there_are_rows() -> None:
    assert len(ROWS) > 25
    assert all(len(row) == 4 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: re.sub(r"\W+", "-", row[1])[:60])
def test_a_row_says_what_holds_it_or_that_nothing_does(row: list[str]) -> None:
    _, wants, answer, held = row
    tests = re.findall(r"`(tests/[^`]+)`", held)
    assert wants
    assert all((ROOT / path).is_file() for path in tests), tests
    if answer.startswith(("defended", "partly")):
        assert tests, "a row that is defended names its test"
    else:
        assert answer.startswith("**not defended"), answer
