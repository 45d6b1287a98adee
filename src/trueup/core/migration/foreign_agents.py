"""Agents of other platforms as assistants: what their APIs answer and their tools keep, as far as a definition goes.

Known are Anthropic's managed agents, OpenAI's saved agents and Microsoft Foundry's prompt agents, by the field names
their SDKs and documentation give. What an assistant has no word for is omitted by name; where that is a tool, there are
no tools at all, for a list that is shorter than the agent's says something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from trueup.core.migration.imported import Found, Omission

_SERVERS: Final = frozenset(
    {"id", "object", "type", "created_at", "updated_at", "archived_at", "version", "versions", "status", "kind"}
)
"""Keys that belong to the server and say nothing of the agent."""

_FORMATS: Final = ("json_object", "json_schema", "text")

NO_WORD: Final = "an assistant has nothing of that name"

Read = Callable[[Mapping[str, Any]], tuple[dict[str, Any] | None, dict[str, Any]]]
"""Makes an assistant's tool of an agent's, None where there is none like it; and what of it is left."""


def agent(value: Mapping[str, Any], where: str) -> Found | None:
    """The agent of another platform as an assistant; None where the object is no agent that is known."""
    if value.get("type") == "agent" and "model" in value:
        return _anthropic(value, where)
    prompt = _prompt(value)
    if prompt is not None:
        return _flat(prompt, where)
    if value.get("object") == "agent" and "model" in value:
        return _flat(value, where)
    return None


def _anthropic(value: Mapping[str, Any], where: str) -> Found:
    """`system` are the instructions, the model may be an object with its effort, and custom tools are functions.

    In a Markdown file the text below the front matter is the system prompt, which the reader calls instructions.
    """
    given = dict(value)
    model, system = given.pop("model"), given.pop("system", None)
    body = {"instructions": given.pop("instructions", None) if system is None else system, "model": model}
    if isinstance(model, Mapping):
        rest = {f"model.{key}": entry for key, entry in model.items() if key not in ("id", "effort")}
        given.update(rest)
        body.update(model=model.get("id"), reasoning_effort=model.get("effort"))
    tools, omissions = _tools(given.pop("tools", None), _custom)
    return _found(given, {**body, "tools": tools}, where, omissions)


def _custom(tool: Mapping[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    if tool.get("type") != "custom":
        return None, {}
    return _function(tool, "input_schema")


def _prompt(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """A Foundry agent's latest prompt definition, laid flat beside its name, description and metadata."""
    versions = value.get("versions")
    latest = versions.get("latest") if isinstance(versions, Mapping) else None
    holder = latest if isinstance(latest, Mapping) else value
    definition = holder.get("definition")
    if not isinstance(definition, Mapping) or definition.get("kind") != "prompt" or "model" not in definition:
        return None
    around = {key: entry for key, entry in {**value, **holder}.items() if key != "definition"}
    return {**around, **definition}


def _flat(value: Mapping[str, Any], where: str) -> Found:
    """What OpenAI's saved agents and Foundry's prompt agents share: flat functions, reasoning and text as objects."""
    given = dict(value)
    body: dict[str, Any] = {key: given.pop(key, None) for key in ("instructions", "model", "temperature", "top_p")}
    reasoning, text = given.get("reasoning"), given.get("text")
    if isinstance(reasoning, Mapping):
        del given["reasoning"]
        body["reasoning_effort"] = reasoning.get("effort")
        given.update({f"reasoning.{key}": entry for key, entry in reasoning.items() if key != "effort"})
    if isinstance(text, Mapping):
        del given["text"]
        body["response_format"] = _format(text.get("format"))
        given.update({f"text.{key}": entry for key, entry in text.items() if key != "format"})
    resources: dict[str, Any] = {}

    def tool_of(tool: Mapping[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        return _flat_tool(tool, resources)

    tools, omissions = _tools(given.pop("tools", None), tool_of)
    return _found(given, {**body, "tools": tools, "tool_resources": resources}, where, omissions)


def _flat_tool(tool: Mapping[str, Any], resources: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """A tool as assistants have it, and what of it they have not; files and stores go to the resources."""
    kind = tool.get("type")
    rest = {key: entry for key, entry in tool.items() if key != "type"}
    if kind == "function":
        return _function(tool, "parameters")
    if kind == "code_interpreter":
        container = rest.get("container")
        if isinstance(container, Mapping):
            del rest["container"]
            is_own = container.get("type") == "auto"
            lost = {
                key: entry for key, entry in container.items() if key != "file_ids" and not (is_own and key == "type")
            }
            rest |= {f"container.{key}": entry for key, entry in lost.items()}
            resources |= {kind: {"file_ids": container["file_ids"]}} if container.get("file_ids") else {}
        return {"type": kind}, rest
    if kind == "file_search":
        stores = rest.pop("vector_store_ids", None)
        if stores:
            resources[kind] = {"vector_store_ids": stores}
        options = {key: rest.pop(key) for key in ("max_num_results", "ranking_options") if rest.get(key) is not None}
        return {"type": kind, **({kind: options} if options else {})}, rest
    return None, {}


def _function(tool: Mapping[str, Any], schema: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A function whose keys lie flat in the tool, and its other keys; `schema` names the one with its parameters."""
    names = {"name": "name", "description": "description", schema: "parameters", "strict": "strict"}
    inner = {new: tool[old] for old, new in names.items() if tool.get(old) is not None}
    rest = {key: entry for key, entry in tool.items() if key not in names and key != "type"}
    return {"type": "function", "function": inner}, rest


def _tools(value: Any, read: Read) -> tuple[list[Any] | None, list[Omission]]:
    """The tools, None where there are none or `read` does not know one of them; and what was left out."""
    if value is None:
        return None, []
    if not isinstance(value, list):
        return None, [Omission("tools", "tools is not in the definition: it is no list")]
    tools: list[Any] = []
    omissions: list[Omission] = []
    for index, entry in enumerate(value):
        made, rest = read(entry) if isinstance(entry, Mapping) else (None, {})
        if made is None:
            kind = entry.get("type") if isinstance(entry, Mapping) else entry
            what = f"{str(kind)[:60]} is no tool of an assistant"
            omissions.append(Omission(f"tools[{index}]", f"tools is not in the definition: tools[{index}]: {what}"))
        tools.append(made)
        for key, inner in rest.items():
            path = f"tools[{index}].{key}"
            omissions += [] if inner is None else [Omission(path, f"{path} is not in the definition: {NO_WORD}")]
    return (None if None in tools else tools), omissions


def _format(value: Any) -> Any:
    """A text format: its schema lies flat there, and one level deeper in an assistant."""
    if not isinstance(value, Mapping) or value.get("type") not in _FORMATS:
        return value
    if value["type"] != "json_schema":
        return None if value["type"] == "text" else {"type": value["type"]}
    return {"type": "json_schema", "json_schema": {key: entry for key, entry in value.items() if key != "type"}}


def _found(given: dict[str, Any], body: Mapping[str, Any], where: str, omissions: Sequence[Omission]) -> Found:
    name = {"name": given.pop("name")} if "name" in given else {}
    own = {key: given.pop(key, None) for key in ("description", "metadata")}
    extra = {key: entry for key, entry in given.items() if key not in _SERVERS}
    known = {key: entry for key, entry in {**own, **body}.items() if entry not in (None, {})}
    return Found("", {**name, **known}, where, extra=extra, omissions=tuple(omissions))
