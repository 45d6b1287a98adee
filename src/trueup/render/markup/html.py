"""The html format: one self-contained page to look at, without script and without anything that is loaded.

A difference is laid out below or side by side by two radio buttons and the style sheet; the page says the same either
way. A policy in the page forbids all but its own style sheet, should an escape ever be missing. Knows no browser.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

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
    escape_html,
    show,
    write_marker,
    write_member,
    write_sentence,
)
from trueup.render.model import Block, FieldView, Group, PageView, Shape
from trueup.render.prose_lines import SIGNS, Line, Part, describe_sizes, mentions_by_fate
from trueup.render.style import PAGE, Row, Tone
from trueup.render.terminal.text import unmanaged_rows
from trueup.render.terminal.values import value_rows
from trueup.render.visible import make_visible
from trueup.render.weight import choose

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
_TAGS = {RunKind.REMOVED: "del", RunKind.ADDED: "ins"}
_LAYOUT = (
    '<fieldset class="layout"><legend>Differences</legend>'
    '<label><input type="radio" name="layout" id="inline" checked> in one column</label> '
    '<label><input type="radio" name="layout" id="side"> side by side</label></fieldset>'
)


def write_page(page: PageView) -> str:
    """Return the whole page."""
    name = show(page.name, 160)
    title = f"{page.title} for {name}" if name else page.title
    heading = f"{escape_html(page.title)} for {code_element(name)}" if name else escape_html(page.title)
    head = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY.replace("&", "&amp;")}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape_html(title)}</title>",
        f"<style>{STYLE}</style></head>",
        f"<body>{write_marker(f'trueup:{page.target}', page.kind)}",
        f'<header><h1>{heading}</h1><p class="summary">{_sentence(page.summary)}</p>',
    ]
    body = [
        *_notes_above(page),
        "</header>",
        "<main>",
        *_groups(page.groups),
        *_problems(page.problems),
        *_blocks(page),
    ]
    return "\n".join([*head, *body, "</main>", *_foot(page), "</body></html>"]) + "\n"


def _sentence(text: str) -> str:
    return write_sentence(text, code_element, _command)


def _command(text: str) -> str:
    """Return a command as one piece that a click selects and no narrow window breaks."""
    return f'<code class="command">{escape_html(text)}</code>'


def _notes_above(page: PageView) -> Iterator[str]:
    for sentence in (*page.alerts, *notes_above(page)):
        yield f'<p class="alert">{_sentence(sentence)}</p>'


def _groups(groups: Sequence[Group]) -> Iterator[str]:
    """Yield what must not be missed, as lists."""
    for group in groups:
        yield f"<section><h2>{escape_html(group.title)}: {len(group):,}</h2><ul>"
        shown: set[tuple[str, ...]] = set()
        for block in group.blocks:
            advice = texts_of(block.hint)
            hint = (
                f' <span class="faint">→ {_sentence(block.hint)}</span>' if block.hint and advice not in shown else ""
            )
            shown.add(advice)
            note = f" · {_sentence(block.notes[0].text)}" if block.is_sentence and block.notes else ""
            who = escape_html(block.name) if block.members else write_member(block.assistants[0], code_element)
            names = _names(block) if block.members else ""
            yield f"<li>{_sign(block)} {who}: {_sentence(block.message)}{note}{hint}{names}</li>"
        yield "</ul></section>"


def _names(block: Block) -> str:
    """Return all assistants of a block that is about several, folded where they are many."""
    listed = f'<ul class="names">{"".join(f"<li>{write_member(one, code_element)}</li>" for one in block.members)}</ul>'
    if len(block.members) <= NAMED:
        return listed
    return f"<details><summary>{len(block.members):,} names</summary>{listed}</details>"


def _problems(problems: Sequence[Diagnostic]) -> Iterator[str]:
    """Yield problems by weight; of many that only repeat the first few, and the rest folded."""
    if not problems:
        return
    yield f"<section><h2>Problems: {len(problems):,}</h2>"
    listed, rest = choose(problems, len(problems))
    yield from _problem_list(listed)
    for code, items in rest.items():
        yield f"<details><summary>and {len(items):,} more {code_element(show(code))}</summary>"
        yield '<div class="inside">'
        yield from _problem_list(items)
        yield "</div></details>"
    yield "</section>"


def _problem_list(problems: Sequence[Diagnostic]) -> Iterator[str]:
    yield "<ul>"
    shown: set[str] = set()
    for item in problems:
        at = show(str(item.position) if item.position is not None else dotted(item.path))
        place = f"{code_element(at)}: " if at else ""
        hint = f' <span class="faint">→ {_sentence(item.hint)}</span>' if item.hint and item.hint not in shown else ""
        shown.add(item.hint)
        yield f"<li>{place}{item.severity.value} {code_element(show(item.code))}: {_sentence(item.message)}{hint}</li>"
    yield "</ul>"


def _blocks(page: PageView) -> Iterator[str]:
    if any(field.shape is Shape.TEXT for block in page.blocks for field in block.fields):
        yield _LAYOUT
    for block in page.blocks:
        yield from _block(block, is_open=len(page.blocks) <= OPEN)
    unmanaged = [*unmanaged_rows(page.unmanaged, PAGE)] if page.unmanaged is not None else []
    if unmanaged:
        yield "<section><h2>Unmanaged</h2>"
        yield from _preformat(unmanaged)
        yield "</section>"


def _tone(block: Block) -> str:
    return _CLASSES.get(block.sign.tone, "faint")


def _sign(block: Block) -> str:
    return f'<code class="{_tone(block)}">{escape_html(block.sign.symbol)}</code>'


def _block(block: Block, *, is_open: bool) -> Iterator[str]:
    """Yield one assistant that folds, or a row where there is nothing to unfold."""
    word = "" if block.is_sentence else f'<span class="{_tone(block)}">{escape_html(block.sign.word)}</span>: '
    name = escape_html(block.name) if block.members else code_element(show(block.name))
    title = f"{_sign(block)} <h2>{name}</h2> {word}{_sentence(message_of(block))}"
    if block.is_bare:
        live_id = f' <span class="faint">{code_element(show(block.id))}</span>' if block.id else ""
        yield f'<div class="bare">{title}{live_id}</div>'
        return
    yield f"<details{' open' if is_open else ''}>"
    yield f"<summary>{title}</summary>"
    yield '<div class="inside">'
    if block.id:
        yield f'<p class="faint">{code_element(show(block.id))}</p>'
    for note in block.notes:
        yield f"<p>{_sentence(note.text)}</p>"
    if block.hint:
        yield f"<p>→ {_sentence(block.hint)}</p>"
    for table in side_tables(block):
        yield from _side_table(table)
    for field in block.fields:
        if field.shape is not Shape.SIDES:
            yield from _field(field)
    if block.members:
        yield _names(block)
    yield "</div></details>"


def _side_table(table: SideTable) -> Iterator[str]:
    titles = "".join(f'<th scope="col">{title}</th>' for title in ("field", *table.titles))
    yield f"<table><thead><tr>{titles}</tr></thead><tbody>"
    for field, cells in table.rows:
        words = f' <span class="faint">({_sentence(field.words)})</span>' if field.words else ""
        titled = zip(table.titles, cells, strict=True)
        row = "".join(f'<td data-of="{title}">{code_element(text)}</td>' for title, text in titled)
        yield f'<tr><th scope="row">{code_element(show(field.path))}{words}</th>{row}</tr>'
    yield "</tbody></table>"


def _field(field: FieldView) -> Iterator[str]:
    """Yield a text as its difference, anything else as rows."""
    where = f" {code_element(show(field.where))}" if field.where else ""
    words = f" {_sentence(field.words)}" if field.words else ""
    yield f'<h3>{code_element(show(field.path))} <span class="faint">{words}{where}</span></h3>'
    if field.shape is not Shape.TEXT:
        yield from _preformat([*value_rows(field, WHOLE, 0)])
        return
    whose = f"in {code_element(show(field.seen_in))}: " if field.seen_in else ""
    yield f'<p class="faint">{whose}{_sentence(describe_sizes(field.prose, PAGE))}</p>'
    for word, appeared, found in mentions_by_fate(field.prose):
        names = ", ".join(f"{item.sort.value} {code_element(show(item.text))}" for item in found)
        yield f'<p class="{"create" if appeared else "delete"}">{"+" if appeared else "-"} {word}: {names}</p>'
    yield '<div class="diff">'
    for line in field.lines:
        yield _line(line, field)
    yield "</div>"


def _line(line: Line, field: FieldView) -> str:
    """Return one row: both sides of it, of which the layout shows one or two."""
    if line.kind in (RunKind.FOLDED, RunKind.LEFT, RunKind.MOVED):
        return (
            f'<div class="r"><div class="words">{escape_html(SIGNS[line.kind])} {_sentence(words_of(line))}</div></div>'
        )
    end = ' <span class="faint">(only blanks)</span>' if line.blanks else ""
    cells = (
        _cell("old", line, [part for part in line.parts if part.kind is not RunKind.ADDED], field, end),
        _cell("new", line, line.parts if line.kind is not RunKind.REMOVED else [], field, end),
    )
    return f'<div class="r {line.kind.value}">{"".join(cells)}</div>'


def _cell(side: str, line: Line, parts: Iterable[Part], field: FieldView, end: str) -> str:
    number = line.before if side == "old" else line.after
    text = "".join(_part(part) for part in parts)
    if not text and not number:
        return f'<div class="c {side}"></div>'
    kind = line.kind.value if line.kind is not RunKind.KEPT else ""
    unseen = f'<span class="unseen">{kind}: </span>' if kind else ""
    numbered = line_number(field, number, is_file=field.is_outside is (side == "old"))
    sign = escape_html(SIGNS[line.kind])
    return (
        f'<div class="c {side}"><span class="n">{numbered}</span><span aria-hidden="true">{sign}</span>'
        f'<span class="t">{unseen}{text}{end}</span></div>'
    )


def _part(part: Part) -> str:
    tag, text = _TAGS.get(part.kind), escape_html(make_visible(part.text, PAGE, blanks=part.blanks))
    return f"<{tag}>{text}</{tag}>" if tag and text else text


def _preformat(rows: Sequence[Row]) -> Iterator[str]:
    """Yield rows as they stand in a terminal, toned."""
    if not rows:
        return
    texts = (
        "".join(
            f'<span class="{_CLASSES[piece.tone]}">{escape_html(piece.text)}</span>'
            if piece.tone in _CLASSES and piece.text.strip()
            else escape_html(piece.text)
            for piece in row
        )
        for row in rows
    )
    yield "<pre>" + "\n".join(texts) + "</pre>"


def _foot(page: PageView) -> Iterator[str]:
    facts = [f"Target: {page.where}"] if page.where else []
    facts += [f"Flags: {page.flags}"] if page.flags else []
    facts += [f"Digest: {page.digest}"] if page.digest else []
    parts = [_sentence(fact) for fact in facts] + [escape_html(UNTRUSTED)]
    yield "<footer>" + "".join(f"<p>{fact}</p>" for fact in parts) + "</footer>"


LIGHT = {
    "ground": "#ffffff", "panel": "#f6f8fa", "line": "#c7ced6", "text": "#1f2328", "faint": "#57606a",
    "create": "#116329", "modify": "#7d4e00", "delete": "#a40e26", "held": "#6639ba", "adopt": "#0550ae",
    "gone": "#82071e", "gone-ground": "#ffebe9", "gone-word": "#ffc9c4",
    "fresh": "#044f1e", "fresh-ground": "#e6ffec", "fresh-word": "#a6f2b8",
}  # fmt: skip
DARK = {
    "ground": "#0d1117", "panel": "#161b22", "line": "#3d444d", "text": "#e6edf3", "faint": "#9da7b3",
    "create": "#56d364", "modify": "#e3b341", "delete": "#ff9492", "held": "#d2a8ff", "adopt": "#79c0ff",
    "gone": "#ffdcd7", "gone-ground": "#35171a", "gone-word": "#7d1f26",
    "fresh": "#c3f7cd", "fresh-ground": "#11301c", "fresh-word": "#1b6433",
}  # fmt: skip
"""Colours by what they are for; both tables have the same names."""

_RULES = """
*{box-sizing:border-box}
body{margin:0 auto;max-width:90rem;padding:1rem;background:var(--ground);color:var(--text);
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.35rem;margin:.2rem 0 .6rem}h2{font-size:1.05rem;margin:1rem 0 .3rem}
h3{font-size:1rem;margin:.9rem 0 .3rem;font-weight:600}h3 .faint{font-weight:400}
code,.diff,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.86rem}
p{margin:.35rem 0}ul{margin:.3rem 0;padding-left:1.2rem}li{margin:.25rem 0}
.names{columns:24rem;padding-left:0;list-style:none}.names li{margin:0;break-inside:avoid}
.summary{font-weight:600;font-size:1.05rem}.faint{color:var(--faint)}
.alert{border-left:.3rem solid var(--held);background:var(--panel);padding:.5rem .7rem;margin:.6rem 0}
details,.layout{border:1px solid var(--line);border-radius:.4rem;margin:.7rem 0;background:var(--ground)}
summary{padding:.5rem .7rem;background:var(--panel);cursor:pointer;border-radius:.4rem}
.bare{margin:.35rem 0}summary h2,.bare h2{display:inline;font-size:1rem;margin:0}
summary:focus-visible,input:focus-visible{outline:.15rem solid var(--adopt)}
.inside{padding:.1rem .7rem .7rem}
.layout{padding:.2rem .7rem .4rem}.layout label{margin-right:1.2rem;white-space:nowrap}
.create{color:var(--create)}.modify{color:var(--modify)}.delete{color:var(--delete)}.held{color:var(--held)}
.adopt{color:var(--adopt)}
code.command{white-space:pre;overflow-wrap:normal;user-select:all;display:inline-block;max-width:100%;
overflow-x:auto;vertical-align:bottom}
table{border-collapse:collapse;width:100%;table-layout:fixed}
th,td{border:1px solid var(--line);padding:.25rem .45rem;text-align:left;vertical-align:top}
th{background:var(--panel);font-weight:600}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--panel);padding:.5rem;
border-radius:.3rem;margin:.3rem 0}
.diff{border:1px solid var(--line);border-radius:.3rem;overflow:hidden;margin:.3rem 0}
.c{display:grid;grid-template-columns:3.4em 1.4em minmax(0,1fr);min-height:1.5em}
.n{color:var(--faint);text-align:right;padding-right:.6em;user-select:none}
.t{white-space:pre-wrap;overflow-wrap:anywhere;padding-right:.4em}
.words{color:var(--faint);background:var(--panel);padding:.15rem .5rem}
.removed .old,.changed .old{background:var(--gone-ground);color:var(--gone)}
.added .new{background:var(--fresh-ground);color:var(--fresh)}
del{background:var(--gone-word);color:var(--gone)}
ins{background:var(--fresh-word);color:var(--fresh);text-decoration:underline}
.removed>.c>.t>del,.added>.c>.t>ins{background:none;text-decoration:none}
.kept .old,.changed .old,.added .old,.removed .new{display:none}
body:has(#side:checked) .r{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr)}
body:has(#side:checked) .c{display:grid}
body:has(#side:checked) .changed .new{background:var(--fresh-ground);color:var(--fresh)}
body:has(#side:checked) .new del{display:none}
body:has(#side:checked) .words{grid-column:1/3}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
footer{margin-top:1.5rem;border-top:1px solid var(--line);padding-top:.5rem;color:var(--faint);font-size:.9rem}
@media (max-width:40rem){body{padding:.6rem}.c{grid-template-columns:2.4em 1.2em minmax(0,1fr)}
.inside{padding:.1rem .4rem .4rem}
table,tbody,tr,th,td{display:block}thead{display:none}table{border:1px solid var(--line)}th,td{border:0}
td::before{content:attr(data-of)": ";color:var(--faint);font-size:.86rem}}
@media print{details{break-inside:avoid}.layout{display:none}}
"""


def _colours(table: dict[str, str]) -> str:
    return ":root{" + ";".join(f"--{name}:{value}" for name, value in table.items()) + "}"


STYLE = (
    ":root{color-scheme:light dark}" + _colours(LIGHT)
    + "@media (prefers-color-scheme:dark){" + _colours(DARK) + "}" + _RULES.replace("\n", "")
)  # fmt: skip

POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + b64encode(sha256(STYLE.encode("utf-8")).digest()).decode("ascii")
    + "'; base-uri 'none'; form-action 'none'"
)
"""What a browser lets the page do: use this very style sheet, and nothing else."""
