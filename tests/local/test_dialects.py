"""Each vendor that the embedded server can be: what it takes, refuses, fills in and answers."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.local.bodies import FULL, REFUSED, REFUSED_IN_MODIFY, SHARED, TAKEN, function, search
from tests.local.requests import error, listed, made, modified, post
from tests.local.specs import SCHEMAS, validator
from trueup.core.call import Call
from trueup.core.errors import TrueupError
from trueup.local.openai_assistants import Server
from trueup.local.openai_assistants.bodies import Habits
from trueup.local.openai_assistants.vendors import VENDORS


def checks(dialect: str) -> list[Callable[[Any], None]]:
    document, *names = SCHEMAS[dialect]
    return [validator(document, name) for name in names]


def test_there_is_a_specification_and_a_full_request_for_every_dialect() -> None:
    assert set(SCHEMAS) == set(FULL) == set(VENDORS)


@pytest.mark.parametrize("dialect", SCHEMAS)
def test_every_answer_is_what_the_vendor_published(dialect: str) -> None:
    create, modify, assistant, page, deletion = checks(dialect)
    create(FULL[dialect])
    bodies = [FULL[dialect], *(SHARED | body for name, body in TAKEN if name == dialect), {"model": "o3-mini"}]
    with Server(dialect=dialect) as server:
        for body in bodies:
            answer = made(server, **body)
            assistant(answer)
            path = f"/assistants/{answer['id']}"
            assert server.answer(Call("GET", path)).json == answer
            changed: dict[str, Any] = {
                "name": "x",
                "tools": [],
                "metadata": {"a": "b"},
                "temperature": None,
                "top_p": None,
            }
            modify(changed)
            assistant(modified(server, answer, **changed))
        page(listed(server))
        page(listed(server, limit="2", order="asc"))
        deletion(server.answer(Call("DELETE", path)).json)


@pytest.mark.parametrize("dialect", SCHEMAS)
def test_what_was_answered_may_be_sent_back_field_by_field_and_changes_nothing(dialect: str) -> None:
    hidden = {"azure-openai": ("ranking_options",)}.get(dialect, ())
    with Server(dialect=dialect) as server:
        answer = made(server, **FULL[dialect])
        for name in FULL[dialect]:
            assert modified(server, answer, **{name: _without(answer[name], hidden)}) == answer


HABITS = st.builds(
    Habits,
    metadata=st.sampled_from(["replace", "merge"]),
    null_key=st.sampled_from(["refuse", "remove"]),
    resources=st.sampled_from(["merge", "replace"]),
    kept_on_null=st.frozensets(st.sampled_from(sorted(SHARED))),
    float32=st.booleans(),
    fills_schema=st.booleans(),
    dates_ranker=st.booleans(),
    empty_is_null=st.booleans(),
    refuses_sampling=st.booleans(),
)


@pytest.mark.parametrize("dialect", SCHEMAS)
@settings(max_examples=40, deadline=None)
@given(data=st.data(), habits=HABITS)
def test_whatever_is_taken_leaves_what_the_vendor_published(dialect: str, data: st.DataObject, habits: Habits) -> None:
    """Any creates and modifies with any of a dialect's fields, each as in the full request, empty or null."""
    full = FULL[dialect]
    values = {name: st.sampled_from([value, None, type(value)()]) for name, value in full.items()}
    document, _, _, assistant, page, _ = SCHEMAS[dialect]
    with Server(dialect=dialect, habits=habits) as server:
        made(server, model="m")
        for body in data.draw(st.lists(st.fixed_dictionaries({}, optional=values), max_size=4)):
            there = listed(server)["data"][0]["id"]
            create = data.draw(st.booleans())
            reply = post(server, {"model": "m", **body} if create else body, "/assistants" + f"/{there}" * (not create))
            if reply.status == 200:
                validator(document, assistant)(reply.json)
            else:
                error(reply)
        validator(document, page)(listed(server))


def _without(value: Any, hidden: tuple[str, ...]) -> Any:
    """Return a value without keys that the vendor answers and does not accept."""
    if isinstance(value, list):
        return [_without(entry, hidden) for entry in value]
    if isinstance(value, dict):
        return {key: _without(entry, hidden) for key, entry in value.items() if key not in hidden}
    return value


@pytest.mark.parametrize(("dialect", "body"), TAKEN)
def test_what_a_dialect_takes(dialect: str, body: dict[str, Any]) -> None:
    checks(dialect)[0]({"model": "m", **body})
    with Server(dialect=dialect) as server:
        made(server, **body)


@pytest.mark.parametrize(("dialect", "body", "param"), REFUSED)
def test_what_a_dialect_refuses_is_named_and_nothing_is_stored(dialect: str, body: dict[str, Any], param: str) -> None:
    with Server(dialect=dialect) as server:
        assert error(post(server, {"model": "gpt-4o", **body}))["param"] == param
        assert listed(server)["data"] == []
        there = made(server)
        again = error(post(server, body, f"/assistants/{there['id']}"))["param"]
        assert param.startswith(str(again))
        assert listed(server)["data"] == [there]


@pytest.mark.parametrize(("dialect", "body", "param"), REFUSED_IN_MODIFY)
def test_what_a_modify_must_not_carry(dialect: str, body: dict[str, Any], param: str) -> None:
    with Server(dialect=dialect) as server:
        there = made(server)
        assert error(post(server, body, f"/assistants/{there['id']}"))["param"] == param
        assert listed(server)["data"] == [there]


def test_azure_names_file_search_to_whoever_sends_retrieval() -> None:
    with Server(dialect="azure-openai") as server:
        assert "'file_search'" in error(post(server, {"model": "m", "tools": [{"type": "retrieval"}]}))["message"]


def test_azure_fills_in_twenty_results_and_no_word_of_reasoning() -> None:
    with Server(dialect="azure-openai") as server:
        answer = made(server, tools=[{"type": "file_search"}])
    ranking = {"ranker": "default_2024_08_21", "score_threshold": 0.0}
    assert answer["tools"] == [search(max_num_results=20, ranking_options=ranking)]
    assert "reasoning_effort" not in answer


def test_foundry_answers_numbers_of_thirty_two_bits() -> None:
    with Server(dialect="foundry-classic") as server:
        answer = made(server, temperature=0.7, top_p=0.5)
        assert answer["temperature"] == struct.unpack("f", struct.pack("f", 0.7))[0] != 0.7
        assert answer["top_p"] == 0.5
        assert modified(server, answer, temperature=answer["temperature"]) == answer
        assert "reasoning_effort" not in answer


def test_a_page_of_foundry_s_has_no_first_id_and_an_empty_one_no_last_id_either() -> None:
    with Server(dialect="foundry-classic") as server:
        assert listed(server) == {"object": "list", "data": [], "has_more": False}
        answer = made(server)
        assert list(listed(server)) == ["object", "data", "last_id", "has_more"]
        assert listed(server)["last_id"] == answer["id"]


def test_foundry_s_preview_has_more_tools_and_only_there() -> None:
    body = {"model": "m", "tools": [{"type": "mcp", "server_label": "x"}], "tool_resources": {"mcp": [{}]}}
    with Server(dialect="foundry-classic") as server:
        assert server.answer(Call("POST", "/assistants", {"api-version": "v1"}, body)).status == 400
        preview = server.answer(Call("POST", "/assistants", {"api-version": "2025-05-15-preview"}, body))
        assert preview.status == 200, preview.text
        assert preview.json["tools"] == body["tools"]


def test_files_by_place_and_files_by_id_take_each_other_s_place() -> None:
    source = {"data_sources": [{"uri": "u", "type": "id_asset"}]}
    with Server(dialect="foundry-classic") as server:
        answer = made(
            server, tools=[{"type": "code_interpreter"}], tool_resources={"code_interpreter": {"file_ids": ["f"]}}
        )
        changed = modified(server, answer, tool_resources={"code_interpreter": source})
        assert changed["tool_resources"] == {"code_interpreter": source}
        back = modified(server, answer, tool_resources={"code_interpreter": {"file_ids": []}})
        assert back["tool_resources"] == {"code_interpreter": {"file_ids": []}}


@pytest.mark.parametrize("dialect", VENDORS)
def test_a_reasoning_model_takes_no_sampling_numbers(dialect: str) -> None:
    with Server(dialect=dialect) as server:
        there = made(server)
        path = f"/assistants/{there['id']}"
        assert error(post(server, {"model": "o3-mini"}, path))["code"] == "unsupported_parameter"
        assert error(post(server, {"model": "o3-mini", "top_p": 1}))["code"] == "unsupported_parameter"
        moved = modified(server, there, model="o3-mini", temperature=None, top_p=None)
        assert (moved["temperature"], moved["top_p"]) == (None, None)
        assert made(server, model="gpt-5-chat-latest", temperature=0.5)["temperature"] == 0.5


def test_microsoft_s_404_for_a_path_is_not_that_for_an_assistant() -> None:
    for dialect in ("azure-openai", "foundry-classic"):
        with Server(dialect=dialect) as server:
            lost = server.answer(Call("GET", "/threads"))
            assert (lost.status, lost.json) == (404, {"error": {"code": "404", "message": "Resource not found"}})
            absent = error(server.answer(Call("GET", "/assistants/asst_x")), 404)
            assert absent["message"] == "No assistant found with id 'asst_x'."


def test_an_unknown_dialect_is_refused_with_those_there_are() -> None:
    with pytest.raises(TrueupError, match="no dialect 'open-ai'") as caught:
        Server(dialect="open-ai")
    assert "azure-openai, foundry-classic, openai, openai-v1" in caught.value.hint


def test_a_function_without_parameters_is_filled_in_by_openai_only() -> None:
    with Server() as server:
        filled = made(server, tools=[function(name="f", strict=None)])["tools"][0]["function"]
    assert filled == {"name": "f", "parameters": {"type": "object", "properties": {}}, "strict": False}
