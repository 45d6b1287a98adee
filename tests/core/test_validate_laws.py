"""Laws of validation, on generated bodies: the valid pass, each mistake is told once, and the vendor agrees."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.extent import examples
from trueup.core.definitions.definition import Definition
from trueup.core.rules.gate import CHECKS, looks_valid
from trueup.core.rules.validate import Checker, check_definition
from trueup.core.source import Path, Position, Severity, SourceMap
from trueup.edge import schemas
from trueup.edge.schemas import format_of

FORM = format_of("openai-assistants")
ASSISTANT = FORM.checker
DEFINITION = Checker(schemas.load("definition"))
META = Draft202012Validator(Draft202012Validator.META_SCHEMA)

Body = dict[str, Any]
relaxed = settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.from_regex(r"\A[A-Za-z0-9_-]{1,12}\Z")
scalars = st.one_of(words, st.booleans(), st.integers(-1000, 1000), st.floats(-10, 10), st.none())


def leaf() -> st.SearchStrategy[Body]:
    return st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "integer", "boolean", "number"])},
        optional={"description": words, "enum": st.lists(scalars, max_size=3), "minLength": st.integers(0, 9)},
    )


def parameters() -> st.SearchStrategy[Body]:
    properties = st.dictionaries(
        names, leaf() | st.builds(lambda item: {"type": "array", "items": item}, leaf()), max_size=3
    )
    return st.fixed_dictionaries(
        {"type": st.just("object"), "properties": properties}, optional={"additionalProperties": st.booleans()}
    )


def functions() -> st.SearchStrategy[Body]:
    inner = st.fixed_dictionaries(
        {"name": names},
        optional={"description": words, "parameters": parameters(), "strict": st.sampled_from([True, False, None])},
    )
    return st.fixed_dictionaries({"type": st.just("function"), "function": inner})


def searches() -> st.SearchStrategy[Body]:
    ranking = st.fixed_dictionaries(
        {"score_threshold": st.floats(0, 1)}, optional={"ranker": st.sampled_from(["auto", "default_2024_08_21"])}
    )
    inner = st.fixed_dictionaries({}, optional={"max_num_results": st.integers(1, 50), "ranking_options": ranking})
    return st.fixed_dictionaries({"type": st.just("file_search")}, optional={"file_search": inner})


def tools() -> st.SearchStrategy[list[Body]]:
    unique = st.lists(functions(), max_size=3, unique_by=lambda tool: str(tool["function"]["name"]))
    once = st.tuples(st.booleans(), st.none() | searches())
    return st.builds(
        lambda made, pair: [
            *([{"type": "code_interpreter"}] if pair[0] else []),
            *([pair[1]] if pair[1] else []),
            *made,
        ],
        unique,
        once,
    )


def formats() -> st.SearchStrategy[Any]:
    answer = st.fixed_dictionaries({"name": names}, optional={"description": words, "schema": parameters()})
    return st.one_of(
        st.just("auto"),
        st.sampled_from([{"type": "text"}, {"type": "json_object"}]),
        st.builds(lambda inner: {"type": "json_schema", "json_schema": inner}, answer),
    )


def bodies() -> st.SearchStrategy[Body]:
    nullable: dict[str, st.SearchStrategy[Any]] = {
        "name": words, "description": words, "instructions": words, "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1), "reasoning_effort": st.sampled_from(["none", "low", "high", "max"]),
        "response_format": formats(), "tools": tools(),
    }  # fmt: skip
    resources = st.fixed_dictionaries(
        {},
        optional={
            "code_interpreter": st.fixed_dictionaries({"file_ids": st.lists(names, max_size=20)}),
            "file_search": st.fixed_dictionaries({"vector_store_ids": st.lists(names, max_size=1)}),
        },
    )
    optional = {key: st.none() | value for key, value in nullable.items()}
    metadata = st.dictionaries(names.filter(lambda key: key != "trueup"), words, max_size=15)
    return st.fixed_dictionaries(
        {"model": names}, optional={**optional, "tool_resources": resources, "metadata": metadata}
    )


def placed(body: Any) -> SourceMap:
    """Return a position of its own for every key and value."""
    values: dict[Path, Position] = {}
    keys: dict[Path, Position] = {}

    def walk(value: Any, path: Path) -> None:
        values[path] = Position("a.yaml", len(values) + 1, 1)
        if path:
            keys[path] = Position("a.yaml", len(values), 2)
        if isinstance(value, dict):
            for key, entry in value.items():
                walk(entry, (*path, key))
        elif isinstance(value, list):
            for index, entry in enumerate(value):
                walk(entry, (*path, index))

    walk(body, ())
    return SourceMap(values, keys)


@given(bodies())
@relaxed
def test_valid_bodies_pass_and_break_no_limit(body: Body) -> None:
    before = copy.deepcopy(body)
    definition = Definition("a", body, "a.yaml", locate=lambda: placed(body))
    assert ASSISTANT.problems(body, lambda: placed(body)) == []
    found = check_definition(definition, FORM.table, FORM.check, stamp_length=512)
    assert [item for item in found if item.severity is Severity.ERROR] == []
    assert DEFINITION.problems(body, SourceMap) == []
    assert body == before


def _set(key: str, value: Any) -> Callable[[Body], Path]:
    def change(body: Body) -> Path:
        body[key] = value
        return (key,)

    return change


def _tool(tool: Any, *inner: str) -> Callable[[Body], Path]:
    def change(body: Body) -> Path:
        body["tools"] = [*(body.get("tools") or []), tool]
        return ("tools", len(body["tools"]) - 1, *inner)

    return change


def _metadata(key: str, value: Any) -> Callable[[Body], Path]:
    def change(body: Body) -> Path:
        body.setdefault("metadata", {})[key] = value
        return ("metadata", key)

    return change


def _no_model(body: Body) -> Path:
    del body["model"]
    return ("model",)


MUTATIONS: dict[str, tuple[str, Callable[[Body], Path]]] = {
    "hot": ("out-of-range", _set("temperature", 2.01)),
    "cold": ("out-of-range", _set("top_p", -0.01)),
    "text for number": ("wrong-type", _set("top_p", "high")),
    "truth for number": ("wrong-type", _set("temperature", True)),
    "number for text": ("wrong-type", _set("name", 5)),
    "long name": ("too-long", _set("name", "x" * 257)),
    "long description": ("too-long", _set("description", "x" * 513)),
    "null model": ("wrong-type", _set("model", None)),
    "no model": ("missing-key", _no_model),
    "unknown": ("unknown-key", _set("temprature", 1)),
    "old word": ("not-allowed", _set("functions", [])),
    "misspelt tool": ("not-allowed", _tool({"type": "code_interpretr"}, "type")),
    "tool of no type": ("missing-key", _tool({}, "type")),
    "tool with more": ("unknown-key", _tool({"type": "code_interpreter", "zzz": 1}, "zzz")),
    "nameless": ("missing-key", _tool({"type": "function", "function": {}}, "function", "name")),
    "bad name": ("bad-format", _tool({"type": "function", "function": {"name": "a b"}}, "function", "name")),
    "metadata number": ("wrong-type", _metadata("n", 1)),
    "metadata key": ("too-long", _metadata("k" * 65, "v")),
    "metadata value": ("too-long", _metadata("n", "v" * 513)),
    "format word": ("not-allowed", _set("response_format", "json")),
}


@pytest.mark.parametrize(("code", "mutate"), MUTATIONS.values(), ids=MUTATIONS)
@given(body=bodies())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_one_mistake_gives_one_diagnostic_at_its_place(code: str, mutate: Callable[[Body], Path], body: Body) -> None:
    path = mutate(body)
    (found,) = ASSISTANT.problems(body, lambda: placed(body))
    assert (found.code, found.path) == (code, path)
    assert found.position is not None


@given(bodies(), st.lists(st.sampled_from(sorted(MUTATIONS)), min_size=2, max_size=5, unique=True))
@relaxed
def test_as_many_mistakes_as_diagnostics(body: Body, chosen: list[str]) -> None:
    paths = [(MUTATIONS[name][0], MUTATIONS[name][1](body)) for name in chosen]
    assume(len({path for _, path in paths}) == len(paths))
    found = ASSISTANT.problems(body, lambda: placed(body))
    assert sorted((item.code, str(item.path)) for item in found) == sorted((code, str(path)) for code, path in paths)


def _vendor() -> Draft202012Validator:
    folder = FilePath(os.environ.get("TRUEUP_SPECS", FilePath(__file__).resolve().parents[3] / "shared" / "specs"))
    spec = folder / "openai-v2.json"
    if not spec.exists():
        pytest.skip("the vendor's published description is not here; set TRUEUP_SPECS to its folder")
    document = json.loads(spec.read_text(encoding="utf-8"))
    return Draft202012Validator({**document, "$ref": "#/components/schemas/CreateAssistantRequest"})


def test_what_passes_here_passes_the_vendor_s_own_schema() -> None:
    vendor = _vendor()

    @given(bodies())
    @relaxed
    def law(body: Body) -> None:
        assert ASSISTANT.problems(body, SourceMap) == []
        sent = {key: [] if key == "tools" and value is None else value for key, value in body.items()}
        assert [error.message for error in vendor.iter_errors(sent)] == []

    law()


json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=6
)
keywords = st.sampled_from([*CHECKS, "$ref", "zzz"])
likely = st.one_of(
    json_values, st.sampled_from(["string", ["string", "null"], ["string", "string"], [], {}, True, -1, 1.5])
)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.one_of(inner, st.lists(inner, max_size=2), st.dictionaries(names, inner, max_size=2))
    return st.dictionaries(keywords, several, max_size=3)


any_schemas = st.recursive(st.dictionaries(keywords, likely, max_size=3), _nested, max_leaves=5)


@given(any_schemas)
@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_the_quick_check_lets_pass_the_meta_schema_does_too(schema: Body) -> None:
    if looks_valid(schema):
        assert [error.message for error in META.iter_errors(schema)] == []


@given(parameters())
@relaxed
def test_the_quick_check_knows_what_people_usually_write(schema: Body) -> None:
    assert looks_valid(schema)
