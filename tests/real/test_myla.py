"""myla 0.2.40, a server of others with this protocol: it drops fields, wants `model` always, and lies about pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real.place import Place, unchanged
from tests.real.servers import myla

FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
HELD = {
    "description": "What this server can hold.",
    "model": "m-1",
    "instructions": "Say yes.\n\nOr no.",
    "tools": ["file_search", FUNCTION],
    "metadata": {"owner": "ada"},
}
DROPPED = {
    "tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}},
    "temperature": 0.3,
    "top_p": 0.5,
    "response_format": {"type": "json_object"},
    "reasoning_effort": "low",
}
NOT_KEPT = (
    "tool_resources.file_search.vector_store_ids",
    "temperature",
    "top_p",
    "response_format",
    "reasoning_effort",
)


class Other:
    """Another client of the same server."""

    def __init__(self, web: httpx.Client) -> None:
        self._web = web

    def live(self) -> list[dict[str, Any]]:
        """All live assistants, page by page, until one is empty."""
        found: list[dict[str, Any]] = []
        while True:
            query = {"limit": 100, "order": "asc", **({"after": found[-1]["id"]} if found else {})}
            page = self._web.get("/assistants", params=query).json()["data"]
            if not page:
                return found
            found += page

    def edit(self, live_id: str, **body: Any) -> None:
        assert self._web.post(f"/assistants/{live_id}", json=body).status_code == 200

    def delete(self, live_id: str) -> int:
        return self._web.delete(f"/assistants/{live_id}").status_code


@pytest.fixture(scope="module")
def server(software: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """myla's base URL and key; one server for all tests, since it takes its time to start."""
    with myla(software, tmp_path_factory.mktemp("myla")) as found:
        yield found


@pytest.fixture
def served(place: Place, server: tuple[str, str]) -> Iterator[tuple[Place, Other]]:
    """Make an empty myla the target of an empty project; return it and another client of the server."""
    base, key = server
    place.environ["REAL_KEY"] = key
    place.target(base, always_send=["model"])
    with httpx.Client(base_url=base, headers={"authorization": f"Bearer {key}"}, trust_env=False) as web:
        other = Other(web)
        for entry in other.live():
            assert other.delete(entry["id"]) == 200
        yield place, other


def test_what_the_server_can_hold_converges(served: tuple[Place, Other]) -> None:
    place, other = served
    place.write("held.yaml", HELD)
    _converges(place)

    edited = {**HELD, "instructions": "Say no.", "metadata": {"team": "school"}, "tools": [FUNCTION]}
    place.write("held.yaml", edited)
    plan = place.run("plan")
    assert "model sent again unchanged: this target requires it in every modify" in plan.said
    _converges(place)
    live = other.live()[0]
    assert sorted(live["metadata"]) == ["team", "trueup"]

    other.edit(live["id"], model="m-1", instructions="By hand.")
    drift = place.run("drift")
    assert drift.code == 2
    assert "By hand." in drift.said
    assert place.run("apply", "--yes", "--on-drift", "revert").code == 0
    assert other.live()[0]["instructions"] == "Say no."
    assert place.run("drift").code == 0

    place.forget()
    assert place.run("state", "rebuild").code == 0
    assert place.run("plan").summary == unchanged(1)
    assert len(other.live()) == 1


def test_fields_that_the_server_drops_are_named_and_never_planned_again(served: tuple[Place, Other]) -> None:
    place, other = served
    place.write("rich.yaml", {**HELD, **DROPPED})
    first = place.run("apply", "--yes")
    assert first.code == 0, first.said
    assert f"The server did not keep {', '.join(NOT_KEPT)} as sent." in first.said
    before = other.live()
    assert place.run("plan", "--detailed-exitcode").summary == unchanged(1)
    assert place.run("apply", "--yes").summary == unchanged(1)
    assert place.run("drift").code == 0
    assert other.live() == before

    place.write("rich.yaml", {**HELD, **DROPPED, "temperature": 0.4})
    edited = place.run("apply", "--yes")
    assert edited.code == 0, edited.said
    assert "The server did not keep temperature as sent." in edited.said
    assert place.run("plan").summary == unchanged(1)
    assert len(other.live()) == 1


def test_without_the_option_the_refusal_leads_to_it(served: tuple[Place, Other]) -> None:
    place, other = served
    project = place.root / "trueup.yaml"
    text = project.read_text("utf-8")
    place.write("held.yaml", HELD)
    assert place.run("apply", "--yes").code == 0
    place.replace("held.yaml", "Or no.", "Or maybe.")
    project.write_text(text.replace('"model"', ""), "utf-8")
    refused = place.run("apply", "--yes")
    assert refused.code == 5
    assert "HTTP 422: model: Field required" in refused.said
    assert "always_send: [model]" in refused.said
    assert other.live()[0]["instructions"] == HELD["instructions"]
    (place.root / "trueup.yaml").write_text(text, "utf-8")
    _converges(place)


def test_what_is_gone_is_known_by_the_server_s_own_words(served: tuple[Place, Other]) -> None:
    place, other = served
    place.write("one.yaml", HELD)
    place.write("two.yaml", HELD)
    _converges(place)
    ids = place.ids()
    assert other.delete(ids["one"]) == 200
    assert other.delete(ids["one"]) == 500  # as it answers what is not there
    gone = place.run("drift")
    assert gone.code == 2
    assert "was deleted outside" in gone.said
    assert place.run("apply", "--yes").code == 3
    again = place.run("apply", "--yes", "--on-drift", "revert")
    assert again.code == 0, again.said
    assert len(other.live()) == 2

    (place.root / "assistants" / "two.yaml").unlink()
    pruned = place.run("apply", "--yes", "--prune")
    assert pruned.code == 0, pruned.said
    assert [entry["id"] for entry in other.live()] == [place.ids()["one"]]


def test_more_than_a_page_is_all_found_though_has_more_is_never_true(served: tuple[Place, Other]) -> None:
    place, other = served
    count = 103
    for number in range(count):
        place.write(f"n{number:03}.yaml", {"model": "m-1"})
    made = place.run("apply", "--yes", "--parallelism", "4")
    assert made.code == 0, made.said[-2000:]
    assert len(other.live()) == count
    place.forget()
    adopted = place.run("apply", "--yes")
    assert adopted.code == 0, adopted.said[-2000:]
    assert f"Plan: 0 to create, 0 to modify, 0 to delete, 0 drifted, 0 unchanged, {count} to adopt." in adopted.said
    assert place.run("plan").summary == unchanged(count)
    assert len(other.live()) == count


def test_a_wrong_key_is_told_plainly(served: tuple[Place, Other]) -> None:
    place, _ = served
    place.environ["REAL_KEY"] = "sk-wrong-0123456789"
    place.write("held.yaml", HELD)
    refused = place.run("apply", "--yes")
    assert refused.code == 1
    assert " denied access with the key in REAL_KEY: HTTP 403: Forbidden" in refused.said


def _converges(place: Place) -> None:
    """Apply; check that everything is kept and that the next plan is empty."""
    ran = place.run("apply", "--yes")
    assert ran.code == 0, ran.said
    assert "did not keep" not in ran.said
    again = place.run("plan", "--detailed-exitcode")
    assert (again.code, again.summary) == (0, unchanged(len(place.ids()))), again.said
