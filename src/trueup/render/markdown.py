"""The markdown format: a comment for a pull request, as GitHub and GitLab render it.

Counts and what destroys something come first, then one folded block for each assistant. Foreign text stands in code
spans and code elements only, where no forge looks for mentions, links or commands. A cut leaves out whole rows, so that
it breaks nothing; what is left out is said and counted. Knows no forge: a bot finds its comment by its first line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from trueup.core.command import texts_of
from trueup.core.source import Diagnostic, dotted
from trueup.render import pages
from trueup.render.markdown_blocks import Section, block_sections, rows_sections
from trueup.render.markdown_room import cut
from trueup.render.markup import escaped, html_code, inline, marker, member, shown, span_code
from trueup.render.values import many
from trueup.render.view import Block, Group, Member, Page
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
    blocks = _within(full, room if sum(map(_whole, full)) <= room else room - names, page.again)
    room -= sum(_size(block) + 1 for block in blocks)
    cut = page.blocks[len(blocks) :]
    parts = [head, *blocks, unmanaged, _left(cut, page, room) if cut else "", foot]
    return "\n\n".join(filter(None, parts)) + "\n"


def _left(cut: Sequence[Block], page: Page, room: int) -> str:
    """How many assistants have no block, and which, by what happens to them, as far as there is room."""
    told = f"**Not shown for want of room: {pages.counted(cut)}.** All of it: {inline(page.again, span_code)}."
    room -= _size(told)
    for word in dict.fromkeys(block.word for block in cut):
        found = [one.name for block in cut if block.word == word for one in block.assistants]
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
    return cut([*rows_sections("What nobody manages", page.rows)], room, page.again) if page.rows else ""


def _head(page: Page) -> Iterator[str]:
    """Everything above the fold."""
    yield marker(f"trueup:{page.target}", page.kind) if page.target else marker("trueup:", page.kind)
    yield f"### {page.title}" + (f" for {span_code(shown(page.name, 160))}" if page.name else "")
    yield ""
    yield f"**{inline(page.summary, span_code)}**"
    for alert in page.alerts:
        yield from ("", f"> **Note:** {inline(alert, span_code)}")
    for remark in page.remarks:
        yield from ("", f"**Note:** {inline(remark, span_code)}")
    for group in page.groups:
        yield from _group(group)
    if page.problems:
        yield from _problems(page.problems, page.again)


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
    words = [f"- {span_code(block.symbol)} {who}: {inline(block.message, span_code)}"]
    words += [f"· {inline(note, span_code)}" for note in block.notes[:1] if block.is_sentence]
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
    yield f"<p><sub>{told}{escaped(pages.UNTRUSTED)}</sub></p>"  # <sub> alone would be read as markdown


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
