"""What is live and nobody manages: fields that no definition declares, and assistants without record and stamp.

Values in, values out; what is managed is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trueup.core.canonical import Semantics, fits
from trueup.core.memory.stamp import UNREADABLE
from trueup.core.memory.state import State
from trueup.core.plans.seen import Seen


@dataclass(frozen=True, slots=True)
class Stranger:
    """A live assistant that nobody manages."""

    id: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """By assistant the live fields that its file does not declare and that hold no default; and the strangers."""

    undeclared: Mapping[str, Mapping[str, Any]]
    strangers: tuple[Stranger, ...]


def unmanaged(
    bodies: Mapping[str, Mapping[str, Any]], state: State, seen: Mapping[str, Seen], semantics: Semantics
) -> Unmanaged:
    """What nobody manages beside these definitions; assistants in the order of their ids."""
    undeclared = {}
    for name, body in sorted(bodies.items()):
        record = state.records.get(name)
        live = seen.get(record.id) if record is not None else None
        if record is not None and live is not None:
            fields = _undeclared(live.fields, {*semantics.table.split(body), *record.fields}, semantics)
            if fields:
                undeclared[name] = fields
    recorded = {record.id for record in state.records.values()}
    unclaimed = (live for live in seen.values() if live.stamp is None or live.stamp is UNREADABLE)
    strangers = (live for live in unclaimed if live.id not in recorded)
    return Unmanaged(undeclared, tuple(Stranger(live.id, live.display_name) for live in sorted(strangers, key=_by_id)))


def _undeclared(fields: Mapping[str, Any], managed: set[str], semantics: Semantics) -> dict[str, Any]:
    """The fields that nobody manages and that say something."""
    return {
        name: semantics.table.mask_secrets(name, value)
        for name, value in fields.items()
        if name not in managed and not fits(name, None, value, semantics)
    }


def _by_id(live: Seen) -> str:
    return live.id
