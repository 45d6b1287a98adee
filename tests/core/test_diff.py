"""The structural diff: its law, DeepDiff's traps, and tools that are matched by what they are."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.extent import examples
from trueup.core.canonical import same
from trueup.core.plans import diff as subject
from trueup.core.plans.diff import Difference, Fate, diff, tool_changes, tool_label
from trueup.core.plans.plan import MISSING

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, 1.0, "a", "b", "a\nb", "\0x", "__a", "", "1"]),
    st.text(max_size=5),
)
KEYS = st.one_of(st.sampled_from(["a", "b", "__private", "x.y", "it's", 'say "x"', "[0]", ""]), st.text(max_size=4))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


def patch(value: Any, differences: Sequence[Difference]) -> Any:
    """Return the value with each difference's after-side in its place."""
    result = copy.deepcopy(value)
    for item in sorted(differences, key=lambda item: item.after is MISSING):
        if not item.path:
            return item.after
        holder = result
        for part in item.path[:-1]:
            holder = holder[part]
        last = item.path[-1]
        if item.after is MISSING:
            holder[last] = MISSING
        elif isinstance(holder, list) and last == len(holder):
            holder.append(item.after)
        else:
            holder[last] = item.after
    return _without_missing(result)


def _without_missing(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_missing(entry) for key, entry in value.items() if entry is not MISSING}
    return [_without_missing(entry) for entry in value if entry is not MISSING] if isinstance(value, list) else value


@given(VALUES, VALUES)
@settings(max_examples=examples(400), deadline=None)
def test_patching_with_the_difference_gives_the_other_value(before: Any, after: Any) -> None:
    left, right = copy.deepcopy(before), copy.deepcopy(after)
    found = diff(before, after)
    assert same(patch(before, found), after)
    assert (found == []) == same(before, after)
    assert same(before, left)
    assert same(after, right)


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        ({"__a": 1}, {"__a": 2}, ("__a",)),
        ({"a": True}, {"a": 1}, ("a",)),
        ({"a": None}, {}, ("a",)),
        ({}, {"a": None}, ("a",)),
        ([1, 2], [1, 2, 3], (2,)),
        ([[1]], [[1.5]], (0, 0)),
        ({"a": {"b": "x\ny"}}, {"a": {"b": "x\nz"}}, ("a", "b")),
        ({str(n): n for n in range(50)}, {str(n): n + (n == 7) for n in range(50)}, ("7",)),
    ],
)
def test_known_traps_give_one_difference_at_the_right_place(
    before: Any, after: Any, path: tuple[str | int, ...]
) -> None:
    assert [item.path for item in diff(before, after)] == [path]


def test_numbers_are_compared_by_value_and_absence_is_not_null() -> None:
    assert diff({"a": 1, "b": [2.0]}, {"a": 1.0, "b": [2]}) == []
    assert diff({"a": None}, {}) == [Difference(("a",), None, MISSING)]
    assert diff([1, 1, 2], [1, 2, 2]) == [Difference((1,), 1, 2)]


@pytest.mark.parametrize(
    ("size", "paths"),
    [
        (3_000, [("items", 2_999, "n"), ("items", 2_999, "text")]),
        (9_000, [("items", 8_999)]),
        (20_000, [("items",)]),
    ],
)
def test_a_very_large_value_is_compared_fast_and_only_less_deep(size: int, paths: list[Any]) -> None:
    before: dict[str, Any] = {"items": [{"n": n, "text": "line\n" * 50} for n in range(size)], "rest": [1]}
    after = {**before, "items": [*before["items"][:-1], {"n": -1, "text": "x\n" * 10}]}
    start = time.process_time()
    found = diff(before, after)
    assert [item.path for item in found] == paths
    assert same(patch(before, found), after)
    assert time.process_time() - start < 5


def test_values_nested_beyond_the_depth_are_compared_whole() -> None:
    before: Any = 1
    after: Any = 2
    for _ in range(subject.DEPTHS[0] + 20):
        before, after = [before], [after]
    (found,) = diff(before, after)
    assert len(found.path) == subject.DEPTHS[0]
    assert same(patch(before, [found]), after)


def test_deepdiff_is_never_handed_a_text_it_would_diff() -> None:
    before = {"text": "\n".join(str(n % 7) for n in range(29_000))}
    after = {"text": "\n".join(str(n % 5) for n in range(29_000))}
    start = time.process_time()
    assert diff(before, after) == [Difference(("text",), before["text"], after["text"])]
    assert time.process_time() - start < 2


def _function(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **more}}


def test_an_inserted_tool_does_not_make_the_later_ones_look_changed() -> None:
    before = [{"type": "code_interpreter"}, _function("a"), _function("b", strict=False)]
    after = [_function("new"), {"type": "code_interpreter"}, _function("a"), _function("b", strict=True)]
    changes = tool_changes(before, after)
    assert [(item.label, item.fate) for item in changes] == [
        ("function new", Fate.ADDED),
        ("code_interpreter", Fate.KEPT),
        ("function a", Fate.KEPT),
        ("function b", Fate.CHANGED),
    ]
    assert changes[-1].differences == (Difference(("function", "strict"), False, True),)


def test_one_tool_that_moved_is_the_only_one_that_moved() -> None:
    tools = [_function(name) for name in "abcd"]
    changes = tool_changes(tools, [tools[3], *tools[:3]])
    assert [item.label for item in changes if item.fate is Fate.MOVED] == ["function d"]


def test_removed_and_repeated_tools_are_each_told() -> None:
    changes = tool_changes([_function("a"), _function("a", strict=True), "x"], [_function("a")])
    assert [(item.label, item.fate) for item in changes] == [
        ("function a", Fate.KEPT),
        ("function a (2)", Fate.REMOVED),
        ("x", Fate.REMOVED),
    ]
    assert tool_changes(MISSING, [_function("a (2)"), _function("a"), _function("a")])[2].label == "function a (3)"


@pytest.mark.parametrize(
    ("tool", "label"),
    [
        (_function("f"), "function f"),
        ({"type": "function", "name": "f"}, "function f"),
        ({"type": "mcp", "server_label": "github"}, "mcp github"),
        ({"type": "file_search"}, "file_search"),
        ({}, "tool"),
        (7, "tool"),
    ],
)
def test_tools_are_called_what_people_call_them(tool: Any, label: str) -> None:
    assert tool_label(tool) == label
