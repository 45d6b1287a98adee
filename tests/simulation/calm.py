"""The end of a schedule: nothing goes wrong any more, and people do what the hints of the messages say.

That must lead to an empty plan, to exit code 0, to a second run without a write, and to what the files say.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from tests.engine.world import code
from tests.simulation.checkout import Checkout, OnDisk
from tests.simulation.hands import Hands
from tests.simulation.oracle import Oracle
from tests.simulation.vendor import FORGETFUL, Habit, Vendor
from tests.simulation.watch import Excuse
from trueup.core.canonical import canonical, same
from trueup.core.errors import Exit, RefusedError
from trueup.core.plans.plan import Plan, Reason
from trueup.core.plans.report import Report

ROUNDS = 8
_SAID = re.compile(r"the response shows nothing of what was sent \(\S+")


@dataclass
class Calm:
    """`first` is the checkout that goes on; the `others` pull from it at the end."""

    first: Checkout
    others: list[Checkout]
    vendor: Vendor
    hands: Hands
    oracle: Oracle

    async def come(self) -> None:
        """Go on until nothing is left to do. Raises `Violation` where the hints do not lead there."""
        one = self.first
        self.vendor.lies, settle = (), one.target.settle
        await one.clock.sleep(2 * settle + self.vendor.lag)
        self.vendor.lag = 0.0
        for checkout in (one, *self.others):
            if isinstance(checkout, OnDisk):
                checkout.disk.quiet = True
        report = await self.rounds()
        plan = await one.planning()
        if self.is_ignored(plan, report):
            return
        if plan.changes:
            what = [(c.name, c.action.value, c.reason.value, c.message, c.fields) for c in plan.changes]
            raise self.oracle.broken(f"does not converge: {what}")
        if report is None or code(report) is not Exit.OK:
            raise self.oracle.broken(f"ends with {report and code(report)!r}")
        before = len(one.writes)
        await one.applying()
        if len(one.writes) != before:
            raise self.oracle.broken("the second run was not empty")
        self.check_as_the_files_say()
        await self.pull()

    async def rounds(self) -> Report | None:
        """Apply, each time followed by what the hints say, until an apply is quiet."""
        one, report = self.first, None
        for number in range(ROUNDS):
            self.remove_twins()
            try:
                report = await one.applying(on_drift="revert", prune=True)
            except RefusedError as error:
                self.hands.say(f"calm apply refused: {error}")
                self.hands.forget(one, *one.state().records)
                continue
            ends = [(o.name, o.result.value, o.message, o.not_kept) for o in report.outcomes]
            self.hands.say(f"calm apply {code(report)!r} {ends} {report.problems}")
            for outcome in report.outcomes:
                self.oracle.not_kept.setdefault(outcome.name, set()).update(outcome.not_kept)
            plan = await one.planning(on_drift="revert", prune=True)
            if number and not plan.changes and code(report) is Exit.OK:
                break
            self.follow(plan)
        return report

    def is_ignored(self, plan: Plan, report: Report | None) -> bool:
        """Whether all that is left is what this server takes no notice of, and the report said so by field."""
        names = {change.name for change in plan.changes}
        said = {outcome.name for outcome in report.outcomes if _SAID.search(outcome.message)} if report else set()
        if not names or names != said or self.vendor.habit not in (Habit.DROPS, Habit.IGNORES):
            return False
        assert report is not None
        if code(report) is not Exit.PARTIAL:
            raise self.oracle.broken(f"what the server ignores ends with {code(report)!r}")
        self.oracle.excused[Excuse.IGNORED] += 1
        return True

    def follow(self, plan: Plan) -> None:
        """Do what the hints of a plan say."""
        one = self.first
        for change in plan.changes:
            reason = change.reason
            if reason is Reason.STAMP_LOST:
                one.with_target(stamp=False)
            elif reason is Reason.NAMESAKE:
                self.hands.link(one, change.name, change.others[0])
            elif reason is Reason.UNSETTLED:
                self.settle(change.name)
        for name in sorted(one.state().pending.keys() - one.definitions.keys()):
            self.settle(name)
        if one.target.state == "file" and one.target.stamp:
            behind = frozenset(change.name for change in plan.changes if change.reason is Reason.BEHIND)
            self.hands.rebuild(one)
            if behind:
                self.hands.rebuild(one, behind)

    def settle(self, name: str) -> None:
        """Look at the vendor, as a person would, for an unclear create that has no stamp."""
        display = name.rsplit("/", 1)[-1]
        held = {record.id for record in self.first.state().records.values()}
        found = [key for key, body in self.vendor.live().items() if body["name"] == display and key not in held]
        if found and name not in self.first.definitions:
            self.hands.remove(found[0])
        elif found:
            self.hands.link(self.first, name, found[0])
        else:
            self.hands.forget(self.first, name)

    def remove_twins(self) -> None:
        """As the hint says: one is chosen, the others deleted at the vendor."""
        recorded = {record.id for record in self.first.state().records.values()}
        for births in self.oracle.twins().values():
            ids = [birth.id for birth in births]
            kept = next((live_id for live_id in ids if live_id in recorded), ids[0])
            for live_id in sorted(set(ids) - {kept}):
                self.hands.remove(live_id)
        self.remove_strays(recorded)

    def remove_strays(self, recorded: set[str]) -> None:
        """Find an excused duplicate whose sibling was deleted: without a stamp only a person can know it."""
        live = self.vendor.live()
        births = self.vendor.births.values() if self.vendor.habit in FORGETFUL else ()
        sent = Counter((birth.operation, birth.asked_at) for birth in births)
        for birth in births:
            by_gateway = Excuse.GATEWAY if sent[birth.operation, birth.asked_at] > 1 else None
            excuse = self.oracle.strays.get(birth.id, by_gateway)
            if excuse is not None and birth.id in live.keys() - recorded:
                self.oracle.excused[excuse] += 1
                self.hands.remove(birth.id)

    def check_as_the_files_say(self) -> None:
        """Every declared field, but those that a report said the server did not keep."""
        one = self.first
        table = one.adapter().dialect.table
        live, table = self.vendor.live(), self.vendor.protocol.table
        born = [birth for birth in self.vendor.births.values() if birth.by and birth.id in live]
        by_name = {birth.name: live[birth.id] for birth in born}
        wanted = {str(definition.body["name"]): definition for definition in one.definitions.values()}
        if by_name.keys() != wanted.keys():
            raise self.oracle.broken(f"live are {sorted(by_name)}, wanted {sorted(wanted)}")
        for display, definition in wanted.items():
            found = table.split(by_name[display])
            keeps = self.vendor.habit in (Habit.FAITHFUL, Habit.MERGES) and not self.others
            left = keeps and "tools" not in definition.body and found["tools"]
            if left and not self.oracle.was_shown_old(by_name[display]["id"]):
                raise self.oracle.broken(f"{definition.name} has tools that its file does not say: {found['tools']}")
            named = self.oracle.not_kept.get(definition.name, set())
            for name, value in table.split(definition.body).items():
                kept = same(canonical(name, value, table), canonical(name, found.get(name), table))
                if kept or name in named:
                    continue
                if self.vendor.habit is not Habit.FAITHFUL and definition.name in self.oracle.unreported:
                    self.oracle.excused[Excuse.UNREPORTED] += 1
                elif definition.name in self.oracle.scribbled:
                    self.oracle.excused[Excuse.SCRIBBLED] += 1
                else:
                    raise self.oracle.broken(f"{name} of {definition.name} is not as its file says: {found.get(name)}")

    async def pull(self) -> None:
        """Check that the other checkouts, with files and state from git, have nothing to do."""
        for other in self.others:
            other.definitions = dict(self.first.definitions)
            other.with_target(stamp=self.first.target.stamp)
            if other.target.state == "file":
                other.remember(self.first.remembered())
            plan = await other.planning()
            if plan.changes:
                what = [(change.name, change.action, change.reason) for change in plan.changes]
                raise self.oracle.broken(f"{other.label} pulled, and has something to do: {what}")
