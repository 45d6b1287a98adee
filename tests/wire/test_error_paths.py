"""Where in a request a server's error points, in each spelling that was seen, and in none that is not a place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.source import Path
from trueup.wire.replies import MOST, find_listed_path, first, path_in, path_of, steps

FIELDS = ("model", "tools", "metadata", "instructions")


@pytest.mark.parametrize(
    ("param", "path"),
    [
        ("tools[2].function.parameters", ("tools", 2, "function", "parameters")),
        ("tools.2.function", ("tools", 2, "function")),
        ("/tools/2/function/name", ("tools", 2, "function", "name")),
        ("$.tools[2]", ("tools", 2)),
        ("body.tools.0", ("tools", 0)),
        ("['tools'][2]['type']", ("tools", 2, "type")),
        ("model", ("model",)),
        ("", ()),
        ("[].", ()),
        ("tools[٣]", ("tools", "٣")),
        ("tools[99999999999]", ("tools", "99999999999")),
    ],
)
def test_a_place_is_a_path(param: str, path: Path) -> None:
    assert path_of(param) == path


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ("Invalid 'tools[2].function.name': string does not match pattern.", ("tools", 2, "function", "name")),
        ("Unsupported parameter: 'model' is not supported.", ("model",)),
        ("Unknown parameter: 'seed'.", ()),
        ("the tools are wrong", ()),
        ("see https://example.com/tools.html", ()),
        ("tools.0.type is wrong", ("tools", 0, "type")),
        ("Error: {'error': {'param': 'tools[1]'}} for 'model'", ("tools", 1)),
        ("'gpt-5' is no model; 'tools[0]' neither", ("tools", 0)),
    ],
)
def test_a_message_tells_a_place_where_it_names_a_field(message: str, path: Path) -> None:
    assert path_in(message, FIELDS) == path


def test_a_list_of_problems_gives_the_first_place_in_the_body() -> None:
    entries = [
        {"loc": ["query", "limit"]},
        7,
        {"loc": "x"},
        {"loc": ["body", "tools", "0"]},
        {"loc": ["body", "model"]},
    ]
    assert find_listed_path({"detail": entries}) == ("tools", 0)
    assert find_listed_path({"detail": "text", "errors": [{"path": "model"}]}) == ("model",)
    assert find_listed_path({"errors": {"path": "model"}}) == ()


def test_a_word_that_a_gateway_fills_in_gives_way_to_a_field() -> None:
    assert first([("None",), (), ("tools", 1)], FIELDS) == ("tools", 1)
    assert first([("None",), ()], FIELDS) == ("None",)
    assert first([], FIELDS) == ()


@given(st.text(max_size=400))
def test_any_text_gives_a_short_path_or_none(text: str) -> None:
    for path in (path_of(text), path_in(text, FIELDS)):
        assert len(path) <= MOST
        assert all(step != "" for step in path)


@given(st.recursive(st.none() | st.text(max_size=4) | st.integers(), lambda inner: st.lists(inner, max_size=4)))
def test_any_location_is_survived(location: object) -> None:
    assert all(isinstance(step, str | int) for step in steps(location))
    assert isinstance(find_listed_path({"detail": [{"loc": location, "path": location}]}), tuple)
