"""What a probe leaves behind when it is killed, how it is known for certain, and how it is removed.

An assistant counts as a probe's only by its whole mark, or by an id that was noted and the name that goes with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from trueup.core.errors import NotSent, OutcomeUnknown
from trueup.core.memory.questions import UNKNOWN
from trueup.core.memory.stamp import KEY
from trueup.core.memory.state import Identity
from trueup.engine.courier import Courier, is_unclear
from trueup.engine.probe_subject import PREFIX
from trueup.engine.refresh import View
from trueup.wire.base import Adapter, Live, Unexpected

MARK: Final = PREFIX
"""The metadata key of a probe's assistant."""

YOUNG: Final = 600
"""Seconds for which a probe that nobody here noted may still be under way elsewhere."""


@dataclass(frozen=True, slots=True)
class Left:
    """A probe's assistant: whose it is, which probe's, and its id; `created_at` is Unix seconds."""

    project: str
    target: str
    nonce: str
    id: str = ""
    created_at: int = 0


@dataclass(frozen=True, slots=True)
class Gone:
    """How a removal ended: what the server says of what was deleted, and why it is not gone."""

    answer: str = UNKNOWN
    problem: str = ""


def probe_name(nonce: str) -> str:
    """The display name of a probe's assistant."""
    return f"Trueup probe {nonce}, can be deleted"


def left_in(view: View, identity: Identity, noted: Mapping[str, str] | None = None) -> tuple[Left, ...]:
    """The assistants of probes of this target, in id order; `noted` are ids of earlier probes with their nonces.

    What carries a stamp of ours is managed, and no probe's whatever else it carries.
    """
    found = []
    for live in view.live.values():
        mark = _read_mark(live.body.get("metadata"), live)
        nonce = (noted or {}).get(live.id, "")
        if nonce and mark is None and live.body.get("name") == probe_name(nonce):
            mark = Left(identity.project, identity.target, nonce, live.id, live.created_at)
        is_ours = mark is not None and (mark.project, mark.target) == (identity.project, identity.target)
        if mark is not None and is_ours and KEY not in (live.body.get("metadata") or {}):
            found.append(mark)
    return tuple(sorted(found, key=lambda left: left.id))


async def seen_by_id(ids: Iterable[str], view: View, adapter: Adapter, courier: Courier) -> None:
    """Adds to a view what of these ids its listing did not show, and is there; what cannot be read makes it partial."""
    for live_id in sorted({*filter(None, ids)} - view.live.keys()):
        try:
            live = await courier.follow(adapter.get(live_id))
        except (Unexpected, NotSent, OutcomeUnknown) as error:
            view.cut(f"{live_id} could not be read: {error}")
            continue
        if live is not None:
            view.live[live_id] = live


def of_others(found: Iterable[Left], nonces: Iterable[str], now: float) -> tuple[Left, ...]:
    """Those that may be in use: nobody here noted them, and they were made within ten minutes of `now`.

    On either side of it: the server's clock may go before ours.
    """
    known = frozenset(nonces)
    return tuple(left for left in found if left.nonce not in known and abs(now - left.created_at) < YOUNG)


def _read_mark(metadata: Any, live: Live) -> Left | None:
    """The mark in an assistant's metadata, if it is one to the letter."""
    text = metadata.get(MARK) if isinstance(metadata, Mapping) else None
    try:
        content = json.loads(text) if isinstance(text, str) and len(text) <= 1024 else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.keys() != {"project", "target", "probe"}:
        return None
    if not all(isinstance(entry, str) and entry for entry in content.values()):
        return None
    return Left(content["project"], content["target"], content["probe"], live.id, live.created_at)


async def remove(live_id: str, adapter: Adapter, courier: Courier) -> Gone:
    """Deletes one of ours until the server says that it is gone; an interrupt shortens the waits and no more."""
    why = ""
    for attempt in range(courier.pace.max_retries + 1):
        try:
            reply = await courier.write(adapter.delete(live_id))
        except (NotSent, OutcomeUnknown) as error:
            reply, why = None, str(error)
        if reply is not None:
            problem = adapter.problem(reply)
            if adapter.deleted(reply, live_id) or problem.absent:
                return await _looked_after(live_id, adapter, courier)
            why = problem.message if reply.status >= 300 else "the answer does not say that it was deleted"
            if reply.status >= 400 and not is_unclear(reply.status):
                break
        if attempt < courier.pace.max_retries:
            await courier.wait(attempt, reply)
    gone = await _looked_after(live_id, adapter, courier)
    return gone if gone.answer == "own-404" else Gone(problem=why)


async def _looked_after(live_id: str, adapter: Adapter, courier: Courier) -> Gone:
    """What the server says of what was deleted: to a read, which may come late, and to a second delete."""
    for look in range(3):
        try:
            reply = await courier.read(next(adapter.get(live_id)))
        except (NotSent, OutcomeUnknown):
            return Gone()
        if reply.status >= 300:
            break
        if look < 2:
            await courier.pause(1.0)
    else:
        return Gone(problem="it is still there after the server said that it was deleted")
    try:
        again = await courier.write(adapter.delete(live_id))
    except (NotSent, OutcomeUnknown):
        return Gone()
    if adapter.problem(reply).absent and adapter.problem(again).absent:
        return Gone("own-404")
    return Gone("other-404" if reply.status == 404 else "other")
