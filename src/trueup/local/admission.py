"""The door of an embedded vendor: an HTTP request as plain values, who is let in, and pages in a browser turned away.

Path, key, version and body are checked before a server looks at a request. Knows headers and a `Vendor`, no protocol
and no socket.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from trueup.core.call import Call, Reply, Send
from trueup.core.projects.endpoint import is_loopback
from trueup.local.server import EmbeddedServer
from trueup.local.vendor import Said, Vendor, envelope, reply


@dataclass(frozen=True, slots=True)
class Asked:
    """What arrived: `path` is decoded and begins with `/`, header names are in lower case, `body` are its bytes."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


Endpoint = Callable[[Asked], Coroutine[Any, Any, Reply]]
"""Answers one request. Raises `NotSent` or `OutcomeUnknown` where the connection is to break."""


def no_constant(word: str) -> Any:
    """Raise ValueError for what Python's reader takes and JavaScript's does not: NaN and Infinity."""
    raise ValueError(f"{word} is no JSON")


class _NotAdmitted(Exception):
    """A request that goes no further, with its answer."""

    def __init__(self, said: Said) -> None:
        super().__init__(said[0])
        self.said = said


def entrance(server: EmbeddedServer, key: str = "", wrap: Callable[[Send], Send] = lambda send: send) -> Endpoint:
    """Return the server behind its vendor's door; any key is let in unless `key` pins one.

    `wrap` goes around each of the server's views, for what is to go wrong behind the door.
    """
    vendor = server.vendor
    views = {name: wrap(server.seen_as(name).send) for name in {vendor.name, *vendor.betas.values()}}

    async def enter(asked: Asked) -> Reply:
        if not asked.path.startswith(f"{vendor.mount}/"):
            return _nowhere(vendor, asked)
        try:
            _unlock(vendor, asked.headers, key)
            view = _view(vendor, asked)
            body = _json(asked)
        except _NotAdmitted as refused:
            status, said = refused.said
            return reply(status, dict(said), {"www-authenticate": "Bearer"} if status == 401 else None)
        path = asked.path.removeprefix(vendor.mount)
        return await views[view](Call(asked.method, path, dict(asked.query), body))

    return enter


def _nowhere(vendor: Vendor, asked: Asked) -> Reply:
    """Return the vendor's 404 for a path outside its API: not the one that means a missing object."""
    lost = vendor.door.lost
    return reply(404, envelope(f"Invalid URL ({asked.method} {asked.path})") if lost is None else dict(lost))


def _unlock(vendor: Vendor, headers: Mapping[str, str], key: str) -> None:
    """Take any key of a kind that the vendor takes. Raises `_NotAdmitted` for none, or none that is right."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    shown = {"bearer": token.strip() if scheme.lower() == "bearer" else "", "api-key": headers.get("api-key", "")}
    keys = [shown[kind] for kind in vendor.credentials if shown[kind]]
    if not keys:
        raise _NotAdmitted(vendor.door.no_key)
    if key and not any(hmac.compare_digest(one.encode(), key.encode()) for one in keys):
        raise _NotAdmitted(vendor.door.wrong_key)


def _view(vendor: Vendor, asked: Asked) -> str:
    """Return the dialect in which this request is answered. Raises `_NotAdmitted` for a version that will not do."""
    if vendor.versions:
        version = asked.query.get("api-version", "")
        if not vendor.takes_version(version):
            raise _NotAdmitted(vendor.door.unknown_version if version else vendor.door.no_version)
        return vendor.name
    sent = [version.strip() for version in asked.headers.get("openai-beta", "").split(",")]
    known = [vendor.betas[version] for version in sent if version in vendor.betas]
    if not known:
        raise _NotAdmitted(vendor.door.no_version if vendor.retired.isdisjoint(sent) else vendor.door.unknown_version)
    return known[0]


def _json(asked: Asked) -> Any:
    """Return the request's JSON, None for an empty body or a method whose body does not count.

    Raises `_NotAdmitted`.
    """
    if asked.method != "POST" or not asked.body:
        return None
    kind = asked.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        said = f"Unsupported content type: '{kind}'. This API takes 'application/json'."
        raise _NotAdmitted((400, envelope(said, code="unsupported_content_type")))
    try:
        return json.loads(asked.body, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise _NotAdmitted((400, envelope(f"The body could not be read as JSON: {error}."))) from error


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
