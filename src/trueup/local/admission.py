"""The vendor's door: path, key, version and body of an HTTP request, before a server looks at it.

Knows headers and a `Vendor`; deliberately no protocol, and no socket.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

from trueup.core.call import Call, Reply, Send
from trueup.local.answers import envelope, reply
from trueup.local.exchange import Asked, Endpoint
from trueup.local.javascript_json import no_constant
from trueup.local.server import EmbeddedServer
from trueup.local.vendor import Said, Vendor


class _NotAdmitted(Exception):
    """A request that goes no further, with its answer."""

    def __init__(self, said: Said) -> None:
        super().__init__(said[0])
        self.said = said


def entrance(server: EmbeddedServer, key: str = "", wrap: Callable[[Send], Send] = lambda send: send) -> Endpoint:
    """The server behind its vendor's door; any key is let in unless `key` pins one.

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
    """The vendor's 404 for a path outside its API: not the one that means a missing object."""
    lost = vendor.door.lost
    return reply(404, envelope(f"Invalid URL ({asked.method} {asked.path})") if lost is None else dict(lost))


def _unlock(vendor: Vendor, headers: Mapping[str, str], key: str) -> None:
    """Takes any key of a kind that the vendor takes. Raises `_NotAdmitted` for none, or none that is right."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    shown = {"bearer": token.strip() if scheme.lower() == "bearer" else "", "api-key": headers.get("api-key", "")}
    keys = [shown[kind] for kind in vendor.credentials if shown[kind]]
    if not keys:
        raise _NotAdmitted(vendor.door.no_key)
    if key and not any(hmac.compare_digest(one.encode(), key.encode()) for one in keys):
        raise _NotAdmitted(vendor.door.wrong_key)


def _view(vendor: Vendor, asked: Asked) -> str:
    """The dialect in which this request is answered. Raises `_NotAdmitted` for a version that will not do."""
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
    """The request's JSON, None for an empty body or a method whose body does not count. Raises `_NotAdmitted`."""
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
