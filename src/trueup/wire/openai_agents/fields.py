"""The fields of OpenAI's saved agents and the servers that speak the protocol, as rows of data. Sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trueup.core.field_table import RESOLVED, Field, FieldTable, Kind
from trueup.wire.base import Dialect, Holds

_TEXT: Final[Mapping[str, Any]] = {"format": {"type": "text"}, "verbosity": "medium"}

TABLE: Final = FieldTable(
    fields=(
        Field("name", letter="n", empty_is_null=True),
        Field("model", letter="m"),
        Field("instructions", Kind.TEXT, letter="i", empty_is_null=True),
        Field("reasoning", Kind.OBJECT, resolved=True, letter="r", fills={"effort": RESOLVED, "summary": RESOLVED}),
        Field("text", Kind.OBJECT, default=_TEXT, letter="x", fills=_TEXT),
        Field("service_tier", default="auto", letter="s"),
        Field(
            "tools",
            Kind.TOOLS,
            default=[],
            clear=[],
            letter="t",
            fills={
                "function": {"defer_loading": False, "async": False},
                "mcp": {
                    "connection_origin": RESOLVED,
                    "request_metadata": {},
                    "required": False,
                    "transport": {"headers": {}, "args": [], "env_vars": []},
                },
                "web_search": {"context_size": "medium", "mode": "live"},
                "computer_use": {"include_screenshots": False},
                "programmatic_tool_calling": {"enabled": True},
            },
        ),
        Field(
            "multi_agent",
            Kind.OBJECT,
            default={"enabled": False, "max_concurrent_subagents": 6},
            letter="a",
            fills={"max_concurrent_subagents": 6},
        ),
        Field("compaction", Kind.OBJECT, default={"async": False}, letter="c", fills={"async": False}),
        Field("experimental", Kind.MAP, default=False, clear=False, entries=("time_awareness",), merged=True),
        Field("metadata", Kind.MAP, max_entries=16),
    ),
    secrets=(("tools", "*", "transport", "headers"), ("tools", "*", "transport", "env_vars")),
    schemas=(("tools", "*", "parameters"), ("text", "format", "schema")),
    built_in=frozenset({"computer_use", "web_search"}),
)
"""All fields that a definition can declare. `experimental` is merged by key and takes no null: false resets a key."""

APIPI_TABLE: Final = TABLE.vary(
    {"reasoning": {"resolved": False, "default": {"effort": None}, "fills": {}}},
    without=("text", "service_tier", "multi_agent", "compaction", "experimental"),
)
"""Those that ApiPi has (seen in its answers): it answers no effort but the one that was set."""

DEFINITIONS: Final = TABLE
"""What the vendor's own dialect has."""


TOOLS: Final = (*TABLE.by_name["tools"].fills, "tool_search", "automations")
"""Every kind of tool."""

LENGTHS: Final = {"name": 128, "model": 1_048_576, "instructions": 1_048_576}
"""Characters that a field may have."""

DIALECTS: Final[Mapping[str, Dialect]] = {
    "openai": Dialect(
        name="openai",
        base_url="https://api.openai.com/v1",
        table=TABLE,
        headers={"OpenAI-Beta": "agents=v1"},
        honest=True,
        scoped=True,
        vendor="OpenAI",
        holds=Holds({"tools": TOOLS}, LENGTHS),
    ),
    "apipi": Dialect(
        name="apipi",
        base_url="",
        example="https://apipi.example.com/v1",
        prefix="/v1",
        table=APIPI_TABLE,
        holds=Holds(
            {"tools": ("function", "web_search")},
            LENGTHS,
            lacks=frozenset(
                {
                    "reasoning.summary",
                    "tools.function.async",
                    "tools.function.defer_loading",
                    "tools.web_search.allowed_domains",
                    "tools.web_search.context_size",
                    "tools.web_search.location",
                    "tools.web_search.mode",
                }
            ),
        ),
        listing="whole",
        parallelism=1,  # on SQLite, its default, it answers 200 to creates side by side and keeps only some (seen)
        embedded=False,
    ),
}
"""The rows by name."""
