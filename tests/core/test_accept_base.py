"""What was accepted counts as applied only beside the record it was accepted on, and while the file holds it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.acceptance.accepted import (
    AcceptedValue,
    AcceptedValues,
    add_accepted,
    apply_accepted,
    base_digests,
    decode_accepted,
    encode_accepted,
)
from trueup.core.canonical import digest
from trueup.core.memory.state import Applied, Record


def _applied(value: object, stamp: str | None = None) -> Applied:
    return Applied(digest(value), digest(value), stamp)


RECORD = Record("asst_1", operation="op1", fields={"temperature": _applied(0.1, "stamp")})
ACCEPTED = add_accepted(None, RECORD, {"temperature": _applied(0.2)})

tokens = st.none() | st.text("0123456789abcdef", min_size=1, max_size=8)
values = st.builds(Applied, tokens, tokens, tokens)
fields = st.builds(AcceptedValue, values, st.lists(values, max_size=3).map(tuple))
texts = st.text(max_size=8).map(lambda text: text.encode("utf-8", "replace").decode())
accepted = st.dictionaries(texts, st.builds(AcceptedValues, texts, texts, st.dictionaries(texts, fields, max_size=3)))


@given(accepted)
def test_what_is_kept_reads_back(kept: dict[str, AcceptedValues]) -> None:
    assert decode_accepted(encode_accepted(kept)) == kept


@given(st.text())
def test_what_is_damaged_is_nothing(text: str) -> None:
    assert isinstance(decode_accepted(text), dict)


def test_it_counts_as_applied_and_the_stamp_stays_what_it_was() -> None:
    found = apply_accepted(RECORD, ACCEPTED, {"temperature": 0.2})
    assert found == replace(RECORD, fields={"temperature": _applied(0.2, "stamp")})
    assert apply_accepted(found, ACCEPTED, {"temperature": 0.2}) == found


@pytest.mark.parametrize(
    ("record", "file"),
    [
        (RECORD, {"temperature": 0.1}),
        (RECORD, {"temperature": 0.3}),
        (RECORD, {}),
        (replace(RECORD, id="asst_2"), {"temperature": 0.2}),
        (replace(RECORD, operation="op2"), {"temperature": 0.2}),
        (replace(RECORD, fields={"temperature": _applied(0.4)}), {"temperature": 0.2}),
        (replace(RECORD, fields={}), {"temperature": 0.2}),
    ],
    ids=["undone", "edited", "undeclared", "another id", "applied since", "recorded since", "forgotten since"],
)
def test_it_counts_nowhere_else(record: Record, file: dict[str, object]) -> None:
    assert apply_accepted(record, ACCEPTED, file) is record


def test_a_second_one_stands_beside_the_record_as_it_was_and_as_it_counted() -> None:
    counted = apply_accepted(RECORD, ACCEPTED, {"temperature": 0.2})
    second = add_accepted(ACCEPTED, counted, {"temperature": _applied(0.3)})
    for record in (RECORD, counted):  # an apply may have written down what counted
        found = apply_accepted(record, second, {"temperature": 0.3})
        assert found.fields["temperature"] == _applied(0.3, "stamp")
    later = replace(RECORD, operation="op2")
    assert add_accepted(second, later, {}) == AcceptedValues("asst_1", "op2")


def test_an_edit_may_start_from_what_was_applied_and_from_what_was_accepted() -> None:
    assert base_digests(RECORD, ACCEPTED, "temperature") == {digest(0.1), digest(0.2)}
    assert base_digests(RECORD, None, "temperature") == {digest(0.1)}
    assert base_digests(replace(RECORD, operation="op2"), ACCEPTED, "temperature") == {digest(0.1)}
    assert base_digests(RECORD, ACCEPTED, "top_p") == frozenset()
