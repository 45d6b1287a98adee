"""Bodies of requests, made by a field table of what is set and of the last read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.extent import examples
from trueup.core.field_table import Field, FieldTable, Kind
from trueup.wire.bodies import create_body, has_room, patch_body

TABLE = FieldTable(
    fields=(
        Field("name"),
        Field("tools", Kind.TOOLS, default=[], clear=[]),
        Field("resources", Kind.MAP, default=[], clear=[], depth=2),
        Field("flags", Kind.MAP, default=False, clear=False, merged=True),
        Field("labels", Kind.MAP, merged=True),
        Field("metadata", Kind.MAP),
    )
)
LIVE: dict[str, Any] = {
    "name": "Tutor",
    "tools": [{"type": "one"}],
    "resources": {"search": {"stores": ["s1"], "empty": []}, "code": {"files": ["f1"]}, "none": None},
    "flags": {"fast": True},
    "labels": {"area": "maths"},
    "metadata": {"team": "x", "trueup": "old", "note": "n"},
}


@pytest.mark.parametrize(
    ("sets", "body"),
    [
        ({}, {}),
        ({"name": "Other", "tools": None}, {"name": "Other", "tools": []}),
        ({"name": None}, {"name": None}),
        ({"metadata.team": "y"}, {"metadata": {"trueup": "old", "note": "n", "team": "y"}}),
        ({"metadata.team": "x"}, {"metadata": {"team": "x", "trueup": "old", "note": "n"}}),
        ({"metadata.team": None}, {"metadata": {"trueup": "old", "note": "n"}}),
        ({"metadata.a.b": "c"}, {"metadata": {**LIVE["metadata"], "a.b": "c"}}),
        ({"flags.fast": None, "flags.loud": True}, {"flags": {"fast": False, "loud": True}}),
        ({"labels.area": None, "labels.level": "1"}, {"labels": {"area": None, "level": "1"}}),
        (
            {"resources.search.stores": None},
            {"resources": {"search": {"stores": []}, "code": {"files": ["f1"]}}},
        ),
        (
            {"resources.code.files": ["f2"]},
            {"resources": {"code": {"files": ["f2"]}, "search": {"stores": ["s1"]}}},
        ),
    ],
)
def test_what_is_set_is_sent_and_a_map_that_goes_whole_keeps_the_rest(sets: Any, body: Any) -> None:
    assert patch_body(LIVE, sets, "", TABLE) == body


def test_the_stamp_goes_beside_what_is_live() -> None:
    stamped = {"metadata": {"team": "x", "trueup": "new", "note": "n"}}
    assert patch_body(LIVE, {}, "new", TABLE) == stamped
    assert list(patch_body(LIVE, {}, "new", TABLE)["metadata"]) == ["team", "trueup", "note"]
    assert patch_body({}, {"metadata.team": None}, "new", TABLE) == {"metadata": {"trueup": "new"}}
    assert patch_body({"metadata": None}, {}, "new", TABLE) == {"metadata": {"trueup": "new"}}
    assert create_body({"name": "Tutor"}, "new", TABLE) == {"name": "Tutor", "metadata": {"trueup": "new"}}
    assert create_body({"metadata.team": "x"}, "", TABLE) == {"metadata": {"team": "x"}}


def test_null_takes_an_entry_away_only_where_the_server_is_known_to_take_it_so() -> None:
    sets = {"metadata.team": None}
    assert patch_body(LIVE, sets, "", replace(TABLE, null_removes=True))["metadata"] == {
        "trueup": "old", "note": "n", "team": None
    }  # fmt: skip


@pytest.mark.parametrize(
    ("there", "sets", "fits"),
    [
        (["a", "b"], {}, True),
        (["a", "b", "c"], {}, False),
        (["a", "b", "trueup"], {}, True),
        (["a", "b"], {"metadata.c": "x"}, False),
        (["a", "b", "c"], {"metadata.c": None}, True),
        (["a", "b"], {"metadata.a": "y", "name": "z"}, True),
    ],
)
def test_the_room_for_a_stamp_is_what_the_request_leaves(there: list[str], sets: Any, *, fits: bool) -> None:
    assert has_room({"metadata": dict.fromkeys(there, "x")}, sets, TABLE.vary({"metadata": {"max_entries": 3}})) is fits


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, None),
        ({"metadata": None}, None),
        ({"metadata": {"trueup": None}}, None),
        ({"metadata": {"trueup": "t"}}, "t"),
        ({"metadata": {"trueup": 1}}, ""),
    ],
)
def test_a_stamp_that_is_no_text_is_an_empty_one(body: Any, text: str | None) -> None:
    assert TABLE.read_stamp(body) == text


KEYS = st.sampled_from(["a", "b", "c.d"])
WORDS = st.sampled_from(["x", "y"])
LISTS = st.lists(WORDS, max_size=2)
LIVES = st.fixed_dictionaries(
    {
        "metadata": st.dictionaries(KEYS, WORDS),
        "resources": st.dictionaries(st.sampled_from("ab"), st.dictionaries(KEYS, LISTS)),
    }
)
SETS = st.dictionaries(
    st.one_of(KEYS.map("metadata.{}".format)), st.one_of(st.none(), WORDS)
).flatmap(
    lambda entries: st.dictionaries(
        st.tuples(st.sampled_from("ab"), KEYS).map(lambda path: f"resources.{path[0]}.{path[1]}"),
        st.one_of(st.none(), LISTS),
    ).map(lambda lists: {**entries, **lists})
)  # fmt: skip


@given(LIVES, SETS, st.sampled_from(["", "s"]))
@settings(max_examples=examples(200), deadline=None)
def test_a_server_that_replaces_whole_maps_ends_with_what_is_set_and_all_the_rest(
    live: dict[str, Any], sets: dict[str, Any], stamp: str
) -> None:
    after = TABLE.split({**live, **patch_body(live, sets, stamp, TABLE)})
    wanted = {**TABLE.split(live), **sets, **({TABLE.stamp: stamp} if stamp else {})}
    assert {path: value for path, value in after.items() if value} == {
        path: value for path, value in wanted.items() if value
    }
