"""The markdown format: a comment for a pull request, as GitHub and GitLab render it.

Counts and what destroys something come first, then one folded block for each assistant, as HTML without an empty line:
a platform reads HTML up to the next empty line and looks for nothing else in it. Foreign text stands in code spans and
code elements only, where no platform looks for mentions, links or commands. What does not fit is left out by whole
rows, and counted. Knows no platform: a bot finds its comment by its first line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from trueup.core.command import texts_of
from trueup.core.source import Diagnostic, dotted
from trueup.core.texts.prose import RunKind
from trueup.render.markup.elements import (
    UNTRUSTED,
    SideTable,
    line_number,
    message_of,
    notes_above,
    side_tables,
    words_of,
)
from trueup.render.markup.escape import (
    WHOLE,
    code_element,
    code_span,
    escape_html,
    show,
    write_marker,
    write_member,
    write_sentence,
)
from trueup.render.markup.room import RowSection, cut_block, shorten_line
from trueup.render.model import Block, FieldView, Group, Member, PageView, Shape
from trueup.render.pages import count_words
from trueup.render.prose_lines import SIGNS, Line, Part, describe_sizes, mentions_by_fate
from trueup.render.style import PAGE, Row
from trueup.render.terminal.text import unmanaged_rows
from trueup.render.terminal.values import value_rows
from trueup.render.values import pluralize
from trueup.render.visible import make_visible
from trueup.render.weight import choose, count_by_code

LIMIT = 65_000
"""Bytes of a comment in UTF-8: GitHub takes 65,536 characters, and a bot may add a line of its own."""

STUB = 1_200
"""Bytes that each block may take before room is shared out: enough for some rows."""

NAMED = 12_000
"""Bytes that are kept free for the names of those for which no block is left."""

MORE = 24
"""Bytes for saying how many names are left out."""

PARTED = 8
"""Bytes of the empty lines around what is no block."""

LISTED = 25
"""Assistants that are listed under one heading above the fold."""

FACT = 300
"""Characters of a fact that is shown above the fold; the block has all of it."""

PROBLEMS, PROBLEMS_ROOM = 40, 20_000
"""Problems that are listed, and the bytes they may take."""

DIGITS = 16
"""Characters of a plan's digest that are shown; eight are enough to acknowledge it."""


def write_page(page: PageView) -> str:
    """Return the page as one comment of less than `LIMIT` bytes."""
    head, foot = "\n".join(_head(page)), "\n".join(_foot(page))
    unmanaged = _unmanaged_block(page, LIMIT // 4)
    room = LIMIT - sum(map(_size, (head, foot, unmanaged))) - PARTED
    full = [[*block_sections(block)] for block in page.blocks]
    names = min(_size(_names_left_out(page.blocks, page, LIMIT)), NAMED)
    blocks = _fit_blocks(full, room if sum(map(_full_size, full)) <= room else room - names, page.whole)
    room -= sum(_size(block) + 1 for block in blocks)
    cut = page.blocks[len(blocks) :]
    parts = [head, *blocks, unmanaged, _names_left_out(cut, page, room) if cut else "", foot]
    return "\n\n".join(filter(None, parts)) + "\n"


def _names_left_out(cut: Sequence[Block], page: PageView, room: int) -> str:
    """Return how many assistants have no block, and which, by what happens to them, as far as there is room."""
    words = f"**Not shown to save space: {count_words(cut)}.** All of it: {write_sentence(page.whole, code_span)}."
    room -= _size(words)
    for word in dict.fromkeys(block.sign.word for block in cut):
        found = [one.name for block in cut if block.sign.word == word for one in block.assistants]
        names = [code_span(show(name, 120)) for name in found]
        taken, room = 0, room - _size(f"\n- {word}: ") - MORE
        while taken < len(names) and room >= _size(names[taken]) + 1:
            room -= _size(names[taken]) + 1
            taken += 1
        more = f" and {len(names) - taken:,} more" if taken < len(names) else ""
        words += f"\n- {word}: {', '.join(names[:taken])}{more}" if taken else ""
    return words


def _unmanaged_block(page: PageView, room: int) -> str:
    """Return what is unmanaged, in a folded block of its own."""
    rows = [*unmanaged_rows(page.unmanaged, PAGE)] if page.unmanaged is not None else []
    return cut_block([*rows_sections("Unmanaged", rows)], room, page.whole) if rows else ""


def _head(page: PageView) -> Iterator[str]:
    """Yield everything above the fold."""
    yield write_marker(f"trueup:{page.target}", page.kind) if page.target else write_marker("trueup:", page.kind)
    yield f"### {page.title}" + (f" for {code_span(show(page.name, 160))}" if page.name else "")
    yield ""
    yield f"**{write_sentence(page.summary, code_span)}**"
    for alert in page.alerts:
        yield from ("", f"> **Note:** {write_sentence(alert, code_span)}")
    for remark in notes_above(page):
        yield from ("", f"**Note:** {write_sentence(remark, code_span)}")
    for group in page.groups:
        yield from _group(group)
    if page.problems:
        yield from _problems(page.problems, page.whole)


def _group(group: Group) -> Iterator[str]:
    yield from ("", f"**{group.title}: {len(group):,}**", "")
    shown: set[tuple[str, ...]] = set()
    room, left = LISTED, 0
    for block in group.blocks:
        listed = block.assistants[:room]
        room -= len(listed)
        left += 0 if listed else len(block.assistants)
        if listed:
            yield _list_row(block, listed, with_hint=texts_of(block.hint) not in shown)
            shown.add(texts_of(block.hint))
    if left:
        yield f"- and {left:,} more, below"


def _list_row(block: Block, listed: Sequence[Member], *, with_hint: bool) -> str:
    """Return one assistant above the fold, or several that read the same, as one row."""
    who = f"**{escape_html(block.name)}**" if block.members else write_member(listed[0], code_span)
    words = [f"- {code_span(block.sign.symbol)} {who}: {write_sentence(block.message, code_span)}"]
    words += [f"· {write_sentence(note.text, code_span)}" for note in block.notes[:1] if block.is_sentence]
    words += [f"· {write_sentence(fact[:FACT], code_span)}" for fact in block.facts[:2]]
    words += [f"→ {write_sentence(block.hint, code_span)}"] if block.hint and with_hint else []
    if block.members:
        left = len(block.members) - len(listed)
        words += [
            "·",
            ", ".join(write_member(one, code_span) for one in listed) + (f" and {left:,} more, below" if left else ""),
        ]
    return " ".join(words)


def _problems(problems: Sequence[Diagnostic], again: str) -> Iterator[str]:
    """Yield problems by weight, as far as there is room; the rest is counted, and `again` lists it."""
    yield from ("", f"**{pluralize(len(problems), 'problem')} in the files or the target:**", "")
    listed, rest = choose(problems, PROBLEMS)
    left = Counter({code: len(items) for code, items in rest.items()})
    room, shown = PROBLEMS_ROOM, set[str]()
    for item in listed:
        row = _problem(item, with_hint=item.hint not in shown)
        room -= _size(row)
        if room < 0:
            left[item.code] += 1
            continue
        shown.add(item.hint)
        yield row
    if left:
        codes = count_by_code({code_span(show(code, 60)): number for code, number in left.items()})
        yield f"- and {left.total():,} more ({codes}); all of them: {write_sentence(again, code_span)}"


def _problem(item: Diagnostic, *, with_hint: bool) -> str:
    at = str(item.position) if item.position is not None else dotted(item.path)
    place = f"{code_span(show(at, 160))}: " if at else ""
    hint = f" → {write_sentence(item.hint, code_span)}" if item.hint and with_hint else ""
    what = f"{item.severity.value} {code_span(show(item.code, 60))}"
    return f"- {place}{what}: {write_sentence(item.message, code_span)}{hint}"


def _foot(page: PageView) -> Iterator[str]:
    """Yield what the page is about and how to take it; small, below a line."""
    facts = [f"Target: {page.where}"] if page.where else []
    facts += [f"Flags: {page.flags}"] if page.flags else []
    facts += [f"Digest: {page.digest[:DIGITS]}"] if page.digest else []
    about = "".join(f"{write_sentence(fact, code_element)}. " for fact in facts)
    yield f"<p><sub>{about}{escape_html(UNTRUSTED)}</sub></p>"  # <sub> alone would be read as markdown


def _size(text: str) -> int:
    return len(text.encode("utf-8")) + 1


def _full_size(sections: Sequence[RowSection]) -> int:
    """Return the bytes of an uncut block and of the empty line after it."""
    return sum(map(RowSection.size, sections)) + 1


def _fit_blocks(full: Sequence[Sequence[RowSection]], room: int, again: str) -> list[str]:
    """Return the first blocks, as many as fit with a stub of each; what small ones leave is the others'."""
    sizes = [*map(_full_size, full)]
    kept, used = 0, 0
    while kept < len(full) and used + min(sizes[kept], STUB) <= room:
        used += min(sizes[kept], STUB)
        kept += 1
    found: dict[int, str] = {}
    for done, place in enumerate(sorted(range(kept), key=sizes.__getitem__)):
        found[place] = cut_block(full[place], room // (kept - done) - 1, again)
        room -= _size(found[place]) + 1
    return [found[place] for place in range(kept)]


NAMES = 12
"""Placeholders and tools that are named above a difference."""

_TAGS = {RunKind.KEPT: ("", ""), RunKind.REMOVED: ("<del>", "</del>"), RunKind.ADDED: ("<ins>", "</ins>")}


def block_sections(block: Block) -> Iterator[RowSection]:
    """Yield the sections of one assistant, the first and the last of which make the fold, or one row."""
    name = escape_html(block.name) if block.members else code_element(show(block.name, 120))
    title = f"{code_element(block.sign.symbol)} <b>{name}</b> {_block_message(block)}"
    if block.is_bare:
        yield RowSection(f"<p>{title}{f' {code_element(show(block.id, 80))}' if block.id else ''}")
        yield RowSection("</p>")
        return
    yield RowSection(f"<details><summary>{title}</summary>")
    if block.id:
        yield RowSection(f"<p>{code_element(show(block.id, 80))}</p>")
    for note in block.notes:
        yield RowSection(f"<p>{write_sentence(note.text, code_element)}</p>")
    if block.hint:
        yield RowSection(f"<p>→ {write_sentence(block.hint, code_element)}</p>")
    for table in side_tables(block):
        yield _side_table(table)
    for field in block.fields:
        if field.shape is not Shape.SIDES:
            yield from _field(field)
    if block.members:
        rows = tuple(f"{write_member(one, code_element)}," for one in block.members[:-1])
        yield RowSection("<p>", (*rows, write_member(block.members[-1], code_element)), "</p>")
    yield RowSection("</details>")


def rows_sections(title: str, rows: Sequence[Row]) -> Iterator[RowSection]:
    """Yield rows of the text format as a folded block."""
    yield RowSection(f"<details><summary>{escape_html(title)}</summary>")
    yield _preformat("<pre>", rows)
    yield RowSection("</details>")


def _block_message(block: Block) -> str:
    message = write_sentence(message_of(block), code_element)
    return message if block.is_sentence else f"{escape_html(block.sign.word)}: {message}"


def _side_table(table: SideTable) -> RowSection:
    heading = "".join(f"<th>{title}</th>" for title in ("field", *table.titles))
    rows = []
    for field, cells in table.rows:
        words = f" {write_sentence(f'({field.words})', code_element)}" if field.words else ""
        name = f"{code_element(show(field.path))}{words}"
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in (name, *map(code_element, cells))) + "</tr>")
    return RowSection(f"<table><tr>{heading}</tr>", tuple(rows), "</table>")


def _field(field: FieldView) -> Iterator[RowSection]:
    """Yield a text as a table of its lines, anything else as rows."""
    words = " · ".join(write_sentence(part, code_element) for part in (field.words, field.where) if part)
    title = f"<p><b>{code_element(show(field.path))}</b>{f' {words}' if words else ''}</p>"
    if field.shape is Shape.TEXT:
        prose = field.prose
        said = [
            (f"in {code_element(show(field.seen_in))}: " if field.seen_in else "")
            + write_sentence(describe_sizes(prose, PAGE), code_element)
        ]
        for word, _, found in mentions_by_fate(prose):
            names = ", ".join(f"{item.sort.value} {code_element(show(item.text, 80))}" for item in found[:NAMES])
            more = f" and {len(found) - NAMES:,} more" if len(found) > NAMES else ""
            said.append(f"<b>{word}: {names}{more}</b>")
        yield RowSection(title)
        yield RowSection(f"<p>{'<br>'.join(said)}</p>")
        lines = tuple(field.lines)
        if lines:
            rows = tuple(_line(line, field) for line in lines)
            yield RowSection("<table>", rows, "</table>", partial(_shorten_line, lines, field))
    elif field.shape is not Shape.NOTE:
        yield _preformat(f"{title}<pre>", [*value_rows(field, WHOLE, 0)])
    else:
        yield RowSection(title)


def _line(line: Line, field: FieldView) -> str:
    """Return one row: the file's line number, the sign, the text with what changed struck out or underlined."""
    if line.kind in (RunKind.FOLDED, RunKind.LEFT, RunKind.MOVED):
        text = f"<i>{write_sentence(words_of(line), code_element)}</i>"
    else:
        is_new = not field.prose.before.lines  # nothing to compare: the sign is enough
        text = _code(line.parts, marked=not is_new) + (" <i>(only blanks)</i>" if line.blanks else "")
    number = line_number(field, line.before if field.is_outside else line.after, is_file=True)
    return f"<tr><td>{number}</td><td>{escape_html(SIGNS[line.kind])}</td><td>{text}</td></tr>"


def _code(parts: Sequence[Part], *, marked: bool) -> str:
    """Return a line's stretches in one code element."""
    found = ""
    for part in parts:
        opening, closing = _TAGS[part.kind if marked else RunKind.KEPT]
        text = make_visible(part.text, PAGE, blanks=part.blanks)
        found += f"{opening}{escape_html(text)}{closing}" if text else ""
    return f"<code>{found}</code>" if found else ""


def _shorten_line(lines: Sequence[Line], field: FieldView, place: int, room: int) -> tuple[str, int]:
    """Return a row of a text in so many bytes, and the characters that are left out of it."""
    line = lines[place]
    parts, left = shorten_line(line.parts, lambda parts: _bytes(_line(replace(line, parts=parts), field)) <= room)
    return _line(replace(line, parts=parts), field), left


def _bytes(row: str) -> int:
    return len(row.encode("utf-8")) + 1


def _preformat(start: str, rows: Sequence[Row]) -> RowSection:
    """Return rows as they stand in a terminal; an empty one holds a blank, since an empty line would end the HTML."""
    texts = ("".join(piece.text for piece in row).rstrip(" ") for row in rows)
    return RowSection(start, tuple(escape_html(text) or "&#32;" for text in texts), "</pre>")
