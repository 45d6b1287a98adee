"""The contract's field table written out as data, every cell of it, for a state file and for stamps alone."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.core.canonical import digest
from trueup.core.memory.stamp import short
from trueup.core.memory.state import Applied, Record
from trueup.core.plans.fields import Rules, compare_fields, judge_field
from trueup.core.plans.plan import MISSING, Cause, FieldChange
from trueup.wire.openai_assistants.fields import TABLE

FIELDS = TABLE

FILES: dict[str, Any] = {"same": "one", "differs": "two", "null": None, "gone": MISSING}
LIVES: dict[str, Any] = {"one": "one", "ONE": "ONE", "two": "two", "null": None, "absent": MISSING}
"""`one` was sent, `ONE` is what a rewriting server kept of it, `two` is in the edited file, null is the default."""


def _applied(kind: str, name: str) -> Record:
    """Return a record in which `one` was applied, known as exactly as the kind says."""
    one = short(name, "one", FIELDS)
    known = {
        "kept": Applied(sent=digest("one"), kept=digest("one")),
        "rewritten": Applied(sent=digest("one"), kept=digest("ONE")),
        "unanswered": Applied(sent=digest("one"), stamp=one),
        "stamped": Applied(stamp=one),
        "other-rules": Applied(),
    }
    fields = {name: known[kind]} if kind in known else {}
    return Record("asst_1", partial=kind in ("stamped", "other-rules", "partial"), fields=fields)


STATE_FILE = """
applied      file     one       ONE       two       null      absent

kept         same     -         drifted   drifted   drifted   drifted
kept         differs  edited    conflict  recorded  conflict  conflict
kept         null     edited    conflict  conflict  recorded  recorded
kept         gone     removed   conflict  conflict  recorded  recorded

rewritten    same     -         -         drifted   drifted   drifted
rewritten    differs  edited    edited    recorded  conflict  conflict
rewritten    null     edited    edited    conflict  recorded  recorded
rewritten    gone     removed   removed   conflict  recorded  recorded

unanswered   same     recorded  unknown   unknown   unknown   unknown
unanswered   differs  edited    unknown   recorded  unknown   unknown
unanswered   null     edited    unknown   unknown   recorded  recorded
unanswered   gone     removed   unknown   unknown   recorded  recorded

stamped      same     recorded  unknown   unknown   unknown   unknown
stamped      differs  edited    unknown   recorded  unknown   unknown
stamped      null     edited    unknown   unknown   recorded  recorded
stamped      gone     removed   unknown   unknown   recorded  recorded

other-rules  same     recorded  unknown   unknown   unknown   unknown
other-rules  differs  unknown   unknown   recorded  unknown   unknown
other-rules  null     unknown   unknown   unknown   recorded  recorded
other-rules  gone     unknown   unknown   unknown   recorded  recorded

absent       same     recorded  edited    edited    edited    edited
absent       differs  edited    edited    recorded  edited    edited
absent       null     edited    edited    edited    recorded  recorded
absent       gone     -         -         -         -         -

partial      same     recorded  edited    edited    edited    edited
partial      differs  edited    edited    recorded  edited    edited
partial      null     edited    edited    edited    recorded  recorded
partial      gone     -         -         -         -         -
"""

PARTIAL_METADATA = """
applied      file     one       ONE       two       null      absent

partial      same     recorded  unknown   unknown   unknown   unknown
partial      differs  unknown   unknown   recorded  unknown   unknown
partial      null     unknown   unknown   unknown   recorded  recorded
partial      gone     -         -         -         -         -
"""

STAMPS = """
applied      file     one       ONE       two       null      absent

stamped      same     -         drifted   drifted   drifted   drifted
stamped      differs  edited    conflict  recorded  conflict  conflict
stamped      null     edited    conflict  conflict  recorded  recorded
stamped      gone     removed   conflict  conflict  recorded  recorded

other-rules  same     recorded  unknown   unknown   unknown   unknown
other-rules  differs  unknown   unknown   recorded  unknown   unknown
other-rules  null     unknown   unknown   unknown   recorded  recorded
other-rules  gone     unknown   unknown   unknown   recorded  recorded

partial      same     recorded  edited    edited    edited    edited
partial      differs  edited    edited    recorded  edited    edited
partial      null     edited    edited    edited    recorded  recorded
partial      gone     -         -         -         -         -
"""

STAMPS_METADATA = """
applied      file     one       ONE       two       null      absent

partial      same     -         edited    edited    edited    edited
partial      differs  edited    edited    -         edited    edited
partial      null     edited    edited    edited    -         -
partial      gone     -         -         -         -         -
"""


def _cells(table: str) -> list[tuple[str, str, str, Cause | None]]:
    head, *rows = (line.split() for line in table.strip().splitlines() if line.strip())
    return [
        (applied, file, live, None if cause == "-" else Cause(cause))
        for applied, file, *causes in rows
        for live, cause in zip(head[2:], causes, strict=True)
    ]


TABLES = (
    (STATE_FILE, "description", False),
    (PARTIAL_METADATA, "metadata.owner", False),
    (STAMPS, "description", True),
    (STAMPS_METADATA, "metadata.owner", True),
)
CELLS = [(name, stamps, *cell) for table, name, stamps in TABLES for cell in _cells(table)]


@pytest.mark.parametrize(("name", "stamps", "applied", "file", "live", "cause"), CELLS)
def test_cell(name: str, stamps: bool, applied: str, file: str, live: str, cause: Cause | None) -> None:
    record = _applied(applied, name)
    assert judge_field(name, FILES[file], LIVES[live], record, Rules(FIELDS, stamps)) is cause


def test_the_tables_have_every_cell() -> None:
    assert len(CELLS) == len(set(CELLS))
    for table, _, _ in TABLES:
        cells = _cells(table)
        kinds = {applied for applied, *_ in cells}
        assert len(cells) == len(kinds) * len(FILES) * len(LIVES)


@pytest.mark.parametrize(("name", "stamps", "applied", "file", "live", "cause"), CELLS)
def test_live_as_the_file_is_never_more_than_recorded(
    name: str, stamps: bool, applied: str, file: str, live: str, cause: Cause | None
) -> None:
    """The tables themselves obey the rule that decides first."""
    wanted = None if FILES[file] is MISSING else FILES[file]
    found = None if LIVES[live] is MISSING else LIVES[live]
    if wanted == found:
        assert cause in (None, Cause.RECORDED), (name, stamps, applied)


def test_metadata_keys_of_a_full_record_are_judged_like_any_field() -> None:
    for applied, file, live, cause in _cells(STATE_FILE):
        if applied in ("kept", "rewritten", "absent"):
            found = judge_field("metadata.owner", FILES[file], LIVES[live], _applied(applied, "metadata.owner"), RULES)
            assert found is cause


RULES = Rules(FIELDS)


def test_compare_lists_declared_fields_in_the_files_order_and_then_the_records() -> None:
    record = Record("asst_1", fields={"gone": Applied(digest("x"), digest("x")), "b": Applied(digest(1), digest(1))})
    changes = compare_fields({"b": 2, "a": 1}, {"gone": "x", "b": 1, "undeclared": 7}, record, frozenset(), RULES)
    assert changes == (
        FieldChange("b", 1, 2, Cause.EDITED),
        FieldChange("a", MISSING, 1, Cause.EDITED),
        FieldChange("gone", "x", MISSING, Cause.REMOVED),
    )


def test_ignored_fields_are_not_compared_whether_declared_or_removed() -> None:
    record = Record("asst_1", fields={"gone": Applied(digest("x"), digest("x"))})
    assert compare_fields({"a": 1}, {"gone": "x", "a": 2}, record, frozenset({"a", "gone"}), RULES) == ()


def test_an_empty_resource_list_is_an_absent_one() -> None:
    name = "tool_resources.file_search.vector_store_ids"
    assert judge_field(name, [], MISSING, Record("asst_1"), RULES) is Cause.RECORDED
    assert judge_field(name, ["vs_1"], MISSING, Record("asst_1"), RULES) is Cause.EDITED


def test_what_a_server_filled_in_shows_in_no_change() -> None:
    function: dict[str, Any] = {"type": "function", "function": {"name": "f"}}
    filled = {"type": "function", "function": {**function["function"], "strict": False, "parameters": {}}}
    fills = {"function": {"function": {"strict": False, "parameters": {}}}, "file_search": {"file_search": {}}}
    table = TABLE.vary({"tools": {"fills": fills}})
    file = {"tools": [{"type": "file_search"}, function]}
    live = {"tools": [{"type": "file_search", "file_search": {"max_num_results": 3}}, filled]}
    changes = compare_fields(file, live, Record(id="a", fields={}), frozenset(), Rules(table))
    assert [change.before for change in changes] == [[live["tools"][0], function]]
