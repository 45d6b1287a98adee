"""Files of saved agents: what they may say, and what is translated from portable definitions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.agents import TRIAGE, assert_in_sync
from tests.cli.place import Place


def refusals() -> dict[str, tuple[str, str]]:
    """Map a line to its replacement and the words of the error."""
    return {
        "model: gpt-5.5": ("model: gpt-5.5\ntemperature: 0.2", "temperature"),
        "{summary: auto}": ("{summary: loud}", "summary"),
        "description: Finds an order": ("strict: true", "strict"),
        "{type: web_search}": ("{type: code_interpreter}", "code_interpreter"),
        "metadata: {owner: bea}": (f"name: {'n' * 129}", "128"),
    }


@pytest.mark.parametrize("old", refusals())
def test_what_the_vendor_would_refuse_is_an_error_at_its_line(fleet: Place, old: str) -> None:
    new, words = refusals()[old]
    fleet.replace("assistants/triage.yaml", old, new)
    ran = fleet.run("validate")
    [written] = fleet.root.glob("assistants/triage*")
    text = written.read_text("utf-8")
    line = 1 + text[: text.index(new.partition("\n")[2] or new)].count("\n")
    assert ran.code == 1
    assert f"assistants/triage.yaml:{line}:" in ran.err + ran.out
    assert words in ran.err + ran.out


PORTABLE = """\
protocol: openai-assistants
model: gpt-5
instructions: Help.
reasoning_effort: low
temperature: 0.2
tools:
  - {type: code_interpreter}
  - type: function
    function: {name: pay, description: Pays, strict: true}
"""


@pytest.fixture
def moved(fleet: Place) -> Place:
    """Return a portable definition beside the native ones, for a target that translates."""
    fleet.write("assistants/helper.yaml", PORTABLE)
    target = "protocol: openai-agents, translate: true, models: {gpt-5: gpt-5.5}"
    fleet.replace("trueup.yaml", "project: shop\n", "project: shop\nprotocol: openai-agents\n")
    fleet.replace("trueup.yaml", "protocol: openai-agents}", f"{target}}}")
    return fleet


def test_what_cannot_be_translated_is_an_error_at_its_line(moved: Place) -> None:
    ran = moved.run("validate")
    told = ran.out + ran.err
    assert ran.code == 1
    for line, key in ((5, "temperature"), (7, "tools.code_interpreter"), (9, "tools.function.strict")):
        assert f"assistants/helper.yaml:{line}:" in told, told
        assert key in told


def test_a_portable_definition_is_translated_and_applied(moved: Place) -> None:
    losses = "allow_loss: [temperature, tools.code_interpreter, tools.function]"
    moved.replace("trueup.yaml", "translate: true", f"translate: true, {losses}")
    moved.applied()
    assert_in_sync(moved)
    live = moved.live()["helper"]
    assert (live["model"], live["reasoning"]["effort"], live["instructions"]) == ("gpt-5.5", "low", "Help.")
    parameters: dict[str, Any] = {"type": "object", "properties": {}}
    assert [(tool["name"], tool["parameters"]) for tool in live["tools"]] == [("pay", parameters)]


def test_the_target_s_patch_is_laid_over_the_translation(moved: Place) -> None:
    tools = json.dumps([{"type": "web_search"}])
    patch = f"targets: {{local: {{tools: {tools}, service_tier: flex}}}}\n"
    moved.write("assistants/helper.yaml", PORTABLE.replace("temperature: 0.2\n", "") + patch)
    moved.applied()
    live = moved.live()["helper"]
    assert ([tool["type"] for tool in live["tools"]], live["service_tier"]) == (["web_search"], "flex")


def test_without_translate_portable_definitions_are_counted(moved: Place) -> None:
    moved.replace("trueup.yaml", "translate: true, ", "")
    ran = moved.run("plan", "-v")
    assert ran.code == 0, ran.err
    assert "helper" in ran.out + ran.err
    assert "2 to create" in ran.out


def test_a_name_that_ends_almost_like_a_protocol_is_a_warning(fleet: Place) -> None:
    fleet.write("assistants/e2.openai-agentz.yaml", "model: gpt-5.5\n")
    fleet.write("assistants/v1.2.yaml", "model: gpt-5.5\n")
    ran = fleet.run("validate")
    assert ran.code == 0, ran.out
    assert "did you mean 'openai-agents'?" in ran.out
    assert "Rename the file to e2.openai-agents.yaml." in ran.out
    assert "v1.2" not in ran.out


def test_a_file_whose_line_contradicts_its_name_is_an_error_at_the_line(fleet: Place) -> None:
    fleet.write(
        "trueup.yaml", "targets:\n  local: {base_url: local, protocol: openai-agents}\n  old: {base_url: local}\n"
    )
    fleet.write("assistants/triage.yaml", f"protocol: openai-agents\n{TRIAGE}")
    fleet.write("assistants/team/writer.md", "---\nprotocol: openai-agents\nmodel: gpt-5.5\n---\nWrite well.\n")
    fleet.write("assistants/a.openai-assistants.yaml", "model: gpt-5.5\nprotocol: openai-agents\n")
    for target in ((), ("-t", "local"), ("-t", "old")):
        ran = fleet.run("validate", *target)
        assert ran.code == 1, ran.out
        assert "a.openai-assistants.yaml:2" in ran.out


def test_a_model_that_looks_like_another_vendor_s_is_a_warning(fleet: Place) -> None:
    fleet.replace("assistants/triage.yaml", "gpt-5.5", "claude-sonnet-5-5")
    ran = fleet.run("validate")
    assert ran.code == 0
    assert "the model claude-sonnet-5-5 looks like one of Anthropic" in " ".join(ran.out.split())
    target = "targets:\n  local: {base_url: local, protocol: openai-agents, models: {smart: claude-sonnet-5-5}}\n"
    fleet.write("trueup.yaml", target)
    assert "looks like" not in fleet.run("validate").out
    elsewhere = (
        "targets:\n  there: {base_url: 'https://proxy.example/v1', protocol: openai-agents, api_key: {env: K}}\n"
    )
    fleet.write("trueup.yaml", elsewhere)
    assert "looks like" not in fleet.run("validate").out


def test_a_native_target_is_not_told_what_only_a_translation_loses(fleet: Place) -> None:
    assert "cannot hold" not in fleet.run("targets").out
    fleet.write("trueup.yaml", "targets:\n  local: {base_url: local, protocol: openai-agents, translate: true}\n")
    assert "file_search" in fleet.run("targets").out
