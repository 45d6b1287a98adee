"""What `--var` text becomes, by the types that a schema wants."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.core.definitions.filled import from_text, types_by_path
from trueup.edge import schemas

SCHEMA = {
    "properties": {
        "a": {"type": ["number", "null"]},
        "b": {"$ref": "#/$defs/word"},
        "c": {
            "items": {
                "if": {"required": ["x"]},
                "then": {"properties": {"n": {"type": "integer"}}},
            }
        },
        "d": {"anyOf": [{"enum": ["auto"]}, {"type": "object"}]},
        "loop": {"$ref": "#/properties/loop"},
    },
    "patternProperties": {"^p": {"type": "boolean"}},
    "additionalProperties": {"type": "string"},
    "$defs": {"word": {"type": "string"}},
}


@pytest.mark.parametrize(
    ("path", "types"),
    [
        (("a",), {"number", "null"}),
        (("b",), {"string"}),
        (("c", 3, "n"), {"integer"}),
        (("d",), {"string", "object"}),
        (("loop",), set()),
        (("px",), {"boolean"}),
        (("other",), {"string"}),
        (("a", "b", "c"), set()),
    ],
)
def test_types_by_path(path: tuple[str | int, ...], types: set[str]) -> None:
    assert types_by_path(SCHEMA)(path) == types


def test_the_assistant_schema_is_understood() -> None:
    wanted = types_by_path(schemas.load("assistant"))
    assert wanted(("model",)) == {"string"}
    assert wanted(("temperature",)) == {"number", "null"}
    assert "integer" in wanted(("tools", 4, "file_search", "max_num_results"))
    assert "array" in wanted(("tool_resources", "file_search", "vector_store_ids"))
    assert "string" in wanted(("tool_resources", "file_search", "vector_store_ids", 0))
    assert "string" in wanted(("metadata", "owner"))
    assert "boolean" in wanted(("lifecycle", "protect"))


@pytest.mark.parametrize(
    ("text", "types", "value"),
    [
        ("5", {"string"}, "5"),
        ("5", set(), "5"),
        ("5", {"number"}, 5),
        ("5.0", {"integer"}, 5),
        ("0.5", {"number", "null"}, 0.5),
        ("null", {"number", "null"}, None),
        ("null", {"string", "null"}, "null"),
        ("false", {"boolean"}, False),
        ('["a", 1]', {"array"}, ["a", 1]),
        ("[]", {"array", "null"}, []),
    ],
)
def test_text_becomes_the_type(text: str, types: set[str], value: Any) -> None:
    found = from_text(text, frozenset(types))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("x", {"number"}),
        ("0.5", {"integer"}),
        ("1", {"boolean"}),
        ("yes", {"boolean"}),
        (".inf", {"number"}),
        ("a", {"array"}),
        ("[[1]]", {"array"}),
        ("[a]", {"array"}),
        ("{}", {"object"}),
        ("", {"number"}),
        ("true", {"number"}),
    ],
)
def test_other_text_is_refused_in_words(text: str, types: set[str]) -> None:
    with pytest.raises(ValueError, match="is"):
        from_text(text, frozenset(types))
