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
from trueup.engine.request_runner import INTERRUPTED, Interrupted, Stale, each
from trueup.engine.run import Run, kept_record, not_kept, sent_fields, sent_keys
from trueup.engine.write_failures import AGAIN, JUDGE, TAKE_OFF, UNTRIED, WriteFailure, answered, leaves_open, silence
from trueup.engine.write_specs import drop_stamp
from trueup.wire.base import Live, Unexpected

FRESH = 10.0
"""Seconds after which a read is repeated before its write."""


class Unread(Exception):
    """The object could not be read just now."""


class Found(Enum):
    """What a read after an unclear write shows."""

    AS_PLANNED = "as planned"
    AS_BEFORE = "as before"
    ELSE = "changed by somebody else"
    ABSENT = "absent"


def good_until(run: Run, live_id: str) -> float:
    """Up to when (monotonic seconds) a write may rest on the last read of this object."""
    return run.planning.view.read_at.get(live_id, float("-inf")) + FRESH


async def read(run: Run, live_id: str, *, placed: bool = False) -> Live | None:
    """The object as it is now; None when it is gone. Raises `Unread`, and `Interrupted` where it was not asked for."""
    try:
        live = await run.runner.follow(run.adapter.get(live_id), placed=placed)
    except Interrupted:
        raise
    except (Unexpected, NotSent, OutcomeUnknown) as error:
        raise Unread(str(error)) from error
    view = run.planning.view
    view.read_at[live_id] = run.runner.ports.clock.monotonic()
    if live is None:
        view.live.pop(live_id, None)
    else:
        view.live[live_id] = live
    return live


async def current(run: Run, live_id: str) -> Live | None:
    """In a write's place, the last read, repeated when it is older than ten seconds. Raises `Unread`, `Interrupted`."""
    if run.runner.ports.clock.monotonic() <= good_until(run, live_id):
        return run.planning.view.live.get(live_id)
    return await read(run, live_id, placed=True)


def is_before(change: Change, live: Live, table: FieldTable) -> bool:
    """Whether the fields that the change overwrites still hold what the plan saw."""
    found = table.split(live.body)  # with the stamp, which a duplicate's delete rests on
    return all(digest(found.get(name)) == value for name, value in change.overwritten.items())


async def look(run: Run, change: Change) -> tuple[Found | None, Live | None]:
    """What is live after an unclear write; None when it cannot be read. Raises `Interrupted`."""
    try:
        live = await read(run, change.id)
    except Unread:
        return None, None
    if live is None:
        return Found.ABSENT, None
    table = run.adapter.dialect.table
    if change.action is Action.RELEASE:
        return (Found.AS_PLANNED if parse(live.stamp, table.letters) is None else Found.AS_BEFORE), live
    if change.action is not Action.DELETE and _is_as_planned(run, change, live):
        return Found.AS_PLANNED, live
    return (Found.AS_BEFORE if is_before(change, live, table) else Found.ELSE), live


def _is_as_planned(run: Run, change: Change, live: Live) -> bool:
    """Whether the request was carried out: its stamp tells, and where it carries none, every field that it sets."""
    if change.stamp:
        return live.stamp == change.stamp
    semantics, table = run.adapter.dialect.semantics, run.adapter.dialect.table
    found = table.split(live.body)
    if is_before(change, live, table):  # then a part that only the server decides proves nothing
        return all(
            same(canonical(name, value, semantics), canonical(name, found.get(name), semantics))
            for name, value in change.sets.items()
        )
    return all(fits(name, value, found.get(name), semantics) for name, value in change.sets.items())


SPOILED = frozenset({Result.FAILED, Result.REFUSED, Result.CHANGED, Result.UNKNOWN, Result.SKIPPED})
"""Results after which a run deletes nothing."""


@dataclass(slots=True)
class Tries:
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


async def run_all(run: Run, changes: list[Change]) -> None:
    """Sends every modify, side by side."""

    async def work(change: Change) -> None:
        await _write(run, change)

    await each(changes, run.runner.pace.parallelism, work)


async def delete_all(run: Run, changes: list[Change]) -> None:
    """Deletes last, and only if every write of this run was done and everything could be read."""
    bad = any(outcome.result in SPOILED or outcome.others for outcome in run.outcomes.values())
    unread = not run.planning.view.complete or Exit.UNREADABLE in run.codes
    if not (bad or unread or run.stopped):
        await run_all(run, changes)
        return
    why = "interrupted" if run.stopped else "a write failed" if bad else "not everything could be read"
    for change in changes:
        run.tell(
            Outcome(
                change.name,
                change.action,
                Result.SKIPPED,
                change.id,
                f"not deleted: {why} in this run",
                Message("Deletes come last and only after everything else is done. ", AGAIN),
            ),
            Exit.HELD,
        )


def _verb(change: Change) -> str:
    """Return the word of the journal for a change; a duplicate's delete leaves the record of its name alone."""
    if change.action is Action.DELETE and change.reason is Reason.TWIN_BESIDE:
        return DUPLICATE
    return change.action.value if change.action in (Action.DELETE, Action.RELEASE) else "modify"


async def _write(run: Run, change: Change, way: int = 0) -> None:
    """One modify or delete, from its last read to its outcome; `way` is which of the ways to take a stamp off."""
    tries = Tries(way=way)
    try:
        while True:
            async with run.runner.place():
                sent = await _try(run, change, tries)
            if sent is None or await _ended(run, *sent, tries):
                return
    except Interrupted:
        await _interrupted(run, change, tries)


async def _try(run: Run, planned: Change, tries: Tries) -> tuple[Change, Reply | None] | None:
    """One try, in the place it has: the change as it was sent, and the answer; None where it is not to be sent.

    Where its turn would come when the read is old, it reads again: the turn after that read comes in time. Raises
    `Interrupted`.
    """
    while True:
        live = await _start(run, planned)
        if live is None:
            if tries.intended and tries.unclear_at is None:
                await run.withdraw(planned, _verb(planned))
            return None
        change = _fit_stamp(run, planned, live)
        try:
            await run.runner.turn(good_until(run, change.id))
            if not tries.intended:
                tries.intended = True
                if change.backup:
                    run.runner.ports.backup(change.name, change.id, dict(live.body))
                await run.intend(change, _verb(change), change.id)
            return change, await _send(run, change, _render(run, change, live, tries.way), tries)
        except Stale:
            run.planning.view.read_at.pop(change.id, None)


def _fit_stamp(run: Run, change: Change, live: Live) -> Change:
    """The change without its stamp where that has no room by now; with it where there is room again."""
    if not change.stamp or change.action is not Action.MODIFY:
        return change
    assert change.record is not None
    if run.adapter.has_room(live.body, change.sets):
        return replace(change, record=replace(change.record, stamped=True))
    return drop_stamp(change, run.planning.state.records.get(change.name), live, run.adapter.dialect.table)


def _render(run: Run, change: Change, live: Live, way: int) -> Call:
    """The request of a change, made of the last read."""
    if change.action is Action.DELETE:
        return run.adapter.remove(live)
    if change.action is Action.RELEASE:
        return run.adapter.release(live)[way]
    return run.adapter.modify(live, change.sets, change.stamp)


async def _start(run: Run, change: Change) -> Live | None:
    """The object to write to, if the write may go on; tells the outcome and returns None otherwise."""
    if run.stopped:
        raise Interrupted
    try:
        live = await current(run, change.id)
    except Unread as error:
        run.tell(
            Outcome(change.name, change.action, Result.SKIPPED, change.id, f"could not be read again: {error}", AGAIN),
            Exit.UNREADABLE,
        )
        return None
    if live is None and change.action is Action.DELETE:
        run.tell(Outcome(change.name, change.action, Result.ALREADY, change.id, "was gone already"))
        await run.conclude(change, _verb(change), None)
        return None
    if live is not None and is_before(change, live, run.adapter.dialect.table):
        return live
    what = "was deleted" if live is None else "was changed by somebody else"
    message = f"{what} since the plan; left alone"
    run.tell(Outcome(change.name, change.action, Result.CHANGED, change.id, message, JUDGE), Exit.HELD)
    return None


async def _send(run: Run, change: Change, call: Call, tries: Tries) -> Reply | None:
    """Sends it; what is unclear about it is kept in `tries`. Raises `Stale` and `Interrupted`: then it was not sent."""
    clock = run.runner.ports.clock
    try:
        reply = await run.runner.send(call, good_until(run, change.id))
    except Interrupted:
        raise
    except (NotSent, OutcomeUnknown) as error:
        tries.count, tries.failure = tries.count + 1, silence(error)
        if isinstance(error, OutcomeUnknown):
            tries.unclear_at, tries.in_doubt = clock.monotonic(), True
        return None
    tries.count += 1
    tries.failure = answered(run.adapter, change, reply)
    if leaves_open(run.adapter, change, reply):
        tries.unclear_at = clock.monotonic()
        tries.in_doubt = tries.in_doubt or reply.status != 429
    return reply


async def _ended(run: Run, change: Change, reply: Reply | None, tries: Tries) -> bool:
    """Whether this try settled the write, and if so how; an unclear one is read before it is repeated."""
    if reply is not None and await _is_answered(run, change, reply, tries):
        return True
    found, live = await look(run, change)
    if await _is_found_done(run, change, found, live, tries):
        return True
    last = tries.count > run.runner.pace.max_retries or run.stopped
    if found is Found.AS_BEFORE and not last:
        await run.runner.wait(tries.count - 1, reply)
        run.runner.retries += 1
        return False
    if found is Found.AS_BEFORE and tries.unclear_at is not None and not run.stopped:
        left = tries.unclear_at + run.target.settle - run.runner.ports.clock.monotonic()
        await run.runner.pause(left, "A write was not answered clearly; waiting for the consistency delay")
        found, live = await look(run, change)
        if await _is_found_done(run, change, found, live, tries):
            return True
    await _leave(run, change, found, tries)
    return True


async def _is_answered(run: Run, change: Change, reply: Reply, tries: Tries) -> bool:
    """Whether the answer itself is clear: done, or a clear no."""
    problem = run.adapter.problem(reply)
    if change.action is Action.DELETE:
        if run.adapter.deleted(reply, change.id) or problem.is_own_404(change.id):
            await _deleted(run, change, tries.count)
            return True
    elif (live := _answer(run, change, reply)) is not None and not _is_ignored(run, change, live):
        await _modified(run, change, live, tries)
        return True
    if leaves_open(run.adapter, change, reply):
        return False
    run.fail(change, tries.failure, problem.place, attempts=tries.count)
    if tries.unclear_at is None:
        await run.withdraw(change, _verb(change))
    return True


async def _is_found_done(run: Run, change: Change, found: Found | None, live: Live | None, tries: Tries) -> bool:
    if found is Found.ABSENT and change.action is Action.DELETE:
        await _deleted(run, change, tries.count)
        return True
    if found is Found.AS_PLANNED and live is not None:
        await _modified(run, change, live, tries)
        return True
    return False


def _is_ignored(run: Run, change: Change, live: Live) -> bool:
    """Whether the server answered with nothing of what was sent: then it was not done, whatever the status says."""
    if change.action is Action.RELEASE:
        return False  # what the answer shows decides: `_released`
    table = run.adapter.dialect.table
    sent = {*change.sets, *((table.stamp,) if change.stamp else ())}
    return sent <= {*not_kept(change, live, run.adapter)} and is_before(change, live, table)


def _answer(run: Run, change: Change, reply: Reply) -> Live | None:
    """The assistant that was written to, if the answer is a success and is that one."""
    if not 200 <= reply.status < 300:
        return None
    try:
        live = run.adapter.read(reply)
    except Unexpected:
        return None
    return live if live.id == change.id else None


async def _modified(run: Run, change: Change, live: Live, tries: Tries) -> None:
    if change.action is Action.RELEASE:
        await _released(run, change, live, tries)
        return
    assert change.record is not None
    message, hint = "", Message()
    if not sent_keys(change, run.adapter.dialect.table) <= live.body.keys():
        try:
            live = await read(run, change.id) or live
        except (Unread, Interrupted) as error:
            run.codes.add(Exit.UNREADABLE)
            message = f"the answer showed only a part of it, and it could not be read again: {error}"
            hint = JUDGE
    record = kept_record(change.record, live, sent_fields(change, run.adapter.dialect.table), run.adapter)
    missing = not_kept(change, live, run.adapter)
    done = Outcome(change.name, change.action, Result.DONE, live.id, message, hint, not_kept=missing)
    run.tell(replace(done, attempts=tries.count))
    await run.conclude(change, "modify", record)


async def _released(run: Run, change: Change, live: Live, tries: Tries) -> None:
    """Forgets what carries our stamp no longer; to a server that keeps the key its other request is sent."""
    attempts = tries.count
    holder = top_of(run.adapter.dialect.table.stamp)
    if holder not in live.body:
        with contextlib.suppress(Unread, Interrupted):
            live = await read(run, change.id) or live
    if holder in live.body and parse(live.stamp, run.adapter.dialect.table.letters) is None:
        run.tell(Outcome(change.name, change.action, Result.DONE, change.id, attempts=attempts))
        await run.conclude(change, "release", None)
    elif tries.way + 1 < len(run.adapter.release(live)):
        await _write(run, change, tries.way + 1)
    elif holder not in live.body:
        message = "it is not known whether it was done: the answer does not show its metadata, and no read did"
        run.tell(
            Outcome(change.name, change.action, Result.UNKNOWN, change.id, message, JUDGE, attempts=attempts),
            Exit.PARTIAL,
            Exit.UNREADABLE,
        )
    else:
        run.fail(change, WriteFailure("this server keeps our stamp whatever it is sent", TAKE_OFF), attempts=attempts)
        await run.withdraw(change, "release")


async def _deleted(run: Run, change: Change, attempts: int) -> None:
    run.tell(Outcome(change.name, change.action, Result.DONE, change.id, attempts=attempts))
    await run.conclude(change, _verb(change), None)


async def _interrupted(run: Run, change: Change, tries: Tries) -> None:
    """Tells of a write that an interrupt kept from being sent, or from being sent or looked at again."""
    why = tries.failure.text
    if not tries.count:
        run.tell(Outcome(change.name, change.action, Result.SKIPPED, change.id, INTERRUPTED))
    elif tries.in_doubt:
        await _leave(run, change, None, tries)
    else:
        failure = replace(tries.failure, text=f"{why}; interrupted before it was sent again")
        run.fail(change, failure, attempts=tries.count)
    if tries.intended and tries.unclear_at is None:
        await run.withdraw(change, _verb(change))


async def _leave(run: Run, change: Change, found: Found | None, tries: Tries) -> None:
    """Gives up on an unclear write: what is known is said, and what is not stays in the journal."""
    why, count, hint = tries.failure.text, tries.count, JUDGE
    if found is Found.AS_BEFORE and run.stopped and tries.in_doubt:
        found = None  # nobody waited until the vendor must have been done with it
    if found is Found.AS_BEFORE:
        text = f"was not done after {count} {'try' if count == 1 else 'tries'}: {why}"
        run.fail(change, replace(tries.failure, text=text), attempts=count)
        if not run.stopped or tries.unclear_at is None:
            await run.withdraw(change, _verb(change))
        return
    if found is None:
        message, code = f"it is not known whether it was done: {why}", Exit.UNREADABLE
        hint = join_messages((JUDGE, tries.failure.check), ". ")
    else:
        message, code = f"{found.value} meanwhile; left alone ({why})", Exit.HELD
    outcome = Outcome(change.name, change.action, Result.UNKNOWN, change.id, message, hint, attempts=count)
    run.tell(outcome, Exit.PARTIAL, code)
