"""How a text may be spelled where others repeat it: escaped as JSON, once or again, for a URL, or for a page.

Knows nothing of what the texts are, and finds no part of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from html.entities import codepoint2name

_SIGNS = ("\\", "%", "&")
"""What every spelling but the plain one holds."""

_RUN = re.compile(r"[A-Za-z0-9]+")


def may_be_spelled(text: str) -> bool:
    """Whether anything in a text is spelled otherwise than plainly."""
    return any(sign in text for sign in _SIGNS)


@lru_cache(maxsize=64)
def spelled(text: str) -> re.Pattern[str]:
    """The text in all its spellings: `a/b` as `a\\/b`, `\\u0061/b`, `a%2Fb`, `a&#47;b`, escaped up to three times."""
    return re.compile("".join(map(_sign, text)))


def core_of(text: str) -> str:
    """The longest piece of letters and digits, which no escaping touches; by it a long text is searched fast."""
    return max(_RUN.findall(text), key=len, default="")


def replaced(text: str, unwanted: Iterable[str], by: str) -> str:
    """The text with every spelling of each unwanted text replaced, the longest first."""
    for value in sorted(unwanted, key=lambda known: (-len(known), known)):
        text = text.replace(value, by)
        if may_be_spelled(text):
            text = spelled(value).sub(lambda _: by, text)
    return text


def _sign(sign: str) -> str:
    """One character: behind up to eight backslashes in per cents, as an entity, its number, or itself."""
    number = ord(sign)
    names = [f"#0{{0,4}}{number}", f"#x0{{0,4}}{number:x}"]
    names += [codepoint2name[number]] if number in codepoint2name else []
    forms = ["".join(f"%(?:25){{0,3}}{byte:02x}" for byte in sign.encode("utf-8", "surrogatepass"))]
    forms += [f"&(?:amp;){{0,3}}(?:{'|'.join(names)});"]
    forms += [f"u{number:04x}"] if number < 0x10000 else []
    return rf"(?:\\|%5[cC]){{0,8}}(?:(?i:{'|'.join(forms)})|{re.escape(sign)})"
