"""A request and its answer as plain values. Never an auth header: any of these is safe to write down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

CREDENTIAL = "***credential***"
"""What an answer holds where one of our secrets stood: nobody writes that, so it never equals a file's value."""


LIMIT = 64 * 1024 * 1024
"""Bytes of an answer's body that are read, after decompression. A page of a hundred assistants can be larger."""


TRANSIENT = frozenset({408, 409, 429})
"""The statuses that, beside 5xx, a read is repeated after, and that leave open whether a write was done."""


class Body(Enum):
    """What an answer's body may be instead of JSON; of one that is too large only the start was read."""

    NOT_JSON = "not json"
    TOO_LARGE = "too large"


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `path` follows the target's base URL and starts with `/`; `json` is None when there is no body."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    json: Any = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: header names in lower case; `json` is a `Body` when the body was none; `text` is its start."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = Body.NOT_JSON
    text: str = ""


def holds_credential(value: Any) -> bool:
    """Whether a secret of ours stood anywhere in a value that a server answered."""
    if isinstance(value, str):
        return CREDENTIAL in value
    if isinstance(value, Mapping):
        return any(holds_credential(entry) for pair in value.items() for entry in pair)
    return isinstance(value, (list, tuple)) and any(map(holds_credential, value))


Send = Callable[[Call], Awaitable[Reply]]
"""Sends one call once. Raises `NotSent` or `OutcomeUnknown`; never repeats."""


def read_only(send: Send) -> Send:
    """Return a transport that only allows GET, for `plan`, `drift` and other read-only commands."""

    async def get(call: Call) -> Reply:
        if call.method != "GET":
            raise PermissionError(f"{call.method} {call.path} refused: this command is read-only")
        return await send(call)

    return get
