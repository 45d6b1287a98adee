"""One apply under way: what it was handed, what it found out, and how an answer is held against what was sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from trueup.core.canonical import digest, fits
from trueup.core.command import change_commands
from trueup.core.errors import Exit
from trueup.core.field_table import FieldTable, top_of
from trueup.core.memory.journal import DONE, Entry
from trueup.core.memory.stamp import parse
from trueup.core.memory.state import Applied, Identity, Record
from trueup.core.plans.live import fields_of
from trueup.core.plans.plan import Action, Change
from trueup.core.plans.report import Outcome, Result
from trueup.core.plans.wording import go_on
from trueup.core.projects.project import Target
from trueup.core.source import Path, Position
from trueup.engine.plan import Planning
from trueup.engine.ports import Progress, estimate_left
from trueup.engine.request_runner import RequestRunner
from trueup.engine.write_failures import WriteFailure
from trueup.wire.base import Adapter, Live

Locate = Callable[[str, Path], Position | None]
"""Where a definition's value stands, by assistant name and request path."""


@dataclass(slots=True)
class Run:
    """One apply under way: what it was handed, and what it has found out. Shared by the steps; owned by `execute`."""

    adapter: Adapter
    runner: RequestRunner
    target: Target
    planning: Planning
    locate: Locate
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    codes: set[Exit] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    done: int = 0
    total: int = 0
    step: Progress = field(default_factory=Progress)
    started: float = 0.0

    @property
    def identity(self) -> Identity:
        """Whose stamps are ours."""
        return self.planning.plan.identity

    @property
    def is_stopped(self) -> bool:
        """Whether an interrupt was asked for: nothing new starts."""
        return self.runner.ports.stop.is_set()

    @property
    def known_ids(self) -> list[str]:
        """What a listing should show, oldest first: what was live when the plan was made, and what was made since."""
        made = (entry.record.id for entry in self.entries if entry.step == DONE and entry.record is not None)
        return list(dict.fromkeys([*self.planning.view.live, *made]))

    async def intend(self, change: Change, action: str, live_id: str) -> None:
        """Write the journal's line before a write."""
        await self._journal("intent", change, action, live_id, change.record)

    async def conclude(self, change: Change, action: str, record: Record | None) -> None:
        """Write the journal's line after a write that was done and reported: it is reported even if the disk is full.

        No record forgets it.
        """
        await self._journal("done", change, action, record.id if record else change.id, record)

    async def withdraw(self, change: Change, action: str) -> None:
        """Write the journal's line after a write that certainly was not done."""
        await self._journal("not-done", change, action, change.id, None)

    async def _journal(self, step: str, change: Change, action: str, live_id: str, record: Record | None) -> None:
        """Put a line on disk before going on; it names the operation that state has for this assistant."""
        known = self.planning.state.records.get(change.name)
        last = known.operation if known else ""
        entry = Entry(step, change.name, action, change.operation, self.now, live_id, last, record)
        await self.runner.ports.journal(entry)
        self.entries.append(entry)

    @property
    def now(self) -> float:
        """Unix seconds."""
        return self.runner.ports.clock.wall()

    def report(self, outcome: Outcome, *codes: Exit) -> None:
        """Note how one assistant ended, and show the progress."""
        message, hint = self._locate(outcome.message), self._locate(outcome.hint)
        self.outcomes[outcome.name] = replace(outcome, message=message, hint=hint)
        self.codes.update(codes)
        self.done += 1
        left = estimate_left(self.runner.ports.clock.monotonic() - self.started, self.done, self.total)
        self.step = replace(self.step, done=self.step.done + 1, left=left, name=outcome.name)
        self.runner.ports.progress(self.step)

    def begin_step(self, what: str, changes: Sequence[Change]) -> None:
        """Begin a step, such as all creates; what the run may still take is reckoned over all its steps."""
        self.started = self.started or self.runner.ports.clock.monotonic()
        self.step = Progress(what, 0, len(changes), self.step.left)
        if changes:
            self.runner.ports.progress(self.step)

    def note_problem(self, problem: str) -> None:
        """Note a problem that is not one assistant's."""
        self.problems.append(self._locate(problem))

    def _locate(self, text: str) -> str:
        """Return the message, whose commands go on with this run's plan."""
        return change_commands(text, lambda command: go_on(command, self.planning.plan))

    def fail(self, change: Change, failure: WriteFailure, path: Path | None = None, *, attempts: int = 1) -> None:
        """Note a write that was not done; `path` is where in the request, None where that is not the cause."""
        at = self.locate(change.name, path) if path is not None else None
        self.report(
            Outcome(
                change.name,
                change.action,
                Result.FAILED,
                change.id,
                failure.text,
                _hint_always_send(change, failure.text, path or (), self.adapter) or failure.hint,
                attempts=attempts,
                position=at.without_secret() if at else None,
            ),
            Exit.PARTIAL,
        )


def _hint_always_send(change: Change, message: str, path: Path, adapter: Adapter) -> str:
    """Return how to go on where a server misses a field that the modify had no reason to hold."""
    writes = change.action in (Action.MODIFY, Action.STAMP)
    if not writes or not path or path[0] not in adapter.dialect.table.letters or path[0] in change.sets:
        return ""
    if not any(word in message.lower() for word in ("required", "missing", "must be provided")):
        return ""  # it speaks of what it holds already, such as a number that another model refuses
    return f"This server requires it in every modify: set `always_send: [{path[0]}]` for the target in trueup.yaml."


def keep_answer(record: Record, live: Live, sent: frozenset[str], adapter: Adapter) -> Record:
    """Return the record with the server's answer to each field that was sent."""
    table = adapter.dialect.table
    found = fields_of(live.body, table)
    fields = {
        name: Applied(sent=applied.sent, kept=digest(found.get(name))) if name in sent else applied
        for name, applied in record.fields.items()
    }
    stamp = parse(live.stamp, table.letters)
    stamped = record.stamped if record.stamped is None else stamp is not None and stamp.operation == record.operation
    return replace(
        record,
        id=live.id,
        created_at=live.created_at or record.created_at,
        stamped=stamped,
        fields=fields,
    )


def list_not_kept(change: Change, live: Live, adapter: Adapter) -> tuple[str, ...]:
    """Return the fields that the server answered otherwise than sent, cleared ones included."""
    table, found = adapter.dialect.table, adapter.dialect.table.split(live.body)
    wanted = {**{field.path: None for field in change.fields if field.path in change.overwritten}, **change.sets}
    missing = [name for name, value in wanted.items() if not fits(name, value, found.get(name), table)]
    if change.stamp and live.stamp != change.stamp:
        missing.append(adapter.dialect.table.stamp)
    return tuple(missing)


def list_sent_keys(change: Change, table: FieldTable) -> frozenset[str]:
    """Return the top-level keys that the change's request holds."""
    return frozenset(top_of(path) for path in (*change.sets, *((table.stamp,) if change.stamp else ())))


def list_sent_fields(change: Change, table: FieldTable) -> frozenset[str]:
    """Return the recorded fields that the request sets; a map that it holds is set as a whole."""
    fields, keys = change.record.fields if change.record else {}, list_sent_keys(change, table)
    waiting = (name for name, applied in fields.items() if applied.kept is None)
    return frozenset(name for name in waiting if top_of(name) in keys or change.action is Action.CREATE)
