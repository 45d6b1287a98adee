"""Whether a 404 says of a saved agent that it is not there. Its wording differs between servers, its shape does not.

A wrong address, a project that a key cannot reach and a proxy answer 404 too: none of these speaks of an agent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from trueup.wire.replies import read_message

TYPES: Final = frozenset({"invalid_request_error", "invalid_request", "not_found_error", "not_found"})
"""Types of an error about what was asked for; ApiPi's is the second."""

CODES: Final = frozenset({"not_found", "agent_not_found", "resource_not_found", "not_found_error"})
"""Codes that say so without a word on what is missing; ApiPi's is the first."""

_AGENT: Final = re.compile(r"\bagent\b|\bagent_", re.IGNORECASE)
_MISSING: Final = re.compile(
    r"\bno (such )?agent\b|\bunknown agent\b|\bnot (be )?found\b|(\bnot|n't) exist\b|\bdeleted\b", re.IGNORECASE
)
_ADDRESS: Final = re.compile(r"\b(url|route|path|endpoint|method)s?\b", re.IGNORECASE)
_NAMED: Final = re.compile(
    r"\bagent_[A-Za-z0-9_-]+|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE
)


def is_absent(body: Mapping[str, Any]) -> bool:
    """Return whether the body of a 404 says that an agent is not there."""
    said, _ = read_message(body)
    if _ADDRESS.search(said):
        return False
    error = body.get("error")
    if isinstance(error, Mapping) and not _is_about_the_id(error):
        return False
    if _AGENT.search(said):
        return _MISSING.search(said) is not None
    return isinstance(error, Mapping) and error.get("code") in CODES


def id_named(body: Mapping[str, Any]) -> str | None:
    """Return the id that the message says is not there; None where it names none."""
    found = _NAMED.search(read_message(body)[0])
    return found[0] if found else None


def _is_about_the_id(error: Mapping[str, Any]) -> bool:
    """Return whether type and param leave open that the error is about the agent that was asked for."""
    kind, param = error.get("type"), error.get("param")
    return kind in (None, *TYPES) and param in (None, "", "id", "agent_id")
