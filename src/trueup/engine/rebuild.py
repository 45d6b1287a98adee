"""Records made again from the stamps of what is live, after state was lost. Sends nothing, knows no file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from trueup.core.memory.stamp import record_of
from trueup.core.memory.state import Identity, Record, State
from trueup.core.plans.seen import Seen


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The state with what was found; `twins` are names that several assistants carry, with their ids."""

    state: State
    found: Mapping[str, Record]
    twins: Mapping[str, tuple[str, ...]]


def rebuilt(state: State, identity: Identity, seen: Mapping[str, Seen], names: Collection[str]) -> Rebuilt:
    """The state with records from the stamps: of the given names, without any of all that have no record.

    A name that two assistants carry gets none. An assistant that another record holds keeps that one.
    """
    stamped: dict[str, list[Seen]] = {}
    for live in sorted(seen.values(), key=lambda entry: entry.id):
        stamp = live.stamp
        if stamp is not None and (stamp.project, stamp.target) == (identity.project, identity.target):
            stamped.setdefault(stamp.name, []).append(live)
    wanted = {name for name in stamped if (name in names if names else name not in state.records)}
    held = {record.id for name, record in state.records.items() if name not in wanted}
    found, twins = {}, {}
    for name in sorted(wanted):
        lives = stamped[name]
        if len(lives) > 1:
            twins[name] = tuple(live.id for live in lives)
        elif lives[0].stamp is not None and lives[0].id not in held:
            found[name] = record_of(lives[0].stamp, lives[0].id, lives[0].created_at)
    pending = {name: entry for name, entry in state.pending.items() if name not in found}
    return Rebuilt(replace(state, records={**state.records, **found}, pending=pending), found, twins)
