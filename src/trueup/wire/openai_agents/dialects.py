"""The servers that speak OpenAI's Agents protocol: one row of data for each kind. Decides nothing and sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trueup.core.canonical import Semantics
from trueup.wire.base import Dialect, Holds
from trueup.wire.openai_agents.fields import APIPI_TABLE, TABLE

TOOLS: Final = (*TABLE.by_name["tools"].fills, "tool_search", "automations")
"""Every kind of tool."""

LENGTHS: Final = {"name": 128, "model": 1_048_576, "instructions": 1_048_576}
"""Characters that a field may have."""

DIALECTS: Final[Mapping[str, Dialect]] = {
    "openai": Dialect(
        name="openai",
        base_url="https://api.openai.com/v1",
        semantics=Semantics(TABLE),
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
        semantics=Semantics(APIPI_TABLE),
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
