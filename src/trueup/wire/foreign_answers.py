"""Answers that no API gives: a proxy's page, a login, a redirect, silence. Tells what they look like in few words.

Knows HTML only by its title, and deliberately no vendor.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from trueup.core.call import LIMIT, Body, Reply

SHOWN = 200
"""Characters of a foreign text that a message shows."""

TOO_LARGE = f"the answer is larger than the {LIMIT >> 20} MiB that Trueup reads"

_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_PAGE = re.compile(r"\s*(<!doctype|<html|<head|<body)", re.IGNORECASE)


def is_success(reply: Reply) -> bool:
    """Whether this is the answer that was asked for: 200, or a gateway's 246, one with a guardrail's remarks."""
    return reply.status in (200, 246)


def told(reply: Reply) -> str:
    """Return what an answer without JSON is, with its status; of a redirect the server that it leads to, no path."""
    if reply.json is Body.TOO_LARGE:
        return f"HTTP {reply.status}, and {TOO_LARGE}"
    place = reply.headers.get("location", "")
    if 300 <= reply.status < 400 and place:
        return f"HTTP {reply.status}, a redirect to {_server(place)} that was not followed"
    if is_page(reply):
        return f"HTTP {reply.status} with {page(reply)} in place of JSON"
    said = first_line(reply.text)
    return f"HTTP {reply.status}, and the body is no JSON: {said}" if said else f"HTTP {reply.status} without a body"


def _server(place: str) -> str:
    """Return scheme and host of an address: a path may hold what was sent, in pieces that nobody can recognise."""
    try:
        parts = urlsplit(place)
        return f"{parts.scheme}://{parts.hostname}"[:SHOWN] if parts.hostname else "another path of this server"
    except ValueError:
        return "an invalid address"


def is_page(reply: Reply) -> bool:
    """Whether the answer is a web page, which no API gives."""
    return reply.json is Body.NOT_JSON and _PAGE.match(reply.text) is not None


def page(reply: Reply) -> str:
    """A web page, by its title."""
    import html

    title = _TITLE.search(reply.text)
    words = " ".join(html.unescape(title[1]).split())[:SHOWN] if title else ""
    return f"a web page ({words!r})" if words else "a web page"


def first_line(text: str) -> str:
    """The beginning of the first line, where there is one."""
    lines = text.strip().splitlines()
    return lines[0][:SHOWN] if lines else ""
