"""What the assistants API takes, and what it makes of it: limits, fill-ins and key order, as tables and pure functions.

The limits are those of OpenAI's published specification and its prose; the fill-ins are those seen in recorded traffic
of 2025. Where neither says, the choice is named at the function. Knows no storage, no identifiers and no transport.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.local import rules
from trueup.local.rules import Check, Refusal, array, boolean, choice, kinds, mapping, nullable, number, record, text

PAIRS = 16
WORD = "[a-zA-Z0-9_-]+"
DATED_RANKER = "default_2024_08_21"
RANKERS = ("auto", DATED_RANKER)
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
REASONING = ("o1", "o3", "o4", "gpt-5")
"""How the names of models begin that take no sampling numbers."""

_TYPE = text()
_METADATA = nullable(rules.table(PAIRS, 64, text(512)))
_FILE_IDS = array(text(), 20, "strings")
_STORE_FILES = array(text(), 100_000_000, "strings")
_STORE_IDS = array(text(), 1, "strings")

_RANKING = record(
    {"ranker": choice(*RANKERS), "score_threshold": number(0, 1), "hybrid_search": nullable(mapping)},
    required=("score_threshold",),
)
_FUNCTION = record(
    {"name": text(64, WORD), "description": text(), "parameters": mapping, "strict": nullable(boolean)},
    required=("name",),
)
_TOOL = kinds(
    {
        "code_interpreter": record({"type": _TYPE}),
        "file_search": record(
            {"type": _TYPE, "file_search": record({"max_num_results": rules.whole(1, 50), "ranking_options": _RANKING})}
        ),
        "function": record({"type": _TYPE, "function": _FUNCTION}, required=("function",)),
    }
)
_FORMAT = rules.either(
    choice("auto"),
    kinds(
        {
            "text": record({"type": _TYPE}),
            "json_object": record({"type": _TYPE}),
            "json_schema": record(
                {
                    "type": _TYPE,
                    "json_schema": record(
                        {
                            "name": text(64, WORD),
                            "description": text(),
                            "schema": mapping,
                            "strict": nullable(boolean),
                        },
                        required=("name",),
                    ),
                },
                required=("json_schema",),
            ),
        }
    ),
)


def _chunks(value: Any, path: str) -> None:
    """Static chunking: 100 to 4096 tokens, and an overlap of at most half of that."""
    record(
        {"max_chunk_size_tokens": rules.whole(100, 4096), "chunk_overlap_tokens": rules.whole(0, 2048)},
        required=("max_chunk_size_tokens", "chunk_overlap_tokens"),
    )(value, path)
    if value["chunk_overlap_tokens"] * 2 > value["max_chunk_size_tokens"]:
        at = f"{path}.chunk_overlap_tokens"
        raise Refusal(f"Invalid '{at}': it must not exceed half of 'max_chunk_size_tokens'.", at, "invalid_value")


_CHUNKING = kinds(
    {"auto": record({"type": _TYPE}), "static": record({"type": _TYPE, "static": _chunks}, required=("static",))}
)
_NEW_STORE = record({"file_ids": _STORE_FILES, "chunking_strategy": _CHUNKING, "metadata": _METADATA})


def _new_search(value: Any, path: str) -> None:
    """File search on create: a store by id, or the helper that makes one, never both."""
    record({"vector_store_ids": _STORE_IDS, "vector_stores": array(_NEW_STORE, 1, "objects")})(value, path)
    if "vector_store_ids" in value and "vector_stores" in value:
        at = f"{path}.vector_stores"
        raise Refusal(f"Invalid '{at}': it cannot be given together with 'vector_store_ids'.", at, "invalid_value")


def _resources(search: Check) -> Check:
    return nullable(record({"code_interpreter": record({"file_ids": _FILE_IDS}), "file_search": search}))


_FIELDS: Mapping[str, Check] = {
    "model": text(minimum=1),
    "name": nullable(text(256)),
    "description": nullable(text(512)),
    "instructions": nullable(text(256_000)),
    "tools": array(_TOOL, 128, "tools"),
    "top_p": nullable(number(0, 1)),
    "temperature": nullable(number(0, 2)),
    "reasoning_effort": nullable(choice(*EFFORTS)),
    "metadata": _METADATA,
    "response_format": nullable(_FORMAT),
}

CREATE = record({**_FIELDS, "tool_resources": _resources(_new_search)}, required=("model",))
"""The check of a create's body."""

MODIFY = record({**_FIELDS, "tool_resources": _resources(record({"vector_store_ids": _STORE_IDS}))})
"""The check of a modify's body: every field may be left out, and the vector store helper is unknown."""

ORDER = (
    "id", "object", "created_at", "name", "description", "model", "instructions", "tools", "top_p", "temperature",
    "reasoning_effort", "tool_resources", "metadata", "response_format",
)  # fmt: skip
"""The keys of an answer in the order in which they were recorded, all of them always there."""


def created(body: Mapping[str, Any], identifier: str, created_at: int, strict_models: bool = False) -> dict[str, Any]:
    """The assistant that a checked create makes; `created_at` is Unix seconds.

    A store of the `vector_stores` helper gets the assistant's own identifier behind `vs_`. Raises `Refusal` when
    `strict_models` and the model is a reasoning model that is given sampling numbers.
    """
    assistant = {**dict.fromkeys(ORDER), **body}
    assistant.update(id=identifier, object="assistant", created_at=created_at, tool_resources={})
    assistant["metadata"] = dict(body.get("metadata") or {})
    for tool, lists in (body.get("tool_resources") or {}).items():
        assistant["tool_resources"][tool] = _stored(lists, identifier)
    return _settled(assistant, strict_models)


def modified(
    stored: Mapping[str, Any], body: Mapping[str, Any], merge_metadata: bool = False, strict_models: bool = False
) -> dict[str, Any]:
    """The assistant after a checked modify: what is omitted stays, tools and resource lists are replaced whole.

    Not established anywhere, hence chosen: null resets a field; resources of a tool that is not named stay; metadata
    is replaced unless `merge_metadata`, when keys are added and never removed. Raises `Refusal` as `created` does,
    and when merging ends above 16 pairs.
    """
    assistant = {**stored, **body}
    if "metadata" in body:
        kept = stored["metadata"] if merge_metadata else {}
        assistant["metadata"] = {**kept, **(body["metadata"] or {})}
        _METADATA(assistant["metadata"], "metadata")
    if body.get("tool_resources") is not None:
        kept = stored["tool_resources"]
        named = {tool: {**kept.get(tool, {}), **lists} for tool, lists in body["tool_resources"].items()}
        assistant["tool_resources"] = {**kept, **named}
    return _settled(assistant, strict_models)


def _stored(lists: Mapping[str, Any], identifier: str) -> dict[str, Any]:
    stores = lists.get("vector_stores")
    if stores is None:
        return dict(lists)
    return {"vector_store_ids": [f"vs_{identifier.removeprefix('asst_')}" for _ in stores]}


def _settled(assistant: Mapping[str, Any], strict_models: bool) -> dict[str, Any]:
    """The assistant with every fill-in of the server, in its key order."""
    settled = {name: assistant[name] for name in ORDER}
    reasons = strict_models and settled["model"].startswith(REASONING)
    for name in ("top_p", "temperature"):
        if reasons and settled[name] is not None:
            said = f"Unsupported parameter: '{name}' is not supported with this model."
            raise Refusal(said, name, "unsupported_parameter")
        if not reasons:
            settled[name] = 1.0 if settled[name] is None else float(settled[name])
    settled["tools"] = [_tool(tool) for tool in settled["tools"] or ()]
    settled["tool_resources"] = _with_lists(settled["tool_resources"] or {}, settled["tools"])
    if settled["response_format"] is None:
        settled["response_format"] = "auto"
    return settled


def _with_lists(resources: Mapping[str, Any], tools: list[dict[str, Any]]) -> dict[str, Any]:
    """Every enabled tool has its list, empty when nothing is attached; a list without its tool stays where it is."""
    lists = {"code_interpreter": "file_ids", "file_search": "vector_store_ids"}
    enabled = {tool["type"] for tool in tools}
    return {
        tool: {name: [], **resources.get(tool, {})}
        for tool, name in lists.items()
        if tool in resources or tool in enabled
    }


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    if tool["type"] == "function":
        sent = tool["function"]
        function = {name: sent[name] for name in ("name", "description") if name in sent}
        function["parameters"] = sent.get("parameters", {"type": "object", "properties": {}})
        function["strict"] = bool(sent.get("strict"))
        return {"type": "function", "function": function}
    if tool["type"] == "file_search":
        return {"type": "file_search", "file_search": _search(tool.get("file_search", {}))}
    return {"type": tool["type"]}


def _search(sent: Mapping[str, Any]) -> dict[str, Any]:
    """The options of file search: ranking filled in as recorded, `max_num_results` left away when it was not sent."""
    search: dict[str, Any] = {"max_num_results": int(sent["max_num_results"])} if "max_num_results" in sent else {}
    ranking = sent.get("ranking_options", {})
    search["ranking_options"] = {
        "ranker": ranking.get("ranker", DATED_RANKER),
        "score_threshold": float(ranking.get("score_threshold", 0)),
        "hybrid_search": ranking.get("hybrid_search"),
    }
    return search
