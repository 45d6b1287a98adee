"""OpenAI's own client of saved agents, and the embedded server that stands for its vendor: they agree on every field.

What Trueup writes is read by this client, and what this client writes is seen, accepted, put back and imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.house import DEFINITIONS
from tests.local.agents import FILLED, FULL, TOOLS
from tests.real.foreign import Foreign, holds, openai_client
from tests.real.place import KEY, Place, unchanged
from trueup.core.call import Call
from trueup.local.openai_agents import Server
from trueup.local.serve import running

LINE = "protocol: openai-agents\n"
EXAMPLES = DEFINITIONS / "openai-agents" / "openai"
"""Two definitions with every field, and every kind of tool in each of them or in one."""

CLASSES = {
    "function": "PersistedAgentToolResourceFunction",
    "mcp": "PersistedAgentToolResourceMcp",
    "web_search": "PersistedAgentToolResourceWebSearch",
    "computer_use": "PersistedAgentToolResourceComputerUse",
    "tool_search": "PersistedAgentToolResourceToolSearch",
    "programmatic_tool_calling": "PersistedAgentToolResourceProgrammaticToolCalling",
    "automations": "PersistedAgentToolResourceAutomations",
}


@pytest.fixture
def met(software: Path) -> Iterator[tuple[Server, Foreign]]:
    """Serve the embedded server over HTTP to whoever has the key; yield it and the client that meets it there."""
    with Server() as server, running(server, key=KEY) as url:
        yield server, openai_client(software, "openai-3", url, KEY, "agents")


@pytest.fixture
def beside(met: tuple[Server, Foreign], place: Place) -> tuple[Server, Foreign, Place]:
    """Return the same two, and an empty project whose target is that server."""
    server, client = met
    place.target(client.reach["options"]["base_url"], protocol="openai-agents")
    return server, client, place


def _held(server: Server) -> list[dict[str, Any]]:
    """Return what the server holds, oldest first."""
    agents: list[dict[str, Any]] = server.answer(Call("GET", "/agents", {"limit": "100", "order": "asc"})).json["data"]
    return agents


def test_the_client_reads_what_it_created_as_the_server_holds_it(met: tuple[Server, Foreign]) -> None:
    server, client = met
    least, full = client.read(["create", {"model": "gpt-5.5"}], ["create", FULL])
    assert [least, full] == _held(server)
    assert holds(least, FILLED)
    assert holds(full, FULL)
    assert client.read(["retrieve", full["id"]], ["tools", full["id"]]) == [
        full, [CLASSES[tool["type"]] for tool in TOOLS],
    ]  # fmt: skip


def test_the_client_walks_all_pages(met: tuple[Server, Foreign]) -> None:
    server, client = met
    client.read(*(["create", {"model": "gpt-5.5", "name": f"n{number}"}] for number in range(5)))
    (listed,) = client.read(["list"])
    assert listed == _held(server)
    assert [agent["name"] for agent in listed] == [f"n{number}" for number in range(5)]


def test_an_update_of_the_client_keeps_replaces_and_clears(met: tuple[Server, Foreign]) -> None:
    server, client = met
    (agent,) = client.read(["create", FULL])
    change: dict[str, Any] = {"instructions": None, "metadata": {"a": "1"}, "tools": [], "reasoning": {"effort": "max"}}
    (after,) = client.read(["update", agent["id"], change])
    assert [after] == _held(server)
    expected: dict[str, Any] = {"instructions": None, "metadata": {"a": "1"}, "tools": []}
    assert after == {
        **agent, **expected, "reasoning": {"effort": "max", "summary": None}, "updated_at": after["updated_at"],
    }  # fmt: skip
    nulls = dict.fromkeys(set(FILLED) - {"experimental"})
    (cleared,) = client.read(["update", agent["id"], {**nulls, "experimental": {"time_awareness": False}}])
    assert holds(cleared, FILLED)


def test_what_the_client_deletes_is_gone(met: tuple[Server, Foreign]) -> None:
    server, client = met
    kept, gone = client.read(["create", {"model": "m"}], ["create", {"model": "m"}])
    assert client.read(["delete", gone["id"]]) == [{"id": gone["id"], "object": "agent.deleted", "deleted": True}]
    assert _held(server) == [kept]
    assert client.read(["list"]) == [[kept]]


@pytest.mark.parametrize("moment", ["first", "second"])
def test_the_client_reads_every_field_and_tool_that_was_applied(
    beside: tuple[Server, Foreign, Place], moment: str
) -> None:
    server, client, place = beside
    for number in range(3):
        place.write(f"n{number}.yaml", f"{LINE}model: gpt-5.5\ninstructions: Number {number}.\n")
    _apply_full(place, moment)
    ids, wanted = place.ids(), place.rendered()
    assert set(wanted["full"]) <= {*FULL}
    listed, read, tools = client.read(["list"], ["retrieve", ids["full"]], ["tools", ids["full"]])
    assert listed == _held(server)
    found = {agent["id"]: agent for agent in listed}
    for name, body in wanted.items():
        assert holds(found[ids[name]], body), (body, found[ids[name]])
    assert read == found[ids["full"]]
    assert tools == [CLASSES[tool["type"]] for tool in wanted["full"]["tools"]]
    assert "trueup" in read["metadata"]


def test_each_field_that_the_client_changes_is_seen_and_put_back(beside: tuple[Server, Foreign, Place]) -> None:
    _, client, place = beside
    _apply_full(place, "first")
    (before,) = client.read(["retrieve", place.ids()["full"]])
    client.read(["update", before["id"], _change(before)])
    drift = place.run("drift")
    assert drift.code == 2, drift.said
    for name in place.rendered()["full"]:
        assert name in drift.said, (name, drift.said)
    reverted = place.run("apply", "--yes", "--on-drift", "revert")
    assert reverted.code == 0, reverted.said
    (back,) = client.read(["retrieve", before["id"]])
    kept = {"updated_at": back["updated_at"], "metadata": {**before["metadata"], "trueup": back["metadata"]["trueup"]}}
    assert back == {**before, **kept}
    assert place.run("plan", "--detailed-exitcode").summary == unchanged(1)


def test_each_field_that_the_client_changes_is_accepted_into_the_file(beside: tuple[Server, Foreign, Place]) -> None:
    _, client, place = beside
    _apply_full(place, "first")
    live_id = place.ids()["full"]
    (before,) = client.read(["retrieve", live_id])
    (after,) = client.read(["update", live_id, _change(before)])
    accepted = place.run("accept", "full", "--yes")
    assert accepted.code == 0, accepted.said
    assert holds(after, place.rendered()["full"])
    assert place.run("plan", "--detailed-exitcode").summary == unchanged(1)
    assert client.read(["retrieve", live_id]) == [after]


def test_what_the_client_creates_is_imported_and_what_it_deletes_is_missed(
    beside: tuple[Server, Foreign, Place],
) -> None:
    _, client, place = beside
    body = yaml.safe_load((EXAMPLES / "first.yaml").read_text("utf-8"))
    full, least = client.read(["create", body], ["create", {"model": "gpt-5.5", "name": "Least"}])
    imported = place.run("import", full["id"], least["id"], "--yes")
    assert imported.code == 0, imported.said
    assert len(place.ids()) == 2
    assert place.run("plan", "--detailed-exitcode").summary.startswith(unchanged(2).rstrip("."))
    name = next(name for name, live_id in place.ids().items() if live_id == full["id"])
    assert holds(full, place.rendered()[name])
    assert holds(place.rendered()[name], body)

    client.read(["delete", least["id"]])
    drift = place.run("drift")
    assert drift.code == 2
    assert "was deleted outside" in drift.said
    assert client.read(["list"]) == [[full]]


def _apply_full(place: Place, moment: str) -> None:
    """Apply a definition with every field."""
    place.write("full.yaml", LINE + (EXAMPLES / f"{moment}.yaml").read_text("utf-8"))
    ran = place.run("apply", "--yes")
    assert ran.code == 0, ran.said
    assert "did not keep" not in ran.said


def _change(agent: dict[str, Any]) -> dict[str, Any]:
    """Return an update that changes every field of the first example, and keeps the stamp."""
    return {
        "name": "By the client",
        "model": "gpt-5.5-mini",
        "instructions": "By the client.\n",
        "service_tier": "default",
        "metadata": {**agent["metadata"], "owner": "eve", "stage": "2"},
        "reasoning": {"effort": "max", "summary": "detailed"},
        "text": {"format": {"type": "text"}, "verbosity": "high"},
        "multi_agent": {"enabled": True, "max_concurrent_subagents": 5},
        "compaction": {"async": False},
        "experimental": {"time_awareness": False},
        "tools": [{"type": "web_search", "mode": "live"}],
    }
