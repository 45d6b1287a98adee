"""An embedded server with a clock that stands still and identifiers that count."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from trueup.local.openai_assistants import Server


@pytest.fixture
def server() -> Iterator[Server]:
    numbers = itertools.count(1)
    with Server(clock=lambda: 1_700_000_000.9, ids=lambda: f"asst_{next(numbers):024d}") as server:
        yield server
