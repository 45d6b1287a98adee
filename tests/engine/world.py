"""A whole world in memory for the engine: the embedded vendor, a clock that only moves when told, state and journal.

`World.apply` is what the command does, without files: refresh, plan, execute, save. `kill_at` ends it at the n-th
outside step, as a power cut would: what was journaled by then is all that is left.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tests.protocols import Protocol, current
from trueup.core.call import Call, Reply, read_only
from trueup.core.canonical import DIGEST_RULES
from trueup.core.definitions.definition import Definition, Ignore, Lifecycle
from trueup.core.errors import Exit, TrueupError, worst
from trueup.core.memory.journal import Entry, fold, from_line, list_pending, to_line
from trueup.core.memory.state import State
from trueup.core.memory.state_codec import decode, encode
from trueup.core.plans.exits import collect_codes
from trueup.core.plans.plan import Options, Plan
from trueup.core.plans.report import Report, Result
from trueup.core.projects.project import Target
from trueup.engine.apply import SavedPlanMatch, execute, is_idle, match_saved_plan
from trueup.engine.facts import DesiredState
from trueup.engine.plan import Planning, make_plan
from trueup.engine.ports import Ports
from trueup.engine.refresh import refresh
from trueup.engine.request_runner import Pace, RequestRunner
from trueup.local.faults import Fault, Faults
from trueup.local.server import EmbeddedServer
from trueup.wire.base import Adapter
from trueup.wire.registry import adapter_for, identity_of

START = 1_800_000_000.0


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Clock:
    """Time that passes only when everybody sleeps: the earliest sleeper wakes and takes the clock with it."""

    now: float = START
    jumped: float = 0.0  # what somebody did to the machine's clock, in seconds
    sleepers: list[tuple[float, object]] = field(default_factory=list)
    stirring: int = 0  # turns of the loop that whoever woke last has to act in, before the next one wakes

    def wall(self) -> float:
        return self.now + self.jumped

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        me = (self.now + max(0.0, seconds), object())
        self.sleepers.append(me)
        try:
            for _ in range(20):
                await asyncio.sleep(0)  # whoever can act without waiting acts first
            while min(self.sleepers, key=lambda sleeper: sleeper[0]) is not me or self.stirring:
                if self.sleepers[0] is me:
                    self.stirring = max(0, self.stirring - 1)
                await asyncio.sleep(0)
            self.now, self.stirring = max(self.now, me[0]), 6
        finally:
            self.sleepers.remove(me)


def definition(name: str, /, *, protect: bool | None = None, ignore: Sequence[str] = (), **body: Any) -> Definition:
    """Return a resolved definition in the current protocol; `model` and the display name are those of the loader."""
    full = {"name": name.rsplit("/", 1)[-1], "model": "gpt-4o", **body}
    lifecycle = Lifecycle(protect, tuple(map(Ignore, ignore)))
    return Definition(name, full, f"assistants/{name}.yaml", lifecycle=lifecycle, protocol=current().name)


def fleet(*definitions: Definition) -> dict[str, Definition]:
    return {entry.name: entry for entry in definitions}


@dataclass
class World:
    """One project, one target, one vendor, in the protocol that is spoken when it is made."""

    protocol: Protocol = field(default_factory=current)
    target: Target = field(default_factory=lambda: current().target(base_url="http://127.0.0.1:1/v1", settle=5.0))
    definitions: dict[str, Definition] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    targets: frozenset[str] = frozenset({"prod"})
    left_out: frozenset[str] = frozenset()
    clock: Clock = field(default_factory=Clock)
    server: EmbeddedServer = field(init=False)
    state_text: str = ""
    journal_lines: list[str] = field(default_factory=list)
    backups: list[tuple[str, str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    kill_at: int = 0
    steps: int = 0
    seed: int = 0
    before_call: Callable[[Call], None] | None = None

    def __post_init__(self) -> None:
        self.faults = Faults(sleep=self.clock.sleep)
        count = iter(range(1, 1_000_000))
        self.server = self.protocol.server(
            ":memory:", clock=lambda: self.clock.now, ids=lambda: self.protocol.id_of(f"{next(count):06}")
        )

    # --- the outside

    def step(self) -> None:
        self.steps += 1
        if self.kill_at and self.steps >= self.kill_at:
            raise Killed

    async def send(self, call: Call) -> Reply:
        self.step()
        if self.before_call is not None:
            self.before_call(call)
        self.calls.append(call)
        reply = await self.faults.wrap(self.answer)(call)
        self.step()
        return reply

    async def answer(self, call: Call) -> Reply:
        """Return what stands behind the faults."""
        return await self.server.send(call)

    async def journal(self, entry: Entry) -> None:
        self.step()
        self.journal_lines.append(to_line(entry))
        await asyncio.sleep(0)
        self.step()

    # --- what a person does behind the tool's back

    def live(self) -> dict[str, dict[str, Any]]:
        """All live assistants by id, as the server answers them."""
        found: dict[str, dict[str, Any]] = {}
        after = ""
        while True:
            query = {"limit": "100", "order": "asc", **({"after": after} if after else {})}
            page = self.server.answer(Call("GET", self.protocol.path, query)).json
            found.update({entry["id"]: entry for entry in page["data"]})
            if not page["has_more"]:
                return found
            after = page["last_id"]

    def edit(self, live_id: str, **body: Any) -> None:
        reply = self.server.answer(Call("POST", self.protocol.path_of(live_id), json=body))
        assert reply.status == 200, reply

    def add(self, **body: Any) -> str:
        reply = self.server.answer(Call("POST", self.protocol.path, json={"model": "gpt-4o", **body}))
        assert reply.status == 200, reply
        return str(reply.json["id"])

    def remove(self, live_id: str) -> None:
        assert self.server.answer(Call("DELETE", self.protocol.path_of(live_id))).status == 200

    def id_of(self, name: str) -> str:
        return self.state().records[name].id

    def id_for(self, name: str) -> str:
        """Return the id of the live assistant with this display name."""
        return next(live_id for live_id, entry in self.live().items() if entry["name"] == name)

    # --- what the command does

    @property
    def writes(self) -> list[Call]:
        return [call for call in self.calls if call.method != "GET"]

    def entries(self) -> list[Entry]:
        return [from_line(line) for line in self.journal_lines]

    def state(self) -> State:
        identity = identity_of(self.target)
        if self.target.state == "stamps":
            return State(identity, DIGEST_RULES, pending=list_pending(self.entries()))
        state = decode(self.state_text, identity, "state") if self.state_text else State(identity, DIGEST_RULES)
        return fold(state, self.entries())

    def save(self, state: State) -> None:
        self.step()
        if self.target.state == "stamps":
            self.journal_lines = [] if not state.pending else self.journal_lines
            return
        self.state_text = encode(state)
        self.step()
        self.journal_lines = []

    @property
    def is_folded(self) -> bool:
        """Whether no line of an earlier run waits in the journal."""
        return not self.journal_lines

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the target's lock; in memory there is nobody to keep away."""
        yield

    @contextmanager
    def journaled(self) -> Iterator[Callable[[Entry], Awaitable[None]]]:
        """Return the journal while it is open."""
        yield self.journal

    def backup(self, name: str, kind: str, body: object) -> None:
        self.backups.append((name, kind, body))

    def adapter(self) -> Adapter:
        return adapter_for(self.target)

    def desired(self, options: Options) -> DesiredState:
        return DesiredState(
            target=self.target,
            identity=identity_of(self.target),
            definitions=self.definitions,
            names=frozenset(self.definitions) | self.left_out,
            targets=self.targets,
            options=options,
            moved=self.moved,
            released=frozenset(self.released),
        )

    def ports(self) -> Ports:
        return Ports(
            send=self.send,
            clock=self.clock,
            journal=self.journal,
            backup=lambda name, kind, body: self.backup(name, kind, body),
            random=random.Random(self.seed),
        )

    async def _plan(self, options: Options, runner: RequestRunner) -> Planning:
        adapter, state = self.adapter(), self.state()
        by_age = sorted(state.records.values(), key=lambda record: record.created_at)
        ids = [*(record.id for record in by_age), *(entry.id for entry in state.pending.values())]
        view = await refresh(adapter, runner, filter(None, ids))
        return make_plan(self.desired(options), state, view, adapter)

    def runner(self, ports: Ports) -> RequestRunner:
        return RequestRunner(ports, Pace(self.target.parallelism, self.target.rate_limit, self.target.max_retries))

    def plan(self, **options: Any) -> Plan:
        return asyncio.run(self.planning(**options))

    async def _apply(self, options: Options, promised: Plan | None) -> Report:
        ports = self.ports()
        runner = self.runner(ports)
        with self.locked():
            waits = [entry.since for entry in self.state().pending.values()]
            if waits:
                left = max(waits) + self.target.settle - self.clock.wall()
                await runner.pause(min(left, self.target.settle))
            loaded = self.state()
            planning = await self._plan(options, runner)
            if self.target.state == "file" and (planning.state != loaded or not self.is_folded):
                self.save(planning.state)
            return await self._executed(planning, runner, promised)

    async def _executed(self, planning: Planning, runner: RequestRunner, promised: Plan | None) -> Report:
        meeting = match_saved_plan(promised, planning) if promised is not None else SavedPlanMatch(planning.plan, (), 0)
        if is_idle(meeting.plan):
            refused = any(outcome.result is Result.REFUSED for outcome in meeting.outcomes)
            codes = collect_codes(meeting.plan) | ({Exit.HELD} if refused else set())
            return Report(meeting.plan, meeting.outcomes, tuple(codes), meeting.only_fresh)
        with self.journaled() as journal:
            runner.ports.journal = journal
            report, state = await execute(
                planning,
                meeting.plan,
                self.adapter(),
                runner,
                self.target,
                lambda _name, _path: None,
                meeting.outcomes,
                meeting.only_fresh,
            )
            try:
                self.save(state)
            except TrueupError as error:
                problems = (*report.problems, f"{error.message} {error.hint}")
                return replace(report, problems=problems, codes=(*report.codes, error.exit))
            return report

    def apply(self, promised: Plan | None = None, **options: Any) -> Report:
        return asyncio.run(self.applying(promised, **options))

    async def applying(self, promised: Plan | None = None, **options: Any) -> Report:
        """`apply` inside a loop that goes on: what is late still comes."""
        self.steps = 0
        return await self._apply(Options(**options), promised)

    async def planning(self, **options: Any) -> Plan:
        ports = self.ports()
        ports.send = read_only(self.send)
        return (await self._plan(Options(**options), self.runner(ports))).plan

    def settle_faults(self) -> None:
        asyncio.run(self.faults.settle())

    def fail(self, **fault: Any) -> None:
        self.faults.add(Fault(**fault))

    def with_target(self, **changes: Any) -> World:
        self.target = replace(self.target, **changes)
        return self


def code(report: Report) -> Exit:
    return worst(report.codes)


def results(report: Report) -> Mapping[str, str]:
    return {outcome.name: outcome.result.value for outcome in report.outcomes}


def actions(plan: Plan) -> Mapping[str, str]:
    return {change.name: change.action.value for change in plan.changes}
