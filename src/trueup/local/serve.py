"""The embedded server over HTTP, for other clients and for the dark corners of our own: Starlette, run by uvicorn.

Knows headers, keys and sockets; deliberately not what an assistant is. Both libraries are optional: they are loaded
only when something is served.
"""

from __future__ import annotations

import hmac
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from trueup import __version__
from trueup.core.call import Body, Call, Reply, Send
from trueup.core.errors import NotSent, OutcomeUnknown, TrueupError
from trueup.local.connections import ABORT, base_url, listen, machine, missing
from trueup.local.faults import Faults, read_fault
from trueup.local.openai_assistants import Server

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope
    from starlette.types import Send as AsgiSend

    Endpoint = Callable[[Request], Awaitable[Reply]]

BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of a request's body that are read; every legal assistant fits several times."""

START_SECONDS = 10.0


def app(server: Server, *, key: str = "", faults: bool = False) -> ASGIApp:
    """The server as an ASGI application: the API under `/v1`, its health at `/`, and with `faults` `/_control`.

    Any bearer token is let in unless `key` pins one. A dropped connection is really closed when `run` or `running`
    serve the application; elsewhere `OutcomeUnknown` leaves it. Raises `TrueupError` when Starlette is not installed.
    """
    try:
        from starlette.applications import Starlette
        from starlette.routing import Mount
    except ImportError as error:
        raise missing("Starlette") from error
    misbehaviour = Faults()
    control = [Mount("/_control", app=_asgi(_control(misbehaviour, key)))] if faults else []
    api = _api(misbehaviour.wrap(server.send) if faults else server.send, key)
    return Starlette(routes=[Mount("/v1", app=_asgi(api)), *control, Mount("/", app=_asgi(_root))])


def run(
    server: Server,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    key: str = "",
    faults: bool = False,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serves until interrupted; `ready` gets the base URL once the port is open (0 means any free one).

    Raises `TrueupError` when the serve extra is not installed or the port cannot be had.
    """
    web = machine(app(server, key=key, faults=faults))
    with listen(host, port) as listener:
        ready(base_url(host, listener))
        web.run(sockets=[listener])


@contextmanager
def running(
    server: Server, host: str = "127.0.0.1", port: int = 0, *, key: str = "", faults: bool = False
) -> Iterator[str]:
    """Serves from a thread of its own while the block runs, and gives the base URL. Raises as `run` does."""
    web = machine(app(server, key=key, faults=faults))
    with listen(host, port) as listener:
        thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not web.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise TrueupError(f"The server did not start within {START_SECONDS:g} seconds.", "Try again.")
            time.sleep(0.002)
        try:
            yield base_url(host, listener)
        finally:
            web.should_exit = True
            thread.join()


class _Unreadable(Exception):
    """A body that is not taken, with its answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def _api(send: Send, key: str) -> Endpoint:
    """The API's endpoint: headers first, then the body, then whoever answers behind `send`."""

    async def api(request: Request) -> Reply:
        refused = _refused(request.headers, key)
        if refused is not None:
            return refused
        query = dict(request.query_params)
        return await send(Call(request.method, _path(request), query, await _json(request)))

    return api


def _path(request: Request) -> str:
    """The path below the mount: `/v1/assistants` is `/assistants`."""
    scope = request.scope
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


async def _root(request: Request) -> Reply:
    """Health at `/`, and the vendor's 404 for every other path that nobody knows."""
    if _path(request) != "/":
        return _error(404, f"Invalid URL ({request.method} {request.url.path})")
    if request.method != "GET":
        return _error(405, f"Not allowed to {request.method} on /.", "method_not_supported", {"allow": "GET"})
    return Reply(200, {}, {"server": "trueup", "version": __version__, "api": "/v1"})


def _refused(headers: Mapping[str, str], key: str) -> Reply | None:
    """The answer to a request whose headers will not do: 401 without a key, 400 without the API's version."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return _error(401, "No API key was sent: put it into a header, 'Authorization: Bearer YOUR_KEY'.")
    if key and not hmac.compare_digest(token.strip().encode(), key.encode()):
        return _error(401, "Incorrect API key provided: this server was started with another one.", "invalid_api_key")
    versions = [version.strip() for version in headers.get("openai-beta", "").split(",")]
    if "assistants=v2" in versions:
        return None
    if "assistants=v1" in versions:
        said = "The v1 Assistants API has been deprecated. Please set the header 'OpenAI-Beta: assistants=v2'."
    else:
        said = "You must provide the 'OpenAI-Beta' header to access the Assistants API: 'OpenAI-Beta: assistants=v2'."
    return _error(400, said, "invalid_beta")


async def _json(request: Request) -> Any:
    """The request's JSON, None for an empty body or a method whose body does not count. Raises `_Unreadable`."""
    if request.method != "POST":
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise _Unreadable(_error(413, f"The body is larger than {BODY_LIMIT} bytes.", "request_too_large"))
    if not body:
        return None
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        said = f"Unsupported content type: '{kind}'. This API takes 'application/json'."
        raise _Unreadable(_error(400, said, "unsupported_content_type"))
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _Unreadable(_error(400, f"The body could not be read as JSON: {error}.")) from error


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _control(faults: Faults, key: str) -> Endpoint:
    """`POST /_control/faults` arms a list of faults, `DELETE` disarms them, `GET /_control/log` tells what arrived."""

    async def control(request: Request) -> Reply:
        if key and not hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {key}".encode()):
            return _error(
                401, "Incorrect API key provided: this server was started with another one.", "invalid_api_key"
            )
        asked = (request.method, _path(request))
        if asked == ("GET", "/log"):
            return Reply(200, {}, [asdict(entry) for entry in faults.log])
        if asked == ("DELETE", "/faults"):
            faults.clear()
            return Reply(200, {}, {"armed": 0})
        if asked != ("POST", "/faults"):
            return _error(404, "Known are POST and DELETE /_control/faults, and GET /_control/log.")
        sent = await _json(request)
        try:
            armed = [read_fault(entry) for entry in (sent if isinstance(sent, list) else [sent])]
        except ValueError as error:
            return _error(400, str(error))
        faults.add(*armed)
        return Reply(200, {}, {"armed": len(armed)})

    return control


def _error(status: int, message: str, code: str | None = None, headers: Mapping[str, str] | None = None) -> Reply:
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    return Reply(status, headers or ({"www-authenticate": "Bearer"} if status == 401 else {}), body)


def _asgi(endpoint: Endpoint) -> ASGIApp:
    """An endpoint for any method: what it answers goes out in one piece, a broken connection is broken."""
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import Response

    async def application(scope: Scope, receive: Receive, send: AsgiSend) -> None:
        try:
            reply = await endpoint(Request(scope, receive))
        except _Unreadable as problem:
            reply = problem.reply
        except ClientDisconnect:
            return  # whoever sent half a request is gone, and nothing was done
        except (NotSent, OutcomeUnknown):
            if ABORT not in scope:
                raise
            scope[ABORT]()
            while (await receive())["type"] != "http.disconnect":
                continue
            return
        text = reply.text if reply.json is Body.NOT_JSON else json.dumps(reply.json)
        headers = {"content-type": "application/json", **reply.headers}
        await Response(text.encode("utf-8", "replace"), reply.status, headers)(scope, receive, send)

    return application
