"""The embedded server of OpenAI's saved agents on SQLite, behaving as its documents say.

One table has what each field and tool takes, and what the server fills in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from trueup.core.call import Call
from trueup.local.rules import (
    Check,
    Refusal,
    array,
    boolean,
    choice,
    kinds,
    mapping,
    nullable,
    record,
    table,
    text,
    whole,
)
from trueup.local.server import Answer, EmbeddedServer, body_of
from trueup.local.vendor import Vendor, openai_door

LONGEST: Final = 1_048_576
"""Characters of the longest text."""

TOOL_BYTES: Final = 3 * 1024 * 1024
"""Bytes that the tools of an agent may have as compact JSON."""

EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
SUBAGENTS: Final = 6
TYPE: Final = text()
STRINGS: Final = array(text(), None, "strings")

Resolve = Callable[[Any], Any]
"""What the server answers for a value that it took."""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One field of an agent: `default` stands in for a field that is left out on create, and for null."""

    check: Check
    default: Any = None
    resolve: Resolve = lambda value: value


def _fill(fills: Mapping[str, Any]) -> Resolve:
    """Return what fills in the keys of an object that are left out or null."""
    return lambda value: {**fills, **{name: entry for name, entry in value.items() if entry is not None}}


def _object(fields: Mapping[str, Check], *required: str) -> Check:
    """Check for an object of one `type`, with these fields beside it."""
    return record({"type": TYPE, **fields}, required=required)


_TRANSPORTS: Final[Mapping[str, tuple[Check, Resolve]]] = {
    "http": (
        _object({"server_url": text(), "headers": nullable(table(None, None, text()))}, "server_url"),
        _fill({"headers": {}}),
    ),
    "stdio": (
        _object(
            {"command": text(), "cwd": text(), "args": nullable(STRINGS), "env_vars": nullable(STRINGS)},
            "command",
            "cwd",
        ),
        _fill({"args": [], "env_vars": []}),
    ),
}

_PLACE: Final = record({name: nullable(text()) for name in ("city", "country", "region", "timezone")})

_TOOLS: Final[Mapping[str, tuple[Check, Resolve]]] = {
    "function": (
        _object(
            {"name": text(), "description": text(), "parameters": mapping, "defer_loading": boolean, "async": boolean},
            "name",
            "description",
            "parameters",
        ),
        _fill({"defer_loading": False}),
    ),
    "mcp": (
        _object(
            {
                "server_label": text(),
                "transport": kinds({name: check for name, (check, _) in _TRANSPORTS.items()}),
                "allowed_tools": nullable(STRINGS),
                "connection_origin": nullable(choice("service", "environment")),
                "credential_id": nullable(text()),
                "request_metadata": nullable(mapping),
                "required": boolean,
            },
            "server_label",
            "transport",
        ),
        _fill(
            {
                "allowed_tools": None,
                "connection_origin": "service",
                "credential_id": None,
                "request_metadata": {},
                "required": False,
            }
        ),
    ),
    "web_search": (
        _object(
            {
                "allowed_domains": nullable(STRINGS),
                "context_size": nullable(choice("low", "medium", "high")),
                "location": nullable(_PLACE),
                "mode": nullable(choice("disabled", "cached", "live")),
            }
        ),
        _fill({"allowed_domains": None, "context_size": "medium", "location": None, "mode": "live"}),
    ),
    "computer_use": (_object({"include_screenshots": boolean}), _fill({"include_screenshots": False})),
    "tool_search": (_object({}), _fill({})),
    "programmatic_tool_calling": (_object({"enabled": boolean}), _fill({"enabled": True})),
    "automations": (_object({}), _fill({})),
}

_TOOL_LIST: Final = array(kinds({name: check for name, (check, _) in _TOOLS.items()}), None, "tools")


def _check_tools(value: Any, path: str) -> None:
    """Tools of known types that are small enough together."""
    _TOOL_LIST(value, path)
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
    if size > TOOL_BYTES:
        said = f"Invalid '{path}': the list is {size} bytes of JSON. It must fit within {TOOL_BYTES} bytes."
        raise Refusal(said, path, "invalid_value")


def _resolve_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = _TOOLS[tool["type"]][1](tool)
    if "transport" in shown:
        shown["transport"] = _TRANSPORTS[shown["transport"]["type"]][1](shown["transport"])
    return shown


def _resolve_subagents(value: Mapping[str, Any]) -> dict[str, Any]:
    """How many subagents may run, which is null where there are none."""
    limit = value.get("max_concurrent_subagents", SUBAGENTS) if value["enabled"] else None
    return {"enabled": value["enabled"], "max_concurrent_subagents": limit}


_FORMATS: Final = kinds({"text": _object({}), "json_schema": _object({"schema": mapping}, "schema")})

FIELDS: Final[Mapping[str, FieldRule]] = {
    "name": FieldRule(nullable(text(128))),
    "model": FieldRule(text(LONGEST)),
    "instructions": FieldRule(nullable(text(LONGEST))),
    "metadata": FieldRule(nullable(table(16, 64, text(512))), {}),
    "multi_agent": FieldRule(
        nullable(
            record({"enabled": boolean, "max_concurrent_subagents": whole(1, 2**31 - 1)}, required=("enabled",)),
        ),
        {"enabled": False},
        _resolve_subagents,
    ),
    "reasoning": FieldRule(
        nullable(
            record(
                {
                    "effort": nullable(choice(*EFFORTS)),
                    "summary": nullable(choice("concise", "detailed", "auto")),
                }
            )
        ),
        {},
        _fill({"effort": "medium", "summary": None}),
    ),
    "service_tier": FieldRule(nullable(choice("auto", "default", "flex", "priority", "fast", "ultrafast")), "auto"),
    "text": FieldRule(
        nullable(record({"format": nullable(_FORMATS), "verbosity": nullable(choice("low", "medium", "high"))})),
        {},
        _fill({"format": {"type": "text"}, "verbosity": "medium"}),
    ),
    "tools": FieldRule(nullable(_check_tools), [], lambda tools: [_resolve_tool(tool) for tool in tools]),
    "compaction": FieldRule(nullable(record({"async": nullable(boolean)})), {}, _fill({"async": False})),
    "experimental": FieldRule(record({"time_awareness": boolean}), {}, _fill({"time_awareness": False})),
}
"""All that a create and an update take, in the order of an answer."""


def resolve(name: str, value: Any) -> Any:
    """Return what an agent has for a field that was given a value; null is the default's."""
    field = FIELDS[name]
    return field.resolve(field.default if value is None else value)


BETA = "agents=v1"
_NO_BETA = f"You must provide the 'OpenAI-Beta' header to access the Agents API: 'OpenAI-Beta: {BETA}'."

VENDORS = {"openai": Vendor("openai", "/v1", openai_door(_NO_BETA, _NO_BETA), betas={BETA: "openai"})}
"""Who speaks the protocol, by the name of the dialect."""

_CHECKS = {name: field.check for name, field in FIELDS.items()}
_CREATE = record(_CHECKS, required=("model",))
_UPDATE = record(_CHECKS)


class Server(EmbeddedServer):
    """Saved agents: an update keeps what it leaves out, null clears, and objects are replaced as a whole."""

    vendors = VENDORS
    collection = "agents"
    noun = "agent"
    prefix = "agent"

    def _create(self, call: Call) -> Answer:
        body, now = body_of(call), int(self._clock())
        _CREATE(body, "")
        about = {"object": "agent", "created_at": now, "updated_at": now}
        fields = {name: resolve(name, body.get(name)) for name in FIELDS}
        return self._add(lambda identifier: {"id": identifier, **about, **fields})

    def _modify(self, identifier: str, call: Call) -> Answer:
        body, now = body_of(call), int(self._clock())
        _UPDATE(body, "")

        def how(agent: dict[str, Any]) -> dict[str, Any]:
            sent = dict(body)
            if "experimental" in sent:
                sent["experimental"] = {**agent["experimental"], **sent["experimental"]}
            return {**agent, **{name: resolve(name, value) for name, value in sent.items()}, "updated_at": now}

        return 200, self._answer_text(self._replace(identifier, how))
