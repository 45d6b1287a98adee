"""Start-up stays cheap: what a command does not need is not imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"yaml", "jsonschema", "httpx", "deepdiff", "asyncio", "sqlite3", "rfc8785", "starlette", "uvicorn"}

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


def test_completion_in_a_shell_imports_no_more(tmp_path: Path) -> None:
    environ = {**os.environ, "_TRUEUP_COMPLETE": "bash_complete", "COMP_WORDS": "trueup pl", "COMP_CWORD": "1"}
    code = "import sys; sys.argv[0] = 'trueup'\nfrom trueup.cli.entry import run\n"
    code += f"try: run()\nexcept SystemExit: print(sorted(set(sys.modules) & {HEAVY!r}), file=sys.stderr)"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    )
    assert "plain,plan" in ran.stdout
    assert ran.stderr.strip() == "[]"


def test_each_command_pays_only_for_itself(tmp_path: Path) -> None:
    folder = tmp_path / "assistants"
    folder.mkdir()
    (folder / "alpha.yaml").write_text("model: gpt-4.1\n")
    for command in (["validate"], ["plan"], ["apply", "--yes"], ["drift"]):
        code, names = _imported(tmp_path, *command)
        assert code == 0
        assert not names & {"httpx", "starlette", "uvicorn"}, command
        assert command != ["validate"] or "sqlite3" not in names
    assert "deepdiff" not in _imported(tmp_path, "plan")[1], "an empty plan compares no structures"
