"""What a plan, a drift report or an apply says that somebody should look at, each as a diagnostic with its place.

For formats that list findings: annotations, SARIF, JUnit. A finding's `path` begins with the assistant's name. Knows no
format.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from trueup.core.command import Message, join_messages
from trueup.core.field_table import top_of
from trueup.core.plans.drift import as_drift
from trueup.core.plans.ignored import groups
from trueup.core.plans.plan import Action, Cause, Change, FieldChange, Plan, Reason, is_outside
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.plans.wording import add_words
from trueup.core.source import Diagnostic, Position, Severity
from trueup.render.grouping import OWN, difference, hunks, shared_file, text_change
from trueup.render.model import SIGNS
from trueup.render.pages import describe_outcome, describe_snapshot
from trueup.render.weight import by_weight, weight

_LEVELS = {
    Action.CREATE: Severity.NOTE,
    Action.MODIFY: Severity.NOTE,
    Action.STAMP: Severity.NOTE,
    Action.RELEASE: Severity.NOTE,
    Action.ADOPT: Severity.NOTE,
    Action.DELETE: Severity.WARNING,
    Action.HELD: Severity.WARNING,
    Action.DRIFT: Severity.WARNING,
    Action.ORPHAN: Severity.NOTE,
    Action.UNREAD: Severity.WARNING,
}
REACHED = 12
"""Assistants that are named beside a line of a shared part."""

_BAD = frozenset({Result.FAILED, Result.UNKNOWN})
_HELD = frozenset({Result.REFUSED, Result.CHANGED, Result.SKIPPED})


def of_plan(plan: Plan) -> tuple[Diagnostic, ...]:
    """What a plan would do and what it leaves alone, by weight; of one weight what happens before what files say."""
    plan = add_words(plan)
    by_part = {change.name: spots for change in plan.changes if (spots := part_spots(change))}
    found = [*_of_parts(plan.changes, by_part)]
    found += [
        _of_change(change, _LEVELS[change.action])
        for change in plan.changes
        if change.action in _LEVELS and change.name not in by_part
    ]
    quiet = [
        _of_change(change, Severity.WARNING)
        for change in plan.changes
        if change.others and change.action not in _LEVELS
    ]
    quiet += [
        _of_change(change, Severity.NOTE)
        for change in plan.changes
        if change.reason is Reason.IMPOSSIBLE and not change.others and change.action not in _LEVELS
    ]
    return _urgent([*_old(plan), *_partial(plan), *found, *quiet], plan, _ignored(plan))


def of_drift(plan: Plan) -> tuple[Diagnostic, ...]:
    """What was changed or deleted outside, what is nobody's, and what could not be read."""
    plan = add_words(plan)
    outside = [as_drift(change, plan.selection) for change in plan.changes if is_outside(change)]
    found = [_of_change(change, Severity.ERROR) for change in outside]
    found += [_of_change(change, Severity.ERROR) for change in plan.changes if change.action is Action.UNREAD]
    found += [_of_change(change, Severity.NOTE) for change in plan.changes if change.action is Action.ORPHAN]
    return _urgent([*_old(plan), *_partial(plan), *found], plan, _ignored(plan))


def of_report(report: Report) -> tuple[Diagnostic, ...]:
    """How each assistant of an apply ended, and what went wrong beside them."""
    changes = {change.name: change for change in report.plan.changes}
    outcomes = sorted(report.outcomes, key=lambda item: not _destroys(item, changes.get(item.name)))
    found = [_of_outcome(outcome, changes.get(outcome.name)) for outcome in outcomes]
    problems = [Diagnostic(Severity.WARNING, "apply", problem) for problem in report.problems]
    return _urgent([*problems, *found], report.plan)


def place_of(change: Change, item: FieldChange | None = None) -> Position | None:
    """Where a field of a change stands in the files, else the first one that is known, else the file's first line."""
    for one in (item,) if item is not None else change.fields:
        found = change.sources.get(one.path) or change.sources.get(top_of(one.path))
        if found is not None:
            return found
    return Position(change.file, 1, 1) if change.file else None


def _urgent(found: Sequence[Diagnostic], plan: Plan, least: Sequence[Diagnostic] = ()) -> tuple[Diagnostic, ...]:
    """What was found, with the problems of the files behind what weighs as much as they do, and the `least` at last."""
    target = plan.identity.target
    whole = [*found, *by_weight(plan.diagnostics, target), *least]
    return tuple(sorted(whole, key=lambda item: weight(item, target)))


def _destroys(outcome: Outcome, change: Change | None) -> bool:
    """Whether an outcome is one of a delete, or of a create under a new id."""
    return outcome.action is Action.DELETE or (change is not None and change.recreate)


def _partial(plan: Plan) -> list[Diagnostic]:
    known = any(item.code == "partial-view" for item in plan.diagnostics)
    words = "not everything could be read, so nothing is created or deleted"
    hint = "Try again when the target answers."
    return [] if plan.complete or known else [Diagnostic(Severity.WARNING, "partial-view", words, hint=hint)]


def _ignored(plan: Plan) -> list[Diagnostic]:
    """What is left alone although live differs; what is as the file says needs nobody's eye."""
    found = [group for group in groups(plan.ignored) if group.differing]
    return [Diagnostic(Severity.NOTE, "ignored", group.told(str)) for group in found]


def _old(plan: Plan) -> list[Diagnostic]:
    return [Diagnostic(Severity.WARNING, "snapshot", describe_snapshot(plan))] if plan.snapshot else []


def _of_parts(changes: Sequence[Change], by_part: Mapping[str, Sequence[Position]]) -> Iterator[Diagnostic]:
    """One note for each changed line of a part, with the assistants that change by it alone."""
    reached: dict[Position, list[Change]] = {}
    for change in changes:
        for spot in by_part.get(change.name, ()):
            reached.setdefault(spot, []).append(change)
    for spot, found in reached.items():
        names = [change.name for change in found]
        more = f" and {len(names) - REACHED} more" if len(names) > REACHED else ""
        words = f"{', '.join(names[:REACHED])}{more}: modify: this part changed (instructions)"
        yield Diagnostic(Severity.NOTE, found[0].reason.value, words, spot, (names[0],))


def part_spots(change: Change) -> tuple[Position, ...]:
    """Where the change stands in its parts, if it is a modify of the instructions that comes from their lines alone."""
    item = text_change(change)
    told = [other for other in change.fields if other.cause is not Cause.RECORDED]
    if item is None or told != [item] or change.action is not Action.MODIFY or change.hint or change.remarks:
        return ()
    found: dict[Position, None] = {}
    for hunk in hunks(difference(change, item.before, item.after)):
        if shared_file(change, hunk) in ("", OWN):
            return ()
        for run in hunk:
            spot = next(entry for entry in reversed(change.stretches) if entry.line <= hunk[0].after)
            found[Position(spot.file, spot.at + run.after - spot.line if spot.at else 1, 1)] = None
    return tuple(found)


def _of_change(change: Change, severity: Severity) -> Diagnostic:
    fields = ", ".join(item.path for item in change.fields) if change.action is not Action.CREATE else ""
    words = Message(f"{change.name}: {SIGNS[change.action].word}: ", change.message, f" ({fields})" if fields else "")
    words = join_messages([words, *(remark.removesuffix(".") for remark in change.remarks)], ". ")
    return Diagnostic(
        severity,
        change.reason.value,
        words,
        place_of(change),
        (change.name,),
        change.hint,
    )


def _of_outcome(outcome: Outcome, change: Change | None) -> Diagnostic:
    bad, held = outcome.result in _BAD, outcome.result in _HELD or outcome.not_kept
    severity = Severity.ERROR if bad else Severity.WARNING if held else Severity.NOTE
    words = join_messages([f"{outcome.name} {describe_outcome(outcome)}", outcome.message], ": ")
    if outcome.not_kept:
        words = Message(words, f"; the server did not keep {', '.join(outcome.not_kept)} as sent")
    position = outcome.position or (place_of(change) if change is not None else None)
    code = outcome.result.value.replace(" ", "-")
    return Diagnostic(severity, code, words, position, (outcome.name,), outcome.hint)
