"""The one door to HTTP: a call in, a reply out, once. Knows no vendor, repeats nothing, follows no redirect.

What matters here is telling two kinds of failure apart: a request that certainly was not sent (`NotSent`), and one
of which nobody knows (`OutcomeUnknown`). Whatever is not plainly the first is the second. No exception carries the
library's own exception with it: that one holds the request, and with it the credentials.

httpx looks at every connection of a pool before each request, and grows slow when many requests wait in one pool, so
the workers are spread over pools of four connections.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, NoReturn

import httpx

from trueup import __version__
from trueup.core.call import LIMIT, Body, Call, Reply
from trueup.core.errors import CredentialError, NotSent, OutcomeUnknown
from trueup.edge.http.environment import Proxy, find_proxy, make_proxy_error, make_tls_error, refuse_empty_folder

ENCODING: Final = "gzip"
"""How a server may pack its answer; it is unpacked in pieces, so that a small one cannot fill the memory."""

PIECE: Final = 1024 * 1024
"""Bytes that are unpacked at a time, at most."""

DEPTH: Final = 200
"""Levels of nesting in an answer's JSON; anything deeper is no assistant."""

START: Final = 64 * 1024
"""Bytes that are kept of a body that is too large, and as text of any, which is cut once secrets are masked."""


class DamagedBody(Exception):
    """A body whose packing cannot be taken apart."""


async def read_body(raw: AsyncIterator[bytes], encoding: str, length: str, limit: int) -> tuple[bytearray, bool]:
    """Return the unpacked body and whether it is whole; of more than `limit` bytes only the start is kept.

    `encoding` and `length` are what the headers say of the body, `length` of the packed one.
    Raises `DamagedBody`.
    """
    content, packed = bytearray(), _PackedBody(encoding)
    if length.isascii() and length.isdigit() and len(length) < 20 and int(length) > limit:
        return content, False
    came = 0
    async for data in raw:
        came += len(data)
        for piece in packed.unpack(data):
            content += piece
            if len(content) > limit:
                break
        if len(content) > limit or came > limit:  # packed bytes may unpack to nothing for ever
            del content[START:]
            return content, False
    content += packed.finish()
    return content, True


def parse_body(content: bytes | bytearray) -> Any:
    """Return the JSON of a body, or `Body.NOT_JSON` for anything that no JSON reader should take."""
    try:
        value = json.loads(
            content, parse_constant=_refuse_constant, parse_float=_parse_finite, parse_int=_parse_bounded
        )
    except (ValueError, RecursionError):
        return Body.NOT_JSON
    level: list[Any] = [[value]]
    depth = 0
    while level:
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        depth += 1
        if depth > DEPTH:
            return Body.NOT_JSON
    return value


class _PackedBody:
    """A body as its `Content-Encoding` says, taken apart. Any but gzip was not asked for, and stays as it comes."""

    def __init__(self, encoding: str) -> None:
        is_gzip = encoding.strip().lower() in ("gzip", "x-gzip")
        self._inside = zlib.decompressobj(zlib.MAX_WBITS | 16) if is_gzip else None

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """Yield the unpacked bytes, a piece at a time. Raises `DamagedBody`."""
        if self._inside is None:
            yield data
            return
        while data and not self._inside.eof:
            try:
                piece = self._inside.decompress(data, PIECE)
            except zlib.error:
                raise DamagedBody("the response is not the gzip that it claims to be") from None
            data = self._inside.unconsumed_tail
            yield piece

    def finish(self) -> bytes:
        """Return what is left in the buffer, at the end."""
        return self._inside.flush() if self._inside is not None else b""


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


def _parse_finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _parse_bounded(text: str) -> int:
    if len(text) > 300:  # more digits than any number that a double can hold
        raise ValueError("a number is too large")
    return int(text)


POOL = 4
"""Connections of one pool."""

CONNECT = 10.0
"""Seconds to connect, at most; the same again for TLS."""

_UNFIT = re.compile(r"[^\t\x20-\x7e\xa0-\xff]")
_HIDDEN = frozenset({"set-cookie"})
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class Client:
    """Sends calls to one base URL; satisfies `core.call.Send` with its `send`.

    `auth` gives the headers that carry the secret, asked anew for each request; `timeout` is in seconds, for each
    silence and for the whole answer; `workers` is how many calls are under way at a time.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str] | None = None,
        auth: Callable[[], Mapping[str, str]] = dict,
        timeout: float = 60.0,
        workers: int = 8,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._host = _name_host(base_url)
        self._auth = auth
        self._timeout = timeout
        self._headers = _encode_headers(
            {"user-agent": f"trueup/{__version__}", "accept": "application/json"}
            | {"accept-encoding": ENCODING}
            | ({name.lower(): value for name, value in (headers or {}).items()})
        )
        found = find_proxy(base_url, os.environ)
        self._way = f"{self._host} could not be reached" + (f" by the proxy of {found.variable}" if found else "")
        proxy = _make_proxy(found, self._host) if found is not None else None
        verify = _load_trust() if self._base.lower().startswith("https:") else False
        self._pools = [_open_pool(timeout, verify, proxy) for _ in range(math.ceil(max(1, workers) / POOL))]
        self._busy = [0] * len(self._pools)

    def __repr__(self) -> str:
        return f"Client({self._host}, {len(self._pools)} pools)"

    async def send(self, call: Call) -> Reply:
        """Return the answer to one request, sent at most once.

        Raises NotSent when it certainly did not go out, OutcomeUnknown when nobody can tell, and CredentialError.
        """
        index = self._busy.index(min(self._busy))
        request = self._build_request(self._pools[index], call)
        self._busy[index] += 1
        failure: Exception
        try:
            async with asyncio.timeout(self._timeout + min(self._timeout, CONNECT)):  # connecting has a time of its own
                return await _read_reply(self._pools[index], request)
        except _NEVER_SENT as error:
            failure = NotSent(f"{self._way}: {_explain_failure(error)}")
        except (TimeoutError, httpx.TimeoutException):
            failure = OutcomeUnknown(
                f"{self._host} did not finish its response to {call.method} {call.path} in {self._timeout:g} seconds"
            )
        except (httpx.HTTPError, httpx.StreamError, OSError, DamagedBody) as error:
            failure = OutcomeUnknown(
                f"the connection to {self._host} broke before the response to {call.method} {call.path} was complete "
                f"({_explain_failure(error)})"
            )
        finally:
            self._busy[index] -= 1
        raise failure  # outside of the handlers: the library's exception holds the headers

    async def close(self) -> None:
        """Close all connections."""
        for pool in self._pools:
            await pool.aclose()

    def _build_request(self, pool: httpx.AsyncClient, call: Call) -> httpx.Request:
        """Return the request with its headers. Raises NotSent for a body or a path that cannot be sent."""
        headers, content, problem = self._headers | _encode_headers(self._auth()), None, ""
        try:
            if call.json is not None:
                headers[b"content-type"] = b"application/json"
                content = _encode_json(call.json)
            return pool.build_request(
                call.method, self._base + call.path, params=call.query or None, content=content, headers=headers
            )
        except UnicodeEncodeError:
            problem = "it holds half of a character (a lone surrogate), which UTF-8 cannot carry"
        except (ValueError, TypeError, RecursionError):
            problem = "its body has a value that JSON cannot hold"
        except httpx.InvalidURL:
            problem = "its URL is invalid"
        raise NotSent(f"{call.method} {call.path} was not sent: {problem}")


def _load_trust() -> ssl.SSLContext:
    """Whose certificates are believed. Raises EndpointError for a variable that leads to none."""
    refuse_empty_folder(os.environ)
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise make_tls_error(error, os.environ) from None


def _make_proxy(found: Proxy, host: str) -> httpx.Proxy:
    """Return the proxy to go through. Raises EndpointError for an address that is none."""
    try:
        return httpx.Proxy(found.url, ssl_context=_load_trust() if found.url.lower().startswith("https:") else None)
    except (httpx.InvalidURL, ValueError):
        raise make_proxy_error(found, "its URL is invalid", host) from None


def _open_pool(timeout: float, verify: ssl.SSLContext | bool, proxy: httpx.Proxy | None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=verify,
        proxy=proxy,
        trust_env=False,  # the environment was looked at already, for this address alone
        timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT)),
        limits=httpx.Limits(max_connections=POOL, max_keepalive_connections=POOL),
        follow_redirects=False,
        http1=True,
        http2=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # a cookie would tie one call to another
    )


async def _read_reply(pool: httpx.AsyncClient, request: httpx.Request) -> Reply:
    response = await pool.send(request, stream=True)
    said = response.headers
    try:
        content, is_whole = await read_body(
            response.aiter_raw(), said.get("content-encoding", ""), said.get("content-length", ""), LIMIT
        )
    finally:
        await response.aclose()
    headers = {name.lower(): value for name, value in said.items() if name.lower() not in _HIDDEN}
    parsed = parse_body(content) if is_whole else Body.TOO_LARGE
    text = content[:START].decode("utf-8", "replace")
    return Reply(status=response.status_code, headers=headers, json=parsed, text=text)


def _encode_json(value: Any) -> bytes:
    return json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_convert_readonly
    ).encode("utf-8")


def _convert_readonly(value: Any) -> Any:
    """Read-only mappings and sequences as what the encoder knows."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError("not JSON")


def _encode_headers(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    """Headers as bytes, checked here so that the library's complaint cannot quote one. Raises CredentialError."""
    unfit = next((name for name, value in headers.items() if _UNFIT.search(name + value)), None)
    if unfit is not None:
        raise CredentialError(
            f"The header {_UNFIT.sub('?', unfit)} has a line break, a control character or a letter beyond Latin-1.",
            "Give it a value on one line, without such letters.",
        )
    return {name.lower().encode("latin-1"): value.encode("latin-1") for name, value in headers.items()}


def _name_host(url: str) -> str:
    """Host and port, which is all of an address that messages show."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return "the target"
    return parsed.netloc.decode("ascii", "replace") or "the target"


def _explain_failure(error: BaseException) -> str:
    """Return what went wrong in a few words, from the system's own exception at the end of the chain."""
    chain = list(_find_causes(error))
    for cause in chain:
        if isinstance(cause, socket.gaierror):
            return "its name is unknown (DNS)"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its TLS certificate was not accepted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause.reason or 'no reason was given'}"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
    if isinstance(error, httpx.ProxyError):
        return "the proxy refused the connection"
    if isinstance(error, DamagedBody):
        return str(error)
    if isinstance(error, httpx.PoolTimeout):
        return "no connection became free"
    if isinstance(error, (TimeoutError, httpx.ConnectTimeout)):
        return "it did not respond in time"
    system = next((cause for cause in chain if isinstance(cause, OSError) and cause.strerror), None)
    return system.strerror.lower() if system is not None and system.strerror else type(error).__name__


def _find_causes(error: BaseException) -> list[BaseException]:
    """Return the exception and all that led to it, groups opened, each once."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        item = waiting.pop(0)
        if item is None or any(item is known for known in found):
            continue
        found.append(item)
        waiting += [item.__cause__, item.__context__]
        if isinstance(item, BaseExceptionGroup):
            waiting += item.exceptions
    return found
