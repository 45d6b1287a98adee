"""What the embedded server makes of each request, row by row."""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from trueup.core.call import Call, Reply
from trueup.local.assistant_bodies import ORDER
from trueup.local.openai_assistants import Server


@pytest.fixture
def server() -> Iterator[Server]:
    numbers = itertools.count(1)
    with Server(clock=lambda: 1_700_000_000.9, ids=lambda: f"asst_{next(numbers):024d}") as server:
        yield server


def post(server: Server, body: Any, path: str = "/assistants") -> Reply:
    return server.answer(Call("POST", path, json=body))


def made(server: Server, **fields: Any) -> dict[str, Any]:
    reply = post(server, {"model": "gpt-4o", **fields})
    assert reply.status == 200, reply.text
    return dict(reply.json)


def modified(server: Server, assistant: dict[str, Any], **fields: Any) -> dict[str, Any]:
    reply = post(server, fields, f"/assistants/{assistant['id']}")
    assert reply.status == 200, reply.text
    return dict(reply.json)


def listed(server: Server, **query: str) -> Any:
    reply = server.answer(Call("GET", "/assistants", query))
    assert reply.status == 200, reply.text
    return reply.json


def error(reply: Reply, status: int = 400) -> dict[str, Any]:
    assert reply.status == status, reply
    assert list(reply.json) == ["error"]
    assert list(reply.json["error"]) == ["message", "type", "param", "code"]
    return dict(reply.json["error"])


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
    with Server(metadata="merge") as server:
        yield server


def test_metadata_is_merged_if_the_server_was_told_so(merging: Server) -> None:
    assistant = made(merging, metadata={"a": "1", "b": "2"})
    assert modified(merging, assistant, metadata={"b": "3", "c": "4"})["metadata"] == {"a": "1", "b": "3", "c": "4"}
    assert len(modified(merging, assistant, metadata={})["metadata"]) == 3
    full = error(post(merging, {"metadata": {f"k{n}": "" for n in range(14)}}, f"/assistants/{assistant['id']}"))
    assert (full["param"], full["code"]) == ("metadata", "object_above_max_properties")


@pytest.fixture
def strict() -> Iterator[Server]:
    with Server(strict_models=True) as server:
        yield server


def test_reasoning_models_refuse_stored_sampling_only_if_the_server_was_told_so(server: Server, strict: Server) -> None:
    assert modified(server, made(server), model="o3-mini")["temperature"] == 1.0
    assistant = made(strict)
    refused = error(post(strict, {"model": "o3-mini"}, f"/assistants/{assistant['id']}"))
    assert refused["code"] == "unsupported_parameter"
    assert refused["param"] in ("temperature", "top_p")
    changed = modified(strict, assistant, model="o3-mini", temperature=None, top_p=None)
    assert (changed["temperature"], changed["top_p"]) == (None, None)
    assert modified(strict, assistant, model="gpt-4o")["temperature"] == 1.0


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


BAD = [
    ({}, "model", "missing_required_parameter"),
    ({"model": None}, "model", "invalid_type"),
    ({"model": ""}, "model", "string_below_min_length"),
    ({"naem": "x"}, "naem", "unknown_parameter"),
    ({"file_ids": []}, "file_ids", "unknown_parameter"),
    ({"name": "x" * 257}, "name", "string_above_max_length"),
    ({"name": 5}, "name", "invalid_type"),
    ({"description": "x" * 513}, "description", "string_above_max_length"),
    ({"instructions": "x" * 256_001}, "instructions", "string_above_max_length"),
    ({"instructions": ["x"]}, "instructions", "invalid_type"),
    ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
    ({"temperature": -1}, "temperature", "decimal_below_min_value"),
    ({"temperature": True}, "temperature", "invalid_type"),
    ({"top_p": 1.01}, "top_p", "decimal_above_max_value"),
    ({"top_p": "1"}, "top_p", "invalid_type"),
    ({"reasoning_effort": "hard"}, "reasoning_effort", "invalid_value"),
    ({"metadata": []}, "metadata", "invalid_type"),
    ({"metadata": {f"k{n}": "" for n in range(17)}}, "metadata", "object_above_max_properties"),
    ({"metadata": {"k" * 65: ""}}, "metadata", "string_above_max_length"),
    ({"metadata": {"k": "v" * 513}}, "metadata.k", "string_above_max_length"),
    ({"metadata": {"k": 1}}, "metadata.k", "invalid_type"),
    ({"metadata": {"mykey": None}}, "metadata.mykey", "invalid_type"),
    ({"tools": None}, "tools", "invalid_type"),
    ({"tools": {}}, "tools", "invalid_type"),
    ({"tools": ["code_interpreter"]}, "tools[0]", "invalid_type"),
    ({"tools": [{"type": "code_interpreter"}] * 129}, "tools", "array_above_max_length"),
    ({"tools": [{}]}, "tools[0].type", "missing_required_parameter"),
    ({"tools": [{"type": "retrieval"}]}, "tools[0].type", "invalid_value"),
    ({"tools": [{"type": ["function"]}]}, "tools[0].type", "invalid_type"),
    ({"tools": [{"type": "code_interpreter", "x": 1}]}, "tools[0].x", "unknown_parameter"),
    ({"tools": [{"type": "function"}]}, "tools[0].function", "missing_required_parameter"),
    ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name", "missing_required_parameter"),
    ({"tools": [{"type": "function", "function": {"name": "no good"}}]}, "tools[0].function.name", "invalid_value"),
    ({"tools": [{"type": "function", "function": {"name": "f\n"}}]}, "tools[0].function.name", "invalid_value"),
    (
        {"tools": [{"type": "function", "function": {"name": "f" * 65}}]},
        "tools[0].function.name",
        "string_above_max_length",
    ),
    (
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": []}}]},
        "tools[0].function.parameters",
        "invalid_type",
    ),
    (
        {"tools": [{"type": "file_search", "file_search": {"max_num_results": 51}}]},
        "tools[0].file_search.max_num_results",
        "integer_above_max_value",
    ),
    (
        {"tools": [{"type": "file_search", "file_search": {"max_num_results": 1.5}}]},
        "tools[0].file_search.max_num_results",
        "invalid_type",
    ),
    (
        {"tools": [{"type": "file_search", "file_search": {"ranking_options": {}}}]},
        "tools[0].file_search.ranking_options.score_threshold",
        "missing_required_parameter",
    ),
    (
        {"tool_resources": {"code_interpreter": {"file_ids": ["f"] * 21}}},
        "tool_resources.code_interpreter.file_ids",
        "array_above_max_length",
    ),
    (
        {"tool_resources": {"file_search": {"vector_store_ids": ["a", "b"]}}},
        "tool_resources.file_search.vector_store_ids",
        "array_above_max_length",
    ),
    (
        {"tool_resources": {"file_search": {"vector_store_ids": [], "vector_stores": []}}},
        "tool_resources.file_search.vector_stores",
        "invalid_value",
    ),
    ({"tool_resources": {"web": {}}}, "tool_resources.web", "unknown_parameter"),
    ({"response_format": "none"}, "response_format", "invalid_value"),
    ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_value"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "missing_required_parameter"),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a b"}}},
        "response_format.json_schema.name",
        "invalid_value",
    ),
]


@pytest.mark.parametrize(("body", "param", "code"), BAD)
def test_every_wrong_field_is_refused_by_its_path_and_nothing_is_stored(
    server: Server, body: dict[str, Any], param: str, code: str
) -> None:
    refused = error(post(server, body if param == "model" else {"model": "gpt-4o", **body}))
    assert (refused["param"], refused["code"], refused["type"]) == (param, code, "invalid_request_error")
    assert listed(server)["data"] == []
    if body:
        assistant = made(server)
        again = error(post(server, body, f"/assistants/{assistant['id']}"))
        assert again["param"] == (param if "vector_stores" not in param else "tool_resources.file_search.vector_stores")
        assert listed(server)["data"] == [assistant]


def test_what_clients_parse_is_said_word_for_word(server: Server) -> None:
    tools = error(post(server, {"model": "m", "tools": None}))["message"]
    assert tools == "Invalid type for 'tools': expected an array of tools, but got null instead."
    key = error(post(server, {"model": "m", "metadata": {"mykey": None}}))["message"]
    assert key == "Invalid type for 'metadata.mykey': expected a string, but got null instead."
    length = error(post(server, {"model": "m", "name": "x" * 300}))["message"]
    assert length.endswith("Expected a string with maximum length 256, but got a string with length 300 instead.")
    assert error(post(server, {"model": "m", "x": 1}))["message"] == "Unknown parameter: 'x'."


def test_limits_are_inclusive(server: Server) -> None:
    made(
        server,
        name="n" * 256,
        description="d" * 512,
        instructions="i" * 256_000,
        temperature=2,
        top_p=0,
        metadata={f"{n:064d}": "v" * 512 for n in range(16)},
        tools=[{"type": "function", "function": {"name": f"{n:064d}"}} for n in range(128)],
        tool_resources={"code_interpreter": {"file_ids": ["f"] * 20}},
    )


@pytest.mark.parametrize("body", [None, [], "x", 5, {"model": float("nan")}, {"model": "m", "top_p": float("inf")}])
def test_a_body_that_is_no_object_is_refused(server: Server, body: Any) -> None:
    assert error(post(server, body))["param"] is None


def test_static_chunking_is_checked(server: Server) -> None:
    def stores(size: int, overlap: int) -> dict[str, Any]:
        static = {"max_chunk_size_tokens": size, "chunk_overlap_tokens": overlap}
        store = {"chunking_strategy": {"type": "static", "static": static}}
        return {"model": "m", "tool_resources": {"file_search": {"vector_stores": [store]}}}

    assert post(server, stores(800, 400)).status == 200
    assert str(error(post(server, stores(800, 401)))["param"]).endswith("static.chunk_overlap_tokens")
    assert str(error(post(server, stores(99, 0)))["param"]).endswith("static.max_chunk_size_tokens")


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
