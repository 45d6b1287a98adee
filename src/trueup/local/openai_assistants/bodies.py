"""Makes of a request what a vendor of the assistants protocol stores: fill-ins, merging and rounding, pure.

The fill-ins are those seen in recorded traffic of 2025 and in users' data. What no document establishes are `Habits`,
switches that a server is given. Knows no storage, no identifiers but those it is handed, and no transport.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from trueup.local.openai_assistants.vendors import DATED_RANKER, METADATA, STORED, AssistantsVendor
from trueup.local.rules import Check, Refusal, record


@dataclass(frozen=True, slots=True)
class Habits:
    """One possible truth where the documents are silent; the default is what most of them hint at.

    `metadata`: a modify replaces all keys, or adds to them and removes none. `null_key`: a null metadata value is
    refused, or removes its key. `resources`: of a tool that a modify of `tool_resources` does not name they stay
    (`merge`) or go (`replace`). `kept_on_null`: fields that a null leaves as they are, where others are reset.
    `refuses_unknown`: unknown top-level fields are a 400, else they are ignored. `float32`: sampling numbers come back
    rounded, also where the vendor does not type them so. `fills_schema`: a JSON schema comes back with `strict` and
    `description`. `dates_ranker`: `ranker: auto` comes back as a dated one. `empty_is_null`: an empty text comes back
    as null. `last_id`: a page of a vendor that may leave it out has one. `refuses_sampling`: reasoning models take no
    `temperature` and `top_p`, stored ones included, as users of three vendors reported.
    """

    metadata: Literal["replace", "merge"] = "replace"
    null_key: Literal["refuse", "remove"] = "refuse"
    resources: Literal["merge", "replace"] = "merge"
    kept_on_null: frozenset[str] = frozenset()
    refuses_unknown: bool = True
    float32: bool = False
    fills_schema: bool = False
    dates_ranker: bool = False
    empty_is_null: bool = False
    last_id: bool = True
    refuses_sampling: bool = True


USUAL = Habits()
"""The habits of a server that was told nothing."""


REASONING = ("o1", "o3", "o4", "gpt-5")
"""How the names of models begin that take no sampling numbers, unless they chat."""

SAMPLING = ("top_p", "temperature")
LISTS = {"code_interpreter": "file_ids", "file_search": "vector_store_ids"}
"""The list that an enabled tool always has, empty when nothing is attached."""


def check_body(
    body: Mapping[str, Any], fields: Mapping[str, Check], required: Iterable[str], habits: Habits
) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the body as the server takes it, and the metadata keys that a null takes away. Raises `Refusal`."""
    taken = {name: value for name, value in body.items() if habits.refuses_unknown or name in fields}
    removed: frozenset[str] = frozenset()
    pairs = taken.get("metadata")
    if habits.null_key == "remove" and isinstance(pairs, dict):
        removed = frozenset(name for name, value in pairs.items() if value is None)
        taken["metadata"] = {name: value for name, value in pairs.items() if value is not None}
    record(fields, tuple(required))(taken, "")
    return taken, removed


def make_assistant(
    body: Mapping[str, Any], identifier: str, created_at: int, vendor: AssistantsVendor, habits: Habits
) -> dict[str, Any]:
    """Return the assistant that a checked create makes; `created_at` is Unix seconds.

    A store of the `vector_stores` helper gets the assistant's own identifier behind `vs_`. Raises `Refusal` when a
    reasoning model is given sampling numbers.
    """
    assistant = {**dict.fromkeys(STORED), **body}
    assistant.update(id=identifier, object="assistant", created_at=created_at, tool_resources={})
    assistant["metadata"] = dict(body.get("metadata") or {})
    for tool, lists in (body.get("tool_resources") or {}).items():
        assistant["tool_resources"][tool] = _make_store(lists, identifier)
    return fill_defaults(assistant, vendor, habits)


def modify_assistant(
    stored: Mapping[str, Any],
    body: Mapping[str, Any],
    removed: frozenset[str],
    vendor: AssistantsVendor,
    habits: Habits,
) -> dict[str, Any]:
    """Return the assistant after a checked modify: what is omitted stays, tools and resource lists are replaced whole.

    What only another view of the same assistant knows stays too. Raises `Refusal` as `created` does, and when merged
    metadata ends above 16 pairs.
    """
    named = {name: value for name, value in body.items() if value is not None or name not in habits.kept_on_null}
    assistant = {**stored, **named}
    if "metadata" in named:
        kept = stored["metadata"] if habits.metadata == "merge" and named["metadata"] is not None else {}
        pairs = {**kept, **(named["metadata"] or {})}
        assistant["metadata"] = {name: value for name, value in pairs.items() if name not in removed}
        METADATA(assistant["metadata"], "metadata")
    if named.get("tool_resources") is not None:
        assistant["tool_resources"] = _merge_resources(stored["tool_resources"], named["tool_resources"], habits)
    elsewhere = {name: value for name, value in stored.items() if name not in STORED}
    return {**fill_defaults(assistant, vendor, habits), **elsewhere}


def fill_defaults(assistant: Mapping[str, Any], vendor: AssistantsVendor, habits: Habits) -> dict[str, Any]:
    """Return the assistant with every fill-in of the server, in its key order.

    Raises `Refusal` for refused sampling.
    """
    settled = {name: assistant[name] for name in STORED}
    model = settled["model"]
    reasons = habits.refuses_sampling and model.startswith(REASONING) and "-chat" not in model
    for name in SAMPLING:
        if reasons and settled[name] is not None:
            said = f"Unsupported parameter: '{name}' is not supported with this model."
            raise Refusal(said, name, "unsupported_parameter")
        if not reasons:
            settled[name] = 1.0 if settled[name] is None else float(settled[name])
            settled[name] = _narrow(settled[name]) if vendor.float32 or habits.float32 else settled[name]
    if habits.empty_is_null:
        settled.update({name: settled[name] or None for name in ("name", "description", "instructions")})
    settled["tools"] = [_tool(tool, vendor, habits) for tool in settled["tools"] or ()]
    settled["tool_resources"] = _with_lists(settled["tool_resources"] or {}, settled["tools"])
    settled["response_format"] = _format(settled["response_format"], habits)
    return settled


def _narrow(value: float) -> float:
    """Return the nearest 32-bit number, as a server answers it that types its numbers so: 0.7 is 0.699999988079071."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def _make_store(lists: Any, identifier: str) -> Any:
    """Return a tool's resources on create, with the helper's stores made."""
    if not isinstance(lists, dict) or "vector_stores" not in lists:
        return lists
    return {"vector_store_ids": [f"vs_{identifier.removeprefix('asst_')}" for _ in lists["vector_stores"]]}


def _merge_resources(kept: Mapping[str, Any], sent: Mapping[str, Any], habits: Habits) -> dict[str, Any]:
    """Each list that was sent in the place of the old one; other tools keep theirs if the server merges."""
    merged = dict(kept) if habits.resources == "merge" else {}
    for tool, lists in sent.items():
        if not isinstance(lists, dict):
            merged[tool] = lists
            continue
        old = dict(kept.get(tool, {}))
        for one, other in (("file_ids", "data_sources"), ("data_sources", "file_ids")):
            if one in lists:
                old.pop(other, None)
        merged[tool] = {**old, **lists}
    return merged


def _with_lists(resources: Mapping[str, Any], tools: list[dict[str, Any]]) -> dict[str, Any]:
    """Every enabled tool has its list; a list without its tool stays where it is."""
    enabled = {tool["type"] for tool in tools}
    filled = {}
    for tool, name in LISTS.items():
        if tool in resources or tool in enabled:
            lists = resources.get(tool, {})
            filled[tool] = lists if "data_sources" in lists else {name: [], **lists}
    return {**filled, **{tool: lists for tool, lists in resources.items() if tool not in LISTS}}


def _tool(tool: Mapping[str, Any], vendor: AssistantsVendor, habits: Habits) -> dict[str, Any]:
    if tool["type"] == "function":
        sent = {name: value for name, value in tool["function"].items() if value is not None}
        function = {**vendor.function, **sent}
        order = ("name", "description", "parameters", "strict")
        return {"type": "function", "function": {name: function[name] for name in order if name in function}}
    if tool["type"] == "file_search":
        return {"type": "file_search", "file_search": _search(tool.get("file_search", {}), vendor, habits)}
    return dict(tool)


def _search(sent: Mapping[str, Any], vendor: AssistantsVendor, habits: Habits) -> dict[str, Any]:
    """Return the options of file search, filled in as this vendor does."""
    search = {**vendor.search, **sent, "ranking_options": {**vendor.ranking, **sent.get("ranking_options", {})}}
    if "max_num_results" in search:
        search["max_num_results"] = int(search["max_num_results"])
    ranking = search["ranking_options"]
    ranking["score_threshold"] = float(ranking["score_threshold"])
    if habits.dates_ranker and ranking["ranker"] == "auto":
        ranking["ranker"] = DATED_RANKER
    return search


def _format(value: Any, habits: Habits) -> Any:
    if value is None:
        return "auto"
    if not habits.fills_schema or not isinstance(value, dict) or value["type"] != "json_schema":
        return value
    schema = value["json_schema"]
    filled = {"name": schema["name"], "description": None, **schema, "strict": bool(schema.get("strict"))}
    return {"type": "json_schema", "json_schema": filled}
