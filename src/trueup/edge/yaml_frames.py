"""What a YAML reader keeps in hand: open collections, anchors, and the marks that become positions. Knows no events."""

from __future__ import annotations

from typing import Any

from trueup.core.definitions.document import Lines
from trueup.core.source import Path, Position, SourceMap

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


class Anchored:
    """What an alias stands for: its value, marks, number of nodes and depth; `open` while it is being read."""

    __slots__ = ("height", "mark", "nodes", "open", "value")

    def __init__(self, value: Any, mark: Any, nodes: int, height: int, *, is_open: bool = False) -> None:
        self.value, self.mark, self.nodes, self.height, self.open = value, mark, nodes, height, is_open


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
