"""The values that `accept` took into files since the last apply, as digests: the base that later changes start from.

They count only while the file still holds them and the record is the one they were taken beside: not on another
branch, not once the edit is undone, not after an apply. Knows no file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from trueup.core.canonical import DIGEST_RULES, digest
from trueup.core.checked import MismatchError, a_text, an_object, list_of, map_of, optional, record_of
from trueup.core.memory.state import Applied, Record
from trueup.core.memory.state_codec import load_json

UNKNOWN = Applied()
"""What is known of a field that a record does not hold."""


@dataclass(frozen=True, slots=True)
class AcceptedField:
    """One field: `applied` is what counts as applied since, `beside` what its record may say for that."""

    applied: Applied
    beside: tuple[Applied, ...]


@dataclass(frozen=True, slots=True)
class AcceptedFields:
    """The accepted fields of one assistant, beside the record with this id and operation."""

    id: str
    operation: str
    fields: Mapping[str, AcceptedField] = field(default_factory=dict)

    def is_beside(self, record: Record) -> bool:
        """Return whether nothing was applied since."""
        return (self.id, self.operation) == (record.id, record.operation)


def apply_accepted(record: Record, accepted: AcceptedFields, file: Mapping[str, Any]) -> Record:
    """Return the record in which what was accepted counts as applied, where `file` still holds it."""
    if not accepted.is_beside(record):
        return record
    fields = dict(record.fields)
    for name, one in accepted.fields.items():
        known = fields.get(name, UNKNOWN)
        if name in file and digest(file[name]) == one.applied.sent and known in one.beside:
            fields[name] = replace(one.applied, stamp=known.stamp)
    return replace(record, fields=fields) if fields != record.fields else record


def base_digests(record: Record, accepted: AcceptedFields | None, name: str) -> frozenset[str]:
    """Return the digests of the values of a field that an edit of its file may have started from."""
    known = [record.fields.get(name, UNKNOWN)]
    if accepted is not None and accepted.is_beside(record) and name in accepted.fields:
        known.append(accepted.fields[name].applied)
    return frozenset(text for one in known for text in (one.sent, one.kept) if text is not None)


def add_accepted(accepted: AcceptedFields | None, record: Record, taken: Mapping[str, Applied]) -> AcceptedFields:
    """Return what was accepted beside a record, with the fields that were taken now."""
    fields = dict(accepted.fields) if accepted is not None and accepted.is_beside(record) else {}
    for name, applied in taken.items():
        known = record.fields.get(name, UNKNOWN)
        earlier = fields[name].beside if name in fields else ()
        fields[name] = AcceptedField(applied, tuple(dict.fromkeys((*earlier, known))))
    return AcceptedFields(record.id, record.operation, fields)


def encode_accepted(accepted: Mapping[str, AcceptedFields]) -> str:
    """Return the text of a file that keeps them, by the names of assistants."""
    assistants = {name: asdict(accepted[name]) for name in sorted(accepted)}
    return json.dumps({"digest_rules": DIGEST_RULES, "assistants": assistants}, indent=2, allow_nan=False) + "\n"


def decode_accepted(text: str) -> dict[str, AcceptedFields]:
    """Return what a text keeps; nothing where it is damaged or its digests are of other rules."""
    try:
        value = an_object(load_json(text), "it")
        return _ASSISTANTS(value.get("assistants"), "it") if value.get("digest_rules") == DIGEST_RULES else {}
    except (ValueError, RecursionError, MismatchError):
        return {}  # what was accepted before is then a base no more, as if it had been typed


_APPLIED = record_of(Applied, {key: optional(a_text) for key in ("sent", "kept", "stamp")})
_FIELD = record_of(AcceptedField, {"applied": _APPLIED, "beside": list_of(_APPLIED)})
_FIELDS = record_of(AcceptedFields, {"id": a_text, "operation": a_text, "fields": map_of(_FIELD)})
_ASSISTANTS = map_of(_FIELDS)
