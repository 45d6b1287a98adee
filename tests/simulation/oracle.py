"""Looks at the world after each run and says which promise was broken. Sees what was really done; changes nothing."""

from __future__ import annotations

from typing import Any

from tests.engine.rendered import render
from tests.protocols import current
from tests.simulation.hands import NOTE
from tests.simulation.memory import Memory
from tests.simulation.watch import Told, stamp_of
from trueup.core.call import Call
from trueup.core.canonical import canonical, same
from trueup.core.errors import Exit, worst
from trueup.core.field_table import FieldTable
from trueup.core.plans.plan import WRITES, Action, Change
from trueup.core.plans.report import Outcome, Report, Result
from trueup.engine.apply import STOPPED

COMMON = frozenset({"name", "model", "instructions", "tools", "metadata"})
"""What some file of some story names in every protocol; at the rest of metadata `check_notes` looks."""


LEFT = frozenset({Result.FAILED, Result.REFUSED, Result.CHANGED, Result.UNKNOWN, Result.SKIPPED})
"""How an assistant ends that a wanted change did not reach."""


class Oracle(Memory):
    """Every promise, after every run."""

    def after(self, told: Told) -> None:
        """Everything that must hold after one run. Raises `Violation`."""
        for outcome in told.report.outcomes if told.report else ():
            self.not_kept.setdefault(outcome.name, set()).update(outcome.not_kept)
        if told.report is None:
            names = {stamp.name for call in told.writes if (stamp := stamp_of(call)) is not None}
            self.unreported |= names
            self.scribbled |= names if told.meddled else set()
        self.check_writes(told)
        self.check_nothing_lost(told)
        self.check_whole(told)
        self.check_twins(told)
        self.check_notes(told)
        self.check_undeclared(told)
        self.check_drifts(told)
        self.check_code(told)
        self.check_done(told)
        self.check_behind(told)
        if told.who.stale:
            raise self.broken(f"written on old reads: {told.who.stale}")

    # --- what was sent

    def check_writes(self, told: Told) -> None:
        """No write is outside the plan, nor outside the promised one; none that a partial read forbids."""
        for plan in [told.report.plan if told.report else None, told.promised]:
            if plan is None:
                continue
            planned = [call for change in plan.changes for call in render(change, told.who.adapter())]
            for call in told.writes:
                if not any(_covers(call, one) for one in planned):
                    raise self.broken(f"{call} is in no plan")
        for call in told.writes if told.alone else ():
            live_id = call.path.rsplit("/", 1)[1]
            if live_id in told.behind and not self.was_stale(told, live_id):
                raise self.broken(f"{call} overwrites what another checkout applied since")
        if told.report is not None and not told.report.plan.complete:
            for call in told.writes:
                if call.method == "DELETE" or call.path == told.who.protocol.path:
                    raise self.broken(f"{call} after a partial read")

    def check_nothing_lost(self, told: Told) -> None:
        gone = told.before.keys() - self.vendor.live().keys() - self.hands.removed
        asked = {call.path.rsplit("/", 1)[1] for call in told.writes if call.method == "DELETE"}
        if asked and not told.options["prune"]:
            raise self.broken(f"deleted without being told to: {asked}")
        self.deletes |= asked  # an unclear one may land in a later run
        if told.alone and gone - self.deletes:
            raise self.broken(f"lost: {gone}")

    def check_whole(self, told: Told) -> None:
        """Check that a view counts as whole only if everything that the listing could show was shown."""
        if told.report is None or not told.report.plan.complete:
            return
        shown = [entry for entry in self.vendor.shown[told.first_shown :] if entry.to == told.who.label]
        ids = {live_id for entry in shown for live_id in entry.ids}
        due = {live_id for live_id in told.before if self.vendor.is_shown_since(live_id, told.began)}
        if due - ids and not any(entry.ended for entry in shown):
            raise self.broken(f"a view without {due - ids} was taken for the whole")

    # --- what hands wrote

    def check_notes(self, told: Told) -> None:
        """Check that what no file declares is as the manual change left it."""
        live = self.vendor.live()
        for (live_id, key), text in list(self.hands.notes.items()):
            if live_id not in live:
                continue
            found = live[live_id]["metadata"].get(NOTE) if key == NOTE else live[live_id][key]
            if found != text:
                if not self.was_stale(told, live_id):
                    raise self.broken(f"the undeclared {key} of {live_id} was lost")
                del self.hands.notes[live_id, key]

    def check_undeclared(self, told: Told) -> None:
        """No field that no file ever names is touched, and nothing of what is somebody else's."""
        live = self.vendor.live()
        for live_id, body in self.hands.strangers.items():
            if live.get(live_id) != body:
                raise self.broken(f"somebody else's {live_id} was touched: {live.get(live_id)}")
        managed = {*COMMON, current().scalar, *current().sample.follows}
        for live_id, body in told.before.items() if not told.meddled else ():
            now = live.get(live_id, body)
            touched = [key for key in body if key not in managed and now[key] != body[key]]
            if touched:
                raise self.broken(f"{touched} of {live_id} were touched, and no file names them")

    def check_drifts(self, told: Told) -> None:
        """Check that a manual change stays, unless the run was to revert it."""
        live = self.vendor.live()
        if any(run.options["on_drift"] == "revert" for run in self.at_once):
            self.hands.drifts.clear()
        for live_id, text in list(self.hands.drifts.items()):
            if live_id in live and live[live_id]["instructions"] != text:
                if not self.was_stale(told, live_id):
                    raise self.broken(f"the hand's edit of {live_id} was overwritten")
                del self.hands.drifts[live_id]

    # --- what was said

    def check_code(self, told: Told) -> None:
        """Check that the exit code agrees with the report, and that a run that broke off reports it."""
        report = told.report
        if report is None:
            return
        ends = {outcome.name: outcome.result for outcome in report.outcomes}
        good = {Result.DONE, Result.ALREADY, Result.ADOPTED}
        open_ends = [c.name for c in report.plan.changes if c.action in WRITES and ends.get(c.name) not in good]
        wanted: dict[str, bool] = {
            "a write that was not done": bool(open_ends),
            "a partial read": not report.plan.complete,
            "something blocked": any(_is_held(change) for change in report.plan.changes),
            "a twin": any(outcome.others for outcome in report.outcomes),
            "a problem": bool(report.problems),
            "a refusal": Result.REFUSED in ends.values(),
        }
        self.check_reasons(report)
        self.check_told(told, report)
        said = worst(report.codes)
        if said in (Exit.OK, Exit.DIFFERS) and any(wanted.values()):
            raise self.broken(f"exit code {said} in spite of {[what for what, is_so in wanted.items() if is_so]}")
        if not report.plan.complete and Exit.UNREADABLE not in report.codes:
            raise self.broken("a partial read without its exit code")

    def check_reasons(self, report: Report) -> None:
        """No exit code without a word for it in the report."""
        changes, outcomes = report.plan.changes, report.outcomes
        left = any(outcome.result in LEFT for outcome in outcomes)
        held = any(_is_held(change) or change.others for change in changes)
        unread = not report.plan.complete or any(change.action is Action.UNREAD for change in changes)
        reasons = {
            Exit.HELD: left or held or any(outcome.others for outcome in outcomes),
            Exit.PARTIAL: left or any(outcome.not_kept for outcome in outcomes),
            Exit.UNREADABLE: left or unread or any(outcome.message for outcome in outcomes),
        }
        for code, is_told in reasons.items():
            if code in report.codes and not (is_told or report.problems):
                raise self.broken(f"exit code {code!r}, and nothing says why")

    def check_told(self, told: Told, report: Report) -> None:
        """Each change that was to be sent has a word for how it ended, and what a stop left unsent was not sent."""
        wanted = {change.name for change in report.plan.changes if change.action in WRITES}
        untold = wanted - {outcome.name for outcome in report.outcomes}
        if untold:
            raise self.broken(f"nothing says what became of {sorted(untold)}")
        stopped = {outcome.name for outcome in report.outcomes if outcome.message == STOPPED}
        sent = {stamp.name for call in told.writes if (stamp := stamp_of(call)) is not None}
        gone = {call.path.rsplit("/", 1)[1] for call in told.writes if call.method == "DELETE"}
        sent |= {outcome.name for outcome in report.outcomes if outcome.id in gone}
        if stopped & sent:
            raise self.broken(f"told as not sent, and it was: {sorted(stopped & sent)}")

    def check_done(self, told: Told) -> None:
        """Check that what is reported as done was done, and that each field that was not kept is named."""
        if told.report is None or told.meddled or not told.alone:
            return
        live = self.vendor.live()
        changes = {change.name: change for change in told.report.plan.changes}
        for outcome in told.report.outcomes:
            change = changes.get(outcome.name)
            if change is None or outcome.result is not Result.DONE or change.action not in WRITES:
                continue
            if change.action is Action.DELETE:
                if outcome.id in live:
                    raise self.broken(f"{outcome.name} is reported as deleted, and {outcome.id} is live")
            elif outcome.id not in live:
                raise self.broken(f"{outcome.name} is reported as done, and {outcome.id} is not there")
            else:
                self.check_fields(outcome, change, live[outcome.id], told.who.adapter().dialect.table)

    def check_fields(self, outcome: Outcome, change: Change, body: dict[str, Any], table: FieldTable) -> None:
        found = table.split(body)
        for name, value in {**change.sets, **({table.stamp: change.stamp} if change.stamp else {})}.items():
            kept = same(canonical(name, value, table), canonical(name, found.get(name), table))
            if not kept and name not in outcome.not_kept:
                raise self.broken(f"{name} of {outcome.name} was not kept and not named: {found.get(name)!r}")


def _is_held(change: Change) -> bool:
    return change.action is Action.HELD and change.wanted


def _covers(call: Call, planned: Call) -> bool:
    """Whether a sent request is the planned one, but for what a request must repeat."""
    if (call.method, call.path) != (planned.method, planned.path):
        return False
    body = planned.json
    if body is None or call.json is None:
        return body is None and call.json is None
    if body.keys() != call.json.keys():
        return False
    return all(
        call.json[key] == value or (key in current().table.maps and value.items() <= call.json[key].items())
        for key, value in body.items()
    )
