"""The journal's lines, how they fold into a state, and what becomes of requests whose outcome was unknown.

An intent goes before each write and an outcome after it. A line never holds a body: its record is ids and digests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trueup.core.canonical import DIGEST_RULES, digest
from trueup.core.checked import MismatchError, Reader, a_time, an_exact_text, load_json, optional, record_of
from trueup.core.memory.state import DUPLICATE, Applied, Pending, Record, State
from trueup.core.memory.state_codec import an_id, read_record, record_value
from trueup.core.plans.live import LiveAssistant

INTENT = "intent"
DONE = "done"
NOT_DONE = "not-done"

_REMOVES = frozenset({"delete", "forget", "release"})
_TEXTS = ("step", "name", "action", "operation", "id", "after")


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
    """Return the entry as one line of ASCII JSON, without the newline."""
    value: dict[str, Any] = {key: getattr(entry, key) for key in _TEXTS}
    value["since"] = entry.since
    value["record"] = None if entry.record is None else record_value(entry.record)
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def from_line(text: str) -> Entry:
    """Return the entry that a line holds. Raises ValueError saying what is wrong with the line."""
    entry = _read_entry(load_json(text), "the line")
    if entry.step not in (INTENT, DONE, NOT_DONE):
        raise MismatchError("the line.step", f"one of {INTENT}, {DONE}, {NOT_DONE}")
    if not entry.name:
        raise MismatchError("the line.name", "present")
    return entry


_ENTRY: Mapping[str, Reader] = {
    **dict.fromkeys(_TEXTS, an_exact_text),
    "id": an_id,
    "since": a_time,
    "record": optional(read_record),
}
_read_entry = record_of(Entry, _ENTRY, _ENTRY)


def fold(state: State, entries: Sequence[Entry]) -> State:
    """Apply the journal's entries to the state, in order; folding the same entries again changes nothing.

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
            pending[entry.name] = _to_pending(entry)
        elif entry.step == DONE:
            pending.pop(entry.name, None)
            if entry.record is not None:
                records[entry.name] = entry.record
            elif entry.action in _REMOVES:
                records.pop(entry.name, None)
    return replace(state, records=records, pending=pending)


def list_pending(entries: Sequence[Entry]) -> dict[str, Pending]:
    """Return the intents without an outcome, by name: all that a journal says if there is no state file."""
    pending: dict[str, Pending] = {}
    for entry in entries:
        if entry.step == INTENT:
            pending[entry.name] = _to_pending(entry)
        elif entry.name in pending and pending[entry.name].operation == entry.operation:
            del pending[entry.name]
    return pending


def _follows(entry: Entry, record: Record | None) -> bool:
    """Whether the entry was written on top of this record, or is already in it."""
    if record is None:
        return entry.after == ""
    written = entry.record.operation if entry.record is not None else entry.operation
    return record.operation in (entry.after, entry.operation, written)


def _to_pending(entry: Entry) -> Pending:
    return Pending(
        name=entry.name,
        operation=entry.operation,
        action=entry.action,
        since=entry.since,
        id=entry.id,
        after=entry.after,
        record=entry.record,
    )


def resolve_pending(state: State, seen: Mapping[str, LiveAssistant], absent: frozenset[str]) -> State:
    """Resolve the pending requests by what is live; return the state under today's digest rules.

    A create stays pending if no live stamp carries its operation: only a complete listing can show that it is absent.
    """
    records = {name: trust_digests(record, state.digest_rules) for name, record in state.records.items()}
    pending = dict(state.pending)
    for name, entry in state.pending.items():
        if entry.action == "create":
            made = _find_created(entry, records.get(name), seen)
            if made is not None:
                records[name] = made
                del pending[name]
            continue
        live = seen.get(entry.id)
        if live is None:
            if entry.action in ("delete", "release") and entry.id in absent:
                records.pop(name, None)
                del pending[name]
            elif entry.action == DUPLICATE and entry.id in absent:
                del pending[name]
            continue
        if entry.action == "release" and live.stamp is None:
            records.pop(name, None)
        if entry.action != "delete" and entry.record is not None and _is_done(entry, entry.record, live):
            records[name] = replace(entry.record, id=entry.id, created_at=live.created_at)
        del pending[name]
    return replace(state, digest_rules=DIGEST_RULES, records=records, pending=pending)


def _find_created(entry: Pending, record: Record | None, seen: Mapping[str, LiveAssistant]) -> Record | None:
    """Return the record of a create that was carried out, or None if that is not certain.

    It is certain if exactly one live assistant carries the operation and the recorded one, if any, is gone.
    """
    carriers = [live for live in seen.values() if live.stamp is not None and live.stamp.operation == entry.operation]
    if entry.record is None or len(carriers) != 1 or (record is not None and record.id in seen):
        return None
    return replace(entry.record, id=carriers[0].id, created_at=carriers[0].created_at, stamped=True)


def _is_done(entry: Pending, record: Record, live: LiveAssistant) -> bool:
    """Whether the modify was carried out: its stamp tells, and where there is none, the values."""
    if live.stamp is not None:
        return live.stamp.operation == entry.operation
    sent = {name: applied.sent for name, applied in record.fields.items() if applied.sent and not applied.kept}
    return bool(sent) and all(digest(live.fields.get(name)) == value for name, value in sent.items())


def trust_digests(record: Record, digest_rules: int) -> Record:
    """Return the record; if its digests follow older rules, only with the names of the applied fields."""
    return record if digest_rules == DIGEST_RULES else replace(record, fields=dict.fromkeys(record.fields, Applied()))
