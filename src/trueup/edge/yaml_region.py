"""Cuts a piece of a YAML text, which a parser could not read, into tokens. Knows no parser and explains nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from trueup.edge.yaml_frames import DEPTH_LIMIT


@dataclass(frozen=True, slots=True)
class Opened:
    """A collection without its end: `kind` is `[` or `{` for one in brackets, `-` for a list, `:` for a mapping."""

    kind: str
    offset: int
    column: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a parser stopped: at the offset `at`, having reported what ends at `read`; `opened` is outermost first.

    `last` is where the last value that ended begins, and `style` its sign: a quote, `|`, `>`, `[` for one in brackets.
    """

    at: int
    read: int = 0
    opened: tuple[Opened, ...] = ()
    last: int = 0
    style: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text: `kind` is its sign, or `text`; a quoted one without an end is not `closed`."""

    kind: str
    start: int
    end: int
    closed: bool = True


_DOUBLE: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SINGLE: Final = re.compile(r"'[^']*(?:''[^']*)*'")
DOCUMENT: Final = re.compile(r"^(?:---|\.\.\.)(?=\s|\Z)", re.MULTILINE)
_PLAIN: Final = re.compile(r".(?:(?!:(?:\s|\Z)|\s#).)*")
_PLAIN_IN_FLOW: Final = re.compile(r".(?:(?!:(?:[\s,\[\]{}]|\Z)|\s#|[,\[\]{}]).)*")
_NAME: Final = re.compile(r"[&*!][^\s,\[\]{}]*")
LINE: Final = re.compile(r".*")
_BLANKS: Final = re.compile(r"(?:[ \n]|(?:(?<=\s)|\A)#.*)+")


class Region:
    """The text between what was read and the place where the parser stopped."""

    def __init__(self, text: str, stop: Stop) -> None:
        self.text, self.stop = text, stop
        self.at = stop.at if text[stop.at :].strip(" \n") else len(text)
        self.char = text[self.at : self.at + 1]
        self.flow = [opened for opened in stop.opened if opened.kind in "[{"]
        self.block = next((opened for opened in reversed(stop.opened) if opened.kind in "-:"), None)
        self.beyond_limit: int | None = None
        self.tokens = list(self._tokens())

    @property
    def before(self) -> str:
        """Return what stands before the place on its line."""
        return self.text[self.line_start(self.at) : self.at]

    def line_start(self, offset: int) -> int:
        """Return the offset at which an offset's line begins."""
        return self.text.rfind("\n", 0, offset) + 1

    def line(self, offset: int) -> int:
        """Return the number of an offset's line, from 1."""
        return self.text.count("\n", 0, offset) + 1

    def column(self, offset: int) -> int:
        """Return the column of an offset, from 0."""
        return offset - self.line_start(offset)

    def _tokens(self) -> Iterator[Token]:
        """Yield the tokens up to the place; keep `flow` up with them, and note the bracket that is `beyond_limit`."""
        depth, pairs = len(self.stop.opened), 0
        token = self._next_token(self.stop.read)
        while token is not None and token.start < self.at:
            yield token
            if token.kind in ("[", "{"):
                self.flow.append(Opened(token.kind, token.start, self.column(token.start)))
                depth += 1
                if depth > DEPTH_LIMIT and self.beyond_limit is None:
                    self.beyond_limit = token.start
            elif token.kind in ("]", "}") and self.flow:
                self.flow.pop()
                depth -= 1
            elif token.kind == ":" and self.flow and self.flow[-1].kind == "[":
                depth, pairs = depth + 1, pairs + 1  # a pair in a list is a mapping of its own
            elif token.kind == ",":
                depth, pairs = depth - pairs, 0
            token = self._next_token(token.end)
        if token is not None and token.start == self.at:
            yield token

    def _next_token(self, place: int) -> Token | None:
        """Return the first token from a place on; None at the end."""
        text = self.text
        place = match_end(_BLANKS, text, place)
        if place >= len(text):
            return None
        char, following = text[place], text[place + 1 : place + 2]
        if char in "\"'":
            return self._quoted(char, place)
        if char in "[]{}@`\t" or (self.flow and char == ","):
            return Token(char, place, place + 1)
        if char in "-?:" and (not following.strip() or (char == ":" and self._ends_flow_key(place, following))):
            return Token(char, place, place + 1)
        if char in "&*!":
            return Token(char, place, match_end(_NAME, text, place))
        if (char in "|>" and not self.flow) or (char == "%" and not self.column(place)):
            return Token(char, place, match_end(LINE, text, place))
        return Token("text", place, match_end(_PLAIN_IN_FLOW if self.flow else _PLAIN, text, place))

    def _ends_flow_key(self, place: int, following: str) -> bool:
        return bool(self.flow) and (following in ",[]{}" or self.text[place - 1] in "\"'")

    def _quoted(self, quote: str, place: int) -> Token:
        found = (_DOUBLE if quote == '"' else _SINGLE).match(self.text, place)
        end = found.end() if found else len(self.text)
        border = DOCUMENT.search(self.text, place + 1, end)
        if border is None:
            return Token(quote, place, end, closed=found is not None)
        return Token(quote, place, border.start(), closed=False)


def match_end(pattern: re.Pattern[str], text: str, place: int) -> int:
    """Return where a match at a place ends; the place itself if there is none."""
    found = pattern.match(text, place)
    return found.end() if found else place
