"""The one door to YAML: bytes in, plain values, positions and problems out. Does not know what a definition is.

Values are built from the parser's events with a stack of its own, so that no input can exhaust the interpreter's; what
a word means is YAML 1.2 (`core.definitions.scalars`). No tag is ever followed, so no file can construct anything else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from trueup.core.definitions.document import Document, Lines, decode
from trueup.core.source import Diagnostic, Position, Severity
from trueup.edge.yaml_builder import Builder, StopReading

HAS_C: Final = bool(yaml.__with_libyaml__)
"""Whether libyaml is there; without it reading takes eleven times as long (SPEED: a matter of one notice)."""

_LOADER: Final[Any] = yaml.CSafeLoader if HAS_C else yaml.SafeLoader

# YAML 1.1, which the parser speaks, breaks lines at these three; YAML 1.2 and every editor do not.
_BREAKS: Final = "\x85\u2028\u2029"
_PAIR: Final = re.compile(r"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})")

_ADVICE: Final = (
    ("tab character", "Indent with spaces, not tabs."),
    ("cannot start any token", "Indent with spaces, not tabs, and put quotes around text that starts with @, ` or %."),
    ("mapping values are not allowed", "Put quotes around a text that holds a colon followed by a space."),
    ("could not find expected ':'", "Write `key: value`, with a colon and a space after the key."),
    ("did not find expected key", "Check the indentation here, and quotes that close too early."),
    ("block collection", "Check the indentation here: entries of one list or mapping start in the same column."),
    ("expected ',' or", "A bracket or a brace that was opened is not closed, or a comma is missing."),
    ("escape", "In double quotes a backslash starts an escape; write it twice, or use single quotes."),
    ("quoted scalar", "A quote that was opened is not closed."),
)


def read(text: bytes, file: str, *, locate: bool = False) -> Document:
    """The mapping in a YAML or JSON file; every problem becomes a diagnostic and none is raised."""
    decoded = decode(text, file)
    if isinstance(decoded, Diagnostic):
        return Document(file, None, (decoded,))
    return read_text(decoded, file, locate=locate)


def read_text(text: str, file: str, *, locate: bool = False) -> Document:
    """The same for a text that has been decoded."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = Lines(file, text)
    text, restore = _with_stand_ins(text, file.endswith(".json"))
    builder = Builder(lines, locate, restore)
    try:
        loader = _LOADER(text)
        try:
            _drain(loader.get_event, builder)
        finally:
            loader.dispose()
    except StopReading:
        pass
    except yaml.YAMLError as error:
        builder.problems.append(_syntax(error, lines))
    return builder.document(file)


def events(text: str) -> Iterator[tuple[str, Any]]:
    """The parser's events with their names, for who needs the places and the styles of nodes, line breaks being LF.

    The text is one that `read_text` has read without a problem; marks count characters.
    """
    loader = _LOADER(_with_stand_ins(text, is_json=False)[0])
    try:
        while True:
            event = loader.get_event()
            yield type(event).__name__, event
            if isinstance(event, yaml.StreamEndEvent):
                return
    finally:
        loader.dispose()


def _drain(next_event: Any, builder: Builder) -> None:
    """Hands every event to the builder's method for it."""
    take = {
        yaml.ScalarEvent: builder.scalar,
        yaml.MappingStartEvent: builder.mapping,
        yaml.MappingEndEvent: builder.end,
        yaml.SequenceStartEvent: builder.sequence,
        yaml.SequenceEndEvent: builder.end,
        yaml.AliasEvent: builder.alias,
        yaml.DocumentStartEvent: builder.start_document,
    }
    skipped = (yaml.StreamStartEvent, yaml.DocumentEndEvent)
    while True:
        event = next_event()
        handler = take.get(type(event))
        if handler is not None:
            handler(event)
        elif type(event) not in skipped:
            return


def _with_stand_ins(text: str, is_json: bool) -> tuple[str, dict[int, str]]:
    """The text in words that the parser understands alike, as long as before, and the table that puts the values right.

    Stand-ins are private characters that the text neither holds nor spells: for what only YAML 1.1 takes for a line
    break, and for JSON's two escapes that make one character.
    """
    breaks = [mark for mark in _BREAKS if mark in text]
    pairs = sorted({match[2] for match in _PAIR.finditer(text)}) if is_json else []
    if not breaks and not pairs:
        return text, {}
    lower = text.lower()
    free = (code for code in range(0xE000, 0xF8FF) if chr(code) not in text and f"{code:04x}" not in lower)
    restore = dict(zip(free, breaks, strict=False))
    text = text.translate({ord(mark): code for code, mark in restore.items()})
    if not pairs:
        return text, restore
    nothing = next(free, 0xF8FF)
    codes = dict(zip(pairs, free, strict=False))
    spelt = {pair: f"\\u{code:04x}\\u{nothing:04x}" for pair, code in codes.items()}
    text = _PAIR.sub(lambda match: match[1] + spelt.get(match[2], match[2]), text)
    characters = {code: json.loads(f'"{pair}"') for pair, code in codes.items()}
    return text, {**restore, nothing: "", **characters}


def _syntax(error: yaml.YAMLError, lines: Lines) -> Diagnostic:
    """What the parser could not read, with the usual cause."""
    said = str(getattr(error, "problem", None) or error)
    context = str(getattr(error, "context", None) or "")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    position: Position = lines.at(mark.line, mark.column) if mark else lines.at(0, 0)
    advice = next((hint for words, hint in _ADVICE if words in f"{said} {context}"), "")
    where = f" {context}" if context else ""
    return Diagnostic(
        Severity.ERROR,
        "yaml-syntax",
        f"this is not YAML: the parser {said}{where}"
        if said.startswith(("did", "found", "could"))
        else f"this is not YAML: {said}{where}",
        position,
        hint=advice or "Compare the indentation and the quotes with the lines above.",
    )
