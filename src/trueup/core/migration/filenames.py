"""Display names as names of files: short, in lower case, and safe on every system. Looks at no disk.

What is taken is handed in. The same names in the same order give the same files on every machine.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from itertools import count
from typing import Final

from trueup.core.definitions.names import folded, normal

LENGTH: Final = 60
"""Characters of a file's stem; it also goes into the stamp."""

BYTES: Final = 150
"""Bytes of a file's stem: file systems take 255 for a whole name."""

NAMELESS: Final = "assistant"

_PORTS: Final = frozenset(f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³")
_DEVICES: Final = frozenset({"con", "prn", "aux", "nul"}) | _PORTS
"""Names that Windows keeps for devices, whatever ending follows."""

_NOT_DEFINITIONS: Final = frozenset({"readme"})
"""Stems that would make a Markdown file no definition."""


def stem(name: str, fallback: str = NAMELESS) -> str:
    """A display name as a file's stem: letters and digits of any script, in lower case, with hyphens between.

    `Math Tutor (v2)` is `math-tutor-v2`; a name without a letter or digit is the fallback.
    """
    lower = normal(unicodedata.normalize("NFC", name).lower())
    kept = "".join(letter if _is_kept(letter) else " " for letter in lower)
    text = _cut("-".join(kept.split()))
    if not text or unicodedata.category(text[0])[0] == "M":
        text = f"{fallback}-{text}".rstrip("-")
    return unreserved(text, fallback)


def unreserved(text: str, fallback: str) -> str:
    """The stem, with the fallback behind it where a system keeps the name for itself."""
    return f"{text}-{fallback}" if text in _DEVICES or text in _NOT_DEFINITIONS else text


def free(wanted: str, taken: Collection[str]) -> str:
    """The name, or with the first number behind it that is not taken; `taken` are names as `folded` makes them."""
    return next(name for name in _numbered(wanted) if folded(name) not in taken)


def _numbered(wanted: str) -> Iterator[str]:
    yield wanted
    for number in count(2):
        yield f"{wanted}-{number}"


def _is_kept(letter: str) -> bool:
    """Letters, digits and the marks that letters of many scripts are made with; not what changes when normalised."""
    return unicodedata.category(letter) in ("Ll", "Lu", "Lo", "Lm", "Mn", "Mc", "Nd")


def _cut(text: str) -> str:
    """The text within its lengths, cut at a hyphen where one is near."""
    short = text[:LENGTH]
    while len(short.encode("utf-8")) > BYTES:
        short = short[:-1]
    if short != text:
        head, hyphen, _ = short.rpartition("-")
        short = head if hyphen and len(head) >= LENGTH // 2 else short
    return normal(short).strip("-")
