"""Answers to `why` for people. Knows no rule: the sentences come with the values."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.core.command import Message
from trueup.core.plans.plan import MISSING
from trueup.core.plans.why import Why, WhyField
from trueup.render.field_rows import beside
from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.values import amount, is_text, value
from trueup.render.visible import hanging, sentence, shortened, spoken, visible


def why_rows(why: Why, look: Look) -> Iterator[Row]:
    """The assistant, then for each field its three sides and the rule that decided."""
    head = (Piece(visible(why.name, look), Tone.STRONG), Piece("  "), *spoken(why.message, look))
    yield from beside(list(hanging((), head, look.width, 4)), why.id, look)
    for item in why.fields:
        yield ()
        yield from _field(item, look)
    if why.origin is not None:
        yield ()
        yield from sentence(why.origin.sentence, 2, look)
    for name, note in why.notes.items():
        yield ()
        yield from sentence(Message(name, ": ", note), 2, look, Tone.FAINT)
    if why.hint:
        yield ()
        yield from sentence(why.hint, 2, look, Tone.HINT, f"{look.arrow} ")


def _field(item: WhyField, look: Look) -> Iterator[Row]:
    where = f"{item.position.file}:{item.position.line}" if item.position else ""
    name = shortened(visible(item.name, look), look.width - 4, look)
    yield from beside([(Piece("  "), Piece(name, Tone.STRONG))], where, look)
    sides = (("file", _side(item.file, look)), ("applied", item.applied.value), ("live", _side(item.live, look)))
    for word, text in sides:
        yield (Piece(f"    {word:<9}", Tone.FAINT), Piece(shortened(text, look.width - 13, look)))
    yield from hanging((Piece(f"    {'so':<9}", Tone.FAINT),), spoken(item.rule, look), look.width)


def _side(side: object, look: Look) -> str:
    if side is MISSING:
        return "(nothing)"
    if isinstance(side, str) and is_text(side):
        return f"{value(side, look, 40)} ({amount(side)})"
    return value(side, look, look.width - 13)
