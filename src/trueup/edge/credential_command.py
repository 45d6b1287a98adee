"""A command that prints a key or token: run once, and believed when it ends itself, however long its children live.

What it prints is bounded in bytes and in time. It runs without a shell and without a terminal, so nobody can be asked.
Knows no secret: what was printed is handed on, and shown nowhere.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final, NoReturn

from trueup.core.errors import CredentialError

TIMEOUT = 30.0
"""Seconds that a command may take."""

MOST: Final = 64 * 1024
"""Bytes that a command may print: the longest tokens have a few thousand."""

_LOOK: Final = 0.05
"""Seconds between two looks at whether the command has ended while its children hold its output."""

_BY_HAND: Final = "Run it by hand to see why; it has to print the key or token and nothing else."


def printed(command: Sequence[str], environ: Mapping[str, str], folder: Path | None) -> str:
    """What a command printed, which is not nothing; each byte is a character. Raises CredentialError."""
    program = command[0]
    process = _started(command, environ, folder)
    assert process.stdout is not None
    try:
        out = _read(process, process.stdout, program)
    finally:
        _end(process)
    if process.returncode != 0:
        raise CredentialError(f"The command {program} for a credential ended with code {process.returncode}.", _BY_HAND)
    if not out.strip():
        raise CredentialError(f"The command {program} for a credential printed nothing.", _BY_HAND)
    return out.decode("latin-1")


def _started(command: Sequence[str], environ: Mapping[str, str], folder: Path | None) -> subprocess.Popen[bytes]:
    """The process, in a session of its own; its complaints may hold the secret and are not read."""
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            cwd=folder,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it holds an impossible character"
        raise CredentialError(
            f"The command {command[0]} for a credential could not be started: {reason.lower()}.",
            "It is run without a shell: give the program and its arguments as a list, and check the PATH.",
        ) from None


def _read(process: subprocess.Popen[bytes], stream: IO[bytes], program: str) -> bytes:
    """All that the process wrote before it ended; what a child of its own still holds is not waited for."""
    ends = time.monotonic() + TIMEOUT
    if os.name != "posix":  # its pipes cannot be looked at without waiting
        try:
            return process.communicate(timeout=TIMEOUT)[0]
        except subprocess.TimeoutExpired:
            _too_long(program)
    os.set_blocking(stream.fileno(), False)
    out, is_open = b"", True
    with selectors.DefaultSelector() as waiting:
        waiting.register(stream, selectors.EVENT_READ)
        while is_open or process.poll() is None:
            left = ends - time.monotonic()
            if _is_given_up():
                raise asyncio.CancelledError
            if left <= 0:
                _too_long(program)
            if is_open:
                waiting.select(min(left, _LOOK))
            else:
                time.sleep(min(left, _LOOK / 10))
            has_ended = process.poll() is not None  # asked before the pipe is read: all of it is in there by then
            part = _there(stream) if is_open else b""
            is_open = is_open and part != b""
            out += part or b""
            if len(out) > MOST:
                _too_much(program)
            if has_ended and not part:
                break
    return out


def _there(stream: IO[bytes]) -> bytes | None:
    """What can be read at once: None where that is nothing for now, no bytes where that is nothing for ever."""
    try:
        return os.read(stream.fileno(), MOST)
    except BlockingIOError:
        return None


def _is_given_up() -> bool:
    """Whether the work that waits for the command was interrupted: in a session of its own it hears of no Ctrl-C."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    return task is not None and task.cancelling() > 0


def _too_long(program: str) -> NoReturn:
    raise CredentialError(
        f"The command {program} for a credential did not end within {TIMEOUT:g} seconds.",
        "Run it by hand: it may be waiting for an answer, which nobody can give it here.",
    ) from None


def _too_much(program: str) -> NoReturn:
    raise CredentialError(
        f"The command {program} for a credential printed more than {MOST // 1024} KiB, which no key or token "
        "has; it was ended.",
        _BY_HAND,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process with all that it started, if it still runs; a child that outlives it by itself is left alone."""
    if process.poll() is None:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    if process.stdout is not None:
        process.stdout.close()
    process.wait()
