"""Speaks the OpenAI Assistants protocol: calls out, replies in. Knows no transport, and of a target what its row says.

Facts are from the vendors' published specifications and recorded traffic, described in docs/protocols.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from trueup.core.call import Call, Reply
from trueup.core.field_table import STAMP_KEY
from trueup.core.memory.stamp import RELEASED
from trueup.core.rules.fault import Fault
from trueup.wire import portkey, replies
from trueup.wire.base import Live, Problem, Unexpected, is_unclear
from trueup.wire.bodies import Loss, create_body, patch_body
from trueup.wire.model_names import is_reasoning
from trueup.wire.openai_assistants.rules import SAMPLING, audit, fill_required, losses
from trueup.wire.rest import RestAdapter

NAME = "openai-assistants"

_OWN_KEYS = frozenset({"id", "object", "created_at"})
"""Keys of an answer that are the server's own."""

NO_SUCH_DETAIL = "Assistant not found"
"""How myla, which speaks this protocol, says that an assistant is not there (seen in its answers); its paths that do
not exist answer "Not Found"."""


class OpenAIAssistants(RestAdapter):
    """The protocol in one dialect; `honest` False makes the engine distrust `has_more`."""

    name = NAME
    root = "/assistants"
    noun = "an assistant"

    def list_forced_fields(self, live: Mapping[str, Any], sets: Mapping[str, Any]) -> Mapping[str, Any]:
        """Null for the stored sampling numbers where a modify moves an assistant to a model that refuses them.

        A server keeps them from the model before, and refuses the change for their sake (several users' reports).
        """
        table = self.dialect.reasoning
        if not is_reasoning(sets.get("model"), table) or is_reasoning(live.get("model"), table):
            return {}
        return {name: None for name in SAMPLING if live.get(name) is not None}

    def create(self, sets: Mapping[str, Any], stamp: str) -> Call:
        """POST /assistants."""
        body = create_body(sets, stamp, self.dialect.table)
        return Call("POST", self.root, self._query, json=fill_required(body, self.dialect.holds.fills))

    def modify(self, live: Live, sets: Mapping[str, Any], stamp: str) -> Call:
        """POST /assistants/{id}: what is left out stays as it is, and metadata and tool resources go whole.

        Metadata is right under either habit: a server that merged when it was probed may replace today. What a move to
        another model forces is sent as it is, whatever else clears it.
        """
        body = patch_body(live.body, sets, stamp, self.dialect.table)
        forced = self.list_forced_fields(live.body, sets)
        body.update({name: value for name, value in forced.items() if name in sets and sets[name] is None})
        return self.post(live.id, body)

    def post(self, live_id: str, body: Mapping[str, Any]) -> Call:
        """POST /assistants/{id} with a body as it is, but for what the dialect wants said."""
        return Call("POST", self._path(live_id), self._query, json=fill_required(body, self.dialect.holds.fills))

    def release(self, live: Live) -> tuple[Call, ...]:
        """Return the write without our stamp; for a server that keeps the key, also one that writes `released` there.

        Which of them is of use is known where the server was probed.
        """
        table, kept = self.dialect.table, dict(live.body.get("metadata") or {})
        kept.pop(STAMP_KEY, None)
        without, told = {**kept, STAMP_KEY: None} if table.null_removes else kept, {**kept, STAMP_KEY: RELEASED}
        bodies = (told,) if table.is_stuck("metadata") else (without, told)
        return tuple(self.post(live.id, {"metadata": body}) for body in bodies)

    def problem(self, reply: Reply) -> Problem:
        """Return what an unsuccessful answer says, in the vendor's or a gateway's error shape."""
        found = replies.read_problem(reply, self.dialect.fields)
        meaning = portkey.MEANINGS.get(reply.status, "") if self._gateway else ""
        message = f"{found.message} ({meaning})" if meaning else found.message
        own = isinstance(reply.json, Mapping) and _is_absence(reply.json)
        return replace(
            found,
            message=self.access.explain(reply.status, message),
            absent=reply.status == 404 and own,
            named=id_named(replies.read_message(reply.json)[0]) if own else None,
            unclear=is_unclear(reply.status),
        )

    def _faults(self, body: Mapping[str, Any]) -> Iterable[Fault]:
        return audit(body, self.dialect, self._allow_loss)

    def _losses(self, body: Mapping[str, Any]) -> Iterable[Loss]:
        return losses(body, self.dialect)

    def _live(self, entry: Any) -> Live:
        """One assistant object as the server answered it."""
        if not isinstance(entry, Mapping) or entry.get("object") != "assistant":
            raise Unexpected("the response is not an assistant")
        live_id = replies.read_id(entry, self.noun)
        body = {key: entry[key] for key in self.dialect.fields if key in entry}
        for key in ("metadata", "tool_resources"):
            if not isinstance(body.get(key, {}), (Mapping, type(None))):
                raise Unexpected(f"{key} of {live_id} is not an object")
        for key, lists in (body.get("tool_resources") or {}).items():
            if not isinstance(lists, (Mapping, type(None))):
                raise Unexpected(f"tool_resources.{key} of {live_id} is not an object")
        unknown = entry.keys() - _OWN_KEYS.union(self.dialect.fields)
        extra = {key: entry[key] for key in sorted(unknown)} if unknown else {}
        created_at = entry.get("created_at")
        created = created_at if type(created_at) is int else 0
        return Live(live_id, body, created, extra=extra, raw=entry, stamp=self.dialect.table.read_stamp(body))


def _is_absence(body: Mapping[str, Any]) -> bool:
    """Return whether an error says that an assistant is not there."""
    if isinstance(body.get("error"), Mapping):
        return ABSENT in replies.read_message(body)[0]
    return body.get("detail") == NO_SUCH_DETAIL


ABSENT = "No assistant found"
"""How these servers say that an assistant is not there."""

LONGEST = 2_000
"""Characters of a message that are searched."""

_QUOTES = "\"'`\u2018\u2019\u201c\u201d"
_QUOTED = rf"\\*[{_QUOTES}]([^{_QUOTES}\\]*)"
_BARE = r"([A-Za-z.:%-]*[0-9_][A-Za-z0-9_.:%-]*)"
_BEHIND = re.compile(rf"{ABSENT}(?:\s+[a-z]+){{0,3}}?\s+ids?\b\s*[:=]?\s*(?:{_QUOTED}|{_BARE})", re.IGNORECASE)
_ANYWHERE = re.compile(r"(?<![A-Za-z0-9_-])asst_[A-Za-z0-9_.:%-]+")


def id_named(message: str) -> str | None:
    """Return the id that a message says is not there; None where it names none."""
    text = message[:LONGEST]
    behind = _BEHIND.search(text)
    if behind is not None and behind[1] is not None:
        return unquote(behind[1].strip())
    found = behind[2] if behind is not None else next(iter(_ANYWHERE.findall(text)), "")
    return unquote(found.rstrip(".:")) if found else None
