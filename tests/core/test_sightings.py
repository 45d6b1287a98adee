"""Since when a drift is seen: the same one keeps its first moment, one that changed or came back begins anew."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.errors import TrueupError
from trueup.core.memory.state import Identity
from trueup.core.plans.drift import Earlier, History, Sighting, add_first_seen, find_sightings, read_earlier
from trueup.core.plans.plan import Action, Cause, Change, FieldChange, Options, Plan, Reason
from trueup.render.records import json as as_json

HERE = Identity("shop", "prod", "openai-assistants", "https://x.example/v1")
DAYS = [f"2026-11-{day:02}T06:00:00Z" for day in range(1, 29)]


def plan(*changes: Change) -> Plan:
    return Plan(HERE, Options(), changes)


def drifted(name: str, **fields: Any) -> Change:
    changes = tuple(FieldChange(path, live, "file", Cause.DRIFTED) for path, live in fields.items())
    return Change(name, Action.DRIFT, Reason.DRIFTED, fields=changes)


def run(made: Plan, earlier: Earlier | None, day: int, judged: frozenset[str] = frozenset("ab")) -> tuple[Earlier, Any]:
    """One report a day, read back from its own document."""
    shown, carried = find_sightings(made, judged, earlier, DAYS[day])
    document = json.loads(as_json.drift(add_first_seen(made, shown), None, History(DAYS[day], shown, carried)))
    found = read_earlier(document, HERE)
    assert found is not None
    return found, {(item["name"], item["field"]): item["since"] for item in document["seen"]}


def test_without_an_earlier_report_nothing_is_known() -> None:
    _, seen = run(plan(drifted("a", model="x")), None, 0)
    assert seen == {("a", "model"): None}


def test_the_same_drift_keeps_its_day_and_the_first_one_is_that_of_the_report_that_could_not_know() -> None:
    earlier, _ = run(plan(drifted("a", model="x")), None, 0)
    earlier, seen = run(plan(drifted("a", model="x", top_p=1)), earlier, 3)
    assert seen == {("a", "model"): DAYS[0], ("a", "top_p"): DAYS[3]}
    earlier, seen = run(plan(drifted("a", model="x", top_p=1)), earlier, 9)
    assert seen == {("a", "model"): DAYS[0], ("a", "top_p"): DAYS[3]}


def test_a_number_that_differs_beyond_single_precision_is_the_same() -> None:
    earlier, _ = run(plan(drifted("a", top_p=0.9)), Earlier("", ()), 0)
    _, seen = run(plan(drifted("a", top_p=0.900000001)), earlier, 1)
    assert seen == {("a", "top_p"): DAYS[0]}


def test_one_that_changed_again_or_came_back_begins_anew() -> None:
    earlier, _ = run(plan(drifted("a", model="x")), Earlier("", ()), 0)
    earlier, seen = run(plan(drifted("a", model="y")), earlier, 1)
    assert seen == {("a", "model"): DAYS[1]}
    earlier, seen = run(plan(), earlier, 2)
    assert seen == {}
    _, seen = run(plan(drifted("a", model="y")), earlier, 3)
    assert seen == {("a", "model"): DAYS[3]}


def test_what_the_file_says_meanwhile_does_not_matter() -> None:
    earlier, _ = run(plan(drifted("a", model="x")), Earlier("", ()), 0)
    conflict = FieldChange("model", "x", "another", Cause.CONFLICT)
    held = Change("a", Action.HELD, Reason.CONFLICT, fields=(conflict,))
    assert run(plan(held), earlier, 1)[1] == {("a", "model"): DAYS[0]}


def test_a_deletion_has_a_day_too() -> None:
    gone = Change("a", Action.HELD, Reason.DELETED_OUTSIDE)
    earlier, _ = run(plan(gone), Earlier("", ()), 4)
    assert run(plan(gone), earlier, 5)[1] == {("a", ""): DAYS[4]}


def test_what_was_not_looked_at_is_carried_on() -> None:
    earlier, _ = run(plan(drifted("a", model="x"), drifted("b", model="x")), Earlier("", ()), 0)
    unread = Change("b", Action.UNREAD, Reason.UNREADABLE)
    earlier, seen = run(plan(drifted("a", model="x"), unread), earlier, 1)
    assert seen == {("a", "model"): DAYS[0], ("b", "model"): DAYS[0]}
    earlier, seen = run(plan(), earlier, 2, judged=frozenset("a"))
    assert seen == {("b", "model"): DAYS[0]}
    assert run(plan(), earlier, 3)[1] == {}


@given(st.lists(st.dictionaries(st.sampled_from("ab"), st.sampled_from("xyz"), max_size=2), max_size=12))
def test_the_day_is_the_first_of_the_unbroken_row(days: list[dict[str, str]]) -> None:
    """Held against a simple walk backwards through all days."""
    earlier = Earlier("", ())
    for day, live in enumerate(days):
        earlier, seen = run(plan(*(drifted(name, model=value) for name, value in sorted(live.items()))), earlier, day)
        for name, value in live.items():
            first = day
            while first > 0 and days[first - 1].get(name) == value:
                first -= 1
            assert seen.pop((name, "model")) == DAYS[first]
        assert seen == {}


def test_different_days_are_told_by_field() -> None:
    made = add_first_seen(plan(drifted("a", model="x", top_p=1)), [Sighting("a", "model", "0", DAYS[0])])
    assert made.changes[0].remarks == (f"Seen since {DAYS[0]}.",)
    both = [Sighting("a", "model", "0", DAYS[0]), Sighting("a", "top_p", "0", DAYS[1])]
    assert add_first_seen(plan(drifted("a")), both).changes[0].remarks == (
        f"Seen since: model {DAYS[0]}, top_p {DAYS[1]}.",
    )
    assert add_first_seen(plan(drifted("a")), [Sighting("a", "model", "0")]).changes[0].remarks == ()


def test_the_report_of_a_failure_tells_nothing() -> None:
    assert read_earlier({"kind": "error"}, HERE) is None


@pytest.mark.parametrize(
    "document",
    [
        7,
        None,
        [],
        {},
        {"kind": "plan"},
        {"kind": "drift"},
        {"kind": "drift", "target": {"project": "shop"}},
        {"kind": "drift", "checked_at": "yesterday", "seen": []},
        {"kind": "drift", "checked_at": "2026-11-01T06:00:00Z\n::error::", "seen": []},
        {"kind": "drift", "checked_at": "2026-02-30T06:00:00Z", "seen": []},
        {"kind": "drift", "checked_at": DAYS[0], "seen": [{"name": "a"}]},
        {"kind": "drift", "checked_at": DAYS[0], "seen": [{"name": "a", "field": "b", "live": "c", "since": "x"}]},
        {"kind": "drift", "checked_at": DAYS[0], "seen": [{"name": 1, "field": "b", "live": "c", "since": None}]},
    ],
)
def test_anything_else_is_refused(document: Any) -> None:
    target = {"project": "shop", "target": "prod", "protocol": "p", "base_url": "u"}
    whole = {"target": target, **document} if isinstance(document, dict) and document else document
    with pytest.raises(TrueupError, match="not a usable drift report"):
        read_earlier(whole, HERE)


def test_the_report_of_another_target_is_refused() -> None:
    other = {"project": "shop", "target": "staging", "protocol": "p", "base_url": "u"}
    with pytest.raises(TrueupError, match="shop/staging, not of shop/prod"):
        read_earlier({"kind": "drift", "target": other, "checked_at": DAYS[0], "seen": []}, HERE)
