"""Portkey's gateway in front of an embedded vendor, as `trueup serve --gateway portkey` offers it.

What it is asked in headers (whom to call, with which key, how often), what it takes off, puts on, repeats and says by
itself, and JSON as it comes out of JavaScript. As the open-source gateway 1.15.2 from npm was seen to behave; with
`hosted`, also what Portkey documents of its service (its names for stored credentials, 412, and the guardrails' 246 and
446). Whatever host a request names, the vendor behind is the one that is called, by the host's path. Knows no protocol
and no socket.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from trueup.core.call import Reply
from trueup.core.errors import NotSent, OutcomeUnknown
from trueup.local.admission import Asked, Endpoint, no_constant
from trueup.local.vendor import Vendor, envelope, failure, plain, reply

INDEX_LIMIT = 2**32 - 1
WHOLE_LIMIT = 1e21
"""From here on JavaScript writes a whole number with an exponent."""


def rewrite_json(value: Any) -> Any:
    """Return the value after JavaScript read and wrote it."""
    if isinstance(value, dict):
        indexes = sorted((name for name in value if _is_index(name)), key=int)
        names = [*indexes, *(name for name in value if not _is_index(name))]
        return {name: rewrite_json(value[name]) for name in names}
    if isinstance(value, list):
        return [rewrite_json(entry) for entry in value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return _number(value)


def _number(value: float) -> Any:
    try:
        double = float(value)
    except OverflowError:
        return None
    if not math.isfinite(double):
        return None
    if double == int(double) and abs(double) < WHOLE_LIMIT:
        return int(Decimal(repr(double)))
    return double


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and str(int(name[:11])) == name and int(name) < INDEX_LIMIT


PREFIX = "x-portkey-"
PROVIDERS = ("openai", "azure-openai", "azure-ai")
"""Those that can speak this protocol; the real one knows many more that cannot."""

RETRIED = (429, 500, 502, 503, 504)
MOST_ATTEMPTS = 5
LONGEST = 1e12
"""Milliseconds beyond which a timeout is none that a clock can keep."""

TRUSTED = ("localhost", "127.0.0.1")
PRIVATE_ENDINGS = (
    ".local", ".localdomain", ".internal", ".intranet", ".lan", ".home", ".corp", ".test", ".invalid", ".localhost",
)  # fmt: skip
STORED_KEY = "the-gateways-own"
"""The provider's key that the hosted gateway sends when one of its own names stands for it."""


class Refused(Exception):
    """Headers that the gateway does not take, with its answer."""

    def __init__(self, said: Reply) -> None:
        super().__init__(said.status)
        self.reply = said


@dataclass(frozen=True, slots=True)
class Settings:
    """Whom to call and how: `custom_host` empty for the provider's own address, `timeout` in milliseconds, 0: none.

    `stored`: the hosted gateway knows the provider and its key by itself. `next_on` are the statuses on which the next
    of `others` is called; None: on all but success.
    """

    provider: str = ""
    api_key: str = ""
    custom_host: str = ""
    timeout: float = 0
    attempts: int = 0
    retried: tuple[int, ...] = RETRIED
    overrides: Mapping[str, Any] = field(default_factory=dict)
    stored: bool = False
    others: tuple[Settings, ...] = ()
    next_on: tuple[int, ...] | None = ()


def read_settings(headers: Mapping[str, str], hosted: bool) -> Settings:
    """Return the settings that the headers ask for. Raises `Refused`."""
    own = {name.removeprefix(PREFIX): value for name, value in headers.items() if name.startswith(PREFIX)}
    if hosted and not own.get("api-key"):
        raise _make_refusal("Portkey's API key is missing: send it as x-portkey-api-key.", 401)
    if hosted and (own.get("virtual-key") or own.get("provider", "").startswith("@")):
        return replace(_by_header(own, ""), stored=True)
    provider, config = own.get("provider", ""), own.get("config", "")
    if not provider and not config:
        raise _make_refusal("Either x-portkey-config or x-portkey-provider header is required")
    if provider and provider not in PROVIDERS:
        raise _make_refusal("Invalid provider passed")
    if not is_allowed_host(own.get("custom-host", "")):
        raise _make_refusal("Invalid custom host")
    if not config:
        return _by_header(own, provider)
    if hosted and config.startswith("pc-"):
        return replace(_by_header(own, ""), stored=True)
    return _by_config(config, own, hosted)


def _by_header(own: Mapping[str, str], provider: str) -> Settings:
    asked = own.get("request-timeout", "")
    timeout = float(asked) if asked.isascii() and asked.isdigit() else 0
    return Settings(provider, custom_host=own.get("custom-host", ""), timeout=timeout)


def _by_config(text: str, own: Mapping[str, str], hosted: bool) -> Settings:
    """Return settings from an inline configuration; single headers fill in what it lacks."""
    try:
        config = json.loads(text, parse_constant=no_constant)
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise _make_refusal("Invalid config passed. You need to pass a valid json")
    stored = hosted and bool(config.get("virtual_key"))
    if not (own.get("provider") or config.get("provider") or config.get("targets") or stored):
        raise _make_refusal(
            "Either x-portkey-provider needs to be passed. Or the x-portkey-config header should have a valid config "
            "with provider details in it."
        )
    errors = _config_errors(config, stored)
    if errors:
        raise Refused(reply(400, failure("Invalid config passed", errors=errors)))
    settings = _of_config(config, _by_header(own, own.get("provider", "")), stored)
    targets = config.get("targets") or []
    if not targets:
        return settings
    strategy = config.get("strategy", {})
    first, *others = (_of_config(target, settings, stored) for target in targets)
    if strategy.get("mode") != "fallback":
        return first
    statuses = strategy.get("on_status_codes")
    return replace(first, others=tuple(others), next_on=None if statuses is None else tuple(statuses))


def _of_config(config: Mapping[str, Any], under: Settings, stored: bool) -> Settings:
    """One configuration, or one of its targets, over what holds for all."""
    retry = config.get("retry") or {}
    return Settings(
        provider=config.get("provider", under.provider),
        api_key=config.get("api_key", under.api_key),
        custom_host=config.get("custom_host", under.custom_host),
        timeout=config.get("request_timeout", under.timeout),
        attempts=max(0, min(retry.get("attempts", under.attempts), MOST_ATTEMPTS)),
        retried=tuple(retry.get("on_status_codes") or under.retried),
        overrides={**under.overrides, **config.get("override_params", {})},
        stored=stored,
    )


def _config_errors(config: Mapping[str, Any], stored: bool) -> list[str]:
    """Return what is wrong with a configuration, as the gateway lists it."""
    wanted: dict[str, type | tuple[type, ...]] = {
        "provider": str, "api_key": str, "custom_host": str, "request_timeout": (int, float), "retry": dict,
        "targets": list, "strategy": dict, "override_params": dict, "cache": dict,
    }  # fmt: skip
    errors = [
        f"path: {name}, message: wrong type"
        for name, kind in wanted.items()
        if name in config and (not isinstance(config[name], kind) or isinstance(config[name], bool))
    ]
    if errors:
        return errors
    retry, strategy = config.get("retry", {"attempts": 0}), config.get("strategy", {})
    if type(retry.get("attempts")) is not int:
        errors.append("path: retry.attempts, message: Required")
    if any(not isinstance(part.get("on_status_codes", []), list) for part in (retry, strategy)):
        errors.append("path: on_status_codes, message: Expected array")
    if not -LONGEST < config.get("request_timeout", 0) < LONGEST:
        errors.append("path: request_timeout, message: Expected number")
    if "provider" in config and config["provider"] not in PROVIDERS:
        errors.append(f"path: provider, message: Must be one of: {', '.join(PROVIDERS)}")
    if not is_allowed_host(config.get("custom_host", "")):
        errors.append("path: custom_host, message: Invalid custom host")
    pairs = (("provider", "api_key"), ("strategy", "targets"))
    enough = stored or any(config.get(name) for name in ("cache", "retry", "request_timeout"))
    if not (enough or any(one in config and other in config for one, other in pairs)):
        errors.append("path: , message: it must have 'provider' and 'api_key', or 'strategy' and 'targets', or 'retry'")
    for target in config.get("targets", []):
        errors += _config_errors(target, stored) if isinstance(target, dict) else ["path: targets, message: wrong type"]
    return errors


def is_allowed_host(url: str) -> bool:
    """Return whether the gateway calls this address: none that is private, but for this machine's own.

    Empty is none.
    """
    if not url:
        return True
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or parts.username or parts.password or ":" in host:
            return False
    except ValueError:
        return False
    if host in TRUSTED:
        return True
    if not host or host.endswith(PRIVATE_ENDINGS) or host.startswith("api.portkey"):
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host


def _make_refusal(message: str, status: int = 400) -> Refused:
    return Refused(reply(status, failure(message)))


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
        """Return the gateway's answer, or the vendor's through it.

        Raises nothing for a connection that broke behind it.
        """
        if asked.path == "/" and asked.method == "GET":
            return plain(200, "AI Gateway says hey!")
        if asked.method not in ("GET", "POST", "DELETE") or not asked.path.startswith(f"{MOUNT}/"):
            return reply(404, {"message": "Not Found", "ok": False})
        try:
            onward = _readable(asked)
            settings = read_settings(asked.headers, self._gateway.hosted)
        except Refused as refused:
            return refused.reply
        denied = _make_denial(self._gateway, asked.method)
        if denied is not None:
            return denied
        return _add_warning(self._gateway, asked.method, await self._call_provider(settings, onward))

    async def _call_provider(self, settings: Settings, onward: Asked) -> Reply:
        """Return the first provider's answer, or that of the next ones where the strategy falls back."""
        targets = (settings, *settings.others)
        for index, one in enumerate(targets):
            said, repeats = await self._patiently(one, _upstream(one, onward, self._vendor, self._gateway.key))
            said = _add_headers(said, one, index, repeats)
            fails = not 200 <= said.status < 300 if settings.next_on is None else said.status in settings.next_on
            if not fails:
                break
        return said

    async def _patiently(self, settings: Settings, onward: Asked) -> tuple[Reply, int]:
        """Return the answer, and how often it was asked for again: -1 when that was to no avail."""
        for attempt in range(settings.attempts + 1):
            if attempt:
                await self._gateway.sleep(2.0 ** (attempt - 1))
            said, broke = await self._once(settings, onward)
            if not broke and said.status not in settings.retried:
                return said, attempt
        return said, -1 if settings.attempts else 0

    async def _once(self, settings: Settings, onward: Asked) -> tuple[Reply, bool]:
        """One answer in the time that is given, and whether the connection broke instead; the work goes on without."""
        task = asyncio.ensure_future(_follow_redirects(self._behind, onward))
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
    """Return the request with its body read and written again; without a content type the body is lost.

    Raises `Refused`.
    """
    kind = asked.headers.get("content-type", "").partition(";")[0]
    if kind and kind != "application/json":
        raise Refused(reply(400, failure("Invalid content type passed")))
    if asked.method != "POST" or not kind:
        return replace(asked, body=b"")
    try:
        value = rewrite_json(json.loads(asked.body, parse_constant=no_constant))
    except (ValueError, RecursionError) as error:
        raise Refused(reply(500, failure(f"Proxy error: {error}"))) from error
    return replace(asked, body=_rewrite(value))


def _upstream(settings: Settings, asked: Asked, vendor: Vendor, stored_key: str) -> Asked:
    """Return the request as the provider gets it: its path, its credential, and none of the gateway's own headers.

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
        body = _rewrite({**sent, **rewrite_json(dict(settings.overrides))}) if isinstance(sent, dict) else body
    return Asked(asked.method, base + asked.path.removeprefix(MOUNT), query, headers, body)


async def _follow_redirects(behind: Endpoint, asked: Asked) -> Reply:
    """Return the provider's answer, wherever it is redirected to.

    A POST becomes a GET on the way, as browsers do it.
    """
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


def _add_headers(said: Reply, settings: Settings, index: int, repeats: int) -> Reply:
    """Return the answer with what the gateway adds to its headers."""
    marks = {
        f"{PREFIX}cache-status": "DISABLED",
        f"{PREFIX}last-used-option-index": f"config.targets[{index}]" if settings.others or index else "config",
        f"{PREFIX}provider": settings.provider,
        f"{PREFIX}retry-attempt-count": str(repeats),
        f"{PREFIX}trace-id": f"trace-{said.headers.get('x-request-id', 'none')}",
    }
    return replace(said, headers={**said.headers, **marks})


def _make_denial(gateway: Gateway, method: str) -> Reply | None:
    """Return the answer of a hosted gateway that does not call the provider at all."""
    if method == "GET" or gateway.verdict not in (OVER_BUDGET, DENIED):
        return None
    if gateway.verdict == OVER_BUDGET:
        return reply(OVER_BUDGET, failure("The budget of this key is used up."))
    said = "The guardrail checks of the config failed; see `hook_results`."
    return reply(DENIED, {**envelope(said, kind="hooks_failed"), "hook_results": _HOOKS})


def _add_warning(gateway: Gateway, method: str, said: Reply) -> Reply:
    """Return a success under a guardrail's warning: the provider's body, the guardrail's words, and status 246."""
    body = said.json
    if gateway.verdict != WARNED or method == "GET" or said.status != 200 or not isinstance(body, Mapping):
        return said
    return replace(reply(WARNED, {**body, "hook_results": _HOOKS}), headers=said.headers)


def _rewrite(value: object) -> bytes:
    """JSON as JavaScript writes it: no spaces, and letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
