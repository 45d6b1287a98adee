"""LiteLLM's proxy 1.106.2 between us and a server: its pass-through works but for `metadata`, its own routes do not.

This version takes the key `metadata` out of every body on the way, and so our stamp.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real.place import KEY, PATIENCE, Place, unchanged
from tests.real.servers import litellm
from tests.real.upstream import Upstream
from trueup.local.faults import Fault
from trueup.local.serve import running

MASTER = "sk-litellm-0123456789"
FLEET = 7
RICH: dict[str, Any] = {
    "model": "o3-mini",
    "instructions": "Count.",
    "description": "Counts.",
    "tools": ["code_interpreter", {"type": "function", "function": {"name": "f"}}],
    "tool_resources": {"code_interpreter": {"file_ids": ["file-1"]}},
    "response_format": {"type": "json_object"},
    "reasoning_effort": "low",
}


@pytest.fixture(scope="module")
def proxy(software: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Upstream, str]]:
    """Run the server and the proxy before it, once for all tests, since it is slow to start."""
    server, folder = Upstream(), tmp_path_factory.mktemp("litellm")
    with server, running(server, key=KEY) as url, litellm(software, folder, url, MASTER, KEY) as address:
        yield server, address


@pytest.fixture
def served(place: Place, proxy: tuple[Upstream, str]) -> tuple[Place, Upstream, str]:
    """Return an empty project that has the proxy's key, the empty server, and the address of the proxy."""
    server, address = proxy
    for entry in server.live():
        server.remove(entry["id"])
    server.faults.log.clear()
    place.environ["REAL_KEY"] = MASTER
    return place, server, address


def test_metadata_is_taken_out_on_the_way(served: tuple[Place, Upstream, str]) -> None:
    """What the next tests rest on: a version that no longer does this makes this one fail, and the page wrong."""
    _, server, address = served
    headers = {"authorization": f"Bearer {MASTER}", "openai-beta": "assistants=v2"}
    for route in ("through", "openai"):
        body = {"model": "m", "name": route, "metadata": {"a": "b"}}
        url = f"{address}/{route}/v1/assistants"
        said = httpx.post(url, json=body, headers=headers, trust_env=False, timeout=PATIENCE)
        assert said.status_code == 200
        assert server.named(route)[0]["metadata"] == {}
    assert all("metadata" not in entry.json for entry in server.writes)


@pytest.mark.parametrize("route", ["through", "openai"])
def test_with_a_stamp_one_is_made_and_no_second(served: tuple[Place, Upstream, str], route: str) -> None:
    place, server, address = served
    place.target(f"{address}/{route}/v1")
    for name in ("one", "two", "three"):
        place.write(f"{name}.yaml", {"model": "gpt-4.1"})
    stopped = place.run("apply", "--yes")
    assert stopped.code == 5, stopped.said
    assert "did not keep the stamp" in stopped.said
    assert "stamp: false" in stopped.said
    assert len(server.live()) == 1
    later = place.run("apply", "--yes")
    assert later.code == 3, later.said
    assert "2 blocked" in later.summary
    assert len(server.live()) == 1

    place.target(f"{address}/{route}/v1", stamp=False)
    ran = place.run("apply", "--yes")
    assert ran.code == 0, ran.said
    assert len(server.live()) == 3
    assert place.run("plan", "--detailed-exitcode").summary == unchanged(3)


def test_without_a_stamp_the_example_fleet_lives_behind_it(served: tuple[Place, Upstream, str]) -> None:
    place, server, address = served
    place.copy_example()
    place.target(f"{address}/through/v1", stamp=False, guard={"modifies": FLEET})
    first = place.run("apply", "--yes")
    assert first.code == 0, first.said
    assert len(server.live()) == FLEET
    assert "The server did not keep metadata." in first.said
    assert "metadata.owner" in first.said
    assert place.run("plan", "--detailed-exitcode").summary == unchanged(FLEET)

    place.replace("_shared/safety.md", "## What always holds\n", "## What always holds\n\nNever guess.\n")
    assert place.run("apply", "--yes").code == 0
    assert place.run("plan").summary == unchanged(FLEET)
    server.edit(place.ids()["math-tutor"], instructions="By hand.")
    assert place.run("drift").code == 2
    assert place.run("apply", "--yes", "--on-drift", "revert").code == 0
    assert place.run("drift").code == 0
    assert all(not entry["metadata"] for entry in server.live())


def test_every_other_field_arrives_as_it_was_sent(served: tuple[Place, Upstream, str]) -> None:
    place, server, address = served
    place.target(f"{address}/through/v1", stamp=False)
    place.write("rich.yaml", RICH)
    place.write("bare.yaml", {"model": "gpt-4.1"})
    ran = place.run("apply", "--yes")
    assert ran.code == 0, ran.said
    assert "did not keep" not in ran.said
    live = server.named("rich")[0]
    assert {key: live[key] for key in RICH if key != "tools"} == {key: RICH[key] for key in RICH if key != "tools"}
    (place.root / "assistants" / "rich.yaml").unlink()
    assert place.run("apply", "--yes", "--prune").code == 0
    assert [entry["name"] for entry in server.live()] == ["bare"]


def test_what_the_server_says_comes_through(served: tuple[Place, Upstream, str]) -> None:
    place, server, address = served
    place.target(f"{address}/through/v1", stamp=False)
    place.write("one.yaml", {"model": "gpt-4.1"})
    assert place.run("apply", "--yes").code == 0
    live_id = place.ids()["one"]
    server.faults.add(Fault(method="GET", status=429, headers={"retry-after": "1"}))
    assert place.run("plan").summary == unchanged(1)
    server.remove(live_id)
    gone = place.run("drift")
    assert gone.code == 2, gone.said
    assert "was deleted outside" in gone.said
    place.environ["REAL_KEY"] = "sk-wrong-0123456789"
    wrong = place.run("plan")
    assert wrong.code == 1, wrong.said


def test_its_own_routes_are_refused_and_nothing_is_written(served: tuple[Place, Upstream, str]) -> None:
    """They read only the first page of a listing, over and over."""
    place, server, address = served
    for number in range(25):
        server.make(model="m", name=f"somebody else's {number}")
    before = server.live()
    place.target(f"{address}/v1")
    place.write("one.yaml", {"model": "gpt-4.1"})
    ran = place.run("apply", "--yes")
    assert ran.code == 6, ran.said
    assert "repeats page 1" in ran.said
    assert server.live() == before
    assert server.writes == []
