"""Whose turn it is: so many requests at once, so many a second, and none while a server holds everybody back.

A place is kept for a write and for the read that it rests on, so that nobody comes between the two. An interrupt ends
all waiting. Sends nothing, and knows no request and no answer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from math import inf
from typing import Any

from trueup.core.errors import NotSent
from trueup.engine.ports import Ports
from trueup.engine.progress import Wait

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
