"""The gate and the validator say the same: a yes is always right, and where something is right the gate says yes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.core.test_validate_laws import MUTATIONS, Body, bodies, json_values, names, scalars, words
from tests.extent import examples
from trueup.core.rules.gate import make_gate
from trueup.core.rules.validate import _inline
from trueup.edge import schemas

ASSISTANT = schemas.load("assistant")
INLINED = _inline(ASSISTANT, ASSISTANT["$defs"], ())
GATE, JUDGE = make_gate(INLINED), Draft202012Validator(ASSISTANT)

patient = settings(deadline=None, max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])

types = st.sampled_from(["string", "object", "array", "boolean", "null", "integer", "number"])
bounds = st.integers(-1, 3)
keys = st.sampled_from(["a", "b", "type"])
simple = st.fixed_dictionaries(
    {},
    optional={
        "type": types | st.lists(types, min_size=1, max_size=3, unique=True),
        "enum": st.lists(scalars, min_size=1, max_size=3),
        "const": scalars,
        "minLength": bounds,
        "maxLength": bounds,
        "pattern": st.sampled_from(["^a", "b$", "^$", "^[a-z]{1,3}$"]),
        "minimum": bounds,
        "maximum": bounds,
        "exclusiveMinimum": bounds,
        "minItems": bounds,
        "maxItems": bounds,
        "uniqueItems": st.booleans(),
        "minProperties": bounds,
        "maxProperties": bounds,
        "required": st.lists(keys, max_size=2, unique=True),
        "title": words,
        "format": st.just("date"),
    },
)


def _deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    nested = st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(keys, inner, max_size=2),
            "additionalProperties": inner | st.booleans(),
            "propertyNames": inner,
            "items": inner,
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "if": inner | conditions,
            "then": inner,
            "else": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
        },
    )
    return st.builds(lambda plain, more: {**plain, **more}, simple, nested)


conditions = st.sampled_from(
    [
        {"type": "string"},
        {"type": "object"},
        {"required": ["type"], "properties": {"type": {"const": "a"}}},
        {"required": ["type"], "properties": {"type": {"enum": ["a", "b"]}}},
        {"properties": {"type": {"const": "a"}}},
        {"required": ["type"], "properties": {"type": {"const": 1}}},
    ]
)
any_schemas = st.recursive(simple | st.booleans(), _deeper, max_leaves=6)
values = json_values | st.dictionaries(keys, scalars | st.sampled_from(["a", "b"]), max_size=3)


@given(any_schemas, values)
@settings(patient, max_examples=examples(400))
def test_a_yes_is_always_right(schema: Any, value: Any) -> None:
    if make_gate(schema)(value):
        assert [error.message for error in Draft202012Validator(schema).iter_errors(value)] == []


@given(bodies())
@patient
def test_every_good_definition_gets_its_yes(body: Body) -> None:
    before = copy.deepcopy(body)
    assert GATE(body)
    assert body == before


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with each of its keys or indexes."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, entry in inside for place in ((value, key), *_places(entry))]


odd_scalars = st.sampled_from(["", "x" * 600, "x" * 70, 2, -0.1, 51, True, None])
ODD = st.one_of(json_values, odd_scalars, odd_scalars.map(lambda value: [value])).map(copy.deepcopy)


@given(bodies(), st.data())
@settings(patient, max_examples=examples(300))
def test_gate_and_judge_agree_on_spoiled_definitions(body: Body, data: st.DataObject) -> None:
    body = copy.deepcopy(body)  # the strategy's own values are not to be spoiled
    for _ in range(data.draw(st.integers(1, 3))):
        places = _places(body)
        if not places:
            break
        holder, key = data.draw(st.sampled_from(places))
        manner = data.draw(st.sampled_from(["replace", "remove", "add"]))
        if manner == "replace":
            holder[key] = data.draw(ODD)
        elif manner == "remove":
            del holder[key]
        elif isinstance(holder, dict):
            holder[data.draw(names | st.sampled_from(["type", "model", "function", "x" * 65]))] = data.draw(ODD)
        else:
            holder.append(data.draw(ODD))
    assume(not any(isinstance(entry[key], float) and entry[key].is_integer() for entry, key in _places(body)))
    assert GATE(body) == JUDGE.is_valid(body)


@pytest.mark.parametrize("mistake", sorted(MUTATIONS))
@given(body=bodies())
@settings(patient, max_examples=10)
def test_no_known_mistake_passes(mistake: str, body: Body) -> None:
    MUTATIONS[mistake][1](body)
    assert not GATE(body)


PROJECT = schemas.load("project")
PROJECTS: list[Body] = [
    {},
    {"project": "fleet", "targets": None},
    {"project": "fleet", "targets": {"live": {"api_key": {"env": "KEY"}}, "here": {"base_url": "local"}}},
    {
        "project": "fleet",
        "targets": {"live": {"token": {"command": ["az", "token"]}, "headers": {"X-A": {"env": "A"}}}},
    },
    {"released": ["old", "older"], "moved": {"a": "b"}, "vars": {"tier": "gold", "ids": ["a", 1]}},
    {"targets": {"live": {"timeout": 2.5, "allow_loss": ["tools.function.strict"], "always_send": ["model", "name"]}}},
    {"targets": {"live": {"gateway": "portkey", "portkey": {"api_key": {"env": "P"}, "provider": "openai"}}}},
]
SPOILED: list[Body] = [
    {"released": ["old", "old"]},
    {"targets": {"live": {"api_key": {}}}},
    {"targets": {"live": {"api_key": {"env": "KEY", "command": ["a"]}}}},
    {"targets": {"live": {"timeout": 0}}},
]


@pytest.mark.parametrize("value", PROJECTS + SPOILED, ids=str)
def test_a_usual_project_file_needs_no_validator(value: Body) -> None:
    assert Draft202012Validator(PROJECT).is_valid(value) == (value in PROJECTS)
    assert make_gate(_inline(PROJECT, PROJECT["$defs"], ()))(value) == (value in PROJECTS)


def test_a_word_that_is_not_known_is_left_to_the_validator() -> None:
    assert not make_gate({"type": "string", "contentEncoding": "base64"})("x")
    assert not make_gate({"$ref": "#/$defs/a", "$defs": {"a": True}})("x")
    assert not make_gate({"type": "integer"})(1.0)
    assert not make_gate({"if": {"minimum": 3}, "then": False})(1)
