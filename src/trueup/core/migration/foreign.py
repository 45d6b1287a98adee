"""Assistants in the files of other tools: what a JSON value is, told by its content, and the assistants in it.

Known are an assistant as the API answered it (the first protocol's too), a page of a listing, a list of either, our
own export and backup, states of Terraform (`core.migration.terraform`), Anthropic's managed agents, OpenAI's saved
agents and Microsoft Foundry's prompt agents, by the field names that their SDKs and documentation give. What an
assistant does not support is omitted by name; where that is a tool, there are no tools at all, for a list that is
shorter than the agent's says something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from trueup.core.memory.state import is_plain_id
from trueup.core.migration.first_protocol import as_first, as_second
from trueup.core.migration.imports import ImportedAssistant, NotAnAssistant, Omission
from trueup.core.migration.terraform import TerraformAssistant, find_in_state

FIELDS: Final = (
    "name", "description", "model", "instructions", "reasoning_effort", "temperature", "top_p", "tools",
    "tool_resources", "metadata", "response_format",
)  # fmt: skip
"""The fields of an assistant of the second API."""

_OWN: Final = frozenset({"id", "object", "created_at"})
"""Keys of an answer that belong to the server and say nothing of the assistant."""


def find_assistants(value: Any, where: str, *, first: bool = False) -> Iterator[ImportedAssistant | NotAnAssistant]:
    """Return every assistant in the JSON value of a file, and whatever else is there; `where` names the file.

    Words of the first API become those of the second, unless the target is one of the `first`.
    """
    for item in _find_entries(value, where):
        yield item if isinstance(item, NotAnAssistant) else as_first(item) if first else as_second(item)


def _find_entries(value: Any, where: str) -> Iterator[ImportedAssistant | NotAnAssistant]:
    if isinstance(value, list):
        yield from _read_several(value, where)
    elif not isinstance(value, Mapping):
        yield NotAnAssistant(where, "contains no JSON object and no list of objects")
    elif value.get("kind") == "export" and isinstance(value.get("assistants"), list):
        for index, entry in enumerate(value["assistants"], 1):
            yield _read_exported(entry, f"{where}, entry {index}")
    elif value.get("object") == "list" or (isinstance(value.get("data"), list) and "model" not in value):
        yield from _read_page(value, where)
    elif (state := find_in_state(value, where)) is not None:
        yield from map(_read_stored, state)
    elif is_backup(value):
        yield _read_backup(value, where)
    else:
        yield read_one(value, where)


def saved_agents(value: Any, where: str) -> Iterator[tuple[str, Mapping[str, Any]] | NotAnAssistant] | None:
    """Return OpenAI's saved agents that a JSON value holds, as the API answers them; None where it is something else.

    One of them, a page of a listing, or a list: each with its place. Servers of others leave `object` out, and all of
    them say when an agent was updated, which of an assistant no server does.
    """
    page = value.get("data") if isinstance(value, Mapping) and "model" not in value else None
    several = page if isinstance(page, list) else value if isinstance(value, list) else None
    entries = [value] if several is None else several
    if not entries or not all(_is_saved_agent(entry) for entry in entries):
        return None
    return _saved_agents(value, entries, several is not None, where)


def _saved_agents(
    value: Any, entries: list[Any], are_several: bool, where: str
) -> Iterator[tuple[str, Mapping[str, Any]] | NotAnAssistant]:
    for number, entry in enumerate(entries, 1):
        yield f"{where}, entry {number}" if are_several else where, entry
    if isinstance(value, Mapping) and are_several:
        yield from _cut_off(value, where)


def _is_saved_agent(entry: Any) -> bool:
    if not isinstance(entry, Mapping) or "model" not in entry or "versions" in entry or "type" in entry:
        return False
    kind = entry.get("object")
    return kind == "agent" or (kind is None and "updated_at" in entry and is_plain_id(str(entry.get("id") or "")))


def is_backup(value: Any) -> bool:
    """Return whether a JSON value is a file of `.trueup/backup/`."""
    return isinstance(value, Mapping) and isinstance(value.get("body"), Mapping) and "taken_at" in value


def _read_stored(item: TerraformAssistant | NotAnAssistant) -> ImportedAssistant | NotAnAssistant:
    """Read an assistant of a Terraform state."""
    found = item if isinstance(item, NotAnAssistant) else read_one(item.value, item.where)
    if isinstance(item, NotAnAssistant) or isinstance(found, NotAnAssistant):
        return found
    return replace(found, omissions=item.omissions, remarks=item.remarks)


def read_one(value: Any, where: str) -> ImportedAssistant | NotAnAssistant:
    """Return the assistant that a JSON object is."""
    if not isinstance(value, Mapping):
        return NotAnAssistant(where, "is no JSON object")
    kind = value.get("object", "assistant")
    other = read_agent(value, where) if value.get("object") != "assistant" else None
    if other is not None:
        return other
    if kind != "assistant" or "model" not in value:
        return NotAnAssistant(where, _why_not(value, kind))
    live_id, created_at = value.get("id") or "", value.get("created_at")
    if not isinstance(live_id, str) or (live_id and not is_plain_id(live_id)):
        return NotAnAssistant(where, "has an id that is not valid for an assistant")
    body = {key: value[key] for key in FIELDS if key in value}
    extra = {key: entry for key, entry in value.items() if key not in _OWN and key not in FIELDS}
    return ImportedAssistant(live_id, body, where, created_at if type(created_at) is int else 0, extra)


def _why_not(value: Mapping[str, Any], kind: Any) -> str:
    if kind == "assistant.file":
        return "is a file attached to an assistant of the first API; the assistant itself names its files in file_ids"
    if isinstance(kind, str) and kind != "assistant":
        return f"is {kind[:60]!r}, not an assistant"
    if "error" in value:
        return "is an error response of a server"
    return "is not an assistant: it has no model"


def _read_several(entries: list[Any], where: str) -> Iterator[ImportedAssistant | NotAnAssistant]:
    for index, entry in enumerate(entries, 1):
        yield read_one(entry, f"{where}, entry {index}")


def _read_page(value: Mapping[str, Any], where: str) -> Iterator[ImportedAssistant | NotAnAssistant]:
    entries = value.get("data")
    if not isinstance(entries, list):
        yield NotAnAssistant(where, "is a listing without data")
        return
    yield from _read_several(entries, where)
    yield from _cut_off(value, where)


def _cut_off(value: Mapping[str, Any], where: str) -> Iterator[NotAnAssistant]:
    """Say that a page is not the whole listing, where it says so itself."""
    more = value.get("has_more")
    if more is not None and more is not False:
        says = "has more entries" if more is True else "has a `has_more` that is neither true nor false"
        yield NotAnAssistant(where, f"{says}: only this page of the listing could be read from it")


def _read_exported(entry: Any, where: str) -> ImportedAssistant | NotAnAssistant:
    """One entry of our own export, in which the server's own keys stand apart."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("body"), Mapping):
        return NotAnAssistant(where, "is no entry of an export")
    extra = entry.get("extra")
    known = {key: entry[key] for key in ("id", "created_at") if key in entry}
    return read_one({**(extra if isinstance(extra, Mapping) else {}), **entry["body"], **known}, where)


def _read_backup(value: Mapping[str, Any], where: str) -> ImportedAssistant | NotAnAssistant:
    """Read an assistant as it was before a write, from a file in `.trueup/backup/`."""
    return read_one({**value["body"], "object": "assistant"}, where)


SAVED_AGENTS: Final = "openai-agents"
"""The protocol of OpenAI's saved agents."""

SERVER_KEYS: Final = frozenset(
    {"id", "object", "type", "created_at", "updated_at", "archived_at", "version", "versions", "status", "kind"}
)
"""Keys that belong to the server and say nothing of the agent."""

_FORMATS: Final = ("json_object", "json_schema", "text")

NO_WORD: Final = "an assistant has no such field"

Read = Callable[[Mapping[str, Any]], tuple[dict[str, Any] | None, dict[str, Any]]]
"""Makes an assistant's tool of an agent's, None where there is none like it; and what of it is left."""


def read_agent(value: Mapping[str, Any], where: str) -> ImportedAssistant | None:
    """Read another platform's agent as an assistant; return None for any other object."""
    if value.get("type") == "agent" and "model" in value:
        return _read_anthropic(value, where)
    prompt = _find_prompt(value)
    if prompt is not None:
        return _read_flat(prompt, where)
    if value.get("object") == "agent" and "model" in value:
        return _read_flat(value, where)
    return None


def _read_anthropic(value: Mapping[str, Any], where: str) -> ImportedAssistant:
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
    tools, omissions = _read_tools(given.pop("tools", None), _read_custom_tool)
    return _make_import(given, {**body, "tools": tools}, where, omissions)


def _read_custom_tool(tool: Mapping[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    if tool.get("type") != "custom":
        return None, {}
    return _read_function(tool, "input_schema")


def _find_prompt(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a Foundry agent's latest prompt definition, flat beside its name, description and metadata."""
    versions = value.get("versions")
    latest = versions.get("latest") if isinstance(versions, Mapping) else None
    holder = latest if isinstance(latest, Mapping) else value
    definition = holder.get("definition")
    if not isinstance(definition, Mapping) or definition.get("kind") != "prompt" or "model" not in definition:
        return None
    around = {key: entry for key, entry in {**value, **holder}.items() if key != "definition"}
    return {**around, **definition}


def _read_flat(value: Mapping[str, Any], where: str) -> ImportedAssistant:
    """Read an OpenAI saved agent or a Foundry prompt agent: flat functions, `reasoning` and `text` objects."""
    given = dict(value)
    body: dict[str, Any] = {key: given.pop(key, None) for key in ("instructions", "model", "temperature", "top_p")}
    reasoning, text = given.get("reasoning"), given.get("text")
    if isinstance(reasoning, Mapping):
        del given["reasoning"]
        body["reasoning_effort"] = reasoning.get("effort")
        given.update({f"reasoning.{key}": entry for key, entry in reasoning.items() if key != "effort"})
    if isinstance(text, Mapping):
        del given["text"]
        body["response_format"] = _read_format(text.get("format"))
        given.update({f"text.{key}": entry for key, entry in text.items() if key != "format"})
    resources: dict[str, Any] = {}

    def tool_of(tool: Mapping[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        return _read_flat_tool(tool, resources)

    tools, omissions = _read_tools(given.pop("tools", None), tool_of)
    return _make_import(given, {**body, "tools": tools, "tool_resources": resources}, where, omissions)


def _read_flat_tool(tool: Mapping[str, Any], resources: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Return an assistant's form of a tool and the keys it cannot hold; add files and stores to `resources`."""
    kind = tool.get("type")
    rest = {key: entry for key, entry in tool.items() if key != "type"}
    if kind == "function":
        return _read_function(tool, "parameters")
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


def _read_function(tool: Mapping[str, Any], schema: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a function whose keys lie flat in the tool, and the other keys; `schema` is the parameters' key."""
    names = {"name": "name", "description": "description", schema: "parameters", "strict": "strict"}
    inner = {new: tool[old] for old, new in names.items() if tool.get(old) is not None}
    rest = {key: entry for key, entry in tool.items() if key not in names and key != "type"}
    return {"type": "function", "function": inner}, rest


def _read_tools(value: Any, read: Read) -> tuple[list[Any] | None, list[Omission]]:
    """Return the tools, or None if there are none or `read` does not know one; and what was left out."""
    if value is None:
        return None, []
    if not isinstance(value, list):
        return None, [Omission("tools", "tools is not in the definition: it is not a list")]
    tools: list[Any] = []
    omissions: list[Omission] = []
    for index, entry in enumerate(value):
        made, rest = read(entry) if isinstance(entry, Mapping) else (None, {})
        if made is None:
            kind = entry.get("type") if isinstance(entry, Mapping) else entry
            what = f"{str(kind)[:60]} is not a tool of an assistant"
            omissions.append(Omission(f"tools[{index}]", f"tools is not in the definition: tools[{index}]: {what}"))
        tools.append(made)
        for key, inner in rest.items():
            path = f"tools[{index}].{key}"
            omissions += [] if inner is None else [Omission(path, f"{path} is not in the definition: {NO_WORD}")]
    return (None if None in tools else tools), omissions


def _read_format(value: Any) -> Any:
    """Return a text format as an assistant has it, with the schema one level deeper."""
    if not isinstance(value, Mapping) or value.get("type") not in _FORMATS:
        return value
    if value["type"] != "json_schema":
        return None if value["type"] == "text" else {"type": value["type"]}
    return {"type": "json_schema", "json_schema": {key: entry for key, entry in value.items() if key != "type"}}


def _make_import(
    given: dict[str, Any], body: Mapping[str, Any], where: str, omissions: Sequence[Omission]
) -> ImportedAssistant:
    name = {"name": given.pop("name")} if "name" in given else {}
    own = {key: given.pop(key, None) for key in ("description", "metadata")}
    extra = {key: entry for key, entry in given.items() if key not in SERVER_KEYS}
    known = {key: entry for key, entry in {**own, **body}.items() if entry not in (None, {})}
    return ImportedAssistant("", {**name, **known}, where, extra=extra, omissions=tuple(omissions))
