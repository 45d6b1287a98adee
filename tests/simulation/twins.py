"""Twins: two live assistants of one name. Excused only where the second create could not know of the first.

Sees what the vendor really did; changes nothing.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from tests.simulation.checkout import Checkout
from tests.simulation.vendor import FORGETFUL, PERSON, Birth
from tests.simulation.watch import Excuse, Told, Watch
from trueup.core.errors import Exit
from trueup.local.faults import Kind


class Twins(Watch):
    """The part of the oracle that looks for twins."""

    def twins(self) -> dict[str, list[Birth]]:
        """Live assistants that were created under one name, oldest first."""
        live = self.vendor.live()
        found: dict[str, list[Birth]] = {}
        for birth in self.vendor.births.values():
            if birth.id in live and birth.by:
                found.setdefault(birth.name, []).append(birth)
        return {name: births for name, births in found.items() if len(births) > 1}

    def had_twins(self) -> bool:
        """Whether there are twins, or were: the record may have been of the one that is gone by now."""
        made = Counter((birth.name, birth.operation) for birth in self.vendor.births.values() if birth.by)
        return bool(self.twins()) or any(number > 1 for number in made.values())

    def check_twins(self, told: Told) -> None:
        for name, births in self.twins().items():
            for elder, younger in combinations(births, 2):
                excuse = self.excuse(told.who, elder, younger)
                if excuse is None:
                    raise self.broken(f"twins of {name}: {elder} and {younger}")
                self.excused[excuse] += 1
                self.strays |= {elder.id: excuse, younger.id: excuse}
            self.check_named(told, name, births)

    def excuse(self, who: Checkout, elder: Birth, younger: Birth) -> Excuse | None:
        """Why the younger could not know of the elder."""
        if PERSON in (elder.by, younger.by):
            return Excuse.COPIED
        repeated = [entry for entry in who.faults.log if entry.fault == Kind.REPEAT.value and entry.method == "POST"]
        sent = [(birth.operation, birth.asked_at, birth.asked_after) for birth in (elder, younger)]
        if any(entry.json.get("name") == elder.name for entry in repeated) or (self.gateway and sent[0] == sent[1]):
            return Excuse.GATEWAY
        if elder.shown_at > elder.asked_at + who.target.settle:
            return Excuse.LATE_LISTING
        between = [entry for entry in self.vendor.shown if elder.done_at <= entry.at <= younger.done_at]
        if any(entry.ended and entry.to == younger.by for entry in between):
            return Excuse.FALSE_END
        runs = [run for run in self.runs if run.who.label == younger.by and run.first_shown <= younger.asked_after]
        is_unseen = elder.after >= runs[-1].first_shown or elder.shown_at > runs[-1].began
        if elder.by != younger.by and is_unseen:
            return Excuse.TWO_WRITERS
        if who.target.state == "stamps" and is_unseen and elder.shown_at > elder.done_at:
            return Excuse.NO_MEMORY
        if any(elder.asked_at <= moment <= younger.asked_at for moment in self.ahead):
            return Excuse.CLOCK_AHEAD
        return None

    def check_named(self, told: Told, name: str, births: list[Birth]) -> None:
        """Check that a run that saw duplicates names all of them, and one that created looks for them afterwards."""
        report = told.report
        if report is None or self.vendor.habit in FORGETFUL or not told.alone:
            return
        made_now = any(call.path == self.vendor.protocol.path and call.json["name"] == name for call in told.writes)
        first, last = (births[-1].after, None) if made_now else (told.first_shown, told.planned_until)
        shown = self.vendor.shown[max(first, told.first_shown) : last]
        pages = [entry for entry in shown if entry.to == told.who.label and entry.is_page and entry.arrived]
        broken_off = report.problems or {Exit.INTERRUPTED, Exit.UNREADABLE} & set(report.codes)
        if made_now and not pages and not broken_off:
            raise self.broken(f"after the create of {name} nobody looked for twins")
        ids = {birth.id for birth in births}
        named = {live_id for outcome in report.outcomes for live_id in (outcome.id, *outcome.others)}
        named |= {live_id for change in report.plan.changes for live_id in (change.id, *change.others)}
        if ids <= {live_id for entry in pages for live_id in entry.ids} and not (broken_off or ids <= named):
            raise self.broken(f"twins of {name} are not named: {births}")
