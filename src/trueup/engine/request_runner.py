"""Sends calls within the limits of a target: so many at once, so many a second, none while a server holds back.

Repeats reads only. Knows no assistant.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from math import inf
from typing import Any, TypeVar

from trueup.core.call import Call, Reply
from trueup.core.errors import NotSent, OutcomeUnknown
from trueup.engine.ports import Ports, Wait

CLOSE = 5.0
"""Seconds that a write waits at most, behind others of our own, once what it rests on was read."""

SPARE = 1.0
"""Seconds between a write's turn and the moment at which its read is too old: time for the journal."""


ROUNDED = 0.01
"""Seconds that sums of moments may be off."""

INTERRUPTED = "interrupted before it was sent"


class Stale(Exception):
    """Before its turn can come, what a write rests on is to be read again; nothing was sent."""


class Interrupted(NotSent):
    """An interrupt came before it was sent: what only waits for its turn is not under way."""

    def __init__(self) -> None:
        super().__init__(INTERRUPTED)


class Turns:
    """Places for `parallelism` requests at once, and their turns, `rate` a second (0: at once).

    A rate limits the places too: no more than it can serve within five seconds, so that no read grows old in a queue
    of ours. With `gives_up` an interrupt ends what still has to wait, unsent; a probe, which has to remove what it
    made, keeps to the rate and goes on.
    """

    def __init__(self, ports: Ports, parallelism: int, rate: float) -> None:
        self.gives_up = False
        self._ports = ports
        self._rate = rate
        self._between = 1.0 / rate if rate > 0 else 0.0
        self._most = max(1, parallelism if rate <= 0 else min(parallelism, int(rate * CLOSE)))
        self._limit = self._most
        self._busy = 0
        self._line: deque[asyncio.Future[None]] = deque()
        self._next = 0.0
        self._held_until = 0.0
        self._held_by: Wait | None = None
        self._good = 0

    @property
    def _now(self) -> float:
        return self._ports.clock.monotonic()

    async def take(self) -> None:
        """Waits for a place, first come, first served. Raises `Interrupted`."""
        if self._busy < self._limit and not self._line:
            self._busy += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(place)
        try:
            if self.gives_up:
                await self._unless_stopped(place)
            await place
        except BaseException:
            if place.done() and not place.cancelled():
                self.leave()
            place.cancel()
            raise

    def leave(self) -> None:
        """Gives a place back, to whoever is next."""
        self._busy -= 1
        self._admit()

    async def come(self, good_until: float = inf) -> None:
        """Waits for the turn of one request. Raises `Interrupted`, and `Stale` where it would come too late.

        `good_until` is the moment (monotonic seconds) up to which a write may rest on its read.
        """
        while (start := self._booked(good_until)) > self._now:
            await self._until(start)
            if self._held_until <= self._now or self._ports.stop.is_set():
                return

    async def pause(self, seconds: float, wait: Wait | None = None) -> None:
        """Waits, until it is over or an interrupt comes; a `wait` is shown meanwhile."""
        end = self._now + seconds
        while not self._ports.stop.is_set() and (left := end - self._now) > 0:
            if wait is not None:
                self._ports.waiting(wait)
                wait = replace(wait, at_once=False)
            await self._sooner(asyncio.ensure_future(self._ports.clock.sleep(min(left, 1.0))))

    def refused(self, seconds: float, wait: Wait | None) -> None:
        """A server had too much: half as many at once from now on, and nobody before so many seconds are over.

        A `wait` is shown meanwhile.
        """
        self._limit = max(1, self._limit // 2)
        self._good = 0
        if self._now + seconds > self._held_until:
            self._held_until = self._now + seconds
            self._held_by = wait

    def answered(self) -> None:
        """A good answer: after fifty of them there is one place more again."""
        self._good += 1
        if self._good >= 50 and self._limit < self._most:
            self._limit += 1
            self._good = 0
            self._admit()

    def _admit(self) -> None:
        while self._line and self._busy < self._limit:
            place = self._line.popleft()
            if not place.done():
                self._busy += 1
                place.set_result(None)

    def _booked(self, good_until: float) -> float:
        """The moment of the next turn, which is taken with that. Raises `Stale`.

        Where one turn takes longer than a read is good for, a write goes soon after its read, and whoever comes next
        waits for both.
        """
        now = self._now
        start = max(now, self._next, self._held_until)
        if start == now or start <= good_until - SPARE:
            self._next = start + self._between
            return start
        soon = max(now, self._held_until, good_until - CLOSE)
        if self._between <= CLOSE or self._next - now > self._between + ROUNDED or soon > good_until - SPARE:
            raise Stale
        self._next += self._between
        return soon

    async def _until(self, start: float) -> None:
        """Waits for a turn that is booked. Raises `Interrupted`."""
        slow = Wait(f"At most {self._rate:g} requests a second, as `rate_limit` says") if self._rate > 0 else None
        await self.pause(start - self._now, self._held_by if self._held_until > self._now else slow)
        left = start - self._now
        if left > 0 and self.gives_up:
            raise Interrupted
        if left > 0:
            await self._ports.clock.sleep(min(left, self._between))

    async def _unless_stopped(self, waiting: asyncio.Future[None]) -> None:
        """Waits for it. Raises `Interrupted` where that comes sooner."""
        if not await self._sooner(waiting):
            raise Interrupted

    async def _sooner(self, waiting: asyncio.Future[None]) -> bool:
        """Whether it came to its end before an interrupt did; if not, it is given up."""
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


class RequestRunner:
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
