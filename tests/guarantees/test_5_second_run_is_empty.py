"""Guarantee 5: the second run is empty, and sends no write."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.world import World, actions, code, definition, fleet
from tests.extent import examples
from trueup.core.errors import Exit

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
names = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
parameters = st.none() | st.just({"type": "object", "properties": {"n": {"type": "number", "minimum": 1.0}}})
functions = st.builds(
    lambda name, description, given, strict: {
        "type": "function",
        "function": {
            "name": name,
            **({"description": description} if description else {}),
            **({"parameters": given} if given else {}),
            **({"strict": strict} if strict is not None else {}),
        },
    },
    names,
    texts,
    parameters,
    st.sampled_from([None, True, False]),
)
searches = st.sampled_from(
    [
        {"type": "file_search"},
        {"type": "file_search", "file_search": {}},
        {"type": "file_search", "file_search": {"max_num_results": 20}},
        {"type": "file_search", "file_search": {"ranking_options": {"ranker": "auto", "score_threshold": 0}}},
        {"type": "file_search", "file_search": {"max_num_results": 3, "ranking_options": {"score_threshold": 0.5}}},
    ]
)
bodies: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "name": texts | st.none(),
        "description": texts | st.none(),
        "instructions": texts | st.none(),
        "tools": st.none()
        | st.lists(st.just({"type": "code_interpreter"}) | searches | functions, max_size=3, unique_by=str),
        "metadata": st.none() | st.dictionaries(names, texts | st.none(), max_size=4),
        "temperature": st.none() | st.integers(0, 2) | st.floats(0, 2),
        "top_p": st.none() | st.floats(0, 1),
        "response_format": st.sampled_from(
            [
                None,
                "auto",
                {"type": "text"},
                {"type": "json_object"},
                {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
                {"type": "json_schema", "json_schema": {"name": "n", "strict": False, "schema": {}}},
            ]
        ),
        "reasoning_effort": st.sampled_from([None, "low", "high"]),
        "tool_resources": st.sampled_from(
            [None, {}, {"code_interpreter": {"file_ids": ["file-1"]}}, {"file_search": {"vector_store_ids": []}}]
        ),
    },
)


def assert_second_run_is_empty(world: World) -> None:
    assert actions(world.plan()) == {}
    before = len(world.writes)
    assert code(world.apply()) is Exit.OK
    assert len(world.writes) == before


@settings(max_examples=examples(150), deadline=None)
@given(first=bodies, second=bodies, stamps=st.booleans())
def test_after_a_create_and_after_any_edit(first: dict[str, Any], second: dict[str, Any], stamps: bool) -> None:
    world = World(definitions=fleet(definition("a", **first)))
    if stamps:
        world.with_target(state="stamps")
    report = world.apply()
    assert code(report) is Exit.OK, report.outcomes
    assert_second_run_is_empty(world)
    world.definitions = fleet(definition("a", **second))
    report = world.apply()
    assert code(report) is Exit.OK, report.outcomes
    assert_second_run_is_empty(world)
