"""A vendor that costs next to nothing: answers of each protocol from memory, after a latency that can be set.

A process of its own (`python -m benchmarks.stub`), so that its work is not counted as ours. Knows no fault and checks
nothing: what a vendor does to what it is sent is the embedded server's matter, which tests use.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.process import ROOT
from benchmarks.protocols import SAMPLES, Sample

BY_COLLECTION = {sample.collection: sample for sample in SAMPLES.values()}
START = 1_800_000_000
A_SECOND = 5
"""Objects that share a `created_at`, as those made at the vendor's rate limit do."""


class Shelf:
    """The objects of one protocol in the order they were made, each kept as the bytes that a listing repeats."""

    def __init__(self) -> None:
        self.latency = 0.0
        self.requests = 0
        self.ids: list[str] = []
        self.places: dict[str, int] = {}
        self.bodies: list[bytes] = []

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        """Return the status and the body of one answer."""
        url = urlsplit(target)
        if url.path.startswith("/_"):
            return 200, self._control(url.path, body)
        self.requests += 1
        collection, _, live_id = url.path.removeprefix("/v1/").partition("/")
        sample = BY_COLLECTION[collection]
        if method == "GET" and not live_id:
            return 200, self._page(parse_qs(url.query))
        if method == "POST" and not live_id:
            return 200, self._create(json.loads(body), sample)
        if live_id not in self.places:
            return 404, json.dumps({"error": {"message": f"No {sample.noun} found with id '{live_id}'."}}).encode()
        place = self.places[live_id]
        if method == "POST":
            self.bodies[place] = json.dumps({**json.loads(self.bodies[place]), **json.loads(body)}).encode()
        return 200, self.bodies[place]

    def _control(self, path: str, body: bytes) -> bytes:
        if path == "/_latency":
            self.latency = float(body)
        if path == "/_reset":
            self.__init__()  # type: ignore[misc]  # as if just started
        count, self.requests = self.requests, 0
        return json.dumps({"requests": count, "cpu": time.process_time()}).encode()

    def _create(self, sent: dict[str, Any], sample: Sample) -> bytes:
        place = len(self.ids)
        live_id = f"{sample.prefix}_{place * 7919 % 1_000_003:06}{place:05}"
        about = {"id": live_id, "object": sample.noun, "created_at": START + place // A_SECOND}
        made = {**about, **sample.defaults, **sent}
        self.ids.append(live_id)
        self.places[live_id] = place
        self.bodies.append(json.dumps(made).encode())
        return self.bodies[place]

    def _page(self, query: dict[str, list[str]]) -> bytes:
        limit, after = int(query["limit"][0]), query.get("after", [""])[0]
        start = self.places[after] + 1 if after else 0
        more = b"true" if start + limit < len(self.ids) else b"false"
        return b'{"object": "list", "data": [%s], "has_more": %s}' % (
            b", ".join(self.bodies[start : start + limit]),
            more,
        )


class Connection(asyncio.Protocol):
    """HTTP/1.1 as one well-behaved client speaks it: no chunks, one request at a time."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport for the answers."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once the whole request is there, when the latency is over."""
        self._buffer += data
        head, blank, rest = self._buffer.partition(b"\r\n\r\n")
        if not blank:
            return
        lines = head.decode("latin-1").split("\r\n")
        sizes = [int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:")]
        if len(rest) < sum(sizes):
            return
        self._buffer = b""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._shelf.latency
        method, target, _ = lines[0].split(" ")
        status, body = self._shelf.answer(method, target, rest)
        text = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        if target.startswith("/_") or not self._shelf.latency:
            self._transport.write(text.encode() + body)
        else:
            loop.call_at(due, self._transport.write, text.encode() + body)


@dataclass(frozen=True, slots=True)
class Stub:
    """A running stub, and how to set it up."""

    port: int

    @property
    def base_url(self) -> str:
        """Return the base URL of a target."""
        return f"http://127.0.0.1:{self.port}/v1"

    def latency(self, milliseconds: float) -> None:
        """Set how long each answer takes from now on."""
        self._post("/_latency", str(milliseconds / 1000))

    def reset(self) -> None:
        """Forget every object."""
        self._post("/_reset")

    def taken(self) -> tuple[int, float]:
        """Return the requests since the last call, and the CPU seconds that the stub has used so far."""
        found = self._post("/_taken")
        return int(found["requests"]), float(found["cpu"])

    def _post(self, path: str, body: str = "") -> dict[str, float]:
        line = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            line.request("POST", path, body.encode(), {"content-length": str(len(body))})
            found: dict[str, float] = json.loads(line.getresponse().read())
            return found
        finally:
            line.close()


@contextmanager
def serving() -> Iterator[Stub]:
    """Run a stub in a process of its own while the block runs."""
    child = subprocess.Popen([sys.executable, "-m", "benchmarks.stub"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        yield Stub(int(child.stdout.readline()))
    finally:
        child.terminate()
        child.wait()
        child.stdout.close()


async def main() -> None:
    """Serve until terminated; print the port once it listens."""
    shelf = Shelf()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(shelf), "127.0.0.1", 0, backlog=256)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
