"""What `accept` came to: the report of one run, and the digests that later changes start from.

The digests count only while the file still holds the values and the record is the one they were taken beside: not on
another branch, not once the edit is undone, not after an apply.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any

from trueup.core.canonical import DIGEST_RULES, digest
from trueup.core.checked import a_text, an_object, list_of, load_json, map_of, optional, record_of
from trueup.core.command import HERE, Command
from trueup.core.memory.state import Applied, Record
from trueup.core.source import Position

PLAN = HERE.command("plan")


class AcceptResult(Enum):
    """What became of one field; the value finishes a sentence."""

    TAKEN = "taken from live"
    MERGED = "merged with the file's own edit"
    CONFLICT = "left as a conflict: the file was edited too"
    SAME = "already the same in the file"
    REFUSED = "not taken"


@dataclass(frozen=True, slots=True)
class AcceptedField:
    """One field; `paste` are lines that the definition could hold instead of what was not taken."""

    name: str
    ending: AcceptResult
    message: str = ""
    hint: str = ""
    position: Position | None = None
    paste: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FilePatch:
    """A file, and its change as `git apply` takes it."""

    file: str
    patch: bytes


@dataclass(frozen=True, slots=True)
class Accepted:
    """One assistant; `also` are others that change with it, by name with their targets; `written`: so are the files.

    `again` is the command that shows what is left to do.
    """

    name: str
    target: str
    id: str
    fields: tuple[AcceptedField, ...]
    patches: tuple[FilePatch, ...] = ()
    also: tuple[tuple[str, str], ...] = ()
    written: bool = False
    again: Command = PLAN

    @property
    def left(self) -> Sequence[AcceptedField]:
        """The fields that a person has to look at."""
        return [item for item in self.fields if item.ending in (AcceptResult.CONFLICT, AcceptResult.REFUSED)]


UNKNOWN = Applied()
"""What is known of a field that a record does not hold."""


@dataclass(frozen=True, slots=True)
class AcceptedValue:
    """One field: `applied` is what counts as applied since, `beside` what its record may say for that."""

    applied: Applied
    beside: tuple[Applied, ...]


@dataclass(frozen=True, slots=True)
class AcceptedValues:
    """The accepted fields of one assistant, beside the record with this id and operation."""

    id: str
    operation: str
    fields: Mapping[str, AcceptedValue] = field(default_factory=dict)

    def is_beside(self, record: Record) -> bool:
        """Return whether nothing was applied since."""
        return (self.id, self.operation) == (record.id, record.operation)


def apply_accepted(record: Record, accepted: AcceptedValues, file: Mapping[str, Any]) -> Record:
    """Return the record in which what was accepted counts as applied, where `file` still holds it."""
    if not accepted.is_beside(record):
        return record
    fields = dict(record.fields)
    for name, one in accepted.fields.items():
        known = fields.get(name, UNKNOWN)
        if name in file and digest(file[name]) == one.applied.sent and known in one.beside:
            fields[name] = replace(one.applied, stamp=known.stamp)
    return replace(record, fields=fields) if fields != record.fields else record


def base_digests(record: Record, accepted: AcceptedValues | None, name: str) -> frozenset[str]:
    """Return the digests of the values of a field that an edit of its file may have started from."""
    known = [record.fields.get(name, UNKNOWN)]
    if accepted is not None and accepted.is_beside(record) and name in accepted.fields:
        known.append(accepted.fields[name].applied)
    return frozenset(text for one in known for text in (one.sent, one.kept) if text is not None)


def add_accepted(accepted: AcceptedValues | None, record: Record, taken: Mapping[str, Applied]) -> AcceptedValues:
    """Return what was accepted beside a record, with the fields that were taken now."""
    fields = dict(accepted.fields) if accepted is not None and accepted.is_beside(record) else {}
    for name, applied in taken.items():
        known = record.fields.get(name, UNKNOWN)
        earlier = fields[name].beside if name in fields else ()
        fields[name] = AcceptedValue(applied, tuple(dict.fromkeys((*earlier, known))))
    return AcceptedValues(record.id, record.operation, fields)


def encode_accepted(accepted: Mapping[str, AcceptedValues]) -> str:
    """Return the text of a file that keeps them, by the names of assistants."""
    assistants = {name: asdict(accepted[name]) for name in sorted(accepted)}
    return json.dumps({"digest_rules": DIGEST_RULES, "assistants": assistants}, indent=2, allow_nan=False) + "\n"


def decode_accepted(text: str) -> dict[str, AcceptedValues]:
    """Return what a text keeps; nothing where it is damaged or its digests are of other rules."""
    try:
        value = an_object(load_json(text), "it")
        return _ASSISTANTS(value.get("assistants"), "it") if value.get("digest_rules") == DIGEST_RULES else {}
    except ValueError:
        return {}  # what was accepted before is then a base no more, as if it had been typed


_APPLIED = record_of(Applied, {key: optional(a_text) for key in ("sent", "kept", "stamp")})
_FIELD = record_of(AcceptedValue, {"applied": _APPLIED, "beside": list_of(_APPLIED)})
_FIELDS = record_of(AcceptedValues, {"id": a_text, "operation": a_text, "fields": map_of(_FIELD)})
_ASSISTANTS = map_of(_FIELDS)
