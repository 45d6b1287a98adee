"""What happens in the middle of a run: a hand edits, the clock jumps, somebody interrupts, the process dies.

Each has its moment, counted in requests. Knows nothing of what a run is for.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.engine.world import Killed
from tests.simulation import troubles
from tests.simulation.checkout import Checkout, OnDisk
from tests.simulation.hands import DURING, Hands
from tests.simulation.oracle import Oracle
from tests.simulation.tally import FILES
from trueup.core.call import Call

Moment = Callable[[Checkout, Call], None]


@dataclass
class Moments:
    """`due` are the moments of each checkout's run, by the number of the request that meets them."""

    dice: random.Random
    hands: Hands
    oracle: Oracle
    settle: float
    due: dict[str, dict[int, Moment]] = field(default_factory=dict)
    tears: random.Random = field(default_factory=random.Random)  # dice of their own
    on_their_way: set[asyncio.Task[None]] = field(default_factory=set)

    def draw(self, one: Checkout) -> None:
        """Draws when the next run is killed, interrupted and meddled with, and what its disk and its clock do."""
        one.steps, one.kill_at = 0, self.dice.choice((0, 0, self.dice.randint(1, 60)))
        moments: dict[int, Moment] = {}
        for chance, moment in (
            (0.5, self.meddle),
            (0.1, self.die_with_create),
            (0.1, self.interrupt),
            (0.2, self.jump),
        ):
            if self.dice.random() < chance:
                moments[len(one.calls) + self.dice.randint(0, 12)] = moment
        self.due[one.label] = moments
        if isinstance(one, OnDisk):
            one.disk.fail(failure := troubles.disk_failure(self.dice))
            self.hands.say(f"{one.label}: disk {failure}")
            one.kill_at *= 2  # there are more moments to die at
            one.disk.deadly = self.dice.choice((*("",) * 27, "replace", "mkdir", "open"))
            one.disk.tears = self.tears.choice((*("",) * 36, *FILES[:4]))
            if self.tears.random() < 0.1:
                one.disk.deadly = "replace prod.state"

    def clear(self, one: Checkout) -> None:
        """End the run."""
        self.due[one.label] = {}

    async def passing(self, one: Checkout, call: Call) -> None:
        """Every request passes here."""
        self.oracle.check_sent(one, call)
        moments = self.due.get(one.label, {})
        due = [number for number in moments if number <= len(one.calls)]
        for number in due:
            moment = moments[number]
            if moment != self.die_with_create or (call.method, call.path) == ("POST", one.protocol.path):
                del moments[number]
                moment(one, call)

    def meddle(self, _one: Checkout, _call: Call) -> None:
        """Somebody edits, annotates, deletes or adds an assistant in the middle of a run."""
        for told in self.oracle.at_once:
            told.meddled = True
        hands = self.hands
        self.dice.choice((hands.scribble, hands.scribble, hands.note, hands.remove_any, hands.add_stranger))(DURING)

    def jump(self, one: Checkout, _call: Call) -> None:
        ahead = self.jumped(one)
        self.hands.tally.note(f"the clock set {'ahead' if ahead else 'back'} during a run")

    def jumped(self, one: Checkout) -> bool:
        """Set the machine's clock; return whether ahead."""
        seconds = self.dice.choice((3600.0, -3600.0, 60.0))
        one.clock.jumped += seconds
        if seconds > 0:
            self.oracle.ahead.append(one.clock.now)
        self.hands.say(f"{one.label}: the clock jumps {seconds} s")
        return seconds > 0

    def interrupt(self, one: Checkout, _call: Call) -> None:
        if one.last_ports is not None:
            one.last_ports.stop.set()
            self.hands.tally.note("interrupted")
            self.hands.say(f"{one.label} is interrupted")

    def die_with_create(self, one: Checkout, call: Call) -> None:
        """Kill the process; its request arrives all the same."""
        self.hands.say(f"{one.label} dies while {call.json['name']} is on its way")
        self.hands.tally.note("killed with a create on its way, which arrived")
        self.on_their_way.add(asyncio.create_task(self.arrive(one, call)))
        one.kill_at = 1
        raise Killed

    async def arrive(self, one: Checkout, call: Call) -> None:
        await one.clock.sleep(0.5 * self.settle)
        one.vendor.answer(call, one.label)
