"""Run a whole process and measure it: wall clock, CPU of the process alone, and peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PYTHON = sys.executable
TRUEUP = str(Path(sys.executable).with_name("trueup"))
KEY = "TRUEUP_BENCHMARK_KEY"


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds and megabytes of one process, its exit code and what it printed.

    `waited` are the seconds its main thread was ready and had no core; 0 where the system does not tell.
    """

    wall: float
    cpu: float
    waited: float
    peak: float
    code: int
    out: str

    @property
    def json(self) -> Any:
        """Return the JSON document that it printed."""
        return json.loads(self.out)


class Failed(Exception):
    """A measured process did not do its work, so its figures mean nothing."""


def run(
    argv: Sequence[str], cwd: Path = ROOT, *, allowed: Sequence[int] = (0,), environ: Mapping[str, str] | None = None
) -> Spent:
    """Run a command to its end, with the kernel's own figures. Raises `Failed` for an exit code that is not allowed."""
    environ = {**os.environ, KEY: "sk-benchmark", "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **(environ or {})}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(argv, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        wall = time.perf_counter() - start
        waited = _read_waiting_time(child.pid)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = code = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        said = out.read().decode("utf-8", "replace")
        if code not in allowed:
            complaint = (err.read().decode("utf-8", "replace") or said)[-2000:]
            raise Failed(f"{' '.join(argv)} ended with {code}:\n{complaint}")
    peak = usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
    return Spent(wall, usage.ru_utime + usage.ru_stime, waited, peak, code, said)


def _read_waiting_time(pid: int) -> float:
    """Return what Linux recorded of a process that has ended and is not yet reaped."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def calm(spent: Spent) -> float:
    """Estimate the wall seconds with a core always free, less a twentieth for the error of such an estimate."""
    return 0.95 * (spent.wall - spent.waited) if busy(spent) else spent.wall


def busy(spent: Spent) -> str:
    """Return a remark if others kept the machine so busy that the wall clock means little."""
    return f"waited {spent.waited:.2f} s for a core" if spent.waited > 0.05 * spent.wall else ""


def trueup(*arguments: str, cwd: Path, allowed: Sequence[int] = (0,)) -> Spent:
    """Run one `trueup` command in a project's folder."""
    return run([TRUEUP, *arguments], cwd, allowed=allowed)


def side_by_side(commands: Sequence[Sequence[str]], rounds: int, cwd: Path = ROOT) -> list[Spent]:
    """Return the cheapest run of each command by CPU; the commands take turns, so that all meet the same machine."""
    found: list[list[Spent]] = [[] for _ in commands]
    for _ in range(rounds):
        for runs, command in zip(found, commands, strict=True):
            runs.append(run(command, cwd))
    return [min(runs, key=lambda spent: spent.cpu) for runs in found]
