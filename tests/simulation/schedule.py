"""Random schedules against the real engine: faults, foreign hands, kills and a clock, and an oracle that watches.

A seed decides everything. `run(seed)` raises `Violation` with what was broken; the same seed breaks it again.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

from tests.engine.world import Killed, World, code, definition
from trueup.core.call import Call
from trueup.core.definition import Definition
from trueup.core.errors import EndpointError, Exit, RefusedError
from trueup.core.plan import WRITES
from trueup.core.stamp import KEY
from trueup.local.faults import Fault, Kind

NAMES = ("a", "b", "c", "d/e")
TOUCHED_BY_HAND = "note"


class Violation(AssertionError):
    """A promise was broken."""


def run(seed: int) -> None:
    """One whole story. Raises `Violation`."""
    Story(seed).tell()


class Story:
    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.world = World(seed=seed)
        self.world.with_target(
            parallelism=self.dice.choice((1, 2, 8)),
            settle=self.dice.choice((2.0, 10.0)),
            max_retries=self.dice.choice((0, 1, 3)),
        )
        self.log: list[str] = []
        self.doubled = False  # a fault or a foreign hand made a twin on purpose
        self.hand: dict[str, str] = {}  # id -> the undeclared note somebody wrote

    def say(self, text: str) -> None:
        self.log.append(text)

    def broken(self, why: str) -> Violation:
        return Violation(why + "\n  " + "\n  ".join(self.log))

    # --- the story

    def tell(self) -> None:
        for name in self.dice.sample(NAMES, self.dice.randint(1, len(NAMES))):
            self.world.definitions[name] = self.some(name)
        for _ in range(self.dice.randint(1, 4)):
            self.troubled_apply()
            for _ in range(self.dice.randint(0, 2)):
                self.dice.choice((self.edit_file, self.edit_live, self.note_live, self.add_file))()
        self.calm_down()

    def some(self, name: str) -> Definition:
        body: dict[str, Any] = {"instructions": f"v{self.dice.randint(0, 9)}"}
        if self.dice.random() < 0.5:
            body["metadata"] = {"team": self.dice.choice("xyz")}
        if self.dice.random() < 0.3:
            body["tools"] = [{"type": "code_interpreter"}]
        if self.dice.random() < 0.3:
            body["temperature"] = self.dice.choice((0.1, 0.7, 1))
        return definition(name, **body)

    def edit_file(self) -> None:
        if self.world.definitions:
            name = self.dice.choice(sorted(self.world.definitions))
            self.world.definitions[name] = self.some(name)
            self.say(f"file {name} edited")

    def add_file(self) -> None:
        name = self.dice.choice(NAMES)
        self.world.definitions[name] = self.some(name)
        self.say(f"file {name} written")

    def edit_live(self) -> None:
        live = sorted(self.world.live())
        if live:
            live_id = self.dice.choice(live)
            self.world.edit(live_id, instructions=f"hand {self.dice.randint(0, 9)}")
            self.say(f"live {live_id} drifted")

    def note_live(self) -> None:
        live = self.world.live()
        if live:
            live_id = self.dice.choice(sorted(live))
            note = f"n{self.dice.randint(0, 99)}"
            self.world.edit(live_id, metadata={**live[live_id]["metadata"], TOUCHED_BY_HAND: note})
            self.hand[live_id] = note
            self.say(f"live {live_id} noted {note}")

    def trouble(self) -> Fault:
        kind = self.dice.choice(
            (Kind.ANSWER, Kind.ANSWER, Kind.DROP, Kind.DROP, Kind.HTML, Kind.REDIRECT, Kind.REFUSE, Kind.CUT, Kind.PASS)
        )
        settle = self.world.target.settle
        status = self.dice.choice((200, 408, 409, 429, 500, 502, 503, 400, 404))
        clear = kind in (Kind.ANSWER, Kind.HTML) and status in (400, 404)  # a clear no is never carried out
        return Fault(
            kind=kind,
            method=self.dice.choice(("", "POST", "GET")),
            nth=self.dice.randint(1, 8),
            times=self.dice.choice((1, 1, 2, 5)),
            status=status,
            commit=not clear and self.dice.random() < 0.5,
            late=0.0 if clear else self.dice.choice((0.0, 0.0, 0.5 * settle)),
            delay=self.dice.choice((0.0, 0.0, 0.3, 12.0)),
            headers=self.dice.choice(({}, {"retry-after": "2"})),
        )

    def troubled_apply(self) -> None:
        self.world.faults.clear()
        for _ in range(self.dice.randint(0, 3)):
            fault = self.trouble()
            self.world.faults.add(fault)
            self.say(f"fault {fault}")
        self.world.kill_at = self.dice.choice((0, 0, self.dice.randint(1, 60)))
        options: dict[str, Any] = {"on_drift": self.dice.choice(("refuse", "refuse", "revert"))}
        self.say(f"apply {options} kill_at={self.world.kill_at}")
        try:
            report = self.world.apply(**options)
            self.say(f"  ended {code(report)!r} {[(o.name, o.result.value, o.message) for o in report.outcomes]}")
        except Killed:
            self.say("  killed")
        except (EndpointError, RefusedError) as error:
            self.say(f"  {error}")
        self.world.kill_at = 0
        self.check_no_twins()
        self.check_notes()
        self.world.state()

    # --- the oracle

    def check_no_twins(self) -> None:
        count: Counter[str] = Counter()
        for entry in self.world.live().values():
            text = entry["metadata"].get(KEY)
            if text:
                count[json.loads(text)["n"]] += 1
        doubled = [name for name, number in count.items() if number > 1]
        if doubled:
            raise self.broken(f"twins of {doubled}")

    def check_notes(self) -> None:
        live = self.world.live()
        for live_id, note in self.hand.items():
            if live_id in live and live[live_id]["metadata"].get(TOUCHED_BY_HAND) != note:
                raise self.broken(f"the undeclared note on {live_id} was lost")

    def calm_down(self) -> None:
        """Without trouble two applies are enough, and then everything is as the files say."""
        self.world.faults.clear()
        for _ in range(2):
            report = self.world.apply(on_drift="revert")
            self.say(f"calm apply {code(report)!r} {[(o.name, o.result.value, o.message) for o in report.outcomes]}")
        plan = self.world.plan()
        if any(change.action in WRITES or change.others for change in plan.changes) or plan.changes:
            raise self.broken(f"does not converge: {[(c.name, c.action, c.reason, c.message) for c in plan.changes]}")
        if code(report) is not Exit.OK:
            raise self.broken(f"ends with {code(report)!r}")
        before = len(self.world.writes)
        self.world.apply()
        if len(self.world.writes) != before:
            raise self.broken("the second run was not empty")
        self.check_no_twins()
        self.check_notes()
        self.check_as_the_files_say()

    def check_as_the_files_say(self) -> None:
        live = self.world.live()
        for name, wanted in self.world.definitions.items():
            found = live[self.world.state().records[name].id]
            if found["instructions"] != wanted.body["instructions"] or found["name"] != wanted.body["name"]:
                raise self.broken(f"{name} is not as its file says")


def writes_of(calls: list[Call]) -> list[Call]:
    return [call for call in calls if call.method != "GET"]
