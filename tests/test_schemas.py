"""The schemas that come with Trueup: valid, self-contained, told in words, and found wherever it is installed."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from trueup.core.errors import TrueupError
from trueup.core.rules.editor_schema import make_editor_schema
from trueup.core.rules.validate import Checker
from trueup.core.source import SourceMap, dotted
from trueup.edge import schemas
from trueup.wire.openai_agents import fields as openai_agents
from trueup.wire.openai_assistants import fields as openai_assistants

ROOT = Path(__file__).resolve().parents[1]

Definition = dict[str, Any]

TABLES = {"openai-assistants": openai_assistants.DEFINITIONS, "openai-agents": openai_agents.DEFINITIONS}
RESOLVED = {"assistant": "definition", "openai-agents": "definition.openai-agents"}
"""The schema of resolved bodies, and that of what people write."""


def generated(name: str, protocol: str) -> dict[str, Any]:
    return make_editor_schema(schemas.load(name), protocol, TABLES[protocol])


def rules(schema: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every mapping in a schema, with the way to it."""
    if isinstance(schema, Mapping):
        yield path, schema
        for key, value in schema.items():
            yield from rules(value, (*path, key))
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from rules(value, (*path, str(index)))


@pytest.mark.parametrize("name", schemas.list_names())
def test_each_schema_is_valid_and_refers_only_to_itself(name: str) -> None:
    schema = schemas.load(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    known = {"#/" + "/".join(path) for path, _ in rules(schema)} | {"#"}
    references = {rule["$ref"] for _, rule in rules(schema) if isinstance(rule.get("$ref"), str)}
    assert references <= known


@pytest.mark.parametrize("name", [*RESOLVED, *RESOLVED.values()])
def test_every_property_has_a_title_and_a_description(name: str) -> None:
    schema = schemas.load(name)
    bare = [
        "/".join((*path, key))
        for path, rule in rules(schema)
        if path[-1:] == ("properties",) and "if" not in path
        for key, value in rule.items()
        if isinstance(value, Mapping)
        and not value.keys() & {"$ref", "not"}
        and not value.keys() >= {"title", "description"}
    ]
    assert bare == []


@pytest.mark.parametrize(("name", "protocol"), [*zip(RESOLVED, TABLES, strict=True)])
def test_the_editor_s_schema_is_the_generated_one(name: str, protocol: str) -> None:
    text = json.dumps(generated(name, protocol), indent=2, ensure_ascii=False) + "\n"
    committed = ROOT / "schemas" / f"{RESOLVED[name]}.schema.json"
    if os.environ.get("TRUEUP_REGOLD"):
        committed.write_text(text, encoding="utf-8")
    assert committed.read_text(encoding="utf-8") == text, "run the tests once with TRUEUP_REGOLD=1 and read the diff"


@pytest.mark.parametrize(("name", "protocol"), [*zip(RESOLVED, TABLES, strict=True)])
def test_the_editor_s_schema_leaves_the_other_as_it_was(name: str, protocol: str) -> None:
    generated(name, protocol)
    assert schemas.load(name) == json.loads(schemas.read_text(name))


@pytest.mark.parametrize(("name", "protocol"), [*zip(RESOLVED, TABLES, strict=True)])
def test_a_schema_names_the_very_fields_of_its_table(name: str, protocol: str) -> None:
    assert {*TABLES[protocol].by_name, "lifecycle"} == set(schemas.load(name)["properties"])


WRITTEN: list[Definition] = [
    {},
    {"model": {"var": "MODEL"}, "temperature": {"var": "T"}, "name": None},
    {"extends": "_base.yaml", "model": None, "metadata": {"owner": None, "team": {"var": "TEAM"}}},
    {"instructions": {"file": "_shared/a.md"}},
    {"instructions": ["first", {"file": "_shared/a.md"}]},
    {"tools": ["code_interpreter", "file_search", {"file": "_tool.yaml"}]},
    {"tools": {"var": "TOOLS"}},
    {"tools": [{"type": "function", "function": {"name": {"var": "F"}, "parameters": {"file": "_p.yaml"}}}]},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"file": "_s.yaml"}}}},
    {"response_format": {"var": "FORMAT"}},
    {"tool_resources": {"file_search": {"vector_store_ids": [{"var": "STORE"}]}, "code_interpreter": None}},
    {"tool_resources": {"file_search": {"vector_store_ids": {"var": "STORES"}}}},
    {"targets": {"prod": False, "staging": {"model": None, "tool_resources": {"file_search": {}}}}},
    {"targets": {"prod": {"lifecycle": {"protect": None}}}},
    {"protocol": "openai-assistants", "description": {"file": "_d.md"}, "response_format": {"file": "_f.yaml"}},
    {"tools": {"file": "_tools.yaml"}, "metadata": {"file": "x", "note": {"file": "_n.md"}}},
]

MISWRITTEN: list[tuple[Definition, str]] = [
    ({"temprature": 1}, "temprature"),
    ({"temperature": 3}, "temperature"),
    ({"instructions": {"var": "TEXT"}}, "instructions.var"),
    ({"instructions": ["a", {"var": "TEXT"}]}, "instructions[1].var"),
    ({"extends": {"var": "BASE"}}, "extends"),
    ({"model": {"vra": "M"}}, "model.vra"),
    ({"tools": ["web_search"]}, "tools[0]"),
    ({"tools": ["function"]}, "tools[0]"),
    ({"targets": {"prod": True}}, "targets.prod"),
    ({"targets": {"prod": {"extends": "_a.yaml"}}}, "targets.prod.extends"),
    ({"targets": {"prod": {"temperature": 9}}}, "targets.prod.temperature"),
    ({"lifecycle": {"protect": {"var": "P"}}}, "lifecycle.protect"),
    ({"protocol": "openai-agents"}, "protocol"),
    ({"options": {}}, "options"),
]


@pytest.mark.parametrize("definition", WRITTEN, ids=[json.dumps(entry)[:50] for entry in WRITTEN])
def test_editors_accept_every_form_a_definition_is_written_in(definition: Definition) -> None:
    assert Checker(schemas.load("definition")).problems(definition, SourceMap) == []


@pytest.mark.parametrize(("definition", "path"), MISWRITTEN, ids=[row[1] for row in MISWRITTEN])
def test_editors_underline_what_is_no_form(definition: Definition, path: str) -> None:
    found = Checker(schemas.load("definition")).problems(definition, SourceMap)
    assert path in [dotted(item.path) for item in found]


def test_the_package_s_folder_goes_before_the_checkout_s(tmp_path: Path) -> None:
    packaged, checkout = tmp_path / "packaged", tmp_path / "checkout"
    checkout.mkdir()
    assert schemas.find_folder(packaged, checkout) == checkout
    packaged.mkdir()
    assert schemas.find_folder(packaged, checkout) == packaged


def test_an_installation_without_schemas_says_how_to_mend_it(tmp_path: Path) -> None:
    with pytest.raises(TrueupError) as caught:
        schemas.find_folder(tmp_path / "a", tmp_path / "b")
    assert "pip install" in caught.value.hint


def test_a_wheel_carries_each_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = pytest.importorskip("hatchling.build", reason="hatchling is what builds the wheel")
    monkeypatch.chdir(ROOT)
    wheel = tmp_path / builder.build_wheel(str(tmp_path))
    with zipfile.ZipFile(wheel) as archive:
        carried = {name for name in archive.namelist() if name.startswith("trueup/schemas/")}
        assert archive.read("trueup/schemas/assistant.schema.json").decode() == schemas.read_text("assistant")
    assert carried == {f"trueup/schemas/{name}.schema.json" for name in schemas.list_names()}


def test_a_schema_there_is_not() -> None:
    with pytest.raises(TrueupError, match="no schema 'asistant'; did you mean 'assistant'"):
        schemas.read_text("asistant")
    with pytest.raises(TrueupError, match="no schema"):
        schemas.load("../assistant")


def test_names_are_sorted_and_texts_are_what_is_loaded() -> None:
    assert list(schemas.list_names()) == sorted(schemas.list_names())
    assert {"assistant", "definition"} <= set(schemas.list_names())
    assert json.loads(schemas.read_text("assistant")) == schemas.load("assistant")
    assert schemas.load("assistant") is schemas.load("assistant")
    assert schemas.checker_of("assistant") is schemas.checker_of("assistant")
