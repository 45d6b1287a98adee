"""Explains why a text is not YAML: in our words, from the text and the place where a parser stopped.

Knows no parser and none of its messages, so that every version of one leads to the same code, place and hint.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from trueup.edge.yaml.builder import DEPTH_LIMIT, SECOND_DOCUMENT, TOO_DEEP, describe_tag


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
        place = find_match_end(_BLANKS, text, place)
        if place >= len(text):
            return None
        char, following = text[place], text[place + 1 : place + 2]
        if char in "\"'":
            return self._read_quoted(char, place)
        if char in "[]{}@`\t" or (self.flow and char == ","):
            return Token(char, place, place + 1)
        if char in "-?:" and (not following.strip() or (char == ":" and self._ends_flow_key(place, following))):
            return Token(char, place, place + 1)
        if char in "&*!":
            return Token(char, place, find_match_end(_NAME, text, place))
        if (char in "|>" and not self.flow) or (char == "%" and not self.column(place)):
            return Token(char, place, find_match_end(LINE, text, place))
        return Token("text", place, find_match_end(_PLAIN_IN_FLOW if self.flow else _PLAIN, text, place))

    def _ends_flow_key(self, place: int, following: str) -> bool:
        return bool(self.flow) and (following in ",[]{}" or self.text[place - 1] in "\"'")

    def _read_quoted(self, quote: str, place: int) -> Token:
        found = (_DOUBLE if quote == '"' else _SINGLE).match(self.text, place)
        end = found.end() if found else len(self.text)
        border = DOCUMENT.search(self.text, place + 1, end)
        if border is None:
            return Token(quote, place, end, closed=found is not None)
        return Token(quote, place, border.start(), closed=False)


def find_match_end(pattern: re.Pattern[str], text: str, place: int) -> int:
    """Return where a match at a place ends; the place itself if there is none."""
    found = pattern.match(text, place)
    return found.end() if found else place


KEY_LENGTH: Final = 1024
"""Characters that a key on one line may have."""

_DOCUMENT_END: Final = re.compile(r"^\.\.\.(?=\s)", re.MULTILINE)
_SPACES: Final = re.compile(r" *")
_HEADER: Final = re.compile(r"[|>](?:[-+][1-9]?|[1-9][-+]?)?[ \t]*")
_NO_SPACE: Final = re.compile(r"[\w.-]+(:)(?!//)[^\s:]")
_ESCAPE: Final = re.compile(
    r"\\(?:(?P<bad>[^0abt\tnvfe \"/\\N_LP\nxuU]|x(?![0-9a-fA-F]{2})|u(?![0-9a-fA-F]{4})|U(?![0-9a-fA-F]{8})"
    r"|u[dD][89a-fA-F][0-9a-fA-F]{2}|U(?!000[0-9a-fA-F]|0010)|U0000[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class SyntaxFault:
    """A mistake at an offset of the text."""

    offset: int
    message: str
    hint: str
    code: str = "yaml-syntax"


def diagnose(text: str, stop: Stop) -> SyntaxFault:
    """Return the mistake that keeps a parser from reading a text beyond a place."""
    region = Region(text, stop)
    found = next((fault for rule in _RULES if (fault := rule(region)) is not None), None)
    return found or SyntaxFault(
        min(region.at, len(text.rstrip())),
        "this cannot be read as YAML",
        "Compare the indentation and the quotes with the lines above.",
    )


def _find_depth(region: Region) -> SyntaxFault | None:
    return None if region.beyond_limit is None else SyntaxFault(region.beyond_limit, *TOO_DEEP, "too-deep")


def _find_bad_escape(region: Region) -> SyntaxFault | None:
    for token in region.tokens:
        inside = region.text[token.start : token.end] if token.kind == '"' else ""
        bad = next((found for found in _ESCAPE.finditer(inside) if found["bad"]), None)
        if bad is not None:
            return SyntaxFault(
                token.start + bad.start(),
                f"the escape {bad.group()} is not valid in double quotes",
                "Write the backslash twice, or put the text in single quotes, where a backslash is plain text.",
            )
    return None


def _find_open_quote(region: Region) -> SyntaxFault | None:
    token = next((token for token in region.tokens if not token.closed), None)
    if token is None or token.end < region.at:
        return None
    kind, hint = "double" if token.kind == '"' else "single", " at the end of the text"
    if r"\"" in region.text[token.start : token.end]:
        hint += "; a backslash before a quote makes it a part of the text"
    return SyntaxFault(token.start, f"the {kind} quote that opens here is never closed", f"Add {token.kind}{hint}.")


def _find_directive(region: Region) -> SyntaxFault | None:
    token = next((token for token in region.tokens if token.kind == "%"), None)
    if token is None:
        return None
    return SyntaxFault(
        token.start,
        "a line that starts with % is a directive, and directives are not supported",
        "Remove the line, or put the text in quotes.",
    )


def _find_tag(region: Region) -> SyntaxFault | None:
    token = next((one for one in region.tokens if one.kind == "!" and one.start <= region.stop.at <= one.end), None)
    if token is None:
        return None
    return SyntaxFault(token.start, *describe_tag(region.text[token.start : token.end]), "tag")


def _find_bad_header(region: Region) -> SyntaxFault | None:
    token = next((one for one in region.tokens if one.kind in "|>" and one.start < region.stop.at <= one.end), None)
    if token is None:
        return None
    return SyntaxFault(
        find_match_end(_HEADER, region.text, token.start),
        f"only +, - and a digit from 1 to 9 may follow {token.kind} on its line",
        "Start the text on the next line, indented more than its key.",
    )


def _find_tab(region: Region) -> SyntaxFault | None:
    place = region.at
    if region.char != "\t":
        if region.flow or region.before.strip() or "\t" not in region.before:
            return None
        place = region.line_start(place) + region.before.index("\t")
    return SyntaxFault(
        place, "a tab cannot indent YAML; use spaces", "Replace each tab in the indentation with spaces."
    )


def _find_bad_start(region: Region) -> SyntaxFault | None:
    """Find a character with which no text starts; also `*` and `&` where no name follows, as in `**bold**`."""
    char = region.char
    named = next((one for one in region.tokens if one.kind in "&*" and one.start < region.stop.at <= one.end), None)
    if named is not None:
        return SyntaxFault(named.start, f"a text cannot start with {named.kind}", "Put the text in quotes.")
    if char and char in "&*" and re.search(r"[&*]\S+[ \t]+$", region.before):
        return SyntaxFault(region.at, "a value cannot have two anchors, or an anchor and an alias", "Keep one of them.")
    if char and char in "|>" and region.flow:
        return SyntaxFault(region.at, f"a text after {char} cannot stand inside brackets", "Put the text in quotes.")
    if char and (char in "@`%" or (char == "," and not region.flow) or (char == "?" and region.before.strip())):
        return SyntaxFault(region.at, f"a text cannot start with {char}", "Put the text in quotes.")
    return None


def _find_in_brackets(region: Region) -> SyntaxFault | None:
    """Find what is wrong inside brackets, or that they are not closed where a new key begins or the file ends."""
    if not region.flow:
        return None
    opened, char, start = region.flow[-1], region.char, region.line_start(region.at)
    closing = "]" if opened.kind == "[" else "}"
    indent = find_match_end(_SPACES, region.text, start) - start
    dedents = region.block is not None and start > opened.offset and indent <= region.block.column
    if not char or (dedents and char not in "]}") or DOCUMENT.match(region.text, region.at):
        return SyntaxFault(
            opened.offset, f"the {opened.kind} that opens here is never closed", f"Add the closing {closing}."
        )
    where = f"the {opened.kind} of line {region.line(opened.offset)}"
    hint = "Add it, or put quotes around a text that holds a comma, a bracket, or a colon followed by a space."
    if char in "]}" and char != closing:
        message, hint = f"{char} cannot close {where}", f"Close it with {closing}."
    elif char in ",]}":
        message, hint = f"a value is missing before this {char}", "Add the value, or remove the comma."
    elif char == "-":
        message, hint = "a list in brackets has no dashes", "Write `[a, b]`, or the list without brackets."
    elif char == ":":
        message = f"a colon stands in the middle of an entry, inside {where}"
        hint = "Put a comma between two entries, and quotes around a text that holds a colon followed by a space."
    else:
        signs = "a comma or the closing ]" if closing == "]" else "a colon, a comma or the closing }"
        message = f"{signs} is missing before this, inside {where}"
    return SyntaxFault(region.at, message, hint)


def _find_list_in_line(region: Region) -> SyntaxFault | None:
    if region.char != "-" or not region.before.strip(" -?"):
        return None
    return SyntaxFault(
        region.at, "a list cannot start on the line of its key", "Start it on the next line, or write `[a, b]`."
    )


def _find_second_document(region: Region) -> SyntaxFault | None:
    ended = _DOCUMENT_END.search(region.text, region.stop.read, region.at)
    return SyntaxFault(region.at, *SECOND_DOCUMENT, "several-documents") if ended is not None else None


def _find_trailing_text(region: Region) -> SyntaxFault | None:
    """Find text behind a closing quote or bracket."""
    stop = region.stop
    if not stop.style or stop.style in "|>" or not region.char or region.text[stop.read : region.at].strip():
        return None
    if stop.style not in "\"'":
        message, hint = "text follows the closing bracket", "Put quotes around the whole text."
    else:
        other, inner = ("double", "''") if stop.style == "'" else ("single", r"\"")
        message = "text follows the closing quote"
        hint = f"Write {inner} for a quote inside the text, or put the whole text in {other} quotes."
    if region.line(stop.last) < region.line(stop.read - 1):
        message += f"; what it closes starts in line {region.line(stop.last)}"
        hint = "Close it in the line where it ends."
    return SyntaxFault(region.at, message, hint)


def _find_line_without_colon(region: Region) -> SyntaxFault | None:
    """Find a line without a key where the keys of a mapping stand, or above the first of them."""
    if region.flow or (region.block is not None and region.block.kind != ":"):
        return None
    key_column = None if region.block is None else region.block.column
    at = next((place for place, one in enumerate(region.tokens) if _is_key(region, one, key_column)), None)
    if at is None:
        return None
    token, more = region.tokens[at], region.tokens[at + 1 :]
    if token.end - token.start > KEY_LENGTH:
        return SyntaxFault(token.start, f"a key may have at most {KEY_LENGTH:,} characters", "Write a shorter key.")
    if any(other.kind == ":" and region.line(other.start) == region.line(token.start) for other in more):
        return None
    return explain_no_key(region.text, token.start, region.stop.style)


def explain_no_key(text: str, start: int, style: str = "") -> SyntaxFault:
    """Return why the line that starts at an offset holds no key; `style` is the sign of the text above it."""
    found = _NO_SPACE.match(text, start)
    if found is not None:
        return SyntaxFault(found.start(1), "a space is missing after this colon", "Write `key: value`.")
    hint = "Write `key: value`."
    if style in ("|", ">"):
        hint = f"Write `key: value`, or indent the line if it belongs to the text after {style}."
    return SyntaxFault(start, "a colon is missing in this line", hint)


def _is_key(region: Region, token: Token, column: int | None) -> bool:
    """Return whether a token stands where the keys of a mapping stand; `column` is None where no mapping is known."""
    if token.kind not in ("text", '"', "'") or column not in (None, region.column(token.start)):
        return False
    return not region.text[region.line_start(token.start) : token.start].strip(" -?")


def _find_second_colon(region: Region) -> SyntaxFault | None:
    if region.char != ":" or not re.search(r"(?:^---|:)(?:\s|$)", region.before):
        return None
    return SyntaxFault(
        region.at,
        "a second colon in one line needs quotes, or a line of its own",
        "Put quotes around a text that holds a colon followed by a space.",
    )


def _find_stray_bracket(region: Region) -> SyntaxFault | None:
    if not region.char or region.char not in "]}":
        return None
    return SyntaxFault(region.at, f"this {region.char} closes nothing", "Remove it, or put the text in quotes.")


def _find_bad_indentation(region: Region) -> SyntaxFault | None:
    """Find a line that belongs to no list or mapping above, by its column."""
    start = find_match_end(_SPACES, region.text, region.line_start(region.at))
    if not region.char or (region.char != ":" and start != region.at):
        return None
    if region.stop.style and region.stop.style in "|>" and region.stop.read <= start:
        sign = region.stop.style
        return SyntaxFault(
            start,
            f"this line is indented less than the first line of the text after {sign} in line "
            f"{region.line(region.stop.last)}",
            "Indent all lines of the text alike, or start it with its least indented line.",
        )
    block, column = region.block, region.column(start)
    if block is not None and block.column == column and (block.kind == "-") != (region.text[start] == "-"):
        kind, other = ("a list", "a key") if block.kind == "-" else ("a mapping", "a list entry")
        return SyntaxFault(
            start,
            f"{other} cannot stand among the entries of {kind}, which starts in line {region.line(block.offset)}",
            "Indent the line more if it belongs to the entry above.",
        )
    hint = "Start it in the same column as the entries of the list or mapping that it belongs to."
    if region.char == ":":
        hint = "Start it in the same column as the other keys, or put quotes around a text that goes on in this line."
    return SyntaxFault(start, "the indentation of this line fits no line above", hint)


_RULES: Final = (
    _find_depth,
    _find_bad_escape,
    _find_open_quote,
    _find_directive,
    _find_tag,
    _find_bad_header,
    _find_tab,
    _find_bad_start,
    _find_in_brackets,
    _find_list_in_line,
    _find_second_document,
    _find_trailing_text,
    _find_line_without_colon,
    _find_second_colon,
    _find_stray_bracket,
    _find_bad_indentation,
)
"""Tried in order; the first that finds a mistake explains it."""
