"""What the schedules found, each told again as a story of its own: seeds lose their meaning when the dice change.

Each docstring says what was broken.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import Clock, Killed, World, actions, code, definition, fleet, results
from tests.protocols import current
from tests.simulation.checkout import Checkout, OnDisk
from tests.simulation.disk import Disk
from tests.simulation.system import System
from tests.simulation.tally import Tally
from tests.simulation.vendor import Habit, Vendor
from trueup.core.call import Call
from trueup.core.errors import Exit, TrueupError
from trueup.core.memory.journal import Entry, to_line
from trueup.core.plans.plan import Reason
from trueup.local.faults import Faults, Kind


async def _unmoved(_who: Checkout, _call: Call) -> None:
    return None


Make = Callable[..., OnDisk]


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Make]:
    """Make one checkout on a disk that loses all that was not synced, with a vendor of any habit."""
    system, made = System(), []

    def make(habit: Habit = Habit.FAITHFUL) -> OnDisk:
        one = OnDisk()
        vendor = Vendor(Clock(), random.Random(0), habit)
        one.disk = Disk(tmp_path, _Forgetting(), one.disk_step, lambda: one.is_dead, Tally())
        one.disk.kill = lambda: setattr(one, "kill_at", 1)
        system.disks.append(one.disk)
        one.join("only", vendor, Faults(sleep=vendor.clock.sleep), _unmoved)
        made.append(one)
        return one

    with system.patched():
        yield make
    for one in made:
        one.server.close()


class _Forgetting(random.Random):
    """Dice of a disk on which nothing survives that was not synced."""

    def randint(self, a: int, b: int) -> int:  # noqa: ARG002 - the signature is the library's
        return a

    def random(self) -> float:
        return 0.99


def after_death(one: OnDisk, what: str, **options: Any) -> None:
    """Run an apply that is killed right after a change of the disk of this kind."""
    one.disk.deadly = what
    with suppress(Killed):
        one.apply(**options)
    assert one.is_dead
    one.disk.deadly, one.kill_at = "", 0


def test_the_first_create_of_a_project_is_remembered_after_a_power_cut(on_disk: Make) -> None:
    """The journal was synced, and its folder in itself, but not the folder's own place: all of it could be lost."""
    one = on_disk()
    one.definitions = fleet(definition("a"))
    one.fail(kind=Kind.DROP, method="POST", commit=True)
    sent = one.answer

    async def answer(call: Call) -> Any:
        reply = await sent(call)
        one.kill_at = 1 if call.method == "POST" else 0
        return reply

    one.answer = answer  # type: ignore[method-assign]
    with suppress(Killed):
        one.apply()
    one.kill_at = 0
    one.disk.cut_power()
    assert set(one.state().pending) == {"a"}


def test_a_journal_that_a_killed_run_made_is_safe_for_the_next(on_disk: Make) -> None:
    """Only who made the journal synced its folder: killed in between, the next run wrote to a file without a place."""
    one = on_disk()
    one.definitions = fleet(definition("a"))
    after_death(one, "open prod.journal")
    safe: list[bytes] = []

    async def passing(who: Checkout, call: Call) -> None:
        if call.method == "POST" and isinstance(who, OnDisk):
            safe.append(who.disk.safe_files().get(".trueup/prod.journal", b""))

    one.passing = passing
    assert code(one.apply()) is Exit.OK
    assert b'"step":"intent"' in safe[0]


def test_a_backup_is_safe_from_a_power_cut_before_its_delete_leaves(on_disk: Make) -> None:
    """The folder of backups was synced, but not its own place in `.trueup`."""
    one = on_disk()
    one.definitions = fleet(definition("a"), definition("b"))
    one.apply()
    live_id = one.id_of("b")
    del one.definitions["b"]
    safe: list[str] = []

    async def passing(_who: Checkout, call: Call) -> None:
        if call.method == "DELETE":
            safe.extend(one.disk.safe_files())

    one.passing = passing
    assert code(one.apply(prune=True)) is Exit.OK
    assert any(live_id in path for path in safe if "/backup/" in path)


def test_a_state_that_a_killed_run_put_in_place_is_synced_before_the_journal_goes(on_disk: Make) -> None:
    """The next run found the state file as it should be, emptied the journal, and a power cut took the file back."""
    one = on_disk()
    one.definitions = fleet(definition("a"))
    after_death(one, "replace")
    assert code(one.apply()) is Exit.OK
    one.disk.cut_power()
    assert set(one.state().records) == {"a"}


def test_a_modify_that_a_server_ignores_is_told_by_field(on_disk: Make) -> None:
    """It was told that nothing was done, but not which field this server does not take."""
    one = on_disk(Habit.DROPS)
    one.with_target(stamp=False)
    one.definitions = fleet(definition("a"))
    one.apply()
    one.definitions = fleet(definition("a", metadata={"team": "x"}))
    report = one.apply()
    assert code(report) is Exit.PARTIAL
    assert "(metadata.team)" in report.outcomes[0].message


def test_a_modify_that_lands_late_is_not_given_up_before() -> None:
    """An unclear modify that looked as before was called not done, and landed seconds later."""
    world = World()
    world.with_target(max_retries=0)
    world.definitions = fleet(definition("a", instructions="old"))
    world.apply()
    world.definitions = fleet(definition("a", instructions="new"))
    world.fail(kind=Kind.DROP, method="POST", late=2.0)
    assert results(world.apply()) == {"a": "done"}
    assert world.plan().changes == ()


def test_a_saved_plan_names_a_twin_of_what_it_does_not_write_to() -> None:
    """An apply of a saved plan left out all that it was not to write to, twins included."""
    world = World()
    world.definitions = fleet(definition("a"), definition("b"))
    world.apply()
    world.definitions["b"] = definition("b", instructions="new")
    promised = world.plan()
    body = world.live()[world.id_of("a")]
    twin = world.add(name="a", metadata=body["metadata"])
    report = world.apply(promised)
    assert any(twin in change.others for change in report.plan.changes)
    assert code(report) is Exit.HELD


def test_what_was_done_is_told_also_where_the_journal_takes_no_more() -> None:
    """The outcome was told after its line: where that failed, nobody heard of the create, nor of what was not kept."""
    world = World()
    world.with_target(parallelism=2)
    field, (ours, *_), theirs = current().scalar, current().values, current().default
    world.definitions = fleet(definition("a", **{field: ours}), definition("b"), definition("c"))
    world.fail(kind=Kind.REWRITE, method="POST", having='"name": "a"', field=field, value=theirs, storage=True)
    world.fail(kind=Kind.DROP, method="POST", having='"name": "b"', commit=True)

    async def full(entry: Entry) -> None:
        if entry.step == "done":
            raise TrueupError("The journal could not be written.", "Make room.")
        world.journal_lines.append(to_line(entry))

    world.journal = full  # type: ignore[method-assign]
    report = world.apply()
    assert results(report) == {"a": "done", "b": "skipped", "c": "skipped"}
    assert report.outcomes[0].not_kept == (field,)
    assert code(report) is Exit.ERROR
    assert "could not be written" in report.problems[0]


def test_a_gateways_twin_without_a_stamp_is_left_alone_when_its_sibling_is_deleted(on_disk: Make) -> None:
    """The oracle took it for ours; a server that keeps no stamp leaves the state file as the only memory."""
    one = on_disk(Habit.DROPS)
    one.with_target(stamp=False)
    one.definitions = fleet(definition("a"), definition("b"))
    one.fail(kind=Kind.REPEAT, method="POST", having='"name": "a"')
    one.apply()
    twins = {live_id for live_id, body in one.live().items() if body["name"] == "a"}
    ours = one.id_of("a")
    del one.definitions["a"]
    assert code(one.apply(prune=True)) is Exit.OK
    assert one.live().keys() & twins == twins - {ours}


def test_a_create_that_appears_late_is_remembered_although_its_repeat_was_refused() -> None:
    """The refusal of the repeat was taken for the end of both: nothing remembered the first one when it came."""
    world = World()
    world.definitions = fleet(definition("a"))
    world.fail(kind=Kind.DROP, method="POST", late=world.target.settle + 2)
    world.fail(kind=Kind.REFUSE, method="POST", nth=2)

    async def story() -> None:
        report = await world.applying()
        assert results(report) == {"a": "failed"}
        await world.faults.settle()
        assert set(world.state().pending) == {"a"}
        assert code(await world.applying()) is Exit.OK

    _run(story())
    assert list(world.live()) == [world.id_of("a")]
    assert world.plan().changes == ()


def test_a_listing_after_the_creates_that_cannot_be_read_is_told() -> None:
    """Exit code 6, and nothing in the report said why."""
    world = World()
    world.with_target(max_retries=0)
    world.definitions = fleet(definition("a"))
    world.fail(kind=Kind.ANSWER, method="GET", nth=2, times=0, status=503)
    report = world.apply()
    assert results(report) == {"a": "done"}
    assert code(report) is Exit.UNREADABLE
    assert "could not be read completely" in report.problems[0]


def test_a_create_that_replaces_a_deleted_one_and_lands_after_a_kill_is_ours() -> None:
    """It carried an operation that the record did not know, and was taken for another checkout's."""
    world = World()
    world.definitions = fleet(definition("a"), definition("b"))
    world.apply()
    world.remove(world.id_of("a"))
    world.fail(kind=Kind.DROP, method="POST", late=1.0)
    world.before_call = lambda call: setattr(world, "kill_at", 1 if call.method == "POST" else 0)

    async def die_while_it_is_on_its_way() -> None:
        with suppress(Killed):
            await world.applying(on_drift="revert")
        world.kill_at, world.before_call = 0, None
        await world.faults.settle()

    _run(die_while_it_is_on_its_way())
    plan = world.plan(on_drift="revert")
    assert not any(change.reason is Reason.BEHIND for change in plan.changes)
    assert actions(plan).get("a") in (None, "record")


def test_a_twin_that_only_an_earlier_listing_showed_is_named() -> None:
    """The listing that settled a lost answer showed it; the last one ended early, on an empty page that said so."""
    world = World()
    world.definitions = fleet(definition("a"), definition("b"))
    world.fail(kind=Kind.REPEAT, method="POST", nth=1)
    world.fail(kind=Kind.DROP, method="POST", nth=2)
    nothing: Any = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    world.fail(kind=Kind.ANSWER, method="GET", nth=4, times=0, status=200, body=nothing)
    report = world.apply()
    (twin,) = world.live().keys() - {world.id_of("a"), world.id_of("b")}
    assert [outcome.others for outcome in report.outcomes] == [(twin,), ()]
    assert code(report) is Exit.HELD


def _run(story: Any) -> None:
    import asyncio

    asyncio.run(story)
