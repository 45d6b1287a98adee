"""An embedded server of the assistants API on SQLite, behaving as a vendor's was recorded and documented to.

It answers a `Call` in-process. Knows nothing of HTTP: headers and keys are `admission`'s, sockets `serve`'s,
misbehaviour `faults`', and a gateway in front `portkey`'s.
"""

from __future__ import annotations

import copy
import itertools
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from trueup.core.call import Call, Reply
from trueup.core.errors import TrueupError
from trueup.local import answers, assistant_bodies, paging, v1_files, v1_view
from trueup.local.assistant_fields import Fields
from trueup.local.database import Busy, Database
from trueup.local.habits import USUAL, Habits
from trueup.local.rules import Refusal
from trueup.local.vendors import STORED, VENDORS, Vendor

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TRIES = 10_000

_Answer = tuple[int, str]
"""A status and the JSON text of a body."""


def new_id() -> str:
    """A random identifier as OpenAI makes them: `asst_` and 24 characters of base 62."""
    rest, letters = int.from_bytes(os.urandom(20), "big"), []
    for _ in range(24):
        rest, digit = divmod(rest, len(ALPHABET))
        letters.append(ALPHABET[digit])
    return f"asst_{''.join(letters)}"


def vendor_named(dialect: str) -> Vendor:
    """The vendor of a dialect's name. Raises `TrueupError` naming those there are."""
    if dialect not in VENDORS:
        raise TrueupError(
            f"The embedded server has no dialect {dialect!r}.", f"Choose one of: {', '.join(sorted(VENDORS))}."
        )
    return VENDORS[dialect]


class Server:
    """The vendor in a file: whoever opens the same path meets the same assistants.

    `clock` gives Unix seconds, `ids` whole identifiers; tests hand in their own. `dialect` says which vendor it is,
    `habits` which way it goes where nobody has established it. Safe to use from several threads. Raises `TrueupError`
    for a file that cannot be used and for an unknown dialect.
    """

    def __init__(
        self,
        path: Path | str = ":memory:",
        clock: Callable[[], float] = time.time,
        ids: Callable[[], str] | None = None,
        *,
        dialect: str = "openai",
        habits: Habits = USUAL,
    ) -> None:
        self.vendor = vendor_named(dialect)
        self.habits = habits
        self._database = Database(path)
        self._clock = clock
        self._ids = ids or new_id
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Gives the database file back, to all views of it."""
        self._database.close()

    def seen_as(self, dialect: str) -> Server:
        """The same assistants in another dialect's words; the file stays this one's to close."""
        if dialect == self.vendor.name:
            return self
        view = copy.copy(self)
        view.vendor = vendor_named(dialect)
        return view

    async def send(self, call: Call) -> Reply:
        """`answer` in the shape of `core.call.Send`."""
        return self.answer(call)

    def answer(self, call: Call) -> Reply:
        """The vendor's answer to one request, sharing no object with the caller.

        Refusals are answers too (400, 404, 405; 503 when the file is locked and nothing was done). Raises
        `TrueupError` when the file turns out to be damaged, `TypeError` for a body that is no JSON value at all.
        """
        with self._lock:
            number = next(self._numbers)
            status, text = self._routed(call)
        headers = {
            "content-type": "application/json",
            "openai-version": "2020-10-01",
            "x-request-id": f"req_{number:032x}",
        }
        if status == 405:
            headers["allow"] = "GET, POST" if call.path == "/assistants" else "GET, POST, DELETE"
        if status == 503:
            headers["retry-after"] = "1"
        return Reply(status, headers, json.loads(text), text[: answers.TEXT_START])

    def _routed(self, call: Call) -> _Answer:
        try:
            return self._verb(call)
        except Refusal as refusal:
            return _error(refusal.status, refusal.message, refusal.param, refusal.code)
        except Busy as busy:
            return _error(503, f"The embedded server's database did not take the request: {busy}.", kind="server_error")

    def _verb(self, call: Call) -> _Answer:
        verbs = self._verbs(call)
        if not verbs:
            if self.vendor.door.lost is not None:
                return 404, json.dumps(self.vendor.door.lost)
            raise Refusal(f"Invalid URL ({call.method} {self.vendor.mount}{call.path})", status=404)
        if call.method not in verbs:
            said = f"Not allowed to {call.method} on {self.vendor.mount}{call.path}."
            raise Refusal(said, code="method_not_supported", status=405)
        return verbs[call.method]()

    def _verbs(self, call: Call) -> dict[str, Callable[[], _Answer]]:
        """What the request's path can do, by method; nothing for a path that does not exist."""
        fields = self.vendor.previews.get(call.query.get("api-version", ""), self.vendor.fields)
        if call.path == "/assistants":
            return {"GET": lambda: self._list(call.query), "POST": lambda: self._create(_body(call), fields)}
        start, _, rest = call.path.removeprefix("/").partition("/")
        identifier, _, below = rest.partition("/")
        if start != "assistants" or not identifier:
            return {}
        if rest == identifier:
            return {
                "GET": lambda: self._found(identifier, self._database.get(identifier)),
                "POST": lambda: self._modify(identifier, _body(call), fields),
                "DELETE": lambda: self._delete(identifier),
            }
        return self._file_verbs(call, identifier, below) if self.vendor.is_v1 else {}

    def _file_verbs(self, call: Call, identifier: str, below: str) -> dict[str, Callable[[], _Answer]]:
        """v1's attachments: those of one assistant, or one of them."""
        start, _, file_id = below.partition("/")
        if start != "files" or "/" in file_id or (not file_id and below != "files"):
            return {}
        if not file_id:
            return {
                "GET": lambda: (200, v1_files.page(self._stored(identifier), call.query)),
                "POST": lambda: self._attach(identifier, _body(call)),
            }
        return {
            "GET": lambda: (200, json.dumps(v1_files.shown(self._stored(identifier), file_id))),
            "DELETE": lambda: self._detach(identifier, file_id),
        }

    def _create(self, body: dict[str, Any], fields: Fields) -> _Answer:
        taken, _ = assistant_bodies.checked(body, fields.create, ("model",), self.habits)
        wide, now = v1_view.widened(taken) if self.vendor.is_v1 else taken, int(self._clock())
        for _ in range(TRIES):
            identifier = self._ids()
            assistant = assistant_bodies.created(wide, identifier, now, self.vendor, self.habits)
            if self.vendor.is_v1:
                assistant = v1_view.attached(assistant, None, taken, now)
            text = json.dumps(assistant)
            if self._database.add(identifier, text):
                return 200, self._shown(text)
        raise TrueupError(f"The embedded server was given {TRIES} identifiers in a row that are taken.", "Check `ids`.")

    def _modify(self, identifier: str, body: dict[str, Any], fields: Fields) -> _Answer:
        taken, removed = assistant_bodies.checked(body, fields.modify, (), self.habits)
        return self._found(identifier, self._changed(identifier, lambda _: taken, removed))

    def _changed(
        self, identifier: str, what: Callable[[Mapping[str, Any]], dict[str, Any]], removed: frozenset[str]
    ) -> str | None:
        """The stored text after a modify that may depend on what is stored; None when nothing is."""

        def how(text: str) -> str:
            stored = json.loads(text)
            taken = what(stored)
            if not self.vendor.is_v1:
                return json.dumps(assistant_bodies.modified(stored, taken, removed, self.vendor, self.habits))
            wide = v1_view.widened(taken)
            assistant = assistant_bodies.modified(stored, wide, removed, self.vendor, self.habits)
            return json.dumps(v1_view.attached(assistant, stored, taken, int(self._clock())))

        return self._database.change(identifier, how)

    def _delete(self, identifier: str) -> _Answer:
        if not self._database.remove(identifier):
            return self._found(identifier, None)
        return 200, json.dumps({"id": identifier, "object": "assistant.deleted", "deleted": True})

    def _attach(self, identifier: str, body: dict[str, Any]) -> _Answer:
        text = self._changed(identifier, lambda stored: self._files(v1_files.attaching(stored, body)), frozenset())
        if text is None:
            return self._found(identifier, None)
        return 200, json.dumps(v1_files.shown(json.loads(text), body["file_id"]))

    def _detach(self, identifier: str, file_id: str) -> _Answer:
        if self._changed(identifier, lambda stored: v1_files.detaching(stored, file_id), frozenset()) is None:
            return self._found(identifier, None)
        return 200, json.dumps({"id": file_id, "object": "assistant.file.deleted", "deleted": True})

    def _files(self, change: dict[str, Any]) -> dict[str, Any]:
        """A change of the attachments, held against v1's limit. Raises `Refusal`."""
        return assistant_bodies.checked(change, self.vendor.fields.modify, (), self.habits)[0]

    def _stored(self, identifier: str) -> dict[str, Any]:
        """What is stored under an identifier. Raises `Refusal` (404)."""
        text = self._database.get(identifier)
        if text is None:
            raise Refusal(_absent(identifier), status=404)
        return dict(json.loads(text))

    def _list(self, query: Mapping[str, str]) -> _Answer:
        cursors = {name: query.get(name) or "" for name in ("after", "before")}
        window = self._database.window(paging.limit_of(query), paging.newest_first(query), **cursors)
        if isinstance(window, str):
            raise paging.lost_cursor(cursors, window)
        last = "always" if self.vendor.always_last_id else "filled" if self.habits.last_id else "never"
        entries = [self._shown(text) for text in window.bodies]
        return 200, paging.page_text(entries, window.has_more, self.vendor.first_id, last)

    def _found(self, identifier: str, text: str | None) -> _Answer:
        if text is None:
            return _error(404, _absent(identifier))
        return 200, self._shown(text)

    def _shown(self, text: str) -> str:
        """The stored text as this vendor answers it: most often as it is."""
        if self.vendor.keys is STORED and f'"{v1_view.KEY}": ' not in text:
            return text
        stored = json.loads(text)
        if self.vendor.is_v1:
            return json.dumps(v1_view.narrowed(stored, self.vendor.keys))
        return json.dumps({name: stored[name] for name in self.vendor.keys})


def _body(call: Call) -> dict[str, Any]:
    """The request's body by value; raises `Refusal` for what is no JSON object."""
    try:
        body = json.loads(json.dumps(call.json, allow_nan=False))
    except (ValueError, RecursionError) as error:
        raise Refusal(f"The body could not be read as JSON: {error}.") from error
    if not isinstance(body, dict):
        raise Refusal("The body must be a JSON object: send one, with 'Content-Type: application/json'.")
    return body


def _absent(identifier: str) -> str:
    return f"No assistant found with id '{identifier}'."


def _error(
    status: int, message: str, param: str | None = None, code: str | None = None, kind: str = "invalid_request_error"
) -> _Answer:
    return status, json.dumps(answers.envelope(message, param, code, kind))
