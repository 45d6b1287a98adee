"""Untrusted text made safe to look at, measured and broken into rows. Knows no plan and no colour.

Live text may hold escape sequences, links, bidirectional overrides and characters without width; whatever a terminal
would obey or hide is shown as a sign for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from unicodedata import category, east_asian_width

from trueup.core.command import Command, Message, parts_of
from trueup.render.style import Look, Piece, Row, Tone

TAB = "    "

_GLUED = re.compile(r"[.,;:!?)]*")
"""The punctuation that belongs to the word before it."""

_CODE = re.compile(r"`[^`\0]+`[.,;:!?)]*")
"""Code within a sentence of ours, and the punctuation after it."""

_HIDDEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Characters that count as printable and still show nothing, or change what stands before them."""


def make_visible(text: str, look: Look, *, blanks: bool = False) -> str:
    """Return the text on one row, all that a terminal would obey or hide made visible; `blanks`: blanks too."""
    if not text.isprintable() or _HIDDEN.search(text):
        text = "".join(_visible_sign(text, place, look, blanks) for place in range(len(text)))
    if blanks and not look.ascii_only:
        text = text.replace(" ", "·")
    if look.ascii_only and not text.isascii():
        text = text.encode("ascii", "backslashreplace").decode("ascii")
    return text


def _visible_sign(text: str, place: int, look: Look, blanks: bool) -> str:
    sign = text[place]
    if sign == "\t":
        return ("\\t" if look.ascii_only else "⇥") if blanks else TAB
    if sign == "\u00a0" and not blanks:
        return " "
    if sign.isprintable() and not _HIDDEN.match(sign):
        return sign
    if sign in "\ufe0e\ufe0f\u200d" and _joins_pictures(text, place):
        return sign
    code = ord(sign)
    if code < 0x20 or code == 0x7F:
        if look.ascii_only:
            return "\\n" if sign == "\n" else f"\\x{code:02x}"
        return chr(0x2421) if code == 0x7F else chr(0x2400 + code)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _joins_pictures(text: str, place: int) -> bool:
    """Whether a joiner or a picture selector stands where emoji have one."""
    before = category(text[place - 1]) if place else ""
    if text[place] != "\u200d":
        return before == "So"
    after = category(text[place + 1]) if place + 1 < len(text) else ""
    return (before in ("So", "Sk") or text[place - 1 : place] == "\ufe0f") and after == "So"


def count_columns(text: str) -> int:
    """Return how many terminal columns a visible text takes."""
    return len(text) if text.isascii() else sum(map(_count_column, text))


def _count_column(sign: str) -> int:
    if sign < "\u0300":
        return 1
    if category(sign) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(sign) in "WF" else 1


def shorten(text: str, width: int, look: Look) -> str:
    """Return a visible text cut to a width, the cut marked."""
    if count_columns(text) <= width:
        return text
    room = max(width - count_columns(look.cut), 1)
    taken = 0
    for place, sign in enumerate(text):
        taken += _count_column(sign)
        if taken > room:
            return text[:place].rstrip(" ") + look.cut
    return text


def message_pieces(text: str, look: Look, tone: Tone = Tone.PLAIN) -> list[Piece]:
    """Return a message on one row as pieces: its texts, and its commands, each whole."""
    return [
        Piece(make_visible(part, look), tone)
        if isinstance(part, str)
        else Piece(make_visible(part.write(ascii_only=look.ascii_only), look), Tone.COMMAND, whole=True)
        for part in parts_of(text)
    ]


def wrap(pieces: Iterable[Piece], width: int) -> list[Row]:
    """Return pieces broken into rows at blanks, or anywhere inside what is longer than a row.

    A whole piece ends its row, so that it can be taken from there as it is; where the row has no room for it, it gets
    a row of its own, which may be wider. No character is lost but what parts it from its neighbours: blanks, and the
    punctuation after it.
    """
    width = max(width, 8)
    rows: list[Row] = []
    pending: list[Piece] = []
    is_after_whole = False
    for piece in pieces:
        if not piece.whole:
            text = _GLUED.sub("", piece.text, count=1).lstrip(" ") if is_after_whole else piece.text
            is_after_whole = is_after_whole and not text
            pending.append(piece._replace(text=text))
            continue
        is_after_whole = True
        before = _break_pieces(pending, width)
        if count_columns(piece.text) <= width - _count_row_columns(before[-1]):
            rows += _break_pieces([*pending, piece], width)
        else:
            rows += [row for row in before if "".join(part.text for part in row).strip()]
            rows.append((piece,))
        pending = []
    last = _break_pieces(pending, width)
    return [*rows, *last] if not rows or _count_row_columns(last[-1]) else rows


def _count_row_columns(row: Row) -> int:
    return sum(count_columns(piece.text) for piece in row)


def _break_pieces(pieces: Iterable[Piece], width: int) -> list[Row]:
    """Return pieces broken at blanks, of which each whole one fits on the row that it comes to stand on.

    What stands in backticks stays on one row where it fits on one.
    """
    signs = [
        (text, piece.tone, piece.whole) for piece in pieces for text in ([piece.text] if piece.whole else piece.text)
    ]
    kept = _places_in_code("".join("\0" if whole else sign for sign, _, whole in signs), width)
    rows: list[Row] = []
    start = taken = 0
    blank = -1
    for place, (sign, _, whole) in enumerate(signs):
        wide = count_columns(sign) if whole else _count_column(sign)
        is_blank = sign == " " and place not in kept
        while taken + wide > width and not is_blank:
            end = blank + 1 if blank >= start else place
            rows.append(_group_signs(signs[start:end]))
            start, taken = end, sum(count_columns(sign) for sign, _, _ in signs[end:place])
        if is_blank:
            blank = place
        taken += wide
    rows.append(_group_signs(signs[start:]))
    return rows


def _places_in_code(text: str, width: int) -> set[int]:
    """Return the places of a text within backticks, of what is no wider than a row."""
    spans = (match.span() for match in _CODE.finditer(text) if count_columns(match[0]) <= width)
    return {place for start, end in spans for place in range(start, end)}


def drop_last_blank(rows: Iterable[Row], width: int) -> Iterator[Row]:
    """Yield wrapped rows without the blank that hangs over the edge: a terminal would make an empty row of it."""
    for row in rows:
        if row and row[-1].text.endswith(" ") and sum(count_columns(piece.text) for piece in row) > width:
            yield (*row[:-1], row[-1]._replace(text=row[-1].text[:-1]))
        else:
            yield row


def _group_signs(signs: Sequence[tuple[str, Tone, bool]]) -> Row:
    """Return signs put together again, one piece for each stretch of one tone."""
    pieces: list[Piece] = []
    at = 0
    for place in range(1, len(signs) + 1):
        if place == len(signs) or signs[place][1:] != signs[at][1:] or signs[at][2]:
            pieces.append(Piece("".join(sign for sign, _, _ in signs[at:place]), *signs[at][1:]))
            at = place
    return tuple(pieces)


def hanging_rows(
    first: Sequence[Piece], pieces: Iterable[Piece], width: int, indent: int | None = None
) -> Iterator[Row]:
    """Yield rows that begin with `first` and go on under its end, or at `indent`."""
    lead = sum(count_columns(piece.text) for piece in first)
    under = lead if indent is None else indent
    room = width - max(lead, under)
    for number, row in enumerate(drop_last_blank(wrap(pieces, room), room)):
        yield (*first, *row) if number == 0 else (Piece(" " * under), *row)


def sentence_rows(text: str, indent: int, look: Look, tone: Tone = Tone.PLAIN, lead: str = "") -> list[Row]:
    """Return a message of ours as wrapped rows at an indent, after a lead such as an arrow; its lines stay lines."""
    rows: list[Row] = []
    for number, line in enumerate(_message_lines(text)):
        first = (Piece(" " * indent + (lead if number == 0 else " " * len(lead)), tone),)
        rows += hanging_rows(first, message_pieces(line, look, tone), look.width)
    return rows


def _message_lines(text: str) -> Iterator[str]:
    """Yield the lines of a message, each with its commands."""
    parts: list[str | Command] = []
    for part in parts_of(text):
        first, *more = part.split("\n") if isinstance(part, str) else [part]
        parts.append(first)
        for line in more:
            yield Message(*parts)
            parts = [line]
    yield Message(*parts)
