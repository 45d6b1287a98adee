"""Makes records from the stamps of what is live, after state was lost or fell behind. Sends nothing, knows no file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from trueup.core.memory.stamp import record_of
from trueup.core.memory.state import Identity, Record, State
from trueup.core.plans.judge import is_known
from trueup.core.plans.seen import Seen


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The state with the records that were made, by name, in `found`.

    `behind` are those of them that replace a record which another checkout had left behind; `duplicates` are names
    that several assistants carry, with their ids. `strangers` counts the live assistants that carry the stamp of
    another project or target, by `project/target`; `stamped` counts those that carry this target's.
    """

    state: State
    found: Mapping[str, Record]
    behind: frozenset[str]
    duplicates: Mapping[str, tuple[str, ...]]
    strangers: Mapping[str, int]
    stamped: int


def rebuild_records(state: State, identity: Identity, seen: Mapping[str, Seen], names: Collection[str]) -> Rebuilt:
    """Make records from the stamps: of the given names, else of all that have none or one that is behind.

    `seen` is everything that is live. Of several assistants that carry a name the recorded one keeps it; where none is
    recorded, none gets it. An assistant that another record holds keeps that one.
    """
    stamped = _by_name(identity, seen)
    behind = _find_behind(state, identity, seen, stamped)
    renamed = {new: old for old, new in behind.items() if new not in state.records}
    missing = stamped.keys() - state.records.keys() - renamed.keys()
    if names:
        wanted = {name for name in stamped if name in names or renamed.get(name) in names}
    else:
        wanted = missing | (behind.keys() & stamped.keys()) | renamed.keys()
    old_names = {renamed[name] for name in wanted & renamed.keys()}
    held = {record.id for name, record in state.records.items() if name not in wanted | old_names}
    found, duplicates = {}, {}
    for name in sorted(wanted):
        lives = stamped[name]
        record = state.records.get(renamed.get(name, name))
        if len(lives) > 1:
            duplicates[name] = tuple(live.id for live in lives)
            lives = [live for live in lives if record is not None and live.id == record.id]
        if lives and lives[0].stamp is not None and lives[0].id not in held:
            found[name] = record_of(lives[0].stamp, lives[0].id, lives[0].created_at)
    gone = {renamed[name] for name in found if name in renamed}
    records = {name: record for name, record in state.records.items() if name not in gone} | found
    pending = {name: entry for name, entry in state.pending.items() if name not in found.keys() | gone}
    replaced = frozenset(name for name in found if name in renamed or name in behind)
    count = sum(map(len, stamped.values()))
    rebuilt = replace(state, records=records, pending=pending)
    return Rebuilt(rebuilt, found, replaced, duplicates, _count_strangers(identity, seen), count)


def _count_strangers(identity: Identity, seen: Mapping[str, Seen]) -> Counter[str]:
    """Count the assistants that carry a readable stamp of another project or target."""
    stamps = [live.stamp for live in seen.values() if not _is_ours(live, identity)]
    return Counter(f"{stamp.project}/{stamp.target}" for stamp in stamps if stamp is not None and stamp.name)


def _by_name(identity: Identity, seen: Mapping[str, Seen]) -> dict[str, list[Seen]]:
    """List the assistants that carry the target's stamp by the name in it, in id order."""
    found: dict[str, list[Seen]] = {}
    for live in sorted(seen.values(), key=lambda entry: entry.id):
        if _is_ours(live, identity) and live.stamp is not None:
            found.setdefault(live.stamp.name, []).append(live)
    return found


def _find_behind(
    state: State, identity: Identity, seen: Mapping[str, Seen], stamped: Mapping[str, list[Seen]]
) -> dict[str, str]:
    """Map the names of records that another checkout has applied since to the names that the stamps have now."""
    behind = {}
    for name, record in state.records.items():
        live = seen.get(record.id)
        if live is None:
            if name in stamped:  # made anew elsewhere, under another id
                behind[name] = name
        elif live.stamp is None or not _is_ours(live, identity):
            continue
        elif not is_known(live.stamp, record, state.pending.get(name)):
            behind[name] = live.stamp.name
    return behind


def _is_ours(live: Seen, identity: Identity) -> bool:
    stamp = live.stamp
    return stamp is not None and (stamp.project, stamp.target) == (identity.project, identity.target)
