"""What adapters share whose objects stand below one path, are listed by ids and are answered in OpenAI's way.

Knows no protocol: the path, the noun and what a dialect lacks are the subclass's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Generator, Iterable, Mapping
from dataclasses import replace
from typing import Any

from trueup.core.call import Call, Reply
from trueup.core.definitions.definition import Definition
from trueup.core.rules.fault import Fault, place_faults
from trueup.core.source import Diagnostic
from trueup.wire import replies
from trueup.wire.access import UNKNOWN, Access
from trueup.wire.base import Dialect, Live, Page, Problem
from trueup.wire.bodies import Loss, has_room, remove_losses


class RestAdapter(ABC):
    """A protocol spoken in one dialect. `root` is the path of all objects, `noun` what one is called, with its article.

    A subclass makes the bodies of requests and reads an object and a problem.
    """

    name: str
    root: str
    noun: str

    def __init__(
        self, dialect: Dialect, gateway: str = "", allow_loss: Collection[str] = (), access: Access = UNKNOWN
    ) -> None:
        self.dialect = dialect
        self.access = access
        self._gateway = gateway
        self._allow_loss = frozenset(allow_loss)
        self._query = {"api-version": dialect.api_version} if dialect.api_version else {}

    def audit(self, definition: Definition) -> list[Diagnostic]:
        """Return what the dialect cannot hold or would refuse, each at its place; an allowed loss is a warning."""
        return place_faults(self._faults(definition.body), definition.locate, definition.file)

    def drop_unsupported(self, definition: Definition) -> Definition:
        """Return the definition without what the dialect does not support."""
        kept = remove_losses(definition.body, self._losses(definition.body))
        return definition if kept is definition.body else replace(definition, body=kept)

    def list_forced_fields(self, live: Mapping[str, Any], sets: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002 - for subclasses
        """Return no field: a modify needs nothing beside what it sets."""
        return {}

    def auth(self, secret: str, key: str = "api_key") -> Mapping[str, str]:
        """Return the header that carries the target's `api_key` or `token`; a gateway takes either as a bearer."""
        if not self._gateway and self.dialect.auth.get(key) == "api-key":
            return {"api-key": secret}
        return {"Authorization": f"Bearer {secret}"}

    def post(self, live_id: str, body: Mapping[str, Any]) -> Call:
        """POST one object with exactly this body."""
        return Call("POST", self._path(live_id), self._query, json=dict(body))

    def has_room(self, live: Mapping[str, Any], sets: Mapping[str, Any]) -> bool:
        """Return whether the stamp fits among the metadata pairs that will be there."""
        return has_room(live, sets, self.dialect.table)

    def remove(self, live: Live) -> Call:
        """DELETE one object."""
        return Call("DELETE", self._path(live.id), self._query)

    def get(self, live_id: str) -> Generator[Call, Reply, Live | None]:
        """Read one object; None is its own 404. Raises `Unexpected`."""
        call = Call("GET", self._path(live_id), self._query)
        return replies.get_object(call, live_id, self.read, self.problem)

    def list_page(self, cursor: str, order: str = "asc", size: int = 0) -> Call:
        """GET a page after an id, oldest first by default."""
        query = {**self._query, "limit": str(size or self.dialect.page_size), "order": order}
        return Call("GET", self.root, {**query, "after": cursor} if cursor else query)

    def read_page(self, reply: Reply) -> Page:
        """Return a page of the listing. Raises `Unexpected`."""
        return replies.read_page_of_ids(reply, self._live, self.problem)

    def read(self, reply: Reply) -> Live:
        """Return the object in a successful answer. Raises `Unexpected` when it is something else."""
        return replies.read_object(reply, self.noun, self._live)

    def is_deleted(self, reply: Reply, live_id: str) -> bool:
        """Return whether this id was deleted now."""
        return replies.is_deleted(reply, live_id)

    def explain_not_deleted(self, reply: Reply, live_id: str) -> str:
        """Return what a success says instead of that this id was deleted."""
        return replies.explain_not_deleted(reply, live_id, self.noun.partition(" ")[2])

    @abstractmethod
    def problem(self, reply: Reply) -> Problem:
        """Return what an unsuccessful answer says."""

    @abstractmethod
    def _faults(self, body: Mapping[str, Any]) -> Iterable[Fault]:
        """Return what the dialect cannot hold or would refuse of a body."""

    @abstractmethod
    def _losses(self, body: Mapping[str, Any]) -> Iterable[Loss]:
        """Return the parts of a body that the dialect does not support."""

    @abstractmethod
    def _live(self, entry: Any) -> Live:
        """Return one object as the server answered it. Raises `Unexpected`."""

    def _path(self, live_id: str) -> str:
        """Return the path of one object. Raises ValueError for an id that could lead out of the root."""
        return replies.path_of_id(self.root, live_id, self.noun)
