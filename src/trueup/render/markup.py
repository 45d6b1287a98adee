"""Text from outside made harmless for markdown and HTML. Knows no plan.

Everything is made visible first, so that neither a control character nor a line break is left. What a forge would turn
into a mention, a link or an emoji is put into a code span, where it does not look for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from trueup.render.style import Look, unrunnable
from trueup.render.visible import shortened, visible

LOOK = Look(color=False, width=96)
"""How values are made visible for a page; `width` is in columns."""

LONGEST = 600
"""Columns of one sentence or name of ours that holds foreign text."""

_PLAIN = re.compile(
    r"""[("'\u201c]*(?:[A-Za-z]+(?:['\u2019-][a-z]+)*|[0-9]+(?:[,.][0-9]+)*%?|[-+/·→])[.,;:!?)"'\u201d]*\Z"""
)
"""A word that is a word in every dialect: nothing that begins a mention, a link, an emoji or an emphasis."""

COMMANDS = frozenset({"trueup", "--on-drift"})
"""Words with which a command to type begins; it goes on to the next stop."""

_WORDS = re.compile(r"(?<!\S)`[^`]*[^`\s][^`]*`[.,;:!?)]*(?!\S)|\S+")
_QUOTED = re.compile(r"`([^`]+)`([.,;:!?)]*)\Z")
"""What is written as code already; the fences are the dialect's."""

_ENDS = (".", ",", ";", ":", ")")
_TAIL = re.compile(r"[.,;:!?)]*\Z")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}

Code = Callable[[str], str]
"""How a dialect writes code."""


def shown(text: str, width: int = LONGEST) -> str:
    """Foreign text on one row, visible and not endless."""
    return shortened(visible(text[: width * 4], LOOK), width, LOOK)


def escaped(text: str) -> str:
    """Visible text for HTML, within an element or an attribute; no runner finds a command of its own in it."""
    safe = "".join(_ENTITIES.get(sign, sign) for sign in text)
    return unrunnable(safe.replace("::", "&#58;:"), "&#35;")


def html_code(text: str) -> str:
    """A code element."""
    return f"<code>{escaped(text)}</code>" if text else ""


def span_code(text: str) -> str:
    """A code span of markdown: its fence is longer than any run of backticks inside."""
    if not text.strip(" "):
        return html_code(text)
    text = unrunnable(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def inline(text: str, code: Code) -> str:
    """A sentence that may hold foreign words: plain words stay, and whatever is none becomes code."""
    parts: list[str] = []
    odd: list[str] = []
    is_command = False
    for word in _WORDS.findall(shown(text.replace("\n", " "))):
        quoted = _QUOTED.match(word)
        if quoted and not is_command:
            _close(parts, odd, code)
            parts.append(code(quoted[1]) + quoted[2])
            continue
        is_command = is_command or word in COMMANDS
        if is_command or not _PLAIN.match(word):
            odd.append(word)
        else:
            _close(parts, odd, code)
            parts.append(word)
        if word.endswith(_ENDS):
            _close(parts, odd, code)
            is_command = False
    _close(parts, odd, code)
    return " ".join(parts)


def _close(parts: list[str], odd: list[str], code: Code) -> None:
    """Writes the words gathered so far as one piece of code, the punctuation after it outside."""
    if not odd:
        return
    whole = " ".join(odd)
    odd.clear()
    tail = _TAIL.search(whole)
    end = tail.start() if tail is not None and tail.start() else len(whole)
    parts.append(code(whole[:end]) + whole[end:])


def marker(*words: str) -> str:
    """A comment by which a program finds its own text again; nothing within can end it."""
    return "<!-- " + " ".join(quote(word, safe=":/._-", errors="replace") for word in words) + " -->"
