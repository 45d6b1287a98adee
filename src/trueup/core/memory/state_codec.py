"""State as text and back: one record a block, so that git merges neighbours. What is read is hostile.

The text is JSON in a fixed layout: names in order, and an `"": "end"` after the last record, so that adding a record
never touches the lines of another one. The layout is published as `schemas/state.schema.json`.
"""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from trueup.core.command import HERE, Message, Selection
from trueup.core.errors import ForeignStateError, StateError
from trueup.core.memory.state import FORMAT_VERSION, Applied, Identity, Pending, Record, State, is_plain_id

LIMIT = 64 * 1024 * 1024
"""Bytes of a state file; a fleet of 10,000 needs about a tenth of it."""

END = ""
"""The key after the last record; no assistant can be named so."""

_DIGITS = 4_000
"""Digits of a number that is read; Python itself ends at 4,300."""

_TOKENS = re.compile(r"(-|[0-9a-z]{1,64}) (-|=|[0-9a-z]{1,64}) (-|[0-9a-z]{1,64})", re.ASCII)
_MARKER = re.compile(r"^(<<<<<<<|>>>>>>>|\|\|\|\|\|\|\|)", re.MULTILINE)
_IDENTITY = ("project", "target", "protocol", "base_url", "scope")
_RECORD = ("id", "created_at", "operation", "protect", "stamped", "partial", "fields")
_PENDING = ("operation", "action", "since", "id", "after", "record")
_STATE = ("format_version", "target", "digest_rules", "records", "pending")

_T = TypeVar("_T")


def encode(state: State) -> str:
    """The state's text: the same state gives the same text, whatever order its mappings have."""
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
    """The state that a text holds; `file` names it in messages. `other_target` lets another target's state pass.

    `selection` are the flags that commands in messages need.

    A state without a record and without a pending request is nobody's. Raises StateError for a newer version, conflict
    markers, a repeated name or id, damage, or another target's state; its hint names the command that mends it.
    """
    if len(text) > LIMIT:
        raise StateError(f"{file} is larger than {LIMIT >> 20} MiB, which no state is.", _mend(selection))
    if _MARKER.search(text):
        raise StateError(
            f"{file} holds conflict markers of a git merge.",
            Message(
                f"Take one side whole:\n  git checkout --ours -- {shlex.quote(file)}\n"
                "Make the records of the other side again from the stamps:\n  ",
                selection.command("state", "rebuild"),
                "\nThen commit the file.",
            ),
        )
    try:
        value = load_json(text)
        _refuse_newer(value, file)
        _keys(value, _STATE, "the state")
        found = read_identity(value["target"])
        state = _state(value, identity)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise StateError(f"{file} is damaged: {reason}.", _mend(selection)) from None
    is_somebodys = bool(state.records or state.pending)
    if is_somebodys and not other_target:
        _refuse_other(found, identity, file, selection)
    return state


def load_json(text: str) -> Any:
    """JSON without repeated keys, NaN or infinities. Raises ValueError, and RecursionError for deep nesting."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        where = f"from line {error.lineno}, column {error.colno} on it is no JSON"
        raise ValueError(where if text.strip() else "it is empty") from None


def _whole_number(digits: str) -> int:
    """The number, where it has no more digits than any that is written. Raises ValueError."""
    if len(digits) > _DIGITS:
        raise ValueError(f"it holds a number of {len(digits):,} digits")
    return int(digits)


def record_value(record: Record) -> dict[str, Any]:
    """A record as JSON, its fields in order, each `sent kept stamp` with `-` for none and `=` for kept as sent."""
    return {
        "id": record.id,
        "created_at": record.created_at,
        "operation": record.operation,
        "protect": record.protect,
        "stamped": record.stamped,
        "partial": record.partial,
        "fields": {name: _tokens(record.fields[name]) for name in sorted(record.fields)},
    }


def read_record(value: Any, where: str) -> Record:
    """The record that a JSON value holds; `where` names it. Raises ValueError."""
    _keys(value, _RECORD, where)
    stamped = value["stamped"]
    if stamped is not None and not isinstance(stamped, bool):
        raise ValueError(f"`stamped` of {where} is neither true, false nor null")
    fields = value["fields"]
    if not isinstance(fields, dict):
        raise ValueError(f"`fields` of {where} is no object")
    return Record(
        id=live_id(value, where),
        created_at=typed(value, "created_at", int, where),
        operation=typed(value, "operation", str, where),
        protect=typed(value, "protect", bool, where),
        stamped=stamped,
        partial=typed(value, "partial", bool, where),
        fields={name: _applied(entry, name, where) for name, entry in fields.items()},
    )


def typed(value: Mapping[str, Any], key: str, kind: type[Any], where: str) -> Any:
    """The entry of a JSON object if it is exactly of this type (True is no int). Raises ValueError."""
    entry = value[key]
    if type(entry) is not kind:
        raise ValueError(f"`{key}` of {where} is not of the type {_KINDS[kind]}")
    return entry


def live_id(value: Mapping[str, Any], where: str) -> str:
    """The id in a JSON object, empty where none is known yet. Raises ValueError for what no vendor's id is."""
    text: str = typed(value, "id", str, where)
    if text and not is_plain_id(text):
        raise ValueError(f"`id` of {where} is {text[:60]!r}, which cannot be an assistant's id")
    return text


def seconds(value: Mapping[str, Any], key: str, where: str) -> float:
    """A point in time of a JSON object, in finite Unix seconds. Raises ValueError."""
    entry = value[key]
    if type(entry) not in (int, float) or not math.isfinite(entry):
        raise ValueError(f"`{key}` of {where} is no number of seconds")
    return float(entry)


_KINDS: Mapping[type[Any], str] = {
    str: "text",
    int: "whole number",
    bool: "true or false",
    list: "list",
    dict: "object",
}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the name {twice!r} stands in it twice")
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _keys(value: Any, expected: tuple[str, ...], where: str) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is no object")
    missing = [key for key in expected if key not in value]
    unknown = [key for key in value if key not in expected]
    if missing:
        raise ValueError(f"{where} lacks `{missing[0]}`")
    if unknown:
        raise ValueError(f"{where} holds the unknown key {unknown[0]!r}")


def _refuse_newer(value: Any, file: str) -> None:
    version = value.get("format_version") if isinstance(value, dict) else None
    if type(version) is not int or version < 1:
        raise ValueError("it has no `format_version`")
    if version > FORMAT_VERSION:
        raise ForeignStateError(
            f"{file} was written by a newer Trueup: its format version is {version}, this one knows {FORMAT_VERSION}.",
            "Upgrade Trueup (`pip install --upgrade trueup`) and run the command again; the file was left as it is.",
        )


def _state(value: Mapping[str, Any], identity: Identity) -> State:
    records = _block(value["records"], "records", lambda _, entry, where: read_record(entry, where))
    pending = _block(value["pending"], "pending", _pending)
    owner: dict[str, str] = {}
    for name, record in records.items():
        if not record.id:
            raise ValueError(f"the record of {name!r} has no id")
        other = owner.setdefault(record.id, name)
        if other != name:
            raise ValueError(f"{other!r} and {name!r} both have the id {record.id!r}")
    rules = typed(value, "digest_rules", int, "the state")
    return State(identity=identity, digest_rules=rules, records=records, pending=pending)


def _block(value: Any, key: str, read: Callable[[str, Any, str], _T]) -> dict[str, _T]:
    if not isinstance(value, dict):
        raise ValueError(f"`{key}` is no object")
    if value.get(END) != "end":
        raise ValueError(f'`{key}` lacks its last line, `{json.dumps(END)}: "end"`')
    return {name: read(name, value[name], f"the entry of {name!r}") for name in sorted(value) if name != END}


def identity_value(identity: Identity) -> dict[str, Any]:
    """A target's identity as JSON, its keys and those of its scope in order."""
    return {
        "project": identity.project,
        "target": identity.target,
        "protocol": identity.protocol,
        "base_url": identity.base_url,
        "scope": {key: identity.scope[key] for key in sorted(identity.scope)},
    }


def read_identity(value: Any) -> Identity:
    """The identity that a JSON value holds. Raises ValueError."""
    _keys(value, _IDENTITY, "`target`")
    scope = value["scope"]
    if not isinstance(scope, dict) or not all(isinstance(entry, str) for entry in scope.values()):
        raise ValueError("`scope` of `target` is no object of texts")
    plain = {key: typed(value, key, str, "`target`") for key in _IDENTITY[:-1]}
    return Identity(**plain, scope=scope)


def _refuse_other(found: Identity, identity: Identity, file: str, selection: Selection) -> None:
    there, here = comparable(found), comparable(identity)
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
            "Put the old value of `project` back into trueup.yaml: the stamps of what is live name "
            f"{found.project}, so an apply of {identity.project} would create every assistant a second time. "
            "If this is another project and has only a copy of that state, forget the records: ",
            forget,
        )
    if found.target != identity.target:
        return Message(f"It is a copy of the state of {found.target}. To forget its records: ", forget)
    return Message(
        "Put the old value back, or give the new place a target name of its own in trueup.yaml. If it really "
        "took the old one's place, forget the old records: ",
        forget,
        ", and read what is there from the stamps: ",
        selection.command("state", "rebuild"),
    )


def comparable(identity: Identity) -> dict[str, str]:
    """What tells two targets apart, flat; a slash at the end of the base URL does not."""
    value = identity_value(identity)
    scope = value.pop("scope")
    value["base_url"] = value["base_url"].rstrip("/")
    return value | {f"scope.{key}": entry for key, entry in scope.items()}


def _tokens(applied: Applied) -> str:
    kept = "=" if applied.kept is not None and applied.kept == applied.sent else applied.kept or "-"
    return f"{applied.sent or '-'} {kept} {applied.stamp or '-'}"


def _applied(value: Any, name: str, where: str) -> Applied:
    match = _TOKENS.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"the field {name!r} of {where} is not written as `sent kept stamp`")
    sent, kept, stamp = (None if token == "-" else token for token in match.groups())
    return Applied(sent=sent, kept=sent if kept == "=" else kept, stamp=stamp)


def _pending_value(pending: Pending) -> dict[str, Any]:
    return {
        "operation": pending.operation,
        "action": pending.action,
        "since": pending.since,
        "id": pending.id,
        "after": pending.after,
        "record": None if pending.record is None else record_value(pending.record),
    }


def _pending(name: str, value: Any, where: str) -> Pending:
    _keys(value, _PENDING, where)
    record = value["record"]
    return Pending(
        name=name,
        operation=typed(value, "operation", str, where),
        action=typed(value, "action", str, where),
        since=seconds(value, "since", where),
        id=live_id(value, where),
        after=typed(value, "after", str, where),
        record=None if record is None else read_record(record, where),
    )


def _mend(selection: Selection) -> Message:
    return Message(
        "Take the last good version from git, or read names, ids and digests back from the stamps: ",
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
            name = _decode(match[1])
            continue
        entry = _ENTRY.match(line)
        if match := entry or _ID.match(line):
            owner, live_id = (_decode(entry[1]), entry[2]) if entry else (name, match[1])
            found[owner] = live_id if is_plain_id(live_id) else found.get(owner, "")
    found.pop("", None)
    return found


def _decode(word: str) -> str:
    """Return the text that a JSON string holds; nothing for a damaged one."""
    try:
        return str(json.loads(word))
    except ValueError:
        return ""
