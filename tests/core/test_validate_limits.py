"""What the schema cannot say: sums, repetitions, and fields that speak of each other."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.core.definitions.definition import Definition, Ignore, Lifecycle
from trueup.core.rules import validate
from trueup.core.source import Diagnostic, Position, Severity, SourceMap, dotted
from trueup.edge.schemas import format_of

FORM = format_of("openai-assistants")

SEARCH, INTERPRETER = {"type": "file_search"}, {"type": "code_interpreter"}


def limits(definition: Definition, **more: Any) -> list[Diagnostic]:
    return validate.check_definition(definition, FORM.table, FORM.check, **more)


def function(name: Any = "look", **inner: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **inner}}


def parameters(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def told(body: dict[str, Any], *, stamp_length: int | None = 200, **around: Any) -> list[tuple[str, str]]:
    definition = Definition("a", {"model": "m", **body}, "assistants/a.yaml", **around)
    return [(item.code, dotted(item.path)) for item in limits(definition, stamp_length=stamp_length)]


BODIES: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("plain", {"tools": [SEARCH, INTERPRETER, function(), function("other")]}, []),
    ("no metadata", {"metadata": {}}, [("declares-nothing", "metadata")]),
    ("null metadata", {"metadata": None}, [("declares-nothing", "metadata")]),
    ("no resources", {"tool_resources": None}, [("declares-nothing", "tool_resources")]),
    ("reserved", {"metadata": {"trueup": "x"}}, [("reserved-key", "metadata.trueup")]),
    ("15 pairs", {"metadata": {f"k{n}": "v" for n in range(15)}}, []),
    ("16 pairs", {"metadata": {f"k{n}": "v" for n in range(16)}}, [("no-room-for-stamp", "metadata")]),
    ("17 pairs", {"metadata": {f"k{n}": "v" for n in range(17)}}, [("too-many", "metadata")]),
    ("null takes no room", {"metadata": {f"k{n}": "v" for n in range(15)} | {"gone": None}}, []),
    ("search twice", {"tools": [SEARCH, function(), SEARCH]}, [("repeated", "tools[2]")]),
    ("function twice", {"tools": [function(), SEARCH, function()]}, [("repeated", "tools[2].function.name")]),
    (
        "files for nobody",
        {"tools": [SEARCH], "tool_resources": {"code_interpreter": {"file_ids": ["f"]}}},
        [("unused-resource", "tool_resources.code_interpreter")],
    ),
    (
        "a store and no tools at all",
        {"tools": [], "tool_resources": {"file_search": {"vector_store_ids": ["vs"]}}},
        [("unused-resource", "tool_resources.file_search")],
    ),
    (
        "a store, and tools not declared",
        {"tool_resources": {"file_search": {"vector_store_ids": ["v"]}}},
        [],
    ),
    ("an empty list is for nobody, and meant so", {"tool_resources": {"file_search": {"vector_store_ids": []}}}, []),
    ("an effort of tomorrow", {"reasoning_effort": "ultra"}, [("unknown-word", "reasoning_effort")]),
    ("an effort of today", {"reasoning_effort": "xhigh"}, []),
    (
        "a ranker of tomorrow",
        {"tools": [{**SEARCH, "file_search": {"ranking_options": {"ranker": "r9", "score_threshold": 0}}}]},
        [("unknown-word", "tools[0].file_search.ranking_options.ranker")],
    ),
    ("not a number", {"temperature": float("nan")}, [("bad-number", "temperature")]),
    ("an infinite temperature", {"temperature": float("inf")}, [("bad-number", "temperature")]),
    (
        "numbers that gateways change",
        {
            "tools": [
                function(
                    parameters=parameters(a={"maximum": 2**53 + 1}, b={"default": float("inf")}, c={"enum": [2**53]})
                )
            ]
        },
        [
            ("bad-number", "tools[0].function.parameters.properties.a.maximum"),
            ("bad-number", "tools[0].function.parameters.properties.b.default"),
        ],
    ),
    (
        "parameters of another type",
        {"tools": [function(parameters={"type": "string"})]},
        [("not-allowed", "tools[0].function.parameters.type")],
    ),
    (
        "parameters without a type",
        {"tools": [function(parameters={"properties": {}})]},
        [("missing-key", "tools[0].function.parameters.type")],
    ),
    (
        "parameters of a type there is not",
        {"tools": [function(parameters={"type": "objct"})]},
        [("bad-schema", "tools[0].function.parameters.type")],
    ),
    (
        "parameters with a slip inside",
        {"tools": [function(parameters=parameters(when={"type": "strng"}, who={"type": "string", "required": True}))]},
        [
            ("bad-schema", "tools[0].function.parameters.properties.when.type"),
            ("bad-schema", "tools[0].function.parameters.properties.who.required"),
        ],
    ),
    (
        "only the first few of many slips",
        {"tools": [function(parameters=parameters(**{f"p{n}": {"type": "strng"} for n in range(9)}))]},
        [("bad-schema", f"tools[0].function.parameters.properties.p{n}.type") for n in range(3)],
    ),
    (
        "words the quick check does not know are looked up",
        {"tools": [function(parameters={**parameters(a={"$ref": "#/$defs/a"}), "$defs": {"a": {"nullable": True}}})]},
        [],
    ),
    (
        "a response schema with a slip",
        {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"minLength": -1}}}},
        [("bad-schema", "response_format.json_schema.schema.minLength")],
    ),
    (
        "a body that broke the schema is taken all the same",
        {
            "tools": ["x", {"type": []}, {"type": "function", "function": []}, function(name=[])],
            "metadata": [],
            "tool_resources": 3,
        },
        [],
    ),
]


@pytest.mark.parametrize(("body", "expected"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
def test_bodies(body: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert told(body) == expected


def test_without_a_stamp_sixteen_pairs_are_fine() -> None:
    assert told({"metadata": {f"k{n}": "v" for n in range(16)}}, stamp_length=None) == []


def test_a_stamp_that_does_not_fit() -> None:
    assert told({}, stamp_length=512) == []
    assert told({}, stamp_length=513) == [("stamp-too-long", "")]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("temperature", ""),
        ("metadata.owner", ""),
        ("metadata.a.b", ""),
        ("tool_resources.code_interpreter.file_ids", ""),
        ("tool_resources.file_search.vector_store_ids", ""),
        ("temprature", "did you mean 'temperature'"),
        ("metadata", "each of its keys is one"),
        ("metadata.trueup", "Trueup's own entry"),
        ("tool_resources.file_search", "each of its entries is one"),
        ("tools.0", "tools is compared as a whole"),
        ("zzz", "unknown field 'zzz'"),
    ],
)
def test_an_ignored_field_is_a_field(field: str, words: str) -> None:
    definition = Definition("a", {"model": "m"}, "a.yaml", lifecycle=Lifecycle(ignore_changes=(Ignore(field),)))
    found = limits(definition, stamp_length=None)
    assert [item.code for item in found] == (["unknown-field"] if words else [])
    assert all(words in item.message and item.path == ("lifecycle", "ignore_changes", 0, "field") for item in found)


@pytest.mark.parametrize(
    ("day", "good"),
    [("2027-01-31", True), ("2027-02-30", False), ("20270131", False), ("soon", False), ("2027-1-3", False)],
)
def test_until_is_a_day(day: str, good: bool) -> None:
    lifecycle = Lifecycle(ignore_changes=(Ignore("name", until=day),))
    assert (told({}, lifecycle=lifecycle) == []) is good


def test_what_a_vendor_may_have_learnt_since_is_a_warning_and_the_rest_an_error() -> None:
    definition = Definition("a", {"reasoning_effort": "ultra", "metadata": {"trueup": "x"}}, "a.yaml")
    assert {item.code: item.severity for item in limits(definition, stamp_length=None)} == {
        "unknown-word": Severity.WARNING,
        "reserved-key": Severity.ERROR,
    }


def test_each_has_a_position_and_a_way_on() -> None:
    places = SourceMap(
        values={("metadata",): Position("_base.yaml", 4, 3)}, keys={("metadata",): Position("_base.yaml", 3, 1)}
    )
    definition = Definition("a", {"metadata": {}, "tools": [SEARCH, SEARCH]}, "a.yaml", locate=lambda: places)
    found = limits(definition, stamp_length=600)
    assert [(item.code, str(item.position)) for item in found] == [
        ("declares-nothing", "_base.yaml:3:1"),
        ("repeated", "a.yaml:1:1"),
        ("stamp-too-long", "a.yaml:1:1"),
    ]
    assert all(item.hint for item in found)
