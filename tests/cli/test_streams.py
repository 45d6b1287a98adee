"""Standard streams as shells and schedulers leave them: closed, full, or gone; and signals before anything is loaded.

Property: every command ends in words and with a code of the contract, and an apply that was begun is finished.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.place import Place

COMMAND = [sys.executable, "-m", "trueup"]
READING = ["validate", "plan", "drift", "state list", "plan --json", "--version", "--help", "render"]

full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


def _shell(place: Place, line: str) -> subprocess.CompletedProcess[str]:
    """Run `trueup LINE` in a shell, whose redirections close and replace streams."""
    words = subprocess.list2cmdline(COMMAND)
    return subprocess.run(
        ["sh", "-c", f"{words} {line}"], cwd=place.root, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["validate", "plan", "drift --json", "--version"])
def test_closed_streams_are_no_failure(place: Place, command: str, closed: str) -> None:
    ran = _shell(place, f"{command} {closed}")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (ran.stdout != "") == (">&-" not in closed.replace("2>&-", ""))


@pytest.mark.parametrize("closed", ["<&-", "<&- >&- 2>&-"])
def test_apply_works_with_closed_streams_and_asks_nobody(place: Place, closed: str) -> None:
    assert _shell(place, f"apply {closed}").returncode == 1
    assert place.live() == {}
    assert _shell(place, f"apply --yes {closed}").returncode == 0
    assert len(place.live()) == 2
    assert len(place.run("state", "list", "--json").json["assistants"]) == 2


@full
@pytest.mark.parametrize("command", READING)
def test_a_full_stdout_is_said_in_one_sentence(place: Place, command: str) -> None:
    ran = _shell(place, f"{command} > /dev/full")
    assert ran.returncode == 1
    assert "could not be written to standard output: no space left on device" in " ".join(ran.stderr.split())
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr


@full
def test_what_was_applied_stands_when_the_report_cannot_be_written(place: Place) -> None:
    ran = _shell(place, "apply --yes --json > /dev/full")
    assert ran.returncode == 1
    assert "The command itself is done" in " ".join(ran.stderr.split())
    assert len(place.live()) == 2
    assert len(place.run("state", "list", "--json").json["assistants"]) == 2


@full
def test_a_plan_that_cannot_be_shown_is_not_applied(place: Place) -> None:
    assert _shell(place, "apply --yes > /dev/full").returncode == 1
    assert place.live() == {}


@full
def test_a_full_stderr_hides_no_result(place: Place) -> None:
    ran = _shell(place, "apply --yes --json -vv 2> /dev/full")
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["kind"] == "report"
    assert _shell(place, "plna 2> /dev/full").returncode == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_modules_load_is_an_interruption(place: Place, number: signal.Signals) -> None:
    (place.root / "click.py").write_text(
        f"import os\nos.kill(os.getpid(), {int(number)})\nimport time\ntime.sleep(9)\n"
    )
    code = (
        "import sys; sys.argv = ['trueup', 'plan', '--json']; import trueup.cli.entry as entry; sys.path.insert(0, '.')"
    )
    code += "\nimport pathlib, threading\nentry_report = entry._report_interrupt\n"
    code += "def report(error):\n    pathlib.Path('click.py').unlink()\n    return entry_report(error)\n"
    code += "entry._report_interrupt = report\nentry.run()\n"
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=place.root,
        capture_output=True,
        text=True,
        timeout=60,
        env=environ,
        check=False,
    )
    assert ran.returncode == 130, ran.stderr
    assert ran.stderr == ""
    assert json.loads(ran.stdout)["exit"] == 130


def test_json_alone_is_answered_in_json(place: Place) -> None:
    for arguments in (["--json"], ["--format", "json"], ["--json", "state"], ["state", "--json"]):
        ran = place.run(*arguments)
        assert ran.code == 1
        assert ran.json["kind"] == "error"
        assert "needs a command" in ran.json["error"]["message"]


def test_a_signal_while_a_class_is_made_is_an_interruption(place: Place) -> None:
    """Python 3.11 wraps what is raised in `__set_name__` in a RuntimeError."""
    (place.root / "click.py").write_text(
        "import os, signal, time\n"
        "class Named:\n"
        "    def __set_name__(self, owner, name):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        time.sleep(9)\n"
        "class Made:\n"
        "    name = Named()\n"
    )
    code = (
        "import pathlib, sys\nimport trueup.cli.entry as entry\n"
        "sys.argv = ['trueup', 'plan']\nsys.path.insert(0, '.')\n"
        "report = entry._report_interrupt\n"
        "entry._report_interrupt = lambda error: (pathlib.Path('click.py').unlink(), report(error))[1]\n"
        "entry.run()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=place.root, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert ran.returncode == 130, ran.stderr
