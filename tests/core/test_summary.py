"""The last lines: their exact words, the one place where each assistant counts, and the exit code behind them."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.plans import CHANGE
from trueup.core.acceptance.accepted import Accepted, AcceptedField, AcceptResult
from trueup.core.errors import Exit
from trueup.core.memory.state import Identity
from trueup.core.migration.imports import Imports, Link, NewFile, NotAnAssistant, Omission
from trueup.core.plans.plan import Action, Cause, Change, Counts, FieldChange, Options, Plan, Reason
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.plans.summary import (
    accept_summary,
    count_changes,
    drift_summary,
    import_summary,
    report_summary,
    summary,
    validate_summary,
)
from trueup.core.source import Diagnostic, Severity

IDENTITY = Identity("school", "prod", "openai-assistants", "https://api.example.com/v1")
AMONG = {"not_stamped", "impossible", "doubled"}


def _change(action: Action, cause: Cause | None = None, name: str = "x", **more: Any) -> Change:
    fields = () if cause is None else (FieldChange("model", "a", "b", cause),)
    return Change(name, action, more.pop("reason", Reason.EDITED), fields=fields, **more)


def _plan(*changes: Change, **more: Any) -> Plan:
    return Plan(IDENTITY, Options(), changes, **more)


def test_the_line_of_the_contract() -> None:
    plan = _plan(
        _change(Action.CREATE), _change(Action.MODIFY), _change(Action.MODIFY), _change(Action.DRIFT), unchanged=7
    )
    assert summary(plan) == "Plan: 1 to create, 2 to modify, 0 to delete, 1 drifted, 7 unchanged."


def test_further_counts_stand_in_the_documented_order() -> None:
    plan = _plan(
        _change(Action.FORGET), _change(Action.UNREAD), _change(Action.ORPHAN),
        _change(Action.HELD, reason=Reason.BEHIND), _change(Action.HELD, wanted=True),
        _change(Action.HELD, wanted=True), _change(Action.ADOPT, adopted=True), not_stamped=3,
    )  # fmt: skip
    assert summary(plan, Exit.HELD) == (
        "Plan: 0 to create, 0 to modify, 0 to delete, 0 drifted, 0 unchanged, 1 to adopt, 2 blocked, 1 behind, "
        "1 orphaned, 1 unreadable, 1 to forget; of these 3 not stamped (exit 3)."
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_change(Action.HELD, Cause.CONFLICT, wanted=True), Counts(held=1)),
        (_change(Action.HELD, Cause.DRIFTED, wanted=True), Counts(held=1)),
        (_change(Action.HELD, Cause.UNKNOWN, wanted=True), Counts(held=1)),
        (_change(Action.HELD, adopted=True, wanted=True), Counts(held=1)),
        (_change(Action.HELD, reason=Reason.BEHIND, wanted=True), Counts(held=1)),
        (_change(Action.HELD, reason=Reason.BEHIND), Counts(behind=1)),
        (_change(Action.MODIFY, Cause.DRIFTED), Counts(modify=1)),
        (_change(Action.MODIFY, adopted=True), Counts(modify=1)),
        (_change(Action.DRIFT, Cause.DRIFTED, adopted=True), Counts(drifted=1)),
        (_change(Action.ADOPT), Counts(adopt=1)),
        (_change(Action.ADOPT, adopted=True), Counts(adopt=1)),
        (_change(Action.RECORD, adopted=True), Counts(adopt=1)),
        (_change(Action.STAMP), Counts(modify=1)),
        (_change(Action.CREATE, recreate=True), Counts(create=1)),
        (_change(Action.DELETE), Counts(delete=1)),
        (_change(Action.RECORD), Counts(unchanged=1)),
        (_change(Action.FORGET), Counts(forgotten=1)),
        (_change(Action.NOTHING), Counts(unchanged=1)),
        (_change(Action.NOTHING, others=("asst_2",)), Counts(unchanged=1, doubled=1)),
        (_change(Action.MODIFY, Cause.IMPOSSIBLE), Counts(modify=1, impossible=1)),
        (_change(Action.DRIFT, Cause.DRIFTED), Counts(drifted=1)),
    ],
)
def test_each_change_counts_where_the_contract_says(change: Change, expected: Counts) -> None:
    assert count_changes(_plan(change)) == expected


@given(st.lists(CHANGE, max_size=6, unique_by=lambda change: change.name))
def test_nothing_counts_twice(changes: list[Change]) -> None:
    plan = _plan(*changes, unchanged=2)
    found = {name: number for name, number in asdict(count_changes(plan)).items() if name not in AMONG}
    assert sum(found.values()) == len(changes) + 2
    assert _sum(drift_summary(plan)) == len(changes) + 2


@given(
    st.lists(CHANGE, max_size=5, unique_by=lambda change: change.name),
    st.lists(st.tuples(st.sampled_from(Action), st.sampled_from(Result)), max_size=5),
)
def test_no_outcome_counts_twice(changes: list[Change], ends: list[tuple[Action, Result]]) -> None:
    outcomes = [Outcome(change.name, *end) for change, end in zip(changes, ends, strict=False)]
    outcomes.append(Outcome("not in the plan", Action.CREATE, Result.REFUSED))
    report = Report(_plan(*changes), tuple(outcomes))
    assert 1 <= _sum(report_summary(report)) <= len(changes) + 1


def _sum(line: str) -> int:
    return sum(map(int, re.findall(r"\d+", line.split("; of these")[0].split(" (exit")[0])))


BLOCKED = _change(Action.HELD, Cause.CONFLICT, "b", wanted=True)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (
            Report(
                _plan(_change(Action.CREATE, name="a"), BLOCKED),
                (Outcome("a", Action.CREATE, Result.DONE),),
                (Exit.HELD,),
            ),
            "Applied: 1 created, 0 modified, 0 deleted, 0 failed, 1 blocked (exit 3).",
        ),
        (
            Report(_plan(BLOCKED), (Outcome("b", Action.ADOPT, Result.ADOPTED),), (Exit.HELD,)),
            "Applied: 0 created, 0 modified, 0 deleted, 0 failed, 1 blocked (exit 3).",
        ),
        (
            Report(_plan(_change(Action.DELETE, name="a"), _change(Action.DELETE, name="c")), (), (Exit.REFUSED,)),
            "Applied: 0 created, 0 modified, 0 deleted, 0 failed, 2 not sent (exit 4).",
        ),
        (
            Report(
                _plan(_change(Action.UNREAD, name="a"), _change(Action.DRIFT, Cause.DRIFTED, "c"), complete=False),
                (Outcome("d", Action.MODIFY, Result.UNKNOWN), Outcome("e", Action.DELETE, Result.SKIPPED)),
                (Exit.UNREADABLE, Exit.PARTIAL, Exit.HELD),
            ),
            "Applied: 0 created, 0 modified, 0 deleted, 1 failed, 1 drifted, 1 unreadable, 1 not sent (exit 6). "
            "Not everything could be read.",
        ),
        (
            Report(
                _plan(_change(Action.CREATE, name="a"), _change(Action.NOTHING, name="c", others=("asst_2",))),
                (Outcome("a", Action.CREATE, Result.DONE, not_kept=("metadata.trueup",)),),
                (Exit.PARTIAL, Exit.HELD),
            ),
            "Applied: 1 created, 0 modified, 0 deleted, 0 failed; of these 1 not kept as sent, 1 with a duplicate "
            "(exit 5).",
        ),
    ],
)
def test_a_report_claims_no_success_that_its_exit_code_denies(report: Report, expected: str) -> None:
    assert report_summary(report) == expected


def test_drift_has_its_exit_code_and_a_deletion_counts_also_where_it_is_put_back() -> None:
    conflict = _change(Action.HELD, Cause.CONFLICT, "a", wanted=True)
    again = _change(Action.CREATE, name="b", reason=Reason.RECREATED, recreate=True)
    assert drift_summary(_plan(conflict, again, unchanged=3)) == (
        "Drift: 1 drifted, 1 deleted outside, 3 as applied (exit 2)."
    )
    assert drift_summary(_plan(unchanged=3)) == "Drift: 0 drifted, 0 deleted outside, 3 as applied."
    unknown = _change(Action.HELD, Cause.UNKNOWN, "a", wanted=True)
    assert drift_summary(_plan(unknown)).endswith("0 as applied, 1 not known (exit 6).")


def test_an_import_counts_what_is_left_and_what_is_to_be_edited_by_hand() -> None:
    done = Imports(
        "prod",
        (NewFile("a", "assistants/a.yaml", "", "asst_1", "asst_1"),),
        links=(Link("b", "assistants/b.yaml", "asst_2", {"model": "x"}, why="it has an anchor"),),
        unread=(NotAnAssistant("x.json", "is no JSON"),),
        omissions={"asst_1": (Omission("tools", "x"), Omission("tools[0]", "y"))},
    )
    assert import_summary(done, Exit.HELD) == (
        "Import: 1 written, 1 linked, 0 there already, 1 left out; "
        "of these 1 with omitted values, 1 to edit by hand (exit 3)."
    )
    assert import_summary(done, Exit.HELD, dry_run=True).startswith("Import: 1 to write, 1 to link, 0 there already")


def test_accept_counts_fields() -> None:
    fields = (AcceptedField("model", AcceptResult.TAKEN), AcceptedField("tools", AcceptResult.CONFLICT))
    accepted = Accepted("a", "prod", "asst_1", fields)
    words = "1 to take, 0 to merge, 0 the same already, 1 in conflict (exit 3)."
    assert accept_summary(accepted) == f"Accept: {words}"
    written = Accepted("a", "prod", "asst_1", fields[:1], written=True)
    assert accept_summary(written) == "Accept: 1 taken, 0 merged, 0 the same already."


def test_validate_counts_problems_by_severity() -> None:
    error, warning = (Diagnostic(severity, "code", "text") for severity in (Severity.ERROR, Severity.WARNING))
    assert validate_summary(1, ["local"], []) == "1 assistant checked for target local: valid."
    assert validate_summary(2, ["local", "prod"], [warning]) == (
        "2 assistants checked for targets local, prod: valid, 1 warning."
    )
    assert validate_summary(2, ["local"], [error, error, warning]) == (
        "2 assistants checked for target local: 2 errors, 1 warning (exit 1)."
    )
