"""One assistant as a folded block of a comment: HTML without an empty line, in sections that can be cut row by row.

A forge's markdown reads HTML up to the next empty line and looks for nothing else in it. Tables wrap on a narrow
screen, which fences do not. Every row is whole; a long line can be told shorter too. Knows no limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from trueup.core.texts.prose import Kind
from trueup.render.long_lines import shortened
from trueup.render.markup import LOOK, escaped, html_code, inline, member, shown
from trueup.render.prose_lines import SIGNS, Line, Part, lines
from trueup.render.prose_rows import sizes
from trueup.render.style import Row
from trueup.render.view import Block, Field

NAMES = 12
"""Placeholders and tools that are named above a difference."""

_TAGS = {Kind.KEPT: ("", ""), Kind.REMOVED: ("<del>", "</del>"), Kind.ADDED: ("<ins>", "</ins>")}


Shorten = Callable[[int, int], tuple[str, int]]
"""From a row's place and a number of bytes: the row in no more of them if it can be, and the characters left out."""


@dataclass(frozen=True, slots=True)
class Section:
    """A beginning and an end that belong together, and rows between them, each whole by itself; no line is empty.

    `shorten` tells a long row of it shorter; without it the rows are as short as they can be.
    """

    start: str
    rows: tuple[str, ...] = ()
    end: str = ""
    shorten: Shorten | None = None

    @property
    def weight(self) -> int:
        """How many rows are left out where the section is."""
        return len(self.rows) or 1

    def lines(self) -> list[str]:
        """The section as lines."""
        return [self.start, *self.rows, *([self.end] if self.end else [])]

    def size(self) -> int:
        """Bytes of its lines in UTF-8, line ends included."""
        return sum(len(line.encode("utf-8")) + 1 for line in self.lines())


def block_sections(block: Block) -> Iterator[Section]:
    """The sections of one assistant, the first and the last of which make the fold, or a row where nothing unfolds."""
    name = escaped(block.name) if block.members else html_code(shown(block.name, 120))
    title = f"{html_code(block.symbol)} <b>{name}</b> {_said(block)}"
    if block.is_bare:
        yield Section(f"<p>{title}{f' {html_code(shown(block.id, 80))}' if block.id else ''}")
        yield Section("</p>")
        return
    yield Section(f"<details><summary>{title}</summary>")
    if block.id:
        yield Section(f"<p>{html_code(shown(block.id, 80))}</p>")
    for note in block.notes:
        yield Section(f"<p>{inline(note, html_code)}</p>")
    if block.hint:
        yield Section(f"<p>→ {inline(block.hint, html_code)}</p>")
    for is_outside in (True, False):
        scalars = [field for field in block.fields if field.is_scalar and field.is_outside is is_outside]
        if scalars:
            yield _scalars(scalars)
    for field in block.fields:
        if not field.is_scalar:
            yield from _field(field)
    if block.members:
        rows = tuple(f"{member(one, html_code)}," for one in block.members[:-1])
        yield Section("<p>", (*rows, member(block.members[-1], html_code)), "</p>")
    yield Section("</details>")


def rows_sections(title: str, rows: Sequence[Row]) -> Iterator[Section]:
    """Rows of the text format as a folded block."""
    yield Section(f"<details><summary>{escaped(title)}</summary>")
    yield _preformatted("<pre>", rows)
    yield Section("</details>")


def _said(block: Block) -> str:
    message = inline(block.message, html_code)
    return message if block.is_sentence else f"{escaped(block.word)}: {message}"


def _scalars(fields: Sequence[Field]) -> Section:
    """A table of fields with their two sides; with one side where all are new."""
    news = not any(field.old for field in fields)
    titles = ["field", "value"] if news else ["field", *fields[0].sides]
    placed = not news and any(field.where for field in fields)
    titles += ["where"] if placed else []
    heading = "".join(f"<th>{title}</th>" for title in titles)
    rows = []
    for field in fields:
        words = f" {inline(f'({field.words})', html_code)}" if field.words else ""
        cells = [f"{html_code(field.path)}{words}", *([] if news else [html_code(field.old)]), html_code(field.new)]
        cells += [html_code(field.where)] if placed else []
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return Section(f"<table><tr>{heading}</tr>", tuple(rows), "</table>")


def _field(field: Field) -> Iterator[Section]:
    """A text as a table of its lines, anything else as rows."""
    words = " · ".join(inline(part, html_code) for part in (field.words, field.where) if part)
    title = f"<p><b>{html_code(field.path)}</b>{f' {words}' if words else ''}</p>"
    if field.prose is not None:
        prose = field.prose
        said = [
            (f"in {html_code(shown(field.seen_in))}: " if field.seen_in else "") + inline(sizes(prose, LOOK), html_code)
        ]
        for word, appeared in (("appeared", True), ("vanished", False)):
            found = [item for item in prose.mentions if item.appeared is appeared]
            names = ", ".join(f"{item.sort.value} {html_code(shown(item.text, 80))}" for item in found[:NAMES])
            more = f" and {len(found) - NAMES:,} more" if len(found) > NAMES else ""
            said += [f"<b>{word}: {names}{more}</b>"] if names else []
        yield Section(title)
        yield Section(f"<p>{'<br>'.join(said)}</p>")
        told = tuple(lines(prose, field.place, field.notes, old_side=field.is_outside, home=field.home))
        if told:
            rows = tuple(_line(line, field) for line in told)
            yield Section("<table>", rows, "</table>", partial(_shorter, told, field))
    elif field.rows:
        yield _preformatted(f"{title}<pre>", field.rows)
    else:
        yield Section(title)


def _line(line: Line, field: Field) -> str:
    """One row: the file's line number, the sign, the text with what changed struck out or underlined."""
    if line.kind in (Kind.FOLDED, Kind.LEFT, Kind.MOVED):
        text = f"<i>{inline(line.words, html_code)}</i>"
    else:
        is_new = field.prose is not None and not field.prose.before.lines  # nothing to tell apart: the sign is enough
        text = _code(line.parts, marked=not is_new) + (" <i>(only blanks)</i>" if line.blanks else "")
    number = line.before if field.is_outside else line.after
    return f"<tr><td>{_number(field, number)}</td><td>{escaped(SIGNS[line.kind])}</td><td>{text}</td></tr>"


def _number(field: Field, number: int) -> str:
    """The line in its file where that is known, else within the text."""
    if not number:
        return ""
    end = field.place(number).rpartition(":")[2]
    return end if end.isascii() and end.isdigit() else str(number)


def _code(parts: Sequence[Part], *, marked: bool) -> str:
    """A line's stretches in one code element."""
    found = ""
    for part in parts:
        opening, closing = _TAGS[part.kind if marked else Kind.KEPT]
        found += f"{opening}{escaped(part.text)}{closing}" if part.text else ""
    return f"<code>{found}</code>" if found else ""


def _shorter(told: Sequence[Line], field: Field, place: int, room: int) -> tuple[str, int]:
    """A row of a text in so many bytes, and the characters that are left out of it."""
    line = told[place]
    parts, left = shortened(line.parts, lambda parts: _bytes(_line(replace(line, parts=parts), field)) <= room)
    return _line(replace(line, parts=parts), field), left


def _bytes(row: str) -> int:
    return len(row.encode("utf-8")) + 1


def _preformatted(start: str, rows: Sequence[Row]) -> Section:
    """Rows as they stand in a terminal; an empty one holds a blank, since an empty line would end the HTML."""
    texts = ("".join(piece.text for piece in row).rstrip(" ") for row in rows)
    return Section(start, tuple(escaped(text) or "&#32;" for text in texts), "</pre>")
