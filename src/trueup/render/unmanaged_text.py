"""What nobody manages, for people: undeclared fields by assistant, and assistants that are nobody's."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.core.plans.unmanaged import Unmanaged
from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.values import many, value
from trueup.render.visible import hanging, sentence, visible


def unmanaged_rows(unmanaged: Unmanaged, look: Look) -> Iterator[Row]:
    """Both lists, each under a line that says what it is; nothing where there is nothing."""
    if unmanaged.undeclared:
        yield ()
        yield from sentence("Not declared by any file, and not at their defaults:", 0, look)
    for name, fields in unmanaged.undeclared.items():
        yield (Piece(f"  {visible(name, look)}", Tone.STRONG),)
        for field, entry in fields.items():
            lead = (Piece(f"    {visible(field, look)}: "),)
            yield from hanging(lead, [Piece(value(entry, look, look.width // 2), Tone.FAINT)], look.width, 6)
    if unmanaged.strangers:
        yield ()
        yield from sentence(f"{many(len(unmanaged.strangers), 'assistant')} live that nobody manages:", 0, look)
    for stranger in unmanaged.strangers:
        shown = f"  {visible(stranger.display_name, look)}" if stranger.display_name else ""
        yield (Piece(f"  {visible(stranger.id, look)}"), Piece(shown, Tone.FAINT))
