"""The vendors that speak the assistants protocol: what each takes, where it listens, whom it lets in, how it answers.

From the vendors' specifications, recorded traffic and what their users report. Knows no stored assistant, and nothing
of the rows by which the tool's own client speaks: each is checked against the other only because neither copies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trueup.local import rules
from trueup.local.rules import Check, Refusal, array, boolean, choice, kinds, mapping, nullable, number, record, text
from trueup.local.vendor import Door, Vendor, openai_door, short

PAIRS = 16
WORD = "[a-zA-Z0-9_-]+"
DATED_RANKER = "default_2024_08_21"
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
MICROSOFT_TOOLS = ("bing_grounding", "azure_ai_search", "azure_function", "connected_agent", "openapi")
MICROSOFT_PREVIEW_TOOLS = (
    "bing_custom_search", "browser_automation", "computer_use_preview", "deep_research", "fabric_dataagent", "mcp",
    "sharepoint_grounding",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fields:
    """The top-level fields of a create and of a modify, each with its check."""

    create: Mapping[str, Check]
    modify: Mapping[str, Check]


TYPE = text()
METADATA = nullable(rules.table(PAIRS, 64, text(512)))
FILE_IDS = array(text(), 20, "strings")
STORE_IDS = array(text(), 1, "strings")

_RANKED: Mapping[str, Check] = {"ranker": choice("auto", DATED_RANKER), "score_threshold": number(0, 1)}
_HYBRID: Mapping[str, Check] = {"hybrid_search": nullable(mapping)}
_NAMED: Mapping[str, Check] = {"name": text(64, WORD), "description": text(), "parameters": mapping}
_STRICT: Mapping[str, Check] = {"strict": nullable(boolean)}
_ALONE = record({"type": TYPE})


def _search_tool(**more: Check) -> Check:
    return record({"type": TYPE, "file_search": record({"max_num_results": rules.whole(1, 50), **more})})


def _function_tool(fields: Mapping[str, Check], *required: str) -> Check:
    return record({"type": TYPE, "function": record(fields, required=("name", *required))}, required=("function",))


def _microsoft_tool(name: str) -> Check:
    """Check for a tool of Microsoft's: what it says about itself is an object under its own type.

    The rest is not documented.
    """

    def check(value: Any, path: str) -> None:
        if name in value:
            mapping(value[name], f"{path}.{name}")

    return check


def _format(words: tuple[str, ...], schema: Mapping[str, Check], required: tuple[str, ...]) -> Check:
    """Check for a response format: one of the words, text, JSON, or (where there are schema fields) a JSON schema."""
    forms: dict[str, Check] = {"text": _ALONE, "json_object": _ALONE}
    if schema:
        described = record({"name": text(64, WORD), "description": text(), **schema}, required=("name", *required))
        forms["json_schema"] = record({"type": TYPE, "json_schema": described}, required=("json_schema",))
    return nullable(rules.either(choice(*words), kinds(forms)))


def _v1_object(value: Any, path: str) -> None:
    """v1's object form, whose `type` is text when it is left out."""
    record({"type": choice("text", "json_object")})(value, path)


def _chunks(value: Any, path: str) -> None:
    """Check static chunking: 100 to 4096 tokens, and an overlap of at most half of that."""
    record(
        {"max_chunk_size_tokens": rules.whole(100, 4096), "chunk_overlap_tokens": rules.whole(0, 2048)},
        required=("max_chunk_size_tokens", "chunk_overlap_tokens"),
    )(value, path)
    if value["chunk_overlap_tokens"] * 2 > value["max_chunk_size_tokens"]:
        at = f"{path}.chunk_overlap_tokens"
        raise Refusal(f"Invalid '{at}': it must not exceed half of 'max_chunk_size_tokens'.", at, "invalid_value")


_CHUNKING = kinds({"auto": _ALONE, "static": record({"type": TYPE, "static": _chunks}, required=("static",))})
_SOURCES = array(
    record({"uri": text(), "type": choice("uri_asset", "id_asset")}, required=("uri", "type")), 20, "objects"
)


def _new_store(files: int) -> Check:
    """Return the store that the helper of OpenAI and Azure makes."""
    return record({"file_ids": array(text(), files, "strings"), "chunking_strategy": _CHUNKING, "metadata": METADATA})


_FOUNDRY_STORE = record(
    {"name": text(), "configuration": record({"data_sources": _SOURCES}, required=("data_sources",))},
    required=("name", "configuration"),
)


def _not_both(check: Check, one: str, other: str) -> Check:
    """Check for what `check` accepts, unless it has both of two fields."""

    def alone(value: Any, path: str) -> None:
        check(value, path)
        if one in value and other in value:
            at = f"{path}.{other}"
            raise Refusal(f"Invalid '{at}': it cannot be given together with '{one}'.", at, "invalid_value")

    return alone


def _search_lists(store: Check) -> Check:
    """File search on create: a store by id, or the helper that makes one, never both."""
    lists = record({"vector_store_ids": STORE_IDS, "vector_stores": array(store, 1, "objects")})
    return _not_both(lists, "vector_store_ids", "vector_stores")


_CODE = record({"file_ids": FILE_IDS})
_SEARCH = record({"vector_store_ids": STORE_IDS})


def _fields(
    create: Mapping[str, Check], modify: Mapping[str, Check], kinds_of_tools: Mapping[str, Check], **more: Check
) -> Fields:
    """Return what all vendors share, around what each has of its own."""
    shared: dict[str, Check] = {
        "model": text(minimum=1),
        "name": nullable(text(256)),
        "description": nullable(text(512)),
        "instructions": nullable(text(256_000)),
        "tools": array(kinds(kinds_of_tools), 128, "tools"),
        "top_p": nullable(number(0, 1)),
        "temperature": nullable(number(0, 2)),
        "metadata": METADATA,
        **more,
    }
    return Fields({**shared, **create}, {**shared, **modify})


OPENAI_FIELDS = _fields(
    {"tool_resources": nullable(record({"code_interpreter": _CODE, "file_search": _search_lists(_new_store(10**8))}))},
    {"tool_resources": nullable(record({"code_interpreter": _CODE, "file_search": _SEARCH}))},
    {
        "code_interpreter": _ALONE,
        "file_search": _search_tool(ranking_options=record({**_RANKED, **_HYBRID}, required=("score_threshold",))),
        "function": _function_tool({**_NAMED, **_STRICT}),
    },
    reasoning_effort=nullable(choice(*EFFORTS)),
    response_format=_format(("auto",), {"schema": mapping, **_STRICT}, ()),
)
"""OpenAI v2."""

OPENAI_V1_FIELDS = _fields(
    {"file_ids": FILE_IDS},
    {"file_ids": FILE_IDS},
    {"code_interpreter": _ALONE, "retrieval": _ALONE, "function": _function_tool(_NAMED)},
    response_format=nullable(rules.either(choice("none", "auto"), _v1_object)),
)
"""OpenAI v1 as it last was: files hang on the assistant, and their tool is called retrieval."""

AZURE_FIELDS = _fields(
    {"tool_resources": nullable(record({"code_interpreter": _CODE, "file_search": _search_lists(_new_store(10_000))}))},
    {
        "tool_resources": record({"code_interpreter": _CODE, "file_search": _SEARCH}),
        "instructions": nullable(text(32_768)),
    },
    {
        "code_interpreter": _ALONE,
        "file_search": _search_tool(),
        "function": _function_tool(_NAMED, "description", "parameters"),
    },
    response_format=_format(("auto",), {"schema": mapping, **_STRICT}, ("schema",)),
)
"""Azure OpenAI: `tool_resources` is never null in a modify, and a modify's instructions are shorter than a create's."""


def _foundry(preview: bool) -> Fields:
    """Foundry classic: no lengths anywhere, tools of Microsoft's own, files by their place as well as by their id."""
    tools: dict[str, Check] = {
        "code_interpreter": _ALONE,
        "file_search": _search_tool(ranking_options=record(_RANKED, required=("ranker", "score_threshold"))),
        "function": _function_tool(_NAMED, "parameters"),
    }
    for name in (*MICROSOFT_TOOLS, *(MICROSOFT_PREVIEW_TOOLS if preview else ())):
        tools[name] = _microsoft_tool(name)
    code = _not_both(record({"file_ids": FILE_IDS, "data_sources": _SOURCES}), "file_ids", "data_sources")
    lists: dict[str, Check] = {
        "code_interpreter": code,
        "azure_ai_search": record({"indexes": array(mapping, 1, "objects")}),
    }
    if preview:
        lists["mcp"] = array(mapping, 128, "objects")
    return _fields(
        {"tool_resources": nullable(record({**lists, "file_search": _search_lists(_FOUNDRY_STORE)}))},
        {"tool_resources": record({**lists, "file_search": _SEARCH})},
        tools,
        tools=array(kinds(tools), 10**6, "tools"),
        name=nullable(text()),
        description=nullable(text()),
        instructions=nullable(text()),
        response_format=_format(("auto",), {"schema": mapping}, ("schema",)),
    )


FOUNDRY_FIELDS = _foundry(preview=False)
FOUNDRY_PREVIEW_FIELDS = _foundry(preview=True)


V2_BETA = "assistants=v2"
V1_BETA = "assistants=v1"

_HEAD = ("id", "object", "created_at", "name", "description", "model", "instructions", "tools")
STORED = (*_HEAD, "top_p", "temperature", "reasoning_effort", "tool_resources", "metadata", "response_format")
"""The keys of a stored assistant: those of an OpenAI answer, in the order in which they were recorded."""

FOUNDRY_PREVIEW = "2025-05-15-preview"

_OPENAI_DOOR = openai_door(
    "You must provide the 'OpenAI-Beta' header to access the Assistants API: 'OpenAI-Beta: assistants=v2'.",
    "The v1 Assistants API has been deprecated. Please set the header 'OpenAI-Beta: assistants=v2'.",
)

_LOST = short("404", "Resource not found")
_NO_ACCESS = short("401", "Access denied due to invalid subscription key or wrong API endpoint.")

_AZURE_DOOR = Door((401, _NO_ACCESS), (401, _NO_ACCESS), (404, _LOST), (404, _LOST), _LOST)
"""Azure OpenAI answers a missing or unknown api-version as if the path did not exist, as its users report."""

_FOUNDRY_DOOR = Door(
    no_key=(401, short("Unauthorized", "A bearer token of Microsoft Entra is needed; an api-key does not do.")),
    wrong_key=(401, short("PermissionDenied", "The principal lacks the required data action for this operation.")),
    no_version=(400, short("BadRequest", "Missing required query parameter: api-version")),
    unknown_version=(400, short("BadRequest", "API version not supported")),
    lost=_LOST,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantsVendor(Vendor):
    """One vendor's ways with assistants.

    `keys` are an answer's keys in their order. `previews` are versions that take other fields. `search`, `ranking` and
    `function` are what a tool gets that does not say it itself.
    """

    fields: Fields
    keys: tuple[str, ...] = STORED
    previews: Mapping[str, Fields] = field(default_factory=dict)
    search: Mapping[str, Any] = field(default_factory=dict)
    ranking: Mapping[str, Any] = field(default_factory=dict)
    function: Mapping[str, Any] = field(default_factory=dict)
    float32: bool = False
    first_id: bool = True
    always_last_id: bool = True
    is_v1: bool = False


_DATED = {"ranker": DATED_RANKER, "score_threshold": 0.0}
_NO_PARAMETERS = {"type": "object", "properties": {}}

OPENAI = AssistantsVendor(
    "openai",
    "/v1",
    _OPENAI_DOOR,
    betas={V2_BETA: "openai"},
    retired=frozenset({V1_BETA}),
    fields=OPENAI_FIELDS,
    ranking={**_DATED, "hybrid_search": None},
    function={"parameters": _NO_PARAMETERS, "strict": False},
)

OPENAI_V1 = replace(
    OPENAI,
    name="openai-v1",
    fields=OPENAI_V1_FIELDS,
    keys=(*_HEAD, "file_ids", "metadata", "top_p", "temperature", "response_format"),
    betas={V1_BETA: "openai-v1", V2_BETA: "openai"},
    is_v1=True,
)
"""OpenAI while both versions ran, until December 2024: the header chooses the view of one and the same assistant."""

_MICROSOFT_KEYS = (*_HEAD, "top_p", "temperature", "tool_resources", "metadata", "response_format")

AZURE = AssistantsVendor(
    "azure-openai",
    "/openai",
    _AZURE_DOOR,
    fields=AZURE_FIELDS,
    keys=_MICROSOFT_KEYS,
    credentials=("api-key", "bearer"),
    versions=("2024-05-01-preview", "2025-04-01-preview"),
    dated=True,
    search={"max_num_results": 20},
    ranking=_DATED,
)
"""Azure OpenAI: `max_num_results` is filled in, as its users' test data shows."""

FOUNDRY = AssistantsVendor(
    "foundry-classic",
    "/api/projects/local",
    _FOUNDRY_DOOR,
    fields=FOUNDRY_FIELDS,
    keys=_MICROSOFT_KEYS,
    versions=("v1", "2025-05-01", FOUNDRY_PREVIEW),
    previews={FOUNDRY_PREVIEW: FOUNDRY_PREVIEW_FIELDS},
    ranking=_DATED,
    float32=True,
    first_id=False,
    always_last_id=False,
)
"""Foundry classic, with one project, called `local`."""

VENDORS: Mapping[str, AssistantsVendor] = {vendor.name: vendor for vendor in (OPENAI, OPENAI_V1, AZURE, FOUNDRY)}
"""All of them, by the name of their dialect."""
