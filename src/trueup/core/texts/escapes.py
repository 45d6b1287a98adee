"""Texts that are not what they seem: commands to CI runners, unseen characters, and escaped spellings of a text.

How each format breaks a command or shows a character is its own business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from html.entities import codepoint2name
from typing import Final

COMMAND: Final = re.compile(r"##(?=[\w.-]*\[)")
"""The beginning of what a runner takes for a command anywhere in a line of a log, of stdout and stderr alike.

`##[` is obeyed by GitHub Actions and Azure Pipelines, `##vso[` by Azure Pipelines, `##teamcity[` by TeamCity; whatever
word stands between is taken for one. Two colons, which GitHub obeys where a line begins with them, depend on the line
and not on the text alone.
"""

SIGNS: Final = (
    "\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
)
"""For a class of a regular expression: what a terminal obeys, what turns the direction of writing, and what shows
nothing at all and still is read by a model. Joiners (U+200C, U+200D) are none: scripts and emoji are written with them.
"""

UNSEEN: Final = re.compile(f"[\x00-\x08\x0b-\x1f{SIGNS}]")
"""One of these signs, or a control character that is no tab and no line break."""


def name_unseen(text: str, most: int = 3) -> str:
    """List the invisible characters of a text by code point, in order: `U+202E, U+2066 and 2 more`."""
    found = list(dict.fromkeys(f"U+{ord(sign):04X}" for sign in UNSEEN.findall(text)))
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


_SIGNS = ("\\", "%", "&")
"""What every spelling but the plain one holds."""

_RUN = re.compile(r"[A-Za-z0-9]+")
_UNSEEN = r"\s\x00-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
"""White space, controls and characters without width: what a text may be broken up by, and still be read."""

_BLANKS = re.compile(f"[{_UNSEEN}]+")
_BREAK = rf"(?:[{_UNSEEN}]|\\{{1,8}}[nrtbf]|%(?:0[ad]|20)|&nbsp;){{0,64}}"
"""The same, plain or escaped, between two characters."""

_ESCAPED = {
    "%": re.compile(r"(?:%(?:25)*[0-9a-f]{2}){6}"),
    "&": re.compile(r"(?:&(?:amp;)*#x?[0-9a-f]+;?){6}"),
    "\\\\u": re.compile(r"(?:\\{2,8}u[0-9a-f]{4}){6}"),
}
"""Six escaped characters on end in a JSON text, by what each of them holds; a backslash of a value is two there."""


def may_be_spelled(text: str) -> bool:
    """Whether anything in a text is spelled otherwise than plainly."""
    return any(sign in text for sign in _SIGNS)


@lru_cache(maxsize=64)
def spelling_pattern(text: str) -> re.Pattern[str]:
    """Return the pattern of all spellings of a text: `a/b` as `a\\/b`, `\\u0061/b`, `a%2Fb`, `a&#47;b`, `A/B`, `a/ b`.

    Escapes are found up to three times over, and white space between any two characters.
    """
    return re.compile(_BREAK.join(map(_spell_sign, text)), re.IGNORECASE)


def core_of(text: str) -> str:
    """Return the longest piece of letters and digits in lower case: no escaping touches it."""
    return max(_RUN.findall(text), key=len, default="").lower()


def may_stand_at(core: str, secret: str, lower: str) -> Iterator[int]:
    """Yield where the core of a text stands in another one, in lower case, with signs beside it that may be its own."""
    start = secret.lower().find(core)
    before, after = secret[start - 1 : start].lower(), secret[start + len(core) :][:1].lower()
    place = lower.find(core)
    while place >= 0:
        end = place + len(core)
        left, right = lower[max(0, place - 1) : place], lower[end : end + 1]
        if (not before or left in f"{before};0123456789abcdef") and (not after or right in f"{after}\\%&"):
            yield place
        place = lower.find(core, place + 1)


def has_escaped_run(lower: str) -> bool:
    """Whether six characters on end are escaped in JSON in lower case: even letters and digits may be, then."""
    return any(sign in lower and pattern.search(lower) is not None for sign, pattern in _ESCAPED.items())


def replace_spellings(text: str, unwanted: Iterable[str], by: str) -> str:
    """Replace every spelling of each unwanted text, the longest first."""
    for value in sorted(unwanted, key=lambda known: (-len(known), known)):
        text = text.replace(value, by)
        if may_be_spelled(text) or core_of(value) in _BLANKS.sub("", text).lower():
            text = spelling_pattern(value).sub(lambda _: by, text)
    return text


def _spell_sign(sign: str) -> str:
    """One character: behind up to eight backslashes in per cents, as an entity, its number, or itself."""
    number = ord(sign)
    names = [f"#0{{0,4}}{number}", f"#x0{{0,4}}{number:x}"]
    names += [codepoint2name[number]] if number in codepoint2name else []
    forms = ["".join(f"%(?:25){{0,3}}{byte:02x}" for byte in sign.encode("utf-8", "surrogatepass"))]
    forms += [f"&(?:amp;){{0,3}}(?:{'|'.join(names)});?"]
    forms += [f"u{number:04x}"] if number < 0x10000 else []
    return rf"(?:\\|%5c){{0,8}}(?:{'|'.join(forms)}|{re.escape(sign)})"
