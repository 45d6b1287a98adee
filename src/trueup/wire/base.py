"""What a protocol module must offer. Knows what is common to all vendors and the name of none."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from trueup.core.call import TRANSIENT, Call, Reply
from trueup.core.definitions.definition import Definition
from trueup.core.field_table import FieldTable
from trueup.core.source import Diagnostic, Path
from trueup.wire.access import Access


@dataclass(frozen=True, slots=True)
class Live:
    """What the vendor answers now: `body` are the fields that a definition can declare, `extra` keys that nobody here
    knows, `raw` is the object as it was answered. `stamp` is the text of the ownership stamp, None where there is none.
    """

    id: str
    body: Mapping[str, Any]
    created_at: int = 0
    version: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
    stamp: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing; `cursor` asks for the next one and is None where no page can follow.

    `doubt` finishes a sentence that begins with the page: why its own word on whether there is more is none.
    """

    items: tuple[Live, ...]
    has_more: bool
    cursor: str | None
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What a reply that is no success means. `absent`: an assistant is not there, and not the endpoint; `named` is the
    id that it says this of, None where it names none.

    `refused`: what was sent is at fault, and not who sent it or when; `path` then says where in it, as far as it is
    known. `unclear`: a write that was answered so may or may not have happened. `conflict`: a write was refused because
    it rests on a version that is no longer the newest; it is never sent again as it is.
    """

    message: str
    path: Path = ()
    absent: bool = False
    code: str = ""
    refused: bool = False
    named: str | None = None
    unclear: bool = False
    conflict: bool = False

    def is_own_404(self, live_id: str) -> bool:
        """Return whether it says of this very assistant that it is not there."""
        return self.absent and self.named in (None, live_id)

    def is_of_another(self, live_id: str) -> bool:
        """Return whether it says of another assistant that it is not there: this decides nothing about this one."""
        return self.absent and not self.is_own_404(live_id)

    @property
    def place(self) -> Path | None:
        """Where in what was sent the fault is, `()` for the whole; None where it is not in there."""
        return self.path if self.path or self.refused else None


def is_unclear(status: int) -> bool:
    """Return whether, by HTTP alone, a write that was answered so may or may not have happened."""
    return status in TRANSIENT or status >= 500 or 300 <= status < 400


class Unexpected(Exception):
    """A reply with a success status that is not what was asked for."""


class UnclearAbsence(Unexpected):
    """A 404 for one object that does not say that this object is not there."""


@dataclass(frozen=True, slots=True)
class Holds:
    """What a dialect's server can hold, as data. Paths leave a list's index out: `tools.function.strict`.

    `kinds` are those that it knows of fields whose values have kinds; `lengths` the most characters or entries of a
    field, `modify_lengths` where a modify may carry less; `lacks` are keys it does not know, `needs` keys it wants, and
    `fills` what is sent for a key that it wants and that says nothing new.
    """

    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)
    modify_lengths: Mapping[str, int] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    fills: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One server's ways, as a row of data. `honest`: its `has_more` is known to tell the truth.

    An empty `base_url` means that there is none to fall back on; it looks like `example`. `prefix` is the path that
    belongs to an address without one. `auth` maps the key of a target (`api_key`, `token`) to the kind of header that
    carries it; `api_version` is what `api-version` in every query says unless the target does, empty where there is
    no such thing. `scoped`: it knows organizations and projects. `reasoning` maps names of models, `*` for any text,
    to whether they refuse sampling; the first that fits decides. `vendor` is whose models it
    has at its own address, empty where it has anybody's. `ended` is a sentence on the vendor's own service.
    `listing`: the way to a listing's next page is the last item's id (`ids`) or a token of the server's (`tokens`), or
    one answer holds everything and there is no next page (`whole`). `parallelism` is the most
    requests that it takes at once (0: any number). `embedded`: the embedded server can stand for it.
    """

    name: str
    base_url: str
    table: FieldTable
    headers: Mapping[str, str] = field(default_factory=dict)
    honest: bool = False
    page_size: int = 100
    example: str = ""
    prefix: str = ""
    vendor: str = ""
    auth: Mapping[str, str] = field(default_factory=lambda: {"api_key": "bearer", "token": "bearer"})
    token_scope: str = ""
    api_version: str = ""
    api_versions: tuple[str, ...] = ()
    scoped: bool = False
    holds: Holds = Holds()
    reasoning: Mapping[str, bool] = field(default_factory=dict)
    ended: str = ""
    listing: Literal["ids", "tokens", "whole"] = "ids"
    parallelism: int = 0
    embedded: bool = True

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields that the server has."""
        return self.table.names


class Adapter(Protocol):
    """A protocol spoken in one dialect.

    `sets` are fields and their values, of a map each entry by itself (`metadata.owner`); None clears a field.
    """

    name: str
    dialect: Dialect
    access: Access

    def audit(self, definition: Definition) -> list[Diagnostic]:
        """Return what this dialect cannot hold of a definition, before any network."""

    def drop_unsupported(self, definition: Definition) -> Definition:
        """Return the definition without what this dialect does not support; only that is sent and compared."""

    def list_forced_fields(self, live: Mapping[str, Any], sets: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the fields, with values, that a modify of `live` must set beside `sets` for the protocol's sake."""

    def auth(self, secret: str, key: str = "api_key") -> Mapping[str, str]:
        """Return the headers that carry what a target's key (`api_key` or `token`) says; they never enter a `Call`."""

    def create(self, sets: Mapping[str, Any], stamp: str) -> Call:
        """Return the request that creates an assistant; an empty stamp is not written."""

    def modify(self, live: Live, sets: Mapping[str, Any], stamp: str) -> Call:
        """Return the request that sets fields of what was last read, and leaves all others as they are there."""

    def post(self, live_id: str, body: Mapping[str, Any]) -> Call:
        """Return the modify with exactly this body: a probe asks with it."""

    def has_room(self, live: Mapping[str, Any], sets: Mapping[str, Any]) -> bool:
        """Return whether a modify of this body with `sets` can carry the stamp."""

    def release(self, live: Live) -> tuple[Call, ...]:
        """Return the requests that take the stamp off, each for a server on which the one before it did not."""

    def remove(self, live: Live) -> Call:
        """Return the request that removes one."""

    def get(self, live_id: str) -> Generator[Call, Reply, Live | None]:
        """Read one; None is the assistant's own 404. Raises `Unexpected` for anything else that is no assistant."""

    def list_page(self, cursor: str, order: str = "asc", size: int = 0) -> Call:
        """Return the request for the page that a cursor asks for (empty: the first), `asc` or `desc` by creation.

        The page has at most `size` assistants (0: as many as the dialect lets one ask for).
        """

    def read_page(self, reply: Reply) -> Page:
        """Return a listing's page. Raises `Unexpected`."""

    def read(self, reply: Reply) -> Live:
        """Return the assistant in a successful answer. Raises `Unexpected` when it is something else."""

    def is_deleted(self, reply: Reply, live_id: str) -> bool:
        """Return whether the answer says that this id is gone."""

    def explain_not_deleted(self, reply: Reply, live_id: str) -> str:
        """Return what a success says instead, in words that follow a colon."""

    def problem(self, reply: Reply) -> Problem:
        """Return what an answer that is no success says."""
