"""Guarantee 3: what you did not declare is not touched."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.world import World, actions, code, definition, fleet, results
from tests.protocols import Protocol
from trueup.core.definitions.definition import Definition
from trueup.core.errors import Exit
from trueup.local.faults import Kind


def one(**body: Any) -> World:
    world = World(definitions=fleet(definition("a", **body)))
    world.apply()
    world.calls.clear()
    return world


def test_defaults_that_the_server_fills_in_never_show(protocol: Protocol) -> None:
    tools = [*protocol.tools, protocol.function()]
    world = one(tools=tools, **{protocol.scalar: protocol.values[0]})
    assert actions(world.plan()) == {}


@pytest.mark.only_protocol("openai-assistants", "its server fills in ranking options and a schema's strictness")
def test_what_the_server_fills_in_deep_inside_never_shows() -> None:
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


def test_undeclared_fields_keep_their_live_value(protocol: Protocol) -> None:
    world = one(instructions="one")
    live_id = world.id_of("a")
    by_hand = {**protocol.unsaid(7), protocol.scalar: protocol.values[1]}
    world.edit(live_id, tools=protocol.tools[:1], **by_hand)
    before = world.live()[live_id]
    assert actions(world.plan()) == {}
    world.definitions["a"] = definition("a", instructions="two")
    world.apply()
    live = world.live()[live_id]
    assert live["instructions"] == "two"
    assert {**live, **by_hand} == live
    assert live["tools"] == before["tools"] != []


def test_undeclared_metadata_keys_are_repeated_from_the_last_read() -> None:
    world = one(metadata={"team": "x"})
    live_id = world.id_of("a")
    world.edit(live_id, metadata={**world.live()[live_id]["metadata"], "note": "n"})
    world.definitions["a"] = definition("a", metadata={"team": "y"})
    assert results(world.apply()) == {"a": "done"}
    live = world.live()[live_id]["metadata"]
    assert (live["team"], live["note"]) == ("y", "n")


@pytest.mark.only_protocol("openai-assistants", "lists of resources are its own")
def test_undeclared_resource_lists_are_repeated_from_the_last_read() -> None:
    world = one(
        tools=[{"type": "file_search"}, {"type": "code_interpreter"}],
        tool_resources={"file_search": {"vector_store_ids": ["vs_1"]}},
    )
    live_id = world.id_of("a")
    world.edit(live_id, tool_resources={"code_interpreter": {"file_ids": ["file-9"]}})
    world.definitions["a"] = definition(
        "a",
        tools=[{"type": "file_search"}, {"type": "code_interpreter"}],
        tool_resources={"file_search": {"vector_store_ids": ["vs_2"]}},
    )
    assert results(world.apply()) == {"a": "done"}
    live = world.live()[live_id]
    assert live["tool_resources"]["code_interpreter"]["file_ids"] == ["file-9"]
    assert live["tool_resources"]["file_search"]["vector_store_ids"] == ["vs_2"]


def test_a_field_that_leaves_the_file_is_cleared_once(protocol: Protocol) -> None:
    scalar = {protocol.scalar: protocol.values[0]}
    world = one(instructions="i", metadata={"team": "x", "keep": "k"}, tools=protocol.tools[:1], **scalar)
    live_id = world.id_of("a")
    world.definitions["a"] = definition("a", metadata={"keep": "k"})
    assert results(world.apply()) == {"a": "done"}
    live = world.live()[live_id]
    assert (live["instructions"], live[protocol.scalar], live["tools"]) == (None, protocol.default, [])
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


def test_an_ignored_field_is_sent_on_create_and_then_left_alone(protocol: Protocol) -> None:
    ignored, (ours, theirs, _) = protocol.scalar, protocol.values

    def of_team(team: str) -> Definition:
        metadata = {"owner": "git", "team": team}
        return definition("a", ignore=[ignored, "metadata.owner"], metadata=metadata, **{ignored: ours})

    world = World(definitions=fleet(of_team("x")))
    world.apply()
    live_id = world.id_of("a")
    assert world.live()[live_id][ignored] == ours
    world.edit(live_id, metadata={**world.live()[live_id]["metadata"], "owner": "hand"}, **{ignored: theirs})
    assert actions(world.plan()) == {}
    world.definitions["a"] = of_team("y")
    assert results(world.apply()) == {"a": "done"}
    live = world.live()[live_id]
    assert (live[ignored], live["metadata"]["owner"], live["metadata"]["team"]) == (theirs, "hand", "y")


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
