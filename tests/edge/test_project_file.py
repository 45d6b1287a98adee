"""`trueup.yaml`: what each key becomes, what is refused, and that no message shows a credential."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from trueup.core.errors import DefinitionError
from trueup.core.projects.project import Guard, Project, SecretRef
from trueup.edge import schemas
from trueup.edge.project_file import load_project

SECRET = "hunter2-abcdef"


def project(root: Path, text: str) -> Project:
    """Return the project that a file describes."""
    (root / "trueup.yaml").write_text(text, encoding="utf-8")
    return load_project(root)


def refused(root: Path, text: str) -> list[tuple[str, str]]:
    """Code and place of every problem; nothing of it may show the secret."""
    with pytest.raises(DefinitionError) as caught:
        project(root, text)
    assert SECRET not in repr(caught.value.diagnostics)
    assert SECRET not in str(caught.value) + caught.value.hint
    return [(item.code, str(item.position)) for item in caught.value.diagnostics]


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n", "targets:\nvars:\nmoved:\nreleased:\n"])
def test_without_a_word_there_is_the_local_target(tmp_path: Path, text: str | None) -> None:
    found = load_project(tmp_path) if text is None else project(tmp_path, text)
    assert found.name == "local"
    assert found.definitions == "assistants"
    assert found.default_target == "local"
    assert [(target.name, target.base_url, target.project) for target in found.targets.values()] == [("local",) * 3]


FULL = """
project: acme
definitions: fleet/
default_target: prod
vars: {a: 1, l: [x, y]}
moved: {old: middle, middle: new}
released: [gone]
targets:
  local:
  prod:
    protocol: openai-assistants
    dialect: azure-openai
    base_url: https://x.example.com/openai//
    api_key: {env: KEY}
    headers: {x-team: support, x-portkey-api-key: {env: PK}}
    api_version: 2025-03-01-preview
    models: {gpt-4o: dep}
    state: file
    stamp: false
    on_drift: revert
    prune: true
    guard: {deletes: 3, modify_share: 0.25}
    settle: 0
    parallelism: 4
    rate_limit: 2.5
    timeout: 5
    max_retries: 0
    vars: {a: 2}
    allow_loss: [temperature]
  hosted: {token: {command: [az, token]}, openai_organization: org, openai_project: proj}
"""


def test_every_key_arrives(tmp_path: Path) -> None:
    found = project(tmp_path, FULL)
    assert (found.name, found.definitions, found.default_target) == ("acme", "fleet", "prod")
    assert found.vars == {"a": 1, "l": ("x", "y")}
    assert found.moved == {"old": "new", "middle": "new"}
    assert found.released == ("gone",)
    assert found.targets["local"].project == "local"
    hosted = found.targets["hosted"]
    assert (hosted.base_url, hosted.dialect) == ("", "openai")
    assert (hosted.token, hosted.api_key) == (SecretRef(command=("az", "token")), None)
    assert hosted.scope == {"openai_organization": "org", "openai_project": "proj"}
    prod = found.targets["prod"]
    assert prod.project == "acme"
    assert prod.base_url == "https://x.example.com/openai"
    assert prod.api_key == SecretRef(env="KEY")
    assert prod.headers == {"x-team": "support", "x-portkey-api-key": SecretRef(env="PK")}
    assert prod.guard == Guard(deletes=3, modify_share=0.25)
    assert (prod.dialect, prod.api_version) == ("azure-openai", "2025-03-01-preview")
    assert (prod.state, prod.stamp, prod.on_drift, prod.prune) == ("file", False, "revert", True)
    assert (prod.settle, prod.parallelism, prod.rate_limit, prod.timeout, prod.max_retries) == (0, 4, 2.5, 5, 0)
    assert (prod.models, prod.vars, prod.allow_loss) == ({"gpt-4o": "dep"}, {"a": 2}, ("temperature",))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"api_key: {SECRET}", "secret-in-file"),
        (f"token: [{SECRET}]", "secret-in-file"),
        (f"api_key: {{env: {SECRET}}}", "secret-in-file"),
        (f"api_key: {{value: {SECRET}}}", "secret-in-file"),
        (f"api_key: {{env: A, command: [{SECRET}]}}", "secret-in-file"),
        ("api_key: {command: az}", "secret-in-file"),
        (f"headers: {{authorization: {SECRET}}}", "secret-in-file"),
        (f"headers: {{x-api-key: {SECRET}}}", "secret-in-file"),
        (f"headers: {{x-any: Bearer {SECRET}}}", "secret-in-file"),
        (f"headers: {{x-any: {{env: {SECRET}}}}}", "wrong-header"),
        (f"base_url: https://user:{SECRET}@host/v1", "wrong-base-url"),
        (f"base_url: https://{SECRET}@host/v1", "wrong-base-url"),
        (f"base_url: https://host/v1?key={SECRET}", "wrong-base-url"),
        (f"base_url: https://host/v1#{SECRET}", "wrong-base-url"),
        ("base_url: ftp://host", "wrong-base-url"),
        ("base_url: 'https://'", "wrong-base-url"),
        ("base_url: https://host:port", "wrong-base-url"),
        ("base_url: host/v1", "wrong-base-url"),
        (f"api_kye: {SECRET}", "unknown-key"),
        ("parallelism: 0", "out-of-range"),
        ("on_drift: rever", "not-allowed"),
        ("stamp: yes", "wrong-type"),
    ],
)
def test_what_a_target_may_not_say(tmp_path: Path, line: str, code: str) -> None:
    found = refused(tmp_path, f"project: p\ntargets:\n  t:\n    {line}\n")
    assert [item[0] for item in found] == [code]
    assert found[0][1].startswith("trueup.yaml:4:")


@pytest.mark.parametrize(
    "text",
    [
        f"api_key: {SECRET}\n",
        f"targets: {{t: {{api_key: {SECRET}, api_key: {SECRET}}}}}\n",
        f"token: {SECRET}\n\tx: [\n",
        f"released:\n  - a\n  - {{x: {SECRET}}}\n",
        f"targets:\n  t: {{base_url: 'ftp://{SECRET}'}}\n",
    ],
)
def test_no_line_with_a_credential_is_shown(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("targets: {prod: {protocol: x}}\n", [("project-missing", "1:11"), ("not-allowed", "1:28")]),
        ("project: 'a\"b'\n", [("bad-name", "1:10")]),
        ("project: p\ntargets: {'a/b': {base_url: local}}\n", [("bad-name", "2:11")]),
        ("targets: {A: {base_url: local}, a: {base_url: local}}\n", [("name-taken", "1:33")]),
        ("default_target: prd\n", [("unknown-target", "1:17")]),
        ("targets: {local: {state: stamps, stamp: false}}\n", [("no-memory", "1:41")]),
        ("moved: {a: b, b: a}\n", [("moved-cycle", "1:9"), ("moved-cycle", "1:15")]),
        ("moved: {a: a}\n", [("moved-cycle", "1:9")]),
        ("moved: {a: c, b: c}\n", [("moved-twice", "1:18")]),
        ("definitions: ../x\n", [("path-refused", "1:14")]),
        ("definitions: /x\n", [("path-refused", "1:14")]),
        ("definitions: .git\n", [("path-refused", "1:14")]),
        ("definitions: .\n", [("path-refused", "1:14")]),
        ("vars: {a: {b: 1}}\n", [("wrong-type", "1:11")]),
        ("projekt: x\ntarget: {}\n", [("unknown-key", "1:1"), ("unknown-key", "2:1")]),
        ("vars: {a: b}\nvars: 2\n", [("duplicate-key", "2:1")]),
        (
            "vars: {a: .inf, 1: x}\nprojekt: x\n",
            [("not-a-number", "1:11"), ("key-not-text", "1:17"), ("unknown-key", "2:1")],
        ),
        (
            "targets: {a: {base_url: local, rate_limit: .inf, prune: 5}}\n",
            [("not-a-number", "1:44"), ("wrong-type", "1:57")],
        ),
        ("- a\n", [("not-a-mapping", "1:1")]),
    ],
)
def test_what_a_project_may_not_say(tmp_path: Path, text: str, expected: list[tuple[str, str]]) -> None:
    assert refused(tmp_path, text) == [(code, f"trueup.yaml:{place}") for code, place in expected]


def test_an_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as caught:
        project(tmp_path, "defualt_target: local\n")
    assert "did you mean 'default_target'" in caught.value.diagnostics[0].message


def test_several_targets_need_no_default_until_one_is_wanted(tmp_path: Path) -> None:
    assert project(tmp_path, "targets: {a: {base_url: local}, b: {base_url: local}}\n").default_target == ""
    assert project(tmp_path, "targets: {a: {base_url: local}}\n").default_target == "a"


def test_a_link_or_a_pipe_is_no_project_file(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("project: x\n", encoding="utf-8")
    (tmp_path / "trueup.yaml").symlink_to(tmp_path / "other.yaml")
    with pytest.raises(DefinitionError, match="symbolic link"):
        load_project(tmp_path)
    (tmp_path / "trueup.yaml").unlink()
    os.mkfifo(tmp_path / "trueup.yaml")
    with pytest.raises(DefinitionError, match="not a plain file"):
        load_project(tmp_path)


def test_the_schema_explains_everything_and_closes_every_mapping() -> None:
    waiting = [schemas.load("project")]
    while waiting:
        entry = waiting.pop()
        if "$ref" in entry:
            continue
        assert entry.get("title"), json.dumps(entry)
        assert entry.get("description"), json.dumps(entry)
        if "properties" in entry:
            closed = entry.get("additionalProperties")
            assert closed is False
        waiting += [*entry.get("properties", {}).values(), *entry.get("$defs", {}).values()]


@pytest.mark.parametrize("name", ["trueup.yml", "Trueup.yaml", "TRUEUP.YML"])
def test_another_spelling_of_the_name_is_not_ignored(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("project: shop\n", encoding="utf-8")
    if (tmp_path / "trueup.yaml").exists():
        pytest.skip("this file system takes capitals for the same")
    with pytest.raises(DefinitionError, match=name) as caught:
        load_project(tmp_path)
    assert caught.value.hint == f"Rename it: mv {name} trueup.yaml"
    assert project(tmp_path, "project: shop\n").name == "shop", "beside the real one it is nobody's business"


@pytest.mark.parametrize(
    ("protocol", "hint"),
    [
        ("openai-agent", "Did you mean 'openai-agents'?"),
        ("openia-agents", "Did you mean 'openai-agents'?"),
        ("anthropic-agents", "There are: openai-agents, openai-assistants."),
    ],
)
def test_the_protocol_of_another_vendor_is_not_taken_for_a_typing_error(
    tmp_path: Path, protocol: str, hint: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        project(tmp_path, f"project: p\ntargets: {{prod: {{protocol: {protocol}}}}}\n")
    assert caught.value.diagnostics[0].hint == hint
