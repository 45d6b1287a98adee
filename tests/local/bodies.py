"""Requests that use every field of a dialect, and the ways in which each goes wrong: one row of data a case."""

from __future__ import annotations

from typing import Any

WEATHER = {"name": "weather", "description": "Tells it.", "parameters": {"type": "object", "properties": {"2": {}}}}
SCHEMA = {"name": "answer", "description": "d", "schema": {"type": "object"}}
SHARED: dict[str, Any] = {
    "model": "gpt-4o",
    "name": "n",
    "description": "d",
    "instructions": "i",
    "metadata": {"k": "v"},
    "temperature": 0.7,
    "top_p": 0.1,
}
LISTS = {"code_interpreter": {"file_ids": ["assistant-1"]}, "file_search": {"vector_store_ids": ["vs_1"]}}
RANKING = {"ranker": "auto", "score_threshold": 0.5}
PLAIN_TOOLS: list[dict[str, Any]] = [{"type": "code_interpreter"}, {"type": "file_search"}]


def search(**options: Any) -> dict[str, Any]:
    return {"type": "file_search", "file_search": options}


def function(**fields: Any) -> dict[str, Any]:
    return {"type": "function", "function": fields}


FULL: dict[str, dict[str, Any]] = {
    "openai": {
        **SHARED,
        "reasoning_effort": "low",
        "tools": [
            {"type": "code_interpreter"},
            search(max_num_results=2, ranking_options=RANKING),
            function(**WEATHER, strict=True),
        ],
        "tool_resources": LISTS,
        "response_format": {"type": "json_schema", "json_schema": {**SCHEMA, "strict": True}},
    },
    "openai-v1": {
        **SHARED,
        "tools": [{"type": "code_interpreter"}, {"type": "retrieval"}, function(**WEATHER)],
        "file_ids": ["file-1", "file-2"],
        "response_format": {"type": "json_object"},
    },
    "azure-openai": {
        **SHARED,
        "tools": [{"type": "code_interpreter"}, search(max_num_results=2), function(**WEATHER)],
        "tool_resources": LISTS,
        "response_format": {"type": "json_schema", "json_schema": {**SCHEMA, "strict": True}},
    },
    "foundry-classic": {
        **SHARED,
        "name": "n" * 300,
        "description": "d" * 600,
        "tools": [
            {"type": "code_interpreter"},
            search(max_num_results=2, ranking_options=RANKING),
            function(**WEATHER),
            {"type": "bing_grounding", "bing_grounding": {"connections": []}},
        ],
        "tool_resources": {**LISTS, "azure_ai_search": {"indexes": [{"index_name": "x"}]}},
        "response_format": {"type": "json_schema", "json_schema": SCHEMA},
    },
}
"""For each dialect a create with all that it holds."""

STORE = {"file_ids": ["assistant-1"]}
SOURCES = {"data_sources": [{"uri": "azureml://x", "type": "uri_asset"}]}

TAKEN: list[tuple[str, dict[str, Any]]] = [
    ("openai", {"tool_resources": {"file_search": {"vector_stores": [STORE]}}}),
    ("openai", {"tools": [function(name="f")], "tool_resources": None}),
    ("openai", {"tools": [search(ranking_options={"score_threshold": 1})]}),
    ("openai-v1", {"response_format": "none"}),
    ("openai-v1", {"response_format": {}}),
    ("openai-v1", {"tools": [function(name="f")]}),
    ("azure-openai", {"tool_resources": {"file_search": {"vector_stores": [STORE]}}}),
    ("azure-openai", {"tool_resources": None, "instructions": "i" * 256_000}),
    ("foundry-classic", {"tool_resources": {"code_interpreter": SOURCES}, "tools": PLAIN_TOOLS}),
    (
        "foundry-classic",
        {"tool_resources": {"file_search": {"vector_stores": [{"name": "s", "configuration": SOURCES}]}}},
    ),
    ("foundry-classic", {"instructions": "i" * 300_000, "tools": [{"type": "code_interpreter"}] * 130}),
]
"""Creates (beside a model) that a dialect takes."""

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("openai-v1", {"reasoning_effort": "low"}, "reasoning_effort"),
    ("openai-v1", {"tool_resources": {}}, "tool_resources"),
    ("openai-v1", {"tools": [{"type": "file_search"}]}, "tools[0].type"),
    ("openai-v1", {"tools": [function(name="f", strict=True)]}, "tools[0].function.strict"),
    ("openai-v1", {"file_ids": [f"f{n}" for n in range(21)]}, "file_ids"),
    ("openai-v1", {"file_ids": None}, "file_ids"),
    (
        "openai-v1",
        {"response_format": {"type": "json_schema", "json_schema": SCHEMA}},
        "response_format.json_schema",
    ),
    ("azure-openai", {"reasoning_effort": "low"}, "reasoning_effort"),
    ("azure-openai", {"tools": [{"type": "retrieval"}]}, "tools[0].type"),
    ("azure-openai", {"tools": [function(**WEATHER, strict=True)]}, "tools[0].function.strict"),
    ("azure-openai", {"tools": [function(name="f", parameters={})]}, "tools[0].function.description"),
    ("azure-openai", {"tools": [function(name="f", description="d")]}, "tools[0].function.parameters"),
    (
        "azure-openai",
        {"tools": [search(ranking_options=RANKING)]},
        "tools[0].file_search.ranking_options",
    ),
    ("azure-openai", {"response_format": "none"}, "response_format"),
    (
        "azure-openai",
        {"response_format": {"type": "json_schema", "json_schema": {"name": "s"}}},
        "response_format.json_schema.schema",
    ),
    ("foundry-classic", {"reasoning_effort": "low"}, "reasoning_effort"),
    ("foundry-classic", {"response_format": "none"}, "response_format"),
    ("foundry-classic", {"tools": [{"type": "retrieval"}]}, "tools[0].type"),
    ("foundry-classic", {"tools": [{"type": "mcp"}]}, "tools[0].type"),
    ("foundry-classic", {"tools": [function(name="f")]}, "tools[0].function.parameters"),
    ("foundry-classic", {"tools": [function(**WEATHER, strict=False)]}, "tools[0].function.strict"),
    (
        "foundry-classic",
        {"tools": [search(ranking_options={"score_threshold": 1})]},
        "tools[0].file_search.ranking_options.ranker",
    ),
    (
        "foundry-classic",
        {"response_format": {"type": "json_schema", "json_schema": {**SCHEMA, "strict": True}}},
        "response_format.json_schema.strict",
    ),
    (
        "foundry-classic",
        {"tool_resources": {"code_interpreter": {"file_ids": [], **SOURCES}}},
        "tool_resources.code_interpreter.data_sources",
    ),
    (
        "foundry-classic",
        {"tool_resources": {"file_search": {"vector_stores": [STORE]}}},
        "tool_resources.file_search.vector_stores[0].file_ids",
    ),
]
"""Fields that a dialect refuses, in a create and in a modify, by the path it names."""

REFUSED_IN_MODIFY: list[tuple[str, dict[str, Any], str]] = [
    *((name, {"tools": None}, "tools") for name in FULL),
    *((name, {"metadata": {"mykey": None}}, "metadata.mykey") for name in FULL),
    *((name, {"naem": "x"}, "naem") for name in FULL),
    ("azure-openai", {"tool_resources": None}, "tool_resources"),
    ("foundry-classic", {"tool_resources": None}, "tool_resources"),
    ("azure-openai", {"instructions": "i" * 32_769}, "instructions"),
    (
        "azure-openai",
        {"tool_resources": {"file_search": {"vector_stores": [STORE]}}},
        "tool_resources.file_search.vector_stores",
    ),
]
"""Fields that a dialect refuses in a modify."""
