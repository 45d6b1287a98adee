"""The embedded server over HTTP, for other clients and for the dark corners of our own: Starlette, run by uvicorn.

An answer leaves in one write, and connections can be broken on purpose. Knows paths, bodies and sockets; not who is let
in, and no protocol. Both libraries are optional: they are loaded only when something is served.
"""

from __future__ import annotations

import hmac
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from trueup import __version__
from trueup.core.call import Body, Reply
from trueup.core.errors import NotSent, OutcomeUnknown, TrueupError
from trueup.local.admission import Asked, Endpoint, entrance, refuse_web_page
from trueup.local.faults import Faults, read_fault
from trueup.local.portkey import MOUNT, Front, Gateway
from trueup.local.server import EmbeddedServer
from trueup.local.vendor import envelope, reply

if TYPE_CHECKING:
    import asyncio

    import uvicorn
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope
    from starlette.types import Send as AsgiSend

BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of a request's body that are read; every legal object fits several times."""

START_SECONDS = 10.0
CONTROL = "/_control"
"""Below this path faults are asked for, and the log is read."""


def app(
    server: EmbeddedServer,
    *,
    key: str = "",
    faults: bool = False,
    gateway: Gateway | None = None,
    hosts: Collection[str] = (),
) -> ASGIApp:
    """Return the server as an ASGI application: its vendor's API, its health at `/`, and with `faults` `/_control`.

    With a `gateway` nothing but that answers, and `faults` strike behind it. Any key is let in unless `key` pins one.
    Requests of web pages are refused, and so is a host that is neither loopback, nor an address, nor among `hosts`.
    A dropped connection is really closed when `run` or `running` serve the application; elsewhere `OutcomeUnknown`
    leaves it. Raises `TrueupError` when Starlette is not installed.
    """
    try:
        from starlette.applications import Starlette
        from starlette.routing import Mount
    except ImportError as error:
        raise missing("Starlette") from error
    misbehaviour = Faults()
    door = entrance(server, key, misbehaviour.wrap) if faults else entrance(server, key)
    outer = _with_health(server, door) if gateway is None else Front(door, server.vendor, gateway)
    control = _control(misbehaviour, key) if faults else None

    async def answer(asked: Asked) -> Reply:
        if control is not None and asked.path.startswith(f"{CONTROL}/"):
            return await control(replace(asked, path=asked.path.removeprefix(CONTROL)))
        return await outer(asked)

    return Starlette(routes=[Mount("/", app=_asgi(answer, hosts))])


def mount_of(server: EmbeddedServer, gateway: Gateway | None) -> str:
    """Return the path of the base URL that clients take."""
    return server.vendor.mount if gateway is None else MOUNT


def run(
    server: EmbeddedServer,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    key: str = "",
    faults: bool = False,
    gateway: Gateway | None = None,
    hosts: Collection[str] = (),
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve until interrupted; `ready` gets the base URL once the port is open (0 means any free one).

    Raises `TrueupError` when the serve extra is not installed or the port cannot be had.
    """
    web = machine(app(server, key=key, faults=faults, gateway=gateway, hosts=hosts))
    with listen(host, port) as listener:
        ready(base_url(host, listener, mount_of(server, gateway)))
        web.run(sockets=[listener])


@contextmanager
def running(
    server: EmbeddedServer,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    key: str = "",
    faults: bool = False,
    gateway: Gateway | None = None,
) -> Iterator[str]:
    """Serve from a thread of its own while the block runs, and give the base URL. Raises as `run` does."""
    web = machine(app(server, key=key, faults=faults, gateway=gateway))
    with listen(host, port) as listener:
        thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not web.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise TrueupError(f"The server did not start within {START_SECONDS:g} seconds.", "Try again.")
            time.sleep(0.002)
        try:
            yield base_url(host, listener, mount_of(server, gateway))
        finally:
            web.should_exit = True
            thread.join()


class _TooLarge(Exception):
    """A body of more bytes than are read."""


def _with_health(server: EmbeddedServer, door: Endpoint) -> Endpoint:
    """Return the vendor's door, with the server's health at `/`, which no vendor has."""

    async def answer(asked: Asked) -> Reply:
        if asked.path != "/":
            return await door(asked)
        if asked.method != "GET":
            said = envelope(f"Not allowed to {asked.method} on /.", code="method_not_supported")
            return reply(405, said, {"allow": "GET"})
        api = {"api": server.vendor.mount, "dialect": server.vendor.name}
        return reply(200, {"server": "trueup", "version": __version__, **api})

    return answer


def _control(faults: Faults, key: str) -> Endpoint:
    """`POST /_control/faults` arms a list of faults, `DELETE` disarms them, `GET /_control/log` tells what arrived."""

    async def control(asked: Asked) -> Reply:
        scheme, _, shown = asked.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not shown.strip() or not hmac.compare_digest(shown.encode(), (key or shown).encode()):
            said = "Incorrect API key provided: /_control takes the server's own key as a bearer token."
            return reply(401, envelope(said, code="invalid_api_key"), {"www-authenticate": "Bearer"})
        if (asked.method, asked.path) == ("GET", "/log"):
            return reply(200, [asdict(entry) for entry in faults.log])
        if (asked.method, asked.path) == ("DELETE", "/faults"):
            faults.clear()
            return reply(200, {"armed": 0})
        if (asked.method, asked.path) != ("POST", "/faults"):
            return reply(404, envelope("Known are POST and DELETE /_control/faults, and GET /_control/log."))
        try:
            sent = json.loads(asked.body)
            armed = [read_fault(entry) for entry in (sent if isinstance(sent, list) else [sent])]
        except (ValueError, RecursionError) as error:
            return reply(400, envelope(str(error)))
        if not faults.add(*armed):
            return reply(413, envelope("There are too many faults; DELETE /_control/faults disarms them."))
        return reply(200, {"armed": len(armed)})

    return control


def _asgi(endpoint: Endpoint, hosts: Collection[str]) -> ASGIApp:
    """Return an endpoint for any method: what it answers goes out in one piece, a broken connection is broken.

    Of a request of a web page not even the body is read.
    """
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import Response

    async def application(scope: Scope, receive: Receive, send: AsgiSend) -> None:
        try:
            request = Request(scope, receive)
            refused = refuse_web_page(request.headers, hosts)
            said = await endpoint(await _read_request(request)) if refused is None else refused
        except _TooLarge:
            said = reply(413, envelope(f"The body is larger than {BODY_LIMIT} bytes.", code="request_too_large"))
        except ClientDisconnect:
            return  # whoever sent half a request is gone, and nothing was done
        except (NotSent, OutcomeUnknown):
            if ABORT not in scope:
                raise
            scope[ABORT]()
            while (await receive())["type"] != "http.disconnect":
                continue
            return
        text = said.text if said.json is Body.NOT_JSON else json.dumps(said.json)
        headers = {"content-type": "application/json", **said.headers}
        await Response(text.encode("utf-8", "replace"), said.status, headers)(scope, receive, send)

    return application


async def _read_request(request: Request) -> Asked:
    """Return the request by value; the body counts for a POST only. Raises `_TooLarge`."""
    body = bytearray()
    if request.method == "POST":
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_LIMIT:
                raise _TooLarge
    query: dict[str, Any] = dict(request.query_params)
    return Asked(request.method, str(request.scope["path"]), query, dict(request.headers), bytes(body))


ABORT = "trueup.abort"
"""Where a connection's own way to break is found in its ASGI scope."""


def machine(application: ASGIApp) -> uvicorn.Server:
    """Return a uvicorn that is not started yet and puts each connection's `ABORT` into the scope of its requests.

    Raises `TrueupError` when uvicorn is not installed.
    """
    try:
        import uvicorn
        from uvicorn.protocols.http.h11_impl import H11Protocol
    except ImportError as error:
        raise missing("uvicorn") from error

    class Connection(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(cast("asyncio.Transport", _Gathered(transport, self.loop)))
            self.app = _breakable(self.app, transport.abort)

    config = uvicorn.Config(
        application, http=Connection, ws="none", loop="asyncio", lifespan="off", proxy_headers=False,
        server_header=False,
        log_config=None, access_log=False,
        timeout_graceful_shutdown=2,
    )  # fmt: skip
    return uvicorn.Server(config)


class _Gathered:
    """A transport that sends what is written in one turn of the loop, an answer's head and body, in one write."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._pieces: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, piece: bytes) -> None:
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(piece)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        pieces, self._pieces = self._pieces, []
        if pieces and not self._transport.is_closing():
            self._transport.write(b"".join(pieces))


def _breakable(application: Any, abort: Callable[[], None]) -> Any:
    async def breakable(scope: Any, receive: Any, send: Any) -> None:
        await application({**scope, ABORT: abort}, receive, send)

    return breakable


def listen(host: str, port: int) -> socket.socket:
    """Return an open port (0: any free one) whose connections send at once.

    Otherwise a second packet may wait for 40 ms.

    Raises `TrueupError` when the port cannot be had.
    """
    try:
        if not 0 <= port <= 65_535:
            raise OSError("ports are numbers from 0 to 65535")
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        raise TrueupError(
            f"The server cannot listen on {host}, port {port}: {error}.", "Choose another --port; 0 takes any free one."
        ) from error


def base_url(host: str, listener: socket.socket, mount: str) -> str:
    """Return what clients of this port take for their base URL; `mount` is its path."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}{mount}"


def missing(library: str, prefix: str = sys.prefix) -> TrueupError:
    """Return the error that names a library of the serve extra and how to add it to the environment at `prefix`."""
    folders = Path(prefix).parts
    command = "pip install 'trueup[serve]'"
    if "pipx" in folders:
        command = "pipx inject trueup starlette uvicorn"
    elif "uv" in folders and "tools" in folders:
        command = "uv tool install --with starlette --with uvicorn trueup"
    return TrueupError(f"Serving needs {library}, which is not installed.", f"Run: {command}")
