"""What an interrupted apply says of each write is true, whichever wait was cut short, and the next apply mends it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.test_interrupts import NAMES, Interrupted
from tests.engine.world import START, code, definition, fleet, results
from tests.protocols import current
from trueup.core.errors import Exit
from trueup.local.faults import Kind

pytestmark = pytest.mark.usefixtures("protocol")

WRITES = {"create": "POST", "modify": "POST", "delete": "DELETE"}


def _world(action: str, **target: Any) -> Interrupted:
    """Return a world in which the next apply does this to all three, and is interrupted."""
    world = Interrupted(struck=START * 2)
    if action != "create":
        world.definitions = fleet(*map(definition, NAMES))
        assert code(world.apply()) is Exit.OK
    changed: dict[str, Any] = {current().scalar: current().values[0]} if action == "modify" else {}
    world.definitions = fleet(*(definition(name, **changed) for name in NAMES))
    world.struck = 0.0
    world.with_target(**target)
    return world


def _run(world: Interrupted, action: str) -> dict[str, str]:
    """Return the words for each outcome; check that nothing left after the interrupt, and that nobody waited."""
    report = world.apply(destroy=action == "delete")
    assert code(report) is Exit.INTERRUPTED
    assert all(at <= world.struck for at in world.times)
    assert world.clock.now - world.struck < 0.01
    return dict(results(report))


def _calm(world: Interrupted, action: str) -> None:
    """Another apply ends what this one began, each once."""
    world.faults.clear()
    world.struck = START * 2
    world.with_target(rate_limit=0.0)
    world.clock.now += 60.0
    assert code(world.apply(destroy=action == "delete")) is Exit.OK
    assert sorted(entry["name"] for entry in world.live().values()) == ([] if action == "delete" else list(NAMES))
    assert world.state().pending == {}


@pytest.mark.parametrize("parallelism", [1, 8])
@pytest.mark.parametrize("action", WRITES)
def test_behind_our_own_rate_nothing_was_sent(action: str, parallelism: int) -> None:
    world = _world(action, rate_limit=0.3, parallelism=parallelism)
    told = _run(world, action)
    assert sorted(told.values()) == ["done", "skipped", "skipped"]
    assert len([call for call in world.calls[-1:] if call.method == WRITES[action]]) == 1
    assert world.state().pending == {}
    _calm(world, action)


@pytest.mark.parametrize("commit", [False, True])
@pytest.mark.parametrize("action", WRITES)
def test_what_was_answered_unclearly_stays_unclear(action: str, commit: bool) -> None:
    """The look at it would have to wait for its turn."""
    world = _world(action, rate_limit=0.3)
    world.fail(kind=Kind.ANSWER, status=500, method=WRITES[action], commit=commit)
    told = _run(world, action)
    assert sorted(told.values()) == ["skipped", "skipped", "unknown outcome"]
    assert set(world.state().pending) == {name for name, word in told.items() if word == "unknown outcome"}
    _calm(world, action)


@pytest.mark.parametrize("action", ["modify", "delete"])
def test_a_repeat_that_waits_for_its_back_off_is_not_sent(action: str) -> None:
    """It was looked at and was as before; the vendor may be at work on it all the same."""
    world = _world(action, parallelism=1)
    world.after = 0.1
    world.fail(kind=Kind.ANSWER, status=500, method=WRITES[action])
    told = _run(world, action)
    assert sorted(told.values()) == ["skipped", "skipped", "unknown outcome"]
    assert sum(call.method != "GET" for call in world.calls[-3:]) == 1
    _calm(world, action)


@pytest.mark.parametrize("action", ["modify", "delete"])
def test_what_a_429_refused_is_told_as_refused(action: str) -> None:
    world = _world(action, parallelism=1)
    world.fail(kind=Kind.ANSWER, status=429, method=WRITES[action], headers={"retry-after": "40"}, times=0)
    report = world.apply(destroy=action == "delete")
    first, second, third = report.outcomes
    assert first.message.startswith("HTTP 429")
    assert first.message.endswith("interrupted before it was sent again")
    assert {second.message, third.message} == {"interrupted before it was sent"}
    assert world.clock.now - world.struck < 0.01
    _calm(world, action)


def test_the_search_after_an_unclear_create_is_not_waited_for() -> None:
    world = _world("create", parallelism=1)
    world.fail(kind=Kind.DROP, method="POST", commit=True)
    world.after = 2.0
    told = _run(world, "create")
    assert told["a"] == "unknown outcome"
    assert {told["b"], told["c"]} <= {"done", "skipped"}
    _calm(world, "create")


def test_a_closing_listing_that_would_have_to_wait_is_left_out_and_that_is_said() -> None:
    world = _world("create", rate_limit=0.3, parallelism=1)
    report = world.apply()
    assert code(report) is Exit.INTERRUPTED
    assert any("could not be read completely" in problem for problem in report.problems)
    assert world.calls[-1].method == "POST"
