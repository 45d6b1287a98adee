"""What people do in a schedule: they edit files and live assistants, lose state, and follow the hints of messages.

Keeps what hands changed live, for the oracle: it must stay. Knows the engine only where a hint names its command.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from tests.engine.world import definition
from tests.simulation.checkout import Checkout
from tests.simulation.vendor import Habit, Vendor
from trueup.core.call import Call, Reply
from trueup.core.definitions.definition import Definition
from trueup.engine.facts import seen_in
from trueup.engine.link import linked
from trueup.engine.rebuild import rebuilt
from trueup.engine.refresh import View
from trueup.wire.adapters import identity_of

NAMES = ("a", "b", "c", "d/e")
NOTE = "note"


@dataclass
class Hands:
    """`notes` are undeclared values by id and field, `drifts` instructions by id: what hands wrote and must stay."""

    dice: random.Random
    vendor: Vendor
    log: list[str]
    notes: dict[tuple[str, str], str] = field(default_factory=dict)
    drifts: dict[str, str] = field(default_factory=dict)

    def say(self, text: str) -> None:
        self.log.append(text)

    # --- files

    def some(self, name: str) -> Definition:
        """A definition of any content."""
        body: dict[str, Any] = {"instructions": f"{name} v{self.dice.randint(0, 9)}"}
        if self.dice.random() < 0.2:
            body["instructions"] = f"  {body['instructions']}  and  more "
        if self.dice.random() < 0.5:
            body["metadata"] = {"team": self.dice.choice("xyz")}
        if self.dice.random() < 0.3:
            body["tools"] = [{"type": "code_interpreter"}]
        if self.dice.random() < 0.3:
            body["temperature"] = self.dice.choice((0.1, 0.7, 1))
        return definition(name, **body)

    def write_files(self, checkout: Checkout) -> None:
        for name in self.dice.sample(NAMES, self.dice.randint(1, len(NAMES))):
            checkout.definitions[name] = self.some(name)

    def edit_file(self, checkout: Checkout) -> None:
        if checkout.definitions:
            name = self.dice.choice(sorted(checkout.definitions))
            checkout.definitions[name] = self.some(name)
            self.say(f"{checkout.label}: file {name} edited: {checkout.definitions[name].body}")

    def add_file(self, checkout: Checkout) -> None:
        name = self.dice.choice(NAMES)
        checkout.definitions[name] = self.some(name)
        self.say(f"{checkout.label}: file {name} written")

    def remove_file(self, checkout: Checkout) -> None:
        if len(checkout.definitions) > 1:
            name = self.dice.choice(sorted(checkout.definitions))
            del checkout.definitions[name]
            self.say(f"{checkout.label}: file {name} removed")

    # --- live

    def some_live(self) -> str:
        """The id of any live assistant, empty if there is none."""
        live = sorted(self.vendor.live())
        return self.dice.choice(live) if live else ""

    def scribble(self, *, is_seen: bool) -> None:
        """Changes a declared field; in the middle of a run it may come too late to be seen, and may be lost."""
        live_id, text = self.some_live(), f"hand {self.dice.randint(0, 9)}"
        if live_id:
            self._edit(live_id, instructions=text)
            self.drifts.pop(live_id, None)
            if is_seen:
                self.drifts[live_id] = text
            self.say(f"live {live_id} drifted")

    def note(self) -> None:
        """Writes what no file declares: a metadata key, a description."""
        live_id, text = self.some_live(), f"n{self.dice.randint(0, 99)}"
        if not live_id:
            return
        if self.vendor.habit is Habit.DROPS or self.dice.random() < 0.3:
            self._edit(live_id, description=text)
            self.notes[live_id, "description"] = text
        else:
            self._edit(live_id, metadata={**self.vendor.live()[live_id]["metadata"], NOTE: text})
            self.notes[live_id, NOTE] = text
        self.say(f"live {live_id} noted {text}")

    def remove(self, live_id: str) -> None:
        """Deletes at the vendor."""
        assert self.vendor.answer(Call("DELETE", f"/assistants/{live_id}")).status == 200
        self.notes = {key: text for key, text in self.notes.items() if key[0] != live_id}
        self.drifts.pop(live_id, None)

    def remove_any(self) -> None:
        live_id = self.some_live()
        if live_id:
            self.remove(live_id)
            self.say(f"live {live_id} deleted outside")

    def _edit(self, live_id: str, **body: Any) -> None:
        reply = self.vendor.answer(Call("POST", f"/assistants/{live_id}", json=body))
        assert reply.status == 200, reply

    # --- memory, and what hints say

    def lose_state(self, checkout: Checkout) -> None:
        checkout.remember("")
        self.say(f"{checkout.label}: state lost")

    def rebuild(self, checkout: Checkout, names: frozenset[str] = frozenset()) -> None:
        """`trueup state rebuild [NAME…]`: records from the stamps, damaged files set aside."""
        checkout.mend()
        identity = identity_of(checkout.target)
        known = seen_in(self._view(checkout))
        checkout.set_state(rebuilt(checkout.state(), identity, known, names).state)
        self.say(f"{checkout.label}: state rebuild {sorted(names)}")

    def link(self, checkout: Checkout, name: str, live_id: str) -> None:
        """`trueup import NAME=ID`."""
        state, seen = checkout.state(), seen_in(self._view(checkout))[live_id]
        record = linked(checkout.definitions[name], seen, checkout.adapter())
        records = {**state.records, name: record}
        pending = {other: entry for other, entry in state.pending.items() if other != name}
        checkout.set_state(replace(state, records=records, pending=pending))
        self.say(f"{checkout.label}: import {name}={live_id}")

    def forget(self, checkout: Checkout, *names: str) -> None:
        """`trueup state rm NAME…`."""
        state = checkout.state()
        records = {name: record for name, record in state.records.items() if name not in names}
        pending = {name: entry for name, entry in state.pending.items() if name not in names}
        checkout.set_state(replace(state, records=records, pending=pending))
        self.say(f"{checkout.label}: state rm {names}")

    def _view(self, checkout: Checkout) -> View:
        """Everything as it is; the listing is calm by now."""
        adapter = checkout.adapter()
        return View(live={key: adapter.read(Reply(200, {}, body, "")) for key, body in self.vendor.live().items()})
