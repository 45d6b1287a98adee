"""What a plan, a drift report or an apply says that somebody should look at, each as a diagnostic with its place.

For formats that list findings: annotations, SARIF, JUnit. A finding's `path` begins with the assistant's name. Knows no
format.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from trueup.core.command import Message, join_messages
from trueup.core.field_table import top_of
from trueup.core.plans.ignored import group_ignored
from trueup.core.plans.plan import Action, Cause, Change, FieldChange, Plan, Reason
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.plans.wording import add_words
from trueup.core.source import Diagnostic, Position, Severity
from trueup.render.grouping import OWN, compare_texts, find_hunks, find_shared_file, find_text_change
from trueup.render.model import SIGNS
from trueup.render.pages import describe_outcome, describe_snapshot, drift_changes
from trueup.render.weight import sort_by_weight, weigh

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
NAMED = 12
"""Assistants that are named beside a line of a shared file."""

_BAD = frozenset({Result.FAILED, Result.UNKNOWN})
_HELD = frozenset({Result.REFUSED, Result.CHANGED, Result.SKIPPED})


def of_plan(plan: Plan) -> tuple[Diagnostic, ...]:
    """Return what a plan would do and leaves alone, by weight; of one weight changes before problems of the files."""
    plan = add_words(plan)
    by_file = {change.name: spots for change in plan.changes if (spots := find_shared_places(change))}
    found = [*_shared_findings(plan.changes, by_file)]
    levels = {change.name: _level(change) for change in plan.changes if change.name not in by_file}
    found += [_change_finding(change, level) for change in plan.changes if (level := levels.get(change.name))]
    return _order_findings([*_snapshot_findings(plan), *_partial_findings(plan), *found], plan, _ignored_findings(plan))


def _level(change: Change) -> Severity | None:
    """Return how much a change weighs; None where nobody needs to see it."""
    if change.action in _LEVELS:
        return _LEVELS[change.action]
    if change.others:
        return Severity.WARNING
    return Severity.NOTE if change.reason is Reason.IMPOSSIBLE else None


def of_drift(plan: Plan) -> tuple[Diagnostic, ...]:
    """Return what was changed or deleted manually, what is unmanaged, and what could not be read."""
    plan = add_words(plan)
    found = [
        _change_finding(change, Severity.NOTE if change.action is Action.ORPHAN else Severity.ERROR)
        for change in drift_changes(plan)
        if change.action is not Action.NOTHING
    ]
    return _order_findings([*_snapshot_findings(plan), *_partial_findings(plan), *found], plan, _ignored_findings(plan))


def of_report(report: Report) -> tuple[Diagnostic, ...]:
    """Return how each assistant of an apply ended, and what went wrong beside them."""
    changes = {change.name: change for change in report.plan.changes}
    outcomes = sorted(report.outcomes, key=lambda item: not _destroys(item, changes.get(item.name)))
    found = [_outcome_finding(outcome, changes.get(outcome.name)) for outcome in outcomes]
    problems = [Diagnostic(Severity.WARNING, "apply", problem) for problem in report.problems]
    return _order_findings([*problems, *found], report.plan)


def place_of(change: Change, item: FieldChange | None = None) -> Position | None:
    """Return where a field of a change stands, else the first one that is known, else the first line of its file."""
    for one in (item,) if item is not None else change.fields:
        found = change.sources.get(one.path) or change.sources.get(top_of(one.path))
        if found is not None:
            return found
    return Position(change.file, 1, 1) if change.file else None


def _order_findings(
    found: Sequence[Diagnostic], plan: Plan, least: Sequence[Diagnostic] = ()
) -> tuple[Diagnostic, ...]:
    """Return findings by weight, of one weight with the problems of the files behind them, the `least` at the end."""
    target = plan.identity.target
    whole = [*found, *sort_by_weight(plan.diagnostics, target), *least]
    return tuple(sorted(whole, key=lambda item: weigh(item, target)))


def _destroys(outcome: Outcome, change: Change | None) -> bool:
    """Whether an outcome is one of a delete, or of a create under a new id."""
    return outcome.action is Action.DELETE or (change is not None and change.recreate)


def _partial_findings(plan: Plan) -> list[Diagnostic]:
    known = any(item.code == "partial-view" for item in plan.diagnostics)
    words = "not everything could be read, so nothing is created or deleted"
    hint = "Try again when the target answers."
    return [] if plan.complete or known else [Diagnostic(Severity.WARNING, "partial-view", words, hint=hint)]


def _ignored_findings(plan: Plan) -> list[Diagnostic]:
    """Return what is left alone although live differs; what matches the file is no finding."""
    found = [group for group in group_ignored(plan.ignored) if group.differing]
    return [Diagnostic(Severity.NOTE, "ignored", group.told(str)) for group in found]


def _snapshot_findings(plan: Plan) -> list[Diagnostic]:
    return [Diagnostic(Severity.WARNING, "snapshot", describe_snapshot(plan))] if plan.snapshot else []


def _shared_findings(changes: Sequence[Change], by_file: Mapping[str, Sequence[Position]]) -> Iterator[Diagnostic]:
    """Yield one note for each changed line of a shared file, with the assistants that change by it alone."""
    affected: dict[Position, list[Change]] = {}
    for change in changes:
        for spot in by_file.get(change.name, ()):
            affected.setdefault(spot, []).append(change)
    for spot, found in affected.items():
        names = [change.name for change in found]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        words = f"{', '.join(names[:NAMED])}{more}: modify: this shared file changed (instructions)"
        yield Diagnostic(Severity.NOTE, found[0].reason.value, words, spot, (names[0],))


def find_shared_places(change: Change) -> tuple[Position, ...]:
    """Return the places of a change in shared files, if only its instructions change, and only by their lines."""
    item = find_text_change(change)
    changed = [other for other in change.fields if other.cause is not Cause.RECORDED]
    if item is None or changed != [item] or change.action is not Action.MODIFY or change.hint or change.remarks:
        return ()
    found: dict[Position, None] = {}
    for hunk in find_hunks(compare_texts(change, item.before, item.after)):
        if find_shared_file(change, hunk) in ("", OWN):
            return ()
        for run in hunk:
            spot = next(entry for entry in reversed(change.stretches) if entry.line <= hunk[0].after)
            found[Position(spot.file, spot.at + run.after - spot.line if spot.at else 1, 1)] = None
    return tuple(found)


def _change_finding(change: Change, severity: Severity) -> Diagnostic:
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


def _outcome_finding(outcome: Outcome, change: Change | None) -> Diagnostic:
    bad, held = outcome.result in _BAD, outcome.result in _HELD or outcome.not_kept
    severity = Severity.ERROR if bad else Severity.WARNING if held else Severity.NOTE
    words = join_messages([f"{outcome.name} {describe_outcome(outcome)}", outcome.message], ": ")
    if outcome.not_kept:
        words = Message(words, f"; the server did not keep {', '.join(outcome.not_kept)} as sent")
    position = outcome.position or (place_of(change) if change is not None else None)
    code = outcome.result.value.replace(" ", "-")
    return Diagnostic(severity, code, words, position, (outcome.name,), outcome.hint)
