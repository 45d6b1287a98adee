"""What nobody has established, each way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.bodies import SCHEMA, search
from tests.local.requests import error, listed, made, modified, post
from trueup.local.openai_assistants import Server
from trueup.local.openai_assistants.bodies import Habits

RESOURCES = {"code_interpreter": {"file_ids": ["a"]}, "file_search": {"vector_store_ids": ["vs_1"]}}


def after(habits: Habits, before: dict[str, Any], **change: Any) -> dict[str, Any]:
    """Return what an assistant has become after one modify."""
    with Server(habits=habits) as server:
        return modified(server, made(server, **before), **change)


@pytest.mark.parametrize(
    ("habits", "change", "left"),
    [
        (Habits(), {"b": "2"}, {"b": "2"}),
        (Habits(metadata="merge"), {"b": "2"}, {"a": "1", "b": "2"}),
        (Habits(metadata="merge"), {}, {"a": "1"}),
        (Habits(metadata="merge"), None, {}),
        (Habits(metadata="merge", null_key="remove"), {"a": None, "b": "2"}, {"b": "2"}),
        (Habits(null_key="remove"), {"a": None}, {}),
        (Habits(kept_on_null=frozenset({"metadata"})), None, {"a": "1"}),
    ],
)
def test_metadata(habits: Habits, change: Any, left: dict[str, str]) -> None:
    assert after(habits, {"metadata": {"a": "1"}}, metadata=change)["metadata"] == left


def test_a_null_key_is_dropped_from_a_create_too() -> None:
    with Server(habits=Habits(null_key="remove")) as server:
        assert made(server, metadata={"a": None, "b": "1"})["metadata"] == {"b": "1"}


@pytest.mark.parametrize(("resources", "stays"), [("merge", ["vs_1"]), ("replace", [])])
def test_resources_of_a_tool_that_is_not_named(resources: Any, stays: list[str]) -> None:
    tools = [{"type": "code_interpreter"}, {"type": "file_search"}]
    changed = after(
        Habits(resources=resources),
        {"tools": tools, "tool_resources": RESOURCES},
        tool_resources={"code_interpreter": {"file_ids": ["b"]}},
    )
    assert changed["tool_resources"] == {
        "code_interpreter": {"file_ids": ["b"]}, "file_search": {"vector_store_ids": stays},
    }  # fmt: skip


def test_null_may_leave_a_field_as_it_is() -> None:
    before = {"name": "n", "temperature": 0.5, "tool_resources": RESOURCES}
    habits = Habits(kept_on_null=frozenset(before))
    changed = after(habits, before, name=None, temperature=None, tool_resources=None)
    assert {name: changed[name] for name in before} == before


def test_unknown_fields_may_be_ignored_and_their_neighbours_are_not() -> None:
    with Server(habits=Habits(refuses_unknown=False)) as server:
        answer = made(server, naem="x", name="y")
        assert answer["name"] == "y"
        assert "naem" not in answer
        assert error(post(server, {"naem": 1, "top_p": 2}, f"/assistants/{answer['id']}"))["param"] == "top_p"


def test_answers_may_be_rewritten_in_four_ways() -> None:
    before = {
        "temperature": 0.7,
        "name": "",
        "tools": [search(ranking_options={"ranker": "auto", "score_threshold": 0})],
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {}}},
    }
    habits = Habits(float32=True, empty_is_null=True, dates_ranker=True, fills_schema=True)
    changed = after(habits, before)
    assert changed["temperature"] != 0.7 == round(changed["temperature"], 6)
    assert changed["name"] is None
    assert changed["tools"][0]["file_search"]["ranking_options"]["ranker"] == "default_2024_08_21"
    filled: dict[str, Any] = {"name": "s", "description": None, "schema": {}, "strict": False}
    assert changed["response_format"]["json_schema"] == filled
    kept = after(Habits(), before)
    assert {name: kept[name] for name in ("temperature", "name", "response_format")} == {
        name: before[name] for name in ("temperature", "name", "response_format")
    }
    assert kept["tools"][0]["file_search"]["ranking_options"]["ranker"] == "auto"


def test_a_schema_that_says_all_is_not_filled() -> None:
    full = {"type": "json_schema", "json_schema": {**SCHEMA, "strict": True}}
    assert after(Habits(fills_schema=True), {"response_format": full})["response_format"] == full
    assert after(Habits(fills_schema=True), {"response_format": {"type": "text"}})["response_format"] == {
        "type": "text"
    }


def test_foundry_may_leave_out_the_last_id() -> None:
    with Server(dialect="foundry-classic", habits=Habits(last_id=False)) as server:
        made(server)
        assert list(listed(server)) == ["object", "data", "has_more"]
