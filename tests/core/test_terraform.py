"""States of Terraform in the shape of each provider that has assistants; docs/importing.md names the schemas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from trueup.core.migration.foreign import find_assistants
from trueup.core.migration.imports import ImportedAssistant, NotAnAssistant, list_omissions

SCHEMA = {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]}
STOCK = {"name": "in_stock", "description": "Whether a thing is there.", "parameters": SCHEMA}
TEXT = json.dumps(SCHEMA)
FUNCTION = {"type": "function", "function": STOCK}
WORDS = {"id": "asst_shop", "name": "Shop", "model": "gpt-4.1", "instructions": "Sell.", "created_at": 1_700_000_000}
BODY = {"name": "Shop", "model": "gpt-4.1", "instructions": "Sell."}
LISTED = {"file_ids": ["file-a", "file-b"]}


def state(given: Mapping[str, Any], kind: str = "openai_assistant", **instance: Any) -> dict[str, Any]:
    entry = {"schema_version": 0, "attributes": given, "sensitive_attributes": [], **instance}
    return {
        "version": 4, "terraform_version": "1.9.8", "serial": 3, "lineage": "x", "outputs": {},
        "resources": [{"mode": "managed", "type": kind, "name": "shop", "provider": "p", "instances": [entry]}],
    }  # fmt: skip


def read(attributes: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the body that a state's attributes give, and the paths of what is omitted."""
    (found,) = find_assistants(state(attributes), "t.tfstate")
    assert isinstance(found, ImportedAssistant), found
    assert found.where == "t.tfstate, openai_assistant.shop"
    assert found.id == "asst_shop"
    return dict(found.body), [item.path for item in list_omissions(found)]


SHAPES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    # skyscrapr/openai: nested attributes, JSON Schemas as text
    "skyscrapr 1.1, the first API": (
        {
            "description": None, "object": "assistant", "metadata": None, "file_ids": ["file-a", "file-b"],
            "tools": [
                {"type": "code_interpreter", "function": None},
                {"type": "function", "function": {"name": "in_stock", "description": None, "parameters": TEXT}},
            ],
        },
        {
            "tools": [
                {"type": "code_interpreter"},
                {"type": "function", "function": {"name": "in_stock", "parameters": SCHEMA}},
            ],
            "tool_resources": {"code_interpreter": LISTED},
        },
        [],
    ),
    "skyscrapr 1.2": (
        {
            "object": "assistant", "description": "D", "metadata": {"a": "b"}, "temperature": 0.5, "top_p": 1,
            "tools": [{"type": "function", "function": {**STOCK, "parameters": TEXT}}],
            "tool_resources": {
                "code_interpreter": None, "file_search": {"vector_store_ids": ["vs_1"], "vector_stores": None},
            },
        },
        {
            "description": "D", "metadata": {"a": "b"}, "temperature": 0.5, "top_p": 1, "tools": [FUNCTION],
            "tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}},
        },
        [],
    ),
    "skyscrapr 1.6, with a format, and a model that has no temperature": (
        {
            "object": "assistant", "temperature": 0, "top_p": 0, "tools": None, "tool_resources": None,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": TEXT, "strict": True, "description": None},
            },
        },
        {
            "response_format": {
                "type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True},
            },
        },
        ["temperature", "top_p"],
    ),
    "skyscrapr, a function that takes nothing": (
        {"tools": [{"type": "function", "function": {"name": "ping", "description": None, "parameters": "null"}}]},
        {"tools": [{"type": "function", "function": {"name": "ping"}}]},
        [],
    ),
    # mkdev-me/openai: blocks, which are lists of one, and empty where nothing was set
    "mkdev-me 1.0": (
        {
            "description": "", "metadata": {}, "file_ids": None,
            "tools": [
                {"type": "file_search", "function": []},
                {"type": "function", "function": [{**STOCK, "parameters": TEXT}]},
            ],
        },
        {"tools": [{"type": "file_search"}, FUNCTION]},
        [],
    ),
    "mkdev-me, no tool": ({"tools": [], "file_ids": [], "timeouts": None}, {}, []),
    "mkdev-me, both file_ids and tool_resources": (
        {
            "file_ids": ["file-a", "file-z"], "tools": [{"type": "code_interpreter", "function": None}],
            "tool_resources": {"code_interpreter": LISTED, "file_search": {"vector_store_ids": []}},
        },
        {"tools": [{"type": "code_interpreter"}], "tool_resources": {"code_interpreter": LISTED}},
        ["file_ids"],
    ),
    # HappyPathway/openai, which changed its schema twice
    "HappyPathway, flat attributes": (
        {
            "file_ids": ["file-a", "file-b"],
            "tools": [
                {"type": "code_interpreter", "name": "", "description": "", "parameters": ""},
                {"type": "function", **STOCK, "parameters": TEXT},
            ],
        },
        {"tools": [{"type": "code_interpreter"}, FUNCTION], "tool_resources": {"code_interpreter": LISTED}},
        [],
    ),
    "HappyPathway, function_definition": (
        {
            "id": "x", "object_id": "asst_shop", "file_path": None, "file_ids": None,
            "tools": [
                {"type": "file_search", "function_definition": None},
                {"type": "function", "function_definition": json.dumps(STOCK)},
            ],
        },
        {"tools": [{"type": "file_search"}, FUNCTION]},
        [],
    ),
    "HappyPathway, function_definition with the tool around it": (
        {"tools": [{"type": "function", "function_definition": json.dumps(FUNCTION)}]}, {"tools": [FUNCTION]}, [],
    ),
    "HappyPathway, function_definition that is a description by now": (
        {"tools": [{"type": "function", "function_definition": "Whether a thing is there."}, {"type": "file_search"}]},
        {}, ["tools[0].function_definition"],
    ),
    "HappyPathway, function as text": (
        {"tools": [{"type": "function", "function": json.dumps(STOCK)}]}, {"tools": [FUNCTION]}, [],
    ),
    "HappyPathway, words": (
        {"tools": ["code_interpreter", "file_search"], "tool_resources": {"code_interpreter": LISTED}},
        {
            "tools": [{"type": "code_interpreter"}, {"type": "file_search"}],
            "tool_resources": {"code_interpreter": LISTED},
        },
        [],
    ),
    "HappyPathway, a word for a function": ({"tools": ["code_interpreter", "function"]}, {}, ["tools[1]"]),
    "HappyPathway, a file that the provider uploaded": ({"file_path": "faq.pdf"}, {}, ["file_path"]),
    # guillaume-dussault/openai: one flag for each tool
    "guillaume-dussault, flags": (
        {"enable_retrieval": True, "enable_code_interpreter": True, "last_updated": "Monday"},
        {"tools": [{"type": "file_search"}, {"type": "code_interpreter"}]},
        [],
    ),
    "guillaume-dussault, no flag": (
        {"enable_retrieval": False, "enable_code_interpreter": False, "last_updated": "Monday"}, {}, [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_the_shape_of_each_provider(shape: str) -> None:
    attributes, body, omitted = SHAPES[shape]
    assert read({**WORDS, **attributes}) == ({**BODY, **body}, omitted)


@pytest.mark.parametrize(
    "text", ["", "not json", "[1]", "{}", '{"name": 1}', '{"name": "f", "name": "g"}', "[" * 9_999]
)
def test_a_definition_that_is_none_leaves_the_tools_undeclared(text: str) -> None:
    body, omitted = read({**WORDS, "tools": [{"type": "function", "function_definition": text}]})
    assert body == BODY
    assert [path.split(".")[0] for path in omitted] == ["tools[0]"]


def test_parameters_that_are_no_json_are_kept_for_the_schema_to_refuse() -> None:
    broken = {"name": "f", "parameters": '{"a": NaN}'}
    body, _ = read({**WORDS, "tools": [{"type": "function", "function": broken}]})
    assert body["tools"] == [{"type": "function", "function": broken}]


def test_schemas_are_not_taken_for_blocks() -> None:
    schema = {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}], "default": None}}}
    body, _ = read({**WORDS, "tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]})
    assert body["tools"][0]["function"]["parameters"] == schema


@pytest.mark.parametrize(
    ("tools", "is_poor"),
    [
        (["code_interpreter"], False),
        (["file_search"], True),
        ([{"type": "function", "function": STOCK}], True),
        ([{"type": "function", "function_definition": json.dumps({**STOCK, "strict": True})}], False),
    ],
)
def test_what_the_api_knows_of_a_tool_and_the_state_does_not_is_told(tools: list[Any], is_poor: bool) -> None:
    (found,) = find_assistants(state({**WORDS, "tools": tools}), "t.tfstate")
    assert isinstance(found, ImportedAssistant)
    assert [remark.startswith("the state keeps neither `strict`") for remark in found.remarks] == [True] * is_poor


@pytest.mark.parametrize("has_name", [True, False])
def test_a_name_that_the_state_keeps_as_null_is_null(has_name: bool) -> None:
    body, _ = read({"id": "asst_shop", "model": "m", **({"name": None} if has_name else {})})
    assert body == {"model": "m", **({"name": None} if has_name else {})}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (
            state({"assistant_id": "asst_shop", "file_id": "file-a"}, "openai_assistant_file"),
            "attaches file-a to asst_",
        ),
        (state({"assistant_id": "asst_shop", "filename": "a.txt"}, "openai_assistant_file"), "attaches a.txt to asst_"),
        (state(WORDS, "openai_beta_assistant"), "is a resource openai_beta_assistant, whose attributes are not known"),
        (state(WORDS, deposed="00000001"), "is deposed"),
        (state({}, attributes=None), "has no attributes"),
    ],
)
def test_what_else_a_state_holds_of_assistants_is_named(value: Any, why: str) -> None:
    first = next(iter(find_assistants(value, "t.tfstate")))
    assert isinstance(first, NotAnAssistant), first
    assert why in first.why
    assert first.where.endswith(".shop")
