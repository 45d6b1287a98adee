"""What the engine is handed: transport, journal, clock, randomness. A test replaces any of them to drive a schedule."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from trueup.core.call import Send
from trueup.core.memory.journal import Entry
from trueup.engine.progress import Progress, Wait


class Clock(Protocol):
    """Time as the engine sees it, in seconds."""

    def wall(self) -> float:
        """Unix time; may jump."""

    def monotonic(self) -> float:
        """Never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Waits."""


def _silent(_progress: Progress) -> None:
    """No progress is shown."""


def _unheard(_wait: Wait) -> None:
    """No wait is shown."""


@dataclass(slots=True)
class Ports:
    """The engine's whole outside. `journal` returns once the entry is on disk; `progress` gets how far it is, and
    `waiting` what it waits for."""

    send: Send
    clock: Clock
    journal: Callable[[Entry], Awaitable[None]]
    backup: Callable[[str, str, object], None]
    random: random.Random = field(default_factory=random.Random)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    progress: Callable[[Progress], None] = _silent
    waiting: Callable[[Wait], None] = _unheard
