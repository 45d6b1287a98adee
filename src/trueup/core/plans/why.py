"""The answer to `why`: for each field what the file says, what was applied, what is live, and the rule that decided.

A value without behaviour; whoever judges fields fills it in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from trueup.core.plans.origins import Origin
from trueup.core.source import Position


class AppliedAs(Enum):
    """How what was last applied relates to file and live; its value itself is not kept anywhere."""

    BOTH = "same as file and live"
    FILE = "same as the file"
    LIVE = "same as live"
    NEITHER = "neither as in the file nor as live"
    NEVER = "never applied"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class WhyField:
    """One field; MISSING stands for a side that has none, `rule` is the sentence of the contract's table."""

    name: str
    file: Any
    applied: AppliedAs
    live: Any
    rule: str
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """One assistant: `message` says what the plan does with it, `fields` are in the definition's order.

    `origin` is the apply that sent what its stamp names, None where nobody asked.
    """

    name: str
    id: str
    message: str
    fields: tuple[WhyField, ...]
    hint: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    origin: Origin | None = None
