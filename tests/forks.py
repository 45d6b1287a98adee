"""Python commands in processes of their own: after `turn_on` forks of one server (tests/fork_server.py), else started.

What a fork cannot be like is always started: another program, another encoding, variables of the interpreter.
"""

from __future__ import annotations

import functools
import io
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SERVER = Path(__file__).with_name("fork_server.py")
OBEYED = {"PYTHONFAULTHANDLER", "PYTHONUTF8", "PYTHONDONTWRITEBYTECODE"}
"""The variables of the interpreter that a fork obeys, or has no use for."""

_is_on = False


def turn_on() -> None:
    """Let commands be forks from now on."""
    global _is_on
    _is_on = True


def turn_off() -> None:
    """Let commands be started from now on, and end the server."""
    global _is_on
    _is_on = False
    if _server.cache_info().currsize:
        _server().stop()
        _server.cache_clear()


@contextmanager
def real_starts() -> Iterator[None]:
    """Let commands be started for a while."""
    global _is_on
    before, _is_on = _is_on, False
    try:
        yield
    finally:
        _is_on = before


@dataclass
class ForkedProcess:
    """A command in a fork, with what tests use of `subprocess.Popen[bytes]`."""

    args: Sequence[str]
    pid: int
    stdout: io.FileIO | None
    stderr: io.FileIO | None
    _report: socket.socket
    returncode: int | None = None
    _read: dict[io.FileIO, bytes] = field(default_factory=dict)

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self._await_end(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code as soon as there is one. Raises TimeoutExpired."""
        code = self._await_end(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(list(self.args), timeout or 0.0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """Return all that it writes, as soon as it has ended. Raises TimeoutExpired; then it can be called again."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            for stream in (self.stdout, self.stderr):
                if stream is not None and not stream.closed:
                    selector.register(stream, selectors.EVENT_READ, stream)
            while selector.get_map():
                ready = selector.select(_left(deadline))
                if not ready:
                    raise subprocess.TimeoutExpired(list(self.args), timeout or 0.0)
                for key, _ in ready:
                    content = os.read(key.fd, 65536)
                    self._read[key.data] = self._read.get(key.data, b"") + content
                    if not content:
                        selector.unregister(key.fileobj)
                        key.data.close()
        self.wait(_left(deadline))
        out, err = (self._read.get(stream, b"") if stream else b"" for stream in (self.stdout, self.stderr))
        return out, err

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _await_end(self, seconds: float | None) -> int | None:
        if self.returncode is None:
            self._report.settimeout(seconds)
            try:
                self.returncode = _read_number(self._report)
            except (BlockingIOError, TimeoutError):
                return None
            self._report.close()
        return self.returncode


Process = subprocess.Popen[bytes] | ForkedProcess


class ForkServer:
    """The server's process, and the socket that it takes requests on. Threads may share it."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(SERVER), str(theirs.fileno())], pass_fds=[theirs.fileno()], cwd="/",
                env={**kept, "LANG": "C.UTF-8"}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            )  # fmt: skip
        self._lock = threading.Lock()

    def start(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], streams: tuple[int, int, int]
    ) -> tuple[int, socket.socket]:
        """Start a command of this interpreter; returns its process id, and the socket that will tell its exit code."""
        request = {"words": command[1:], "folder": str(folder), "environment": dict(environment)}
        text = json.dumps(request).encode()
        report, theirs = socket.socketpair()
        with theirs, self._lock:
            socket.send_fds(self._control, [struct.pack("q", len(text))], [*streams, theirs.fileno()])
            self._control.sendall(text)
        return _read_number(report), report

    def stop(self) -> None:
        """End the server; commands that are still under way go on without it."""
        self._control.close()
        self._process.communicate()


@functools.cache
def _server() -> ForkServer:
    return ForkServer()


def start_python(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
) -> Process:
    """Start a command as `subprocess.Popen` does. A stream is None, PIPE (not stdin), DEVNULL, STDOUT or a number."""
    if not (_is_on and _can_be_forked(command, env)):
        return subprocess.Popen(list(command), cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr)
    with ExitStack() as theirs:
        given = _open_stream(stdin, 0, theirs)[0]
        output, out = _open_stream(stdout, 1, theirs)
        errors, err = (output, None) if stderr == subprocess.STDOUT else _open_stream(stderr, 2, theirs)
        number, report = _server().start(command, cwd, env, (given, output, errors))
    return ForkedProcess(command, number, out, err, report)


def _can_be_forked(command: Sequence[str], env: Mapping[str, str]) -> bool:
    locale = env.get("LC_ALL") or env.get("LC_CTYPE") or env.get("LANG")
    is_utf8 = env.get("PYTHONUTF8") == "1" or locale == "C.UTF-8"
    asks_more = any(name.startswith("PYTHON") and name not in OBEYED for name in env)
    return command[0] == sys.executable and command[1] != "-c" and is_utf8 and not asks_more


def _open_stream(wanted: int | None, usual: int, theirs: ExitStack) -> tuple[int, io.FileIO | None]:
    """Return the command's end of a stream, which the stack closes, and our end of a pipe."""
    if wanted == subprocess.PIPE:
        mine, end = os.pipe()
        theirs.callback(os.close, end)
        return end, io.FileIO(mine)
    if wanted == subprocess.DEVNULL:
        end = os.open(os.devnull, os.O_RDWR)
        theirs.callback(os.close, end)
        return end, None
    return usual if wanted is None else wanted, None


def _read_number(report: socket.socket) -> int:
    content = report.recv(8)
    if len(content) != 8:
        raise RuntimeError("The fork server has ended.")
    return int(struct.unpack("q", content)[0])


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
