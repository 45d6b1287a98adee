"""However slow our own rate is, an apply ends: a write whose read grew old while it waited reads and goes at once."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.engine.world import World, code, definition, fleet
from tests.protocols import current
from trueup.core.call import Call
from trueup.core.errors import Exit
from trueup.engine.modifies import FRESH

pytestmark = pytest.mark.usefixtures("protocol")

COUNT = 10
NAMES = tuple(f"n{number}" for number in range(COUNT))


class Endless(Exception):
    """More requests than any apply of this size needs."""


def _watched(world: World) -> list[float]:
    """Seconds between each write and the last read of what it is about; the listing reads everything."""
    read: dict[str, float] = {}
    ages: list[float] = []
    world.calls.clear()

    def watch(call: Call) -> None:
        if len(world.calls) > 6 * COUNT:
            raise Endless
        live_id = call.path.rpartition("/")[2]
        if call.path == current().path:
            read.update(dict.fromkeys(world.live(), world.clock.now))
        elif call.method == "GET":
            read[live_id] = world.clock.now
        else:
            ages.append(world.clock.now - read[live_id])

    world.before_call = watch
    return ages


def _applied(rate: float, parallelism: int) -> World:
    world = World(definitions=fleet(*map(definition, NAMES)))
    assert code(world.apply()) is Exit.OK
    world.with_target(rate_limit=rate, parallelism=parallelism)
    return world


@pytest.mark.parametrize("parallelism", [1, 3, 8, 40])
@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5, 1.0, 3.0])
def test_every_modify_and_delete_is_sent_once_on_a_fresh_read(rate: float, parallelism: int) -> None:
    """With a rate limit an apply once read for ever: by the time a write's turn came its read was old again."""
    world = _applied(rate, parallelism)
    world.definitions = fleet(*(definition(name, **{current().scalar: current().values[0]}) for name in NAMES))
    ages = _watched(world)
    began = world.clock.now
    assert code(world.apply()) is Exit.OK
    assert Counter(call.path for call in world.writes).most_common(1)[0][1] == 1
    assert len(ages) == COUNT
    assert max(ages) <= FRESH
    assert len(world.calls) <= rate * (world.clock.now - began) + 2.01
    ages = _watched(world)
    assert code(world.apply(destroy=True)) is Exit.OK
    assert (len(ages), world.live()) == (COUNT, {})


@pytest.mark.parametrize("parallelism", [1, 8])
@pytest.mark.parametrize("rate", [0.05, 0.5, 3.0])
def test_the_rate_is_kept_at_any_moment_but_for_the_one_that_goes_at_once(rate: float, parallelism: int) -> None:
    world = _applied(rate, parallelism)
    world.definitions = fleet(*(definition(name, **{current().scalar: current().values[0]}) for name in NAMES))
    times: list[float] = []
    world.before_call = lambda _call: times.append(world.clock.now)
    world.apply()
    for first in range(len(times)):
        for last in range(first, len(times)):
            assert last - first <= rate * (times[last] - times[first]) + 1.01
