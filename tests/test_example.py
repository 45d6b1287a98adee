"""The example project loads for each target without a word, shows what a definition can do, and a vendor takes it."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from trueup.core.definitions.definition import Definition
from trueup.core.definitions.document import BODY
from trueup.core.memory.stamp import LENGTH
from trueup.core.memory.state import Identity
from trueup.core.rules.validate import Checker, check_definition
from trueup.core.source import SourceMap
from trueup.edge import schemas
from trueup.edge.definitions.documents import read_markdown
from trueup.edge.definitions.loader import LoadResult, Workspace
from trueup.edge.project_file import load_project
from trueup.edge.schemas import format_of
from trueup.edge.state.store import Store
from trueup.edge.yaml.reader import read_yaml
from trueup.wire.registry import adapter_for

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ("local", "staging")
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "assistants").rglob("*")
    if path.suffix in (".yaml", ".md") and "_shared" not in path.parts
)


def loaded(target: str) -> LoadResult:
    project = load_project(ROOT)
    return Workspace(ROOT, project).load(project.targets[target], {})


def definitions(target: str) -> dict[str, Definition]:
    return {definition.name: definition for definition in loaded(target).definitions}


@pytest.mark.parametrize("target", TARGETS)
def test_it_loads_without_a_word(target: str) -> None:
    found = loaded(target)
    form = format_of("openai-assistants")
    problems = [*found.diagnostics]
    for one in found.definitions:
        problems += check_definition(one, form.table, form.check, stamp_length=LENGTH)
    assert [str(item) for item in problems] == []
    assert found.names == found.left_out | {one.name for one in found.definitions}


@pytest.mark.parametrize("file", FILES)
def test_each_file_is_what_editors_expect_and_names_their_schema(file: str) -> None:
    data = (ROOT / file).read_bytes()
    document = read_markdown(data, file) if file.endswith(".md") else read_yaml(data, file)
    assert document.diagnostics == ()
    value: dict[str, Any] = document.value if isinstance(document.value, dict) else {}
    assert value
    value = {("instructions" if key == BODY else key): entry for key, entry in value.items()}
    assert Checker(schemas.load("definition")).problems(value, SourceMap) == []
    up = "../" * (file.count("/"))
    assert f"# yaml-language-server: $schema={up}schemas/definition.schema.json" in data.decode().splitlines()[:2]


def test_it_shows_what_a_definition_can_do() -> None:
    local, staging = definitions("local"), definitions("staging")
    assert sorted(local) == [
        "essay-coach",
        "math-tutor",
        "reports/weekly-numbers",
        "science-tutor",
        "support/kit-helper",
        "support/orders",
        "support/triage",
    ]
    assert set(local) - set(staging) == {"reports/weekly-numbers"}
    assert local["math-tutor"].body["model"] != staging["math-tutor"].body["model"]
    stores = [place["science-tutor"].body["tool_resources"]["file_search"] for place in (local, staging)]
    assert stores[0] != stores[1]
    assert local["support/triage"].body["response_format"]["json_schema"]["schema"]["type"] == "object"
    assert local["support/triage"].lifecycle.protect is True
    assert "reasoning_effort" not in local["essay-coach"].body
    ignored = [entry for one in local.values() for entry in one.lifecycle.ignore_changes]
    assert len(ignored) >= 3
    assert all(entry.reason for entry in ignored)
    assert {tool["type"] for one in local.values() for tool in one.body.get("tools", [])} == {
        "code_interpreter",
        "file_search",
        "function",
    }


def test_parts_are_shared() -> None:
    used = Counter(part for one in definitions("local").values() for part in one.parts)
    assert used["assistants/_shared/safety.md"] >= 5
    assert used["assistants/_base.yaml"] >= 5
    assert used["assistants/_shared/tools/lookup_order.yaml"] == 2
    shared = {path.relative_to(ROOT).as_posix() for path in (ROOT / "assistants" / "_shared").rglob("*.*")}
    assert shared <= set(used), "a shared part that nobody uses"


def test_its_prompts_are_long_enough_to_be_worth_reading() -> None:
    for definition in definitions("local").values():
        assert 10 <= definition.body["instructions"].count("\n") <= 100, definition.name


def copied(folder: Path) -> Path:
    shutil.copytree(ROOT / "assistants", folder / "assistants")
    shutil.copy(ROOT / "trueup.yaml", folder)
    return folder


@pytest.mark.parametrize(
    ("file", "right", "wrong", "expected"),
    [
        (
            "essay-coach.md", "\ntemperature: 0.8", "\ntemprature: 0.8",
            ["assistants/essay-coach.md:9:1 unknown key 'temprature'; did you mean 'temperature'?"],
        ),
        (
            "math-tutor.yaml", 'ages: "10-16"', "ages: 10",
            ["assistants/math-tutor.yaml:28:9 metadata.ages must be text or null, not a number (10)"],
        ),
        (
            "_shared/tools/lookup_order.yaml", "name: lookup_order", "name: look up",
            [
                "assistants/_shared/tools/lookup_order.yaml:4:9 tools[0].function.name may not be 'look up': "
                "a function's name is 1 to 64 letters, digits, underscores and hyphens",
                "assistants/_shared/tools/lookup_order.yaml:4:9 tools[1].function.name may not be 'look up': "
                "a function's name is 1 to 64 letters, digits, underscores and hyphens",
            ],
        ),
        (
            "_base.yaml", "reasoning_effort: low", "reasoning_effort: [low]",
            ["assistants/_base.yaml:4:19 reasoning_effort must be text or null, not a list"],
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_shown_where_it_stands(
    tmp_path: Path, file: str, right: str, wrong: str, expected: list[str]
) -> None:
    root = copied(tmp_path)
    text = (root / "assistants" / file).read_text(encoding="utf-8")
    assert right in text
    (root / "assistants" / file).write_text(text.replace(right, wrong), encoding="utf-8")
    project = load_project(root)
    found = Workspace(root, project).load(project.targets["local"], {})
    assert [f"{item.position} {item.message}" for item in found.diagnostics] == expected


def test_the_hosted_target_in_its_comment_works_once_the_comment_is_taken_off(tmp_path: Path) -> None:
    root = copied(tmp_path)
    before, _, comment = (root / "trueup.yaml").read_text(encoding="utf-8").partition("  #\n")
    opened = "".join(line.replace("  # ", "  ", 1) for line in comment.splitlines(keepends=True))
    (root / "trueup.yaml").write_text(before + opened, encoding="utf-8")
    project = load_project(root)
    assert project.targets["prod"].api_key is not None
    assert adapter_for(project.targets["prod"]).name == "openai-assistants"
    assert not project.targets["prod"].is_local
    assert Workspace(root, project).load(project.targets["prod"], {}).diagnostics == ()


@pytest.mark.parametrize("target", TARGETS)
def test_a_vendor_takes_every_body(target: str) -> None:
    folder = Path(os.environ.get("TRUEUP_SPECS", ROOT.parent / "shared" / "specs"))
    spec = folder / "openai-v2.json"
    if not spec.exists():
        pytest.skip("the vendor's published description is not here; set TRUEUP_SPECS to its folder")
    document = json.loads(spec.read_text(encoding="utf-8"))
    vendor = Draft202012Validator({**document, "$ref": "#/components/schemas/CreateAssistantRequest"})
    for definition in definitions(target).values():
        assert [error.message for error in vendor.iter_errors(definition.body)] == [], definition.name


def test_the_example_ignores_what_a_first_run_would_have_git_ignore(tmp_path: Path) -> None:
    """Otherwise the first command of the README would change a file of the checkout."""
    (tmp_path / "trueup.yaml").write_text("targets: {local: {base_url: local}}\n", encoding="utf-8")
    target = load_project(tmp_path).targets["local"]
    Store(tmp_path, target, Identity("", "local", target.protocol, target.base_url)).prepare()
    assert (ROOT / ".trueup/.gitignore").read_text("utf-8") == (tmp_path / ".trueup/.gitignore").read_text("utf-8")
