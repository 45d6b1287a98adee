"""A dialect's row as the server itself answered: each answer changes what it should, and an open one nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from trueup.core.canonical import canonical, same
from trueup.core.memory.capabilities import UNKNOWN, Capabilities
from trueup.core.memory.state import Identity
from trueup.wire.base import Dialect
from trueup.wire.openai_assistants.fields import DIALECTS
from trueup.wire.openai_assistants.probe import QUESTIONS, apply_probe_results, settle_after

HERE = Identity("shop", "prod", "openai-assistants", "https://api.example.com/v1")


def found(answers: Mapping[str, str] | None = None, **more: Any) -> Capabilities:
    return Capabilities(HERE, "openai", "", "gpt-4o", answers or {}, **more)


def row(name: str = "openai", **answers: str) -> Dialect:
    return apply_probe_results(DIALECTS[name], found({key.replace("_IS_", "."): word for key, word in answers.items()}))


@pytest.mark.parametrize("name", DIALECTS)
def test_open_answers_change_nothing(name: str) -> None:
    assert apply_probe_results(DIALECTS[name], found(dict.fromkeys(QUESTIONS.by_name, UNKNOWN))) == DIALECTS[name]
    assert apply_probe_results(DIALECTS[name], found()) == DIALECTS[name]


@pytest.mark.parametrize(
    ("word", "clear", "stuck"),
    [("null", None, False), ("default", "", False), ("never", None, True), (UNKNOWN, None, False)],
)
def test_the_way_that_clears_is_the_one_that_is_sent(word: str, clear: Any, stuck: bool) -> None:
    rules = row(clear_IS_description=word).table
    assert rules.clear_of("description") == clear
    assert rules.is_stuck("description") is stuck


def test_null_goes_before_the_default_that_a_vendor_documents() -> None:
    assert DIALECTS["azure-openai"].table.clear_of("response_format") == "auto"
    assert row("azure-openai", clear_IS_response_format="null").table.clear_of("response_format") is None
    assert row("azure-openai", clear_IS_tools="empty").table.clear_of("tools") == []


def test_metadata_keys() -> None:
    rules = apply_probe_results(DIALECTS["openai"], found({"metadata": "merges", "metadata-key": "never"})).table
    assert (rules.null_removes, rules.is_stuck("metadata.a.b")) == (False, True)
    rules = apply_probe_results(DIALECTS["openai"], found({"metadata": "merges", "metadata-key": "null"})).table
    assert (rules.null_removes, rules.is_stuck("metadata.a")) == (True, False)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("word", ["honest", "wrong", "unknown"])
def test_a_has_more_that_lies_ends_the_belief_in_it_and_no_answer_begins_it(known: bool, word: str) -> None:
    believed = apply_probe_results(replace(DIALECTS["openai"], honest=known), found({"has-more": word})).honest
    assert believed is (known and word != "wrong")


def test_what_is_filled_in_counts_as_the_default() -> None:
    fills: dict[str, dict[str, Any]] = {
        "tools.file_search": {"max_num_results": 50, "ranking_options": {"ranker": "new", "score_threshold": 0.1}},
        "tools.code_interpreter": {"memory": "1g"},
        "response_format.json_schema": {"depth": 5},
    }
    rules = apply_probe_results(DIALECTS["openai"], found(fills=fills)).table
    pairs = [
        (
            [{"type": "file_search"}, {"type": "code_interpreter"}],
            [
                {"type": "file_search", "file_search": {**fills["tools.file_search"]}},
                {"type": "code_interpreter", "code_interpreter": {"memory": "1g"}},
            ],
        ),
    ]
    for mine, live in pairs:
        assert same(canonical("tools", mine, rules), canonical("tools", live, rules))
        assert not same(canonical("tools", mine, rules), canonical("tools", live[:1], rules))
    schema = {"type": "json_schema", "json_schema": {"name": "a"}}
    deep = {"type": "json_schema", "json_schema": {"name": "a", "depth": 5}}
    assert same(canonical("response_format", schema, rules), canonical("response_format", deep, rules))


def test_a_word_that_comes_back_as_another_is_the_same() -> None:
    rules = apply_probe_results(DIALECTS["openai"], found(words={"ranking_options.ranker": {"auto": "dated"}})).table
    mine, live = (
        [{"type": "file_search", "file_search": {"ranking_options": {"ranker": word, "score_threshold": 0}}}]
        for word in ("auto", "dated")
    )
    assert same(canonical("tools", mine, rules), canonical("tools", live, rules))


def test_a_modify_that_took_more_than_is_documented_is_not_warned_of() -> None:
    assert DIALECTS["azure-openai"].holds.modify_lengths == {"instructions": 32_768}
    assert row("azure-openai", limit_IS_instructions="more").holds.modify_lengths == {}
    assert row("azure-openai", limit_IS_instructions="exact").holds.modify_lengths == {"instructions": 32_768}


def test_a_listing_that_lags_is_given_its_time() -> None:
    assert settle_after(found({"listing": "at-once"}), 0.0) == 0.0
    assert settle_after(found({"listing": "later"}), 10.0) == 20.0
    assert settle_after(found({"listing": "later"}), 90.0) == 90.0
    assert settle_after(found({"listing": "not-seen"}), 10.0) == 60.0
