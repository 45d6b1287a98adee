"""The runner keeps to its pace: never more at once than allowed, never faster than the rate, reads alone repeated."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.world import Clock
from trueup.core.call import Call, Reply
from trueup.core.errors import NotSent, OutcomeUnknown
from trueup.engine.ports import Ports, Wait
from trueup.engine.request_runner import RETRY_CAP, Pace, RequestRunner, retry_after, run_concurrently

GET, POST = Call("GET", "/assistants"), Call("POST", "/assistants", json={})


class Line:
    """Answers each call after a while of virtual time, as `reply` says for its number."""

    def __init__(self, reply: Callable[[int], Reply | Exception], seconds: float = 0.1) -> None:
        self.clock = Clock()
        self.reply = reply
        self.seconds = seconds
        self.sent: list[float] = []
        self.busy = 0
        self.busiest = 0

    async def send(self, _call: Call) -> Reply:
        number = len(self.sent)
        self.sent.append(self.clock.now)
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        await self.clock.sleep(self.seconds)
        self.busy -= 1
        answer = self.reply(number)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def runner(self, pace: Pace) -> RequestRunner:
        async def journal(_entry: object) -> None:
            raise AssertionError("a runner writes no journal")

        def backup(_name: str, _kind: str, _body: object) -> None:
            raise AssertionError("a runner makes no backup")

        return RequestRunner(Ports(self.send, self.clock, journal, backup, random.Random(1)), pace)


def crowd(line: Line, pace: Pace, count: int) -> RequestRunner:
    """So many reads at once."""

    async def work() -> RequestRunner:
        runner = line.runner(pace)
        await asyncio.gather(*(runner.read(GET) for _ in range(count)))
        return runner

    return asyncio.run(work())


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 9), st.integers(0, 30))
def test_as_many_at_once_as_allowed_and_no_more(parallelism: int, count: int) -> None:
    line = Line(lambda _: Reply(200))
    crowd(line, Pace(parallelism), count)
    assert line.busiest == min(parallelism, count)
    assert len(line.sent) == count


def test_a_rate_spaces_the_calls_out() -> None:
    line = Line(lambda _: Reply(200))
    crowd(line, Pace(8, rate=10.0), 12)
    gaps = [later - earlier for earlier, later in zip(line.sent, line.sent[1:], strict=False)]
    assert min(gaps) >= 0.0999


def test_a_429_halves_the_parallelism_holds_everybody_back_and_fifty_good_answers_add_one() -> None:
    busy = {40: 0, 100: 0}

    def reply(number: int) -> Reply:
        return Reply(429, {"retry-after": "7"}) if number == 7 else Reply(200)

    line = Line(reply)

    async def work() -> None:
        runner = line.runner(Pace(8, max_retries=3))
        await asyncio.gather(*(runner.read(GET) for _ in range(8)))
        assert line.sent[8] - line.sent[7] >= 7.0  # the one that was refused, and whoever else would have come
        line.busiest = 0
        await asyncio.gather(*(runner.read(GET) for _ in range(40)))
        busy[40] = line.busiest
        line.busiest = 0
        await asyncio.gather(*(runner.read(GET) for _ in range(60)))
        busy[100] = line.busiest

    asyncio.run(work())
    assert busy == {40: 4, 100: 5}


@pytest.mark.parametrize("trouble", [Reply(500), Reply(503), Reply(429), Reply(408), NotSent("x"), OutcomeUnknown("x")])
def test_a_read_is_repeated_and_a_write_is_not(trouble: Reply | Exception) -> None:
    line = Line(lambda number: trouble if number < 2 else Reply(200))
    runner = crowd(line, Pace(1, max_retries=3), 1)
    assert (runner.calls, runner.retries) == (3, 2)
    written = Line(lambda _: trouble)
    if isinstance(trouble, Exception):
        with pytest.raises(type(trouble)):
            asyncio.run(written.runner(Pace(1)).write(POST))
    else:
        assert asyncio.run(written.runner(Pace(1)).write(POST)) is trouble
    assert len(written.sent) == 1


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 422])
def test_what_is_answered_clearly_is_not_asked_again(status: int) -> None:
    line = Line(lambda _: Reply(status))
    crowd(line, Pace(1), 1)
    assert len(line.sent) == 1


def test_repeats_end() -> None:
    line = Line(lambda _: Reply(500))
    runner = crowd(line, Pace(1, max_retries=2), 1)
    assert runner.calls == 3


def test_an_interrupt_ends_the_waiting() -> None:
    line = Line(lambda _: Reply(503, {"retry-after": "50"}))

    async def work() -> float:
        runner = line.runner(Pace(1, max_retries=9))
        reading = asyncio.ensure_future(runner.read(GET))
        await line.clock.sleep(3.0)
        runner.ports.stop.set()
        assert (await reading).status == 503
        return line.clock.now - line.sent[0]

    assert asyncio.run(work()) < 6.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after-ms": "250", "retry-after": "3"}, 0.25),
        ({"retry-after": "86400"}, RETRY_CAP),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
        ({}, None),
    ],
)
def test_what_a_server_asks_for_is_obeyed_within_a_minute(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_each_finishes_what_is_under_way_before_it_raises() -> None:
    ended: list[int] = []

    async def work(number: int) -> None:
        if number == 1:
            raise ValueError("one")
        await asyncio.sleep(0.01)
        ended.append(number)

    with pytest.raises(ValueError, match="one"):
        asyncio.run(run_concurrently([0, 1, 2], 3, work))
    assert ended == [0, 2]


def test_a_long_wait_that_the_server_asks_for_is_told_while_it_lasts() -> None:
    line = Line(lambda number: Reply(429, {"retry-after": "30"}) if number == 0 else Reply(200))
    told: list[Wait] = []
    runner = line.runner(Pace(1))
    runner.ports.waiting = told.append
    start = line.clock.wall()
    asyncio.run(runner.read(GET))
    assert {wait.why for wait in told} == {"HTTP 429: the target asks to wait"}
    assert {round(wait.until - start, 1) for wait in told} == {30.1}
    assert [wait.at_once for wait in told] == [True, *[False] * (len(told) - 1)]
    assert len(told) >= 20
