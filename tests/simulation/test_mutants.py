"""Every mutant fits the code: what it breaks is there to be broken."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.simulation.mutants import MUTANTS

pytestmark = pytest.mark.any_protocol("a patch is of the code alone")


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_breaks_something_that_is_there(name: str) -> None:
    with ExitStack() as stack:
        for make in MUTANTS[name]:
            stack.enter_context(make())
