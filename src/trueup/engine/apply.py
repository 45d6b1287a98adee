"""Executes a plan, or what still holds of a saved one: creates, then modifies, deletes last. Knows no terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trueup.core.command import Message, join_messages
from trueup.core.errors import Exit, TrueupError
from trueup.core.memory.journal import INTENT, fold
from trueup.core.memory.state import State
from trueup.core.plans.exits import collect_codes
from trueup.core.plans.plan import WRITES, Action, Change, Plan
from trueup.core.plans.plan_codec import to_essence
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.plans.wording import plan_anew
from trueup.core.projects.project import Target
from trueup.engine import creates, modifies
from trueup.engine.creates import UnresolvedCreates, report_unresolved
from trueup.engine.plan import Planning
from trueup.engine.request_runner import RequestRunner
from trueup.engine.run import Locate, Run
from trueup.engine.write_failures import JUDGE, WriteFailure
from trueup.wire.base import Adapter

BOOKKEEPING = frozenset({Action.ADOPT, Action.RECORD, Action.FORGET})
"""What changes only what we remember."""


STOPPED = "this run stopped before it was sent"


UNTOLD = "this run stopped before that was clear"


MODIFYING = frozenset({Action.MODIFY, Action.STAMP, Action.RELEASE})


PARTIAL = "Not everything could be read, so nothing was created or deleted. Apply the plan again later."


def is_idle(plan: Plan) -> bool:
    """Return whether a plan neither sends nor records anything: no journal is opened for it."""
    return not any(change.action in WRITES | BOOKKEEPING or change.adopted for change in plan.changes)


async def execute(
    planning: Planning,
    plan: Plan,
    adapter: Adapter,
    runner: RequestRunner,
    target: Target,
    locate: Locate,
    already: Sequence[Outcome] = (),
    only_fresh: int = 0,
) -> tuple[Report, State]:
    """Carry out `plan` (the planning's own, or what a promised one left of it) and returns what happened.

    The state that comes back is what the journal says; the caller writes it down.
    """
    run = Run(adapter, runner, target, planning, locate, total=sum(c.action in WRITES for c in plan.changes))
    run.codes.update(collect_codes(plan))
    runner.limiter.gives_up = True
    for outcome in already:
        run.outcomes[outcome.name] = outcome
        if outcome.result is Result.REFUSED:
            run.codes.add(Exit.HELD)
    try:
        await _run_steps(run, plan)
    except TrueupError as error:  # a disk that takes no more ends the run; what was done is told all the same
        run.codes.add(error.exit)
        run.note_problem(join_messages((error.message, error.hint)))
        _report_the_rest(run, plan)
    if run.is_stopped:
        run.codes.add(Exit.INTERRUPTED)
    state = fold(planning.state, run.entries)
    report = Report(
        plan=plan,
        outcomes=tuple(run.outcomes[name] for name in sorted(run.outcomes)),
        codes=tuple(sorted(run.codes)),
        only_fresh=only_fresh,
        calls=runner.calls,
        retries=runner.retries,
        problems=tuple(run.problems),
    )
    return report, state


async def _run_steps(run: Run, plan: Plan) -> None:
    """Run all steps in their order. Raises TrueupError where journal, backup or credential fail: nothing new starts."""
    await _record_without_sending(run, plan)
    made = [change for change in plan.changes if change.action is Action.CREATE]
    changed = [change for change in plan.changes if change.action in MODIFYING]
    gone = [change for change in plan.changes if change.action is Action.DELETE]
    run.begin_step("Creating", made)
    await creates.create_all(run, made)
    run.begin_step("Modifying", changed)
    await modifies.write_all(run, changed)
    run.begin_step("Deleting", gone)
    await modifies.delete_all(run, gone)


async def _record_without_sending(run: Run, plan: Plan) -> None:
    """Record adoptions, record-only changes and forgotten records: nothing is sent for them.

    One that is adopted and then left alone is ours from now on all the same. What became of a promised change is told
    before: a name keeps that word.
    """
    results = {Action.ADOPT: Result.ADOPTED, Action.RECORD: Result.RECORDED, Action.FORGET: Result.FORGOTTEN}
    if run.target.state == "stamps":
        return
    for change in plan.changes:
        left = change.adopted and change.record is not None and change.action in (Action.HELD, Action.DRIFT)
        action = Action.ADOPT if left else change.action
        if action in results:
            await run.conclude(change, action.value, change.record)
            run.outcomes.setdefault(change.name, Outcome(change.name, action, results[action], change.id))


def _report_the_rest(run: Run, plan: Plan) -> None:
    """Report the rest of a run that had to stop: not sent, or unclear where the journal has its intent and no end."""
    steps, unresolved = {entry.name: entry.step for entry in run.entries}, UnresolvedCreates()
    for change in plan.changes:
        if change.action not in WRITES or change.name in run.outcomes:
            continue
        if steps.get(change.name) != INTENT:
            run.report(_skip(change))
        elif change.action is Action.CREATE:
            unresolved.creates[change.name] = (change, WriteFailure(UNTOLD, ""))
        else:
            message = f"the outcome is unknown: {UNTOLD}"
            run.report(Outcome(change.name, change.action, Result.UNKNOWN, change.id, message, JUDGE), Exit.PARTIAL)
    report_unresolved(run, unresolved)


def _skip(change: Change) -> Outcome:
    return Outcome(change.name, change.action, Result.SKIPPED, change.id, STOPPED)


def report_unsent(
    plan: Plan, error: TrueupError, runner: RequestRunner, already: Sequence[Outcome] = (), only_fresh: int = 0
) -> Report:
    """Return the report of an apply whose state or journal takes nothing from the start: nothing was sent."""
    skipped = (_skip(change) for change in plan.changes if change.action in WRITES)
    codes = collect_codes(plan) | {error.exit}
    if any(outcome.result is Result.REFUSED for outcome in already):
        codes.add(Exit.HELD)
    return Report(
        plan=plan,
        outcomes=tuple(sorted((*already, *skipped), key=lambda outcome: outcome.name)),
        codes=tuple(sorted(codes)),
        only_fresh=only_fresh,
        calls=runner.calls,
        retries=runner.retries,
        problems=(join_messages((error.message, error.hint)),),
    )


@dataclass(frozen=True, slots=True)
class SavedPlanMatch:
    """`plan` is the fresh plan without what was not promised; `outcomes` tell the promised changes that are done
    already or refused; `only_fresh` counts what the fresh plan alone holds."""

    plan: Plan
    outcomes: tuple[Outcome, ...]
    only_fresh: int


def match_saved_plan(promised: Plan, fresh: Planning) -> SavedPlanMatch:
    """Return what of the promised plan still holds."""
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
        _describe_missing(change, now.get(name), fresh)
        for name, change in sorted(wanted.items())
        if name not in standing
    ]
    return SavedPlanMatch(replace(fresh.plan, changes=tuple(kept), limit=promised.limit), tuple(outcomes), only_fresh)


def explain_blocked(report: Report) -> Report:
    """Return the report of a saved plan with a word for what the fresh plan blocks: nobody was shown that plan."""
    told = {outcome.name for outcome in report.outcomes}
    words: list[str] = [
        join_messages((Message(f"{change.name}: ", change.message, "."), change.hint))
        for change in report.plan.changes
        if change.name not in told
        and change.message
        and collect_codes(replace(report.plan, changes=(change,), complete=True))
    ]
    if not report.plan.complete:
        words.append(PARTIAL)
    return replace(report, problems=(*report.problems, *words))


def is_equal(left: Change, right: Change) -> bool:
    """Return whether two changes do the same: they set the same over the same live values."""
    return to_essence(left) == to_essence(right)


def _describe_missing(promised: Change, now: Change | None, fresh: Planning) -> Outcome:
    """Return the outcome of a promised change that the fresh plan does not hold: in place already, or refused."""
    if promised.action is Action.DELETE:
        view = fresh.view
        done = promised.id in view.absent or (view.complete and promised.id not in view.live)
    elif promised.action is Action.RELEASE:
        done = now is None
    else:
        known = fresh.operations.get(promised.name, frozenset())
        done = promised.operation in known or _is_in_place(promised, now, fresh)
    if done:
        return Outcome(promised.name, promised.action, Result.ALREADY, promised.id)
    reason = Message("now: ", now.message) if now is not None and now.message else "the files no longer ask for it"
    return Outcome(
        promised.name,
        promised.action,
        Result.REFUSED,
        promised.id,
        Message("the plan's change is out of date (", reason, ")"),
        Message("Make a new plan and have it reviewed: ", plan_anew(fresh.plan, out="change.plan")),
    )


def _is_in_place(promised: Change, now: Change | None, fresh: Planning) -> bool:
    """Return whether live matches the files, and the files match the plan: another writer made the change."""
    if promised.action is Action.STAMP or (now is not None and now.action not in (Action.RECORD, Action.ADOPT)):
        return False  # that a stamp was written only its operation tells
    record = now.record if now is not None else fresh.state.records.get(promised.name)
    if record is None or promised.record is None:
        return False
    sent = [{name: field.sent for name, field in entry.fields.items()} for entry in (record, promised.record)]
    return sent[0] == sent[1]
