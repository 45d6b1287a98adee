"""Creates: never blind, never twice. An unclear one is parked, and `settling` decides what becomes of it."""

from __future__ import annotations

from dataclasses import replace

from trueup.core.call import Reply
from trueup.core.errors import Exit, NotSent, OutcomeUnknown
from trueup.core.plans.plan import Change
from trueup.core.plans.report import Outcome, Result
from trueup.core.source import Path
from trueup.engine.courier import each
from trueup.engine.mishaps import NO_STAMP, Mishap, foreign, refusal, silence
from trueup.engine.run import Run, kept_record, not_kept, sent_fields, sent_keys
from trueup.engine.settling import Parking, leave_unknown, name_duplicates, settle
from trueup.engine.turns import INTERRUPTED, Interrupted
from trueup.wire.base import Live, Unexpected


async def run_all(run: Run, changes: list[Change]) -> None:
    """Sends every create once, then settles what is unclear and looks for duplicates."""
    if not changes:
        return
    lot = Parking(proven=_carried(run) or not run.target.stamp)
    try:
        await _send_and_settle(run, lot, changes)
    finally:  # also where the journal takes no more
        leave_unknown(run, lot)
    if lot.sent and run.target.stamp and not lot.lost:
        await name_duplicates(run, lot)


async def _send_and_settle(run: Run, lot: Parking, changes: list[Change]) -> None:
    await _send_lot(run, lot, changes)
    rounds = 0
    while lot.parked and run.target.stamp and not run.stopped:
        again = await settle(run, lot)
        if again is None or rounds >= run.courier.pace.max_retries:
            break
        rounds += 1
        await _send_lot(run, lot, again)


def _carried(run: Run) -> bool:
    identity = run.identity
    return any(
        seen.stamp is not None and (seen.stamp.project, seen.stamp.target) == (identity.project, identity.target)
        for seen in run.planning.seen.values()
    )


async def _send_lot(run: Run, lot: Parking, changes: list[Change]) -> None:
    """One alone as long as it is not proven that the server keeps our stamp, the others side by side."""
    queue = list(changes)
    while queue and not lot.proven and not lot.lost and not run.stopped:
        await _create(run, lot, queue.pop(0))
    if lot.lost:
        for change in queue:
            run.tell(
                Outcome(
                    change.name,
                    change.action,
                    Result.SKIPPED,
                    message="not created: this server did not keep our stamp, so a lost answer could make duplicates",
                    hint=NO_STAMP,
                ),
                Exit.PARTIAL,
            )
        return

    async def work(change: Change) -> None:
        await _create(run, lot, change)

    await each(queue, run.courier.pace.parallelism, work)


async def _create(run: Run, lot: Parking, change: Change) -> None:
    """Journal, send, and sort the answer: done, refused, or parked."""
    try:
        async with run.courier.place():
            reply = await _send(run, lot, change)
    except Interrupted:
        if change.name not in lot.parked:  # what is parked was sent before: that one may still appear
            run.tell(Outcome(change.name, change.action, Result.SKIPPED, message=INTERRUPTED))
        return
    except NotSent as error:
        mishap = silence(error)
        await _failed(run, lot, change, replace(mishap, text=f"was not sent: {mishap.text}"))
        return
    except OutcomeUnknown as error:
        lot.parked[change.name] = (change, silence(error))
        lot.last_sent = run.courier.ports.clock.monotonic()
        return
    await _sort(run, lot, change, reply)


async def _send(run: Run, lot: Parking, change: Change) -> Reply:
    """Sends it when its turn has come and the journal has it. Raises `Interrupted`, `NotSent` and `OutcomeUnknown`."""
    await run.courier.turn()
    await run.intend(change, "create", "")
    if run.stopped:
        if change.name not in lot.parked:
            await run.withdraw(change, "create")
        raise Interrupted
    lot.parked.pop(change.name, None)
    lot.attempts[change.name] += 1
    lot.last_sent = run.courier.ports.clock.monotonic()
    return await run.courier.send(run.adapter.create(change.sets, change.stamp))


async def _sort(run: Run, lot: Parking, change: Change, reply: Reply) -> None:
    adapter = run.adapter
    if 200 <= reply.status < 300:
        try:
            live = adapter.read(reply)
        except Unexpected as error:
            lot.parked[change.name] = (change, foreign(f"HTTP {reply.status}, but {error}", reply))
            lot.last_sent = run.courier.ports.clock.monotonic()
            return
        known = live.id in run.planning.seen or live.id in lot.ids
        if known or not _is_what_was_sent(change, live, adapter.dialect.table.display_name):
            lot.parked[change.name] = (change, foreign(f"the answer is another assistant ({live.id})", reply))
            return
        lot.sent.add(change.name)
        await _done(run, lot, change, live)
        return
    problem = adapter.problem(reply)
    mishap = refusal(problem, reply)
    if problem.unclear:
        lot.last_sent = max(lot.last_sent, run.courier.ports.clock.monotonic())
    if problem.unclear and problem.code != "insufficient_quota":
        lot.parked[change.name] = (change, mishap)
        return
    await _failed(run, lot, change, mishap, problem.place)


async def _failed(run: Run, lot: Parking, change: Change, mishap: Mishap, path: Path | None = None) -> None:
    """Notes a create that was refused. Was it sent before, it stays in the journal: that one may still appear."""
    run.fail(change, mishap, path, attempts=lot.attempts[change.name])
    if lot.attempts[change.name] == 1:
        await run.withdraw(change, "create")


def _is_what_was_sent(change: Change, live: Live, key: str) -> bool:
    """Whether the answer can be what we asked for: its display name, under `key`, is the sent one where it has one."""
    name = change.sets.get(key)
    return name is None or live.body.get(key) in (None, name)


async def _done(run: Run, lot: Parking, change: Change, live: Live) -> None:
    assert change.record is not None
    lot.ids.add(live.id)
    live = await _whole(run, change, live)
    record = kept_record(change.record, live, sent_fields(change, run.adapter.dialect.table), run.adapter)
    missing = not_kept(change, live, run.adapter)
    if run.target.stamp:
        lot.proven = lot.proven or record.stamped is True
        lot.lost = not lot.proven and record.stamped is False
    codes = (Exit.PARTIAL,) if lot.lost else ()
    run.tell(
        Outcome(
            change.name,
            change.action,
            Result.DONE,
            live.id,
            not_kept=missing,
            attempts=lot.attempts[change.name],
        ),
        *codes,
    )
    await run.conclude(change, "create", record)


async def _whole(run: Run, change: Change, live: Live) -> Live:
    """The assistant with every key that was sent; one GET where the answer was only a part of it."""
    if sent_keys(change, run.adapter.dialect.table) <= live.body.keys():
        return live
    try:
        found = await run.courier.follow(run.adapter.get(live.id))
    except (Unexpected, NotSent, OutcomeUnknown):
        return live
    return found or live
