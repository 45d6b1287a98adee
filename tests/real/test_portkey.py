"""Portkey's open-source gateway between us and a server: what passes, and what its retries and timeouts leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real.place import KEY, Place, unchanged
from tests.real.servers import gateway
from tests.real.upstream import Upstream
from trueup.local.faults import Fault, Kind

FLEET = 7


@pytest.fixture(scope="module")
def portkey(software: Path) -> Iterator[str]:
    """Return the pinned gateway's base URL."""
    with gateway(software) as address:
        yield f"{address}/v1"


@pytest.fixture
def behind(place: Place, portkey: str, upstream: tuple[Upstream, str]) -> tuple[Place, Upstream]:
    """One small assistant for a target behind the gateway, and the server that has it."""
    server, url = upstream
    place.target(portkey, **_to(url))
    place.write("math.yaml", {"model": "gpt-4.1", "instructions": "Count.", "temperature": 1.0})
    return place, server


def _to(url: str, **more: Any) -> dict[str, Any]:
    """Return the keys of a target behind the gateway, its own key as a bearer."""
    return {"gateway": "portkey", "portkey": {"provider": "openai", "custom_host": url, **more}}


def _config(url: str, **more: Any) -> dict[str, Any]:
    """Return the same by a whole configuration, the key in it."""
    config = {"provider": "openai", "api_key": {"env": "REAL_KEY"}, "custom_host": url, **more}
    return {"gateway": "portkey", "api_key": None, "portkey": {"config": config}}


def test_the_example_fleet_lives_behind_the_gateway(place: Place, portkey: str, upstream: tuple[Upstream, str]) -> None:
    server, url = upstream
    place.copy_example()
    place.target(portkey, **_to(url), guard={"modifies": FLEET})
    first = place.run("apply", "--yes")
    assert (first.code, len(server.live())) == (0, FLEET), first.said
    assert "did not keep" not in first.said
    assert place.run("plan").summary == unchanged(FLEET)

    place.replace("_shared/safety.md", "## What always holds\n", "## What always holds\n\nNever guess.\n")
    edited = place.run("apply", "--yes")
    assert edited.code == 0, edited.said
    assert place.run("plan").summary == unchanged(FLEET)

    live_id = place.ids()["math-tutor"]
    server.edit(live_id, instructions="Changed by hand.")
    drift = place.run("drift")
    assert drift.code == 2
    assert "math-tutor" in drift.said
    assert "Changed by hand." in drift.said
    reverted = place.run("apply", "--yes", "--on-drift", "revert")
    assert reverted.code == 0, reverted.said
    assert place.run("drift").code == 0

    before = len(server.writes)
    assert place.run("apply", "--yes").summary == unchanged(FLEET)
    assert len(server.writes) == before

    place.forget()
    rebuilt = place.run("state", "rebuild")
    assert rebuilt.code == 0, rebuilt.said
    assert place.run("plan").summary == unchanged(FLEET)


def test_what_the_gateway_rewrites_on_the_way_is_no_difference(behind: tuple[Place, Upstream]) -> None:
    place, server = behind
    schema = {"type": "object", "properties": {"2": {"type": "number", "minimum": 1.0}, "1": {"const": "é"}}}
    place.write(
        "numbers.yaml",
        {"model": "m", "top_p": 0.10, "tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]},
    )
    assert place.run("apply", "--yes").code == 0
    sent = server.named("numbers")[0]["tools"][0]["function"]["parameters"]["properties"]
    assert list(sent) == ["1", "2"]  # the gateway's order, not ours
    assert place.run("plan").summary == unchanged(2)


@pytest.mark.parametrize("attempts", [1, 2])
def test_twins_made_by_the_gateway_s_retries_are_named_in_the_same_run(
    place: Place, portkey: str, upstream: tuple[Upstream, str], attempts: int
) -> None:
    """The server does the work and answers 500; the gateway asks again, and hands on only the last answer."""
    server, url = upstream
    place.target(portkey, **_config(url, retry={"attempts": attempts}))
    place.write("math.yaml", {"model": "gpt-4.1"})
    server.faults.add(Fault(Kind.ANSWER, "POST", status=500, commit=True, times=attempts))
    ran = place.run("apply", "--yes")
    twins = [entry["id"] for entry in server.live()]
    assert len(twins) == attempts + 1
    assert ran.code == 3, ran.said
    assert all(live_id in ran.said for live_id in twins), ran.said
    assert place.ids()["math"] in twins
    later = place.run("plan", "--detailed-exitcode")
    assert later.code == 3
    assert all(live_id in later.said for live_id in twins), later.said


@pytest.mark.parametrize("kind", ["timeout", "dropped", "error"])
def test_a_create_whose_answer_was_lost_is_adopted_and_never_repeated(
    behind: tuple[Place, Upstream], portkey: str, upstream: tuple[Upstream, str], kind: str
) -> None:
    place, server = behind
    fault = {
        "timeout": Fault(Kind.PASS, "POST", delay=1.5),
        "dropped": Fault(Kind.DROP, "POST", commit=True),
        "error": Fault(Kind.ANSWER, "POST", status=500, commit=True),
    }[kind]
    place.target(portkey, **_to(upstream[1], request_timeout=600), settle=2)
    server.faults.add(fault)
    ran = place.run("apply", "--yes")
    assert ran.code == 0, ran.said
    assert "found after an unclear response" in ran.said
    assert [entry["id"] for entry in server.live()] == [place.ids()["math"]]
    assert len(server.writes) == 1
    assert place.run("plan").summary == unchanged(1)


@pytest.mark.parametrize("kind", ["timeout", "dropped"])
def test_a_modify_whose_answer_was_lost_is_read_and_not_repeated(
    behind: tuple[Place, Upstream], portkey: str, upstream: tuple[Upstream, str], kind: str
) -> None:
    place, server = behind
    place.target(portkey, **_to(upstream[1], request_timeout=600))
    assert place.run("apply", "--yes").code == 0
    place.replace("math.yaml", "Count.", "Count twice.")
    dropped = Fault(Kind.DROP, "POST", commit=True)
    server.faults.add(Fault(Kind.PASS, "POST", delay=1.0) if kind == "timeout" else dropped)
    ran = place.run("apply", "--yes", "-vv")
    assert ran.code == 0, ran.said
    assert ("  408  " if kind == "timeout" else "  500  ") in ran.err
    assert server.live()[0]["instructions"] == "Count twice."
    assert place.run("plan").summary == unchanged(1)
    assert len(server.writes) == 2


def test_the_gateway_s_own_refusals_are_told(place: Place, portkey: str, upstream: tuple[Upstream, str]) -> None:
    place.write("math.yaml", {"model": "gpt-4.1"})
    place.target(portkey)
    bare = place.run("plan")
    assert bare.code == 1
    assert "Either x-portkey-config or x-portkey-provider header is required" in bare.said
    place.target(portkey, **_to("http://10.0.0.1/v1"))
    private = place.run("plan")
    assert private.code == 1
    assert "Invalid custom host" in private.said
    place.environ["REAL_KEY"] = "sk-wrong-0123456789"
    place.target(portkey, **_to(upstream[1]))
    wrong = place.run("plan")
    assert wrong.code == 1
    assert " refused the key in REAL_KEY" in wrong.said


def test_a_gateway_that_breaks_every_good_answer_gets_nothing_to_write(
    place: Place, software: Path, upstream: tuple[Upstream, str]
) -> None:
    server, url = upstream
    place.write("math.yaml", {"model": "gpt-4.1"})
    with gateway(software, "broken") as address:
        raw = httpx.post(
            f"{address}/v1/assistants",
            json={"model": "gpt-4.1", "name": "somebody else's"},
            headers={
                "x-portkey-provider": "openai",
                "x-portkey-custom-host": url,
                "authorization": f"Bearer {KEY}",
                "openai-beta": "assistants=v2",
            },
            trust_env=False,
        )
        assert (raw.status_code, len(server.live())) == (500, 1)  # it is broken: the work was done all the same
        place.target(f"{address}/v1", **_to(url), max_retries=1)
        ran = place.run("apply", "--yes")
    assert ran.code == 1, ran.said
    assert "HTTP 500: Something went wrong" in ran.said
    assert len(server.live()) == 1
