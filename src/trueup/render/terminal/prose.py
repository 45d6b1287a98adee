"""A text difference as rows: words marked, moved blocks named, unchanged lines folded. Knows no plan and no file.

Where a line of the text stands in a file is asked of `place`, which the caller makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from trueup.core.texts import prose as model
from trueup.core.texts.prose import UNCHANGED, Kind, Mention, Nature, Prose, Run, Span, first_line, sections
from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.values import many
from trueup.render.visible import fitting, shortened, visible, wrapped

LINES = 160
"""Changed lines of one text that are shown unless everything is asked for."""

ROWS = 30
"""Rows that one line may take unless everything is asked for."""

NAMES = 40
"""Names that appeared, and as many that vanished, that are listed unless everything is asked for."""

NEAR = 28
"""Characters kept on each side of a marked change in a long line."""

Place = Callable[[int], str]
"""Where a line of the text, counted from 1 on the file's side, is to be found: `file:line`, or `line 12`."""

Key = tuple[tuple[object, ...], ...]
"""What makes two groups of changed lines the same change, wherever they stand."""

_TONES = {Kind.KEPT: Tone.FAINT, Kind.REMOVED: Tone.GONE, Kind.ADDED: Tone.FRESH}
_SIGNS = {Kind.KEPT: "  ", Kind.REMOVED: "- ", Kind.ADDED: "+ "}
_WORD_TONES = {Kind.REMOVED: Tone.GONE_WORD, Kind.ADDED: Tone.FRESH_WORD}
_MARKS = {Kind.REMOVED: ("[-", "-]"), Kind.ADDED: ("{+", "+}")}
_ONLY_BLANKS = "  (only blanks)"


class Scene(NamedTuple):
    """What every row of one text needs to know."""

    look: Look
    indent: int
    place: Place
    old_side: bool
    quiet: bool  # whether blanks are all that differs, which then is said above


def key(changed: Sequence[Run]) -> Key:
    """What a group of changes is, without the line numbers."""
    return tuple((run.kind.value, run.lines, run.spans, key(run.runs)) for run in changed)


def size(prose: Prose) -> str:
    """How much changed, in words; a change that cannot be seen is named."""
    if prose.nature is Nature.END:
        return f"only the newline at the end was {'added' if prose.newline_after else 'removed'}"
    counts = ((prose.changed, "changed"), (prose.removed, "removed"), (prose.added, "added"))
    told = [(number, word) for number, word in counts if number]
    words = [f"{many(number, 'line') if not at else f'{number:,}'} {word}" for at, (number, word) in enumerate(told)]
    words += [f"{many(len(prose.moves), 'block')} moved"] if prose.moves else []
    words += ["only in blanks and line breaks"] if prose.nature is Nature.WHITESPACE else []
    return ", ".join(words)


def heads(
    prose: Prose, look: Look, indent: int, place: Place, seen_in: str = "", *, old_side: bool = False
) -> Iterator[Row]:
    """What stands above the difference: the sizes before and after, and the names that appeared or vanished.

    `seen_in` names the assistant whose text is shown for several that changed alike.
    """
    whose = f"in {visible(seen_in, look)}: " if seen_in else ""
    yield from _wrapped([Piece(whose + sizes(prose, look), Tone.FAINT)], look, indent)
    for sign, tone, appeared in (("+ ", Tone.FRESH, True), ("- ", Tone.GONE, False)):
        found = [item for item in prose.mentions if item.appeared is appeared]
        if found:
            shown = found if look.verbose else found[:NAMES]
            words = ", ".join(_mention(item, look, place, old_side) for item in shown)
            words += f" and {len(found) - len(shown):,} more (-v shows all)" if len(found) > len(shown) else ""
            first = f"{'appeared' if appeared else 'vanished'}: "
            yield from _wrapped([Piece(first + words, tone)], look, indent, Piece(sign, tone))


def sizes(prose: Prose, look: Look) -> str:
    """The size before and after, in characters and in tokens as they are commonly reckoned."""
    old, new = prose.before, prose.after
    characters = f"{old.characters:,} {look.arrow} {many(new.characters, 'character')}"
    tokens = f"{old.tokens:,} {look.arrow} {many(new.tokens, 'token')}"
    if old.characters == new.characters:
        characters = many(new.characters, "character")
    if old.tokens == new.tokens:
        tokens = many(new.tokens, "token")
    return f"{characters}, about {tokens} (characters / 4)"


def _mention(item: Mention, look: Look, place: Place, old_side: bool) -> str:
    """A name with its line, where that is a line of the file's side."""
    name = f"{item.sort.value} {visible(item.text, look)}"
    return f"{name} ({place(item.line)})" if item.appeared is not old_side else name


def rows(
    prose: Prose, look: Look, indent: int, place: Place, notes: Mapping[Key, str], *, old_side: bool = False
) -> Iterator[Row]:
    """The runs as rows; a group whose note starts with `=` is not shown again, another note stands above its group."""
    scene = Scene(look, indent, place, old_side, prose.nature is Nature.WHITESPACE)
    groups = list(sections(prose))
    left = LINES
    note = was = ""
    file = _file(place(first_line(prose, old_side=old_side)))
    for number, (unchanged, changed) in enumerate(groups):
        note, was = notes.get(key(changed), "") if changed else "", note
        if not note.startswith("="):
            here = _file(_at(changed, scene)) if changed else file
            yield from _around(
                unchanged, changed, scene, named=not number, told=was.startswith("="), other=here != file
            )
            file = here
        if note != was:
            yield from _note(note.removeprefix("="), indent, look)
        if note.startswith("="):
            continue
        for run in changed:
            if left <= 0 and not look.verbose:
                rest = sum(_lines(later) for group in groups[number:] for later in group.changed)
                rest -= sum(_lines(earlier) for earlier in changed[: changed.index(run)])
                yield _fold(f"{many(rest, 'more changed line')} (-v shows all)", scene)
                return
            yield from _run(run, scene, left)
            left -= _lines(run)
    if prose.runs and prose.newline_before != prose.newline_after and prose.nature is not Nature.END:
        end = "now ends" if prose.newline_after else "no longer ends"
        yield (Piece(" " * indent + f"  (the text {end} with a newline)", Tone.FAINT),)


def _at(changed: Sequence[Run], scene: Scene) -> str:
    """Where a group of changes begins."""
    return scene.place(changed[0].before if scene.old_side else changed[0].after)


def _file(place: str) -> str:
    """The file of a place; nothing where only a line is known."""
    return place.rpartition(":")[0]


def _lines(run: Run) -> int:
    """Lines of change that a run shows."""
    return sum(map(_lines, run.runs)) if run.runs else max(run.old, run.new) * (run.kind not in UNCHANGED)


def _around(
    unchanged: Sequence[Run], changed: Sequence[Run], scene: Scene, *, named: bool, told: bool, other: bool
) -> Iterator[Row]:
    """The unchanged lines before a group, its place with the fold, or alone where it stands in another file.

    After a group that was not shown again, only what leads to this one. A group that is named above has no place.
    """
    where = _at(changed, scene) if changed and not named else ""
    if told and any(run.kind is Kind.FOLDED for run in unchanged):
        while unchanged[0].kind is not Kind.FOLDED:
            unchanged = unchanged[1:]
    if other and where and not any(run.kind is Kind.FOLDED for run in unchanged):
        yield _fold(where, scene)
    for run in unchanged:
        if run.kind is Kind.FOLDED:
            yield _fold(f"{many(run.old, 'line')} unchanged", scene, where)
        elif changed or not told:
            yield from _whole(run, scene)


def _fold(words: str, scene: Scene, where: str = "") -> Row:
    look = scene.look
    text = f"{look.fold} {words}" + (f" {look.dot} {where}" if where else "")
    return (Piece(" " * scene.indent), Piece(shortened(text, look.width - scene.indent, look), Tone.FAINT))


def _note(text: str, indent: int, look: Look) -> Iterator[Row]:
    if text:
        yield from _wrapped([Piece(visible(text, look), Tone.NOTE)], look, indent)


def _wrapped(pieces: Sequence[Piece], look: Look, indent: int, sign: Piece | None = None) -> Iterator[Row]:
    """Pieces on as many rows as they need, below each other."""
    room = look.width - indent - (len(sign.text) if sign else 0)
    for number, row in enumerate(fitting(wrapped(pieces, room), room)):
        lead = sign if sign and not number else Piece(" " * len(sign.text) if sign else "")
        yield (Piece(" " * indent), lead, *row)


def _run(run: Run, scene: Scene, left: int) -> Iterator[Row]:
    """The rows of one run, not more than so many lines of it unless all is asked for."""
    if run.kind is Kind.CHANGED:
        for row in model.rows(run):
            yield from _changed(row.spans, run, scene, "~ ")
    elif run.kind is Kind.LEFT:
        yield from _left(run, scene)
    elif run.kind is Kind.MOVED:
        yield from _moved(run, scene)
    else:
        limit = len(run.lines) if scene.look.verbose else left
        yield from _whole(run, scene, limit)
        if limit < len(run.lines):
            yield _fold(f"{many(len(run.lines) - limit, 'more line')} {run.kind.value} (-v shows all)", scene)


def _whole(run: Run, scene: Scene, limit: int = LINES) -> Iterator[Row]:
    """Lines that are on one side only, wrapped, or on both sides, on one row each unless everything is asked for."""
    look, tone = scene.look, _TONES[run.kind]
    width = look.width - scene.indent - 2
    for line in run.lines[:limit]:
        lead = Piece(_SIGNS[run.kind], tone)
        if run.kind is Kind.KEPT and not look.verbose:
            text = shortened(visible(line[: look.width * 4], look), width, look)
            yield (Piece(" " * scene.indent), lead, Piece(text, tone))
        else:
            text = visible(line, look, blanks=scene.quiet and run.kind is not Kind.KEPT)
            yield from _wrapped(list(_limited([Piece(text, tone)], look)), look, scene.indent, lead)


def _left(run: Run, scene: Scene) -> Iterator[Row]:
    """The place that a block left: where it is now, and how it began."""
    look = scene.look
    where = f"{scene.place(run.after)}" if not scene.old_side else f"live line {run.after:,}"
    head = f"{many(run.old, 'line')} moved to {where}: "
    text = shortened(head + visible(run.lines[0][: look.width], look), look.width - scene.indent - 2, look)
    yield (Piece(" " * scene.indent), Piece("< ", Tone.GONE), Piece(text, Tone.FAINT))


def _moved(run: Run, scene: Scene) -> Iterator[Row]:
    """A block at its new place: where it came from, then what changed in it, or how it begins."""
    where = f"line {run.before:,}" if not scene.old_side else scene.place(run.before)
    rest = "" if run.edited else ", unchanged"
    if run.new == len(run.runs) == 1:
        tail = Piece(f"  (moved from {where})", Tone.FAINT)
        yield from _wrapped([*_pieces(run.runs[0], scene), tail], scene.look, scene.indent, Piece("> ", Tone.FRESH))
        return
    words = f"{many(run.new, 'line')} moved here from {where}{rest}:"
    lead = (Piece(" " * scene.indent), Piece("> ", Tone.FRESH))
    yield (*lead, Piece(shortened(words, scene.look.width - scene.indent - 2, scene.look), Tone.FAINT))
    inner = scene._replace(indent=scene.indent + 2)
    for part in run.runs:
        if part.kind is not Kind.FOLDED:
            yield from _run(part, inner, LINES)
        elif run.edited:
            yield _fold(f"{many(part.old, 'line')} unchanged", inner)


def _pieces(run: Run, scene: Scene) -> list[Piece]:
    """The one line of a moved block: as it was, or with its changes marked."""
    if run.kind is Kind.CHANGED:
        return list(_limited(_marked(run.spans, scene.look, blanks=run.blanks_only), scene.look))
    return list(_near(run.lines[0], False, False, scene.look))


def _changed(row: Sequence[Span], run: Run, scene: Scene, sign: str) -> Iterator[Row]:
    """One row of changed text, wrapped; that it cannot be seen is said, unless that is so for all of the text."""
    pieces = list(_limited(_marked(row, scene.look, blanks=run.blanks_only), scene.look))
    if run.blanks_only and not scene.quiet and any(span.kind is not Kind.KEPT for span in row):
        pieces.append(Piece(_ONLY_BLANKS, Tone.FAINT))
    yield from _wrapped(pieces, scene.look, scene.indent, Piece(sign, Tone.MODIFY))


def _marked(spans: Sequence[Span], look: Look, *, blanks: bool) -> list[Piece]:
    """Changed text with its words marked: by look, and without colour by signs; blanks made visible where needed."""
    pieces: list[Piece] = []
    for place, span in enumerate(spans):
        if span.kind is Kind.KEPT:
            pieces += _near(span.text, place == 0, place == len(spans) - 1, look)
            continue
        opening, closing = ("", "") if look.color else _MARKS[span.kind]
        text = visible(span.text, look, blanks=blanks or not span.text.strip())
        pieces.append(Piece(opening + text + closing, _WORD_TONES[span.kind]))
    return pieces


def _limited(pieces: Sequence[Piece], look: Look) -> Iterator[Piece]:
    """The pieces of one line, as far as its rows reach."""
    room = ROWS * look.width
    rest = sum(len(piece.text) for piece in pieces) - room
    for piece in pieces:
        if look.verbose or room >= len(piece.text) or rest <= 0:
            yield piece
            room -= len(piece.text)
            continue
        yield Piece(piece.text[:room], piece.tone)
        yield Piece(f" {look.fold} {many(rest, 'more character')} (-v shows all)", Tone.FAINT)
        return


def _near(text: str, is_first: bool, is_last: bool, look: Look) -> Iterator[Piece]:
    """What is kept in a line, down to the words beside the change where there is much of it."""
    if look.verbose or len(text) <= 4 * NEAR:
        yield Piece(visible(text, look))
        return
    head = "" if is_first else text[: text.rfind(" ", 0, NEAR) + 1] or text[:NEAR]
    start = text.find(" ", len(text) - NEAR)
    tail = "" if is_last else text[start if start >= 0 else len(text) - NEAR :]
    fold = "".join((" " if head else "", look.fold, " " if tail and not tail.startswith(" ") else ""))
    yield Piece(visible(head.rstrip(" "), look))
    yield Piece(fold, Tone.FAINT)
    yield Piece(visible(tail, look))
