"""Start-up stays cheap: what a command does not need is not imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"yaml", "jsonschema", "httpx", "deepdiff", "asyncio", "sqlite3", "rfc8785", "starlette", "uvicorn"}

LOOP = {"ssl", "socket", "subprocess", "concurrent", "logging"}
"""What asyncio brings along."""

PROBE = """
import json, sys
from trueup.cli.main import main
sys.argv[0] = "trueup"
code = main(sys.argv[1:])
sys.stdout.flush()
print("\\n" + json.dumps([code, sorted(name for name in sys.modules if "." not in name)]), file=sys.stderr)
"""


def _imported(folder: Path, *arguments: str) -> tuple[int, set[str]]:
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    code, names = json.loads(ran.stderr.splitlines()[-1])
    return code, set(names)


def _project(folder: Path) -> Path:
    """Make a project with one good definition; return the folder of definitions."""
    assistants = folder / "assistants"
    assistants.mkdir()
    (assistants / "alpha.yaml").write_text("model: gpt-4.1\n")
    return assistants


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["--help"], [], ["plan", "--help"], ["apply", "--help"], ["state", "--help"], ["import", "-h"],
     ["completion", "bash"], ["plna"], ["plan", "--prun"], ["state", "lsit"], ["import", "a=b", "c"]],
    ids=lambda arguments: " ".join(arguments) or "alone",
)  # fmt: skip
def test_nothing_heavier_than_click(tmp_path: Path, arguments: list[str]) -> None:
    _, names = _imported(tmp_path, *arguments)
    assert not names & HEAVY
    assert "click" in names


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_what_only_tells_loads_no_library_of_paths(tmp_path: Path, argument: str) -> None:
    _, names = _imported(tmp_path, argument)
    assert not names & {"pathlib", "tempfile", "urllib"}


def test_completion_in_a_shell_imports_no_more(tmp_path: Path) -> None:
    environ = {**os.environ, "_TRUEUP_COMPLETE": "bash_complete", "COMP_WORDS": "trueup pl", "COMP_CWORD": "1"}
    code = "import sys; sys.argv[0] = 'trueup'\nfrom trueup.cli.entry import run\n"
    code += f"try: run()\nexcept SystemExit: print(sorted(set(sys.modules) & {HEAVY!r}), file=sys.stderr)"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    )
    assert "plain,plan" in ran.stdout
    assert ran.stderr.strip() == "[]"


PROJECT = """project: fleet
released: [old, older]
targets:
  live: {api_key: {env: NO_SUCH_KEY}, timeout: 30, headers: {X-Team: support}, always_send: [model]}
  test: {token: {command: [no-such-program]}, dialect: azure-openai, base_url: https://test.openai.azure.com/openai}
"""


@pytest.mark.parametrize(
    "command", [["validate"], ["render", "-t", "live"], ["state", "list", "-t", "live"], ["targets"]]
)
def test_what_reads_files_alone_loads_one_library_for_them(tmp_path: Path, command: list[str]) -> None:
    """YAML, and for digests their encoder: no validator where nothing is wrong, no loop and no socket."""
    folder = _project(tmp_path)
    (tmp_path / "trueup.yaml").write_text(PROJECT)
    (folder / "beta.md").write_text("---\nmodel: gpt-4.1\ntools: [file_search]\n---\nBe kind.\n")
    code, names = _imported(tmp_path, *command)
    assert code == 0
    assert names & (HEAVY | LOOP) == {"yaml", "rfc8785"}


def test_a_mistake_is_explained_by_the_validator(tmp_path: Path) -> None:
    (_project(tmp_path) / "beta.yaml").write_text("model: gpt-4.1\ntemperature: hot\n")
    code, names = _imported(tmp_path, "validate")
    assert code == 1
    assert names & (HEAVY | LOOP) >= {"yaml", "jsonschema"}


def test_each_command_pays_only_for_itself(tmp_path: Path) -> None:
    _project(tmp_path)
    for command in (["validate"], ["plan"], ["apply", "--yes"], ["drift"]):
        code, names = _imported(tmp_path, *command)
        assert code == 0
        assert not names & {"httpx", "starlette", "uvicorn"}, command
        assert command != ["validate"] or "sqlite3" not in names
    assert "deepdiff" not in _imported(tmp_path, "plan")[1], "an empty plan compares no structures"
