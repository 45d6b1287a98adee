"""The embedded server against what OpenAI published and what was recorded from its servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from jsonschema import Draft202012Validator

from tests.local.specs import spec
from trueup.core.call import Call
from trueup.local.openai_assistants import Server

FUNCTION = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
FULL = {
    "model": "gpt-4o",
    "name": "n",
    "description": "d",
    "instructions": "i",
    "tools": [{"type": "code_interpreter"}, {"type": "file_search"}, FUNCTION],
    "tool_resources": {
        "code_interpreter": {"file_ids": ["file-1"]},
        "file_search": {"vector_stores": [{"file_ids": []}]},
    },
    "metadata": {"k": "v"},
    "temperature": 0.3,
    "top_p": 1,
    "reasoning_effort": "low",
    "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}},
}


def validator(name: str) -> Callable[[Any], None]:
    """Return a check against one published schema; an empty page's null cursors are real, whatever the schema says."""
    document = spec("openai-v2.json")
    listing = document["components"]["schemas"]["ListAssistantsResponse"]["properties"]
    for cursor in ("first_id", "last_id"):
        listing[cursor] = {"type": ["string", "null"]}
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return Draft202012Validator(schema).validate


@pytest.mark.parametrize(
    "body",
    [
        {"model": "gpt-4o"},
        FULL,
        {**dict.fromkeys(FULL), "model": "m", "tools": []},
        {"model": "m", "tools": [FUNCTION]},
    ],
    ids=["least", "full", "nulls", "function"],
)
def test_every_answer_fits_its_published_schema(body: dict[str, Any]) -> None:
    assistant, listing = validator("AssistantObject"), validator("ListAssistantsResponse")
    with Server() as server:
        listing(server.answer(Call("GET", "/assistants")).json)
        made = server.answer(Call("POST", "/assistants", json=body))
        assert made.status == 200
        assistant(made.json)
        path = f"/assistants/{made.json['id']}"
        changed = {name: value for name, value in body.items() if name != "tool_resources"}
        for call in (Call("GET", path), Call("POST", path, json=changed), Call("POST", path, json={"tools": []})):
            assistant(server.answer(call).json)
        listing(server.answer(Call("GET", "/assistants")).json)
        validator("DeleteAssistantResponse")(server.answer(Call("DELETE", path)).json)


def test_every_refusal_fits_the_published_error() -> None:
    refused = validator("ErrorResponse") if "ErrorResponse" in _schemas() else validator("Error")
    with Server() as server:
        for call in (
            Call("POST", "/assistants", json={}),
            Call("GET", "/assistants/asst_x"),
            Call("PUT", "/assistants"),
            Call("GET", "/nowhere"),
            Call("GET", "/assistants", {"after": "asst_x"}),
        ):
            reply = server.answer(call)
            assert reply.status >= 400
            refused(reply.json)


def _schemas() -> dict[str, Any]:
    return dict(spec("openai-v2.json")["components"]["schemas"])


def test_what_was_answered_fits_the_published_request_and_may_be_sent_back_field_by_field() -> None:
    create, modify = validator("CreateAssistantRequest"), validator("ModifyAssistantRequest")
    create(FULL)
    with Server() as server:
        made = server.answer(Call("POST", "/assistants", json=FULL)).json
        fields = [{name: made[name]} for name in FULL]
        for body in fields:
            modify(body)
            assert server.answer(Call("POST", f"/assistants/{made['id']}", json=body)).json == made


def test_recorded_requests_get_answers_of_the_recorded_shape() -> None:
    recorded = [
        entry
        for entry in spec("recorded-openai.json")["interactions"]
        if "/v1/assistants" in entry["request"]["url"] and entry["response"]["status"] == 200
    ]
    assert len(recorded) > 15
    names: dict[str, str] = {}
    with Server() as server:
        for entry in recorded:
            if "elided_list_items" in entry or entry["response"]["body"]["object"] == "list":
                continue
            request, answer = entry["request"], entry["response"]["body"]
            url = urlsplit(request["url"])
            path = url.path.removeprefix("/v1")
            there, _, name = path.rpartition("/")
            if there == "/assistants":
                path = f"/assistants/{names[name]}"
            reply = server.answer(Call(request["method"], path, dict(parse_qsl(url.query)), request["body"]))
            assert reply.status == 200, (entry["file"], reply.text)
            names[answer["id"]] = reply.json["id"]
            assert shape(reply.json) == shape(answer), entry["file"]


def test_recorded_listings_have_the_shape_of_ours() -> None:
    listings = [
        entry["response"]["body"]
        for entry in spec("recorded-openai.json")["interactions"]
        if "/v1/assistants" in entry["request"]["url"] and entry["response"]["body"].get("object") == "list"
    ]
    assert listings
    with Server() as server:
        for _ in range(3):
            server.answer(Call("POST", "/assistants", json={"model": "gpt-4o"}))
        ours = server.answer(Call("GET", "/assistants", {"limit": "2"})).json
    for theirs in listings:
        assert list(ours) == list(theirs)
        plain = [
            shape(item) for item in theirs["data"] if not item["tools"] and not item["metadata"] and not item["name"]
        ]
        assert all(item == shape(ours["data"][0]) for item in plain)
        assert [type(ours[name]) for name in ours] == [type(theirs[name]) for name in theirs]


def shape(value: Any) -> Any:
    """Keys in their order, types, nulls, and lengths of lists; identifiers, times and texts left out."""
    if isinstance(value, dict):
        return [(name, shape(entry)) for name, entry in value.items()]
    if isinstance(value, list):
        return [shape(entry) for entry in value]
    return value if isinstance(value, (float, bool)) else type(value).__name__
