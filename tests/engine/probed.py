"""A world whose server can be probed, and a diary of probes in memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tests.engine.world import World
from trueup.core.memory.capabilities import Capabilities
from trueup.engine.probe import ProbeSpec, probe
from trueup.engine.refresh import list_all
from trueup.local.openai_assistants import Server
from trueup.local.openai_assistants.bodies import USUAL, Habits
from trueup.wire.base import Adapter
from trueup.wire.openai_assistants.probe import PROBE
from trueup.wire.registry import adapter_for, identity_of


@dataclass
class Notes:
    """What a probe noted, in its order; `open` are the probes that may have left something."""

    steps: list[str] = field(default_factory=list)
    open: dict[str, str] = field(default_factory=dict)
    spared: list[str] = field(default_factory=list)

    def note_start(self, nonce: str) -> None:
        self.steps.append("begun")
        self.open[nonce] = ""

    def note_id(self, nonce: str, live_id: str) -> None:
        self.steps.append(f"made {live_id}")
        self.open[nonce] = live_id

    def note_end(self, nonce: str) -> None:
        self.steps.append("ended")
        self.open.pop(nonce, None)

    def spare(self, live_id: str) -> None:
        self.spared.append(live_id)


@dataclass
class Probed(World):
    """A world with habits; once `found` is there, plans go by it."""

    habits: Habits = USUAL
    dialect: str = "openai"
    found: Capabilities | None = None
    notes: Notes = field(default_factory=Notes)

    def __post_init__(self) -> None:
        World.__post_init__(self)
        count = iter(range(1, 1_000_000))
        self.server = Server(
            clock=lambda: self.clock.now, ids=lambda: f"asst_{next(count):06}", dialect=self.dialect, habits=self.habits
        )
        self.with_target(dialect=self.dialect)

    def adapter(self) -> Adapter:
        return adapter_for(self.target, self.found)

    def order(self, **changes: Any) -> ProbeSpec:
        given = {"model": "gpt-4o", "nonce": "0123456789ab", "file_id": "file-1", "store_id": "vs_1", **changes}
        return ProbeSpec(
            identity=identity_of(self.target), dialect=self.dialect, gateway="", settle=self.target.settle, **given
        )

    def probe(self, **changes: Any) -> Capabilities:
        """Probe the server as it is documented; later plans go by the answers."""

        async def run() -> Capabilities:
            runner, adapter = self.runner(self.ports()), adapter_for(self.target)
            view = await list_all(adapter, runner)
            return await probe(self.order(**changes), PROBE, adapter, runner, view, self.notes)

        self.found = asyncio.run(run())
        return self.found

    def touched(self) -> set[str]:
        """Return the ids that were written to."""
        return {call.path.rsplit("/", 1)[-1] for call in self.writes if call.path != "/assistants"}
