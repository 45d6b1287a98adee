"""Guarantee 1: a duplicate that was reported can be deleted, and nothing else can be deleted as one, whatever dies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.engine.world import Killed, World, actions, code, definition, fleet
from trueup.core.call import Call
from trueup.core.definitions.definition import Definition
from trueup.core.errors import Exit, RefusedError, TrueupError, UnreadableError
from trueup.core.memory.stamp import RELEASED
from trueup.core.memory.state_codec import encode
from trueup.core.plans.plan import Options
from trueup.core.plans.report import Report
from trueup.engine.apply import execute
from trueup.engine.duplicates import delete_duplicate, plan_delete
from trueup.engine.facts import read_stamps
from trueup.engine.plan import Planning
from trueup.engine.takeover import make_link_change
from trueup.local.faults import Kind
from trueup.wire.registry import identity_of

from .test_1_no_blind_repeat import UNCLEAR


def two() -> dict[str, Definition]:
    """Two definitions of different fields."""
    return fleet(definition("a", instructions="one", metadata={"team": "x"}), definition("b", instructions="two"))


def copy(world: World, live_id: str, **changes: Any) -> str:
    """Make what a gateway that repeats our POST leaves behind: the same assistant under another id."""
    body = world.live()[live_id]
    known = {key: body[key] for key in ("name", "model", "instructions", "metadata")}
    return world.add(**{**known, **changes})


async def _deleted(world: World, name: str, live_id: str) -> Report:
    runner = world.runner(world.ports())
    planning = await world._plan(Options(), runner)
    change = plan_delete(planning, name, live_id, world.target, world.adapter())
    with world.journaled() as journal:
        runner.ports.journal = journal
        report, state = await delete_duplicate(planning, change, world.adapter(), runner, world.target)
        world.save(state)
    return report


def delete(world: World, name: str, live_id: str) -> Report:
    """Do what `trueup delete-duplicate NAME=ID` does."""
    world.steps = 0
    return asyncio.run(_deleted(world, name, live_id))


async def _chosen(world: World, name: str, live_id: str) -> None:
    runner = world.runner(world.ports())
    planning = await world._plan(Options(), runner)
    identity, seen = identity_of(world.target), read_stamps(planning.view, world.adapter())
    change = make_link_change(world.definitions[name], seen[live_id], identity, world.adapter())
    plan = replace(planning.plan, changes=(change,))
    with world.journaled() as journal:
        runner.ports.journal = journal
        made = Planning(plan, world.state(), planning.view, seen, {})
        _, state = await execute(made, plan, world.adapter(), runner, world.target, lambda *_: None)
        world.save(state)


def choose(world: World, name: str, live_id: str) -> None:
    """Do what `trueup import NAME=ID` does where the stamps are the state."""
    asyncio.run(_chosen(world, name, live_id))


def record(world: World, name: str, live_id: str) -> None:
    """Make the state record another assistant under a name."""
    state = world.state()
    records = {**state.records, name: replace(state.records[name], id=live_id)}
    world.state_text, world.journal_lines = encode(replace(state, records=records)), []


@pytest.fixture(params=["the recorded one is older", "the recorded one is younger"])
def doubled(request: pytest.FixtureRequest) -> tuple[World, str, str]:
    """Return a fleet with a duplicate of `a`, the id that is recorded, and the duplicate's."""
    world = World(definitions=two())
    world.apply()
    older = world.id_of("a")
    younger = copy(world, older)
    world.calls.clear()
    if request.param == "the recorded one is older":
        return world, older, younger
    record(world, "a", younger)
    return world, younger, older


def assert_only(world: World, kept: str, *gone: str) -> None:
    """Check that the recorded one is as it was, and that nothing was sent but the delete of the duplicate."""
    assert kept in world.live()
    assert world.id_of("a") == kept
    assert {call.path for call in world.writes} <= {world.protocol.path_of(one) for one in gone}
    assert {call.method for call in world.writes} <= {"DELETE"}
    assert len(world.live()) >= len(world.definitions)


def test_exactly_the_named_one_goes_and_is_kept_in_the_backup(doubled: tuple[World, str, str]) -> None:
    world, kept, other = doubled
    body, before = world.live()[other], world.state()
    report = delete(world, "a", other)
    assert code(report) is Exit.OK
    (outcome,) = report.outcomes
    assert (outcome.id, outcome.result.value) == (other, "done")
    assert kept in outcome.message
    assert [call.path for call in world.writes] == [world.protocol.path_of(other)]
    ((name, kind, kept_body),) = world.backups
    assert (name, kind) == ("a", other)
    assert kept_body.items() <= body.items(), "all that was live but the id and its age"
    assert kept_body["metadata"] == body["metadata"]
    assert world.state() == before
    assert actions(world.plan()) == {}
    assert_only(world, kept, other)
    with pytest.raises(RefusedError, match="no live assistant"):
        delete(world, "a", other)


def test_it_is_read_right_before_the_delete(doubled: tuple[World, str, str]) -> None:
    world, _, other = doubled
    delete(world, "a", other)
    methods = [(call.method, call.path) for call in world.calls]
    assert methods[-2:] == [("GET", world.protocol.path_of(other)), ("DELETE", world.protocol.path_of(other))]


@pytest.mark.parametrize("commit", [True, False])
@pytest.mark.parametrize("fault", UNCLEAR, ids=lambda fault: f"{fault['kind'].value}-{fault.get('status', '')}")
@pytest.mark.parametrize("times", [1, 0])
def test_an_unclear_delete_is_read_before_it_is_repeated(
    doubled: tuple[World, str, str], fault: dict[str, Any], commit: bool, times: int
) -> None:
    world, kept, other = doubled
    world.fail(**fault, method="DELETE", times=times, commit=commit)
    report = delete(world, "a", other)
    assert (code(report) is Exit.OK) == (other not in world.live())
    assert len(world.writes) == 1 or not commit
    assert_only(world, kept, other)


@pytest.mark.parametrize("state", ["file", "stamps"])
def test_killed_anywhere_the_recorded_one_stays_and_the_next_run_goes_on(state: str) -> None:
    for kill_at in range(1, 60):
        world = World(definitions=two()).with_target(state=state)
        world.apply()
        kept = world.id_for("a")
        other = copy(world, kept)
        if state == "stamps":
            choose(world, "a", kept)
        world.calls.clear()
        world.backups.clear()
        world.kill_at = kill_at
        try:
            delete(world, "a", other)
            ended = True
        except Killed:
            ended = False
        world.kill_at = 0
        assert kept in world.live()
        assert {call.path for call in world.writes} <= {world.protocol.path_of(other)}
        assert other in world.live() or [name for name, _, _ in world.backups] == ["a"]
        if state == "file":
            assert world.id_of("a") == kept
        if other in world.live():
            assert code(delete(world, "a", other)) is Exit.OK
        world.apply()
        assert list(world.live()) == [kept, world.id_for("b")]
        assert actions(world.plan()) == {}
        assert state == "stamps" or world.state().pending == {}
        if ended:
            return
    raise AssertionError("it never ended")


Wrong = Callable[[World, str, str], str]


def _edited(**metadata: Any) -> Wrong:
    """Give the duplicate another stamp."""

    def edit(world: World, _kept: str, other: str) -> str:
        stamp = json.loads(world.live()[other]["metadata"]["trueup"])
        text = metadata["text"] if "text" in metadata else json.dumps({**stamp, **metadata})
        world.edit(other, metadata={"team": "x", **({"trueup": text} if text else {})})
        return other

    return edit


WRONG: dict[str, Wrong] = {
    "the recorded one": lambda _world, kept, _other: kept,
    "another name's": lambda world, _kept, _other: world.id_of("b"),
    "nobody's": lambda world, _kept, _other: world.protocol.id_of("nowhere"),
    "one without a stamp": lambda world, _kept, _other: world.add(name="a"),
    "another project's": _edited(p="other"),
    "another target's": _edited(t="staging"),
    "one of another name": _edited(n="b"),
    "a name that no file has": _edited(n="c"),
    "its stamp cannot be read": _edited(text='{"v": 99}'),
    "a released one": _edited(text=RELEASED),
    "one whose stamp was taken off": _edited(text=""),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_nothing_else_is_ever_deleted(doubled: tuple[World, str, str], wrong: str) -> None:
    world, kept, other = doubled
    live_id = WRONG[wrong](world, kept, other)
    before = world.live()
    world.calls.clear()
    with pytest.raises(RefusedError) as caught:
        delete(world, "a", live_id)
    assert "Nothing was deleted" in caught.value.message
    assert caught.value.hint
    assert world.writes == []
    assert world.live() == before
    assert world.backups == []


def _after_listing(world: World, act: Callable[[], None]) -> None:
    """Somebody acts between the listing and the reads before the delete."""
    done: list[Call] = []

    def before_call(call: Call) -> None:
        if call.method == "GET" and call.path != world.protocol.path and not done:
            done.append(call)
            act()

    world.before_call = before_call


@pytest.mark.parametrize(
    "body",
    [{"metadata": {"team": "x"}}, {"metadata": {"team": "x", "trueup": RELEASED}}, {"instructions": "by hand"}],
    ids=str,
)
def test_what_changed_since_the_listing_is_left_alone(doubled: tuple[World, str, str], body: dict[str, Any]) -> None:
    world, kept, other = doubled
    _after_listing(world, lambda: world.edit(other, **body))
    report = delete(world, "a", other)
    assert code(report) is Exit.HELD
    assert [outcome.result.value for outcome in report.outcomes] == ["changed since the plan"]
    assert world.writes == []
    assert {kept, other} <= set(world.live())


def test_the_last_one_stays_where_the_recorded_one_went_meanwhile(doubled: tuple[World, str, str]) -> None:
    world, kept, other = doubled
    _after_listing(world, lambda: world.remove(kept))
    with pytest.raises(RefusedError, match="may be the only one"):
        delete(world, "a", other)
    assert world.writes == []
    assert other in world.live()


def test_the_last_one_stays_where_the_recorded_one_went_before(doubled: tuple[World, str, str]) -> None:
    world, kept, other = doubled
    world.remove(kept)
    with pytest.raises(RefusedError):
        delete(world, "a", other)
    third = copy(world, other)
    for one in (other, third):
        with pytest.raises(RefusedError, match="is not live") as caught:
            delete(world, "a", one)
        assert f"trueup import a={third}" in caught.value.hint
    assert world.writes == []


def test_two_checkouts_that_record_each_other_s_do_not_lose_both(doubled: tuple[World, str, str]) -> None:
    world, kept, other = doubled
    mine = world.state_text, list(world.journal_lines)
    record(world, "a", other)
    assert code(delete(world, "a", kept)) is Exit.OK
    world.state_text, world.journal_lines = mine
    with pytest.raises(RefusedError):
        delete(world, "a", other)
    assert other in world.live()


def test_where_none_is_recorded_one_is_chosen_first(doubled: tuple[World, str, str]) -> None:
    world, kept, other = doubled
    state = world.state()
    records = {"b": state.records["b"]}
    world.state_text, world.journal_lines = encode(replace(state, records=records)), []
    for one in (kept, other):
        with pytest.raises(RefusedError, match="none is recorded") as caught:
            delete(world, "a", one)
        for choice in (kept, other):
            assert f"trueup import a={choice}" in caught.value.hint
    assert world.writes == []


def test_one_that_is_behind_is_not_trusted(doubled: tuple[World, str, str]) -> None:
    world, kept, other = doubled
    stamp = json.loads(world.live()[kept]["metadata"]["trueup"])
    world.edit(kept, metadata={"team": "x", "trueup": json.dumps({**stamp, "o": "feed" * 4})})
    with pytest.raises(RefusedError, match="another checkout"):
        delete(world, "a", other)
    assert world.writes == []


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 403}, {"kind": Kind.HTML, "status": 200}], ids=str)
def test_a_partial_view_deletes_nothing(doubled: tuple[World, str, str], fault: dict[str, Any]) -> None:
    world, kept, other = doubled
    for number in range(120):
        world.add(name=f"n{number}")
    world.fail(**fault, method="GET", nth=2, times=0)
    with pytest.raises(TrueupError) as caught:
        delete(world, "a", other)
    assert caught.value.exit is Exit.UNREADABLE
    assert world.writes == []
    assert {kept, other} <= set(world.live())


def test_a_recorded_one_that_cannot_be_read_deletes_nothing(doubled: tuple[World, str, str]) -> None:
    world, kept, other = doubled
    world.fail(status=500, method="GET", path=world.protocol.path_of(kept), times=0)
    with pytest.raises(UnreadableError):
        delete(world, "a", other)
    assert world.writes == []


class TestStampsAlone:
    """Where the stamps are the state, the one that `import NAME=ID` chose is the recorded one."""

    @pytest.fixture
    def world(self) -> World:
        world = World(definitions=two()).with_target(state="stamps")
        world.apply()
        copy(world, world.id_for("a"))
        world.calls.clear()
        return world

    def test_neither_is_deleted_before_one_is_chosen(self, world: World) -> None:
        for live_id in [key for key, body in world.live().items() if body["name"] == "a"]:
            with pytest.raises(RefusedError, match="none is recorded"):
                delete(world, "a", live_id)
        assert world.writes == []

    @pytest.mark.parametrize("place", [0, 1])
    def test_the_chosen_one_is_managed_and_the_other_can_go(self, world: World, place: int) -> None:
        ids = [key for key, body in world.live().items() if body["name"] == "a"]
        kept, other = ids[place], ids[1 - place]
        choose(world, "a", kept)
        (change,) = world.plan().changes
        assert (change.id, change.others) == (kept, (other,))
        with pytest.raises(RefusedError):
            delete(world, "a", kept)
        assert code(delete(world, "a", other)) is Exit.OK
        assert actions(world.plan()) == {}
        with pytest.raises(RefusedError):
            delete(world, "a", kept)
        assert kept in world.live()

    def test_a_copy_of_the_chosen_one_is_not_the_chosen_one(self, world: World) -> None:
        ids = [key for key, body in world.live().items() if body["name"] == "a"]
        choose(world, "a", ids[1])
        third = copy(world, ids[1])
        (change,) = world.plan().changes
        assert (change.id, set(change.others)) == (ids[1], {ids[0], third})

    def test_of_two_chosen_ones_neither_is_deleted(self, world: World) -> None:
        ids = [key for key, body in world.live().items() if body["name"] == "a"]
        for live_id in ids:
            choose(world, "a", live_id)
        world.calls.clear()
        for live_id in ids:
            with pytest.raises(RefusedError):
                delete(world, "a", live_id)
        assert world.writes == []
