"""Creates: never blind, never twice. An unclear one is parked; one listing after `settle` decides all parked ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from trueup.core.call import Reply
from trueup.core.errors import EndpointError, Exit, NotSent, OutcomeUnknown
from trueup.core.memory.stamp import parse, record_of
from trueup.core.plans.plan import Change
from trueup.core.plans.report import Outcome, Result
from trueup.core.source import Path
from trueup.engine.courier import each, is_unclear
from trueup.engine.refresh import View, walk
from trueup.engine.run import Run, kept_record, not_kept, sent_fields
from trueup.wire.base import Live, Unexpected

BLIND = (
    "The listing after the creates could not be read whole: had a gateway or a second writer doubled one of them, it "
    "would not show here. Run `trueup plan`: it looks again."
)


@dataclass(slots=True)
class Parking:
    """Creates whose outcome is unknown, and when (monotonic seconds) the last of them was sent."""

    parked: dict[str, tuple[Change, str]] = field(default_factory=dict)
    last_sent: float = 0.0
    proven: bool = False  # a live assistant carries our stamp: this server keeps them
    lost: bool = False  # this server was sent a stamp and answered without it
    sent: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)  # of the assistants that these creates made
    attempts: dict[str, int] = field(default_factory=lambda: defaultdict(int))


async def run_all(run: Run, changes: list[Change]) -> None:
    """Sends every create once, then settles what is unclear and looks for twins."""
    if not changes:
        return
    lot = Parking(proven=_carried(run) or not run.target.stamp)
    await _send_lot(run, lot, changes)
    rounds = 0
    while lot.parked and run.target.stamp and not run.stopped:
        view = await _list_after_settling(run, lot)
        if view is None:
            break
        found = _stamped(run, view)
        parked = [change for _, (change, _) in sorted(lot.parked.items())]
        again = [change for change in parked if await _is_absent(run, lot, change, view, found.get(change.name, []))]
        if rounds >= run.courier.pace.max_retries:
            break
        rounds += 1
        await _send_lot(run, lot, again)
    for change, why in list(lot.parked.values()):
        _leave_unknown(run, change, why, lot.attempts[change.name])
    if lot.sent and run.target.stamp and not lot.lost:
        await _name_twins(run, lot)


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
                    message="not created: this server did not keep our stamp, so a lost answer could make twins",
                    hint="Say `stamp: false` for this target in trueup.yaml to go on with the state file alone.",
                ),
                Exit.PARTIAL,
            )
        return

    async def work(change: Change) -> None:
        await _create(run, lot, change)

    await each(queue, run.courier.pace.parallelism, work)


async def _create(run: Run, lot: Parking, change: Change) -> None:
    """Journal, send, and sort the answer: done, refused, or parked."""
    if run.stopped:
        lot.parked.pop(change.name, None)
        run.tell(Outcome(change.name, change.action, Result.SKIPPED, message="interrupted before it was sent"))
        return
    await run.intend(change, "create", "")
    lot.parked.pop(change.name, None)
    lot.attempts[change.name] += 1
    lot.last_sent = run.courier.ports.clock.monotonic()
    try:
        reply = await run.courier.write(change.calls[0])
    except NotSent as error:
        await _failed(run, lot, change, f"was not sent: {error}")
        return
    except OutcomeUnknown as error:
        lot.parked[change.name] = (change, str(error))
        lot.last_sent = run.courier.ports.clock.monotonic()
        return
    lot.last_sent = (
        max(lot.last_sent, run.courier.ports.clock.monotonic()) if is_unclear(reply.status) else lot.last_sent
    )
    await _sort(run, lot, change, reply)


async def _sort(run: Run, lot: Parking, change: Change, reply: Reply) -> None:
    adapter = run.adapter
    if 200 <= reply.status < 300:
        try:
            live = adapter.read(reply)
        except Unexpected as error:
            lot.parked[change.name] = (change, f"HTTP {reply.status}, but {error}")
            lot.last_sent = run.courier.ports.clock.monotonic()
            return
        if live.id in run.planning.seen or live.id in lot.ids or not _is_what_was_sent(change, live):
            lot.parked[change.name] = (change, f"the answer is another assistant ({live.id})")
            return
        lot.sent.add(change.name)
        await _done(run, lot, change, live)
        return
    problem = adapter.problem(reply)
    if is_unclear(reply.status) and problem.code != "insufficient_quota":
        lot.parked[change.name] = (change, problem.message)
        return
    await _failed(run, lot, change, problem.message, problem.place)


async def _failed(run: Run, lot: Parking, change: Change, message: str, path: Path | None = None) -> None:
    """Notes a create that was refused. Was it sent before, it stays in the journal: that one may still appear."""
    if lot.attempts[change.name] == 1:
        await run.withdraw(change, "create")
    run.fail(change, message, path, attempts=lot.attempts[change.name])


def _is_what_was_sent(change: Change, live: Live) -> bool:
    """Whether the answer can be the assistant we asked for: its model and name are the sent ones, where it has them."""
    body = change.calls[0].json
    return all(live.body.get(key) in (None, body[key]) for key in ("name",) if key in body)


async def _done(run: Run, lot: Parking, change: Change, live: Live) -> None:
    assert change.record is not None
    lot.ids.add(live.id)
    live = await _whole(run, change, live)
    record = kept_record(change.record, live, sent_fields(change))
    await run.conclude(change, "create", record)
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


async def _whole(run: Run, change: Change, live: Live) -> Live:
    """The assistant with every key that was sent; one GET where the answer was only a part of it."""
    if all(key in live.body for key in change.calls[0].json):
        return live
    try:
        found = await run.courier.follow(run.adapter.get(live.id))
    except (Unexpected, NotSent, OutcomeUnknown):
        return live
    return found or live


async def _list_after_settling(run: Run, lot: Parking) -> View | None:
    """The one complete listing that decides; None when there is none."""
    courier = run.courier
    await courier.pause(lot.last_sent + run.target.settle - courier.ports.clock.monotonic())
    if run.stopped:
        return None
    try:
        view = await walk(run.adapter, courier, run.known_ids)
    except EndpointError:
        run.codes.add(Exit.UNREADABLE)
        return None
    if not view.complete:
        run.codes.add(Exit.UNREADABLE)
        return None
    return view


async def _is_absent(run: Run, lot: Parking, change: Change, view: View, found: Sequence[Live]) -> bool:
    """Settles one parked create by the listing: adopted, or two of them, or absent and to be sent again.

    `found` are the live assistants with our stamp of its name.
    """
    attempts = lot.attempts[change.name]
    if len(found) > 1:
        del lot.parked[change.name]
        _twins(run, change, found)
        return False
    if not found:
        lookalikes = _new_namesakes(run, change, view)
        if not lookalikes or lot.proven:
            return True
        del lot.parked[change.name]
        run.tell(
            Outcome(
                change.name,
                change.action,
                Result.UNKNOWN,
                message=f"an assistant of this name without our stamp appeared: {', '.join(lookalikes)}",
                hint=f"If it is ours: trueup import {change.name}={lookalikes[0]}",
                others=lookalikes,
                attempts=attempts,
            ),
            Exit.HELD,
            Exit.PARTIAL,
        )
        return False
    live = found[0]
    del lot.parked[change.name]
    lot.sent.add(change.name)
    lot.ids.add(live.id)
    lot.proven = True
    await _adopt(run, change, live, attempts)
    return False


async def _adopt(run: Run, change: Change, live: Live, attempts: int) -> None:
    """Takes over what an unclear create made; another writer's of the same name is remembered as its stamp says."""
    stamp = parse(live.body.get("metadata"))
    assert stamp is not None
    assert change.record is not None
    ours = stamp.operation == change.operation
    record = (
        kept_record(change.record, live, sent_fields(change)) if ours else record_of(stamp, live.id, live.created_at)
    )
    await run.conclude(change, "create", record)
    run.tell(
        Outcome(
            change.name,
            change.action,
            Result.DONE if ours else Result.ADOPTED,
            live.id,
            message="found after an unclear answer" if ours else "another writer created it meanwhile",
            not_kept=not_kept(change, live, run.adapter) if ours else (),
            attempts=attempts,
        )
    )


def _stamped(run: Run, view: View) -> Mapping[str, list[Live]]:
    """Live assistants with our stamp, by name."""
    found: dict[str, list[Live]] = defaultdict(list)
    for live in view.live.values():
        stamp = parse(live.body.get("metadata"))
        if stamp is not None and (stamp.project, stamp.target) == (run.identity.project, run.identity.target):
            found[stamp.name].append(live)
    return found


def _new_namesakes(run: Run, change: Change, view: View) -> tuple[str, ...]:
    """Unstamped assistants of the created display name that were not there before this run."""
    name = change.calls[0].json.get("name")
    recorded = {outcome.id for outcome in run.outcomes.values()}
    return tuple(
        sorted(
            live.id
            for live in view.live.values()
            if live.body.get("name") == name
            and live.id not in run.planning.seen
            and live.id not in recorded
            and parse(live.body.get("metadata")) is None
        )
    )


def _twins(run: Run, change: Change, found: Sequence[Live]) -> None:
    ids = tuple(sorted(live.id for live in found))
    run.tell(
        Outcome(
            change.name,
            change.action,
            Result.UNKNOWN,
            message=f"two live assistants carry its stamp: {', '.join(ids)}",
            hint=f"Choose one: trueup import {change.name}=ID. Then delete the other at the vendor.",
            others=ids,
        ),
        Exit.HELD,
    )


def _leave_unknown(run: Run, change: Change, why: str, attempts: int) -> None:
    """Still unclear at the end: the journal keeps it, and the next run's listing decides."""
    if run.target.stamp:
        hint = "Run apply again: it lists first, and creates it only if it is not there."
    else:
        hint = (
            f"Look for it at the vendor. If it exists: trueup import {change.name}=ID. "
            f"If not: trueup state rm {change.name}"
        )
    run.tell(
        Outcome(
            change.name,
            change.action,
            Result.UNKNOWN,
            message=f"it is not known whether it was created: {why}",
            hint=hint,
            attempts=attempts,
        ),
        Exit.PARTIAL,
    )


async def _name_twins(run: Run, lot: Parking) -> None:
    """The listing after the creates: what a gateway's retry or a second writer doubled is named with both ids."""
    try:
        view = await walk(run.adapter, run.courier, run.known_ids)
    except EndpointError:
        view = View(complete=False)
    if not view.complete:
        run.codes.add(Exit.UNREADABLE)
        run.problems.append(BLIND)
    for name, found in _stamped(run, view).items():
        if name in lot.sent and len(found) > 1:
            ours = run.outcomes[name].id
            ids = tuple(sorted(live.id for live in found if live.id != ours))
            run.codes.add(Exit.HELD)
            run.outcomes[name] = replace(
                run.outcomes[name],
                others=ids,
                message=f"a twin of {ours} carries the same stamp: {', '.join(ids)}",
                hint="The recorded one stays managed. Delete the other at the vendor.",
            )
