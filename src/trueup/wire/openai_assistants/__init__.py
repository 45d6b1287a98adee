"""The OpenAI Assistants API, versions 2 and 1, and the servers that speak it: its fields, dialects and requests."""

WORDS = frozenset(
    {
        "assistants=v1",
        "assistants=v2",
        "code_interpreter",
        "file_ids",
        "file_search",
        "max_num_results",
        "ranking_options",
        "reasoning_effort",
        "response_format",
        "tool_resources",
        "vector_store_ids",
    }
)
"""Words of this protocol, which no source file outside its own places has: a test holds it."""
