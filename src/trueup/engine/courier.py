"""Sends calls when it is their turn, and repeats reads only. Knows no assistant; whose turn it is `turns` knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from trueup.core.call import Call, Reply
from trueup.core.errors import NotSent, OutcomeUnknown
from trueup.engine.ports import Ports
from trueup.engine.progress import Wait
from trueup.engine.turns import Interrupted, Stale, Turns

RETRY_CAP = 60.0
"""Seconds that a server's Retry-After is obeyed up to."""

LONG = 5.0
"""Seconds from which on a wait that the server asks for is shown."""

BACKOFF_START, BACKOFF_CAP = 0.5, 8.0

TRANSIENT = frozenset({408, 409, 429})
"""Beside 5xx: the statuses of a read that is repeated."""

T = TypeVar("T")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks to wait, `retry-after-ms` first, at most a minute; None when it does not say."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "")
        try:
            seconds = float(text) * unit
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return min(seconds, RETRY_CAP)
    return None


@dataclass(slots=True)
class Pace:
    """How fast to go: `parallelism` requests at once at most, `rate` a second (0: no limit)."""

    parallelism: int
    rate: float = 0.0
    max_retries: int = 3


class Courier:
    """Sends calls when it is their turn; only `read` repeats. Counts calls and repeats."""

    def __init__(self, ports: Ports, pace: Pace) -> None:
        self.ports = ports
        self.pace = pace
        self.calls = 0
        self.retries = 0
        self.turns = Turns(ports, pace.parallelism, pace.rate)
        self._in_trouble = False

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place among the requests at once, for a write and the reads before it. Raises `Interrupted`."""
        await self.turns.take()
        try:
            yield
        finally:
            self.turns.leave()

    async def turn(self, good_until: float = inf) -> None:
        """In a place, waits for a write's turn. Raises `Interrupted`; and `Stale` where the turn would come later than
        `good_until` (monotonic seconds), up to which it may rest on its read."""
        if self._is_over:
            raise Interrupted
        await self.turns.come(good_until)

    async def send(self, call: Call, good_until: float = inf) -> Reply:
        """Sends a write, once, whose turn has come. Raises `NotSent`, `OutcomeUnknown`, `Interrupted` and `Stale`."""
        if self._is_over:
            raise Interrupted
        if self.ports.clock.monotonic() > good_until:
            raise Stale
        return await self._send(call)

    async def write(self, call: Call) -> Reply:
        """Waits for a place and for its turn, and sends once. Raises `NotSent` or `OutcomeUnknown`."""
        async with self.place():
            await self.turn()
            return await self.send(call)

    async def read(self, call: Call, *, placed: bool = False) -> Reply:
        """Sends a GET until it is answered clearly or the repeats are used up; `placed` in the place that a write has.

        An interrupt ends the repeats, and whatever still has to wait. Raises `NotSent` or `OutcomeUnknown`.
        """
        attempt = 0
        while True:
            start = self.ports.clock.monotonic()
            try:
                reply = await self._asked(call, placed)
            except (NotSent, OutcomeUnknown) as error:
                if not await self._is_repeated(attempt, None, str(error), start):
                    raise
            else:
                if reply.status not in TRANSIENT and reply.status < 500:
                    return reply
                if not await self._is_repeated(attempt, reply, "", start):
                    return reply
            attempt += 1

    async def follow(self, steps: Generator[Call, Reply, T], *, placed: bool = False) -> T:
        """Runs a protocol's reading generator to its end."""
        reply: Reply | None = None
        try:
            call = next(steps)
            while True:
                reply = await self.read(call, placed=placed)
                call = steps.send(reply)
        except StopIteration as end:
            result: T = end.value
            return result

    async def wait(self, attempt: int, reply: Reply | None, why: str = "", spent: float = 0.0) -> None:
        """Waits as the server asks, else exponentially with jitter; an interrupt ends the wait.

        `why` there was no answer, and how many seconds the try took, are for showing it and until when it may last.
        """
        asked = retry_after(reply.headers) if reply is not None else None
        pause = min(BACKOFF_CAP, BACKOFF_START * 2**attempt) * (0.75 + 0.5 * self.ports.random.random())
        seconds = pause if asked is None else asked
        await self.turns.pause(seconds, self._describe_wait(attempt, reply, why, spent, asked))

    async def pause(self, seconds: float, why: str = "") -> None:
        """Waits until it is over or an interrupt comes; `why` is shown at once."""
        until = self.ports.clock.wall() + seconds
        await self.turns.pause(seconds, Wait(why, until, at_once=True) if why else None)

    def _describe_wait(self, attempt: int, reply: Reply | None, why: str, spent: float, asked: float | None) -> Wait:
        """Return what is shown of the wait before a repeat: at once for the first of a server that is in trouble."""
        now, news = self.ports.clock.wall(), not self._in_trouble
        self._in_trouble = True
        if reply is not None and asked is not None and asked >= LONG:
            return Wait(f"HTTP {reply.status}: the target asks to wait", now + asked, news)
        repeats = range(attempt, max(self.pace.max_retries, attempt + 1))
        rest = sum(min(BACKOFF_CAP, BACKOFF_START * 2**repeat) + spent for repeat in repeats)
        trouble = f"HTTP {reply.status}" if reply is not None else why.rstrip(".") or "No answer"
        return Wait(f"{trouble}; trying again", now + rest, news)

    @property
    def _is_over(self) -> bool:
        """Whether nothing new may start."""
        return self.turns.gives_up and self.ports.stop.is_set()

    async def _is_repeated(self, attempt: int, reply: Reply | None, why: str, start: float) -> bool:
        """Whether a read is to be sent again, once the wait before that is over."""
        if attempt < self.pace.max_retries:
            await self.wait(attempt, reply, why, self.ports.clock.monotonic() - start)
        if attempt >= self.pace.max_retries or self.ports.stop.is_set():
            return False
        self.retries += 1
        return True

    async def _asked(self, call: Call, placed: bool) -> Reply:
        if placed:
            await self.turns.come()
            return await self._send(call)
        async with self.place():
            return await self._asked(call, placed=True)

    async def _send(self, call: Call) -> Reply:
        self.calls += 1
        reply = await self.ports.send(call)
        if reply.status == 429:
            seconds = retry_after(reply.headers) or 0.0
            until = self.ports.clock.wall() + seconds
            wait = Wait("HTTP 429: the target asks to wait", until, at_once=True)
            self.turns.refused(seconds, wait if seconds >= LONG else None)
        else:
            self._in_trouble = self._in_trouble and reply.status >= 500
            self.turns.answered()
        return reply


async def each(items: list[T], workers: int, work: Callable[[T], Awaitable[None]]) -> None:
    """Works through the items in order, side by side; what is under way ends before an exception is raised."""
    queue = iter(items)

    async def worker() -> None:
        for item in queue:
            await work(item)

    ended = await asyncio.gather(*(worker() for _ in range(min(workers, len(items)))), return_exceptions=True)
    for error in ended:
        if isinstance(error, BaseException):
            raise error
