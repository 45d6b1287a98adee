"""What becomes of a request whose outcome was unknown, once live has been read."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.core.canonical import DIGEST_RULES, digest
from trueup.core.memory.journal import resolve_pending
from trueup.core.memory.stamp import Stamp
from trueup.core.memory.state import Applied, Identity, Pending, Record, State
from trueup.core.plans.live import LiveAssistant

IDENTITY = Identity("acme", "prod", "openai-assistants", "https://api.example.com/v1")
BEFORE = Record("asst_1", operation="op-1", fields={"model": Applied(digest("a"), digest("a"))})
AFTER = Record("asst_1", operation="op-2", fields={"model": Applied(sent=digest("b"))})


def _state(action: str, record: Record | None = AFTER) -> State:
    pending = Pending("math", "op-2", action, 0.0, "asst_1", "op-1", record)
    return State(IDENTITY, DIGEST_RULES, {"math": BEFORE}, {"math": pending})


def _seen(operation: str | None, model: str) -> dict[str, LiveAssistant]:
    stamp = None if operation is None else Stamp("acme", "prod", "math", operation)
    return {"asst_1": LiveAssistant("asst_1", {"model": model}, 7, stamp)}


NOBODY: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("operation", "model", "landed"),
    [
        ("op-2", "b", True),
        ("op-2", "changed since", True),
        ("op-1", "a", False),
        ("op-1", "b", False),
        ("op-9", "b", False),
        (None, "b", True),
        (None, "a", False),
    ],
)
def test_a_modify_landed_if_its_stamp_is_live_or_without_any_its_values(
    operation: str | None, model: str, landed: bool
) -> None:
    state = resolve_pending(_state("modify"), _seen(operation, model), NOBODY)
    assert state.pending == {}
    assert state.records["math"].operation == ("op-2" if landed else "op-1")
    assert state.records["math"].id == "asst_1"


def test_a_modify_of_what_was_not_seen_stays_open() -> None:
    state = _state("modify")
    assert resolve_pending(state, {}, NOBODY) == state
    assert resolve_pending(state, {}, frozenset({"asst_1"})) == state


def test_a_delete_is_done_only_if_the_assistants_own_404_was_seen() -> None:
    state = _state("delete", None)
    assert resolve_pending(state, {}, NOBODY) == state
    gone = resolve_pending(state, {}, frozenset({"asst_1"}))
    assert (gone.records, gone.pending) == ({}, {})


def test_a_delete_of_what_is_still_live_was_not_done() -> None:
    state = resolve_pending(_state("delete", None), _seen("op-1", "a"), NOBODY)
    assert state.records == {"math": BEFORE}
    assert state.pending == {}


@pytest.mark.parametrize("seen", [{}, _seen("op-2", "b")])
def test_a_create_is_left_to_the_stamps(seen: Any) -> None:
    state = _state("create")
    assert resolve_pending(state, seen, frozenset({"asst_1"})) == state


def test_digests_of_other_rules_are_forgotten_and_the_fields_are_not() -> None:
    old = State(IDENTITY, DIGEST_RULES + 1, {"math": BEFORE})
    state = resolve_pending(old, {}, NOBODY)
    assert state.digest_rules == DIGEST_RULES
    assert state.records["math"].fields == {"model": Applied()}
    assert state.records["math"].id == "asst_1"
    assert resolve_pending(state, {}, NOBODY) == state


def test_nothing_given_is_changed() -> None:
    state = _state("modify")
    resolve_pending(state, _seen("op-2", "b"), NOBODY)
    assert state == _state("modify")
