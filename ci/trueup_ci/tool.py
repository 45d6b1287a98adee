"""Run the command `trueup` on a checkout. Its JSON documents are read; its text goes to the log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trueup_ci.problem import Cancelled

OURS = (
    "TRUEUP_CI_", "TRUEUP_PLAN_TOKEN", "TRUEUP_APPLY_TOKEN", "GIT_", "GITHUB_TOKEN", "GH_TOKEN",
    "ACTIONS_RUNTIME_", "ACTIONS_RESULTS_", "ACTIONS_CACHE_",
    "CI_JOB_TOKEN", "CI_REPOSITORY_URL", "CI_REGISTRY_PASSWORD", "CI_DEPLOY_PASSWORD",
    "CI_DEPENDENCY_PROXY_PASSWORD", "CI_JOB_JWT",
)  # fmt: skip
"""Prefixes of the job's variables that Trueup, and a credential command that it runs, do not get."""

HARMLESS = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SYSTEMROOT", "PYTHONUTF8")
"""The only variables that Trueup gets for files that are not trusted."""

CANCELLED = 130
"""The exit code of a cancelled job."""


@contextmanager
def handle_signals(answer: Callable[[int], object]) -> Iterator[None]:
    """Call a function with the signal's number for Ctrl-C and SIGTERM, by which platforms cancel a job."""

    def interrupted(number: int, _frame: object) -> None:
        answer(number)

    before = {number: signal.signal(number, interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True, slots=True)
class Trueup:
    """The command on one project of a checkout; paths of files are relative to `top`."""

    top: Path
    project: Path
    target: str
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    is_trusted: bool = True

    def run(self, *words: str, is_quiet: bool = False, cancels: list[int] | None = None) -> Ran:
        """Run a command; unless `is_quiet`, its stdout goes to the log too. A signal is passed on to it.

        Raises Cancelled for a signal, unless `cancels` collects signals; one that is in it already is passed on too.
        """
        came = [] if cancels is None else cancels
        process: subprocess.Popen[bytes] | None = None

        def hand_on(number: int) -> None:
            came.append(number)
            if process is not None:
                process.send_signal(number)

        command = [sys.executable, "-I", "-m", "trueup", *words, "-C", str(self.project), "--no-input"]
        with handle_signals(hand_on):
            process = subprocess.Popen(
                command, env=self._environ(), cwd=self.top, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
            )
            for number in tuple(came):
                process.send_signal(number)
            out = process.communicate()[0].decode("utf-8", "replace")
        if not is_quiet:
            sys.stdout.write(out)
            sys.stdout.flush()
        if came and cancels is None:
            raise Cancelled
        return Ran(process.returncode if process.returncode >= 0 or not came else CANCELLED, out)

    def run_on_target(self, command: str, *words: str, is_quiet: bool = False, cancels: list[int] | None = None) -> Ran:
        """Run a command on the target."""
        return self.run(command, *words, "-t", self.target, is_quiet=is_quiet, cancels=cancels)

    def render_definitions(self) -> dict[str, object]:
        """Return the resolved definitions by name; none if they cannot be read."""
        return dict(self.run_on_target("render", "--json", is_quiet=True).json.get("assistants") or {})

    def _environ(self) -> dict[str, str]:
        kept = {
            key: value
            for key, value in self.environ.items()
            if (key in HARMLESS if not self.is_trusted else not key.startswith(OURS))
        }
        return {**kept, "CI": "true", "NO_COLOR": "1", "GITHUB_WORKSPACE": str(self.top), "PYTHONUTF8": "1"}


@dataclass(frozen=True, slots=True)
class Ran:
    """The exit code and the stdout of a command."""

    code: int
    out: str

    @property
    def json(self) -> Any:
        """Return the JSON document on stdout; an empty one if there is none."""
        try:
            return json.loads(self.out)
        except ValueError:
            return {}


def also(folder: Path, kind: str, formats: Sequence[str] = ("json", "markdown")) -> list[str]:
    """Return the flags that also write the result into files of a folder."""
    endings = {"json": "json", "markdown": "md", "html": "html"}
    return [word for name in formats for word in ("--also", f"{name}={folder / kind}.{endings[name]}")]


def read_json(path: Path) -> Any:
    """Return a JSON document of a file; an empty one if there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
