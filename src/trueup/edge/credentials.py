"""Keys and tokens: where they come from, and how they stay out of every output. Knows no protocol and no header.

A secret comes from an environment variable or from a command, never from a file of the project. It is a type whose
text is `***`; only `reveal` gives it away, and only the headers of a request ask for that.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from trueup.core.call import CREDENTIAL, Body, Call, Reply, Send
from trueup.core.errors import CredentialError
from trueup.core.projects.project import SecretRef
from trueup.core.texts.escapes import core_of, has_escaped_run, may_stand_at, replaced, spelled
from trueup.edge.credential_command import printed
from trueup.edge.tokens import read_token

AGAIN = 30.0
"""Seconds within which a command is not run a second time, however often its token is refused."""

EARLY = 120.0
"""Seconds before its end at which a token is had anew; a request that is under way must still be let in."""

MASK = "***"
SHORTEST = 6
"""Characters from which on a secret is masked in foreign text; shorter ones would blacken ordinary words."""

_STAND_IN = re.compile(r"(?=.{,23}\Z)(?:[a-z]+(?:[-_. ][a-z]+)*|[0-9]+)\Z")
"""What people give a server that asks for no real key: words in lower case, or digits alone, below 24 characters."""

SHOWN = 500
"""Characters of a foreign body that are kept as text."""

REACH = 40
"""Characters that one of a secret may be spelled by in a large answer."""

CORE = 4
"""Letters and digits on end by which a secret that is spelled otherwise is looked for in a large answer."""

_UNFIT = re.compile(r"[^\x20-\x7e\xa0-\xff]")


class Secret:
    """A key or token that no output can show: its text and its repr are `***`, and it cannot be pickled."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, for a request's headers."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __format__(self, _spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written down")


class Secrets:
    """All secrets of a run, to be taken out of texts that others wrote: server messages, a command's complaints.

    A secret that is made of ordinary words is only taken out of messages: in an assistant's fields, and in the words
    of the protocol itself, they would mean something else.
    """

    __slots__ = ("_known", "_rare")

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._known: set[str] = set()
        self._rare: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: Secret) -> None:
        """Take one more secret in, as it is, as a URL holds it, and in base64."""
        value = secret.reveal()
        if len(value) >= SHORTEST and value not in self._known:
            forms = {value, quote(value, safe=""), *_in_base64(value)}
            self._known |= forms
            if not _STAND_IN.match(value):
                self._rare |= forms

    def occur_in(self, value: Any) -> bool:
        """Whether a secret stands in a JSON value, in any spelling of its one text; words are none."""
        if isinstance(value, Body):
            return False
        text = json.dumps(value)
        lower = text.lower()
        if has_escaped_run(lower):
            return any(spelled(secret).search(text) for secret in self._rare)
        return any(_stands_in(text, lower, secret) for secret in self._rare)

    def mask(self, text: str) -> str:
        """The text with `***` in the place of every known secret of at least 6 characters, the longest first."""
        return replaced(text, self._known, MASK)

    def mask_start(self, text: str, most: int) -> str:
        """Return the start of a text, masked before it is cut: what is cut first may end in most of a key.

        Of a text that is nearly all keys nothing is left, since its own end may be one that was cut.
        """
        masked = self.mask(text)
        return masked[:most] if len(masked) >= 8 * most or len(text) <= 4 * most else masked[: len(masked) // 8][:most]

    def mask_reply(self, reply: Reply) -> Reply:
        """Return the answer without a secret in its headers, its body or its text.

        A body of success, which may be large, is searched as a whole first: a secret that is broken up by white space
        is not found in it, and its text is of no use to anybody. Everything else is searched text by text.
        """
        is_usual = 200 <= reply.status < 300 and not isinstance(reply.json, Body)
        searched = not is_usual or self.occur_in(reply.json)
        return Reply(
            reply.status,
            {self.mask(name): self.mask(value) for name, value in reply.headers.items()},
            self.mask_value(reply.json) if searched and not isinstance(reply.json, Body) else reply.json,
            "" if is_usual else self.mask_start(reply.text, SHOWN),
        )

    def mask_value(self, value: Any) -> Any:
        """A JSON value with `CREDENTIAL` in the place of every secret that is no ordinary word, in keys too."""
        if isinstance(value, str):
            return replaced(value, self._rare, CREDENTIAL)
        if type(value) is int:
            return CREDENTIAL if any(secret in str(value) for secret in self._rare) else value
        if isinstance(value, list):
            return [self.mask_value(entry) for entry in value]
        if isinstance(value, dict):
            return {self.mask_value(key): self.mask_value(entry) for key, entry in value.items()}
        return value

    def __repr__(self) -> str:
        return f"Secrets({len(self._known)} known)"


def _in_base64(value: str) -> set[str]:
    """Return how base64 holds a text, whatever stands before it, in both alphabets; none of what is too short."""
    data = value.encode("latin-1", "replace")
    found = set()
    for before in range(3):
        whole = b64encode(b"\0" * before + data).decode()
        skipped, spoiled = (0, 2, 3)[before], (0, 3, 2)[(before + len(data)) % 3]
        inner = whole[skipped : len(whole) - spoiled]
        found |= {inner, inner.replace("+", "-").replace("/", "_")} if len(inner) >= SHORTEST else set()
    return found


def _stands_in(text: str, lower: str, secret: str) -> bool:
    """Whether JSON, as it is and in lower case, holds a secret; the slow look is only for what holds its core."""
    if json.dumps(secret)[1:-1] in text:
        return True
    core, reach = core_of(secret), REACH * len(secret)
    if len(core) < CORE or core not in lower:
        return False
    pattern = spelled(secret)
    return any(
        pattern.search(text, max(0, place - reach), place + reach) for place in may_stand_at(core, secret, lower)
    )


def resolve(ref: SecretRef, environ: Mapping[str, str], folder: Path | None = None) -> Secret:
    """The secret that a reference leads to; a command runs in `folder`, without a shell.

    Raises CredentialError, which names the variable or the program and never holds what it gave.
    """
    if ref.env:
        return _from_environment(ref.env, environ)
    if ref.command:
        return _from_command(ref.command, environ, folder)
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
        """The secret, had at the first call. Raises CredentialError."""
        known = self._secret
        if known is not None:  # without the lock, which another thread may hold for as long as its command runs
            return known
        with self._lock:
            return self._secret or self._have()

    def is_due(self) -> bool:
        """Whether the token ends within two minutes and its command, not run just now, may give another."""
        ending = self._ends is not None and self._wall() >= self._ends - EARLY
        return ending and bool(self._ref.command) and self._monotonic() - self._had >= AGAIN

    def renew(self) -> None:
        """Has the secret again if it is due. Raises CredentialError."""
        with self._lock:
            if self.is_due():
                self._have()

    def fresh(self, refused: Secret) -> bool:
        """Whether there is now another secret than the refused one; runs its command at most every 30 seconds.

        Raises CredentialError.
        """
        with self._lock:
            if self._secret is not refused:
                return self._secret is not None
            if not self._ref.command or self._monotonic() - self._had < AGAIN:
                return False
            return self._have().reveal() != refused.reveal()

    def _have(self) -> Secret:
        command = self._ref.command
        if self._is_token and command:
            text, self._ends = read_token(printed(command, self._environ, self._folder))
            self._secret = _checked(text, f"What the command {command[0]} printed")
        else:
            self._secret = resolve(self._ref, self._environ, self._folder)
        self._had = self._monotonic()
        self._known.add(self._secret)
        return self._secret


def renewing(send: Send, credentials: Sequence[Credential]) -> Send:
    """A transport that has ending tokens anew, and sends a call once more after a 401, which carried nothing out, if
    there is another token by then. Its `send` raises CredentialError.
    """

    async def send_renewing(call: Call) -> Reply:
        if any(credential.is_due() for credential in credentials):
            await asyncio.to_thread(_renew, credentials)
        used = [credential.secret() for credential in credentials]
        reply = await send(call)
        if reply.status != 401:
            return reply
        renewed = await asyncio.to_thread(_any_fresh, credentials, used)
        return await send(call) if renewed else reply

    return send_renewing


def _renew(credentials: Sequence[Credential]) -> None:
    for credential in credentials:
        credential.renew()


def _any_fresh(credentials: Sequence[Credential], used: Sequence[Secret]) -> bool:
    renewed = [credential.fresh(secret) for credential, secret in zip(credentials, used, strict=True)]
    return any(renewed)


def _from_environment(name: str, environ: Mapping[str, str]) -> Secret:
    value = environ.get(name)
    if value is None or not value.strip():
        state = "is not set" if value is None else "is set, but empty"
        raise CredentialError(
            f"The environment variable {name} {state}.",
            f"Set it (`export {name}=…`), or name another variable or a command in trueup.yaml.",
        )
    return _checked(value, f"The environment variable {name}")


def _from_command(command: Sequence[str], environ: Mapping[str, str], folder: Path | None) -> Secret:
    return _checked(printed(command, environ, folder), f"What the command {command[0]} printed")


def _checked(value: str, source: str) -> Secret:
    """The secret without the white space around it. Raises CredentialError for what no header can carry."""
    text = value.strip()
    if not text:
        raise CredentialError(f"{source} holds no token.", "It has to be the token, or JSON with it in accessToken.")
    if _UNFIT.search(text):
        raise CredentialError(
            f"{source} holds a line break, a control character or a letter beyond Latin-1, which no header can carry.",
            "Give the key or token alone, on one line.",
        )
    return Secret(text)
