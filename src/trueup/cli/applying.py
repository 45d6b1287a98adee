"""One apply from the lock to the report. Knows the order of the steps and the questions; the engine does the work."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from trueup.cli import answers
from trueup.cli.failure import write_problem
from trueup.cli.planning import command_to_go_on, plan_view, read_live, warn_unused_acks
from trueup.cli.session import Session, load_definitions
from trueup.cli.transport import journal_writes, writing
from trueup.core.command import Command, Message, join_messages
from trueup.core.definitions.definition import Definition
from trueup.core.errors import Exit, RefusedError, TrueupError, worst
from trueup.core.memory.state import State
from trueup.core.plans.exits import (
    ACK_DIGITS,
    ask_for_acknowledgement,
    collect_codes,
    find_guard_reasons,
    is_acknowledged,
)
from trueup.core.plans.plan import WRITES, Plan
from trueup.core.plans.plan_codec import digest
from trueup.core.plans.report import Outcome, Provenance, Report, Result
from trueup.core.plans.summary import report_summary, summary
from trueup.core.plans.wording import plan_anew
from trueup.core.source import Path, Position
from trueup.edge.definitions.loader import LoadResult
from trueup.engine.apply import execute, explain_blocked, is_idle, match_saved_plan, report_unsent
from trueup.engine.plan import Planning
from trueup.engine.request_runner import RequestRunner
from trueup.engine.run import Locate


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be executed: `plan` is the planning's own, or what a promised one left of it; `state` is as stored."""

    loaded: LoadResult
    state: State
    planning: Planning
    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    only_fresh: int = 0


@dataclass(frozen=True, slots=True)
class Consent:
    """`refused` are the guards that want an acknowledgement; `asked`: a person said yes to the plan that was shown."""

    refused: tuple[str, ...] = ()
    asked: bool = False


async def apply(
    session: Session,
    names: Sequence[str],
    made: Provenance,
    *,
    promised: Plan | None = None,
    file: str = "",
    destroy: bool = False,
) -> Exit:
    """Carry out one apply under the target's lock and report it; `file` is where a promised plan stood.

    Raises TrueupError when nothing was sent.
    """
    loaded = load_definitions(session)  # what is wrong with the files is said before a lock is taken or a file made
    with session.store.lock():
        async with writing(session) as runner:
            state = session.store.load()
            await _wait_for_earlier_requests(session, runner, state)
            work = await _plan_work(session, runner, loaded, state, names, promised, destroy)
            if session.screen.is_text and promised is None:
                session.screen.write_result(_layout_plan(work.plan, session))
            warn_unused_acks(session, [work.plan] if promised is None else [work.plan, promised])
            consent = _ask_consent(session, work.plan, promised)
            if consent.refused:
                again = command_to_go_on(session, promised or work.plan, names, file=file)
                return _refuse(session, work.plan, consent.refused, again, made)
            if consent.asked:
                loaded, state = load_definitions(session), session.store.load()
                work = await _plan_work(session, runner, loaded, state, names, work.plan, destroy)
            report = await execute_or_report_unsent(session, runner, work)
    report = replace(report if promised is None else explain_blocked(report), provenance=made)
    _print_report(session, report, is_promised=promised is not None)
    return worst(report.codes)


def refuse_snapshot(promised: Plan, file: str) -> None:
    """Raise RefusedError where a saved plan was made from an export."""
    if promised.snapshot:
        raise RefusedError(
            f"This plan was made from a snapshot of {promised.snapshot}, not from what is live; it cannot be applied.",
            Message("Make a plan of what is live, and have it reviewed: ", plan_anew(promised, out=file)),
        )


def refuse_other_plan(promised: Plan, session: Session, file: str) -> None:
    """Raise TrueupError where a saved plan is for another target, or was made with other flags than these."""
    anew = Message("Make a new plan and have it reviewed: ", plan_anew(promised, out=file))
    identity, here = promised.identity, session.identity
    if identity.target != here.target:
        raise TrueupError(
            f"This plan is for the target {identity.target}, not for {here.target}.",
            Message("A plan belongs to one target: ", session.flags.again(target="")),
        )
    if identity.protocol != here.protocol:
        raise RefusedError(
            f"This plan was made when {here.target} spoke {identity.protocol}, and now it speaks {here.protocol}.", anew
        )
    if identity != here:
        raise RefusedError(
            f"This plan was made for another place than {here.target} is now: {identity.base_url} of "
            f"{identity.project}, and now it is {here.base_url} of {here.project}.",
            anew,
        )
    made, now = promised.options, session.plan_options(accepted_ids=promised.options.accepted_ids)
    asked = replace(now, accepted_ids=tuple(sorted(set(session.flags.acks) & set(made.accepted_ids))))
    flags = {
        "on_drift": "--on-drift",
        "prune": "--prune",
        "vars": "--var",
        "accepted_ids": "--ack",
        "stamp_all": "--stamp",
    }
    other = [text for name, text in flags.items() if getattr(made, name) != getattr(asked, name)]
    if made.destroy or other:
        raise TrueupError(
            f"This plan was made with other flags than these: {', '.join(other or ['destroy'])} differ.",
            anew if made.destroy else Message("To apply it with its own: ", _with_its_flags(promised, session, file)),
        )


def _with_its_flags(promised: Plan, session: Session, file: str) -> Command:
    """Return the command that applies a plan file with the flags that it was made with, where the target's differ."""
    made, target = promised.options, session.project.targets[session.target.name]
    selection = replace(session.target.selection, target="", vars=promised.selection.vars)
    return selection.command(
        "apply",
        file,
        on_drift=made.on_drift if made.on_drift != target.on_drift else "",
        prune=made.prune and not target.prune,
        no_prune=target.prune and not made.prune,
        stamp=made.stamp_all,
        ack=made.accepted_ids,
        yes=session.flags.yes,
    )


def announce_plan_file(promised: Plan, file: str, session: Session) -> None:
    """Say first that a plan file is applied, and which: as text with the answer, else beside it."""
    words = f"Applying the plan file {file} to {promised.identity.target}: {summary(promised).removeprefix('Plan: ')}"
    if not session.screen.is_text:
        session.screen.note_wrapped(words)
    elif not session.screen.quiet:
        session.screen.write_result(session.screen.wrap(words))


async def _plan_work(
    session: Session,
    runner: RequestRunner,
    loaded: LoadResult,
    state: State,
    names: Sequence[str],
    promised: Plan | None,
    destroy: bool,
) -> Work:
    """Plan from the files, from state and from what is live now, and keep of it what was promised."""
    view = await read_live(session, runner, state)
    planning = plan_view(session, loaded, state, view, names, destroy=destroy)
    if promised is None:
        return Work(loaded, state, planning, planning.plan)
    meeting = match_saved_plan(promised, planning)
    return Work(loaded, state, planning, meeting.plan, meeting.outcomes, meeting.only_fresh)


async def _wait_for_earlier_requests(session: Session, runner: RequestRunner, state: State) -> None:
    """Wait until requests of an earlier run whose answers were lost must have come through or not at all."""
    since = [entry.since for entry in state.pending.values()]
    left = max(since, default=0.0) + session.target.settle - runner.ports.clock.wall()
    if since and left > 0:
        left = min(left, session.target.settle)
        await runner.pause(
            left,
            "An earlier request got no response and may still be processed; waiting for the consistency delay",
        )


def _layout_plan(plan: Plan, session: Session) -> str:
    return summary(plan) if session.screen.quiet else answers.write_plan_text(plan, session.screen)


def _ask_consent(session: Session, plan: Plan, promised: Plan | None) -> Consent:
    """Ask for leave to write: by a flag, by a saved plan, or by an answer now; guards want the plan's digest.

    Raises TrueupError where it is declined, and where there is no terminal to ask on.
    """
    if not any(change.action in WRITES for change in plan.changes):
        return Consent()
    reasons = find_guard_reasons(plan, session.target.guard)
    guarded = [plan, promised] if reasons else []  # a digest is only made where it is asked for: it reads every request
    acknowledged = any(is_acknowledged(digest(one), session.flags.acks) for one in guarded if one is not None)
    may_ask = promised is None and session.screen.can_ask
    if may_ask and not session.screen.is_text and (reasons or not session.flags.yes):
        session.screen.write_stderr(answers.write_plan_text(plan, session.screen))
    if reasons and not acknowledged:
        return Consent(asked=True) if may_ask and _types_digest(session, plan, reasons) else Consent(reasons)
    if session.flags.yes or promised is not None:
        return Consent()
    if not may_ask:
        _end_unsent(session, Report(plan, (), (Exit.ERROR,)))
        raise TrueupError(
            "Confirmation required. Nothing was sent.",
            _how_to_confirm(session, plan),
        )
    if session.screen.ask(f"\nApply these changes to {session.target.name}? Type 'yes' to apply: ").lower() != "yes":
        _end_unsent(session, Report(plan, (), (Exit.ERROR,)))
        raise TrueupError("Not applied: nothing was sent.")
    return Consent(asked=True)


def _end_unsent(session: Session, report: Report) -> None:
    """End the plan that was shown with a line of what was not sent and the exit code."""
    if session.screen.is_text:
        session.screen.write_result(report_summary(report))


def _how_to_confirm(session: Session, plan: Plan) -> Message:
    """Return the commands that apply without a question: this one, and those for a plan that is reviewed first."""
    hint = Message("To apply without confirmation: ", session.flags.again(yes=True))
    if plan.options.destroy:
        return hint
    return Message(hint, ". To have the plan reviewed first: ", plan_anew(plan, out="change.plan"))


def _types_digest(session: Session, plan: Plan, reasons: Sequence[str]) -> bool:
    start = digest(plan)[:ACK_DIGITS]
    words = session.screen.wrap(ask_for_acknowledgement(reasons))
    session.screen.write_stderr(f"\n{words}")
    return is_acknowledged(digest(plan), (session.screen.ask(f"Type {start} to apply: "),))


def _refuse(session: Session, plan: Plan, reasons: tuple[str, ...], again: Command, made: Provenance) -> Exit:
    """Say which guard refused, and the command to go on with."""
    problem = f"Nothing was sent. {ask_for_acknowledgement(reasons)}"
    refusal = Message(problem, " To go on: ", again)
    report = Report(plan, (), (Exit.REFUSED,), problems=(refusal,), provenance=made, guard=reasons)
    if session.screen.is_text:
        write_problem(RefusedError(problem, "To apply this plan, acknowledge its digest:"), session.screen)
        session.screen.write_stderr(f"  {again}")
        _end_unsent(session, report)
    else:
        session.screen.write_result(answers.write_report(report, session.screen))
    session.screen.write_also(lambda place: answers.write_report(report, place))
    return Exit.REFUSED


async def execute_or_report_unsent(session: Session, runner: RequestRunner, work: Work) -> Report:
    """Carry out the plan; where state or journal takes nothing from the start, report each change as not sent.

    Raises TrueupError where nothing was to be sent.
    """
    try:
        return await _execute(session, runner, work)
    except TrueupError as error:
        if not any(change.action in WRITES for change in work.plan.changes):
            raise
        return report_unsent(work.plan, error, runner, work.outcomes, work.only_fresh)


async def _execute(session: Session, runner: RequestRunner, work: Work) -> Report:
    """Send the plan's changes, and have state on disk when it returns, also when interrupted.

    Raises TrueupError before anything is sent.
    """
    planned = work.planning.state
    if session.target.state == "file" and (planned != work.state or not session.store.is_folded):
        session.store.save(planned)  # also what a killed run left in the journal, which no checkout but this one has
    if is_idle(work.plan):
        codes = collect_codes(work.plan)
        if any(outcome.result is Result.REFUSED for outcome in work.outcomes):
            codes.add(Exit.HELD)
        return Report(work.plan, work.outcomes, tuple(codes), work.only_fresh, runner.calls, runner.retries)
    session.screen.start_work()
    with journal_writes(session, runner), stoppable(session, runner.ports.stop):
        report, state = await execute(
            work.planning, work.plan, session.adapter, runner, session.target,
            make_locator(work.loaded.definitions), work.outcomes, work.only_fresh,
        )  # fmt: skip
        return _save_state(session, report, state)


def _save_state(session: Session, report: Report, state: State) -> Report:
    """Save state and return the report; where that fails it says so too, beside what was done."""
    try:
        session.store.save(state)
    except TrueupError as error:
        problems = (*report.problems, join_messages((error.message, error.hint)))
        return replace(report, problems=problems, codes=(*report.codes, error.exit))
    return report


def make_locator(definitions: Sequence[Definition]) -> Locate:
    """Return what finds where a value of a request stands in the files."""
    found = {definition.name: definition for definition in definitions}

    def locate(name: str, path: Path) -> Position | None:
        return found[name].locate().nearest(path) if name in found else None

    return locate


def _print_report(session: Session, report: Report, *, is_promised: bool = False) -> None:
    """Write what was done; where nothing was to be done, and nothing is left over, the plan has said so already."""
    screen = session.screen
    if not screen.is_text:
        screen.write_answer(lambda place: answers.write_report(report, place))
        return
    from trueup.render.terminal import problems

    if is_promised and report.plan.diagnostics:
        screen.note(problems.write_diagnostics(report.plan.diagnostics, **screen.note_look))
    if report.outcomes or report.problems or is_promised or worst(report.codes):
        separator = "" if screen.quiet else "\n"
        screen.write_result(separator + answers.write_report(report, screen, headed=screen.quiet))
    screen.write_also(lambda place: answers.write_report(report, place))


@contextmanager
def stoppable(session: Session, stop: asyncio.Event) -> Iterator[None]:
    """Let nothing new start after Ctrl-C or SIGTERM, however often; what is in flight is awaited and recorded."""
    loop = asyncio.get_running_loop()

    def on_interrupt(*_: object) -> None:
        if not stop.is_set():
            session.screen.write_stderr("Interrupted: no new request starts; waiting for the requests under way.")
        loop.call_soon_threadsafe(stop.set)

    before = {number: signal.signal(number, on_interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
