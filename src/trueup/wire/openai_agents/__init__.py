"""OpenAI's Agents API (beta): saved agents."""

WORDS = frozenset(
    {
        "agents=v1",
        "computer_use",
        "connection_origin",
        "defer_loading",
        "max_concurrent_subagents",
        "multi_agent",
        "programmatic_tool_calling",
        "service_tier",
        "time_awareness",
    }
)
"""Words of this protocol, which no source file outside its own places has: a test holds it."""
