"""Laws of the canonical form: what is compared, what is digested, and how a body falls into fields and back."""

from __future__ import annotations

import copy
import json
import math
from types import MappingProxyType
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.canonical import canonical, canonical_json, digest, float32, same
from trueup.wire.openai_assistants.fields import TABLE

TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
SCALAR = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, width=64) | TEXT
JSON = st.recursive(
    SCALAR.filter(lambda value: value not in (math.inf, -math.inf)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([*TABLE.letters, "metadata.owner", "tool_resources.file_search.vector_store_ids", "brand_new"])
TOOLS = st.lists(
    st.one_of(
        st.just({"type": "code_interpreter"}),
        st.just({"type": "file_search"}),
        st.just({"type": "file_search", "file_search": {}}),
        st.just({"type": "file_search", "file_search": {"ranking_options": {"ranker": "auto", "score_threshold": 0}}}),
        st.builds(lambda strict: {"type": "function", "function": {"name": "f", "strict": strict}}, JSON),
        JSON,
    ),
    max_size=4,
)


def _same(name: str, left: Any, right: Any) -> bool:
    return same(canonical(name, left, TABLE), canonical(name, right, TABLE))


# --- the canonical form


@given(NAMES, JSON | TOOLS)
def test_canonical_is_idempotent_and_leaves_its_input_alone(name: str, value: Any) -> None:
    before = copy.deepcopy(value)
    once = canonical(name, value, TABLE)
    assert value == before
    assert same(canonical(name, once, TABLE), once)


@given(TOOLS)
def test_canonical_tools_are_idempotent_whatever_is_in_them(tools: list[Any]) -> None:
    once = canonical("tools", tools, TABLE)
    assert same(canonical("tools", once, TABLE), once)
    assert len(once) == len(tools)


ABSENT = None
FUNCTION = {"name": "add", "description": "Adds."}
PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}
RANKING = {"ranker": "default_2024_08_21", "score_threshold": 0.0, "hybrid_search": None}

SENT_AND_RETURNED: list[tuple[str, Any, Any]] = [
    *((name, ABSENT, None) for name in ("name", "description", "instructions", "reasoning_effort")),
    ("tools", ABSENT, []),
    ("tools", None, []),
    ("top_p", ABSENT, 1.0),
    ("temperature", ABSENT, 1.0),
    ("response_format", ABSENT, "auto"),
    ("tool_resources.code_interpreter.file_ids", ABSENT, []),
    ("tool_resources.file_search.vector_store_ids", ABSENT, []),
    ("tools", [{"type": "file_search"}], [{"type": "file_search", "file_search": {"ranking_options": RANKING}}]),
    (
        "tools",
        [{"type": "file_search", "file_search": {}}],
        [{"type": "file_search", "file_search": {"max_num_results": 20, "ranking_options": RANKING}}],
    ),
    (
        "tools",
        [{"type": "file_search", "file_search": {"ranking_options": {"ranker": "auto", "score_threshold": 0}}}],
        [{"type": "file_search", "file_search": {"ranking_options": RANKING}}],
    ),
    (
        "tools",
        [
            {
                "type": "file_search",
                "file_search": {
                    "max_num_results": 2,
                    "ranking_options": {"ranker": "default_2024_08_21", "score_threshold": 0.5},
                },
            }
        ],
        [
            {
                "type": "file_search",
                "file_search": {
                    "ranking_options": {
                        "hybrid_search": None,
                        "score_threshold": 0.5,
                        "ranker": "default_2024_08_21",
                    },
                    "max_num_results": 2,
                },
            }
        ],
    ),
    (
        "tools",
        [{"type": "function", "function": {"description": "Adds.", "name": "add"}}],
        [{"type": "function", "function": {**FUNCTION, "parameters": PARAMETERS, "strict": False}}],
    ),
    (
        "tools",
        [{"type": "function", "function": {**FUNCTION, "strict": None}}],
        [{"type": "function", "function": {**FUNCTION, "parameters": PARAMETERS, "strict": False}}],
    ),
    ("tools", [{"type": "code_interpreter"}], [{"type": "code_interpreter"}]),
    ("response_format", {"type": "text"}, {"type": "text"}),
    (
        "response_format",
        {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}},
        {
            "type": "json_schema",
            "json_schema": {"name": "answer", "description": None, "schema": {"type": "object"}, "strict": False},
        },
    ),
    ("temperature", 1, 1.0),
    ("temperature", 0.7, float32(0.7)),
    ("top_p", 0.1, float32(0.1)),
    ("name", "", None),
    ("description", "", None),
    ("instructions", "", None),
]
"""Each row of the protocol's normalisation table: what is sent, and what a server was seen to answer."""


@pytest.mark.parametrize(("name", "sent", "returned"), SENT_AND_RETURNED)
def test_what_a_server_makes_of_a_value_compares_equal(name: str, sent: Any, returned: Any) -> None:
    assert _same(name, sent, returned)
    assert _same(name, returned, sent)


DIFFERENT: list[tuple[str, Any, Any]] = [
    ("response_format", {"type": "text"}, "auto"),
    ("instructions", "x\n", "x"),
    ("instructions", " x", "x"),
    ("metadata.owner", "", None),
    ("metadata.owner", "1", 1),
    ("model", "", None),
    ("temperature", True, 1),
    ("temperature", 0.7, 0.701),
    ("temperature", 0, None),
    ("tools", [{"type": "code_interpreter"}], []),
    (
        "tools",
        [{"type": "code_interpreter"}, {"type": "file_search"}],
        [{"type": "file_search"}, {"type": "code_interpreter"}],
    ),
    ("tools", [{"type": "code_interpreter"}] * 2, [{"type": "code_interpreter"}]),
    (
        "tools",
        [{"type": "function", "function": {"name": "a", "strict": True}}],
        [{"type": "function", "function": {"name": "a"}}],
    ),
    (
        "tools",
        [{"type": "function", "function": {"name": "a", "parameters": {"type": "object"}}}],
        [{"type": "function", "function": {"name": "a"}}],
    ),
    ("reasoning_effort", "medium", None),
    ("tool_resources.file_search.vector_store_ids", ["vs_1"], []),
    ("tool_resources.code_interpreter.file_ids", ["a", "b"], ["b", "a"]),
]


@pytest.mark.parametrize(("name", "left", "right"), DIFFERENT)
def test_what_is_another_value_stays_another(name: str, left: Any, right: Any) -> None:
    assert not _same(name, left, right)


def test_the_contents_of_parameters_are_nobodys_to_fill_in() -> None:
    parameters = {"type": "object", "properties": {"a": {"type": "string", "default": None}}}
    (tool,) = canonical("tools", [{"type": "function", "function": {"name": "a", "parameters": parameters}}], TABLE)
    assert tool["function"]["parameters"] == parameters


# --- equality


@given(JSON)
def test_same_is_reflexive_and_blind_to_the_order_of_keys(value: Any) -> None:
    assert same(value, value)
    assert same(value, json.loads(json.dumps(value)))
    if isinstance(value, dict):
        assert same(value, dict(reversed(value.items())))


@given(JSON, JSON)
def test_same_is_symmetric_and_agrees_with_the_digest(left: Any, right: Any) -> None:
    assert same(left, right) is same(right, left)
    assert same(left, right) is (digest(left) == digest(right))


def _respelt(value: Any) -> Any:
    """Return the same value as another program may hold it: keys in reverse order, whole numbers as floats."""
    if isinstance(value, dict):
        return {key: _respelt(entry) for key, entry in reversed(value.items())}
    if isinstance(value, list):
        return tuple(map(_respelt, value))
    return float(value) if type(value) is int else value


@given(NAMES, JSON | TOOLS)
def test_what_is_the_same_has_the_same_canonical_form(name: str, value: Any) -> None:
    """So that a value which the server answers unchanged need not be brought into it."""
    other = _respelt(value)
    assert same(value, other)
    assert same(canonical(name, value, TABLE), canonical(name, other, TABLE))


def test_true_is_not_one_however_deep() -> None:
    for left, right in ((True, 1), (False, 0), (True, 1.0)):
        assert not same(left, right)
        assert not same([{"a": left}], [{"a": right}])
        assert digest(left) != digest(right)


def test_numbers_are_compared_by_value() -> None:
    assert same(1, 1.0)
    assert digest({"a": 1}) == digest({"a": 1.0})
    assert not same(1, "1")


# --- single precision


@given(st.floats(allow_nan=False))
def test_float32_is_idempotent(value: float) -> None:
    assert float32(float32(value)) == float32(value)


@given(st.floats(0, 2, width=32))
def test_a_single_precision_number_is_itself(value: float) -> None:
    assert float32(value) == value


# --- canonical JSON


@given(JSON)
def test_canonical_json_is_rfc_8785(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@given(JSON)
def test_canonical_json_does_not_care_how_python_holds_a_value(value: Any) -> None:
    """Read-only objects and tuples are objects and arrays as well."""
    assert canonical_json(_frozen(value)) == canonical_json(value)


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return MappingProxyType({key: _frozen(entry) for key, entry in value.items()})
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


@given(JSON)
def test_canonical_json_reads_back_as_the_same(value: Any) -> None:
    """Large whole floats have no point in canonical JSON, so they are read as JavaScript would read them."""
    text = canonical_json(value)
    assert same(
        json.loads(text, parse_int=lambda digits: int(digits) if len(digits) < 16 else float(digits)), _read(value)
    )


def _read(value: Any) -> Any:
    return json.loads(json.dumps(value), parse_int=lambda digits: int(digits) if len(digits) < 16 else float(digits))


def test_keys_are_sorted_by_utf_16_units() -> None:
    """A surrogate pair sorts before U+FB33, which code points would not."""
    value = {"\ufb33": 1, "\U0001f600": 2, "a": 3}
    assert canonical_json(value) == rfc8785.dumps(value)
    assert list(json.loads(canonical_json(value))) == ["a", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, [math.nan], {"a": math.inf}])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical_json(value)


def test_integers_that_json_readers_round_are_digested_as_they_read_them() -> None:
    assert digest([2**53 + 1, 0.5]) == digest([float(2**53 + 1), 0.5])


def test_a_lone_surrogate_has_a_digest() -> None:
    assert digest("\ud800") == digest("\ud800")
    assert digest({"\ud800": 0.5}) == digest({"\ud800": 0.5})
    assert len({digest({key: 0.5}) for key in ("\ud800", "\ud801", "?", "a")}) == 4
    assert len({digest([text, 0.5]) for text in ("\ud800", "\ud801", "?", "a")}) == 4


def test_digests_are_the_same_everywhere() -> None:
    """Written down once: a record of today must be readable by every later run."""
    assert digest(None) == "74234e98afe7498fb5daf1f36ac2d78a"
    assert digest("x") == "ba2df4903a2c14e86dc3bcca58911b44"
    assert digest({"b": [1, 0.5], "a": "ä"}) == "8c35e39ca12b37d3e375f1c5782ee8c4"
    assert digest({"b": [1, 0.5, True, None], "a": "ä"}) == digest({"a": "ä", "b": [1.0, 0.5, True, None]})


@given(JSON, st.integers(1, 64))
def test_a_digest_has_the_length_asked_for(value: Any, length: int) -> None:
    assert len(digest(value, length)) == length
    assert digest(value, 64).startswith(digest(value, length))


# --- fields

KEYS = st.text("ab.", min_size=1, max_size=5)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "model": TEXT,
        "instructions": st.none() | TEXT,
        "metadata": st.dictionaries(KEYS, st.none() | TEXT, min_size=1, max_size=4),
        "tool_resources": st.dictionaries(
            st.sampled_from(["code_interpreter", "file_search", "other"]),
            st.dictionaries(st.sampled_from(["file_ids", "vector_store_ids"]), st.lists(TEXT, max_size=2), min_size=1),
            min_size=1,
        ),
    },
)


@given(BODIES)
def test_split_and_join_are_each_others_inverse(body: dict[str, Any]) -> None:
    before = copy.deepcopy(body)
    assert TABLE.join(TABLE.split(body)) == body
    assert body == before


def test_a_metadata_key_keeps_its_dots() -> None:
    body = {"metadata": {"owner.mail": "ada", "": "empty", ".": "dot", "metadata.x": "y"}}
    assert TABLE.split(body)["metadata.owner.mail"] == "ada"
    assert TABLE.join(TABLE.split(body)) == body


@pytest.mark.parametrize("body", [{"metadata": None}, {"metadata": {}}, {"tool_resources": {"file_search": None}}, {}])
def test_what_holds_no_entry_has_no_field(body: dict[str, Any]) -> None:
    assert TABLE.split(body) == {}
