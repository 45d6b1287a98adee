"""OpenAI's own client of saved agents, and the embedded server that stands for its vendor: they agree on every field.

What Trueup writes, and what it sees of this client's writes, is held against the same pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.agents import FILLED, FULL, TOOLS
from tests.real.foreign import Foreign, holds, openai_client
from tests.real.place import KEY
from trueup.core.call import Call
from trueup.local.openai_agents import Server
from trueup.local.serve import running

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
    """The embedded server over HTTP, which lets in nobody without the key, and the client that meets it there."""
    with Server() as server, running(server, key=KEY) as url:
        yield server, openai_client(software, "openai-3", url, KEY, "agents")


def _held(server: Server) -> list[dict[str, Any]]:
    """What the server holds, oldest first."""
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
