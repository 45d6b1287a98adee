"""What becomes of creates whose outcome is unknown: one listing after `settle` decides all that are parked.

Reads and remembers; knows how to send nothing. What a listing shows doubled is named here as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from trueup.core.command import Message, join_messages
from trueup.core.errors import EndpointError, Exit
from trueup.core.memory.stamp import parse, record_of
from trueup.core.plans.plan import Change, Reason
from trueup.core.plans.report import Outcome, Result
from trueup.core.plans.seen import alike
from trueup.core.plans.wording import HINTS, Advice, say
from trueup.engine.mishaps import APPLY, PLAN, Mishap
from trueup.engine.refresh import View, walk
from trueup.engine.run import Run, kept_record, not_kept, sent_fields
from trueup.wire.base import Live

BLIND = Message(
    "The listing after the creates could not be read whole: had a gateway or a second writer doubled one of them, it "
    "would not show here. To look again: ",
    PLAN,
)


@dataclass(slots=True)
class Parking:
    """Creates whose outcome is unknown, and when (monotonic seconds) the last of them was sent."""

    parked: dict[str, tuple[Change, Mishap]] = field(default_factory=dict)
    last_sent: float = 0.0
    proven: bool = False  # a live assistant carries our stamp: this server keeps them
    lost: bool = False  # this server was sent a stamp and answered without it
    sent: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)  # of the assistants that these creates made
    attempts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    shown: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # ids by name, in any listing since


async def settle(run: Run, lot: Parking) -> list[Change] | None:
    """Decides all parked creates by one listing, and gives those that are not there, to be sent again.

    None where no complete listing could be had, so that nothing is decided.
    """
    view = await _list_after_settling(run, lot)
    if view is None:
        return None
    found = _stamped(run, lot, view)
    parked = [change for _, (change, _) in sorted(lot.parked.items())]
    return [change for change in parked if await _is_absent(run, lot, change, view, found.get(change.name, []))]


async def _list_after_settling(run: Run, lot: Parking) -> View | None:
    """The one complete listing that decides; None when there is none."""
    courier = run.courier
    why = f"Creates not answered clearly: {len(lot.parked):,}; waiting for the consistency delay"
    await courier.pause(lot.last_sent + run.target.settle - courier.ports.clock.monotonic(), why)
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
        _leave_doubled(run, change, found)
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
                message=f"an unmanaged assistant with the same name appeared ({', '.join(lookalikes)})",
                hint=Advice(change.name, lookalikes, run.target.selection).fill("If it is ours: {links}"),
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
    stamp = parse(live.stamp, run.adapter.dialect.table.letters)
    assert stamp is not None
    assert change.record is not None
    ours = stamp.operation == change.operation
    record = record_of(stamp, live.id, live.created_at)
    if ours:
        record = kept_record(change.record, live, sent_fields(change, run.adapter.dialect.table), run.adapter)
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
    await run.conclude(change, "create", record)


def _stamped(run: Run, lot: Parking, view: View) -> Mapping[str, list[Live]]:
    """Live assistants with our stamp, by name; the lot remembers that they were shown."""
    found: dict[str, list[Live]] = defaultdict(list)
    for live in view.live.values():
        stamp = parse(live.stamp, run.adapter.dialect.table.letters)
        if stamp is not None and (stamp.project, stamp.target) == (run.identity.project, run.identity.target):
            found[stamp.name].append(live)
            lot.shown[stamp.name].add(live.id)
    return found


def _new_namesakes(run: Run, change: Change, view: View) -> tuple[str, ...]:
    """Unstamped assistants of the created display name that were not there before this run."""
    table = run.adapter.dialect.table
    if not table.display_name:
        return ()
    name = alike(change.sets.get(table.display_name))
    recorded = {outcome.id for outcome in run.outcomes.values()}
    return tuple(
        sorted(
            live.id
            for live in view.live.values()
            if alike(live.body.get(table.display_name)) == name
            and live.id not in run.planning.seen
            and live.id not in recorded
            and parse(live.stamp, table.letters) is None
        )
    )


def _leave_doubled(run: Run, change: Change, found: Sequence[Live]) -> None:
    """Report a create of which several live assistants carry the stamp: which one is kept is for a person to say."""
    ids = tuple(sorted(live.id for live in found))
    message, hint = say(Reason.TWINS, change.name, ids, selection=run.target.selection)
    run.tell(
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


def leave_unknown(run: Run, lot: Parking) -> None:
    """What is still unclear at the end: the journal keeps it, and the next run's listing decides."""
    for change, mishap in lot.parked.values():
        _leave(run, change, mishap, lot.attempts[change.name])


def _leave(run: Run, change: Change, mishap: Mishap, attempts: int) -> None:
    if run.target.stamp:
        again = Message("To list what is live, and create it if it is not there: ", APPLY)
        hint = join_messages((again, mishap.check), ". ")
    else:
        hint = Advice(change.name, selection=run.target.selection).fill(HINTS[Reason.UNSETTLED])
    run.tell(
        Outcome(
            change.name,
            change.action,
            Result.UNKNOWN,
            message=f"it is not known whether it was created: {mishap.text}",
            hint=hint,
            attempts=attempts,
        ),
        Exit.PARTIAL,
    )


async def name_duplicates(run: Run, lot: Parking) -> None:
    """List once more after the creates, and name what a gateway's retry or a second writer doubled with both ids.

    What only an earlier listing showed counts as well: the last one may have been cut.
    """
    try:
        view = await walk(run.adapter, run.courier, run.known_ids)
    except EndpointError:
        view = View(complete=False)
    if not view.complete:
        run.codes.add(Exit.UNREADABLE)
        run.note(BLIND)
    _stamped(run, lot, view)
    for name in lot.sent:
        ours = run.outcomes[name].id
        others = tuple(sorted(lot.shown[name] - {ours}))
        if others:
            run.codes.add(Exit.HELD)
            message, hint = say(Reason.TWIN_BESIDE, name, others, selection=run.target.selection)
            run.outcomes[name] = replace(run.outcomes[name], others=others, message=message, hint=hint)
