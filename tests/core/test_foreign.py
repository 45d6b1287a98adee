"""Assistants in other tools' files: what each shape is told by, what becomes of it, and what is listed instead."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.migration.foreign import find_assistants
from trueup.core.migration.imports import ImportedAssistant, NotAnAssistant, Omission, list_omissions

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
FUNCTION = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}
ANSWER = {
    "id": "asst_1", "object": "assistant", "created_at": 7, "name": "Bot", "model": "gpt-4.1", "tools": [FUNCTION],
    "metadata": {}, "temperature": 1.0,
}  # fmt: skip


def only(value: Any) -> ImportedAssistant:
    (found,) = find_assistants(value, "f.json")
    assert isinstance(found, ImportedAssistant), found
    return found


def refused(value: Any) -> str:
    (found,) = find_assistants(value, "f.json")
    assert isinstance(found, NotAnAssistant), found
    return found.why


def omitted(found: ImportedAssistant) -> dict[str, str]:
    return {item.path: item.message for item in list_omissions(found)}


def test_an_answer_of_the_api() -> None:
    found = only({**ANSWER, "newer": 1})
    assert (found.id, found.created_at, found.display_name, found.where) == ("asst_1", 7, "Bot", "f.json")
    assert found.body["tools"] == [FUNCTION]
    assert list_omissions(found) == [Omission("newer", "newer is not a field of a definition, so it was left out")]


def test_a_list_a_page_and_what_else_stands_in_it() -> None:
    other = {**ANSWER, "id": "asst_2"}
    for value in ([ANSWER, other], {"object": "list", "data": [ANSWER, other], "has_more": False}):
        assert [item.where for item in find_assistants(value, "f.json")] == ["f.json, entry 1", "f.json, entry 2"]
    first, second, more = find_assistants(
        {"object": "list", "data": [ANSWER, {"object": "file"}], "has_more": True}, "f"
    )
    assert isinstance(first, ImportedAssistant)
    assert second == NotAnAssistant("f, entry 2", "is 'file', not an assistant")
    assert isinstance(more, NotAnAssistant)
    assert "has more entries" in more.why


@pytest.mark.parametrize("says", ["true", 1, 0, {}])
def test_a_page_that_says_neither_yes_nor_no_to_more_is_told(says: Any) -> None:
    _, more = find_assistants({"object": "list", "data": [ANSWER], "has_more": says}, "f")
    assert isinstance(more, NotAnAssistant)
    assert "neither true nor false" in more.why


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (5, "contains no JSON object"),
        ({}, "has no model"),
        ({"object": "assistant"}, "has no model"),
        ({"error": {"message": "x"}}, "is an error"),
        ({"object": "assistant.file", "id": "file-1"}, "names its files in file_ids"),
        ({**ANSWER, "id": "../x"}, "id that is not valid for an assistant"),
        ({"object": "list"}, "without data"),
        ({"terraform_version": "1.9", "resources": []}, "without a resource openai_assistant"),
    ],
)
def test_what_is_no_assistant_is_named_with_the_reason(value: Any, why: str) -> None:
    assert why in refused(value)


def test_a_backup() -> None:
    value = {"target": "prod", "name": "bot", "kind": "modify", "taken_at": 1.5, "body": {"name": "Bot", "model": "m"}}
    assert only(value).body == {"name": "Bot", "model": "m"}


@pytest.mark.parametrize(
    ("given_", "body", "told"),
    [
        (
            {"tools": [{"type": "retrieval"}], "file_ids": []},
            {"tools": [{"type": "file_search"}]},
            "",
        ),
        (
            {"tools": [{"type": "code_interpreter"}], "file_ids": ["file-1"]},
            {"tools": [{"type": "code_interpreter"}], "tool_resources": {"code_interpreter": {"file_ids": ["file-1"]}}},
            "",
        ),
        (
            {"tools": [{"type": "retrieval"}], "file_ids": ["file-1", "file-2"]},
            {"tools": [{"type": "file_search"}]},
            "retrieval searched in the files file-1, file-2; the second API searches in a vector store",
        ),
        (
            {"tools": [{"type": "code_interpreter"}, {"type": "retrieval"}], "file_ids": ["file-1"]},
            {
                "tools": [{"type": "code_interpreter"}, {"type": "file_search"}],
                "tool_resources": {"code_interpreter": {"file_ids": ["file-1"]}},
            },
            "retrieval searched in the file file-1",
        ),
        ({"tools": [], "file_ids": ["file-1"]}, {"tools": []}, "without a tool that uses them"),
        ({"response_format": "none"}, {}, "response_format none does not exist in the second API"),
        ({"tools": [{"type": "retrieval"}, {"type": "retrieval"}]}, {"tools": [{"type": "file_search"}]}, ""),
    ],
)
def test_the_first_api_becomes_the_second_by_the_documented_rules(
    given_: dict[str, Any], body: dict[str, Any], told: str
) -> None:
    found = only({"object": "assistant", "id": "asst_1", "model": "gpt-4", **given_})
    assert found.body == {"model": "gpt-4", **body}
    told_of = [*found.remarks, *omitted(found).values()]
    assert (len(told_of) == 0) if not told else told in told_of[0]


ATTRIBUTES = {
    "id": "asst_1", "object": "assistant", "created_at": 7, "name": "Bot", "model": "gpt-4o", "description": None,
    "tools": [
        {"type": "code_interpreter", "function": None},
        {"type": "function", "function": {"name": "weather", "strict": None, "parameters": json.dumps(PARAMETERS)}},
    ],
    "tool_resources": {"code_interpreter": {"file_ids": ["file-1"]}, "file_search": None},
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "n", "schema": '{"type":"object"}', "strict": True, "description": None},
    },
    "metadata": None, "temperature": 0.5, "enable_magic": True,
}  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        {
            "version": 4, "terraform_version": "1.9.0",
            "resources": [
                {"mode": "data", "type": "openai_assistant", "instances": [{"attributes": ATTRIBUTES}]},
                {"mode": "managed", "type": "openai_file", "name": "f", "instances": []},
                {"mode": "managed", "type": "openai_assistant", "name": "b", "instances": [{"attributes": ATTRIBUTES}]},
            ],
        },
        {
            "format_version": "1.0",
            "values": {
                "root_module": {
                    "child_modules": [{"resources": [{"type": "openai_assistant", "values": ATTRIBUTES}]}]
                }
            },
        },
    ],
)  # fmt: skip
def test_a_state_of_terraform(value: Any) -> None:
    found = only(value)
    assert found.id == "asst_1"
    assert found.body == {
        "name": "Bot", "model": "gpt-4o", "tools": [{"type": "code_interpreter"}, FUNCTION],
        "tool_resources": {"code_interpreter": {"file_ids": ["file-1"]}},
        "response_format": {
            "type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": {"type": "object"}},
        },
        "temperature": 0.5,
    }  # fmt: skip
    assert omitted(found) == {"enable_magic": "enable_magic is not a field of a definition, so it was left out"}


def test_blocks_of_terraform_are_lists_of_one() -> None:
    attributes = {
        "model": "m", "tools": ["code_interpreter"],
        "tool_resources": [{"code_interpreter": [{"file_ids": ["f", "g"]}]}],
    }  # fmt: skip
    resource = {"type": "openai_assistant", "name": "bot", "instances": [{"attributes": attributes}]}
    found = only({"terraform_version": "1.9", "resources": [resource]})
    assert found.body["tools"] == [{"type": "code_interpreter"}]
    assert found.body["tool_resources"] == {"code_interpreter": {"file_ids": ["f", "g"]}}


def test_an_agent_of_anthropic_s() -> None:
    value: dict[str, Any] = {
        "type": "agent", "id": "agent_1", "name": "Bot", "system": "Hi.", "version": 3,
        "model": {"id": "claude", "effort": "high", "speed": "fast"},
        "tools": [
            {"type": "custom", "name": "weather", "description": "W", "input_schema": PARAMETERS},
            {"type": "agent_toolset_20260401"},
        ],
        "metadata": {"a": "b"}, "mcp_servers": [], "skills": [{"id": 1}],
    }  # fmt: skip
    found = only(value)
    function = {"name": "weather", "description": "W", "parameters": PARAMETERS}
    assert found.body == {
        "name": "Bot", "metadata": {"a": "b"}, "instructions": "Hi.", "model": "claude", "reasoning_effort": "high",
    }  # fmt: skip
    told = omitted(found)
    assert told.keys() == {"model.speed", "skills", "tools[1]"}
    assert told["tools[1]"].startswith("tools is not in the definition: tools[1]: agent_toolset_20260401 is not a tool")
    del value["tools"][1]
    assert only(value).body["tools"] == [{"type": "function", "function": function}]


def test_a_prompt_agent_of_foundry_s() -> None:
    definition: dict[str, Any] = {
        "kind": "prompt", "model": "gpt-4.1", "instructions": "Hi.", "temperature": 0.5,
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}},
        "tools": [
            {"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": True},
            {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["f-1"], "memory": 4}},
            {"type": "file_search", "vector_store_ids": ["vs_1"], "max_num_results": 3},
        ],
    }  # fmt: skip
    value = {"object": "agent", "name": "bot", "versions": {"latest": {"description": "D", "definition": definition}}}
    found = only(value)
    assert found.body == {
        "name": "bot", "description": "D", "model": "gpt-4.1", "instructions": "Hi.", "temperature": 0.5,
        "reasoning_effort": "low",
        "response_format": {
            "type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True},
        },
        "tools": [
            {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS, "strict": True}},
            {"type": "code_interpreter"},
            {"type": "file_search", "file_search": {"max_num_results": 3}},
        ],
        "tool_resources": {"code_interpreter": {"file_ids": ["f-1"]}, "file_search": {"vector_store_ids": ["vs_1"]}},
    }  # fmt: skip
    assert omitted(found).keys() == {"tools[1].container.memory", "reasoning.summary"}
    definition["tools"] = [*definition["tools"], {"type": "web_search"}]
    assert "tools" not in only(value).body
    assert "tools[3]" in omitted(only(value))


def test_a_saved_agent_of_openai_s() -> None:
    found = only({"object": "agent", "id": "agent_1", "model": "gpt-5", "instructions": "Hi.", "tools": []})
    assert found.body == {"model": "gpt-5", "instructions": "Hi.", "tools": []}
    assert found.id == ""


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["object", "data", "model", "tools", "type", "id", "resources", "terraform_version", "instances",
             "function", "attributes", "values", "format_version", "root_module", "child_modules", "kind", "assistants",
             "body", "taken_at", "definition", "versions", "latest", "file_ids", "text", "reasoning", "format", "extra",
             "function_definition", "parameters", "name", "container", "enable_retrieval", "temperature", "mode",
             "tool_resources", "code_interpreter", "response_format", "json_schema", "system", "metadata", "deposed"]
        ),
        inner | st.sampled_from(["agent", "assistant", "list", "export", "prompt", "openai_assistant", "function"]),
        max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


TOOLS = [{"type": "function", "function": FUNCTION["function"]}, {"type": "retrieval"}]


@given(
    value=json_values,
    attributes=st.dictionaries(
        st.sampled_from([*ATTRIBUTES, "file_ids", "object_id", "enable_retrieval"]), json_values
    ),
    first=st.booleans(),
)
def test_nothing_in_a_file_ends_in_a_traceback(value: Any, attributes: dict[str, Any], first: bool) -> None:
    instance = {"attributes": {**ATTRIBUTES, **attributes}}
    resources = [{"type": "openai_assistant", "name": "b", "instances": [instance]}]
    state = {"version": 4, "terraform_version": "1", "resources": resources}
    for source in (
        value,
        state,
        {**ANSWER, "tools": TOOLS, **attributes},
        {"type": "agent", "model": "m", **attributes},
    ):
        for found in find_assistants(source, "f.json", first=first):
            assert isinstance(found, (ImportedAssistant, NotAnAssistant))
            assert isinstance(found, NotAnAssistant) or all(item.path for item in list_omissions(found))
