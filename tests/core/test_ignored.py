"""What is said of fields that `ignore_changes` leaves alone.

Property: however many entries there are and whatever they say, each whole field is named, and no sentence is so long
that a page would cut it.
"""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from trueup.core.plans.ignored import describe_ignored
from trueup.core.plans.plan import Ignored
from trueup.render.grouping import mark_name
from trueup.render.markup.escape import show
from trueup.render.style import PAGE
from trueup.render.visible import count_columns, make_visible

WHOLE = (
    "name", "description", "model", "instructions", "tools", "response_format", "temperature", "top_p",
    "reasoning_effort",
)  # fmt: skip
TEXTS = st.text(max_size=12) | st.sampled_from(
    ["x" * 300, "漢" * 200, "\x1b" * 90, "\U000e0001" * 64, '"`\\' * 80, "\n"]
)
ENTRY = st.builds(
    Ignored,
    name=st.sampled_from(["a", "team/b", "z" * 250, "名" * 90]) | st.text(min_size=1, max_size=8),
    field=st.sampled_from(WHOLE) | TEXTS.map("metadata.{}".format),
    reason=TEXTS,
    until=st.sampled_from(["", "2027-01-31", "2030-12-31"]),
    differs=st.booleans(),
)


def _size(text: str) -> int:
    return count_columns(make_visible(text, PAGE))


@given(st.lists(ENTRY, max_size=60), st.booleans())
def test_each_whole_field_is_named_where_a_page_shows_it(entries: list[Ignored], whole: bool) -> None:
    told = describe_ignored(entries, mark_name, _size, whole=whole)
    seen = [show(text) for text in told]
    assert seen == [make_visible(text, PAGE) for text in told], "no sentence is cut"
    joined = " ".join(seen)
    for field in {entry.field for entry in entries if "." not in entry.field}:
        assert f"`{field}` in " in joined or f"`{field}` is ignored" in joined


@given(st.integers(1, 60), st.integers(1, 64), st.sets(st.sampled_from(WHOLE)))
def test_what_is_not_named_is_counted(parts: int, length: int, whole: set[str]) -> None:
    fields = [f"metadata.{number:02}{'k' * length}" for number in range(parts)]
    told = " ".join(
        describe_ignored([Ignored("a", field) for field in (*fields, *whole)], mark_name, _size, whole=False)
    )
    counted = re.search(r"; and (\d+) more, see `ignored` in --json\.\Z", told)
    named = [field for field in (*fields, *whole) if f"`{field}` in `a`" in told]
    assert len(named) + (int(counted[1]) if counted else 0) == parts + len(whole)
    assert len(named) > len(whole)


def test_whole_fields_come_before_parts_of_one() -> None:
    """A stranger's find: eight long keys of metadata stood before `tools` and `model`, and a page was cut after six."""
    fields = [f"metadata.a{'k' * 60}{number}" for number in range(8)]
    entries = [Ignored("i2", field) for field in (*fields, "tools", "model")]
    (first, *more) = describe_ignored(entries, mark_name, _size, whole=False)
    assert first.startswith("Ignored by ignore_changes, and in sync: `model` in `i2`; `tools` in `i2`; ")
    told = " ".join([first, *more])
    named = sum(f"`{field}`" in told for field in fields)
    assert 4 < named <= 8
    assert named == 8 or f"; and {8 - named} more, see `ignored` in --json." in told


def test_many_parts_are_counted_in_at_most_two_sentences() -> None:
    entries = [Ignored("a", f"metadata.{number:03}{'k' * 60}") for number in range(500)]
    (only,) = describe_ignored(entries, mark_name, _size, whole=False)
    named = only.count("`metadata.")
    assert only.endswith(f"; and {500 - named} more, see `ignored` in --json.")


def test_reasons_of_one_s_own_do_not_hide_another_field() -> None:
    entries = [Ignored(f"a{number:02}", "description", f"reason {number}", differs=True) for number in range(40)]
    told = describe_ignored([*entries, Ignored("z", "tools", "the last", differs=True)], mark_name, _size, whole=False)
    assert len(told) == 21
    assert "`tools` in `z`" in told[-1]


def test_several_days_are_told_as_the_first() -> None:
    entries = [Ignored("a", "model", until="2027-01-31"), Ignored("b", "model", until="2030-12-31")]
    assert describe_ignored(entries, whole=False) == [
        "Ignored by ignore_changes, and in sync: model in a, b until 2027-01-31 at the earliest."
    ]


def test_nothing_is_cut_where_there_is_no_bound() -> None:
    told = describe_ignored([Ignored("a" * 250, "model", "why " * 200, differs=True)], whole=False)
    assert f"{'why ' * 199}why" in told[0]
    assert "a" * 250 in told[0]
