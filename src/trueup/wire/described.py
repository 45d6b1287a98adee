"""Targets and dialects as people look at them: where each is, how it is let in, what it cannot hold. Sends nothing.

Of a credential only its source is told: the name of a variable or of a program, never an argument.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from trueup.core.projects.project import SecretRef, Target
from trueup.wire.access import refs_in
from trueup.wire.base import Dialect
from trueup.wire.registry import adapter_for, base_url, dialects, lacking, protocols, sealed_headers

CHANGED: Final = "changed"
"""The row of a length that only a modify has."""


@dataclass(frozen=True, slots=True)
class Described:
    """One target: `credentials` are the sources of its secrets by what they are for, `lacks` what it cannot hold."""

    target: Target
    address: str
    api_version: str
    credentials: dict[str, str]
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """What each dialect of a protocol holds: a row for each field, kind and part, with a word for each dialect."""

    protocol: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def describe_target(target: Target) -> Described:
    """One target with all that its rows say of it. Raises TrueupError."""
    row = adapter_for(target).dialect
    lacks = lacking(target.protocol, row, translate=target.translate)
    return Described(target, base_url(target), row.api_version, _credentials(target), lacks)


def dialect_tables() -> tuple[Table, ...]:
    """Return the dialects of each protocol beside each other."""
    found = {protocol: tuple(dialects(protocol).values()) for protocol in protocols()}
    return tuple(Table(name, tuple(row.name for row in rows), tuple(_lines(rows))) for name, rows in found.items())


def _credentials(target: Target) -> dict[str, str]:
    found = {key: ref for key, ref in (("api_key", target.api_key), ("token", target.token)) if ref is not None}
    named = {key: _source(ref) for key, ref in found.items()}
    for name, value in sealed_headers(target).items():
        named[name] = " and ".join(_source(ref) for ref in refs_in(value)) or "trueup.yaml"
    return named


def _source(ref: SecretRef) -> str:
    return f"env {ref.env}" if ref.env else f"command {ref.command[0]}"


def _lines(rows: tuple[Dialect, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each field followed by what belongs to it, in the order in which people write them."""
    yield "api-version", tuple(row.api_version or "-" for row in rows)
    for key in ("api_key", "token"):
        yield key, tuple(row.auth.get(key, "-") for row in rows)
    parts = sorted({key for row in rows for key in (*row.holds.lacks, *row.holds.needs, *row.holds.fills)})
    for name in dict.fromkeys(name for row in rows for name in row.fields):
        yield name, tuple(_field(name, row) for row in rows)
        if any(name in row.holds.modify_lengths for row in rows):
            yield f"{name}.{CHANGED}", tuple(_length(row.holds.modify_lengths.get(name, 0)) for row in rows)
        for kind in dict.fromkeys(kind for row in rows for kind in row.holds.kinds.get(name, ())):
            yield f"{name}.{kind}", tuple(_word(kind in row.holds.kinds.get(name, ())) for row in rows)
            for key in parts:
                if key.startswith(f"{name}.{kind}."):
                    yield key, tuple(_part(key, row) for row in rows)


def _field(name: str, row: Dialect) -> str:
    if name not in row.fields:
        return "-"
    return _length(row.holds.lengths[name]) if name in row.holds.lengths else "yes"


def _length(most: int) -> str:
    return f"{most:,}" if most else "yes"


def _word(is_held: bool) -> str:
    return "yes" if is_held else "-"


def _part(key: str, row: Dialect) -> str:
    """Return a word on a part, which is there only where the tool, the format or the part is that it belongs to."""
    holds = row.holds
    head, kind = key.split(".")[:2]
    if kind not in holds.kinds.get(head, ()) or any(key == lack or key.startswith(f"{lack}.") for lack in holds.lacks):
        return "-"
    return "needed" if key in holds.needs else "filled in" if key in holds.fills else "yes"
