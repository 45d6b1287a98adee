"""What `accept` did, for people: the patch in colour, a sentence for each field, and what is left to do."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.core.acceptance.accepted import Accepted, AcceptedField, Ending, FilePatch
from trueup.core.command import Message
from trueup.core.plans.summary import accept_summary
from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.visible import hanging, sentence, spoken, visible

_TONES = {
    Ending.TAKEN: Tone.CREATE,
    Ending.MERGED: Tone.CREATE,
    Ending.CONFLICT: Tone.HELD,
    Ending.SAME: Tone.FAINT,
    Ending.REFUSED: Tone.HELD,
}
_LINES = {"+": Tone.FRESH, "-": Tone.GONE, "@": Tone.FAINT}


def accept_rows(accepted: Accepted, look: Look) -> Iterator[Row]:
    """Yield the patches, the fields, who else changes, how to go on, and the counts as the last row."""
    for item in accepted.patches:
        yield from patch_rows(item, look)
        yield ()
    if not accepted.fields:
        yield from hanging(
            (), [Piece(f"{visible(accepted.name, look)}: no field was changed by somebody else.")], look.width, 2
        )
    for field in accepted.fields:
        yield from _field(field, accepted, look)
    if accepted.also:
        yield from sentence(f"Also changed by this: {others(accepted)}.", 0, look)
    if accepted.written:
        files = ", ".join(item.file for item in accepted.patches)
        marks = any(item.ending is Ending.CONFLICT for item in accepted.fields)
        settle = "Settle the conflicts between <<<<<<< and >>>>>>>, then: " if marks else "To see what is left: "
        verb = "was" if len(accepted.patches) == 1 else "were"
        yield from sentence(f"{files} {verb} written with what is live on {accepted.target}.", 0, look)
        yield from sentence(Message(settle, accepted.again), 0, look, Tone.HINT, f"{look.arrow} ")
    yield ()
    yield (Piece(accept_summary(accepted), Tone.STRONG),)


def others(accepted: Accepted) -> str:
    """Who else changes: names with their targets."""
    by_name: dict[str, list[str]] = {}
    for name, target in accepted.also:
        by_name.setdefault(name, []).append(target)
    return ", ".join(f"{name} ({', '.join(targets)})" for name, targets in by_name.items())


def patch_rows(item: FilePatch, look: Look) -> Iterator[Row]:
    """A patch line by line, each sign of it that a terminal would obey made visible."""
    for line in item.patch.decode("utf-8", "replace").removesuffix("\n").split("\n"):
        yield (Piece(visible(line.removesuffix("\r"), look), _LINES.get(line[:1], Tone.PLAIN)),)


def _field(field: AcceptedField, accepted: Accepted, look: Look) -> Iterator[Row]:
    ending = field.ending.value
    if not accepted.written and field.ending in (Ending.TAKEN, Ending.MERGED, Ending.CONFLICT):
        head = f" would be {ending}"
    else:
        head = f" {'is' if field.ending is Ending.SAME else 'was'} {ending}"
    name = Piece(visible(f"{accepted.name} {field.name}", look), Tone.STRONG)
    words = [name, Piece(head, _TONES[field.ending])]
    if field.message:
        words += [Piece(": "), *spoken(field.message, look)]
    if field.position is not None:
        words.append(Piece(f" ({visible(f'{field.position.file}:{field.position.line}', look)})", Tone.FAINT))
    yield from hanging((), words, look.width, 2)
    if field.hint:
        yield from sentence(field.hint, 2, look, Tone.HINT, f"{look.arrow} ")
    for line in field.paste:
        yield (Piece(f"      {visible(line, look)}"),)
