"""A plan as JSON text and back. A file is hostile until checked: every key, every type, the depth and both sums.

The digest is over what a plan does: it is what people acknowledge, and the same for plans that do the same. The
checksum is over all other bytes of the file, so that rows which only tell are not edited unseen. Neither signs it.
Deliberately does not know files: `dumps` and `loads` work on text. What equals its default is left out, an absent
`before` is MISSING, and so is an absent `after` unless `sets` has a value for its path, which is written only there.
Lone surrogates, which no UTF-8 file can hold, become U+FFFD.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import MISSING as REQUIRED
from dataclasses import Field, fields, is_dataclass, replace
from enum import Enum
from typing import Any

from trueup.core.canonical import OBJECT, canonical_json, same
from trueup.core.checked import (
    MismatchError,
    a_count,
    a_flag,
    a_json_value,
    a_moment,
    a_text,
    an_object,
    list_of,
    load_json,
    map_of,
    one_of,
    optional,
    record_of,
    scalar_text,
)
from trueup.core.command import HERE, Command, Message, Selection, locate_commands, parts_of
from trueup.core.errors import TrueupError
from trueup.core.memory.state import Applied, Record
from trueup.core.memory.state_codec import read_identity
from trueup.core.plans.plan import MISSING, Action, Cause, Change, FieldChange, Ignored, Limit, Options, Plan, Reason
from trueup.core.source import Diagnostic, Position, Severity, Stretch

FORMAT_VERSION = 2

BEGINNING = b'{"changes":['
"""How each plan file begins: canonical JSON puts the keys in order."""

MAX_CHARACTERS = 512 * 1024 * 1024
"""The largest plan file that is read; 10,000 creates of 10 KB take a quarter of it."""

_STRIDE = 1 << 20
"""Characters that are added to a checksum at a time."""

_AGAIN = "Make a new plan; nothing was sent."


def encode(plan: Plan) -> dict[str, Any]:
    """Return the plan as plain JSON values, without format version and digest; messages keep their commands."""
    return dict(to_plain(_drop_local(plan), _encode_message))


def decode(value: Any, folder: str = "") -> Plan:
    """Return the plan that `encode` turned into a value; its commands work in `folder`.

    Raises TrueupError for unknown or missing keys and for wrong types.
    """
    try:
        plan = _PLAN(value, "plan")
    except MismatchError as problem:
        raise TrueupError(f"This plan file was edited by hand or damaged: {problem}.", _AGAIN) from None
    given = tuple(f"{name}={text}" for name, text in plan.options.vars.items())
    return _locate_messages(replace(plan, selection=replace(plan.selection, folder=folder, vars=given)))


def _drop_local(plan: Plan) -> Plan:
    """Drop the folder and variables of this machine, and values that the plan repeats."""
    selection = replace(plan.selection, folder="", vars=())
    return replace(plan, selection=selection, changes=tuple(map(_drop_repeats, plan.changes)))


def _drop_repeats(change: Change) -> Change:
    """Drop each `after` that is equal to what the change sets."""
    return replace(change, fields=tuple(_drop_repeat(item, change.sets.get(item.path)) for item in change.fields))


def _drop_repeat(item: FieldChange, value: Any) -> FieldChange:
    is_set = value is not None and (item.after is value or same(item.after, value))
    return replace(item, after=MISSING) if is_set else item


def _restore_repeats(change: Change) -> Change:
    """Restore the values that `_drop_repeats` dropped."""
    return replace(change, fields=tuple(_restore_repeat(item, change.sets.get(item.path)) for item in change.fields))


def _restore_repeat(item: FieldChange, value: Any) -> FieldChange:
    return item if value is None or item.after is not MISSING else replace(item, after=value)


def _locate_messages(plan: Plan) -> Plan:
    """Point the commands in the plan's messages at its own target."""

    def located(text: str) -> str:
        return locate_commands(text, plan.selection)

    changes = tuple(
        replace(
            change,
            message=located(change.message),
            hint=located(change.hint),
            remarks=tuple(map(located, change.remarks)),
        )
        for change in plan.changes
    )
    diagnostics = (replace(item, message=located(item.message), hint=located(item.hint)) for item in plan.diagnostics)
    return replace(plan, changes=changes, diagnostics=tuple(diagnostics))


def _encode_message(text: str) -> Any:
    """Return a message as JSON: a text, or a list of parts where it has commands."""
    parts = parts_of(text)
    if all(isinstance(part, str) for part in parts):
        return scalar_text(str(text))
    return [
        scalar_text(part)
        if isinstance(part, str)
        else {"elsewhere" if part.selection is None else "command": [scalar_text(word) for word in part.words]}
        for part in parts
    ]


def _read_message(value: Any, where: str) -> str:
    """Return the message that `_encode_message` turned into a value. Raises MismatchError."""
    return a_text(value, where) if isinstance(value, str) else Message(*list_of(_read_part)(value, where))


def _read_part(value: Any, where: str) -> str | Command:
    if isinstance(value, str):
        return a_text(value, where)
    found = an_object(value, where)
    kinds: dict[str, Selection | None] = {"command": HERE, "elsewhere": None}
    kind = next(iter(found), "")
    if len(found) != 1 or kind not in kinds or not found[kind]:
        raise MismatchError(where, "a text, or the words of a command")
    return Command(list_of(a_text)(found[kind], f"{where}.{kind}"), kinds[kind])


def digest(plan: Plan) -> str:
    """SHA-256, in hex, over the target's identity, whether live was an old export, and the sums of what changes do.

    The order of changes does not count.
    """
    whole = hashlib.sha256(canonical_json(to_plain(plan.identity)))
    if plan.snapshot:
        whole.update(b"\nsnapshot")  # what was made from an old view is never the plan of what is live
    for change in sorted(hashlib.sha256(canonical_json(to_essence(change))).digest() for change in plan.changes):
        whole.update(change)
    return whole.hexdigest()


def dumps(plan: Plan) -> str:
    """Return the plan file's text: canonical JSON with format version and both sums, and a final newline."""
    return b"".join(dump_pieces(plan)).decode("utf-8")


def dump_pieces(plan: Plan) -> Iterator[bytes]:
    """Yield the plan file's text as UTF-8, change by change, so that it is never in memory as a whole."""
    checksum = hashlib.sha256(BEGINNING)
    yield BEGINNING
    for number, change in enumerate(plan.changes):
        piece = (b"," if number else b"") + canonical_json(to_plain(_drop_repeats(change), _encode_message))
        checksum.update(piece)
        yield piece
    rest = {**encode(replace(plan, changes=())), "format_version": FORMAT_VERSION, "digest": digest(plan)}
    del rest["changes"]  # its key comes first in canonical JSON, and the checksum's second
    end = canonical_json(rest)[1:] + b"\n"
    checksum.update(b"]," + end)
    yield b"]," + _seal(checksum.hexdigest()).encode() + end


def loads(text: str, folder: str = "") -> Plan:
    """Return the plan in a file's text, with commands for a project in `folder`.

    Raises TrueupError if it is damaged, edited, too large or from a newer version.
    """
    document = _parse(text)
    version = document.pop("format_version", None)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise TrueupError(
            "This is not a plan file of Trueup: its `format_version` is not a positive whole number.", _AGAIN
        )
    if version != FORMAT_VERSION:
        age = "an older" if version < FORMAT_VERSION else "a newer"
        raise TrueupError(
            f"This plan file has format version {version}, of {age} Trueup; this one reads version {FORMAT_VERSION}.",
            "Make a new plan with this version, or apply the file with the version that made it; nothing was sent.",
        )
    claimed, sealed = document.pop("digest", None), document.pop("checksum", None)
    plan = decode(document, folder)
    if claimed != digest(plan):
        raise _make_damaged_error("digest")
    if sealed != _checksum(text, sealed):
        raise _make_damaged_error("checksum")
    return plan


def _make_damaged_error(which: str) -> TrueupError:
    return TrueupError(f"This plan file was edited by hand or damaged: its {which} does not match its content.", _AGAIN)


def _seal(checksum: str) -> str:
    """Return the checksum's key and value as they stand in the file."""
    return f'"checksum":"{checksum}",'


def _checksum(text: str, given: Any) -> str:
    """SHA-256, in hex, of a plan file's text without the key that holds the given checksum."""
    sealing, checksum = _seal(str(given)), hashlib.sha256()
    at = max(text.rfind(sealing), 0)
    for begin, end in ((0, at), (at + len(sealing), len(text))):
        for start in range(begin, end, _STRIDE):
            checksum.update(text[start : min(start + _STRIDE, end)].encode("utf-8", "replace"))
    return checksum.hexdigest()


def to_plain(value: Any, message: Callable[[str], Any] | None = None) -> Any:
    """Convert a value to plain JSON types; of a dataclass keep what differs from its defaults and is not MISSING.

    `message` converts messages that know their commands; without it they become plain texts.
    """
    if isinstance(value, str):
        return message(value) if message and isinstance(value, Message) else scalar_text(str(value))
    if isinstance(value, OBJECT):
        return {scalar_text(key): to_plain(entry, message) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(entry, message) for entry in value]
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        entries = ((item, getattr(value, item.name)) for item in fields(value))
        return {
            item.name: to_plain(entry, message)
            for item, entry in entries
            if entry is not MISSING and not _is_default(entry, item) and not item.metadata.get("derived")
        }
    return value


def _is_default(value: Any, item: Field[Any]) -> bool:
    default = item.default if item.default_factory is REQUIRED else item.default_factory()
    value = str(value) if isinstance(value, Message) else value
    return default is not REQUIRED and type(default) is type(value) and bool(default == value)


def to_essence(change: Change) -> dict[str, Any]:
    """Return what a change does, without its origin, its wording and how its HTTP request is made."""
    return {
        "name": scalar_text(change.name),
        "action": change.action.value,
        "id": scalar_text(change.id),
        "protect": change.protect,
        "sets": to_plain(change.sets),
        "overwritten": to_plain(change.overwritten),
    }


def _parse(text: str) -> dict[str, Any]:
    if len(text) > MAX_CHARACTERS:
        raise TrueupError(f"This plan file is larger than {MAX_CHARACTERS:,} characters.", _AGAIN)
    try:
        return dict(an_object(load_json(text), "the file"))
    except MismatchError as problem:
        raise TrueupError(f"This is not a plan file of Trueup: {problem}.", _AGAIN) from None
    except ValueError as problem:
        raise TrueupError(f"This plan file is not JSON that Trueup can read: {problem}.", _AGAIN) from None


def _read_field_change(value: Any, where: str) -> FieldChange:
    """Read a field's change; absent sides become MISSING."""
    found = {"before": MISSING, "after": MISSING, **an_object(value, where)}
    return _FIELD(found, where)


def _read_side(value: Any, where: str) -> Any:
    return MISSING if value is MISSING else a_json_value(value, where)


def _read_path_part(value: Any, where: str) -> str | int:
    return a_text(value, where) if isinstance(value, str) else a_count(value, where)


def _read_change(value: Any, where: str) -> Change:
    return _restore_repeats(_CHANGE(value, where))


_POSITION = record_of(Position, {"file": a_text, "line": a_count, "column": a_count, "text": a_text})
_STRETCH = record_of(Stretch, {"line": a_count, "file": a_text, "at": a_count})
_DIAGNOSTIC = record_of(
    Diagnostic,
    {
        "severity": one_of(Severity),
        "code": a_text,
        "message": _read_message,
        "position": optional(_POSITION),
        "path": list_of(_read_path_part),
        "hint": _read_message,
    },
)
_APPLIED = record_of(Applied, {"sent": optional(a_text), "kept": optional(a_text), "stamp": optional(a_text)})
_RECORD = record_of(
    Record,
    {
        "id": a_text,
        "created_at": a_count,
        "operation": a_text,
        "protect": a_flag,
        "stamped": optional(a_flag),
        "partial": a_flag,
        "fields": map_of(_APPLIED),
    },
)
_FIELD = record_of(FieldChange, {"path": a_text, "before": _read_side, "after": _read_side, "cause": one_of(Cause)})
_CHANGE = record_of(
    Change,
    {
        "name": a_text,
        "action": one_of(Action),
        "reason": one_of(Reason),
        "id": a_text,
        "operation": a_text,
        "fields": list_of(_read_field_change),
        "sets": map_of(a_json_value),
        "stamp": a_text,
        "overwritten": map_of(a_text),
        "record": optional(_RECORD),
        "adopted": a_flag,
        "backup": a_flag,
        "wanted": a_flag,
        "protect": a_flag,
        "recreate": a_flag,
        "moved_from": a_text,
        "others": list_of(a_text),
        "display_name": a_text,
        "message": _read_message,
        "hint": _read_message,
        "sources": map_of(_POSITION),
        "file": a_text,
        "parts": list_of(a_text),
        "stretches": list_of(_STRETCH),
        "functions": list_of(a_text),
        "remarks": list_of(_read_message),
    },
)
_IGNORED = record_of(
    Ignored,
    {"name": a_text, "field": a_text, "reason": a_text, "until": a_text, "differs": a_flag},
)
_OPTIONS = record_of(
    Options,
    {
        "on_drift": a_text,
        "prune": a_flag,
        "vars": map_of(a_json_value),
        "accepted_ids": list_of(a_text),
        "destroy": a_flag,
        "stamp_all": a_flag,
    },
)
_LIMIT = record_of(Limit, {"names": list_of(a_text), "chosen": a_count, "total": a_count})
_PLAN = record_of(
    Plan,
    {
        "identity": read_identity,
        "options": _OPTIONS,
        "changes": list_of(_read_change),
        "unchanged": a_count,
        "not_stamped": a_count,
        "records": a_count,
        "complete": a_flag,
        "diagnostics": list_of(_DIAGNOSTIC),
        "ignored": list_of(_IGNORED),
        "snapshot": a_moment,  # summaries show it as it is
        "limit": optional(_LIMIT),
        "selection": record_of(Selection, {"target": a_text, "is_default": a_flag}),
    },
)
