"""The rate limiter: slots first come, first served, no faster than the rate, nobody while a server holds us back.

An interrupt ends every wait at the moment it comes, and no write waits so long that its read is old.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.test_request_runner import GET, POST, Line
from tests.extent import examples
from trueup.core.call import Reply
from trueup.engine.modifies import FRESH
from trueup.engine.ports import Wait
from trueup.engine.request_runner import CLOSE, Interrupted, Pace, RequestRunner


def _fine(_number: int) -> Reply:
    return Reply(200)


async def _struck(runner: RequestRunner, line: Line, after: float) -> None:
    await line.clock.sleep(after)
    runner.ports.stop.set()


async def _ended(
    runner: RequestRunner, line: Line, after: float, *works: Awaitable[object]
) -> tuple[list[object], float]:
    """Return what came of each work, and the seconds that they took beyond an interrupt that came `after` so many."""
    began = line.clock.now
    strike = asyncio.ensure_future(_struck(runner, line, after))
    results = await asyncio.gather(*works, return_exceptions=True)
    over = line.clock.now - began - after
    await strike
    return list(results), over


Work = Callable[[RequestRunner, Line], Awaitable[tuple[list[object], float]]]


async def _behind_our_rate(runner: RequestRunner, line: Line) -> tuple[list[object], float]:
    return await _ended(runner, line, 3.0, *(runner.write(POST) for _ in range(2)))


async def _behind_a_retry_after(runner: RequestRunner, line: Line) -> tuple[list[object], float]:
    assert (await runner.write(POST)).status == 429
    return await _ended(runner, line, 3.0, runner.write(POST))


async def _behind_another(runner: RequestRunner, line: Line) -> tuple[list[object], float]:
    async with runner.slot():
        return await _ended(runner, line, 3.0, runner.write(POST), runner.read(GET))


@pytest.mark.parametrize(
    ("work", "pace", "sent"),
    [
        (_behind_our_rate, Pace(8, rate=0.02), 1),
        (_behind_a_retry_after, Pace(8), 1),
        (_behind_another, Pace(1), 0),
    ],
)
def test_an_interrupt_ends_what_waits_at_once_and_unsent(work: Work, pace: Pace, sent: int) -> None:
    line = Line(lambda _: Reply(429 if work is _behind_a_retry_after else 200, {"retry-after": "50"}))

    async def run() -> None:
        runner = line.runner(pace)
        runner.limiter.gives_up = True
        results, over = await work(runner, line)
        assert isinstance(results[-1], Interrupted)
        assert over < 0.01
        assert (len(line.sent), runner.calls) == (sent, sent)

    asyncio.run(run())


def test_after_an_interrupt_no_write_is_sent_and_of_reads_those_that_need_not_wait() -> None:
    line = Line(_fine)

    async def run() -> None:
        runner = line.runner(Pace(1, rate=0.5))
        runner.limiter.gives_up = True
        runner.ports.stop.set()
        with pytest.raises(Interrupted):
            await runner.write(POST)
        assert (await runner.read(GET)).status == 200
        with pytest.raises(Interrupted):
            await runner.read(GET)
        assert len(line.sent) == 1

    asyncio.run(run())


@pytest.mark.parametrize("trouble", [Reply(503), Reply(429, {"retry-after": "50"})])
def test_an_interrupt_between_two_tries_of_a_read_gives_what_was_answered(trouble: Reply) -> None:
    line = Line(lambda _: trouble)

    async def run() -> None:
        runner = line.runner(Pace(1, max_retries=9))
        runner.limiter.gives_up = True
        (reply,), over = await _ended(runner, line, 0.3, runner.read(GET))
        assert reply is trouble
        assert over < 0.01
        assert len(line.sent) == 1

    asyncio.run(run())


def test_a_place_that_was_given_up_is_the_next_ones() -> None:
    line = Line(_fine, seconds=1.0)

    async def run() -> None:
        runner = line.runner(Pace(1))
        first, second, third = (asyncio.ensure_future(runner.read(GET)) for _ in range(3))
        await line.clock.sleep(0.5)
        second.cancel()
        await asyncio.gather(first, third)
        assert len(line.sent) == 2
        assert (await runner.read(GET)).status == 200

    asyncio.run(run())


def test_what_has_to_clean_up_keeps_to_the_rate_after_an_interrupt_and_sits_out_no_retry_after() -> None:
    line = Line(lambda number: Reply(429, {"retry-after": "50"}) if number == 1 else Reply(200), seconds=0.0)

    async def run() -> None:
        runner = line.runner(Pace(8, rate=1.0, max_retries=0))
        await runner.read(GET)
        runner.ports.stop.set()
        for _ in range(3):
            await runner.write(POST)
        gaps = [later - earlier for earlier, later in zip(line.sent, line.sent[1:], strict=False)]
        assert gaps == pytest.approx([1.0, 1.0, 1.0], abs=0.01)

    asyncio.run(run())


def test_a_retry_after_holds_back_those_too_whose_turn_was_booked_before() -> None:
    line = Line(lambda number: Reply(429, {"retry-after": "30"}) if number == 0 else Reply(200))

    async def run() -> None:
        runner = line.runner(Pace(8, rate=1.0))
        await asyncio.gather(*(runner.write(POST) for _ in range(4)))

    asyncio.run(run())
    assert min(line.sent[1:]) - line.sent[0] >= 30.0
    assert min(later - before for before, later in zip(line.sent, line.sent[1:], strict=False)) >= 0.999


def test_what_is_waited_for_is_told() -> None:
    told: list[Wait] = []
    line = Line(lambda number: Reply(429, {"retry-after": "30"}) if number == 1 else Reply(200))

    async def run() -> None:
        runner = line.runner(Pace(1, rate=0.1))
        runner.ports.waiting = told.append
        for _ in range(3):
            await runner.write(POST)

    asyncio.run(run())
    assert {wait.why for wait in told} == {
        "Limited to 0.1 requests a second by `rate_limit`",
        "HTTP 429: the target asks to wait",
    }


async def _pair(runner: RequestRunner, line: Line, reads: list[int]) -> None:
    """Run a write that rests on a read, read again as often as it takes."""
    count, read_at = 0, -inf
    async with runner.slot():
        while True:
            if line.clock.now > read_at + FRESH:
                await runner.read(GET, in_slot=True)
                count, read_at = count + 1, line.clock.now
            await runner.wait_to_write(CLOSE)
            if line.clock.now <= read_at + FRESH:
                await runner.send(POST)
                reads.append(count)
                return


@settings(deadline=None, max_examples=examples(60))
@given(
    rate=st.sampled_from([0.0, 0.01, 0.05, 0.09, 0.1, 0.11, 0.19, 0.2, 0.3, 0.5, 1.0, 3.0, 10.0]),
    parallelism=st.integers(1, 40),
    count=st.integers(1, 40),
    seconds=st.sampled_from([0.0, 0.1, 1.0, 4.0, 12.0]),
)
def test_each_write_goes_after_its_first_read_and_the_rate_is_kept(
    rate: float, parallelism: int, count: int, seconds: float
) -> None:
    line, reads = Line(_fine, seconds), list[int]()

    async def run() -> None:
        runner = line.runner(Pace(parallelism, rate))
        await asyncio.gather(*(_pair(runner, line, reads) for _ in range(count)))

    asyncio.run(run())
    assert reads == [1] * count
    assert len(line.sent) == 2 * count
    assert line.busiest <= parallelism
    if rate:
        early = 1.01 if 1.0 / rate > CLOSE else 0.01
        for number, at in enumerate(line.sent):
            assert number <= rate * (at - line.sent[0]) + early


def test_a_server_that_is_slow_and_takes_one_at_a_time_makes_no_read_old() -> None:
    """Forty workers had one place: what each had read was old before its write had the place again."""
    line, reads = Line(lambda number: Reply(429 if number < 8 else 200), seconds=3.0), list[int]()

    async def run() -> None:
        runner = line.runner(Pace(40, max_retries=0))
        await asyncio.gather(*(runner.read(GET) for _ in range(8)))
        line.busiest = 0
        await asyncio.gather(*(_pair(runner, line, reads) for _ in range(20)))

    asyncio.run(run())
    assert line.busiest == 1
    assert reads == [1] * 20
