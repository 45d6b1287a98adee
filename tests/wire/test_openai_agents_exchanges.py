"""The exact requests for saved agents, and what is read from answers: tests/golden/exchanges/openai-agents.json.

The file holds what was asked and what came back, written by hand; `request` and `read` are rewritten with
TRUEUP_REGOLD=1. The answers are OpenAI's as its SDK describes them, and ApiPi's as they were seen.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.local.specs import spec
from trueup.core.call import Call, Reply
from trueup.core.canonical import fits
from trueup.core.source import dotted
from trueup.edge.http.client import _encode_json as encode
from trueup.wire.base import Live, Unexpected
from trueup.wire.openai_agents.adapter import OpenAIAgents
from trueup.wire.openai_agents.fields import DIALECTS, TABLE

PATH = Path(__file__).resolve().parents[1] / "golden" / "exchanges" / "openai-agents.json"
REGOLD = os.environ.get("TRUEUP_REGOLD") == "1"
ADAPTER = OpenAIAgents(DIALECTS["openai"])
CASES: list[dict[str, Any]] = json.loads(PATH.read_text(encoding="utf-8"))
APART = ("update clear with nulls",)
OK = [case for case in CASES if case["reply"]["status"] == 200 and "ApiPi" not in case["what"]]


def live_of(body: dict[str, Any]) -> Live:
    return Live("agent_1", {"model": "gpt-5.5", **body})


def call_of(ask: dict[str, Any]) -> Call:
    name, given = next(iter(ask.items()))
    match name:
        case "create":
            return ADAPTER.create(given["sets"], given["stamp"])
        case "modify":
            return ADAPTER.modify(live_of(given["live"]), given["sets"], given["stamp"])
        case "release":
            (call,) = ADAPTER.release(live_of(given))
            return call
        case "remove":
            return ADAPTER.remove(Live(given, {}))
        case "get":
            return next(ADAPTER.get(given))
        case _:
            return ADAPTER.list_page(given)


def written(call: Call) -> dict[str, Any]:
    shown = {"method": call.method, "path": call.path, "query": dict(call.query)}
    return shown if call.json is None else {**shown, "json": call.json}


def read(ask: dict[str, Any], reply: Reply) -> Any:
    name, given = next(iter(ask.items()))
    if name == "get":
        return _got(given, reply)
    if reply.status != 200:
        found = ADAPTER.problem(reply)
        return {"problem": found.message, "path": dotted(found.path), "code": found.code, "unclear": found.unclear}
    if name == "list":
        page = ADAPTER.read_page(reply)
        return {"items": [live.id for live in page.items], "cursor": page.cursor}
    if name == "remove":
        return {"deleted": ADAPTER.is_deleted(reply, given)}
    return _shown(ADAPTER.read(reply))


def _got(live_id: str, reply: Reply) -> Any:
    steps = ADAPTER.get(live_id)
    next(steps)
    try:
        steps.send(reply)
    except StopIteration as end:
        return "gone" if end.value is None else _shown(end.value)
    except Unexpected as error:
        return {"problem": str(error)}
    raise AssertionError("one request reads one agent")


def _shown(live: Live) -> dict[str, Any]:
    shown = {"id": live.id, "created_at": live.created_at, "stamp": live.stamp, "extra": dict(live.extra)}
    return {key: value for key, value in shown.items() if value not in (None, {})}


def test_the_requests_and_what_is_read_are_as_written_down() -> None:
    found = [
        {
            "what": case["what"],
            "ask": case["ask"],
            "request": written(call_of(case["ask"])),
            "reply": case["reply"],
            "read": read(case["ask"], Reply(case["reply"]["status"], json=case["reply"]["json"])),
        }
        for case in CASES
    ]
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    if REGOLD:
        PATH.write_text(text, encoding="utf-8")
    assert PATH.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("case", OK, ids=lambda case: case["what"])
def test_what_is_written_down_is_what_the_vendor_publishes(case: dict[str, Any]) -> None:
    schemas = spec("openai-agents.json")["schemas"]
    name, body = next(iter(case["ask"])), case["reply"]["json"]
    if name == "list":
        for entry in body["data"]:
            Draft202012Validator(schemas["Agent"]).validate(entry)
    else:
        Draft202012Validator(schemas["AgentDeleted" if name == "remove" else "Agent"]).validate(body)
    sent = case["request"].get("json")
    if sent is not None:
        Draft202012Validator(schemas["CreateRequest" if name == "create" else "UpdateRequest"]).validate(sent)


@pytest.mark.parametrize("case", OK[:1], ids=lambda case: case["what"])
def test_what_the_server_fills_in_compares_as_what_was_sent(case: dict[str, Any]) -> None:
    live = TABLE.split(case["reply"]["json"])
    for name, value in case["ask"]["create"]["sets"].items():
        assert fits(name, value, live[name], DIALECTS["openai"].table), name


def test_the_sdk_s_own_requests_are_ours() -> None:
    """What the vendor's SDK was recorded to send for the same values, byte for byte where there is a body.

    But for a clear of everything: an empty list clears the tools here, and metadata is cleared key by key.
    """
    recorded = [entry for entry in spec("../recorded/openai.json")["exchanges"] if entry["label"] not in APART]
    assert len(recorded) >= 10
    for entry in recorded:
        call = _repeated(entry)
        assert (call.method, f"/v1{call.path}") == (entry["method"], entry["path"])
        assert entry["body"] is None or encode(call.json).decode() == entry["body_raw"]
        assert dict(call.query) == dict(entry["query"]) or entry["label"] == "list default"
        sent = dict(entry["headers"])
        assert all(sent[name.lower()] == value for name, value in DIALECTS["openai"].headers.items())


def _repeated(entry: dict[str, Any]) -> Call:
    """Our own request for what the SDK was asked."""
    query, live_id = dict(entry["query"]), entry["path"].rpartition("/")[2]
    if entry["method"] == "DELETE":
        return ADAPTER.remove(Live(live_id, {}))
    if entry["method"] == "GET":
        if entry["path"].endswith("/agents"):
            return ADAPTER.list_page(query.get("after", ""), query.get("order", "asc"), int(query.get("limit", 0)))
        return next(ADAPTER.get(live_id))
    if entry["path"].endswith("/agents"):
        return ADAPTER.create(TABLE.split(entry["body"]), "")
    return ADAPTER.modify(live_of({}), TABLE.split(entry["body"]), "")
