"""The embedded server of saved agents: what it answers, keeps, clears, fills in and refuses."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.local.agents import FILLED, FULL, FUNCTION, HTTP, STDIO, answer_check, made, post, schema, updated
from tests.local.requests import error
from tests.local.specs import recorded
from trueup.core.call import Call
from trueup.core.errors import OutcomeUnknown
from trueup.local.admission import Asked, entrance
from trueup.local.faults import Fault, Faults, Kind
from trueup.local.openai_agents import Server
from trueup.local.serve import running

HEADERS = {"authorization": "Bearer any", "openai-beta": "agents=v1"}


@pytest.fixture
def server() -> Iterator[Server]:
    numbers, times = itertools.count(1), itertools.count(100)
    with Server(clock=lambda: next(times), ids=lambda: f"agent_{next(numbers)}") as server:
        yield server


def test_an_agent_has_its_fields_and_what_the_server_fills_in(server: Server) -> None:
    least = made(server)
    about = {"id": "agent_1", "object": "agent", "created_at": 100, "updated_at": 100, "model": "gpt-5.5"}
    assert least == {**about, **FILLED}
    full = made(server, **FULL)
    assert {name: full[name] for name in FULL} == FULL | {"tools": full["tools"]}
    assert server.answer(Call("GET", f"/agents/{full['id']}")).json == full


def test_each_tool_is_answered_with_its_defaults(server: Server) -> None:
    sent = [
        FUNCTION,
        {"type": "mcp", "server_label": "a", "transport": HTTP},
        {"type": "mcp", "server_label": "b", "transport": STDIO, "connection_origin": None},
        {"type": "web_search", "mode": None},
        {"type": "computer_use"},
        {"type": "tool_search"},
        {"type": "programmatic_tool_calling"},
        {"type": "automations"},
    ]
    mcp: dict[str, Any] = {
        "allowed_tools": None,
        "connection_origin": "service",
        "credential_id": None,
        "request_metadata": {},
        "required": False,
    }
    assert made(server, tools=sent)["tools"] == [
        {**FUNCTION, "defer_loading": False},
        {"type": "mcp", "server_label": "a", "transport": {**HTTP, "headers": {}}, **mcp},
        {"type": "mcp", "server_label": "b", "transport": {**STDIO, "args": [], "env_vars": []}, **mcp},
        {"type": "web_search", "allowed_domains": None, "context_size": "medium", "location": None, "mode": "live"},
        {"type": "computer_use", "include_screenshots": False},
        {"type": "tool_search"},
        {"type": "programmatic_tool_calling", "enabled": True},
        {"type": "automations"},
    ]


def test_an_update_keeps_what_it_leaves_out(server: Server) -> None:
    agent = made(server, **FULL)
    assert updated(server, agent) == {**agent, "updated_at": 101}
    assert updated(server, agent, name="n") == {**agent, "name": "n", "updated_at": 102}


@pytest.mark.parametrize("field", sorted(set(FILLED) - {"experimental"}))
def test_null_clears_a_field(server: Server, field: str) -> None:
    agent = made(server, **FULL)
    cleared = updated(server, agent, **{field: None})
    assert cleared == {**agent, field: FILLED[field], "updated_at": 101}


@pytest.mark.parametrize("field", ["model", "experimental"])
def test_null_is_refused_where_it_clears_nothing(server: Server, field: str) -> None:
    agent = made(server)
    said = error(post(server, {field: None}, f"/agents/{agent['id']}"))
    assert (said["param"], said["type"]) == (field, "invalid_request_error")


def test_objects_and_maps_are_replaced_whole_and_experimental_is_merged(server: Server) -> None:
    agent = made(server, **FULL)
    after = updated(
        server, agent, reasoning={"effort": "max"}, text={"verbosity": "high"}, metadata={"a": "1"}, experimental={}
    )
    assert after["reasoning"] == {"effort": "max", "summary": None}
    assert after["text"] == {"format": {"type": "text"}, "verbosity": "high"}
    assert after["metadata"] == {"a": "1"}
    assert after["experimental"] == {"time_awareness": True}
    assert updated(server, agent, experimental={"time_awareness": False})["experimental"] == {"time_awareness": False}


def test_the_number_of_subagents_is_null_where_there_are_none(server: Server) -> None:
    agent = made(server, multi_agent={"enabled": True})
    assert agent["multi_agent"] == {"enabled": True, "max_concurrent_subagents": 6}
    off = {"enabled": False, "max_concurrent_subagents": 2}
    assert updated(server, agent, multi_agent=off)["multi_agent"] == {**off, "max_concurrent_subagents": None}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"name": "n" * 129}, "name"),
        ({"model": "m" * 1_048_577}, "model"),
        ({"instructions": "i" * 1_048_577}, "instructions"),
        ({"metadata": {f"k{n}": "v" for n in range(17)}}, "metadata"),
        ({"metadata": {"k" * 65: "v"}}, "metadata"),
        ({"metadata": {"k": "v" * 513}}, "metadata.k"),
        ({"metadata": {"k": 1}}, "metadata.k"),
        ({"tools": [{**FUNCTION, "description": "d" * 3 * 1024 * 1024}]}, "tools"),
        ({"tools": [{**FUNCTION, "strict": True}]}, "tools[0].strict"),
        ({"tools": [{"type": "function", "name": "f", "parameters": {}}]}, "tools[0].description"),
        ({"tools": [{"type": "code_interpreter"}]}, "tools[0].type"),
        ({"tools": [{"type": "mcp", "server_label": "a"}]}, "tools[0].transport"),
        ({"tools": [{"type": "mcp", "server_label": "a", "transport": {"type": "ws"}}]}, "tools[0].transport.type"),
        ({"tools": [{"type": "tool_search", "x": 1}]}, "tools[0].x"),
        ({"temperature": 1}, "temperature"),
        ({"description": "d"}, "description"),
        ({"text": {"format": {"type": "json_object"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "schema": {}, "name": "n"}}}, "text.format.name"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"service_tier": "gold"}, "service_tier"),
        ({"multi_agent": {}}, "multi_agent.enabled"),
        ({"multi_agent": {"enabled": True, "max_concurrent_subagents": 0}}, "multi_agent.max_concurrent_subagents"),
        ({"experimental": {"clock": True}}, "experimental.clock"),
        ({"id": "agent_1"}, "id"),
    ],
)
def test_what_it_refuses_it_names(server: Server, body: dict[str, Any], param: str) -> None:
    assert error(post(server, {"model": "m", **body}))["param"] == param
    agent = made(server)
    assert error(post(server, body, f"/agents/{agent['id']}"))["param"] == param
    assert server.answer(Call("GET", f"/agents/{agent['id']}")).json == agent


def test_a_limit_is_reached_without_a_refusal(server: Server) -> None:
    room = 3 * 1024 * 1024 - len(
        '[{"type":"function","name":"lookup","description":"","parameters":{"type":"object"}}]'
    )
    made(server, tools=[{**FUNCTION, "description": "d" * room}])
    made(server, name="n" * 128, metadata={f"{n:064d}": "v" * 512 for n in range(16)})
    assert error(post(server, {"name": "n"}))["param"] == "model"


def test_an_agent_that_is_not_there_is_a_404_that_names_it(server: Server) -> None:
    agent = made(server)
    path = f"/agents/{agent['id']}"
    assert server.answer(Call("DELETE", path)).json == {"id": "agent_1", "object": "agent.deleted", "deleted": True}
    for call in (Call("GET", path), Call("POST", path, json={}), Call("DELETE", path)):
        assert error(server.answer(call), 404)["message"] == "No agent found with id 'agent_1'."
    assert error(server.answer(Call("PUT", path)), 405)["code"] == "method_not_supported"
    assert error(server.answer(Call("GET", "/assistants")), 404)["message"] == "Invalid URL (GET /v1/assistants)"


def test_an_id_is_the_prefix_and_24_characters() -> None:
    with Server() as server:
        names = {made(server)["id"] for _ in range(20)}
    assert all(name.startswith("agent_") and len(name) == 30 and name[6:].isalnum() for name in names)
    assert len(names) == 20


def test_the_listing_has_pages_newest_first(server: Server) -> None:
    for _ in range(5):
        made(server)

    def page(**query: str) -> Any:
        return server.answer(Call("GET", "/agents", query)).json

    assert [agent["id"] for agent in page()["data"]] == [f"agent_{n}" for n in (5, 4, 3, 2, 1)]
    first = page(limit="2", order="asc")
    assert ([agent["id"] for agent in first["data"]], first["has_more"]) == (["agent_1", "agent_2"], True)
    assert (first["first_id"], first["last_id"]) == ("agent_1", "agent_2")
    last = page(limit="3", order="asc", after="agent_2")
    assert ([agent["id"] for agent in last["data"]], last["has_more"]) == (["agent_3", "agent_4", "agent_5"], False)
    for query in ({"limit": "0"}, {"limit": "101"}, {"order": "up"}, {"after": "agent_9"}):
        assert error(server.answer(Call("GET", "/agents", query)))["param"] == next(iter(query))


def test_what_the_official_client_was_recorded_to_send_is_answered(server: Server) -> None:
    """429 and 409 are armed as faults: the recording's server made them up."""
    faults = Faults()
    enter = entrance(server, wrap=faults.wrap)
    exchanges = recorded("openai.json")
    assert len(exchanges) >= 15
    for exchange in exchanges:
        status = exchange["answered"]["status"]
        if status in (409, 429):
            faults.add(Fault(status=status, nth=1, body=exchange["answered"]["body"]))
        headers = {name.lower(): value for name, value in exchange["headers"]}
        body = (exchange["body_raw"] or "").encode()
        method, path = exchange["method"], exchange["path"]
        reply = asyncio.run(enter(Asked(method, path, dict(exchange["query"]), headers, body)))
        assert reply.status == status, (exchange["label"], reply.text)
        if status == 200:
            answer_check(method, path)(reply.json)
    assert len(faults.log) == len(exchanges)


@pytest.mark.parametrize(
    "body", [{"model": "m"}, FULL, {"model": "m", **dict.fromkeys(set(FILLED) - {"experimental"})}]
)
def test_every_answer_fits_its_published_schema(server: Server, body: dict[str, Any]) -> None:
    schema("CreateRequest").validate(body)
    agent = made(server, **body)
    calls = [
        Call("GET", f"/agents/{agent['id']}"),
        Call("POST", f"/agents/{agent['id']}", json=body),
        Call("GET", "/agents"),
        Call("DELETE", f"/agents/{agent['id']}"),
        Call("GET", "/agents"),
    ]
    schema("Agent").validate(agent)
    for call in calls:
        answer_check(call.method, call.path)(server.answer(call).json)


@pytest.mark.parametrize("commit", [False, True])
def test_a_connection_breaks_before_or_after_the_work(server: Server, commit: bool) -> None:
    send = Faults([Fault(Kind.DROP, method="POST", commit=commit)]).wrap(server.send)

    async def create() -> None:
        await send(Call("POST", "/agents", json={"model": "m"}))

    with pytest.raises(OutcomeUnknown):
        asyncio.run(create())
    assert len(server.answer(Call("GET", "/agents")).json["data"]) == commit


def test_a_key_and_the_beta_header_are_wanted_over_http() -> None:
    with Server() as server, running(server, key="sk-right") as url:

        def ask(**headers: str) -> tuple[int, Any]:
            reply = httpx.get(f"{url}/agents", headers=headers)
            return reply.status_code, reply.json().get("error", {}).get("code")

        right = {"authorization": "Bearer sk-right"}
        assert ask() == (401, None)
        assert ask(**{**HEADERS, "authorization": "Bearer sk-wrong"}) == (401, "invalid_api_key")
        assert ask(**right) == (400, "invalid_beta")
        assert ask(**right, **{"openai-beta": "assistants=v2"}) == (400, "invalid_beta")
        assert ask(**right, **{"openai-beta": "x=1, agents=v1"}) == (200, None)


def test_an_agent_lives_and_dies_over_http_where_faults_can_be_armed() -> None:
    with Server() as server, running(server, faults=True) as url, httpx.Client(headers=HEADERS) as client:
        control = url.replace("/v1", "/_control/faults")
        client.post(control, json={"kind": "answer", "method": "POST", "status": 503, "commit": True})
        assert client.post(f"{url}/agents", json={"model": "m", "name": "é🎓"}).status_code == 503
        (agent,) = client.get(f"{url}/agents").json()["data"]
        assert agent["name"] == "é🎓"
        client.post(control, json={"kind": "drop", "method": "DELETE"})
        with pytest.raises(httpx.TransportError):
            client.delete(f"{url}/agents/{agent['id']}")
        assert client.get(f"{url}/agents/{agent['id']}").json() == agent
        assert client.delete(f"{url}/agents/{agent['id']}").json()["deleted"] is True
        assert client.get(f"{url}/agents").json()["data"] == []
