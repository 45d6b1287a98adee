"""Rows of the assistants' table where two of its rules meet: which one decides, and what it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trueup.core.canonical import digest
from trueup.core.field_table import STAMP_KEY
from trueup.core.memory.journal import trust_digests
from trueup.core.memory.stamp import UNREADABLE, Stamp, digests
from trueup.core.memory.state import Applied, Pending, Record
from trueup.core.plans.fields import Rules
from trueup.core.plans.judge import DecisionPolicy, Facts, judge
from trueup.core.plans.live import LiveAssistant, fields_of
from trueup.core.plans.plan import Action, Cause, Reason
from trueup.wire.openai_assistants.fields import TABLE

FILE: dict[str, Any] = {"name": "Tutor", "model": "a", "instructions": "x"}
STAMP = Stamp("acme", "prod", "math", "op-1", fields=digests(FILE, TABLE))
LIVE = LiveAssistant("asst_1", FILE, 7, STAMP)
RECORD = Record(
    "asst_1",
    7,
    "op-1",
    stamped=True,
    fields={name: Applied(digest(value), digest(value)) for name, value in FILE.items()},
)
FACTS = Facts("math", FILE, RECORD, LIVE, (LIVE,))
CHOICES = DecisionPolicy("acme", "prod", Rules(TABLE))
EDITED = {**FILE, "instructions": "new"}
BY_HAND = replace(LIVE, fields={**FILE, "instructions": "by hand"})
REVERT, PRUNE = replace(CHOICES, revert=True), replace(CHOICES, prune=True)


def _row(choices: DecisionPolicy = CHOICES, **facts: Any) -> tuple[Action, Reason]:
    """Return the verdict when some of the facts differ; a live one that is given is the only one with its stamp."""
    if "live" in facts and "stamped" not in facts:
        live = facts["live"]
        facts["stamped"] = (live,) if live is not None and live.stamp == STAMP else ()
    verdict = judge(replace(FACTS, **facts), choices)
    return verdict.action, verdict.reason


GONE: dict[str, Any] = {"live": None, "stamped": ()}
NEW: dict[str, Any] = {"record": None, **GONE}
OTHER = replace(LIVE, stamp=replace(STAMP, project="other"))
LATER = replace(LIVE, stamp=replace(STAMP, operation="op-2"))
TWIN = replace(LIVE, id="asst_2")
PENDING = Pending("math", "op-2", "modify", 0.0, "asst_1")
CREATING = Pending("math", "op-1", "create", 0.0)

ROWS: list[tuple[str, DecisionPolicy, dict[str, Any], Action, Reason]] = [
    ("clean", CHOICES, {}, Action.NOTHING, Reason.CLEAN),
    ("clean under every flag", replace(REVERT, prune=True), {}, Action.NOTHING, Reason.CLEAN),
    ("edited", CHOICES, {"file": EDITED}, Action.MODIFY, Reason.EDITED),
    ("drifted", CHOICES, {"live": BY_HAND}, Action.DRIFT, Reason.DRIFTED),
    ("drifted, revert", REVERT, {"live": BY_HAND}, Action.MODIFY, Reason.REVERTED),
    ("conflict", CHOICES, {"live": BY_HAND, "file": EDITED}, Action.HELD, Reason.CONFLICT),
    ("new", CHOICES, NEW, Action.CREATE, Reason.NEW),
    ("new, the view is partial", CHOICES, {**NEW, "complete": False}, Action.UNREAD, Reason.UNREADABLE),
    ("new, a namesake", CHOICES, {**NEW, "same_named": ("asst_9",)}, Action.HELD, Reason.NAMESAKE),
    ("new, a likely rename", CHOICES, {**NEW, "rename_of": ("old",)}, Action.HELD, Reason.RENAME),
    ("new, the server lost a stamp", replace(CHOICES, stamp_lost=True), NEW, Action.HELD, Reason.STAMP_LOST),
    ("new, an unclear create, stamps", CHOICES, {**NEW, "pending": CREATING}, Action.CREATE, Reason.NEW),
    ("new, an unclear create, no stamps", replace(CHOICES, stamps=False), {**NEW, "pending": CREATING},
     Action.HELD, Reason.UNSETTLED),
    ("adopted", CHOICES, {"record": None, "live": None, "stamped": (LIVE,)}, Action.ADOPT, Reason.ADOPTED),
    ("adopted from a partial view", CHOICES, {"record": None, "live": None, "stamped": (LIVE,), "complete": False},
     Action.ADOPT, Reason.ADOPTED),
    ("two stamps", CHOICES, {"record": None, "live": None, "stamped": (LIVE, TWIN)}, Action.HELD, Reason.TWINS),
    ("two stamps, revert", REVERT, {"record": None, "live": None, "stamped": (LIVE, TWIN)}, Action.HELD, Reason.TWINS),
    ("recorded and gone, two stamps", REVERT, {"live": None, "stamped": (TWIN, OTHER)}, Action.HELD, Reason.TWINS),
    ("deleted outside", CHOICES, GONE, Action.HELD, Reason.DELETED_OUTSIDE),
    ("deleted outside, revert", REVERT, GONE, Action.CREATE, Reason.RECREATED),
    ("deleted outside, revert, partial", REVERT, {**GONE, "complete": False}, Action.UNREAD, Reason.UNREADABLE),
    ("unread, revert", REVERT, {**GONE, "unread": True}, Action.UNREAD, Reason.UNREADABLE),
    ("deleted outside, revert, lost stamps", replace(REVERT, stamp_lost=True), GONE, Action.HELD, Reason.STAMP_LOST),
    ("made again elsewhere", REVERT, {"live": None, "stamped": (TWIN,)}, Action.RECORD, Reason.BEHIND),
    ("behind, live as file", CHOICES, {"live": LATER}, Action.RECORD, Reason.BEHIND),
    ("behind, edited, revert", REVERT, {"live": LATER, "file": EDITED}, Action.HELD, Reason.BEHIND),
    ("our own modify that was not answered", CHOICES, {"live": LATER, "file": EDITED, "pending": PENDING},
     Action.MODIFY, Reason.EDITED),
    ("a record without an operation knows any of ours", CHOICES,
     {"live": LATER, "record": replace(RECORD, operation=""), "file": EDITED}, Action.MODIFY, Reason.EDITED),
    ("foreign, revert", REVERT, {"live": OTHER, "file": EDITED}, Action.HELD, Reason.FOREIGN),
    ("unreadable", REVERT, {"live": replace(LIVE, stamp=UNREADABLE)}, Action.HELD, Reason.FOREIGN),
    ("old name without moved", CHOICES, {"live": replace(LIVE, stamp=replace(STAMP, name="old"))},
     Action.HELD, Reason.FOREIGN),
    ("moved", CHOICES, {"live": replace(LIVE, stamp=replace(STAMP, name="old")), "moved_from": "old"},
     Action.STAMP, Reason.MOVED),
    ("moved, no stamp live", CHOICES, {"live": replace(LIVE, stamp=None), "moved_from": "old"},
     Action.RECORD, Reason.MOVED),
    ("moved, behind", CHOICES, {"live": replace(LATER, stamp=replace(STAMP, name="old", operation="op-9")),
                                "moved_from": "old", "file": EDITED}, Action.HELD, Reason.BEHIND),
    ("orphan", CHOICES, {"file": None}, Action.ORPHAN, Reason.ORPHANED),
    ("orphan, prune", PRUNE, {"file": None}, Action.DELETE, Reason.PRUNED),
    ("orphan, prune, drifted", PRUNE, {"file": None, "live": BY_HAND}, Action.DELETE, Reason.PRUNED),
    ("orphan, prune, behind", PRUNE, {"file": None, "live": LATER}, Action.ORPHAN, Reason.BEHIND),
    ("orphan, prune, foreign", PRUNE, {"file": None, "live": OTHER}, Action.ORPHAN, Reason.FOREIGN),
    ("orphan, prune, unstamped", PRUNE, {"file": None, "live": replace(LIVE, stamp=None)},
     Action.DELETE, Reason.PRUNED),
    ("orphan, prune, partial", PRUNE, {"file": None, "complete": False}, Action.UNREAD, Reason.UNREADABLE),
    ("orphan, prune, unread", PRUNE, {"file": None, **GONE, "unread": True}, Action.UNREAD, Reason.UNREADABLE),
    ("orphan, prune, likely rename", PRUNE, {"file": None, "renamed_to": ("new",)}, Action.HELD, Reason.RENAME),
    ("orphan, prune, protected record", PRUNE, {"file": None, "record": replace(RECORD, protect=True)},
     Action.HELD, Reason.PROTECTED),
    ("orphan, prune, protected stamp", PRUNE,
     {"file": None, "live": replace(LIVE, stamp=replace(STAMP, protect=True))}, Action.HELD, Reason.PROTECTED),
    ("orphan by its stamp", PRUNE, {"file": None, "record": None, "live": None, "stamped": (LIVE,)},
     Action.ORPHAN, Reason.ORPHANED),
    ("orphan made again elsewhere", PRUNE, {"file": None, "live": None, "stamped": (TWIN,)},
     Action.ORPHAN, Reason.BEHIND),
    ("forgotten", CHOICES, {"file": None, **GONE}, Action.FORGET, Reason.GONE),
    ("destroy", replace(CHOICES, destroy=True), {}, Action.DELETE, Reason.PRUNED),
    ("destroy, behind", replace(CHOICES, destroy=True), {"live": LATER}, Action.ORPHAN, Reason.BEHIND),
    ("destroy, protected by the file", replace(CHOICES, destroy=True), {"protect": True},
     Action.HELD, Reason.PROTECTED),
    ("destroy, protection lifted by the file", replace(CHOICES, destroy=True),
     {"protect": False, "record": replace(RECORD, protect=True)}, Action.DELETE, Reason.PRUNED),
    ("destroy, nothing there", replace(CHOICES, destroy=True), NEW, Action.NOTHING, Reason.GONE),
    ("protect is new", CHOICES, {"protect": True}, Action.STAMP, Reason.CONVERGED),
    ("protect is new, no stamps", replace(CHOICES, stamps=False), {"protect": True, "live": replace(LIVE, stamp=None)},
     Action.RECORD, Reason.CONVERGED),
    ("protect leaves the file", CHOICES, {"record": replace(RECORD, protect=True)}, Action.NOTHING, Reason.CLEAN),
    ("stamp asked for", replace(CHOICES, stamp_all=True), {"live": replace(LIVE, stamp=None)},
     Action.STAMP, Reason.NOT_STAMPED),
    ("stamp asked for, no room", replace(CHOICES, stamp_all=True), {"live": replace(LIVE, stamp=None), "full": True},
     Action.NOTHING, Reason.CLEAN),
    ("stamp asked for, none wanted", replace(CHOICES, stamp_all=True, stamps=False),
     {"live": replace(LIVE, stamp=None)}, Action.NOTHING, Reason.CLEAN),
    ("not stamped", CHOICES, {"live": replace(LIVE, stamp=None)}, Action.NOTHING, Reason.CLEAN),
    ("a partial record is completed", CHOICES, {"record": replace(RECORD, partial=True)},
     Action.RECORD, Reason.CONVERGED),
]  # fmt: skip


@pytest.mark.parametrize(
    ("choices", "facts", "action", "reason"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_row(choices: DecisionPolicy, facts: dict[str, Any], action: Action, reason: Reason) -> None:
    assert _row(choices, **facts) == (action, reason)


def test_behind_is_held_with_a_code_only_if_the_file_was_edited() -> None:
    later = replace(LATER, fields=EDITED, stamp=replace(LATER.stamp or STAMP, fields=digests(EDITED, TABLE)))
    not_edited = judge(replace(FACTS, live=later, stamped=(later,)), REVERT)
    edited = judge(replace(FACTS, live=later, stamped=(later,), file={**FILE, "instructions": "mine"}), REVERT)
    assert (not_edited.action, not_edited.wanted) == (Action.HELD, False)
    assert (edited.action, edited.wanted) == (Action.HELD, True)
    assert {change.cause for change in (*not_edited.fields, *edited.fields)} == {Cause.EDITED}, "behind is no drift"


def test_a_twin_beside_the_recorded_one_is_named_whatever_is_done() -> None:
    for facts in ({}, {"file": EDITED}, {"file": None}, {"live": BY_HAND}):
        given: dict[str, Any] = {"stamped": (LIVE, TWIN), **facts}
        verdict = judge(replace(FACTS, **given), REVERT)
        assert verdict.others == ("asst_2",)
        assert verdict.live is not None
        assert verdict.live.id == "asst_1"


def test_the_body_as_fields_leaves_our_stamp_out() -> None:
    body = {"model": "a", "metadata": {STAMP_KEY: "stamp", "trueup.note": "theirs"}}
    assert fields_of(body, TABLE) == {"model": "a", "metadata.trueup.note": "theirs"}
    assert body["metadata"] == {STAMP_KEY: "stamp", "trueup.note": "theirs"}


def test_a_record_of_other_rules_keeps_its_id_operation_and_protection() -> None:
    record = replace(RECORD, protect=True)
    old = trust_digests(record, 0)
    assert (old.id, old.operation, old.protect, set(old.fields)) == ("asst_1", "op-1", True, set(FILE))
    assert set(old.fields.values()) == {Applied()}
    assert trust_digests(record, 1) is record
