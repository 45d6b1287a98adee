"""What a probe found out, for people: a sentence for each answer, what changed since the last one, and what it means.

Knows no request and decides nothing; the sentences stand beside the questions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from trueup.core.memory.capabilities import Capabilities, Difference
from trueup.core.memory.questions import UNKNOWN, Question
from trueup.core.plans.summary import probe_summary
from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.values import value
from trueup.render.visible import columns, hanging, sentence, visible
from trueup.wire.registry import probe_of

CANNOT = {"metadata-key": "remove a metadata key", "listing": "show a create in its listing within ten seconds"}
"""What an answer means that says no, where it is not the name of a field."""


def probe_rows(found: Capabilities, changed: Sequence[Difference], file: str, look: Look) -> Iterator[Row]:
    """The answers in the order of the questions; the last row sums up."""
    to = found.identity
    where = f"{to.project}/{to.target}: {found.dialect}" + (f" behind {found.gateway}" if found.gateway else "")
    yield (Piece("Probed "), Piece(visible(where, look), Tone.STRONG))
    yield ()
    questions = _questions(found)
    label = max(columns(questions[name].asks) for name in found.answers) + 2
    for name in (name for name in questions if name in found.answers):
        asked, answer = questions[name], found.answers[name]
        words = asked.answers[answer].format(at=f"{found.tried.get(name.removeprefix('limit.'), 0):,}")
        tone = Tone.FAINT if answer == UNKNOWN else Tone.PLAIN
        yield from hanging((Piece(f"  {asked.asks:<{label}}", Tone.FAINT),), [Piece(words, tone)], look.width)
    for text in _added(found, look):
        yield from sentence(text, 2, look)
    yield from _changes(changed, look)
    if impossible := ", ".join(cannot(found)):
        yield ()
        words = f"This server cannot {impossible}. A plan says so where a file asks for it, and sends nothing."
        yield from sentence(words, 0, look)
    yield ()
    yield from sentence(f"Kept in {file}, which plan and apply go by.", 0, look)
    yield (Piece(summary_of(found, changed), Tone.STRONG),)


def cannot(found: Capabilities) -> tuple[str, ...]:
    """What the server was found unable to do."""
    words = [CANNOT[name] for name in CANNOT if found.answers.get(name) in ("never", "not-seen")]
    fields = [name.removeprefix("clear.") for name in _questions(found) if name.startswith("clear.")]
    return (*words, *(f"clear {name}" for name in fields if found.answers.get(f"clear.{name}") == "never"))


def _questions(found: Capabilities) -> Mapping[str, Question]:
    """Return the questions of the protocol that was probed, in their order."""
    probe = probe_of(found.identity.protocol)
    return probe.questions.by_name if probe is not None else {}


def _added(found: Capabilities, look: Look) -> Iterator[str]:
    for where, keys in sorted(found.fills.items()):
        entries = ", ".join(f"{visible(key, look)}: {value(entry, look, 60)}" for key, entry in sorted(keys.items()))
        yield f"{where} is filled in with {entries}"
    for where, words in sorted(found.words.items()):
        yield from (f"{where} {visible(old, look)} comes back as {visible(new, look)}" for old, new in words.items())


def _changes(changed: Sequence[Difference], look: Look) -> Iterator[Row]:
    if changed:
        yield ()
        yield (Piece("Changed since the last probe:", Tone.STRONG),)
    for item in changed:
        old, new = visible(item.before or "(not asked)", look), visible(item.after or "(not asked)", look)
        words = [Piece(old, Tone.GONE), Piece(f" {look.arrow} "), Piece(new, Tone.FRESH)]
        yield from hanging((Piece(f"  ~ {visible(item.what, look)}  "),), words, look.width, 6)


def summary_of(found: Capabilities, changed: Sequence[Difference]) -> str:
    """Return the last line of a probe."""
    unknown = sum(answer == UNKNOWN for answer in found.answers.values())
    return probe_summary(len(found.answers) - unknown, unknown, len(changed))
