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
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from trueup.core.command import HERE, Command, Message
from trueup.core.errors import TrueupError
from trueup.core.memory.state import Identity, is_plain_id
from trueup.core.memory.state_codec import comparable, identity_value, load_json, read_identity, typed
from trueup.core.texts.escapes import COMMAND, UNSEEN

FORMAT_VERSION: Final = 1

KIND: Final = "export"

BEGINNING: Final = '{"format_version":1,"kind":"export",'
"""How each export of this version begins."""

LIMIT: Final = 512 * 1024 * 1024
"""Characters of the largest export that is read: 10,000 assistants of 50 KB."""

MOST: Final = 1_000_000
"""Assistants of the largest export."""

_KEYS: Final = frozenset({"format_version", "kind", "target", "exported_at", "assistants"})
_ENTRY_KEYS: Final = frozenset({"id", "created_at", "version", "body", "extra"})


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
    """The text of an export, oldest assistant first. Raises TrueupError where a server answered no JSON number."""
    ordered = sorted(export.assistants, key=lambda entry: (entry.created_at, entry.id))
    try:
        return _text(export, ordered, escaped=False)
    except UnicodeEncodeError:  # half of a character, which JSON can spell and UTF-8 cannot hold
        return _text(export, ordered, escaped=True)
    except ValueError:
        raise TrueupError(
            "The server answered a number that JSON cannot hold, such as NaN, so there is no export of it.",
            Message("Correct it on the server. To see what each assistant holds: ", HERE.command("drift", all=True)),
        ) from None


def loads(text: str, maps: Maps) -> Export:
    """The export that a text is. Raises TrueupError for a newer version, and for everything that is no export."""
    if len(text) > LIMIT:
        raise TrueupError(f"It is larger than {LIMIT >> 20} MiB, which no export is.", "Name another file.")
    try:
        value = load_json(text)
        _refuse_other(value)
        return _export(value, maps)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise TrueupError(f"It is no export, or a damaged one: {why}.", "Name another file.") from None


def is_of(export: Export, identity: Identity) -> bool:
    """Whether an export is of this very target."""
    return comparable(export.identity) == comparable(identity)


def is_same_place(export: Export, identity: Identity) -> bool:
    """Whether what was exported is live on this target's server and account, whichever project manages it."""
    same = replace(identity, project=export.identity.project, target=export.identity.target)
    return is_of(export, same)


def refuse_other_target(export: Export, identity: Identity, again: Command) -> None:
    """Raises TrueupError where an export is of another place than this target; `again` makes one of this target."""
    if is_of(export, identity):
        return
    there, here = comparable(export.identity), comparable(identity)
    differing = [key for key in dict.fromkeys([*there, *here]) if there.get(key, "") != here.get(key, "")]
    told = "; ".join(f"{key} is {there.get(key, '')!r} there and {here.get(key, '')!r} here" for key in differing)
    raise TrueupError(
        f"This export is of another target: {told}.",
        Message("Name the target that it is of, or make an export of this one: ", again),
    )


def _text(export: Export, assistants: Iterable[Exported], *, escaped: bool) -> str:
    head = {"format_version": FORMAT_VERSION, "kind": KIND, "exported_at": moment(export.exported_at)}
    parts = [f'"{key}":{_json(value, escaped)}' for key, value in head.items()]
    target = _json(identity_value(export.identity), escaped)
    lines = ",\n".join(_json(_entry_value(entry), escaped) for entry in assistants)
    listed = f"[\n{lines}\n]" if lines else "[]"
    text = f'{{{",".join(parts)},"target":{target},\n"assistants":{listed}}}\n'
    text.encode("utf-8")
    return text


def _json(value: Any, escaped: bool) -> str:
    text = json.dumps(value, ensure_ascii=escaped, separators=(",", ":"), allow_nan=False)
    if not text.isascii() or "\x7f" in text:
        text = UNSEEN.sub(lambda match: json.dumps(match.group())[1:-1], text)
    return COMMAND.sub(r"#\\u0023", text) if "##" in text else text


def _entry_value(entry: Exported) -> dict[str, Any]:
    value = {"id": entry.id, "created_at": entry.created_at, "body": dict(entry.body)}
    more = {"version": entry.version, "extra": dict(entry.extra)}
    return value | {key: part for key, part in more.items() if part}


def moment(seconds: float) -> str:
    """Unix seconds as ISO 8601 in UTC."""
    return f"{(datetime(1970, 1, 1) + timedelta(seconds=int(seconds))).isoformat()}Z"


def _refuse_other(value: Any) -> None:
    """Raises TrueupError for a newer version, ValueError for what is no export."""
    if not isinstance(value, dict) or value.get("kind") != KIND:
        raise ValueError("it does not say that it is one")
    version = value.get("format_version")
    if type(version) is int and version > FORMAT_VERSION:
        raise TrueupError(f"It was written by a newer Trueup (format {version}).", "Update Trueup to read it.")
    if type(version) is not int or version != FORMAT_VERSION:
        raise ValueError(f"its format_version is not {FORMAT_VERSION}")
    unknown, missing = sorted(value.keys() - _KEYS), sorted(_KEYS - value.keys())
    if unknown or missing:
        raise ValueError(f"the key {(unknown or missing)[0][:60]!r} is {'unknown' if unknown else 'missing'}")


def _export(value: Mapping[str, Any], maps: Maps) -> Export:
    entries = typed(value, "assistants", list, "the export")
    if len(entries) > MOST:
        raise ValueError(f"it holds more than {MOST:,} assistants")
    identity = read_identity(value["target"])
    known = maps(identity.protocol)
    assistants = tuple(_exported(entry, f"entry {index}", known) for index, entry in enumerate(entries, 1))
    seen: set[str] = set()
    for entry in assistants:
        if entry.id in seen:
            raise ValueError(f"it holds {entry.id} twice")
        seen.add(entry.id)
    return Export(identity, _seconds(value["exported_at"]), assistants)


def _exported(value: Any, where: str, maps: Mapping[str, int]) -> Exported:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is no object")
    unknown, missing = sorted(value.keys() - _ENTRY_KEYS), sorted({"id", "created_at", "body"} - value.keys())
    if unknown or missing:
        raise ValueError(
            f"the key {(unknown or missing)[0][:60]!r} of {where} is {'unknown' if unknown else 'missing'}"
        )
    live_id = typed(value, "id", str, where)
    if not is_plain_id(live_id):
        raise ValueError(f"the id of {where} cannot be an assistant's")
    version = value.get("version")
    if version is not None and not isinstance(version, str):
        raise ValueError(f"`version` of {where} is no text")
    body = typed(value, "body", dict, where)
    for name, depth in maps.items():
        _refuse_no_object(body.get(name), name, depth, where)
    extra = typed(value, "extra", dict, where) if "extra" in value else {}
    return Exported(live_id, body, typed(value, "created_at", int, where), version, extra)


def _refuse_no_object(value: Any, path: str, depth: int, where: str) -> None:
    """Raises ValueError where what must be an object is none: nothing later would look again."""
    if not isinstance(value, (dict, type(None))):
        raise ValueError(f"{path} of {where} is no object")
    for key, entry in (value or {}).items() if depth > 1 else ():
        _refuse_no_object(entry, f"{path}.{key[:60]}", depth - 1, where)


def _seconds(text: Any) -> int:
    """Unix seconds of an ISO 8601 moment in UTC. Raises ValueError."""
    if not isinstance(text, str) or not text.endswith("Z") or len(text) > 40:
        raise ValueError("`exported_at` is no moment in UTC")
    try:
        moment = datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError("`exported_at` is no moment in UTC") from None
    return math.floor(moment.timestamp())
