"""Creates: never blind, never twice. An unclear one waits, and one complete listing decides what becomes of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from trueup.core.call import Reply
from trueup.core.command import Message, join_messages
from trueup.core.definitions.names import comparable_name
from trueup.core.errors import EndpointError, Exit, NotSent, OutcomeUnknown
from trueup.core.memory.stamp import parse, record_of
from trueup.core.plans.plan import Change, Reason
from trueup.core.plans.report import Outcome, Result
from trueup.core.plans.wording import HINTS, Advice, say
from trueup.core.source import Path
from trueup.engine.refresh import View, list_all
from trueup.engine.request_runner import INTERRUPTED, Interrupted, run_concurrently
from trueup.engine.run import Run, keep_answer, list_not_kept, list_sent_fields, list_sent_keys
from trueup.engine.write_failures import (
    APPLY,
    NO_STAMP,
    PLAN,
    WriteFailure,
    describe_foreign_answer,
    describe_no_response,
    describe_refusal,
)
from trueup.wire.base import Live, Unexpected

BLIND = Message(
    "The listing after the creates could not be read completely, so a duplicate may have gone unnoticed. To check "
    "again: ",
    PLAN,
)


@dataclass(slots=True)
class UnresolvedCreates:
    """Creates whose outcome is unknown, and when (monotonic seconds) the last of them was sent or answered."""

    creates: dict[str, tuple[Change, WriteFailure]] = field(default_factory=dict)
    last_sent: float = 0.0
    proven: bool = False  # a live assistant carries our stamp: this server keeps them
    lost: bool = False  # this server was sent a stamp and answered without it
    sent: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)  # of the assistants that these creates made
    attempts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    shown: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # ids by name, in any listing since

    def leave_open(self, change: Change, failure: WriteFailure, now: float) -> None:
        """Keep a create for the next listing, which waits for the consistency delay from now on."""
        self.creates[change.name] = (change, failure)
        self.last_sent = max(self.last_sent, now)


async def create_all(run: Run, changes: list[Change]) -> None:
    """Send every create once, then resolve what is unclear and look for duplicates."""
    if not changes:
        return
    unresolved = UnresolvedCreates(proven=_has_own_stamp(run) or not run.target.stamp)
    try:
        await _send_and_settle(run, unresolved, changes)
    finally:  # also where the journal takes no more
        report_unresolved(run, unresolved)
    if unresolved.sent and run.target.stamp and not unresolved.lost:
        await report_duplicates(run, unresolved)


async def _send_and_settle(run: Run, unresolved: UnresolvedCreates, changes: list[Change]) -> None:
    await _send_all(run, unresolved, changes)
    rounds = 0
    while unresolved.creates and run.target.stamp and not run.is_stopped:
        again = await settle_unresolved(run, unresolved)
        if again is None or rounds >= run.runner.pace.max_retries:
            break
        rounds += 1
        await _send_all(run, unresolved, again)


def _has_own_stamp(run: Run) -> bool:
    identity = run.identity
    return any(
        seen.stamp is not None and (seen.stamp.project, seen.stamp.target) == (identity.project, identity.target)
        for seen in run.planning.seen.values()
    )


async def _send_all(run: Run, unresolved: UnresolvedCreates, changes: list[Change]) -> None:
    """Send one alone as long as it is not proven that the server keeps our stamp, the others side by side."""
    queue = list(changes)
    while queue and not unresolved.proven and not unresolved.lost and not run.is_stopped:
        await _create_one(run, unresolved, queue.pop(0))
    if unresolved.lost:
        for change in queue:
            run.report(
                Outcome(
                    change.name,
                    change.action,
                    Result.SKIPPED,
                    message="not created: this server did not keep the stamp, so a retry could cause duplicates",
                    hint=NO_STAMP,
                ),
                Exit.PARTIAL,
            )
        return

    async def work(change: Change) -> None:
        await _create_one(run, unresolved, change)

    await run_concurrently(queue, run.runner.pace.parallelism, work)


async def _create_one(run: Run, unresolved: UnresolvedCreates, change: Change) -> None:
    """Write the journal, send, and sort the answer: done, refused, or unresolved."""
    try:
        async with run.runner.slot():
            reply = await _send(run, unresolved, change)
    except Interrupted:
        if change.name not in unresolved.creates:  # an unresolved one was sent before: it may still appear
            run.report(Outcome(change.name, change.action, Result.SKIPPED, message=INTERRUPTED))
        return
    except NotSent as error:
        failure = describe_no_response(error)
        await _fail(run, unresolved, change, replace(failure, text=f"was not sent: {failure.text}"))
        return
    except OutcomeUnknown as error:
        unresolved.leave_open(change, describe_no_response(error), run.runner.ports.clock.monotonic())
        return
    await _sort_answer(run, unresolved, change, reply)


async def _send(run: Run, unresolved: UnresolvedCreates, change: Change) -> Reply:
    """Send it once the rate allows it and the journal has it. Raises `Interrupted`, `NotSent` and `OutcomeUnknown`."""
    await run.runner.wait_to_write()
    await run.intend(change, "create", "")
    if run.is_stopped:
        if change.name not in unresolved.creates:
            await run.withdraw(change, "create")
        raise Interrupted
    unresolved.creates.pop(change.name, None)
    unresolved.attempts[change.name] += 1
    unresolved.last_sent = run.runner.ports.clock.monotonic()
    return await run.runner.send(run.adapter.create(change.sets, change.stamp))


async def _sort_answer(run: Run, unresolved: UnresolvedCreates, change: Change, reply: Reply) -> None:
    adapter, now = run.adapter, run.runner.ports.clock.monotonic()
    if 200 <= reply.status < 300:
        try:
            live = adapter.read(reply)
        except Unexpected as error:
            failure = describe_foreign_answer(f"HTTP {reply.status}, but {error}", reply)
            unresolved.leave_open(change, failure, now)
            return
        known = live.id in run.planning.seen or live.id in unresolved.ids
        if known or not _is_what_was_sent(change, live, adapter.dialect.table.display_name):
            failure = describe_foreign_answer(f"the response is another assistant ({live.id})", reply)
            unresolved.leave_open(change, failure, now)
            return
        unresolved.sent.add(change.name)
        await _conclude(run, unresolved, change, live)
        return
    problem = adapter.problem(reply)
    failure = describe_refusal(problem, reply)
    if problem.unclear:
        unresolved.last_sent = max(unresolved.last_sent, now)
    if problem.unclear and problem.code != "insufficient_quota":
        unresolved.leave_open(change, failure, now)
        return
    await _fail(run, unresolved, change, failure, problem.place)


async def _fail(
    run: Run, unresolved: UnresolvedCreates, change: Change, failure: WriteFailure, path: Path | None = None
) -> None:
    """Note a create that was refused. Was it sent before, it stays in the journal: that one may still appear."""
    run.fail(change, failure, path, attempts=unresolved.attempts[change.name])
    if unresolved.attempts[change.name] == 1:
        await run.withdraw(change, "create")


def _is_what_was_sent(change: Change, live: Live, key: str) -> bool:
    """Return whether the answer can be what we asked for: its display name, if any, is the one sent under `key`."""
    name = change.sets.get(key)
    return name is None or live.body.get(key) in (None, name)


async def _conclude(run: Run, unresolved: UnresolvedCreates, change: Change, live: Live) -> None:
    assert change.record is not None
    unresolved.ids.add(live.id)
    live = await _read_whole(run, change, live)
    record = keep_answer(change.record, live, list_sent_fields(change, run.adapter.dialect.table), run.adapter)
    missing = list_not_kept(change, live, run.adapter)
    if run.target.stamp:
        unresolved.proven = unresolved.proven or record.stamped is True
        unresolved.lost = not unresolved.proven and record.stamped is False
    codes = (Exit.PARTIAL,) if unresolved.lost else ()
    run.report(
        Outcome(
            change.name,
            change.action,
            Result.DONE,
            live.id,
            not_kept=missing,
            attempts=unresolved.attempts[change.name],
        ),
        *codes,
    )
    await run.conclude(change, "create", record)


async def _read_whole(run: Run, change: Change, live: Live) -> Live:
    """Return the assistant with every key that was sent; one GET where the answer was only a part of it."""
    if list_sent_keys(change, run.adapter.dialect.table) <= live.body.keys():
        return live
    try:
        found = await run.runner.run_reads(run.adapter.get(live.id))
    except (Unexpected, NotSent, OutcomeUnknown):
        return live
    return found or live


async def settle_unresolved(run: Run, unresolved: UnresolvedCreates) -> list[Change] | None:
    """Decide all unresolved creates by one listing, and return those that are not there, to be sent again.

    None where no complete listing could be had, so that nothing is decided.
    """
    view = await _list_after_delay(run, unresolved)
    if view is None:
        return None
    found = _group_by_stamp(run, unresolved, view)
    changes = [change for _, (change, _) in sorted(unresolved.creates.items())]
    again = []
    for change in changes:
        if not await _settle_one(run, unresolved, change, view, found.get(change.name, [])):
            again.append(change)
    return again


async def _list_after_delay(run: Run, unresolved: UnresolvedCreates) -> View | None:
    """Return the one complete listing that decides; None where there is none."""
    runner = run.runner
    why = f"Unresolved creates: {len(unresolved.creates):,}; waiting for the consistency delay"
    await runner.pause(unresolved.last_sent + run.target.settle - runner.ports.clock.monotonic(), why)
    if run.is_stopped:
        return None
    try:
        view = await list_all(run.adapter, runner, run.known_ids)
    except EndpointError:
        run.codes.add(Exit.UNREADABLE)
        return None
    if not view.complete:
        run.codes.add(Exit.UNREADABLE)
        return None
    return view


async def _settle_one(
    run: Run, unresolved: UnresolvedCreates, change: Change, view: View, found: Sequence[Live]
) -> bool:
    """Adopt or report an unresolved create, and return True; False where it is absent, so to be sent again.

    `found` are the live assistants with our stamp of its name.
    """
    attempts = unresolved.attempts[change.name]
    if len(found) > 1:
        del unresolved.creates[change.name]
        _report_doubled(run, change, found)
        return True
    if not found:
        lookalikes = _find_new_lookalikes(run, change, view)
        if not lookalikes or unresolved.proven:
            return False
        del unresolved.creates[change.name]
        run.report(
            Outcome(
                change.name,
                change.action,
                Result.UNKNOWN,
                message=f"an unmanaged assistant with the same name appeared ({', '.join(lookalikes)})",
                hint=Advice(change.name, lookalikes, run.target.selection).fill(
                    "If it belongs to this definition: {links}"
                ),
                others=lookalikes,
                attempts=attempts,
            ),
            Exit.HELD,
            Exit.PARTIAL,
        )
        return True
    live = found[0]
    del unresolved.creates[change.name]
    unresolved.sent.add(change.name)
    unresolved.ids.add(live.id)
    unresolved.proven = True
    await _adopt(run, change, live, attempts)
    return True


async def _adopt(run: Run, change: Change, live: Live, attempts: int) -> None:
    """Adopt what an unclear create made; another writer's of the same name is recorded as its stamp says."""
    stamp = parse(live.stamp, run.adapter.dialect.table.letters)
    assert stamp is not None
    assert change.record is not None
    ours = stamp.operation == change.operation
    record = record_of(stamp, live.id, live.created_at)
    if ours:
        record = keep_answer(change.record, live, list_sent_fields(change, run.adapter.dialect.table), run.adapter)
    run.report(
        Outcome(
            change.name,
            change.action,
            Result.DONE if ours else Result.ADOPTED,
            live.id,
            message="found after an unclear response" if ours else "another process created it meanwhile",
            not_kept=list_not_kept(change, live, run.adapter) if ours else (),
            attempts=attempts,
        )
    )
    await run.conclude(change, "create", record)


def _group_by_stamp(run: Run, unresolved: UnresolvedCreates, view: View) -> Mapping[str, list[Live]]:
    """Return live assistants with our stamp, by name, and note that they were shown."""
    found: dict[str, list[Live]] = defaultdict(list)
    for live in view.live.values():
        stamp = parse(live.stamp, run.adapter.dialect.table.letters)
        if stamp is not None and (stamp.project, stamp.target) == (run.identity.project, run.identity.target):
            found[stamp.name].append(live)
            unresolved.shown[stamp.name].add(live.id)
    return found


def _find_new_lookalikes(run: Run, change: Change, view: View) -> tuple[str, ...]:
    """Return unstamped assistants of the created display name that were not there before this run."""
    table = run.adapter.dialect.table
    if not table.display_name:
        return ()
    name = comparable_name(change.sets.get(table.display_name))
    recorded = {outcome.id for outcome in run.outcomes.values()}
    return tuple(
        sorted(
            live.id
            for live in view.live.values()
            if comparable_name(live.body.get(table.display_name)) == name
            and live.id not in run.planning.seen
            and live.id not in recorded
            and parse(live.stamp, table.letters) is None
        )
    )


def _report_doubled(run: Run, change: Change, found: Sequence[Live]) -> None:
    """Report a create of which several live assistants carry the stamp: which one is kept is for a person to say."""
    ids = tuple(sorted(live.id for live in found))
    message, hint = say(Reason.TWINS, change.name, ids, selection=run.target.selection)
    run.report(
        Outcome(
            change.name,
            change.action,
            Result.UNKNOWN,
            message=message,
            hint=hint,
            others=ids,
        ),
        Exit.HELD,
    )


def report_unresolved(run: Run, unresolved: UnresolvedCreates) -> None:
    """Report what is still unclear at the end: the journal keeps it, and the next run's listing decides."""
    for change, failure in unresolved.creates.values():
        _report_one_unresolved(run, change, failure, unresolved.attempts[change.name])


def _report_one_unresolved(run: Run, change: Change, failure: WriteFailure, attempts: int) -> None:
    if run.target.stamp:
        again = Message("To list what is live, and create it if it is not there: ", APPLY)
        hint = join_messages((again, failure.check), ". ")
    else:
        hint = Advice(change.name, selection=run.target.selection).fill(HINTS[Reason.UNSETTLED])
    run.report(
        Outcome(
            change.name,
            change.action,
            Result.UNKNOWN,
            message=f"the outcome of the create is unknown: {failure.text}",
            hint=hint,
            attempts=attempts,
        ),
        Exit.PARTIAL,
    )


async def report_duplicates(run: Run, unresolved: UnresolvedCreates) -> None:
    """List once more after the creates, and name what a gateway's retry or a second writer doubled with both ids.

    What only an earlier listing showed counts as well: the last one may have been cut.
    """
    try:
        view = await list_all(run.adapter, run.runner, run.known_ids)
    except EndpointError:
        view = View(complete=False)
    if not view.complete:
        run.codes.add(Exit.UNREADABLE)
        run.note_problem(BLIND)
    _group_by_stamp(run, unresolved, view)
    for name in unresolved.sent:
        ours = run.outcomes[name].id
        others = tuple(sorted(unresolved.shown[name] - {ours}))
        if others:
            run.codes.add(Exit.HELD)
            message, hint = say(Reason.TWIN_BESIDE, name, others, selection=run.target.selection)
            run.outcomes[name] = replace(run.outcomes[name], others=others, message=message, hint=hint)
