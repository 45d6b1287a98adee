"""Of which assistant a 404 says that it is not there, as OpenAI's, Azure's and Foundry's servers word it.

The id stands behind the words, in quotes (users' reports, alike for all three) or bare; gateways put more around it: a
request id, a project, the message once more as text. Knows no request: whose id it is, is for others to compare.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

ABSENT = "No assistant found"
"""How these servers say that an assistant is not there."""

LONGEST = 2_000
"""Characters of a message that are searched."""

_QUOTES = "\"'`\u2018\u2019\u201c\u201d"
_QUOTED = rf"\\*[{_QUOTES}]([^{_QUOTES}\\]*)"
_BARE = r"([A-Za-z.:%-]*[0-9_][A-Za-z0-9_.:%-]*)"
_BEHIND = re.compile(rf"{ABSENT}(?:\s+[a-z]+){{0,3}}?\s+ids?\b\s*[:=]?\s*(?:{_QUOTED}|{_BARE})", re.IGNORECASE)
_ANYWHERE = re.compile(r"(?<![A-Za-z0-9_-])asst_[A-Za-z0-9_.:%-]+")


def id_named(message: str) -> str | None:
    """The id that a message says is not there; None where it names none."""
    text = message[:LONGEST]
    behind = _BEHIND.search(text)
    if behind is not None and behind[1] is not None:
        return unquote(behind[1].strip())
    found = behind[2] if behind is not None else next(iter(_ANYWHERE.findall(text)), "")
    return unquote(found.rstrip(".:")) if found else None
