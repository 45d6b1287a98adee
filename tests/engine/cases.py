"""Stories of one target told as data, and the plain listing of a plan that shows which row of the contract decided.

A story is a `case.yaml`: files, steps and options. Knows the engine's world in memory; judges nothing itself.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from tests.engine.world import Clock, Killed, World, code, definition, fleet
from trueup.core.call import Call
from trueup.core.canonical import DIGEST_RULES
from trueup.core.definitions.definition import Definition
from trueup.core.errors import OutcomeUnknown
from trueup.core.field_table import STAMP_KEY
from trueup.core.memory.stamp import encode, record_of
from trueup.core.memory.state import State
from trueup.core.memory.state_codec import encode as encode_state
from trueup.core.plans.live import stamp_of
from trueup.core.plans.plan import MISSING, Action, Cause, Change, FieldChange, Plan
from trueup.core.plans.report import Report
from trueup.core.plans.summary import summary
from trueup.local.faults import Kind
from trueup.local.openai_assistants import Server
from trueup.local.openai_assistants.bodies import Habits
from trueup.wire.openai_assistants.fields import TABLE
from trueup.wire.registry import identity_of

SYMBOLS = {
    Action.CREATE: "+",
    Action.MODIFY: "~",
    Action.STAMP: "~",
    Action.RELEASE: "~",
    Action.DELETE: "-",
    Action.ADOPT: "=",
    Action.UNREAD: "?",
    Action.HELD: "!",
    Action.DRIFT: "!",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A folder's `case.yaml`. `again` says in words why the second run is not empty; empty: it has to be."""

    about: str
    files: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Any, ...] = ()
    target: Mapping[str, Any] = field(default_factory=dict)
    server: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    again: str = ""


def read(folder: Path) -> Case:
    """Return the case in a folder; an unknown key is an error."""
    content = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8"))
    return Case(**{**content, "steps": tuple(content.get("steps", ()))})


@dataclass
class Story:
    """A world in which the steps of a case happen; `saved` are states that were put aside."""

    world: World
    saved: str = ""

    @classmethod
    def of(cls, case: Case) -> Story:
        """Return the world after every step of a case."""
        clock = Clock()
        world = World(clock=clock)
        numbers = itertools.count(1)
        world.server = Server(
            ":memory:", lambda: clock.now, lambda: f"asst_{next(numbers):04d}", habits=Habits(**case.server)
        )
        story = cls(world)
        story.target(case.target)
        story.files(case.files)
        for step in case.steps:
            name, value = next(iter(step.items())) if isinstance(step, dict) else (step, None)
            method: Callable[[Any], None] = getattr(story, name.replace("-", "_"))
            method(value)
            clock.now += 60.0
        world.calls.clear()
        return story

    def files(self, bodies: Mapping[str, Any]) -> None:
        """Write definitions; null removes one."""
        for name, body in bodies.items():
            self.world.definitions.pop(name, None)
            if body is not None:
                self.world.definitions.update(fleet(_defined(name, body)))

    def target(self, changes: Mapping[str, Any]) -> None:
        self.world.with_target(**changes)

    def moved(self, names: Mapping[str, str]) -> None:
        self.world.moved.update(names)

    def released(self, names: list[str]) -> None:
        self.world.released |= set(names)

    def left_out(self, names: list[str]) -> None:
        """`prod: false`: the definition exists, but not for this target."""
        self.world.left_out |= frozenset(names)
        self.files(dict.fromkeys(names))

    def apply(self, options: Mapping[str, Any] | None) -> None:
        self.world.apply(**_options(options or {}))

    def killed_apply(self, at: int) -> None:
        """Run an apply that ends at the n-th outside step as a power cut would end it."""
        self.world.kill_at = at
        with contextlib.suppress(Killed):
            self.world.apply()
        self.world.kill_at = 0

    def edit(self, bodies: Mapping[str, Any]) -> None:
        """Change something at the vendor by hand; metadata by key, where null removes one."""
        for who, body in bodies.items():
            live_id = self.id_of(who)
            full = dict(body)
            if "metadata" in body:
                merged = {**self.world.live()[live_id]["metadata"], **body["metadata"]}
                full["metadata"] = {key: value for key, value in merged.items() if value is not None}
            self.world.edit(live_id, **full)

    def remove(self, who: str) -> None:
        self.world.remove(self.id_of(who))

    def add(self, body: Mapping[str, Any]) -> None:
        self.world.add(**body)

    def twin(self, who: str) -> None:
        """Retry as a gateway does: make a second one with the same stamp."""
        live = self.world.live()[self.id_of(who)]
        self.world.add(**{key: live[key] for key in ("name", "model", "instructions", "metadata")})

    def restamp(self, changes: Mapping[str, Any]) -> None:
        """Somebody writes another stamp: its parts, or a text."""
        for who, change in changes.items():
            stamp = stamp_of(self.world.live()[self.id_of(who)], TABLE)
            if isinstance(change, dict):
                assert stamp is not None
                change = encode(replace(stamp, **change), TABLE.letters)
            self.edit({who: {"metadata": {STAMP_KEY: change}}})

    def save_state(self, _: None) -> None:
        self.saved = self.world.state_text

    def load_state(self, _: None) -> None:
        """Return to an old checkout: the state that was put aside."""
        self.world.state_text = self.saved

    def lose_state(self, _: None) -> None:
        self.world.state_text = ""
        self.world.journal_lines = []

    def rebuild(self, without: str | None) -> None:
        """`state rebuild`: what the stamps know, without one name."""
        self.lose_state(None)
        records = {}
        for live_id, body in self.world.live().items():
            stamp = stamp_of(body, TABLE)
            if stamp is not None and stamp.name != without:
                records[stamp.name] = record_of(stamp, live_id, body["created_at"])
        self.world.state_text = encode_state(State(identity_of(self.world.target), DIGEST_RULES, records))

    def other_rules(self, _: None) -> None:
        """Turn the state into one whose digests were made under the rules before today's."""
        self.world.state_text = encode_state(replace(self.world.state(), digest_rules=0))

    def fault(self, fault: Mapping[str, Any]) -> None:
        self.world.fail(**{**fault, "kind": Kind(fault["kind"])})

    def known_targets(self, names: list[str]) -> None:
        """Return the targets of the project file."""
        self.world.targets = frozenset(names)

    def break_second_page(self, _: None) -> None:
        """From now on no page of the listing but the first is answered."""
        self._unanswered(lambda call: call.path == "/assistants" and "after" in call.query)

    def break_reads_of(self, who: str) -> None:
        """From now on one assistant cannot be read by itself."""
        path = f"/assistants/{self.id_of(who)}"
        self._unanswered(lambda call: call.method == "GET" and call.path == path)

    def _unanswered(self, meets: Callable[[Call], bool]) -> None:
        def before(call: Call) -> None:
            if meets(call):
                raise OutcomeUnknown("the connection broke")

        self.world.before_call = before

    def id_of(self, who: str) -> str:
        """Return the id of a name: as the state records it, else by the stamps."""
        if who.startswith("asst_"):
            return who
        record = self.world.state().records.get(who)
        if record is not None:
            return record.id
        stamps = {live_id: stamp_of(body, TABLE) for live_id, body in self.world.live().items()}
        return next(live_id for live_id, stamp in stamps.items() if stamp is not None and stamp.name == who)


def _defined(name: str, body: Mapping[str, Any]) -> Definition:
    rest = dict(body)
    lifecycle = rest.pop("lifecycle", {})
    return definition(name, protect=lifecycle.get("protect"), ignore=lifecycle.get("ignore_changes", ()), **rest)


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    accepted = {"accepted_ids": tuple(options["accepted_ids"])} if "accepted_ids" in options else {}
    return {**options, **accepted}


def options_of(case: Case) -> dict[str, Any]:
    """Return the flags of a case as `Options` takes them."""
    return _options(case.options)


# --- what is written down


def listing(case: Case, plan: Plan) -> str:
    """Return the plan with the row, the cause of each field, both values, and the messages."""
    lines = [f"# {case.about}", ""]
    for change in plan.changes:
        lines += [*_change_lines(change), ""]
    if not plan.complete:
        lines += ["The view is partial.", ""]
    return "\n".join([*lines, summary(plan), ""])


def _change_lines(change: Change) -> Iterator[str]:
    flags = [word for word in ("adopted", "wanted", "backup", "recreate", "protect") if getattr(change, word)]
    symbol = SYMBOLS.get(change.action, " ")
    extra = f" [{', '.join(flags)}]" if flags else ""
    where = f" {change.id}" if change.id else ""
    yield f"{symbol} {change.name}{where}: {change.action.value} because {change.reason.value}{extra}"
    if change.moved_from:
        yield f"    moved from {change.moved_from}"
    for entry in change.fields:
        yield from _field_lines(entry)
    if change.others:
        yield f"    others: {', '.join(change.others)}"
    yield f"    says: {change.message}"
    if change.hint:
        yield f"    hint: {change.hint}"


def _field_lines(entry: FieldChange) -> Iterator[str]:
    if entry.cause is Cause.NEW:
        yield f"    {entry.path}: {_value(entry.after)}"
    else:
        yield f"    {entry.path} {entry.cause.value}: live {_value(entry.before)}, file {_value(entry.after)}"


def _value(value: Any) -> str:
    return "absent" if value is MISSING else json.dumps(value, ensure_ascii=False)


def requests(world: World) -> str:
    """Return the exact writes that were sent, in order."""
    sent = [{"method": call.method, "path": call.path, "json": call.json} for call in world.writes]
    return json.dumps(sent, indent=2, ensure_ascii=False) + "\n"


def codes(first: Report, second: Report, again: Plan) -> str:
    """How the apply ended, and what the run after it finds."""
    lines = [f"apply: {int(code(first))}"]
    for outcome in first.outcomes:
        kept = f", not kept: {', '.join(outcome.not_kept)}" if outcome.not_kept else ""
        lines.append(f"  {outcome.name}: {outcome.action.value}, {outcome.result.value}{kept}")
    lines.append(f"again: {int(code(second))}")
    lines += [f"  {change.name}: {change.action.value} because {change.reason.value}" for change in again.changes]
    return "\n".join(lines) + "\n"
