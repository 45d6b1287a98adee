"""Speaks OpenAI's Agents protocol (beta): calls out, replies in. Knows no transport.

Facts are from the vendor's own SDK and its recorded requests, and from a server that others wrote; see
docs/protocols/openai-agents.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from trueup.core.call import Call, Reply
from trueup.core.rules.fault import Fault
from trueup.core.source import Path
from trueup.wire import replies
from trueup.wire.base import Live, Problem, Unexpected, is_unclear
from trueup.wire.bodies import Loss, create_body, patch_body
from trueup.wire.openai_agents.rules import audit, losses
from trueup.wire.replies import read_message
from trueup.wire.rest import RestAdapter

_OWN_KEYS: Final = frozenset({"id", "object", "created_at", "updated_at"})
"""Keys of an answer that are the server's own."""

_FIELD: Final = re.compile(r"\bfield:? [`'\"]?([a-z_]+)", re.IGNORECASE)

_OBJECTS: Final = ("metadata", "experimental", "reasoning", "text", "multi_agent", "compaction")
"""Fields that hold an object wherever they are not null."""


class OpenAIAgents(RestAdapter):
    """The protocol in one dialect."""

    name = "openai-agents"
    root = "/agents"
    noun = "an agent"

    def create(self, sets: Mapping[str, Any], stamp: str) -> Call:
        """POST /agents."""
        return Call("POST", self.root, self._query, json=create_body(sets, stamp, self.dialect.table))

    def modify(self, live: Live, sets: Mapping[str, Any], stamp: str) -> Call:
        """POST /agents/{id}: what is left out stays; a map that is replaced goes whole."""
        return self.post(live.id, patch_body(live.body, sets, stamp, self.dialect.table))

    def release(self, live: Live) -> tuple[Call, ...]:
        """Return the write of all metadata but the stamp."""
        holder, _, key = self.dialect.table.stamp.partition(".")
        kept = {name: value for name, value in (live.body.get(holder) or {}).items() if name != key}
        return (self.post(live.id, {holder: kept}),)

    def problem(self, reply: Reply) -> Problem:
        """Return what an unsuccessful answer says."""
        found = replies.read_problem(reply, self.dialect.table.names)
        path = found.path or self._path_named(found) if found.refused else found.path
        body = reply.json
        absent = reply.status == 404 and isinstance(body, Mapping) and is_absent(body)
        return replace(
            found,
            message=self.access.explain(reply.status, found.message),
            path=path,
            absent=absent,
            named=id_named(body) if absent and isinstance(body, Mapping) else None,
            unclear=is_unclear(reply.status),
        )

    def _path_named(self, found: Problem) -> Path:
        """Return the field that a refusal names without `param`, as ApiPi does: in its code, or behind "field"."""
        named = _FIELD.search(found.message)
        words = (found.code, named[1] if named else "")
        return next(((word,) for word in words if word in self.dialect.table.names), ())

    def _faults(self, body: Mapping[str, Any]) -> Iterable[Fault]:
        return audit(body, self.dialect, self._allow_loss)

    def _losses(self, body: Mapping[str, Any]) -> Iterable[Loss]:
        return losses(body, self.dialect)

    def _live(self, entry: Any) -> Live:
        """Return one agent as the server answered it; some servers leave `object` out."""
        if not isinstance(entry, Mapping) or entry.get("object", "agent") != "agent" or "model" not in entry:
            raise Unexpected("the response is not an agent")
        live_id = replies.read_id(entry, self.noun)
        body = {name: entry[name] for name in self.dialect.table.names if name in entry}
        for name in _OBJECTS:
            if not isinstance(body.get(name, {}), (Mapping, type(None))):
                raise Unexpected(f"{name} of {live_id} is not an object")
        extra = {key: entry[key] for key in sorted(entry.keys() - _OWN_KEYS.union(self.dialect.table.names))}
        created = replies.read_time(entry.get("created_at"))
        return Live(live_id, body, created, extra=extra, raw=entry, stamp=self.dialect.table.read_stamp(body))


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
