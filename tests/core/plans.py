"""Any plan at all, for laws about plans."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from trueup.core.memory.state import Applied, Identity, Record
from trueup.core.plans.plan import MISSING, Action, Cause, Change, FieldChange, Ignored, Limit, Options, Plan, Reason
from trueup.core.source import Diagnostic, Position, Severity

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e6, 1e6), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=5,
)
NUMBER = st.integers(0, 10_000)
POSITION = st.builds(Position, TEXT, NUMBER, NUMBER, TEXT)
SIDE = st.one_of(st.just(MISSING), JSON)
FIELD = st.builds(FieldChange, TEXT, SIDE, SIDE, st.sampled_from(Cause))
APPLIED = st.builds(Applied, *[st.one_of(st.none(), TEXT)] * 3)
RECORD = st.builds(
    Record,
    TEXT,
    NUMBER,
    TEXT,
    st.booleans(),
    st.sampled_from([None, True, False]),
    st.booleans(),
    st.dictionaries(TEXT, APPLIED, max_size=2),
)


def _with_sets(change: Change, values: list[Any]) -> Change:
    """Return a change that sets some of its fields: to what is wanted, to a value of its own, or to null."""
    sets = {
        item.path: None if item.after is MISSING else item.after if number % 2 else value
        for number, (item, value) in enumerate(zip(change.fields, values, strict=False))
    }
    return replace(change, sets={**change.sets, **sets})


CHANGE = st.builds(
    Change,
    name=TEXT,
    action=st.sampled_from(Action),
    reason=st.sampled_from(Reason),
    id=TEXT,
    fields=st.lists(FIELD, max_size=3, unique_by=lambda item: item.path).map(tuple),
    stamp=TEXT,
    overwritten=st.dictionaries(TEXT, TEXT, max_size=2),
    record=st.one_of(st.none(), RECORD),
    adopted=st.booleans(),
    wanted=st.booleans(),
    others=st.lists(TEXT, max_size=2).map(tuple),
    message=TEXT,
    hint=TEXT,
    sources=st.dictionaries(TEXT, POSITION, max_size=2),
    parts=st.lists(TEXT, max_size=2).map(tuple),
    remarks=st.lists(TEXT, max_size=2).map(tuple),
)
CHANGE = st.builds(_with_sets, CHANGE, st.lists(JSON, max_size=3))
IGNORED = st.builds(Ignored, TEXT, TEXT, TEXT, TEXT, st.booleans())
LIMIT = st.builds(Limit, st.lists(TEXT, max_size=2).map(tuple), NUMBER, NUMBER)
MOMENTS = st.sampled_from(["", "2026-11-20T08:00:00Z"])
DIAGNOSTIC = st.builds(
    Diagnostic,
    st.sampled_from(Severity),
    TEXT,
    TEXT,
    st.one_of(st.none(), POSITION),
    st.lists(st.one_of(TEXT, NUMBER), max_size=2).map(tuple),
    TEXT,
)
IDENTITY = st.builds(Identity, TEXT, TEXT, TEXT, TEXT, st.dictionaries(TEXT, TEXT, max_size=2))
OPTIONS = st.builds(Options, TEXT, st.booleans(), st.dictionaries(TEXT, JSON, max_size=2))
PLANS = st.builds(
    Plan,
    identity=IDENTITY,
    options=OPTIONS,
    changes=st.lists(CHANGE, max_size=4).map(tuple),
    unchanged=NUMBER,
    not_stamped=NUMBER,
    records=NUMBER,
    complete=st.booleans(),
    diagnostics=st.lists(DIAGNOSTIC, max_size=2).map(tuple),
    ignored=st.lists(IGNORED, max_size=2).map(tuple),
    snapshot=MOMENTS,
    limit=st.one_of(st.none(), LIMIT),
)
