"""Random schedules against the real engine. A seed decides everything, the protocol too: `run(seed)` raises `Violation`
with what was broken, and the same seed breaks it again.

A story is a vendor, one or two checkouts and a few troubled applies with people's work between them; then calm, in
which the way that the hints show must lead to what the files say. `oracle` looks after each run.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.engine.world import Clock, Killed, code
from tests.protocols import current, speaking
from tests.simulation import troubles
from tests.simulation.calm import Calm
from tests.simulation.checkout import Checkout, OnDisk
from tests.simulation.disk import Disk
from tests.simulation.hands import BETWEEN, Hands
from tests.simulation.moments import Moments
from tests.simulation.oracle import Oracle
from tests.simulation.system import System
from tests.simulation.tally import Counted, Tally
from tests.simulation.vendor import Habit, Vendor
from tests.simulation.watch import Told
from trueup.core.errors import TrueupError
from trueup.core.plans.plan import Plan
from trueup.core.plans.plan_codec import digest
from trueup.engine import refresh
from trueup.local.faults import Kind
from trueup.wire.registry import protocols

ON_DISK = 0.3
"""The share of schedules in which memory is real files on a disk that fails."""

MEMORY_FOLDER = "/dev/shm"


def protocol_at(seed: int) -> str:
    """Return the protocol of a seed: they take turns, in the order of the registry."""
    return protocols()[seed % len(protocols())]


def run(seed: int, protocol: str = "") -> Story:
    """One whole story; it knows what happened and what had to be excused. Raises `Violation`.

    Another protocol than the seed's own can be said: a seed that failed once keeps its own when there are more.
    """
    with ExitStack() as stack:
        stack.enter_context(speaking(protocol or protocol_at(seed)))
        story = Story(seed)
        stack.enter_context(story.system.patched())
        stack.enter_context(patch.object(refresh, "MANY", story.many))
        stack.callback(story.leave)
        asyncio.run(story.tell())
    return story


class Story:
    """The people, places and troubles of one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.dice = random.Random(seed)
        self.log: list[str] = []
        self.tally = Tally()
        self.clock, self.system = Clock(), System()
        self.target = self.some_target()
        self.vendor = self.some_vendor()
        self.faults = Counted(sleep=self.clock.sleep)
        self.faults.tally = self.tally
        self.hands = Hands(self.dice, self.vendor, self.log, self.tally)
        self.oracle = Oracle(self.vendor, self.hands, self.log)
        self.moments = Moments(self.dice, self.hands, self.oracle, self.target["settle"])
        self.moments.tears.seed(f"{seed} tears")
        self.many = self.dice.choice((300, 300, 2))
        self.page_size = self.dice.choice((100, 100, 1, 2))
        self.first = self.checkout("first")
        self.all = [self.first]
        if self.dice.random() < 0.25 and not troubles.keeps_no_stamp(self.vendor.habit):
            self.all.append(self.checkout("second"))
            self.oracle.writers = 2
        self.old_states: dict[str, list[str]] = {one.label: [""] for one in self.all}
        self.old_plans: list[str] = []

    def some_target(self) -> dict[str, Any]:
        return {
            "parallelism": self.dice.choice((1, 2, 8)),
            "settle": self.dice.choice((2.0, 10.0)),
            "max_retries": self.dice.choice((0, 1, 3)),
            "state": self.dice.choice(("file", "file", "file", "stamps")),
        }

    def some_vendor(self) -> Vendor:
        """Stamps as the only state want a server that keeps what it is sent."""
        habit = troubles.habit(self.dice)
        if habit is not Habit.FAITHFUL:
            self.target["state"] = "file"
        way = troubles.listing(self.dice, self.target["settle"])
        ignored = self.dice.choice(("instructions", "tools", current().scalar))
        vendor = Vendor(self.clock, self.dice, habit, ignored, way.page, way.lag, way.lies, way.lying, tally=self.tally)
        self.say(f"{self.target}; a vendor that {habit.value} ({ignored}), lists {way}")
        return vendor

    def checkout(self, label: str) -> Checkout:
        if self.dice.random() < ON_DISK:
            one = OnDisk(seed=self.seed)
            base = MEMORY_FOLDER if Path(MEMORY_FOLDER).is_dir() else None
            root = Path(tempfile.mkdtemp(prefix="trueup-", dir=base))
            disk = Disk(root, self.dice, one.disk_step, lambda: one.is_dead, self.tally)
            disk.kill = lambda: setattr(one, "kill_at", 1)
            one.disk = disk
            self.system.disks.append(disk)
            self.say(f"{label} is on disk")
            return self.joined(one, label)
        return self.joined(Checkout(seed=self.seed), label)

    def joined(self, one: Checkout, label: str) -> Checkout:
        one.with_target(**self.target)
        one.join(label, self.vendor, self.faults, self.moments.passing)
        one.page_size = self.page_size
        self.hands.write_files(one)
        return one

    def leave(self) -> None:
        for one in self.all:
            one.leave()

    def say(self, text: str) -> None:
        self.log.append(text)

    # --- the story

    async def tell(self) -> None:
        asyncio.get_running_loop().set_exception_handler(_only_deaths)
        for _ in range(self.dice.randint(1, 4)):
            await self.round()
            await self.clock.sleep(self.dice.choice((0.0, 1.0, 30.0)))
            for _ in range(self.dice.randint(0, 3)):
                happening = self.dice.choice(self.events())()
                if happening is not None:
                    await happening
        await asyncio.gather(*self.moments.on_their_way)
        self.faults.clear()
        await self.faults.settle()
        await Calm(self.first, self.all[1:], self.vendor, self.hands, self.oracle).come()

    async def round(self) -> None:
        """One apply, or two at once."""
        together = len(self.all) > 1 and self.dice.random() < 0.5
        if together:
            self.tally.note("two checkouts applied at once")
        writers = self.all if together else [self.dice.choice(self.all)]
        self.faults.clear()
        self.oracle.at_once.clear()
        for _ in range(self.dice.randint(0, 3)):
            fault = troubles.request_fault(self.dice, self.target["settle"])
            self.faults.add(fault)
            self.oracle.gateway |= fault.kind is Kind.REPEAT
            self.say(f"fault {fault}")
        await asyncio.gather(*(self.troubled_apply(one, alone=not together) for one in writers))

    def events(self) -> list[Any]:
        one = self.dice.choice(self.all)
        files = [lambda: self.hands.edit_file(one), lambda: self.hands.edit_file(one), lambda: self.hands.add_file(one)]
        live = [self.drift, self.note, lambda: self.hands.remove_file(one), lambda: self.hands.remove_any(BETWEEN)]
        memory = [] if troubles.keeps_no_stamp(self.vendor.habit) else [self.go_back, self.lose_state]
        rare = [lambda: self.set_clock(one), lambda: self.hands.add_stranger(BETWEEN), *([self.copy] if memory else [])]
        return [*files, *live, *memory, self.dice.choice(rare), lambda: self.cut_power(one)]

    async def drift(self) -> None:
        """Change a declared field by hand; whatever was still on its way has landed before."""
        await self.clock.sleep(self.target["settle"])
        self.hands.scribble(BETWEEN)

    async def note(self) -> None:
        """Write by hand what no file declares; a write of ours that lands only now could not know of it."""
        await self.clock.sleep(self.target["settle"])
        self.hands.note(BETWEEN)

    def copy(self) -> None:
        """Copy an assistant with its stamp; only the state knows which of the two is ours."""
        self.hands.copy_any()
        self.oracle.other_memory = True

    def set_clock(self, one: Checkout) -> None:
        self.moments.jumped(one)
        self.tally.note("the clock set ahead or back between runs")

    async def go_back(self) -> None:
        """Another checkout, with an older state and no journal, comes after the vendor has settled."""
        await self.clock.sleep(self.target["settle"] * 2)
        self.first.remember(self.dice.choice(self.old_states["first"]))
        self.oracle.other_memory = True
        self.tally.note("an older state came back")
        self.say("first: an older checkout")

    async def lose_state(self) -> None:
        await self.clock.sleep(self.target["settle"] * 2)
        self.hands.lose_state(self.first)
        self.oracle.other_memory = True

    def cut_power(self, one: Checkout) -> None:
        """Between two runs: what an ended run wrote is safe."""
        if isinstance(one, OnDisk):
            self.tally.note("the power was cut")
            before = one.state() if one.is_saved and one.target.state == "file" else None
            one.disk.cut_power()
            self.say(f"{one.label}: the power was cut")
            if before is not None and one.state() != before:
                raise self.oracle.broken(f"what an ended run of {one.label} remembered was lost")

    # --- one apply

    async def troubled_apply(self, one: Checkout, *, alone: bool) -> None:
        options: dict[str, Any] = {
            "on_drift": self.dice.choice(("refuse", "refuse", "revert")),
            "prune": self.dice.random() < 0.3,
        }
        self.moments.draw(one)
        promised = await self.promise(one, options) if self.dice.random() < 0.2 else None
        if promised is Ellipsis:
            return
        told = self.begun(one, options, promised, alone=alone)
        self.say(f"{one.label}: apply {options} kill_at={one.kill_at} of a plan: {promised is not None}")
        await self.one_apply(told)
        await self.afterwards(one, told)

    def begun(self, one: Checkout, options: dict[str, Any], promised: Plan | None, *, alone: bool) -> Told:
        one.stale.clear()
        before = self.vendor.live()
        told = Told(one, options, promised, self.clock.now, before, len(one.calls), len(self.vendor.shown), alone)
        if alone and self.oracle.runs and self.oracle.runs[-1].who is not one:
            self.tally.note("the other checkout applied in between")
        told.behind = self.oracle.behind(one)
        self.oracle.runs.append(told)
        self.oracle.at_once.append(told)
        return told

    async def one_apply(self, told: Told) -> None:
        try:
            told.report = await told.who.applying(told.promised, **told.options)
            ends = [(o.name, o.result.value, o.message) for o in told.report.outcomes]
            self.say(f"  {told.who.label} ended {code(told.report)!r} {ends} {told.report.problems}")
        except Killed:
            self.tally.note(told.who.at)
            self.say(f"  {told.who.label} {told.who.at}")
        except asyncio.CancelledError:  # how one who waits for the journal learns that its writer died
            if not told.who.is_dead:
                raise
            self.tally.note(told.who.at)
            self.say(f"  {told.who.label} killed at the journal")
        except TrueupError as error:
            told.error = error
            self.say(f"  {told.who.label}: {error} {error.hint}")

    async def afterwards(self, one: Checkout, told: Told) -> None:
        """Let the machine go down with the process at times, and let the oracle look."""
        was_killed = one.is_dead
        one.is_saved = told.report is not None and not told.report.problems
        one.kill_at = 0
        self.moments.clear(one)
        if isinstance(one, OnDisk):
            one.disk.fail(None)
            one.disk.deadly = one.disk.tears = ""
            if self.dice.random() < 0.5 if was_killed else self.moments.tears.random() < 0.15:
                self.cut_power(one)
        self.oracle.after(told)
        self.oracle.check_memory(told)
        self.old_states[one.label].append(one.remembered())

    # --- a saved plan

    async def promise(self, one: Checkout, options: dict[str, Any]) -> Any:
        """Make and save a plan, whose file may then be damaged; `...` if the run ends with that.

        Then the files go on changing.
        """
        before = one.plan_text()
        try:
            plan = await one.planning(**options)
            one.save_plan(plan)
        except (Killed, TrueupError) as error:
            if isinstance(error, Killed):
                self.tally.note(one.at)
            self.say(f"{one.label}: no plan: {error!r}")
            return self.without_plan(one, before)
        text = one.plan_text()
        how, other = troubles.tampered(self.dice, text, plan, self.old_plans)
        one.put_plan_text(other)
        self.old_plans.append(text)
        self.hands.edit_file(one)
        try:
            promised = one.read_saved_plan()
        except TrueupError as error:
            self.tally.note(troubles.TAMPERED[how])
            self.say(f"{one.label}: {error}")
            return None
        if how in ("torn", "changed") and digest(promised) != digest(plan):
            raise self.oracle.broken(f"a plan file was taken although it was {how}")
        self.tally.note(troubles.TAMPERED[how])
        self.say(f"{one.label}: the plan file is {how}")
        return promised

    def without_plan(self, one: Checkout, before: str) -> Any:
        """Check that a plan that could not be saved leaves the file as it was; the run that made it is over."""
        if isinstance(one, OnDisk):
            one.disk.fail(None)
            one.disk.deadly = one.disk.tears = ""
            if one.is_dead:
                one.kill_at = 0
                self.cut_power(one)
        if one.plan_text() not in ("", before):
            try:
                one.read_saved_plan()
            except TrueupError as error:
                raise self.oracle.broken(f"a plan file was left torn: {error}") from None
        one.kill_at, one.steps = 0, 0
        self.moments.clear(one)
        return Ellipsis


def _only_deaths(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Ignore a task that died with its process; report anything else."""
    if not isinstance(context.get("exception"), Killed):
        loop.default_exception_handler(context)
