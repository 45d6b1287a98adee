"""Nothing that others wrote is a command to a runner of CI, whichever command of ours shows it, on stdout or stderr."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.cli.place import Place
from trueup.local.faults import Fault, Kind

OBEYED = re.compile(r"##(vso|teamcity)?\[|^\s*::", re.MULTILINE)
"""What the runners of Azure Pipelines, TeamCity and GitHub take for a command."""

EVIL = (
    "hello ##vso[task.prependpath]/tmp/evil and\n##vso[task.setvariable variable=DEPLOY;isOutput=true]owned\n"
    "##teamcity[setParameter name='a' value='b']\n##[error]pwn\n::error::pwn\n"
)

SHOWN = (
    ["plan"], ["plan", "--on-drift", "revert", "--color"], ["drift"], ["drift", "--all"], ["drift", "--json"],
    ["drift", "--format", "markdown"], ["drift", "--format", "html"], ["drift", "--format", "sarif"],
    ["drift", "--format", "junit"], ["plan", "--json"], ["apply", "--yes"], ["apply", "--yes", "--json"],
    ["why", "alpha"], ["why", "alpha", "--json"], ["export", "-"], ["accept", "alpha"], ["state", "list"],
)  # fmt: skip


@pytest.mark.parametrize("arguments", SHOWN, ids=" ".join)
def test_a_live_text_is_no_command_in_any_output(place: Place, arguments: list[str]) -> None:
    place.applied()
    place.poke("alpha", {"instructions": EVIL, "metadata": {"##vso[a]": "##vso[b]"}})
    ran = place.run(*arguments)
    assert ran.out
    assert not OBEYED.search(ran.out)
    assert not OBEYED.search(ran.err)


def test_the_annotations_of_a_hostile_live_text_are_the_only_commands(place: Place) -> None:
    place.applied()
    place.poke("alpha", {"instructions": EVIL})
    ran = place.run("drift", "--format", "github")
    assert all(re.match("::(error|warning|notice) ", line) for line in ran.out.splitlines()[:-1])
    assert not re.search(r"##(vso|teamcity)?\[", ran.out)


def test_a_message_of_the_server_is_no_command(hosted: Place, faulty: Callable[..., None]) -> None:
    body = {"error": {"message": "oops ##vso[task.setvariable variable=A]b"}}
    for form in ([], ["--json"], ["-vv"]):
        faulty(Fault(Kind.ANSWER, "GET", "/assistants", status=400, body=body))
        ran = hosted.run("plan", "--max-retries", "0", *form)
        assert ran.code == 1
        assert "task.setvariable" in ran.out + ran.err
        assert not OBEYED.search(ran.out + ran.err)


def test_a_wrong_command_line_is_no_command_to_a_runner(place: Place) -> None:
    for arguments in (["plan", "##vso[a]b"], ["##vso[a]b"], ["plan", "-C", "##vso[a]b"], ["show", "##vso[a]b"]):
        for form in ([], ["--json"]):
            ran = place.run(*arguments, *form)
            assert ran.code == 1
            assert not OBEYED.search(ran.out + ran.err)


def test_render_shows_a_hostile_definition_in_quotes_that_read_back_the_same(place: Place) -> None:
    path: Path = place.write("assistants/alpha.yaml", json.dumps({"model": "m ##vso[x]", "instructions": EVIL}))
    ran = place.run("render", "alpha")
    assert ran.code == 0
    assert not OBEYED.search(ran.out)
    wanted = yaml.safe_load(path.read_text("utf-8"))
    assert {key: yaml.safe_load(ran.out)[key] for key in wanted} == wanted
    shown = place.run("render", "alpha", "--json")
    assert not OBEYED.search(shown.out)
    assert shown.json["assistants"]["alpha"]["instructions"] == EVIL
