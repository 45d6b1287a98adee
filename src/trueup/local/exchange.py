"""One HTTP request as plain values, and whoever answers it. Knows no socket and no vendor."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from trueup.core.call import Reply


@dataclass(frozen=True, slots=True)
class Asked:
    """What arrived: `path` is decoded and begins with `/`, header names are in lower case, `body` are its bytes."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


Endpoint = Callable[[Asked], Coroutine[Any, Any, Reply]]
"""Answers one request. Raises `NotSent` or `OutcomeUnknown` where the connection is to break."""
