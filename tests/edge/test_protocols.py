"""Which protocol a definition is of, which targets take it, and what a portable one becomes on another protocol."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.edge.test_loader import told, written
from trueup.core.definitions.definition import Definition
from trueup.core.projects.project import Project, ProtocolRow, Target
from trueup.edge.definitions.loader import LoadResult, Workspace
from trueup.wire import registry

PORTABLE, AGENTS = "openai-assistants", "openai-agents"
OLD, NEW = Target("old", "p"), Target("new", "p", protocol=AGENTS)
TRANSLATING = Target("new", "p", protocol=AGENTS, translate=True)
ROW = ProtocolRow(
    "trueup.wire.openai_agents", "OpenAIAgents", "agent", "openai",
    schema="openai-agents", editor_schema="definition.openai-agents", is_translated=True,
)  # fmt: skip


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    if AGENTS not in registry.ROWS:
        monkeypatch.setitem(registry.ROWS, AGENTS, ROW)


def load(
    root: Path, files: Mapping[str, str], target: Target = NEW, others: tuple[Target, ...] = (OLD,), said: str = ""
) -> LoadResult:
    """Return what the files hold for one of several targets; `said` is `protocol` in trueup.yaml."""
    written(root, {f"assistants/{name}": text for name, text in files.items()})
    project = Project("p", targets={item.name: item for item in (*others, target)}, protocol=said)
    return Workspace(root, project).load(target, {})


def bodies(loaded: LoadResult) -> dict[str, Any]:
    return {item.name: item.body for item in loaded.definitions}


def place(definition: Definition, *path: str | int) -> str:
    return str(definition.locate().values[path])


@pytest.mark.parametrize(
    "files",
    [
        {"a.yaml": "protocol: openai-agents\nmodel: m\n"},
        {"a.yaml": "extends: _base.yaml\n", "_base.yaml": "protocol: openai-agents\nmodel: m\n"},
        {"a.openai-agents.yaml": "model: m\n"},
        {"a.openai-agents.md": "---\nmodel: m\n---\n"},
        {"a.openai-agents.yaml": "protocol: openai-agents\nmodel: m\n"},
        {"a.openai-agents.yaml": "extends: _b.yaml\nmodel: m\n", "_b.yaml": "protocol: openai-agents\n"},
    ],
)
def test_a_file_says_its_protocol(tmp_path: Path, files: dict[str, str]) -> None:
    loaded = load(tmp_path, files)
    assert told(loaded) == []
    assert bodies(loaded) == {"a": {"model": "m", "name": "a"}}
    assert loaded.definitions[0].protocol == AGENTS


def test_a_file_that_says_nothing_goes_by_the_project_then_by_the_targets(tmp_path: Path) -> None:
    files = {"a.yaml": "model: m\nreasoning: {effort: low}\n"}
    assert bodies(load(tmp_path, files, said=AGENTS)).keys() == {"a"}
    assert bodies(load(tmp_path, files, others=())).keys() == {"a"}
    assert bodies(load(tmp_path, {"a.yaml": "model: m\n"}, TRANSLATING, others=())).keys() == {"a"}
    [problem] = load(tmp_path, files).diagnostics
    assert (problem.code, str(problem.position)) == ("protocol-missing", "assistants/a.yaml:1:1")
    assert "`protocol: openai-assistants` or `protocol: openai-agents`" in problem.hint


@pytest.mark.parametrize(
    ("files", "code", "at", "words"),
    [
        ({"a.yaml": "protocol: openai-agent\n"}, "wrong-protocol", "a.yaml:1:11", "no protocol 'openai-agent'"),
        ({"a.yaml": "model: m\nprotocol: [x]\n"}, "wrong-protocol", "a.yaml:2:11", "there is no protocol"),
        (
            {"a.openai-agents.yaml": "protocol: openai-assistants\n"},
            "wrong-protocol", "a.openai-agents.yaml:1:11", "the file's name has the protocol openai-agents",
        ),
        (
            {"a.yaml": "protocol: openai-agents\nextends: _b.yaml\n", "_b.yaml": "protocol: openai-assistants\n"},
            "wrong-protocol", "a.yaml:2:10", "has the protocol openai-agents, and assistants/_b.yaml",
        ),
        (
            {"a.yaml": "protocol: openai-agents\ntargets: {new: {protocol: openai-assistants}}\nmodel: m\n"},
            "key-not-here", "a.yaml:2:17", "protocol cannot stand inside the patch",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_protocol_is_said_at_its_line(
    tmp_path: Path, files: dict[str, str], code: str, at: str, words: str
) -> None:
    loaded = load(tmp_path, files)
    [problem] = loaded.errors
    assert (problem.code, str(problem.position)) == (code, f"assistants/{at}")
    assert words in problem.message
    assert loaded.names == {"a"}


def test_one_name_may_have_a_file_in_each_protocol(tmp_path: Path) -> None:
    files = {
        "a.yaml": "protocol: openai-assistants\nmodel: old\n",
        "a.openai-agents.yaml": "model: new\n",
        "b.yaml": "protocol: openai-assistants\nmodel: old\n",
    }
    assert bodies(load(tmp_path, files, OLD, (TRANSLATING,))) == {
        "a": {"model": "old", "name": "a"}, "b": {"model": "old", "name": "b"},
    }  # fmt: skip
    own = load(tmp_path, files, NEW)
    assert bodies(own) == {"a": {"model": "new", "name": "a"}}
    assert own.elsewhere == {"b": PORTABLE}
    both = load(tmp_path, files, TRANSLATING)
    assert bodies(both) == {"a": {"model": "new", "name": "a"}, "b": {"model": "old", "name": "b"}}
    assert both.elsewhere == {}


@pytest.mark.parametrize(
    "files",
    [
        {"a.yaml": "protocol: openai-agents\nmodel: m\n", "a.openai-agents.yaml": "model: m\n"},
        {"a.openai-agents.yaml": "model: m\n", "A.openai-assistants.yaml": "model: m\n"},
    ],
)
def test_names_of_one_protocol_clash_and_confusable_ones_in_any(tmp_path: Path, files: dict[str, str]) -> None:
    loaded = load(tmp_path, files)
    assert [item.code for item in loaded.errors] == ["name-taken"]
    assert loaded.definitions == ()


def test_definitions_that_no_target_takes_are_named(tmp_path: Path) -> None:
    loaded = load(tmp_path, {"a.openai-agents.yaml": "x: 1\n", "b.yaml": "model: m\n"}, OLD, ())
    assert [(item.code, item.message) for item in loaded.diagnostics] == [
        ("no-target", "no target speaks openai-agents, the protocol of a")
    ]
    assert bodies(loaded).keys() == {"b"}


def test_a_native_body_is_closed_by_its_own_schema(tmp_path: Path) -> None:
    text = (
        "protocol: openai-agents\nmodel: m\ntemperature: 1\nupdated_at: 3\ntxet: {}\noptions: {x: 1}\n"
        "text: {format: {type: json_object}}\ntools:\n  - {type: function, name: f, description: d}\n"
    )
    loaded = load(tmp_path, {"a.yaml": text})
    assert [(item.code, item.message, item.position.line if item.position else 0) for item in loaded.errors] == [
        ("not-allowed", "a saved agent has no temperature", 3),
        ("not-allowed", "'updated_at' belongs to the server's answer", 4),
        ("unknown-key", "unknown key 'txet'; did you mean 'text'?", 5),
        ("not-allowed", "'options' is no key of a definition any more", 6),
        ("not-allowed", "a saved agent has no json_object", 7),
        ("missing-key", "tools[0] lacks the key 'parameters'", 9),
    ]


HEADERS = "transport.headers"
SECRET = "sk-" + "very-secret-0123456789"
TOOL = "model: m\nprotocol: openai-agents\ntools:\n  - type: mcp\n    server_label: s\n"


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        (f"    transport:\n      server_url: u\n      type: http\n      headers: {{A: {SECRET}}}\n", HEADERS, 9),
        (f"    transport: {{type: http, server_url: u, headers: {{A: {SECRET}}}}}\n", HEADERS, 6),
        (f"    transport: {{type: http, server_url: u, headers: {SECRET}}}\n", HEADERS, 6),
        (f"    transport: {{type: stdio, command: c, cwd: d, env_vars: [{SECRET}]}}\n", "transport.env_vars", 6),
        (f"    authorization: {SECRET}\n    transport: {{type: http, server_url: u}}\n", "authorization", 6),
    ],
)  # fmt: skip
def test_a_secret_goes_into_no_definition_and_no_message(tmp_path: Path, text: str, path: str, line: int) -> None:
    [problem] = load(tmp_path, {"a.yaml": TOOL + text}).errors
    assert (problem.code, problem.message.split(" ")[0]) == ("secret-in-file", f"tools[0].{path}")
    assert problem.position is not None
    assert problem.position.line == line
    assert SECRET not in f"{problem} {problem.position.text}"
    assert "`credential_id: …`" in problem.hint


def test_no_credential_is_no_secret(tmp_path: Path) -> None:
    text = TOOL + "    credential_id: c\n    transport: {type: http, server_url: u, headers: {}}\n"
    assert told(load(tmp_path, {"a.yaml": text})) == []


def test_tools_have_a_size_and_names_of_their_own(tmp_path: Path) -> None:
    tool = "  - {type: function, name: f, description: d, parameters: {type: object}}\n"
    large = f"  - {{type: function, name: g, description: {'x' * 1_200_000}, parameters: {{type: object}}}}\n"
    twice = load(tmp_path / "twice", {"a.yaml": f"protocol: openai-agents\nmodel: m\ntools:\n{tool}{tool}"})
    assert told(twice) == []  # what is beyond the schema is asked by who loads
    form = "trueup.wire.openai_agents.rules"
    check = __import__(form, fromlist=["check"]).check
    assert [item.code for item in check(twice.definitions[0])] == ["repeated"]
    files = {
        "_t.yaml": large.strip().removeprefix("- "),
        "a.yaml": "protocol: openai-agents\nmodel: m\ntools: [{file: _t.yaml}, {file: _t.yaml}, {file: _t.yaml}]\n",
    }
    found = load(tmp_path / "large", files)
    assert "too-long" in [item.code for item in check(found.definitions[0])]


def test_a_portable_definition_is_translated_whole_and_then_patched_in_the_target_s_names(tmp_path: Path) -> None:
    files = {
        "_base.yaml": "model: gpt-4.1\nmetadata: {team: x}\n",
        "_part.md": "One.\n",
        "_reasoning.yaml": "effort: high\n",
        "a.md": (
            "---\nprotocol: openai-assistants\nextends: _base.yaml\ninstructions: {file: _part.md}\n"
            "reasoning_effort: low\ntools:\n  - type: function\n    function: {name: f, description: d}\n"
            "lifecycle: {protect: true}\n"
            "targets:\n  new:\n    metadata: {stage: new, team: null}\n    service_tier: flex\n"
            "    reasoning: {file: _reasoning.yaml}\n    lifecycle: {ignore_changes: [reasoning]}\n---\nTwo.\n"
        ),
    }
    loaded = load(tmp_path, files, TRANSLATING)
    assert told(loaded) == []
    [definition] = loaded.definitions
    assert definition.protocol == AGENTS
    assert definition.body == {
        "name": "a",
        "model": "gpt-4.1",
        "instructions": "One.\n\nTwo.",
        "reasoning": {"effort": "high"},
        "tools": [
            {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}
        ],
        "metadata": {"stage": "new"},
        "service_tier": "flex",
    }
    assert definition.lifecycle.protect
    assert definition.ignored == {"reasoning"}
    assert set(definition.parts) == {f"assistants/{name}" for name in ("_base.yaml", "_part.md", "_reasoning.yaml")}
    assert place(definition, "model") == "assistants/_base.yaml:1:8"
    assert place(definition, "service_tier") == "assistants/a.md:13:19"
    assert place(definition, "reasoning", "effort") == "assistants/_reasoning.yaml:1:9"
    assert place(definition, "tools", 0, "name") == "assistants/a.md:8:22"
    assert [(item.line, item.file) for item in definition.locate().stretches] == [
        (1, "assistants/_part.md"), (3, "assistants/a.md"),
    ]  # fmt: skip


def test_what_a_target_cannot_hold_is_an_error_at_its_line_unless_it_is_allowed_or_patched(tmp_path: Path) -> None:
    text = "protocol: openai-assistants\nmodel: m\ntemperature: 0.2\ntools: [code_interpreter]\n"
    refused = load(tmp_path, {"a.yaml": text}, TRANSLATING)
    assert [(item.code, str(item.position)) for item in refused.errors] == [
        ("unsupported", "assistants/a.yaml:3:1"),
        ("unsupported", "assistants/a.yaml:4:9"),
    ]
    assert refused.definitions == ()
    allowing = Target("new", "p", protocol=AGENTS, translate=True, allow_loss=("temperature", "tools"))
    allowed = load(tmp_path, {"a.yaml": text}, allowing)
    assert [item.code for item in allowed.diagnostics] == ["loss-allowed", "loss-allowed"]
    assert bodies(allowed)["a"]["model"] == "m"
    patch = "targets: {new: {tools: [web_search]}}\n"
    patched = load(tmp_path, {"a.yaml": text.replace("temperature: 0.2\n", "") + patch}, TRANSLATING)
    assert told(patched) == []
    assert bodies(patched)["a"]["tools"] == [{"type": "web_search"}]


def test_a_mistake_in_a_portable_definition_is_said_once_and_in_its_own_names(tmp_path: Path) -> None:
    text = "protocol: openai-assistants\ntemprature: 1\ntargets: {new: {model: m}}\n"
    found = load(tmp_path, {"a.yaml": text}, TRANSLATING)
    assert [(item.message, str(item.position)) for item in found.errors] == [
        ("unknown key 'temprature'; did you mean 'temperature'?", "assistants/a.yaml:2:1")
    ]
    fixed = load(tmp_path, {"a.yaml": text.replace("temprature: 1\n", "")}, TRANSLATING)
    assert bodies(fixed) == {"a": {"name": "a", "model": "m"}}


def test_a_patch_of_a_translated_definition_is_checked_by_the_target_s_schema(tmp_path: Path) -> None:
    text = "protocol: openai-assistants\nmodel: m\ntargets:\n  new: {text: {verbosity: loud}, temperature: 1}\n"
    found = load(tmp_path, {"a.yaml": text}, TRANSLATING)
    assert [(item.code, item.position.line if item.position else 0) for item in found.errors] == [
        ("not-allowed", 4), ("not-allowed", 4),
    ]  # fmt: skip


def test_models_are_called_as_the_target_calls_them_after_the_translation(tmp_path: Path) -> None:
    target = Target("new", "p", protocol=AGENTS, translate=True, models={"m": "here", "here": "wrong"})
    loaded = load(tmp_path, {"a.yaml": "protocol: openai-assistants\nmodel: m\n"}, target)
    assert bodies(loaded)["a"]["model"] == "here"


def test_false_leaves_a_portable_definition_out(tmp_path: Path) -> None:
    text = "protocol: openai-assistants\nmodel: m\ntemperature: 0\ntargets: {new: false}\n"
    loaded = load(tmp_path, {"a.yaml": text}, TRANSLATING)
    assert loaded.left_out == {"a"}
    assert told(loaded) == []


@pytest.mark.parametrize("said", ["", PORTABLE])
@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"a.yaml": 'protocol: openai-agents\nmodel: "\\q"\n'}, "yaml-syntax"),
        ({"a.yaml": "extends: _b.yaml\n", "_b.yaml": 'protocol: openai-agents\nmodel: "\\q"\n'}, "yaml-syntax"),
        ({"a.yaml": "extends: _b.yaml\n"}, "file-not-read"),
    ],
)
def test_a_file_that_cannot_be_read_is_of_every_target(
    tmp_path: Path, files: dict[str, str], code: str, said: str
) -> None:
    for target, other in ((NEW, OLD), (OLD, NEW)):
        loaded = load(tmp_path, {**files, "good.openai-agents.yaml": "model: m\n"}, target, (other,), said)
        assert [problem.code for problem in loaded.errors] == [code]
        assert "a" in loaded.names, "its assistant would be deleted by --prune"


def test_extending_a_file_outside_the_project_leaves_the_default_protocol(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("protocol: openai-agents\n", "utf-8")
    root = tmp_path / "project"
    loaded = load(root, {"a.yaml": "extends: ../../outside.yaml\nmodel: m\n"}, OLD, (NEW,), said=PORTABLE)
    assert bodies(loaded) == {}
    assert [item.code for item in loaded.diagnostics] == ["path-refused"], told(loaded)
