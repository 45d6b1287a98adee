"""What fleets and a vendor's objects are made of, for each protocol. A further protocol is one row of `SAMPLES`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT = "openai-assistants"
"""The protocol of the rows that name none."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One protocol. `collection` is the last step of its path, `defaults` what a create without any field answers.

    `fields` are lines of every definition, and `edit` a piece of them and what it becomes. `nests_functions`: a
    function's words stand below a key of its own.
    """

    collection: str
    noun: str
    prefix: str
    defaults: Mapping[str, Any]
    fields: str
    edit: tuple[str, str]
    tools: str
    nests_functions: bool


SAMPLES: Mapping[str, Sample] = {
    DEFAULT: Sample(
        collection="assistants",
        noun="assistant",
        prefix="asst",
        defaults={
            "name": None, "description": None, "model": "", "instructions": None, "tools": [], "top_p": 1.0,
            "temperature": 1.0, "reasoning_effort": None, "tool_resources": {}, "metadata": {},
            "response_format": "auto",
        },
        fields="description: Number {} of a fleet.\ntemperature: 0.7\ntop_p: 0.9\n",
        edit=("temperature: 0.7", "temperature: 0.3"),
        tools="  - code_interpreter\n  - type: file_search\n    file_search:\n      max_num_results: 8\n",
        nests_functions=True,
    ),
    "openai-agents": Sample(
        collection="agents",
        noun="agent",
        prefix="agent",
        defaults={
            "name": None, "model": "", "instructions": None, "tools": [], "metadata": {}, "service_tier": "auto",
            "text": {"format": {"type": "text"}, "verbosity": "medium"},
            "reasoning": {"effort": "medium", "summary": None}, "compaction": {"async": False},
            "multi_agent": {"enabled": False, "max_concurrent_subagents": None},
            "experimental": {"time_awareness": False},
        },
        fields="service_tier: flex\nreasoning:\n  effort: low\n  summary: auto\n",
        edit=("service_tier: flex", "service_tier: priority"),
        tools="  - tool_search\n  - type: web_search\n    context_size: high\n",
        nests_functions=False,
    ),
}  # fmt: skip
"""Each protocol of the registry (a test compares)."""

OTHERS = tuple(name for name in SAMPLES if name != DEFAULT)
"""The protocols whose rows name them."""
