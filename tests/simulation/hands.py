"""What people do in a schedule: they edit files and live assistants, lose state, and follow the hints of messages.

Keeps what hands changed live, for the oracle: it must stay. Knows the engine only where a hint names its command.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from tests.engine.world import definition
from tests.protocols import current
from tests.simulation.checkout import Checkout
from tests.simulation.tally import Tally
from tests.simulation.vendor import Habit, Vendor
from trueup.core.call import Call, Reply
from trueup.core.definitions.definition import Definition
from trueup.engine.facts import read_stamps
from trueup.engine.refresh import View
from trueup.engine.takeover import make_link_record, rebuild_records
from trueup.wire.registry import identity_of

NAMES = ("a", "b", "c", "d/e")
NOTE = "note"
STRANGER = "somebody else's"
BETWEEN, DURING = "between runs", "during a run"


@dataclass
class Hands:
    """`notes` are undeclared values by id and field, `drifts` instructions by id: what hands wrote and must stay.

    `strangers` are the bodies of assistants that are nobody's business here; `removed` the ids that hands deleted.
    """

    dice: random.Random
    vendor: Vendor
    log: list[str]
    tally: Tally
    notes: dict[tuple[str, str], Any] = field(default_factory=dict)
    drifts: dict[str, str] = field(default_factory=dict)
    strangers: dict[str, dict[str, Any]] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)

    def say(self, text: str) -> None:
        self.log.append(text)

    # --- files

    def some(self, name: str) -> Definition:
        """Return a definition of any content."""
        body: dict[str, Any] = {"instructions": f"{name} v{self.dice.randint(0, 9)}"}
        if self.dice.random() < 0.2:
            body["instructions"] = f"  {body['instructions']}  and  more "
        if self.dice.random() < 0.5:
            body["metadata"] = {"team": self.dice.choice("xyz")}
        if self.dice.random() < 0.3:
            body["tools"] = current().tools[:1]
        if self.dice.random() < 0.3:
            body[current().scalar] = self.dice.choice((*current().values[:2], current().default))
        return definition(name, **body)

    def write_files(self, checkout: Checkout) -> None:
        for name in self.dice.sample(NAMES, self.dice.randint(1, len(NAMES))):
            checkout.definitions[name] = self.some(name)

    def edit_file(self, checkout: Checkout) -> None:
        if checkout.definitions:
            name = self.dice.choice(sorted(checkout.definitions))
            checkout.definitions[name] = self.some(name)
            self.tally.note("a file edited, added or removed")
            self.say(f"{checkout.label}: file {name} edited: {checkout.definitions[name].body}")

    def add_file(self, checkout: Checkout) -> None:
        name = self.dice.choice(NAMES)
        checkout.definitions[name] = self.some(name)
        self.tally.note("a file edited, added or removed")
        self.say(f"{checkout.label}: file {name} written")

    def remove_file(self, checkout: Checkout) -> None:
        if len(checkout.definitions) > 1:
            name = self.dice.choice(sorted(checkout.definitions))
            del checkout.definitions[name]
            self.tally.note("a file edited, added or removed")
            self.say(f"{checkout.label}: file {name} removed")

    # --- live

    def some_live(self) -> str:
        """Return the id of any live assistant that may be managed, empty if there is none."""
        live = sorted(self.vendor.live().keys() - self.strangers.keys())
        return self.dice.choice(live) if live else ""

    def scribble(self, when: str) -> None:
        """Change a declared field; in the middle of a run that may come too late to be seen, and may be lost."""
        live_id, text = self.some_live(), f"hand {self.dice.randint(0, 9)}"
        if live_id:
            self._edit(live_id, instructions=text)
            self.drifts.pop(live_id, None)
            if when is BETWEEN:
                self.drifts[live_id] = text
            self.tally.note(f"a declared field edited at the vendor, {when}")
            self.say(f"live {live_id} drifted {when}")

    def note(self, when: str) -> None:
        """Write what no file declares; a metadata key that comes in the middle of a run may be lost."""
        live_id, number = self.some_live(), self.dice.randint(0, 99)
        if not live_id:
            return
        values = {**current().unsaid(number), NOTE: f"n{number}"}
        unsaid = tuple(current().sample.unsaid)
        key = self.dice.choice(unsaid if self.vendor.habit is Habit.DROPS else (*unsaid, NOTE, NOTE))
        value = values[key]
        if key == NOTE:
            self._edit(live_id, metadata={**self.vendor.live()[live_id]["metadata"], NOTE: value})
        else:
            self._edit(live_id, **{key: value})
        self.notes[live_id, key] = value
        if key == NOTE and when is DURING:
            del self.notes[live_id, key]
        self.tally.note(f"an undeclared field written at the vendor, {when}")
        self.say(f"live {live_id} noted {key} {value} {when}")

    def remove(self, live_id: str) -> None:
        """Delete an assistant at the vendor."""
        reply = self.vendor.answer(Call("DELETE", current().path_of(live_id)))
        assert reply.status == 200, reply
        self.notes = {key: text for key, text in self.notes.items() if key[0] != live_id}
        self.drifts.pop(live_id, None)
        self.removed.add(live_id)

    def remove_any(self, when: str) -> None:
        live_id = self.some_live()
        if live_id:
            self.remove(live_id)
            self.tally.note(f"an assistant deleted at the vendor, {when}")
            self.say(f"live {live_id} deleted outside {when}")

    def add_stranger(self, when: str) -> None:
        """Somebody else makes an assistant that no file and no stamp speaks of."""
        live_id = self._post(model="gpt-4o", name=STRANGER, instructions="not yours", metadata={"team": "other"})
        self.strangers[live_id] = self.vendor.live()[live_id]
        self.tally.note(f"somebody else's assistant made, {when}")
        self.say(f"live {live_id} is somebody else's, made {when}")

    def copy_any(self) -> None:
        """Somebody copies an assistant with all its metadata, the stamp too."""
        live_id = self.some_live()
        if live_id:
            body = self.vendor.server.answer(Call("GET", current().path_of(live_id))).json
            kept = ("name", "model", "instructions", "tools", current().scalar, "metadata")
            copy = self._post(**{key: body[key] for key in kept})
            self.tally.note("an assistant copied with its stamp")
            self.say(f"live {live_id} copied as {copy}")

    def _post(self, **body: Any) -> str:
        reply = self.vendor.answer(Call("POST", current().path, json=body))
        assert reply.status == 200, reply
        return str(reply.json["id"])

    def _edit(self, live_id: str, **body: Any) -> None:
        reply = self.vendor.answer(Call("POST", current().path_of(live_id), json=body))
        assert reply.status == 200, reply

    # --- memory, and what hints say

    def lose_state(self, checkout: Checkout) -> None:
        checkout.remember("")
        self.tally.note("state and journal lost")
        self.say(f"{checkout.label}: state lost")

    def rebuild(self, checkout: Checkout, names: frozenset[str] = frozenset()) -> None:
        """`trueup state rebuild [NAME…]`: records from the stamps, damaged files set aside."""
        checkout.mend()
        identity = identity_of(checkout.target)
        known = read_stamps(self._view(checkout), checkout.adapter())
        checkout.set_state(rebuild_records(checkout.state(), identity, known, names).state)
        self.say(f"{checkout.label}: state rebuild {sorted(names)}")

    def link(self, checkout: Checkout, name: str, live_id: str) -> None:
        """`trueup import NAME=ID`."""
        state, seen = checkout.state(), read_stamps(self._view(checkout), checkout.adapter())[live_id]
        record = make_link_record(checkout.definitions[name], seen, checkout.adapter())
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
