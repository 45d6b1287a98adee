"""Sends calls at a pace: a parallelism that a 429 lowers, a rate limit, repeats for reads only. Knows no assistant."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from trueup.core.call import Call, Reply
from trueup.core.errors import NotSent, OutcomeUnknown
from trueup.engine.ports import Ports

RETRY_CAP = 60.0
"""Seconds that a server's Retry-After is obeyed up to."""

LONG = 5.0
"""Seconds from which on a wait that the server asks for is told."""

BACKOFF_START, BACKOFF_CAP = 0.5, 8.0

UNCLEAR_STATUS = frozenset({408, 409, 429})
"""Beside 5xx: answers after which the work may have been done all the same."""

T = TypeVar("T")


def is_unclear(status: int) -> bool:
    """Whether a write that was answered so may or may not have happened."""
    return status in UNCLEAR_STATUS or status >= 500 or 300 <= status < 400


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


class Stale(Exception):
    """A write was not to go any more when its turn came: its read is too old, or an interrupt came. Not sent."""


@dataclass(slots=True)
class Pace:
    """How fast to go: `parallelism` requests at once at most, `rate` a second (0: no limit)."""

    parallelism: int
    rate: float = 0.0
    max_retries: int = 3


class Courier:
    """Sends calls; only `read` repeats. Counts calls and repeats."""

    def __init__(self, ports: Ports, pace: Pace) -> None:
        self.ports = ports
        self.pace = pace
        self.calls = 0
        self.retries = 0
        self._limit = max(1, pace.parallelism)
        self._busy = 0
        self._free = asyncio.Condition()
        self._queue = asyncio.Lock()  # who waits for a turn of our rate, first come, first served
        self._held_until = 0.0  # as a server asked
        self._turn = 0.0  # when our rate lets the next one go
        self._good = 0

    async def write(self, call: Call, may_go: Callable[[], bool] = lambda: True, *, at_once: bool = False) -> Reply:
        """Sends once. Raises `NotSent` or `OutcomeUnknown`, and `Stale` where it may not go when its turn has come.

        `at_once`: it had its turn already, and our rate makes those wait longer that come after it.
        """
        return await self._send(call, may_go, at_once=at_once)

    async def read(self, call: Call, *, at_once: bool = False) -> Reply:
        """Sends a GET until it is answered clearly or the repeats are used up. Raises `NotSent` or `OutcomeUnknown`."""
        attempt = 0
        while True:
            last = attempt >= self.pace.max_retries or self.ports.stop.is_set()
            try:
                reply = await self._send(call, at_once=at_once and attempt == 0)
            except (NotSent, OutcomeUnknown):
                if last:
                    raise
                reply = None
            if reply is not None and (last or not (is_unclear(reply.status) and reply.status >= 400)):
                return reply
            await self.wait(attempt, reply)
            attempt += 1
            self.retries += 1

    async def follow(self, steps: Generator[Call, Reply, T], *, at_once: bool = False) -> T:
        """Runs a protocol's reading generator to its end."""
        reply: Reply | None = None
        try:
            call = next(steps)
            while True:
                reply = await self.read(call, at_once=at_once)
                call = steps.send(reply)
        except StopIteration as end:
            result: T = end.value
            return result

    async def wait(self, attempt: int, reply: Reply | None) -> None:
        """Waits as the server asks, else exponentially with jitter; an interrupt ends the wait."""
        asked = retry_after(reply.headers) if reply is not None else None
        pause = min(BACKOFF_CAP, BACKOFF_START * 2**attempt) * (0.75 + 0.5 * self.ports.random.random())
        seconds = pause if asked is None else asked
        what = ""
        if reply is not None and asked is not None and seconds >= LONG:
            what = f"HTTP {reply.status}, and the target asks to wait {seconds:.0f} seconds"
        await self.pause(seconds, what)

    async def pause(self, seconds: float, what: str = "") -> None:
        """Sleeps in steps of at most a second, until done or interrupted; `what` is told meanwhile."""
        end = self.ports.clock.monotonic() + seconds
        while not self.ports.stop.is_set():
            left = end - self.ports.clock.monotonic()
            if left <= 0:
                return
            if what:
                self.ports.waiting(what)
            await self.ports.clock.sleep(min(left, 1.0))

    async def _send(self, call: Call, may_go: Callable[[], bool] = lambda: True, *, at_once: bool = False) -> Reply:
        await self._enter(call, at_once=at_once)
        try:
            if not may_go():
                raise Stale
            self.calls += 1
            reply = await self.ports.send(call)
        finally:
            await self._leave()
        self._learn(reply)
        return reply

    async def _enter(self, call: Call, *, at_once: bool) -> None:
        """Waits for its turn. An interrupt ends the wait that a server asked for; reads keep to our own rate even then.

        The turn of what goes at once was taken by the write that did not go: its read uses that up, and the write
        after it makes the next one wait longer.
        """
        async with self._free:
            await self._free.wait_for(lambda: self._busy < self._limit)
            self._busy += 1
        is_read = call.method == "GET"
        if at_once:
            await self._wait_until(lambda: self._held_until)
            self._count(0 if is_read else 1)
            return
        async with self._queue:
            await self._wait_until(lambda: max(self._held_until, self._turn))
            left = self._turn - self.ports.clock.monotonic()
            if left > 0 and is_read:  # interrupted
                await self.ports.clock.sleep(min(left, 1.0))
            self._count(1)

    async def _wait_until(self, moment: Callable[[], float]) -> None:
        """Waits for a moment that may be put off meanwhile, or for an interrupt."""
        clock = self.ports.clock
        while (left := moment() - clock.monotonic()) > 0 and not self.ports.stop.is_set():
            await self.pause(left)

    def _count(self, requests: int) -> None:
        """Lets the next turn be so many requests later at our rate."""
        if self.pace.rate > 0:
            self._turn = max(self._turn, self.ports.clock.monotonic()) + requests / self.pace.rate

    async def _leave(self) -> None:
        async with self._free:
            self._busy -= 1
            self._free.notify(max(1, self._limit - self._busy))  # more than one when the limit has grown

    def _learn(self, reply: Reply) -> None:
        """A 429 halves the parallelism and holds everybody back as long as asked; fifty good answers add one again."""
        if reply.status == 429:
            self._limit = max(1, self._limit // 2)
            self._good = 0
            pause = retry_after(reply.headers) or 0.0
            self._held_until = max(self._held_until, self.ports.clock.monotonic() + pause)
            return
        self._good += 1
        if self._good >= 50 and self._limit < self.pace.parallelism:
            self._limit += 1
            self._good = 0


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
