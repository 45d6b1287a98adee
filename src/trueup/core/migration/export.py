"""An export as text and back: everything that was live on one target at one moment, whole, and no credential.

The text is JSON with one assistant on each line, keys and numbers as the server gave them: the same answers
give the same bytes, and git shows which assistant changed. What a terminal or a runner of CI would obey, and what
nobody can see, is an escape of JSON's. What is read is hostile until checked. Knows no file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from trueup.core.checked import (
    MismatchError,
    Reader,
    a_moment,
    a_text,
    an_exact_text,
    an_integer,
    an_object,
    list_of,
    load_json,
    object_of,
    optional,
    record_of,
)
from trueup.core.command import HERE, Command, Message
from trueup.core.errors import TrueupError
from trueup.core.memory.state import Identity
from trueup.core.memory.state_codec import an_id, flatten_identity, identity_value, read_identity
from trueup.core.texts.escapes import COMMAND, UNSEEN

FORMAT_VERSION: Final = 1

KIND: Final = "export"

BEGINNING: Final = '{"format_version":1,"kind":"export",'
"""How each export of this version begins."""

LIMIT: Final = 512 * 1024 * 1024
"""Characters of the largest export that is read: 10,000 assistants of 50 KB."""

MOST: Final = 1_000_000
"""Assistants of the largest export."""


Maps = Callable[[str], Mapping[str, int]]
"""A protocol's fields whose entries are fields of their own, with the number of keys below each that make one."""


@dataclass(frozen=True, slots=True)
class Exported:
    """One live assistant: `body` in the names of its protocol, raw; `extra` what else its server answered."""

    id: str
    body: Mapping[str, Any]
    created_at: int = 0
    version: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Export:
    """A complete listing of a target; `exported_at` is Unix seconds."""

    identity: Identity
    exported_at: int
    assistants: tuple[Exported, ...]


def dumps(export: Export) -> str:
    """Return an export's text, oldest assistant first. Raises TrueupError for a number that JSON cannot hold."""
    ordered = sorted(export.assistants, key=lambda entry: (entry.created_at, entry.id))
    try:
        return _to_text(export, ordered, escaped=False)
    except UnicodeEncodeError:  # half of a character, which JSON can spell and UTF-8 cannot hold
        return _to_text(export, ordered, escaped=True)
    except ValueError:
        raise TrueupError(
            "The server returned a number that JSON cannot hold, such as NaN, so it cannot be exported.",
            Message("Correct it on the server. To see what each assistant holds: ", HERE.command("drift", all=True)),
        ) from None


def loads(text: str, maps: Maps) -> Export:
    """Return the export in a text. Raises TrueupError for a newer version or anything that is no export."""
    if len(text) > LIMIT:
        raise TrueupError(f"It is larger than {LIMIT >> 20} MiB, the limit of an export.", "Name another file.")
    try:
        value = load_json(text)
        _refuse_other(value)
        return _read_export(value, maps)
    except ValueError as error:
        raise TrueupError(f"It is no export, or a damaged one: {error}.", "Name another file.") from None


def is_of(export: Export, identity: Identity) -> bool:
    """Whether an export is of this very target."""
    return flatten_identity(export.identity) == flatten_identity(identity)


def is_same_place(export: Export, identity: Identity) -> bool:
    """Whether what was exported is live on this target's server and account, whichever project manages it."""
    same = replace(identity, project=export.identity.project, target=export.identity.target)
    return is_of(export, same)


def refuse_other_target(export: Export, identity: Identity, again: Command) -> None:
    """Raise TrueupError if an export is of another target; the command `again` exports this one."""
    if is_of(export, identity):
        return
    there, here = flatten_identity(export.identity), flatten_identity(identity)
    differing = [key for key in dict.fromkeys([*there, *here]) if there.get(key, "") != here.get(key, "")]
    told = "; ".join(f"{key} is {there.get(key, '')!r} there and {here.get(key, '')!r} here" for key in differing)
    raise TrueupError(
        f"This export is of another target: {told}.",
        Message("Use the target that it is of, or export this one: ", again),
    )


def _to_text(export: Export, assistants: Iterable[Exported], *, escaped: bool) -> str:
    head = {"format_version": FORMAT_VERSION, "kind": KIND, "exported_at": format_moment(export.exported_at)}
    parts = [f'"{key}":{_to_json(value, escaped)}' for key, value in head.items()]
    target = _to_json(identity_value(export.identity), escaped)
    lines = ",\n".join(_to_json(_entry_value(entry), escaped) for entry in assistants)
    listed = f"[\n{lines}\n]" if lines else "[]"
    text = f'{{{",".join(parts)},"target":{target},\n"assistants":{listed}}}\n'
    text.encode("utf-8")
    return text


def _to_json(value: Any, escaped: bool) -> str:
    text = json.dumps(value, ensure_ascii=escaped, separators=(",", ":"), allow_nan=False)
    if not text.isascii() or "\x7f" in text:
        text = UNSEEN.sub(lambda match: json.dumps(match.group())[1:-1], text)
    return COMMAND.sub(r"#\\u0023", text) if "##" in text else text


def _entry_value(entry: Exported) -> dict[str, Any]:
    value = {"id": entry.id, "created_at": entry.created_at, "body": dict(entry.body)}
    more = {"version": entry.version, "extra": dict(entry.extra)}
    return value | {key: part for key, part in more.items() if part}


def format_moment(seconds: float) -> str:
    """Unix seconds as ISO 8601 in UTC."""
    return f"{(datetime(1970, 1, 1) + timedelta(seconds=int(seconds))).isoformat()}Z"


def _refuse_other(value: Any) -> None:
    """Raise TrueupError for a newer version, ValueError for what is no export."""
    if not isinstance(value, dict) or value.get("kind") != KIND:
        raise ValueError("its `kind` is not that of an export")
    version = value.get("format_version")
    if type(version) is int and version > FORMAT_VERSION:
        raise TrueupError(f"It was written by a newer Trueup (format {version}).", "Update Trueup to read it.")
    if type(version) is not int or version != FORMAT_VERSION:
        raise ValueError(f"its format_version is not {FORMAT_VERSION}")


def _read_export(value: Any, maps: Maps) -> Export:
    found = _read_document(value, "the export")
    if len(found["assistants"]) > MOST:
        raise ValueError(f"it holds more than {MOST:,} assistants")
    known = maps(found["target"].protocol)
    seen: set[str] = set()
    for index, entry in enumerate(found["assistants"]):
        for name, depth in known.items():
            _refuse_no_object(entry.body.get(name), f"the export.assistants[{index}].body.{name}", depth)
        if entry.id in seen:
            raise ValueError(f"it holds {entry.id} twice")
        seen.add(entry.id)
    moment = datetime.fromisoformat(found["exported_at"])
    return Export(found["target"], math.floor(moment.timestamp()), found["assistants"])


def _a_live_id(value: Any, where: str) -> str:
    """Return an assistant's id, which no export lacks. Raises MismatchError."""
    return an_id(value, where) or an_id(None, where)


_read_entry = record_of(
    Exported,
    {
        "id": _a_live_id,
        "created_at": an_integer,
        "version": optional(an_exact_text),
        "body": an_object,
        "extra": an_object,
    },
    needed=("id", "created_at", "body"),
)
_DOCUMENT: Mapping[str, Reader] = {
    "format_version": an_integer,
    "kind": a_text,
    "target": read_identity,
    "exported_at": a_moment,
    "assistants": list_of(_read_entry),
}
_read_document = object_of(_DOCUMENT, _DOCUMENT)


def _refuse_no_object(value: Any, where: str, depth: int) -> None:
    """Raise MismatchError where what must be an object is none: nothing later would look again."""
    if not isinstance(value, (dict, type(None))):
        raise MismatchError(where, "an object")
    for key, entry in (value or {}).items() if depth > 1 else ():
        _refuse_no_object(entry, f"{where}.{key[:60]}", depth - 1)
