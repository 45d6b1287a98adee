"""Holds a fresh plan against one that was promised: only what stands in both, equal, may be sent. Sends nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trueup.core.command import Message, join_messages
from trueup.core.plans.exits import codes_of
from trueup.core.plans.plan import WRITES, Action, Change, Plan
from trueup.core.plans.plan_codec import essence
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.plans.wording import plan_anew
from trueup.engine.plan import Planning

PARTIAL = "Not everything could be read, so nothing was created or deleted. Apply the plan again when it can be."


@dataclass(frozen=True, slots=True)
class Meeting:
    """`plan` is the fresh plan without what was not promised; `outcomes` tell the promised changes that are done
    already or refused; `only_fresh` counts what the fresh plan alone holds."""

    plan: Plan
    outcomes: tuple[Outcome, ...]
    only_fresh: int


def meet(promised: Plan, fresh: Planning) -> Meeting:
    """What of the promised plan still holds."""
    wanted = {change.name: change for change in promised.changes if change.action in WRITES}
    now = {change.name: change for change in fresh.plan.changes}
    kept, only_fresh = [], 0
    for change in fresh.plan.changes:
        promise = wanted.get(change.name)
        if change.action not in WRITES or (promise is not None and is_equal(change, promise)):
            kept.append(change)
            continue
        only_fresh += promise is None
        if change.others:  # a duplicate is named, whatever was promised
            kept.append(replace(change, action=Action.NOTHING, sets={}, stamp="", fields=(), record=None))
    standing = {change.name for change in kept if change.action in WRITES}
    outcomes = [
        _settled(change, now.get(name), fresh) for name, change in sorted(wanted.items()) if name not in standing
    ]
    return Meeting(replace(fresh.plan, changes=tuple(kept), limit=promised.limit), tuple(outcomes), only_fresh)


def explained(report: Report) -> Report:
    """The report of a promised plan with a word for what the fresh plan holds back: nobody was shown that plan."""
    told = {outcome.name for outcome in report.outcomes}
    words: list[str] = [
        join_messages((Message(f"{change.name}: ", change.message, "."), change.hint))
        for change in report.plan.changes
        if change.name not in told
        and change.message
        and codes_of(replace(report.plan, changes=(change,), complete=True))
    ]
    if not report.plan.complete:
        words.append(PARTIAL)
    return replace(report, problems=(*report.problems, *words))


def is_equal(left: Change, right: Change) -> bool:
    """Whether two changes do the same: they set the same over the same live values."""
    return essence(left) == essence(right)


def _settled(promised: Change, now: Change | None, fresh: Planning) -> Outcome:
    """A promised change that the fresh plan does not hold: in place already, or refused."""
    if promised.action is Action.DELETE:
        view = fresh.view
        done = promised.id in view.absent or (view.complete and promised.id not in view.live)
    elif promised.action is Action.RELEASE:
        done = now is None
    else:
        known = fresh.operations.get(promised.name, frozenset())
        done = promised.operation in known or _came_to_be(promised, now, fresh)
    if done:
        return Outcome(promised.name, promised.action, Result.ALREADY, promised.id)
    reason = Message("now: ", now.message) if now is not None and now.message else "it is no longer wanted"
    return Outcome(
        promised.name,
        promised.action,
        Result.REFUSED,
        promised.id,
        Message("the plan's change does not stand any more (", reason, ")"),
        Message("Make a new plan and have it reviewed: ", plan_anew(fresh.plan, out="change.plan")),
    )


def _came_to_be(promised: Change, now: Change | None, fresh: Planning) -> bool:
    """Whether live is as the files say, and the files say what was promised: somebody else has made it so."""
    if promised.action is Action.STAMP or (now is not None and now.action not in (Action.RECORD, Action.ADOPT)):
        return False  # that a stamp was written only its operation tells
    record = now.record if now is not None else fresh.state.records.get(promised.name)
    if record is None or promised.record is None:
        return False
    sent = [{name: field.sent for name, field in entry.fields.items()} for entry in (record, promised.record)]
    return sent[0] == sent[1]
