"""Takes a live assistant over for a definition: live counts as applied, and differences are edits. Sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trueup.core.canonical import Semantics, digest, fits
from trueup.core.definitions.definition import Definition
from trueup.core.memory import stamp as stamps
from trueup.core.memory.stamp import Stamp
from trueup.core.memory.state import Applied, Identity, Record, State
from trueup.core.plans.plan import Action, Change, Reason
from trueup.core.plans.seen import Seen
from trueup.engine.facts import declared
from trueup.wire.base import Adapter


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an assistant cannot be taken over under a name, as a sentence; `record` names the one in the way, if any."""

    why: str
    record: str = ""


def find_obstacle(name: str, live: Seen, identity: Identity, state: State, seen: Mapping[str, Seen]) -> Obstacle | None:
    """Return what keeps this assistant from being taken over under this name, None where nothing does."""
    holder = next((other for other, record in state.records.items() if record.id == live.id and other != name), "")
    if holder:
        return Obstacle(f"{live.id} is {holder} already: state holds a record of it.", holder)
    stamp = live.stamp
    if stamp is not None and (stamp.project, stamp.target) != (identity.project, identity.target):
        whose = f"{stamp.name} of {stamp.project}/{stamp.target}" if stamp.name else "somebody that cannot be read"
        return Obstacle(f"{live.id} carries the stamp of {whose}.")
    if stamp is not None and stamp.name != name:
        return Obstacle(f"{live.id} carries the stamp of {stamp.name}.")
    record = state.records.get(name)
    if record is not None and record.id != live.id and record.id in seen:
        return Obstacle(f"{name} is {record.id} already, which is live.", name)
    return None


def is_duplicate(live: Seen, name: str, identity: Identity) -> bool:
    """Return whether an assistant that is not the recorded one carries this project's stamp of the name."""
    stamp = live.stamp
    return stamp is not None and (stamp.project, stamp.target, stamp.name) == (identity.project, identity.target, name)


def linked(definition: Definition, live: Seen, adapter: Adapter) -> Record:
    """The record in which live counts as applied for the declared fields."""
    stamp = live.stamp
    protect = definition.lifecycle.protect
    return Record(
        id=live.id,
        created_at=live.created_at,
        operation=stamp.operation if stamp is not None else "",
        protect=protect if protect is not None else stamp is not None and stamp.protect,
        stamped=True if stamp is not None else None,
        fields={
            name: count_as_applied(name, value, live.fields.get(name), adapter.dialect.semantics)
            for name, value in declared(definition, adapter).items()
        },
    )


def count_as_applied(name: str, value: Any, live: Any, semantics: Semantics) -> Applied:
    """Return what is known of a field whose live value counts as applied; so does the file's own form of it."""
    is_live = fits(name, value, live, semantics)
    return Applied(sent=digest(value) if is_live else None, kept=digest(live))


def stamping(definition: Definition, live: Seen, identity: Identity, adapter: Adapter) -> Change:
    """The write of the stamp alone that takes an assistant over where the stamps are the state."""
    record = linked(definition, live, adapter)
    fields = {name: live.fields.get(name) for name in declared(definition, adapter)}
    known = stamps.digests(fields, adapter.dialect.semantics)
    operation = stamps.link_operation(identity, definition.name, live.id, known)
    stamp = Stamp(identity.project, identity.target, definition.name, operation, record.protect, fields=known)
    text = stamps.encode(stamp, adapter.dialect.table.letters)
    return Change(
        definition.name,
        Action.STAMP,
        Reason.ADOPTED,
        id=live.id,
        operation=operation,
        stamp=text,
        record=record,
        file=definition.file,
    )


def has_room(live: Seen, adapter: Adapter) -> bool:
    """Whether the stamp fits among the assistant's metadata pairs."""
    return adapter.has_room(live.body, {})
