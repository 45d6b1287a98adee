"""The words for mistakes: one short, kind sentence for each, at the right place."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.core.rules.fault import nearest
from trueup.core.rules.validate import Checker
from trueup.core.source import Position, Severity, SourceMap, dotted
from trueup.edge import schemas

ASSISTANT = Checker(schemas.load("assistant"))


def function(**inner: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "lookup", **inner}}


MISTAKES: list[tuple[str, dict[str, Any], list[tuple[str, str, str]]]] = [
    ("nothing wrong", {"model": "m"}, []),
    (
        "every null that declares a default",
        dict.fromkeys(key for key in schemas.load("assistant")["properties"] if key != "lifecycle") | {"model": "m"},
        [],
    ),
    ("no model", {}, [("missing-key", "model", "the key 'model' is missing")]),
    (
        "a slip of the pen",
        {"model": "m", "temprature": 1},
        [("unknown-key", "temprature", "unknown key 'temprature'; did you mean 'temperature'?")],
    ),
    (
        "a slip in a required key is one mistake, not two",
        {"modle": "m"},
        [("unknown-key", "modle", "unknown key 'modle'; did you mean 'model'?")],
    ),
    ("a key like no other", {"model": "m", "zzz": 1}, [("unknown-key", "zzz", "unknown key 'zzz'")]),
    (
        "two unknown keys are two mistakes",
        {"model": "m", "temprature": 1, "instruction": ""},
        [
            ("unknown-key", "instruction", "unknown key 'instruction'; did you mean 'instructions'?"),
            ("unknown-key", "temprature", "unknown key 'temprature'; did you mean 'temperature'?"),
        ],
    ),
    (
        "hyphen for underscore",
        {"model": "m", "top-p": 1},
        [("unknown-key", "top-p", "unknown key 'top-p'; did you mean 'top_p'?")],
    ),
    (
        "a number in quotes",
        {"model": "m", "temperature": "0.5"},
        [("wrong-type", "temperature", "temperature must be a number or null, not text ('0.5')")],
    ),
    (
        "true is no number",
        {"model": "m", "temperature": True},
        [("wrong-type", "temperature", "temperature must be a number or null, not true or false")],
    ),
    (
        "too hot",
        {"model": "m", "temperature": 2.5},
        [("out-of-range", "temperature", "temperature is 2.5; it must be between 0 and 2")],
    ),
    (
        "infinite",
        {"model": "m", "top_p": float("inf")},
        [("out-of-range", "top_p", "top_p is .inf; it must be between 0 and 1")],
    ),
    (
        "a long name",
        {"model": "m", "name": "n" * 257},
        [("too-long", "name", "name holds 257 characters; at most 256 are allowed")],
    ),
    ("a name as long as may be, in characters", {"model": "m", "name": "\U0001f33b" * 256}, []),
    (
        "a long text",
        {"model": "m", "instructions": "n" * 256001},
        [("too-long", "instructions", "instructions holds 256,001 characters; at most 256,000 are allowed")],
    ),
    ("an empty model", {"model": ""}, [("too-short", "model", "model may not be empty")]),
    (
        "a number as metadata",
        {"model": "m", "metadata": {"a": 1}},
        [("wrong-type", "metadata.a", "metadata.a must be text or null, not a number (1)")],
    ),
    (
        "metadata too long, key and value",
        {"model": "m", "metadata": {"k" * 65: "", "a": "v" * 513}},
        [
            ("too-long", "metadata.a", "metadata.a holds 513 characters; at most 512 are allowed"),
            (
                "too-long",
                "metadata." + "k" * 65,
                f"the key '{'k' * 59}…' holds 65 characters; at most 64 are allowed",
            ),
        ],
    ),
    (
        "two vector stores",
        {"model": "m", "tool_resources": {"file_search": {"vector_store_ids": ["a", "b"]}}},
        [
            (
                "too-many",
                "tool_resources.file_search.vector_store_ids",
                "tool_resources.file_search.vector_store_ids holds 2 entries; at most 1 is allowed",
            )
        ],
    ),
    (
        "21 files",
        {"model": "m", "tool_resources": {"code_interpreter": {"file_ids": ["f"] * 21}}},
        [
            (
                "too-many",
                "tool_resources.code_interpreter.file_ids",
                "tool_resources.code_interpreter.file_ids holds 21 entries; at most 20 are allowed",
            )
        ],
    ),
    (
        "129 tools",
        {"model": "m", "tools": [{"type": "file_search"}] * 129},
        [("too-many", "tools", "tools holds 129 entries; at most 128 are allowed")],
    ),
    (
        "a tool misspelt",
        {"model": "m", "tools": [{"type": "fuction", "function": {"name": 3}}]},
        [("not-allowed", "tools[0].type", "tools[0].type may not be 'fuction'; did you mean 'function'?")],
    ),
    (
        "two wrong tools are two mistakes",
        {
            "model": "m",
            "tools": [function(strict="yes"), {"type": "file_search", "file_search": {"max_num_results": 51}}],
        },
        [
            (
                "out-of-range",
                "tools[1].file_search.max_num_results",
                "tools[1].file_search.max_num_results is 51; it must be between 1 and 50",
            ),
            (
                "wrong-type",
                "tools[0].function.strict",
                "tools[0].function.strict must be true or false or null, not text ('yes')",
            ),
        ],
    ),
    (
        "a function's name with a newline at its end",
        {"model": "m", "tools": [{"type": "function", "function": {"name": "look\n"}}]},
        [
            (
                "bad-format",
                "tools[0].function.name",
                "tools[0].function.name may not be 'look\\n': "
                "a function's name is 1 to 64 letters, digits, underscores and hyphens",
            )
        ],
    ),
    (
        "a function without its name",
        {"model": "m", "tools": [{"type": "function", "function": {}}]},
        [("missing-key", "tools[0].function.name", "tools[0].function lacks the key 'name'")],
    ),
    (
        "a ranking without its threshold",
        {"model": "m", "tools": [{"type": "file_search", "file_search": {"ranking_options": {}}}]},
        [
            (
                "missing-key",
                "tools[0].file_search.ranking_options.score_threshold",
                "tools[0].file_search.ranking_options lacks the key 'score_threshold'",
            )
        ],
    ),
    (
        "no list of tools",
        {"model": "m", "tools": "code_interpreter"},
        [("wrong-type", "tools", "tools must be a list or null, not text ('code_interpreter')")],
    ),
    (
        "a format of no kind",
        {"model": "m", "response_format": {"type": "json_shema"}},
        [
            (
                "not-allowed",
                "response_format.type",
                "response_format.type may not be 'json_shema'; did you mean 'json_schema'?",
            )
        ],
    ),
    (
        "a format without its schema",
        {"model": "m", "response_format": {"type": "json_schema"}},
        [("missing-key", "response_format.json_schema", "response_format lacks the key 'json_schema'")],
    ),
    (
        "a format in a list",
        {"model": "m", "response_format": ["auto"]},
        [("wrong-type", "response_format", "response_format must be text, a mapping or null, not a list")],
    ),
    (
        "the options of earlier versions",
        {"model": "m", "options": {"anthropic-agents": {}}},
        [("not-allowed", "options", "'options' is no key of a definition any more")],
    ),
    (
        "protect as a word",
        {"model": "m", "lifecycle": {"protect": "yes"}},
        [("wrong-type", "lifecycle.protect", "lifecycle.protect must be true or false, not text ('yes')")],
    ),
    (
        "an ignored field without its name",
        {"model": "m", "lifecycle": {"ignore_changes": [{"reason": "r"}]}},
        [("missing-key", "lifecycle.ignore_changes[0].field", "lifecycle.ignore_changes[0] lacks the key 'field'")],
    ),
]

OLD_WORDS: list[tuple[dict[str, Any], str, str]] = [
    ({"tools": [{"type": "code_interpreter", "file_ids": []}]}, "tools[0].file_ids", "tool_resources.code_interpreter"),
    ({"tools": [function() | {"strict": True}]}, "tools[0].strict", "function: {strict: …}"),
    ({"tools": [{"type": "function", "name": "f"}]}, "tools[0].name", "function: {name: …}"),
    (
        {"tool_resources": {"file_search": {"vector_stores": [{}]}}},
        "tool_resources.file_search.vector_stores",
        "create the vector store once and name its id in vector_store_ids",
    ),
    (
        {"tool_resources": {"file_search": {"file_ids": []}}},
        "tool_resources.file_search.file_ids",
        "name its id in vector_store_ids",
    ),
    ({"response_format": "json_object"}, "response_format", "{type: json_object}"),
    (
        {"response_format": {"type": "text", "json_schema": {"name": "n"}}},
        "response_format.json_schema",
        "only goes with type: json_schema",
    ),
    ({"system": "You are"}, "system", "instructions"),
    ({"id": "asst_1"}, "id", "import NAME=ID"),
    ({"lifecycle": {"prevent_destroy": True}}, "lifecycle.prevent_destroy", "protect"),
]


@pytest.mark.parametrize(("body", "expected"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_each_mistake_has_its_sentence(body: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    found = ASSISTANT.problems(body, SourceMap)
    assert sorted((item.code, dotted(item.path), item.message) for item in found) == expected
    assert all(item.severity is Severity.ERROR for item in found)


@pytest.mark.parametrize(("part", "path", "advice"), OLD_WORDS, ids=[row[1] for row in OLD_WORDS])
def test_a_word_of_elsewhere_is_told_what_to_write_instead(part: dict[str, Any], path: str, advice: str) -> None:
    (found,) = ASSISTANT.problems({"model": "m", **part}, SourceMap)
    assert (found.code, dotted(found.path)) == ("not-allowed", path)
    assert advice in f"{found.message}; {found.hint[:1].lower()}{found.hint[1:]}"


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"model": "m", "metadata": {"a": 12}}, "Put it in quotes to make it text."),
        ({"model": "m", "metadata": {"a": True}}, "Put it in quotes to make it text."),
        ({"model": "m", "temperature": "0.5"}, "Write it without quotes: 0.5."),
        ({"model": "m", "temperature": "0,5"}, "Write it with a decimal point: 0.5."),
        ({"model": "m", "lifecycle": {"protect": "no"}}, "Write false, without quotes."),
        ({"model": "m", "tools": "file_search"}, "Write it as a list, such as `[a, b]`."),
        ({"model": "m", "response_format": "jsonn"}, "Write 'auto'."),
        (
            {"model": "m", "id": "asst_1"},
            "Remove it: which live assistant a definition is linked to is kept in the state, "
            "and 'trueup import NAME=ID' writes it there.",
        ),
        ({"model": "m", "object": "assistant"}, "Remove it: it is the server's own."),
        ({"model": "m", "created_at": 1}, "Remove it: it is the server's own."),
        ({"model": "m", "prompt": "Be kind."}, "The text that steers it is called instructions."),
        ({"model": "m", "name": "n" * 258}, "Remove 2 characters."),
        ({"model": "m", "metadata": {"k" * 65: "v"}}, "Remove 1 character."),
    ],
)
def test_the_hint_says_how_to_write_what_was_meant(body: dict[str, Any], hint: str) -> None:
    assert [item.hint for item in ASSISTANT.problems(body, SourceMap)] == [hint]


def test_no_message_dumps_what_it_complains_about() -> None:
    body = {
        "model": "m",
        "response_format": "x" * 10_000,
        "y" * 10_000: 1,
        "temperature": "z" * 10_000,
        "top_p": 10**1000,
    }
    found = ASSISTANT.problems(body | {"metadata": {"k" * 10_000: 1}}, SourceMap)
    assert len(found) == 6
    assert all(len(item.message) < 200 and len(item.hint) < 300 for item in found)


def test_an_unknown_key_is_shown_at_the_key_and_a_wrong_value_at_the_value() -> None:
    source = SourceMap(
        values={
            (): Position("a.yaml", 1, 1),
            ("temprature",): Position("a.yaml", 2, 13),
            ("name",): Position("a.yaml", 3, 7),
        },
        keys={("temprature",): Position("a.yaml", 2, 1), ("name",): Position("a.yaml", 3, 1)},
    )
    found = ASSISTANT.problems({"name": 3, "temprature": 1}, lambda: source)
    assert [(item.code, str(item.position)) for item in found] == [
        ("missing-key", "a.yaml:1:1"),
        ("unknown-key", "a.yaml:2:1"),
        ("wrong-type", "a.yaml:3:7"),
    ]


def test_positions_are_only_asked_for_when_there_is_a_problem() -> None:
    asked: list[bool] = []

    def locate() -> SourceMap:
        asked.append(True)
        return SourceMap()

    ASSISTANT.problems({"model": "m"}, locate)
    assert asked == []
    ASSISTANT.problems({}, locate)
    assert asked == [True]


def test_of_alternatives_the_one_that_was_meant_is_explained() -> None:
    secret = {
        "type": "object",
        "required": ["env"],
        "properties": {"env": {"type": "string"}},
        "additionalProperties": False,
    }
    checker = Checker({"properties": {"key": {"anyOf": [{"type": "string", "maxLength": 3}, secret]}}})
    assert [item.message for item in checker.problems({"key": {"evn": "A"}}, SourceMap)] == [
        "unknown key 'evn' in key; did you mean 'env'?"
    ]
    assert [item.message for item in checker.problems({"key": "long"}, SourceMap)] == [
        "key holds 4 characters; at most 3 are allowed"
    ]
    assert [item.message for item in checker.problems({"key": 5}, SourceMap)] == [
        "key must be text or a mapping, not a number (5)"
    ]


def test_a_recursive_schema_is_checked_all_the_way_down() -> None:
    tree = {"type": "object", "properties": {"next": {"$ref": "#/$defs/tree"}}, "additionalProperties": False}
    checker = Checker({"$ref": "#/$defs/tree", "$defs": {"tree": tree}})
    (found,) = checker.problems({"next": {"next": {"nxt": {}}}}, SourceMap)
    assert dotted(found.path) == "next.next.nxt"


def test_nothing_is_fetched() -> None:
    with pytest.raises(ValueError, match="outside of it"):
        Checker({"$ref": "https://example.org/schema.json"}).problems({}, SourceMap)


@pytest.mark.parametrize(
    ("schema", "value", "code", "message"),
    [
        ({"minimum": 1}, 0, "out-of-range", "the value is 0; it must be at least 1"),
        ({"exclusiveMaximum": 5}, 5, "out-of-range", "the value is 5; it must be less than 5"),
        ({"minItems": 2}, [1], "too-few", "the value holds 1 entry; at least 2 are needed"),
        ({"maxProperties": 1}, {"a": 1, "b": 2}, "too-many", "the value holds 2 keys; at most 1 is allowed"),
        ({"uniqueItems": True}, [1, 1], "repeated", "the value holds the same entry twice"),
        ({"const": "local"}, "locl", "not-allowed", "the value may not be 'locl'; did you mean 'local'?"),
        ({"pattern": "^a$"}, "b", "bad-format", "the value may not be 'b': it must match ^a$"),
        ({"properties": {"a": False}}, {"a": 1}, "not-allowed", "a is not allowed here"),
        (
            {"dependentRequired": {"a": ["b"]}},
            {"a": 1},
            "not-allowed",
            "the value does not follow the rule 'dependentRequired'",
        ),
    ],
)
def test_other_schemas_are_explained_too(schema: dict[str, Any], value: Any, code: str, message: str) -> None:
    (found,) = Checker(schema).problems(value, SourceMap)
    assert found.code == code
    assert found.message.startswith(message)


def test_the_nearest_word() -> None:
    assert nearest("Model", ["model", "mode"]) == "model"
    assert nearest("tool-resources", ["tools", "tool_resources"]) == "tool_resources"
    assert nearest("zzz", ["model"]) == ""
