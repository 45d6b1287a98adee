"""The vendor of a schedule: the embedded server behind habits, and a listing that lags, repeats, is cut or lies.

It keeps a log of what was really done and really shown, for the oracle's eyes only. Knows no engine.
"""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.engine.world import Clock
from tests.protocols import Protocol, current
from tests.simulation.tally import Tally
from trueup.core.call import Call, Reply
from trueup.core.field_table import STAMP_KEY, Kind


class Habit(Enum):
    """What this server makes of what it is sent."""

    FAITHFUL = "keeps what it is sent"
    MERGES = "merges metadata key by key"
    DROPS = "keeps no metadata"
    UNSTAMPS = "keeps no metadata key of ours"
    REWRITES = "rewrites texts, floats and tools"
    IGNORES = "ignores a field of a modify"


FORGETFUL = frozenset({Habit.DROPS, Habit.UNSTAMPS})
"""Habits of servers that keep no stamp."""


class Lie(Enum):
    """What one page of the listing can be instead of the truth, in the words of the tally."""

    SHORT = "one item with the word that it is the last page, and it is not"
    MODEST = "a page with the word that it is the last, and it is not"
    HOLLOW = "an empty page with more to come"
    OVERLAP = "an item that was there before"
    AGAIN = "the first page again"
    FORBIDDEN = "403 in place of a page"
    BROKEN = "502 in place of a page"
    PROSE = "a text in place of a page"
    STRANGER = "another kind of object among the items"
    NO_DATA = "a page without data"
    END = "an empty page with the word that it is the last, and it is not"


PERSON = "a person"
"""Who sends what no checkout does; this server's ways are for programs."""

TALES = {
    Habit.MERGES: "a write to a server that merges metadata",
    Habit.DROPS: "a write to a server that drops metadata",
    Habit.UNSTAMPS: "a write to a server that drops only our stamp",
    Habit.REWRITES: "a write to a server that rewrites texts, numbers and tools",
    Habit.IGNORES: "a modify to a server that ignores a field",
}
"""Habits in the words of the tally."""


@dataclass(frozen=True, slots=True)
class Birth:
    """One assistant that came to be: by whom (empty: none of our business), when it was asked for, done, and shown by
    the listing; `after` so many answers to anybody, asked after `asked_after`."""

    id: str
    name: str
    by: str
    operation: str
    asked_at: float
    done_at: float
    shown_at: float
    after: int
    asked_after: int = 0


@dataclass(slots=True)
class Shown:
    """One page, or one assistant read by itself: to whom, when, which ids; and which of them were not as they are.

    `arrived`: the answer was not lost on its way, nor made for a request that was given up long before.
    """

    to: str
    at: float
    ids: frozenset[str]
    stale: frozenset[str] = frozenset()
    ended: bool = False
    is_page: bool = False
    arrived: bool = False


@dataclass
class Vendor:
    """Where every request of every checkout arrives. `page` is the most items of a page, `lag` the seconds that the
    listing is late, `lies` what may come instead of a page, each with the chance `lying`."""

    clock: Clock
    dice: random.Random
    habit: Habit = Habit.FAITHFUL
    ignored: str = "instructions"
    page: int = 100
    lag: float = 0.0
    lies: tuple[Lie, ...] = ()
    lying: float = 0.0
    births: dict[str, Birth] = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    protocol: Protocol = field(default_factory=current)

    def __post_init__(self) -> None:
        count = iter(range(1, 1_000_000))
        self.server = self.protocol.server(
            ":memory:", clock=lambda: self.clock.now, ids=lambda: self.protocol.id_of(f"{next(count):06}")
        )
        self._live: dict[str, dict[str, Any]] | None = None
        self._asked: dict[tuple[str, str], tuple[float, int]] = {}
        self._history: dict[str, list[tuple[float, dict[str, Any] | None]]] = {}

    # --- requests

    def expect(self, call: Call, by: str) -> None:
        """Note when a request left; it may be done much later."""
        if (call.method, call.path) == ("POST", self.protocol.path):
            self._asked[by, json.dumps(call.json, sort_keys=True)] = self.clock.now, len(self.shown)

    def answer(self, call: Call, by: str = PERSON) -> Reply:
        """Return the answer to one request, with this vendor's habits."""
        if (call.method, call.path) == ("GET", self.protocol.path):
            return self._page(call, by)
        if call.method != "GET":
            self._live = None
        reply = self.server.answer(call if by == PERSON else self._kept(call))
        live_id = reply.json.get("id", "")
        if call.method != "GET" and reply.status == 200:
            self._note(call, live_id, by)
            if by != PERSON and call.method == "POST" and self._bites(call):
                self.tally.note(TALES[self.habit])
        if reply.json.get("object") == self.protocol.server.noun:
            reply = Reply(reply.status, reply.headers, self._rewritten(reply.json), reply.text)
            self.shown.append(Shown(by, self.clock.now, frozenset({live_id})))
        return reply

    def arrive(self, by: str, ids: frozenset[str]) -> None:
        """Note that a checkout holds the last answer with these ids."""
        for entry in reversed(self.shown):
            if entry.to == by and entry.ids == ids and not entry.arrived:
                entry.arrived = True
                return

    def live(self) -> dict[str, dict[str, Any]]:
        """Everything as it really is, by id, oldest first; to be looked at only."""
        if self._live is None:
            page = self.server.answer(Call("GET", self.protocol.path, {"limit": "100", "order": "asc"})).json["data"]
            self._live = {entry["id"]: self._rewritten(entry) for entry in page}
        return self._live

    def is_shown_since(self, live_id: str, moment: float) -> bool:
        """Whether the listing has shown this assistant at every time from the moment on."""
        history = self._history.get(live_id, [])
        if not history or history[0][0] > moment:
            return False
        return all(body is not None or at > self.clock.now for at, body in history)

    # --- habits

    def _bites(self, call: Call) -> bool:
        """Whether this server's habit makes a difference to this write."""
        if self.habit is Habit.IGNORES:
            return call.path != self.protocol.path and self.ignored in call.json
        return self.habit is not Habit.FAITHFUL

    def _kept(self, call: Call) -> Call:
        """Return the request as far as this server takes notice of it."""
        if call.method != "POST" or self.habit not in (*FORGETFUL, Habit.IGNORES, Habit.MERGES):
            return call
        body = json.loads(json.dumps(call.json))
        if self.habit is Habit.DROPS:
            body.pop("metadata", None)
        elif self.habit is Habit.UNSTAMPS and body.get("metadata"):
            body["metadata"].pop(STAMP_KEY, None)
        elif self.habit is Habit.IGNORES and call.path != self.protocol.path:
            body.pop(self.ignored, None)
        elif self.habit is Habit.MERGES and call.path != self.protocol.path and body.get("metadata"):
            stored = self.server.answer(Call("GET", call.path)).json
            body["metadata"] = {**stored.get("metadata", {}), **body["metadata"]}
        return Call(call.method, call.path, call.query, body)

    def _rewritten(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if self.habit is not Habit.REWRITES:
            return dict(body)
        changed: dict[str, Any] = dict(body)
        for row in self.protocol.table.fields:
            value = body.get(row.name)
            if row.kind is Kind.TEXT and isinstance(value, str):
                changed[row.name] = " ".join(value.split())
            elif row.kind is Kind.NUMBER and isinstance(value, (int, float)):
                changed[row.name] = struct.unpack("f", struct.pack("f", value))[0]
            elif row.kind is Kind.TOOLS:
                changed[row.name] = [{**tool, "container": "auto"} for tool in value or []]
        return changed

    # --- the log

    def _note(self, call: Call, live_id: str, by: str) -> None:
        """Note that a write was done: what the listing shows of it, and from when on."""
        now = self.clock.now
        history = self._history.setdefault(live_id, [])
        late = self.dice.choice((0.0, self.lag)) if self.lag else 0.0
        at = max(now + late, history[-1][0] if history else 0.0)
        stored = self.server.answer(Call("GET", self.protocol.path_of(live_id)))
        history.append((at, self._rewritten(stored.json) if stored.status == 200 else None))
        if (call.method, call.path) == ("POST", self.protocol.path):
            stamp = self.protocol.stamp_of(call.json)
            here = now, len(self.shown)
            asked, asked_after = self._asked.get((by, json.dumps(call.json, sort_keys=True)), here)
            operation = stamp.operation if stamp is not None else ""
            maker = "" if by == PERSON and stamp is None else by
            self.births[live_id] = Birth(
                live_id, call.json.get("name") or "", maker, operation, asked, now, at, len(self.shown), asked_after
            )

    # --- the listing

    def _page(self, call: Call, by: str) -> Reply:
        """Return a page, oldest first, of what the listing shows by now; or a wrong one."""
        items, stale = self._listed()
        ids, after = [item["id"] for item in items], call.query.get("after", "")
        if after and after not in ids:
            return _said(400, {"error": {"message": f"Invalid 'after': {after}", "param": "after", "code": None}})
        start = ids.index(after) + 1 if after else 0
        end = start + min(self.page, int(call.query.get("limit", "20")))
        data, more = items[start:end], end < len(items)
        if {item["id"] for item in data} & stale or (not more and self._lacks(items)):
            self.tally.note("a page that was late: something missing or as it was before")
        if more and len(data) < int(call.query.get("limit", "20")):
            self.tally.note("a page smaller than what was asked for, with more to come")
        lie = self.dice.choice(self.lies) if self.lies and self.dice.random() < self.lying else None
        if lie is None:
            return self._given(by, data, more, stale)
        same = {Lie.SHORT: len(data) < 2 and not more, Lie.MODEST: not more, Lie.AGAIN: not start}
        if not {**same, Lie.END: start >= len(items)}.get(lie, False):
            self.tally.note(lie.value)
        return self._lie(lie, by, items, start, data, more, stale)

    def _lie(
        self, lie: Lie, by: str, items: list[Any], start: int, data: list[Any], more: bool, stale: frozenset[str]
    ) -> Reply:
        if lie is Lie.FORBIDDEN:
            return _said(403, {"error": {"message": "You may not list assistants.", "type": "invalid_request_error"}})
        if lie is Lie.BROKEN:
            return _said(502, {"error": {"message": "Bad gateway.", "type": "server_error"}})
        if lie is Lie.PROSE:
            return _said(200, "Please sign in.")
        if lie is Lie.NO_DATA:
            return _said(200, {"object": "list", "data": None, "has_more": False})
        pages = {
            Lie.SHORT: (data[:1], False),
            Lie.MODEST: (data, False),
            Lie.HOLLOW: ([], True),
            Lie.OVERLAP: ([*items[start - 1 : start], *data] if start else [*data, *data[:1]], more),
            Lie.AGAIN: (items[: max(1, self.page)], bool(items)),
            Lie.STRANGER: ([*data, {"id": "thread_1", "object": "thread"}], more),
            Lie.END: ([], False),
        }
        return self._given(by, *pages[lie], stale, ended=lie is Lie.END and start < len(items))

    def _given(self, by: str, data: list[Any], more: bool, stale: frozenset[str], *, ended: bool = False) -> Reply:
        ids = frozenset(item["id"] for item in data)
        self.shown.append(Shown(by, self.clock.now, ids, ids & stale, ended, is_page=True))
        return _said(200, {"object": "list", "data": json.loads(json.dumps(data)), "has_more": more})

    def _lacks(self, items: list[Any]) -> bool:
        """Whether something is live that the listing does not show yet."""
        shown = {item["id"] for item in items}
        return any(live_id not in shown and history[-1][1] for live_id, history in self._history.items())

    def _listed(self) -> tuple[list[dict[str, Any]], frozenset[str]]:
        """Return what the listing shows by now, oldest first, and the ids of which that is out of date."""
        items, stale, now = [], set(), self.clock.now
        for live_id in sorted(self._history):
            history = self._history[live_id]
            latest = max((entry for entry in enumerate(history) if entry[1][0] <= now), default=None, key=_place)
            if latest is None:
                continue
            number, (_, body) = latest
            if number < len(history) - 1:
                stale.add(live_id)
            if body is not None:
                items.append(body)
        return items, frozenset(stale)


def _place(entry: tuple[int, Any]) -> int:
    return entry[0]


def _said(status: int, body: Any) -> Reply:
    return Reply(status, {"content-type": "application/json"}, body, json.dumps(body)[:500])
