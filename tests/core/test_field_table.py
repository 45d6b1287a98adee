"""What a table alone decides: which values are the same, what an absent one means, and what is lost with the state."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.canonical import canonical, digest, fits, float32, same, strip_server_defaults
from trueup.core.field_table import Field, FieldTable, Kind
from trueup.core.memory.state import Applied, Record
from trueup.core.plans.fields import Rules, judge_field
from trueup.core.plans.plan import MISSING, Cause
from trueup.wire.registry import field_table, protocols

TABLE = FieldTable(
    (
        Field("name", letter="n", empty_is_null=True),
        Field("settings", Kind.OBJECT, letter="s", numbers=("heat", "deep.heat"), fills={"stop": None, "limit": 6}),
        Field("secretive", letter=""),
        Field("tools", Kind.TOOLS, default=[], clear=[], letter="t", fills={
            "flat": {"later": False, "where": {"city": "Rome"}},
            "nested": {"nested": {"strict": False, "parameters": {"type": "object"}}},
        }),
        Field("flags", Kind.MAP, default=False, clear=False, entries=("time", "place"), merged=True),
        Field("labels", Kind.MAP),
        Field("lists", Kind.MAP, default=[], depth=2),
    ),
    schemas=(("tools", "*", "parameters"), ("tools", "*", "nested", "parameters")),
)  # fmt: skip
FIELDS = TABLE
FULL = {"strict": False, "parameters": {"type": "object"}}
ROME, STREET = {"city": "Rome"}, {"street": "x"}


@pytest.mark.parametrize(
    ("name", "file", "live"),
    [
        ("name", "", None),
        ("settings", {"heat": 0.7}, {"heat": float32(0.7), "limit": 6, "stop": None}),
        ("settings", {"deep": {"heat": 0.1}}, {"deep": {"heat": float32(0.1)}, "limit": 6}),
        ("settings", {"heat": None}, {}),
        ("tools", [{"type": "flat", "name": "a"}], [{"type": "flat", "name": "a", "later": False}]),
        ("tools", [{"type": "flat"}], [{"type": "flat", "where": ROME}]),
        ("tools", [{"type": "flat", "where": STREET}], [{"type": "flat", "where": {**STREET, **ROME}}]),
        ("tools", [{"type": "nested", "nested": {"name": "a"}}], [{"type": "nested", "nested": {"name": "a", **FULL}}]),
        ("tools", [{"type": "nested"}], [{"type": "nested", "nested": FULL}]),
        ("flags.time", None, False),
        ("lists.a.b", None, []),
        ("labels.owner", None, None),
    ],
)  # fmt: skip
def test_what_a_server_makes_of_a_value_is_the_same(name: str, file: Any, live: Any) -> None:
    assert fits(name, file, live, FIELDS)
    assert fits(name, live, file, FIELDS)


@pytest.mark.parametrize(
    ("name", "file", "live"),
    [
        ("settings", {"heat": 0.7}, {"heat": 0.7, "limit": 7}),
        ("settings", {"heat": 0.7}, {"heat": 0.7, "theirs": 1}),
        ("settings", {"heat": 0.7, "mine": 1}, {"heat": 0.7}),
        ("settings", {"heat": True}, {"heat": 1}),
        ("tools", [{"type": "flat"}], [{"type": "flat", "later": True}]),
        ("tools", [{"type": "flat"}], [{"type": "flat", "theirs": 1}]),
        ("tools", [{"type": "nested", "nested": {"parameters": {}}}], [{"type": "nested"}]),
        ("flags.time", None, True),
        ("unheard", None, 1),
    ],
)
def test_what_is_another_value_stays_another(name: str, file: Any, live: Any) -> None:
    assert not fits(name, file, live, FIELDS)


def test_an_object_is_one_field() -> None:
    """A key that leaves the file is cleared with it; a stranger's key is drift."""
    sent = {"heat": 0.5, "mode": "a"}
    kept = {**sent, "limit": 6}
    record = Record("a_1", fields={"settings": Applied(digest(sent), digest(kept))})
    rules = Rules(FIELDS)
    assert judge_field("settings", sent, kept, record, rules) is None
    assert judge_field("settings", {"heat": 0.5}, kept, record, rules) is Cause.EDITED
    assert judge_field("settings", sent, {**kept, "theirs": 1}, record, rules) is Cause.DRIFTED
    assert judge_field("settings", {"heat": 0.5}, {**kept, "theirs": 1}, record, rules) is Cause.CONFLICT


def test_what_a_server_fills_in_is_not_shown_and_what_a_stranger_adds_is() -> None:
    live = {"heat": 0.5, "limit": 6, "stop": None, "theirs": 1}
    assert strip_server_defaults("settings", live, {"heat": 0.5}, FIELDS) == {"heat": 0.5, "theirs": 1}
    tool = {"type": "flat", "name": "a", "later": False, "where": {"city": "Rome"}}
    assert strip_server_defaults("tools", [tool], [{"type": "flat", "name": "a"}], FIELDS) == [
        {"type": "flat", "name": "a"}
    ]


@pytest.mark.parametrize("name", ["secretive", "labels.owner", "flags.time"])
def test_a_field_without_a_letter_is_unknown_after_a_rebuild(name: str) -> None:
    rebuilt = Record("a_1", partial=True)
    assert judge_field(name, "mine", "theirs", rebuilt, Rules(FIELDS)) is Cause.UNKNOWN
    assert judge_field(name, "mine", "theirs", rebuilt, Rules(FIELDS, stamps=True)) is Cause.EDITED
    assert judge_field(name, "mine", "mine", rebuilt, Rules(FIELDS, stamps=True)) is None
    assert judge_field("name", "mine", "theirs", rebuilt, Rules(FIELDS)) is Cause.EDITED


def test_an_entry_that_left_a_merged_map_is_as_it_should_be_at_the_maps_default() -> None:
    record = Record("a_1", fields={"flags.time": Applied(digest(True), digest(True))})
    assert judge_field("flags.time", MISSING, True, record, Rules(FIELDS)) is Cause.REMOVED
    assert judge_field("flags.time", MISSING, False, record, Rules(FIELDS)) is Cause.RECORDED
    assert (TABLE.default_of("flags.time"), TABLE.clear_of("flags.time"), TABLE.default_of("flags")) == (
        False,
        False,
        None,
    )


def test_a_path_falls_into_the_keys_that_its_map_has() -> None:
    assert TABLE.path_of("labels.a.b") == ("labels", "a.b")
    assert TABLE.path_of("lists.a.b.c") == ("lists", "a", "b.c")
    assert TABLE.path_of("name") == ("name",)


def test_a_variation_changes_and_leaves_out_and_adds() -> None:
    varied = TABLE.vary({"name": {"clear": "x"}}, without=("labels",), also=(Field("more"),))
    assert varied.clear_of("name") == "x"
    assert varied.names == (*(name for name in TABLE.names if name != "labels"), "more")
    assert TABLE.clear_of("name") is None


KEYS = st.text(st.characters(codec="utf-8", exclude_characters="."), min_size=1, max_size=3)
VALUES = st.none() | st.integers() | st.text(max_size=3)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "name": VALUES,
        "settings": st.dictionaries(KEYS, VALUES, max_size=2),
        "labels": st.dictionaries(st.text(min_size=1, max_size=3), VALUES, min_size=1, max_size=2),
        "lists": st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, min_size=1, max_size=2), min_size=1, max_size=2),
    },
)


@given(BODIES)
def test_a_body_falls_into_fields_and_back(body: dict[str, Any]) -> None:
    assert TABLE.join(TABLE.split(body)) == body


@pytest.mark.parametrize("protocol", protocols())
def test_every_protocols_table_is_sound(protocol: str) -> None:
    table = field_table(protocol)
    assert len(set(table.letters.values())) == len(table.letters) <= 19
    assert all(len(letter) == 1 for letter in table.letters.values())
    assert table.kind_of(table.prompt) is Kind.TEXT
    assert [row.name for row in table.fields if row.kind is Kind.TEXT] == [table.prompt]
    assert table.kind_of(table.tools) is Kind.TOOLS
    assert table.kind_of(table.stamp) is Kind.MAP
    for row in table.fields:
        once = canonical(row.name, row.default, table)
        assert same(once, canonical(row.name, once, table))
        assert not row.merged or row.kind is Kind.MAP
