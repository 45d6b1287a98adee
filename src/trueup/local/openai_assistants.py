"""An embedded server of the assistants API (v2), behaving as OpenAI's was recorded and documented to, on SQLite.

It answers a `Call` in-process. Knows nothing of HTTP: headers, keys, sockets are `serve`'s, misbehaviour is `faults`'.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from trueup.core.call import Call, Reply
from trueup.core.errors import TrueupError
from trueup.local import assistant_bodies
from trueup.local.database import Busy, Database
from trueup.local.rules import Refusal

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PAGE = 20
PAGE_LIMIT = 100
TRIES = 10_000
TEXT_START = 500
"""Characters of an answer that `Reply.text` repeats."""

_Answer = tuple[int, str]
"""A status and the JSON text of a body."""


def new_id() -> str:
    """A random identifier as OpenAI makes them: `asst_` and 24 characters of base 62."""
    rest, letters = int.from_bytes(os.urandom(20), "big"), []
    for _ in range(24):
        rest, digit = divmod(rest, len(ALPHABET))
        letters.append(ALPHABET[digit])
    return f"asst_{''.join(letters)}"


class Server:
    """The vendor in a file: whoever opens the same path meets the same assistants.

    `clock` gives Unix seconds, `ids` whole identifiers; tests hand in their own. `metadata` says what a modify does
    to keys it does not name, which nobody has established: `replace` drops them, `merge` keeps them for ever.
    `strict_models` refuses sampling numbers, also stored ones, for reasoning models, as users reported it.
    Safe to use from several threads. Raises `TrueupError` for a file that cannot be used.
    """

    def __init__(
        self,
        path: Path | str = ":memory:",
        clock: Callable[[], float] = time.time,
        ids: Callable[[], str] | None = None,
        *,
        metadata: Literal["replace", "merge"] = "replace",
        strict_models: bool = False,
    ) -> None:
        self._database = Database(path)
        self._clock = clock
        self._ids = ids or new_id
        self._merge = metadata == "merge"
        self._strict = strict_models
        self._lock = threading.Lock()
        self._answered = 0

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Gives the database file back."""
        self._database.close()

    async def send(self, call: Call) -> Reply:
        """`answer` in the shape of `core.call.Send`."""
        return self.answer(call)

    def answer(self, call: Call) -> Reply:
        """The vendor's answer to one request, sharing no object with the caller.

        Refusals are answers too (400, 404, 405; 503 when the file is locked and nothing was done). Raises
        `TrueupError` when the file turns out to be damaged, `TypeError` for a body that is no JSON value at all.
        """
        with self._lock:
            self._answered += 1
            number = self._answered
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
        return Reply(status, headers, json.loads(text), text[:TEXT_START])

    def _routed(self, call: Call) -> _Answer:
        try:
            return self._verb(call)
        except Refusal as refusal:
            return _error(refusal.status, refusal.message, refusal.param, refusal.code)
        except Busy as busy:
            return _error(503, f"The embedded server's database did not take the request: {busy}.", kind="server_error")

    def _verb(self, call: Call) -> _Answer:
        identifier = call.path.removeprefix("/assistants/")
        if call.path == "/assistants":
            verbs = {"GET": lambda: self._list(call.query), "POST": lambda: self._create(_body(call))}
        elif call.path.startswith("/assistants/") and identifier and "/" not in identifier:
            verbs = {
                "GET": lambda: _found(identifier, self._database.get(identifier)),
                "POST": lambda: self._modify(identifier, _body(call)),
                "DELETE": lambda: self._delete(identifier),
            }
        else:
            raise Refusal(f"Invalid URL ({call.method} /v1{call.path})", status=404)
        if call.method not in verbs:
            said = f"Not allowed to {call.method} on /v1{call.path}."
            raise Refusal(said, code="method_not_supported", status=405)
        return verbs[call.method]()

    def _create(self, body: dict[str, Any]) -> _Answer:
        assistant_bodies.CREATE(body, "")
        for _ in range(TRIES):
            identifier = self._ids()
            assistant = assistant_bodies.created(body, identifier, int(self._clock()), self._strict)
            text = json.dumps(assistant)
            if self._database.add(identifier, text):
                return 200, text
        raise TrueupError(f"The embedded server was given {TRIES} identifiers in a row that are taken.", "Check `ids`.")

    def _modify(self, identifier: str, body: dict[str, Any]) -> _Answer:
        assistant_bodies.MODIFY(body, "")

        def how(stored: str) -> str:
            return json.dumps(assistant_bodies.modified(json.loads(stored), body, self._merge, self._strict))

        return _found(identifier, self._database.change(identifier, how))

    def _delete(self, identifier: str) -> _Answer:
        if not self._database.remove(identifier):
            return _found(identifier, None)
        return 200, json.dumps({"id": identifier, "object": "assistant.deleted", "deleted": True})

    def _list(self, query: Mapping[str, str]) -> _Answer:
        """A page. A cursor that names no assistant is refused: answering an empty page would look like the end."""
        limit, newest_first = _limit(query.get("limit")), _newest_first(query.get("order"))
        cursors = {name: query.get(name) or "" for name in ("after", "before")}
        window = self._database.window(limit, newest_first, **cursors)
        if isinstance(window, str):
            param = next(name for name, cursor in cursors.items() if cursor == window)
            raise Refusal(f"Invalid '{param}': no object in this list has the id '{window}'.", param, "invalid_value")
        first, last = (json.loads(window.bodies[at])["id"] if window.bodies else None for at in (0, -1))
        tail = json.dumps({"first_id": first, "last_id": last, "has_more": window.has_more})
        return 200, f'{{"object": "list", "data": [{", ".join(window.bodies)}], {tail[1:]}'


def _body(call: Call) -> dict[str, Any]:
    """The request's body by value; raises `Refusal` for what is no JSON object."""
    try:
        body = json.loads(json.dumps(call.json, allow_nan=False))
    except (ValueError, RecursionError) as error:
        raise Refusal(f"The body could not be read as JSON: {error}.") from error
    if not isinstance(body, dict):
        raise Refusal("The body must be a JSON object: send one, with 'Content-Type: application/json'.")
    return body


def _found(identifier: str, text: str | None) -> _Answer:
    if text is None:
        return _error(404, f"No assistant found with id '{identifier}'.")
    return 200, text


def _limit(asked: str | None) -> int:
    if asked is None:
        return PAGE
    if not (asked.isascii() and asked.removeprefix("-").isdigit() and len(asked) <= 12):
        raise Refusal(
            f"Invalid type for 'limit': expected an integer, but got '{asked[:80]}' instead.", "limit", "invalid_type"
        )
    limit = int(asked)
    if limit < 1:
        said = f"Invalid 'limit': integer below minimum value. Expected a value >= 1, but got {limit} instead."
        raise Refusal(said, "limit", "integer_below_min_value")
    if limit > PAGE_LIMIT:
        said = (
            f"Invalid 'limit': integer above maximum value. Expected a value <= {PAGE_LIMIT}, but got {limit} instead."
        )
        raise Refusal(said, "limit", "integer_above_max_value")
    return limit


def _newest_first(asked: str | None) -> bool:
    if asked not in (None, "asc", "desc"):
        said = f"Invalid value: '{asked[:80]}'. Supported values are: 'asc', and 'desc'."
        raise Refusal(said, "order", "invalid_value")
    return asked != "asc"


def _error(
    status: int, message: str, param: str | None = None, code: str | None = None, kind: str = "invalid_request_error"
) -> _Answer:
    return status, json.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}})
