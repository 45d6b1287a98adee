"""The rows of `plan` and `apply` in every further protocol, with the same targets, at one size and one latency."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmarks import applying, planning
from benchmarks.protocols import OTHERS
from benchmarks.setting import Setting
from benchmarks.table import Row

COUNT = 1_000
"""Definitions of a fleet: the targets of memory and of an unchanged assistant are for as many."""


def rows(setting: Setting) -> Iterator[Row]:
    """Yield the rows of each protocol but the default one, named by it."""
    workers = (setting.workers[0], setting.workers[-1])
    for protocol in OTHERS:
        latencies = (0, max(setting.latencies))
        spoken = replace(
            setting, protocol=protocol, sizes=(COUNT,), latencies=latencies, workers=workers, live=0, projects={}
        )
        for group in (planning, applying):
            yield from (replace(row, what=f"{protocol}: {row.what}") for row in group.rows(spoken))
    setting.stub.reset()
    setting.live = 0  # what was live is gone
