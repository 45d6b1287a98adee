"""Diagnostics and errors for people: where, what, the source line with a caret, and how to go on. Knows no plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Unpack

from trueup.core.errors import TrueupError
from trueup.core.source import Diagnostic, Position, Severity, dotted
from trueup.render.style import Look, LookOptions, Piece, Row, Tone, make_look, paint
from trueup.render.values import pluralize
from trueup.render.visible import count_columns, hanging_rows, make_visible, message_pieces, sentence_rows

_TONES = {Severity.ERROR: Tone.ERROR, Severity.WARNING: Tone.WARNING, Severity.NOTE: Tone.NOTE}


def diagnostic_rows(item: Diagnostic, look: Look) -> Iterator[Row]:
    """Yield `file:line:col: error[code]: message`, the line itself with a caret, and the hint."""
    words: list[Piece] = []
    if item.position is not None:
        words.append(Piece(make_visible(str(item.position), look), Tone.STRONG))
        words.append(Piece(": "))
    words.append(Piece(f"{item.severity.value}[{make_visible(item.code, look)}]", _TONES[item.severity]))
    words += [Piece(": ", Tone.STRONG), *message_pieces(item.message, look, Tone.STRONG)]
    if item.position is None and item.path:
        words.append(Piece(f" (at {make_visible(dotted(item.path), look)})", Tone.FAINT))
    yield from hanging_rows((), words, look.width, 2)
    if item.position is not None and item.position.text.strip():
        yield from source_rows(item.position, _TONES[item.severity], look)
    if item.hint:
        yield from sentence_rows(item.hint, 2, look, Tone.HINT, f"{look.arrow} ")


def diagnostics_rows(items: Sequence[Diagnostic], look: Look, checked: str = "") -> Iterator[Row]:
    """Yield all problems in the order given, a blank row between them, and at the end `checked`, else their number."""
    for number, item in enumerate(items):
        if number:
            yield ()
        yield from diagnostic_rows(item, look)
    if checked:
        if items:
            yield ()
        yield (Piece(make_visible(checked, look)),)
        return
    counts = [
        (sum(item.severity is severity for item in items), severity.value)
        for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE)
    ]
    if items:
        yield ()
        yield (Piece(", ".join(pluralize(number, word) for number, word in counts if number) + "."),)


def error_rows(error: TrueupError, look: Look) -> Iterator[Row]:
    """Yield what ended the command, each problem it holds, and how to go on."""
    for item in error.diagnostics:
        yield from diagnostic_rows(item, look)
        yield ()
    yield from hanging_rows(
        (Piece("error", Tone.ERROR), Piece(": ")), message_pieces(error.message, look), look.width, 2
    )
    if error.hint:
        yield from sentence_rows(error.hint, 2, look, Tone.HINT, f"{look.arrow} ")


def source_rows(position: Position, tone: Tone, look: Look) -> Iterator[Row]:
    """Yield the source line with its number and a caret; a long line is moved so that the caret can be seen."""
    number = str(position.line)
    bar = "|" if look.ascii_only else "│"
    room = look.width - len(number) - 4
    before = make_visible(position.text[: max(position.column - 1, 0)], look)
    after = make_visible(position.text[max(position.column - 1, 0) :], look)
    hidden = max(count_columns(before) - room // 2, 0) if count_columns(before + after) > room else 0
    start = look.cut if hidden else ""
    shown = start + before[hidden + count_columns(start) :] if hidden else before
    caret = count_columns(shown)
    line = _cut_text(shown + after, room)
    yield (Piece(f" {number} {bar} ", Tone.FAINT), Piece(line))
    if position.column - 1 <= len(position.text) and caret < room:
        yield (Piece(f" {' ' * len(number)} {bar} ", Tone.FAINT), Piece(" " * caret), Piece("^", tone))


def _cut_text(text: str, room: int) -> str:
    """Return the start of a visible text that fits."""
    taken = 0
    for place, sign in enumerate(text):
        taken += count_columns(sign)
        if taken > room:
            return text[:place]
    return text


def write_diagnostics(items: Sequence[Diagnostic], checked: str = "", **options: Unpack[LookOptions]) -> str:
    """Return problems with their source lines; the last line is `checked`, else their number. Nothing for nothing."""
    look = make_look(**options)
    return paint(diagnostics_rows(items, look, checked), look.color)


def write_error(error: TrueupError, **options: Unpack[LookOptions]) -> str:
    """Return what ended a command, and how to go on."""
    look = make_look(**options)
    return paint(error_rows(error, look), look.color)
