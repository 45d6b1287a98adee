"""A YAML text as a tree of nodes that know where they stand, and the splices that change one of them in its layout.

Knows offsets, columns and comments; not which change is wanted, nor whether it reads back (`edge.yaml.editor`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final

from trueup.core.yaml_text import (
    Form,
    format_after_dash,
    format_after_key,
    format_entries,
    format_flow,
    format_folded,
    format_items,
    format_literal,
    format_scalar,
    is_block_text,
    quote_lines,
)
from trueup.edge.yaml.reader import parse_events

Splice = tuple[int, int, str]
"""From one offset to another, and the text that comes there."""


class CannotSplice(Exception):
    """A part cannot be changed by itself; what holds it is written anew."""


def splice_text(text: str, splices: Sequence[Splice]) -> str:
    """Return the text with all splices done. Raises CannotSplice where two overlap."""
    made, place = [], 0
    for start, end, fresh in sorted(splices, key=lambda splice: splice[:2]):
        if start < place:
            raise CannotSplice("two changes meet")
        made += [text[place:start], fresh]
        place = end
    return "".join([*made, text[place:]])


def find_line_end(text: str, offset: int) -> int:
    """Return the offset of the line break behind an offset, or of the end of the text."""
    found = text.find("\n", offset)
    return len(text) if found < 0 else found


def find_next_line(text: str, offset: int) -> int:
    """Where the line after the one at an offset begins; the end of the text where there is none."""
    return min(find_line_end(text, offset) + 1, len(text))


def skip_blank_lines(text: str, offset: int) -> int:
    """Return the end of the line at an offset, or of the last blank one that follows it."""
    end = find_line_end(text, offset)
    while end < len(text) and not text[end + 1 : find_line_end(text, end + 1)].strip(" "):
        end = find_line_end(text, end + 1)
    return end


BLOCK: Final = ("|", ">")
"""The styles of scalars whose text follows on lines of its own."""


class NodeKind(Enum):
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

    kind: NodeKind
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


def parse_nodes(text: str) -> Node | None:
    """Return the one document of a text that the reader has read without a problem; None where it holds no node."""
    stack: list[tuple[Node, list[Node]]] = []
    for name, event in parse_events(text):
        if name in ("MappingEndEvent", "SequenceEndEvent"):
            node, below = stack.pop()
            _close_node(node, below, event)
        elif name in ("ScalarEvent", "AliasEvent", "MappingStartEvent", "SequenceStartEvent"):
            node = _make_node(name, event, text)
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


def walk_nodes(node: Node) -> list[Node]:
    """Return the node and everything below it, in no particular order."""
    found, waiting = [], [node]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += node.parts
    return found


def _make_node(name: str, event: Any, text: str) -> Node:
    mark = event.start_mark
    made = Node(NodeKind.SCALAR, mark.index, event.end_mark.index, mark.line, mark.column, event.anchor)
    if name == "AliasEvent":
        made.kind, made.text, made.anchor = NodeKind.ALIAS, event.anchor, None
    elif name == "ScalarEvent":
        made.style, made.text = event.style or "", event.value
        if made.style in BLOCK:
            made.end = _find_block_end(text, made)
    else:
        made.kind = NodeKind.MAPPING if name == "MappingStartEvent" else NodeKind.SEQUENCE
        made.flow = bool(event.flow_style)
    return made


def _close_node(node: Node, below: list[Node], event: Any) -> None:
    """Give a collection what it holds. A block one ends with its last node, not where the next one begins."""
    if node.kind is NodeKind.MAPPING:
        node.entries = list(zip(below[::2], below[1::2], strict=True))
    else:
        node.items = below
    node.end = event.end_mark.index if node.flow or not below else below[-1].end


def _find_block_end(text: str, node: Node) -> int:
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


_HEADER: Final = re.compile(r"[|>](?:[1-9][-+]?|[-+][1-9]?)?")
_WIDTH: Final = 80


@dataclass(frozen=True, slots=True)
class Layout:
    """How the text is laid out; `quote` puts every changed text on one line in double quotes."""

    form: Form
    quote: bool = False

    @classmethod
    def of(cls, root: Node, file: str, *, quote: bool = False) -> Layout:
        """Return the layout that the text itself shows: its most usual step, and where its lists stand."""
        steps: Counter[int] = Counter()
        lists: Counter[bool] = Counter()
        for node in walk_nodes(root):
            if node.kind is not NodeKind.MAPPING or node.flow:
                continue
            for key, value in node.entries:
                if value.flow or value.line == key.line or not value.parts:
                    continue
                if value.kind is NodeKind.SEQUENCE:
                    lists[value.column > key.column] += 1
                elif value.column > key.column:
                    steps[value.column - key.column] += 1
        step = steps.most_common(1)[0][0] if steps else 2
        return cls(Form(step, not lists or lists[True] >= lists[False], file.endswith(".json")), quote)


@dataclass(frozen=True, slots=True)
class Place:
    """A node where it stands: `after` is the offset right behind `key:` or the dash, `column` that of the block
    collection around it, -1 at the top; `in_flow` and `is_item` say what kind of collection that is."""

    text: str
    node: Node
    after: int
    column: int
    layout: Layout
    in_flow: bool = False
    is_item: bool = False

    def below(self, key: Node, value: Node) -> Place:
        """Return the place of a mapping's value."""
        after = self.text.index(":", key.end) + 1
        if self.node.flow:
            return replace(self, node=value, after=after, in_flow=True, is_item=False)
        return replace(self, node=value, after=after, column=key.column, in_flow=False, is_item=False)

    def item(self, index: int) -> Place:
        """Return the place of a list's entry."""
        node = self.node.items[index]
        if self.node.flow:
            return replace(self, node=node, after=node.start, in_flow=True, is_item=True)
        return replace(self, node=node, after=self._find_dash(index) + 1, column=self.node.column, is_item=True)

    def replace_value(self, before: Any, after: Any) -> Splice:
        """Return the splice that puts another value here, in the style of the old one."""
        anchor = f"&{self.node.anchor} " if self.node.anchor else ""
        if self.in_flow:
            return self.node.start, self.node.end, anchor + self._format_in_flow(after)
        first, *rest = self._format_lines(before, after)
        first = f" {anchor.rstrip()}{first}" if anchor else first
        if (
            self.node.kind is NodeKind.SCALAR
            and self.node.style not in BLOCK
            and not rest
            and self.node.start > self.after
        ):
            return self.node.start, self.node.end, first[1:]
        comment, end = self._find_comment()
        if _keeps_breaks(first):
            end = skip_blank_lines(self.text, end)
        return self.after, end, "\n".join([first + comment, *rest])

    def add_entries(self, fresh: dict[str, Any]) -> Splice:
        """Return the splice that adds keys to this mapping, behind its last one."""
        if self.node.flow:
            form = format_flow(fresh, self.layout.form)[1:-1]
            return self._insert_in_flow([value for _, value in self.node.entries], len(self.node.entries), form)
        if self.node.kind is not NodeKind.MAPPING or not self.node.entries:
            raise CannotSplice("there is no entry to stand behind")
        lines = format_entries(fresh, self.node.entries[0][0].column, self.layout.form)
        if self.layout.quote:
            lines = [f"{' ' * self.node.entries[0][0].column}{format_flow(fresh)[1:-1]}"] if len(fresh) == 1 else lines
        return self._insert_behind(self.node.entries[-1][1].end, lines)

    def remove_entry(self, key: Node, value: Node, first_kept: int) -> Splice:
        """Return the splice that removes a key and its lines; the entry at `first_kept` is the first to stay."""
        nodes = [node for node, _ in self.node.entries]
        index = next(place for place, node in enumerate(nodes) if node is key)
        if len(nodes) == 1:
            raise CannotSplice("nothing would be left")
        if self.node.flow:
            ends = [entry.end for _, entry in self.node.entries]
            return self._remove_from_flow([node.start for node in nodes], ends, index, first_kept)
        return self._find_line_start(key.start), find_next_line(self.text, value.end), ""

    def add_items(self, index: int, fresh: Sequence[Any]) -> Splice:
        """Return the splice that adds entries to this list, before the one at `index` or at the end."""
        if self.node.flow:
            form = format_flow(list(fresh), self.layout.form)[1:-1]
            return self._insert_in_flow(self.node.items, index, form)
        lines = format_items(fresh, self.node.column, self.layout.form)
        if index:
            return self._insert_behind(self.node.items[index - 1].end, lines)
        start = self._find_line_start(self._find_dash(0))
        return start, start, "".join(f"{line}\n" for line in lines)

    def remove_item(self, index: int, first_kept: int) -> Splice:
        """Return the splice that removes an entry and its lines; the one at `first_kept` is the first to stay."""
        nodes = self.node.items
        if len(nodes) == 1:
            raise CannotSplice("nothing would be left")
        if self.node.flow:
            return self._remove_from_flow(
                [node.start for node in nodes], [node.end for node in nodes], index, first_kept
            )
        return self._find_line_start(self._find_dash(index)), find_next_line(self.text, nodes[index].end), ""

    def _format_in_flow(self, value: Any) -> str:
        if isinstance(value, (dict, list)):
            return format_flow(value, self.layout.form)
        style = '"' if self.layout.quote else self.node.style if self.node.kind is NodeKind.SCALAR else ""
        return format_scalar(value, style, in_flow=True, form=self.layout.form)

    def _format_lines(self, before: Any, after: Any) -> list[str]:
        """Return the new value as lines, the first as it follows `key:` or the dash."""
        form = self.layout.form
        node = self.node
        if isinstance(after, str):
            return self._format_text(before, after)
        if (
            node.kind is NodeKind.ALIAS
            and isinstance(before, dict)
            and isinstance(after, dict)
            and before.keys() <= after.keys()
        ):
            own = {key: entry for key, entry in after.items() if key not in before or entry != before[key]}
            column = self.column + (2 if self.is_item else form.step)
            return ["", f"{' ' * column}<<: *{node.text}", *format_entries(own, column, form)]
        if isinstance(after, (dict, list)) and (self.layout.quote or (node.flow and node.kind is not NodeKind.SCALAR)):
            return [f" {format_flow(after, form)}"]
        if not isinstance(after, (dict, list)) or not after:
            return [f" {format_flow(after)}"]
        if node.kind in (NodeKind.MAPPING, NodeKind.SEQUENCE) and not self.is_item:
            made = (
                format_entries(after, node.column, form)
                if isinstance(after, dict)
                else format_items(after, node.column, form)
            )
            if node.column > self.column or isinstance(after, list):
                return ["", *made]
        return (
            format_after_dash(after, self.column, form) if self.is_item else format_after_key(after, self.column, form)
        )

    def _format_text(self, before: Any, after: str) -> list[str]:
        """Return a text in the style it had; as a block where it has lines and had no quotes that could hold them."""
        style = self.node.style if self.node.kind is NodeKind.SCALAR else ""
        if "\n" in after and not is_block_text(after) and not self.layout.quote and not self.layout.form.is_json:
            first, *rest = quote_lines(after, self._inner_column())
            return [f" {first}", *rest]
        if self.layout.quote or not is_block_text(after):
            return [f" {format_scalar(after, style if style not in BLOCK and not self.layout.quote else '')}"]
        if style in BLOCK and isinstance(before, str):
            return self._format_block(after, style)
        if "\n" not in after or (style == '"' and isinstance(before, str) and "\n" in before):
            return [f" {format_scalar(after, style)}"]
        header, lines = format_literal(after, self._inner_column(), self._parent_column())
        return [f" {header}", *lines]

    def _format_block(self, after: str, style: str) -> list[str]:
        """Return a block scalar with the indentation it had; lines that stay are as they were."""
        raw = self.text[self.node.start : self.node.end].split("\n")[1:]
        column = min((len(line) - len(line.lstrip(" ")) for line in raw if line.strip(" ")), default=0)
        header = self._read_header()
        digit = re.search("[1-9]", header)
        if digit:
            column = self._parent_column() + int(digit.group())
        column = column or self._inner_column()
        own = [line[column:] for line in raw]
        if style == ">":
            width = max(map(len, raw), default=0)
            width = width if width >= _WIDTH // 2 else _WIDTH
            known = _split_paragraphs(own)
            try:
                made, lines = format_folded(after, column, self._parent_column(), width, known)
                return [f" {made}", *lines]
            except ValueError:
                pass  # it has a line that > would not fold: told line by line instead
        made, lines = format_literal(after, column, self._parent_column())
        if digit and not re.search("[1-9]", made):
            made = f"{made[0]}{digit.group()}{made[1:]}"
        return [f" {made}", *lines]

    def _read_header(self) -> str:
        start = self.node.start
        found = _HEADER.search(self.text, self.text.index(self.node.style, start), self.text.index("\n", start))
        assert found is not None
        return found.group()

    def _parent_column(self) -> int:
        """Return the column that a block scalar's digit counts from."""
        return max(self.column, 0)

    def _inner_column(self) -> int:
        return self.column + self.layout.form.step

    def _find_comment(self) -> tuple[str, int]:
        """Return the comment on the value's first line or behind it, with its blanks, and where to splice to."""
        node = self.node
        eol = find_line_end(self.text, node.end)
        lead = self.text[self.after : node.start]
        if node.style in BLOCK:
            header = self.text[node.start : find_line_end(self.text, node.start)]
            lead = header[header.index("#") - 1 :] if " #" in header or "\t#" in header else ""
            found = re.search(r"[ \t]+#.*", header)
            return (found.group() if found else ""), node.end
        if "#" in lead:
            return re.split(r"\n", lead, maxsplit=1)[0].rstrip(), node.end
        if node.kind is NodeKind.ALIAS or node.kind is NodeKind.SCALAR or node.flow:
            return self.text[node.end : eol].rstrip(), eol
        return "", node.end

    def _insert_in_flow(self, nodes: Sequence[Node], index: int, form: str) -> Splice:
        """Return a splice into a flow collection, on a line of its own where the others stand so."""
        if not nodes:
            raise CannotSplice("there is no entry to stand beside")
        node = nodes[index - 1] if index else self.node.entries[0][0] if self.node.entries else nodes[0]
        start = self._find_line_start(node.start)
        first = self.node.entries[max(index - 1, 0)][0] if self.node.entries else node
        start = self._find_line_start(first.start)
        own_line = not self.text[start : first.start].strip() and len(nodes) > 0
        gap = f"\n{self.text[start : first.start]}" if own_line else " "
        if not index:
            return first.start, first.start, f"{form},{gap}"
        return node.end, node.end, f",{gap}{form}"

    def _remove_from_flow(self, starts: Sequence[int], ends: Sequence[int], index: int, first_kept: int) -> Splice:
        """Each entry goes with the comma between it and the first that stays, so that no two of these splices meet."""
        if index < first_kept:
            return starts[index], starts[index + 1], ""
        return ends[index - 1], ends[index], ""

    def _insert_behind(self, offset: int, lines: Sequence[str]) -> Splice:
        """Return the splice that puts lines behind the one at an offset; the text's last line break stays the last."""
        end = find_line_end(self.text, offset)
        if end == len(self.text):
            return end, end, "".join(f"\n{line}" for line in lines)
        return end + 1, end + 1, "".join(f"{line}\n" for line in lines)

    def _find_dash(self, index: int) -> int:
        """Return the offset of an entry's dash; between it and what comes before there are only blanks and comments."""
        start = self.node.items[index].start
        if index == 0:
            return self.node.start if self.text[self.node.start] == "-" else self.text.index("-", self.node.start)
        place = find_line_end(self.text, self.node.items[index - 1].end) + 1
        while place < start:
            line = self.text[place : find_line_end(self.text, place)]
            if line.strip(" ").startswith("-") and len(line) - len(line.lstrip(" ")) == self.node.column:
                return place + self.node.column
            place = find_line_end(self.text, place) + 1
        raise CannotSplice("the entry has no line of its own")

    def _find_line_start(self, offset: int) -> int:
        """Where the line begins. Raises CannotSplice where something else stands on it before."""
        start = self.text.rfind("\n", 0, offset) + 1
        if self.node.flow or not self.text[start:offset].strip(" "):
            return start
        raise CannotSplice("it shares its line")


def _keeps_breaks(first: str) -> bool:
    return first[:2] in (" |", " >") and "+" in first


def _split_paragraphs(lines: Sequence[str]) -> list[list[str]]:
    """Run of lines without a blank one between them."""
    found: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [run for run in found if run]
