"""Whatever record, live, file, stamps, rules and flags come together, the judge keeps its word in every cell."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.extent import examples
from trueup.core.canonical import canonical, digest, same
from trueup.core.memory.stamp import UNREADABLE, Stamp, digests, record_of, short
from trueup.core.memory.state import Applied, Pending, Record
from trueup.core.plans.fields import Rules, matches
from trueup.core.plans.judge import DecisionPolicy, Facts, Verdict, judge
from trueup.core.plans.live import LiveAssistant
from trueup.core.plans.plan import WRITES, Action, Cause, Reason
from trueup.wire.openai_assistants.fields import TABLE

FIELDS = TABLE.vary({"description": {"empty_is_null": False}})
NAMES = ("model", "description", "temperature", "metadata.owner", "tool_resources.file_search.vector_store_ids")
VALUES: Mapping[str, tuple[Any, ...]] = {
    "model": ("a", "b", "c"),
    "description": (None, "", "x", "y"),
    "temperature": (None, 1, 1.0, 0.5),
    "metadata.owner": (None, "ada", "bob"),
    "tool_resources.file_search.vector_store_ids": ([], ["vs_1"], ["vs_2"]),
}
OURS = Stamp("acme", "prod", "math", "op-1")


@st.composite
def _fields(draw: st.DrawFn) -> dict[str, Any]:
    """Any values of any fields; the model is always there."""
    names = ["model", *draw(st.lists(st.sampled_from(NAMES[1:]), unique=True))]
    return {name: draw(st.sampled_from(VALUES[name])) for name in names}


@st.composite
def _applied(draw: st.DrawFn, name: str) -> Applied:
    sent, kept = draw(st.sampled_from(VALUES[name])), draw(st.sampled_from(VALUES[name]))
    kind = draw(st.sampled_from(["kept", "rewritten", "unanswered", "stamped", "nothing"]))
    stamp = short(name, sent, FIELDS)
    return {
        "kept": Applied(digest(sent), digest(sent)),
        "rewritten": Applied(digest(sent), digest(kept)),
        "unanswered": Applied(sent=digest(sent), stamp=stamp),
        "stamped": Applied(stamp=stamp),
        "nothing": Applied(),
    }[kind]


@st.composite
def _records(draw: st.DrawFn) -> Record:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    return Record(
        "asst_1",
        operation=draw(st.sampled_from(["op-1", "op-0", ""])),
        protect=draw(st.booleans()),
        stamped=draw(st.sampled_from([None, True, False])),
        partial=draw(st.booleans()),
        fields={name: draw(_applied(name)) for name in names},
    )


@st.composite
def _stamps(draw: st.DrawFn) -> Stamp | None:
    """None, ours of any operation, another project's, target's or name's, or one nobody can read."""
    who = draw(st.sampled_from(["none", "ours", "project", "target", "name", "old-name", "unreadable"]))
    if who == "none":
        return None
    if who == "unreadable":
        return UNREADABLE
    return Stamp(
        "other" if who == "project" else "acme",
        "dev" if who == "target" else "prod",
        {"name": "physics", "old-name": "arithmetic"}.get(who, "math"),
        draw(st.sampled_from(["op-1", "op-2"])),
        draw(st.booleans()),
        draw(st.sampled_from([1, 99])),
        digests(draw(_fields()), FIELDS),
    )


@st.composite
def _cells(draw: st.DrawFn) -> tuple[Facts, DecisionPolicy]:
    """Facts that can be true together, and any choices."""
    moved_from = draw(st.sampled_from(["", "arithmetic"]))
    names = {"math", moved_from} - {""}
    found = [
        LiveAssistant(f"asst_{number}", draw(_fields()), number, draw(_stamps()))
        for number in range(1, draw(st.integers(1, 4)))
    ]
    stamped = tuple(
        seen
        for seen in found
        if seen.stamp and (seen.stamp.project, seen.stamp.target) == ("acme", "prod") and seen.stamp.name in names
    )
    stamps = draw(st.booleans())
    record = draw(st.none() | _records())
    if stamps:
        one = stamped[0] if len(stamped) == 1 else None
        record = record_of(one.stamp, one.id, one.created_at) if one is not None and one.stamp is not None else None
    live = next((seen for seen in found if record is not None and seen.id == record.id), None)
    some = st.sampled_from([(), ("asst_9",)])
    fresh = record is None and not stamped
    facts = Facts(
        name="math",
        file=draw(st.none() | _fields()),
        record=record,
        live=live,
        stamped=stamped,
        unread=record is not None and live is None and draw(st.booleans()),
        complete=draw(st.booleans()),
        protect=draw(st.sampled_from([None, True, False])),
        ignored=frozenset(draw(st.lists(st.sampled_from(NAMES), max_size=2))),
        pending=draw(st.none() | st.just(Pending("math", "op-2", "modify", 0.0, "asst_1"))),
        moved_from=moved_from,
        same_named=draw(some) if fresh else (),
        rename_of=draw(some) if fresh else (),
        renamed_to=draw(some),
        full=draw(st.booleans()),
    )
    choices = DecisionPolicy(
        project="acme",
        target="prod",
        rules=Rules(FIELDS, stamps=stamps),
        revert=draw(st.booleans()),
        prune=draw(st.booleans()),
        destroy=draw(st.booleans()),
        stamps=stamps or draw(st.booleans()),
        stamp_all=draw(st.booleans()),
        stamp_lost=draw(st.booleans()),
    )
    return facts, choices


def _is_known(live: LiveAssistant, facts: Facts) -> bool:
    """Whether a live one carries no stamp, or ours of an operation that we know."""
    stamp, record, pending = live.stamp, facts.record, facts.pending
    if stamp is None:
        return True
    ours = (stamp.project, stamp.target) == ("acme", "prod") and stamp.name in {"math", facts.moved_from}
    if record is None or not record.operation:
        return ours
    return ours and stamp.operation in {record.operation, pending.operation if pending else record.operation}


def one_verdict_always_the_same_and_no_input_is_changed(facts: Facts, choices: DecisionPolicy) -> None:
    before = copy.deepcopy((facts, choices))
    verdict = judge(facts, choices)
    assert isinstance(verdict, Verdict)
    assert judge(facts, choices) == verdict
    assert (facts, choices) == before


def a_delete_is_asked_for_and_certain(facts: Facts, choices: DecisionPolicy) -> None:
    verdict = judge(facts, choices)
    if verdict.action is not Action.DELETE:
        return
    assert choices.prune or choices.destroy
    assert facts.file is None or choices.destroy
    assert facts.record is not None
    assert facts.live is not None
    assert verdict.live is facts.live
    assert facts.complete
    assert not facts.unread
    assert _is_known(facts.live, facts), "behind or somebody else's"
    protected = facts.record.protect or bool(facts.live.stamp and facts.live.stamp.protect)
    assert not (protected if facts.protect is None else facts.protect)
    assert verdict.backup


def a_create_makes_no_twin(facts: Facts, choices: DecisionPolicy) -> None:
    verdict = judge(facts, choices)
    if verdict.action is not Action.CREATE:
        return
    assert facts.file is not None
    assert not choices.destroy
    assert facts.live is None
    assert facts.stamped == ()
    assert facts.complete
    assert not facts.unread
    assert not facts.same_named
    assert not facts.rename_of
    assert not choices.stamp_lost
    assert facts.record is None or choices.revert
    assert verdict.recreate is (facts.record is not None)
    assert {change.path for change in verdict.fields} == set(facts.file)


def a_write_goes_to_our_own_and_never_over_another_checkouts(facts: Facts, choices: DecisionPolicy) -> None:
    verdict = judge(facts, choices)
    if verdict.action not in (Action.MODIFY, Action.STAMP):
        return
    assert facts.file is not None
    assert not choices.destroy
    assert verdict.live is not None
    assert _is_known(verdict.live, facts)
    problems = {change.cause for change in verdict.fields} & {Cause.DRIFTED, Cause.CONFLICT, Cause.UNKNOWN}
    assert choices.revert or not problems
    assert verdict.backup is bool(problems)
    differing = [change for change in verdict.fields if change.cause is not Cause.RECORDED]
    assert bool(differing) is (verdict.action is Action.MODIFY)


def live_as_the_file_is_never_a_field_to_write(facts: Facts, choices: DecisionPolicy) -> None:
    for change in judge(facts, choices).fields:
        if change.cause is Cause.NEW:
            continue
        assert facts.file is not None
        wanted = canonical(change.path, facts.file.get(change.path), FIELDS)
        before = change.before if isinstance(change.before, (str, int, float, list)) else None
        found = canonical(change.path, before, FIELDS)
        assert same(wanted, found) is (change.cause is Cause.RECORDED)


def only_declared_and_recorded_fields_appear_and_ignored_ones_never(facts: Facts, choices: DecisionPolicy) -> None:
    verdict = judge(facts, choices)
    applied = {
        *(facts.record.fields if facts.record else ()),
        *(name for seen in facts.stamped if seen.stamp for name in seen.stamp.fields),
    }
    paths = [change.path for change in verdict.fields]
    assert len(paths) == len(set(paths))
    assert set(paths) <= set(facts.file or ()) | applied
    if verdict.action is not Action.CREATE:
        assert not set(paths) & facts.ignored


def drift_is_only_where_live_differs_from_what_was_applied(facts: Facts, choices: DecisionPolicy) -> None:
    verdict = judge(facts, choices)
    for change in verdict.fields:
        if change.cause not in (Cause.DRIFTED, Cause.CONFLICT):
            continue
        assert verdict.record is not None
        assert verdict.reason is not Reason.BEHIND
        assert not matches(change.path, change.before, verdict.record.fields[change.path], FIELDS)


def what_is_wanted_and_not_done_says_so(facts: Facts, choices: DecisionPolicy) -> None:
    verdict = judge(facts, choices)
    causes = {change.cause for change in verdict.fields}
    if verdict.wanted:
        assert verdict.action in (Action.HELD, Action.UNREAD)
    if verdict.action is Action.DRIFT:
        assert causes <= {Cause.DRIFTED, Cause.RECORDED}
        assert Cause.DRIFTED in causes
    if verdict.action in (Action.NOTHING, Action.ADOPT, Action.RECORD, Action.STAMP):
        assert causes <= {Cause.RECORDED}
    if facts.file is not None and not choices.destroy and verdict.action not in WRITES:
        pending = causes - {Cause.RECORDED, Cause.DRIFTED}
        assert verdict.wanted or not pending or verdict.reason is Reason.BEHIND


def a_foreign_stamp_is_never_adopted_nor_written_over(facts: Facts, choices: DecisionPolicy) -> None:
    verdict = judge(facts, choices)
    if facts.live is None or facts.live.stamp is None:
        return
    stamp = facts.live.stamp
    if (stamp.project, stamp.target) == ("acme", "prod") and stamp.name in {"math", facts.moved_from}:
        return
    assert verdict.action in (Action.HELD, Action.ORPHAN, Action.UNREAD, Action.FORGET)
    assert facts.released or verdict.action is not Action.FORGET
    assert not verdict.adopted


def two_stamps_without_a_record_send_nothing(facts: Facts, choices: DecisionPolicy) -> None:
    if facts.record is None and len(facts.stamped) > 1 and facts.file is not None and not choices.destroy:
        verdict = judge(facts, choices)
        assert (verdict.action, verdict.reason) == (Action.HELD, Reason.TWINS)
        assert verdict.others == tuple(sorted(seen.id for seen in facts.stamped))


def what_is_released_is_let_go_and_nothing_else(facts: Facts, choices: DecisionPolicy) -> None:
    verdict = judge(facts, choices)
    if not facts.released:
        assert verdict.action is not Action.RELEASE
        return
    assert verdict.action in (Action.RELEASE, Action.FORGET, Action.HELD, Action.UNREAD, Action.NOTHING)
    if verdict.action is Action.RELEASE:
        assert verdict.live is not None
        assert verdict.live.stamp is not None
        assert (verdict.live.stamp.project, verdict.live.stamp.name) == ("acme", "math")


LAWS: tuple[Callable[[Facts, DecisionPolicy], None], ...] = (
    one_verdict_always_the_same_and_no_input_is_changed,
    a_delete_is_asked_for_and_certain,
    a_create_makes_no_twin,
    a_write_goes_to_our_own_and_never_over_another_checkouts,
    live_as_the_file_is_never_a_field_to_write,
    only_declared_and_recorded_fields_appear_and_ignored_ones_never,
    drift_is_only_where_live_differs_from_what_was_applied,
    what_is_wanted_and_not_done_says_so,
    a_foreign_stamp_is_never_adopted_nor_written_over,
    two_stamps_without_a_record_send_nothing,
    what_is_released_is_let_go_and_nothing_else,
)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@settings(max_examples=examples(150), deadline=None)
@given(cell=_cells())
def test_law(law: Callable[[Facts, DecisionPolicy], None], cell: tuple[Facts, DecisionPolicy]) -> None:
    law(*cell)


# --- the same laws over the whole product of a few values of each input

A = {"model": "a", "description": "x"}
B = {"model": "a", "description": "y"}
C = {"model": "a", "description": "by hand"}
STAMPED = replace(OURS, fields=digests(A, FIELDS))
RECORD = Record("asst_1", operation="op-1", fields={name: Applied(digest(A[name]), digest(A[name])) for name in A})
RECORDS = (
    None,
    RECORD,
    replace(RECORD, protect=True),
    replace(RECORD, partial=True, fields={name: Applied(stamp=short(name, A[name], FIELDS)) for name in A}),
)
LIVE_STAMPS = (
    None,
    STAMPED,
    replace(STAMPED, operation="op-2"),
    replace(STAMPED, project="other"),
    replace(STAMPED, rules=99),
    UNREADABLE,
)
LIVES = (None, *(LiveAssistant("asst_1", fields, 1, stamp) for fields in (A, B, C) for stamp in LIVE_STAMPS))
RULES = Rules(FIELDS)
TWINS = ((), (LiveAssistant("asst_2", A, 2, STAMPED),))


def _product() -> Iterator[tuple[Facts, DecisionPolicy]]:
    switches = [
        DecisionPolicy("acme", "prod", RULES, revert, prune, destroy, stamp_all=stamp, stamp_lost=stamp)
        for revert, prune, destroy, stamp in itertools.product((False, True), repeat=4)
    ]
    for record, live, twins, file, complete, stamps in itertools.product(
        RECORDS, LIVES, TWINS, (None, A, B), (True, False), (False, True)
    ):
        ours = live is not None and live.stamp is not None and live.stamp.project == "acme"
        stamped = (*((live,) if live is not None and ours else ()), *twins)
        known = record
        if stamps:
            one = stamped[0] if len(stamped) == 1 else None
            known = record_of(one.stamp, one.id, one.created_at) if one is not None and one.stamp is not None else None
        found = next((seen for seen in (live, *twins) if seen and known and seen.id == known.id), None)
        facts = Facts("math", file, known, found, stamped, complete=complete)
        for released, choices in itertools.product((False, True) if file is None else (False,), switches):
            yield replace(facts, released=released), replace(choices, rules=Rules(FIELDS, stamps))


def test_the_whole_product() -> None:
    """Every law but the one that copies its inputs, in every cell; and every kind of verdict is met on the way."""
    met = set()
    number = 0
    for facts, choices in _product():
        number += 1
        met.add(judge(facts, choices).action)
        for law in LAWS[1:]:
            law(facts, choices)
    assert number == 4 * 19 * 2 * 4 * 2 * 2 * 16
    assert met == set(Action)
