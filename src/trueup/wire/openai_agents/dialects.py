"""The servers that speak OpenAI's Agents protocol: one row of data for each kind. Decides nothing and sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trueup.core.canonical import Semantics
from trueup.wire.base import Dialect, Holds
from trueup.wire.openai_agents.fields import TABLE

LENGTHS: Final = {"name": 128, "model": 1_048_576, "instructions": 1_048_576}
"""Characters that a field may have."""

DIALECTS: Final[Mapping[str, Dialect]] = {
    "openai": Dialect(
        name="openai",
        base_url="https://api.openai.com/v1",
        semantics=Semantics(TABLE),
        headers={"OpenAI-Beta": "agents=v1"},
        honest=True,
        auth={"api_key": "bearer", "token": "bearer"},
        scoped=True,
        holds=Holds({"tools": (*TABLE.by_name["tools"].fills, "tool_search", "automations")}, LENGTHS),
    ),
}
"""The rows by name."""
