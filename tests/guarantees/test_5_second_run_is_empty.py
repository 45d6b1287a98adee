"""Guarantee 5: the second run is empty, and sends no write."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.world import World, actions, code, definition, fleet
from tests.extent import examples
from tests.guarantees.bodies import bodies_of
from tests.protocols import current
from trueup.core.errors import Exit


def assert_second_run_is_empty(world: World) -> None:
    assert actions(world.plan()) == {}
    before = len(world.writes)
    assert code(world.apply()) is Exit.OK
    assert len(world.writes) == before


@settings(max_examples=examples(150), deadline=None)
@given(data=st.data(), stamps=st.booleans())
def test_after_a_create_and_after_any_edit(data: st.DataObject, stamps: bool) -> None:
    bodies = bodies_of(current())
    world = World(definitions=fleet(definition("a", **data.draw(bodies, "first"))))
    if stamps:
        world.with_target(state="stamps")
    report = world.apply()
    assert code(report) is Exit.OK, report.outcomes
    assert_second_run_is_empty(world)
    world.definitions = fleet(definition("a", **data.draw(bodies, "second")))
    report = world.apply()
    assert code(report) is Exit.OK, report.outcomes
    assert_second_run_is_empty(world)
