"""What a probe leaves behind when it is killed, how it is known for certain, and how it is removed.

An assistant counts as a probe's only by two things together: its whole mark, the name with the probe's random number,
and a note of either made here. By one of them alone it is shown to a person and left alone: a server may have laid a
probe's mark over somebody's assistant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from trueup.core.errors import NotSent, OutcomeUnknown, UnreadableError
from trueup.core.memory.questions import UNKNOWN
from trueup.core.memory.stamp import KEY
from trueup.core.memory.state import Identity
from trueup.engine.refresh import View
from trueup.engine.request_runner import RequestRunner
from trueup.wire.base import Adapter, Live, Unexpected
from trueup.wire.probe import PREFIX

MARK: Final = PREFIX
"""The metadata key of a probe's assistant."""

YOUNG: Final = 600
"""Seconds for which a probe that nobody here noted may still be under way elsewhere."""


@dataclass(frozen=True, slots=True)
class Left:
    """A probe's assistant: whose it is, which probe's, and its id; `created_at` is Unix seconds. Only one that is
    `sure` may be removed."""

    project: str
    target: str
    nonce: str
    id: str = ""
    created_at: int = 0
    sure: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """How a removal ended: what the server says of what was deleted, and why it is not gone."""

    answer: str = UNKNOWN
    problem: str = ""


def probe_name(nonce: str) -> str:
    """The display name of a probe's assistant."""
    return f"Trueup probe {nonce}, can be deleted"


_NAME = re.compile(r"Trueup probe ([0-9a-f]{12}), can be deleted")


def left_in(
    view: View, identity: Identity, noted: Mapping[str, str] | None = None, spared: Collection[str] = ()
) -> tuple[Left, ...]:
    """What looks like the assistants of probes of this target, in id order; `noted` are ids by the nonces of earlier
    probes, empty where none was known; `spared` are ids that are no probe's whatever they carry.

    What carries a stamp of ours is managed, and no probe's whatever else it carries.
    """
    found = []
    for live in view.live.values():
        claim = _claim(live, identity, noted or {})
        if claim is not None and live.id not in spared and KEY not in (live.body.get("metadata") or {}):
            found.append(claim)
    return tuple(sorted(found, key=lambda left: left.id))


def _claim(live: Live, identity: Identity, noted: Mapping[str, str]) -> Left | None:
    """Which probe of this target one assistant may belong to, if any."""
    mark, named = _read_mark(live.body.get("metadata"), live), _named(live)
    if mark is not None and (mark.project, mark.target) != (identity.project, identity.target):
        return None
    if mark is not None:
        return replace(mark, sure=mark.nonce == named or noted.get(mark.nonce) == live.id)
    sure = noted.get(named) in ("", live.id)
    return Left(identity.project, identity.target, named, live.id, live.created_at, sure) if named else None


def _named(live: Live) -> str:
    """The nonce in a name that a probe gives."""
    name = live.body.get("name")
    found = _NAME.match(name) if isinstance(name, str) else None
    return found[1] if found else ""


def is_any(live: Live) -> bool:
    """Whether an assistant looks like some probe's, of whatever target."""
    return bool(_named(live)) or _read_mark(live.body.get("metadata"), live) is not None


def is_of(live: Live, identity: Identity, nonce: str) -> bool:
    """Whether an assistant carries the whole mark of one probe, or the name with its random number."""
    mark = _read_mark(live.body.get("metadata"), live)
    whole = Left(identity.project, identity.target, nonce, live.id, live.created_at)
    return _named(live) == nonce if mark is None else mark == whole


def whole(view: View) -> View:
    """The view, if it shows everything. Raises UnreadableError: before what is there is known, nothing is made."""
    if view.complete:
        return view
    why = view.problem.rstrip(".")
    raise UnreadableError(
        f"Not everything at the target could be read: {why}. A probe makes and removes nothing then.",
        "Mend what keeps it from being read, or wait; then probe again.",
    )


async def seen_by_id(ids: Iterable[str], view: View, adapter: Adapter, runner: RequestRunner) -> None:
    """Adds to a view what of these ids its listing did not show, and is there; what cannot be read makes it partial."""
    for live_id in sorted({*filter(None, ids)} - view.live.keys()):
        try:
            live = await runner.run_reads(adapter.get(live_id))
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


async def remove(live_id: str, adapter: Adapter, runner: RequestRunner) -> Gone:
    """Deletes one of ours until the server says that it is gone; an interrupt shortens the waits and no more."""
    why = ""
    for attempt in range(runner.pace.max_retries + 1):
        try:
            reply = await runner.write(adapter.remove(Live(live_id, {})))
        except (NotSent, OutcomeUnknown) as error:
            reply, why = None, str(error)
        if reply is not None:
            problem = adapter.problem(reply)
            if adapter.deleted(reply, live_id) or problem.is_own_404(live_id):
                return await _looked_after(live_id, adapter, runner)
            why = problem.message if reply.status >= 300 else "the answer does not say that it was deleted"
            if reply.status >= 400 and not problem.unclear:
                break
        if attempt < runner.pace.max_retries:
            await runner.back_off(attempt, reply, why if reply is None else "")
    gone = await _looked_after(live_id, adapter, runner)
    return gone if gone.answer == "own-404" else Gone(problem=why)


async def _looked_after(live_id: str, adapter: Adapter, runner: RequestRunner) -> Gone:
    """What the server says of what was deleted: to a read, which may come late, and to a second delete."""
    for look in range(3):
        try:
            reply = await runner.read(next(adapter.get(live_id)))
        except (NotSent, OutcomeUnknown):
            return Gone()
        if reply.status >= 300:
            break
        if look < 2:
            await runner.pause(1.0)
    else:
        return Gone(problem="it is still there after the server said that it was deleted")
    try:
        again = await runner.write(adapter.remove(Live(live_id, {})))
    except (NotSent, OutcomeUnknown):
        return Gone()
    if all(adapter.problem(said).is_own_404(live_id) for said in (reply, again)):
        return Gone("own-404")
    return Gone("other-404" if reply.status == 404 else "other")
