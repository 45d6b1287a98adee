"""A YAML text as a tree of nodes that know where they stand: the ground on which a single value is edited.

Knows what the parser tells of places and styles, not what values mean: that is the reader's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from trueup.edge.yaml_reader import events

BLOCK: Final = ("|", ">")
"""The styles of scalars whose text follows on lines of its own."""


class Kind(Enum):
    """What a node is."""

    SCALAR = "scalar"
    MAPPING = "mapping"
    SEQUENCE = "sequence"
    ALIAS = "alias"


@dataclass(slots=True)
class Node:
    """One node: `start` (where its anchor, if any, begins) to `end` are offsets in the text, `column` counts from 0.

    `text` is a scalar's value or an alias' name; `entries` are a mapping's keys with their values, in order.
    """

    kind: Kind
    start: int
    end: int
    line: int
    column: int
    anchor: str | None = None
    style: str = ""
    text: str = ""
    flow: bool = False
    entries: list[tuple[Node, Node]] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)

    @property
    def parts(self) -> list[Node]:
        """The nodes right below."""
        return self.items or [node for entry in self.entries for node in entry]


def parse(text: str) -> Node | None:
    """The one document of a text that the reader has read without a problem; None where it holds no node."""
    stack: list[tuple[Node, list[Node]]] = []
    for name, event in events(text):
        if name in ("MappingEndEvent", "SequenceEndEvent"):
            node, below = stack.pop()
            _close(node, below, event)
        elif name in ("ScalarEvent", "AliasEvent", "MappingStartEvent", "SequenceStartEvent"):
            node = _node(name, event, text)
            if stack:
                stack[-1][1].append(node)
            if name.endswith("StartEvent"):
                stack.append((node, []))
                continue
        else:
            continue
        if not stack:
            return node
    return None


def walk(node: Node) -> list[Node]:
    """The node and everything below it, in no particular order."""
    found, waiting = [], [node]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += node.parts
    return found


def _node(name: str, event: Any, text: str) -> Node:
    mark = event.start_mark
    made = Node(Kind.SCALAR, mark.index, event.end_mark.index, mark.line, mark.column, event.anchor)
    if name == "AliasEvent":
        made.kind, made.text, made.anchor = Kind.ALIAS, event.anchor, None
    elif name == "ScalarEvent":
        made.style, made.text = event.style or "", event.value
        if made.style in BLOCK:
            made.end = _end_of_block(text, made)
    else:
        made.kind = Kind.MAPPING if name == "MappingStartEvent" else Kind.SEQUENCE
        made.flow = bool(event.flow_style)
    return made


def _close(node: Node, below: list[Node], event: Any) -> None:
    """Gives a collection what it holds. A block one ends with its last node, not where the next one begins."""
    if node.kind is Kind.MAPPING:
        node.entries = list(zip(below[::2], below[1::2], strict=True))
    else:
        node.items = below
    node.end = event.end_mark.index if node.flow or not below else below[-1].end


def _end_of_block(text: str, node: Node) -> int:
    """Where the last line of a block scalar ends; blank lines after it are its own only where the header has `+`."""
    raw = text[node.start : node.end]
    header = raw.partition("\n")[0].partition("#")[0]
    if "+" in header:
        return node.start + len(raw.removesuffix("\n"))
    lines = raw.split("\n")
    column = min((len(line) - len(line.lstrip(" ")) for line in lines[1:] if line.strip(" ")), default=0)
    while len(lines) > 1 and not lines[-1].strip(" ") and len(lines[-1]) <= column:
        lines.pop()
    return node.start + len("\n".join(lines))
