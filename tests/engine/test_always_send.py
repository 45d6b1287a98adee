"""Servers that want some fields in every modify: what is sent and guarded, and what is said where one is missing."""

from __future__ import annotations

from tests.engine.rendered import render
from tests.engine.world import World, code, definition, fleet
from trueup.core.errors import Exit
from trueup.core.plans.plan import Cause
from trueup.core.plans.report import Result
from trueup.local.faults import Fault, Kind

WANTS_MODEL = {"detail": [{"type": "missing", "loc": ["body", "model"], "msg": "Field required"}]}


def _edited(*always: str) -> World:
    world = World(definitions=fleet(definition("a", instructions="one")))
    world.with_target(always_send=always)
    world.apply()
    world.calls.clear()
    world.definitions["a"] = definition("a", instructions="two")
    return world


def test_the_plan_lists_what_the_request_holds_beyond_the_change() -> None:
    change = _edited("model", "temperature").plan().changes[0]
    listed = {field.path: field.cause for field in change.fields}
    assert listed == {"instructions": Cause.EDITED, "model": Cause.FORCED, "temperature": Cause.FORCED}
    assert change.sets["model"] == "gpt-4o"
    assert change.sets["temperature"] == 1.0  # undeclared: what is live
    assert set(change.overwritten) == {"instructions", "model", "temperature"}


def test_a_field_that_the_change_holds_already_is_listed_once() -> None:
    change = _edited("instructions").plan().changes[0]
    assert [(field.path, field.cause) for field in change.fields] == [("instructions", Cause.EDITED)]


def test_a_stranger_s_edit_of_a_forced_field_is_not_overwritten() -> None:
    world = _edited("model")
    live_id = world.id_of("a")
    plan = world.plan()
    world.edit(live_id, model="gpt-4")
    report = world.apply(plan)
    assert [outcome.result for outcome in report.outcomes] == [Result.REFUSED]
    assert world.writes == []
    assert world.live()[live_id]["model"] == "gpt-4"


def test_an_undeclared_forced_field_is_no_part_of_the_record() -> None:
    world = _edited("temperature")
    world.apply()
    assert "temperature" not in world.state().records["a"].fields
    world.edit(world.id_of("a"), temperature=0.2)
    assert world.plan().changes == ()


def test_a_server_that_misses_a_field_leads_to_the_option() -> None:
    world = _edited()
    world.faults.add(Fault(Kind.ANSWER, "POST", status=422, body=WANTS_MODEL))
    outcome = world.apply().outcomes[0]
    assert outcome.result is Result.FAILED
    assert outcome.message == "HTTP 422: model: Field required"
    assert "always_send: [model]" in outcome.hint


def test_a_refused_field_that_was_sent_says_nothing_of_the_option() -> None:
    world = _edited("model")
    world.faults.add(Fault(Kind.ANSWER, "POST", status=422, body=WANTS_MODEL))
    report = world.apply()
    assert "always_send" not in report.outcomes[0].hint
    assert code(report) is Exit.PARTIAL


def test_deletes_and_creates_hold_nothing_more() -> None:
    world = _edited("model")
    world.definitions["b"] = definition("b")
    del world.definitions["a"]
    plan = world.plan(prune=True)
    calls = [call for change in plan.changes for call in render(change, world.adapter())]
    assert {call.method: call.json and sorted(call.json) for call in calls} == {
        "POST": ["metadata", "model", "name"],
        "DELETE": None,
    }
