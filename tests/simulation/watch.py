"""What the oracle knows: the runs there were, what hands wrote, what had to be excused, and by which name.

What nobody could have noticed is excused, each time by a name of `Excuse`; docs/not-promised.md says the same in words.
Judges nothing itself.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.protocols import current
from tests.simulation.checkout import Checkout
from tests.simulation.hands import Hands
from tests.simulation.vendor import Shown, Vendor
from trueup.core.call import Call
from trueup.core.errors import TrueupError
from trueup.core.memory.stamp import Stamp
from trueup.core.plans.plan import Plan
from trueup.core.plans.report import Report


class Violation(AssertionError):
    """A promise was broken."""


class Excuse(Enum):
    """Why something could not have been noticed by anybody."""

    GATEWAY = "a gateway sent our request twice"
    LATE_LISTING = "the listing showed a create later than `settle` after it was sent"
    FALSE_END = "the listing ended early, on an empty page, and said that this was all"
    STALE_LISTING = "the listing showed an assistant as it was before"
    NO_MEMORY = "stamps are the state, and the listing did not show the assistant yet"
    TWO_WRITERS = "two checkouts created the same assistant at once"
    IGNORED = "the server ignores the only field that a modify is about, and each report names it"
    UNREPORTED = "the report that named a field which the server did not keep died with its process"
    SCRIBBLED = "a hand edited between an unclear write and the look that settled it, and the run died"
    CLOCK_AHEAD = "the clock was set ahead between the two creates"
    COPIED = "somebody copied an assistant with its stamp"


@dataclass
class Told:
    """One run, as it looked from outside: what was there before, what was sent, and how it ended."""

    who: Checkout
    options: dict[str, Any]
    promised: Plan | None
    began: float
    before: dict[str, dict[str, Any]]  # what was live, by id
    first_call: int
    first_shown: int
    alone: bool = True
    planned_until: int | None = None  # the answers that the vendor had given before the first write
    behind: frozenset[str] = frozenset()  # ids that another checkout wrote since this one's record
    meddled: bool = False
    report: Report | None = None
    error: TrueupError | None = None

    @property
    def calls(self) -> list[Call]:
        return self.who.calls[self.first_call :]

    @property
    def writes(self) -> list[Call]:
        return [call for call in self.calls if call.method != "GET"]


@dataclass
class Watch:
    """`ahead` are the moments at which a clock was set ahead; `deletes` the ids that a checkout asked to delete;
    `not_kept` the fields by name that a report said the server did not keep."""

    vendor: Vendor
    hands: Hands
    log: list[str]
    ahead: list[float] = field(default_factory=list)
    deletes: set[str] = field(default_factory=set)
    not_kept: dict[str, set[str]] = field(default_factory=dict)
    excused: Counter[Excuse] = field(default_factory=Counter)
    strays: dict[str, Excuse] = field(default_factory=dict)  # ids of twins that were excused
    runs: list[Told] = field(default_factory=list)
    at_once: list[Told] = field(default_factory=list)  # the runs of this round
    unreported: set[str] = field(default_factory=set)  # names that a run wrote to which died before its report
    scribbled: set[str] = field(default_factory=set)  # those of them in whose run a hand edited
    gateway: bool = False  # that sends requests twice may be in the way
    writers: int = 1
    other_memory: bool = False  # an older checkout came back, or state was lost

    def broken(self, why: str) -> Violation:
        return Violation("\n  ".join([why, *self.log]))

    def shown_to(self, told: Told) -> list[Shown]:
        """Return the answers that a run got from the vendor."""
        return [entry for entry in self.vendor.shown[told.first_shown :] if entry.to == told.who.label]

    def was_stale(self, told: Told, live_id: str) -> bool:
        """Whether the listing showed this run an assistant as it was before."""
        return self._excuses(live_id, self.shown_to(told))

    def was_shown_old(self, live_id: str) -> bool:
        """Whether the listing showed any run an assistant as it was before."""
        return self._excuses(live_id, self.vendor.shown)

    def _excuses(self, live_id: str, shown: list[Shown]) -> bool:
        if any(live_id in entry.stale for entry in shown):
            self.excused[Excuse.STALE_LISTING] += 1
            return True
        return False


def stamp_of(call: Call) -> Stamp | None:
    """Return the stamp that a request carries."""
    return current().stamp_of(call.json or {})
