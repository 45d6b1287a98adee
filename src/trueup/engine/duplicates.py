"""Deletes one duplicate: a live assistant with the stamp of a name whose recorded assistant is another one.

Refuses whatever may be the only one, or somebody else's. How it is deleted is `modifies`'s.
"""

from __future__ import annotations

from dataclasses import replace

from trueup.core.canonical import digest
from trueup.core.command import Message
from trueup.core.errors import NotSent, OutcomeUnknown, RefusedError, UnreadableError
from trueup.core.memory.stamp import OPERATION_DIGITS, UNREADABLE, Stamp
from trueup.core.memory.state import Identity, State
from trueup.core.plans.live import LiveAssistant
from trueup.core.plans.plan import Action, Change, Options, Plan, Reason
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.plans.wording import DOUBLED_STRAY, HINTS, Advice
from trueup.core.projects.project import Target
from trueup.engine.apply import execute
from trueup.engine.plan import Planning
from trueup.engine.request_runner import RequestRunner
from trueup.wire.base import Adapter, Unexpected

ELSE = frozenset({Reason.NAMESAKE, Reason.RENAME})
"""Rows that name other assistants which are no duplicates."""


def plan_delete(planning: Planning, name: str, live_id: str, target: Target, adapter: Adapter) -> Change:
    """Return the delete of a duplicate, with all that must still be so when it is sent.

    Raises UnreadableError where not everything was read, and RefusedError for what is no duplicate of the name's
    recorded assistant.
    """
    view, again = planning.view, Message("To see what is live: ", target.command("plan", name))
    if not view.complete:
        raise UnreadableError(
            f"Not everything could be read: {view.problem}. Nothing was deleted.", "Try again when the target answers."
        )
    live = planning.seen.get(live_id)
    if live is None:
        raise RefusedError(f"There is no live assistant {live_id} on {target.name}. Nothing was deleted.", again)
    _refuse_other_owner(planning, live, again)
    change = next((item for item in planning.plan.changes if item.name == name), None)
    if change is None or change.reason in ELSE or live_id not in change.others:
        reason = _describe_stamp(live.stamp, planning.plan.identity, live_id)
        raise RefusedError(f"{live_id} is not a duplicate of {name}: {reason}. Nothing was deleted.", again)
    kept = _find_kept(planning, change, target)
    return Change(
        name,
        Action.DELETE,
        Reason.TWIN_BESIDE,
        id=live_id,
        operation=digest(
            {"duplicate": live_id, "beside": kept.id, "name": name, "target": target.name}, OPERATION_DIGITS
        ),
        overwritten={field: digest(value) for field, value in adapter.dialect.table.split(live.body).items()},
        backup=True,
        display_name=live.display_name,
        message=f"is a duplicate of {kept.id}, which stays managed",
        file=change.file,
    )


async def delete_duplicate(
    planning: Planning, change: Change, adapter: Adapter, runner: RequestRunner, target: Target
) -> tuple[Report, State]:
    """Delete it as an apply deletes: read again first, kept in the backup, journaled, and read where it is unclear.

    The recorded assistant is read again before. Raises RefusedError where it is gone, UnreadableError where it cannot
    be read, and TrueupError where nothing can be journaled.
    """
    kept = planning.state.records[change.name].id
    try:
        found = await runner.run_reads(adapter.get(kept))
    except (Unexpected, NotSent, OutcomeUnknown) as error:
        raise UnreadableError(f"{kept} could not be read: {error}. Nothing was deleted.", "Try again later.") from None
    if found is None:
        raise RefusedError(
            f"{kept}, the recorded assistant of {change.name}, is gone: {change.id} may be the only one. "
            "Nothing was deleted.",
            Message("To see what is live: ", target.command("plan", change.name)),
        )
    planning.view.read_at.pop(change.id, None)
    plan = Plan(planning.plan.identity, Options(), (change,), records=len(planning.state.records))
    report, state = await execute(
        replace(planning, plan=plan), plan, adapter, runner, target, lambda _name, _path: None
    )
    return replace(report, outcomes=tuple(_describe_end(one, change, target) for one in report.outcomes)), state


def _refuse_other_owner(planning: Planning, live: LiveAssistant, again: Message) -> None:
    """Raise RefusedError for what a record holds, and for what does not carry a stamp of this project and target."""
    holder = next((name for name, record in planning.state.records.items() if record.id == live.id), "")
    if holder:
        raise RefusedError(
            f"{live.id} is the recorded assistant of {holder}, not a duplicate. Nothing was deleted.", again
        )
    stamp, identity = live.stamp, planning.plan.identity
    if stamp is None or (stamp.project, stamp.target) != (identity.project, identity.target):
        reason = _describe_stamp(stamp, identity, live.id)
        raise RefusedError(f"{live.id} does not belong to this project: {reason}. Nothing was deleted.", again)


def _find_kept(planning: Planning, change: Change, target: Target) -> LiveAssistant:
    """Return the recorded assistant, which stays. Raises RefusedError where the duplicate may be the right one."""
    name, record = change.name, planning.state.records.get(change.name)
    kept = planning.seen.get(record.id) if record is not None else None
    if kept is None:
        gone = f"the recorded one, {record.id}, is not live" if record is not None else "none is recorded"
        raise RefusedError(
            f"{' and '.join(_carriers(change))} have the stamp of {name}, and {gone}. Nothing was deleted.",
            _choose_one(change, target),
        )
    if change.reason in (Reason.BEHIND, Reason.FOREIGN):
        raise RefusedError(f"{name}: {change.message}. Nothing was deleted.", change.hint)
    if name in planning.state.pending:
        raise RefusedError(
            f"An earlier request of {name} has an unknown outcome. Nothing was deleted.",
            Message("To resolve it: ", target.command("apply", name)),
        )
    return kept


def _choose_one(change: Change, target: Target) -> Message:
    """Return the commands of which one records the assistant that is to be kept."""
    advice = Advice(change.name, _carriers(change), target.selection)
    return advice.fill(HINTS[Reason.TWINS] if change.file else DOUBLED_STRAY)


def _carriers(change: Change) -> tuple[str, ...]:
    """Return the ids of all that carry the stamp of a name of which none is recorded."""
    ids = change.others if change.reason is Reason.TWINS else (change.id, *change.others)
    return tuple(dict.fromkeys(ids))


def _describe_stamp(stamp: Stamp | None, identity: Identity, live_id: str) -> str:
    if stamp is None:
        return "it has no stamp"
    if stamp is UNREADABLE:
        return "its stamp cannot be read"
    if (stamp.project, stamp.target) != (identity.project, identity.target):
        return f"it has the stamp of {stamp.name} of {stamp.project}/{stamp.target}"
    return f"it has the stamp of {stamp.name}, of which no plan reports {live_id} as a duplicate"


def _describe_end(outcome: Outcome, change: Change, target: Target) -> Outcome:
    """Return the outcome in the words of a duplicate: which one it was, and this command instead of an apply."""
    message = f"It {change.message}." if outcome.result in _ENDED else f"It {change.message}; {outcome.message}"
    again = Message("To try again: ", target.command("delete-duplicate", f"{change.name}={change.id}"))
    look = Message("To see whether it is still live: ", target.command("plan", change.name))
    hints = {Result.FAILED: again, Result.SKIPPED: again, Result.UNKNOWN: look, Result.CHANGED: look}
    return replace(outcome, message=message, hint=hints.get(outcome.result, ""))


_ENDED = frozenset({Result.DONE, Result.ALREADY})
"""Ends after which it is live no more."""
