"""The vendors that speak the assistants protocol, one row each: where they listen, whom they let in, how they answer.

From the vendors' specifications, recorded traffic and what their users report. Knows no stored assistant, and nothing
of the rows by which the tool's own client speaks: each is checked against the other only because neither copies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trueup.local.answers import short
from trueup.local.openai_assistants import fields
from trueup.local.openai_assistants.fields import DATED_RANKER, Fields
from trueup.local.vendor import Door, Vendor, openai_door

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
    fields=fields.OPENAI,
    ranking={**_DATED, "hybrid_search": None},
    function={"parameters": _NO_PARAMETERS, "strict": False},
)

OPENAI_V1 = replace(
    OPENAI,
    name="openai-v1",
    fields=fields.OPENAI_V1,
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
    fields=fields.AZURE,
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
    fields=fields.FOUNDRY,
    keys=_MICROSOFT_KEYS,
    versions=("v1", "2025-05-01", FOUNDRY_PREVIEW),
    previews={FOUNDRY_PREVIEW: fields.FOUNDRY_PREVIEW},
    ranking=_DATED,
    float32=True,
    first_id=False,
    always_last_id=False,
)
"""Foundry classic, with one project, called `local`."""

VENDORS: Mapping[str, AssistantsVendor] = {vendor.name: vendor for vendor in (OPENAI, OPENAI_V1, AZURE, FOUNDRY)}
"""All of them, by the name of their dialect."""
