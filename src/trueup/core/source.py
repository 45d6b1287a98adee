"""Where a value came from, and what is wrong with it. Deliberately does not read files: positions are handed in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

Path = tuple[str | int, ...]
"""The way to a value inside a document: mapping keys and sequence indexes, outermost first."""

LINE_LIMIT = 200
"""Characters of a source line that a position keeps; definitions may hold lines of megabytes."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file; `line` and `column` count from 1, `column` in characters; `text` is the line, cut at 200."""

    file: str
    line: int
    column: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def without_value(self) -> Position:
        """Return the same place with no more of its line than the key, for a line whose value may be a secret."""
        key = _KEY.match(self.text)
        return replace(self, text=f"{key.group()} …" if key else "")

    def without_secret(self) -> Position:
        """Return the same place, its line left out where it looks as if it held a credential."""
        return self.without_value() if _CREDENTIAL.search(self.text) else self


_KEY = re.compile(r"\s*[A-Za-z_][A-Za-z0-9_-]{0,40}:(?=\s|\Z)")
CREDENTIAL_NAME = r"(?:api_?key|authorization|passw(?:or)?d|pwd|secret|sig(?:nature)?|token)"
"""A pattern of the names, or their ends, of values that are credentials."""

_CREDENTIAL = re.compile(
    r"[\"':=] *(?:bearer|basic) +\S"  # the value of a header
    r"|://[^/\s\"'@]+@"  # a user or a password in an address
    rf"|[?&][\w.-]*(?:key|{CREDENTIAL_NAME})=[^\s\"'&]"  # a parameter of an address
    rf"|--?[\w-]*{CREDENTIAL_NAME}[\"']?[ ,=]+[^\s]"  # a flag of a command
    rf"|\b{CREDENTIAL_NAME}[\"']?: *(?!\{{ *\"?(?:env|command)\b)[^\s#]"  # a value; no variable, no command
    r"|\b(?:headers|env(?:_vars)?)[\"']?: *[\[{]\s*[^\s\]}]",
    re.IGNORECASE,
)
"""What a line has that may hold a credential: never shown, whatever is wrong in it."""


class Severity(Enum):
    """How bad a diagnostic is: only an error stops a command."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem as data: a stable `code` (kebab-case), what is wrong, where, and in `hint` what to do next."""

    severity: Severity
    code: str
    message: str
    position: Position | None = None
    path: Path = ()
    hint: str = ""

    def __post_init__(self) -> None:
        if self.position is not None:
            object.__setattr__(self, "position", self.position.without_secret())


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Diagnostics sorted by file, line, column and code, each once; those without a position come last."""

    def key(item: Diagnostic) -> tuple[bool, str, int, int, str, str]:
        at = item.position
        if at is None:
            return (True, "", 0, 0, item.code, item.message)
        return (False, at.file, at.line, at.column, item.code, item.message)

    return tuple(sorted(dict.fromkeys(diagnostics), key=key))


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines of the instructions, from `line` on, that stand in `file` from its line `at` on; both count from 1.

    `at` is 0 where a line of the text is no line of the file: in folded and in quoted YAML.
    """

    line: int
    file: str
    at: int


@dataclass(frozen=True, slots=True)
class SourceMap:
    """Positions of keys and values by path, over everything a document was made of (extends, target, var, file).

    `stretches` are the files that the instructions were joined from, in the text's order.
    """

    values: Mapping[Path, Position] = field(default_factory=dict)
    keys: Mapping[Path, Position] = field(default_factory=dict)
    stretches: tuple[Stretch, ...] = ()

    def value(self, path: Path) -> Position | None:
        """Return the position of the value at the longest known prefix of `path`."""
        return _longest(self.values, path)

    def nearest(self, path: Path) -> Position | None:
        """Return the position of the value that a server means by `path`, as far as the path is known.

        A server may write a key as a number, read a dot in a key as a step, and insert the kind of a value
        (`tools.0.FunctionTool.name`) between steps: a step that leads nowhere is skipped if the next one leads on.
        """
        at: Path = ()
        for place, step in enumerate(path):
            rest = ".".join(str(entry) for entry in path[place:])
            found = self._below(at, step) or self._below(at, rest)
            if found is None and (place + 1 == len(path) or self._below(at, path[place + 1]) is None):
                break
            at = found or at
        return self.value(at)

    def _below(self, at: Path, step: str | int) -> Path | None:
        """Return the path to what a step names, as a number or as a key; None where nothing is known."""
        steps = (step, int(step) if isinstance(step, str) and step.isdecimal() and len(step) < 10 else str(step))
        return next(((*at, one) for one in steps if (*at, one) in self.values), None)

    def key(self, path: Path) -> Position | None:
        """Return the position of the key at `path`, else of the value at the longest known prefix."""
        return self.keys.get(path) or self.value(path)


def _longest(known: Mapping[Path, Position], path: Path) -> Position | None:
    for length in range(len(path), -1, -1):
        found = known.get(path[:length])
        if found is not None:
            return found
    return None


_LITERAL = re.compile(r"(?:[:-]|!!str)\s*\|[-+0-9]*\s*(#.*)?$")


def stretch(line: int, position: Position, lines: int, *, whole_file: bool) -> Stretch:
    """Where so many lines of a text stand that begin at its line `line` and whose value is at a position."""
    if whole_file or (lines == 1 and not _LITERAL.search(position.text)):
        return Stretch(line, position.file, position.line)
    return Stretch(line, position.file, position.line + 1 if _LITERAL.search(position.text) else 0)


def dotted(path: Path) -> str:
    """Format a path as people write it: `tools[2].function.name`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
