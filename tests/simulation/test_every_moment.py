"""Kills one eventful apply, and one `plan --out`, at every single moment there is, with the power cut after it or not.

The random schedules meet such moments by chance; here none is left out: before and after each request, each wait and
each change of the disk.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import Clock, Killed, code, definition, fleet
from tests.extent import third
from tests.protocols import current
from tests.simulation.checkout import OnDisk
from tests.simulation.disk import Disk, Failure
from tests.simulation.system import System
from tests.simulation.tally import Tally
from tests.simulation.vendor import Vendor
from trueup.core.call import Call
from trueup.core.errors import Exit, TrueupError
from trueup.local.faults import Faults, Kind

WISH: dict[str, Any] = {"on_drift": "revert", "prune": True}
MOMENTS = 400
"""More than either run has."""


async def _unmoved(_who: OnDisk, _call: Call) -> None:
    return None


@contextmanager
def eventful(root: Path, seed: int) -> Iterator[OnDisk]:
    """Make a checkout whose next apply modifies, reverts with a backup, creates, loses an answer, and deletes."""
    system, one, vendor = System(), OnDisk(), Vendor(Clock(), random.Random(seed))
    one.disk = Disk(root, vendor.dice, one.disk_step, lambda: one.is_dead, Tally())
    system.disks.append(one.disk)
    with system.patched():
        one.join("only", vendor, Faults(sleep=vendor.clock.sleep), _unmoved)  # type: ignore[arg-type]
        one.with_target(settle=1.0, parallelism=2)
        drifted = definition("drifted", instructions="ours")
        one.definitions = fleet(definition("edited", instructions="old"), drifted, definition("gone"))
        one.apply()
        call = Call("POST", one.protocol.path_of(one.id_of("drifted")), json={"instructions": "by hand"})
        assert vendor.answer(call).status == 200
        one.definitions = {
            **fleet(definition("edited", instructions="new"), definition("made"), definition("lost", instructions="x")),
            "drifted": drifted,
        }
        one.fail(kind=Kind.DROP, method="POST", having='"name": "lost"', commit=True)
        yield one
        one.server.close()


def converges(one: OnDisk) -> None:
    """Check that the next applies lead to what the files say, each assistant once, and to an empty plan."""
    one.kill_at = 0
    one.faults.clear()
    for _ in range(2):
        report = one.apply(**WISH)
    assert code(report) is Exit.OK
    assert one.plan(**WISH).changes == ()
    live = {str(body["name"]): body["instructions"] for body in one.live().values()}
    wanted = {name: entry.body.get("instructions") for name, entry in one.definitions.items()}
    assert live == wanted
    assert len(one.live()) == len(wanted)
    assert {name: record.id for name, record in one.state().records.items()} == {
        name: one.id_for(name) for name in wanted
    }


@pytest.mark.parametrize("power", ["power-stays", "power-goes"])
def test_an_apply_that_is_killed_at_any_moment_is_taken_up(tmp_path: Path, power: str) -> None:
    for moment in third(range(1, MOMENTS), current().turn):
        root = tmp_path / str(moment)
        root.mkdir()
        with eventful(root, moment) as one:
            ids = {name: one.id_of(name) for name in ("edited", "drifted")}
            one.kill_at = moment
            with suppress(Killed):
                one.apply(**WISH)
            was_killed = one.is_dead
            one.kill_at = 0
            if was_killed and power == "power-goes":
                one.disk.cut_power()
            converges(one)
            assert {name: one.id_of(name) for name in ids} == ids, f"killed at moment {moment}"
        if not was_killed:
            break
    assert 50 < moment < MOMENTS - 1


@pytest.mark.parametrize("power", ["power-stays", "power-goes"])
def test_a_plan_file_that_is_killed_at_any_moment_is_the_old_one_or_the_new_one(tmp_path: Path, power: str) -> None:
    for moment in third(range(1, MOMENTS), current().turn):
        root = tmp_path / str(moment)
        root.mkdir()
        with eventful(root, moment) as one:
            one.save_plan(one.plan())
            old = one.plan_text()
            one.definitions["edited"] = definition("edited", instructions="newer")
            plan = one.plan(**WISH)
            one.steps, one.kill_at = 0, moment
            with suppress(Killed):
                one.save_plan(plan)
            was_killed = one.is_dead
            one.kill_at = 0
            if was_killed and power == "power-goes":
                one.disk.cut_power()
            assert one.plan_text() == old or one.read_saved_plan() == plan
            if not was_killed:
                break
            one.save_plan(plan)
            assert one.read_saved_plan() == plan
    assert 5 < moment < MOMENTS - 1


def test_a_full_disk_at_any_write_stops_the_apply_with_a_word_and_the_next_one_goes_on(tmp_path: Path) -> None:
    for moment in third(range(1, MOMENTS), current().turn):
        root = tmp_path / str(moment)
        root.mkdir()
        with eventful(root, moment) as one:
            one.disk.fail(Failure(ENOSPC, nth=moment, times=1_000))
            failed = ""
            try:
                report = one.apply(**WISH)
                failed = " ".join(report.problems)
                assert not failed or code(report) is not Exit.OK
            except TrueupError as error:
                failed = f"{error.message} {error.hint}"
            one.disk.fail(None)
            assert not failed or "no space left on device" in failed
            converges(one)
        if not failed:
            break
    assert 20 < moment < MOMENTS - 1
