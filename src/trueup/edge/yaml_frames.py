"""What a YAML reader keeps in hand: open collections, anchors, marks that become positions, and its limits.

Knows no events.
"""

from __future__ import annotations

from typing import Any, Final

from trueup.core.definitions.document import Lines
from trueup.core.source import Path, Position, SourceMap

DEPTH_LIMIT: Final = 100
NODE_LIMIT: Final = 100_000
"""Nodes of one file, each alias counted with everything it stands for."""

TOO_DEEP: Final = (f"the file is nested more than {DEPTH_LIMIT} levels deep", "Make it flatter.")
SECOND_DOCUMENT: Final = (
    "a second YAML document starts here; a file holds exactly one",
    "Move it to a file of its own, or remove the line `---` or `...` before it.",
)
"""Message and hint of problems that the parser and the reader may both come upon."""


def describe_tag(tag: str) -> tuple[str, str]:
    """Return message and hint for a tag, which no file may hold."""
    return f"the tag {tag[:60]} is not allowed", "Remove it: types follow from the value, and quotes make text."


Mark = tuple[int, int, Any]
"""Line, column, and the marks below: a list, or {key: (line, column of the key, mark of the value)}."""


class Frame:
    """A mapping or sequence that is still open. `key` is None while a mapping waits for one."""

    __slots__ = ("anchor", "before", "height", "key", "key_mark", "mark", "marks", "merges", "value")

    def __init__(self, value: Any, event: Any, before: int) -> None:
        self.value = value
        self.mark = event.start_mark
        self.anchor: str | None = event.anchor
        self.before = before
        self.height = 0
        self.key: Any = None
        self.key_mark: Any = None
        self.merges: list[Any] = []
        self.marks: Any = type(value)()


Flaw = tuple[Path, bool]
"""A path at which a value is spoilt (True), or a mapping lacks a key (False)."""


class Anchored:
    """What an alias stands for: its value, marks, number of nodes and depth; `open` while it is being read.

    `flaws` are those of the value, their paths counted from it.
    """

    __slots__ = ("flaws", "height", "mark", "nodes", "open", "value")

    def __init__(
        self, value: Any, mark: Any, nodes: int, height: int, *, is_open: bool = False, flaws: tuple[Flaw, ...] = ()
    ) -> None:
        self.value, self.mark, self.nodes, self.height, self.open = value, mark, nodes, height, is_open
        self.flaws = flaws


def source_map(root: Mark, lines: Lines) -> SourceMap:
    """The marks of a whole document as positions by path."""
    values: dict[Path, Position] = {}
    keys: dict[Path, Position] = {}
    waiting: list[tuple[Path, Mark]] = [((), root)]
    while waiting:
        path, (line, column, below) = waiting.pop()
        values[path] = lines.at(line, column)
        if type(below) is list:
            waiting.extend(((*path, index), mark) for index, mark in enumerate(below))
        elif type(below) is dict:
            for key, (key_line, key_column, mark) in below.items():
                keys[(*path, key)] = lines.at(key_line, key_column)
                waiting.append(((*path, key), mark))
    return SourceMap(values, keys)


def copied(value: Any) -> Any:
    """The same plain value in containers of its own."""
    if type(value) is dict:
        return {key: copied(entry) for key, entry in value.items()}
    if type(value) is list:
        return [copied(entry) for entry in value]
    return value
