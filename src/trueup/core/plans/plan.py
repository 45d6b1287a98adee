"""A plan as a value: what would change, why, and what is set. Knows nothing of how it is made, shown or sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from trueup.core.command import HERE, Selection
from trueup.core.field_table import FieldTable, Kind
from trueup.core.memory.state import Identity, Record
from trueup.core.source import Diagnostic, Position, Stretch

DERIVED: Mapping[str, bool] = {"derived": True}
"""Marks an attribute of a plan that follows from others, and is neither written nor shown."""


class Missing(Enum):
    """The absence of a value, which is not null."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing.MISSING


class Cause(Enum):
    """Why a field is listed in a change."""

    NEW = "new"  # part of a create
    EDITED = "edited"  # the file changed
    REMOVED = "removed"  # removed from the file
    DRIFTED = "drifted"  # live changed
    CONFLICT = "conflict"  # both changed
    UNKNOWN = "unknown"  # drifted or not kept: the record cannot tell
    RECORDED = "recorded"  # live = file: only the record changes
    FORCED = "forced"  # changed by the request, as the protocol requires
    SECRET = "secret"  # live holds a secret there, which a write would erase: not sent
    IMPOSSIBLE = "impossible"  # to be cleared, which this server was found unable to do: not sent, said once


class Action(Enum):
    """What happens to one assistant; exactly one for each."""

    CREATE = "create"
    MODIFY = "modify"
    DELETE = "delete"
    STAMP = "stamp"  # a write of the stamp alone
    RELEASE = "release"  # the stamp is taken off and the record forgotten
    ADOPT = "adopt"  # the record is made from the stamp; nothing else changes
    RECORD = "record"  # only the record changes
    FORGET = "forget"  # the record goes, nothing is live
    HELD = "held"  # needs a person
    ORPHAN = "orphan"  # live and recorded, no file
    DRIFT = "drift"  # live differs, nobody wants a change: left alone
    UNREAD = "unread"  # could not be read
    NOTHING = "nothing"


class Reason(Enum):
    """The row of the contract's table that decided."""

    CLEAN = "clean"
    NEW = "new"
    EDITED = "edited"
    REVERTED = "reverted"
    CONVERGED = "converged"
    IMPOSSIBLE = "impossible"  # what is still wanted, this server cannot do
    SECRET = "secret"  # live holds a secret in a field that is to be written
    ADOPTED = "adopted"
    DRIFTED = "drifted"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"
    BEHIND = "behind"
    TWINS = "twins"  # two stamped ones and no record
    TWIN_BESIDE = "twin-beside"  # the recorded one and another with the same stamp
    FOREIGN = "foreign"  # the recorded one carries somebody else's stamp
    NAMESAKE = "namesake"  # an unstamped one has the display name of a create
    DELETED_OUTSIDE = "deleted-outside"
    RECREATED = "recreated"
    ORPHANED = "orphaned"
    PRUNED = "pruned"
    PROTECTED = "protected"
    GONE = "gone"
    RENAME = "likely-rename"
    MOVED = "moved"
    RELEASED = "released"
    NOT_STAMPED = "not-stamped"
    STAMP_LOST = "stamp-lost"
    UNREADABLE = "unreadable"
    NO_ROOM = "no-room"  # the file's metadata leaves no room for the stamp that a create needs
    UNSETTLED = "unsettled"  # an earlier create's outcome is unknown and nothing can tell


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field (`metadata.owner`, `tools` …): `before` is live, `after` what the file wants; MISSING is not None.

    `kind` follows from the protocol's field table: a plan file does not hold it.
    """

    path: str
    before: Any
    after: Any
    cause: Cause
    kind: Kind = field(default=Kind.SCALAR, compare=False, metadata=DERIVED)


@dataclass(frozen=True, slots=True)
class Change:
    """What a plan says about one assistant.

    `sets` are the fields that the request sets and their values, None clears one; the request is made of them and of
    the last read when it is sent, with the text of `stamp` where there is room for it (empty: none is written).
    `overwritten` are digests of the live fields that are replaced.
    `record` is what state remembers once it is done (`kept` digests are filled from the answer). `wanted` says that
    a blocked change was asked for (exit 3). `others` are the ids of duplicates and name conflicts.
    `sources` maps request paths (`tools[0].function`) to where they stand in the files; where the instructions differ,
    `stretches` says the same of their lines and `functions` are the names the definition's tools have; `remarks` are
    sentences on what is known beside the plan, such as since when a drift is seen. All these and `message` are part
    of no digest.
    """

    name: str
    action: Action
    reason: Reason
    id: str = ""
    operation: str = ""
    fields: tuple[FieldChange, ...] = ()
    sets: Mapping[str, Any] = field(default_factory=dict)
    stamp: str = ""
    overwritten: Mapping[str, str] = field(default_factory=dict)
    record: Record | None = None
    adopted: bool = False
    backup: bool = False
    wanted: bool = False
    protect: bool = False
    recreate: bool = False
    moved_from: str = ""
    others: tuple[str, ...] = ()
    display_name: str = ""
    message: str = ""
    hint: str = ""
    sources: Mapping[str, Position] = field(default_factory=dict)
    file: str = ""
    parts: tuple[str, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    functions: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """A field that `lifecycle.ignore_changes` leaves alone; `differs`: live does not match the file.

    `reason` and `until` (an ISO date) are what the entry says.
    """

    name: str
    field: str
    reason: str = ""
    until: str = ""
    differs: bool = False


WRITES = frozenset({Action.CREATE, Action.MODIFY, Action.DELETE, Action.STAMP, Action.RELEASE})
"""The actions that send a request which changes something."""


@dataclass(frozen=True, slots=True)
class Options:
    """The flags and variables a plan was made with; apply compares them with its own."""

    on_drift: str = "refuse"
    prune: bool = False
    vars: Mapping[str, Any] = field(default_factory=dict)
    accepted_ids: tuple[str, ...] = ()
    destroy: bool = False
    stamp_all: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """What a plan was limited to: the NAMEs as they were given, and for how many of all assistants they stand."""

    names: tuple[str, ...]
    chosen: int
    total: int


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers of the summary line: each assistant is in one of them, and may also be in one of the last three.

    `modify` are all writes to what is live, stamps too; `adopt` what is only adopted; `drifted` what is left alone;
    `held` the wanted changes that are blocked, conflicts too; `behind` what another checkout has applied since.
    """

    create: int = 0
    modify: int = 0
    delete: int = 0
    drifted: int = 0
    unchanged: int = 0
    adopt: int = 0
    held: int = 0
    behind: int = 0
    orphaned: int = 0
    unreadable: int = 0
    forgotten: int = 0
    not_stamped: int = 0
    impossible: int = 0
    doubled: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything an apply may do to one target, in name order.

    `ignored` are the fields that are left alone, in the order of names and entries; they are part of no digest.
    `snapshot` is the moment (ISO 8601, UTC) of the export that stood for what is live, empty where that was read now:
    such a plan is for looking at and is never applied. `limit` is None where the plan is about all assistants; it is
    part of no digest. `selection` is how a command line selects its target; it is part of no digest.
    """

    identity: Identity
    options: Options
    changes: tuple[Change, ...]
    unchanged: int = 0
    not_stamped: int = 0
    records: int = 0
    complete: bool = True
    diagnostics: tuple[Diagnostic, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    snapshot: str = ""
    limit: Limit | None = None
    selection: Selection = field(default=HERE, compare=False)


def with_kinds(plan: Plan, table: FieldTable) -> Plan:
    """Return a plan that was read from a file, its fields with the kinds that they have in the protocol's table."""
    return replace(plan, changes=tuple(_with_kinds(change, table) for change in plan.changes))


def _with_kinds(change: Change, table: FieldTable) -> Change:
    return replace(change, fields=tuple(replace(item, kind=table.kind_of(item.path)) for item in change.fields))


OUTSIDE = frozenset({Cause.DRIFTED, Cause.CONFLICT, Cause.UNKNOWN})
"""Causes of a field that differs by a manual change, or may."""


def is_outside(change: Change) -> bool:
    """Whether somebody changed or deleted it since it was applied, or may have; being behind is not that."""
    if change.reason is Reason.BEHIND:
        return False
    return is_deleted_outside(change) or any(item.cause in OUTSIDE for item in change.fields)


def is_deleted_outside(change: Change) -> bool:
    """Return whether what is recorded was deleted outside, also where the target's rules create it again."""
    return change.reason is Reason.DELETED_OUTSIDE or change.recreate
