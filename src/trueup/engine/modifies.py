"""Modifies and deletes: an old read is repeated before its write, an unclear write is read before it is repeated."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from trueup.core.call import Call, Reply
from trueup.core.canonical import canonical, digest, same, split
from trueup.core.errors import Exit, NotSent, OutcomeUnknown
from trueup.core.judge import fields_of
from trueup.core.plan import Action, Change
from trueup.core.report import Outcome, Result
from trueup.core.stamp import KEY
from trueup.engine.courier import each, is_unclear
from trueup.engine.requests import completed
from trueup.engine.run import Run, kept_record, not_kept, sent_fields
from trueup.wire.base import Live, Unexpected

FRESH = 10.0
"""Seconds after which a read is repeated before its write."""


class Unread(Exception):
    """The object could not be read just now."""


@dataclass(slots=True)
class Tries:
    """One write's tries: how many, what was not clear, and when (monotonic seconds) an unclear one was last sent."""

    call: Call
    count: int = 0
    why: str = ""
    unclear_at: float | None = None


class Found(Enum):
    """What a read after an unclear write shows."""

    AS_PLANNED = "as planned"
    AS_BEFORE = "as before"
    ELSE = "changed by somebody else"
    ABSENT = "absent"


async def run_all(run: Run, changes: list[Change]) -> None:
    """Sends every modify, side by side."""

    async def work(change: Change) -> None:
        await _modify(run, change)

    await each(changes, run.courier.pace.parallelism, work)


async def delete_all(run: Run, changes: list[Change]) -> None:
    """Deletes last, and only if every write of this run was done and everything could be read."""
    spoiled = {Result.FAILED, Result.REFUSED, Result.CHANGED, Result.UNKNOWN, Result.SKIPPED}
    bad = any(outcome.result in spoiled or outcome.others for outcome in run.outcomes.values())
    unread = not run.planning.view.complete or Exit.UNREADABLE in run.codes
    if changes and (bad or unread or run.stopped):
        why = "interrupted" if run.stopped else "a write failed" if bad else "not everything could be read"
        for change in changes:
            run.tell(
                Outcome(
                    change.name,
                    change.action,
                    Result.SKIPPED,
                    change.id,
                    f"not deleted: {why} in this run",
                    "Deletes come last and only after everything else is done. Run apply again.",
                ),
                Exit.HELD,
            )
        return

    async def work(change: Change) -> None:
        await _delete(run, change)

    await each(changes, run.courier.pace.parallelism, work)


async def _read(run: Run, live_id: str) -> Live | None:
    """The object as it is now; None when it is gone. Raises `Unread`."""
    try:
        return await run.courier.follow(run.adapter.get(live_id))
    except (Unexpected, NotSent, OutcomeUnknown) as error:
        raise Unread(str(error)) from error


async def _current(run: Run, change: Change) -> Live | None:
    """The last read, repeated when it is older than ten seconds."""
    view = run.planning.view
    if run.courier.ports.clock.monotonic() - view.read_at.get(change.id, float("-inf")) <= FRESH:
        return view.live.get(change.id)
    return await _read(run, change.id)


def _is_before(change: Change, live: Live) -> bool:
    """Whether the fields that the change overwrites still hold what the plan saw."""
    found = fields_of(live.body)
    return all(digest(found.get(name)) == value for name, value in change.overwritten.items())


def _is_as_planned(run: Run, call: Call, live: Live) -> bool:
    """Whether every field of the request is live; for a stamp alone, the stamp."""
    semantics = run.adapter.dialect.semantics
    sent, found = split(call.json), split(live.body)
    if f"metadata.{KEY}" in sent:
        return bool(found.get(f"metadata.{KEY}") == sent[f"metadata.{KEY}"])
    return all(
        same(canonical(name, value, semantics), canonical(name, found.get(name), semantics))
        for name, value in sent.items()
    )


async def _start(run: Run, change: Change) -> Live | None:
    """The object to write to, if the write may go on; tells the outcome and returns None otherwise."""
    if run.stopped:
        run.tell(Outcome(change.name, change.action, Result.SKIPPED, change.id, "interrupted before it was sent"))
        return None
    try:
        live = await _current(run, change)
    except Unread as error:
        run.tell(
            Outcome(change.name, change.action, Result.SKIPPED, change.id, f"could not be read again: {error}"),
            Exit.UNREADABLE,
        )
        return None
    if live is None and change.action is Action.DELETE:
        await run.conclude(change, "delete", None)
        run.tell(Outcome(change.name, change.action, Result.ALREADY, change.id, "was gone already"))
        return None
    if live is None or not _is_before(change, live):
        what = "was deleted" if live is None else "was changed by somebody else"
        run.tell(
            Outcome(
                change.name,
                change.action,
                Result.CHANGED,
                change.id,
                f"{what} since the plan; left alone",
                "Make a new plan.",
            ),
            Exit.HELD,
        )
        return None
    if change.backup:
        run.courier.ports.backup(change.name, change.id, dict(live.body))
    return live


async def _modify(run: Run, change: Change) -> None:
    live = await _start(run, change)
    if live is None:
        return
    gone = frozenset(field.path for field in change.fields if field.path in change.overwritten)
    call = completed(change.calls[0], change.repeats, live.body, gone)
    await run.intend(change, "modify", change.id)
    tries = Tries(call)
    while True:
        reply = await _send(run, tries)
        answer = _answer(run, change, reply)
        if answer is None and reply is not None and not is_unclear(reply.status) and reply.status >= 300:
            await _refused(run, change, "modify", reply, tries)
            return
        found = Found.AS_PLANNED if answer is not None else None
        if answer is None:
            found, answer = await _look(run, change, tries)
        if found is Found.AS_PLANNED and answer is not None:
            await _modified(run, change, answer, tries.count)
            return
        if not await _goes_on(run, change, "modify", found, reply, tries):
            return


def _answer(run: Run, change: Change, reply: Reply | None) -> Live | None:
    """The assistant that was written to, if the answer is a success and is that one."""
    if reply is None or not 200 <= reply.status < 300:
        return None
    try:
        live = run.adapter.read(reply)
    except Unexpected:
        return None
    return live if live.id == change.id else None


async def _send(run: Run, tries: Tries) -> Reply | None:
    """One more try; what is not clear about it is kept in `tries`."""
    tries.count += 1
    try:
        reply = await run.courier.write(tries.call)
    except NotSent as error:
        tries.why = str(error)
        return None
    except OutcomeUnknown as error:
        tries.why, tries.unclear_at = str(error), run.courier.ports.clock.monotonic()
        return None
    good = reply.status < 300
    tries.why = "the answer is not this assistant" if good else run.adapter.problem(reply).message
    tries.unclear_at = run.courier.ports.clock.monotonic()
    return reply


async def _goes_on(
    run: Run, change: Change, action: str, found: Found | None, reply: Reply | None, tries: Tries
) -> bool:
    """Whether to send again; if not, the outcome is told."""
    last = tries.count > run.courier.pace.max_retries or run.stopped
    if found is Found.AS_BEFORE and not last:
        await run.courier.wait(tries.count - 1, reply)
        run.courier.retries += 1
        return True
    if found is Found.AS_BEFORE and tries.unclear_at is not None and not run.stopped:
        await run.courier.pause(tries.unclear_at + run.target.settle - run.courier.ports.clock.monotonic())
        found, live = await _look(run, change, tries)
        if found is Found.AS_PLANNED and live is not None:
            await _modified(run, change, live, tries.count)
            return False
        if found is Found.ABSENT and change.action is Action.DELETE:
            await _deleted(run, change, tries.count)
            return False
    await _leave(run, change, action, found, tries)
    return False


async def _refused(run: Run, change: Change, action: str, reply: Reply, tries: Tries) -> None:
    """A clear no; but where an earlier try is unclear, it may still be carried out."""
    problem = run.adapter.problem(reply)
    if tries.count == 1:
        await run.withdraw(change, action)
    run.fail(change, problem.message, problem.path, attempts=tries.count)


async def _look(run: Run, change: Change, tries: Tries) -> tuple[Found | None, Live | None]:
    """What is live after an unclear write; None when it cannot be read."""
    try:
        live = await _read(run, change.id)
    except Unread:
        return None, None
    if live is None:
        return Found.ABSENT, None
    if change.action is not Action.DELETE and _is_as_planned(run, tries.call, live):
        return Found.AS_PLANNED, live
    return (Found.AS_BEFORE if _is_before(change, live) else Found.ELSE), live


async def _modified(run: Run, change: Change, live: Live, attempts: int) -> None:
    assert change.record is not None
    if not all(key in live.body for key in change.calls[0].json):
        try:
            live = await _read(run, change.id) or live
        except Unread:
            run.codes.add(Exit.UNREADABLE)
    record = kept_record(change.record, live, sent_fields(change))
    await run.conclude(change, "modify", record)
    missing = not_kept(change, live, run.adapter)
    run.tell(Outcome(change.name, change.action, Result.DONE, live.id, not_kept=missing, attempts=attempts))


async def _delete(run: Run, change: Change) -> None:
    live = await _start(run, change)
    if live is None:
        return
    await run.intend(change, "delete", change.id)
    tries = Tries(change.calls[0])
    while True:
        reply = await _send(run, tries)
        if reply is not None and (run.adapter.deleted(reply, change.id) or run.adapter.problem(reply).absent):
            await _deleted(run, change, tries.count)
            return
        if reply is not None and 400 <= reply.status < 500 and not is_unclear(reply.status):
            await _refused(run, change, "delete", reply, tries)
            return
        found, _ = await _look(run, change, tries)
        if found is Found.ABSENT:
            await _deleted(run, change, tries.count)
            return
        if not await _goes_on(run, change, "delete", found, reply, tries):
            return


async def _deleted(run: Run, change: Change, attempts: int) -> None:
    await run.conclude(change, "delete", None)
    run.tell(Outcome(change.name, change.action, Result.DONE, change.id, attempts=attempts))


async def _leave(run: Run, change: Change, action: str, found: Found | None, tries: Tries) -> None:
    """Gives up on an unclear write: what is known is said, and what is not stays in the journal."""
    why, count = tries.why, tries.count
    if found is Found.AS_BEFORE:
        if not run.stopped or tries.unclear_at is None:
            await run.withdraw(change, action)
        run.fail(change, f"was not done after {count} tries: {why}", attempts=count)
        return
    if found is None:
        message, code = f"it is not known whether it was done: {why}", Exit.UNREADABLE
    else:
        message, code = f"{found.value} meanwhile; left alone ({why})", Exit.HELD
    run.tell(
        Outcome(
            change.name,
            change.action,
            Result.UNKNOWN,
            change.id,
            message,
            "Run plan: it reads what is live and judges anew.",
            attempts=count,
        ),
        Exit.PARTIAL,
        code,
    )
