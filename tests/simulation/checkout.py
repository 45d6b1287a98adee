"""One writer: its definitions, its memory, its process. In memory, or with the real store on a disk that fails.

Drives the real engine as the command does (`tests.engine.world`); knows the vendor only by its answers.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.engine.world import START, Clock, World
from tests.simulation.disk import Disk, kind
from tests.simulation.vendor import Vendor
from trueup.core.call import Call, Reply
from trueup.core.errors import StateError
from trueup.core.memory.journal import Entry
from trueup.core.memory.state import State
from trueup.core.memory.state_codec import encode
from trueup.core.plans.plan import Plan
from trueup.core.plans.plan_codec import dumps, loads
from trueup.edge.artifacts import read_plan, write_plan
from trueup.edge.state.store import Store, set_damaged_aside
from trueup.engine.ports import Ports
from trueup.local.faults import Faults
from trueup.wire.base import Adapter
from trueup.wire.registry import adapter_for, identity_of

Passing = Callable[["Checkout", Call], Awaitable[None]]
"""What happens to a request before it arrives."""


BEFORE, UNDER_WAY = "killed before a request left", "killed while a request was under way or answered"


@dataclass(slots=True)
class Mortal:
    """A clock for a process that may die while it waits."""

    clock: Clock
    step: Callable[[str], None]

    def wall(self) -> float:
        return self.clock.wall()

    def monotonic(self) -> float:
        return self.clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        self.step("killed while waiting")
        await self.clock.sleep(seconds)
        self.step("killed while waiting")


class Checkout(World):
    """A writer whose memory is in memory. `page_size` is the most items that it asks a page for."""

    label: str
    vendor: Vendor
    passing: Passing
    page_size = 100
    saved_plan = ""
    reads: dict[str, float]
    stale: list[str]
    at = BEFORE  # where the process is, in the words of the tally
    last_ports: Ports | None = None
    is_saved = False  # the last run ended, and said nothing of a problem

    def join(self, label: str, vendor: Vendor, faults: Faults, passing: Passing) -> None:
        """Comes to a vendor that others may use too."""
        self.label, self.vendor, self.faults, self.passing = label, vendor, faults, passing
        self.server.close()
        self.clock, self.server = vendor.clock, vendor.server
        self.reads, self.stale = {}, []

    @property
    def is_dead(self) -> bool:
        """Whether this run's process was killed."""
        return bool(self.kill_at) and self.steps >= self.kill_at

    # --- its process

    def step(self, at: str = "") -> None:
        """Pass a moment at which the process may die, and note where that is."""
        self.stand(at or self.at)
        super().step()

    def stand(self, at: str) -> None:
        """Where the process is; the dead stay where they died."""
        if not self.is_dead:
            self.at = at

    async def send(self, call: Call) -> Reply:
        """Send a request, and note which reads a write rests on."""
        live_id, now = call.path.rsplit("/", 1)[-1], self.clock.now
        if call.method != "GET" and call.path != self.protocol.path and now - self.reads.get(live_id, START) > 10.0:
            self.stale.append(f"{call.method} {call.path}: read {now - self.reads.get(live_id, START):.1f} s ago")
        self.vendor.expect(call, self.label)
        self.stand(BEFORE)
        self.before_call = self.left
        await self.passing(self, call)
        reply = await super().send(call)
        body = reply.json if isinstance(reply.json, dict) else {}
        if call.method == "GET" and reply.status == 200:
            items = body["data"] if isinstance(body.get("data"), list) else [body]
            ids = [item["id"] for item in items if "id" in item]
            self.reads.update(dict.fromkeys(ids, self.clock.now))
            self.vendor.arrive(self.label, frozenset(ids))
        return reply

    def left(self, _call: Call) -> None:
        """Note that the request is on its way."""
        self.stand(UNDER_WAY)

    async def answer(self, call: Call) -> Reply:
        return self.vendor.answer(call, self.label)

    def ports(self) -> Ports:
        self.last_ports = super().ports()
        self.last_ports.clock = Mortal(self.clock, self.step)
        return self.last_ports

    async def journal(self, entry: Entry) -> None:
        self.stand("killed at a line of the journal (memory)")
        await super().journal(entry)

    def save(self, state: State) -> None:
        self.stand("killed at the state (memory)")
        super().save(state)

    def adapter(self) -> Adapter:
        adapter = adapter_for(self.target)
        adapter.dialect = replace(adapter.dialect, page_size=self.page_size)
        return adapter

    def live(self) -> dict[str, dict[str, Any]]:
        return self.vendor.live()

    # --- what a person does with its memory

    def remembered(self) -> str:
        """Return the state file's text."""
        return self.state_text

    def remember(self, text: str) -> None:
        """Write a state file, and remove the journal."""
        self.state_text, self.journal_lines = text, []

    def set_state(self, state: State) -> None:
        self.remember(encode(state))

    def mend(self) -> None:
        """Do the first half of `state rebuild`: move aside what is damaged."""

    # --- a saved plan

    def save_plan(self, plan: Plan) -> None:
        self.saved_plan = dumps(plan)

    def plan_text(self) -> str:
        """Return what the plan file holds, empty if there is none."""
        return self.saved_plan

    def put_plan_text(self, text: str) -> None:
        """Write the plan file as a person would."""
        self.saved_plan = text

    def read_saved_plan(self) -> Plan:
        """Return the plan file as apply reads it. Raises TrueupError."""
        return loads(self.saved_plan)

    def leave(self) -> None:
        """Close the checkout for good."""
        self.server.close()


class OnDisk(Checkout):
    """A writer whose state, journal, backups and plan are files, written by the code that writes yours."""

    disk: Disk

    @property
    def root(self) -> Path:
        return self.disk.root

    def disk_step(self) -> None:
        """Pass a moment at which the process may die: just before or after a change of its disk."""
        self.step(f"{kind(self.disk.at)}: killed at it")

    @property
    def store(self) -> Store:
        return Store(self.root, self.target, identity_of(self.target), self.clock.wall)

    @property
    def plan_path(self) -> Path:
        return self.root / "change.plan"

    def state(self) -> State:
        return self.store.load()

    def save(self, state: State) -> None:
        self.store.save(state)

    @property
    def is_folded(self) -> bool:
        return self.store.is_folded

    @contextmanager
    def locked(self) -> Iterator[None]:
        with self.store.lock():
            yield

    @contextmanager
    def journaled(self) -> Iterator[Callable[[Entry], Awaitable[None]]]:
        journal = self.store.open_journal()
        try:
            yield journal.append
        finally:
            journal.close()

    def backup(self, name: str, kind: str, body: object) -> None:
        self.store.backup(name, kind, body)

    def remembered(self) -> str:
        path = self.store.state_path
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def remember(self, text: str) -> None:
        with self.disk.in_peace():
            self.store.journal_path.unlink(missing_ok=True)
            if text:
                self.store.save(State(identity_of(self.target), 0))
                self._write(self.store.state_path, text)
            else:
                self.store.state_path.unlink(missing_ok=True)

    def mend(self) -> None:
        with self.disk.in_peace():
            try:
                self.store.load()
            except StateError:
                set_damaged_aside(self.store)

    def save_plan(self, plan: Plan) -> None:
        write_plan(self.plan_path, plan)

    def plan_text(self) -> str:
        return self.plan_path.read_text(encoding="utf-8") if self.plan_path.exists() else ""

    def put_plan_text(self, text: str) -> None:
        with self.disk.in_peace():
            self._write(self.plan_path, text)

    def read_saved_plan(self) -> Plan:
        return read_plan(self.plan_path.parent, self.plan_path.name)

    def leave(self) -> None:
        super().leave()
        self.disk.is_off = True
        shutil.rmtree(self.root)

    def _write(self, path: Path, text: str) -> None:
        """Write as an editor does, through the system that the disk watches."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.ftruncate(descriptor, 0)
        if text:
            os.write(descriptor, text.encode())
        os.close(descriptor)
