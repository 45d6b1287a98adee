"""Assistants in states of Terraform, as the API would have answered them. Reads no file.

A shape is told by its attributes and not by the provider's name, for providers are forked. What is understood comes
from the published schemas of the providers that docs/importing.md names: a state keeps nested objects as they are or as
lists of one, JSON Schemas and whole functions as JSON text, and null, an empty text or an empty list where nothing was
set.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from trueup.core.checked import load_json
from trueup.core.migration.imports import NotAnAssistant, Omission

ASSISTANT: Final = "openai_assistant"

_DEPTH: Final = 8
"""Modules within modules that are looked into."""

_PROVIDERS_OWN: Final = frozenset({"timeouts", "last_updated", "object_id", "object"})
"""Attributes that belong to Terraform, the provider or the server, and say nothing of the assistant."""

_PLAIN: Final = (
    "created_at", "description", "file_ids", "instructions", "metadata", "model", "reasoning_effort", "temperature",
    "top_p",
)  # fmt: skip
_BLOCKS: Final = ("tool_resources", "response_format")
_SAMPLING: Final = ("temperature", "top_p")

_FLAGS: Final = {"enable_retrieval": "retrieval", "enable_code_interpreter": "code_interpreter"}
"""Attributes that say of one tool each whether the assistant has it, in the order in which they are sent."""

POORER: Final = (
    "the state keeps neither `strict` of a function nor the settings of file_search: where they are live, the plan "
    "after linking shows them as removed"
)

_UNSET: Final[tuple[Any, ...]] = (None, "", [], {})
"""What providers keep where nothing was set."""


@dataclass(frozen=True, slots=True)
class TerraformAssistant:
    """An assistant of a state: `value` in the API's names, `where` its file and address."""

    where: str
    value: Mapping[str, Any]
    omissions: tuple[Omission, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Instance:
    """One managed thing of a state; `problem` says why its attributes do not count, as the end of a sentence."""

    type: str
    where: str
    attributes: Any
    problem: str = ""


def find_in_state(value: Mapping[str, Any], where: str) -> Iterator[TerraformAssistant | NotAnAssistant] | None:
    """Return what a state holds, the file of version 4 or what `terraform show -json` prints; None for other values."""
    resources, shown = value.get("resources"), value.get("values")
    if isinstance(resources, list) and "terraform_version" in value:
        return _find_assistants(_walk_stored(resources, where), where)
    if isinstance(shown, Mapping) and "format_version" in value:
        return _find_assistants(_walk_shown(shown.get("root_module"), where, 0), where)
    return None


def _find_assistants(
    instances: Iterator[_Instance | NotAnAssistant], where: str
) -> Iterator[TerraformAssistant | NotAnAssistant]:
    has_any = False
    for item in instances:
        if isinstance(item, NotAnAssistant):
            yield item
        elif item.type == ASSISTANT:
            has_any = True
            is_good = isinstance(item.attributes, Mapping) and not item.problem
            yield _read_resource(item) if is_good else NotAnAssistant(item.where, item.problem or "has no attributes")
        elif item.type.endswith("_assistant_file"):
            yield NotAnAssistant(item.where, _say_attachment(item.attributes))
        elif item.type.endswith("_assistant"):
            yield NotAnAssistant(item.where, f"is a resource {item.type}, whose attributes are not known")
    if not has_any:
        yield NotAnAssistant(where, f"is a Terraform state without a resource {ASSISTANT}")


def _walk_stored(resources: list[Any], where: str) -> Iterator[_Instance]:
    """Yield the managed instances of a state file."""
    for entry in resources:
        if not isinstance(entry, Mapping) or entry.get("mode", "managed") != "managed":
            continue
        instances, kind = entry.get("instances"), str(entry.get("type", ""))[:60]
        for instance in instances if isinstance(instances, list) else []:
            made = instance if isinstance(instance, Mapping) else {}
            problem = "is deposed: Terraform will destroy it" if made.get("deposed") else ""
            yield _Instance(kind, f"{where}, {_make_address(entry, made, kind)}", made.get("attributes"), problem)


def _make_address(resource: Mapping[str, Any], instance: Mapping[str, Any], kind: str) -> str:
    """Return Terraform's address of an instance: with its module, and its key if it has one."""
    module, name, key = resource.get("module"), str(resource.get("name", ""))[:60], instance.get("index_key")
    index = f"[{json.dumps(key, ensure_ascii=False)[:60]}]" if isinstance(key, (str, int)) else ""
    return f"{module[:60]}.{kind}.{name}{index}" if isinstance(module, str) else f"{kind}.{name}{index}"


def _walk_shown(module: Any, where: str, depth: int) -> Iterator[_Instance | NotAnAssistant]:
    """Yield the managed instances in the output of `terraform show -json`, module by module."""
    if not isinstance(module, Mapping) or depth > _DEPTH:
        yield NotAnAssistant(where, "is a Terraform state that is nested too deeply")
        return
    resources, children = module.get("resources"), module.get("child_modules")
    for entry in resources if isinstance(resources, list) else []:
        if isinstance(entry, Mapping) and entry.get("mode", "managed") == "managed":
            kind = str(entry.get("type", ""))[:60]
            yield _Instance(kind, f"{where}, {str(entry.get('address', kind))[:120]}", entry.get("values"))
    for child in children if isinstance(children, list) else []:
        yield from _walk_shown(child, where, depth + 1)


def _say_attachment(attributes: Any) -> str:
    """Why a resource that attaches a file to an assistant of the first API is no assistant."""
    given = attributes if isinstance(attributes, Mapping) else {}
    file = str(given.get("file_id") or given.get("filename") or "a file")[:120]
    owner = str(given.get("assistant_id") or "an assistant")[:120]
    return f"attaches {file} to {owner}, as the first API did; add the file by hand to the definition's tool_resources"


def _read_resource(item: _Instance) -> TerraformAssistant:
    """Return an instance's attributes under the API's names; unset ones are absent."""
    given, omissions = item.attributes, []
    value: dict[str, Any] = {key: entry for key, entry in given.items() if _is_unknown(key) and entry not in _UNSET}
    value |= {key: given[key] for key in _PLAIN if given.get(key) not in _UNSET}
    value |= {key: _open_block(given[key], 2) for key in _BLOCKS if given.get(key) not in _UNSET}
    value |= {"name": given["name"]} if "name" in given else {}  # a state has the live one, null too
    value["id"] = given.get("object_id") or given.get("id")
    for key in _SAMPLING:
        if type(value.get(key)) in (int, float) and value[key] == 0:
            del value[key]
            omissions.append(
                Omission(key, f"{key} is not in the definition: a provider stores 0 also where it is not set")
            )
    answer = value.get("response_format")
    if isinstance(answer, Mapping) and isinstance(answer.get("json_schema"), Mapping):
        value["response_format"] = {**answer, "json_schema": _parse_schema(answer["json_schema"], "schema")}
    tools, lost = _read_tools(given)
    value |= {} if tools is None else {"tools": tools}
    remarks = (POORER,) if isinstance(tools, list) and any(map(_is_poor, tools)) else ()
    return TerraformAssistant(item.where, value, (*omissions, *lost), remarks)


def _is_unknown(key: str) -> bool:
    return key not in {*_PLAIN, *_BLOCKS, *_PROVIDERS_OWN, *_FLAGS, "id", "name", "tools"}


def _is_poor(tool: Any) -> bool:
    """Whether the API knows more of a tool than the state keeps."""
    if not isinstance(tool, Mapping):
        return False
    function = tool.get("function")
    has_strict = isinstance(function, Mapping) and "strict" in function
    return not has_strict if tool.get("type") == "function" else tool == {"type": "file_search"}


def _open_block(value: Any, depth: int) -> Any:
    """Return a block as an object: unwrap a list of one, drop unset values. `depth` is how deep blocks nest."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], Mapping):
        value = value[0]
    if not isinstance(value, Mapping):
        return value
    kept = {key: _open_block(entry, depth - 1) if depth > 1 else entry for key, entry in value.items()}
    return {key: entry for key, entry in kept.items() if entry not in _UNSET}


def _read_tools(given: Mapping[str, Any]) -> tuple[Any, list[Omission]]:
    """Return the tools, or None if the state has none or cannot hold one of them; and what was left out."""
    value, omissions = given.get("tools"), []
    if value in _UNSET:
        flagged = [{"type": kind} for flag, kind in _FLAGS.items() if given.get(flag) is True]
        return flagged or None, []
    if not isinstance(value, list):
        return value, []
    tools = []
    for index, entry in enumerate(value):
        made = _read_tool(entry, f"tools[{index}]")
        if isinstance(made, Omission):
            omissions.append(made)
        tools.append(made)
    return (None if omissions else tools), omissions


def _read_tool(entry: Any, place: str) -> Any:
    """One tool as the API has it: of a word, of a nested object, or of flat attributes; or why it cannot be had."""
    if isinstance(entry, str):
        entry = {"type": entry}
    if not isinstance(entry, Mapping):
        return entry
    tool = {key: inner for key, inner in entry.items() if inner not in _UNSET}
    if tool.get("type") != "function":
        return {key: _open_block(inner, 2) for key, inner in tool.items()}
    for key in ("function", "function_definition"):
        if key in tool:
            return _read_function(tool, key, place)
    flat = {key: tool.pop(key) for key in ("name", "description", "parameters", "strict") if key in tool}
    if not flat:
        return _lost_tool(place, "the state does not keep the function, only that there is one")
    return {**tool, "function": _parse_schema(flat, "parameters")}


def _read_function(tool: dict[str, Any], key: str, place: str) -> Any:
    """Return a tool with its function, an object or JSON text at `key`, as an object; or an Omission."""
    held = tool.pop(key)
    if isinstance(held, str):
        held = _parse(held)
        if isinstance(held, Mapping) and held.get("type") == "function" and isinstance(held.get("function"), Mapping):
            held = held["function"]
        if not isinstance(held, Mapping) or not isinstance(held.get("name"), str):
            return _lost_tool(f"{place}.{key}", "it is not the JSON of a function with a name")
        return {**tool, "function": dict(held)}
    held = _open_block(held, 1)
    return {**tool, "function": _parse_schema(held, "parameters") if isinstance(held, Mapping) else held}


def _lost_tool(place: str, why: str) -> Omission:
    return Omission(place, f"tools is not in the definition, and what is live stays as it is: {place}: {why}")


def _parse_schema(holder: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Parse the JSON text at a key of the holder; drop the key if the text is empty, keep the text if it is no JSON."""
    text = holder.get(key)
    if not isinstance(text, str):
        return dict(holder)
    value = _parse(text)
    rest = {name: entry for name, entry in holder.items() if name != key}
    return rest if value is None else {**rest, key: value}


def _parse(text: str) -> Any:
    """Return the value of a JSON text, None if it is empty or null, or the text itself if it is no JSON."""
    if not text.strip():
        return None
    try:
        return load_json(text)
    except ValueError:
        return text
