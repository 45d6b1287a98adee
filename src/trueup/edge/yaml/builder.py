"""Builds plain values from YAML events, within bounds of depth and size, and keeps going after a problem.

Knows the events by their attributes only: no parser is imported here, and no rule of what a definition may hold.
"""

from __future__ import annotations

import re
from sys import intern
from typing import Any, Final, NoReturn

from trueup.core.definitions.document import Document, Lines, Partial, read_scalar
from trueup.core.source import Diagnostic, Path, Position, Severity, SourceMap

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


def make_source_map(root: Mark, lines: Lines) -> SourceMap:
    """Return the marks of a whole document as positions by path."""
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


def copy_value(value: Any) -> Any:
    """Return the same plain value in containers of its own."""
    if type(value) is dict:
        return {key: copy_value(entry) for key, entry in value.items()}
    if type(value) is list:
        return [copy_value(entry) for entry in value]
    return value


class StopReading(Exception):
    """Reading on would be useless or dangerous; the problem has been noted."""


WORD_LENGTH: Final = 60
"""Characters of an unquoted word that a hint repeats."""

_MERGE: Final = object()
"""Stands for the key `<<`."""

_BAD: Final = object()
"""Stands for a key that was refused; its value is read and dropped."""


class Builder:
    """Takes events in order; `document` then gives the value, or what is wrong."""

    def __init__(self, lines: Lines, locate: bool, restore: dict[int, str], *, is_included: bool = False) -> None:
        self.problems: list[Diagnostic] = []
        self._flaws: set[Flaw] = set()
        self._lines = lines
        self._locate = locate
        self._restore = restore
        self._is_included = is_included
        self._stack: list[Frame] = []
        self._anchors: dict[str, Anchored] = {}
        self._nodes = 0
        self._documents = 0
        self._root: Any = None
        self._root_mark: Any = None

    def document(self, file: str) -> Document:
        """Everything read; a file without a node is a problem of its own."""
        if self._root is None and not self.problems:
            what = "what is included" if self._is_included else "at least `model: …`"
            self._note("empty-file", f"{file} is empty", self._lines.at(0, 0), f"Write {what} into it.")
        is_whole = self._root is not None and not self._stack
        source = make_source_map(self._root_mark, self._lines) if self._locate and is_whole else SourceMap()
        if not self.problems:
            return Document(file, self._root, source=source)
        spoilt, incomplete = (frozenset(path for path, kind in self._flaws if kind is whole) for whole in (True, False))
        partial = Partial(self._root, spoilt, incomplete) if is_whole else None
        return Document(file, None, tuple(self.problems), source, partial=partial)

    def start_document(self, event: Any) -> None:
        """Only one document is allowed in a file."""
        self._documents += 1
        if self._documents > 1:
            self._stop("several-documents", SECOND_DOCUMENT[0], event.start_mark, SECOND_DOCUMENT[1])

    def scalar(self, event: Any) -> None:
        """Take a word or a quoted text, as a key or a value."""
        self._nodes += 1
        if event.tag is not None or self._nodes > NODE_LIMIT:
            self._refuse(event)
        if not self._stack:
            self._refuse_top(event, "a single value" if event.value else "nothing")
        frame = self._stack[-1]
        text: str = event.value
        value: Any = self._read_word(text, event) if event.implicit[0] else text
        if self._restore and isinstance(value, str):
            value = value.translate(self._restore)
        if frame.key is None and type(frame.value) is dict:
            self._take_key(frame, value, text, event)
            return
        mark = self._mark_leaf(event) if self._locate else None
        if event.anchor is not None:
            self._anchors[event.anchor] = Anchored(value, mark, 1, 0, flaws=self._flaws_here())
        self._store(frame, value, mark)

    def mapping(self, event: Any) -> None:
        """Open a mapping."""
        self._open({}, event)

    def sequence(self, event: Any) -> None:
        """Open a sequence."""
        if not self._stack and not self._is_included:
            self._refuse_top(event, "a list")
        self._open([], event)

    def end(self, _event: Any) -> None:
        """Close a mapping or a sequence, which becomes a value of what holds it."""
        frame = self._stack.pop()
        if frame.merges:
            self._merge(frame)
        mark = (frame.mark.line, frame.mark.column, frame.marks) if self._locate else None
        if frame.anchor is not None:
            nodes, flaws = self._nodes - frame.before, self._flaws_here()
            self._anchors[frame.anchor] = Anchored(frame.value, mark, nodes, frame.height, flaws=flaws)
        if not self._stack:
            self._root, self._root_mark = frame.value, mark
            return
        parent = self._stack[-1]
        parent.height = max(parent.height, frame.height + 1)
        if type(parent.value) is dict and parent.key is None:
            self._note(
                "complex-key",
                "a list or a mapping cannot be a key",
                self._at(frame.mark),
                "Write the key as text; a text that starts with { or [ needs quotes.",
            )
            self._flaw(is_spoilt=False)
            parent.key = _BAD
            return
        self._store(parent, frame.value, mark)

    def alias(self, event: Any) -> None:
        """`*name`: a copy of what carries the anchor, so that no two places share a value."""
        found = self._anchors.get(event.anchor)
        if not self._stack:
            self._refuse_top(event, "an alias")
        frame = self._stack[-1]
        if found is None or found.open:
            code, what = (
                ("recursive-alias", "is inside its own anchor")
                if found
                else ("unknown-alias", "names no anchor above it")
            )
            self._note(
                code, f"the alias *{event.anchor} {what}", self._at(event.start_mark), "Write the value out here."
            )
            found = Anchored(_BAD, self._mark_leaf(event) if self._locate else None, 1, 0, flaws=(((), True),))
        self._nodes += found.nodes
        if self._nodes > NODE_LIMIT:
            self._refuse(event)
        if len(self._stack) + found.height > DEPTH_LIMIT:
            self._stop("too-deep", TOO_DEEP[0], event.start_mark, TOO_DEEP[1])
        frame.height = max(frame.height, found.height + 1)
        if self._awaits_key():
            self._take_key(frame, found.value, f"*{event.anchor}", event)
            return
        here = self._here() if found.flaws else None
        if here is not None:
            self._flaws |= {((*here, *path), is_spoilt) for path, is_spoilt in found.flaws}
        self._store(frame, None if found.value is _BAD else copy_value(found.value), found.mark)

    def _read_word(self, text: str, event: Any) -> Any:
        """Return what an unquoted text means; one that is no number as JSON has them is noted, and stays text."""
        try:
            return read_scalar(text)
        except ValueError as error:
            self._note(
                "not-a-number",
                f"{str(error)[:120]}",
                self._at(event.start_mark),
                f"Write it in quotes if it is text{_suggest_quotes(text)}.",
            )
            self._flaw(is_spoilt=True, below=(text,) if self._awaits_key() else ())
            return text

    def _open(self, value: Any, event: Any) -> None:
        self._nodes += 1
        if event.tag is not None or self._nodes > NODE_LIMIT:
            self._refuse(event)
        if len(self._stack) >= DEPTH_LIMIT:
            self._stop("too-deep", TOO_DEEP[0], event.start_mark, TOO_DEEP[1])
        self._stack.append(Frame(value, event, self._nodes - 1))
        if event.anchor is not None:
            self._anchors[event.anchor] = Anchored(None, None, 1, 0, is_open=True)

    def _take_key(self, frame: Frame, value: Any, text: str, event: Any) -> None:
        frame.key_mark = event.start_mark
        if value == "<<" and getattr(event, "implicit", (False,))[0]:
            frame.key = _MERGE
            return
        if value is _BAD:
            self._flaw(is_spoilt=False)
            frame.key = _BAD
            return
        if not isinstance(value, str):
            self._note(
                "key-not-text",
                f"the key {text[:60] or 'before the colon'} is not text",
                self._at(event.start_mark),
                f"Put it in quotes{_suggest_quotes(text)}.",
                (*(self._here() or ()), text[:60]),
            )
            self._flaw(is_spoilt=False)
            frame.key = _BAD
            return
        if value in frame.value:
            self._note(
                "duplicate-key",
                f"the key {value[:60]!r} is twice in this mapping",
                self._at(event.start_mark),
                "Keep one of the two.",
                (*(self._here() or ()), value),
            )
            frame.key = _BAD
            return
        frame.key = intern(value)  # the same few words in every file

    def _store(self, frame: Frame, value: Any, mark: Any) -> None:
        if type(frame.value) is list:
            frame.value.append(value)
            if self._locate:
                frame.marks.append(mark)
            return
        key, frame.key = frame.key, None
        if key is _MERGE:
            frame.merges.append((value, mark, frame.key_mark))
        elif key is not _BAD:
            frame.value[key] = value
            if self._locate:
                frame.marks[key] = (frame.key_mark.line, frame.key_mark.column, mark)

    def _merge(self, frame: Frame) -> None:
        """`<<`: the named mappings' keys come first, and give way to those that stand here; earlier ones win."""
        merged: dict[str, Any] = {}
        marks: dict[str, Any] = {}
        for value, mark, at in frame.merges:
            sources = value if type(value) is list else [value]
            below = mark[2] if self._locate and type(value) is list else [mark] * len(sources)
            for index, source in enumerate(sources):
                if type(source) is not dict:
                    self._note(
                        "merge-needs-mapping",
                        "the key << takes a mapping or a list of mappings",
                        self._at(at),
                        "Write `<<: *name`, where &name marks a mapping.",
                    )
                    self._flaw(is_spoilt=False)
                    continue
                for key, entry in source.items():
                    if key not in merged:
                        merged[key] = entry
                        if self._locate:
                            marks[key] = below[index][2][key]
        frame.value = {**merged, **frame.value}
        frame.marks = {**marks, **frame.marks}

    def _refuse(self, event: Any) -> None:
        """Stop at one node too many, and note a tag; an alias has none."""
        if self._nodes > NODE_LIMIT:
            self._stop(
                "too-many-nodes",
                f"the file has more than {NODE_LIMIT:,} values, with aliases expanded",
                event.start_mark,
                "Split it, or use fewer aliases.",
            )
        message, hint = describe_tag(event.tag)
        self._note("tag", message, self._at(event.start_mark), hint, self._here() or ())
        if self._stack and not self._awaits_key() and hasattr(event, "value"):
            self._flaw(is_spoilt=True)

    def _refuse_top(self, event: Any, what: str) -> None:
        hint = "Write a mapping, or a list of tools." if self._is_included else "Start with `model: …`."
        if what == "a list":
            hint = "Start with `model: …`; a file with a list of tools, to be included, has a name that starts with _."
        if re.match(r"[\w.-]+:[^\s:/]", getattr(event, "value", "")):
            hint = "Put a space after the colon, as in `key: value`."
        self._stop("not-a-mapping", f"the file holds {what}; it should hold `key: value` lines", event.start_mark, hint)

    def _stop(self, code: str, message: str, mark: Any, hint: str) -> NoReturn:
        self._note(code, message, self._lines.offset(mark.index), hint)
        raise StopReading

    def _note(self, code: str, message: str, position: Position, hint: str, path: Path = ()) -> None:
        self.problems.append(Diagnostic(Severity.ERROR, code, message, position, path, hint))

    def _at(self, mark: Any) -> Position:
        return self._lines.at(mark.line, mark.column)

    def _mark_leaf(self, event: Any) -> Mark:
        return event.start_mark.line, event.start_mark.column, None

    def _awaits_key(self) -> bool:
        """Return whether a mapping is open whose next node is a key."""
        return type(self._stack[-1].value) is dict and self._stack[-1].key is None

    def _here(self) -> Path | None:
        """Return the path of the next value, or of the open mapping that awaits a key; None in what is dropped."""
        path: list[str | int] = []
        is_merged = False
        for frame in self._stack:
            if type(frame.value) is list:
                path += [] if is_merged else [len(frame.value)]
                is_merged = False
            elif type(frame.key) is str:
                path.append(frame.key)
            elif frame.key is _MERGE:
                is_merged = True
            elif frame.key is _BAD or frame is not self._stack[-1]:
                return None
        return tuple(path)

    def _flaw(self, *, is_spoilt: bool, below: Path = ()) -> None:
        """Note that the value that comes next is spoilt, or that the open mapping lacks a key."""
        here = self._here()
        if here is not None:
            self._flaws.add(((*here, *below), is_spoilt))

    def _flaws_here(self) -> tuple[Flaw, ...]:
        """Return the flaws of the value that comes next, for who names it; most files have none."""
        here = self._here() if self._flaws else None
        if here is None:
            return ()
        size = len(here)
        return tuple((path[size:], is_spoilt) for path, is_spoilt in self._flaws if path[:size] == here)


def _suggest_quotes(word: str) -> str:
    """Return a number's or a word's own characters in quotes, to end a hint with; nothing if they are too many."""
    return f': "{word}"' if len(word) <= WORD_LENGTH else ""
