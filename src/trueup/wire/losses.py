"""Parts of a definition that a dialect's server has no word for: how they are named, reported and left out.

Knows no protocol: each finds its own losses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from trueup.core.rules.fault import CODE, Fault, is_allowed
from trueup.core.source import Path, Severity


@dataclass(frozen=True, slots=True)
class Loss:
    """A part that a dialect has no word for: `key` is how `allow_loss` names it, `path` where it stands."""

    key: str
    path: Path
    idle: bool
    """Whether it only says what is the default anyway."""


def fault_of(loss: Loss, name: str, allowed: Collection[str], instead: str = "") -> Fault:
    """Return the error for a loss, or the warning where the target allows it; `instead` says what to write."""
    if is_allowed(loss.key, allowed):
        return Fault(
            CODE, loss.path, f"{name} cannot hold {loss.key}; it is left out here",
            "The target's allow_loss says so.", at_key=True, severity=Severity.WARNING,
        )  # fmt: skip
    message = f"{name} cannot hold {loss.key}"
    return Fault("not-held", loss.path, message, instead or _way_on(loss.key), at_key=True)


def remove_losses(body: Mapping[str, Any], losses: Iterable[Loss]) -> Mapping[str, Any]:
    """Return the body without its losses, in the order in which they stand; the same body where there are none."""
    kept = body
    for loss in reversed(tuple(losses)):  # so that the index of a tool still says which one is meant
        kept = _without(kept, loss.path)
    return kept


def _without(value: Any, path: Path) -> Any:
    """Return the value without what stands at a path; nothing that was handed in is changed."""
    head, rest = path[0], path[1:]
    if isinstance(value, (list, tuple)):
        kept = enumerate(value)
        if not rest:
            return [entry for index, entry in kept if index != head]
        return [_without(entry, rest) if index == head else entry for index, entry in kept]
    if not rest:
        return {key: entry for key, entry in value.items() if key != head}
    return {key: _without(entry, rest) if key == head else entry for key, entry in value.items()}


def _way_on(key: str) -> str:
    """Return how to leave out a part that a dialect has no word for."""
    top, _, part = key.partition(".")
    where, value = (f"Write {top} without it", "…") if part else ("Take it out", "null")
    patch = f"`targets: {{TARGET: {{{top}: {value}}}}}`"
    return f"{where} for this target, in the definition: {patch}. Or let it go there: `allow_loss: [{key}]`."
