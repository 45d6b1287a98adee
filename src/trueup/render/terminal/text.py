"""A page as text for a terminal or a pipe: a heading for each assistant, its fields, and the line that sums up.

`width` is in columns. Values from outside are shown safely; colour is only ever added to what words or signs say too.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Unpack

from trueup.core.command import Message, texts_of
from trueup.core.plans.live import Unmanaged
from trueup.core.plans.wording import quoted
from trueup.core.source import Diagnostic, dotted
from trueup.render.grouping import SMALLEST, group_equal
from trueup.render.model import Block, PageView
from trueup.render.style import Look, LookOptions, Piece, Row, Tone, make_look, paint
from trueup.render.terminal.fields import field_rows, summarize
from trueup.render.terminal.problems import diagnostic_rows, source_rows
from trueup.render.values import pluralize, write_value
from trueup.render.visible import count_columns, hanging_rows, make_visible, message_pieces, sentence_rows, shorten

NAMED = 20
"""Names of a group that are listed; what must be known of each one is listed whole."""


def write_page(page: PageView, *, verbose: bool = False, is_headed: bool = True, **options: Unpack[LookOptions]) -> str:
    """Return a page as text; its last line is the summary. `is_headed`: the first one names the target.

    `verbose` folds nothing.
    """
    look = make_look(verbose=verbose, **options)
    return paint(page_rows(page, look, is_headed=is_headed), look.color)


def page_rows(page: PageView, look: Look, *, is_headed: bool = True) -> Iterator[Row]:
    """Yield the whole page; the last row is the summary."""
    is_first = not is_headed
    if is_headed:
        yield from _header(page, look)
    for row in _body(page, look):
        if not (is_first and row == ()):
            yield row
        is_first = False
    if not is_first:
        yield ()
    yield (Piece(page.summary, Tone.STRONG),)


def _header(page: PageView, look: Look) -> Iterator[Row]:
    """Yield the target that the page is about, what must be known first, and the flags."""
    name = Piece(f"Target {make_visible(page.name, look)}", Tone.STRONG)
    yield from hanging_rows((), [name, Piece(f": {make_visible(page.where, look)}", Tone.FAINT)], look.width, 2)
    for alert in page.alerts:
        yield from sentence_rows(alert, 2, look, Tone.WARNING, "! ")
    if page.flags:
        yield from hanging_rows((Piece("  with "),), [Piece(make_visible(page.flags, look), Tone.FAINT)], look.width)


def _body(page: PageView, look: Look) -> Iterator[Row]:
    """Yield all between the heading and the summary, each part after an empty row."""
    if page.is_compact:
        yield from _compact_rows(page, look)
    else:
        yield from _blocks(page, look)
    if page.nothing:
        yield ()
        yield from sentence_rows(page.nothing, 0, look)
    if page.unmanaged is not None:
        yield from unmanaged_rows(page.unmanaged, look)
    for number, words in enumerate(page.ignored):
        yield from () if number else ((),)
        yield from sentence_rows(words, 2, look, Tone.FAINT)
    for note in page.remarks:
        yield ()
        yield from sentence_rows(note.text, 2, look, note.tone, "! " if note.tone is Tone.WARNING else "")
    yield from _problems(page.problems, look)
    if page.partial:
        yield ()
        yield from sentence_rows(page.partial, 2, look, Tone.UNREAD, "? ")


def _blocks(page: PageView, look: Look) -> Iterator[Row]:
    """Yield the blocks one after the other; advice that repeats is given once."""
    hints: set[tuple[str, ...]] = set()
    cut: dict[str, None] = {}
    is_report = page.kind == "apply"
    if is_report and page.blocks:
        yield ()
    for block in page.blocks:
        if not is_report:
            yield ()
        yield from _block(block, look, hints)
        if block.names_all and not block.is_listed and len(block.members) > NAMED:
            cut[block.names_all] = None
    for names_all in cut:
        yield ()
        yield from sentence_rows(names_all, 2, look, Tone.FAINT)


def _block(block: Block, look: Look, hints: set[tuple[str, ...]]) -> Iterator[Row]:
    """Yield a heading, what changes, whom it is about, and how to go on."""
    yield from _heading(block, look)
    yield from field_rows(block.fields, look)
    if block.members and not block.is_sentence:
        yield from _members(block, look)
    for note in block.notes:
        if note.text:
            yield from sentence_rows(note.text, 4, look, note.tone)
        if note.source is not None:
            yield from source_rows(note.source, Tone.ERROR, look)
    if block.members and block.is_sentence:
        yield from _members(block, look)
    advice = texts_of(block.hint) if block.is_same_advice else (block.hint,)
    if block.hint and advice not in hints:
        hints.add(advice)
        yield from sentence_rows(block.hint, 4, look, Tone.HINT, f"{look.arrow} ")


def _heading(block: Block, look: Look) -> Iterator[Row]:
    """Yield `~ support/triage  modify: the file changed`, the id at the right end, or below where it does not fit."""
    sign = block.sign
    name = shorten(make_visible(block.name, look), look.width - 4, look)
    word = " " if block.is_sentence else f"  {sign.word}: "
    first = (Piece(f"{sign.symbol} ", sign.tone), Piece(name, sign.tone), Piece(word))
    lead = sum(count_columns(piece.text) for piece in first)
    words = message_pieces(block.message, look)
    if lead > look.width // 2 and lead + sum(count_columns(piece.text) for piece in words) > look.width:
        rows: list[Row] = [first[:2], *hanging_rows((Piece("    "),), [Piece(word.lstrip()), *words], look.width)]
    else:
        rows = list(hanging_rows(first, words, look.width, min(lead, 4)))
    yield from _with_id(rows, block.id, look)


def _with_id(rows: list[Row], live_id: str, look: Look) -> Iterator[Row]:
    """Yield rows with an id at the right end of the last one, or on a row of its own below."""
    live_id = shorten(make_visible(live_id, look), look.width - 4, look)
    free = look.width - sum(count_columns(piece.text) for piece in rows[-1])
    if not live_id:
        yield from rows
    elif free >= count_columns(live_id) + 2:
        yield from rows[:-1]
        yield (*rows[-1], Piece(" " * (free - count_columns(live_id))), Piece(live_id, Tone.FAINT))
    else:
        yield from rows
        yield (Piece(" " * (look.width - count_columns(live_id))), Piece(live_id, Tone.FAINT))


def _members(block: Block, look: Look) -> Iterator[Row]:
    """Yield the names of a group: a row for each with its id where that must be known, else some and their number."""
    if not block.is_listed:
        names = _list_names([member.name for member in block.members])
        yield from hanging_rows((Piece("    "),), [Piece(make_visible(names, look), Tone.FAINT)], look.width)
        return
    for member in block.members:
        beside = f"  {quoted(member.also)}" if member.also else ""
        words = Piece(make_visible(f"{member.name}{beside}", look))
        yield from _with_id(list(hanging_rows((Piece("    "),), [words], look.width, 6)), member.id, look)


def _list_names(names: Sequence[str]) -> str:
    """Return the first names of a list, and how many are left out."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")


def _compact_rows(page: PageView, look: Look) -> Iterator[Row]:
    """Yield a row for each assistant, below them why and what to do, and the command that shows each in full."""
    names = (count_columns(make_visible(block.name, look)) for block in page.blocks)
    wide = min(max(names, default=0), look.width // 2)
    yield ()
    for block in page.blocks:
        yield from _compact_row(block, wide, look)
    for reason in page.reasons:
        yield ()
        yield from _reason(reason, look)
    for command in page.again[:1]:
        words = Message("One row per assistant. For each change in full: ", command.with_words("--no-compact"))
        yield ()
        yield from sentence_rows(words, 2, look, Tone.FAINT)


def _compact_row(block: Block, wide: int, look: Look) -> Iterator[Row]:
    """Yield the row of one assistant; what is destroyed or waits for a decision is never cut."""
    sign, name = block.sign, make_visible(block.name, look)
    beside = f"  {quoted(block.also)}" if block.also else ""
    lead = f"{sign.symbol} {name}{' ' * (wide - count_columns(name))}"
    what = ", ".join(summarize(brief, look) for brief in block.briefs)
    words = make_visible(f"  {sign.word}{': ' if what else ''}{what}{beside}", look)
    if block.is_listed:
        yield from _with_id(
            list(hanging_rows((Piece(lead, sign.tone),), [Piece(words)], look.width, 4)), block.id, look
        )
        return
    lead = shorten(lead, look.width // 2 + 2, look)
    yield (Piece(lead, sign.tone), Piece(shorten(words, look.width - count_columns(lead), look)))


def _reason(block: Block, look: Look) -> Iterator[Row]:
    """Yield the sentences that are the same for several assistants, with their names."""
    names = Piece(make_visible(_list_names([member.name for member in block.members]), look))
    yield from hanging_rows((Piece(f"  {block.sign.word}: ", block.sign.tone),), [names], look.width, 4)
    for text in filter(None, (block.message, *(note.text for note in block.notes))):
        yield from sentence_rows(text, 4, look, Tone.FAINT)
    if block.hint:
        yield from sentence_rows(block.hint, 4, look, Tone.HINT, f"{look.arrow} ")


def unmanaged_rows(unmanaged: Unmanaged, look: Look) -> Iterator[Row]:
    """Yield what is unmanaged: fields by assistant, then assistants, each list under a line that says what it is."""
    if unmanaged.undeclared:
        yield ()
        yield from sentence_rows("Undeclared fields that are not at their defaults:", 0, look)
    for name, fields in unmanaged.undeclared.items():
        yield (Piece(f"  {make_visible(name, look)}", Tone.STRONG),)
        for field, entry in fields.items():
            lead = (Piece(f"    {make_visible(field, look)}: "),)
            yield from hanging_rows(lead, [Piece(write_value(entry, look, look.width // 2), Tone.FAINT)], look.width, 6)
    if unmanaged.strangers:
        yield ()
        yield from sentence_rows(f"{pluralize(len(unmanaged.strangers), 'unmanaged assistant')}:", 0, look)
    for stranger in unmanaged.strangers:
        shown = f"  {make_visible(stranger.display_name, look)}" if stranger.display_name else ""
        yield (Piece(f"  {make_visible(stranger.id, look)}"), Piece(shown, Tone.FAINT))


def _problems(problems: Sequence[Diagnostic], look: Look) -> Iterator[Row]:
    """Yield what is known to be wrong or missing in the files; where many say the same, once with all places."""
    smallest = len(problems) + 1 if look.verbose else SMALLEST
    for same in group_equal(problems, _key_of_problem, smallest):
        yield ()
        yield from diagnostic_rows(same[0], look)
        if len(same) > 1:
            places = _list_names([str(item.position or dotted(item.path)) for item in same[1:]])
            yield from sentence_rows(f"The same at {places}", 2, look, Tone.FAINT)


def _key_of_problem(item: Diagnostic) -> Hashable:
    """Return what is shown of a problem, without its place."""
    return item.severity, item.code, item.message, item.hint
