"""Two proxies in front of a server: one writes down what passes and can lose an answer, one repeats lost writes.

Knows no gateway and no assistant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.real.servers import HOST, listening

REPEATS = 3
"""How often a write that a server acknowledged and lost is sent again."""

OWN_OF_A_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding", "date", "server"})


@dataclass(frozen=True, slots=True)
class Seen:
    """One request: `path` with its query, header names in lower case, `body` as it was sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def among(self, *prefixes: str) -> dict[str, str]:
        """Return the headers whose names begin so."""
        return {name: value for name, value in self.headers.items() if name.startswith(prefixes)}


@dataclass(frozen=True, slots=True)
class Witness:
    """What passed, oldest first, and the base URL under which it passes.

    `lost` are methods: the answer to the next request of each is not handed on, though the work was done.
    """

    url: str
    seen: list[Seen]
    lost: list[str]


@contextmanager
def witness(onward: str) -> Iterator[Witness]:
    """Listen in front of a base URL while the block runs."""
    seen: list[Seen] = []
    lost: list[str] = []
    with _client(onward) as web, listening(_handler(web.request, seen, lost)) as port:
        yield Witness(f"http://{HOST}:{port}{urlsplit(onward).path}", seen, lost)


@contextmanager
def without_lost_writes(onward: str) -> Iterator[str]:
    """Listen in front of a server that loses acknowledged writes now and then; the base URL of one that does not.

    Each write is read back before it is answered, and sent again where the server does not have it. This excuses the
    server only: a request that a client does not send, or sends wrongly, is not made good.
    """
    with _client(onward) as web:

        def is_kept(method: str, path: str, headers: Mapping[str, str], said: httpx.Response) -> bool:
            if method == "GET" or said.status_code != 200:
                return True
            made = said.json()
            base, _, last = path.partition("?")[0].rpartition("/")
            one = path if last == made["id"] else f"{base}/{last}/{made['id']}"
            there = web.get(one, headers=headers)
            return there.status_code == 404 if method == "DELETE" else _without_times(there) == _without_times(said)

        def ask(method: str, path: str, *, headers: Mapping[str, str], content: bytes) -> httpx.Response:
            for _ in range(1 + REPEATS):
                said = web.request(method, path, headers=headers, content=content)
                if is_kept(method, path, headers, said):
                    return said
            raise AssertionError(f"the server lost {method} {path} {1 + REPEATS} times")

        with listening(_handler(ask, [], [])) as port:
            yield f"http://{HOST}:{port}{urlsplit(onward).path}"


def _without_times(said: httpx.Response) -> tuple[int, dict[str, Any]]:
    """Return status and body without times, which a server may write otherwise when it is asked again."""
    return said.status_code, {key: value for key, value in said.json().items() if not key.endswith("_at")}


def _client(onward: str) -> httpx.Client:
    """Return a client of the server behind a base URL."""
    parts = urlsplit(onward)
    return httpx.Client(base_url=f"{parts.scheme}://{parts.netloc}", trust_env=False, timeout=60)


def _handler(ask: Callable[..., httpx.Response], seen: list[Seen], lost: list[str]) -> type[BaseHTTPRequestHandler]:
    """Return a handler for any method that records a request and forwards it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer leaves in one piece: two would wait for each other

        def _pass(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0")))
            seen.append(Seen(self.command, self.path, headers, body))
            own = {name: value for name, value in headers.items() if name not in OWN_OF_A_HOP}
            said = ask(self.command, self.path, headers=own, content=body)
            if self.command in lost:
                lost.remove(self.command)
                self.close_connection = True
                return
            self.send_response(said.status_code)
            for name, value in said.headers.items():
                if name.lower() not in OWN_OF_A_HOP | {"content-encoding"}:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(said.content)))
            self.end_headers()
            self.wfile.write(said.content)

        do_GET = do_POST = do_DELETE = do_PUT = _pass  # noqa: N815 (names that http.server calls)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    return Handler
