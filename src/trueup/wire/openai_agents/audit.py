"""What a target of OpenAI's saved agents can leave out of portable definitions. Knows no server."""

from __future__ import annotations

from collections.abc import Collection

from trueup.wire.base import Dialect
from trueup.wire.openai_agents.translation import LOSSES


def loss_keys(_dialects: Collection[Dialect]) -> frozenset[str]:
    """Return every path that `allow_loss` can hold: what a translation into a saved agent can lose."""
    return LOSSES


def lacking(_dialect: Dialect, known: Collection[str]) -> tuple[str, ...]:
    """Return what a translation cannot keep, as people name it."""
    return tuple(sorted(known))
