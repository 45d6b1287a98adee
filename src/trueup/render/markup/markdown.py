"""The markdown format: a comment for a pull request, as GitHub and GitLab render it.

Counts and what destroys something come first, then one folded block for each assistant. Foreign text stands in code
spans and code elements only, where no forge looks for mentions, links or commands. A cut leaves out whole rows, so that
it breaks nothing; what is left out is said and counted. Knows no forge: a bot finds its comment by its first line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from trueup.core.command import texts_of
from trueup.core.source import Diagnostic, dotted
from trueup.core.texts.prose import Kind
from trueup.render.markup.escape import BROAD, WHOLE, escaped, html_code, inline, marker, member, shown, span_code
from trueup.render.markup.room import Section, cut, shortened
from trueup.render.markup.sentences import UNTRUSTED, message_of, notes_above, words_of
from trueup.render.model import Block, Field, Group, Member, Page, Shape
from trueup.render.pages import count_words
from trueup.render.prose_lines import SIGNS, Line, Part, describe_sizes, mentions_by_fate
from trueup.render.style import PAGE, Row
from trueup.render.terminal.text import unmanaged_rows
from trueup.render.terminal.values import value_rows
from trueup.render.values import many, value
from trueup.render.visible import visible
from trueup.render.weight import by_code, chosen

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
"""Characters of a fact that is told above the fold; the block has all of it."""

PROBLEMS, PROBLEMS_ROOM = 40, 20_000
"""Problems that are listed, and the bytes they may take."""

DIGITS = 16
"""Characters of a plan's digest that are shown; eight are enough to acknowledge it."""


def written(page: Page) -> str:
    """The page as one comment of less than `LIMIT` bytes."""
    head, foot = "\n".join(_head(page)), "\n".join(_foot(page))
    unmanaged = _unmanaged(page, LIMIT // 4)
    room = LIMIT - sum(map(_size, (head, foot, unmanaged))) - PARTED
    full = [[*block_sections(block)] for block in page.blocks]
    names = min(_size(_left(page.blocks, page, LIMIT)), NAMED)
    blocks = _within(full, room if sum(map(_whole, full)) <= room else room - names, page.whole)
    room -= sum(_size(block) + 1 for block in blocks)
    cut = page.blocks[len(blocks) :]
    parts = [head, *blocks, unmanaged, _left(cut, page, room) if cut else "", foot]
    return "\n\n".join(filter(None, parts)) + "\n"


def _left(cut: Sequence[Block], page: Page, room: int) -> str:
    """How many assistants have no block, and which, by what happens to them, as far as there is room."""
    told = f"**Not shown for want of room: {count_words(cut)}.** All of it: {inline(page.whole, span_code)}."
    room -= _size(told)
    for word in dict.fromkeys(block.sign.word for block in cut):
        found = [one.name for block in cut if block.sign.word == word for one in block.assistants]
        names = [span_code(shown(name, 120)) for name in found]
        taken, room = 0, room - _size(f"\n- {word}: ") - MORE
        while taken < len(names) and room >= _size(names[taken]) + 1:
            room -= _size(names[taken]) + 1
            taken += 1
        more = f" and {len(names) - taken:,} more" if taken < len(names) else ""
        told += f"\n- {word}: {', '.join(names[:taken])}{more}" if taken else ""
    return told


def _unmanaged(page: Page, room: int) -> str:
    """What nobody manages, in a folded block of its own."""
    rows = [*unmanaged_rows(page.unmanaged, PAGE)] if page.unmanaged is not None else []
    return cut([*rows_sections("Unmanaged", rows)], room, page.whole) if rows else ""


def _head(page: Page) -> Iterator[str]:
    """Everything above the fold."""
    yield marker(f"trueup:{page.target}", page.kind) if page.target else marker("trueup:", page.kind)
    yield f"### {page.title}" + (f" for {span_code(shown(page.name, 160))}" if page.name else "")
    yield ""
    yield f"**{inline(page.summary, span_code)}**"
    for alert in page.alerts:
        yield from ("", f"> **Note:** {inline(alert, span_code)}")
    for remark in notes_above(page):
        yield from ("", f"**Note:** {inline(remark, span_code)}")
    for group in page.groups:
        yield from _group(group)
    if page.problems:
        yield from _problems(page.problems, page.whole)


def _group(group: Group) -> Iterator[str]:
    yield from ("", f"**{group.title}: {len(group):,}**", "")
    told: set[tuple[str, ...]] = set()
    room, left = LISTED, 0
    for block in group.blocks:
        listed = block.assistants[:room]
        room -= len(listed)
        left += 0 if listed else len(block.assistants)
        if listed:
            yield _listed(block, listed, with_hint=texts_of(block.hint) not in told)
            told.add(texts_of(block.hint))
    if left:
        yield f"- and {left:,} more, below"


def _listed(block: Block, listed: Sequence[Member], *, with_hint: bool) -> str:
    """Return one assistant above the fold, or several that read the same, as one row."""
    who = f"**{escaped(block.name)}**" if block.members else member(listed[0], span_code)
    words = [f"- {span_code(block.sign.symbol)} {who}: {inline(block.message, span_code)}"]
    words += [f"· {inline(note.text, span_code)}" for note in block.notes[:1] if block.is_sentence]
    words += [f"· {inline(fact[:FACT], span_code)}" for fact in block.facts[:2]]
    words += [f"→ {inline(block.hint, span_code)}"] if block.hint and with_hint else []
    if block.members:
        left = len(block.members) - len(listed)
        words += [
            "·",
            ", ".join(member(one, span_code) for one in listed) + (f" and {left:,} more, below" if left else ""),
        ]
    return " ".join(words)


def _problems(problems: Sequence[Diagnostic], again: str) -> Iterator[str]:
    """Problems by weight, as far as there is room; the rest is counted, and `again` lists it."""
    yield from ("", f"**{many(len(problems), 'problem')} in the files or the target:**", "")
    listed, rest = chosen(problems, PROBLEMS)
    left = Counter({code: len(items) for code, items in rest.items()})
    room, told = PROBLEMS_ROOM, set[str]()
    for item in listed:
        row = _problem(item, with_hint=item.hint not in told)
        room -= _size(row)
        if room < 0:
            left[item.code] += 1
            continue
        told.add(item.hint)
        yield row
    if left:
        codes = by_code({span_code(shown(code, 60)): number for code, number in left.items()})
        yield f"- and {left.total():,} more ({codes}); all of them: {inline(again, span_code)}"


def _problem(item: Diagnostic, *, with_hint: bool) -> str:
    at = str(item.position) if item.position is not None else dotted(item.path)
    place = f"{span_code(shown(at, 160))}: " if at else ""
    hint = f" → {inline(item.hint, span_code)}" if item.hint and with_hint else ""
    return f"- {place}{item.severity.value} {span_code(shown(item.code, 60))}: {inline(item.message, span_code)}{hint}"


def _foot(page: Page) -> Iterator[str]:
    """What the page is about and how to take it; small, below a line."""
    facts = [f"Target: {page.where}"] if page.where else []
    facts += [f"Flags: {page.flags}"] if page.flags else []
    facts += [f"Digest: {page.digest[:DIGITS]}"] if page.digest else []
    told = "".join(f"{inline(fact, html_code)}. " for fact in facts)
    yield f"<p><sub>{told}{escaped(UNTRUSTED)}</sub></p>"  # <sub> alone would be read as markdown


def _size(text: str) -> int:
    return len(text.encode("utf-8")) + 1


def _whole(sections: Sequence[Section]) -> int:
    """Bytes of an uncut block, and of what parts it from the next one."""
    return sum(map(Section.size, sections)) + 1


def _within(full: Sequence[Sequence[Section]], room: int, again: str) -> list[str]:
    """The first blocks, as many as fit with a stub of each; what small ones leave is the others'."""
    sizes = [*map(_whole, full)]
    kept, used = 0, 0
    while kept < len(full) and used + min(sizes[kept], STUB) <= room:
        used += min(sizes[kept], STUB)
        kept += 1
    found: dict[int, str] = {}
    for done, place in enumerate(sorted(range(kept), key=sizes.__getitem__)):
        found[place] = cut(full[place], room // (kept - done) - 1, again)
        room -= _size(found[place]) + 1
    return [found[place] for place in range(kept)]


NAMES = 12
"""Placeholders and tools that are named above a difference."""

_TAGS = {Kind.KEPT: ("", ""), Kind.REMOVED: ("<del>", "</del>"), Kind.ADDED: ("<ins>", "</ins>")}


def block_sections(block: Block) -> Iterator[Section]:
    """The sections of one assistant, the first and the last of which make the fold, or a row where nothing unfolds."""
    name = escaped(block.name) if block.members else html_code(shown(block.name, 120))
    title = f"{html_code(block.sign.symbol)} <b>{name}</b> {_said(block)}"
    if block.is_bare:
        yield Section(f"<p>{title}{f' {html_code(shown(block.id, 80))}' if block.id else ''}")
        yield Section("</p>")
        return
    yield Section(f"<details><summary>{title}</summary>")
    if block.id:
        yield Section(f"<p>{html_code(shown(block.id, 80))}</p>")
    for note in block.notes:
        yield Section(f"<p>{inline(note.text, html_code)}</p>")
    if block.hint:
        yield Section(f"<p>→ {inline(block.hint, html_code)}</p>")
    for is_outside in (True, False):
        scalars = [field for field in block.fields if field.shape is Shape.SIDES and field.is_outside is is_outside]
        if scalars:
            yield _scalars(scalars)
    for field in block.fields:
        if field.shape is not Shape.SIDES:
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
    message = inline(message_of(block), html_code)
    return message if block.is_sentence else f"{escaped(block.sign.word)}: {message}"


def _scalars(fields: Sequence[Field]) -> Section:
    """A table of fields with their two sides; with one side where all are new."""
    news = all(field.is_new for field in fields)
    titles = ["field", "value"] if news else ["field", *fields[0].sides]
    placed = not news and any(field.where for field in fields)
    titles += ["where"] if placed else []
    heading = "".join(f"<th>{title}</th>" for title in titles)
    rows = []
    for field in fields:
        words = f" {inline(f'({field.words})', html_code)}" if field.words else ""
        sides = [html_code(value(side, PAGE, BROAD)) for side in ([] if news else [field.old]) + [field.new]]
        cells = [f"{html_code(shown(field.path))}{words}", *sides, *([html_code(shown(field.where))] if placed else [])]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return Section(f"<table><tr>{heading}</tr>", tuple(rows), "</table>")


def _field(field: Field) -> Iterator[Section]:
    """A text as a table of its lines, anything else as rows."""
    words = " · ".join(inline(part, html_code) for part in (field.words, field.where) if part)
    title = f"<p><b>{html_code(shown(field.path))}</b>{f' {words}' if words else ''}</p>"
    if field.shape is Shape.TEXT:
        prose = field.prose
        said = [
            (f"in {html_code(shown(field.seen_in))}: " if field.seen_in else "")
            + inline(describe_sizes(prose, PAGE), html_code)
        ]
        for word, _, found in mentions_by_fate(prose):
            names = ", ".join(f"{item.sort.value} {html_code(shown(item.text, 80))}" for item in found[:NAMES])
            more = f" and {len(found) - NAMES:,} more" if len(found) > NAMES else ""
            said.append(f"<b>{word}: {names}{more}</b>")
        yield Section(title)
        yield Section(f"<p>{'<br>'.join(said)}</p>")
        told = tuple(field.lines)
        if told:
            rows = tuple(_line(line, field) for line in told)
            yield Section("<table>", rows, "</table>", partial(_shorter, told, field))
    elif field.shape is not Shape.NOTE:
        yield _preformatted(f"{title}<pre>", [*value_rows(field, WHOLE, 0)])
    else:
        yield Section(title)


def _line(line: Line, field: Field) -> str:
    """One row: the file's line number, the sign, the text with what changed struck out or underlined."""
    if line.kind in (Kind.FOLDED, Kind.LEFT, Kind.MOVED):
        text = f"<i>{inline(words_of(line), html_code)}</i>"
    else:
        is_new = not field.prose.before.lines  # nothing to tell apart: the sign is enough
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
        text = visible(part.text, PAGE, blanks=part.blanks)
        found += f"{opening}{escaped(text)}{closing}" if text else ""
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
