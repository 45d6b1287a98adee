"""What became of a portable body in another protocol: the result, where each value came from, a verdict per field.

Knows no protocol: each one's function is its own, `wire/<protocol>/translation.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from trueup.core.rules.fault import Fault
from trueup.core.rules.losses import CODE, is_allowed
from trueup.core.source import Path, Severity


class Word(Enum):
    """What a protocol makes of one portable field."""

    SUPPORTED = "supported"
    CONVERTED = "converted"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one field of the portable body.

    `path` is its place there and `key` its name in `allow_loss` (`tools.function.strict`). `text` says how it was
    converted or why it is unsupported, and `hint` what to write instead. `field` is the top-level field of the result
    that it belongs to, empty where there is none: a target's patch of that field settles a loss. `required`: leaving
    it out is no way, so that `allow_loss` does not cover it.
    """

    path: Path
    word: Word
    key: str
    text: str = ""
    hint: str = ""
    field: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Translation:
    """A body of the target's protocol. `sources` maps paths in it to the portable ones, deeper ones go along."""

    body: Mapping[str, Any]
    sources: Mapping[Path, Path]
    verdicts: tuple[Verdict, ...]


def loss_faults(
    verdicts: Iterable[Verdict], protocol: str, allowed: Collection[str], patched: Collection[str] = ()
) -> Iterator[Fault]:
    """Yield an error for each unsupported field, a warning where `allow_loss` covers it, nothing where a patch does.

    `allowed` are the paths of the target's `allow_loss`, `patched` the top-level fields of its patch.
    """
    for verdict in verdicts:
        if verdict.word is not Word.UNSUPPORTED or (verdict.field and verdict.field in patched):
            continue
        if not verdict.required and is_allowed(verdict.key, allowed):
            message, hint = f"{protocol} does not support {verdict.key}; it is left out", "allow_loss permits it."
            yield Fault(CODE, verdict.path, message, hint, at_key=True, severity=Severity.WARNING)
        else:
            yield Fault("unsupported", verdict.path, verdict.text, verdict.hint, at_key=True)
