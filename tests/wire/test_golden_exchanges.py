"""Each dialect's exact requests, and what is read from replies as its vendor documents them: tests/golden/wire.

A file holds what was asked and what came back, written by hand; `request` and `read` are rewritten with
TRUEUP_REGOLD=1. The folder `portkey` holds what only the gateway answers.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.local.specs import SCHEMAS, validator
from trueup.core.call import Body, Call, Reply
from trueup.core.projects.project import Portkey, Target
from trueup.core.source import dotted
from trueup.wire.base import Adapter, Live, Unexpected
from trueup.wire.openai_assistants.fields import DIALECTS
from trueup.wire.registry import adapter_for, base_url, headers

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "wire"
FOLDERS = sorted(path.name for path in GOLDEN.iterdir())
REGOLD = os.environ.get("TRUEUP_REGOLD") == "1"
PLACES = {
    "azure-openai": "https://res.openai.azure.com",
    "foundry-classic": "https://res.services.ai.azure.com/api/projects/p",
}


def target(folder: str) -> Target:
    if folder == "portkey":
        return Target("prod", "acme", base_url="", gateway="portkey", portkey=Portkey(provider="openai"))
    return Target("prod", "acme", dialect=folder, base_url=PLACES.get(folder, ""))


def cases(folder: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((GOLDEN / folder / "exchanges.json").read_text(encoding="utf-8"))
    return found


def call_of(adapter: Adapter, case: dict[str, Any]) -> Call:
    """Return the request of a case; what a server refuses may be a body that no fields make."""
    name, value = next(iter(case["ask"].items()))
    split = adapter.dialect.table.split
    if name == "get":
        return next(adapter.get(value))
    if name == "list":
        return adapter.list_page(value)
    if name == "create":
        return adapter.create(split(value), "")
    if name == "delete":
        return adapter.remove(Live(value, {}))
    live_id, body = value
    is_taken = case["reply"]["status"] == 200
    return adapter.modify(Live(live_id, {}), split(body), "") if is_taken else adapter.post(live_id, body)


def written(call: Call, folder: str) -> dict[str, Any]:
    """Return a request as it leaves, without what carries a credential."""
    sent = {name.lower(): value for name, value in sorted(headers(target(folder)).items())}
    shown = {"method": call.method, "url": base_url(target(folder)) + call.path, "query": dict(call.query)}
    return {**shown, "headers": sent, **({"json": call.json} if call.json is not None else {})}


def reply_of(given: dict[str, Any]) -> Reply:
    text = given.get("text") or json.dumps(given["json"])
    return Reply(given["status"], json=given.get("json", Body.NOT_JSON), text=text)


def read(adapter: Adapter, ask: dict[str, Any], reply: Reply) -> Any:
    """Return what is made of a reply: the assistant, the page, whether it was deleted; else the problem."""
    name, value = next(iter(ask.items()))
    if name == "get":
        return _got(adapter, value, reply)
    if reply.status not in (200, 246):
        problem = adapter.problem(reply)
        told = {"problem": problem.message, "path": dotted(problem.path), "code": problem.code}
        return {**told, "unclear": problem.unclear}
    if name == "list":
        page = adapter.read_page(reply)
        return {"items": [live.id for live in page.items], "has_more": page.has_more, "cursor": page.cursor}
    if name == "delete":
        return {"deleted": adapter.is_deleted(reply, value)}
    return _shown(adapter.read(reply))


def _got(adapter: Adapter, live_id: str, reply: Reply) -> Any:
    steps = adapter.get(live_id)
    next(steps)
    try:
        steps.send(reply)
    except StopIteration as end:
        return _shown(end.value) if end.value is not None else "gone"
    except Unexpected as error:
        return {"problem": str(error)}
    raise AssertionError("one request reads one assistant")


def _shown(live: Live) -> dict[str, Any]:
    return {"id": live.id, "created_at": live.created_at, "body": dict(live.body)}


def test_every_dialect_has_its_folder() -> None:
    assert sorted([*DIALECTS, "portkey"]) == FOLDERS


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_requests_and_what_is_read_are_as_written_down(folder: str) -> None:
    adapter = adapter_for(target(folder))
    found = [
        {
            "what": case["what"],
            "ask": case["ask"],
            "request": written(call_of(adapter, case), folder),
            "reply": case["reply"],
            "read": read(adapter, case["ask"], reply_of(case["reply"])),
        }
        for case in cases(folder)
    ]
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    path = GOLDEN / folder / "exchanges.json"
    if REGOLD:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_what_is_written_down_is_what_the_vendor_published(dialect: str) -> None:
    """But for requests that a server refuses, which are there for its answer."""
    document, create, modify, assistant, page, deletion = SCHEMAS[dialect]
    for case in cases(dialect):
        if case["reply"]["status"] != 200:
            continue
        name, body = next(iter(case["ask"])), case["reply"]["json"]
        validator(document, {"list": page, "delete": deletion}.get(name, assistant))(body)
        if name in ("create", "modify"):
            validator(document, create if name == "create" else modify)(case["request"]["json"])


def test_portkey_s_own_description_takes_what_goes_through_it() -> None:
    """It was last brought up to date in the middle of 2024: without reasoning_effort and answers by a schema."""
    for case in cases("openai"):
        body = dict(case["request"].get("json") or {})
        name = next(iter(case["ask"]))
        if case["reply"]["status"] != 200 or not body:
            continue
        body.pop("reasoning_effort", None)
        if isinstance(body.get("response_format"), dict) and body["response_format"]["type"] == "json_schema":
            body.pop("response_format")
        validator("portkey.json", "CreateAssistantRequest" if name == "create" else "ModifyAssistantRequest")(body)


@pytest.mark.parametrize("status", [408, 412, 446])
def test_only_behind_portkey_do_its_statuses_have_its_meaning(status: int) -> None:
    reply = Reply(status, json={"error": {"message": "no"}}, text="no")
    assert "Portkey" in adapter_for(target("portkey")).problem(reply).message or status == 408
    assert adapter_for(target("openai")).problem(reply).message == f"HTTP {status}: no"


def test_a_version_that_the_target_names_is_in_every_request() -> None:
    azure = replace(target("azure-openai"), api_version="2024-05-01-preview")
    adapter = adapter_for(azure)
    asks: list[dict[str, Any]] = [
        {"create": {"model": "m"}},
        {"modify": ["asst_1", {}]},
        {"get": "asst_1"},
        {"list": ""},
        {"delete": "asst_1"},
    ]
    assert {call_of(adapter, {"ask": ask, "reply": {"status": 200}}).query["api-version"] for ask in asks} == {
        "2024-05-01-preview"
    }


@pytest.mark.parametrize(
    ("dialect", "gateway", "key", "header"),
    [
        ("openai", "", "api_key", {"Authorization": "Bearer s"}),
        ("openai", "", "token", {"Authorization": "Bearer s"}),
        ("openai-v1", "", "api_key", {"Authorization": "Bearer s"}),
        ("azure-openai", "", "api_key", {"api-key": "s"}),
        ("azure-openai", "", "token", {"Authorization": "Bearer s"}),
        ("azure-openai", "portkey", "api_key", {"Authorization": "Bearer s"}),
        ("foundry-classic", "", "token", {"Authorization": "Bearer s"}),
    ],
)
def test_a_credential_has_the_header_of_its_kind(dialect: str, gateway: str, key: str, header: dict[str, str]) -> None:
    assert adapter_for(replace(target(dialect), gateway=gateway)).auth("s", key) == header
