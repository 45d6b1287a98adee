"""A web page in a browser gets nothing from the embedded server, and no client fills its memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest

from trueup.core.call import Call
from trueup.local import faults as limits
from trueup.local.admission import refuse_web_page
from trueup.local.faults import Fault, Faults
from trueup.local.openai_assistants import Server
from trueup.local.serve import running

HEADERS = {"authorization": "Bearer any", "openai-beta": "assistants=v2"}


@pytest.fixture
def url() -> Iterator[str]:
    with Server() as server, running(server, faults=True) as url:
        yield url


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "attacker.example"},
        {"host": "attacker.example:8080"},
        {"host": "localhost.attacker.example"},
        {"host": ""},
        {"host": "["},
        {"origin": "https://attacker.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/assistants"), ("POST", "/v1/assistants"), ("GET", "/"),
                                              ("GET", "/_control/log"), ("POST", "/_control/faults")])  # fmt: skip
def test_a_web_page_is_refused_everywhere(url: str, headers: dict[str, str], method: str, path: str) -> None:
    base = url.removesuffix("/v1")
    body = {"model": "m"} if method == "POST" else None
    refused = httpx.request(method, f"{base}{path}", headers={**HEADERS, **headers}, json=body)
    assert refused.status_code in ((400, 403) if headers.get("host") in ("", "[") else (403,))
    assert "access-control-allow-origin" not in refused.headers
    assert httpx.get(f"{url}/assistants", headers=HEADERS).json()["data"] == []


@pytest.mark.parametrize(
    ("host", "hosts"),
    [
        ("localhost:8080", ()), ("127.0.0.1:8080", ()), ("[::1]:8080", ()), ("LOCALHOST", ()),
        ("192.168.1.5:8080", ()), ("trueup:8080", ("trueup",)),
    ],
)  # fmt: skip
def test_a_program_is_let_in(host: str, hosts: tuple[str, ...]) -> None:
    assert refuse_web_page({"host": host}, hosts) is None
    assert refuse_web_page({"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}, hosts) is None


@pytest.mark.parametrize("shown", ["", "Bearer", "Basic eDp5", "any"])
def test_the_control_route_wants_a_key_also_where_any_is_let_in(url: str, shown: str) -> None:
    control = f"{url.removesuffix('/v1')}/_control"
    assert httpx.get(f"{control}/log", headers={"authorization": shown}).status_code == 401
    assert httpx.post(f"{control}/faults", json=[], headers={"authorization": shown}).status_code == 401


def test_faults_have_a_number_and_a_size(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    control = f"{url.removesuffix('/v1')}/_control/faults"
    assert httpx.post(control, json=[{"times": 1}] * 1_000, headers=HEADERS).json() == {"armed": 1_000}
    assert httpx.post(control, json=[{"times": 1}], headers=HEADERS).status_code == 413
    assert httpx.delete(control, headers=HEADERS).json() == {"armed": 0}
    monkeypatch.setattr(limits, "FAULT_BYTES", 10_000)
    assert httpx.post(control, json=[{"body": "x" * 10_000}], headers=HEADERS).status_code == 413
    assert httpx.post(control, json=[{"body": "x"}], headers=HEADERS).json() == {"armed": 1}


def test_the_log_has_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_BYTES", 10_000)
    misbehaviour = Faults([Fault(times=0)])
    with Server() as server:
        send = misbehaviour.wrap(server.send)

        async def send_all() -> None:
            for number in range(20):
                await send(Call("POST", "/assistants", json={"name": f"{number}", "text": "x" * 3_000}))

        asyncio.run(send_all())
    assert [entry.json["name"] for entry in misbehaviour.log] == ["17", "18", "19"]
    assert len(json.dumps([entry.json for entry in misbehaviour.log])) < 10_100
