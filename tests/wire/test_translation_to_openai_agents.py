"""Portable bodies as OpenAI's saved agents: a folder of cases, and what holds for every body.

A case holds the portable body; the rest of it is rewritten with TRUEUP_REGOLD=1.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.local.specs import spec
from trueup.core.definitions.protocols import FieldSupport, Support, Translation, list_loss_faults
from trueup.core.source import Path, Severity, dotted
from trueup.wire.openai_agents.translation import LOSSES, NO_PARAMETERS, translate

CASES = sorted((FilePath(__file__).resolve().parents[1] / "golden" / "translation" / "openai-agents").glob("*.json"))
REGOLD = os.environ.get("TRUEUP_REGOLD") == "1"

SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
TEXTS = st.text("ab\n", max_size=5)
IDS = st.lists(st.sampled_from(["file-1", "vs_1"]), max_size=2)


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


FUNCTIONS = st.builds(
    lambda name, rest: {"type": "function", "function": {"name": name, **rest}},
    st.sampled_from(["lookup", "pay"]),
    optional(description=st.none() | TEXTS, parameters=st.none() | st.just(SCHEMA), strict=st.none() | st.booleans()),
)
OTHER_TOOLS = st.sampled_from(
    [{"type": "code_interpreter"}, {"type": "file_search", "file_search": {"max_num_results": 5}}]
)
FORMATS = (
    st.sampled_from([None, "auto", "text", "json_object", {"type": "text"}, {"type": "json_object"}])
) | optional(
    name=st.just("order"), description=TEXTS, strict=st.none() | st.booleans(), schema=st.none() | st.just(SCHEMA)
).map(lambda inner: {"type": "json_schema", "json_schema": inner})
BODIES = st.builds(
    lambda model, rest: {**rest, "model": model},
    st.just("gpt-5.5"),
    optional(
        name=st.none() | st.sampled_from(["", "Support", "n" * 128, "n" * 129, "n" * 256]),
        description=st.none() | TEXTS,
        instructions=st.none() | TEXTS,
        reasoning_effort=st.none() | st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
        temperature=st.none() | st.sampled_from([0, 0.2, 1, 1.0, 2]),
        top_p=st.none() | st.sampled_from([0, 0.5, 1]),
        tools=st.none() | st.lists(FUNCTIONS | OTHER_TOOLS, max_size=4),
        tool_resources=st.none()
        | optional(
            code_interpreter=st.none() | optional(file_ids=IDS),
            file_search=st.none() | optional(vector_store_ids=IDS),
        ),
        metadata=st.none() | st.dictionaries(st.sampled_from(["owner", "team"]), TEXTS, max_size=2),
        response_format=FORMATS,
        file_ids=IDS,
    ),
)
"""Bodies that the portable schema takes, but for functions and schemas that lack what only some vendors require."""


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that holds no other, with its path."""
    entries: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [leaf for key, entry in entries for leaf in leaves(entry, (*path, key))]
    yield from found or [(path, value)]


def value_at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def source_of(path: Path, translation: Translation) -> Path | None:
    """Where in the portable body a value of the result came from; deeper ones go along with their holder."""
    for length in range(len(path), 0, -1):
        found = translation.sources.get(path[:length])
        if found is not None:
            return (*found, *path[length:])
    return None


def verdict_on(path: Path, translation: Translation) -> FieldSupport:
    """Return the verdict that covers a portable value: the one of the longest path."""
    covering = [verdict for verdict in translation.verdicts if path[: len(verdict.path)] == verdict.path]
    return max(covering, key=lambda verdict: len(verdict.path))


def shown(translation: Translation) -> dict[str, Any]:
    verdicts = [
        {
            "at": dotted(verdict.path), "word": verdict.word.value, "key": verdict.key, "text": verdict.text,
            "hint": verdict.hint, "field": verdict.field, "required": verdict.required,
        }
        for verdict in translation.verdicts
    ]  # fmt: skip
    lean = [{key: value for key, value in verdict.items() if value not in ("", False)} for verdict in verdicts]
    sources = {dotted(native): dotted(portable) for native, portable in translation.sources.items()}
    return {"native": translation.body, "sources": sources, "verdicts": lean}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_portable_body_is_translated_as_written_down(path: FilePath) -> None:
    portable = json.loads(path.read_text(encoding="utf-8"))["portable"]
    text = json.dumps({"portable": portable, **shown(translate(portable))}, indent=1, ensure_ascii=False) + "\n"
    if REGOLD:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


@given(BODIES)
def test_every_field_gets_exactly_one_verdict(body: dict[str, Any]) -> None:
    verdicts = translate(body).verdicts
    paths = [verdict.path for verdict in verdicts]
    assert len({*paths}) == len(paths)
    for name, value in body.items():
        inside = [path for path in paths if path[0] == name]
        if name == "tools" and value:
            assert sorted(path for path in inside if len(path) == 2) == [(name, index) for index in range(len(value))]
        elif name == "tool_resources" and value:
            assert sorted(inside) == sorted(
                (name, tool, *([entry] if entry else [])) for tool, lists in value.items() for entry in lists or [""]
            )
        else:
            assert inside[0] == (name,)
    for verdict in verdicts:
        assert bool(verdict.hint) == (verdict.word is Support.UNSUPPORTED)
        assert verdict.text or verdict.word is Support.SUPPORTED
        assert verdict.key in LOSSES or verdict.required or verdict.word is not Support.UNSUPPORTED


@given(BODIES)
def test_what_is_supported_or_converted_arrives(body: dict[str, Any]) -> None:
    translation = translate(body)
    arrived = {source_of(path, translation): value for path, value in leaves(translation.body)}
    for path, value in leaves(body):
        verdict = verdict_on(path, translation)
        if verdict.word is Support.UNSUPPORTED:
            assert path not in arrived
        elif verdict.text.startswith("left out") or path[-1] == "strict" or value in (None, {}):
            continue  # it asks for what is the default anyway
        elif path in arrived:
            assert arrived[path] == value
        else:
            assert path == ("response_format", "json_schema")


@given(BODIES)
def test_nothing_else_appears_and_every_value_has_a_source(body: dict[str, Any]) -> None:
    translation = translate(body)
    for path, value in leaves(translation.body):
        source = source_of(path, translation)
        assert source is not None
        if path == ("tools",):
            continue  # all that it held is lost
        assert verdict_on(source, translation).word is not Support.UNSUPPORTED
        if path[2:3] == ("parameters",) and value_at(translation.body, path[:3]) == NO_PARAMETERS:
            assert source[2] == "function"
        else:
            assert value_at(body, source) == value


@given(BODIES)
def test_a_translation_leaves_its_input_alone(body: dict[str, Any]) -> None:
    before = copy.deepcopy(body)
    assert translate(body) == translate(body)
    assert body == before


@given(BODIES)
def test_what_comes_out_is_a_body_that_the_vendor_takes(body: dict[str, Any]) -> None:
    schema = spec("openai-agents.json")["schemas"]["CreateRequest"]
    assert [*Draft202012Validator(schema).iter_errors(translate(body).body)] == []


def test_a_loss_is_an_error_unless_the_target_allows_it_or_patches_the_field() -> None:
    verdicts = translate(
        {
            "model": "m",
            "temperature": 0.2,
            "tools": [{"type": "function", "function": {"name": "f", "description": "d", "strict": True}}],
        }
    ).verdicts

    def told(allowed: list[str], patched: list[str] = []) -> list[tuple[str, Severity]]:  # noqa: B006 - not changed
        found = list_loss_faults(verdicts, "openai-agents", allowed, patched)
        return [(dotted(fault.path), fault.severity) for fault in found]

    strict = "tools[0].function.strict"
    assert told([]) == [("temperature", Severity.ERROR), (strict, Severity.ERROR)]
    assert told(["temperature"]) == [("temperature", Severity.WARNING), (strict, Severity.ERROR)]
    assert told(["temperature", "tools.function"]) == [("temperature", Severity.WARNING), (strict, Severity.WARNING)]
    assert told(["temperature"], ["tools"]) == [("temperature", Severity.WARNING)]
    assert told(["tools.func"]) == told([])


def test_what_must_be_written_cannot_be_allowed_away() -> None:
    verdicts = translate({"model": "m", "name": "n" * 129}).verdicts
    faults = list(list_loss_faults(verdicts, "openai-agents", ["name"]))
    assert [(fault.severity, fault.hint) for fault in faults] == [(Severity.ERROR, "Write a shorter `name`.")]
    assert list(list_loss_faults(verdicts, "openai-agents", [], ["name"])) == []
