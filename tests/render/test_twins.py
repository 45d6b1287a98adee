"""A twin beside one that is as the file says is shown by every plan, never only counted."""

from __future__ import annotations

import pytest

from tests.render import text
from trueup.core.memory.state import Identity
from trueup.core.plans.plan import Action, Change, Options, Plan, Reason

MESSAGE = "is as the file says; a twin carries the same stamp: asst_2"


def _plan(action: Action, others: tuple[str, ...]) -> Plan:
    identity = Identity("acme", "prod", "openai-assistants", "https://api.openai.com/v1")
    change = Change("math", action, Reason.CLEAN, "asst_1", others=others, message=MESSAGE, hint="Delete the other.")
    return Plan(identity, Options(), (change,))


@pytest.mark.parametrize("action", [Action.NOTHING, Action.RECORD])
def test_a_twin_is_named_with_both_ids_and_a_way_to_go_on(action: Action) -> None:
    shown = text.plan(_plan(action, ("asst_2",)), color=False, width=100)
    assert f"! math  duplicate: {MESSAGE}" in shown
    assert "asst_1" in shown
    assert "Delete the other." in shown
    assert "Nothing to do" not in shown
    assert shown.rstrip().endswith("1 unchanged; of these 1 with a duplicate.")


def test_without_a_twin_it_is_only_counted() -> None:
    shown = text.plan(_plan(Action.RECORD, ()), color=False, width=100)
    assert "math" not in shown
    assert "Nothing to do" in shown
