"""A file as it was read, the rules of plain text, and what an unquoted word means.

Words follow the core schema of YAML 1.2, in which `no` is a string. Bytes are handed in.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.core.source import LINE_LIMIT, Diagnostic, Path, Position, Severity, SourceMap
from trueup.core.texts.merge import find_conflict

SIZE_LIMIT = 2 * 1024 * 1024
"""Bytes that one file may hold."""

YAML_ENDINGS: Final = (".yaml", ".yml")
MARKDOWN_ENDING: Final = ".md"
DEFINITION_ENDINGS: Final = (*YAML_ENDINGS, MARKDOWN_ENDING)
"""How the name of a definition may end, in lower case."""
DATA_ENDINGS: Final = (*YAML_ENDINGS, ".json")
"""How the name of a file ends that is included as a value, and not as text."""

BODY = "---"
"""The key under which a Markdown file's mapping holds what stands below its front matter."""

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_PLAIN = b"\t\n\r" + bytes(range(0x20, 0x7F))
"""The bytes of ASCII that are allowed. What is left without them is UTF-8 still, and most often nothing."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What a file with problems holds nevertheless: it is good for finding more problems, and for nothing else.

    `spoilt` are the paths of values that are not what the file means, `incomplete` those of mappings that lack a key.
    """

    value: Any
    spoilt: frozenset[Path] = frozenset()
    incomplete: frozenset[Path] = frozenset()

    def explains(self, path: Path, code: str) -> bool:
        """Return whether a problem found at a path merely follows from what could not be read."""
        if any(path[:length] in self.spoilt for length in range(len(path) + 1)):
            return True
        holder = {"missing-key": path[:-1], "too-few": path, "declares-nothing": path}.get(code)
        return holder in self.incomplete


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds: a mapping, or a text; None when `diagnostics` or `refusal` say why there is nothing.

    `refusal` is the end of a sentence that begins with the file's name ("does not exist"); whoever named the file
    reports it at that place. `source` is only filled when positions were asked for. `partial` comes with problems of
    single values, where the rest of the file could be read.
    """

    file: str
    value: Any = None
    diagnostics: tuple[Diagnostic, ...] = ()
    source: SourceMap = field(default_factory=SourceMap)
    refusal: str = ""
    partial: Partial | None = None

    @property
    def checkable(self) -> Any:
        """Return the value, or what could be read of one with problems: it may be checked, and not used."""
        return self.value if self.partial is None else self.partial.value


class Lines:
    """The lines of a text, for making positions out of line and column numbers."""

    __slots__ = ("_file", "_lines", "_text")

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text
        self._lines: list[str] | None = None

    def at(self, line: int, column: int) -> Position:
        """Return the position at a line and a column, both counted from 0."""
        if self._lines is None:
            self._lines = self._text.split("\n")
        text = self._lines[line][:LINE_LIMIT] if line < len(self._lines) else ""
        return Position(self._file, line + 1, column + 1, text)

    def offset(self, index: int) -> Position:
        """Return the position of the character at an index counted from 0."""
        start = self._text.rfind("\n", 0, index) + 1
        return self.at(self._text.count("\n", 0, index), index - start)


def decode(data: bytes, file: str) -> str | Diagnostic:
    """Return a file's bytes as text without a byte order mark, or the problem that prevents it."""
    if len(data) > SIZE_LIMIT:
        return _error(
            "too-large",
            f"{file} holds {len(data):,} bytes; a file may hold {SIZE_LIMIT:,}",
            Position(file, 1, 1),
            "Instructions may have 256,000 characters. Split the file, or keep the data in a vector store.",
        )
    try:
        content = data.removeprefix(b"\xef\xbb\xbf")
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return _describe_encoding(data, file, error)
    conflict = find_conflict(text)
    if conflict is not None:
        return _error(
            "conflict-markers",
            "unresolved merge conflict",
            Lines(file, text).offset(conflict),
            "Keep the right lines of both sides and remove the lines <<<<<<<, ======= and >>>>>>>. To keep such "
            "lines in a text, put a space before them.",
        )
    bad = _FORBIDDEN.search(text) if _FORBIDDEN.search(content.translate(None, _PLAIN).decode("utf-8")) else None
    if bad is None:
        return text
    return _error(
        "control-character",
        f"the character U+{ord(bad.group()):04X} is not allowed in a text file",
        Lines(file, text).offset(bad.start()),
        "Remove it; if it is intended, write it as an escape in double quotes.",
    )


def trim_text(text: str) -> str:
    """Convert CRLF to LF and drop the newlines at the end of a text file; keep everything else."""
    return text.replace("\r\n", "\n").rstrip("\n")


def _describe_encoding(data: bytes, file: str, error: UnicodeDecodeError) -> Diagnostic:
    line = data.count(b"\n", 0, error.start)
    before = data[data.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8", "replace")
    what = (
        "looks like UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else f"holds the byte 0x{data[error.start]:02x}"
    )
    return _error(
        "not-utf-8",
        f"{file} is not UTF-8: it {what}",
        Position(file, line + 1, len(before) + 1),
        "Save the file again with the encoding UTF-8.",
    )


def _error(code: str, message: str, position: Position, hint: str) -> Diagnostic:
    return Diagnostic(Severity.ERROR, code, message, position, hint=hint)


Scalar = str | int | float | bool | None

DIGITS: Final = 400
"""Characters a number may have; no double has more digits before its point than 309."""

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_STARTS: Final = frozenset("+-.0123456789")
_INTEGER: Final = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_OCTAL: Final = re.compile(r"0o[0-7]+\Z")
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]+\Z")
_NOT_FINITE: Final = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")


def read_scalar(text: str) -> Scalar:
    """Return the value of a plain scalar by YAML 1.2.2 §10.3.2. Raises ValueError for a number JSON cannot hold."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _STARTS:
        return text
    return _read_number(text)


def _read_number(text: str) -> Scalar:
    if _NOT_FINITE.match(text):
        raise ValueError(f"{text} is not a number that JSON can hold")
    integer = _INTEGER.match(text) or _OCTAL.match(text) or _HEXADECIMAL.match(text)
    if not integer and not _FLOAT.match(text):
        return text
    if len(text) > DIGITS:
        raise ValueError(f"a number of {len(text):,} characters is longer than JSON readers take")
    if integer:
        return int(text) if text[1:2] not in ("o", "x") else int(text, 0)
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is larger than any number that JSON readers take")
    return number


_BEFORE: Final = re.compile(r"(?:[&!][^\s,\[\]{}]*\s+)*")
_WORDS_AT: Final = (
    re.compile(r"'(?:[^']|'')*'"),
    re.compile(r'"[^"\\]*"'),
    re.compile(r"[^\s'\"](?:(?!:(?:\s|$)|\s+#).)*(?<=\S)"),
    re.compile(r"[^\s'\",\[\]{}](?:(?!:(?:\s|$)|\s+#|[,\[\]{}]).)*(?<=\S)"),
)
"""In single quotes, in double quotes without an escape, bare on its line, bare between brackets."""


def find_words(value: Any, position: Position) -> str:
    """Return a value as its line writes it, quotes included; empty where the line does not plainly hold the value."""
    start = _BEFORE.match(position.text, position.column - 1)
    found = (pattern.match(position.text, start.end() if start else 0) for pattern in _WORDS_AT)
    return next((words[0] for words in found if words and _reads_as(words[0], value)), "")


def _reads_as(words: str, value: Any) -> bool:
    if words[0] in "'\"":
        return bool(words[1:-1].replace("''", "'" if words[0] == "'" else "''") == value)
    try:
        read = read_scalar(words)
    except ValueError:
        return False
    return type(read) is type(value) and read == value
