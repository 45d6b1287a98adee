"""The targets of a project, and what each dialect holds, as rows. Knows no rule: the words come with the values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.visible import columns, hanging, visible
from trueup.wire.described import Described, Table


def target_rows(targets: Sequence[Described], default: str, look: Look) -> Iterator[Row]:
    """The targets, one block each; the default one is named."""
    for number, item in enumerate(targets):
        if number:
            yield ()
        mark = "  (default)" if item.target.name == default else ""
        yield (Piece(visible(item.target.name, look), Tone.STRONG), Piece(mark, Tone.FAINT))
        facts = _facts(item)
        label = max(map(columns, facts)) + 2
        for word, fact in facts.items():
            first = (Piece(f"  {word:<{label}}", Tone.FAINT),)
            yield from hanging(first, [Piece(visible(fact, look))], look.width)


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
    label = max(map(columns, labels.values())) + 1
    widths = [
        max(columns(table.names[place]), *(columns(words[place]) for _, words in table.rows)) + 1
        for place in range(len(table.names))
    ]
    if label + sum(widths) > look.width:
        yield from _blocks(table, labels, label)
        return
    yield (Piece(" " * label), Piece(_cells(table.names, widths), Tone.STRONG))
    for name, words in table.rows:
        yield (Piece(f"{labels[name]:<{label}}", Tone.FAINT), Piece(_cells(words, widths)))


def _cells(words: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f"{word:<{width}}" for word, width in zip(words, widths, strict=True)).rstrip()


def _label(name: str) -> str:
    """A field as it is; what belongs to one stands below it, further in."""
    head, dot, last = name.rpartition(".")
    return "  " * (head.count(".") + bool(dot)) + last


def _blocks(table: Table, labels: Mapping[str, str], label: int) -> Iterator[Row]:
    for place, dialect in enumerate(table.names):
        if place:
            yield ()
        yield (Piece(dialect, Tone.STRONG),)
        for name, words in table.rows:
            yield (Piece(f"  {labels[name]:<{label}}", Tone.FAINT), Piece(words[place]))


def _facts(item: Described) -> dict[str, str]:
    target = item.target
    facts = {
        "protocol": f"{target.protocol}, dialect {target.dialect}",
        "gateway": target.gateway,
        "address": "the embedded server" if target.is_local else item.address,
        "api-version": item.api_version,
        "project": target.project,
        "credential": ", ".join(f"{name} from {source}" for name, source in item.credentials.items()),
        "memory": "stamps alone"
        if target.state == "stamps"
        else "state file" + (" and stamps" if target.stamp else ""),
        "on drift": target.on_drift,
        "cannot hold": ", ".join(item.lacks),
        "may lose": ", ".join(target.allow_loss),
    }
    return {word: fact for word, fact in facts.items() if fact}
