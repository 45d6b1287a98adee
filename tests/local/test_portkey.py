"""The stand-in for Portkey's gateway, held to what the real one was seen to do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.extent import examples
from tests.local.bodies import FULL
from tests.local.specs import validator
from trueup.core.call import Body, Reply
from trueup.local.admission import Asked, entrance
from trueup.local.faults import Fault, Faults, Kind
from trueup.local.openai_assistants import Server
from trueup.local.portkey import STORED_KEY, Front, Gateway, is_allowed_host, rewrite_json

HOST = "http://127.0.0.1:9100/v1"
TO = {"x-portkey-provider": "openai", "x-portkey-custom-host": HOST, "authorization": "Bearer k"}
KEYS = st.sampled_from([
    "provider", "api_key", "custom_host", "retry", "attempts", "on_status_codes", "request_timeout", "override_params",
    "targets", "strategy", "mode", "model",
])  # fmt: skip
PLAIN = Gateway()
JSON = {"content-type": "application/json"}
V2 = {"openai-beta": "assistants=v2"}


@dataclass
class Scene:
    """A vendor with faults behind a gateway, and what arrived at the vendor's door."""

    server: Server
    gateway: Gateway = PLAIN
    key: str = ""
    faults: Faults = field(default_factory=Faults)
    arrived: list[Asked] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def ask(
        self, headers: Any, method: str = "POST", path: str = "/v1/assistants", body: Any = None, **query: str
    ) -> Reply:
        """One request to the gateway; a create by default."""
        return asyncio.run(self._ask(headers, method, path, body, query))

    async def _ask(self, headers: Any, method: str, path: str, body: Any, query: dict[str, str]) -> Reply:
        door = entrance(self.server, self.key, self.faults.wrap)

        async def listening(asked: Asked) -> Reply:
            self.arrived.append(asked)
            return await door(asked)

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        gateway = Gateway(self.gateway.hosted, self.gateway.verdict, self.gateway.key, sleep)
        front = Front(listening, self.server.vendor, gateway)
        sent = json.dumps({"model": "m"} if body is None else body).encode() if method == "POST" else b""
        all_of_them = {name: value for name, value in {**JSON, **V2, **headers}.items() if value is not None}
        said = await front(Asked(method, path, query, all_of_them, sent))
        await self.faults.settle()
        return said

    def count(self) -> int:
        """How many assistants there are."""
        return len(self.server.answer(_list()).json["data"])


def _list() -> Any:
    from trueup.core.call import Call

    return Call("GET", "/assistants", {"limit": "100"})


@pytest.fixture
def scene() -> Iterator[Scene]:
    with Server() as server:
        yield Scene(server)


def config(**more: Any) -> dict[str, str]:
    return {"x-portkey-config": json.dumps({"provider": "openai", "api_key": "k", "custom_host": HOST, **more})}


def test_what_reaches_the_vendor_and_what_comes_back(scene: Scene) -> None:
    own = {"x-portkey-api-key": "pk", "x-portkey-trace-id": "t", "x-portkey-metadata": "{}"}
    scoping = {"x-portkey-openai-organization": "org", "x-portkey-openai-project": "p",
               "x-portkey-openai-beta": "assistants=v2", "x-custom": "c", "content-length": "13"}  # fmt: skip
    assert scene.ask({**TO, **own, **scoping, "openai-beta": ""}).status == 400
    scene.arrived.clear()
    reply = scene.ask({**TO, **own, **scoping, "openai-beta": None})
    assert reply.status == 200, reply.text
    (asked,) = scene.arrived
    assert (asked.method, asked.path) == ("POST", "/v1/assistants")
    assert asked.headers == {
        "content-type": "application/json", "authorization": "Bearer k", "openai-organization": "org",
        "openai-project": "p", "openai-beta": "assistants=v2", "x-custom": "c",
    }  # fmt: skip
    assert reply.headers["x-portkey-retry-attempt-count"] == "0"
    assert reply.headers["x-portkey-provider"] == "openai"
    assert reply.headers["x-request-id"].startswith("req_")
    listed = scene.ask(TO, "GET", limit="1", order="asc")
    assert (len(listed.json["data"]), scene.arrived[-1].query) == (1, {"limit": "1", "order": "asc"})
    path = f"/v1/assistants/{reply.json['id']}"
    assert scene.ask(TO, "POST", path, {"name": "x"}).json["name"] == "x"
    assert scene.ask(TO, "DELETE", path).json["deleted"] is True
    forwarded = scene.ask({**TO, **own, "x-portkey-forward-headers": "X-Portkey-Api-Key"})
    assert forwarded.status == 200
    assert scene.arrived[-1].headers["x-portkey-api-key"] == "pk"


def test_a_slash_at_the_end_of_the_host_leads_nowhere(scene: Scene) -> None:
    lost = scene.ask({**TO, "x-portkey-custom-host": f"{HOST}/"})
    assert (lost.status, scene.arrived[0].path) == (404, "/v1//assistants")
    assert scene.ask({**TO, "x-portkey-custom-host": "http://127.0.0.1:9100"}).status == 404


def test_a_configuration_brings_its_key_and_the_client_s_own_wins(scene: Scene) -> None:
    scene.key = "k"
    assert scene.ask(config()).status == 200
    assert scene.arrived[-1].headers["authorization"] == "Bearer k"
    assert scene.ask({**config(), "authorization": "Bearer other"}).status == 401
    assert scene.ask(config(api_key="wrong")).status == 401


def test_a_configuration_overrides_what_is_sent(scene: Scene) -> None:
    reply = scene.ask(config(override_params={"model": "theirs", "top_p": 1.0}), body={"model": "ours", "name": "n"})
    assert (reply.json["model"], reply.json["name"]) == ("theirs", "n")


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "Either x-portkey-config or x-portkey-provider header is required"),
        ({"x-portkey-api-key": "pk", "x-portkey-virtual-key": "v"}, "Either x-portkey-config or x-portkey-provider"),
        ({"x-portkey-provider": "@slug"}, "Invalid provider passed"),
        ({"x-portkey-provider": "Openai"}, "Invalid provider passed"),
        ({**TO, "x-portkey-custom-host": "http://10.0.0.1/v1"}, "Invalid custom host"),
        ({"x-portkey-config": "pc-saved-123"}, "You need to pass a valid json"),
        ({"x-portkey-config": "[]"}, "You need to pass a valid json"),
        ({"x-portkey-config": "[" * 9000}, "You need to pass a valid json"),
        ({"x-portkey-config": '{"virtual_key": "v"}'}, "valid config with provider details"),
        ({"x-portkey-config": '{"provider": "openai"}'}, "Invalid config passed"),
        (config(custom_host="http://192.168.1.1/v1"), "Invalid config passed"),
        (config(retry={}), "Invalid config passed"),
        (config(retry={"attempts": 1, "on_status_codes": 500}), "Invalid config passed"),
        (config(retry=[]), "Invalid config passed"),
        (config(api_key=5), "Invalid config passed"),
        (config(request_timeout=float("nan")), "You need to pass a valid json"),
        (config(request_timeout=10**400), "Invalid config passed"),
        (config(strategy={"mode": "fallback", "on_status_codes": 5}, targets=[]), "Invalid config passed"),
        (config(provider="nobody"), "Invalid config passed"),
        (config(strategy={"mode": "fallback"}, targets=[5]), "Invalid config passed"),
        (config(strategy={"mode": "fallback"}, targets=[{"provider": "openai"}]), "Invalid config passed"),
    ],
)
def test_what_the_gateway_itself_refuses(scene: Scene, headers: dict[str, str], message: str) -> None:
    reply = scene.ask(headers)
    assert (reply.status, reply.json["status"]) == (400, "failure")
    assert message in reply.json["message"]
    assert scene.arrived == []


def test_other_answers_of_its_own(scene: Scene) -> None:
    for method, path in (("PUT", "/v1/assistants/x"), ("PATCH", "/v1/assistants/x"), ("GET", "/assistants")):
        reply = scene.ask(TO, method, path)
        assert (reply.status, reply.json) == (404, {"message": "Not Found", "ok": False})
    assert scene.ask(TO, "GET", "/").text == "AI Gateway says hey!"
    assert scene.ask({**TO, "content-type": "text/plain"}).json["message"] == "Invalid content type passed"
    assert scene.arrived == []
    assert scene.ask({**TO, "content-type": ""}).status == 400  # the body was dropped, and the vendor misses it
    assert scene.arrived[-1].body == b""


def test_a_body_that_is_no_json_is_a_500_of_the_gateway_s(scene: Scene) -> None:
    async def broken() -> Reply:
        front = Front(entrance(scene.server), scene.server.vendor, Gateway())
        return await front(Asked("POST", "/v1/assistants", {}, {**TO, **JSON}, b"{"))

    reply = asyncio.run(broken())
    assert reply.status == 500
    assert reply.json["message"].startswith("Proxy error: ")


def test_json_comes_out_as_javascript_writes_it() -> None:
    sent = json.loads(
        '{"10": 1, "a": 1.0, "2": 0.10, "b": 12345678901234567890, "c": 1e400, "01": 1e21, "d": "\\u00e9"}'
    )
    out = rewrite_json(sent)
    assert list(out) == ["2", "10", "a", "b", "c", "01", "d"]
    assert json.dumps(out["a"]) == "1"
    assert (out["2"], out["b"], out["c"], out["01"]) == (0.1, 12345678901234567000, None, 1e21)
    assert rewrite_json([True, None, -0.0, 2**53 + 1, 10**400]) == [True, None, 0, 2**53, None]
    assert rewrite_json(True) is True


def test_what_was_rewritten_is_what_is_stored(scene: Scene) -> None:
    schema = {"type": "object", "properties": {"2": {"minimum": 1.0}, "1": {}}}
    tools = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
    stored = scene.ask(TO, body={"model": "m", "tools": tools}).json["tools"][0]["function"]["parameters"]
    assert json.dumps(stored) == '{"type": "object", "properties": {"1": {}, "2": {"minimum": 1}}}'


def test_a_timeout_answers_408_and_the_work_is_done(scene: Scene) -> None:
    scene.faults.add(Fault(Kind.PASS, "POST", delay=0.2, times=2))
    for headers in ({**TO, "x-portkey-request-timeout": "50"}, config(request_timeout=50)):
        reply = scene.ask(headers)
        assert (reply.status, reply.json["error"]["type"]) == (408, "timeout_error")
        assert "50ms" in reply.json["error"]["message"]
    assert scene.count() == 2


def test_repeats_that_a_configuration_asks_for_make_twins(scene: Scene) -> None:
    scene.faults.add(Fault(status=500, method="POST", commit=True, times=2))
    reply = scene.ask(config(retry={"attempts": 3}))
    assert (reply.status, reply.headers["x-portkey-retry-attempt-count"]) == (200, "2")
    assert scene.count() == 3
    assert scene.slept == [1.0, 2.0]


def test_repeats_end_and_only_some_answers_are_repeated(scene: Scene) -> None:
    scene.faults.add(Fault(status=503, times=2), Fault(status=409, nth=3), Fault(status=409, nth=4))
    used_up = scene.ask(config(retry={"attempts": 1}))
    assert (used_up.status, used_up.headers["x-portkey-retry-attempt-count"]) == (503, "-1")
    assert scene.ask(config(retry={"attempts": 5})).status == 409
    assert scene.ask(config(retry={"attempts": 1, "on_status_codes": [409]})).status == 200
    assert scene.ask({**TO, "x-portkey-retry-count": "3"}).status == 200
    assert len(scene.arrived) == 6


@pytest.mark.parametrize(("kind", "word"), [(Kind.DROP, "SocketError"), (Kind.REFUSE, "ECONNREFUSED")])
def test_a_connection_that_breaks_behind_it_is_a_500_in_plain_text(scene: Scene, kind: Kind, word: str) -> None:
    scene.faults.add(Fault(kind, "POST", commit=True))
    reply = scene.ask(TO)
    assert (reply.status, reply.json) == (500, Body.NOT_JSON)
    assert word in reply.text
    assert scene.count() == (kind is Kind.DROP)
    scene.faults.add(Fault(kind, "POST", commit=True))
    assert scene.ask(config(retry={"attempts": 2})).status == 200


def test_redirects_are_followed_and_a_create_becomes_a_read(scene: Scene) -> None:
    first = scene.ask(TO).json
    scene.faults.add(Fault(Kind.REDIRECT, "POST", headers={"location": f"{HOST}/assistants/{first['id']}?x=1"}))
    reply = scene.ask(TO)
    assert (reply.status, reply.json) == (200, first)
    assert (scene.arrived[-1].method, scene.arrived[-1].query) == ("GET", {"x": "1"})
    scene.faults.add(Fault(Kind.REDIRECT, times=0, headers={"location": "/v1/assistants"}))
    assert "redirect count exceeded" in scene.ask(TO, "GET").text


def test_errors_of_the_vendor_pass_as_they_are(scene: Scene) -> None:
    scene.faults.add(Fault(status=429, headers={"retry-after": "7"}), Fault(Kind.HTML, nth=2, status=502))
    limited = scene.ask(TO)
    assert (limited.status, limited.headers["retry-after"]) == (429, "7")
    page = scene.ask(TO)
    assert (page.status, page.headers["content-type"]) == (502, "text/html")
    absent = scene.ask(TO, "GET", "/v1/assistants/asst_x")
    assert absent.json["error"]["message"] == "No assistant found with id 'asst_x'."


def test_a_fallback_goes_on_after_any_failure_unless_it_says_which(scene: Scene) -> None:
    one = {"provider": "openai", "api_key": "k", "custom_host": HOST}
    targets = [{**one, "custom_host": "http://localhost/nowhere"}, one]
    text = {"strategy": {"mode": "fallback"}, "targets": targets}
    fell = scene.ask({"x-portkey-config": json.dumps(text)})
    assert (fell.status, fell.headers["x-portkey-last-used-option-index"]) == (200, "config.targets[1]")
    text["strategy"] = {"mode": "fallback", "on_status_codes": [500]}
    assert scene.ask({"x-portkey-config": json.dumps(text)}).status == 404
    text["strategy"] = {"mode": "single"}
    assert scene.ask({"x-portkey-config": json.dumps(text)}).status == 404


def test_azure_behind_it_gets_its_version_and_both_headers_of_the_key() -> None:
    with Server(dialect="azure-openai") as server:
        scene = Scene(server, key="k")
        azure = {"x-portkey-provider": "azure-openai", "x-portkey-azure-resource-name": "r",
                 "x-portkey-azure-deployment-id": "d", "authorization": "Bearer k"}  # fmt: skip
        version = {"x-portkey-azure-api-version": "2025-03-01-preview"}
        assert scene.ask({**azure, **version}).status == 200
        asked = scene.arrived[-1]
        assert (asked.path, asked.query) == ("/openai/assistants", {"api-version": "2025-03-01-preview"})
        assert (asked.headers["api-key"], asked.headers["authorization"]) == ("k", "Bearer k")
        assert (
            scene.ask({**azure, **version, "x-portkey-custom-host": "https://r.openai.azure.com/openai"}).status == 200
        )
        assert scene.ask(azure).status == 404
        assert scene.ask(azure, **{"api-version": "2025-03-01-preview"}).status == 200


def test_foundry_behind_it_is_reached_by_its_host() -> None:
    with Server(dialect="foundry-classic") as server:
        to = {**TO, "x-portkey-custom-host": "https://r.services.ai.azure.com/api/projects/local"}
        assert Scene(server).ask(to, **{"api-version": "v1"}).status == 200
        assert Scene(server).ask(TO, **{"api-version": "v1"}).status == 404


def test_the_hosted_one_knows_names_for_stored_credentials() -> None:
    for dialect in ("openai", "azure-openai", "foundry-classic"):
        with Server(dialect=dialect) as server:
            scene = Scene(server, Gateway(hosted=True), key=STORED_KEY)
            for headers in (
                {"x-portkey-virtual-key": "v"},
                {"x-portkey-provider": "@slug"},
                {"x-portkey-config": "pc-saved"},
                {"x-portkey-config": '{"virtual_key": "v", "retry": {"attempts": 1}}'},
            ):
                assert scene.ask({"x-portkey-api-key": "pk", **headers}).status == 200, headers
                assert scene.ask(headers).status == 401
                assert "x-portkey-api-key" in scene.ask(headers).json["message"]


@pytest.mark.parametrize("verdict", [246, 412, 446])
def test_statuses_that_only_the_hosted_one_has(verdict: int) -> None:
    with Server() as server:
        scene = Scene(server, Gateway(hosted=True, verdict=verdict), key=STORED_KEY)
        headers = {"x-portkey-api-key": "pk", "x-portkey-virtual-key": "v"}
        reply = scene.ask(headers)
        assert reply.status == verdict
        assert scene.count() == (verdict == 246)
        assert ("hook_results" in reply.json) is (verdict != 412)
        if verdict == 246:
            assert reply.json["object"] == "assistant"
        assert scene.ask(headers, "GET").status == 200


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(["openai", HOST, "k", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=examples(200), deadline=None)
@given(st.dictionaries(KEYS, JSON_VALUES, max_size=6))
def test_whatever_a_configuration_says_there_is_an_answer(written: dict[str, Any]) -> None:
    with Server() as server:
        reply = Scene(server).ask({"x-portkey-config": json.dumps(written), "authorization": "Bearer k"})
    assert reply.status in (200, 400, 404, 408)


def test_which_hosts_it_calls() -> None:
    good = ("", HOST, "http://localhost:1/v1", "https://api.openai.com/v1", "http://8.8.8.8/")
    bad = ("http://127.0.0.2/", "http://[::1]/v1", "http://0.0.0.0/", "http://169.254.169.254/", "http://a.internal/",
           "file:///etc/passwd", "http://u:p@example.com/", "https://api.portkey.ai/v1", "http://metadata/", "http://[x/",
           "example.com", "ftp://example.com")  # fmt: skip
    assert [url for url in good if not is_allowed_host(url)] == []
    assert [url for url in bad if is_allowed_host(url)] == []


def test_what_comes_through_is_what_portkey_published(scene: Scene) -> None:
    names = ("AssistantObject", "ListAssistantsResponse", "DeleteAssistantResponse")
    assistant, page, deletion = (validator("portkey.json", name) for name in names)
    body = {**FULL["openai"], "response_format": {"type": "json_object"}}
    answer = scene.ask(TO, body=body).json
    assistant(answer)
    page(scene.ask(TO, "GET").json)
    deletion(scene.ask(TO, "DELETE", f"/v1/assistants/{answer['id']}").json)
