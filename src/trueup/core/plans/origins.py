"""From the operation in a stamp to the commit and the pipeline whose apply sent it, by the reports that were kept.

An operation is in no vendor's log; who wrote it is known only where the JSON report of that apply is. Knows no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from trueup.core.checked import MismatchError, a_text, an_object, list_of, optional
from trueup.core.plans.report import Result

LONGEST = 500
"""Characters of a commit, an address or a moment that are taken from a report."""

_RANKS = {Result.DONE.value: 2, Result.ADOPTED.value: 1, Result.UNKNOWN.value: 1}
"""Results of an apply that may have sent an operation; what is done tells more than what may be."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which apply sent an operation; what is not known is empty. `applied_at` is ISO 8601, `report` the file."""

    operation: str
    commit: str = ""
    pipeline: str = ""
    applied_at: str = ""
    report: str = ""

    @property
    def sentence(self) -> str:
        """The last apply in words."""
        facts = [f"commit {self.commit}"] if self.commit else []
        facts += [f"pipeline {self.pipeline}"] if self.pipeline else []
        if not self.report:
            return f"Last applied by operation {self.operation}; no report of that apply is there."
        who = ", ".join(facts) or f"{self.report}, which names no commit and no pipeline"
        when = f" at {self.applied_at}" if self.applied_at else ""
        return f"Last applied{when} by {who}."


def origins(documents: Iterable[tuple[str, Any]]) -> tuple[dict[str, Origin], int]:
    """The apply of each operation that JSON documents (by file) tell of, and how many were no reports of an apply.

    Of two reports that tell of one operation the one that did it counts, then the later one.
    """
    best: dict[str, tuple[int, str, Origin]] = {}
    others = 0
    for file, document in documents:
        try:
            found = list(_told(file, document))
        except MismatchError:
            others += 1
            continue
        for rank, origin in found:
            entry = (rank, origin.applied_at, origin)
            if origin.operation not in best or best[origin.operation][:2] < entry[:2]:
                best[origin.operation] = entry
    return {operation: entry[2] for operation, entry in best.items()}, others


def _told(file: str, document: Any) -> Iterable[tuple[int, Origin]]:
    """The operations of one report with how sure they are. Raises MismatchError."""
    report = an_object(document, "the report")
    if report.get("kind") != "report":
        raise MismatchError("the report's `kind`", "`report`")
    commit, pipeline, moment = ((optional(a_text)(report.get(key), key) or "")[:LONGEST] for key in _FACTS)
    for outcome in list_of(an_object)(report.get("outcomes"), "outcomes"):
        operation = _operation(outcome)
        rank = _RANKS.get(str(outcome.get("result")), 0)
        if operation and rank:
            yield rank, Origin(operation, commit, pipeline, moment, file)


_FACTS = ("commit", "pipeline", "applied_at")


def _operation(outcome: Mapping[str, Any]) -> str:
    return optional(a_text)(outcome.get("operation"), "operation") or ""
