"""Any body of a saved agent: what the vendor's schema takes the server takes, keeps and answers."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.extent import examples
from tests.local.agents import FILLED, TOOLS, made, post, schema, updated
from tests.real.foreign import holds
from trueup.core.call import Call
from trueup.local.openai_agents import Server

TEXT = st.text(max_size=8)
JSON = st.dictionaries(TEXT, st.one_of(TEXT, st.integers(-9, 9), st.none()), max_size=2)
VERBOSITY = st.sampled_from(["low", "medium", "high"])
FORMAT = st.one_of(
    st.just({"type": "text"}), st.fixed_dictionaries({"type": st.just("json_schema"), "schema": JSON})
)  # fmt: skip


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "name": TEXT,
    "instructions": TEXT,
    "metadata": st.dictionaries(TEXT, TEXT, max_size=3),
    "tools": st.lists(
        st.one_of(
            st.sampled_from(TOOLS),
            st.fixed_dictionaries(
                {"type": st.just("function"), "name": TEXT, "description": TEXT, "parameters": JSON},
                optional={"defer_loading": st.booleans()},
            ),
        ),
        max_size=3,
    ),
    "reasoning": _some(effort=st.sampled_from(["none", "high", "max"]), summary=st.sampled_from(["auto", "concise"])),
    "text": _some(format=FORMAT, verbosity=VERBOSITY),
    "service_tier": st.sampled_from(["auto", "flex", "ultrafast"]),
    "multi_agent": st.one_of(
        st.just({"enabled": False}),
        st.fixed_dictionaries({"enabled": st.just(True)}, optional={"max_concurrent_subagents": st.integers(1, 9)}),
    ),
    "compaction": st.fixed_dictionaries({}, optional={"async": st.booleans()}),
}
CREATE = _some(**FIELDS, experimental=_some(time_awareness=st.booleans()))
UPDATE = _some(
    **{name: st.one_of(st.none(), field) for name, field in FIELDS.items()},
    experimental=_some(time_awareness=st.booleans()),
    model=TEXT,
)
OTHER = st.sampled_from([None, True, 1, "x", [], {}, ["x"], {"x": "y"}])


@settings(max_examples=examples(120), deadline=None)
@given(CREATE, UPDATE)
def test_an_agent_holds_what_was_said_and_keeps_what_was_not(body: dict[str, Any], change: dict[str, Any]) -> None:
    with Server() as server:
        agent = made(server, **body)
        assert holds(agent, body)
        assert all(agent[name] == FILLED[name] for name in FILLED if name not in body)
        after = updated(server, agent, **change)
        assert holds(after, {name: FILLED[name] if value is None else value for name, value in change.items()})
        kept = set(agent) - set(change) - {"updated_at"}
        assert {name: after[name] for name in kept} == {name: agent[name] for name in kept}
        assert server.answer(Call("GET", "/agents")).json["data"] == [after]


@settings(max_examples=examples(300), deadline=None)
@given(st.data())
def test_the_schema_and_the_server_refuse_the_same(data: st.DataObject) -> None:
    """One value anywhere in a body is exchanged for another, or a key is added."""
    body = {"model": "m", **copy.deepcopy(data.draw(CREATE))}
    holder, key = data.draw(st.sampled_from(list(_places(body))))
    if isinstance(holder, dict) and data.draw(st.booleans()):
        key = "other"
    holder[key] = data.draw(OTHER)
    with Server() as server:
        reply = post(server, body)
    assert (reply.status == 200) == schema("CreateRequest").is_valid(body), (body, reply.text)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])
