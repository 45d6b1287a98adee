"""Hold that a command in a fork is as one that was started: its process, signals, folder, streams and exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import forks
from tests.forks import ForkedProcess, start_python

ENVIRONMENT = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
BOTH = pytest.mark.parametrize("is_forked", [True, False], ids=["forked", "started"])


@pytest.fixture(autouse=True)
def forked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forks also where `--all` starts everything."""
    if not request.node.get_closest_marker("real_start"):
        monkeypatch.setattr(forks, "_is_on", True)


def run(folder: Path, text: str, *words: str, is_forked: bool, **environment: str) -> tuple[int, bytes, bytes]:
    """Run a script in a folder; its exit code and what it wrote."""
    script = folder / "script.py"
    script.write_text(text, encoding="utf-8")
    return run_words(folder, str(script), *words, is_forked=is_forked, **environment)


def run_words(folder: Path, *words: str, is_forked: bool, **environment: str) -> tuple[int, bytes, bytes]:
    start = start_python if is_forked else subprocess.Popen
    process = start(
        [sys.executable, *words], cwd=folder, env={**ENVIRONMENT, **environment}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert isinstance(process, ForkedProcess) == is_forked
    out, err = process.communicate(timeout=30)
    assert process.returncode is not None
    return process.returncode, out, err


LOOKED = """
import json, os, signal, sys
print(json.dumps({
    "argv": sys.argv[1:], "cwd": os.getcwd(), "environ": dict(os.environ), "name": __name__,
    "stdin": sys.stdin.read(), "fds": sorted(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else [],
    "signals": [str(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE)],
    "streams": [(s.encoding, s.errors, s.line_buffering, s.isatty(), s.fileno()) for s in (sys.stdout, sys.stderr)],
    "path": sys.path[0], "zone": __import__("time").tzname,
}, sort_keys=True))
print("to stderr: ü", file=sys.stderr)
"""


def test_a_fork_sees_what_a_started_command_sees(tmp_path: Path) -> None:
    given = {"A_VARIABLE": "ü\udcff", "TZ": "Asia/Tokyo"}
    seen = [run(tmp_path, LOOKED, "-x", "two words", is_forked=is_forked, **given) for is_forked in (True, False)]
    assert seen[0] == seen[1]
    assert seen[0][0] == 0
    assert b'"cwd": "' + os.fsencode(tmp_path) in seen[0][1]
    assert seen[0][2] == "to stderr: ü\n".encode()


@BOTH
@pytest.mark.parametrize(
    ("text", "code", "err"),
    [
        ("", 0, b""),
        ("raise SystemExit(7)", 7, b""),
        ("raise SystemExit('no')", 1, b"no\n"),
        ("raise SystemExit", 0, b""),
        ("import os; os.abort()", -signal.SIGABRT, b""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, b""),
        ("import atexit; atexit.register(print, 'last'); raise SystemExit(3)", 3, b""),
        (
            "import threading, time; threading.Thread(target=time.sleep, args=[0.2]).start(); raise SystemExit(4)",
            4,
            b"",
        ),
    ],
)
def test_a_fork_ends_as_a_started_command_ends(
    tmp_path: Path, text: str, code: int, err: bytes, *, is_forked: bool
) -> None:
    ended = run(tmp_path, text, is_forked=is_forked)
    assert ended == (code, b"last\n" if "last" in text else b"", err)


@BOTH
def test_an_exception_is_shown_as_python_shows_it(tmp_path: Path, *, is_forked: bool) -> None:
    code, out, err = run(tmp_path, "raise ValueError('oh')", is_forked=is_forked)
    assert (code, out) == (1, b"")
    assert err.startswith(b"Traceback (most recent call last):\n")
    assert err.endswith(b"ValueError: oh\n")


@BOTH
def test_a_signal_reaches_it_and_nothing_reaches_one_that_has_ended(tmp_path: Path, *, is_forked: bool) -> None:
    script = tmp_path / "script.py"
    script.write_text("import time\nprint('there', flush=True)\ntime.sleep(60)\n")
    start = start_python if is_forked else subprocess.Popen
    process = start([sys.executable, str(script)], cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE)
    assert process.pid != os.getpid()
    assert process.stdout is not None
    assert process.stdout.read(6) == b"there\n"
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=0.05)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[0] == b""
    assert (process.poll(), process.wait(), process.returncode) == (-signal.SIGTERM,) * 3
    process.kill()


def test_forks_run_side_by_side_and_share_nothing(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import random, sys, trueup, os, time\nassert not hasattr(trueup, 'mine')\ntrueup.mine = 1\n"
                      "time.sleep(0.2)\nprint(os.getpid(), random.random())\n")  # fmt: skip
    started = time.monotonic()
    processes = [
        start_python([sys.executable, str(script)], cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE)
        for _ in range(5)
    ]
    said = [process.communicate(timeout=30)[0].split() for process in processes]
    assert time.monotonic() - started < 30
    assert [process.returncode for process in processes] == [0] * 5
    assert [int(pid) for pid, _ in said] == [process.pid for process in processes]
    assert len({number for _, number in said}) == 5


@BOTH
def test_isolated_mode_takes_no_module_from_the_folder_and_the_usual_one_does(
    tmp_path: Path, *, is_forked: bool
) -> None:
    (tmp_path / "mine.py").write_text("print('code of the folder ran')")
    assert run_words(tmp_path, "-m", "mine", is_forked=is_forked)[:2] == (0, b"code of the folder ran\n")
    code, out, err = run_words(tmp_path, "-I", "-m", "mine", is_forked=is_forked)
    assert (code, out) == (1, b"")
    assert b"No module named mine" in err


@BOTH
def test_it_is_the_command(tmp_path: Path, *, is_forked: bool) -> None:
    code, out, err = run_words(tmp_path, "-m", "trueup", "plna", is_forked=is_forked)
    assert (code, out) == (1, b"")
    assert b"plan" in err
    (tmp_path / "assistants").mkdir()
    (tmp_path / "assistants/alpha.yaml").write_text("model: gpt-4.1\n")
    (tmp_path / "trueup.yaml").write_text("targets: {local: {base_url: local}}\n")
    assert run_words(tmp_path, "-m", "trueup", "apply", "--yes", is_forked=is_forked)[0] == 0
    assert run_words(tmp_path, "-m", "trueup", "plan", "--detailed-exitcode", is_forked=is_forked)[0] == 0


@pytest.mark.parametrize(
    ("program", "argument", "environment"),
    [
        ("/bin/sh", "script", {}),
        (sys.executable, "-c", {}),
        (sys.executable, "script", {"PYTHONHASHSEED": "1"}),
        (sys.executable, "script", {"LANG": "C"}),
        (sys.executable, "script", {"LC_ALL": "C"}),
    ],
)
def test_what_a_fork_cannot_be_like_is_started(
    tmp_path: Path, program: str, argument: str, environment: dict[str, str]
) -> None:
    (tmp_path / "script").touch()
    process = start_python([program, argument, ""], cwd=tmp_path, env={**ENVIRONMENT, **environment})
    assert isinstance(process, subprocess.Popen)
    assert process.wait(30) == 0


@pytest.mark.real_start
def test_a_marked_test_starts_its_commands(tmp_path: Path) -> None:
    process = start_python([sys.executable, "-m", "trueup", "--version"], cwd=tmp_path, env=ENVIRONMENT)
    assert isinstance(process, subprocess.Popen)
    assert process.wait(30) == 0
