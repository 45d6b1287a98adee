"""The command `trueup`, run on a checkout, and what it wrote. Its documents are read; its words go to the log."""

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
"""What variables of the job begin with that Trueup, and a command that it is told to run, have no use for."""

HARMLESS = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SYSTEMROOT", "PYTHONUTF8")
"""All that it gets where nothing is to be trusted."""

CANCELLED = 130
"""The exit code of what was cancelled."""


@contextmanager
def answering(answer: Callable[[int], object]) -> Iterator[None]:
    """Hands Ctrl-C and SIGTERM, by which forges cancel a job, to a function that gets the signal's number."""

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
    """The command on one project of a checkout; `top` is what names of files are seen from."""

    top: Path
    project: Path
    target: str
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    is_trusted: bool = True

    def run(self, *words: str, is_quiet: bool = False, cancels: list[int] | None = None) -> Ran:
        """Runs it; its stdout goes to the log too, unless it is to be quiet. A signal is handed on to it.

        Raises Cancelled when one came, unless they are noted in `cancels`: then one that came before counts as well.
        """
        came = [] if cancels is None else cancels
        process: subprocess.Popen[bytes] | None = None

        def hand_on(number: int) -> None:
            came.append(number)
            if process is not None:
                process.send_signal(number)

        command = [sys.executable, "-I", "-m", "trueup", *words, "-C", str(self.project), "--no-input"]
        with answering(hand_on):
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

    def on_target(self, command: str, *words: str, is_quiet: bool = False, cancels: list[int] | None = None) -> Ran:
        """Runs a command that is about the target."""
        return self.run(command, *words, "-t", self.target, is_quiet=is_quiet, cancels=cancels)

    def rendered(self) -> dict[str, object]:
        """What the files ask for, by name; nothing where they cannot be read."""
        return dict(self.on_target("render", "--json", is_quiet=True).json.get("assistants") or {})

    def _environ(self) -> dict[str, str]:
        kept = {
            key: value
            for key, value in self.environ.items()
            if (key in HARMLESS if not self.is_trusted else not key.startswith(OURS))
        }
        return {**kept, "CI": "true", "NO_COLOR": "1", "GITHUB_WORKSPACE": str(self.top), "PYTHONUTF8": "1"}


@dataclass(frozen=True, slots=True)
class Ran:
    """How it ended, and its stdout."""

    code: int
    out: str

    @property
    def json(self) -> Any:
        """The document on stdout; an empty one where there is none."""
        try:
            return json.loads(self.out)
        except ValueError:
            return {}


def also(folder: Path, kind: str, formats: Sequence[str] = ("json", "markdown")) -> list[str]:
    """The flags that have an answer kept in a folder."""
    endings = {"json": "json", "markdown": "md", "html": "html"}
    return [word for name in formats for word in ("--also", f"{name}={folder / kind}.{endings[name]}")]


def read_json(path: Path) -> Any:
    """A document that was kept; an empty one where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
