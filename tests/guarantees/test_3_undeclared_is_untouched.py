"""Guarantee 3: what you did not declare is not touched."""

from __future__ import annotations

from typing import Any

from tests.engine.world import World, actions, code, definition, fleet, results
from trueup.core.errors import Exit
from trueup.local.faults import Kind


def one(**body: Any) -> World:
    world = World(definitions=fleet(definition("a", **body)))
    world.apply()
    world.calls.clear()
    return world


def test_defaults_that_the_server_fills_in_never_show() -> None:
    world = one(
        tools=[
            {"type": "file_search"},
            {"type": "code_interpreter"},
            {"type": "function", "function": {"name": "f", "description": "d"}},
        ],
        temperature=0.7,
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    )
    assert actions(world.plan()) == {}


def test_undeclared_fields_keep_their_live_value() -> None:
    world = one(instructions="one")
    live_id = world.id_of("a")
    world.edit(
        live_id,
        description="by hand",
        temperature=0.2,
        tools=[{"type": "code_interpreter"}],
        tool_resources={"code_interpreter": {"file_ids": ["file-1"]}},
    )
    assert actions(world.plan()) == {}
    world.definitions["a"] = definition("a", instructions="two")
    world.apply()
    live = world.live()[live_id]
    assert (live["description"], live["temperature"], live["instructions"]) == ("by hand", 0.2, "two")
    assert live["tool_resources"]["code_interpreter"]["file_ids"] == ["file-1"]


def test_undeclared_metadata_keys_and_resource_lists_are_repeated_from_the_last_read() -> None:
    world = one(
        metadata={"team": "x"},
        tools=[{"type": "file_search"}, {"type": "code_interpreter"}],
        tool_resources={"file_search": {"vector_store_ids": ["vs_1"]}},
    )
    live_id = world.id_of("a")
    world.edit(
        live_id,
        metadata={**world.live()[live_id]["metadata"], "note": "n"},
        tool_resources={"code_interpreter": {"file_ids": ["file-9"]}},
    )
    world.definitions["a"] = definition(
        "a",
        metadata={"team": "y"},
        tools=[{"type": "file_search"}, {"type": "code_interpreter"}],
        tool_resources={"file_search": {"vector_store_ids": ["vs_2"]}},
    )
    assert results(world.apply()) == {"a": "done"}
    live = world.live()[live_id]
    assert live["metadata"]["team"] == "y"
    assert live["metadata"]["note"] == "n"
    assert live["tool_resources"]["code_interpreter"]["file_ids"] == ["file-9"]
    assert live["tool_resources"]["file_search"]["vector_store_ids"] == ["vs_2"]


def test_a_field_that_leaves_the_file_is_cleared_once() -> None:
    world = one(
        description="d", temperature=0.3, metadata={"team": "x", "keep": "k"}, tools=[{"type": "code_interpreter"}]
    )
    live_id = world.id_of("a")
    world.definitions["a"] = definition("a", metadata={"keep": "k"})
    assert results(world.apply()) == {"a": "done"}
    live = world.live()[live_id]
    assert (live["description"], live["temperature"], live["tools"]) == (None, 1.0, [])
    assert "team" not in live["metadata"]
    assert live["metadata"]["keep"] == "k"
    assert actions(world.plan()) == {}


def test_a_server_that_does_not_clear_is_named_and_not_asked_again() -> None:
    world = one(metadata={"team": "x"})
    world.fail(kind=Kind.REWRITE, method="POST", field="metadata.team", value="x", storage=True, times=0)
    world.definitions["a"] = definition("a")
    report = world.apply()
    (outcome,) = report.outcomes
    assert outcome.not_kept == ("metadata.team",)
    writes = len(world.writes)
    assert actions(world.plan()) == {}
    world.apply()
    assert len(world.writes) == writes


def test_an_ignored_field_is_sent_on_create_and_then_left_alone() -> None:
    world = World(
        definitions=fleet(
            definition(
                "a", ignore=["temperature", "metadata.owner"], temperature=0.3, metadata={"owner": "git", "team": "x"}
            )
        )
    )
    world.apply()
    live_id = world.id_of("a")
    assert world.live()[live_id]["temperature"] == 0.3
    world.edit(live_id, temperature=0.9, metadata={**world.live()[live_id]["metadata"], "owner": "hand"})
    assert actions(world.plan()) == {}
    world.definitions["a"] = definition(
        "a", ignore=["temperature", "metadata.owner"], temperature=0.3, metadata={"owner": "git", "team": "y"}
    )
    assert results(world.apply()) == {"a": "done"}
    live = world.live()[live_id]
    assert (live["temperature"], live["metadata"]["owner"], live["metadata"]["team"]) == (0.9, "hand", "y")


def test_a_field_the_server_rewrites_is_not_sent_for_ever() -> None:
    world = World(definitions=fleet(definition("a", instructions="hello")))
    world.fail(kind=Kind.REWRITE, method="POST", field="instructions", value="HELLO", storage=True, times=0)
    report = world.apply()
    assert report.outcomes[0].not_kept == ("instructions",)
    assert code(report) is Exit.OK
    assert actions(world.plan()) == {}
    world.faults.clear()
    world.edit(world.id_of("a"), instructions="drifted")
    assert actions(world.plan()) == {"a": "drift"}


def test_a_full_metadata_leaves_no_room_for_the_stamp_and_is_still_modified() -> None:
    world = one(instructions="one")
    live_id = world.id_of("a")
    world.edit(live_id, metadata={f"k{index}": "v" for index in range(16)})
    world.definitions["a"] = definition("a", instructions="two")
    assert results(world.apply()) == {"a": "done"}
    live = world.live()[live_id]
    assert (live["instructions"], len(live["metadata"])) == ("two", 16)
    assert actions(world.plan()) == {}
