"""Keys and tokens as a type that no output can show, and how they are taken out of what others wrote.

Only `reveal` gives a secret away, and only the headers of a request ask for that.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, NoReturn
from urllib.parse import quote

from trueup.core.call import CREDENTIAL, Body, Reply
from trueup.core.texts.escapes import core_of, has_escaped_run, may_stand_at, replace_spellings, spelling_pattern

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


class Secret:
    """A key or token that no output can show: its text and its repr are `***`, and it cannot be pickled."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself, for a request's headers."""
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
            forms = {value, quote(value, safe=""), *_encode_base64(value)}
            self._known |= forms
            if not _STAND_IN.match(value):
                self._rare |= forms

    def is_in(self, value: Any) -> bool:
        """Whether a secret stands in a JSON value, in any spelling of its one text; words are none."""
        if isinstance(value, Body):
            return False
        text = json.dumps(value)
        lower = text.lower()
        if has_escaped_run(lower):
            return any(spelling_pattern(secret).search(text) for secret in self._rare)
        return any(_is_in_json(text, lower, secret) for secret in self._rare)

    def mask(self, text: str) -> str:
        """Return the text with `***` in the place of every known secret of at least 6 characters, the longest first."""
        return replace_spellings(text, self._known, MASK)

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
        searched = not is_usual or self.is_in(reply.json)
        return Reply(
            reply.status,
            {self.mask(name): self.mask(value) for name, value in reply.headers.items()},
            self.mask_value(reply.json) if searched and not isinstance(reply.json, Body) else reply.json,
            "" if is_usual else self.mask_start(reply.text, SHOWN),
        )

    def mask_value(self, value: Any) -> Any:
        """Return a JSON value with `CREDENTIAL` in the place of every secret that is no ordinary word, in keys too."""
        if isinstance(value, str):
            return replace_spellings(value, self._rare, CREDENTIAL)
        if type(value) is int:
            return CREDENTIAL if any(secret in str(value) for secret in self._rare) else value
        if isinstance(value, list):
            return [self.mask_value(entry) for entry in value]
        if isinstance(value, dict):
            return {self.mask_value(key): self.mask_value(entry) for key, entry in value.items()}
        return value

    def __repr__(self) -> str:
        return f"Secrets({len(self._known)} known)"


def _encode_base64(value: str) -> set[str]:
    """Return how base64 holds a text, whatever stands before it, in both alphabets; none of what is too short."""
    data = value.encode("latin-1", "replace")
    found = set()
    for before in range(3):
        whole = b64encode(b"\0" * before + data).decode()
        skipped, spoiled = (0, 2, 3)[before], (0, 3, 2)[(before + len(data)) % 3]
        inner = whole[skipped : len(whole) - spoiled]
        found |= {inner, inner.replace("+", "-").replace("/", "_")} if len(inner) >= SHORTEST else set()
    return found


def _is_in_json(text: str, lower: str, secret: str) -> bool:
    """Whether JSON, as it is and in lower case, holds a secret; the slow look is only for what holds its core."""
    if json.dumps(secret)[1:-1] in text:
        return True
    core, reach = core_of(secret), REACH * len(secret)
    if len(core) < CORE or core not in lower:
        return False
    pattern = spelling_pattern(secret)
    return any(
        pattern.search(text, max(0, place - reach), place + reach) for place in may_stand_at(core, secret, lower)
    )
