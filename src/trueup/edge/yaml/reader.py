"""The one door to YAML: bytes in, plain values, positions and problems out. Does not know what a definition is.

Values are built from the parser's events with a stack of its own, so that no input can exhaust the interpreter's; what
a word means is YAML 1.2 (`core.definitions.scalars`). No tag is ever followed, so no file can construct anything else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import yaml

from trueup.core.definitions.document import Document, Lines, decode
from trueup.core.source import Diagnostic, Severity
from trueup.edge.yaml.builder import Builder, StopReading

if TYPE_CHECKING:
    from trueup.edge.yaml.syntax import Opened, Stop, SyntaxFault

HAS_C: Final = bool(yaml.__with_libyaml__)
"""Whether libyaml is there; without it reading takes eleven times as long (SPEED: a matter of one notice)."""


class PureLoader(yaml.SafeLoader):
    """PyYAML's parser in Python, reading tabs between and inside words as libyaml does."""

    def scan_to_next_token(self) -> None:
        """Skip blanks, comments and line breaks, and tabs where they indent nothing."""
        super().scan_to_next_token()
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            self.forward()
            super().scan_to_next_token()

    def scan_plain_spaces(self, indent: int, start_mark: Any) -> Any:
        """Skip the blanks behind a word; return them, or what a line break comes to."""
        length = 0
        while self.peek(length) in " \t":
            length += 1
        blanks = self.prefix(length)
        if "\t" in blanks:
            self.forward(length)
        found = super().scan_plain_spaces(indent, start_mark) or ([blanks] if "\t" in blanks else [])
        while found and self.peek() in " \t" and self.column >= indent:
            self.forward()
        return found

    def scan_flow_scalar(self, style: str) -> Any:
        """Read a text in quotes, refusing escapes of what is no character."""
        start = self.get_mark()
        try:
            token = super().scan_flow_scalar(style)
            token.value.encode()
        except ValueError:
            raise yaml.MarkedYAMLError(problem_mark=start) from None
        return token


_LOADER: Final[Any] = yaml.CSafeLoader if HAS_C else PureLoader

# YAML 1.1, which the parser speaks, breaks lines at these three; YAML 1.2 and every editor do not.
_BREAKS: Final = "\x85\u2028\u2029"
_PAIR: Final = re.compile(r"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})")


def read_yaml(text: bytes, file: str, *, locate: bool = False, is_included: bool = False) -> Document:
    """Return the mapping in a YAML or JSON file; every problem becomes a diagnostic and none is raised.

    One that another file includes by {file:} may hold a list, and no hint speaks of a definition.
    """
    decoded = decode(text, file)
    if isinstance(decoded, Diagnostic):
        return Document(file, None, (decoded,))
    return read_yaml_text(decoded, file, locate=locate, is_included=is_included)


def read_yaml_text(text: str, file: str, *, locate: bool = False, is_included: bool = False) -> Document:
    """Return the same for a text that has been decoded."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = Lines(file, text)
    text, restore = _put_stand_ins(text, file.endswith(".json"))
    builder = Builder(lines, locate, restore, is_included=is_included)
    try:
        loader = _LOADER(text)
        try:
            _drain(loader.get_event, builder)
        finally:
            loader.dispose()
    except StopReading:
        pass
    except yaml.YAMLError:
        fault = _diagnose(text)
        at = lines.offset(fault.offset)
        builder.problems.append(Diagnostic(Severity.ERROR, fault.code, fault.message, at, hint=fault.hint))
    return builder.document(file)


def parse_events(text: str) -> Iterator[tuple[str, Any]]:
    """Yield the parser's events with their names, which have the places and styles of nodes; line breaks are LF.

    The text is one that `read_text` has read without a problem; marks count characters.
    """
    loader = _LOADER(_put_stand_ins(text, is_json=False)[0])
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


def _put_stand_ins(text: str, is_json: bool) -> tuple[str, dict[int, str]]:
    """Return the text as the parser understands it, as long as before, and the table that restores the values.

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


def _diagnose(text: str) -> SyntaxFault:
    """Return the mistake in a text that the parser refuses. What knows mistakes is loaded at the first one."""
    from trueup.edge.yaml.syntax import diagnose

    return diagnose(text, _find_stop(text))


def _find_stop(text: str) -> Stop:
    """Return where the parser stops in a text that it refuses, and what is open there. It reads the text once more."""
    from trueup.edge.yaml.syntax import Stop

    opened: list[Opened] = []
    read, last, style = 0, 0, ""
    loader = _LOADER(text)
    try:
        while True:
            event = loader.get_event()
            kind, start, end = type(event), event.start_mark, event.end_mark
            if kind is yaml.ScalarEvent:
                last, style = start.index, event.style or ""
            elif kind in (yaml.MappingStartEvent, yaml.SequenceStartEvent):
                opened.append(_read_opened(kind is yaml.MappingStartEvent, event, text))
            elif kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
                closed = opened.pop()
                last, style = closed.offset, "[" if closed.kind in "[{" else ""
            if kind is not yaml.DocumentEndEvent:
                read = end.index
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        return Stop(mark.index if mark else len(text), read, tuple(opened), last, style)
    finally:
        loader.dispose()


def _read_opened(is_mapping: bool, event: Any, text: str) -> Opened:
    """Return the collection that an event opens: behind an anchor it begins later, a list below its key at a dash."""
    from trueup.edge.yaml.syntax import Opened

    end = event.end_mark
    before = text[end.index - 1 : end.index]
    if event.flow_style and before in ("[", "{"):
        return Opened(before, end.index - 1, end.column - 1)
    is_behind_dash = not is_mapping and text[end.index : end.index + 1] != "-"
    return Opened("-:"[is_mapping], event.start_mark.index, end.column - is_behind_dash)
