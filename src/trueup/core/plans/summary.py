"""The numbers of a plan and the one line that tells them. Its wording is stable: scripts search for it."""

from __future__ import annotations

from collections import Counter

from trueup.core.plans.plan import Action, Cause, Change, Counts, Plan

_COUNTED = {
    Action.CREATE: "create",
    Action.MODIFY: "modify",
    Action.STAMP: "modify",
    Action.RELEASE: "modify",
    Action.DELETE: "delete",
    Action.ADOPT: "adopt",
    Action.HELD: "held",
    Action.ORPHAN: "orphaned",
    Action.DRIFT: "drifted",
    Action.UNREAD: "unreadable",
    Action.RECORD: "unchanged",
    Action.FORGET: "forgotten",
    Action.NOTHING: "unchanged",
}

_OUTSIDE = frozenset({Cause.DRIFTED, Cause.CONFLICT})

_FURTHER = (
    ("adopt", "to adopt"),
    ("held", "held back"),
    ("orphaned", "orphaned"),
    ("unreadable", "unreadable"),
    ("not_stamped", "not stamped"),
    ("impossible", "not possible here"),
    ("doubled", "doubled"),
    ("forgotten", "to forget"),
)


def counts(plan: Plan) -> Counts:
    """The numbers of a plan; what is adopted and modified, or in conflict and held back, counts in both."""
    numbers = Counter(word for change in plan.changes for word in _words(change))
    numbers["unchanged"] += plan.unchanged
    numbers["not_stamped"] += plan.not_stamped
    return Counts(**numbers)


def summary(plan: Plan) -> str:
    """The last line of a plan: five counts always, the others where they are not zero."""
    found = counts(plan)
    line = (
        f"Plan: {found.create} to create, {found.modify} to modify, {found.delete} to delete, "
        f"{found.drifted} drifted, {found.unchanged} unchanged"
    )
    more = [f", {number} {word}" for name, word in _FURTHER if (number := getattr(found, name))]
    return aged(line + "".join(more) + ".", plan)


def aged(line: str, plan: Plan) -> str:
    """A summary line, with a sentence more where the plan was made from a snapshot."""
    return f"{line} {as_of(plan)}" if plan.snapshot else line


def as_of(plan: Plan) -> str:
    """The sentence that marks a plan as old."""
    return f"As of a snapshot of {plan.snapshot}."


def _words(change: Change) -> set[str]:
    words = {_COUNTED[change.action]}
    if change.adopted:
        words.add("adopt")
        words.discard("unchanged")
    if change.action is Action.HELD and any(item.cause in _OUTSIDE for item in change.fields):
        words.add("drifted")
    if any(item.cause is Cause.IMPOSSIBLE for item in change.fields):
        words.add("impossible")
    if change.others and change.action is not Action.HELD:
        words.add("doubled")
    return words
