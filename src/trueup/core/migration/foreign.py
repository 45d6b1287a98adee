"""Assistants in the files of other tools: what a JSON value is, told by its content, and the assistants in it.

Known are an assistant as the API answered it (the first protocol's too), a page of a listing, a list of either, our
own export and backup, and the states of Terraform with the resource `openai_assistant`. Everything in a file is
hostile until checked. Reads no file; `core.migration.foreign_agents` knows the agents of other platforms.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from trueup.core.memory.state import is_plain_id
from trueup.core.migration.first_protocol import migrated
from trueup.core.migration.foreign_agents import agent
from trueup.core.migration.imported import Found
from trueup.core.rules.limits import FIELDS

TERRAFORM: Final = "openai_assistant"

_OWN: Final = frozenset({"id", "object", "created_at"})
"""Keys of an answer that belong to the server and say nothing of the assistant."""

_DEPTH: Final = 8
"""Modules within modules of a Terraform state that are looked into."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Something in a file that is no assistant, and why, as the end of a sentence."""

    where: str
    why: str


def assistants_in(value: Any, where: str) -> Iterator[Found | Unread]:
    """Every assistant in the JSON value of a file, and whatever else is there; `where` names the file."""
    if isinstance(value, list):
        yield from _several(value, where)
    elif not isinstance(value, Mapping):
        yield Unread(where, "holds no JSON object, and no list of them")
    elif value.get("kind") == "export" and isinstance(value.get("assistants"), list):
        for index, entry in enumerate(value["assistants"], 1):
            yield _exported(entry, f"{where}, entry {index}")
    elif value.get("object") == "list" or (isinstance(value.get("data"), list) and "model" not in value):
        yield from _page(value, where)
    elif isinstance(value.get("resources"), list) and "terraform_version" in value:
        yield from _terraform_state(value["resources"], where)
    elif isinstance(value.get("values"), Mapping) and "format_version" in value:
        yield from _terraform_shown(value["values"].get("root_module"), where, 0)
    elif isinstance(value.get("body"), Mapping) and "taken_at" in value:
        yield _backup(value, where)
    else:
        yield one(value, where)


def one(value: Any, where: str) -> Found | Unread:
    """The assistant that a JSON object is."""
    if not isinstance(value, Mapping):
        return Unread(where, "is no JSON object")
    kind = value.get("object", "assistant")
    other = agent(value, where) if value.get("object") != "assistant" else None
    if other is not None:
        return other
    if kind != "assistant" or "model" not in value:
        return Unread(where, _why_none(value, kind))
    live_id, created_at = value.get("id") or "", value.get("created_at")
    if not isinstance(live_id, str) or (live_id and not is_plain_id(live_id)):
        return Unread(where, "has an id that no assistant can have")
    body = {key: value[key] for key in FIELDS if key in value}
    extra = {key: entry for key, entry in value.items() if key not in _OWN and key not in FIELDS}
    return migrated(Found(live_id, body, where, created_at if type(created_at) is int else 0, extra))


def _why_none(value: Mapping[str, Any], kind: Any) -> str:
    if kind == "assistant.file":
        return "is a file attached to an assistant of the first API; the assistant itself names its files in file_ids"
    if isinstance(kind, str) and kind != "assistant":
        return f"is {kind[:60]!r}, which is no assistant"
    if "error" in value:
        return "is an error that a server answered"
    return "is no assistant: it names no model"


def _several(entries: list[Any], where: str) -> Iterator[Found | Unread]:
    for index, entry in enumerate(entries, 1):
        yield one(entry, f"{where}, entry {index}")


def _page(value: Mapping[str, Any], where: str) -> Iterator[Found | Unread]:
    entries = value.get("data")
    if not isinstance(entries, list):
        yield Unread(where, "is a listing without data")
        return
    yield from _several(entries, where)
    more = value.get("has_more")
    if more is not None and more is not False:
        says = "says that there is more" if more is True else "has a `has_more` that is neither true nor false"
        yield Unread(where, f"{says}: only this page of the listing could be read from it")


def _exported(entry: Any, where: str) -> Found | Unread:
    """One entry of our own export, in which the server's own keys stand apart."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("body"), Mapping):
        return Unread(where, "is no entry of an export")
    extra = entry.get("extra")
    known = {key: entry[key] for key in ("id", "created_at") if key in entry}
    return one({**(extra if isinstance(extra, Mapping) else {}), **entry["body"], **known}, where)


def _backup(value: Mapping[str, Any], where: str) -> Found | Unread:
    """What `.trueup/backup/` keeps: an assistant as it was before a write."""
    return one({**value["body"], "object": "assistant"}, where)


def _terraform_state(resources: list[Any], where: str) -> Iterator[Found | Unread]:
    """A state file of version 4: each resource with its instances."""
    mine = [entry for entry in resources if isinstance(entry, Mapping) and entry.get("type") == TERRAFORM]
    managed = [entry for entry in mine if entry.get("mode", "managed") == "managed"]
    for entry in managed:
        instances = entry.get("instances")
        for instance in instances if isinstance(instances, list) else []:
            attributes = instance.get("attributes") if isinstance(instance, Mapping) else None
            yield _terraform(attributes, f"{where}, {_address(entry, instance)}")
    if not managed:
        yield Unread(where, f"is a Terraform state without a resource {TERRAFORM}")


def _address(resource: Mapping[str, Any], instance: Any) -> str:
    """What Terraform calls an instance of a resource: with its module, and its key where there are several."""
    module, name = resource.get("module"), str(resource.get("name", ""))[:60]
    key = instance.get("index_key") if isinstance(instance, Mapping) else None
    index = f"[{json.dumps(key, ensure_ascii=False)[:60]}]" if isinstance(key, (str, int)) else ""
    return f"{module[:60]}.{TERRAFORM}.{name}{index}" if isinstance(module, str) else f"{TERRAFORM}.{name}{index}"


def _terraform_shown(module: Any, where: str, depth: int) -> Iterator[Found | Unread]:
    """What `terraform show -json` prints: resources in modules."""
    if not isinstance(module, Mapping) or depth > _DEPTH:
        yield Unread(where, "is a Terraform state that cannot be read so far down")
        return
    resources, children = module.get("resources"), module.get("child_modules")
    for entry in resources if isinstance(resources, list) else []:
        if isinstance(entry, Mapping) and entry.get("type") == TERRAFORM and entry.get("mode", "managed") == "managed":
            yield _terraform(entry.get("values"), f"{where}, {str(entry.get('address', TERRAFORM))[:120]}")
    for child in children if isinstance(children, list) else []:
        yield from _terraform_shown(child, where, depth + 1)


def _terraform(attributes: Any, where: str) -> Found | Unread:
    """A resource's attributes: the API's names, schemas as JSON text, blocks as lists of one, null for unset."""
    if not isinstance(attributes, Mapping):
        return Unread(where, "has no attributes")
    known = (*FIELDS, *_OWN, "file_ids")
    given = {key: value for key, value in attributes.items() if value is not None and key in known}
    tools = given.get("tools")
    if isinstance(tools, list):
        given["tools"] = [_terraform_tool(tool) for tool in tools]
    for key in ("tool_resources", "response_format"):
        if key in given:
            given[key] = _without_nulls(given[key])
    answer = given.get("response_format")
    if isinstance(answer, Mapping) and isinstance(answer.get("json_schema"), Mapping):
        given["response_format"] = {**answer, "json_schema": _parsed(answer["json_schema"], "schema")}
    given.pop("object", None)
    found = one(given, where)
    unknown = sorted(key for key, value in attributes.items() if value not in (None, [], {}) and key not in given)
    if isinstance(found, Unread) or not unknown:
        return found
    return replace(found, extra={**found.extra, **{key: attributes[key] for key in unknown if key != "object"}})


def _terraform_tool(tool: Any) -> Any:
    """A tool: a word, or an object whose function's parameters are JSON as text."""
    if isinstance(tool, str):
        return {"type": tool}
    tool = _without_nulls(tool)
    if not isinstance(tool, Mapping) or not isinstance(tool.get("function"), Mapping):
        return tool
    return {**tool, "function": _parsed(tool["function"], "parameters")}


def _without_nulls(value: Any) -> Any:
    """A block of Terraform as an object: a list of one is that one, and what is null was never written."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], Mapping):
        value = value[0]
    if not isinstance(value, Mapping):
        return value
    entries = {key: _without_nulls(entry) for key, entry in value.items() if entry is not None}
    return {key: entry for key, entry in entries.items() if entry != {}}


def _parsed(holder: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The holder with the JSON text at a key as its value; left out where it is empty, kept where it is no JSON."""
    text = holder.get(key)
    if not isinstance(text, str):
        return dict(holder)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return dict(holder)
    rest = {name: entry for name, entry in holder.items() if name != key}
    return {**rest, key: value} if value else rest
