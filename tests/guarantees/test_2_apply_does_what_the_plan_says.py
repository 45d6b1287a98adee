"""Guarantee 2: apply does what the plan says, and nothing else."""

from __future__ import annotations

import pytest

from tests.engine.rendered import render
from tests.engine.world import Killed, World, actions, code, definition, fleet, results
from trueup.core.errors import Exit, TrueupError
from trueup.core.plans.plan_codec import dumps, loads
from trueup.engine.apply import PARTIAL, explain_blocked
from trueup.local.faults import Kind


def saved(world: World, **options: object) -> str:
    return dumps(world.plan(**options))


def three() -> World:
    world = World(definitions=fleet(definition("a"), definition("b"), definition("c")))
    world.apply()
    world.calls.clear()
    return world


def test_only_what_stands_in_both_plans_is_sent() -> None:
    world = three()
    world.definitions["a"] = definition("a", instructions="planned")
    plan = loads(saved(world))
    world.definitions["b"] = definition("b", instructions="came later")
    report = world.apply(plan)
    assert results(report) == {"a": "done"}
    assert report.only_fresh == 1
    assert [call.json["instructions"] for call in world.writes] == ["planned"]


def test_every_write_request_is_in_the_plan() -> None:
    world = three()
    world.definitions["a"] = definition("a", instructions="planned", metadata={"owner": "me"})
    world.definitions["d"] = definition("d")
    del world.definitions["c"]
    plan = loads(saved(world, prune=True))
    world.apply(plan, prune=True)
    planned = [call for change in plan.changes for call in render(change, world.adapter())]
    assert [(call.method, call.path, call.json) for call in world.writes] == sorted(
        [(call.method, call.path, call.json) for call in planned],
        key=lambda call: (call[0] == "DELETE", call[1] != world.protocol.path),
    )


def test_a_change_of_the_plan_that_no_longer_stands_is_refused_and_the_rest_goes_on() -> None:
    world = three()
    world.definitions["a"] = definition("a", instructions="planned")
    world.definitions["b"] = definition("b", instructions="planned too")
    plan = loads(saved(world))
    world.definitions["a"] = definition("a", instructions="something else")
    report = world.apply(plan)
    assert results(report) == {"a": "refused", "b": "done"}
    assert code(report) is Exit.HELD
    assert len(world.writes) == 1


def test_a_live_edit_after_the_plan_is_not_overwritten() -> None:
    world = three()
    world.definitions["a"] = definition("a", instructions="planned")
    plan = loads(saved(world))
    world.edit(world.id_of("a"), instructions="by hand")
    report = world.apply(plan)
    assert results(report)["a"] == "refused"
    assert world.live()[world.id_of("a")]["instructions"] == "by hand"


def test_a_live_edit_of_another_field_does_not_stop_the_plan() -> None:
    world = three()
    world.definitions["a"] = definition("a", instructions="planned")
    plan = loads(saved(world))
    world.edit(
        world.id_of("a"),
        **world.protocol.unsaid(1),
        metadata={**world.live()[world.id_of("a")]["metadata"], "note": "undeclared"},
    )
    report = world.apply(plan)
    assert results(report) == {"a": "done"}
    live = world.live()[world.id_of("a")]
    assert {**live, **world.protocol.unsaid(1)} == live
    assert live["metadata"]["note"] == "undeclared"


def test_a_half_applied_plan_can_be_applied_again() -> None:
    world = World(definitions=fleet(*(definition(name) for name in "abcd")))
    plan = loads(saved(world))
    world.kill_at = 14
    with pytest.raises(Killed):
        world.apply(plan)
    world.kill_at = 0
    report = world.apply(plan)
    assert set(results(report).values()) <= {"done", "already in place", "recorded"}
    assert code(report) is Exit.OK
    assert len(world.live()) == 4
    again = world.apply(plan)
    assert set(results(again).values()) == {"already in place"}
    assert code(again) is Exit.OK


def test_plans_of_two_branches_work_one_after_the_other() -> None:
    world = three()
    one, two = definition("a", instructions="branch one"), definition("b", instructions="branch two")
    old = dict(world.definitions)
    world.definitions = {**old, "a": one}
    first = loads(saved(world))
    world.definitions = {**old, "b": two}
    second = loads(saved(world))
    world.definitions = {**old, "a": one}
    assert results(world.apply(first)) == {"a": "done"}
    world.definitions = {**old, "a": one, "b": two}
    assert results(world.apply(second)) == {"b": "done"}


def test_an_old_plan_does_not_put_the_old_text_back() -> None:
    world = three()
    world.definitions["a"] = definition("a", instructions="v1")
    old = loads(saved(world))
    world.apply(old)
    world.definitions["a"] = definition("a", instructions="v2")
    world.apply()
    report = world.apply(old)
    assert results(report)["a"] == "refused"
    assert world.live()[world.id_of("a")]["instructions"] == "v2"


def test_a_forged_plan_is_harmless() -> None:
    world = three()
    world.definitions["a"] = definition("a", instructions="planned")
    text = saved(world)
    with pytest.raises(TrueupError):
        loads(text.replace("planned", "forged!"))
    forged = world.plan()
    world.definitions["a"] = definition("a", instructions="mine")
    report = world.apply(forged)
    assert world.writes == []
    assert code(report) is Exit.HELD


def test_the_digest_is_the_same_on_two_machines() -> None:
    texts = set()
    for order in ("abc", "cba"):
        world = World(definitions=fleet(*(definition(name, instructions=name) for name in order)))
        texts.add(saved(world))
    assert len(texts) == 1


def test_adoptions_and_records_need_no_plan() -> None:
    world = three()
    world.definitions["a"] = definition("a", instructions="planned")
    plan = loads(saved(world))
    world.state_text = ""
    assert actions(world.plan())["b"] == "adopt"
    report = world.apply(plan)
    assert results(report)["b"] == "adopted"
    assert "b" in world.state().records


def test_a_refusal_is_told_also_where_the_assistant_is_adopted() -> None:
    """The word for the adoption stood in the refusal's place: exit code 3, and nothing said why."""
    world = World(definitions=fleet(definition("a", instructions="first"), definition("b"), definition("c")))
    world.apply()
    world.definitions["a"] = definition("a", instructions="planned")
    plan = loads(saved(world))
    world.edit(world.id_of("a"), instructions="by hand")
    world.state_text = ""
    report = world.apply(plan)
    assert results(report) == {"a": "refused", "b": "adopted", "c": "adopted"}
    assert code(report) is Exit.HELD
    assert world.state().records.keys() == {"a", "b", "c"}


def test_what_the_fresh_plan_alone_holds_back_is_told() -> None:
    """Exit code 3, and the report of the saved plan spoke only of what had been done."""
    world = World(definitions=fleet(definition("a", instructions="first"), definition("b", instructions="first")))
    world.apply()
    world.definitions["a"] = definition("a", instructions="planned")
    plan = loads(saved(world))
    world.edit(world.id_of("b"), instructions="by hand")
    world.definitions["b"] = definition("b", instructions="later")
    report = explain_blocked(world.apply(plan))
    assert results(report) == {"a": "done"}
    assert code(report) is Exit.HELD
    assert len(report.problems) == 1
    assert report.problems[0].startswith("b: ")


def test_a_partial_view_is_told_where_a_saved_plan_is_applied() -> None:
    world = three()
    world.definitions["a"] = definition("a", instructions="planned")
    plan = loads(saved(world))
    world.fail(kind=Kind.ANSWER, method="GET", path=world.protocol.path, nth=2, status=403)
    world.with_target(max_retries=0)
    report = explain_blocked(world.apply(plan))
    assert code(report) is Exit.UNREADABLE
    assert PARTIAL in report.problems


@pytest.mark.parametrize("is_recorded", [False, True])
def test_what_a_hand_did_as_planned_is_in_place_already(*, is_recorded: bool) -> None:
    """It ended with exit code 3 although nothing was left to do, and nothing said why."""
    world = three()
    world.definitions["a"] = definition("a", instructions="planned")
    plan = loads(saved(world))
    world.edit(world.id_of("a"), instructions="planned")
    if is_recorded:
        world.apply()
    report = world.apply(plan)
    assert results(report) == {"a": "already in place"}
    assert code(report) is Exit.OK
    assert world.writes == []
    assert world.plan().changes == ()


def test_what_a_hand_did_is_not_in_place_where_the_files_say_something_else_by_now() -> None:
    world = three()
    world.definitions["a"] = definition("a", instructions="planned")
    plan = loads(saved(world))
    world.definitions["a"] = definition("a", instructions="later")
    world.edit(world.id_of("a"), instructions="later")
    report = world.apply(plan)
    assert results(report) == {"a": "refused"}
    assert code(report) is Exit.HELD


def test_a_plan_of_a_target_says_nothing_to_another() -> None:
    world = three()
    world.definitions["a"] = definition("a", instructions="planned")
    plan = loads(saved(world))
    report = world.apply(plan)
    assert plan.identity == report.plan.identity


def test_a_read_older_than_ten_seconds_is_repeated_before_its_write() -> None:
    world = three()
    world.definitions["a"] = definition("a", instructions="planned")
    world.definitions["b"] = definition("b", instructions="planned")
    world.with_target(parallelism=1)
    world.fail(kind=Kind.PASS, method="POST", path=f"{world.protocol.path}/", nth=1, delay=11.0)
    target = world.id_of("b")

    def meddle(call: object) -> None:
        if getattr(call, "method", "") == "POST" and getattr(call, "path", "").endswith(world.id_of("a")):
            world.edit(target, instructions="by hand")

    world.before_call = meddle
    report = world.apply()
    assert results(report) == {"a": "done", "b": "changed since the plan"}
    assert world.live()[target]["instructions"] == "by hand"
    assert code(report) is Exit.HELD
