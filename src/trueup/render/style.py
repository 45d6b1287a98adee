"""How words look: the one table of terminal codes, and rows of toned text that become a string at the very end.

Knows no plan. Meaning never rests on a tone alone: whoever builds a row also says it in words or signs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, NotRequired, TypedDict

from trueup.core.texts.escapes import COMMAND


class Tone(Enum):
    """What a stretch of text is, from which its look follows; the value is the terminal's code for it."""

    PLAIN = ""
    STRONG = "1"
    FAINT = "2"
    CREATE = "1;32"
    MODIFY = "1;33"
    DELETE = "1;31"
    HELD = "1;35"
    ADOPT = "1;36"
    UNREAD = "1;31;4"
    GONE = "31"
    FRESH = "32"
    GONE_WORD = "31;7"
    FRESH_WORD = "32;7"
    ERROR = "1;91"
    WARNING = "1;93"
    NOTE = "1;94"
    HINT = "36"
    COMMAND = "36;1"


class Piece(NamedTuple):
    """Some text in one tone; the text holds no line break and nothing a terminal would obey.

    `whole`: it is never broken into rows, such as a command that is to be pasted.
    """

    text: str
    tone: Tone = Tone.PLAIN
    whole: bool = False


Row = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What the reader's place can show; `width` is in terminal columns."""

    color: bool
    width: int = 80
    verbose: bool = False
    ascii_only: bool = False

    @property
    def arrow(self) -> str:
        """From the old value to the new one."""
        return "->" if self.ascii_only else "→"

    @property
    def fold(self) -> str:
        """Where unchanged or further text is left out."""
        return "..." if self.ascii_only else "⋯"

    @property
    def cut(self) -> str:
        """Where a text is cut off."""
        return "..." if self.ascii_only else "…"

    @property
    def dot(self) -> str:
        """Between two facts on one row."""
        return "-" if self.ascii_only else "·"


class LookOptions(TypedDict):
    """What a look is made of, as the writers of text take it."""

    color: bool
    width: int
    ascii_only: NotRequired[bool]


PAGE = Look(color=False, width=96)
"""How values are made visible for a page, whose lines a browser wraps."""

NARROW = 40
"""Columns below which nothing is laid out: a narrower place wraps by itself."""


def make_look(color: bool, width: int, verbose: bool = False, ascii_only: bool = False) -> Look:
    """Return the look of a place of `width` columns."""
    return Look(color, max(width, NARROW), verbose, ascii_only)


def paint(rows: Iterable[Row], color: bool) -> str:
    """Return the rows as text, each ended by a newline; blanks at a row's end are dropped where they carry no tone."""
    return "".join(_paint_row(row, color) + "\n" for row in rows)


def disarm(text: str, second: str = "\u200b#") -> str:
    """Return the text, but nothing in it that a runner takes for a command wherever it stands in a log.

    `second` comes in the place of the second sign of `##`: an invisible blank and the sign, an entity, an escape.
    """
    return COMMAND.sub(lambda _: f"#{second}", text) if "##" in text else text


def disarm_json(text: str) -> str:
    """Return a JSON document of the same value without anything that a runner takes for a command."""
    return disarm(text, "\\u0023")


def disarm_line(line: str) -> str:
    """Return the line, but none that a runner finds a command in when it stands in a log."""
    line = disarm(line)
    return line.replace("::", ":\u200b:", 1) if line.lstrip().startswith("::") else line


def disarm_lines(text: str) -> str:
    """Return a text of which no line is a command to a runner."""
    return "\n".join(map(disarm_line, text.split("\n"))) if "##" in text or "::" in text else text


def _paint_row(row: Row, color: bool) -> str:
    if not color:
        return disarm_line("".join(piece.text for piece in row).rstrip(" "))
    parts = (
        f"\x1b[{piece.tone.value}m{piece.text}\x1b[0m" if piece.tone.value and piece.text else piece.text
        for piece in row
    )
    return disarm_line("".join(parts).rstrip(" "))
