"""Reads one object again: before a write whose read is old, after a write whose outcome is unclear. Writes nothing."""

from __future__ import annotations

from enum import Enum

from trueup.core.canonical import canonical, digest, fits, same
from trueup.core.errors import NotSent, OutcomeUnknown
from trueup.core.field_table import FieldTable
from trueup.core.memory.stamp import parse
from trueup.core.plans.plan import Action, Change
from trueup.engine.run import Run
from trueup.engine.turns import Interrupted
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
        live = await run.courier.follow(run.adapter.get(live_id), placed=placed)
    except Interrupted:
        raise
    except (Unexpected, NotSent, OutcomeUnknown) as error:
        raise Unread(str(error)) from error
    view = run.planning.view
    view.read_at[live_id] = run.courier.ports.clock.monotonic()
    if live is None:
        view.live.pop(live_id, None)
    else:
        view.live[live_id] = live
    return live


async def current(run: Run, live_id: str) -> Live | None:
    """In a write's place, the last read, repeated when it is older than ten seconds. Raises `Unread`, `Interrupted`."""
    if run.courier.ports.clock.monotonic() <= good_until(run, live_id):
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
