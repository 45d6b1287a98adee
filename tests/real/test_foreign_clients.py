"""The vendors' own clients read what Trueup wrote, and Trueup sees what they write.

Each runs in an environment of its own against the embedded server in its dialect: OpenAI's of four generations, the
oldest of them with the first version of the protocol, and Microsoft's of Foundry's classic agents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contract.house import DEFINITIONS
from tests.real.foreign import Foreign, agents_client, azure_client, holds, openai_client
from tests.real.place import KEY, Place, unchanged
from tests.real.upstream import Upstream
from trueup.local.serve import running

FLEET = 7
VERSION = "2025-03-01-preview"
PARAMETERS = {"type": "object", "properties": {"2": {"type": "number"}}}
FOUNDRY = {"api_key": None, "token": {"env": "REAL_KEY"}}


@dataclass(frozen=True, slots=True)
class Kind:
    """One client: the dialect it speaks, how it is had from `(software, url)`, and how a target reaches its server."""

    dialect: str
    client: Callable[[Path, str], Foreign]
    target: Mapping[str, Any]
    tools: tuple[str, ...]


def _openai(kind: str, dialect: str = "openai", search: str = "FileSearchTool") -> Kind:
    tools = ("CodeInterpreterTool", search, "FunctionTool")
    return Kind(dialect, lambda software, url: openai_client(software, kind, url, KEY), {}, tools)


def _azure(kind: str) -> Kind:
    tools = ("CodeInterpreterTool", "FileSearchTool", "FunctionTool")
    return Kind(
        "azure-openai", lambda software, url: azure_client(software, kind, url, KEY, VERSION), {}, tools
    )  # fmt: skip


KINDS: Mapping[str, Kind] = {
    "openai-1.20.0": _openai("openai-first", "openai-v1", "RetrievalTool"),
    "openai-1.109.1": _openai("openai-1"),
    "openai-2.54.0": _openai("litellm"),
    "openai-3.57.0": _openai("openai-3"),
    "azure-by-openai-1.109.1": _azure("openai-1"),
    "azure-by-openai-3.57.0": _azure("openai-3"),
    "azure-ai-agents-1.1.0": Kind(
        "foundry-classic",
        lambda software, url: agents_client(software, url, KEY),
        FOUNDRY,
        ("CodeInterpreterToolDefinition", "FileSearchToolDefinition", "FunctionToolDefinition"),
    ),
}


@contextmanager
def _met(place: Place, software: Path, kind: Kind) -> Iterator[tuple[Upstream, Foreign]]:
    """Return a project with a target of this dialect, the server behind it, and the client that meets it there."""
    server = Upstream(kind.dialect)
    with server, running(server, key=KEY) as url:
        place.target(url, dialect=kind.dialect, guard={"modifies": FLEET + 1}, **kind.target)
        yield server, kind.client(software, url)


@pytest.mark.parametrize("name", KINDS)
def test_a_client_of_the_vendor_reads_what_was_written_and_its_writes_are_seen(
    place: Place, software: Path, name: str
) -> None:
    kind = KINDS[name]
    with _met(place, software, kind) as (server, client):
        place.write("full.yaml", _definition(kind.dialect, "first"))
        for number in range(4):
            place.write(f"more/n{number}.yaml", {"model": "gpt-4o", "instructions": f"Number {number}."})
        assert place.run("apply", "--yes").code == 0
        ids, wanted = place.ids(), place.rendered()
        wanted["full"].get("file_ids", []).sort()  # the first version answers files by their age
        listed, read, tools = client.read(["list"], ["retrieve", ids["full"]], ["tools", ids["full"]])
        assert [one["id"] for one in listed] == [one["id"] for one in server.live()]
        found = {one["id"]: one for one in listed}
        for assistant, body in wanted.items():
            assert holds(found[ids[assistant]], body), (body, found[ids[assistant]])
        assert holds(read, wanted["full"])
        assert "trueup" in read["metadata"]
        assert tuple(tools) == kind.tools

        theirs = {"instructions": "By the client.", "metadata": {**read["metadata"], "owner": "eve"}, "tools": []}
        client.read(["update", ids["full"], theirs])
        drift = place.run("drift")
        assert drift.code == 2, drift.said
        assert all(word in drift.said for word in ("By the client.", "metadata.owner", "eve", "tools"))
        reverted = place.run("apply", "--yes", "--on-drift", "revert")
        assert reverted.code == 0, reverted.said
        (back,) = client.read(["retrieve", ids["full"]])
        assert holds(back, wanted["full"])
        assert place.run("plan", "--detailed-exitcode").summary == unchanged(5)


@pytest.mark.parametrize("name", ["openai-3.57.0", "azure-ai-agents-1.1.0"])
def test_what_a_client_makes_is_imported_and_what_it_deletes_is_missed(place: Place, software: Path, name: str) -> None:
    kind = KINDS[name]
    with _met(place, software, kind) as (server, client):
        place.write("mine.yaml", {"model": "gpt-4o"})
        assert place.run("apply", "--yes").code == 0
        body = {
            "model": "gpt-4o",
            "name": "Théa's tutor 🎓",
            "instructions": "Line one.\n\n  Indented.\n",
            "tools": [{"type": "function", "function": {"name": "f", "description": "F.", "parameters": PARAMETERS}}],
            "metadata": {"by": "hand"},
            "temperature": 0.7,
        }
        (made,) = client.read(["create", body])
        imported = place.run("import", made["id"])
        assert imported.code == 0, imported.said
        plan = place.run("plan", "--detailed-exitcode")
        assert plan.code == 0, plan.said
        assert "2 unchanged" in plan.summary
        assert len(server.live()) == 2

        client.read(["delete", place.ids()["mine"]])
        gone = place.run("drift")
        assert gone.code == 2, gone.said
        assert "was deleted outside" in gone.said


def test_the_example_fleet_is_read_page_by_page(place: Place, software: Path) -> None:
    with _met(place, software, KINDS["openai-3.57.0"]) as (_, client):
        place.copy_example()
        assert place.run("apply", "--yes").code == 0
        ids, wanted = place.ids(), place.rendered()
        (listed,) = client.read(["list"])
    found = {one["id"]: one for one in listed}
    assert len(listed) == len(found) == len(wanted) == FLEET
    for assistant, body in wanted.items():
        assert holds(found[ids[assistant]], body), assistant


def _definition(dialect: str, moment: str) -> str:
    """Return a definition with every field that this dialect supports."""
    return (DEFINITIONS / "openai-assistants" / dialect / f"{moment}.yaml").read_text("utf-8")
