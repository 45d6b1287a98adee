"""Where a live value may hold a secret: found at its place, masked in a copy, and never overwritten."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from trueup.core.canonical import digest
from trueup.core.field_table import MASK, Field, FieldTable, Kind
from trueup.core.memory.state import Applied, Record
from trueup.core.plans.fields import Rules, compare_fields, mark_unreachable
from trueup.core.plans.plan import Cause

TABLE = FieldTable(
    (Field("model"), Field("tools", Kind.TOOLS, default=[])),
    secrets=(("tools", "*", "transport", "headers"), ("tools", "*", "key")),
)
RULES = Rules(TABLE)


def tool(**keys: Any) -> dict[str, Any]:
    return {"type": "mcp", "transport": {"url": "u", **keys}}


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ([tool(headers={"a": "s", "b": "t"})], [tool(headers={"a": MASK, "b": MASK})]),
        ([tool(), tool(headers=["s"])], [tool(), tool(headers=[MASK])]),
        ([{"type": "mcp", "key": "s"}], [{"type": "mcp", "key": MASK}]),
    ],
)
def test_a_secret_is_masked_in_a_copy(value: Any, masked: Any) -> None:
    before = copy.deepcopy(value)
    assert TABLE.has_secret("tools", value)
    assert TABLE.mask_secrets("tools", value) == masked
    assert value == before


@pytest.mark.parametrize(
    "value", [[], None, "x", [tool()], [tool(headers={})], [tool(headers=None)], [1], {"key": "s"}]
)
def test_a_value_without_one_is_shown_as_it_is(value: Any) -> None:
    assert not TABLE.has_secret("tools", value)
    assert TABLE.mask_secrets("tools", value) is value


@pytest.mark.parametrize(
    ("applied", "revert", "cause"),
    [
        (Applied(sent=digest([tool()]), kept=digest([tool()])), False, Cause.DRIFTED),
        (Applied(sent=digest([tool()]), kept=digest([tool()])), True, Cause.SECRET),
        (None, False, Cause.SECRET),
    ],
)
def test_a_field_that_holds_one_is_not_sent(applied: Applied | None, revert: bool, cause: Cause) -> None:
    live = {"tools": [tool(headers={"a": "s"})]}
    record = Record("a_1", operation="o", fields={} if applied is None else {"tools": applied})
    changes = compare_fields({"tools": [tool()]}, live, record, frozenset(), RULES)
    (change,) = mark_unreachable(changes, RULES, revert=revert)
    assert (change.cause, change.before) == (cause, [tool(headers={"a": MASK})])
