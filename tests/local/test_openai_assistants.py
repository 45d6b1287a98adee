"""What the embedded server makes of each request, row by row."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.local.requests import error, listed, made, modified, post
from trueup.core.call import Call
from trueup.local.openai_assistants import Server
from trueup.local.openai_assistants.bodies import Habits
from trueup.local.openai_assistants.vendors import STORED as ORDER


def test_a_model_alone_gets_every_default_in_the_recorded_order(server: Server) -> None:
    assistant = made(server)
    assert assistant == {
        "id": "asst_000000000000000000000001",
        "object": "assistant",
        "created_at": 1_700_000_000,
        "name": None,
        "description": None,
        "model": "gpt-4o",
        "instructions": None,
        "tools": [],
        "top_p": 1.0,
        "temperature": 1.0,
        "reasoning_effort": None,
        "tool_resources": {},
        "metadata": {},
        "response_format": "auto",
    }
    assert tuple(assistant) == ORDER
    assert type(assistant["created_at"]) is int
    assert type(assistant["top_p"]) is float


def test_random_identifiers_look_like_the_vendors() -> None:
    with Server() as server:
        found = {made(server)["id"] for _ in range(50)}
    assert len(found) == 50
    assert all(name.startswith("asst_") and len(name) == 29 and name[5:].isalnum() for name in found)


def test_tools_get_their_resource_lists_and_options(server: Server) -> None:
    assistant = made(server, tools=[{"type": "code_interpreter"}, {"type": "file_search"}])
    assert assistant["tool_resources"] == {
        "code_interpreter": {"file_ids": []},
        "file_search": {"vector_store_ids": []},
    }
    ranking = {"ranker": "default_2024_08_21", "score_threshold": 0.0, "hybrid_search": None}
    assert assistant["tools"] == [
        {"type": "code_interpreter"},
        {"type": "file_search", "file_search": {"ranking_options": ranking}},
    ]


def test_file_search_options_come_back_as_sent_with_hybrid_search_beside_them(server: Server) -> None:
    sent = {"ranking_options": {"score_threshold": 1, "ranker": "auto"}, "max_num_results": 2}
    (tool,) = made(server, tools=[{"type": "file_search", "file_search": sent}])["tools"]
    ranking = {"ranker": "auto", "score_threshold": 1.0, "hybrid_search": None}
    assert tool == {"type": "file_search", "file_search": {"max_num_results": 2, "ranking_options": ranking}}
    assert made(server, tools=[tool])["tools"] == [tool]


def test_functions_are_reordered_and_filled_in_and_their_parameters_are_left_alone(server: Server) -> None:
    parameters = {"required": ["b"], "properties": {"b": {}, "a": {"default": 1.0}}, "type": "object"}
    sent = [
        {"type": "function", "function": {"description": "d", "name": "f"}},
        {"function": {"strict": True, "parameters": parameters, "name": "g"}, "type": "function"},
        {"type": "function", "function": {"name": "h", "strict": None, "parameters": {}}},
    ]
    first, second, third = made(server, tools=sent)["tools"]
    empty = {"type": "object", "properties": {}}
    assert list(first["function"].items()) == [
        ("name", "f"), ("description", "d"), ("parameters", empty), ("strict", False),
    ]  # fmt: skip
    assert json.dumps(second["function"]["parameters"]) == json.dumps(parameters)
    assert second["function"]["strict"] is True
    assert third["function"] == {"name": "h", "parameters": {}, "strict": False}


def test_the_store_helper_makes_a_store_and_never_comes_back(server: Server) -> None:
    stores = [{"file_ids": ["file-1"], "chunking_strategy": {"type": "auto"}, "metadata": {"a": "b"}}]
    assistant = made(server, tools=[{"type": "file_search"}], tool_resources={"file_search": {"vector_stores": stores}})
    assert assistant["tool_resources"] == {"file_search": {"vector_store_ids": ["vs_000000000000000000000001"]}}


def test_numbers_are_decimals_and_a_text_format_is_not_folded_into_auto(server: Server) -> None:
    assistant = made(server, temperature=1, top_p=0, response_format={"type": "text"})
    assert [type(assistant[name]) for name in ("temperature", "top_p")] == [float, float]
    assert assistant["response_format"] == {"type": "text"}


@pytest.mark.parametrize("text", ["", "\n lead", "tail \n\n", "\r\n", "é\u0065\u0301", "\x00", "\ud800", "\u2028🎓"])
def test_texts_come_back_unchanged(server: Server, text: str) -> None:
    assistant = made(server, name=text, instructions=text)
    assert (assistant["name"], assistant["instructions"]) == (text, text)
    assert server.answer(Call("GET", f"/assistants/{assistant['id']}")).json == assistant


def test_a_modify_leaves_alone_what_it_does_not_name(server: Server) -> None:
    before = made(server, name="a", temperature=0.2, metadata={"k": "v"}, tools=[{"type": "code_interpreter"}])
    assert modified(server, before) == before
    assert modified(server, before, name="b") == {**before, "name": "b"}
    assert modified(server, before, response_format={"type": "text"})["temperature"] == 0.2


@pytest.mark.parametrize(
    ("field", "value", "default"),
    [
        ("name", "n", None),
        ("description", "d", None),
        ("instructions", "i", None),
        ("temperature", 0.5, 1.0),
        ("top_p", 0.5, 1.0),
        ("reasoning_effort", "low", None),
        ("response_format", {"type": "json_object"}, "auto"),
        ("metadata", {"a": "b"}, {}),
    ],
)
def test_null_resets_a_field(server: Server, field: str, value: Any, default: Any) -> None:
    assistant = made(server, **{field: value})
    assert assistant[field] == value
    assert modified(server, assistant, **{field: None})[field] == default


def test_tools_are_replaced_whole_and_keep_their_order(server: Server) -> None:
    f = {"type": "function", "function": {"name": "f"}}
    assistant = made(server, tools=[f, {"type": "code_interpreter"}])
    swapped = modified(server, assistant, tools=[{"type": "code_interpreter"}, f])
    assert [tool["type"] for tool in swapped["tools"]] == ["code_interpreter", "function"]
    assert modified(server, assistant, tools=[])["tools"] == []


def test_resource_lists_are_replaced_and_other_tools_keep_theirs(server: Server) -> None:
    resources = {"code_interpreter": {"file_ids": ["a", "b"]}, "file_search": {"vector_store_ids": ["vs_1"]}}
    assistant = made(server, tool_resources=resources)
    assert assistant["tool_resources"] == resources
    changed = modified(server, assistant, tool_resources={"code_interpreter": {"file_ids": ["c"]}})
    assert changed["tool_resources"] == {**resources, "code_interpreter": {"file_ids": ["c"]}}
    assert modified(server, assistant, tool_resources={})["tool_resources"] == changed["tool_resources"]
    assert modified(server, assistant, tool_resources=None)["tool_resources"] == {}


def test_metadata_is_replaced(server: Server) -> None:
    assistant = made(server, metadata={"a": "1", "b": "2"})
    assert modified(server, assistant, metadata={"b": "3"})["metadata"] == {"b": "3"}


@pytest.fixture
def merging() -> Iterator[Server]:
    with Server(habits=Habits(metadata="merge")) as server:
        yield server


def test_metadata_is_merged_if_the_server_was_told_so(merging: Server) -> None:
    assistant = made(merging, metadata={"a": "1", "b": "2"})
    assert modified(merging, assistant, metadata={"b": "3", "c": "4"})["metadata"] == {"a": "1", "b": "3", "c": "4"}
    assert len(modified(merging, assistant, metadata={})["metadata"]) == 3
    full = error(post(merging, {"metadata": {f"k{n}": "" for n in range(14)}}, f"/assistants/{assistant['id']}"))
    assert (full["param"], full["code"]) == ("metadata", "object_above_max_properties")


@pytest.fixture
def lenient() -> Iterator[Server]:
    with Server(habits=Habits(refuses_sampling=False)) as server:
        yield server


def test_reasoning_models_refuse_stored_sampling_unless_the_server_was_told_not_to(
    server: Server, lenient: Server
) -> None:
    assert modified(lenient, made(lenient), model="o3-mini")["temperature"] == 1.0
    assistant = made(server)
    refused = error(post(server, {"model": "o3-mini"}, f"/assistants/{assistant['id']}"))
    assert refused["code"] == "unsupported_parameter"
    assert refused["param"] in ("temperature", "top_p")
    changed = modified(server, assistant, model="o3-mini", temperature=None, top_p=None)
    assert (changed["temperature"], changed["top_p"]) == (None, None)
    assert modified(server, assistant, model="gpt-4o")["temperature"] == 1.0


def test_delete_says_so_once_and_then_knows_nothing(server: Server) -> None:
    path = f"/assistants/{made(server)['id']}"
    assert server.answer(Call("DELETE", path)).json == {
        "id": path.rpartition("/")[2], "object": "assistant.deleted", "deleted": True,
    }  # fmt: skip
    for call in (Call("DELETE", path), Call("GET", path), Call("POST", path, json={"name": "x"})):
        gone = error(server.answer(call), 404)
        assert gone == {
            "message": f"No assistant found with id '{path.rpartition('/')[2]}'.",
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }


def test_unknown_routes_are_404_without_the_assistants_words_and_wrong_methods_405(server: Server) -> None:
    for path in ("/assistant", "/assistants/", "/assistants/a/files", "/threads", "/"):
        assert error(server.answer(Call("GET", path)), 404)["message"] == f"Invalid URL (GET /v1{path})"
    for call in (Call("PUT", "/assistants/x"), Call("PATCH", "/assistants/x"), Call("DELETE", "/assistants")):
        reply = server.answer(call)
        assert error(reply, 405)["code"] == "method_not_supported"
        assert call.method not in reply.headers["allow"]


def test_an_empty_listing_has_null_cursors(server: Server) -> None:
    assert listed(server) == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


def test_pages_follow_the_order_of_creation_in_both_directions(server: Server) -> None:
    names = [made(server)["id"] for _ in range(45)]
    assert [item["id"] for item in listed(server)["data"]] == names[:-21:-1]
    for order, wanted in (("asc", names), ("desc", names[::-1])):
        seen: list[str] = []
        after = ""
        while True:
            page = listed(server, limit="10", order=order, after=after)
            ids = [item["id"] for item in page["data"]]
            assert (page["first_id"], page["last_id"]) == (ids[0], ids[-1])
            seen += ids
            after = page["last_id"]
            assert page["has_more"] is (len(seen) < 45)
            if not page["has_more"]:
                break
        assert seen == wanted


def test_has_more_is_false_when_the_last_page_is_exactly_full(server: Server) -> None:
    for _ in range(20):
        made(server)
    assert listed(server, limit="20")["has_more"] is False
    assert listed(server, limit="19")["has_more"] is True


def test_before_gives_the_page_in_front_of_it(server: Server) -> None:
    names = [made(server)["id"] for _ in range(10)]
    page = listed(server, order="asc", before=names[6], limit="3")
    assert ([item["id"] for item in page["data"]], page["has_more"]) == (names[3:6], True)
    page = listed(server, order="desc", before=names[6], limit="3")
    assert ([item["id"] for item in page["data"]], page["has_more"]) == (names[9:6:-1], False)
    between = listed(server, order="asc", after=names[1], before=names[4])
    assert [item["id"] for item in between["data"]] == names[2:4]


def test_a_cursor_that_names_nothing_is_refused_instead_of_looking_like_the_end(server: Server) -> None:
    gone = made(server)["id"]
    made(server)
    server.answer(Call("DELETE", f"/assistants/{gone}"))
    for name in ("after", "before"):
        assert error(server.answer(Call("GET", "/assistants", {name: gone})))["param"] == name


@pytest.mark.parametrize(
    ("query", "param"),
    [({"limit": "0"}, "limit"), ({"limit": "101"}, "limit"), ({"limit": "-1"}, "limit"), ({"limit": "ten"}, "limit"),
     ({"limit": ""}, "limit"), ({"limit": "1.5"}, "limit"), ({"limit": "9" * 5000}, "limit"),
     ({"order": "up"}, "order")],
)  # fmt: skip
def test_a_wrong_query_is_refused_by_name(server: Server, query: dict[str, str], param: str) -> None:
    assert error(server.answer(Call("GET", "/assistants", query)))["param"] == param


def test_nothing_is_shared_with_the_caller(server: Server) -> None:
    body: dict[str, Any] = {"model": "m", "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}
    before = copy.deepcopy(body)
    answer = post(server, body).json
    assert body == before
    body["tools"][0]["function"]["parameters"]["x"] = 1
    answer["tools"].clear()
    stored = server.answer(Call("GET", f"/assistants/{answer['id']}")).json
    assert stored["tools"][0]["function"]["parameters"] == {}


def test_identifiers_that_are_taken_are_drawn_again() -> None:
    names = iter(["asst_a", "asst_a", "asst_b"])
    with Server(ids=lambda: next(names)) as server:
        assert [made(server)["id"], made(server)["id"]] == ["asst_a", "asst_b"]


def test_send_is_answer_for_those_who_await(server: Server) -> None:
    reply = asyncio.run(server.send(Call("POST", "/assistants", json={"model": "m"})))
    assert reply.status == 200
    assert reply.text == json.dumps(reply.json)[: len(reply.text)]
