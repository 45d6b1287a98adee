"""ApiPi 0.15.0, a server of others with saved agents: it holds half of the fields, and has one listing and no pages.

It acknowledges and loses about one write in a thousand (docs/protocols/openai-agents.md says why). A proxy in front of
it sends such a write again, so that only Trueup's own faults fail a test.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.real.place import Place, unchanged
from tests.real.servers import apipi
from tests.real.witness import without_lost_writes, witness

FUNCTION = {"type": "function", "name": "lookup", "description": "Finds.", "parameters": {"type": "object"}}
HELD: dict[str, Any] = {
    "name": "Support Bot é",
    "model": "gpt-5",
    "instructions": "Say yes.\n\nOr no.",
    "reasoning": {"effort": "low"},
    "tools": [FUNCTION],
    "metadata": {"owner": "ada", "team": "school"},
}
REFUSED: dict[str, Any] = {
    "text": {"verbosity": "low"},
    "service_tier": "flex",
    "multi_agent": {"enabled": True},
    "compaction": {"async": True},
    "experimental": {"time_awareness": True},
}
PARTS = ("reasoning.summary", "tools.function.async", "tools.mcp")


class Other:
    """Another client of the same account."""

    def __init__(self, web: httpx.Client) -> None:
        self._web = web

    def live(self) -> list[dict[str, Any]]:
        """All live agents, oldest first."""
        found: list[dict[str, Any]] = self._web.get("/agents").json()["data"]
        return found

    def create(self, **body: Any) -> str:
        """Return the id of a new agent."""
        return str(self._web.post("/agents", json=body).json()["id"])

    def edit(self, live_id: str, **body: Any) -> None:
        assert self._web.post(f"/agents/{live_id}", json=body).status_code == 200

    def delete(self, live_id: str) -> int:
        return self._web.delete(f"/agents/{live_id}").status_code


@pytest.fixture(scope="module")
def server(software: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """ApiPi's base URL; one server for all tests, since it takes its time to start."""
    with apipi(software, tmp_path_factory.mktemp("apipi")) as url, without_lost_writes(url) as kept:
        yield kept


@pytest.fixture
def served(place: Place, server: str) -> Iterator[tuple[Place, Other]]:
    """Make an empty account the target of an empty project; return it and another client of the account."""
    key = place.environ["REAL_KEY"] = f"sk-{uuid4()}"
    _target(place, server)
    with httpx.Client(base_url=server, headers={"authorization": f"Bearer {key}"}, trust_env=False) as web:
        yield place, Other(web)


def _target(place: Place, url: str, **options: Any) -> None:
    many = {"modifies": 200, "deletes": 200}
    place.target(url, **{"protocol": "openai-agents", "dialect": "apipi", "guard": many, **options})


def _write(place: Place, name: str, body: dict[str, Any]) -> None:
    place.write(name, {"protocol": "openai-agents", **body})


def test_a_fleet_of_more_than_a_page_converges_through_its_whole_life(served: tuple[Place, Other]) -> None:
    place, other = served
    for number in range(25):
        _write(place, f"n{number:02}.yaml", {**HELD, "name": f"Bot {number}"})
    _converges(place)
    assert len(other.live()) == 25

    less = {
        "model": "gpt-5.5",
        "instructions": "Say no.",
        "metadata": {"team": "night"},
        "reasoning": {"effort": "max"},
    }
    _write(place, "n00.yaml", less)
    _converges(place)
    edited = next(entry for entry in other.live() if entry["id"] == place.ids()["n00"])
    assert (edited["name"], edited["model"], edited["instructions"]) == ("n00", "gpt-5.5", "Say no.")
    assert (edited["tools"], edited["reasoning"]) == ([], {"effort": "max"})
    assert (edited["metadata"]["team"], "owner" in edited["metadata"]) == ("night", False)

    other.edit(edited["id"], instructions="By hand.", tools=None, metadata={**edited["metadata"], "note": "n"})
    drift = place.run("drift")
    assert drift.code == 2
    assert "By hand." in drift.said
    assert place.run("apply", "--yes", "--on-drift", "revert").code == 0
    back = next(entry for entry in other.live() if entry["id"] == edited["id"])
    assert (back["instructions"], back["metadata"]["note"]) == ("Say no.", "n")
    assert place.run("drift").code == 0

    (place.root / "assistants" / "n01.yaml").unlink()
    assert place.run("apply", "--yes", "--prune").code == 0
    assert len(other.live()) == 24
    assert place.run("destroy", "--yes").code == 0
    assert other.live() == []
    assert place.run("destroy", "--yes").code == 0


def test_that_an_effort_cannot_be_cleared_is_told_once(served: tuple[Place, Other]) -> None:
    place, other = served
    _write(place, "held.yaml", {"model": "gpt-5"})
    _converges(place)
    _write(place, "held.yaml", HELD)
    _converges(place)
    _write(place, "held.yaml", {name: value for name, value in HELD.items() if name != "reasoning"})
    ran = place.run("apply", "--yes")
    assert ran.code == 0, ran.said
    assert "The server did not keep reasoning as sent." in ran.said
    before = other.live()
    assert before[0]["reasoning"] == {"effort": "low"}
    assert place.run("plan", "--detailed-exitcode").summary == unchanged(1)
    assert place.run("apply", "--yes").code == 0
    assert place.run("drift").code == 0
    assert other.live() == before


def test_the_one_listing_is_read_whole_whatever_limit_says(served: tuple[Place, Other]) -> None:
    place, other = served
    count = 103
    for number in range(count):
        _write(place, f"n{number:03}.yaml", {"model": "gpt-5"})
    made = place.run("apply", "--yes")
    assert made.code == 0, made.said[-2000:]
    assert len(other.live()) == count
    place.forget()
    adopted = place.run("apply", "--yes")
    assert adopted.code == 0, adopted.said[-2000:]
    assert f"Plan: 0 to create, 0 to modify, 0 to delete, 0 drifted, 0 unchanged, {count} to adopt." in adopted.said
    assert place.run("plan").summary == unchanged(count)
    assert len(other.live()) == count


def test_lost_state_is_rebuilt_from_the_stamps(served: tuple[Place, Other]) -> None:
    place, other = served
    _write(place, "held.yaml", HELD)
    _converges(place)
    place.forget()
    assert place.run("state", "rebuild").code == 0
    assert place.run("plan").summary == unchanged(1)
    assert len(other.live()) == 1


def test_the_stamps_alone_are_state_enough(served: tuple[Place, Other], server: str) -> None:
    place, other = served
    _target(place, server, state="stamps")
    _write(place, "held.yaml", HELD)
    assert place.run("apply", "--yes").code == 0
    place.forget()
    assert place.run("plan", "--detailed-exitcode").summary == unchanged(1)
    _write(place, "held.yaml", {**HELD, "instructions": "Say no."})
    assert place.run("apply", "--yes").code == 0
    (live,) = other.live()
    assert live["instructions"] == "Say no."
    other.edit(live["id"], instructions="By hand.")
    assert place.run("drift").code == 2


def test_a_write_whose_answer_was_lost_is_done_once(served: tuple[Place, Other], server: str) -> None:
    place, other = served
    with witness(server) as between:
        _target(place, between.url)
        _write(place, "held.yaml", HELD)
        _write(place, "kept.yaml", {"model": "gpt-5"})
        assert place.run("apply", "kept", "--yes").code == 0
        between.lost.append("POST")
        ran = place.run("apply", "--yes")
        assert ran.code == 0, ran.said
        assert "found after an unclear response" in ran.said
        assert {entry["id"] for entry in other.live()} == {*place.ids().values()}
        assert len(other.live()) == 2

        _write(place, "held.yaml", {**HELD, "instructions": "Say no."})
        between.lost.append("POST")
        assert place.run("apply", "--yes").code == 0
        assert len([seen for seen in between.seen if seen.method == "POST"]) == 3

        (place.root / "assistants" / "held.yaml").unlink()
        between.lost.append("DELETE")
        gone = place.run("apply", "--yes", "--prune")
        assert gone.code == 0, gone.said
        assert between.lost == []
        assert [entry["id"] for entry in other.live()] == [place.ids()["kept"]]


def test_what_is_gone_is_known_by_the_server_s_own_404(served: tuple[Place, Other]) -> None:
    place, other = served
    _write(place, "one.yaml", HELD)
    _write(place, "two.yaml", HELD)
    _converges(place)
    ids = place.ids()
    assert (other.delete(ids["one"]), other.delete(ids["one"])) == (200, 404)
    gone = place.run("drift")
    assert gone.code == 2
    assert "was deleted outside" in gone.said
    assert place.run("apply", "--yes").code == 3
    again = place.run("apply", "--yes", "--on-drift", "revert")
    assert again.code == 0, again.said
    assert len(other.live()) == 2


def test_a_write_that_was_acknowledged_and_lost_shows_in_the_next_plan(served: tuple[Place, Other]) -> None:
    place, other = served
    _write(place, "made.yaml", HELD)
    _write(place, "edited.yaml", HELD)
    _write(place, "removed.yaml", HELD)
    _converges(place)
    before = {entry["id"]: entry for entry in other.live()}
    ids = place.ids()
    _write(place, "edited.yaml", {**HELD, "instructions": "Say no."})
    (place.root / "assistants" / "removed.yaml").unlink()
    assert place.run("apply", "--yes", "--prune").code == 0
    other.delete(ids["made"])  # as if the create had been lost; then the modify, then the delete
    other.edit(ids["edited"], **{name: before[ids["edited"]][name] for name in ("instructions", "metadata")})
    other.create(**{name: before[ids["removed"]][name] for name in ("name", "model", "metadata")})
    plan = place.run("plan", "--detailed-exitcode")
    assert plan.code == 3, plan.said
    assert "1 blocked, 1 behind, 1 orphaned" in plan.summary, plan.said
    assert "was deleted outside" in plan.said
    assert place.run("state", "rebuild").code == 0
    assert place.run("apply", "--yes", "--on-drift", "revert", "--prune").code == 0
    _converges(place)
    assert len(other.live()) == 2


def test_what_somebody_else_made_is_imported(served: tuple[Place, Other]) -> None:
    place, other = served
    live_id = other.create(**HELD)
    imported = place.run("import", live_id, "--yes")
    assert imported.code == 0, imported.said
    assert place.run("plan", "--detailed-exitcode").summary.startswith(unchanged(1).rstrip("."))


def test_what_the_server_lacks_is_refused_by_validate_or_let_go(served: tuple[Place, Other], server: str) -> None:
    place, other = served
    tools = [{**FUNCTION, "async": True}, _mcp()]
    _write(place, "rich.yaml", {**HELD, **REFUSED, "reasoning": {"effort": "low", "summary": "auto"}, "tools": tools})
    valid = place.run("validate")
    assert valid.code == 1
    for name in (*REFUSED, *PARTS):
        assert f"apipi does not support {name}" in valid.said, valid.said
    _target(place, server, allow_loss=[*REFUSED, *PARTS])
    _converges(place)
    (live,) = other.live()
    assert (live["tools"], live["reasoning"]) == ([FUNCTION], {"effort": "low"})


@pytest.mark.parametrize("name", sorted({*REFUSED} - {"experimental"}))
def test_in_the_vendor_s_dialect_a_refusal_leads_to_its_line(
    served: tuple[Place, Other], server: str, name: str
) -> None:
    place, other = served
    _target(place, server, dialect="openai")
    place.write("one.yaml", f"protocol: openai-agents\nmodel: gpt-5\n{name}: {json.dumps(REFUSED[name])}\n")
    refused = place.run("apply", "--yes")
    assert refused.code == 5, refused.said
    assert "assistants/one.yaml:3" in refused.said, refused.said
    assert "HTTP 400" in refused.said
    assert other.live() == []


def test_without_a_search_provider_the_server_s_sentence_is_shown(served: tuple[Place, Other]) -> None:
    place, other = served
    _write(place, "one.yaml", {"model": "gpt-5", "tools": [{"type": "web_search"}]})
    refused = place.run("apply", "--yes")
    assert refused.code == 5
    assert "web_search is not available: no search provider is configured" in refused.said
    assert other.live() == []


def test_the_vendor_s_dialect_does_not_take_the_one_listing_for_the_whole(
    served: tuple[Place, Other], server: str
) -> None:
    place, other = served
    other.create(model="gpt-5")
    _target(place, server, dialect="openai")
    _write(place, "one.yaml", {"model": "gpt-5"})
    held = place.run("apply", "--yes")
    assert held.code == 6
    assert "page 2 of the listing repeats page 1" in held.said
    assert len(other.live()) == 1


def _mcp() -> dict[str, Any]:
    transport = {"type": "http", "server_url": "https://example.com/mcp"}
    return {"type": "mcp", "server_label": "docs", "transport": transport}


def _converges(place: Place) -> None:
    """Apply; check that everything is kept and that the next plan is empty."""
    ran = place.run("apply", "--yes")
    assert ran.code == 0, ran.said
    assert "did not keep" not in ran.said
    again = place.run("plan", "--detailed-exitcode")
    assert (again.code, again.summary) == (0, unchanged(len(place.ids()))), again.said
