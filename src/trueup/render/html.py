"""The html format: one self-contained page to look at, without script and without anything that is loaded.

A difference is laid out below or side by side by two radio buttons and the style sheet; the page says the same either
way. A policy in the page forbids all but its own style sheet, should an escape ever be missing. Knows no browser.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from trueup.core.command import texts_of
from trueup.core.source import Diagnostic, dotted
from trueup.core.texts.prose import Kind
from trueup.render import pages
from trueup.render.html_style import POLICY, STYLE
from trueup.render.markup import LOOK, escaped, html_code, inline, marker, member, shown
from trueup.render.prose_lines import SIGNS, Line, Part, lines
from trueup.render.prose_rows import sizes
from trueup.render.style import Row, Tone
from trueup.render.view import Block, Field, Group, Page
from trueup.render.weight import chosen

OPEN = 30
"""Assistants up to which all blocks stand open."""

NAMED = 40
"""Names of a block up to which they stand open."""

_CLASSES = {
    Tone.CREATE: "create", Tone.MODIFY: "modify", Tone.DELETE: "delete", Tone.HELD: "held", Tone.ADOPT: "adopt",
    Tone.UNREAD: "delete", Tone.ERROR: "delete", Tone.FAINT: "faint", Tone.WARNING: "held", Tone.NOTE: "adopt",
    Tone.GONE: "delete", Tone.FRESH: "create", Tone.GONE_WORD: "delete", Tone.FRESH_WORD: "create",
    Tone.HINT: "adopt",
}  # fmt: skip
_TAGS = {Kind.REMOVED: "del", Kind.ADDED: "ins"}
_LAYOUT = (
    '<fieldset class="layout"><legend>Differences</legend>'
    '<label><input type="radio" name="layout" id="inline" checked> in one column</label> '
    '<label><input type="radio" name="layout" id="side"> side by side</label></fieldset>'
)


def written(page: Page) -> str:
    """The whole page."""
    name = shown(page.name, 160)
    title = f"{page.title} for {name}" if name else page.title
    heading = f"{escaped(page.title)} for {html_code(name)}" if name else escaped(page.title)
    head = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY.replace("&", "&amp;")}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escaped(title)}</title>",
        f"<style>{STYLE}</style></head>",
        f"<body>{marker(f'trueup:{page.target}', page.kind)}",
        f'<header><h1>{heading}</h1><p class="summary">{_said(page.summary)}</p>',
    ]
    body = [*_above(page), "</header>", "<main>", *_groups(page.groups), *_problems(page.problems), *_blocks(page)]
    return "\n".join([*head, *body, "</main>", *_foot(page), "</body></html>"]) + "\n"


def _said(text: str) -> str:
    return inline(text, html_code, _command)


def _command(text: str) -> str:
    """A command as one piece that a click selects and no narrow window breaks."""
    return f'<code class="command">{escaped(text)}</code>'


def _above(page: Page) -> Iterator[str]:
    for sentence in (*page.alerts, *page.remarks):
        yield f'<p class="alert">{_said(sentence)}</p>'


def _groups(groups: Sequence[Group]) -> Iterator[str]:
    """What must not be missed, as lists."""
    for group in groups:
        yield f"<section><h2>{escaped(group.title)}: {len(group):,}</h2><ul>"
        told: set[tuple[str, ...]] = set()
        for block in group.blocks:
            advice = texts_of(block.hint)
            hint = f' <span class="faint">→ {_said(block.hint)}</span>' if block.hint and advice not in told else ""
            told.add(advice)
            note = f" · {_said(block.notes[0])}" if block.is_sentence and block.notes else ""
            who = escaped(block.name) if block.members else member(block.assistants[0], html_code)
            names = _names(block) if block.members else ""
            yield f"<li>{_sign(block)} {who}: {_said(block.message)}{note}{hint}{names}</li>"
        yield "</ul></section>"


def _names(block: Block) -> str:
    """Return all assistants of a block that is about several, folded where they are many."""
    listed = f'<ul class="names">{"".join(f"<li>{member(one, html_code)}</li>" for one in block.members)}</ul>'
    if len(block.members) <= NAMED:
        return listed
    return f"<details><summary>{len(block.members):,} names</summary>{listed}</details>"


def _problems(problems: Sequence[Diagnostic]) -> Iterator[str]:
    """Problems by weight; of many that only repeat the first few, and the rest folded."""
    if not problems:
        return
    yield f"<section><h2>Problems: {len(problems):,}</h2>"
    listed, rest = chosen(problems, len(problems))
    yield from _list(listed)
    for code, items in rest.items():
        yield f"<details><summary>and {len(items):,} more {html_code(shown(code))}</summary>"
        yield '<div class="inside">'
        yield from _list(items)
        yield "</div></details>"
    yield "</section>"


def _list(problems: Sequence[Diagnostic]) -> Iterator[str]:
    yield "<ul>"
    told: set[str] = set()
    for item in problems:
        at = shown(str(item.position) if item.position is not None else dotted(item.path))
        place = f"{html_code(at)}: " if at else ""
        hint = f' <span class="faint">→ {_said(item.hint)}</span>' if item.hint and item.hint not in told else ""
        told.add(item.hint)
        yield f"<li>{place}{item.severity.value} {html_code(shown(item.code))}: {_said(item.message)}{hint}</li>"
    yield "</ul>"


def _blocks(page: Page) -> Iterator[str]:
    if any(field.prose is not None for block in page.blocks for field in block.fields):
        yield _LAYOUT
    for block in page.blocks:
        yield from _block(block, is_open=len(page.blocks) <= OPEN)
    if page.rows:
        yield "<section><h2>What nobody manages</h2>"
        yield from _preformatted(page.rows)
        yield "</section>"


def _tone(block: Block) -> str:
    return _CLASSES.get(block.tone, "faint")


def _sign(block: Block) -> str:
    return f'<code class="{_tone(block)}">{escaped(block.symbol)}</code>'


def _block(block: Block, *, is_open: bool) -> Iterator[str]:
    """One assistant that folds, or a row where there is nothing to unfold."""
    word = "" if block.is_sentence else f'<span class="{_tone(block)}">{escaped(block.word)}</span>: '
    name = escaped(block.name) if block.members else html_code(shown(block.name))
    title = f"{_sign(block)} <h2>{name}</h2> {word}{_said(block.message)}"
    if block.is_bare:
        live_id = f' <span class="faint">{html_code(shown(block.id))}</span>' if block.id else ""
        yield f'<div class="bare">{title}{live_id}</div>'
        return
    yield f"<details{' open' if is_open else ''}>"
    yield f"<summary>{title}</summary>"
    yield '<div class="inside">'
    if block.id:
        yield f'<p class="faint">{html_code(shown(block.id))}</p>'
    for note in block.notes:
        yield f"<p>{_said(note)}</p>"
    if block.hint:
        yield f"<p>→ {_said(block.hint)}</p>"
    for is_outside in (True, False):
        scalars = [field for field in block.fields if field.is_scalar and field.is_outside is is_outside]
        yield from _scalars(scalars)
    for field in block.fields:
        if not field.is_scalar:
            yield from _field(field)
    if block.members:
        yield _names(block)
    yield "</div></details>"


def _scalars(fields: Sequence[Field]) -> Iterator[str]:
    """A table of fields with their two sides; with one side where all are new."""
    if not fields:
        return
    news = not any(field.old for field in fields)
    titles = ["field", "value"] if news else ["field", *fields[0].sides]
    placed = not news and any(field.where for field in fields)
    titles += ["where"] if placed else []
    yield "<table><thead><tr>" + "".join(f'<th scope="col">{title}</th>' for title in titles) + "</tr></thead><tbody>"
    for field in fields:
        words = f' <span class="faint">({_said(field.words)})</span>' if field.words else ""
        cells = [*([] if news else [field.old]), field.new, *([field.where] if placed else [])]
        told = zip(titles[1:], cells, strict=True)
        row = "".join(f'<td data-of="{title}">{html_code(text)}</td>' for title, text in told)
        yield f'<tr><th scope="row">{html_code(field.path)}{words}</th>{row}</tr>'
    yield "</tbody></table>"


def _field(field: Field) -> Iterator[str]:
    """A text as its difference, anything else as rows."""
    where = f" {html_code(field.where)}" if field.where else ""
    words = f" {_said(field.words)}" if field.words else ""
    yield f'<h3>{html_code(field.path)} <span class="faint">{words}{where}</span></h3>'
    if field.prose is None:
        yield from _preformatted(field.rows)
        return
    whose = f"in {html_code(shown(field.seen_in))}: " if field.seen_in else ""
    yield f'<p class="faint">{whose}{_said(sizes(field.prose, LOOK))}</p>'
    for word, kind, appeared in (("appeared", "create", True), ("vanished", "delete", False)):
        found = [item for item in field.prose.mentions if item.appeared is appeared]
        names = ", ".join(f"{item.sort.value} {html_code(shown(item.text))}" for item in found)
        if names:
            yield f'<p class="{kind}">{"+" if appeared else "-"} {word}: {names}</p>'
    yield '<div class="diff">'
    for line in lines(field.prose, field.place, field.notes, old_side=field.is_outside, home=field.home):
        yield _line(line, field)
    yield "</div>"


def _line(line: Line, field: Field) -> str:
    """One row: both sides of it, of which the layout shows one or two."""
    if line.kind in (Kind.FOLDED, Kind.LEFT, Kind.MOVED):
        return f'<div class="r"><div class="words">{escaped(SIGNS[line.kind])} {_said(line.words)}</div></div>'
    end = ' <span class="faint">(only blanks)</span>' if line.blanks else ""
    cells = (
        _cell("old", line, [part for part in line.parts if part.kind is not Kind.ADDED], field, end),
        _cell("new", line, line.parts if line.kind is not Kind.REMOVED else [], field, end),
    )
    return f'<div class="r {line.kind.value}">{"".join(cells)}</div>'


def _cell(side: str, line: Line, parts: Iterable[Part], field: Field, end: str) -> str:
    number = line.before if side == "old" else line.after
    text = "".join(_part(part) for part in parts)
    if not text and not number:
        return f'<div class="c {side}"></div>'
    kind = line.kind.value if line.kind is not Kind.KEPT else ""
    unseen = f'<span class="unseen">{kind}: </span>' if kind else ""
    numbered = _number(field, number, is_file=field.is_outside is (side == "old"))
    sign = escaped(SIGNS[line.kind])
    return (
        f'<div class="c {side}"><span class="n">{numbered}</span><span aria-hidden="true">{sign}</span>'
        f'<span class="t">{unseen}{text}{end}</span></div>'
    )


def _part(part: Part) -> str:
    tag = _TAGS.get(part.kind)
    return f"<{tag}>{escaped(part.text)}</{tag}>" if tag and part.text else escaped(part.text)


def _number(field: Field, number: int, *, is_file: bool) -> str:
    """A line's number: in its file on the file's side where that is known, else within the text."""
    if not number:
        return ""
    end = field.place(number).rpartition(":")[2] if is_file else ""
    return end if end.isascii() and end.isdigit() else str(number)


def _preformatted(rows: Sequence[Row]) -> Iterator[str]:
    """Rows as they stand in a terminal, toned."""
    if not rows:
        return
    texts = (
        "".join(
            f'<span class="{_CLASSES[piece.tone]}">{escaped(piece.text)}</span>'
            if piece.tone in _CLASSES and piece.text.strip()
            else escaped(piece.text)
            for piece in row
        )
        for row in rows
    )
    yield "<pre>" + "\n".join(texts) + "</pre>"


def _foot(page: Page) -> Iterator[str]:
    facts = [f"Target: {page.where}"] if page.where else []
    facts += [f"Flags: {page.flags}"] if page.flags else []
    facts += [f"Digest: {page.digest}"] if page.digest else []
    told = [_said(fact) for fact in facts] + [escaped(pages.UNTRUSTED)]
    yield "<footer>" + "".join(f"<p>{fact}</p>" for fact in told) + "</footer>"
