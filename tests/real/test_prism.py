"""Prism with the vendor's own schema as a referee between us and the server: whatever it does not allow is an error.

So each body that arrives at the server is one that the vendor's schema allows, and each answer of the embedded server
as well. The schema is no part of the repository: it is found as the tests of the embedded server find it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.local.specs import spec
from tests.real.place import KEY, Place, unchanged
from tests.real.servers import prism
from tests.real.upstream import Upstream

FLEET = 7

FUNCTION = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Looks it up.",
        "strict": True,
        "parameters": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
    },
}
SEARCH = {
    "type": "file_search",
    "file_search": {"max_num_results": 7, "ranking_options": {"ranker": "auto", "score_threshold": 0.25}},
}
FULL: dict[str, Any] = {
    "name": "Everything",
    "description": "Each field that there is.",
    "model": "gpt-4.1",
    "instructions": "Say all.\n\nSay it well.",
    "tools": ["code_interpreter", SEARCH, FUNCTION],
    "tool_resources": {
        "code_interpreter": {"file_ids": ["file-1", "file-2"]},
        "file_search": {"vector_store_ids": ["vs_1"]},
    },
    "metadata": {"owner": "ada", "team": "school"},
    "temperature": 0.5,
    "top_p": 0.25,
    "reasoning_effort": "low",
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": {"type": "object", "properties": {}}},
    },
}


@pytest.fixture
def referee(software: Path, upstream: tuple[Upstream, str], tmp_path: Path) -> Iterator[str]:
    """Prism's address, in front of the embedded server."""
    schema = tmp_path / "vendor.json"
    schema.write_text(json.dumps(_patched(spec("openai-v2.json"))), "utf-8")
    with prism(software, schema, upstream[1], tmp_path) as address:
        yield address


def _patched(schema: Any) -> Any:
    """Return the schema with the one thing mended that the vendor's own responses break: null ids of an empty page."""
    listing = schema["components"]["schemas"]["ListAssistantsResponse"]["properties"]
    for name in ("first_id", "last_id"):
        listing[name]["type"] = ["string", "null"]
    return schema


def test_the_referee_is_strict(referee: str, upstream: tuple[Upstream, str]) -> None:
    headers = {"authorization": f"Bearer {KEY}", "openai-beta": "assistants=v2"}
    for body in ({"name": "no model"}, {"model": "m", "bogus": 1}, {"model": "m", "metadata": {"a": None}}):
        reply = httpx.post(f"{referee}/assistants", json=body, headers=headers, trust_env=False)
        assert reply.status_code == 422, body
    assert upstream[0].writes == []


def test_the_example_fleet_and_every_field_pass(place: Place, referee: str, upstream: tuple[Upstream, str]) -> None:
    server, _ = upstream
    place.copy_example()
    place.write("full.yaml", FULL)
    place.target(referee, guard={"modifies": FLEET, "deletes": FLEET + 1})
    _converges(place)
    assert len(server.live()) == FLEET + 1

    place.replace("_shared/safety.md", "## What always holds\n", "## What always holds\n\nNever guess.\n")
    place.write("full.yaml", {**FULL, "tools": [FUNCTION, SEARCH], "metadata": {"owner": "bob"}, "temperature": 1})
    _converges(place)

    place.write("full.yaml", dict.fromkeys([key for key in FULL if key not in ("model", "name")]) | {"model": "gpt-5"})
    _converges(place)
    bare = server.named("full")[0]
    assert (bare["description"], bare["instructions"], bare["tools"]) == (None, None, [])

    place.write("full.yaml", {"model": "gpt-5"})
    _converges(place)
    (place.root / "assistants" / "full.yaml").unlink()
    pruned = place.run("apply", "--yes", "--prune")
    assert pruned.code == 0, pruned.said
    assert len(server.live()) == FLEET
    assert {entry.status for entry in server.faults.log} == {200}


def test_drift_is_put_back_in_the_vendor_s_own_words(
    place: Place, referee: str, upstream: tuple[Upstream, str]
) -> None:
    server, _ = upstream
    place.write("full.yaml", FULL)
    place.target(referee)
    _converges(place)
    server.edit(
        place.ids()["full"],
        tools=[{"type": "code_interpreter"}],
        tool_resources={"file_search": {"vector_store_ids": []}},
        metadata={"by": "hand"},
        response_format="auto",
        reasoning_effort=None,
        top_p=0.9,
    )
    assert place.run("drift").code == 2
    reverted = place.run("apply", "--yes", "--on-drift", "revert")
    assert reverted.code == 0, reverted.said
    assert place.run("drift").code == 0
    assert server.named("Everything")[0]["tool_resources"]["file_search"] == {"vector_store_ids": ["vs_1"]}


def _converges(place: Place) -> None:
    """Apply; check that the next plan is empty."""
    ran = place.run("apply", "--yes")
    assert ran.code == 0, ran.said
    assert "did not keep" not in ran.said
    again = place.run("plan", "--detailed-exitcode")
    assert again.code == 0, again.said
    assert again.summary == unchanged(len(place.ids()))
