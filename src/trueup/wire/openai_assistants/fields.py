"""The fields of the assistants protocol and the servers that speak it, as rows of data. Sends nothing.

Facts are from the vendors' published specifications, recorded traffic and reports; docs/protocols/openai-assistants.md
says which rests on what. A gateway is no dialect: it stands in front of one (`wire/portkey.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from trueup.core.field_table import Field, FieldTable, Kind
from trueup.wire.base import Dialect, Holds

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


_LENGTHS: Final = {"name": 256, "description": 512, "instructions": 256_000}
_KINDS: Final = {
    "tools": ("code_interpreter", "file_search", "function"),
    "response_format": ("auto", "text", "json_object", "json_schema"),
}

REASONING: Final[Mapping[str, bool]] = {
    "gpt-5*-chat*": False,
    "o1*": True,
    "o3*": True,
    "o4*": True,
    "gpt-5*": True,
    "codex-mini*": True,
}
"""Names of models that refuse `temperature` and `top_p`, `*` for any text; the first that fits decides."""

DIALECTS: Final[Mapping[str, Dialect]] = {
    "openai": Dialect(
        name="openai",
        base_url="https://api.openai.com/v1",
        table=TABLE,
        headers={"OpenAI-Beta": "assistants=v2"},
        honest=True,
        scoped=True,
        vendor="OpenAI",
        holds=Holds(_KINDS, _LENGTHS),
        reasoning=REASONING,
        ended="OpenAI switched its own (https://api.openai.com/v1/assistants) off on 2026-08-26.",
    ),
    "openai-v1": Dialect(
        name="openai-v1",
        base_url="https://api.openai.com/v1",
        table=FIRST_TABLE,
        headers={"OpenAI-Beta": "assistants=v1"},
        scoped=True,
        vendor="OpenAI",
        holds=Holds(
            {
                "tools": ("code_interpreter", "retrieval", "function"),
                "response_format": ("auto", "none", "text", "json_object"),
            },
            {**_LENGTHS, "file_ids": 20},
            lacks=frozenset({"tools.function.strict"}),
        ),
        reasoning=REASONING,
        ended="OpenAI ended the first version on 2024-12-18 and the second on 2026-08-26.",
    ),
    "azure-openai": Dialect(
        name="azure-openai",
        base_url="",
        example="https://RESOURCE.openai.azure.com/openai",
        prefix="/openai",
        table=AZURE_TABLE,
        auth={"api_key": "api-key", "token": "bearer"},
        token_scope="https://cognitiveservices.azure.com/.default",
        api_version="2025-03-01-preview",
        api_versions=("2024-05-01-preview", "2025-03-01-preview", "2025-04-01-preview"),
        holds=Holds(
            _KINDS,
            _LENGTHS,
            modify_lengths={"instructions": 32_768},
            lacks=frozenset({"tools.function.strict", "tools.file_search.ranking_options"}),
            needs=frozenset({"tools.function.description", "response_format.json_schema.schema"}),
            fills={"tools.function.parameters": NO_PARAMETERS},
        ),
        reasoning=REASONING,
        ended="Azure OpenAI retired its own on 2026-08-26.",
    ),
    "foundry-classic": Dialect(
        name="foundry-classic",
        base_url="",
        example="https://RESOURCE.services.ai.azure.com/api/projects/PROJECT",
        table=AZURE_TABLE,
        auth={"token": "bearer"},
        token_scope="https://ai.azure.com/.default",
        api_version="v1",
        api_versions=("v1", "2025-05-01", "2025-05-15-preview"),
        holds=Holds(
            _KINDS,
            {},
            lacks=frozenset({"tools.function.strict", "response_format.json_schema.strict"}),
            needs=frozenset({"response_format.json_schema.schema"}),
            fills={
                "tools.function.parameters": NO_PARAMETERS,
                "tools.file_search.ranking_options.ranker": "auto",
            },
        ),
        reasoning=REASONING,
        ended="Foundry classic runs until 2027-03-31.",
    ),
}
"""The rows by name; `openai` is the default."""
