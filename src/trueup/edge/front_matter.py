"""Markdown definitions: the front matter is the mapping, and what stands below it has a key of its own there.

Does not know what the mapping may hold, nor which field the text below is: that is `core.definitions.resolve`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from trueup.core.definitions.document import BODY, Document, Lines, decode, trimmed
from trueup.core.source import Diagnostic, Position, Severity, SourceMap
from trueup.edge.yaml_reader import read_text

_FENCE: Final = re.compile(r"^---[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pieces:
    """A Markdown definition cut up; joined, they are the text: `gap` is what is dropped before the body."""

    opening: str
    front: str
    closing: str
    gap: str
    body: str


def split(text: str) -> Pieces | None:
    """The pieces of a text whose line breaks are LF; None where there is no front matter, or no end of it."""
    opening = _FENCE.match(text)
    closing = _FENCE.search(text, opening.end()) if opening is not None else None
    if opening is None or closing is None:
        return None
    start = closing.end() + 1
    if text.startswith("\n", start):
        start += 1
    first = opening.end() + 1
    return Pieces(
        text[:first], text[first : closing.start()], closing.group(), text[closing.end() : start], text[start:]
    )


def read_markdown(data: bytes, file: str, *, locate: bool = False) -> Document:
    """The definition in a Markdown file; one that opens without front matter is none, and its value is None."""
    decoded = decode(data, file)
    if isinstance(decoded, Diagnostic):
        return Document(file, None, (decoded,))
    text = decoded.replace("\r\n", "\n")
    if _FENCE.match(text) is None:
        return Document(file)
    pieces = split(text)
    if pieces is None:
        return Document(file, None, (_unclosed(file, text),))
    # The fence's line is replaced by an empty one, so that every position is that of the file.
    front = read_text("\n" + pieces.front, file, locate=locate)
    front = _without_mapping(front, file)
    front = replace(front, diagnostics=tuple(_with_line(item, text) for item in front.diagnostics))
    body = trimmed(pieces.body)
    if front.checkable is None or not body.strip():
        return front
    start = len(text) - len(pieces.body)
    return _with_body(front, body, Lines(file, text).offset(start) if locate else None)


def _without_mapping(front: Document, file: str) -> Document:
    """Front matter without a line in it is an empty mapping: the body may be all that a file says."""
    if front.value is None and [item.code for item in front.diagnostics] == ["empty-file"]:
        return Document(file, {}, source=SourceMap({(): Position(file, 1, 1, "---")}))
    return front


def _with_body(front: Document, body: str, at: Position | None) -> Document:
    """The document with the text below its front matter."""
    value: dict[str, Any] = {**front.checkable, BODY: body}
    partial = front.partial
    joined = replace(front, value=value) if partial is None else replace(front, partial=replace(partial, value=value))
    if at is None:
        return joined
    return replace(joined, source=SourceMap({**front.source.values, (BODY,): at}, front.source.keys))


def _with_line(item: Diagnostic, text: str) -> Diagnostic:
    """A problem whose position shows the file's own first line, which the reader was not given."""
    if item.position is None or item.position.line > 1:
        return item
    return replace(item, position=Lines(item.position.file, text).at(0, 0))


def _unclosed(file: str, text: str) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "front-matter-open",
        "the front matter that starts here has no end",
        Lines(file, text).at(0, 0),
        hint="Put a line with `---` between the front matter and the instructions.",
    )
