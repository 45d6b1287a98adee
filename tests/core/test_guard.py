"""The guards refuse what they are there to refuse, also where their precondition is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trueup.core.memory.state import Identity
from trueup.core.plans.exits import find_guard_reasons, is_acknowledged
from trueup.core.plans.plan import Action, Change, Options, Plan, Reason
from trueup.core.projects.project import Guard

IDENTITY = Identity("acme", "prod", "openai-assistants", "https://api.example.com/v1")
DIGEST = "0123456789abcdef" * 4


def _plan(records: int, *, recreate: int = 0, **counts: int) -> Plan:
    changes = [
        Change(f"{action}-{number}", Action(action), Reason.CLEAN)
        for action, count in counts.items()
        for number in range(count)
    ]
    again = [Change(f"again-{number}", Action.CREATE, Reason.RECREATED, recreate=True) for number in range(recreate)]
    return Plan(IDENTITY, Options(), (*changes, *again), records=records)


@pytest.mark.parametrize(
    ("deletes", "records", "refused"),
    [(0, 0, False), (1, 1, False), (1, 1_000, False), (2, 1, True), (2, 19, True), (2, 20, False), (2, 21, False),
     (3, 20, True), (11, 100, True), (10, 100, False), (2, 0, True)],
)  # fmt: skip
def test_more_than_one_delete_and_more_than_a_tenth(deletes: int, records: int, refused: bool) -> None:
    assert bool(find_guard_reasons(_plan(records, delete=deletes), Guard())) is refused
    assert bool(find_guard_reasons(_plan(records, recreate=deletes), Guard())) is refused, (
        "what is created again counts as deleted"
    )


@pytest.mark.parametrize(
    ("modifies", "records", "refused"),
    [(5, 5, False), (6, 6, True), (6, 11, True), (6, 12, False), (51, 100, True), (50, 100, False), (6, 0, True)],
)
def test_more_than_five_modifies_and_more_than_half(modifies: int, records: int, refused: bool) -> None:
    assert bool(find_guard_reasons(_plan(records, modify=modifies), Guard())) is refused


def test_deletes_and_what_is_created_again_are_counted_together() -> None:
    assert find_guard_reasons(_plan(10, delete=1), Guard()) == ()
    assert find_guard_reasons(_plan(10, delete=1, recreate=1), Guard()) != ()


def test_stamp_only_writes_creates_and_what_is_held_do_not_count() -> None:
    assert find_guard_reasons(_plan(10, stamp=10, create=100, held=10, orphan=10, adopt=10), Guard()) == ()


def test_records_of_what_is_gone_make_no_fleet_larger() -> None:
    """A stranger's find: sixty invented records let four of eight be deleted without a question."""
    gone = tuple(Change(f"z{number}", Action.FORGET, Reason.GONE) for number in range(60))
    plan = _plan(68, delete=4)
    assert find_guard_reasons(plan, Guard()) == ()
    (reason,) = find_guard_reasons(replace(plan, changes=(*plan.changes, *gone)), Guard())
    assert "4 of 8" in reason


def test_both_guards_may_speak_and_each_names_its_numbers() -> None:
    reasons = find_guard_reasons(_plan(10, delete=2, modify=6), Guard())
    assert len(reasons) == 2
    assert "2 of 10" in reasons[0]
    assert "6 of 10" in reasons[1]
    assert all("guard allows" in reason for reason in reasons)


def test_the_shares_and_counts_of_the_target_hold() -> None:
    strict = Guard(deletes=0, delete_share=0.0, modifies=0, modify_share=0.0)
    assert len(find_guard_reasons(_plan(1_000, delete=1, modify=1), strict)) == 2
    loose = Guard(deletes=5, delete_share=1.0, modifies=5, modify_share=1.0)
    assert find_guard_reasons(_plan(10, delete=10, modify=10), loose) == ()


@pytest.mark.parametrize(
    ("acks", "enough"),
    [
        ((), False),
        (("",), False),
        ((DIGEST[:15],), False),
        ((DIGEST[:16],), True),
        ((DIGEST,), True),
        ((DIGEST + "0",), False),
        ((DIGEST[:16].upper(),), True),
        ((DIGEST[1:17],), False),
        (("asst_0001", DIGEST[:16]), True),
        (("yes", "all"), False),
    ],
)
def test_an_acknowledgement_is_the_digest_or_sixteen_characters_of_its_beginning(
    acks: tuple[str, ...], enough: bool
) -> None:
    assert is_acknowledged(DIGEST, acks) is enough


def test_an_empty_digest_is_never_acknowledged() -> None:
    assert not is_acknowledged("", ("", "12345678"))
