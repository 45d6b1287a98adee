"""Numbers that JSON loses are found wherever they stand, and no other value is taken for one."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trueup.core.rules.limits import LARGEST_INTEGER, find_lost_numbers
from trueup.core.source import Path

edges = st.sampled_from([0, -1, LARGEST_INTEGER, -LARGEST_INTEGER, LARGEST_INTEGER + 1, -LARGEST_INTEGER - 1])
floats = st.sampled_from([0.0, 1e15, 1e300, -1e300, float("inf"), float("-inf"), float("nan")])
leaves = edges | floats | st.booleans() | st.none() | st.sampled_from(["", "9007199254740993", "nan"])
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
)


@given(values)
def test_each_lost_number_is_one_fault_at_its_place(value: Any) -> None:
    found = [fault.path for fault in find_lost_numbers({"parameters": value}, ())]
    assert found == list(_lost(value, ("parameters",)))


def _lost(value: Any, path: Path) -> list[Path]:
    if isinstance(value, dict):
        return [place for key, entry in value.items() for place in _lost(entry, (*path, key))]
    if isinstance(value, list):
        return [place for index, entry in enumerate(value) for place in _lost(entry, (*path, index))]
    if type(value) is float:
        return [] if -1e308 < value < 1e308 else [path]
    return [path] if type(value) is int and abs(value) > 2**53 else []
