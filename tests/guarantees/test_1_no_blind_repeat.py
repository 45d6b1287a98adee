"""Guarantee 1: no blind repeat, no hidden duplicate, whatever dies."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from typing import Any

import pytest

from tests.engine.world import Killed, World, actions, code, definition, fleet, results
from tests.protocols import Protocol, current, speaking
from trueup.core.definitions.definition import Definition
from trueup.core.errors import Exit
from trueup.core.plans.plan import Reason
from trueup.local.faults import Kind
from trueup.wire.registry import protocols


def three() -> dict[str, Definition]:
    """Three definitions of different fields."""
    return fleet(
        definition("a", instructions="one", metadata={"team": "x"}),
        definition("b", instructions="two"),
        definition("c", instructions="three", tools=current().tools[:1]),
    )


UNCLEAR: list[dict[str, Any]] = [
    *({"kind": Kind.ANSWER, "status": status} for status in (408, 409, 429, 500, 502, 503, 504)),
    {"kind": Kind.DROP},
    {"kind": Kind.HTML, "status": 200},
    {"kind": Kind.HTML, "status": 502},
    {"kind": Kind.REDIRECT},
    {"kind": Kind.ANSWER, "status": 200, "body": {"object": "thread", "id": "thread_1"}},
    {"kind": Kind.ANSWER, "status": 200, "body": {}},
    {"kind": Kind.ANSWER, "status": 200, "body": "null"},
]


def names_of(world: World) -> Counter[str]:
    """How many live assistants carry our stamp of each name."""
    stamps = [world.protocol.stamp_of(entry) for entry in world.live().values()]
    return Counter(stamp.name for stamp in stamps if stamp is not None)


def assert_one_each(world: World) -> None:
    assert names_of(world) == dict.fromkeys(world.definitions, 1)
    assert len(world.live()) == len(world.definitions)
    assert actions(world.plan()) == {}
    assert {record.id for record in world.state().records.values()} == set(world.live())


@pytest.mark.parametrize("commit", [True, False])
@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("fault", UNCLEAR, ids=lambda fault: f"{fault['kind'].value}-{fault.get('status', '')}")
def test_an_unclear_create_is_settled_by_one_listing(fault: dict[str, Any], nth: int, commit: bool) -> None:
    world = World(definitions=three())
    world.fail(**fault, method="POST", nth=nth, commit=commit)
    report = world.apply()
    assert set(results(report).values()) == {"done"}
    assert code(report) is Exit.OK
    assert_one_each(world)


def test_a_cut_answer_is_unclear() -> None:
    world = World(definitions=three())
    world.fail(kind=Kind.CUT, method="POST", nth=2)
    assert code(world.apply()) is Exit.OK
    assert_one_each(world)


def test_a_create_that_certainly_was_not_sent_fails_and_is_not_parked() -> None:
    world = World(definitions=three())
    world.fail(kind=Kind.REFUSE, method="POST", nth=1)
    report = world.apply()
    assert results(report)["a"] == "failed"
    assert code(report) is Exit.PARTIAL
    assert world.state().pending == {}
    assert code(world.apply()) is Exit.OK
    assert_one_each(world)


def test_a_clear_refusal_is_told_once_and_not_repeated() -> None:
    world = World(definitions=three())
    body = {"error": {"message": "no such model", "type": "invalid_request_error", "param": "model", "code": None}}
    world.fail(kind=Kind.ANSWER, method="POST", nth=2, status=400, body=body)
    report = world.apply()
    assert results(report) == {"a": "done", "b": "failed", "c": "done"}
    assert "no such model" in next(outcome.message for outcome in report.outcomes if outcome.name == "b")
    assert len(world.writes) == 3


def test_nothing_is_decided_before_the_vendor_had_time_to_settle() -> None:
    world = World(definitions=fleet(definition("a")))
    world.fail(kind=Kind.DROP, method="POST", late=4.0)
    report = world.apply()
    assert results(report) == {"a": "done"}
    assert len(world.writes) == 1, "the create that landed four seconds late must not be repeated"
    assert_one_each(world)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": Kind.ANSWER, "status": 503, "commit": True},
        {"kind": Kind.ANSWER, "status": 200, "body": {}, "commit": True},
        {"kind": Kind.DROP, "commit": True},
        {"kind": Kind.REWRITE, "field": "name", "value": "another"},
    ],
    ids=["503", "nothing", "dropped", "another assistant"],
)
def test_the_consistency_delay_begins_with_the_late_answer(fault: dict[str, Any]) -> None:
    world = World(definitions=fleet(definition("a")))
    times: list[tuple[str, float]] = []
    world.before_call = lambda call: times.append((call.method, world.clock.now))
    world.fail(**fault, method="POST", delay=3.0)
    assert code(world.apply()) is Exit.OK
    sent = next(at for method, at in times if method == "POST")
    listed = next(at for method, at in times if method == "GET" and at > sent)
    assert listed - sent >= 3.0 + world.target.settle
    assert_one_each(world)


def test_work_done_after_settle_is_named_by_the_next_plan_with_both_ids() -> None:
    world = World(definitions=fleet(definition("a")))
    world.fail(kind=Kind.DROP, method="POST", late=600.0)
    world.apply()
    late = world.writes[0].json
    world.add(**{key: value for key, value in late.items() if key != "model"})
    plan = world.plan()
    (change,) = plan.changes
    assert set(change.others) | {change.id} == set(world.live())
    assert change.others[0] in change.message
    before = len(world.writes)
    assert code(world.apply()) is Exit.HELD
    assert len(world.writes) == before


def test_what_a_gateway_doubles_is_named_in_the_same_run() -> None:
    world = World(definitions=three())
    world.fail(kind=Kind.REPEAT, method="POST", nth=2)
    report = world.apply()
    assert code(report) is Exit.HELD
    (outcome,) = [outcome for outcome in report.outcomes if outcome.others]
    assert len(outcome.others) == 1
    assert {outcome.id, *outcome.others} <= set(world.live())


def test_a_gateway_that_doubles_and_then_fails_sends_nothing_more() -> None:
    world = World(definitions=fleet(definition("a"), definition("b")))
    world.apply()
    world.definitions["c"] = definition("c")
    world.fail(kind=Kind.DROP, method="POST", commit=True)
    twin = {"name": "c"}

    def double(call: Any) -> None:
        if call.method == "POST" and call.path == world.protocol.path:
            world.add(**{**twin, "metadata": call.json["metadata"]})

    world.before_call = double
    report = world.apply()
    world.before_call = None
    assert results(report)["c"] == "unknown outcome"
    assert code(report) in (Exit.HELD, Exit.PARTIAL)
    (outcome,) = [outcome for outcome in report.outcomes if outcome.name == "c"]
    assert len(outcome.others) == 2
    assert len([call for call in world.writes if (call.json or {}).get("name") == "c"]) == 1
    (change,) = world.plan().changes
    assert change.reason is Reason.TWINS


def steps_of_an_apply(name: str) -> int:
    """Return at how many moments an apply can be killed."""
    with speaking(name):
        world = World(definitions=three())
        world.apply()
    return world.steps


STEPS = {name: steps_of_an_apply(name) for name in protocols()}


@pytest.mark.parametrize("moment", range(1, max(STEPS.values()) + 1))
def test_killed_at_any_moment_the_next_run_makes_no_twin(protocol: Protocol, moment: int) -> None:
    world = World(definitions=three(), kill_at=moment)
    with pytest.raises(Killed) if moment <= STEPS[protocol.name] else nullcontext():
        world.apply()
    world.kill_at = 0
    report = world.apply()
    assert code(report) is Exit.OK
    assert_one_each(world)


@pytest.mark.parametrize("moment", range(1, 30, 2))
def test_killed_twice_in_a_row_and_still_no_twin(moment: int) -> None:
    world = World(definitions=three(), kill_at=moment)
    for _ in range(2):
        try:
            world.apply()
        except Killed:
            world.clock.now += 1
    world.kill_at = 0
    assert code(world.apply()) is Exit.OK
    assert_one_each(world)


def test_a_run_after_a_kill_waits_until_the_vendor_has_settled() -> None:
    world = World(definitions=fleet(definition("a")))
    world.fail(kind=Kind.DROP, method="POST", late=3.0)
    world.kill_at = 6  # listing, intent, the request is out
    with pytest.raises(Killed):
        world.apply()
    assert world.entries(), "the intent was on disk before the request"
    world.kill_at = 0
    started = world.clock.now
    world.apply()
    first_listing = world.calls[-1]
    assert first_listing is not None
    assert world.clock.now >= started
    assert_one_each(world)


def test_lost_state_adopts_by_the_stamps() -> None:
    world = World(definitions=three())
    world.apply()
    world.state_text, world.journal_lines = "", []
    assert set(actions(world.plan()).values()) == {"adopt"}
    before = len(world.writes)
    assert code(world.apply()) is Exit.OK
    assert len(world.writes) == before
    assert_one_each(world)


def test_without_a_stamp_an_unclear_create_is_never_repeated_and_says_how_to_settle() -> None:
    world = World(definitions=fleet(definition("a"))).with_target(stamp=False)
    world.fail(kind=Kind.DROP, method="POST", commit=True)
    report = world.apply()
    (outcome,) = report.outcomes
    assert outcome.result.value == "unknown outcome"
    assert "trueup import --dry-run" in outcome.hint
    assert "state rm a" in outcome.hint
    for _ in range(2):
        assert code(world.apply()) is Exit.HELD
    assert len(world.writes) == 1
    (change,) = world.plan().changes
    assert change.reason is Reason.UNSETTLED
    assert "trueup import --dry-run" in change.hint


def test_a_server_that_keeps_no_stamp_gets_one_create_and_no_more() -> None:
    world = World(definitions=three())
    world.fail(kind=Kind.LACK, method="POST", field="metadata", storage=True, times=0)
    report = world.apply()
    assert code(report) is Exit.PARTIAL
    assert len(world.writes) == 1
    assert sorted(results(report).values()) == ["done", "skipped", "skipped"]
    assert "stamp: false" in next(o.hint for o in report.outcomes if o.result.value == "skipped")
    assert code(world.apply()) is not Exit.OK
    assert len(world.writes) == 1, "nor by a later run"
    world.with_target(stamp=False)
    assert code(world.apply()) is Exit.OK
    assert len(world.live()) == 3


@pytest.mark.parametrize(("name", "stored"), [("a", "a"), ("cafe\u0301", "caf\u00e9"), (" a ", "a")])
def test_an_unstamped_lookalike_after_an_unclear_first_create_is_not_doubled(name: str, stored: str) -> None:
    """Also where the server keeps the name composed, or without the blanks at its ends."""
    world = World(definitions=fleet(definition("a", name=name)))

    def strip(call: Any) -> None:
        if call.method == "POST":
            call.json.pop("metadata")
            call.json["name"] = stored

    world.before_call = strip
    world.fail(kind=Kind.DROP, method="POST", commit=True)
    report = world.apply()
    assert len(world.live()) == 1
    (outcome,) = report.outcomes
    assert "import a=" in outcome.hint


def test_a_create_is_preceded_by_a_complete_listing_and_a_line_on_disk() -> None:
    world = World(definitions=fleet(definition("a")))
    seen: list[tuple[int, int]] = []

    def look(call: Any) -> None:
        if call.method == "POST":
            seen.append((len(world.journal_lines), len(world.calls)))

    world.before_call = look
    world.apply()
    assert seen == [(1, 1)], "one line was on disk and one listing was done"


def test_twins_that_a_second_writer_makes_are_named_by_every_later_plan() -> None:
    world = World(definitions=fleet(definition("a"), definition("b")))
    world.apply()
    first = world.live()[world.id_of("a")]
    twin = world.add(name="a", metadata=first["metadata"])
    for _ in range(2):
        (change,) = world.plan().changes
        assert change.others == (twin,)
        assert world.id_of("a") == change.id
    world.definitions["a"] = definition("a", instructions="new")
    report = world.apply()
    assert code(report) is Exit.HELD
    assert world.live()[world.id_of("a")]["instructions"] == "new"
    assert world.live()[twin]["instructions"] is None


def test_a_stamp_that_nobody_can_read_does_not_hide_its_assistant_from_a_create() -> None:
    world = World(definitions=fleet(definition("a")))
    world.apply()
    world.edit(world.id_of("a"), metadata={"trueup": "garbage"})
    world.state_text, world.journal_lines = "", []
    (change,) = world.plan().changes
    assert change.reason is Reason.NAMESAKE
    assert code(world.apply()) is Exit.HELD
    assert len(world.live()) == 1


def test_two_creates_answered_with_one_id_are_not_both_believed() -> None:
    world = World(definitions=fleet(definition("a"), definition("b")))
    path, same = world.protocol.path, world.protocol.id_of("same")
    world.fail(kind=Kind.REWRITE, method="POST", path=path, field="id", value=same, times=2)
    world.apply()
    ids = [record.id for record in world.state().records.values()]
    assert len(ids) == len(set(ids))
    world.faults.clear()
    world.apply(on_drift="revert")
    assert_one_each(world)


def test_a_create_whose_metadata_has_no_room_for_the_stamp_is_held_back() -> None:
    world = World(definitions=fleet(definition("a", metadata={f"k{index}": "v" for index in range(16)})))
    (change,) = world.plan().changes
    assert change.reason is Reason.NO_ROOM
    assert code(world.apply()) is Exit.HELD
    assert world.writes == []


def test_a_modify_that_the_server_ignores_is_not_called_done() -> None:
    world = World(definitions=fleet(definition("a")))
    world.apply()
    unchanged = world.live()[world.id_of("a")]
    world.definitions["a"] = definition("a", instructions="new")
    world.fail(kind=Kind.ANSWER, status=200, body=unchanged, method="POST", path=f"{world.protocol.path}/", times=0)
    report = world.apply()
    assert results(report) == {"a": "failed"}
    assert code(report) is Exit.PARTIAL
    world.faults.clear()
    assert results(world.apply()) == {"a": "done"}
