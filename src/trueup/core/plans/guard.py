"""The guards that look at a whole plan before anything is sent. Each fails closed; none knows a flag or a prompt."""

from __future__ import annotations

from trueup.core.plans.plan import Action, Plan, Reason
from trueup.core.projects.project import Guard

ACK_DIGITS = 16
"""Characters of a plan's digest that an acknowledgement needs at least."""


def tripped(plan: Plan, guard: Guard) -> tuple[str, ...]:
    """Why this plan needs an acknowledgement; empty when it does not. Re-creates count as deletes."""
    gone = sum(change.action is Action.FORGET and change.reason is Reason.GONE for change in plan.changes)
    records = max(plan.records - gone, 1)  # a record of nothing makes no fleet larger
    deletes = sum(change.action is Action.DELETE or change.recreate for change in plan.changes)
    modifies = sum(change.action is Action.MODIFY for change in plan.changes)
    reasons = []
    if deletes > guard.deletes and deletes / records > guard.delete_share:
        reasons.append(_sentence(deletes, records, "deleted or created again", guard.deletes, guard.delete_share))
    if modifies > guard.modifies and modifies / records > guard.modify_share:
        reasons.append(_sentence(modifies, records, "modified", guard.modifies, guard.modify_share))
    return tuple(reasons)


def is_acknowledged(digest: str, acks: tuple[str, ...]) -> bool:
    """Whether one of the given texts is the digest or at least `ACK_DIGITS` characters of its beginning."""
    return any(len(ack) >= ACK_DIGITS and digest.startswith(ack.lower()) for ack in acks)


def _sentence(count: int, records: int, what: str, limit: int, share: float) -> str:
    return f"{count} of {records} assistants would be {what} (the guard allows {limit}, or {share:.0%})"
