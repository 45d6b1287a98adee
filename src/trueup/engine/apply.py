"""Executes a plan: creates, then modifies, deletes last. Decides nothing that the plan did not; knows no terminal."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.core.command import join_messages
from trueup.core.errors import Exit, TrueupError
from trueup.core.memory.journal import INTENT, fold
from trueup.core.memory.state import State
from trueup.core.plans.exits import codes_of
from trueup.core.plans.plan import WRITES, Action, Change, Plan
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.projects.project import Target
from trueup.engine import creates, modifies
from trueup.engine.courier import Courier
from trueup.engine.mishaps import JUDGE, Mishap
from trueup.engine.plan import Planning
from trueup.engine.run import Locate, Run
from trueup.engine.settling import Parking, leave_unknown
from trueup.wire.base import Adapter

BOOKKEEPING = frozenset({Action.ADOPT, Action.RECORD, Action.FORGET})
"""What changes only what we remember."""

STOPPED = "this run stopped before it was sent"
UNTOLD = "this run stopped before that was clear"

MODIFYING = frozenset({Action.MODIFY, Action.STAMP, Action.RELEASE})


def is_idle(plan: Plan) -> bool:
    """Whether a plan neither sends nor records anything: no journal is opened for it."""
    return not any(change.action in WRITES | BOOKKEEPING or change.adopted for change in plan.changes)


async def execute(
    planning: Planning,
    plan: Plan,
    adapter: Adapter,
    courier: Courier,
    target: Target,
    locate: Locate,
    already: Sequence[Outcome] = (),
    only_fresh: int = 0,
) -> tuple[Report, State]:
    """Carries out `plan` (the planning's own, or what a promised one left of it) and returns what happened.

    The state that comes back is what the journal says; the caller writes it down.
    """
    run = Run(adapter, courier, target, planning, locate, total=sum(c.action in WRITES for c in plan.changes))
    run.codes.update(codes_of(plan))
    courier.turns.gives_up = True
    for outcome in already:
        run.outcomes[outcome.name] = outcome
        if outcome.result is Result.REFUSED:
            run.codes.add(Exit.HELD)
    try:
        await _work_through(run, plan)
    except TrueupError as error:  # a disk that takes no more ends the run; what was done is told all the same
        run.codes.add(error.exit)
        run.note(join_messages((error.message, error.hint)))
        _tell_the_rest(run, plan)
    if run.stopped:
        run.codes.add(Exit.INTERRUPTED)
    state = fold(planning.state, run.entries)
    report = Report(
        plan=plan,
        outcomes=tuple(run.outcomes[name] for name in sorted(run.outcomes)),
        codes=tuple(sorted(run.codes)),
        only_fresh=only_fresh,
        calls=courier.calls,
        retries=courier.retries,
        problems=tuple(run.problems),
    )
    return report, state


async def _work_through(run: Run, plan: Plan) -> None:
    """All steps in their order. Raises TrueupError where journal, backup or credential fail: nothing new starts."""
    await _bookkeeping(run, plan)
    made = [change for change in plan.changes if change.action is Action.CREATE]
    changed = [change for change in plan.changes if change.action in MODIFYING]
    gone = [change for change in plan.changes if change.action is Action.DELETE]
    run.begin("Creating", made)
    await creates.run_all(run, made)
    run.begin("Modifying", changed)
    await modifies.run_all(run, changed)
    run.begin("Deleting", gone)
    await modifies.delete_all(run, gone)


def _tell_the_rest(run: Run, plan: Plan) -> None:
    """What a run that had to stop never told of: not sent, or unclear where the journal has its intent and no end."""
    steps, lot = {entry.name: entry.step for entry in run.entries}, Parking()
    for change in plan.changes:
        if change.action not in WRITES or change.name in run.outcomes:
            continue
        if steps.get(change.name) != INTENT:
            run.tell(_skipped(change))
        elif change.action is Action.CREATE:
            lot.parked[change.name] = (change, Mishap(UNTOLD, ""))
        else:
            message = f"it is not known whether it was done: {UNTOLD}"
            run.tell(Outcome(change.name, change.action, Result.UNKNOWN, change.id, message, JUDGE), Exit.PARTIAL)
    leave_unknown(run, lot)


def _skipped(change: Change) -> Outcome:
    return Outcome(change.name, change.action, Result.SKIPPED, change.id, STOPPED)


def unsent(
    plan: Plan, error: TrueupError, courier: Courier, already: Sequence[Outcome] = (), only_fresh: int = 0
) -> Report:
    """The report of an apply whose state or journal takes nothing from the start: none of its changes was sent."""
    skipped = (_skipped(change) for change in plan.changes if change.action in WRITES)
    codes = codes_of(plan) | {error.exit}
    if any(outcome.result is Result.REFUSED for outcome in already):
        codes.add(Exit.HELD)
    return Report(
        plan=plan,
        outcomes=tuple(sorted((*already, *skipped), key=lambda outcome: outcome.name)),
        codes=tuple(sorted(codes)),
        only_fresh=only_fresh,
        calls=courier.calls,
        retries=courier.retries,
        problems=(join_messages((error.message, error.hint)),),
    )


async def _bookkeeping(run: Run, plan: Plan) -> None:
    """Adoptions, record-only changes and forgotten records: nothing is sent for them.

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
