"""Bodies of saved agents and the requests of their tests, in a word each."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from jsonschema import Draft202012Validator

from tests.local.specs import spec
from trueup.core.call import Call, Reply
from trueup.local.openai_agents import Server

FUNCTION = {"type": "function", "name": "lookup", "description": "d", "parameters": {"type": "object"}}
HTTP = {"type": "http", "server_url": "https://example.com/mcp"}
STDIO = {"type": "stdio", "command": "serve", "cwd": "/"}
TOOLS: list[dict[str, Any]] = [
    {**FUNCTION, "defer_loading": True, "async": True},
    {
        "type": "mcp",
        "server_label": "docs",
        "transport": {**HTTP, "headers": {"x-a": "b"}},
        "allowed_tools": ["read"],
        "connection_origin": "environment",
        "credential_id": "c",
        "request_metadata": {"k": 1},
        "required": True,
    },
    {"type": "mcp", "server_label": "files", "transport": {**STDIO, "args": ["-x"], "env_vars": ["HOME"]}},
    {
        "type": "web_search",
        "allowed_domains": ["example.com"],
        "context_size": "low",
        "location": {"city": "Bern", "country": "CH", "region": None, "timezone": "Europe/Zurich"},
        "mode": "cached",
    },
    {"type": "computer_use", "include_screenshots": True},
    {"type": "tool_search"},
    {"type": "programmatic_tool_calling", "enabled": False},
    {"type": "automations"},
]
FULL: dict[str, Any] = {
    "model": "gpt-5.5",
    "name": "Support Bot",
    "instructions": "Be kind. Zoë ✓",
    "metadata": {"team": "support"},
    "tools": TOOLS,
    "reasoning": {"effort": "low", "summary": "concise"},
    "text": {"format": {"type": "json_schema", "schema": {"type": "object"}}, "verbosity": "low"},
    "service_tier": "flex",
    "multi_agent": {"enabled": True, "max_concurrent_subagents": 3},
    "compaction": {"async": True},
    "experimental": {"time_awareness": True},
}
"""A create with all that there is."""

FILLED: dict[str, Any] = {
    "name": None,
    "instructions": None,
    "metadata": {},
    "tools": [],
    "reasoning": {"effort": "medium", "summary": None},
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "service_tier": "auto",
    "multi_agent": {"enabled": False, "max_concurrent_subagents": None},
    "compaction": {"async": False},
    "experimental": {"time_awareness": False},
}
"""What an agent has of which only the model was said."""


def post(server: Server, body: Any, path: str = "/agents") -> Reply:
    return server.answer(Call("POST", path, json=body))


def made(server: Server, **fields: Any) -> dict[str, Any]:
    reply = post(server, {"model": "gpt-5.5", **fields})
    assert reply.status == 200, reply.text
    return dict(reply.json)


def updated(server: Server, agent: dict[str, Any], **fields: Any) -> dict[str, Any]:
    reply = post(server, fields, f"/agents/{agent['id']}")
    assert reply.status == 200, reply.text
    return dict(reply.json)


@functools.cache
def schema(name: str) -> Draft202012Validator:
    """One schema of the vendor's specification; skips the test where that is absent."""
    return Draft202012Validator(spec("openai-agents.json")["schemas"][name])


def answer_check(method: str, path: str) -> Callable[[Any], None]:
    """Return the check of a successful response to a request; a page's own references are followed here."""
    if method == "DELETE":
        return schema("AgentDeleted").validate
    if method == "GET" and path.endswith("/agents"):
        return _validate_page
    return schema("Agent").validate


def _validate_page(page: Any) -> None:
    listing = spec("openai-agents.json")["schemas"]["AgentList"]
    listing["properties"]["data"] = {"type": "array"}
    Draft202012Validator(listing).validate(page)
    for agent in page["data"]:
        schema("Agent").validate(agent)
