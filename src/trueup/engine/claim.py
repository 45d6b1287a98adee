"""Which live assistants become new definitions, and which belong to definitions that there are. Guesses nothing.

A definition without an assistant gets the one that says the same, or the only one of its display name. What several
could mean is named, with all ids and definitions. Reads no file and sends nothing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trueup.core.definitions.definition import Definition
from trueup.core.memory.state import Identity, State
from trueup.core.migration.imports import Ambiguous
from trueup.core.plans.seen import Seen


@dataclass(frozen=True, slots=True)
class Claims:
    """What is to be done with each live assistant that was asked for, oldest first.

    `new` maps ids to the name that a record or a stamp gives, empty where there is none; `managed` maps ids to the
    definition that has them; `foreign` maps ids to why they are somebody else's.
    """

    new: Mapping[str, str] = field(default_factory=dict)
    links: tuple[tuple[Definition, Seen], ...] = ()
    managed: Mapping[str, str] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)
    ambiguous: tuple[Ambiguous, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What there is already: definitions of the target, the names that have a file (left out for it or not), state."""

    definitions: Mapping[str, Definition]
    names: Collection[str]
    state: State
    identity: Identity
    moved: Mapping[str, str] = field(default_factory=dict)


def claims(
    seen: Mapping[str, Seen], chosen: Collection[str], bodies: Mapping[str, Mapping[str, Any]], known: Known
) -> Claims:
    """What becomes of the chosen ids; `bodies` are what a new definition of each would say."""
    new: dict[str, str] = {}
    managed: dict[str, str] = {}
    foreign: dict[str, str] = {}
    owners = {record.id: name for name, record in known.state.records.items()}
    free: list[Seen] = []
    named: dict[str, list[str]] = defaultdict(list)
    for live in _oldest_first(seen[live_id] for live_id in chosen):
        name, theirs = _owner(live, owners, known)
        if theirs:
            foreign[live.id] = theirs
        elif not name:
            free.append(live)
        elif name in known.names:
            managed[live.id] = name
        else:
            named[name].append(live.id)
    new |= {ids[0]: name for name, ids in named.items() if len(ids) == 1}
    twins = tuple(Ambiguous(name, tuple(sorted(ids)), ()) for name, ids in named.items() if len(ids) > 1)
    open_ones = _without_assistant(seen, owners, known)
    doubtful, free = _perhaps_created(free, known)
    alike, free, open_ones = _equal(free, open_ones, bodies)
    by_name, ambiguous, free = _namesakes(free, open_ones)
    new |= {live.id: "" for live in free}
    ordered = {live.id: new[live.id] for live in _oldest_first(seen[live_id] for live_id in new)}
    return Claims(ordered, (*alike, *by_name), managed, foreign, (*twins, *doubtful, *ambiguous))


def _oldest_first(lives: Iterable[Seen]) -> list[Seen]:
    return sorted(lives, key=lambda live: (live.created_at, live.id))


def _owner(live: Seen, owners: Mapping[str, str], known: Known) -> tuple[str, str]:
    """The name that a live assistant has here, and why it is somebody else's; both empty where nobody has it."""
    stamp, identity = live.stamp, known.identity
    if stamp is not None and (stamp.project, stamp.target) != (identity.project, identity.target):
        if not stamp.name:
            return "", "carries a stamp that cannot be read"
        return "", f"carries the stamp of {stamp.name} of {stamp.project}/{stamp.target}"
    name = owners.get(live.id) or (stamp.name if stamp is not None else "")
    return (name if name in known.definitions else known.moved.get(name, name)), ""


def _without_assistant(seen: Mapping[str, Seen], owners: Mapping[str, str], known: Known) -> list[Definition]:
    """The definitions that no record and no stamp gives an assistant, in name order."""
    owned = {name for live in seen.values() for name, theirs in [_owner(live, owners, known)] if not theirs}
    taken = owned | {known.moved.get(name, name) for name in {*known.state.records, *known.state.pending}}
    return [known.definitions[name] for name in sorted(known.definitions) if name not in taken]


def _perhaps_created(free: Sequence[Seen], known: Known) -> tuple[list[Ambiguous], list[Seen]]:
    """Assistants without a stamp that an apply which was cut off may have created: their names wait in state."""
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


def _equal(
    free: Sequence[Seen], definitions: Sequence[Definition], bodies: Mapping[str, Mapping[str, Any]]
) -> tuple[list[tuple[Definition, Seen]], list[Seen], list[Definition]]:
    """Definitions that say just what an import would write: an earlier one did, and ended before its state was saved.

    Only where there are as many of the one as of the other; then it does not matter which is whose.
    """
    lives: dict[str, list[Seen]] = defaultdict(list)
    files: dict[str, list[Definition]] = defaultdict(list)
    for live in free:
        if live.id in bodies:
            lives[_text(bodies[live.id])].append(live)
    for definition in definitions:
        files[_text(definition.body)].append(definition)
    pairs = [
        pair
        for text, mine in files.items()
        if len(mine) == len(lives.get(text, ()))
        for pair in zip(mine, lives[text], strict=True)
    ]
    linked, used = {live.id for _, live in pairs}, {definition.name for definition, _ in pairs}
    rest = [live for live in free if live.id not in linked]
    return pairs, rest, [definition for definition in definitions if definition.name not in used]


def _namesakes(
    free: Sequence[Seen], definitions: Sequence[Definition]
) -> tuple[list[tuple[Definition, Seen]], list[Ambiguous], list[Seen]]:
    """One definition and one assistant of a display name belong together; more of either are named."""
    by_name: dict[str, list[Definition]] = defaultdict(list)
    for definition in definitions:
        name = definition.body.get("name")
        if isinstance(name, str) and name:
            by_name[name].append(definition)
    lives: dict[str, list[Seen]] = defaultdict(list)
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


def _text(body: Mapping[str, Any]) -> str:
    return json.dumps(body, sort_keys=True)
