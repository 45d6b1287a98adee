"""What can go wrong in a schedule, drawn by its dice: requests, pages, disks, plan files. Does none of it."""

from __future__ import annotations

import errno
import random
from dataclasses import dataclass, replace
from typing import Any

from tests.protocols import current
from tests.simulation.disk import Failure
from tests.simulation.vendor import FORGETFUL, Habit, Lie
from trueup.core.plans.plan import WRITES, Action, Plan
from trueup.core.plans.plan_codec import dumps
from trueup.local.faults import Fault, Kind

TROUBLES = (
    Kind.ANSWER,
    Kind.ANSWER,
    Kind.DROP,
    Kind.DROP,
    Kind.HTML,
    Kind.REDIRECT,
    Kind.REFUSE,
    Kind.CUT,
    Kind.PASS,
    Kind.REPEAT,
)
STATUSES = (200, 403, 408, 409, 429, 500, 502, 503, 400, 404)
CLEAR = (400, 403, 404)
"""A clear no is never carried out."""
TAMPERED = {
    "whole": "a plan applied as it was saved",
    "torn": "a plan file torn",
    "changed": "a plan file changed by hand",
    "forged": "a plan file forged with the right digest",
    "old": "an old plan file applied",
}


def gone() -> tuple[Any, ...]:
    """Return a server's answer where the endpoint itself is not there."""
    said = {"error": {"message": f"Invalid URL (POST {current().path})"}}
    return (None, "404 page not found", {"detail": "Not Found"}, said)


def request_fault(dice: random.Random, settle: float) -> Fault:
    """One way for requests to go wrong; work that is late is done within half of `settle`."""
    kind, status = dice.choice(TROUBLES), dice.choice(STATUSES)
    clear = kind in (Kind.ANSWER, Kind.HTML) and status in CLEAR
    return Fault(
        kind=kind,
        method=dice.choice(("", "POST", "POST", "GET", "DELETE")),
        nth=dice.randint(1, 8),
        times=dice.choice((1, 1, 2, 5)),
        status=status,
        commit=not clear and dice.random() < 0.5,
        late=0.0 if clear else dice.choice((0.0, 0.0, 0.5 * settle)),
        delay=dice.choice((0.0, 0.0, 0.3, 12.0)),
        headers=dice.choice(({}, {"retry-after": "2"})),
        body=dice.choice(gone()) if status == 404 and kind is Kind.ANSWER else None,
    )


def habit(dice: random.Random) -> Habit:
    """Six servers of ten are faithful."""
    habits: tuple[Habit, ...] = (*(Habit.FAITHFUL,) * 8, *Habit)
    return dice.choice(habits)


@dataclass(frozen=True, slots=True)
class Listing:
    """How a vendor lists: the largest page, seconds late, what it lies about and how often."""

    page: int = 100
    lag: float = 0.0
    lies: tuple[Lie, ...] = ()
    lying: float = 0.0


def listing(dice: random.Random, settle: float) -> Listing:
    """Half of the vendors list well; the others late (also later than `settle`), in small pages, or with lies."""
    if dice.random() < 0.5:
        return Listing(page=dice.choice((100, 100, 2)))
    lies = dice.sample(tuple(Lie), dice.randint(1, 4)) if dice.random() < 0.6 else []
    if dice.random() < 0.8:
        lies = [lie for lie in lies if lie is not Lie.END]
    return Listing(
        page=dice.choice((1, 2, 2, 3, 100)),
        lag=dice.choice((0.0, 0.4, 0.4, 3.0)) * settle,
        lies=tuple(lies),
        lying=dice.choice((0.1, 0.3)),
    )


def disk_failure(dice: random.Random) -> Failure | None:
    """Make the disk full, or unable to write, from some change on: once, or until the run ends."""
    if dice.random() < 0.7:
        return None
    return Failure(
        number=dice.choice((errno.ENOSPC, errno.EIO)),
        nth=dice.randint(1, 30),
        times=dice.choice((1, 1_000)),
        syncs=dice.random() < 0.3,
    )


def keeps_no_stamp(kind: Habit) -> bool:
    """Whether the state file is the only memory with this server."""
    return kind in FORGETFUL


def tampered(dice: random.Random, text: str, plan: Plan, old: list[str]) -> tuple[str, str]:
    """Choose what became of a saved plan, and its text: nothing, torn, changed, forged with a right digest, old."""
    how = dice.choice(("whole", "whole", "whole", "torn", "changed", "forged", "old"))
    if how == "torn":
        return how, text[: dice.randint(0, len(text) - 2)]
    if how == "changed":
        at = dice.randrange(len(text))
        return how, f"{text[:at]}{dice.choice('0aZ{]')}{text[at + 1 :]}"
    if how == "forged":
        return how, dumps(forged(dice, plan))
    return (how, dice.choice(old)) if how == "old" and old else ("whole", text)


def forged(dice: random.Random, plan: Plan) -> Plan:
    """Return the plan with another value in one of its writes, and a digest that is right."""
    changes = list(plan.changes)
    writes = [index for index, change in enumerate(changes) if change.action in WRITES - {Action.DELETE}]
    if writes:
        index = dice.choice(writes)
        sets = {**changes[index].sets, "instructions": "something that nobody reviewed"}
        changes[index] = replace(changes[index], sets=sets)
    return replace(plan, changes=tuple(changes))
