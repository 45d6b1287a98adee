"""Modifies and deletes: an old read is repeated before its write, an unclear write is read before it is repeated."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from enum import Enum

from trueup.core.call import Call, Reply
from trueup.core.canonical import canonical, digest, fits, same
from trueup.core.command import Message, join_messages
from trueup.core.errors import Exit, NotSent, OutcomeUnknown
from trueup.core.field_table import FieldTable, top_of
from trueup.core.memory.stamp import parse
from trueup.core.memory.state import DUPLICATE
from trueup.core.plans.plan import Action, Change, Reason
from trueup.core.plans.report import Outcome, Result
from trueup.engine.request_runner import CLOSE, INTERRUPTED, Interrupted, run_concurrently
from trueup.engine.run import Run, keep_answer, list_not_kept, list_sent_fields, list_sent_keys
from trueup.engine.write_failures import (
    AGAIN,
    JUDGE,
    TAKE_OFF,
    UNTRIED,
    WriteFailure,
    describe_answer,
    describe_no_response,
    leaves_open,
)
from trueup.engine.write_specs import drop_stamp
from trueup.wire.base import Live, Unexpected

FRESH = 10.0
"""Seconds after which a read is repeated before its write."""


SPOILED = frozenset({Result.FAILED, Result.REFUSED, Result.CHANGED, Result.UNKNOWN, Result.SKIPPED})
"""Results after which a run deletes nothing."""


class RereadFailed(Exception):
    """The object could not be read just now."""


class AfterWrite(Enum):
    """What a read after an unclear write shows."""

    AS_PLANNED = "as planned"
    AS_BEFORE = "as before"
    ELSE = "changed outside Trueup"
    ABSENT = "absent"


@dataclass(slots=True)
class Attempts:
    """One write's tries: how many, what the last one met with, and when (monotonic seconds) an unclear one was sent.

    `in_doubt`: one of them may have been carried out for all that was answered; a 429 says that it was not. `way` is
    which of the ways to take a stamp off is tried.
    """

    count: int = 0
    failure: WriteFailure = UNTRIED
    unclear_at: float | None = None
    in_doubt: bool = False
    intended: bool = False
    way: int = 0


async def write_all(run: Run, changes: list[Change]) -> None:
    """Send every modify, release or delete, side by side."""

    async def work(change: Change) -> None:
        await _write_change(run, change)

    await run_concurrently(changes, run.runner.pace.parallelism, work)


async def delete_all(run: Run, changes: list[Change]) -> None:
    """Delete last, and only if every write of this run was done and everything could be read."""
    bad = any(outcome.result in SPOILED or outcome.others for outcome in run.outcomes.values())
    unread = not run.planning.view.complete or Exit.UNREADABLE in run.codes
    if not (bad or unread or run.is_stopped):
        await write_all(run, changes)
        return
    why = "interrupted" if run.is_stopped else "a write failed" if bad else "not everything could be read"
    for change in changes:
        run.report(
            Outcome(
                change.name,
                change.action,
                Result.SKIPPED,
                change.id,
                f"not deleted: {why} in this run",
                Message("Deletes run last, and only if everything else succeeded. ", AGAIN),
            ),
            Exit.HELD,
        )


def _verb(change: Change) -> str:
    """Return the word of the journal for a change; a duplicate's delete leaves the record of its name alone."""
    if change.action is Action.DELETE and change.reason is Reason.TWIN_BESIDE:
        return DUPLICATE
    return change.action.value if change.action in (Action.DELETE, Action.RELEASE) else "modify"


async def _write_change(run: Run, change: Change) -> None:
    """Carry one modify, release or delete from its last read to its outcome, a release in one way after the other."""
    attempts = Attempts()
    try:
        while True:
            way = attempts.way
            async with run.runner.slot():
                sent = await _send_fresh(run, change, attempts)
            if sent is None or (await _conclude_or_wait(run, *sent, attempts) and attempts.way == way):
                return
    except Interrupted:
        await _report_interrupted(run, change, attempts)


async def _send_fresh(run: Run, planned: Change, attempts: Attempts) -> tuple[Change, Reply | None] | None:
    """Send it once, in the slot that it has, on a read that is fresh at that moment.

    Return the change as it was sent, with the answer; None where it may not be sent. Raises `Interrupted`.
    """
    while True:
        live = await _read_and_check(run, planned)
        if live is None:
            if attempts.intended and attempts.unclear_at is None:
                await run.withdraw(planned, _verb(planned))
            return None
        await run.runner.wait_to_write(CLOSE)
        if _is_read_old(run, planned.id):
            continue
        change = _fit_stamp(run, planned, live)
        if not attempts.intended:
            attempts.intended = True
            if change.backup:
                run.runner.ports.backup(change.name, change.id, dict(live.body))
            await run.intend(change, _verb(change), change.id)
        if not _is_read_old(run, planned.id):
            return change, await _send(run, change, _render(run, change, live, attempts.way), attempts)


def _fit_stamp(run: Run, change: Change, live: Live) -> Change:
    """Return the change without its stamp where that has no room by now; with it where there is room again."""
    if not change.stamp or change.action is not Action.MODIFY:
        return change
    assert change.record is not None
    if run.adapter.has_room(live.body, change.sets):
        return replace(change, record=replace(change.record, stamped=True))
    return drop_stamp(change, run.planning.state.records.get(change.name), live, run.adapter.dialect.table)


def _render(run: Run, change: Change, live: Live, way: int) -> Call:
    """Return the request of a change, made of the last read."""
    if change.action is Action.DELETE:
        return run.adapter.remove(live)
    if change.action is Action.RELEASE:
        return run.adapter.release(live)[way]
    return run.adapter.modify(live, change.sets, change.stamp)


async def _read_and_check(run: Run, change: Change) -> Live | None:
    """Return the object to write to, if the write may go on; else report the outcome and return None."""
    if run.is_stopped:
        raise Interrupted
    try:
        is_old, live_id = _is_read_old(run, change.id), change.id
        live = await _reread(run, live_id, in_slot=True) if is_old else run.planning.view.live.get(live_id)
    except RereadFailed as error:
        run.report(
            Outcome(change.name, change.action, Result.SKIPPED, change.id, f"could not be read again: {error}", AGAIN),
            Exit.UNREADABLE,
        )
        return None
    if live is None and change.action is Action.DELETE:
        run.report(Outcome(change.name, change.action, Result.ALREADY, change.id, "was already deleted"))
        await run.conclude(change, _verb(change), None)
        return None
    if live is not None and _is_unchanged(change, live, run.adapter.dialect.table):
        return live
    what = "was deleted" if live is None else "was changed outside Trueup"
    message = f"{what} since the plan; not touched"
    run.report(Outcome(change.name, change.action, Result.CHANGED, change.id, message, JUDGE), Exit.HELD)
    return None


async def _send(run: Run, change: Change, call: Call, attempts: Attempts) -> Reply | None:
    """Send it; what is unclear about it is kept in `attempts`. Raises `Interrupted`: then it was not sent."""
    clock = run.runner.ports.clock
    try:
        reply = await run.runner.send(call)
    except Interrupted:
        raise
    except (NotSent, OutcomeUnknown) as error:
        attempts.count, attempts.failure = attempts.count + 1, describe_no_response(error)
        if isinstance(error, OutcomeUnknown):
            attempts.unclear_at, attempts.in_doubt = clock.monotonic(), True
        return None
    attempts.count += 1
    attempts.failure = describe_answer(run.adapter, change, reply)
    if leaves_open(run.adapter, change, reply):
        attempts.unclear_at = clock.monotonic()
        attempts.in_doubt = attempts.in_doubt or reply.status != 429
    return reply


async def _conclude_or_wait(run: Run, change: Change, reply: Reply | None, attempts: Attempts) -> bool:
    """Conclude the write by this try and return True, or wait for the next; an unclear one is read before that."""
    if reply is not None and await _conclude_by_answer(run, change, reply, attempts):
        return True
    found, live = await _reread_after_write(run, change)
    if await _conclude_by_read(run, change, found, live, attempts):
        return True
    last = attempts.count > run.runner.pace.max_retries + attempts.way or run.is_stopped
    if found is AfterWrite.AS_BEFORE and not last:
        await run.runner.back_off(attempts.count - 1 - attempts.way, reply)
        run.runner.retries += 1
        return False
    if found is AfterWrite.AS_BEFORE and attempts.unclear_at is not None and not run.is_stopped:
        left = attempts.unclear_at + run.target.settle - run.runner.ports.clock.monotonic()
        await run.runner.pause(left, "A write has an unknown outcome; waiting for the consistency delay")
        found, live = await _reread_after_write(run, change)
        if await _conclude_by_read(run, change, found, live, attempts):
            return True
    await _give_up(run, change, found, attempts)
    return True


async def _conclude_by_answer(run: Run, change: Change, reply: Reply, attempts: Attempts) -> bool:
    """Conclude the write where the answer itself is clear, done or a clear no; return whether it was."""
    problem = run.adapter.problem(reply)
    if change.action is Action.DELETE:
        if run.adapter.is_deleted(reply, change.id) or problem.is_own_404(change.id):
            await _conclude_delete(run, change, attempts.count)
            return True
    elif (live := _read_answer(run, change, reply)) is not None and not _is_ignored(run, change, live):
        await _conclude_modify(run, change, live, attempts)
        return True
    if leaves_open(run.adapter, change, reply):
        return False
    run.fail(change, attempts.failure, problem.place, attempts=attempts.count)
    if attempts.unclear_at is None:
        await run.withdraw(change, _verb(change))
    return True


async def _conclude_by_read(
    run: Run, change: Change, found: AfterWrite | None, live: Live | None, attempts: Attempts
) -> bool:
    """Conclude the write where what is live shows that it was done; return whether it does."""
    if found is AfterWrite.ABSENT and change.action is Action.DELETE:
        await _conclude_delete(run, change, attempts.count)
        return True
    if found is AfterWrite.AS_PLANNED and live is not None:
        await _conclude_modify(run, change, live, attempts)
        return True
    return False


def _is_ignored(run: Run, change: Change, live: Live) -> bool:
    """Return whether the response shows nothing of what was sent: then it was not done, whatever the status says."""
    if change.action is Action.RELEASE:
        return False  # what the answer shows decides: `_released`
    table = run.adapter.dialect.table
    sent = {*change.sets, *((table.stamp,) if change.stamp else ())}
    return sent <= {*list_not_kept(change, live, run.adapter)} and _is_unchanged(change, live, table)


def _read_answer(run: Run, change: Change, reply: Reply) -> Live | None:
    """Return the assistant that was written to, if the answer is a success and is that one."""
    if not 200 <= reply.status < 300:
        return None
    try:
        live = run.adapter.read(reply)
    except Unexpected:
        return None
    return live if live.id == change.id else None


async def _conclude_modify(run: Run, change: Change, live: Live, attempts: Attempts) -> None:
    if change.action is Action.RELEASE:
        await _conclude_release(run, change, live, attempts)
        return
    assert change.record is not None
    message, hint = "", Message()
    if not list_sent_keys(change, run.adapter.dialect.table) <= live.body.keys():
        try:
            live = await _reread(run, change.id) or live
        except (RereadFailed, Interrupted) as error:
            run.codes.add(Exit.UNREADABLE)
            message = f"the response was incomplete, and it could not be read again: {error}"
            hint = JUDGE
    record = keep_answer(change.record, live, list_sent_fields(change, run.adapter.dialect.table), run.adapter)
    missing = list_not_kept(change, live, run.adapter)
    done = Outcome(change.name, change.action, Result.DONE, live.id, message, hint, not_kept=missing)
    run.report(replace(done, attempts=attempts.count))
    await run.conclude(change, "modify", record)


async def _conclude_release(run: Run, change: Change, live: Live, attempts: Attempts) -> None:
    """Forget what carries our stamp no longer; a server that keeps the key is sent its other request."""
    count = attempts.count
    holder = top_of(run.adapter.dialect.table.stamp)
    if holder not in live.body:
        with contextlib.suppress(RereadFailed, Interrupted):
            live = await _reread(run, change.id) or live
    if holder in live.body and parse(live.stamp, run.adapter.dialect.table.letters) is None:
        run.report(Outcome(change.name, change.action, Result.DONE, change.id, attempts=count))
        await run.conclude(change, "release", None)
    elif attempts.way + 1 < len(run.adapter.release(live)):
        attempts.way += 1
        if holder in live.body:
            attempts.failure = WriteFailure("this server kept the stamp", AGAIN)
            attempts.unclear_at, attempts.in_doubt = None, False
    elif holder not in live.body:
        message = "the outcome is unknown: neither the response nor a read shows its metadata"
        run.report(
            Outcome(change.name, change.action, Result.UNKNOWN, change.id, message, JUDGE, attempts=count),
            Exit.PARTIAL,
            Exit.UNREADABLE,
        )
    else:
        run.fail(change, WriteFailure("this server cannot remove the stamp", TAKE_OFF), attempts=count)
        await run.withdraw(change, "release")


async def _conclude_delete(run: Run, change: Change, attempts: int) -> None:
    run.report(Outcome(change.name, change.action, Result.DONE, change.id, attempts=attempts))
    await run.conclude(change, _verb(change), None)


async def _report_interrupted(run: Run, change: Change, attempts: Attempts) -> None:
    """Report a write that an interrupt kept from being sent, or from being sent or looked at again."""
    why = attempts.failure.text
    if not attempts.count:
        run.report(Outcome(change.name, change.action, Result.SKIPPED, change.id, INTERRUPTED))
    elif attempts.in_doubt:
        await _give_up(run, change, None, attempts)
    else:
        failure = replace(attempts.failure, text=f"{why}; interrupted before it was sent again")
        run.fail(change, failure, attempts=attempts.count)
    if attempts.intended and attempts.unclear_at is None:
        await run.withdraw(change, _verb(change))


async def _give_up(run: Run, change: Change, found: AfterWrite | None, attempts: Attempts) -> None:
    """Give up on an unclear write: report what is known; what is not stays in the journal."""
    why, count, hint = attempts.failure.text, attempts.count, JUDGE
    if found is AfterWrite.AS_BEFORE and run.is_stopped and attempts.in_doubt:
        found = None  # nobody waited until the vendor must have been done with it
    if found is AfterWrite.AS_BEFORE:
        text = f"failed after {count} {'attempt' if count == 1 else 'attempts'}: {why}"
        run.fail(change, replace(attempts.failure, text=text), attempts=count)
        if not run.is_stopped or attempts.unclear_at is None:
            await run.withdraw(change, _verb(change))
        return
    if found is None:
        message, code = f"the outcome is unknown: {why}", Exit.UNREADABLE
        hint = join_messages((JUDGE, attempts.failure.check), ". ")
    else:
        message, code = f"{found.value} meanwhile; not touched ({why})", Exit.HELD
    outcome = Outcome(change.name, change.action, Result.UNKNOWN, change.id, message, hint, attempts=count)
    run.report(outcome, Exit.PARTIAL, code)


def _is_read_old(run: Run, live_id: str) -> bool:
    """Return whether a write may not rest on the last read of this object any more."""
    read_at = run.planning.view.read_at.get(live_id, float("-inf"))
    return run.runner.ports.clock.monotonic() > read_at + FRESH


async def _reread(run: Run, live_id: str, *, in_slot: bool = False) -> Live | None:
    """Read the object again; None when it is gone. Raises `RereadFailed`, and `Interrupted` if it was not sent."""
    try:
        live = await run.runner.run_reads(run.adapter.get(live_id), in_slot=in_slot)
    except Interrupted:
        raise
    except (Unexpected, NotSent, OutcomeUnknown) as error:
        raise RereadFailed(str(error)) from error
    view = run.planning.view
    view.read_at[live_id] = run.runner.ports.clock.monotonic()
    if live is None:
        view.live.pop(live_id, None)
    else:
        view.live[live_id] = live
    return live


def _is_unchanged(change: Change, live: Live, table: FieldTable) -> bool:
    """Return whether the fields that the change overwrites still hold what the plan saw."""
    found = table.split(live.body)  # with the stamp, which a duplicate's delete rests on
    return all(digest(found.get(name)) == value for name, value in change.overwritten.items())


async def _reread_after_write(run: Run, change: Change) -> tuple[AfterWrite | None, Live | None]:
    """Return what is live after an unclear write; None when it cannot be read. Raises `Interrupted`."""
    try:
        live = await _reread(run, change.id)
    except RereadFailed:
        return None, None
    if live is None:
        return AfterWrite.ABSENT, None
    table = run.adapter.dialect.table
    if change.action is Action.RELEASE:
        return (AfterWrite.AS_PLANNED if parse(live.stamp, table.letters) is None else AfterWrite.AS_BEFORE), live
    if change.action is not Action.DELETE and _is_carried_out(run, change, live):
        return AfterWrite.AS_PLANNED, live
    return (AfterWrite.AS_BEFORE if _is_unchanged(change, live, table) else AfterWrite.ELSE), live


def _is_carried_out(run: Run, change: Change, live: Live) -> bool:
    """Return whether the request was carried out, by its stamp, or without one by every field that it sets."""
    if change.stamp:
        return live.stamp == change.stamp
    table = run.adapter.dialect.table
    found = table.split(live.body)
    if _is_unchanged(change, live, table):  # then a part that only the server decides proves nothing
        return all(
            same(canonical(name, value, table), canonical(name, found.get(name), table))
            for name, value in change.sets.items()
        )
    return all(fits(name, value, found.get(name), table) for name, value in change.sets.items())
