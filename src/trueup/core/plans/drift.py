"""A plan's changes as a drift report shows them: as news about live alone. Judges nothing anew."""

from __future__ import annotations

from dataclasses import replace

from trueup.core.command import Selection
from trueup.core.plans.exits import has_duplicate
from trueup.core.plans.outside import OUTSIDE, is_outside
from trueup.core.plans.plan import Action, Change, Plan, Reason
from trueup.core.plans.wording import say

_AS_DRIFT = {Reason.REVERTED: Reason.DRIFTED, Reason.RECREATED: Reason.DELETED_OUTSIDE}
"""What a target that reverts drift makes of a row → the row that `drift` reports."""


def as_drift(change: Change, selection: Selection) -> Change:
    """The change as news about live alone: what the file wants besides, and what will be done, is left out."""
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


def duplicates_of(plan: Plan) -> list[Change]:
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
