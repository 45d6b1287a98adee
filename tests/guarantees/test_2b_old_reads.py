"""Guarantee 2, the ten seconds: a write that had to wait for its turn reads again before it goes out."""

from __future__ import annotations

from typing import Any

from tests.engine.world import World, code, definition, fleet, results
from trueup.core.errors import Exit
from trueup.local.faults import Kind


def test_waiting_for_retry_after_makes_a_read_old_and_it_is_repeated() -> None:
    world = World(definitions=fleet(definition("a"), definition("b")))
    world.apply()
    world.calls.clear()
    world.with_target(parallelism=1)
    world.definitions = fleet(definition("a", instructions="planned"), definition("b", instructions="planned"))
    world.fail(kind=Kind.ANSWER, status=429, method="POST", headers={"retry-after": "30"}, nth=1)
    second = world.id_of("b")

    def meddle(call: Any) -> None:
        if call.method == "POST" and call.path.endswith(world.id_of("a")):
            world.edit(second, instructions="by hand")

    world.before_call = meddle
    report = world.apply()
    assert results(report) == {"a": "done", "b": "changed since the plan"}
    assert world.live()[second]["instructions"] == "by hand"
    assert code(report) is Exit.HELD
