"""Since when each drift is seen: held against an earlier report, so that the same drift keeps its first moment.

No vendor of this protocol says who changed an assistant, or when; what is told here is when we saw it first, out of an
unbroken row of reports. A drift is the same as long as the live value is: one that changed again, or that was gone in
between, begins anew. Moments are ISO 8601 in UTC. Knows no clock and no file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from trueup.core.canonical import digest, float32
from trueup.core.checked import MismatchError, a_moment, a_text, an_object, list_of, map_of, optional, record_of
from trueup.core.command import HERE, Message
from trueup.core.errors import TrueupError
from trueup.core.memory.state import Identity
from trueup.core.plans.outside import OUTSIDE, is_deleted_outside, is_outside
from trueup.core.plans.plan import MISSING, Action, Change, Plan

_AGAIN = Message("Name a file that holds the output of this for the target: ", HERE.command("drift", json=True))


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


def sightings(
    plan: Plan, judged: Collection[str], earlier: Earlier | None, now: str
) -> tuple[tuple[Sighting, ...], tuple[Sighting, ...]]:
    """What this plan shows, and what is only carried on: assistants that were not judged or not read this time.

    Without an earlier report nothing is known of before; with one, what it did not see is seen since `now`.
    """
    shown = [sighting for change in plan.changes if is_outside(change) for sighting in _of_change(change)]
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


def told(plan: Plan, shown: Iterable[Sighting]) -> Plan:
    """The plan with a sentence on each drift whose first moment is known."""
    moments: dict[str, dict[str, str]] = {}
    for item in shown:
        if item.since is not None:
            moments.setdefault(item.name, {})[item.field] = item.since
    return replace(plan, changes=tuple(_dated(change, moments.get(change.name, {})) for change in plan.changes))


def _dated(change: Change, moments: Mapping[str, str]) -> Change:
    if not moments:
        return change
    if len(set(moments.values())) == 1:
        words = f"Seen since {next(iter(moments.values()))}."
    else:
        words = f"Seen since: {', '.join(f'{field} {moment}' for field, moment in moments.items())}."
    return replace(change, remarks=(*change.remarks, words))


def _of_change(change: Change) -> Iterable[Sighting]:
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
_IDENTITY = record_of(
    Identity, {"project": a_text, "target": a_text, "protocol": a_text, "base_url": a_text, "scope": map_of(a_text)}
)


def read_earlier(document: Any, identity: Identity) -> Earlier | None:
    """What a drift report's JSON says of this target; None where the document tells of a command that failed.

    Raises TrueupError for anything else, and for the report of another target.
    """
    try:
        found = an_object(document, "the report")
        if found.get("kind") == "error":
            return None
        if found.get("kind") != "drift":
            raise MismatchError("the report's `kind`", "`drift`")
        there = _IDENTITY(found.get("target"), "target")
        earlier = Earlier(
            a_moment(found.get("checked_at"), "checked_at"), list_of(_SIGHTING)(found.get("seen"), "seen")
        )
    except MismatchError as problem:
        raise TrueupError(f"It is no drift report that dates can be taken from: {problem}.", _AGAIN) from None
    if (there.project, there.target) != (identity.project, identity.target):
        raise TrueupError(
            f"It is the report of {there.project}/{there.target}, not of {identity.project}/{identity.target}.", _AGAIN
        )
    return earlier
