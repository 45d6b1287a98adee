"""Any body of a definition, in the fields of one protocol: what all protocols have, and what is each one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from tests.protocols import Protocol

Values = st.SearchStrategy[Any]

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
names = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
schemas = st.just({"type": "object", "properties": {"n": {"type": "number", "minimum": 1.0}}})


def bodies_of(protocol: Protocol) -> st.SearchStrategy[dict[str, Any]]:
    """Return any body: each field declared or not, and null where it can be."""
    common = {
        "name": texts | st.none(),
        "instructions": texts | st.none(),
        "metadata": st.none() | st.dictionaries(names, texts | st.none(), max_size=4),
        "tools": _list_of(st.sampled_from(protocol.tools) | st.builds(protocol.function, names, texts)),
        protocol.scalar: st.none() | st.sampled_from(protocol.values),
    }
    return st.fixed_dictionaries({}, optional={**common, **OWN.get(protocol.name, {})})


def _list_of(tools: Values) -> Values:
    return st.none() | st.lists(tools, max_size=3, unique_by=str)


def _some(**fields: Values) -> Values:
    return st.fixed_dictionaries({}, optional=fields)


_functions = st.builds(
    lambda name, described, given, strict: {
        "type": "function",
        "function": {
            "name": name,
            **({"description": described} if described else {}),
            **({"parameters": given} if given else {}),
            **({"strict": strict} if strict is not None else {}),
        },
    },
    names,
    texts,
    st.none() | schemas,
    st.sampled_from([None, True, False]),
)
_searches = st.sampled_from(
    [
        {"type": "file_search"},
        {"type": "file_search", "file_search": {}},
        {"type": "file_search", "file_search": {"max_num_results": 20}},
        {"type": "file_search", "file_search": {"ranking_options": {"ranker": "auto", "score_threshold": 0}}},
        {"type": "file_search", "file_search": {"max_num_results": 3, "ranking_options": {"score_threshold": 0.5}}},
    ]
)
_http = st.just({"type": "http", "server_url": "https://example.com/mcp"})
_stdio = st.fixed_dictionaries(
    {"type": st.just("stdio"), "command": texts, "cwd": texts}, optional={"args": st.lists(texts, max_size=2)}
)

OWN: Mapping[str, Mapping[str, Values]] = {
    "openai-assistants": {
        "description": texts | st.none(),
        "tools": _list_of(st.just({"type": "code_interpreter"}) | _searches | _functions),
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
    "openai-agents": {
        "tools": _list_of(
            st.sampled_from([{"type": "tool_search"}, {"type": "automations"}, {"type": "programmatic_tool_calling"}])
            | st.builds(
                lambda own, more: {**own, **more},
                st.fixed_dictionaries(
                    {"type": st.just("function"), "name": names, "description": texts, "parameters": schemas}
                ),
                _some(defer_loading=st.booleans()),
            )
            | st.builds(
                lambda own, more: {**own, **more},
                st.fixed_dictionaries({"type": st.just("mcp"), "server_label": names, "transport": _http | _stdio}),
                _some(allowed_tools=st.lists(names, max_size=2), required=st.booleans()),
            )
            | _some(context_size=st.sampled_from(["low", "medium"]), mode=st.sampled_from(["cached", "live"])).map(
                lambda own: {"type": "web_search", **own}
            )
        ),
        "reasoning": st.none() | _some(effort=st.sampled_from(["none", "high"]), summary=st.sampled_from(["auto"])),
        "text": st.none()
        | _some(
            format=st.sampled_from([{"type": "text"}, {"type": "json_schema", "schema": {"type": "object"}}]),
            verbosity=st.sampled_from(["low", "medium", "high"]),
        ),
        "multi_agent": st.sampled_from(
            [None, {"enabled": False}, {"enabled": True}, {"enabled": True, "max_concurrent_subagents": 3}]
        ),
        "compaction": st.none() | _some(**{"async": st.booleans()}),
        "experimental": st.none() | _some(time_awareness=st.booleans()),
    },
}
"""The fields that only one protocol has, and fields of which it takes more than all of them do."""
