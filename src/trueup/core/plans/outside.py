"""Which changes of a plan tell of somebody else's hand: drift, conflicts and deletions outside. Judges nothing anew."""

from __future__ import annotations

from trueup.core.plans.plan import Cause, Change, Reason

OUTSIDE = frozenset({Cause.DRIFTED, Cause.CONFLICT, Cause.UNKNOWN})
"""Causes behind which a hand is, or may be."""


def is_outside(change: Change) -> bool:
    """Whether somebody changed or deleted it since it was applied, or may have; being behind is not that."""
    if change.reason is Reason.BEHIND:
        return False
    return is_deleted_outside(change) or any(item.cause in OUTSIDE for item in change.fields)


def is_deleted_outside(change: Change) -> bool:
    """Return whether what is recorded was deleted outside, also where the target's rules create it again."""
    return change.reason is Reason.DELETED_OUTSIDE or change.recreate
