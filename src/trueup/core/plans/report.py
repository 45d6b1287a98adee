"""What an apply did, as a value: one outcome for each assistant. Knows nothing of how it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from trueup.core.errors import Exit
from trueup.core.plans.plan import Action, Plan
from trueup.core.source import Position


class Result(Enum):
    """How it ended; `action` and `result` together finish a sentence: "support/triage was modified"."""

    DONE = "done"
    ALREADY = "already in place"
    ADOPTED = "adopted"
    RECORDED = "recorded"
    FORGOTTEN = "forgotten"
    FAILED = "failed"
    REFUSED = "refused"  # a guard or the plan's word
    CHANGED = "changed since the plan"
    UNKNOWN = "unknown outcome"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One assistant's end. `not_kept` fields were answered otherwise than sent; `position` leads to the cause."""

    name: str
    action: Action
    result: Result
    id: str = ""
    message: str = ""
    hint: str = ""
    not_kept: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    attempts: int = 0
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who applied: the commit and the pipeline as CI names them, empty where nobody does; `at` is ISO 8601 in UTC."""

    commit: str = ""
    pipeline: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """An apply from end to end. `codes` are all exit codes that hold; `only_fresh` counts changes outside the plan,
    `guard` are the reasons for which it needs an acknowledgement that was not given."""

    plan: Plan
    outcomes: tuple[Outcome, ...]
    codes: tuple[Exit, ...] = ()
    only_fresh: int = 0
    calls: int = 0
    retries: int = 0
    problems: tuple[str, ...] = field(default=())
    provenance: Provenance = Provenance()
    guard: tuple[str, ...] = ()
