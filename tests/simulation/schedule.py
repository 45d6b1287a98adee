"""Random schedules against the real engine: faults, foreign hands, kills and a clock, and an oracle that watches.

A seed decides everything. `run(seed)` raises `Violation` with what was broken; the same seed breaks it again.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any

from tests.engine.world import START, Killed, World, code, definition
from trueup.core.call import Call, Reply
from trueup.core.definition import Definition
from trueup.core.errors import EndpointError, Exit, RefusedError
from trueup.core.plan import Plan, Reason
from trueup.core.plan_codec import dumps, loads
from trueup.core.report import Report
from trueup.core.stamp import parse, record_of
from trueup.core.state_codec import encode
from trueup.local.faults import Fault, Kind

NAMES = ("a", "b", "c", "d/e")
NOTE = "note"
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
STATUSES = (200, 408, 409, 429, 500, 502, 503, 400, 404)


class Violation(AssertionError):
    """A promise was broken."""


def run(seed: int) -> None:
    """One whole story. Raises `Violation`."""
    asyncio.run(Story(seed).tell())


class Story:
    """A few troubled applies with edits between them, then calm; the oracle looks after each."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.world = World(seed=seed)
        self.world.with_target(
            parallelism=self.dice.choice((1, 2, 8)),
            settle=self.dice.choice((2.0, 10.0)),
            max_retries=self.dice.choice((0, 1, 3)),
            state=self.dice.choice(("file", "file", "file", "stamps")),
        )
        self.log: list[str] = []
        self.notes: dict[str, str] = {}
        self.old_states = [""]
        self.promised: Plan | None = None
        self.reads: dict[str, float] = {}
        self.stale: list[str] = []
        self.asked: set[str] = set()
        self.on_their_way: set[asyncio.Task[None]] = set()
        self.meddle_at = 0
        self.hands: dict[str, str] = {}
        self.dies_with_create = False
        self.other_checkout = False
        self.inner = self.world.send
        self.world.send = self.watch  # type: ignore[method-assign]

    async def watch(self, call: Call) -> Reply:
        """Every request passes here: old reads before writes are noted, and a hand may edit something meanwhile."""
        now, live_id = self.world.clock.now, call.path.rsplit("/", 1)[-1]
        if call.method != "GET" and call.path != "/assistants" and now - self.reads.get(live_id, START) > 10.0:
            self.stale.append(f"{call.method} {call.path}: read {now - self.reads.get(live_id, START):.1f} s ago")
        if self.meddle_at and len(self.world.calls) == self.meddle_at:
            self.scribble()
        if self.dies_with_create and (call.method, call.path) == ("POST", "/assistants"):
            self.say(f"dies while {call.json['name']} is on its way")
            self.on_their_way.add(asyncio.create_task(self.arrive(call)))
            self.world.kill_at = 1
            raise Killed
        reply = await self.inner(call)
        body = reply.json if isinstance(reply.json, dict) else {}
        if call.method == "GET" and reply.status == 200:
            items = body["data"] if isinstance(body.get("data"), list) else [body]
            self.reads.update({item["id"]: self.world.clock.now for item in items if "id" in item})
        return reply

    async def arrive(self, call: Call) -> None:
        """A request that outlives the process that sent it."""
        await self.world.clock.sleep(0.5 * self.world.target.settle)
        self.world.server.answer(call)

    def say(self, text: str) -> None:
        self.log.append(text)

    def broken(self, why: str) -> Violation:
        return Violation(why + "\n  " + "\n  ".join(self.log))

    # --- the story

    async def tell(self) -> None:
        for name in self.dice.sample(NAMES, self.dice.randint(1, len(NAMES))):
            self.world.definitions[name] = self.some(name)
        for _ in range(self.dice.randint(1, 4)):
            await self.troubled_apply()
            await self.world.clock.sleep(self.dice.choice((0.0, 1.0, 30.0)))
            for _ in range(self.dice.randint(0, 3)):
                happening = self.dice.choice(self.events())()
                if happening is not None:
                    await happening
        await self.calm_down()

    def events(self) -> list[Any]:
        common = [self.edit_file, self.edit_file, self.edit_live, self.note_live, self.add_file]
        return [*common, self.remove_file, self.remove_live, self.go_back, self.lose_state]

    def some(self, name: str) -> Definition:
        body: dict[str, Any] = {"instructions": f"{name} v{self.dice.randint(0, 9)}"}
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
            self.say(f"file {name} edited: {self.world.definitions[name].body}")

    def add_file(self) -> None:
        name = self.dice.choice(NAMES)
        self.world.definitions[name] = self.some(name)
        self.say(f"file {name} written")

    def remove_file(self) -> None:
        if len(self.world.definitions) > 1:
            name = self.dice.choice(sorted(self.world.definitions))
            del self.world.definitions[name]
            self.say(f"file {name} removed")

    async def edit_live(self) -> None:
        """A hand changes a declared field; whatever was still on its way has landed before."""
        await self.world.clock.sleep(self.world.target.settle)
        self.scribble()

    def scribble(self) -> None:
        live = sorted(self.world.live())
        if live:
            live_id, text = self.dice.choice(live), f"hand {self.dice.randint(0, 9)}"
            self.world.edit(live_id, instructions=text)
            if self.meddle_at:
                self.hands.pop(live_id, None)  # in the middle of a run it may come too late to be seen
            else:
                self.hands[live_id] = text
            self.say(f"live {live_id} drifted")

    def remove_live(self) -> None:
        live = sorted(self.world.live())
        if live:
            live_id = self.dice.choice(live)
            self.world.remove(live_id)
            self.notes.pop(live_id, None)
            self.hands.pop(live_id, None)
            self.say(f"live {live_id} deleted outside")

    async def note_live(self) -> None:
        """A hand writes an undeclared key; a write of ours that lands only now could not know of it."""
        await self.world.clock.sleep(self.world.target.settle)
        live = self.world.live()
        if live:
            live_id = self.dice.choice(sorted(live))
            self.notes[live_id] = f"n{self.dice.randint(0, 99)}"
            self.world.edit(live_id, metadata={**live[live_id]["metadata"], NOTE: self.notes[live_id]})
            self.say(f"live {live_id} noted {self.notes[live_id]}")

    async def go_back(self) -> None:
        """Another checkout, with an older state and no journal, comes after the vendor has settled."""
        await self.world.clock.sleep(self.world.target.settle * 2)
        self.world.state_text, self.world.journal_lines = self.dice.choice(self.old_states), []
        self.other_checkout = True
        self.say("an older checkout")

    async def lose_state(self) -> None:
        await self.world.clock.sleep(self.world.target.settle * 2)
        self.world.state_text, self.world.journal_lines = "", []
        self.say("state lost")

    def trouble(self) -> Fault:
        kind, status = self.dice.choice(TROUBLES), self.dice.choice(STATUSES)
        clear = kind in (Kind.ANSWER, Kind.HTML) and status in (400, 404)  # a clear no is never carried out
        return Fault(
            kind=kind,
            method=self.dice.choice(("", "POST", "GET", "DELETE")),
            nth=self.dice.randint(1, 8),
            times=self.dice.choice((1, 1, 2, 5)),
            status=status,
            commit=not clear and self.dice.random() < 0.5,
            late=0.0 if clear else self.dice.choice((0.0, 0.0, 0.5 * self.world.target.settle)),
            delay=self.dice.choice((0.0, 0.0, 0.3, 12.0)),
            headers=self.dice.choice(({}, {"retry-after": "2"})),
        )

    async def troubled_apply(self) -> None:
        world = self.world
        world.faults.clear()
        options: dict[str, Any] = {
            "on_drift": self.dice.choice(("refuse", "refuse", "revert")),
            "prune": self.dice.random() < 0.3,
        }
        if self.dice.random() < 0.2:
            await self.promise(options)
        for _ in range(self.dice.randint(0, 3)):
            fault = self.trouble()
            world.faults.add(fault)
            self.say(f"fault {fault}")
        world.kill_at = self.dice.choice((0, 0, self.dice.randint(1, 60)))
        self.dies_with_create = self.dice.random() < 0.1
        self.meddle_at = len(world.calls) + self.dice.choice((-1, self.dice.randint(1, 12)))
        ahead = 0.0 if world.journal_lines else 3600.0  # nobody can tell a clock set ahead from time that passed
        world.clock.jumped += self.dice.choice((0.0, 0.0, 0.0, ahead, -3600.0))
        self.say(f"apply {options} kill_at={world.kill_at} of a plan: {self.promised is not None}")
        await self.one_apply(options)
        world.kill_at, self.dies_with_create = 0, False
        self.old_states.append(world.state_text)
        self.promised = None

    async def promise(self, options: dict[str, Any]) -> None:
        """A plan is made and saved; then the files go on changing."""
        try:
            self.promised = loads(dumps(await self.world.planning(**options)))
        except (EndpointError, RefusedError) as error:
            self.say(f"no plan: {error}")
        else:
            self.edit_file()

    async def one_apply(self, options: dict[str, Any]) -> None:
        world, before = self.world, set(self.world.live())
        first = len(world.calls)
        report: Report | None = None
        try:
            report = await world.applying(self.promised, **options)
            self.say(f"  ended {code(report)!r} {[(o.name, o.result.value, o.message) for o in report.outcomes]}")
        except Killed:
            self.say("  killed")
        except (EndpointError, RefusedError) as error:
            self.say(f"  {error}")
        writes = [call for call in world.calls[first:] if call.method != "GET"]
        self.check_writes(writes, report)
        self.check_nothing_lost(before, writes, prune=bool(options["prune"]))
        self.check_twins(report)
        self.check_notes()
        self.check_hands(options)
        self.check_memory(report)
        self.meddle_at = 0
        if self.stale:
            raise self.broken(f"written on old reads: {self.stale}")
        world.state()  # readable at every moment

    # --- the oracle

    def check_writes(self, writes: list[Call], report: Report | None) -> None:
        """No write is outside the plan, nor outside the promised one."""
        for plan in [report.plan if report else None, self.promised]:
            if plan is None:
                continue
            planned = [(call.method, call.path, call.json) for change in plan.changes for call in change.calls]
            for call in writes:
                if not any(_covers(call, *one) for one in planned):
                    raise self.broken(f"{call} is in no plan")

    def check_nothing_lost(self, before: set[str], writes: list[Call], *, prune: bool) -> None:
        gone = before - set(self.world.live())
        asked = {call.path.rsplit("/", 1)[1] for call in writes if call.method == "DELETE"}
        if asked and not prune:
            raise self.broken(f"deleted without being told to: {asked}")
        self.asked |= asked  # an unclear one may land in a later run
        if gone - self.asked:
            raise self.broken(f"lost: {gone}")

    def twins(self) -> dict[str, list[str]]:
        """Ids by name, of names that several live assistants carry."""
        found: dict[str, list[str]] = {}
        for live_id, entry in self.world.live().items():
            stamp = parse(entry["metadata"])
            if stamp is not None:
                found.setdefault(stamp.name, []).append(live_id)
        return {name: ids for name, ids in found.items() if len(ids) > 1}

    def check_twins(self, report: Report | None) -> None:
        """Only a gateway that repeats can make a twin, and then the run that it happened in names both."""
        repeated = any(entry.fault == Kind.REPEAT.value for entry in self.world.faults.log)
        named = {
            live_id for outcome in (report.outcomes if report else ()) for live_id in (outcome.id, *outcome.others)
        }
        named |= {
            live_id for change in (report.plan.changes if report else ()) for live_id in (change.id, *change.others)
        }
        for name, ids in self.twins().items():
            if not repeated:
                raise self.broken(f"twins of {name}: {ids}")
            if report is not None and Exit.UNREADABLE not in report.codes and not set(ids) <= named:
                raise self.broken(f"twins of {name} are not named: {ids}")

    def check_hands(self, options: dict[str, Any]) -> None:
        """What a hand changed stays, unless we were told to revert it."""
        live = self.world.live()
        if options["on_drift"] == "revert":
            self.hands.clear()
        for live_id, text in self.hands.items():
            if live_id in live and live[live_id]["instructions"] != text:
                raise self.broken(f"the hand's edit of {live_id} was overwritten")

    def check_memory(self, report: Report | None) -> None:
        """Nobody but us applied, so nothing may look as if another checkout had."""
        behind = [change.name for change in (report.plan.changes if report else ()) if change.reason is Reason.BEHIND]
        repeated = any(entry.fault == Kind.REPEAT.value for entry in self.world.faults.log)
        if behind and not self.other_checkout and not repeated:
            raise self.broken(f"{behind} look as if another checkout had applied")

    def remove_twins(self) -> None:
        """As the hint says: one is chosen, the other deleted at the vendor."""
        recorded = {record.id for record in self.world.state().records.values()}
        for ids in self.twins().values():
            kept = next((live_id for live_id in ids if live_id in recorded), ids[0])
            for live_id in set(ids) - {kept}:
                self.world.remove(live_id)
                self.notes.pop(live_id, None)

    def check_notes(self) -> None:
        live = self.world.live()
        for live_id, note in self.notes.items():
            if live_id in live and live[live_id]["metadata"].get(NOTE) != note:
                raise self.broken(f"the undeclared note on {live_id} was lost")

    async def calm_down(self) -> None:
        """Without trouble the way that the hints show leads to an empty plan, and everything is as the files say."""
        world = self.world
        world.faults.clear()
        self.meddle_at = 0
        await world.faults.settle()
        report, rebuilt = None, False
        for _ in range(4):
            self.remove_twins()
            try:
                report = await world.applying(on_drift="revert", prune=True)
            except RefusedError as error:
                self.say(f"calm apply refused: {error}")
                world.state_text, world.journal_lines = "", []  # `state rm` for each of them
                continue
            self.say(f"calm apply {code(report)!r} {[(o.name, o.result.value, o.message) for o in report.outcomes]}")
            if not rebuilt:
                self.rebuild()
                rebuilt = True
        plan = await world.planning()
        if plan.changes:
            raise self.broken(f"does not converge: {[(c.name, c.action, c.reason, c.message) for c in plan.changes]}")
        if report is None or code(report) is not Exit.OK:
            raise self.broken(f"ends with {report and code(report)!r}")
        before = len(world.writes)
        await world.applying()
        if len(world.writes) != before:
            raise self.broken("the second run was not empty")
        self.check_twins(report)
        self.check_notes()
        self.check_as_the_files_say()

    def rebuild(self) -> None:
        """What is behind is rebuilt from the stamps, as its hint says; orphans that only stamps know are deleted."""
        world = self.world
        if world.target.state == "stamps":
            return
        records = dict(world.state().records)
        for live in world.live().values():
            stamp = parse(live["metadata"])
            if stamp is not None:
                records[stamp.name] = record_of(stamp, live["id"], live["created_at"])
        world.state_text, world.journal_lines = encode(replace(world.state(), records=records, pending={})), []

    def check_as_the_files_say(self) -> None:
        by_name = {}
        for entry in self.world.live().values():
            stamp = parse(entry["metadata"])
            if stamp is not None:
                by_name[stamp.name] = entry
        if by_name.keys() != self.world.definitions.keys():
            raise self.broken(f"live are {sorted(by_name)}, wanted {sorted(self.world.definitions)}")
        for name, wanted in self.world.definitions.items():
            for key in ("instructions", "name", "model"):
                if by_name[name][key] != wanted.body[key]:
                    raise self.broken(f"{name} is not as its file says: {by_name[name]}")
            kinds = [tool["type"] for tool in by_name[name]["tools"]]
            if kinds != [tool["type"] for tool in wanted.body.get("tools", [])]:
                raise self.broken(f"{name} has tools that its file does not say: {kinds}")


def _covers(call: Call, method: str, path: str, body: Any) -> bool:
    """Whether a sent request is the planned one, but for what a request must repeat."""
    if (call.method, call.path) != (method, path):
        return False
    if body is None or call.json is None:
        return body is None and call.json is None
    if body.keys() != call.json.keys():
        return False
    return all(
        call.json[key] == value or (key in ("metadata", "tool_resources") and value.items() <= call.json[key].items())
        for key, value in body.items()
    )
