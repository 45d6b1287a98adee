"""`apply` against its own limit: its requests at a latency, spread over the workers, and the CPU it uses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from benchmarks.process import Spent, busy, calm, trueup
from benchmarks.setting import Setting
from benchmarks.table import Row

SHARE = 1.15
NOISE = 1.1
"""More workers count as slower beyond this share."""
BUSY = 0.75
"""The share of the wall clock from which on the stub's CPU, not the client, sets the pace."""


def rows(setting: Setting) -> Iterator[Row]:
    """Yield creates and modifies of one size, for each latency and number of workers."""
    latencies = [latency for latency in setting.latencies if latency]
    for kind in ("creates", "modifies"):
        for latency in latencies:
            walls = []
            for workers in setting.workers:
                spent, row = _measure_apply(setting, kind, latency, workers)
                walls.append(spent.wall)
                yield row
            slowest = max(later / earlier for earlier, later in pairwise(walls))
            yield Row(
                f"apply {kind}, {latency} ms: more workers, never slower",
                f"{walls[-1]:.2f} s with {setting.workers[-1]}",
                f"{walls[0]:.2f} s with {setting.workers[0]}",
                slowest,
                NOISE,
            )


def _measure_apply(setting: Setting, kind: str, latency: int, workers: int) -> tuple[Spent, Row]:
    project = _make_new_fleet(setting) if kind == "creates" else _make_edited_fleet(setting)
    setting.stub.latency(latency)
    _, before = setting.stub.taken()
    spent = trueup("apply", "--yes", "--quiet", "--parallelism", str(workers), cwd=project)
    calls, after = setting.stub.taken()
    setting.stub.latency(0)
    limit = SHARE * calls * latency / 1000 / workers + spent.cpu
    share = (after - before) / spent.wall
    return spent, Row(
        f"apply {setting.applied:,} {kind}, {latency} ms, {workers} at a time",
        f"{spent.wall:.2f} s",
        f"{SHARE} x {calls} calls x {latency} ms / {workers} + CPU {spent.cpu:.2f} s",
        spent.wall / limit,
        1,
        note="the stub sets the pace" if share > BUSY else busy(spent),
        calm=calm(spent) / limit,
    )


def _make_new_fleet(setting: Setting) -> Path:
    """Return a fleet of which nothing is live yet, in a folder without state."""
    setting.stub.reset()
    setting.live = 0
    project = setting.project(setting.applied)
    for file in project.glob(".trueup/*.state.json"):
        file.unlink()
    return project


def _make_edited_fleet(setting: Setting) -> Path:
    """Return a live fleet in which every definition differs from what is there."""
    project = setting.fleet(setting.applied)
    setting.write(project, setting.applied)
    trueup("apply", "--yes", "--quiet", "--parallelism", "64", cwd=project)
    setting.edit(project, setting.applied, every=1)
    return project
