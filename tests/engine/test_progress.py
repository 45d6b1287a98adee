"""How far a run is and what it waits for is told in time, with its end, and with nothing that a server answered."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.engine.test_refresh import Shelf, names
from tests.engine.test_request_runner import GET, Line
from tests.engine.world import World, code, definition, fleet
from trueup.core.call import Reply
from trueup.core.errors import Exit, NotSent, OutcomeUnknown
from trueup.engine.ports import Ports, Progress, Wait, estimate_left
from trueup.engine.refresh import list_all
from trueup.engine.request_runner import Pace
from trueup.local.faults import Kind

SECRET = "sk-canary-123456"


class Watched(World):
    """A world that keeps what it was told."""

    def ports(self) -> Ports:
        self.progress: list[Progress] = []
        self.waits: list[Wait] = []
        return replace(super().ports(), progress=self.progress.append, waiting=self.waits.append)


def _steps(world: Watched) -> list[tuple[str, int, int]]:
    """Each step of the last run, with how much of it was done in the end."""
    last = {told.what: (told.what, told.done, told.total) for told in world.progress}
    return list(last.values())


def test_each_step_of_an_apply_counts_its_own_and_is_named() -> None:
    world = Watched()
    world.definitions = fleet(*(definition(f"a{number}") for number in range(12)))
    assert code(world.apply()) is Exit.OK
    assert ("Creating", 12, 12) in _steps(world)
    changed = [definition(f"a{number}", temperature=0.5) for number in range(7)]
    world.definitions = fleet(*changed, *(definition(f"b{number}") for number in range(3)))
    assert code(world.apply(prune=True)) is Exit.OK
    assert [step for step in _steps(world) if step[0] != "Reading assistants"] == [
        ("Creating", 3, 3),
        ("Modifying", 7, 7),
        ("Deleting", 5, 5),
    ]
    assert [told.what for told in world.progress if told.done == 0] == [
        "Reading assistants",
        "Creating",
        "Reading assistants",
        "Modifying",
        "Deleting",
    ]
    named = {told.name for told in world.progress if told.what == "Modifying" and told.done}
    assert named == {f"a{number}" for number in range(7)}


def test_the_time_that_is_left_is_told_and_goes_down() -> None:
    world = Watched()
    world.with_target(rate_limit=1.0, parallelism=1)
    world.definitions = fleet(*(definition(f"a{number:02}") for number in range(30)))
    world.apply()
    told = [item for item in world.progress if item.what == "Creating" and item.left is not None]
    assert told[0].done == 3
    assert told[0].left == pytest.approx(27.0, abs=14)
    assert told[-1].left == 0.0
    assert [item.left for item in told[6:]] == sorted((item.left or 0.0 for item in told[6:]), reverse=True)


@pytest.mark.parametrize(
    ("spent", "done", "total", "left"),
    [(10.0, 5, 10, 10.0), (60.0, 3, 300, 5_940.0), (10.0, 2, 10, None), (0.5, 50, 100, None), (9.0, 9, 0, None)],
)
def test_nothing_is_guessed_from_too_little(spent: float, done: int, total: int, left: float | None) -> None:
    assert estimate_left(spent, done, total) == left


@pytest.mark.parametrize(("known", "total"), [(300, 300), (0, 0)])
def test_reading_tells_of_how_many_where_that_is_known(known: int, total: int) -> None:
    shelf = Shelf(names(300), page_size=20)
    runner = shelf.runner(1)
    told: list[Progress] = []
    runner.ports.progress = told.append
    asyncio.run(list_all(shelf.adapter(), runner, names(known)))
    assert {item.what for item in told} == {"Reading assistants"}
    assert {item.total for item in told} == {total}
    assert [item.done for item in told] == sorted(item.done for item in told)
    assert told[-1].done >= 240


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (NotSent("example.com could not be reached: the connection was refused"), "example.com could not be reached: "
         "the connection was refused; retrying"),
        (OutcomeUnknown("no answer within 60 seconds"), "no answer within 60 seconds; retrying"),
        (Reply(503, {}, {"error": SECRET}, SECRET), "HTTP 503; retrying"),
        (Reply(429, {"x-key": SECRET}, None, SECRET), "HTTP 429; retrying"),
        (Reply(503, {"retry-after": "9"}, None, SECRET), "HTTP 503: the target asks to wait"),
    ],
)  # fmt: skip
def test_a_server_in_trouble_is_told_of_at_once_and_once_however_many_ask_it(trouble: Any, why: str) -> None:
    line = Line(lambda number: trouble if number < 16 else Reply(200))
    told: list[tuple[float, Wait]] = []

    async def work() -> None:
        runner = line.runner(Pace(8, max_retries=6))
        runner.ports.waiting = lambda wait: told.append((line.clock.now, wait))
        await asyncio.gather(*(runner.read(GET) for _ in range(8)))

    start = line.clock.now
    asyncio.run(work())
    news = [(at, wait) for at, wait in told if wait.at_once]
    assert [wait.why for _, wait in news] == [why]
    assert news[0][0] - start <= line.seconds + 0.001, "with the first answer"
    assert news[0][1].until > line.clock.jumped + news[0][0]


def test_until_when_it_is_tried_again_is_about_when_it_is_given_up() -> None:
    line = Line(lambda _: NotSent("refused"), seconds=2.0)
    runner = line.runner(Pace(1, max_retries=3))
    told: list[Wait] = []
    runner.ports.waiting = told.append
    with pytest.raises(NotSent):
        asyncio.run(runner.read(GET))
    assert told[0].until == pytest.approx(line.clock.wall(), abs=1.0)


def test_when_it_answers_again_the_next_trouble_is_news() -> None:
    line = Line(lambda number: Reply(503) if number in (0, 1, 3) else Reply(200))
    told: list[Wait] = []

    async def work() -> None:
        runner = line.runner(Pace(1))
        runner.ports.waiting = told.append
        for _ in range(2):
            await runner.read(GET)

    asyncio.run(work())
    assert [wait.at_once for wait in told if wait.at_once] == [True, True]


def test_without_repeats_nothing_is_promised() -> None:
    line = Line(lambda _: Reply(503))
    runner = line.runner(Pace(1, max_retries=0))
    told: list[Wait] = []
    runner.ports.waiting = told.append
    asyncio.run(runner.read(GET))
    assert told == []


def test_a_rate_limit_of_ours_is_no_news() -> None:
    line = Line(lambda _: Reply(200))
    runner = line.runner(Pace(1, rate=0.5))
    told: list[Wait] = []
    runner.ports.waiting = told.append

    async def work() -> None:
        for _ in range(4):
            await runner.read(GET)

    asyncio.run(work())
    assert {(wait.why, wait.until, wait.at_once) for wait in told} == {
        ("Limited to 0.5 requests a second by `rate_limit`", 0.0, False)
    }


def test_the_consistency_delay_is_told_with_its_end() -> None:
    world = Watched()
    world.definitions = fleet(definition("a"), definition("b"))
    world.fail(kind=Kind.DROP, method="POST", commit=True)
    assert code(world.apply()) is Exit.OK
    delays = [wait for wait in world.waits if "consistency delay" in wait.why]
    assert delays[0].why == "Unresolved creates: 1; waiting for the consistency delay"
    assert delays[0].at_once
    assert not any(wait.at_once for wait in delays[1:])
    assert len({wait.until for wait in delays}) == 1
    assert world.clock.wall() >= delays[0].until
