"""The OpenAI Assistants protocol: calls out, replies in. Knows no transport, and of a target what its row says.

Facts are from the vendors' published specifications and recorded traffic, described in docs/protocols.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from trueup.core.call import Body, Call, Reply
from trueup.core.definitions.definition import Definition
from trueup.core.memory.stamp import KEY, RELEASED
from trueup.core.memory.state import is_plain_id
from trueup.core.rules.fault import placed
from trueup.core.source import Diagnostic, Path
from trueup.wire import portkey
from trueup.wire.access import UNKNOWN, Access
from trueup.wire.base import Dialect, Live, Page, Problem, Unexpected, is_unclear
from trueup.wire.error_paths import first, listed, path_in, path_of, steps
from trueup.wire.foreign_answers import TOO_LARGE, first_line, is_page, is_success, page, told
from trueup.wire.model_names import is_reasoning
from trueup.wire.openai_assistants.absent_ids import ABSENT, id_named
from trueup.wire.openai_assistants.audit import SAMPLING, audit, filled, held
from trueup.wire.openai_assistants.dialects import DIALECTS
from trueup.wire.rendering import create_body, has_room, patch_body, read_stamp

NAME = "openai-assistants"

_OWN_KEYS = frozenset({"id", "object", "created_at"})
"""Keys of an answer that are the server's own."""

REFUSED = frozenset({400, 413, 422})
"""Statuses that speak of the request's body."""

NO_SUCH_DETAIL = "Assistant not found"
"""How myla, which speaks this protocol, says that an assistant is not there (seen in its answers); its paths that do
not exist answer "Not Found"."""


class OpenAIAssistants:
    """The protocol in one dialect; `honest` False makes the engine distrust `has_more`."""

    name = NAME

    def __init__(
        self,
        dialect: Dialect = DIALECTS["openai"],
        gateway: str = "",
        allow_loss: Collection[str] = (),
        access: Access = UNKNOWN,
    ) -> None:
        self.dialect = dialect
        self.access = access
        self._gateway = gateway
        self._allow_loss = frozenset(allow_loss)
        self._query = {"api-version": dialect.api_version} if dialect.api_version else {}

    def audit(self, definition: Definition) -> list[Diagnostic]:
        """What the dialect cannot hold or would refuse, each at its place; a loss that is allowed is a warning."""
        return placed(audit(definition.body, self.dialect, self._allow_loss), definition.locate, definition.file)

    def held(self, definition: Definition) -> Definition:
        """The definition without what the dialect has no word for."""
        kept = held(definition.body, self.dialect)
        return definition if kept is definition.body else replace(definition, body=kept)

    def forced(self, live: Mapping[str, Any], sets: Mapping[str, Any]) -> Mapping[str, Any]:
        """Null for the stored sampling numbers where a modify moves an assistant to a model that refuses them.

        A server keeps them from the model before, and refuses the change for their sake (several users' reports).
        """
        table = self.dialect.reasoning
        if not is_reasoning(sets.get("model"), table) or is_reasoning(live.get("model"), table):
            return {}
        return {name: None for name in SAMPLING if live.get(name) is not None}

    def auth(self, secret: str, key: str = "api_key") -> Mapping[str, str]:
        """The header that carries what the target's `api_key` or `token` says; a gateway takes either as a bearer."""
        if not self._gateway and self.dialect.auth.get(key) == "api-key":
            return {"api-key": secret}
        return {"Authorization": f"Bearer {secret}"}

    def create(self, sets: Mapping[str, Any], stamp: str) -> Call:
        """POST /assistants."""
        body = create_body(sets, stamp, self.dialect.table)
        return Call("POST", "/assistants", self._query, json=filled(body, self.dialect.holds.fills))

    def modify(self, live: Live, sets: Mapping[str, Any], stamp: str) -> Call:
        """POST /assistants/{id}: what is left out stays as it is, and metadata and tool resources go whole.

        Metadata is right under either habit: a server that merged when it was probed may replace today. What a move to
        another model forces is sent as it is, whatever else clears it.
        """
        nulls = self.dialect.semantics.null_removes
        body = patch_body(live.body, sets, stamp, self.dialect.table, null_removes=nulls)
        forced = self.forced(live.body, sets)
        body.update({name: value for name, value in forced.items() if name in sets and sets[name] is None})
        return self.post(live.id, body)

    def post(self, live_id: str, body: Mapping[str, Any]) -> Call:
        """POST /assistants/{id} with a body as it is, but for what the dialect wants said."""
        return Call("POST", _path(live_id), self._query, json=filled(body, self.dialect.holds.fills))

    def has_room(self, live: Mapping[str, Any], sets: Mapping[str, Any]) -> bool:
        """Whether the stamp fits among the metadata pairs that will be there."""
        return has_room(live, sets, self.dialect.table, self.dialect.metadata_pairs)

    def release(self, live: Live) -> tuple[Call, ...]:
        """The write without our stamp; and, for a server that keeps the key, the one that says `released` in its place.

        Which of them is of use is known where the server was probed.
        """
        rules, kept = self.dialect.semantics, dict(live.body.get("metadata") or {})
        kept.pop(KEY, None)
        without, told = {**kept, KEY: None} if rules.null_removes else kept, {**kept, KEY: RELEASED}
        bodies = (told,) if rules.is_stuck("metadata") else (without, told)
        return tuple(self.post(live.id, {"metadata": body}) for body in bodies)

    def remove(self, live: Live) -> Call:
        """DELETE /assistants/{id}."""
        return Call("DELETE", _path(live.id), self._query)

    def get(self, live_id: str) -> Generator[Call, Reply, Live | None]:
        """Reads one assistant; None is its own 404. Raises `Unexpected`."""
        reply = yield Call("GET", _path(live_id), self._query)
        if is_success(reply):
            live = self.read(reply)
            if live.id != live_id:
                raise Unexpected(f"asked for {live_id}, got {live.id}")
            return live
        problem = self.problem(reply)
        if problem.is_own_404(live_id):
            return None
        asked = f"asked for {live_id}, got " if problem.is_of_another(live_id) else ""
        raise Unexpected(asked + problem.message)

    def list_page(self, cursor: str, order: str = "asc", size: int = 0) -> Call:
        """GET /assistants after an id, oldest first by default."""
        query = {**self._query, "limit": str(size or self.dialect.page_size), "order": order}
        return Call("GET", "/assistants", {**query, "after": cursor} if cursor else query)

    def read_page(self, reply: Reply) -> Page:
        """A page of the listing; the cursor is the last item's id, whatever `last_id` says. Raises `Unexpected`.

        A `has_more` that is neither true nor false, null or missing is a doubt about the page.
        """
        body = reply.json
        if not is_success(reply) or not isinstance(body, Mapping) or not isinstance(body.get("data"), list):
            raise Unexpected(self.problem(reply).message)
        items = tuple(self._live(entry) for entry in body["data"])
        said = body.get("has_more")
        doubt = "" if said is None or isinstance(said, bool) else "has a `has_more` that is neither true nor false"
        return Page(items, bool(said or doubt), items[-1].id if items else None, doubt)

    def read(self, reply: Reply) -> Live:
        """The assistant in a successful answer. Raises `Unexpected` when it is something else."""
        if is_page(reply):
            raise Unexpected(f"the answer is {page(reply)}, not an assistant")
        if reply.json is Body.TOO_LARGE:
            raise Unexpected(TOO_LARGE)
        return self._live(reply.json)

    def deleted(self, reply: Reply, live_id: str) -> bool:
        """Whether this id was deleted now."""
        body = reply.json
        return (
            is_success(reply)
            and isinstance(body, Mapping)
            and body.get("deleted") is True
            and body.get("id") == live_id
        )

    def not_deleted(self, reply: Reply, live_id: str) -> str:
        """What a success says instead of that this id was deleted."""
        body = reply.json if isinstance(reply.json, Mapping) else {}
        if is_page(reply):
            return f"the answer is {page(reply)}, and does not say that it was deleted"
        if reply.json is Body.TOO_LARGE:
            return TOO_LARGE
        if isinstance(body.get("id"), str) and body["id"] != live_id:
            return f"the answer speaks of another assistant ({body['id'][:60]})"
        said = body.get("deleted") is False
        return "the target says that it was not deleted" if said else "the answer does not say that it was deleted"

    def problem(self, reply: Reply) -> Problem:
        """What an unsuccessful answer says, from the vendor's or a gateway's error shape."""
        found = self._said(reply)
        meaning = portkey.MEANINGS.get(reply.status, "") if self._gateway else ""
        message = f"{found.message} ({meaning})" if meaning else found.message
        return replace(found, message=self.access.explain(reply.status, message), unclear=is_unclear(reply.status))

    def _said(self, reply: Reply) -> Problem:
        if isinstance(reply.json, Body):
            return Problem(told(reply))
        body = reply.json if isinstance(reply.json, Mapping) else {}
        error = body.get("error")
        inner = error if isinstance(error, Mapping) else body
        message = inner.get("message")
        said, path = (message, ()) if isinstance(message, str) else _detail(body.get("detail"))
        param, code = inner.get("param"), inner.get("code")
        text = said + portkey.reasons(body) or (code if isinstance(code, str) else "") or first_line(reply.text)
        given, fields = path_of(param) if isinstance(param, str) else (), self.dialect.fields
        own = ABSENT in said if isinstance(error, Mapping) else body.get("detail") == NO_SUCH_DETAIL
        return Problem(
            message=f"HTTP {reply.status}: {text}" if text else f"HTTP {reply.status}",
            path=first((given, path, listed(body), path_in(text, fields)), fields),
            absent=reply.status == 404 and own,
            code=code if isinstance(code, str) else "",
            refused=reply.status in REFUSED,
            named=id_named(said) if own else None,
        )

    def _live(self, entry: Any) -> Live:
        """One assistant object as the server answered it."""
        if not isinstance(entry, Mapping) or entry.get("object") != "assistant":
            raise Unexpected("the answer is not an assistant")
        live_id, created_at = entry.get("id"), entry.get("created_at")
        if not isinstance(live_id, str) or not live_id:
            raise Unexpected("the answer is an assistant without an id")
        if not is_plain_id(live_id):
            raise Unexpected(f"the answer holds {live_id[:60]!r}, which cannot be an assistant's id")
        body = {key: entry[key] for key in self.dialect.fields if key in entry}
        for key in ("metadata", "tool_resources"):
            if not isinstance(body.get(key, {}), (Mapping, type(None))):
                raise Unexpected(f"{key} of {live_id} is not an object")
        for key, lists in (body.get("tool_resources") or {}).items():
            if not isinstance(lists, (Mapping, type(None))):
                raise Unexpected(f"tool_resources.{key} of {live_id} is not an object")
        unknown = entry.keys() - _OWN_KEYS.union(self.dialect.fields)
        extra = {key: entry[key] for key in sorted(unknown)} if unknown else {}
        created = created_at if type(created_at) is int else 0
        return Live(live_id, body, created, extra=extra, raw=entry, stamp=read_stamp(body, self.dialect.table))


def _detail(detail: Any) -> tuple[str, Path]:
    """The text of an error as FastAPI servers give it, and the path into the request's body of its first problem."""
    if isinstance(detail, str):
        return detail, ()
    entries = [entry for entry in detail if isinstance(entry, Mapping)] if isinstance(detail, list) else []
    found = [(steps(entry.get("loc")), entry["msg"]) for entry in entries if isinstance(entry.get("msg"), str)]
    text = "; ".join(f"{'.'.join(map(str, path))}: {words}" if path else words for path, words in found)
    return text, found[0][0] if found else ()


def _path(live_id: str) -> str:
    """The path of one assistant. Raises ValueError for an id that could lead out of /assistants/."""
    if not is_plain_id(live_id):
        raise ValueError(f"{live_id[:60]!r} cannot be an assistant's id")
    return f"/assistants/{quote(live_id, safe='')}"
