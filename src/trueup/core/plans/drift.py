"""A drift report: changes as news about live alone, since when each is seen, and which apply came before it.

No vendor says who changed an assistant, or when. `since` is when Trueup first saw it, out of an unbroken row of
reports: a drift is the same as long as the live value is. An operation is in no vendor's log either: who wrote it is
known only where the JSON report of that apply is. Moments are ISO 8601 in UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trueup.core.canonical import digest, float32
from trueup.core.checked import MismatchError, a_moment, a_text, an_object, list_of, optional, record_of
from trueup.core.command import HERE, Message, Selection
from trueup.core.errors import TrueupError
from trueup.core.memory.state import Identity
from trueup.core.memory.state_codec import read_identity
from trueup.core.plans.exits import has_duplicate
from trueup.core.plans.plan import MISSING, OUTSIDE, Action, Change, Plan, Reason, is_deleted_outside, is_outside
from trueup.core.plans.report import Result
from trueup.core.plans.wording import say

_AS_DRIFT = {Reason.REVERTED: Reason.DRIFTED, Reason.RECREATED: Reason.DELETED_OUTSIDE}
"""What a target that reverts drift makes of a row → the row that `drift` reports."""


def as_drift(change: Change, selection: Selection) -> Change:
    """Reduce the change to what happened to the live assistant; drop what the file wants and what will be done."""
    outside = tuple(item for item in change.fields if item.cause in OUTSIDE)
    reason = _AS_DRIFT.get(change.reason, change.reason)
    message, hint = change.message, change.hint
    if reason is not change.reason:
        message, hint = say(reason, change.name, selection=selection)
    return replace(
        change,
        action=Action.DRIFT,
        reason=reason,
        fields=outside,
        message=message,
        hint=hint,
        backup=False,
        adopted=False,
    )


def list_duplicates(plan: Plan) -> list[Change]:
    """Return the changes that are no drift and have a duplicate, as news about that alone."""
    return [
        _as_duplicate(change, plan.selection)
        for change in plan.changes
        if has_duplicate(change) and not is_outside(change) and change.action is not Action.ORPHAN
    ]


def _as_duplicate(change: Change, selection: Selection) -> Change:
    message, hint = say(Reason.TWIN_BESIDE, change.name, change.others, change.moved_from, selection)
    return Change(
        change.name, Action.NOTHING, Reason.CLEAN, id=change.id, others=change.others, message=message, hint=hint,
        file=change.file,
    )  # fmt: skip


_AGAIN = Message("Use a file with the output of this command for the target: ", HERE.command("drift", json=True))


@dataclass(frozen=True, slots=True)
class Sighting:
    """One drifted field with a digest of its live value; both are empty where the assistant itself was deleted.

    `since` is the moment of the first report of an unbroken row that showed it, None where there was none before.
    """

    name: str
    field: str
    live: str
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier drift report saw, and when."""

    checked_at: str
    seen: tuple[Sighting, ...]


def find_sightings(
    plan: Plan, judged: Collection[str], earlier: Earlier | None, now: str
) -> tuple[tuple[Sighting, ...], tuple[Sighting, ...]]:
    """Return the sightings of this plan, and those kept for assistants not judged or not read this time.

    Without an earlier report no first moment is known; with one, what it did not see is seen since `now`.
    """
    shown = [sighting for change in plan.changes if is_outside(change) for sighting in _sight_change(change)]
    if earlier is None:
        return tuple(shown), ()
    known = {(item.name, item.field, item.live): item.since or earlier.checked_at for item in earlier.seen}
    dated = [replace(item, since=known.get((item.name, item.field, item.live), now)) for item in shown]
    unread = {change.name for change in plan.changes if change.action is Action.UNREAD}
    carried = [
        replace(item, since=item.since or earlier.checked_at)
        for item in earlier.seen
        if item.name in unread or item.name not in judged
    ]
    return tuple(dated), tuple(carried)


def add_first_seen(plan: Plan, shown: Iterable[Sighting]) -> Plan:
    """Add a sentence to each drift whose first moment is known."""
    moments: dict[str, dict[str, str]] = {}
    for item in shown:
        if item.since is not None:
            moments.setdefault(item.name, {})[item.field] = item.since
    return replace(plan, changes=tuple(_add_date(change, moments.get(change.name, {})) for change in plan.changes))


def _add_date(change: Change, moments: Mapping[str, str]) -> Change:
    if not moments:
        return change
    if len(set(moments.values())) == 1:
        words = f"Seen since {next(iter(moments.values()))}."
    else:
        words = f"Seen since: {', '.join(f'{field} {moment}' for field, moment in moments.items())}."
    return replace(change, remarks=(*change.remarks, words))


def _sight_change(change: Change) -> Iterable[Sighting]:
    if is_deleted_outside(change):
        yield Sighting(change.name, "", "")
        return
    for item in change.fields:
        if item.cause in OUTSIDE:
            live = None if item.before is MISSING else item.before
            # Servers keep single precision: a change beyond it is none.
            steady = float32(live) if isinstance(live, float) else live
            yield Sighting(change.name, item.path, digest(steady, 16))


_SIGHTING = record_of(Sighting, {"name": a_text, "field": a_text, "live": a_text, "since": optional(a_moment)})


def read_earlier(document: Any, identity: Identity) -> Earlier | None:
    """Read what a drift report's JSON says of this target; return None for the report of a failed command.

    Raises TrueupError for anything else, and for the report of another target.
    """
    try:
        found = an_object(document, "the report")
        if found.get("kind") == "error":
            return None
        if found.get("kind") != "drift":
            raise MismatchError("the report's `kind`", "`drift`")
        there = read_identity(found.get("target"), "target")
        earlier = Earlier(
            a_moment(found.get("checked_at"), "checked_at"), list_of(_SIGHTING)(found.get("seen"), "seen")
        )
    except MismatchError as problem:
        raise TrueupError(f"It is not a usable drift report: {problem}.", _AGAIN) from None
    if (there.project, there.target) != (identity.project, identity.target):
        raise TrueupError(
            f"It is the report of {there.project}/{there.target}, not of {identity.project}/{identity.target}.", _AGAIN
        )
    return earlier


LONGEST = 500
"""Characters of a commit, an address or a moment that are taken from a report."""

_RANKS = {Result.DONE.value: 2, Result.ADOPTED.value: 1, Result.UNKNOWN.value: 1}
"""Results of an apply that may have sent an operation; what is done tells more than what may be."""


@dataclass(frozen=True, slots=True)
class ApplyOrigin:
    """Which apply sent an operation; what is not known is empty. `applied_at` is ISO 8601, `report` the file."""

    operation: str
    commit: str = ""
    pipeline: str = ""
    applied_at: str = ""
    report: str = ""

    @property
    def sentence(self) -> str:
        """The last apply in words."""
        facts = [f"commit {self.commit}"] if self.commit else []
        facts += [f"pipeline {self.pipeline}"] if self.pipeline else []
        if not self.report:
            return f"Last applied by operation {self.operation}; there is no report of that apply."
        who = ", ".join(facts) or f"{self.report}, which names no commit and no pipeline"
        when = f" at {self.applied_at}" if self.applied_at else ""
        return f"Last applied{when} by {who}."


def find_origins(documents: Iterable[tuple[str, Any]]) -> tuple[dict[str, ApplyOrigin], int]:
    """Find the apply of each operation in JSON documents (by file), and count those that report no apply.

    Of two reports on one operation the one that carried it out counts, then the later one.
    """
    best: dict[str, tuple[int, str, ApplyOrigin]] = {}
    others = 0
    for file, document in documents:
        try:
            found = list(_read_origins(file, document))
        except MismatchError:
            others += 1
            continue
        for rank, origin in found:
            entry = (rank, origin.applied_at, origin)
            if origin.operation not in best or best[origin.operation][:2] < entry[:2]:
                best[origin.operation] = entry
    return {operation: entry[2] for operation, entry in best.items()}, others


def _read_origins(file: str, document: Any) -> Iterable[tuple[int, ApplyOrigin]]:
    """Yield the operations of one report, each with a rank of how certain it is. Raises MismatchError."""
    report = an_object(document, "the report")
    if report.get("kind") != "report":
        raise MismatchError("the report's `kind`", "`report`")
    commit, pipeline, moment = ((optional(a_text)(report.get(key), key) or "")[:LONGEST] for key in _FACTS)
    for outcome in list_of(an_object)(report.get("outcomes"), "outcomes"):
        operation = _read_operation(outcome)
        rank = _RANKS.get(str(outcome.get("result")), 0)
        if operation and rank:
            yield rank, ApplyOrigin(operation, commit, pipeline, moment, file)


_FACTS = ("commit", "pipeline", "applied_at")


def _read_operation(outcome: Mapping[str, Any]) -> str:
    return optional(a_text)(outcome.get("operation"), "operation") or ""


@dataclass(frozen=True, slots=True)
class History:
    """`checked_at` is the moment of this report, ISO 8601 in UTC; `shown` are its drifts, `carried` those of assistants
    that were not looked at this time; `find_origins` are the last applies of drifted assistants, by name."""

    checked_at: str
    shown: tuple[Sighting, ...] = ()
    carried: tuple[Sighting, ...] = ()
    origins: Mapping[str, ApplyOrigin] = field(default_factory=dict)
