"""The collector's pause: it ends as it began, and what a large block leaves behind is not looked at again."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from trueup.edge import collector
from trueup.edge.collector import pause_collector


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_it_rests_inside_and_is_as_it_was_afterwards() -> None:
    with pause_collector():
        assert not gc.isenabled()
        with pause_collector():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_is_as_it_was_after_a_failure() -> None:
    with pytest.raises(KeyError), pause_collector():
        raise KeyError
    assert gc.isenabled()


def test_what_a_large_block_leaves_behind_is_left_out_of_later_rounds() -> None:
    before = gc.get_freeze_count()
    with pause_collector():
        kept: list[list[int]] = [[] for _ in range(collector.MANY + 1_000)]
    assert gc.get_freeze_count() >= before + len(kept)


def test_a_small_block_and_one_that_keeps_nothing_freeze_nothing() -> None:
    """What a command throws away in between stays the collector's."""
    before = gc.get_freeze_count()
    with pause_collector():
        kept: list[list[int]] = [[] for _ in range(1_000)]
        for _ in range(collector.MANY + 1_000):
            kept[-1] = []
    assert gc.get_freeze_count() == before


def test_an_outer_pause_is_the_one_that_counts() -> None:
    before = gc.get_freeze_count()
    with pause_collector():
        with pause_collector():
            kept: list[list[int]] = [[] for _ in range(collector.MANY + 1_000)]
        assert gc.get_freeze_count() == before
    assert gc.get_freeze_count() >= before + len(kept)
