"""The summary line: its exact words, and which change counts where."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.core.memory.state import Identity
from trueup.core.plans.plan import Action, Cause, Change, Counts, FieldChange, Options, Plan, Reason
from trueup.core.plans.summary import counts, summary

IDENTITY = Identity("school", "prod", "openai-assistants", "https://api.example.com/v1")


def _change(action: Action, cause: Cause | None = None, **more: Any) -> Change:
    fields = () if cause is None else (FieldChange("model", "a", "b", cause),)
    return Change("x", action, Reason.EDITED, fields=fields, **more)


def _plan(*changes: Change, **more: Any) -> Plan:
    return Plan(IDENTITY, Options(), changes, **more)


def test_the_line_of_the_contract() -> None:
    plan = _plan(
        _change(Action.CREATE), _change(Action.MODIFY), _change(Action.MODIFY), _change(Action.DRIFT), unchanged=7
    )
    assert summary(plan) == "Plan: 1 to create, 2 to modify, 0 to delete, 1 drifted, 7 unchanged."


def test_further_counts_stand_in_the_order_of_the_contract() -> None:
    plan = _plan(
        _change(Action.UNREAD), _change(Action.ORPHAN), _change(Action.HELD), _change(Action.HELD),
        _change(Action.ADOPT, adopted=True), not_stamped=3,
    )  # fmt: skip
    assert summary(plan) == (
        "Plan: 0 to create, 0 to modify, 0 to delete, 0 drifted, 0 unchanged, "
        "1 to adopt, 2 held back, 1 orphaned, 1 unreadable, 3 not stamped."
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_change(Action.HELD, Cause.CONFLICT), Counts(drifted=1, held=1)),
        (_change(Action.HELD, Cause.DRIFTED), Counts(drifted=1, held=1)),
        (_change(Action.HELD, Cause.UNKNOWN), Counts(held=1)),
        (_change(Action.MODIFY, Cause.DRIFTED), Counts(modify=1)),
        (_change(Action.MODIFY, adopted=True), Counts(modify=1, adopt=1)),
        (_change(Action.ADOPT), Counts(adopt=1)),
        (_change(Action.ADOPT, adopted=True), Counts(adopt=1)),
        (_change(Action.STAMP), Counts(modify=1)),
        (_change(Action.CREATE, recreate=True), Counts(create=1)),
        (_change(Action.DELETE), Counts(delete=1)),
        (_change(Action.RECORD), Counts(unchanged=1)),
        (_change(Action.FORGET), Counts(forgotten=1)),
        (_change(Action.NOTHING), Counts(unchanged=1)),
        (_change(Action.DRIFT, Cause.DRIFTED), Counts(drifted=1)),
    ],
)
def test_each_change_counts_where_the_contract_says(change: Change, expected: Counts) -> None:
    assert counts(_plan(change)) == expected
