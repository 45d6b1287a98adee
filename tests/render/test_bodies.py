"""`render` as YAML reads back as the very values, whatever they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trueup.core.definitions.definition import Definition
from trueup.edge.yaml.reader import read_yaml
from trueup.render.records.documents import write_definitions, write_definitions_yaml

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.text(
    "ab \n\t#:-'\"|>%@`&*!?{}[],", max_size=20
)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e6, 1e6) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS.filter(bool), inner, max_size=3),
    max_leaves=12,
)


def _read(text: str) -> Any:
    document = read_yaml(text.encode("utf-8"), "x.yaml")
    assert not document.diagnostics, (text, document.diagnostics)
    return document.value


@given(st.dictionaries(st.sampled_from(["instructions", "tools", "metadata", "yes", "a b", "1"]), VALUES, min_size=1))
@example({"instructions": "no"})
@example({"instructions": "1.0\n\n"})
@example({"instructions": "\n"})
@example({"instructions": " x\ny"})
@example({"instructions": "a\n\n\n b \n"})
@example({"instructions": "a\r\nb"})
@example({"instructions": "a\n\ufeffb"})
@example({"tools": [[["x\ny"]], {"a": ["b\nc", {}]}, [], {}]})
@example({"metadata": {"<<": "x", "\x7f": "\U000e0001\x85"}})
def test_yaml_reads_back(body: dict[str, Any]) -> None:
    text = write_definitions_yaml([Definition("x", body, "assistants/x.yaml")], "local")
    assert json.dumps(_read(text)) == json.dumps(body)


def test_each_assistant_is_a_document_with_a_name() -> None:
    text = write_definitions_yaml(
        [Definition("a", {"model": "m"}, "a.yaml"), Definition("b", {"model": "gpt"}, "b.yaml")], "prod"
    )
    assert text == "# a (target prod), from a.yaml\nmodel: m\n---\n# b (target prod), from b.yaml\nmodel: gpt\n"


@pytest.mark.parametrize("text", ["one", "one\ntwo", "one\ntwo\n", "one\ntwo\n\n"])
def test_a_prompt_is_a_block(text: str) -> None:
    shown = write_definitions_yaml([Definition("a", {"instructions": text}, "a.yaml")], "prod")
    assert _read(shown) == {"instructions": text}
    assert ("|" in shown) == ("\n" in text)


def test_json_holds_the_same() -> None:
    body = {"model": "m", "instructions": "é\n"}
    document = json.loads(write_definitions([Definition("a", body, "a.yaml")], "prod"))
    assert document["assistants"]["a"] == body
