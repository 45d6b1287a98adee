"""What a drift report knows beside what is live now: since when each drift is seen, and who applied before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trueup.core.plans.origins import Origin
from trueup.core.plans.sightings import Sighting


@dataclass(frozen=True, slots=True)
class History:
    """`checked_at` is the moment of this report, ISO 8601 in UTC; `shown` are its drifts, `carried` those of assistants
    that were not looked at this time; `origins` are the last applies of drifted assistants, by name."""

    checked_at: str
    shown: tuple[Sighting, ...] = ()
    carried: tuple[Sighting, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict)
