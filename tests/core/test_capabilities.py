"""The answers of a probe as text and back, and what one probe found that another did not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.errors import ForeignStateError, StateError
from trueup.core.memory.capabilities import UNKNOWN, Capabilities, decode, differences, encode
from trueup.core.memory.state import Identity
from trueup.core.rules.validate import Checker
from trueup.core.source import SourceMap
from trueup.edge import schemas
from trueup.wire.openai_assistants.probe import CLEARABLE, QUESTIONS

HERE = Identity("shop", "prod", "openai-assistants", "https://api.example.com/v1", {"openai_project": "proj_1"})
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e6, 1e6), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=5,
)
ANSWERS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(sorted(asked.answers)) for name, asked in QUESTIONS.by_name.items()}
)
FOUND = st.builds(
    Capabilities,
    identity=st.just(HERE),
    dialect=st.just("openai"),
    gateway=st.just(""),
    model=TEXT,
    answers=ANSWERS,
    tried=st.dictionaries(st.sampled_from(QUESTIONS.limits), st.integers(0, 10**6)),
    fills=st.dictionaries(st.sampled_from(QUESTIONS.filled), st.dictionaries(TEXT, JSON, min_size=1, max_size=3)),
    words=st.dictionaries(st.sampled_from(QUESTIONS.words), st.dictionaries(TEXT, TEXT, min_size=1, max_size=2)),
)


def read(text: str, identity: Identity = HERE, dialect: str = "openai", gateway: str = "") -> Capabilities:
    return decode(text, identity, dialect, gateway, ".trueup/prod.caps.json", QUESTIONS)


@given(FOUND)
def test_what_is_written_is_read_again_and_fits_the_published_schema(found: Capabilities) -> None:
    text = encode(found)
    assert read(text) == found
    assert encode(read(text)) == text
    assert Checker(schemas.load("caps")).problems(json.loads(text), SourceMap) == []


@given(FOUND)
def test_the_order_of_what_was_found_does_not_show(found: Capabilities) -> None:
    turned = replace(
        found, answers=dict(reversed(list(found.answers.items()))), fills=dict(reversed(list(found.fills.items())))
    )
    assert encode(turned) == encode(found)


@given(FOUND, FOUND)
def test_two_probes_differ_exactly_where_their_texts_do(one: Capabilities, two: Capabilities) -> None:
    assert differences(None, one, QUESTIONS) == ()
    assert differences(one, one, QUESTIONS) == ()
    assert (differences(one, two, QUESTIONS) == ()) is (encode(one) == encode(two))


@given(st.one_of(st.text(max_size=200), JSON.map(json.dumps)))
def test_no_text_makes_it_fail_otherwise_than_in_words(text: str) -> None:
    with pytest.raises(StateError) as caught:
        read(text)
    assert "trueup targets probe prod" in caught.value.hint


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"identity": replace(HERE, project="stall")}, "project is 'shop' there and 'stall' here"),
        ({"identity": replace(HERE, base_url="https://other.example.com")}, "base_url"),
        ({"identity": replace(HERE, scope={})}, "scope.openai_project"),
        ({"dialect": "azure-openai"}, "dialect is 'openai' there and 'azure-openai' here"),
        ({"gateway": "portkey"}, "gateway is '' there and 'portkey' here"),
    ],
)
def test_the_answers_of_another_server_are_refused(change: dict[str, Any], said: str) -> None:
    text = encode(Capabilities(HERE, "openai", "", "gpt-4o", {}))
    with pytest.raises(ForeignStateError, match=said):
        read(text, **change)


def test_a_slash_at_the_end_of_the_address_is_none() -> None:
    text = encode(Capabilities(HERE, "openai", "", "gpt-4o", {}))
    assert read(text, replace(HERE, base_url=HERE.base_url + "/")).model == "gpt-4o"


def test_the_published_schema_knows_the_same_questions_and_answers() -> None:
    rows = schemas.load("caps")["properties"]
    assert {name: tuple(rule["enum"]) for name, rule in rows["answers"]["properties"].items()} == {
        name: tuple(asked.answers) for name, asked in QUESTIONS.by_name.items()
    }
    assert tuple(rows["tried"]["properties"]) == QUESTIONS.limits
    assert tuple(rows["fills"]["properties"]) == QUESTIONS.filled
    assert tuple(rows["words"]["properties"]) == QUESTIONS.words


def test_what_earlier_versions_asked_is_left_out() -> None:
    text = encode(
        Capabilities(
            HERE, "openai", "", "gpt-4o", {"numbers": "exact", "metadata": "merges"}, {"name": 256},
            {"tools.retrieval": {"depth": 1}}, {"numbers": {"one": "1"}},
        )
    )  # fmt: skip
    assert read(text) == Capabilities(HERE, "openai", "", "gpt-4o", {"metadata": "merges"})


def test_every_question_can_be_left_open_and_every_field_that_can_be_cleared_is_asked() -> None:
    assert all(UNKNOWN in asked.answers for asked in QUESTIONS.by_name.values())
    assert {f"clear.{name}" for name in CLEARABLE} <= QUESTIONS.by_name.keys()


def test_a_number_of_thousands_of_digits_is_damage_told_in_our_words() -> None:
    text = encode(Capabilities(HERE, "openai", "", "gpt-4o", {}))
    with pytest.raises(StateError, match="is damaged: it holds a number of 5,000 digits"):
        read(text.replace('"format_version": 1', f'"format_version": {"9" * 5000}'))
