"""Reads answers: what APIs that answer in OpenAI's way have in common, where an error points, and answers of no API.

Objects, pages, deletions and errors; a proxy's page, a login, a redirect, silence. An error's place in the request is
found in the spellings that were seen: `tools[2].function.name` (OpenAI, Azure, Portkey), `["body", "tools", 2, "name"]`
(FastAPI's `loc`, Prism's `location`), `/tools/2` and `$.tools[2]` (JSON pointers and paths), and a path inside of a
message. Knows no protocol: which objects and fields there are is handed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from trueup.core.call import LIMIT, Body, Call, Reply
from trueup.core.memory.state import is_plain_id
from trueup.core.source import Path
from trueup.wire import portkey
from trueup.wire.base import Live, Page, Problem, UnclearAbsence, Unexpected

SHOWN = 200
"""Characters of a foreign text that a message shows."""

TOO_LARGE = f"the response is larger than {LIMIT >> 20} MiB, the most that Trueup reads"

_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_PAGE = re.compile(r"\s*(<!doctype|<html|<head|<body)", re.IGNORECASE)


def is_success(reply: Reply) -> bool:
    """Return whether this is the answer that was asked for: 200, or a gateway's 246, one with a guardrail's remarks."""
    return reply.status in (200, 246)


def describe_foreign_answer(reply: Reply) -> str:
    """Return what an answer without JSON is, with its status; of a redirect the server that it leads to, no path."""
    if reply.json is Body.TOO_LARGE:
        return f"HTTP {reply.status}, and {TOO_LARGE}"
    place = reply.headers.get("location", "")
    if 300 <= reply.status < 400 and place:
        return f"HTTP {reply.status}, a redirect to {_server(place)} that was not followed"
    if is_page(reply):
        return f"HTTP {reply.status} with {page(reply)} instead of JSON"
    said = first_line(reply.text)
    return f"HTTP {reply.status}, and the body is not JSON: {said}" if said else f"HTTP {reply.status} without a body"


def _server(place: str) -> str:
    """Return scheme and host of an address: a path may hold what was sent, in pieces that nobody can recognise."""
    try:
        parts = urlsplit(place)
        return f"{parts.scheme}://{parts.hostname}"[:SHOWN] if parts.hostname else "another path of this server"
    except ValueError:
        return "an invalid address"


def is_page(reply: Reply) -> bool:
    """Return whether the answer is a web page, which no API gives."""
    return reply.json is Body.NOT_JSON and _PAGE.match(reply.text) is not None


def page(reply: Reply) -> str:
    """Return a web page, by its title."""
    import html

    title = _TITLE.search(reply.text)
    words = " ".join(html.unescape(title[1]).split())[:SHOWN] if title else ""
    return f"a web page ({words!r})" if words else "a web page"


def first_line(text: str) -> str:
    """Return the beginning of the first line, where there is one."""
    lines = text.strip().splitlines()
    return lines[0][:SHOWN] if lines else ""


LONGEST = 2_000
"""Characters of a message that are searched."""

MOST = 64
"""Steps that a path may have."""

_STEPS = re.compile(r"[^][.'\"/]+")
_NESTED = re.compile(r"""["']param["']\s*:\s*["']([^"']+)["']""")
_QUOTED = re.compile(r"""['"`]([A-Za-z_$/][^'"`\s]{0,200})['"`]""")
_BARE = re.compile(r"(?<![\w.\[/-])([a-z_]+(?:\.[A-Za-z0-9_-]+|\[\d+\])+)")
_LISTS = ("detail", "validation", "errors")
_PLACES = ("loc", "location", "param", "path", "field", "pointer")


def path_of(param: str) -> Path:
    """`tools[2].function.name`, `/tools/2/function/name` or `$.tools[2]` as a path."""
    steps = _STEPS.findall(param.removeprefix("$"))[:MOST]
    return _inside([int(step) if step.isascii() and step.isdigit() and len(step) < 10 else step for step in steps])


def path_in(message: str, fields: Collection[str]) -> Path:
    """Return the first path that a message names and that begins with one of the fields; empty where there is none."""
    text = message[:LONGEST]
    for pattern in (_NESTED, _QUOTED, _BARE):
        for found in pattern.finditer(text):
            path = path_of(found[1])
            if path and path[0] in fields:
                return path
    return ()


def first(paths: Iterable[Path], fields: Collection[str]) -> Path:
    """Return the first path that begins with one of the fields, else the first: a gateway may fill in a word."""
    found = [path for path in paths if path]
    return next((path for path in found if path[0] in fields), found[0] if found else ())


def find_listed_path(body: Mapping[str, Any]) -> Path:
    """Return the path of the first of several problems that an error lists and that is in the body of the request."""
    lists = [body[key] for key in _LISTS if isinstance(body.get(key), list)]
    entries = [entry for found in lists for entry in found if isinstance(entry, Mapping)]
    paths = (_path_at(entry.get(place), place) for entry in entries for place in _PLACES)
    return next(filter(None, paths), ())


def steps(location: Any) -> Path:
    """`["body", "tools", 0]` as a path; what is not in the body has none."""
    if not isinstance(location, list) or location[:1] != ["body"]:
        return ()
    found = [step for step in location[1 : MOST + 1] if isinstance(step, str) or type(step) is int]
    return tuple(int(step) if isinstance(step, str) and step.isascii() and step.isdigit() else step for step in found)


def _path_at(value: Any, place: str) -> Path:
    if place in ("loc", "location"):
        return steps(value)
    return path_of(value) if isinstance(value, str) else ()


def _inside(found: list[str | int]) -> Path:
    """Return the steps below the body, which some spell out."""
    return tuple(found[1:] if found[:1] == ["body"] else found)


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
        raise Unexpected(f"the response is {noun} without an id")
    if not is_plain_id(live_id):
        raise Unexpected(f"the response has {live_id[:60]!r}, which cannot be {noun}'s id")
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
        raise Unexpected(f"the response is {page(reply)}, not {noun}")
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
        return f"the response is {page(reply)}, and does not confirm the delete"
    if reply.json is Body.TOO_LARGE:
        return TOO_LARGE
    if isinstance(body.get("id"), str) and body["id"] != live_id:
        return f"the response is about another {noun} ({body['id'][:60]})"
    said = body.get("deleted") is False
    return "the target reports that it was not deleted" if said else "the response does not confirm the delete"


def read_problem(reply: Reply, fields: Collection[str]) -> Problem:
    """Return what an unsuccessful answer says, but for whether an object is absent: each protocol has its own words.

    `fields` are the top-level fields that a path in the request begins with.
    """
    if isinstance(reply.json, Body):
        return Problem(describe_foreign_answer(reply))
    body = reply.json if isinstance(reply.json, Mapping) else {}
    said, path = read_message(body)
    error = error_in(body)
    param, code = error.get("param"), error.get("code")
    text = said + portkey.reasons(body) or (code if isinstance(code, str) else "") or first_line(reply.text)
    given = path_of(param) if isinstance(param, str) else ()
    return Problem(
        message=f"HTTP {reply.status}: {text}" if text else f"HTTP {reply.status}",
        path=first((given, path, find_listed_path(body), path_in(text, fields)), fields),
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
