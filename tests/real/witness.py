"""A witness on the way: it writes each request down as it arrived, hands it on unchanged, and answers what it hears,
unless it is to lose the answer.

Knows no gateway and no assistant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.real.servers import HOST, listening

OWN_OF_A_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding", "date", "server"})


@dataclass(frozen=True, slots=True)
class Seen:
    """One request: `path` with its query, header names in lower case, `body` as it was sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def among(self, *prefixes: str) -> dict[str, str]:
        """The headers whose names begin so."""
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
    """Listens in front of a base URL while the block runs."""
    parts = urlsplit(onward)
    seen: list[Seen] = []
    with httpx.Client(base_url=f"{parts.scheme}://{parts.netloc}", trust_env=False, timeout=60) as web:
        lost: list[str] = []
        with listening(_handler(web, seen, lost)) as port:
            yield Witness(f"http://{HOST}:{port}{parts.path}", seen, lost)


def _handler(web: httpx.Client, seen: list[Seen], lost: list[str]) -> type[BaseHTTPRequestHandler]:
    """A handler for any method that writes down and hands on."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer leaves in one piece: two would wait for each other

        def _pass(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0")))
            seen.append(Seen(self.command, self.path, headers, body))
            own = {name: value for name, value in headers.items() if name not in OWN_OF_A_HOP}
            said = web.request(self.command, self.path, headers=own, content=body)
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
