"""Parts of a value that only the server decides: no difference where a definition leaves them to it, and never lost."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.core.canonical import digest, fits, strip_server_defaults
from trueup.core.field_table import RESOLVED, Field, FieldTable, Kind
from trueup.core.memory.stamp import short
from trueup.core.memory.state import Applied, Record
from trueup.core.plans.fields import Rules, compare_fields, judge_field
from trueup.core.plans.plan import MISSING, Cause

TABLE = FieldTable(
    (
        Field("model", letter="m"),
        Field("effort", Kind.OBJECT, resolved=True, letter="e", fills={"level": RESOLVED, "summary": RESOLVED}),
        Field("tools", Kind.TOOLS, default=[], letter="t", fills={"mcp": {"origin": RESOLVED, "required": False}}),
    )
)
MEDIUM = {"level": "medium", "summary": "auto"}
HIGH = {"level": "high", "summary": "auto"}
AUTO = {"summary": "auto"}


@pytest.mark.parametrize(
    ("name", "wanted", "found", "expected"),
    [
        ("effort", AUTO, MEDIUM, True),
        ("effort", MEDIUM, MEDIUM, True),
        ("effort", {"level": "high"}, MEDIUM, False),
        ("effort", {"level": None, "summary": "auto"}, MEDIUM, True),
        ("effort", AUTO, {**MEDIUM, "theirs": 1}, False),
        ("effort", {}, MEDIUM, True),
        ("effort", None, MEDIUM, True),
        ("effort", MEDIUM, None, False),
        ("tools", [{"type": "mcp"}], [{"type": "mcp", "origin": "service", "required": False}], True),
        ("tools", [{"type": "mcp", "origin": "here"}], [{"type": "mcp", "origin": "service"}], False),
        ("tools", [{"type": "mcp"}], [{"type": "mcp", "required": True}], False),
        ("tools", [{"type": "mcp"}], [{"type": "mcp"}, {"type": "mcp"}], False),
        ("model", "a", "b", False),
        ("unknown", {"a": 1}, {"a": 1, "b": 2}, False),
    ],
)
def test_a_value_fits_whatever_the_server_decides_in_it(name: str, wanted: Any, found: Any, expected: bool) -> None:
    assert fits(name, wanted, found, TABLE) is expected


def judged(file: Any, live: Any, applied: Applied | None, *, stamps: bool = False) -> Cause | None:
    record = Record("a_1", operation="o", partial=stamps, fields={} if applied is None else {"effort": applied})
    return judge_field("effort", file, live, record, Rules(TABLE, stamps))


def sent(value: Any, kept: Any) -> Applied:
    return Applied(sent=digest(value), kept=digest(kept))


def stamped(value: Any) -> Applied:
    return Applied(stamp=short("effort", value, TABLE))


@pytest.mark.parametrize(
    ("file", "live", "applied", "cause"),
    [
        (AUTO, MEDIUM, sent(AUTO, MEDIUM), None),
        (AUTO, HIGH, sent(AUTO, MEDIUM), Cause.RECORDED),
        (AUTO, {"level": "medium", "summary": "detailed"}, sent(AUTO, MEDIUM), Cause.DRIFTED),
        (AUTO, HIGH, sent(HIGH, HIGH), Cause.EDITED),  # a part that leaves the file is left to the server again
        (AUTO, HIGH, sent(MEDIUM, MEDIUM), Cause.CONFLICT),
        (None, MEDIUM, sent(None, MEDIUM), None),
        (None, HIGH, sent(None, MEDIUM), Cause.RECORDED),
        (None, HIGH, sent(HIGH, HIGH), Cause.EDITED),
        (MISSING, HIGH, sent(HIGH, HIGH), Cause.REMOVED),
        (MISSING, MEDIUM, sent(HIGH, HIGH), Cause.RECORDED),  # cleared already, for all that anybody can tell
        (None, MEDIUM, sent(HIGH, HIGH), Cause.RECORDED),
        ({"summary": "detailed"}, HIGH, sent(AUTO, MEDIUM), Cause.EDITED),  # the level was left to the server
        (AUTO, MEDIUM, None, Cause.EDITED),
    ],
)
def test_a_field_with_parts_of_the_server_s(file: Any, live: Any, applied: Applied | None, cause: Cause | None) -> None:
    assert judged(file, live, applied) is cause


@pytest.mark.parametrize(
    ("file", "live", "applied", "cause"),
    [
        (AUTO, MEDIUM, stamped(AUTO), None),
        ({"summary": "detailed"}, MEDIUM, stamped(AUTO), Cause.EDITED),
        (HIGH, MEDIUM, stamped(AUTO), Cause.EDITED),
        (AUTO, HIGH, stamped(HIGH), Cause.EDITED),
        (AUTO, {"level": "medium", "summary": "detailed"}, stamped(AUTO), Cause.DRIFTED),
        (None, MEDIUM, stamped(None), None),
        (HIGH, MEDIUM, stamped(None), Cause.EDITED),
    ],
)
def test_where_only_a_stamp_remembers_it(file: Any, live: Any, applied: Applied, cause: Cause | None) -> None:
    assert judged(file, live, applied, stamps=True) is cause


def test_what_the_server_decides_is_not_shown_beside_what_a_definition_says() -> None:
    assert strip_server_defaults("effort", {"level": "medium", "summary": "detailed"}, AUTO, TABLE) == {
        "summary": "detailed"
    }
    assert strip_server_defaults("effort", MEDIUM, {"level": "high"}, TABLE) == {"level": "medium"}


def test_what_no_definition_says_is_taken_whole() -> None:
    assert strip_server_defaults("effort", MEDIUM, None, TABLE) == MEDIUM


def shown(name: str, file: Any, live: Any, applied: Applied) -> Any:
    """Return what a plan shows of a live value beside the file's."""
    record = Record("a_1", operation="o", fields={name: applied})
    (change,) = compare_fields({name: file}, {name: live}, record, frozenset(), Rules(TABLE))
    return change.before


def test_an_edited_object_does_not_show_what_the_server_decided_beside_it() -> None:
    assert shown("effort", {"level": "high"}, MEDIUM, sent({"level": "medium"}, MEDIUM)) == {"level": "medium"}
    there = {"level": "low", "summary": "detailed", "theirs": 1}
    assert shown("effort", {"level": "high"}, there, sent({"level": "medium"}, MEDIUM)) == {"level": "low", "theirs": 1}


def test_a_declared_part_that_leaves_the_file_is_shown_as_leaving() -> None:
    assert shown("effort", {"level": "high"}, MEDIUM, sent(MEDIUM, MEDIUM)) == MEDIUM
    assert shown("effort", AUTO, HIGH, sent(HIGH, HIGH)) == HIGH


def test_of_tools_the_server_s_parts_are_neither_shown_nor_taken_for_an_edit() -> None:
    declared = [{"type": "mcp", "origin": "here", "url": "a"}, {"type": "mcp", "url": "b"}]
    live = [{"type": "mcp", "origin": "here", "url": "a"}, {"type": "mcp", "url": "b", "origin": "service"}]
    moved = [live[0], {**live[1], "origin": "elsewhere"}]
    record = Record("a_1", operation="o", fields={"tools": sent(declared, live)})
    edited = [declared[0]]
    assert judge_field("tools", declared, moved, record, Rules(TABLE)) is Cause.RECORDED
    assert judge_field("tools", edited, moved, record, Rules(TABLE)) is Cause.EDITED
    assert shown("tools", [], [live[1]], sent([declared[1]], [live[1]])) == [{"type": "mcp", "url": "b"}]
