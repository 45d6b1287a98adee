"""Tells which losses a target allows, and shows many warnings of one loss as one that counts them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from trueup.core.source import Diagnostic

CODE = "loss-allowed"
"""The code of a warning that a target leaves a part of a definition out, as it may."""


def is_allowed(key: str, allowed: Collection[str]) -> bool:
    """Return whether one of the paths in `allow_loss` is this one or leads to it."""
    return any(key == entry or key.startswith(f"{entry}.") for entry in allowed)


def counted(items: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The diagnostics with the losses of one kind in one, at the place of the first, saying how often; others stay."""
    kept: dict[object, Diagnostic] = {}
    times: dict[object, int] = {}
    for number, item in enumerate(items):
        key = item.message if item.code == CODE else number
        kept.setdefault(key, item)
        times[key] = times.get(key, 0) + 1
    return [
        replace(item, message=f"{item.message}, in {times[key]} places") if times[key] > 1 else item
        for key, item in kept.items()
    ]
