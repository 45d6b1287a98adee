"""Guarantee 7: state can be lost. What a stamp cannot hold is unknown, never taken for clean or for drift."""

from __future__ import annotations

from dataclasses import replace

from tests.engine.world import World, actions, code, definition, fleet
from tests.protocols import current
from trueup.core.errors import Exit
from trueup.core.memory.stamp import record_of
from trueup.core.memory.state_codec import encode
from trueup.core.plans.plan import Cause


def rebuilt(world: World) -> World:
    """As `state rebuild` does: names, ids and what was applied, from the stamps alone."""
    records = {}
    for live in world.live().values():
        stamp = world.protocol.stamp_of(live)
        assert stamp is not None
        records[stamp.name] = record_of(stamp, live["id"], live["created_at"])
    world.state_text = encode(replace(world.state(), records=records, pending={}))
    return world


def test_rebuilt_state_has_the_same_names_ids_and_operations() -> None:
    world = World(definitions=fleet(definition("a"), definition("b/c")))
    world.apply()
    before = {name: (record.id, record.operation, record.created_at) for name, record in world.state().records.items()}
    after = rebuilt(world).state().records
    assert {name: (record.id, record.operation, record.created_at) for name, record in after.items()} == before


def test_live_as_the_file_says_is_clean() -> None:
    world = World(definitions=fleet(definition("a", metadata={"team": "x"}, instructions="i")))
    world.apply()
    before = len(world.writes)
    assert actions(rebuilt(world).plan()) == {"a": "record"}
    assert code(world.apply()) is Exit.OK
    assert len(world.writes) == before
    assert actions(world.plan()) == {}


def test_an_edit_of_the_file_is_an_edit() -> None:
    first, second = current().tools
    world = World(definitions=fleet(definition("a", instructions="i", tools=[second])))
    world.apply()
    rebuilt(world)
    world.definitions["a"] = definition("a", instructions="j", tools=[first])
    assert actions(world.plan()) == {"a": "modify"}


def test_what_a_stamp_cannot_hold_is_unknown_and_held_back() -> None:
    world = World(definitions=fleet(definition("a", metadata={"team": "x"})))
    world.apply()
    live_id = world.id_of("a")
    world.edit(live_id, metadata={**world.live()[live_id]["metadata"], "team": "hand"})
    rebuilt(world)
    (change,) = world.plan().changes
    assert {field.cause for field in change.fields if field.path == "metadata.team"} == {Cause.UNKNOWN}
    assert code(world.apply()) is Exit.HELD
    assert world.live()[live_id]["metadata"]["team"] == "hand"
    assert code(world.apply(on_drift="revert")) is Exit.OK
    assert world.live()[live_id]["metadata"]["team"] == "x"


def test_drift_of_a_stamped_field_after_a_rebuild_is_unknown_not_clean() -> None:
    world = World(definitions=fleet(definition("a", instructions="i")))
    world.apply()
    world.edit(world.id_of("a"), instructions="hand")
    (change,) = rebuilt(world).plan().changes
    assert [field.cause for field in change.fields if field.path == "instructions"] == [Cause.UNKNOWN]


def test_a_target_without_a_state_file_runs_from_the_stamps_alone() -> None:
    world = World(definitions=fleet(definition("a", instructions="i"), definition("b"))).with_target(state="stamps")
    assert code(world.apply()) is Exit.OK
    assert world.state_text == ""
    assert actions(world.plan()) == {}
    world.definitions["a"] = definition("a", instructions="j", metadata={"team": "x"})
    assert actions(world.plan()) == {"a": "modify"}
    assert code(world.apply()) is Exit.OK
    assert actions(world.plan()) == {}
    world.edit(world.id_for("a"), instructions="hand")
    assert actions(world.plan()) == {"a": "drift"}
    del world.definitions["b"]
    assert actions(world.plan(prune=True)) == {"a": "drift", "b": "delete"}


def test_records_made_under_other_digest_rules_are_unknown_until_the_next_apply() -> None:
    world = World(definitions=fleet(definition("a", instructions="i")))
    world.apply()
    world.state_text = encode(replace(world.state(), digest_rules=0))
    world.definitions["a"] = definition("a", instructions="j")
    (change,) = world.plan().changes
    assert change.action.value == "held"
    world.definitions["a"] = definition("a", instructions="i")
    assert actions(world.plan()) == {"a": "record"}
