"""Takes over live assistants without changing them: by import, by a link, by the stamps after state was lost.

Guesses nothing: what several could mean is named, with all ids and definitions. Sends nothing.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from trueup.core.canonical import digest, fits
from trueup.core.definitions.definition import Definition
from trueup.core.field_table import FieldTable
from trueup.core.memory import stamp as stamps
from trueup.core.memory.stamp import Stamp, record_of
from trueup.core.memory.state import Applied, Identity, Record, State
from trueup.core.migration.imports import Ambiguous
from trueup.core.plans.judge import is_known
from trueup.core.plans.live import LiveAssistant
from trueup.core.plans.plan import Action, Change, Reason
from trueup.engine.facts import declare_fields
from trueup.wire.base import Adapter


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an assistant cannot be taken over under a name, as a sentence; `record` names the one in the way, if any."""

    why: str
    record: str = ""


def find_obstacle(
    name: str, live: LiveAssistant, identity: Identity, state: State, seen: Mapping[str, LiveAssistant]
) -> Obstacle | None:
    """Return what keeps this assistant from being taken over under this name, None where nothing does."""
    holder = next((other for other, record in state.records.items() if record.id == live.id and other != name), "")
    if holder:
        return Obstacle(f"{live.id} is already recorded as {holder}.", holder)
    stamp = live.stamp
    if stamp is not None and (stamp.project, stamp.target) != (identity.project, identity.target):
        whose = f"{stamp.name} of {stamp.project}/{stamp.target}" if stamp.name else "an unreadable owner"
        return Obstacle(f"{live.id} has the stamp of {whose}.")
    if stamp is not None and stamp.name != name:
        return Obstacle(f"{live.id} has the stamp of {stamp.name}.")
    record = state.records.get(name)
    if record is not None and record.id != live.id and record.id in seen:
        return Obstacle(f"{name} is already recorded as {record.id}, which is live.", name)
    return None


def is_duplicate(live: LiveAssistant, name: str, identity: Identity) -> bool:
    """Return whether an assistant that is not the recorded one carries this project's stamp of the name."""
    stamp = live.stamp
    return stamp is not None and (stamp.project, stamp.target, stamp.name) == (identity.project, identity.target, name)


def make_link_record(definition: Definition, live: LiveAssistant, adapter: Adapter) -> Record:
    """Return the record in which live counts as applied for the declared fields."""
    stamp = live.stamp
    protect = definition.lifecycle.protect
    return Record(
        id=live.id,
        created_at=live.created_at,
        operation=stamp.operation if stamp is not None else "",
        protect=protect if protect is not None else stamp is not None and stamp.protect,
        stamped=True if stamp is not None else None,
        fields={
            name: count_as_applied(name, value, live.fields.get(name), adapter.dialect.table)
            for name, value in declare_fields(definition, adapter).items()
        },
    )


def count_as_applied(name: str, value: Any, live: Any, table: FieldTable) -> Applied:
    """Return what is known of a field whose live value counts as applied; so does the file's own form of it."""
    is_live = fits(name, value, live, table)
    return Applied(sent=digest(value) if is_live else None, kept=digest(live))


def make_link_change(definition: Definition, live: LiveAssistant, identity: Identity, adapter: Adapter) -> Change:
    """Return the write of the stamp alone that takes an assistant over where the stamps are the state."""
    record = make_link_record(definition, live, adapter)
    fields = {name: live.fields.get(name) for name in declare_fields(definition, adapter)}
    known = stamps.digests(fields, adapter.dialect.table)
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


def has_room(live: LiveAssistant, adapter: Adapter) -> bool:
    """Return whether the stamp fits among the assistant's metadata pairs."""
    return adapter.has_room(live.body, {})


@dataclass(frozen=True, slots=True)
class ImportMatches:
    """What is to be done with each live assistant that was asked for, oldest first.

    `new` maps ids to the name that a record or a stamp gives, empty where there is none; `managed` maps ids to the
    definition that has them; `foreign` maps ids to why they are somebody else's.
    """

    new: Mapping[str, str] = field(default_factory=dict)
    links: tuple[tuple[Definition, LiveAssistant], ...] = ()
    managed: Mapping[str, str] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)
    ambiguous: tuple[Ambiguous, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownAssistants:
    """What there is already: definitions of the target, the names that have a file (left out for it or not), state."""

    definitions: Mapping[str, Definition]
    names: Collection[str]
    state: State
    identity: Identity
    moved: Mapping[str, str] = field(default_factory=dict)


def match_imports(
    seen: Mapping[str, LiveAssistant],
    chosen: Collection[str],
    bodies: Mapping[str, Mapping[str, Any]],
    known: KnownAssistants,
) -> ImportMatches:
    """Return what becomes of the chosen ids; `bodies` are what a new definition of each would say."""
    new: dict[str, str] = {}
    managed: dict[str, str] = {}
    foreign: dict[str, str] = {}
    owners = {record.id: name for name, record in known.state.records.items()}
    free: list[LiveAssistant] = []
    named: dict[str, list[str]] = defaultdict(list)
    for live in _oldest_first(seen[live_id] for live_id in chosen):
        name, theirs = _find_owner(live, owners, known)
        if theirs:
            foreign[live.id] = theirs
        elif not name:
            free.append(live)
        elif name in known.names:
            managed[live.id] = name
        else:
            named[name].append(live.id)
    new |= {ids[0]: name for name, ids in named.items() if len(ids) == 1}
    duplicates = tuple(Ambiguous(name, tuple(sorted(ids)), ()) for name, ids in named.items() if len(ids) > 1)
    open_ones = _list_without_assistant(seen, owners, known)
    doubtful, free = _set_aside_doubtful(free, known)
    alike, free, open_ones = _match_equal(free, open_ones, bodies)
    by_name, ambiguous, free = _match_by_name(free, open_ones)
    new |= {live.id: "" for live in free}
    ordered = {live.id: new[live.id] for live in _oldest_first(seen[live_id] for live_id in new)}
    return ImportMatches(ordered, (*alike, *by_name), managed, foreign, (*duplicates, *doubtful, *ambiguous))


def _oldest_first(lives: Iterable[LiveAssistant]) -> list[LiveAssistant]:
    return sorted(lives, key=lambda live: (live.created_at, live.id))


def _find_owner(live: LiveAssistant, owners: Mapping[str, str], known: KnownAssistants) -> tuple[str, str]:
    """Return the name that a live assistant has here, and why it is somebody else's; both empty where nobody has it."""
    stamp, identity = live.stamp, known.identity
    if stamp is not None and (stamp.project, stamp.target) != (identity.project, identity.target):
        if not stamp.name:
            return "", "has an unreadable stamp"
        return "", f"has the stamp of {stamp.name} of {stamp.project}/{stamp.target}"
    name = owners.get(live.id) or (stamp.name if stamp is not None else "")
    return (name if name in known.definitions else known.moved.get(name, name)), ""


def _list_without_assistant(
    seen: Mapping[str, LiveAssistant], owners: Mapping[str, str], known: KnownAssistants
) -> list[Definition]:
    """Return the definitions that no record and no stamp gives an assistant, in name order."""
    owned = {name for live in seen.values() for name, theirs in [_find_owner(live, owners, known)] if not theirs}
    taken = owned | {known.moved.get(name, name) for name in {*known.state.records, *known.state.pending}}
    return [known.definitions[name] for name in sorted(known.definitions) if name not in taken]


def _set_aside_doubtful(
    free: Sequence[LiveAssistant], known: KnownAssistants
) -> tuple[list[Ambiguous], list[LiveAssistant]]:
    """Set aside assistants without a stamp that an interrupted apply may have created: their names wait in state."""
    waiting: dict[str, list[str]] = defaultdict(list)
    for name in sorted(known.state.pending):
        definition = known.definitions.get(name)
        if definition is not None and name not in known.state.records:
            waiting[str(definition.body.get("name") or "")].append(name)
    doubtful = [
        Ambiguous(shown, tuple(live.id for live in free if live.display_name == shown), tuple(names))
        for shown, names in waiting.items()
        if any(live.display_name == shown for live in free)
    ]
    return doubtful, [live for live in free if live.display_name not in waiting]


def _match_equal(
    free: Sequence[LiveAssistant], definitions: Sequence[Definition], bodies: Mapping[str, Mapping[str, Any]]
) -> tuple[list[tuple[Definition, LiveAssistant]], list[LiveAssistant], list[Definition]]:
    """Match definitions that say just what an import would write: an earlier one ended before its state was saved.

    Only where there are as many of the one as of the other; then it does not matter which is whose.
    """
    lives: dict[str, list[LiveAssistant]] = defaultdict(list)
    files: dict[str, list[Definition]] = defaultdict(list)
    for live in free:
        if live.id in bodies:
            lives[_canonical_text(bodies[live.id])].append(live)
    for definition in definitions:
        files[_canonical_text(definition.body)].append(definition)
    pairs = [
        pair
        for text, mine in files.items()
        if len(mine) == len(lives.get(text, ()))
        for pair in zip(mine, lives[text], strict=True)
    ]
    paired, used = {live.id for _, live in pairs}, {definition.name for definition, _ in pairs}
    rest = [live for live in free if live.id not in paired]
    return pairs, rest, [definition for definition in definitions if definition.name not in used]


def _match_by_name(
    free: Sequence[LiveAssistant], definitions: Sequence[Definition]
) -> tuple[list[tuple[Definition, LiveAssistant]], list[Ambiguous], list[LiveAssistant]]:
    """Match one definition and one assistant of a display name; more of either are ambiguous."""
    by_name: dict[str, list[Definition]] = defaultdict(list)
    for definition in definitions:
        name = definition.body.get("name")
        if isinstance(name, str) and name:
            by_name[name].append(definition)
    lives: dict[str, list[LiveAssistant]] = defaultdict(list)
    for live in free:
        if live.display_name in by_name:
            lives[live.display_name].append(live)
    links, ambiguous = [], []
    for name, mine in lives.items():
        if len(mine) == 1 and len(by_name[name]) == 1:
            links.append((by_name[name][0], mine[0]))
        else:
            ids, names = tuple(live.id for live in mine), tuple(item.name for item in by_name[name])
            ambiguous.append(Ambiguous(name, ids, names))
    return links, ambiguous, [live for live in free if live.display_name not in by_name]


def _canonical_text(body: Mapping[str, Any]) -> str:
    return json.dumps(body, sort_keys=True)


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


def rebuild_records(
    state: State, identity: Identity, seen: Mapping[str, LiveAssistant], names: Collection[str]
) -> Rebuilt:
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


def _count_strangers(identity: Identity, seen: Mapping[str, LiveAssistant]) -> Counter[str]:
    """Count the assistants that carry a readable stamp of another project or target."""
    stamps = [live.stamp for live in seen.values() if not _is_ours(live, identity)]
    return Counter(f"{stamp.project}/{stamp.target}" for stamp in stamps if stamp is not None and stamp.name)


def _by_name(identity: Identity, seen: Mapping[str, LiveAssistant]) -> dict[str, list[LiveAssistant]]:
    """List the assistants that carry the target's stamp by the name in it, in id order."""
    found: dict[str, list[LiveAssistant]] = {}
    for live in sorted(seen.values(), key=lambda entry: entry.id):
        if _is_ours(live, identity) and live.stamp is not None:
            found.setdefault(live.stamp.name, []).append(live)
    return found


def _find_behind(
    state: State, identity: Identity, seen: Mapping[str, LiveAssistant], stamped: Mapping[str, list[LiveAssistant]]
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


def _is_ours(live: LiveAssistant, identity: Identity) -> bool:
    stamp = live.stamp
    return stamp is not None and (stamp.project, stamp.target) == (identity.project, identity.target)
