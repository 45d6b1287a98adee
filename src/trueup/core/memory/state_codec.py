"""State as text and back: one record a block, so that git merges neighbours. What is read is hostile.

The text is JSON in a fixed layout: names in order, and an `"": "end"` after the last record, so that adding a record
never touches the lines of another one. The layout is published as `schemas/state.schema.json`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from trueup.core.checked import (
    MismatchError,
    Reader,
    a_flag,
    a_text,
    a_time,
    an_exact_text,
    an_integer,
    an_object,
    load_json,
    map_of,
    object_of,
    optional,
    record_of,
)
from trueup.core.command import HERE, Message, Selection
from trueup.core.errors import ForeignStateError, StateError
from trueup.core.memory.state import FORMAT_VERSION, Applied, Identity, Pending, Record, State, is_plain_id

LIMIT = 64 * 1024 * 1024
"""Bytes of a state file; a fleet of 10,000 needs about a tenth of it."""

END = ""
"""The key after the last record; no assistant can be named so."""

_TOKENS = re.compile(r"(-|[0-9a-z]{1,64}) (-|=|[0-9a-z]{1,64}) (-|[0-9a-z]{1,64})", re.ASCII)
_MARKER = re.compile(r"^(<<<<<<<|>>>>>>>|\|\|\|\|\|\|\|)", re.MULTILINE)


def encode(state: State) -> str:
    """Return the state's text, which is the same for the same state whatever the order of its mappings."""
    value = {
        "format_version": FORMAT_VERSION,
        "target": identity_value(state.identity),
        "digest_rules": state.digest_rules,
        "records": {name: record_value(state.records[name]) for name in sorted(state.records)} | {END: "end"},
        "pending": {name: _pending_value(state.pending[name]) for name in sorted(state.pending)} | {END: "end"},
    }
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # what a stamp said may hold a lone surrogate, which only an escape can carry
        text = json.dumps(value, indent=2, allow_nan=False)
    return text + "\n"


def decode(
    text: str, identity: Identity, file: str, *, other_target: bool = False, selection: Selection = HERE
) -> State:
    """Return the state that a text holds; `file` names the text in messages.

    `other_target` accepts the state of another target. `selection` holds the flags that commands in messages need.

    A state without records and pending requests belongs to no target. Raises StateError for a newer version, conflict
    markers, a repeated name or id, damage, or another target's state; its hint names the command that repairs it.
    """
    if len(text) > LIMIT:
        raise StateError(
            f"{file} is larger than {LIMIT >> 20} MiB, the limit of a state file.", _how_to_mend(selection)
        )
    if _MARKER.search(text):
        raise StateError(
            f"{file} contains unresolved git conflict markers.",
            Message(
                f"Keep one side:\n  git checkout --ours -- {shlex.quote(file)}\n"
                "Rebuild the records of the other side from the stamps:\n  ",
                selection.command("state", "rebuild"),
                "\nThen commit the file.",
            ),
        )
    try:
        value = load_json(text)
        _refuse_newer(value, file)
        state, found = _read_state(value, identity)
    except ValueError as error:
        raise StateError(f"{file} is damaged: {error}.", _how_to_mend(selection)) from None
    is_somebodys = bool(state.records or state.pending)
    if is_somebodys and not other_target:
        _refuse_other(found, identity, file, selection)
    return state


def record_value(record: Record) -> dict[str, Any]:
    """Return a record as JSON, fields sorted, each `sent kept stamp` with `-` for none and `=` for kept as sent."""
    return {
        "id": record.id,
        "created_at": record.created_at,
        "operation": record.operation,
        "protect": record.protect,
        "stamped": record.stamped,
        "partial": record.partial,
        "fields": {name: _write_tokens(record.fields[name]) for name in sorted(record.fields)},
    }


def an_id(value: Any, where: str) -> str:
    """Return an id, empty where none is known yet. Raises MismatchError for what no vendor's id is."""
    text = an_exact_text(value, where)
    if text and not is_plain_id(text):
        raise MismatchError(where, f"an id: {text[:60]!r} cannot be an assistant's id")
    return text


def _refuse_newer(value: Any, file: str) -> None:
    version = value.get("format_version") if isinstance(value, dict) else None
    if type(version) is not int or version < 1:
        raise ValueError("it has no `format_version`")
    if version > FORMAT_VERSION:
        raise ForeignStateError(
            f"{file} was written by a newer Trueup: its format version is {version}, this one knows {FORMAT_VERSION}.",
            "Upgrade Trueup (`pip install --upgrade trueup`) and run the command again; the file was left as it is.",
        )


def _read_state(value: Any, identity: Identity) -> tuple[State, Identity]:
    """Return the state under this target's identity, and the identity that the text names. Raises ValueError."""
    found = _read_document(value, "the state")
    records = {name: read_record(entry, f"records.{name}") for name, entry in found["records"]}
    pending = {name: _read_pending(name, entry) for name, entry in found["pending"]}
    owner: dict[str, str] = {}
    for name, record in records.items():
        if not record.id:
            raise MismatchError(f"records.{name}.id", "present")
        other = owner.setdefault(record.id, name)
        if other != name:
            raise ValueError(f"{other!r} and {name!r} both have the id {record.id!r}")
    state = State(identity=identity, digest_rules=found["digest_rules"], records=records, pending=pending)
    return state, found["target"]


def _read_block(value: Any, where: str) -> list[tuple[str, Any]]:
    """Return the entries of a block in order of their names, without the one that ends it."""
    if an_object(value, where).get(END) != "end":
        raise MismatchError(where, f'ended by the line `{json.dumps(END)}: "end"`')
    return [(name, value[name]) for name in sorted(value) if name != END]


def _read_pending(name: str, value: Any) -> Pending:
    return Pending(name=name, **_read_pending_keys(value, f"pending.{name}"))


def _read_applied(value: Any, where: str) -> Applied:
    match = _TOKENS.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise MismatchError(where, "written as `sent kept stamp`")
    sent, kept, stamp = (None if token == "-" else token for token in match.groups())
    return Applied(sent=sent, kept=sent if kept == "=" else kept, stamp=stamp)


def identity_value(identity: Identity) -> dict[str, Any]:
    """Return a target's identity as JSON, its scope sorted by key."""
    return {
        "project": identity.project,
        "target": identity.target,
        "protocol": identity.protocol,
        "base_url": identity.base_url,
        "scope": {key: identity.scope[key] for key in sorted(identity.scope)},
    }


def _refuse_other(found: Identity, identity: Identity, file: str, selection: Selection) -> None:
    there, here = flatten_identity(found), flatten_identity(identity)
    differing = [
        f"{key} is {there.get(key, '')!r} there and {here.get(key, '')!r} here"
        for key in dict.fromkeys([*there, *here])
        if there.get(key, "") != here.get(key, "")
    ]
    if differing:
        raise ForeignStateError(
            f"{file} belongs to another target: {'; '.join(differing)}.",
            _other_target_hint(found, identity, selection),
        )


def _other_target_hint(found: Identity, identity: Identity, selection: Selection) -> Message:
    """Return how to go on with another target's state; a rebuild only helps where the stamps are this target's."""
    forget = selection.command("state", "rm", "*")
    if found.project != identity.project:
        return Message(
            "Restore the old value of `project` in trueup.yaml: the live stamps name "
            f"{found.project}, so an apply of {identity.project} would create every assistant a second time. "
            "If this is another project with a copy of that state, forget the records: ",
            forget,
        )
    if found.target != identity.target:
        return Message(f"It is a copy of the state of {found.target}. To forget its records: ", forget)
    return Message(
        "Restore the old value, or give the new server its own target in trueup.yaml. If it replaced the old "
        "one, forget the old records: ",
        forget,
        ", and rebuild them from the stamps: ",
        selection.command("state", "rebuild"),
    )


def flatten_identity(identity: Identity) -> dict[str, str]:
    """Return, flat, what tells two targets apart; a slash at the end of the base URL makes no difference."""
    value = identity_value(identity)
    scope = value.pop("scope")
    value["base_url"] = value["base_url"].rstrip("/")
    return value | {f"scope.{key}": entry for key, entry in scope.items()}


def _write_tokens(applied: Applied) -> str:
    kept = "=" if applied.kept is not None and applied.kept == applied.sent else applied.kept or "-"
    return f"{applied.sent or '-'} {kept} {applied.stamp or '-'}"


def _pending_value(pending: Pending) -> dict[str, Any]:
    return {
        "operation": pending.operation,
        "action": pending.action,
        "since": pending.since,
        "id": pending.id,
        "after": pending.after,
        "record": None if pending.record is None else record_value(pending.record),
    }


def _how_to_mend(selection: Selection) -> Message:
    return Message(
        "Restore the last good version from git, or rebuild names, ids and digests from the stamps: ",
        selection.command("state", "rebuild"),
    )


_NAME = re.compile(r' {4}("(?:[^"\\]|\\.)+"): \{')
_ID = re.compile(r' {6}"id": "([^"\\]*)"')
_ENTRY = re.compile(r'\{"step":.*?"name":("(?:[^"\\]|\\.)+"),.*?"id":"([^"\\]*)"')


def find_names(text: str) -> Mapping[str, str]:
    """Map the names of records and of pending requests to their ids, empty where there is none.

    Each is on lines of its own, so that damage elsewhere hides none of them.
    """
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if match := _NAME.match(line):
            name = _read_string(match[1])
            continue
        entry = _ENTRY.match(line)
        if match := entry or _ID.match(line):
            owner, live_id = (_read_string(entry[1]), entry[2]) if entry else (name, match[1])
            found[owner] = live_id if is_plain_id(live_id) else found.get(owner, "")
    found.pop("", None)
    return found


def _read_string(word: str) -> str:
    """Return the text that a JSON string holds; nothing for a damaged one."""
    try:
        return str(json.loads(word))
    except ValueError:
        return ""


read_identity = record_of(
    Identity, {"project": a_text, "target": a_text, "protocol": a_text, "base_url": a_text, "scope": map_of(a_text)}
)
"""Reads the identity of a target, wherever one is written. Raises MismatchError."""

_RECORD: Mapping[str, Reader] = {
    "id": an_id,
    "created_at": an_integer,
    "operation": an_exact_text,
    "protect": a_flag,
    "stamped": optional(a_flag),
    "partial": a_flag,
    "fields": map_of(_read_applied, an_exact_text),
}
read_record = record_of(Record, _RECORD, _RECORD)
"""Reads a record of a state or a journal. Raises MismatchError."""

_PENDING: Mapping[str, Reader] = {
    "operation": an_exact_text,
    "action": an_exact_text,
    "since": a_time,
    "id": an_id,
    "after": an_exact_text,
    "record": optional(read_record),
}
_read_pending_keys = object_of(_PENDING, _PENDING)
_DOCUMENT: Mapping[str, Reader] = {
    "format_version": an_integer,
    "target": read_identity,
    "digest_rules": an_integer,
    "records": _read_block,
    "pending": _read_block,
}
_read_document = object_of(_DOCUMENT, _DOCUMENT)
