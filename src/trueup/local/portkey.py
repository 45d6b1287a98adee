"""Portkey's gateway in front of an embedded vendor: what it takes off, puts on, repeats and says by itself.

As the open-source gateway 1.15.2 from npm was seen to behave; with `hosted`, also what Portkey documents of its service
(its names for stored credentials, 412, and the guardrails' 246 and 446). Whatever host a request names, the vendor
behind is the one that is called, by the host's path. Knows no protocol and no socket.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlsplit

from trueup.core.call import Reply
from trueup.core.errors import NotSent, OutcomeUnknown
from trueup.local.answers import envelope, failure, plain, reply
from trueup.local.exchange import Asked, Endpoint
from trueup.local.javascript_json import no_constant, rewritten
from trueup.local.portkey_settings import PREFIX, STORED_KEY, Refused, Settings, read_settings
from trueup.local.vendor import Vendor

MOUNT = "/v1"
HOPS = 5
"""Redirects that are followed for one request."""

WARNED, OVER_BUDGET, DENIED = 246, 412, 446
_DROPPED = ("content-length", "expect", "host", "transfer-encoding")
_SCOPING = ("openai-organization", "openai-project", "openai-beta")
_HOOKS = {"before_request_hooks": [], "after_request_hooks": [{"verdict": False, "id": "embedded"}]}


@dataclass(frozen=True, slots=True)
class Gateway:
    """How the gateway is set up. `verdict`: what a hosted one answers to each write (246, 412 or 446; 0: nothing).

    `key` is what it stores as the vendor's key; `sleep` waits seconds between its repeats.
    """

    hosted: bool = False
    verdict: int = 0
    key: str = STORED_KEY
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Front:
    """The gateway in front of a vendor's door: an `Endpoint` itself."""

    def __init__(self, behind: Endpoint, vendor: Vendor, gateway: Gateway) -> None:
        self._behind = behind
        self._vendor = vendor
        self._gateway = gateway
        self._left: set[asyncio.Task[Reply]] = set()

    async def __call__(self, asked: Asked) -> Reply:
        """The gateway's answer, or the vendor's through it. Raises nothing for a connection that broke behind it."""
        if asked.path == "/" and asked.method == "GET":
            return plain(200, "AI Gateway says hey!")
        if asked.method not in ("GET", "POST", "DELETE") or not asked.path.startswith(f"{MOUNT}/"):
            return reply(404, {"message": "Not Found", "ok": False})
        try:
            onward = _readable(asked)
            settings = read_settings(asked.headers, self._gateway.hosted)
        except Refused as refused:
            return refused.reply
        denied = _denied(self._gateway, asked.method)
        if denied is not None:
            return denied
        return _warned(self._gateway, asked.method, await self._called(settings, onward))

    async def _called(self, settings: Settings, onward: Asked) -> Reply:
        """The first provider's answer, or that of the next ones where the strategy falls back."""
        targets = (settings, *settings.others)
        for index, one in enumerate(targets):
            said, repeats = await self._patiently(one, _upstream(one, onward, self._vendor, self._gateway.key))
            said = _marked(said, one, index, repeats)
            fails = not 200 <= said.status < 300 if settings.next_on is None else said.status in settings.next_on
            if not fails:
                break
        return said

    async def _patiently(self, settings: Settings, onward: Asked) -> tuple[Reply, int]:
        """The answer, and how often it was asked for again: -1 when that was to no avail."""
        for attempt in range(settings.attempts + 1):
            if attempt:
                await self._gateway.sleep(2.0 ** (attempt - 1))
            said, broke = await self._once(settings, onward)
            if not broke and said.status not in settings.retried:
                return said, attempt
        return said, -1 if settings.attempts else 0

    async def _once(self, settings: Settings, onward: Asked) -> tuple[Reply, bool]:
        """One answer in the time that is given, and whether the connection broke instead; the work goes on without."""
        task = asyncio.ensure_future(_followed(self._behind, onward))
        self._left.add(task)
        task.add_done_callback(self._forget)
        try:
            return await asyncio.wait_for(asyncio.shield(task), settings.timeout / 1000 or None), False
        except TimeoutError:
            said = f"Request exceeded the timeout sent in the request: {settings.timeout:g}ms"
            return reply(408, envelope(said, kind="timeout_error")), False
        except OutcomeUnknown:
            return plain(500, "Message: fetch failed Cause: SocketError: other side closed Name: TypeError"), True
        except NotSent:
            said = "Message: fetch failed Cause: Error: connect ECONNREFUSED 127.0.0.1 Name: TypeError"
            return plain(500, said), True

    def _forget(self, done: asyncio.Task[Reply]) -> None:
        """Lets go of a call; how one ended that nobody waits for any more is nobody's concern."""
        self._left.discard(done)
        if not done.cancelled():
            done.exception()


def _readable(asked: Asked) -> Asked:
    """The request with its body read and written again; without a content type the body is lost. Raises `Refused`."""
    kind = asked.headers.get("content-type", "").partition(";")[0]
    if kind and kind != "application/json":
        raise Refused(reply(400, failure("Invalid content type passed")))
    if asked.method != "POST" or not kind:
        return replace(asked, body=b"")
    try:
        value = rewritten(json.loads(asked.body, parse_constant=no_constant))
    except (ValueError, RecursionError) as error:
        raise Refused(reply(500, failure(f"Proxy error: {error}"))) from error
    return replace(asked, body=_written(value))


def _upstream(settings: Settings, asked: Asked, vendor: Vendor, stored_key: str) -> Asked:
    """The request as the provider gets it: its path, its credential, and none of the gateway's own headers.

    What the client itself sent under a provider's own name wins over what the gateway makes of its headers.
    """
    forwarded = {name.strip().lower() for name in asked.headers.get(f"{PREFIX}forward-headers", "").split(",")}
    headers = {
        name: value
        for name, value in asked.headers.items()
        if name not in _DROPPED and (not name.startswith(PREFIX) or name in forwarded)
    }
    for name in _SCOPING:
        if f"{PREFIX}{name}" in asked.headers:
            headers.setdefault(name, asked.headers[f"{PREFIX}{name}"])
    query = dict(asked.query)
    secret = stored_key if settings.stored else settings.api_key
    if secret:
        headers.setdefault("authorization", f"Bearer {secret}")
    azure = settings.provider == "azure-openai" or (settings.stored and vendor.name == "azure-openai")
    if azure:
        headers.setdefault("api-key", headers.get("authorization", "").partition(" ")[2])
    version = asked.headers.get(f"{PREFIX}azure-api-version", "")
    if settings.stored and vendor.versions:
        version = version or vendor.versions[-1]
    if version and (azure or settings.stored):
        query["api-version"] = version
    own = vendor.mount if settings.stored else "/openai" if azure else "/v1"
    base = urlsplit(settings.custom_host).path if settings.custom_host else own
    body = asked.body
    if settings.overrides and body:
        sent = json.loads(body)
        body = _written({**sent, **rewritten(dict(settings.overrides))}) if isinstance(sent, dict) else body
    return Asked(asked.method, base + asked.path.removeprefix(MOUNT), query, headers, body)


async def _followed(behind: Endpoint, asked: Asked) -> Reply:
    """The provider's answer, wherever it is redirected to; a POST becomes a GET on the way, as browsers do it."""
    for _ in range(HOPS):
        said = await behind(asked)
        place = said.headers.get("location", "")
        if said.status not in (301, 302, 303, 307, 308) or not place:
            return said
        parts = urlsplit(place)
        kept = said.status in (307, 308)
        method = asked.method if kept or asked.method != "POST" else "GET"
        asked = replace(
            asked, method=method, path=parts.path, query=dict(parse_qsl(parts.query)), body=asked.body if kept else b""
        )
    return plain(500, "Message: fetch failed Cause: Error: redirect count exceeded Name: TypeError")


def _marked(said: Reply, settings: Settings, index: int, repeats: int) -> Reply:
    """The answer with what the gateway adds to its headers."""
    marks = {
        f"{PREFIX}cache-status": "DISABLED",
        f"{PREFIX}last-used-option-index": f"config.targets[{index}]" if settings.others or index else "config",
        f"{PREFIX}provider": settings.provider,
        f"{PREFIX}retry-attempt-count": str(repeats),
        f"{PREFIX}trace-id": f"trace-{said.headers.get('x-request-id', 'none')}",
    }
    return replace(said, headers={**said.headers, **marks})


def _denied(gateway: Gateway, method: str) -> Reply | None:
    """The answer of a hosted gateway that does not call the provider at all."""
    if method == "GET" or gateway.verdict not in (OVER_BUDGET, DENIED):
        return None
    if gateway.verdict == OVER_BUDGET:
        return reply(OVER_BUDGET, failure("The budget of this key is used up."))
    said = "The guardrail checks of the config failed; see `hook_results`."
    return reply(DENIED, {**envelope(said, kind="hooks_failed"), "hook_results": _HOOKS})


def _warned(gateway: Gateway, method: str, said: Reply) -> Reply:
    """A success under a guardrail's warning: the provider's body with the guardrail's words, and 246 for a status."""
    body = said.json
    if gateway.verdict != WARNED or method == "GET" or said.status != 200 or not isinstance(body, Mapping):
        return said
    return replace(reply(WARNED, {**body, "hook_results": _HOOKS}), headers=said.headers)


def _written(value: object) -> bytes:
    """JSON as JavaScript writes it: no spaces, and letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
