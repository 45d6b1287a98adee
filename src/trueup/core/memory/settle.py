"""What becomes of requests whose outcome was unknown, once live has been read. Knows no transport and no journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from trueup.core.canonical import DIGEST_RULES, digest
from trueup.core.memory.state import DUPLICATE, Applied, Pending, Record, State
from trueup.core.plans.seen import Seen


def settled(state: State, seen: Mapping[str, Seen], absent: frozenset[str]) -> State:
    """The state under today's digest rules, with every pending request decided by what is live.

    A create that no stamp tells of stays pending: whether it is absent is for a complete listing to say.
    """
    records = {name: trusted(record, state.digest_rules) for name, record in state.records.items()}
    pending = dict(state.pending)
    for name, entry in state.pending.items():
        if entry.action == "create":
            made = _created(entry, records.get(name), seen)
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
        if entry.action != "delete" and entry.record is not None and _landed(entry, entry.record, live):
            records[name] = replace(entry.record, id=entry.id, created_at=live.created_at)
        del pending[name]
    return replace(state, digest_rules=DIGEST_RULES, records=records, pending=pending)


def _created(entry: Pending, record: Record | None, seen: Mapping[str, Seen]) -> Record | None:
    """The record of a create that was carried out: one assistant carries its operation, a recorded one is gone."""
    carriers = [live for live in seen.values() if live.stamp is not None and live.stamp.operation == entry.operation]
    if entry.record is None or len(carriers) != 1 or (record is not None and record.id in seen):
        return None
    return replace(entry.record, id=carriers[0].id, created_at=carriers[0].created_at, stamped=True)


def _landed(entry: Pending, record: Record, live: Seen) -> bool:
    """Whether the modify was carried out: its stamp tells, and where there is none, the values."""
    if live.stamp is not None:
        return live.stamp.operation == entry.operation
    sent = {name: applied.sent for name, applied in record.fields.items() if applied.sent and not applied.kept}
    return bool(sent) and all(digest(live.fields.get(name)) == value for name, value in sent.items())


def trusted(record: Record, digest_rules: int) -> Record:
    """The record as far as its digests were made under today's rules; else only which fields were applied is known."""
    return record if digest_rules == DIGEST_RULES else replace(record, fields=dict.fromkeys(record.fields, Applied()))
