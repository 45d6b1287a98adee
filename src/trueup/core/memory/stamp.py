"""The text by which Trueup recognises its own assistants. Does not know who writes it where."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trueup.core.canonical import DIGEST_RULES, canonical, digest
from trueup.core.field_table import FieldTable
from trueup.core.memory.state import Applied, Identity, Record

RELEASED = "released"
"""The value that says: once ours, no longer."""

LENGTH = 512
"""Characters a metadata value may have."""

UNFIT = frozenset("\"'`\\*?[]")
"""Characters that no definition's name holds."""

DIGITS = 8
"""Hex digits of a short digest."""

OPERATION_DIGITS = 16
"""Hex digits of an operation id."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Stamp:
    """Whose assistant this is and what was last applied; `rules` is the canonical form's version, 0 if unreadable."""

    project: str
    target: str
    name: str
    operation: str
    protect: bool = False
    rules: int = DIGEST_RULES
    fields: Mapping[str, str] = field(default_factory=dict)


UNREADABLE = Stamp("", "", "", "", rules=0)
"""A stamp of a newer version or one that somebody edited: nobody's that we know, so never touched."""


def encode(stamp: Stamp, letters: Mapping[str, str]) -> str:
    """Return the text, at most 512 characters when project, target and name together have at most 256.

    `letters` are those of the fields whose digests it holds (`FieldTable.letters`).
    """
    known = " ".join(letters[name] + stamp.fields[name] for name in letters if name in stamp.fields)
    content = {"v": stamp.rules, "p": stamp.project, "t": stamp.target, "n": stamp.name, "o": stamp.operation}
    if stamp.protect:
        content["k"] = 1
    return _ENCODER.encode({**content, "f": known})


def parse(text: Any, letters: Mapping[str, str]) -> Stamp | None:
    """Return the stamp that a text is; None when there is none or it was released."""
    if text is None or text == RELEASED:
        return None
    try:
        content = json.loads(text) if isinstance(text, str) and len(text) <= 4 * LENGTH else None
    except (ValueError, RecursionError):
        return UNREADABLE
    if not isinstance(content, dict) or not all(isinstance(content.get(key), str) for key in "ptnof"):
        return UNREADABLE
    rules = content.get("v")
    if type(rules) is not int or rules > DIGEST_RULES or not content["o"].isalnum() or _no_name(content["n"]):
        return UNREADABLE
    names = {letter: name for name, letter in letters.items()}
    fields = {names[word[0]]: word[1:] for word in content["f"].split() if word[0] in names}
    return Stamp(content["p"], content["t"], content["n"], content["o"], content.get("k") == 1, rules, fields)


def _no_name(name: str) -> bool:
    """Whether no definition can have this name: it is empty, not printable, leaves its folder or names a part."""
    if not name.isprintable() or not UNFIT.isdisjoint(name):
        return True
    return any(not piece or piece[0] in "._" for piece in name.split("/"))


def short(name: str, value: Any, table: FieldTable) -> str:
    """Return the digest of a field's canonical value as a stamp holds it."""
    return digest(canonical(name, value, table), DIGITS)


def about_to_send(fields: Mapping[str, Any], table: FieldTable) -> dict[str, Applied]:
    """Return what is recorded of each field that a request sets: its digest as sent, and the one for a stamp."""
    return {name: _is_sent(name, value, table) for name, value in fields.items()}


def _is_sent(name: str, value: Any, table: FieldTable) -> Applied:
    whole, meant = digest(value), canonical(name, value, table)
    return Applied(sent=whole, stamp=whole[:DIGITS] if meant is value else digest(meant, DIGITS))


def list_held_digests(fields: Mapping[str, Applied], table: FieldTable) -> dict[str, str]:
    """Return the short digests, made already, of those fields that a stamp has room for."""
    letters = table.letters
    return {name: known.stamp for name, known in fields.items() if name in letters and known.stamp is not None}


def digests(fields: Mapping[str, Any], table: FieldTable) -> dict[str, str]:
    """Return the short digests of those declared fields that a stamp has room for."""
    return {name: short(name, value, table) for name, value in fields.items() if name in table.letters}


def link_operation(identity: Identity, name: str, live_id: str, known: Mapping[str, str]) -> str:
    """Return the operation of a stamp that links an assistant by its id; `known` are its short digests."""
    where = [identity.project, identity.target, identity.protocol, identity.base_url, dict(identity.scope)]
    return digest([where, name, "import", live_id, dict(known)], OPERATION_DIGITS)


def is_link(stamp: Stamp, live_id: str, identity: Identity) -> bool:
    """Return whether a person linked this very assistant with the stamp; a copy of it carries one of another id."""
    return stamp.operation == link_operation(identity, stamp.name, live_id, stamp.fields)


def record_of(stamp: Stamp, live_id: str, created_at: int) -> Record:
    """Return the record that a stamp stands for; what a stamp cannot hold stays unknown."""
    ours = stamp.rules == DIGEST_RULES
    known = {name: Applied(stamp=value) if ours else Applied() for name, value in stamp.fields.items()}
    return Record(
        id=live_id,
        created_at=created_at,
        operation=stamp.operation,
        protect=stamp.protect,
        stamped=True,
        partial=True,
        fields=known,
    )
