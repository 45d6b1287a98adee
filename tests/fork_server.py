"""A Python with everything imported, which forks for each command that it is asked for: 25 ms in place of 250.

`python -I fork_server.py FD` serves one client, `tests/forks.py`, on a socket. A request is the words of a command
behind the interpreter, with its folder, environment and streams. The fork has all of these and a process id, signals
and an exit code of its own, and ends as an interpreter ends. It does not repeat the start of Python and the imports:
tests about these have the mark `real_start`.
"""

from __future__ import annotations

import atexit
import faulthandler
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any

import trueup
from trueup.edge import schemas

ON_DEMAND = ("asyncio", "deepdiff", "httpx", "jsonschema", "rfc8785", "sqlite3", "starlette.applications", "uvicorn")
"""What the command imports only when it needs it."""


def main() -> None:
    """Serve until the client is gone; in a fork, run the command and end as it ends."""
    control = socket.socket(fileno=int(sys.argv[1]))
    modules = [module.name for module in pkgutil.walk_packages(trueup.__path__, "trueup.")]
    for name in (*modules, *ON_DEMAND):
        if not name.endswith(".__main__"):
            importlib.import_module(name)
    for name in schemas.list_names():
        schemas.checker_of(name)
    gc.collect()
    gc.freeze()  # a fork shares this memory until it writes to it, and the collector would write to all of it
    request = serve(control)
    if request is not None:
        try:
            run_command(request)
        except SystemExit as end:
            if isinstance(end.code, int):
                exit_at_once(end.code)
            raise


def exit_at_once(code: int) -> None:
    """End as an interpreter does, but without taking all its modules apart: in a fork that copies their memory."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def serve(control: socket.socket) -> dict[str, Any] | None:
    """Fork for each request and report each end. Returns the request in a fork, None when the client is gone."""
    woken, waker = socket.socketpair()
    for end in (woken, waker):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker.fileno())
    reports: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            woken.recv(4096)
            report_ends(reports)
        if control not in ready:
            continue
        text, streams = receive(control)
        if not text:
            return None
        report = socket.socket(fileno=streams.pop())
        number = os.fork()
        if number == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for one in (control, woken, waker, report, *reports.values()):
                one.close()
            take_streams(streams)
            return dict(json.loads(text))
        for stream in streams:
            os.close(stream)
        reports[number] = report
        report.sendall(struct.pack("q", number))


def receive(control: socket.socket) -> tuple[bytes, list[int]]:
    """Return the next request with its streams and the socket for its reports; an empty one at the end."""
    head, streams, _, _ = socket.recv_fds(control, 8, 4)
    if not head:
        return b"", []
    (left,) = struct.unpack("q", head)
    text = b""
    while len(text) < left:
        text += control.recv(left - len(text))
    return text, streams


def report_ends(reports: dict[int, socket.socket]) -> None:
    """Send the exit code of each fork that has ended; minus the number of the signal that killed it."""
    while reports:
        number, status = os.waitpid(-1, os.WNOHANG)
        if number == 0:
            return
        with reports.pop(number) as report:
            try:
                report.sendall(struct.pack("q", os.waitstatus_to_exitcode(status)))
            except BrokenPipeError:  # nobody waits for it
                continue


def take_streams(streams: list[int]) -> None:
    """Put the three streams in the place of the server's own, and open them as an interpreter in UTF-8 does."""
    for place, (stream, name) in enumerate(zip(streams, ("stdin", "stdout", "stderr"), strict=True)):
        os.dup2(stream, place)
        os.close(stream)
        raw = io.FileIO(place, "r" if name == "stdin" else "w", closefd=False)
        buffer = io.BufferedReader(raw) if name == "stdin" else io.BufferedWriter(raw)
        errors = "backslashreplace" if name == "stderr" else "surrogateescape"
        opened = io.TextIOWrapper(buffer, "utf-8", errors, "\n", line_buffering=name == "stderr")
        setattr(sys, name, opened)
        setattr(sys, f"__{name}__", opened)


def run_command(request: dict[str, Any]) -> None:
    """Run `-m MODULE …` or `SCRIPT …`, with -I or without, as the interpreter does. Raises what the command raises."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    if os.environ.get("PYTHONFAULTHANDLER"):
        faulthandler.enable()
    words = request["words"]
    is_isolated = words[0] == "-I"
    words = words[is_isolated:]
    is_module = words[0] == "-m"
    sys.argv = words[is_module:]
    if not is_isolated:
        sys.path.insert(0, request["folder"] if is_module else str(Path(words[0]).parent))
    if is_module:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
