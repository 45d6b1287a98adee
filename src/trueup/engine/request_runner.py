"""Sends calls within the limits of a target: so many at once, so many a second, none while a server holds back.

Repeats reads only. Knows no assistant.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from math import inf
from typing import Any, TypeVar

from trueup.core.call import TRANSIENT, Call, Reply
from trueup.core.errors import NotSent, OutcomeUnknown
from trueup.engine.ports import Ports, Wait

CLOSE = 5.0
"""Seconds that a write waits at most, behind others of our own, once what it rests on was read."""

INTERRUPTED = "interrupted before it was sent"

RETRY_CAP = 60.0
"""Seconds that a server's Retry-After is obeyed up to."""

LONG = 5.0
"""Seconds from which on a wait that the server asks for is shown."""

BACKOFF_START, BACKOFF_CAP = 0.5, 8.0

T = TypeVar("T")


class Interrupted(NotSent):
    """An interrupt came before it was sent: what only waits is not under way."""

    def __init__(self) -> None:
        super().__init__(INTERRUPTED)


@dataclass(slots=True)
class Pace:
    """How fast to go: `parallelism` requests at once at most, `rate` a second (0: no limit)."""

    parallelism: int
    rate: float = 0.0
    max_retries: int = 3


class RateLimiter:
    """Slots for requests at once, and a rate (0: none) at which they may be sent. Sends nothing.

    The rate limits the slots too: no more than it serves within five seconds, so that what a write rests on does not
    grow old in a queue of ours. With `gives_up` an interrupt ends what still has to wait, unsent; a probe, which has to
    remove what it made, keeps to the rate and goes on.
    """

    def __init__(self, ports: Ports, pace: Pace) -> None:
        self.gives_up = False
        self._ports = ports
        self._rate = pace.rate
        self._between = 1.0 / pace.rate if pace.rate > 0 else 0.0
        self._most = max(1, pace.parallelism if pace.rate <= 0 else min(pace.parallelism, int(pace.rate * CLOSE)))
        self._limit = self._most
        self._busy = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._next = 0.0
        self._held_until = 0.0
        self._held_by: Wait | None = None
        self._successes = 0

    @property
    def _now(self) -> float:
        return self._ports.clock.monotonic()

    async def acquire_slot(self) -> None:
        """Wait for a slot, first come, first served. Raises `Interrupted`."""
        if self._busy < self._limit and not self._queue:
            self._busy += 1
            return
        slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(slot)
        try:
            if self.gives_up and not await self._ends_before_stop(slot):
                raise Interrupted
            await slot
        except BaseException:
            if slot.done() and not slot.cancelled():
                self.release_slot()
            slot.cancel()
            raise

    def release_slot(self) -> None:
        """Give a slot back, to whoever is next."""
        self._busy -= 1
        self._fill_slots()

    async def wait_until_allowed(self, at_most: float = inf) -> None:
        """Wait until the rate and the server allow one more request. Raises `Interrupted`.

        Of the rate it waits `at_most` so many seconds, and whoever comes next waits the longer.
        """
        while (start := self._reserve(at_most)) > self._now:
            await self._sleep_until(start)
            if self._held_until <= self._now or self._ports.stop.is_set():
                return

    async def pause(self, seconds: float, wait: Wait | None = None) -> None:
        """Wait until it is over or an interrupt comes; a `wait` is shown meanwhile."""
        end = self._now + seconds
        while not self._ports.stop.is_set() and (left := end - self._now) > 0:
            if wait is not None:
                self._ports.waiting(wait)
                wait = replace(wait, at_once=False)
            await self._ends_before_stop(asyncio.ensure_future(self._ports.clock.sleep(min(left, 1.0))))

    def on_throttled(self, seconds: float, wait: Wait | None) -> None:
        """Halve the slots, and hold everybody back for so many seconds; a `wait` is shown meanwhile."""
        self._limit = max(1, self._limit // 2)
        self._successes = 0
        if self._now + seconds > self._held_until:
            self._held_until = self._now + seconds
            self._held_by = wait

    def on_success(self) -> None:
        """Count a good response: after fifty of them there is one slot more again."""
        self._successes += 1
        if self._successes >= 50 and self._limit < self._most:
            self._limit += 1
            self._successes = 0
            self._fill_slots()

    def _fill_slots(self) -> None:
        while self._queue and self._busy < self._limit:
            slot = self._queue.popleft()
            if not slot.done():
                self._busy += 1
                slot.set_result(None)

    def _reserve(self, at_most: float) -> float:
        """Return the moment of the next request, which is reserved with that."""
        now = self._now
        start = max(now, self._next, self._held_until)
        self._next = start + self._between
        return min(start, max(now + at_most, self._held_until))

    async def _sleep_until(self, start: float) -> None:
        """Wait for a reserved moment. Raises `Interrupted`."""
        slow = Wait(f"Limited to {self._rate:g} requests a second by `rate_limit`") if self._rate > 0 else None
        await self.pause(start - self._now, self._held_by if self._held_until > self._now else slow)
        left = start - self._now
        if left > 0 and self.gives_up:
            raise Interrupted
        if left > 0:
            await self._ports.clock.sleep(min(left, self._between))

    async def _ends_before_stop(self, waiting: asyncio.Future[None]) -> bool:
        """Return whether it came to its end before an interrupt did; if not, it is given up."""
        stop = asyncio.ensure_future(self._ports.stop.wait())
        both: set[asyncio.Future[Any]] = {stop, waiting}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                waiting.result()
            return waiting.done()
        finally:
            stop.cancel()
            waiting.cancel()


class RequestRunner:
    """Sends calls within the limits of a target; only `read` repeats. Counts calls and repeats."""

    def __init__(self, ports: Ports, pace: Pace) -> None:
        self.ports = ports
        self.pace = pace
        self.calls = 0
        self.retries = 0
        self.limiter = RateLimiter(ports, pace)
        self._in_trouble = False

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a slot, for a write and the read that it rests on. Raises `Interrupted`."""
        await self.limiter.acquire_slot()
        try:
            yield
        finally:
            self.limiter.release_slot()

    async def wait_to_write(self, at_most: float = inf) -> None:
        """Wait, in a slot, until one request may be sent. Raises `Interrupted`.

        Of our own rate it waits `at_most` so many seconds: a write goes soon after the read that it rests on.
        """
        if self._is_over:
            raise Interrupted
        await self.limiter.wait_until_allowed(at_most)

    async def send(self, call: Call) -> Reply:
        """Send a write once, after `wait_to_write`. Raises `NotSent`, `OutcomeUnknown` and `Interrupted`."""
        if self._is_over:
            raise Interrupted
        return await self._send(call)

    async def write(self, call: Call) -> Reply:
        """Send a write once, when there is a slot and the rate allows it. Raises `NotSent` or `OutcomeUnknown`."""
        async with self.slot():
            await self.wait_to_write()
            return await self.send(call)

    async def read(self, call: Call, *, in_slot: bool = False) -> Reply:
        """Send a GET until it is answered clearly or the repeats are used up; `in_slot` in the slot that a write has.

        An interrupt ends the repeats, and whatever still has to wait. Raises `NotSent` or `OutcomeUnknown`.
        """
        attempt = 0
        while True:
            start = self.ports.clock.monotonic()
            try:
                async with nullcontext() if in_slot else self.slot():
                    await self.limiter.wait_until_allowed()
                    reply = await self._send(call)
            except (NotSent, OutcomeUnknown) as error:
                if not await self._is_repeated(attempt, None, str(error), start):
                    raise
            else:
                if reply.status not in TRANSIENT and reply.status < 500:
                    return reply
                if not await self._is_repeated(attempt, reply, "", start):
                    return reply
            attempt += 1

    async def run_reads(self, steps: Generator[Call, Reply, T], *, in_slot: bool = False) -> T:
        """Run a protocol's reading generator to its end."""
        try:
            call = next(steps)
            while True:
                call = steps.send(await self.read(call, in_slot=in_slot))
        except StopIteration as end:
            result: T = end.value
            return result

    async def back_off(self, attempt: int, reply: Reply | None, why: str = "", spent: float = 0.0) -> None:
        """Wait as the server asks, else exponentially with jitter; an interrupt ends the wait.

        `why` there was no answer, and how many seconds the try took, are for showing it and until when it may last.
        """
        asked = retry_after(reply.headers) if reply is not None else None
        pause = min(BACKOFF_CAP, BACKOFF_START * 2**attempt) * (0.75 + 0.5 * self.ports.random.random())
        seconds = pause if asked is None else asked
        await self.limiter.pause(seconds, self._describe_wait(attempt, reply, why, spent, asked))

    async def pause(self, seconds: float, why: str = "") -> None:
        """Wait until it is over or an interrupt comes; `why` is shown at once."""
        until = self.ports.clock.wall() + seconds
        await self.limiter.pause(seconds, Wait(why, until, at_once=True) if why else None)

    def _describe_wait(self, attempt: int, reply: Reply | None, why: str, spent: float, asked: float | None) -> Wait:
        """Return what is shown of the wait before a repeat: at once for the first of a server that is in trouble."""
        now, news = self.ports.clock.wall(), not self._in_trouble
        self._in_trouble = True
        if reply is not None and asked is not None and asked >= LONG:
            return Wait(f"HTTP {reply.status}: the target asks to wait", now + asked, news)
        repeats = range(attempt, max(self.pace.max_retries, attempt + 1))
        rest = sum(min(BACKOFF_CAP, BACKOFF_START * 2**repeat) + spent for repeat in repeats)
        trouble = f"HTTP {reply.status}" if reply is not None else why.rstrip(".") or "No answer"
        return Wait(f"{trouble}; retrying", now + rest, news)

    @property
    def _is_over(self) -> bool:
        """Return whether nothing new may start."""
        return self.limiter.gives_up and self.ports.stop.is_set()

    async def _is_repeated(self, attempt: int, reply: Reply | None, why: str, start: float) -> bool:
        """Return whether a read is to be sent again, once the wait before that is over."""
        if attempt < self.pace.max_retries:
            await self.back_off(attempt, reply, why, self.ports.clock.monotonic() - start)
        if attempt >= self.pace.max_retries or self.ports.stop.is_set():
            return False
        self.retries += 1
        return True

    async def _send(self, call: Call) -> Reply:
        self.calls += 1
        reply = await self.ports.send(call)
        if reply.status == 429:
            seconds = retry_after(reply.headers) or 0.0
            until = self.ports.clock.wall() + seconds
            wait = Wait("HTTP 429: the target asks to wait", until, at_once=True)
            self.limiter.on_throttled(seconds, wait if seconds >= LONG else None)
        else:
            self._in_trouble = self._in_trouble and reply.status >= 500
            self.limiter.on_success()
        return reply


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds the server asks to wait, `retry-after-ms` first, at most a minute; None if it does not say."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "")
        try:
            seconds = float(text) * unit
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return min(seconds, RETRY_CAP)
    return None


async def run_concurrently(items: list[T], workers: int, work: Callable[[T], Awaitable[None]]) -> None:
    """Work through the items in order, side by side; what is under way ends before an exception is raised."""
    queue = iter(items)

    async def worker() -> None:
        for item in queue:
            await work(item)

    ended = await asyncio.gather(*(worker() for _ in range(min(workers, len(items)))), return_exceptions=True)
    for error in ended:
        if isinstance(error, BaseException):
            raise error
