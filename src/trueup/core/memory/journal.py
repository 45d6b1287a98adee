"""The journal's lines: an intent before each write, an outcome after it, and how they fold into a state. No file here.

A line never holds a body: the record in it is ids and digests. Folding knows nothing of what the requests were.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from trueup.core.memory.state import Pending, Record, State
from trueup.core.memory.state_codec import live_id, load_json, read_record, record_value, seconds, typed

INTENT = "intent"
DONE = "done"
NOT_DONE = "not-done"

_REMOVES = frozenset({"delete", "forget", "release"})
_TEXTS = ("step", "name", "action", "operation", "id", "after")
_KEYS = frozenset((*_TEXTS, "since", "record"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `step` is `intent` or one of the outcomes `done`, `not-done`; `since` is Unix seconds.

    An intent names what will be remembered (`record`, without the server's answer) and the operation it follows
    (`after`), so that a line older than the state is recognised. `done` carries the record to remember; None:
    forgotten.
    """

    step: str
    name: str
    action: str
    operation: str
    since: float
    id: str = ""
    after: str = ""
    record: Record | None = None


def to_line(entry: Entry) -> str:
    """The entry as one line of ASCII JSON, without the newline."""
    value: dict[str, Any] = {key: getattr(entry, key) for key in _TEXTS}
    value["since"] = entry.since
    value["record"] = None if entry.record is None else record_value(entry.record)
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def from_line(text: str) -> Entry:
    """The entry that a line holds. Raises ValueError saying what is wrong with the line."""
    try:
        value = load_json(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(value, dict) or value.keys() != _KEYS:
        raise ValueError("it does not hold the keys of a journal line")
    texts = {key: typed(value, key, str, "the line") for key in _TEXTS}
    live_id(value, "the line")
    if texts["step"] not in (INTENT, DONE, NOT_DONE):
        raise ValueError(f"its step {texts['step']!r} is unknown")
    if not texts["name"]:
        raise ValueError("it has no name")
    record = value["record"]
    read = None if record is None else read_record(record, "the line's record")
    return Entry(since=seconds(value, "since", "the line"), record=read, **texts)


def fold(state: State, entries: Sequence[Entry]) -> State:
    """The state once the journal's entries are taken in, in order; folding the same entries again changes nothing.

    An entry counts only where it follows what the state holds: a newer state, come by a git pull, is not set back.
    """
    records, pending = dict(state.records), dict(state.pending)
    for entry in entries:
        waiting = pending.get(entry.name)
        if entry.step != INTENT and waiting is not None and waiting.operation == entry.operation:
            del pending[entry.name]
        if not _follows(entry, records.get(entry.name)):
            continue
        if entry.step == INTENT:
            pending[entry.name] = _waiting(entry)
        elif entry.step == DONE:
            pending.pop(entry.name, None)
            if entry.record is not None:
                records[entry.name] = entry.record
            elif entry.action in _REMOVES:
                records.pop(entry.name, None)
    return replace(state, records=records, pending=pending)


def unsettled(entries: Sequence[Entry]) -> dict[str, Pending]:
    """The intents without an outcome, by name: all that a journal says where no state file stands beside it."""
    pending: dict[str, Pending] = {}
    for entry in entries:
        if entry.step == INTENT:
            pending[entry.name] = _waiting(entry)
        elif entry.name in pending and pending[entry.name].operation == entry.operation:
            del pending[entry.name]
    return pending


def _follows(entry: Entry, record: Record | None) -> bool:
    """Whether the entry was written on top of this record, or is already in it."""
    if record is None:
        return entry.after == ""
    written = entry.record.operation if entry.record is not None else entry.operation
    return record.operation in (entry.after, entry.operation, written)


def _waiting(entry: Entry) -> Pending:
    return Pending(
        name=entry.name,
        operation=entry.operation,
        action=entry.action,
        since=entry.since,
        id=entry.id,
        after=entry.after,
        record=entry.record,
    )
