"""Folders of definitions against what they become: `tests/golden/definitions`, rewritten with TRUEUP_REGOLD=1."""

from __future__ import annotations

import errno
import gc
import json
import os
from pathlib import Path
from typing import Any

import pytest

from trueup.core.definitions.definition import Definition
from trueup.core.projects.project import Project
from trueup.core.source import Severity, dotted
from trueup.edge.definitions.loader import LoadResult, Workspace
from trueup.edge.project_file import load_project

GOLDEN = Path(__file__).parent.parent / "golden" / "definitions"
CASES = sorted(path.name for path in GOLDEN.iterdir())
REGOLD = os.environ.get("TRUEUP_REGOLD") == "1"


def load(root: Path, target: str = "", **overrides: str) -> LoadResult:
    """Return the definitions in a folder for one target."""
    project = load_project(root)
    return Workspace(root, project).load(project.targets[target or project.default_target], overrides)


def written(root: Path, files: dict[str, str]) -> Path:
    """Make a folder with these files in it."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return root


def told(loaded: LoadResult) -> list[tuple[str, str]]:
    """Code and place of every diagnostic."""
    return [(item.code, str(item.position)) for item in loaded.diagnostics]


def shown(definition: Definition) -> dict[str, Any]:
    """Return a definition as a golden file holds it."""
    lifecycle = definition.lifecycle
    values = definition.locate().values
    return {
        "file": definition.file,
        "body": definition.body,
        "lifecycle": [
            lifecycle.protect,
            [[entry.field, entry.reason, entry.until] for entry in lifecycle.ignore_changes],
        ],
        "parts": definition.parts,
        "positions": {dotted(path): str(values[path]) for path in sorted(values, key=dotted)},
    }


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str) -> None:
    root = GOLDEN / case
    project = load_project(root)
    workspace = Workspace(root, project)
    loaded = {name: workspace.load(target, {}) for name, target in project.targets.items()}
    expected: dict[str, Any] = {
        name: {"left_out": sorted(one.left_out), "definitions": {item.name: shown(item) for item in one.definitions}}
        for name, one in loaded.items()
    }
    lines = {
        f"{item.severity.value} {item.code} {item.position} {dotted(item.path)}\n"
        f"  {item.message}\n  {item.hint}\n": None
        for one in loaded.values()
        for item in one.diagnostics
    }
    compare(root / "expected.json", json.dumps(expected, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    compare(root / "diagnostics.txt", "".join(lines))


def compare(path: Path, text: str) -> None:
    """Check that a file holds the text; with TRUEUP_REGOLD, write it."""
    if REGOLD:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_names_are_in_order_and_complete(tmp_path: Path) -> None:
    root = written(tmp_path, {f"assistants/{name}.yaml": "model: m\n" for name in ("b", "a/z", "a", "c")})
    written(root, {"assistants/bad.yaml": "x: ["})
    loaded = load(root)
    assert [item.name for item in loaded.definitions] == ["a", "a/z", "b", "c"]
    assert loaded.names == {"a", "a/z", "b", "bad", "c"}
    assert [item.code for item in loaded.errors] == ["yaml-syntax"]


def test_links_and_special_files_are_refused(tmp_path: Path) -> None:
    root = written(
        tmp_path, {"assistants/a.yaml": "model: m\ninstructions: {file: _linked/x.md}\n", "other/x.md": "secret\n"}
    )
    (root / "assistants" / "_linked").symlink_to(root / "other")
    (root / "assistants" / "b.yaml").symlink_to(root / "other" / "x.md")
    os.mkfifo(root / "assistants" / "c.yaml")
    loaded = load(root)
    assert loaded.definitions == ()
    assert sorted(told(loaded)) == [
        ("file-not-read", "assistants/a.yaml:2:15"),
        ("special-file", "assistants/c.yaml:1:1"),
        ("symbolic-link", "assistants/_linked:1:1"),
        ("symbolic-link", "assistants/b.yaml:1:1"),
    ]


def test_a_pipe_named_by_a_file_is_refused_without_waiting(tmp_path: Path) -> None:
    root = written(tmp_path, {"assistants/a.yaml": "model: m\ninstructions: {file: ../pipe.md}\n"})
    os.mkfifo(root / "pipe.md")
    assert told(load(root)) == [("file-not-read", "assistants/a.yaml:2:15")]


def test_a_hidden_file_is_never_included(tmp_path: Path) -> None:
    root = written(tmp_path, {"assistants/a.yaml": "model: m\ninstructions: {file: ../.env}\n", ".env": "KEY=1\n"})
    assert told(load(root)) == [("path-refused", "assistants/a.yaml:2:15")]


def test_names_are_composed_and_invisible_characters_refused(tmp_path: Path) -> None:
    root = written(tmp_path, {"assistants/cafe\u0301.yaml": "model: m\n", "assistants/a\u200bb.yaml": "model: m\n"})
    written(
        root,
        {
            'assistants/q"q.yaml': "model: m\n",
            "assistants/b\\b.yaml": "model: m\n",
            "assistants/n\nn.yaml": "model: m\n",
        },
    )
    loaded = load(root)
    assert loaded.names == {"caf\u00e9"}
    assert loaded.definitions[0].body["name"] == "caf\u00e9"
    assert [item.code for item in loaded.errors] == ["bad-name"] * 4


def test_two_forms_of_one_name_are_an_error_naming_both(tmp_path: Path) -> None:
    root = written(
        tmp_path, {"assistants/Stra\u00dfe.yaml": "model: m\n", "assistants/STRASSE.md": "---\nmodel: m\n---\n"}
    )
    loaded = load(root)
    [problem] = loaded.errors
    assert problem.code == "name-taken"
    assert "Stra\u00dfe.yaml" in problem.message
    assert "STRASSE.md" in problem.message
    assert loaded.definitions == ()


VARS = {
    "trueup.yaml": "vars: {temp: 0.5, other: x}\n",
    "assistants/a.yaml": "model: {var: model}\ntemperature: {var: temp}\n"
    "tool_resources: {file_search: {vector_store_ids: {var: stores}}}\n"
    "lifecycle: {protect: {var: protect}}\nmetadata: {n: {var: n}}\n",
}
GIVEN = {"model": "5", "temp": "1e0", "stores": '["vs_1"]', "protect": "true", "n": "7"}


def test_var_text_becomes_the_type_that_is_wanted(tmp_path: Path) -> None:
    [definition] = load(written(tmp_path, VARS), **GIVEN).definitions
    assert definition.body["model"] == "5"
    assert definition.body["temperature"] == 1.0
    assert definition.body["metadata"] == {"n": "7"}
    assert definition.body["tool_resources"] == {"file_search": {"vector_store_ids": ["vs_1"]}}
    assert definition.lifecycle.protect is True
    assert str(definition.locate().value(("temperature",))) == "assistants/a.yaml:2:14"


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("temp", "warm", "2:14"),
        ("stores", "vs_1", "3:50"),
        ("stores", "[vs_1]", "3:50"),
        ("protect", "yes", "4:22"),
        ("temp", ".nan", "2:14"),
    ],
)
def test_var_text_of_another_type_is_an_error(tmp_path: Path, name: str, text: str, place: str) -> None:
    loaded = load(written(tmp_path, VARS), **{**GIVEN, name: text})
    assert told(loaded) == [("var-wrong-type", f"assistants/a.yaml:{place}")]
    assert text in loaded.diagnostics[0].message


def test_a_var_that_nothing_uses_is_an_error_with_the_nearest(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, VARS), **GIVEN, modle="x", other="declared, so fine")
    assert [(item.code, item.hint) for item in loaded.errors] == [("unused-var", "Did you mean 'model'?")]


def test_names_that_were_given_up_must_have_no_file(tmp_path: Path) -> None:
    root = written(tmp_path, {f"assistants/{name}.yaml": "model: m\n" for name in ("old", "new", "free")})
    written(root, {"trueup.yaml": "moved: {old: new}\nreleased: [free]\n"})
    assert told(load(root)) == [("name-given-up", "trueup.yaml:1:9"), ("name-given-up", "trueup.yaml:2:12")]


def test_a_note_is_not_given_for_text_that_is_used(tmp_path: Path) -> None:
    root = written(
        tmp_path, {"assistants/a.yaml": "model: m\ninstructions: {file: used.md}\n", "assistants/used.md": "x\n"}
    )
    written(root, {"assistants/unused.md": "y\n"})
    loaded = load(root)
    assert told(loaded) == [("no-front-matter", "assistants/unused.md:1:1")]
    assert loaded.diagnostics[0].severity is Severity.NOTE
    assert loaded.names == {"a"}


OTHER_ENDINGS = {
    "a.json": "a.yaml",
    "b.markdown": "b.md",
    "c.yaml.txt": "c.yaml",
    "d.MARKDOWN": "d.md",
    "e.yml.bak": "e.yml",
    "f.yaml~": "f.yaml",
    "team/g.v2.jsonc": "g.v2.yaml",
    "h.yalm": "h.yaml",
}


@pytest.mark.parametrize("name", OTHER_ENDINGS)
def test_a_definition_with_another_ending_is_named_with_what_to_rename_it_to(tmp_path: Path, name: str) -> None:
    text = "---\nmodel: m\n---\n" if OTHER_ENDINGS[name].endswith(".md") else "model: m\n"
    root = written(tmp_path, {f"assistants/{name}": text, "assistants/good.yaml": "model: m\n"})
    loaded = load(root)
    assert told(loaded) == [("other-ending", f"assistants/{name}:1:1")]
    [warning] = loaded.diagnostics
    assert warning.severity is Severity.WARNING
    assert f"Rename it to {OTHER_ENDINGS[name]} if it is a definition;" in warning.hint
    (root / "assistants" / name).rename((root / "assistants" / name).parent / OTHER_ENDINGS[name])
    assert told(load(root)) == []
    assert len(load(root).names) == 2


def test_endings_in_capitals_are_read(tmp_path: Path) -> None:
    root = written(tmp_path, {"assistants/a.YAML": "model: m\n", "assistants/b.Md": "---\nmodel: m\n---\n"})
    assert load(root).names == {"a", "b"}
    assert told(load(root)) == []


def test_other_files_are_noted_and_copies_are_not_to_be_renamed(tmp_path: Path) -> None:
    files = ("a.yaml", "a.yml.bak", "LICENSE", "logo.png", "prompt.txt")
    loaded = load(written(tmp_path, {f"assistants/{name}": "model: m\n" for name in files}))
    assert [(item.severity.value, item.position and item.position.file) for item in loaded.diagnostics] == [
        ("note", "assistants/LICENSE"),
        ("warning", "assistants/a.yml.bak"),
        ("note", "assistants/logo.png"),
        ("note", "assistants/prompt.txt"),
    ]
    assert "Remove it if it is a copy of the definition a;" in loaded.diagnostics[1].hint
    assert loaded.errors == ()


def test_files_that_are_included_or_hidden_or_no_definitions_by_name_are_not_named(tmp_path: Path) -> None:
    body = "extends: base.json\ninstructions: [{file: data.json}, {file: text.md}]\ntools: [{file: more/tool.json}]\n"
    root = written(
        tmp_path,
        {
            "trueup.yaml": "targets: {local: , other: {base_url: local}}\ndefault_target: local\n",
            "assistants/a.yaml": f"{body}targets: {{other: {{instructions: {{file: other.json}}}}}}\n",
            "assistants/base.json": '{"model": "m", "response_format": {"type": "text"}}\n',
            "assistants/data.json": "{}\n",
            "assistants/text.md": "x\n",
            "assistants/other.json": "x\n",
            "assistants/more/tool.json": '{"type": "file_search"}\n',
            "assistants/README": "",
            "assistants/readme.TXT": "",
            "assistants/team/Readme.markdown": "",
            "assistants/_part.json": "",
            "assistants/_parts/x.json": "",
            "assistants/.hidden.json": "",
        },
    )
    for target in ("local", "other"):
        assert told(load(root, target)) == []
    written(root, {"assistants/a.yaml": body.replace("data", "date")})
    assert ("other-ending", "assistants/data.json:1:1") in told(load(root))


def test_bodies_share_nothing_between_definitions_and_targets(tmp_path: Path) -> None:
    root = written(
        tmp_path,
        {"trueup.yaml": "project: p\nvars: {l: [x]}\ntargets: {local: , prod: {protocol: openai-assistants}}\n"},
    )
    base = (
        "model: m\ntools: [{file: _t.yaml}, {type: function, function: {name: g, parameters: {type: object}}}]\n"
        "tool_resources: {file_search: {vector_store_ids: {var: l}}}\nmetadata: {a: b}\n"
    )
    written(
        root,
        {
            "assistants/_base.yaml": base,
            "assistants/_t.yaml": "type: function\nfunction: {name: f, parameters: {type: object}}\n",
        },
    )
    written(root, {f"assistants/{name}.yaml": "extends: _base.yaml\n" for name in "ab"})
    project = load_project(root)
    workspace = Workspace(root, project)
    before = workspace.load(project.targets["local"], {})
    kept = json.dumps([item.body for item in before.definitions])
    for target in project.targets.values():
        for definition in workspace.load(target, {}).definitions:
            assert isinstance(definition.body["metadata"], dict)
            definition.body["metadata"]["a"] = "spoilt"
            definition.body["tool_resources"]["file_search"]["vector_store_ids"].append("spoilt")
    assert json.dumps([item.body for item in before.definitions]) == kept
    assert json.dumps([item.body for item in workspace.load(project.targets["local"], {}).definitions]) == kept


def test_users_of_a_part(tmp_path: Path) -> None:
    root = written(
        tmp_path, {"assistants/_s/x.md": "x", "assistants/_b.yaml": "model: m\ninstructions: {file: _s/x.md}\n"}
    )
    written(root, {"assistants/a.yaml": "extends: _b.yaml\n", "assistants/b.yaml": "model: m\n"})
    workspace = Workspace(root, load_project(root))
    workspace.load(load_project(root).targets["local"], {})
    assert workspace.find_users("assistants/_s/x.md") == {"a"}
    assert workspace.find_users("assistants/b.yaml") == set()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert told(load(tmp_path)) == [("no-definitions", "assistants:1:1")]


def test_the_collector_is_as_it_was(tmp_path: Path) -> None:
    root = written(tmp_path, {"assistants/a.yaml": "model: m\n"})
    assert gc.isenabled()
    load(root)
    assert gc.isenabled()


def test_positions_survive_a_file_that_vanished(tmp_path: Path) -> None:
    root = written(tmp_path, {"assistants/a.yaml": "model: m\n"})
    [definition] = load(root).definitions
    (root / "assistants" / "a.yaml").unlink()
    assert str(definition.locate().value(("model",))) == "assistants/a.yaml:1:1"


def test_the_default_project_needs_no_file() -> None:
    project = load_project(GOLDEN / "plain")
    assert isinstance(project, Project)
    assert list(project.targets) == ["local"]


def test_a_folder_that_may_not_be_read_is_a_problem_at_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root no folder is closed, so the system's answer is put in its mouth."""
    root = written(tmp_path, {"assistants/a.yaml": "model: m\n", "assistants/closed/b.yaml": "model: m\n"})
    real = os.scandir

    def scandir(place: str) -> object:
        if str(place).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", place)
        return real(place)

    monkeypatch.setattr(os, "scandir", scandir)
    [problem] = load(root).diagnostics
    assert problem.code == "file-not-read"
    assert "assistants/closed cannot be read: permission denied" in problem.message
