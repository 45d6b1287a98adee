"""uvicorn as the embedded server needs it: an answer in one write, and connections that can be broken on purpose.

Knows sockets; deliberately not what is said over them.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from trueup.core.errors import TrueupError

if TYPE_CHECKING:
    import asyncio

    import uvicorn
    from starlette.types import ASGIApp

ABORT = "trueup.abort"
"""Where a connection's own way to break is found in its ASGI scope."""


def machine(application: ASGIApp) -> uvicorn.Server:
    """A uvicorn that is not started yet and puts each connection's `ABORT` into the scope of its requests.

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
    """An open port (0: any free one) whose connections send at once; otherwise a second packet may wait for 40 ms.

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
    """What clients of this port take for their base URL; `mount` is its path."""
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
