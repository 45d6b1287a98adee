"""A mistake before it has a position, and how a mistaken word or value is shown.

Knows nothing of who finds mistakes: validators, limits and readers of files all speak of them in these words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from trueup.core.definitions.scalars import words_of
from trueup.core.projects.endpoint import discreet
from trueup.core.source import Diagnostic, Path, Position, Severity, SourceMap, dotted, in_order

CUT = 60
"""Characters of a value that a message shows."""

SECRET = "secret-in-file"
"""The code of a fault whose line may hold a secret, and is not shown beyond its key."""

KINDS: Mapping[type, str] = {
    str: "text", bool: "true or false", int: "a number", float: "a number", type(None): "null",
    list: "a list", tuple: "a list", dict: "a mapping",
}  # fmt: skip
"""What the kinds of values are called in a message."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A hint that repeats a value in the words of its file, `{}` in `text`: `01234`, which is read as 1234.

    Where the file's words are not known, or would not be read as the value, the fault's own hint stands.
    """

    value: Any
    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake before it has a position: `at_key` points at the key of `path`, else at its value.

    `meant` are the keys that an unknown key's sentence proposes: that they are missing is the same mistake.
    `proposal` goes before `hint` where it can be made.
    """

    code: str
    path: Path
    message: str
    hint: str = ""
    at_key: bool = False
    severity: Severity = Severity.ERROR
    meant: tuple[str, ...] = ()
    proposal: Proposal | None = None


def placed(faults: Iterable[Fault], locate: Callable[[], SourceMap], file: str = "") -> list[Diagnostic]:
    """The faults with their positions, in order; `locate` is only called if there is one. `file` is the last resort."""
    found = tuple(faults)
    if not found:
        return []
    source = locate()
    nowhere = Position(file, 1, 1) if file else None
    return list(in_order(_diagnostic(fault, source, nowhere) for fault in found))


def _diagnostic(fault: Fault, source: SourceMap, nowhere: Position | None) -> Diagnostic:
    position = source.key(fault.path) if fault.at_key else source.value(fault.path)
    hint, proposal = fault.hint, fault.proposal
    words = words_of(proposal.value, position) if proposal is not None and position is not None else ""
    if proposal is not None and words:
        hint = proposal.text.replace("{}", words)
    if fault.code == SECRET and position is not None:
        position = replace(position, text=discreet(position.text))
    return Diagnostic(fault.severity, fault.code, fault.message, position or nowhere, fault.path, hint)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or the empty string; case, hyphens and underscores count for little."""
    import difflib

    folded: dict[str, str] = {}
    for entry in known:
        folded.setdefault(_folded(entry), entry)
    matches = difflib.get_close_matches(_folded(word), folded, n=1, cutoff=0.6)
    return folded[matches[0]] if matches else ""


def _folded(word: str) -> str:
    return word[:CUT].casefold().replace("-", "_")


def shown(value: Any) -> str:
    """A value as a message shows it: text in quotes, cut at 60 characters; of a list or mapping only the kind."""
    if isinstance(value, str):
        return repr(value if len(value) <= CUT else value[: CUT - 1] + "…")
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        text = spelt(value) if isinstance(value, float) or value.bit_length() < 200 else "a very long number"
        return text if len(text) <= CUT else text[: CUT - 1] + "…"
    return KINDS.get(type(value), "something else")


def place(path: Path) -> str:
    """A path as a message names it, each key cut at 60 characters; `the value` when it is the whole."""
    parts = (part if isinstance(part, int) or len(part) <= CUT else part[: CUT - 1] + "…" for part in path)
    return dotted(tuple(parts)) or "the value"


def spelt(value: float) -> str:
    """A number as YAML writes it."""
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return repr(value)
