"""What protocols that answer in OpenAI's way have in common: one object, a page of a list, a deletion, an error.

Knows no protocol: which objects and which fields there are is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from trueup.core.call import Body, Call, Reply
from trueup.core.memory.state import is_plain_id
from trueup.core.source import Path
from trueup.wire import portkey
from trueup.wire.base import Live, Page, Problem, UnclearAbsence, Unexpected
from trueup.wire.error_paths import first, listed, path_in, path_of, steps
from trueup.wire.foreign_answers import TOO_LARGE, first_line, is_page, is_success, page, told

REFUSED = frozenset({400, 413, 422})
"""Statuses that speak of the request's body."""


def path_of_id(root: str, live_id: str, noun: str) -> str:
    """Return the path of one object below `root`; `noun` has its article.

    Raises ValueError for an id that could lead out of it.
    """
    if not is_plain_id(live_id):
        raise ValueError(f"{live_id[:60]!r} cannot be {noun}'s id")
    return f"{root}/{quote(live_id, safe='')}"


def read_id(entry: Mapping[str, Any], noun: str) -> str:
    """Return the id of an object. Raises `Unexpected`."""
    live_id = entry.get("id")
    if not isinstance(live_id, str) or not live_id:
        raise Unexpected(f"the answer is {noun} without an id")
    if not is_plain_id(live_id):
        raise Unexpected(f"the answer holds {live_id[:60]!r}, which cannot be {noun}'s id")
    return live_id


def read_time(value: Any) -> int:
    """Return a time in Unix seconds, given so or in ISO 8601, in UTC where it names no zone; 0 for anything else."""
    if type(value) is int:
        return value
    if not isinstance(value, str):
        return 0
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return 0
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def get_object(
    call: Call, live_id: str, read: Callable[[Reply], Live], problem_of: Callable[[Reply], Problem]
) -> Generator[Call, Reply, Live | None]:
    """Read one object; None is its own 404. Raises `Unexpected` for anything else that is not the object."""
    reply = yield call
    if is_success(reply):
        live = read(reply)
        if live.id != live_id:
            raise Unexpected(f"asked for {live_id}, got {live.id}")
        return live
    problem = problem_of(reply)
    if problem.is_own_404(live_id):
        return None
    asked = f"asked for {live_id}, got " if problem.is_of_another(live_id) else ""
    raise (UnclearAbsence if reply.status == 404 else Unexpected)(asked + problem.message)


def read_object(reply: Reply, noun: str, read: Callable[[Any], Live]) -> Live:
    """Return the object in a successful answer; `noun` has its article. Raises `Unexpected`."""
    if is_page(reply):
        raise Unexpected(f"the answer is {page(reply)}, not {noun}")
    if reply.json is Body.TOO_LARGE:
        raise Unexpected(TOO_LARGE)
    return read(reply.json)


def read_page_of_ids(reply: Reply, read: Callable[[Any], Live], problem_of: Callable[[Reply], Problem]) -> Page:
    """Return a page of a listing by ids; the cursor is the last item's id, whatever `last_id` says.

    A `has_more` that is neither true nor false, null or missing is a doubt about the page. Raises `Unexpected`.
    """
    body = reply.json
    if not is_success(reply) or not isinstance(body, Mapping) or not isinstance(body.get("data"), list):
        raise Unexpected(problem_of(reply).message)
    items = tuple(read(entry) for entry in body["data"])
    said = body.get("has_more")
    doubt = "" if said is None or isinstance(said, bool) else "has a `has_more` that is neither true nor false"
    return Page(items, bool(said or doubt), items[-1].id if items else None, doubt)


def is_deleted(reply: Reply, live_id: str) -> bool:
    """Return whether the answer says that this id was deleted."""
    body = reply.json
    return is_success(reply) and isinstance(body, Mapping) and body.get("deleted") is True and body.get("id") == live_id


def explain_not_deleted(reply: Reply, live_id: str, noun: str) -> str:
    """Return what a success says instead of that this id was deleted; `noun` goes behind "another"."""
    body = reply.json if isinstance(reply.json, Mapping) else {}
    if is_page(reply):
        return f"the answer is {page(reply)}, and does not say that it was deleted"
    if reply.json is Body.TOO_LARGE:
        return TOO_LARGE
    if isinstance(body.get("id"), str) and body["id"] != live_id:
        return f"the answer speaks of another {noun} ({body['id'][:60]})"
    said = body.get("deleted") is False
    return "the target says that it was not deleted" if said else "the answer does not say that it was deleted"


def read_problem(reply: Reply, fields: Collection[str]) -> Problem:
    """Return what an unsuccessful answer says, but for whether an object is absent: each protocol has its own words.

    `fields` are the top-level fields that a path in the request begins with.
    """
    if isinstance(reply.json, Body):
        return Problem(told(reply))
    body = reply.json if isinstance(reply.json, Mapping) else {}
    said, path = read_message(body)
    error = error_in(body)
    param, code = error.get("param"), error.get("code")
    text = said + portkey.reasons(body) or (code if isinstance(code, str) else "") or first_line(reply.text)
    given = path_of(param) if isinstance(param, str) else ()
    return Problem(
        message=f"HTTP {reply.status}: {text}" if text else f"HTTP {reply.status}",
        path=first((given, path, listed(body), path_in(text, fields)), fields),
        code=code if isinstance(code, str) else "",
        refused=reply.status in REFUSED,
    )


def error_in(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the error that a body holds, or the body where it is the error."""
    error = body.get("error")
    return error if isinstance(error, Mapping) else body


def read_message(body: Mapping[str, Any]) -> tuple[str, Path]:
    """Return an error's own message, and the path of the first problem that FastAPI lists."""
    message = error_in(body).get("message")
    return (message, ()) if isinstance(message, str) else _read_detail(body.get("detail"))


def _read_detail(detail: Any) -> tuple[str, Path]:
    """Return the text of an error as FastAPI servers give it, and the path into the request's body."""
    if isinstance(detail, str):
        return detail, ()
    entries = [entry for entry in detail if isinstance(entry, Mapping)] if isinstance(detail, list) else []
    found = [(steps(entry.get("loc")), entry["msg"]) for entry in entries if isinstance(entry.get("msg"), str)]
    text = "; ".join(f"{'.'.join(map(str, path))}: {words}" if path else words for path, words in found)
    return text, found[0][0] if found else ()
