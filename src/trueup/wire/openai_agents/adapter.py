"""OpenAI's Agents protocol, for saved agents: calls out, replies in. Knows no transport.

Facts are from the vendor's own SDK and its recorded requests, and from a server that others wrote; see
docs/protocols/openai-agents.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Mapping
from dataclasses import replace
from typing import Any, Final

from trueup.core.call import Call, Reply
from trueup.core.definitions.definition import Definition
from trueup.core.rules.fault import placed
from trueup.core.source import Diagnostic, Path
from trueup.wire import replies
from trueup.wire.access import UNKNOWN, Access
from trueup.wire.base import Dialect, Live, Page, Problem, Unexpected, is_unclear
from trueup.wire.openai_agents.absent_agents import id_named, is_absent
from trueup.wire.openai_agents.audit import audit, held
from trueup.wire.openai_agents.dialects import DIALECTS
from trueup.wire.rendering import create_body, has_room, patch_body, read_stamp

ROOT: Final = "/agents"

_OWN_KEYS: Final = frozenset({"id", "object", "created_at", "updated_at"})
"""Keys of an answer that are the server's own."""

_FIELD: Final = re.compile(r"\bfield:? [`'\"]?([a-z_]+)", re.IGNORECASE)

_OBJECTS: Final = ("metadata", "experimental", "reasoning", "text", "multi_agent", "compaction")
"""Fields that hold an object wherever they are not null."""


class OpenAIAgents:
    """The protocol in one dialect."""

    name = "openai-agents"

    def __init__(
        self,
        dialect: Dialect = DIALECTS["openai"],
        gateway: str = "",  # noqa: ARG002 - the registry makes all adapters alike
        allow_loss: Collection[str] = (),
        access: Access = UNKNOWN,
    ) -> None:
        self.dialect = dialect
        self.access = access
        self.table = dialect.table
        self._allow_loss = frozenset(allow_loss)

    def audit(self, definition: Definition) -> list[Diagnostic]:
        """Return what the dialect cannot hold, each at its place; a loss that is allowed is a warning."""
        return placed(audit(definition.body, self.dialect, self._allow_loss), definition.locate, definition.file)

    def held(self, definition: Definition) -> Definition:
        """Return the definition without what the dialect has no word for."""
        kept = held(definition.body, self.dialect)
        return definition if kept is definition.body else replace(definition, body=kept)

    def forced(self, live: Mapping[str, Any], sets: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        """Return nothing: a modify needs no other field."""
        return {}

    def auth(self, secret: str, key: str = "api_key") -> Mapping[str, str]:  # noqa: ARG002
        """Return the header that carries the target's `api_key` or `token`."""
        return {"Authorization": f"Bearer {secret}"}

    def create(self, sets: Mapping[str, Any], stamp: str) -> Call:
        """POST /agents."""
        return Call("POST", ROOT, json=create_body(sets, stamp, self.table))

    def modify(self, live: Live, sets: Mapping[str, Any], stamp: str) -> Call:
        """POST /agents/{id}: what is left out stays; a map that is replaced goes whole."""
        return self.post(live.id, patch_body(live.body, sets, stamp, self.table))

    def post(self, live_id: str, body: Mapping[str, Any]) -> Call:
        """POST /agents/{id} with exactly this body."""
        return Call("POST", _path(live_id), json=dict(body))

    def has_room(self, live: Mapping[str, Any], sets: Mapping[str, Any]) -> bool:
        """Return whether the stamp fits among the metadata pairs that will be there."""
        return has_room(live, sets, self.table, self.dialect.metadata_pairs)

    def release(self, live: Live) -> tuple[Call, ...]:
        """Return the write of all metadata but the stamp."""
        holder, _, key = self.table.stamp.partition(".")
        kept = {name: value for name, value in (live.body.get(holder) or {}).items() if name != key}
        return (self.post(live.id, {holder: kept}),)

    def remove(self, live: Live) -> Call:
        """DELETE /agents/{id}."""
        return Call("DELETE", _path(live.id))

    def get(self, live_id: str) -> Generator[Call, Reply, Live | None]:
        """Read one agent; None is its own 404. Raises `Unexpected`."""
        call = Call("GET", _path(live_id))
        return replies.get_object(call, live_id, self.read, self.problem)

    def list_page(self, cursor: str, order: str = "asc", size: int = 0) -> Call:
        """GET /agents after an id, oldest first by default."""
        query = {"limit": str(size or self.dialect.page_size), "order": order}
        return Call("GET", ROOT, {**query, "after": cursor} if cursor else query)

    def read_page(self, reply: Reply) -> Page:
        """Return a page of the listing. Raises `Unexpected`."""
        return replies.read_page_of_ids(reply, self._live, self.problem)

    def read(self, reply: Reply) -> Live:
        """Return the agent in a successful answer. Raises `Unexpected` when it is something else."""
        return replies.read_object(reply, "an agent", self._live)

    def deleted(self, reply: Reply, live_id: str) -> bool:
        """Return whether this id was deleted now."""
        return replies.is_deleted(reply, live_id)

    def not_deleted(self, reply: Reply, live_id: str) -> str:
        """Return what a success says instead of that this id was deleted."""
        return replies.explain_not_deleted(reply, live_id, "agent")

    def problem(self, reply: Reply) -> Problem:
        """Return what an unsuccessful answer says."""
        found = replies.read_problem(reply, self.table.names)
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
        return next(((word,) for word in words if word in self.table.names), ())

    def _live(self, entry: Any) -> Live:
        """Return one agent as the server answered it; some servers leave `object` out."""
        if not isinstance(entry, Mapping) or entry.get("object", "agent") != "agent" or "model" not in entry:
            raise Unexpected("the answer is not an agent")
        live_id = replies.read_id(entry, "an agent")
        body = {name: entry[name] for name in self.table.names if name in entry}
        for name in _OBJECTS:
            if not isinstance(body.get(name, {}), (Mapping, type(None))):
                raise Unexpected(f"{name} of {live_id} is not an object")
        extra = {key: entry[key] for key in sorted(entry.keys() - _OWN_KEYS.union(self.table.names))}
        created = replies.read_time(entry.get("created_at"))
        return Live(live_id, body, created, extra=extra, raw=entry, stamp=read_stamp(body, self.table))


def _path(live_id: str) -> str:
    """Return the path of one agent. Raises ValueError for an id that could lead out of /agents/."""
    return replies.path_of_id(ROOT, live_id, "an agent")
