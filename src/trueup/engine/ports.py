"""What the engine is handed: transport, journal, clock, randomness; and how far a piece of work is, as values.

A test replaces any of them to drive a schedule. Texts of `Progress` and `Wait` are ours, or say why a request failed
without anything that was answered; no body and no header is in them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from trueup.core.call import Send
from trueup.core.memory.journal import Entry

SURE = 3
"""Things that are to be done before a guess is made how long the others may take."""

SOON = 1.0
"""Seconds of work before that guess."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a piece of work is: `done` of `total` of what `what` says, 0 where nobody knows.

    `left` is about how many seconds the rest may take, None where too little is known. `name` was last worked on.
    """

    what: str = ""
    done: int = 0
    total: int = 0
    left: float | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Why nothing goes on for a while, and until when (Unix seconds), 0 where that is open.

    `at_once`: it is news, such as a server that is down, and is printed at once in a log too.
    """

    why: str
    until: float = 0.0
    at_once: bool = False


def estimate_left(spent: float, done: int, total: int) -> float | None:
    """Return about how many seconds the rest may take, given those that were spent; None where that is a wild guess."""
    if done < SURE or spent < SOON or total < done:
        return None
    return spent / done * (total - done)


class Clock(Protocol):
    """Time as the engine sees it, in seconds."""

    def wall(self) -> float:
        """Unix time; may jump."""

    def monotonic(self) -> float:
        """Never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


def _ignore_progress(_progress: Progress) -> None:
    """No progress is shown."""


def _ignore_wait(_wait: Wait) -> None:
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
    progress: Callable[[Progress], None] = _ignore_progress
    waiting: Callable[[Wait], None] = _ignore_wait
