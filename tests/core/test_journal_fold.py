"""The journal's lines and how they fold into a state, also when a part of them is in the state already."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.memory.journal import Entry, fold, from_line, list_pending, to_line
from trueup.core.memory.state import Applied, Identity, Pending, Record, State

EMPTY = State(Identity("p", "t", "openai-assistants", "https://x"), 1)


def record(operation: str) -> Record:
    return Record("asst_1", 5, operation, fields={"model": Applied("a", "b", "c"), "metadata.owner": Applied()})


def entry(step: str, action: str, operation: str, after: str = "", name: str = "a") -> Entry:
    kept = None if action in ("delete", "forget") else record(operation)
    return Entry(step, name, action, operation, 12.5, "asst_1", after, kept)


def create(operation: str = "op1", name: str = "a") -> list[Entry]:
    return [entry("intent", "create", operation, name=name), entry("done", "create", operation, name=name)]


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    """Draw what a run writes: for each name requests one after another, each on top of what the last one left."""
    lines: list[Entry] = []
    now: dict[str, str] = {}
    for number in range(draw(st.integers(0, 12))):
        name = draw(st.sampled_from("ab"))
        after = now.get(name, "")
        action = draw(st.sampled_from(["modify", "delete"] if after else ["create"]))
        step = draw(st.sampled_from(["done", "not-done", ""]))
        lines.append(entry("intent", action, f"op{number}", after, name))
        if step:
            lines.append(entry(step, action, f"op{number}", after, name))
        if step == "done":
            now[name] = "" if action == "delete" else f"op{number}"
    return lines


@given(histories())
def test_lines_come_back_as_they_were(lines: list[Entry]) -> None:
    assert [from_line(to_line(line)) for line in lines] == lines
    assert all(to_line(line).isascii() and "\n" not in to_line(line) for line in lines)


@pytest.mark.parametrize("live_id", ["..", "../../x?y=1", "a/b"])
def test_a_line_with_an_id_that_would_lead_a_request_elsewhere_is_damaged(live_id: str) -> None:
    for line in (replace(create()[0], id=live_id), replace(create()[1], record=replace(record("op1"), id=live_id))):
        with pytest.raises(ValueError, match="cannot be an assistant's id"):
            from_line(to_line(line))


@given(histories())
def test_folding_twice_is_folding_once(lines: list[Entry]) -> None:
    once = fold(EMPTY, lines)
    assert fold(once, lines) == once


@given(histories(), st.data())
def test_a_kill_between_save_and_clear_costs_nothing(lines: list[Entry], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(lines)))
    assert fold(fold(EMPTY, lines[:cut]), lines[cut:]) == fold(EMPTY, lines)


@given(histories())
def test_the_state_handed_in_stays_as_it_was(lines: list[Entry]) -> None:
    before = State(EMPTY.identity, 1, {"b": record("x")}, {"b": Pending("b", "y", "modify", 1.0)})
    copy = replace(before, records=dict(before.records), pending=dict(before.pending))
    fold(before, lines)
    assert before == copy


def test_an_intent_without_an_outcome_is_pending() -> None:
    folded = fold(EMPTY, create()[:1])
    assert folded.records == {}
    assert folded.pending == {"a": Pending("a", "op1", "create", 12.5, "asst_1", "", record("op1"))}


def test_done_is_remembered_and_no_longer_pending() -> None:
    folded = fold(EMPTY, create())
    assert (folded.records, folded.pending) == ({"a": record("op1")}, {})


def test_not_done_is_no_longer_pending_and_changes_no_record() -> None:
    folded = fold(EMPTY, [create()[0], entry("not-done", "create", "op1")])
    assert (folded.records, folded.pending) == ({}, {})


@pytest.mark.parametrize("action", ["delete", "forget"])
def test_a_deleted_or_forgotten_one_leaves_the_records(action: str) -> None:
    gone = [entry("intent", action, "op2", "op1"), entry("done", action, "op2", "op1")]
    folded = fold(fold(EMPTY, create()), gone)
    assert (folded.records, folded.pending) == ({}, {})


def test_a_state_that_is_newer_than_the_journal_is_not_set_back() -> None:
    newer = replace(EMPTY, records={"a": record("op7")})
    old = [*create(), entry("intent", "modify", "op2", "op1"), entry("done", "delete", "op3", "op2")]
    assert fold(newer, old) == newer


def test_a_record_that_somebody_else_removed_does_not_come_back_by_a_modify() -> None:
    assert fold(EMPTY, [entry("intent", "modify", "op2", "op1"), entry("done", "modify", "op2", "op1")]) == EMPTY


def test_an_outcome_settles_what_an_earlier_run_left_pending() -> None:
    left = fold(EMPTY, create()[:1])
    assert fold(left, [entry("not-done", "create", "op1")]).pending == {}
    assert fold(left, [entry("not-done", "create", "another")]).pending == left.pending


def test_without_a_state_file_the_unsettled_intents_are_all_there_is() -> None:
    lines = [*create("op1"), entry("intent", "modify", "op2", "stamped before"), *create("op3", "b")]
    assert list(list_pending(lines)) == ["a"]
    assert list_pending(lines)["a"].operation == "op2"
    assert list_pending([*lines, entry("not-done", "modify", "op2", "stamped before")]) == {}


GOOD = to_line(create()[0])


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{}",
        "[]",
        "\0" * 20,
        GOOD[:-1],
        GOOD.replace('"intent"', '"maybe"'),
        GOOD.replace('"name":"a"', '"name":""'),
        GOOD.replace('"name":"a"', '"name":7'),
        GOOD.replace("12.5", "1e999"),
        GOOD.replace("12.5", "NaN"),
        GOOD.replace("12.5", "true"),
        GOOD.replace('"step"', '"stop"'),
        GOOD.replace('"step":"intent"', '"step":"intent","step":"done"'),
        GOOD.replace('"a b c"', '"You are a tutor."'),
        "[" * 100_000,
    ],
)
def test_a_damaged_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_line(line)
