"""The HTTP door against a server that does everything wrong: which failures are certain, and what never leaks."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import subprocess
import traceback
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from trueup import __version__
from trueup.core.call import Body, Call, Reply
from trueup.core.errors import CredentialError, NotSent, OutcomeUnknown
from trueup.edge.http import client as module
from trueup.edge.http.client import POOL, Client

CANARY = "sk-canary-4711-secret"
GET = Call("GET", "/assistants")
POST = Call("POST", "/assistants", json={"model": "gpt"})

Handler = Callable[[bytes, bytes, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Server:
    """What a tiny server saw: heads and bodies of requests, and how many connections there were at a time."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.lower().split(b"\r\n")
                length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
                body = await reader.readexactly(length)
                self.heads.append(head)
                self.bodies.append(body)
                await self.handler(head, body, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(handler: Handler) -> Any:
    server = Server(handler)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        listening.close()


def answer(status: int = 200, body: bytes = b"{}", headers: str = "") -> Handler:
    async def handle(_head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)

    return handle


def talk(
    handler: Handler, *calls: Call, timeout: float = 5.0, headers: Mapping[str, str] | None = None
) -> tuple[Server, list[Any]]:
    """Return the server, and for each call its reply or its exception."""

    async def run() -> tuple[Server, list[Any]]:
        async with serving(handler) as server:
            client = Client(server.url, headers, lambda: {"Authorization": f"Bearer {CANARY}"}, timeout)
            try:
                return server, await asyncio.gather(*(client.send(call) for call in calls), return_exceptions=True)
            finally:
                await client.close()

    server, results = asyncio.run(run())
    for result in results:
        leak_free(result)
    return server, results


def leak_free(result: object) -> None:
    """No credential in the result, nor in any exception that led to it."""
    waiting, seen = [result], []
    while waiting:
        item = waiting.pop()
        if item is None or item in seen:
            continue
        seen.append(item)
        assert CANARY not in repr(item) + str(item)
        if isinstance(item, BaseException):
            assert CANARY not in "".join(traceback.format_exception(item)) + repr(vars(item))
            waiting += [item.__cause__, item.__context__]
    assert not any(type(item).__module__.startswith(("httpx", "httpcore")) for item in seen)


def fails(url: str, call: Call = POST, **settings: Any) -> BaseException:
    async def run() -> Any:
        client = Client(url, auth=lambda: {"Authorization": f"Bearer {CANARY}"}, **settings)
        try:
            return (await asyncio.gather(client.send(call), return_exceptions=True))[0]
        finally:
            await client.close()

    result = asyncio.run(run())
    assert isinstance(result, BaseException)
    leak_free(result)
    return result


def test_a_request_carries_what_it_should_and_nothing_else() -> None:
    call = Call(
        "POST", "/assistants", {"after": "a b&c", "limit": "100"}, {"name": "Grüße 🎉", "top_p": 1.0, "n": None}
    )
    server, (reply,) = talk(answer(body=b'{"id": "asst_1"}'), call, headers={"OpenAI-Beta": "assistants=v2"})
    first, *rest = server.heads[0].decode().split("\r\n")
    sent = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in rest if line}
    assert first in (
        "POST /v1/assistants?after=a%20b%26c&limit=100 HTTP/1.1",
        "POST /v1/assistants?after=a+b%26c&limit=100 HTTP/1.1",
    )
    assert server.bodies == ['{"name":"Grüße 🎉","top_p":1.0,"n":null}'.encode()]
    assert sent["user-agent"] == f"trueup/{__version__}"
    assert sent["content-type"] == "application/json"
    assert sent["openai-beta"] == "assistants=v2"
    assert sent["authorization"] == f"Bearer {CANARY}"
    assert set(sent) == {
        "host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length",
        "openai-beta", "authorization",
    }  # fmt: skip
    assert reply == Reply(200, {"content-length": "16"}, {"id": "asst_1"}, '{"id": "asst_1"}')


def test_a_get_has_no_body_and_no_content_type() -> None:
    server, _ = talk(answer(), GET)
    assert b"content-type" not in server.heads[0].lower()
    assert server.bodies == [b""]


def test_read_only_mappings_are_sent_as_objects() -> None:
    from types import MappingProxyType

    server, _ = talk(answer(), Call("POST", "/a", json=MappingProxyType({"tools": (1, 2)})))
    assert server.bodies == [b'{"tools":[1,2]}']


@pytest.mark.parametrize("status", [200, 301, 302, 307, 308, 400, 401, 404, 408, 409, 429, 500, 502, 503])
def test_every_status_is_an_answer_and_none_is_followed_or_repeated(status: int) -> None:
    server, (reply,) = talk(answer(status, b'{"error": 1}', "Location: /elsewhere\r\nRetry-After: 7\r\n"), POST)
    assert (reply.status, reply.json, reply.headers["retry-after"]) == (status, {"error": 1}, "7")
    assert len(server.heads) == 1


def test_a_cookie_ties_no_call_to_another_and_is_in_no_reply() -> None:
    async def run() -> tuple[list[bytes], Reply]:
        async with serving(answer(headers=f"Set-Cookie: session={CANARY}\r\n")) as server:
            client = Client(server.url)
            await client.send(GET)
            reply = await client.send(GET)
            await client.close()
            return server.heads, reply

    heads, reply = asyncio.run(run())
    assert not any(b"cookie" in head.lower() for head in heads)
    assert CANARY not in repr(reply)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"", Body.NOT_JSON),
        (b"<html>502 Bad Gateway</html>", Body.NOT_JSON),
        (b'{"a": NaN}', Body.NOT_JSON),
        (b'{"a": -Infinity}', Body.NOT_JSON),
        (b'{"a": 1e999}', Body.NOT_JSON),
        (b'{"a": ' + b"9" * 5000 + b"}", Body.NOT_JSON),
        (b"[" * 100_000, Body.NOT_JSON),
        (b"[" * 500 + b"]" * 500, Body.NOT_JSON),
        (b'{"a":' * 300 + b"1" + b"}" * 300, Body.NOT_JSON),
        (b"\xff\xfe\xfa", Body.NOT_JSON),
        (b'{"a": "\xff"}', Body.NOT_JSON),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"\xef\xbb\xbf{}", {}),
        (b"[" * 150 + b"]" * 150, ...),
        (b'"text"', "text"),
        (b"null", None),
    ],
)
def test_whatever_the_body_is_it_is_a_reply(body: bytes, value: Any) -> None:
    _, (reply,) = talk(answer(body=body), POST)
    assert reply.status == 200
    assert reply.text == body.decode("utf-8", "replace")[: 64 * 1024]
    if value is ...:
        assert isinstance(reply.json, list)
    else:
        assert reply.json == value


def test_a_compressed_answer_is_read() -> None:
    _, (reply,) = talk(answer(body=gzip.compress(b'{"a": 1}'), headers="Content-Encoding: gzip\r\n"), GET)
    assert reply.json == {"a": 1}


def test_a_body_beyond_the_limit_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT", 1000)

    async def endless(_head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 1000000000\r\n\r\n[")
        while not writer.is_closing():
            writer.write(b" " * 65_536)
            await writer.drain()

    _, (reply,) = talk(endless, GET)
    assert (reply.status, reply.json, reply.text) == (200, Body.TOO_LARGE, "")


async def _reset(_head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _close(_head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _half(_head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n{"id": ')
    writer.close()


async def _half_chunk(_head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}   \r\n")
    writer.close()


async def _nonsense(_head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    writer.close()


@pytest.mark.parametrize(
    "handler",
    [_reset, _close, _half, _half_chunk, _nonsense, answer(body=b"no gzip", headers="Content-Encoding: gzip\r\n")],
)
def test_what_breaks_after_sending_is_unknown(handler: Handler) -> None:
    server, (result,) = talk(handler, POST)
    assert isinstance(result, OutcomeUnknown)
    assert "broke before the response to POST /assistants was complete" in str(result)
    assert len(server.heads) == 1


def test_silence_is_unknown() -> None:
    async def slow(_head: bytes, _body: bytes, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    _, (result,) = talk(slow, POST, timeout=0.2)
    assert isinstance(result, OutcomeUnknown)
    assert "in 0.2 seconds" in str(result)


def test_an_answer_that_trickles_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT", 0.05)

    async def trickle(_head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    _, (result,) = talk(trickle, POST, timeout=0.3)
    assert isinstance(result, OutcomeUnknown)


def test_a_connection_that_a_server_closed_while_idle_is_not_used_again() -> None:
    async def once(_head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    async def run() -> list[Reply]:
        async with serving(once) as server:
            client = Client(server.url)
            replies = []
            for _ in range(3):
                replies.append(await client.send(POST))
                await asyncio.sleep(0.05)
            await client.close()
            return replies

    assert [reply.status for reply in asyncio.run(run())] == [200, 200, 200]


def closed_port() -> int:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_refused_connection_was_not_sent() -> None:
    port = closed_port()
    error = fails(f"http://127.0.0.1:{port}/v1")
    assert isinstance(error, NotSent)
    assert str(error) == f"127.0.0.1:{port} could not be reached: the connection was refused"


def test_an_unknown_name_was_not_sent() -> None:
    error = fails("http://no-such-host.invalid/v1")
    assert isinstance(error, NotSent)
    assert str(error) == "no-such-host.invalid could not be reached: its name is unknown (DNS)"


def test_a_connection_that_is_never_made_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_arguments: object, **_named: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("anyio.connect_tcp", hang)
    error = fails("http://192.0.2.1/v1", timeout=0.1)
    assert isinstance(error, NotSent)
    assert "did not respond in time" in str(error)


def test_tls_to_a_plain_port_was_not_sent() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def run() -> Any:
        listening = await asyncio.start_server(plain, "127.0.0.1", 0)
        client = Client(f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}", auth=lambda: {"api-key": CANARY})
        try:
            return (await asyncio.gather(client.send(POST), return_exceptions=True))[0]
        finally:
            await client.close()
            listening.close()

    error = asyncio.run(run())
    leak_free(error)
    assert isinstance(error, NotSent)
    assert "TLS failed" in str(error)


def test_a_certificate_that_nobody_signed_was_not_sent(tmp_path: Path) -> None:
    import shutil
    import ssl

    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def run() -> Any:
        server = Server(answer())
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
        client = Client(f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
        try:
            return (await asyncio.gather(client.send(POST), return_exceptions=True))[0], server.heads
        finally:
            await client.close()
            listening.close()

    error, heads = asyncio.run(run())
    assert isinstance(error, NotSent)
    assert "its TLS certificate was not accepted: self" in str(error)
    assert heads == []


def test_a_tls_context_is_made_once_and_only_for_https(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    real = httpx.create_ssl_context

    def counted() -> Any:
        made.append(1)
        return real()

    monkeypatch.setattr(httpx, "create_ssl_context", counted)
    Client("http://localhost:1", workers=64)
    assert made == []
    Client("https://localhost:1", workers=64)
    assert made == [1]


@pytest.mark.parametrize(
    "body", [{"a": "\ud800"}, {"a": float("nan")}, {"a": float("inf")}, {"a": object()}, {"a": {1, 2}}]
)
def test_a_body_that_json_cannot_carry_was_not_sent(body: Any) -> None:
    server, (result,) = talk(answer(), Call("POST", "/assistants", json=body))
    assert isinstance(result, NotSent)
    assert "POST /assistants was not sent" in str(result)
    assert server.heads == []


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "Łódź"])
def test_a_header_that_could_smuggle_is_refused_without_its_value(value: str) -> None:
    with pytest.raises(CredentialError) as caught:
        Client("http://127.0.0.1:1", {"X-Key": CANARY + value})
    leak_free(caught.value)
    assert "x-key" in caught.value.message
    error = fails_with_auth({"X-Key": CANARY + value})
    assert isinstance(error, CredentialError)


def fails_with_auth(headers: Mapping[str, str]) -> BaseException:
    async def run() -> Any:
        client = Client("http://127.0.0.1:1", auth=lambda: headers)
        try:
            return (await asyncio.gather(client.send(GET), return_exceptions=True))[0]
        finally:
            await client.close()

    error = asyncio.run(run())
    leak_free(error)
    assert isinstance(error, BaseException)
    return error


def test_the_credential_is_asked_for_anew_with_each_request() -> None:
    tokens = iter(["first", "second"])

    async def run() -> list[bytes]:
        async with serving(answer()) as server:
            client = Client(server.url, auth=lambda: {"api-key": next(tokens)})
            await client.send(GET)
            await client.send(GET)
            await client.close()
            heads: list[bytes] = server.heads
            return heads

    first, second = asyncio.run(run())
    assert b"api-key: first" in first
    assert b"api-key: second" in second


def test_no_log_line_holds_a_credential(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        talk(answer(), POST)
        talk(_reset, POST)
    assert "/v1/assistants" in caplog.text
    assert CANARY not in caplog.text
    assert CANARY not in repr(Client("http://127.0.0.1:1", {"api-key": CANARY}))


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> list[bytes]:
        async with serving(answer(body=json.dumps({"via": "proxy"}).encode())) as server:
            monkeypatch.setenv("HTTP_PROXY", server.url.removesuffix("/v1"))
            client = Client("http://no-such-host.invalid/v1")
            assert (await client.send(GET)).json == {"via": "proxy"}
            await client.close()
            heads: list[bytes] = server.heads
            return heads

    assert asyncio.run(run())[0].startswith(b"GET http://no-such-host.invalid/v1/assistants HTTP/1.1")


def test_a_proxy_that_refuses_the_tunnel_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> Any:
        async with serving(answer(407, b"")) as server:
            monkeypatch.setenv("HTTPS_PROXY", server.url.removesuffix("/v1"))
            client = Client("https://no-such-host.invalid/v1")
            try:
                return (await asyncio.gather(client.send(POST), return_exceptions=True))[0]
            finally:
                await client.close()

    error = asyncio.run(run())
    assert isinstance(error, NotSent)
    assert "the proxy refused" in str(error)


def test_many_workers_are_spread_over_small_pools_and_all_of_them_work_at_once() -> None:
    under_way = 0
    most = 0

    async def slow(_head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.1)
        under_way -= 1
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n{}")

    async def run() -> int:
        async with serving(slow) as server:
            client = Client(server.url, workers=40)
            assert len(client._pools) == 40 // POOL
            free = asyncio.Semaphore(40)

            async def one() -> None:
                async with free:
                    await client.send(GET)

            await asyncio.gather(*(one() for _ in range(120)))
            await client.close()
            connections: int = server.connections
            return connections

    assert asyncio.run(run()) <= 40
    assert most == 40
