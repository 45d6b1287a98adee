"""What every embedded server does: it finds the verb of a request, keeps JSON texts, and answers refusals.

It answers a `Call` in-process. Knows nothing of HTTP: headers and keys are `admission`'s, sockets `serve`'s,
misbehaviour `faults`', and a gateway in front `portkey`'s. What a body may hold is each protocol's own.
"""

from __future__ import annotations

import copy
import itertools
import json
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from trueup.core.call import Call, Reply
from trueup.core.errors import TrueupError
from trueup.local.database import Busy, Database
from trueup.local.rules import Refusal
from trueup.local.vendor import TEXT_START, Vendor, envelope, limit_of, lost_cursor, newest_first, page_text

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TRIES = 10_000

Answer = tuple[int, str]
"""A status and the JSON text of a body."""

Verbs = dict[str, Callable[[], Answer]]
"""What a path can do, by method."""


def new_id(prefix: str) -> str:
    """Return a random identifier as OpenAI makes them: a prefix (`asst`), `_` and 24 characters of base 62."""
    rest, letters = int.from_bytes(os.urandom(20), "big"), []
    for _ in range(24):
        rest, digit = divmod(rest, len(ALPHABET))
        letters.append(ALPHABET[digit])
    return f"{prefix}_{''.join(letters)}"


class EmbeddedServer(ABC):
    """A vendor in a file: whoever opens the same path meets the same objects.

    `clock` gives Unix seconds, `ids` whole identifiers; tests hand in their own. `dialect` says which of the `vendors`
    it is. Objects are called `noun` in answers; they lie under `/collection`, and `cursors` are what its listing takes.
    Safe to use from several threads. Raises `TrueupError` for a file that cannot be used and for an unknown dialect.
    """

    vendors: ClassVar[Mapping[str, Vendor]]
    collection: ClassVar[str]
    noun: ClassVar[str]
    prefix: ClassVar[str]
    cursors: ClassVar[tuple[str, ...]] = ("after",)
    headers: ClassVar[Mapping[str, str]] = {}
    vendor: Vendor

    def __init__(
        self,
        path: Path | str = ":memory:",
        clock: Callable[[], float] = time.time,
        ids: Callable[[], str] | None = None,
        *,
        dialect: str = "openai",
    ) -> None:
        self._become(dialect)
        self._database = Database(path)
        self._clock = clock
        self._ids = ids or (lambda: new_id(self.prefix))
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the database file back, to all views of it."""
        self._database.close()

    def seen_as(self, dialect: str) -> Self:
        """Return the same objects in another dialect's words; the file stays this one's to close."""
        if dialect == self.vendor.name:
            return self
        view = copy.copy(self)
        view._become(dialect)
        return view

    async def send(self, call: Call) -> Reply:
        """`answer` in the shape of `core.call.Send`."""
        return self.answer(call)

    def answer(self, call: Call) -> Reply:
        """Return the vendor's answer to one request, sharing no object with the caller.

        Refusals are answers too (400, 404, 405; 503 when the file is locked and nothing was done). Raises
        `TrueupError` when the file turns out to be damaged, `TypeError` for a body that is no JSON value at all.
        """
        with self._lock:
            number = next(self._numbers)
            status, text = self._route(call)
        headers = {"content-type": "application/json", **self.headers, "x-request-id": f"req_{number:032x}"}
        if status == 405:
            headers["allow"] = ", ".join(self._verbs(call))
        if status == 503:
            headers["retry-after"] = "1"
        return Reply(status, headers, json.loads(text), text[:TEXT_START])

    @abstractmethod
    def _create(self, call: Call) -> Answer:
        """Answer a create. Raises `Refusal`."""

    @abstractmethod
    def _modify(self, identifier: str, call: Call) -> Answer:
        """Answer a modify. Raises `Refusal`."""

    def _answer_text(self, text: str) -> str:
        """Return a stored text as this vendor answers it."""
        return text

    def _page(self, entries: Sequence[str], has_more: bool) -> str:
        """Return the JSON text of a page of the listing."""
        return page_text(entries, has_more)

    def _become(self, dialect: str) -> None:
        if dialect not in self.vendors:
            known = ", ".join(sorted(self.vendors))
            raise TrueupError(f"The embedded server has no dialect {dialect!r}.", f"Choose one of: {known}.")
        self.vendor = self.vendors[dialect]

    def _route(self, call: Call) -> Answer:
        try:
            return self._verb(call)
        except Refusal as refusal:
            said = envelope(refusal.message, refusal.param, refusal.code)
            return refusal.status, json.dumps(said)
        except Busy as busy:
            said = envelope(f"The embedded server's database did not take the request: {busy}.", kind="server_error")
            return 503, json.dumps(said)

    def _verb(self, call: Call) -> Answer:
        verbs = self._verbs(call)
        if not verbs:
            if self.vendor.door.lost is not None:
                return 404, json.dumps(self.vendor.door.lost)
            raise Refusal(f"Invalid URL ({call.method} {self.vendor.mount}{call.path})", status=404)
        if call.method not in verbs:
            said = f"Not allowed to {call.method} on {self.vendor.mount}{call.path}."
            raise Refusal(said, code="method_not_supported", status=405)
        return verbs[call.method]()

    def _verbs(self, call: Call) -> Verbs:
        """Return what the request's path can do; nothing for a path that does not exist."""
        if call.path == f"/{self.collection}":
            return {"GET": lambda: self._list(call.query), "POST": lambda: self._create(call)}
        identifier = call.path.removeprefix(f"/{self.collection}/")
        if identifier in ("", call.path) or "/" in identifier:
            return {}
        return {
            "GET": lambda: (200, self._answer_text(self._get(identifier))),
            "POST": lambda: self._modify(identifier, call),
            "DELETE": lambda: self._delete(identifier),
        }

    def _add(self, make: Callable[[str], Mapping[str, Any]]) -> Answer:
        """Store what `make` makes for a free identifier, and answer it."""
        for _ in range(TRIES):
            identifier = self._ids()
            text = json.dumps(make(identifier))
            if self._database.add(identifier, text):
                return 200, self._answer_text(text)
        raise TrueupError(f"The embedded server was given {TRIES} identifiers in a row that are taken.", "Check `ids`.")

    def _get(self, identifier: str) -> str:
        """Return what is stored under an identifier. Raises `Refusal` (404)."""
        text = self._database.get(identifier)
        if text is None:
            raise self._absent(identifier)
        return text

    def _replace(self, identifier: str, how: Callable[[dict[str, Any]], Mapping[str, Any]]) -> str:
        """Replace what is stored by what `how` makes of it, and return that. Raises `Refusal` (404)."""
        text = self._database.change(identifier, lambda stored: json.dumps(how(json.loads(stored))))
        if text is None:
            raise self._absent(identifier)
        return text

    def _delete(self, identifier: str) -> Answer:
        if not self._database.remove(identifier):
            raise self._absent(identifier)
        return 200, json.dumps({"id": identifier, "object": f"{self.noun}.deleted", "deleted": True})

    def _list(self, query: Mapping[str, str]) -> Answer:
        cursors = {name: query.get(name) or "" for name in self.cursors}
        window = self._database.window(limit_of(query), newest_first(query), **cursors)
        if isinstance(window, str):
            raise lost_cursor(cursors, window)
        return 200, self._page([self._answer_text(text) for text in window.bodies], window.has_more)

    def _absent(self, identifier: str) -> Refusal:
        return Refusal(f"No {self.noun} found with id '{identifier}'.", status=404)


def body_of(call: Call) -> dict[str, Any]:
    """Return a copy of the request's body. Raises `Refusal` for what is no JSON object."""
    try:
        body = json.loads(json.dumps(call.json, allow_nan=False))
    except (ValueError, RecursionError) as error:
        raise Refusal(f"The body could not be read as JSON: {error}.") from error
    if not isinstance(body, dict):
        raise Refusal("The body must be a JSON object: send one, with 'Content-Type: application/json'.")
    return body
