"""The last line of each answer: its counts in an order that scripts rely on, and the exit code where it is not 0.

Each assistant counts in exactly one place. What is true of some that are counted already follows behind `of these`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from trueup.core.acceptance.accepted import Accepted, AcceptResult
from trueup.core.errors import Exit, worst
from trueup.core.plans.exits import drift_exit, has_duplicate, is_blocked, is_unknown
from trueup.core.plans.plan import (
    WRITES,
    Action,
    Cause,
    Change,
    Counts,
    Limit,
    Plan,
    Reason,
    is_deleted_outside,
    is_outside,
)
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.source import Diagnostic, Severity

if TYPE_CHECKING:
    from trueup.core.migration.imports import Imports

Words = Mapping[str, str]
"""What is counted → how the line calls it, in the line's order."""

_PLAN: Words = {
    "create": "to create",
    "modify": "to modify",
    "delete": "to delete",
    "drifted": "drifted",
    "unchanged": "unchanged",
}
_PLAN_MORE: Words = {
    "adopt": "to adopt",
    "held": "blocked",
    "behind": "behind",
    "orphaned": "orphaned",
    "unreadable": "unreadable",
    "forgotten": "to forget",
}
_AMONG: Words = {
    "not_stamped": "not stamped",
    "impossible": "not possible here",
    "not_kept": "not kept as sent",
    "doubled": "with a duplicate",
    "omitted": "with omitted values",
    "by_hand": "to edit by hand",
}
_DRIFT: Words = {"drifted": "drifted", "deleted": "deleted outside", "as_applied": "as applied"}
_DRIFT_MORE: Words = {
    "unknown": "not known",
    "new": "not applied yet",
    "behind": "behind",
    "orphaned": "orphaned",
    "unreadable": "unreadable",
}
_REPORT: Words = {"create": "created", "modify": "modified", "delete": "deleted", "failed": "failed"}
_REPORT_MORE: Words = {
    "adopted": "adopted",
    "already": "in place already",
    "held": "blocked",
    "behind": "behind",
    "drifted": "drifted",
    "unreadable": "unreadable",
    "not_sent": "not sent",
    "only_fresh": "new since the plan",
}
_ACCEPT: Words = {
    AcceptResult.TAKEN.name: "taken",
    AcceptResult.MERGED.name: "merged",
    AcceptResult.SAME.name: "the same already",
}
_TO_ACCEPT: Words = {**_ACCEPT, AcceptResult.TAKEN.name: "to take", AcceptResult.MERGED.name: "to merge"}
_ACCEPT_MORE: Words = {AcceptResult.CONFLICT.name: "in conflict", AcceptResult.REFUSED.name: "not taken"}

_COUNTED: Mapping[Action, str] = {
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
_ENDED: Mapping[Result, str] = {
    Result.ALREADY: "already",
    Result.ADOPTED: "adopted",
    Result.RECORDED: "unchanged",
    Result.FORGOTTEN: "forgotten",
    Result.FAILED: "failed",
    Result.UNKNOWN: "failed",
    Result.REFUSED: "not_sent",
    Result.CHANGED: "not_sent",
    Result.SKIPPED: "not_sent",
}
_BOOKKEEPING = frozenset({Result.ADOPTED, Result.RECORDED, Result.FORGOTTEN})
"""Ends that send nothing: the assistant may be blocked or drifted all the same."""

_NEVER = frozenset({Reason.TWINS, Reason.NAMESAKE, Reason.RENAME, Reason.UNSETTLED, Reason.STAMP_LOST, Reason.NO_ROOM})
"""Rows in which nothing of ours is known to be live."""

PARTIAL = "Not everything could be read."

NAMED = 5
"""NAMEs of a limited plan that are named; the rest is counted."""


def count_changes(plan: Plan) -> Counts:
    """Return the numbers of a plan: each assistant once, and among them those of the last three."""
    numbers = Counter(_count_of(change) for change in plan.changes)
    numbers["unchanged"] += plan.unchanged
    numbers["not_stamped"] += plan.not_stamped
    numbers["impossible"] += sum(_is_impossible(change) for change in plan.changes)
    numbers["doubled"] += sum(has_duplicate(change) for change in plan.changes)
    return Counts(**numbers)


def summary(plan: Plan, code: Exit = Exit.OK) -> str:
    """Return the last line of a plan; `code` is what the command ends with."""
    return _add_limits(plan, _make_line("Plan", asdict(count_changes(plan)), _PLAN, _PLAN_MORE, code))


def drift_summary(plan: Plan) -> str:
    """Return the last line of `drift`."""
    numbers = Counter(_drift_count(change) for change in plan.changes)
    numbers["as_applied"] += plan.unchanged
    numbers["doubled"] = sum(has_duplicate(change) for change in plan.changes)
    return _add_limits(plan, _make_line("Drift", numbers, _DRIFT, _DRIFT_MORE, drift_exit(plan)))


def report_summary(report: Report) -> str:
    """Return the last line of `apply` and `destroy`, also of what the plan left alone."""
    ends = {outcome.name: outcome for outcome in report.outcomes}
    changes = {change.name: change for change in report.plan.changes}
    numbers = Counter(_report_count(ends.get(name), changes.get(name)) for name in {**changes, **ends})
    numbers["only_fresh"] = report.only_fresh
    numbers["not_kept"] = sum(bool(outcome.not_kept) for outcome in report.outcomes)
    doubled = {outcome.name for outcome in report.outcomes if outcome.others}
    doubled |= {change.name for change in report.plan.changes if has_duplicate(change)}
    numbers["doubled"] = len(doubled)
    return _add_limits(report.plan, _make_line("Applied", numbers, _REPORT, _REPORT_MORE, worst(report.codes)))


def import_summary(done: Imports, code: Exit = Exit.OK, *, dry_run: bool = False) -> str:
    """Return the last line of `import`; `code` is what the command ends with."""
    always = {"files": "to write", "links": "to link"} if dry_run else {"files": "written", "links": "linked"}
    numbers = {
        "files": len(done.files),
        "links": len(done.links),
        "managed": len(done.managed),
        "left_out": len(done.outside) + len(done.unread) + len(done.ambiguous),
        "omitted": sum(map(bool, done.omissions.values())),
        "by_hand": sum(bool(link.why) for link in done.links),
        "foreign": len(done.foreign),
    }
    more = {"left_out": "left out", "foreign": "of somebody else"}
    return _make_line("Import", numbers, {**always, "managed": "there already"}, more, code)


def accept_summary(accepted: Accepted) -> str:
    """Return the last line of `accept`, which counts fields."""
    numbers = Counter(field.ending.name for field in accepted.fields)
    waits = not accepted.written and (numbers[AcceptResult.TAKEN.name] or numbers[AcceptResult.MERGED.name])
    words = _TO_ACCEPT if waits else _ACCEPT
    return _make_line("Accept", numbers, words, _ACCEPT_MORE, Exit.HELD if accepted.left else Exit.OK)


def probe_summary(answered: int, unknown: int, changed: int) -> str:
    """Return the last line of a probe; what changed is among the answers, or was filled in beside them."""
    numbers = {"answered": answered, "unknown": unknown, "changed": changed}
    return _make_line(
        "Probe", numbers, {"answered": "answered", "unknown": "not known", "changed": "changed"}, {}, Exit.OK
    )


def validate_summary(assistants: int, targets: Sequence[str], found: Sequence[Diagnostic]) -> str:
    """Return the last line of `validate`: what was checked for which targets, and the problems by severity."""
    noun = "assistant" if assistants == 1 else "assistants"
    where = f"target {targets[0]}" if len(targets) == 1 else f"targets {', '.join(targets)}"
    numbers = Counter(item.severity for item in found)
    errors = numbers[Severity.ERROR]
    words = [
        f"{number} {severity.value}{'' if number == 1 else 's'}"
        for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE)
        if (number := numbers[severity])
    ]
    words = words if errors else ["valid", *words]
    ending = _describe_exit(Exit.ERROR if errors else Exit.OK)
    return f"{assistants} {noun} checked for {where}: {', '.join(words)}{ending}."


def describe_limit(limit: Limit) -> str:
    """Return the sentence that says what a plan was limited to; of a NAME nothing is kept that a terminal obeys."""
    shown = ["".join(sign if sign.isprintable() else "\ufffd" for sign in name) for name in limit.names[:NAMED]]
    rest = f" and {len(limit.names) - NAMED} more" if len(limit.names) > NAMED else ""
    return f"Limited to {limit.chosen} of {limit.total} assistants: {', '.join(shown)}{rest}."


def snapshot_sentence(plan: Plan) -> str:
    """Return the sentence that marks a plan as old."""
    return f"As of a snapshot of {plan.snapshot}."


def _make_line(kind: str, numbers: Mapping[str, int], always: Words, more: Words, code: Exit) -> str:
    """Return `Plan: 1 to create, …, 2 blocked; of these 1 not stamped (exit 3).`"""
    parts = [f"{numbers.get(name, 0)} {word}" for name, word in always.items()]
    parts += [f"{numbers[name]} {word}" for name, word in more.items() if numbers.get(name)]
    among = [f"{numbers[name]} {word}" for name, word in _AMONG.items() if numbers.get(name)]
    of_these = f"; of these {', '.join(among)}" if among else ""
    return f"{kind}: {', '.join(parts)}{of_these}{_describe_exit(code)}."


def _describe_exit(code: Exit) -> str:
    return f" (exit {int(code)})" if code else ""


def _add_limits(plan: Plan, line: str) -> str:
    """Return a line with a sentence for each thing that limits what it counts."""
    return " ".join([line, *_describe_limits(plan)])


def _describe_limits(plan: Plan) -> Iterator[str]:
    if not plan.complete:
        yield PARTIAL
    if plan.limit is not None:
        yield describe_limit(plan.limit)
    if plan.snapshot:
        yield snapshot_sentence(plan)


def _is_impossible(change: Change) -> bool:
    return any(item.cause is Cause.IMPOSSIBLE for item in change.fields)


def _count_of(change: Change) -> str:
    """Return the one count of a plan that a change is in: what is written before what is only adopted."""
    if change.action is Action.HELD and not is_blocked(change):
        return "behind"
    place = _COUNTED[change.action]
    return "adopt" if place == "unchanged" and change.adopted else place


def _drift_count(change: Change) -> str:
    """Return the one count of a drift report that a change is in: the most urgent."""
    if is_deleted_outside(change):
        return "deleted"
    if is_outside(change):
        return "unknown" if is_unknown(change) else "drifted"
    if change.action in (Action.ORPHAN, Action.UNREAD):
        return _COUNTED[change.action]
    if change.reason is Reason.BEHIND:
        return "behind"
    return "new" if change.action is Action.CREATE or change.reason in _NEVER else "as_applied"


def _report_count(outcome: Outcome | None, change: Change | None) -> str:
    """Return the one count of a report that an assistant is in: what was left alone before what was only recorded."""
    left = _count_of(change) if change is not None else ""
    if left in ("held", "behind", "drifted", "unreadable") and (outcome is None or outcome.result in _BOOKKEEPING):
        return left
    if outcome is None:
        return "not_sent" if change is not None and change.action in WRITES else "unchanged"
    return _COUNTED[outcome.action] if outcome.result is Result.DONE else _ENDED[outcome.result]
