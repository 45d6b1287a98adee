"""The fields of an assistant: what each is, what its absence means, how it is cleared and what servers fill in.

Facts are from the vendors' published specifications, recorded traffic and reports; docs/protocols/openai-assistants.md
says which rests on what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from trueup.core.field_table import Field, FieldTable, Kind

NO_PARAMETERS: Final[Mapping[str, Any]] = {"type": "object", "properties": {}}
"""What a function without parameters takes, said in full."""

_FILE_SEARCH: Final[Mapping[str, Any]] = {
    "max_num_results": 20,
    "ranking_options": {"ranker": "default_2024_08_21", "score_threshold": 0},
}

TABLE: Final = FieldTable(
    fields=(
        Field("name", letter="n", empty_is_null=True),
        Field("description", letter="d", empty_is_null=True),
        Field("model", letter="m"),
        Field("instructions", Kind.TEXT, letter="i", empty_is_null=True),
        Field(
            "tools",
            Kind.TOOLS,
            default=[],
            clear=[],
            letter="t",
            fills={
                "function": {"function": {"strict": False, "parameters": NO_PARAMETERS}},
                "file_search": {"file_search": _FILE_SEARCH},
            },
            synonyms={"file_search.ranking_options.ranker": {"auto": "default_2024_08_21"}},
        ),
        Field(
            "tool_resources",
            Kind.MAP,
            default=[],
            clear=[],
            depth=2,
            entries=("code_interpreter.file_ids", "file_search.vector_store_ids"),
        ),
        Field("metadata", Kind.MAP, max_entries=16),
        Field("temperature", Kind.NUMBER, default=1.0, letter="e"),
        Field("top_p", Kind.NUMBER, default=1.0, letter="p"),
        Field(
            "response_format",
            Kind.OBJECT,
            default="auto",
            letter="r",
            fills={"json_schema": {"json_schema": {"strict": False}}},
            typed=True,
        ),
        Field("reasoning_effort", letter="f"),
    ),
    schemas=(("tools", "*", "function", "parameters"), ("response_format", "json_schema", "schema")),
    built_in=frozenset({"code_interpreter", "file_search", "retrieval", "web_search", "image_generation"}),
)

_FILE_IDS: Final = Field("file_ids", Kind.LIST, default=[], clear=[], letter="l", unordered=True)

FIRST_TABLE: Final = TABLE.vary(
    {
        "tools": {"fills": {"function": {"function": {"parameters": NO_PARAMETERS}}}},
        "response_format": {"clear": "auto"},
    },
    without=("tool_resources", "reasoning_effort"),
    also=(_FILE_IDS,),
)
"""The first protocol: files hang on the assistant itself, and are answered in the order of their creation."""

AZURE_TABLE: Final = TABLE.vary({"response_format": {"clear": "auto"}}, without=("reasoning_effort",))
"""As OpenAI's; its schema does not plainly admit null for the response format, so the default is sent instead."""

_WRITTEN: Final = (
    "name", "description", "model", "instructions", "reasoning_effort", "temperature", "top_p", "tools",
    "tool_resources", "metadata", "response_format",
)  # fmt: skip

DEFINITIONS: Final = replace(TABLE, fields=(*(TABLE.by_name[name] for name in _WRITTEN), _FILE_IDS))
"""The fields that definitions may hold, of whichever dialect, in the order in which people write them."""
