"""Looks at the world after each run and says which promise was broken. Sees what was really done; changes nothing.

What nobody could have noticed is excused, each time by a name of `Excuse`; docs/not-promised.md says the same in words.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from itertools import combinations
from typing import Any

from tests.simulation.checkout import Checkout, OnDisk
from tests.simulation.hands import NOTE, Hands
from tests.simulation.vendor import FORGETFUL, Birth, Vendor
from trueup.core.call import Call
from trueup.core.canonical import Semantics, canonical, same, split
from trueup.core.errors import Exit, StateError, TrueupError, worst
from trueup.core.plan import WRITES, Action, Change, Plan, Reason
from trueup.core.report import Outcome, Report, Result
from trueup.core.stamp import Stamp, parse
from trueup.local.faults import Kind


class Violation(AssertionError):
    """A promise was broken."""


class Excuse(Enum):
    """Why something could not have been noticed by anybody."""

    GATEWAY = "a gateway sent our request twice"
    LATE_LISTING = "the listing showed a create later than `settle` after it was sent"
    FALSE_END = "the listing ended early, on an empty page, and said that this was all"
    STALE_LISTING = "the listing showed an assistant as it was before"
    NO_MEMORY = "stamps are the state, and the listing did not show the assistant yet"
    TWO_WRITERS = "two checkouts created the same assistant at once"
    IGNORED = "the server ignores the only field that a modify is about, and each report names it"
    UNREPORTED = "the report that named a field which the server did not keep died with its process"
    CLOCK_AHEAD = "the clock was set ahead between the two creates"


@dataclass
class Told:
    """One run, as it looked from outside: what was there before, what was sent, and how it ended."""

    who: Checkout
    options: dict[str, Any]
    promised: Plan | None
    began: float
    before: frozenset[str]
    first_call: int
    first_shown: int
    alone: bool = True
    behind: frozenset[str] = frozenset()  # ids that another checkout wrote since this one's record
    meddled: bool = False
    report: Report | None = None
    error: TrueupError | None = None

    @property
    def calls(self) -> list[Call]:
        return self.who.calls[self.first_call :]

    @property
    def writes(self) -> list[Call]:
        return [call for call in self.calls if call.method != "GET"]


@dataclass
class Oracle:
    """`ahead` are the moments at which a clock was set ahead; `deletes` the ids that a checkout asked to delete;
    `not_kept` the fields by name that a report said the server did not keep."""

    vendor: Vendor
    hands: Hands
    log: list[str]
    ahead: list[float] = field(default_factory=list)
    deletes: set[str] = field(default_factory=set)
    not_kept: dict[str, set[str]] = field(default_factory=dict)
    excused: Counter[Excuse] = field(default_factory=Counter)
    runs: list[Told] = field(default_factory=list)
    at_once: list[Told] = field(default_factory=list)  # the runs of this round
    unreported: set[str] = field(default_factory=set)  # names that a run wrote to which died before its report
    gateway: bool = False  # that sends requests twice may be in the way
    writers: int = 1
    other_memory: bool = False  # an older checkout came back, or state was lost

    def broken(self, why: str) -> Violation:
        return Violation("\n  ".join([why, *self.log]))

    def after(self, told: Told) -> None:
        """Everything that must hold after one run. Raises `Violation`."""
        for outcome in told.report.outcomes if told.report else ():
            self.not_kept.setdefault(outcome.name, set()).update(outcome.not_kept)
        if told.report is None:
            self.unreported |= {stamp.name for call in told.writes if (stamp := _stamp(call)) is not None}
        self.check_writes(told)
        self.check_nothing_lost(told)
        self.check_whole(told)
        self.check_twins(told)
        self.check_notes(told)
        self.check_drifts(told)
        self.check_code(told)
        self.check_done(told)
        self.check_behind(told)
        if told.who.stale:
            raise self.broken(f"written on old reads: {told.who.stale}")

    def behind(self, who: Checkout) -> frozenset[str]:
        """The recorded ids whose live stamp is of no operation that this checkout knows."""
        if who.target.state == "stamps":
            return frozenset()
        state, live = who.state(), self.vendor.live()
        found = set()
        for name, record in state.records.items():
            stamp = parse(live[record.id]["metadata"]) if record.id in live else None
            waiting = state.pending.get(name)
            known = {record.operation, waiting.operation if waiting else ""}
            if stamp is not None and record.operation and stamp.operation not in known:
                found.add(record.id)
        return frozenset(found)

    # --- what was sent

    def check_writes(self, told: Told) -> None:
        """No write is outside the plan, nor outside the promised one; none that a partial view forbids."""
        for plan in [told.report.plan if told.report else None, told.promised]:
            if plan is None:
                continue
            planned = [call for change in plan.changes for call in change.calls]
            for call in told.writes:
                if not any(_covers(call, one) for one in planned):
                    raise self.broken(f"{call} is in no plan")
        for call in told.writes if told.alone else ():
            live_id = call.path.rsplit("/", 1)[1]
            if live_id in told.behind and not self.was_stale(told, live_id):
                raise self.broken(f"{call} overwrites what another checkout applied since")
        if told.report is not None and not told.report.plan.complete:
            for call in told.writes:
                if call.method == "DELETE" or call.path == "/assistants":
                    raise self.broken(f"{call} on a partial view")

    def check_sent(self, who: Checkout, call: Call) -> None:
        """A write that leaves is on the platter before: its intent in the journal, and what it deletes in a backup."""
        if not isinstance(who, OnDisk) or call.method == "GET":
            return
        safe = who.disk.safe_files()
        if call.method == "DELETE":
            live_id = call.path.rsplit("/", 1)[1]
            if not any("/backup/" in path and live_id in path for path in safe):
                raise self.broken(f"{live_id} is deleted without a backup that is safe from a power cut")
        journal = safe.get(str(who.store.journal_path.relative_to(who.root)), b"")
        stamp = _stamp(call)
        if stamp is not None and f'"operation":"{stamp.operation}"'.encode() not in journal:
            raise self.broken(f"{call.method} {call.path} of {stamp.name} leaves without a safe line in the journal")

    def check_nothing_lost(self, told: Told) -> None:
        gone = told.before - self.vendor.live().keys()
        asked = {call.path.rsplit("/", 1)[1] for call in told.writes if call.method == "DELETE"}
        if asked and not told.options["prune"]:
            raise self.broken(f"deleted without being told to: {asked}")
        self.deletes |= asked  # an unclear one may land in a later run
        if told.alone and gone - self.deletes:
            raise self.broken(f"lost: {gone}")

    def check_whole(self, told: Told) -> None:
        """A view counts as whole only if everything that the listing could show was shown."""
        if told.report is None or not told.report.plan.complete:
            return
        shown = [entry for entry in self.vendor.shown[told.first_shown :] if entry.to == told.who.label]
        ids = {live_id for entry in shown for live_id in entry.ids}
        due = {live_id for live_id in told.before if self.vendor.is_shown_since(live_id, told.began)}
        if due - ids and not any(entry.ended for entry in shown):
            raise self.broken(f"a view without {due - ids} was taken for the whole")

    # --- twins

    def twins(self) -> dict[str, list[Birth]]:
        """Live assistants that were created under one name, oldest first."""
        live = self.vendor.live()
        found: dict[str, list[Birth]] = {}
        for birth in self.vendor.births.values():
            if birth.id in live and birth.by:
                found.setdefault(birth.name, []).append(birth)
        return {name: births for name, births in found.items() if len(births) > 1}

    def check_twins(self, told: Told) -> None:
        for name, births in self.twins().items():
            for elder, younger in combinations(births, 2):
                excuse = self.excuse(told.who, elder, younger)
                if excuse is None:
                    raise self.broken(f"twins of {name}: {elder} and {younger}")
                self.excused[excuse] += 1
            self.check_named(told, name, births)

    def excuse(self, who: Checkout, elder: Birth, younger: Birth) -> Excuse | None:
        """Why the younger could not know of the elder."""
        repeated = [entry for entry in who.faults.log if entry.fault == Kind.REPEAT.value and entry.method == "POST"]
        same_moment = (elder.operation, elder.asked_at, elder.done_at) == (
            younger.operation, younger.asked_at, younger.done_at,
        )  # fmt: skip
        if any(entry.json.get("name") == elder.name for entry in repeated) or (self.gateway and same_moment):
            return Excuse.GATEWAY
        if elder.shown_at > elder.asked_at + who.target.settle:
            return Excuse.LATE_LISTING
        between = [entry for entry in self.vendor.shown if elder.done_at <= entry.at <= younger.done_at]
        if any(entry.ended and entry.to == younger.by for entry in between):
            return Excuse.FALSE_END
        runs = [run for run in self.runs if run.who.label == younger.by and run.first_shown <= younger.after]
        is_unseen = elder.after >= runs[-1].first_shown or elder.shown_at > runs[-1].began
        if elder.by != younger.by and is_unseen:
            return Excuse.TWO_WRITERS
        if who.target.state == "stamps" and is_unseen and elder.shown_at > elder.done_at:
            return Excuse.NO_MEMORY
        if any(elder.asked_at <= moment <= younger.asked_at for moment in self.ahead):
            return Excuse.CLOCK_AHEAD
        return None

    def check_named(self, told: Told, name: str, births: list[Birth]) -> None:
        """A run that was shown twins names all of them, and one that created looks for them afterwards."""
        report = told.report
        if report is None or self.vendor.habit in FORGETFUL or not told.alone:
            return
        made_now = any(call.path == "/assistants" and call.json["name"] == name for call in told.writes)
        first = max(told.first_shown, births[-1].after if made_now else 0)
        pages = [entry for entry in self.vendor.shown[first:] if entry.to == told.who.label and entry.is_page]
        broken_off = report.problems or {Exit.INTERRUPTED, Exit.UNREADABLE} & set(report.codes)
        if made_now and not pages and not broken_off:
            raise self.broken(f"after the create of {name} nobody looked for twins")
        ids = {birth.id for birth in births}
        named = {live_id for outcome in report.outcomes for live_id in (outcome.id, *outcome.others)}
        named |= {live_id for change in report.plan.changes for live_id in (change.id, *change.others)}
        if ids <= {live_id for entry in pages for live_id in entry.ids} and not (broken_off or ids <= named):
            raise self.broken(f"twins of {name} are not named: {births}")

    def shown_to(self, told: Told) -> list[Any]:
        return [entry for entry in self.vendor.shown[told.first_shown :] if entry.to == told.who.label]

    # --- what hands wrote

    def was_stale(self, told: Told, live_id: str) -> bool:
        if any(live_id in entry.stale for entry in self.shown_to(told)):
            self.excused[Excuse.STALE_LISTING] += 1
            return True
        return False

    def check_notes(self, told: Told) -> None:
        """What no file declares is as the hand left it."""
        live = self.vendor.live()
        for (live_id, key), text in list(self.hands.notes.items()):
            if live_id not in live:
                continue
            found = live[live_id]["metadata"].get(NOTE) if key == NOTE else live[live_id][key]
            if found != text:
                if not self.was_stale(told, live_id):
                    raise self.broken(f"the undeclared {key} of {live_id} was lost")
                del self.hands.notes[live_id, key]

    def check_drifts(self, told: Told) -> None:
        """What a hand changed stays, unless we were told to revert it."""
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
        """The exit code tells what the report tells, and a run that broke off says so."""
        report = told.report
        if report is None:
            return
        ends = {outcome.name: outcome.result for outcome in report.outcomes}
        good = {Result.DONE, Result.ALREADY, Result.ADOPTED}
        open_ends = [c.name for c in report.plan.changes if c.action in WRITES and ends.get(c.name) not in good]
        wanted: dict[str, bool] = {
            "a write that was not done": bool(open_ends),
            "a partial view": not report.plan.complete,
            "something held back": any(_is_held(change) for change in report.plan.changes),
            "a twin": any(outcome.others for outcome in report.outcomes),
            "a problem": bool(report.problems),
            "a refusal": Result.REFUSED in ends.values(),
        }
        said = worst(report.codes)
        if said in (Exit.OK, Exit.DIFFERS) and any(wanted.values()):
            raise self.broken(f"exit code {said} in spite of {[what for what, is_so in wanted.items() if is_so]}")
        if not report.plan.complete and Exit.UNREADABLE not in report.codes:
            raise self.broken("a partial view without its exit code")

    def check_done(self, told: Told) -> None:
        """What is reported as done was done, and each field that is not so was named."""
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
                self.check_fields(outcome, change, live[outcome.id], told.who.adapter().dialect.semantics)

    def check_fields(self, outcome: Outcome, change: Change, body: dict[str, Any], semantics: Semantics) -> None:
        found = split(body)
        for name, value in split(change.calls[0].json).items():
            kept = same(canonical(name, value, semantics), canonical(name, found.get(name), semantics))
            if not kept and name not in outcome.not_kept:
                raise self.broken(f"{name} of {outcome.name} was not kept and not named: {found.get(name)!r}")

    def check_behind(self, told: Told) -> None:
        """Where nobody but us applied, nothing looks as if another checkout had."""
        changes = told.report.plan.changes if told.report else ()
        behind = [change for change in changes if change.reason is Reason.BEHIND]
        if not behind or self.writers > 1 or self.other_memory or self.ahead:
            return
        repeated = any(entry.fault == Kind.REPEAT.value for entry in told.who.faults.log)
        stale = all(self.was_stale(told, change.id) for change in behind)
        if not (repeated or stale or self.twins()):
            raise self.broken(f"{[change.name for change in behind]} look as if another checkout had applied")

    # --- what is remembered

    def check_memory(self, told: Told) -> bool:
        """Whether the memory can be read; if so it holds every create that this run sent, and was not refused."""
        try:
            state = told.who.state()
        except StateError as error:
            if "state rebuild" not in error.hint:
                raise self.broken(f"state is unreadable: {error.message}, and nothing mends it: {error.hint}") from None
            return False
        if told.who.target.state == "stamps":
            return True
        known = {record.operation for record in state.records.values()}
        known |= {entry.operation for entry in state.pending.values()}
        ids = {record.id for record in state.records.values()}
        live = self.vendor.live()
        for call in told.writes:
            stamp = _stamp(call) if call.path == "/assistants" else None
            if stamp is None or stamp.operation in known:
                continue
            made = [birth for birth in self.vendor.births.values() if birth.operation == stamp.operation]
            mine = {b.id for b in made if b.by == told.who.label and b.asked_at >= told.began and b.id in live}
            if mine - ids and not self.twins():
                raise self.broken(f"{stamp.name} was created as {mine}, and nothing remembers it")
        return True


def _stamp(call: Call) -> Stamp | None:
    """The stamp that a request carries."""
    return parse((call.json or {}).get("metadata"))


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
        call.json[key] == value or (key in ("metadata", "tool_resources") and value.items() <= call.json[key].items())
        for key, value in body.items()
    )
