"""What the embedded server refuses, by which path and code, and that nothing is stored then."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.requests import error, listed, made, post
from trueup.local.openai_assistants import Server

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
