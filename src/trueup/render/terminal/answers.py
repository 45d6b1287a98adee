"""Answers about one assistant, a file or a target as text: why, accept, targets, dialects, and what a probe found out.

Knows no rule and decides nothing: the sentences come with the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Unpack

from trueup.core.acceptance.accepted import Accepted, AcceptedField, AcceptResult, FilePatch
from trueup.core.command import Message
from trueup.core.memory.capabilities import UNKNOWN, Capabilities, Difference, Question
from trueup.core.plans.plan import MISSING
from trueup.core.plans.reasons import Why, WhyField
from trueup.core.plans.summary import accept_summary, probe_summary
from trueup.render.style import Look, LookOptions, Piece, Row, Tone, make_look, paint
from trueup.render.terminal.fields import rows_with_place
from trueup.render.values import describe_amount, is_text, write_value
from trueup.render.visible import count_columns, hanging_rows, make_visible, message_pieces, sentence_rows, shorten
from trueup.wire.described import Described, Table
from trueup.wire.registry import probe_of

_TONES = {
    AcceptResult.TAKEN: Tone.CREATE,
    AcceptResult.MERGED: Tone.CREATE,
    AcceptResult.CONFLICT: Tone.HELD,
    AcceptResult.SAME: Tone.FAINT,
    AcceptResult.REFUSED: Tone.HELD,
}
_LINES = {"+": Tone.FRESH, "-": Tone.GONE, "@": Tone.FAINT}


def accept_rows(accepted: Accepted, look: Look) -> Iterator[Row]:
    """Yield the patches, the fields, who else changes, how to go on, and the counts as the last row."""
    for item in accepted.patches:
        yield from patch_rows(item, look)
        yield ()
    if not accepted.fields:
        yield from hanging_rows(
            (), [Piece(f"{make_visible(accepted.name, look)}: no field was changed manually.")], look.width, 2
        )
    for field in accepted.fields:
        yield from _accepted_field(field, accepted, look)
    if accepted.also:
        yield from sentence_rows(f"Also changed by this: {list_others(accepted)}.", 0, look)
    if accepted.written:
        files = ", ".join(item.file for item in accepted.patches)
        marks = any(item.ending is AcceptResult.CONFLICT for item in accepted.fields)
        settle = "Resolve the conflicts between <<<<<<< and >>>>>>>, then: " if marks else "To see what is left: "
        verb = "was" if len(accepted.patches) == 1 else "were"
        yield from sentence_rows(f"{files} {verb} written with what is live on {accepted.target}.", 0, look)
        yield from sentence_rows(Message(settle, accepted.again), 0, look, Tone.HINT, f"{look.arrow} ")
    yield ()
    yield (Piece(accept_summary(accepted), Tone.STRONG),)


def list_others(accepted: Accepted) -> str:
    """Return who else changes: names with their targets."""
    by_name: dict[str, list[str]] = {}
    for name, target in accepted.also:
        by_name.setdefault(name, []).append(target)
    return ", ".join(f"{name} ({', '.join(targets)})" for name, targets in by_name.items())


def patch_rows(item: FilePatch, look: Look) -> Iterator[Row]:
    """Yield a patch line by line, each sign of it that a terminal would obey made visible."""
    for line in item.patch.decode("utf-8", "replace").removesuffix("\n").split("\n"):
        yield (Piece(make_visible(line.removesuffix("\r"), look), _LINES.get(line[:1], Tone.PLAIN)),)


def _accepted_field(field: AcceptedField, accepted: Accepted, look: Look) -> Iterator[Row]:
    ending = field.ending.value
    if not accepted.written and field.ending in (AcceptResult.TAKEN, AcceptResult.MERGED, AcceptResult.CONFLICT):
        head = f" would be {ending}"
    else:
        head = f" {'is' if field.ending is AcceptResult.SAME else 'was'} {ending}"
    name = Piece(make_visible(f"{accepted.name} {field.name}", look), Tone.STRONG)
    words = [name, Piece(head, _TONES[field.ending])]
    if field.message:
        words += [Piece(": "), *message_pieces(field.message, look)]
    if field.position is not None:
        words.append(Piece(f" ({make_visible(f'{field.position.file}:{field.position.line}', look)})", Tone.FAINT))
    yield from hanging_rows((), words, look.width, 2)
    if field.hint:
        yield from sentence_rows(field.hint, 2, look, Tone.HINT, f"{look.arrow} ")
    for line in field.paste:
        yield (Piece(f"      {make_visible(line, look)}"),)


def why_rows(why: Why, look: Look) -> Iterator[Row]:
    """Yield the assistant, then for each field its three sides and the rule that decided."""
    head = (Piece(make_visible(why.name, look), Tone.STRONG), Piece("  "), *message_pieces(why.message, look))
    yield from rows_with_place(list(hanging_rows((), head, look.width, 4)), why.id, look)
    for item in why.fields:
        yield ()
        yield from _why_field(item, look)
    if why.origin is not None:
        yield ()
        yield from sentence_rows(why.origin.sentence, 2, look)
    for name, note in why.notes.items():
        yield ()
        yield from sentence_rows(Message(name, ": ", note), 2, look, Tone.FAINT)
    if why.hint:
        yield ()
        yield from sentence_rows(why.hint, 2, look, Tone.HINT, f"{look.arrow} ")


def _why_field(item: WhyField, look: Look) -> Iterator[Row]:
    where = f"{item.position.file}:{item.position.line}" if item.position else ""
    name = shorten(make_visible(item.name, look), look.width - 4, look)
    yield from rows_with_place([(Piece("  "), Piece(name, Tone.STRONG))], where, look)
    sides = (
        ("file", _write_side(item.file, look)),
        ("applied", item.applied.value),
        ("live", _write_side(item.live, look)),
    )
    for word, text in sides:
        yield (Piece(f"    {word:<9}", Tone.FAINT), Piece(shorten(text, look.width - 13, look)))
    yield from hanging_rows((Piece(f"    {'result':<9}", Tone.FAINT),), message_pieces(item.rule, look), look.width)


def _write_side(side: object, look: Look) -> str:
    if side is MISSING:
        return "(nothing)"
    if isinstance(side, str) and is_text(side):
        return f"{write_value(side, look, 40)} ({describe_amount(side)})"
    return write_value(side, look, look.width - 13)


def target_rows(targets: Sequence[Described], default: str, look: Look) -> Iterator[Row]:
    """Yield the targets, one block each; the default one is named."""
    for number, item in enumerate(targets):
        if number:
            yield ()
        mark = "  (default)" if item.target.name == default else ""
        yield (Piece(make_visible(item.target.name, look), Tone.STRONG), Piece(mark, Tone.FAINT))
        facts = _target_facts(item)
        label = max(map(count_columns, facts)) + 2
        for word, fact in facts.items():
            first = (Piece(f"  {word:<{label}}", Tone.FAINT),)
            yield from hanging_rows(first, [Piece(make_visible(fact, look))], look.width)


def dialect_rows(tables: Sequence[Table], look: Look) -> Iterator[Row]:
    """Yield what each dialect holds, below its protocol."""
    for number, table in enumerate(tables):
        if number:
            yield ()
        yield (Piece(f"{table.protocol}:", Tone.STRONG),)
        yield ()
        yield from _table(table, look)


def _table(table: Table, look: Look) -> Iterator[Row]:
    """Yield a column for each dialect, or where they do not fit a block for each."""
    labels = {name: _label(name) for name, _ in table.rows}
    label = max(map(count_columns, labels.values())) + 1
    widths = [
        max(count_columns(table.names[place]), *(count_columns(words[place]) for _, words in table.rows)) + 1
        for place in range(len(table.names))
    ]
    if label + sum(widths) > look.width:
        yield from _dialect_blocks(table, labels, label)
        return
    yield (Piece(" " * label), Piece(_join_cells(table.names, widths), Tone.STRONG))
    for name, words in table.rows:
        yield (Piece(f"{labels[name]:<{label}}", Tone.FAINT), Piece(_join_cells(words, widths)))


def _join_cells(words: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f"{word:<{width}}" for word, width in zip(words, widths, strict=True)).rstrip()


def _label(name: str) -> str:
    """Return a field as it is; what belongs to one stands below it, further in."""
    head, dot, last = name.rpartition(".")
    return "  " * (head.count(".") + bool(dot)) + last


def _dialect_blocks(table: Table, labels: Mapping[str, str], label: int) -> Iterator[Row]:
    for place, dialect in enumerate(table.names):
        if place:
            yield ()
        yield (Piece(dialect, Tone.STRONG),)
        for name, words in table.rows:
            yield (Piece(f"  {labels[name]:<{label}}", Tone.FAINT), Piece(words[place]))


def _target_facts(item: Described) -> dict[str, str]:
    target = item.target
    facts = {
        "protocol": f"{target.protocol}, dialect {target.dialect}",
        "gateway": target.gateway,
        "address": "the embedded server" if target.is_local else item.address,
        "api-version": item.api_version,
        "project": target.project,
        "credential": ", ".join(f"{name} from {source}" for name, source in item.credentials.items()),
        "state": "stamps alone" if target.state == "stamps" else "state file" + (" and stamps" if target.stamp else ""),
        "on drift": target.on_drift,
        "unsupported": ", ".join(item.lacks),
        "allowed loss": ", ".join(target.allow_loss),
    }
    return {word: fact for word, fact in facts.items() if fact}


CANNOT = {"metadata-key": "remove a metadata key", "listing": "show a create in its listing within ten seconds"}
"""What an answer means that says no, where it is not the name of a field."""


def probe_rows(found: Capabilities, changed: Sequence[Difference], file: str, look: Look) -> Iterator[Row]:
    """Yield the answers in the order of the questions; the last row sums up."""
    to = found.identity
    where = f"{to.project}/{to.target}: {found.dialect}" + (f" behind {found.gateway}" if found.gateway else "")
    yield (Piece("Probed "), Piece(make_visible(where, look), Tone.STRONG))
    yield ()
    questions = _questions(found)
    label = max(count_columns(questions[name].asks) for name in found.answers) + 2
    for name in (name for name in questions if name in found.answers):
        asked, answer = questions[name], found.answers[name]
        words = asked.answers[answer].format(at=f"{found.tried.get(name.removeprefix('limit.'), 0):,}")
        tone = Tone.FAINT if answer == UNKNOWN else Tone.PLAIN
        yield from hanging_rows((Piece(f"  {asked.asks:<{label}}", Tone.FAINT),), [Piece(words, tone)], look.width)
    for text in _additions(found, look):
        yield from sentence_rows(text, 2, look)
    yield from _changes(changed, look)
    if impossible := ", ".join(list_impossible(found)):
        yield ()
        words = f"This server cannot {impossible}. Where a file asks for it, a plan reports that and sends nothing."
        yield from sentence_rows(words, 0, look)
    yield ()
    yield from sentence_rows(f"Kept in {file}, which plan and apply use.", 0, look)
    yield (Piece(summarize_probe(found, changed), Tone.STRONG),)


def list_impossible(found: Capabilities) -> tuple[str, ...]:
    """Return what the server was found unable to do."""
    words = [CANNOT[name] for name in CANNOT if found.answers.get(name) in ("never", "not-seen")]
    fields = [name.removeprefix("clear.") for name in _questions(found) if name.startswith("clear.")]
    return (*words, *(f"clear {name}" for name in fields if found.answers.get(f"clear.{name}") == "never"))


def _questions(found: Capabilities) -> Mapping[str, Question]:
    """Return the questions of the protocol that was probed, in their order."""
    probe = probe_of(found.identity.protocol)
    return probe.questions.by_name if probe is not None else {}


def _additions(found: Capabilities, look: Look) -> Iterator[str]:
    for where, keys in sorted(found.fills.items()):
        entries = ", ".join(
            f"{make_visible(key, look)}: {write_value(entry, look, 60)}" for key, entry in sorted(keys.items())
        )
        yield f"{where} is filled in with {entries}"
    for where, words in sorted(found.words.items()):
        yield from (
            f"{where} {make_visible(old, look)} comes back as {make_visible(new, look)}" for old, new in words.items()
        )


def _changes(changed: Sequence[Difference], look: Look) -> Iterator[Row]:
    if changed:
        yield ()
        yield (Piece("Changed since the last probe:", Tone.STRONG),)
    for item in changed:
        old, new = make_visible(item.before or "(not asked)", look), make_visible(item.after or "(not asked)", look)
        words = [Piece(old, Tone.GONE), Piece(f" {look.arrow} "), Piece(new, Tone.FRESH)]
        yield from hanging_rows((Piece(f"  ~ {make_visible(item.what, look)}  "),), words, look.width, 6)


def summarize_probe(found: Capabilities, changed: Sequence[Difference]) -> str:
    """Return the last line of a probe."""
    unknown = sum(answer == UNKNOWN for answer in found.answers.values())
    return probe_summary(len(found.answers) - unknown, unknown, len(changed))


def write_why(why: Why, **options: Unpack[LookOptions]) -> str:
    """Return why each field is as it is."""
    look = make_look(**options)
    return paint(why_rows(why, look), look.color)


def write_accept(accepted: Accepted, **options: Unpack[LookOptions]) -> str:
    """Return what was taken into which file, and what was not."""
    look = make_look(**options)
    return paint(accept_rows(accepted, look), look.color)


def write_targets(targets: Sequence[Described], default: str, **options: Unpack[LookOptions]) -> str:
    """Return the targets of a project."""
    look = make_look(**options)
    return paint(target_rows(targets, default, look), look.color)


def write_probe(found: Capabilities, changed: Sequence[Difference], file: str, **options: Unpack[LookOptions]) -> str:
    """Return what a probe found out; the last line begins with `Probe:`."""
    look = make_look(**options)
    return paint(probe_rows(found, changed, file, look), look.color)


def write_dialects(tables: Sequence[Table], **options: Unpack[LookOptions]) -> str:
    """Return what each dialect of every protocol supports."""
    look = make_look(**options)
    return paint(dialect_rows(tables, look), look.color)
