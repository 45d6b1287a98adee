"""Text from outside made harmless for markdown and HTML. Knows no plan.

Everything is made visible first, so that no control character and no line break is left. What a platform would turn
into a mention, a link or an emoji is put into a code span, where it does not look for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from trueup.core.command import Command, parts_of
from trueup.render.style import PAGE, disarm
from trueup.render.visible import count_columns, make_visible, shorten

if TYPE_CHECKING:
    from trueup.render.model import Member

WHOLE = replace(PAGE, verbose=True)
"""How rows are made for a page: folded nowhere. A page that has an end cuts them itself, and counts what it cuts."""

BROAD = 4_000
"""Columns of a value that stands on one row: more than any that is brief has."""

LONGEST = 600
"""Columns of one sentence or name of ours that holds foreign text."""

_PLAIN = re.compile(
    r"""[("'\u201c]*(?:[A-Za-z]+(?:['\u2019-][a-z]+)*|[0-9]+(?:[,.][0-9]+)*%?|[-+/·→])[.,;:!?)"'\u201d]*\Z"""
)
"""A word that is a word in every dialect: nothing that begins a mention, a link, an emoji or an emphasis."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<before>[("'\u201c]*)
    (?:`(?P<code>[^`]*[^`\s][^`]*)`|(?P<quote>"(?:[^"\\]|\\.)*(?:"|…\Z))|(?P<json>[{\[](?=["{\[\]}A-Za-z0-9-])))
    |(?P<word>\S+))""",
    re.VERBOSE,
)
"""One piece of a sentence: what is code already, a quoted text, the start of a list or a mapping, or any other word."""

_WORD_AT = re.compile(r"\s*(\S+)")
_AFTER = re.compile(r"""[.,;:!?)"'\u201d]*(?=\s|\Z)""")
"""What ends a word or a quotation; the fences are the dialect's."""

_SERVER = re.compile(r"\bHTTP \d{3}\b[^:\"`]{0,60}: (?=\S)")
"""After this come a server's own words, to the end of the sentence."""

_BRACKETS = re.compile(r"""[{\[]|[}\]]|"(?:[^"\\]|\\.)*\"""")

_ENDS = (".", ",", ";", ":", ")")
_TAIL = re.compile(r"[.,;:!?)]*\Z")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}

Code = Callable[[str], str]
"""How a dialect writes code."""


def show(text: str, width: int = LONGEST) -> str:
    """Return foreign text on one row, visible and not endless."""
    return shorten(make_visible(text[: width * 4], PAGE), width, PAGE)


def escape_html(text: str) -> str:
    """Return visible text for HTML, within an element or an attribute; no runner finds a command of its own in it."""
    safe = "".join(_ENTITIES.get(sign, sign) for sign in text)
    return disarm(safe.replace("::", "&#58;:"), "&#35;")


def code_element(text: str) -> str:
    """Return a code element."""
    return f"<code>{escape_html(text)}</code>" if text else ""


def code_span(text: str) -> str:
    """Return a code span of markdown: its fence is longer than any run of backticks inside."""
    if not text.strip(" "):
        return code_element(text)
    text = disarm(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def write_sentence(text: str, code: Code, command: Code | None = None) -> str:
    """Return a sentence that may hold foreign words: plain words stay, and whatever is none becomes code.

    A text in quotes, a value in brackets and what stands in backticks are one piece of code each; so is each command of
    a message, whole, which `command` writes.
    """
    found, room = "", LONGEST
    for part in parts_of(text):
        if isinstance(part, Command):
            found += (command or code)(make_visible(str(part.for_page), PAGE))
            continue
        said = show(part.replace("\n", " "), room) if room > 0 else ""
        room -= count_columns(said)
        end = _end_of_punctuation(said, 0) if found else 0
        found += said[:end] + _outer_blank(said[end:], before=True)
        found += _mark_code(said[end:].strip(" "), code) + _outer_blank(said[end:], before=False)
    return found.strip(" ")


def _outer_blank(said: str, *, before: bool) -> str:
    """Return the blank that parts a text from the command before or after it."""
    return " " if (said.startswith(" ") if before else said.endswith(" ") and said.strip(" ")) else ""


def _mark_code(said: str, code: Code) -> str:
    """Return visible words of a sentence, as `inline` writes them."""
    parts: list[str] = []
    odd: list[str] = []
    at = 0
    answer = _SERVER.search(said)
    if answer is not None:
        return f"{_mark_code(said[: answer.end()].rstrip(' '), code)} {code(said[answer.end() :])}"
    while at < len(said):
        token = _TOKEN.match(said, at)
        if token is None:
            break
        whole = _find_code(said, token)
        if whole is not None:
            _flush_code(parts, odd, code)
            inner, at = whole
            parts.append((token["before"] or "") + code(inner) + said[at : (at := _end_of_punctuation(said, at))])
            continue
        found = _WORD_AT.match(said, at)
        word, at = (found[1], found.end()) if found is not None else (said[at:], len(said))
        if _PLAIN.match(word):
            _flush_code(parts, odd, code)
            parts.append(word)
        else:
            odd.append(word)
        if word.endswith(_ENDS):
            _flush_code(parts, odd, code)
    _flush_code(parts, odd, code)
    return " ".join(parts)


def _find_code(said: str, token: re.Match[str]) -> tuple[str, int] | None:
    """Return what is one piece of code, and where it ends; None for a word, or for what goes on like one."""
    if token["code"] is not None:
        found, end = token["code"], token.end()
    elif token["quote"] is not None:
        found, end = token["quote"], token.end()
    elif token["json"] is not None:
        end = _find_closing(said, token.start("json"))
        found = said[token.start("json") : end]
    else:
        return None
    return (found, end) if end and _AFTER.match(said, end) else None


def _find_closing(said: str, start: int) -> int:
    """Return where the bracket at `start` is closed, or where the value was cut; 0 where it never is."""
    depth = 0
    for sign in _BRACKETS.finditer(said, start):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(sign[0], 0)
        if not depth:
            return sign.end()
    return said.find(PAGE.cut, start) + 1


def _end_of_punctuation(said: str, at: int) -> int:
    found = _AFTER.match(said, at)
    return found.end() if found is not None else at


def write_member(one: Member, code: Code) -> str:
    """Return one assistant of several: its name, its id, and what people know it as."""
    words = ", ".join(code(show(text, 80)) for text in (one.id, one.also) if text)
    return code(show(one.name, 120)) + (f" ({words})" if words else "")


def _flush_code(parts: list[str], odd: list[str], code: Code) -> None:
    """Write the words gathered so far as one piece of code, the punctuation after it outside."""
    if not odd:
        return
    whole = " ".join(odd)
    odd.clear()
    tail = _TAIL.search(whole)
    end = tail.start() if tail is not None and tail.start() else len(whole)
    parts.append(code(whole[:end]) + whole[end:])


def write_marker(*words: str) -> str:
    """Return a comment by which a program finds its own text again; nothing within can end it."""
    return "<!-- " + " ".join(quote(word, safe=":/._-", errors="replace") for word in words) + " -->"
