"""What a plan as a whole leads to: the exit codes of the commands that show or apply it, and the guards.

Each guard fails closed.
"""

from __future__ import annotations

from collections.abc import Sequence

from trueup.core.errors import Exit, worst
from trueup.core.plans.plan import WRITES, Action, Cause, Change, Plan, Reason, is_outside
from trueup.core.projects.project import Guard


def is_blocked(change: Change) -> bool:
    """Return whether a wanted change waits for a decision; one that nobody wants yet is only behind."""
    return change.action is Action.HELD and (change.wanted or change.reason is not Reason.BEHIND)


def has_duplicate(change: Change) -> bool:
    """Return whether another live assistant carries the same stamp, beside what else is done or not done."""
    return bool(change.others) and change.action is not Action.HELD


def _is_waiting(change: Change) -> bool:
    """Return whether something of a change waits for a decision."""
    is_wanted = change.action is Action.HELD and change.wanted
    has_others = bool(change.others) and change.action is not Action.ORPHAN
    return is_wanted or has_others or any(item.cause is Cause.SECRET for item in change.fields)


def collect_codes(plan: Plan) -> set[Exit]:
    """Return all exit codes that a plan gives to its apply, whatever is sent."""
    codes = set()
    for change in plan.changes:
        if change.reason is Reason.PROTECTED:
            codes.add(Exit.REFUSED)
        elif _is_waiting(change):
            codes.add(Exit.HELD)
        if change.action is Action.UNREAD:
            codes.add(Exit.UNREADABLE)
    if not plan.complete:
        codes.add(Exit.UNREADABLE)
    return codes


def plan_exit(plan: Plan, *, detailed: bool = False) -> Exit:
    """Return the exit code of `plan`: changes and what is blocked count only with `--detailed-exitcode`."""
    codes = collect_codes(plan)
    if not detailed:
        return worst(tuple(codes & {Exit.UNREADABLE}))
    if Exit.REFUSED in codes:  # refused by apply; here it waits for a decision
        codes = codes - {Exit.REFUSED} | {Exit.HELD}
    if any(change.action in WRITES or change.action is Action.ADOPT or change.adopted for change in plan.changes):
        codes.add(Exit.DIFFERS)
    return worst(tuple(codes))


def drift_exit(plan: Plan) -> Exit:
    """Return the exit code of `drift`: what changed outside differs, behind is none, unknown is unreadable."""
    codes = {Exit.UNREADABLE} if not plan.complete else set()
    for change in plan.changes:
        if change.action is Action.UNREAD or any(item.cause is Cause.UNKNOWN for item in change.fields):
            codes.add(Exit.UNREADABLE)
        if is_outside(change) and not is_unknown(change):
            codes.add(Exit.DIFFERS)
    return worst(tuple(codes))


def is_unknown(change: Change) -> bool:
    """Return whether all that differs may as well never have been kept: nothing is known to have changed outside."""
    causes = {item.cause for item in change.fields}
    return Cause.UNKNOWN in causes and not causes & {Cause.DRIFTED, Cause.CONFLICT}


ACK_DIGITS = 16
"""Characters of a plan's digest that an acknowledgement needs at least."""


def find_guard_reasons(plan: Plan, guard: Guard) -> tuple[str, ...]:
    """Why this plan needs an acknowledgement; empty when it does not. Re-creates count as deletes."""
    gone = sum(change.action is Action.FORGET and change.reason is Reason.GONE for change in plan.changes)
    records = max(plan.records - gone, 1)  # a record of nothing makes no fleet larger
    deletes = sum(change.action is Action.DELETE or change.recreate for change in plan.changes)
    modifies = sum(change.action is Action.MODIFY for change in plan.changes)
    reasons = []
    if deletes > guard.deletes and deletes / records > guard.delete_share:
        reasons.append(_describe_guard(deletes, records, "deleted or created again", guard.deletes, guard.delete_share))
    if modifies > guard.modifies and modifies / records > guard.modify_share:
        reasons.append(_describe_guard(modifies, records, "modified", guard.modifies, guard.modify_share))
    return tuple(reasons)


def ask_for_acknowledgement(reasons: Sequence[str]) -> str:
    """Return the sentence that asks to acknowledge a plan."""
    return f"A guard requires an acknowledgement of this plan: {'; '.join(reasons)}."


def is_acknowledged(digest: str, acks: tuple[str, ...]) -> bool:
    """Whether one of the given texts is the digest or at least `ACK_DIGITS` characters of its beginning."""
    return any(len(ack) >= ACK_DIGITS and digest.startswith(ack.lower()) for ack in acks)


def _describe_guard(count: int, records: int, what: str, limit: int, share: float) -> str:
    return f"{count} of {records} assistants would be {what} (the guard allows {limit}, or {share:.0%})"
