"""YAML that we write: it reads back to the byte, readers of YAML 1.1 see the same words, and it looks well."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.extent import examples
from trueup.core.yaml_text import DEPTH, format_document
from trueup.edge.yaml.editor import is_equal
from trueup.edge.yaml.reader import read_yaml

ODD = [
    "\n", " ", "  ", "\t", "\x85", "\u2028", "\u2029", "\ufeff", "\r", "\r\n", "#", ": ", "- ", "{var: x}", "no", "1e3",
    "~", "'", '"', "\\", "a", "😀", "|", ">", "---", "...", "%", "\0", "\u202e", "\ue000", "é", "2024-01-01", "<<", "=",
]  # fmt: skip
texts = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    st.lists(st.sampled_from(ODD), max_size=12).map("".join),
)
numbers = st.one_of(st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False))
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=examples(400), deadline=None)
@given(st.dictionaries(texts, values, min_size=1, max_size=4))
def test_what_is_written_reads_back_to_the_byte(value: dict[str, Any]) -> None:
    text = format_document(value)
    found = read_yaml(text.encode("utf-8"), "a.yaml")
    assert not found.diagnostics, text
    assert is_equal(found.value, value), text


@settings(max_examples=examples(400), deadline=None)
@given(
    st.one_of(texts, st.sampled_from(["y", "N", "On", "0o7", "012", "1:30", "1_000", ".5", "-", "?", "null", "NaN"]))
)
def test_a_text_is_a_text_for_readers_of_yaml_1_1_too(text: str) -> None:
    assert yaml.safe_load(format_document({"a": text, "b": [text]})) == {"a": text, "b": [text]}


@given(numbers)
def test_a_number_is_a_number_for_readers_of_yaml_1_1_too(number: float) -> None:
    assert is_equal(yaml.safe_load(format_document({"a": number}))["a"], number)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": "plain words"}, "a: plain words\n"),
        ({"a": "no", "b": "1e3", "c": "~", "d": "2024-01-01"}, 'a: "no"\nb: "1e3"\nc: "~"\nd: "2024-01-01"\n'),
        ({"a": "one\ntwo"}, "a: |-\n  one\n  two\n"),
        ({"a": "one\n\n  two \n"}, "a: |\n  one\n\n    two \n"),
        ({"a": " one\ntwo\n\n"}, "a: |2+\n   one\n  two\n\n"),
        ({"a": "one\rtwo"}, 'a: "one\\rtwo"\n'),
        ({"a": ["x", "z", 1]}, "a: [x, z, 1]\n"),
        ({"a": ["x, y", {"b": {}}]}, 'a:\n  - x, y\n  - b: {}\n'),
        ({"a": [[1.0, 1e22]]}, "a:\n  - [1.0, 1.0e+22]\n"),
        ({"a": "x" * 70 + "\n\u202e y\n  z"}, 'a: "' + "x" * 70 + '\\n\\\n  \\u202e y\\n\\\n  \\  z"\n'),
        ({"a": "b\u200bc", "d": "one\u200b\ntwo"}, 'a: "b\\u200bc"\nd: "one\\u200b\\ntwo"\n'),
        ({}, "{}\n"),
    ],
)  # fmt: skip
def test_how_it_looks(value: dict[str, Any], text: str) -> None:
    assert format_document(value) == text
    assert is_equal(read_yaml(text.encode("utf-8"), "a.yaml").value, value)


def test_a_key_of_any_length_is_found_again() -> None:
    value = {"k" * 3_000: {"inner": [1, {"b": "c"}]}}
    assert read_yaml(format_document(value).encode(), "a.yaml").value == value


def test_what_no_file_can_hold_is_refused_in_words() -> None:
    deep: Any = 1
    for _ in range(DEPTH + 5):
        deep = {"a": deep}
    for value, told in (("a\ud800", "half of a character"), (float("inf"), "no number"), (deep, "nested deeper")):
        with pytest.raises(ValueError, match=told):
            format_document({"a": value})
