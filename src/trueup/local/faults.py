"""Misbehaviour of servers and gateways as data: which request goes wrong, and how. Wraps any `Send`, draws no lots.

What can be told here was seen in the wild: work done behind a 500, answers cut in half, gateways that repeat a POST,
servers that forget a field. Knows no vendor and no socket: `serve` turns a dropped connection into a closed one.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from dataclasses import field as initially
from enum import Enum
from typing import Any

from trueup.core.call import Body, Call, Reply, Send
from trueup.core.errors import NotSent, OutcomeUnknown

LOG_LIMIT = 10_000
"""Requests that the log keeps, the newest ones."""

LOG_BYTES = 32 * 1024 * 1024
"""Bytes of JSON that the log's bodies may have together; the oldest requests go first."""

FAULT_LIMIT = 1_000
"""Faults that may be armed at a time."""

FAULT_BYTES = 4 * 1024 * 1024
"""Bytes of JSON that the armed faults may have together."""

PAGE = "<!doctype html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"


class Kind(Enum):
    """What goes wrong. `commit` and `late` only speak of the first four; the others always do the work."""

    ANSWER = "answer"  # `status`, `headers` and `body` (JSON, or text) stand for the real answer
    HTML = "html"  # a gateway's page with `status`
    REDIRECT = "redirect"  # 302 to the `location` in `headers`
    DROP = "drop"  # the connection breaks: `OutcomeUnknown`
    REFUSE = "refuse"  # nobody listens: `NotSent`, and nothing is done
    PASS = "pass"  # nothing but the delay
    CUT = "cut"  # the first half of the real body
    REPEAT = "repeat"  # the request arrives twice, the second answer is given: duplicates
    LACK = "lack"  # `field` is missing in answers, or is never stored
    REWRITE = "rewrite"  # `field` has `value` in answers, or is stored so


UNDONE = frozenset({Kind.ANSWER, Kind.HTML, Kind.REDIRECT, Kind.DROP})
"""Kinds that do not do the work unless `commit` or `late` says so."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong, and the requests that meet it.

    It counts the requests with its `method` (empty: any), whose path begins with `path` and whose JSON contains the
    text `having`; from the `nth` (1 is the first) it strikes `times` of them, 0 meaning all. `delay` seconds pass
    before the answer. With `commit` the work is done first; with `late` it is done so many seconds after the answer.
    `field` is dotted; with `storage` it is changed in what is sent, else in what is answered.
    """

    kind: Kind = Kind.ANSWER
    method: str = ""
    path: str = "/"
    having: str = ""
    nth: int = 1
    times: int = 1
    status: int = 500
    headers: Mapping[str, str] = initially(default_factory=dict)
    body: Any = None
    delay: float = 0.0
    commit: bool = False
    late: float = 0.0
    field: str = ""
    value: Any = None
    storage: bool = False

    def meets(self, call: Call) -> bool:
        """Return whether this request counts."""
        if self.method not in ("", call.method) or not call.path.startswith(self.path):
            return False
        return not self.having or self.having in json.dumps(call.json, ensure_ascii=False)


_TYPES: Mapping[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}


def read_fault(entry: Any) -> Fault:
    """Return a fault from JSON: the field names of `Fault`, the kind by its word.

    Raises ValueError for anything else.
    """
    known = {item.name: _TYPES.get(str(item.type), (str, int, float, bool, dict, list)) for item in fields(Fault)}
    if not isinstance(entry, dict):
        raise ValueError(f"A fault is an object with some of these: {', '.join(sorted(known))}.")
    for name, value in entry.items():
        if name not in known:
            raise ValueError(f"A fault has no '{name}'. Known are: {', '.join(sorted(known))}.")
        if value is not None and type(value) not in known[name]:
            raise ValueError(f"A fault's '{name}' cannot be {json.dumps(value)}.")
    given = {name: value for name, value in entry.items() if value is not None}
    kinds = [kind.value for kind in Kind]
    if given.get("kind", "answer") not in kinds:
        raise ValueError(f"A fault's 'kind' is one of {', '.join(kinds)}, not {json.dumps(given['kind'])}.")
    headers = given.get("headers", {})
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise ValueError(f"A fault's 'headers' are an object of strings, not {json.dumps(headers)}.")
    if not 200 <= given.get("status", 500) <= 599:
        raise ValueError(f"A fault's 'status' is from 200 to 599, not {given['status']}.")
    return Fault(**{**given, "kind": Kind(given.get("kind", "answer"))})


@dataclass(frozen=True, slots=True)
class Logged:
    """One request that arrived, without headers; `status` is 0 when none was answered, `fault` the kind that struck."""

    method: str
    path: str
    query: Mapping[str, str]
    json: Any
    status: int
    fault: str = ""


class Faults:
    """The faults of one server and the log of what arrived. `sleep` waits seconds; tests hand in their own."""

    def __init__(self, faults: Iterable[Fault] = (), sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.log: deque[Logged] = deque(maxlen=LOG_LIMIT)
        self._sleep = sleep
        self._faults: list[Fault] = []
        self._met: list[int] = []
        self._log_sizes: deque[int] = deque(maxlen=LOG_LIMIT)
        self._log_bytes = 0
        self._late: set[asyncio.Task[None]] = set()
        self.add(*faults)

    def add(self, *faults: Fault) -> bool:
        """Arm more faults, each counted from now on; arm none and return False where they are too many or too large."""
        wanted = [*self._faults, *faults]
        if len(wanted) > FAULT_LIMIT or sum(len(repr(fault)) for fault in wanted) > FAULT_BYTES:
            return False
        self._faults = wanted
        self._met.extend(0 for _ in faults)
        return True

    def clear(self) -> None:
        """Disarms all faults; the log stays, and what is late still comes."""
        self._faults.clear()
        self._met.clear()

    async def settle(self) -> None:
        """Wait until all late work is done, and raise what it raised."""
        while self._late:
            await asyncio.gather(*self._late)
            self._late = {task for task in self._late if not task.done()}

    def wrap(self, send: Send) -> Send:
        """`send` with the faults in front of it. Raises as the faults say: `NotSent`, `OutcomeUnknown`."""

        async def faulty(call: Call) -> Reply:
            fault = self._strikes(call)
            status = 0
            try:
                reply = await (self._misbehave(fault, send, call) if fault else send(call))
                status = reply.status
                return reply
            finally:
                sent, kind = copy.deepcopy(call.json), fault.kind.value if fault else ""
                self._keep(Logged(call.method, call.path, dict(call.query), sent, status, kind))

        return faulty

    def _keep(self, entry: Logged) -> None:
        """Log one more request, and drop the oldest ones where all would be too many or too large."""
        size = len(json.dumps(entry.json)) + len(entry.path) if entry.json is not None else len(entry.path)
        if len(self.log) == LOG_LIMIT:
            self._log_bytes -= self._log_sizes[0]
        self.log.append(entry)
        self._log_sizes.append(size)
        self._log_bytes += size
        while self._log_bytes > LOG_BYTES:
            self.log.popleft()
            self._log_bytes -= self._log_sizes.popleft()

    def _strikes(self, call: Call) -> Fault | None:
        """Return the first armed fault for this request; all that meet it count it."""
        struck = None
        for index, fault in enumerate(self._faults):
            if fault.meets(call):
                self._met[index] += 1
                turn = self._met[index] - fault.nth
                if struck is None and turn >= 0 and (fault.times == 0 or turn < fault.times):
                    struck = fault
        return struck

    async def _misbehave(self, fault: Fault, send: Send, call: Call) -> Reply:
        reply = await self._work(fault, send, _spoil_call(fault, call))
        if fault.delay:
            await self._sleep(fault.delay)
        return _spoil_reply(fault, reply)

    async def _work(self, fault: Fault, send: Send, call: Call) -> Reply | None:
        """Do what is to be done before the answer; None when that is nothing."""
        if fault.kind is Kind.REFUSE:
            return None
        if fault.kind in UNDONE and fault.late:
            self._late.add(asyncio.create_task(self._do_later(fault.late, send, call)))
            return None
        if fault.kind in UNDONE and not fault.commit:
            return None
        if fault.kind is Kind.REPEAT:
            await send(call)
        return await send(call)

    async def _do_later(self, seconds: float, send: Send, call: Call) -> None:
        await self._sleep(seconds)
        await send(call)


def _spoil_call(fault: Fault, call: Call) -> Call:
    """Return the call as the server behind the fault gets it, always with a body of its own."""
    body = copy.deepcopy(call.json)
    if fault.storage and call.method == "POST":
        _spoil(body, fault)
    return Call(call.method, call.path, dict(call.query), body)


def _spoil_reply(fault: Fault, reply: Reply | None) -> Reply:
    """Return what the client gets, `reply` being the real answer if the work was done."""
    if fault.kind is Kind.DROP:
        raise OutcomeUnknown("the connection broke before the answer came")
    if fault.kind is Kind.REFUSE:
        raise NotSent("the connection was refused")
    if fault.kind is Kind.ANSWER:
        return _instead(fault)
    if fault.kind is Kind.HTML:
        return Reply(fault.status, {"content-type": "text/html", **fault.headers}, Body.NOT_JSON, PAGE)
    if fault.kind is Kind.REDIRECT:
        return Reply(302, {"content-type": "text/html", "location": "/", **fault.headers}, Body.NOT_JSON, "")
    assert reply is not None  # every other kind does the work
    if fault.kind is Kind.CUT:
        whole = json.dumps(reply.json)
        return Reply(reply.status, reply.headers, Body.NOT_JSON, whole[: len(whole) // 2])
    if fault.kind in (Kind.LACK, Kind.REWRITE) and not fault.storage and reply.status < 300:
        spoiled = copy.deepcopy(reply.json)
        for item in spoiled["data"] if isinstance(spoiled.get("data"), list) else [spoiled]:
            _spoil(item, fault)
        return Reply(reply.status, reply.headers, spoiled, json.dumps(spoiled)[: len(reply.text)])
    return reply


def _instead(fault: Fault) -> Reply:
    if isinstance(fault.body, str):
        return Reply(fault.status, {"content-type": "text/plain", **fault.headers}, Body.NOT_JSON, fault.body)
    said = {"message": f"The server answered {fault.status} because it was told to.", "type": "server_error"}
    body = fault.body if fault.body is not None else {"error": {**said, "param": None, "code": None}}
    headers = {"content-type": "application/json", **fault.headers}
    return Reply(fault.status, headers, copy.deepcopy(body), json.dumps(body))


def _spoil(value: Any, fault: Fault) -> None:
    """Take the fault's field out of a value, or put another there; without a place for it nothing changes."""
    place = _place(value, fault.field)
    if place is None:
        return
    holder, name = place
    if fault.kind is Kind.LACK:
        holder.pop(name, None)
    else:
        holder[name] = copy.deepcopy(fault.value)


def _place(value: Any, name: str) -> tuple[dict[str, Any], str] | None:
    """Return the object that holds a dotted field, and its key.

    A key that has dots itself wins over the way through them.
    """
    if isinstance(value, list):
        index, _, name = name.partition(".")
        return _place(value[int(index)], name) if index.isdigit() and int(index) < len(value) else None
    if not isinstance(value, dict) or not name:
        return None
    head, _, rest = name.partition(".")
    if name in value or not rest:
        return value, name
    return _place(value.get(head), rest)
