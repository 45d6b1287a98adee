"""After an interrupt nothing new is sent, whatever it waited for: not behind a Retry-After, and not behind our rate."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from tests.engine.world import START, World, code, definition, fleet
from tests.protocols import current
from trueup.core.call import Call
from trueup.core.errors import Exit
from trueup.core.plans.report import Report, Result
from trueup.engine.ports import Ports
from trueup.local.faults import Kind

pytestmark = pytest.mark.usefixtures("protocol")

NAMES = ("a", "b", "c")


@dataclass
class Interrupted(World):
    """A world whose apply is interrupted so many seconds after its first write left."""

    after: float = 0.5
    struck: float = 0.0

    def ports(self) -> Ports:
        self.running = super().ports()
        self.before_call = self._arm
        return self.running

    def _arm(self, call: Call) -> None:
        if call.method != "GET" and not self.struck:
            self.struck = self.clock.now + self.after
            self.task = asyncio.ensure_future(self._strike())

    async def _strike(self) -> None:
        await self.clock.sleep(self.after)
        self.running.stop.set()

    def late(self) -> list[Call]:
        """Return the writes that left after the interrupt."""
        sent = zip(self.times, self.calls, strict=True)
        return [call for at, call in sent if at > self.struck and call.method != "GET"]

    async def send(self, call: Call) -> Any:
        self.times.append(self.clock.now)
        return await super().send(call)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.times: list[float] = []


def _busy(world: World) -> None:
    world.fail(
        kind=Kind.ANSWER, status=429, body={"error": {"message": "slow"}}, headers={"retry-after": "50"}, times=0,
        method="POST",
    )  # fmt: skip


def _results(report: Report) -> dict[str, Result]:
    return {outcome.name: outcome.result for outcome in report.outcomes}


@pytest.mark.parametrize("parallelism", [1, 8])
def test_no_create_that_waits_behind_a_retry_after_is_sent_after_an_interrupt(parallelism: int) -> None:
    """One was, up to a minute later, and the command did not end before."""
    world = Interrupted(definitions=fleet(*map(definition, NAMES))).with_target(parallelism=parallelism)
    assert isinstance(world, Interrupted)
    _busy(world)
    report = world.apply()
    assert code(report) is Exit.INTERRUPTED
    assert world.late() == []
    assert world.clock.now - world.struck < 3.0
    assert _results(report) == {"a": Result.UNKNOWN, "b": Result.SKIPPED, "c": Result.SKIPPED}
    assert set(world.state().pending) == {"a"}, "what was never sent waits for no answer"
    _calm(world)


def _calm(world: Interrupted) -> None:
    world.faults.clear()
    world.struck = START * 2
    world.clock.now += 60.0
    assert code(world.apply()) is Exit.OK
    assert sorted(entry["name"] for entry in world.live().values()) == sorted(world.definitions)


@pytest.mark.parametrize("parallelism", [1, 8])
def test_no_modify_waits_behind_a_retry_after_after_an_interrupt(parallelism: int) -> None:
    world = Interrupted(definitions=fleet(*map(definition, NAMES)), struck=START * 2)
    world.with_target(parallelism=parallelism)
    assert code(world.apply()) is Exit.OK
    world.definitions = fleet(*(definition(name, **{current().scalar: current().values[0]}) for name in NAMES))
    world.struck = 0.0
    _busy(world)
    report = world.apply()
    assert code(report) is Exit.INTERRUPTED
    assert world.late() == []
    assert world.clock.now - world.struck < 3.0
    assert set(_results(report).values()) <= {Result.FAILED, Result.SKIPPED}
    _calm(world)


@pytest.mark.parametrize("parallelism", [1, 8])
def test_no_delete_that_waits_for_its_turn_is_sent_after_an_interrupt(parallelism: int) -> None:
    """With a rate limit as many as there were workers went out, one after the other."""
    world = Interrupted(definitions=fleet(*map(definition, NAMES)), struck=START * 2)
    assert code(world.apply()) is Exit.OK
    world.struck = 0.0
    world.with_target(parallelism=parallelism, rate_limit=1.0)
    report = world.apply(destroy=True)
    assert world.late() == []
    assert sorted(result.value for result in _results(report).values()) == ["done", "skipped", "skipped"]
    assert len(world.live()) == 2
    assert set(world.state().records) == {"b", "c"}
    assert world.state().pending == {}


def test_reads_after_an_interrupt_keep_to_our_rate() -> None:
    world = Interrupted(definitions=fleet(*map(definition, NAMES))).with_target(rate_limit=2.0)
    assert isinstance(world, Interrupted)
    world.apply()
    assert min(later - before for before, later in zip(world.times, world.times[1:], strict=False)) > 0.49
