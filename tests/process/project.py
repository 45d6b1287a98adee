"""A project's folder, the vendor it talks to, and the installed command run on it as a process of its own.

Knows how to start, kill and look; deliberately not what ought to come of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.forks import Process, start_python
from tests.protocols import current
from tests.ran import Ran
from trueup.core.call import Call, Reply
from trueup.local.faults import Faults
from trueup.local.serve import running
from trueup.local.server import EmbeddedServer

KEY = "sk-canary-0123456789abcdef"
"""The key that must not be found in any output or file."""

PATIENCE = 60.0
"""Seconds after which a command that does not end has hung."""


class Vendor(EmbeddedServer):
    """An embedded server, which counts requests as they arrive and misbehaves as its `faults` say."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol = current()
        self.faults = Faults()
        self.arrived = 0
        self.writes = 0  # how many of them were no GET
        self._news = threading.Condition()
        self._behind = self.faults.wrap(super().send)

    async def send(self, call: Call) -> Reply:
        """Return the answer to one request. Raises as the faults say."""
        with self._news:
            self.arrived += 1
            self.writes += call.method != "GET"
            self._news.notify_all()
        return await self._behind(call)

    def wait_for(self, count: int, seconds: float, over: Callable[[], bool] = bool) -> None:
        """Wait until so many requests have arrived in all, until it is `over`, or until the seconds are."""
        deadline = time.monotonic() + seconds
        with self._news:
            while self.arrived < count and not over() and time.monotonic() < deadline:
                self._news.wait(0.02)

    def ask(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Any:
        """Send a request of somebody else, behind the tool's back."""
        reply = self.answer(Call(method, path, query or {}, body))
        assert reply.status == 200, reply.text
        return reply.json

    def live(self) -> list[dict[str, Any]]:
        """Everything that is live, oldest first."""
        page = self.ask("GET", self.protocol.path, query={"limit": "100", "order": "asc"})
        return list(page["data"])

    def stamped(self, target: str = "prod") -> dict[str, list[dict[str, Any]]]:
        """Return what carries a stamp of the target, by its name in the files; several of one name are duplicates."""
        found: dict[str, list[dict[str, Any]]] = {}
        for body in self.live():
            stamp = self.protocol.stamp_of(body)
            if stamp is not None and stamp.target == target:
                found.setdefault(stamp.name, []).append(body)
        return found


def open_vendor() -> Vendor:
    """Return a vendor of the protocol that is spoken, with nothing in it."""
    made: type[Vendor] = type("Vendor", (Vendor, current().server), {})
    return made()


@dataclass(slots=True)
class Project:
    """A project's folder; `environment` is all that its commands see."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def start(
        self, *arguments: str, prefix: Sequence[str] = (), environment: Mapping[str, str | None] | None = None
    ) -> Process:
        """Start the command; `environment` adds to what it sees, None takes away."""
        return self.start_as((*prefix, sys.executable, "-m", "trueup"), *arguments, environment=environment)

    def start_as(
        self, command: Sequence[str], *arguments: str, environment: Mapping[str, str | None] | None = None
    ) -> Process:
        """Another command that takes these arguments, started in the project's folder."""
        seen = {**_plain(), **self.environment, **(environment or {})}
        return start_python(
            [*command, *arguments],
            cwd=self.root,
            env={name: value for name, value in seen.items() if value is not None},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(
        self, *arguments: str, prefix: Sequence[str] = (), environment: Mapping[str, str | None] | None = None
    ) -> Ran:
        """Run the command to its end."""
        return ended(self.start(*arguments, prefix=prefix, environment=environment))

    def records(self, target: str = "prod") -> dict[str, str]:
        """Name to id as the state file alone says it, without the journal."""
        path = self.root / ".trueup" / f"{target}.state.json"
        if not path.exists():
            return {}
        records = json.loads(path.read_text("utf-8"))["records"]
        return {name: record["id"] for name, record in records.items() if name}

    def files(self) -> dict[str, bytes]:
        """Every file of the project, for comparing."""
        found = sorted(path for path in self.root.rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found}

    def leaks(self) -> list[str]:
        """Return the files that hold the key."""
        return [name for name, content in self.files().items() if KEY.encode() in content]


def ended(process: Process) -> Ran:
    """Wait for a started command."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # Python tells where it hung
        out, err = process.communicate()
        raise AssertionError(f"{process.args!r} hung for {PATIENCE:.0f} s: {out!r} {err!r}") from None
    finally:
        process.kill()
    assert process.returncode is not None
    return Ran(process.returncode, out.decode("utf-8"), err.decode("utf-8"))


def prod(url: str, **more: Any) -> str:
    """Return a `trueup.yaml` with the one target `prod` at the URL; `more` are further keys of the target."""
    target = current().yaml(**{"base_url": url, "api_key": {"env": "CANARY_KEY"}, "settle": 0.8, **more})
    return json.dumps({"project": "shop", "targets": {"prod": target}})


@contextmanager
def hosted(root: Path, **more: Any) -> Iterator[tuple[Project, Vendor]]:
    """Make an empty project whose target `prod` is a vendor over HTTP that takes only our key."""
    vendor = open_vendor()
    with vendor, running(vendor, key=KEY) as url:
        project = Project(root, {"CANARY_KEY": KEY})
        project.write("trueup.yaml", prod(url, **more))
        yield project, vendor


def _plain() -> dict[str, str | None]:
    """Return the least environment that a process needs; no proxy, no colour, no setting of ours."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "PYTHONFAULTHANDLER": "1",
    }
