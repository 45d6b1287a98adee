"""Where keys and tokens come from: an environment variable or a command, never a file of the project.

A command is run once and believed when it ends itself, however long its children live. What it prints is bounded in
bytes and in time: the token alone, or JSON with the token and the time it ends, as `az account get-access-token`, `azd
auth token` and `gcloud` print it. It runs without a shell and without a terminal, so nobody can be asked. Knows no
protocol and no header.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final, NoReturn

from trueup.core.call import Call, Reply, Send
from trueup.core.errors import CredentialError
from trueup.core.projects.project import SecretRef
from trueup.edge.http.secrets import Secret, Secrets

TIMEOUT = 30.0
"""Seconds that a command may take."""

MOST: Final = 64 * 1024
"""Bytes that a command may print: the longest tokens have a few thousand."""

_LOOK: Final = 0.05
"""Seconds between two looks at whether the command has ended while its children hold its output."""

_BY_HAND: Final = "Run it by hand to see why; it must print the key or token and nothing else."


def run_command(command: Sequence[str], environ: Mapping[str, str], folder: Path | None) -> str:
    """Return what a command printed, which is not nothing; each byte is a character. Raises CredentialError."""
    program = command[0]
    process = _start_command(command, environ, folder)
    assert process.stdout is not None
    try:
        out = _read_output(process, process.stdout, program)
    finally:
        _end_process(process)
    if process.returncode != 0:
        raise CredentialError(f"The command {program} for a credential ended with code {process.returncode}.", _BY_HAND)
    if not out.strip():
        raise CredentialError(f"The command {program} for a credential printed nothing.", _BY_HAND)
    return out.decode("latin-1")


def _start_command(command: Sequence[str], environ: Mapping[str, str], folder: Path | None) -> subprocess.Popen[bytes]:
    """Return the process, in a session of its own; its complaints may hold the secret and are not read."""
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
        reason = (
            error.strerror if isinstance(error, OSError) and error.strerror else "it contains an impossible character"
        )
        raise CredentialError(
            f"The command {command[0]} for a credential could not be started: {reason.lower()}.",
            "It is run without a shell: give the program and its arguments as a list, and check the PATH.",
        ) from None


def _read_output(process: subprocess.Popen[bytes], stream: IO[bytes], program: str) -> bytes:
    """All that the process wrote before it ended; what a child of its own still holds is not waited for."""
    ends = time.monotonic() + TIMEOUT
    if os.name != "posix":  # its pipes cannot be looked at without waiting
        try:
            return process.communicate(timeout=TIMEOUT)[0]
        except subprocess.TimeoutExpired:
            _refuse_slow(program)
    os.set_blocking(stream.fileno(), False)
    out, is_open = b"", True
    with selectors.DefaultSelector() as waiting:
        waiting.register(stream, selectors.EVENT_READ)
        while is_open or process.poll() is None:
            left = ends - time.monotonic()
            if _is_cancelled():
                raise asyncio.CancelledError
            if left <= 0:
                _refuse_slow(program)
            if is_open:
                waiting.select(min(left, _LOOK))
            else:
                time.sleep(min(left, _LOOK / 10))
            has_ended = process.poll() is not None  # asked before the pipe is read: all of it is in there by then
            part = _read_available(stream) if is_open else b""
            is_open = is_open and part != b""
            out += part or b""
            if len(out) > MOST:
                _refuse_large(program)
            if has_ended and not part:
                break
    return out


def _read_available(stream: IO[bytes]) -> bytes | None:
    """Return what can be read at once: None where that is nothing for now, no bytes where that is nothing for ever."""
    try:
        return os.read(stream.fileno(), MOST)
    except BlockingIOError:
        return None


def _is_cancelled() -> bool:
    """Whether the work that waits for the command was interrupted: in a session of its own it hears of no Ctrl-C."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    return task is not None and task.cancelling() > 0


def _refuse_slow(program: str) -> NoReturn:
    raise CredentialError(
        f"The command {program} for a credential did not end within {TIMEOUT:g} seconds.",
        "Run it by hand: it may be waiting for input, which is not possible here.",
    ) from None


def _refuse_large(program: str) -> NoReturn:
    raise CredentialError(
        f"The command {program} for a credential printed more than {MOST // 1024} KiB, too much for a key or token "
        "has; it was ended.",
        _BY_HAND,
    )


def _end_process(process: subprocess.Popen[bytes]) -> None:
    """End the process with all that it started, if it still runs; a child that outlives it by itself is left alone."""
    if process.poll() is None:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    if process.stdout is not None:
        process.stdout.close()
    process.wait()


_TOKENS: Final = ("accessToken", "access_token", "token")
_ENDS: Final = ("expires_on", "expiresOn", "token_expiry", "expiry")


def read_token(text: str) -> tuple[str, float | None]:
    """Return the token in a program's output, and when it ends in Unix seconds, None where that is not said.

    Output that is no JSON object is the token itself; of an object without a token the token is empty.
    """
    value = _parse_object(text)
    if value is None:
        return text, None
    token = next((value[key] for key in _TOKENS if isinstance(value.get(key), str)), "")
    ends = (_parse_time(value[key]) for key in _ENDS if key in value)
    return token, next((time for time in ends if time is not None), None)


def _parse_object(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _parse_time(value: Any) -> float | None:
    """Return a time as Unix seconds: a number, digits, or a date, which is local time unless it names its zone."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    if value.isascii() and value.isdigit():
        return float(value[:20])
    try:
        return datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


AGAIN = 30.0
"""Seconds within which a command is not run a second time, however often its token is refused."""

EARLY = 120.0
"""Seconds before its end at which a token is had anew; a request that is under way must still be let in."""

_UNFIT = re.compile(r"[^\x20-\x7e\xa0-\xff]")


def read_secret(ref: SecretRef, environ: Mapping[str, str], folder: Path | None = None) -> Secret:
    """Return the secret that a reference leads to; a command runs in `folder`, without a shell.

    Raises CredentialError, which names the variable or the program and never holds what it gave.
    """
    if ref.env:
        return _read_environment(ref.env, environ)
    if ref.command:
        return _read_command(ref.command, environ, folder)
    raise CredentialError(
        "A secret is neither `{env: NAME}` nor `{command: [PROGRAM, ARGUMENT…]}`.",
        "Write one of the two in trueup.yaml.",
    )


class Credential:
    """A secret over the length of a run: had once, and had again from its command when it ends or was refused.

    With `is_token` the command may print JSON that holds the token and says when it ends.
    """

    __slots__ = (
        "_ends", "_environ", "_folder", "_had", "_is_token", "_known", "_lock", "_monotonic", "_ref", "_secret",
        "_wall",
    )  # fmt: skip

    def __init__(
        self,
        ref: SecretRef,
        environ: Mapping[str, str],
        known: Secrets,
        folder: Path | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        *,
        is_token: bool = False,
    ) -> None:
        self._ref, self._environ, self._folder = ref, environ, folder
        self._known, self._monotonic, self._wall, self._is_token = known, monotonic, wall, is_token
        self._lock = threading.Lock()
        self._secret: Secret | None = None
        self._had = 0.0
        self._ends: float | None = None

    def secret(self) -> Secret:
        """Return the secret, had at the first call. Raises CredentialError."""
        known = self._secret
        if known is not None:  # without the lock, which another thread may hold for as long as its command runs
            return known
        with self._lock:
            return self._secret or self._obtain()

    def is_due(self) -> bool:
        """Whether the token ends within two minutes and its command, not run just now, may give another."""
        ending = self._ends is not None and self._wall() >= self._ends - EARLY
        return ending and bool(self._ref.command) and self._monotonic() - self._had >= AGAIN

    def renew(self) -> None:
        """Has the secret again if it is due. Raises CredentialError."""
        with self._lock:
            if self.is_due():
                self._obtain()

    def renew_refused(self, refused: Secret) -> bool:
        """Whether there is now another secret than the refused one; runs its command at most every 30 seconds.

        Raises CredentialError.
        """
        with self._lock:
            if self._secret is not refused:
                return self._secret is not None
            if not self._ref.command or self._monotonic() - self._had < AGAIN:
                return False
            return self._obtain().reveal() != refused.reveal()

    def _obtain(self) -> Secret:
        command = self._ref.command
        if self._is_token and command:
            text, self._ends = read_token(run_command(command, self._environ, self._folder))
            self._secret = _check_secret(text, f"What the command {command[0]} printed")
        else:
            self._secret = read_secret(self._ref, self._environ, self._folder)
        self._had = self._monotonic()
        self._known.add(self._secret)
        return self._secret


def renew_credentials(send: Send, credentials: Sequence[Credential]) -> Send:
    """Return a transport that renews tokens before they end, and once after a 401, which carried nothing out.

    Its `send` raises CredentialError.
    """

    async def send_renewing(call: Call) -> Reply:
        if any(credential.is_due() for credential in credentials):
            await asyncio.to_thread(_renew_due, credentials)
        used = [credential.secret() for credential in credentials]
        reply = await send(call)
        if reply.status != 401:
            return reply
        renewed = await asyncio.to_thread(_renew_refused, credentials, used)
        return await send(call) if renewed else reply

    return send_renewing


def _renew_due(credentials: Sequence[Credential]) -> None:
    for credential in credentials:
        credential.renew()


def _renew_refused(credentials: Sequence[Credential], used: Sequence[Secret]) -> bool:
    renewed = [credential.renew_refused(secret) for credential, secret in zip(credentials, used, strict=True)]
    return any(renewed)


def _read_environment(name: str, environ: Mapping[str, str]) -> Secret:
    value = environ.get(name)
    if value is None or not value.strip():
        state = "is not set" if value is None else "is set, but empty"
        raise CredentialError(
            f"The environment variable {name} {state}.",
            f"Set it (`export {name}=…`), or name another variable or a command in trueup.yaml.",
        )
    return _check_secret(value, f"The environment variable {name}")


def _read_command(command: Sequence[str], environ: Mapping[str, str], folder: Path | None) -> Secret:
    return _check_secret(run_command(command, environ, folder), f"What the command {command[0]} printed")


def _check_secret(value: str, source: str) -> Secret:
    """Return the secret without the white space around it. Raises CredentialError for what no header can carry."""
    text = value.strip()
    if not text:
        raise CredentialError(f"{source} holds no token.", "It must be the token, or JSON with it in accessToken.")
    if _UNFIT.search(text):
        raise CredentialError(
            f"{source} has a line break, a control character or a letter beyond Latin-1, which no header can have.",
            "Print only the key or token, on one line.",
        )
    return Secret(text)
