"""What one run of the suite measures with: a scratch folder, a stub vendor, sizes and latencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import corpus
from benchmarks.process import trueup
from benchmarks.protocols import DEFAULT
from benchmarks.stub import Stub

EASY = 64
"""Workers for what is set up and not measured."""


@dataclass(slots=True)
class Setting:
    """One run in one protocol. `latencies` are milliseconds; `rounds` is how often cheap processes take turns.

    `live` is how many the stub holds; `rest` the seconds that the last plan without latency took beyond its CPU.
    """

    folder: Path
    stub: Stub
    sizes: Sequence[int]
    latencies: Sequence[int]
    workers: Sequence[int]
    rounds: int
    applied: int
    protocol: str = DEFAULT
    projects: dict[str, Path] = field(default_factory=dict)
    live: int = 0
    rest: float = 0.0

    def project(self, count: int, *, markdown: bool = False) -> Path:
        """Return a folder with so many definitions, written once; nothing in it is ever applied."""
        name = f"{self.protocol}-{'markdown' if markdown else 'yaml'}-{count}"
        if name not in self.projects:
            self.projects[name] = self.write(self.folder / name, count, markdown=markdown)
        return self.projects[name]

    def fleet(self, count: int) -> Path:
        """Return a folder with so many definitions, all of which are live at the stub, and nothing else is."""
        name = f"{self.protocol}-fleet-{count}"
        if self.live != count:
            self.stub.reset()
            place = self.folder / f"{name}-{len(self.projects)}"
            self.projects[name] = self.write(place, count)
            trueup("apply", "--yes", "--quiet", "--parallelism", str(EASY), cwd=place)
            self.live = count
        return self.projects[name]

    def write(self, folder: Path, count: int, *, markdown: bool = False) -> Path:
        """Write so many definitions into a folder, as they were before any edit, and return it."""
        return corpus.write(folder, count, self.stub.base_url, markdown=markdown, protocol=self.protocol)

    def edit(self, folder: Path, count: int, *, every: int = corpus.CHANGED) -> None:
        """Change one definition in `every`."""
        corpus.edit(folder, count, every=every, protocol=self.protocol)
