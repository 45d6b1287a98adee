"""Where a target is and which keys it is sent, as messages name them: of a key its source, and never its value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from trueup.core.projects.project import SecretRef, Target

_VERSION = re.compile(r"/v\d+(?=/|\Z)")


@dataclass(frozen=True, slots=True)
class Access:
    """The way to a target: its name, its base URL, and in `keys` the words for the keys that it is sent.

    `proposal` is the base URL with the path that the protocol's own address has, empty where this one has a version.
    All are empty where nobody knows them.
    """

    target: str = ""
    url: str = ""
    keys: str = ""
    proposal: str = ""

    def explain(self, status: int, message: str) -> str:
        """Return what a server says, and of 401 and 403 which target said it of which key."""
        if not self.keys or status not in (401, 403):
            return message
        verb = "refused" if status == 401 else "denied access with"
        return f"{self.target} {verb} {self.keys}: {message}"


UNKNOWN = Access()
"""Of an adapter that was made for no target."""


def access_of(target: Target, url: str, own: str, sealed: Mapping[str, Any]) -> Access:
    """Return the way to a target; `own` is the address that the protocol or gateway has, `sealed` are its headers."""
    path = urlsplit(own).path
    lacks_path = path and not _VERSION.search(urlsplit(url).path)
    return Access(target.name, url, _key_words(target, sealed), f"{url}{path}" if lacks_path else "")


def refs_in(value: Any) -> Iterator[SecretRef]:
    """Yield the references to secrets in a header's value, in order."""
    if isinstance(value, SecretRef):
        yield value
    elif isinstance(value, (Mapping, list)):
        for entry in value.values() if isinstance(value, Mapping) else value:
            yield from refs_in(entry)


def _key_words(target: Target, sealed: Mapping[str, Any]) -> str:
    """Return `the key in NAME`, or the same of several; empty where no key is sent."""
    main = target.api_key or target.token
    found = [*([main] if main is not None else []), *(ref for value in sealed.values() for ref in refs_in(value))]
    sources = list(dict.fromkeys(map(_source, found)))
    if not sources:
        return ""
    noun = "keys" if len(sources) > 1 else "key" if target.api_key or main is None else "token"
    return f"the {noun} {', '.join(sources[:-1])}{' and ' if sources[:-1] else ''}{sources[-1]}"


def _source(ref: SecretRef) -> str:
    return f"in {ref.env}" if ref.env else f"from the command `{ref.command[0]}`"
