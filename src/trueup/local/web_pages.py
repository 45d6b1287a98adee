"""Requests that a web page in somebody's browser makes, and how they are refused. Knows no vendor and no socket.

A page can reach a server on loopback: by its address from another origin, or under a name of its own that DNS points to
127.0.0.1 (rebinding). Headers that a page cannot forge give both away: `Host`, `Origin` and `Sec-Fetch-Site`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from trueup.core.call import Reply
from trueup.core.projects.endpoint import is_loopback
from trueup.local.answers import envelope, reply


def refuse_web_page(headers: Mapping[str, str], hosts: Collection[str]) -> Reply | None:
    """Return the 403 for a request of a web page, None for any other.

    `hosts` are the names beside localhost that may be asked for; an address in numbers always may, since no DNS leads
    to it. Header names are in lower case.
    """
    host = _host(f"//{headers.get('host', '')}")
    if not (is_loopback(host) or _is_address(host) or host in {name.lower() for name in hosts}):
        return _forbidden("The Host header names a server that this is not; `--allow-host` allows a name.")
    origin, own = headers.get("origin"), _site(f"http://{headers.get('host', '')}")
    if origin is not None and (own is None or _site(origin) != own):
        return _forbidden("Requests from web pages are refused.")
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return _forbidden("Requests from web pages are refused.")
    return None


def _forbidden(message: str) -> Reply:
    return reply(403, envelope(message, code="forbidden"))


def _site(origin: str) -> tuple[str, str, int | None] | None:
    """Return scheme, host and port of an origin, None for one that has none of them."""
    try:
        parts = urlsplit(origin)
        return (parts.scheme, parts.hostname, parts.port or 80) if parts.hostname else None
    except ValueError:
        return None


def _host(place: str) -> str:
    try:
        return urlsplit(place).hostname or ""
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
