"""Every set of headers that Portkey's open-source gateway takes, through the gateway itself: what arrives behind it.

A witness stands between the gateway and the embedded server. What only the hosted product knows is in
`test_portkey_hosted`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real.place import KEY, Place, unchanged
from tests.real.servers import gateway
from tests.real.upstream import Upstream
from tests.real.witness import Witness, witness
from trueup.local.serve import running

PORTKEY_KEY = "pk-real-0123456789"
SECRET = {"env": "REAL_KEY"}
ASSISTANT = {
    "model": "gpt-4.1",
    "instructions": "Count.\n\nThen count again.",
    "tools": ["code_interpreter"],
    "metadata": {"owner": "ada"},
    "temperature": 0.5,
}
Way = Callable[[str], Mapping[str, Any]]


def _config(host: str, **more: Any) -> dict[str, Any]:
    """Return the keys of a target whose gateway gets a whole configuration, the provider's key in it."""
    config = {"provider": "openai", "api_key": SECRET, "custom_host": host, **more}
    return {"gateway": "portkey", "api_key": None, "portkey": {"config": config}}


def _bearer(host: str, **more: Any) -> dict[str, Any]:
    """Return the keys of a target whose own key goes as a bearer."""
    return {"gateway": "portkey", "portkey": {"provider": "openai", "custom_host": host, **more}}


def _targets(host: str, mode: str) -> dict[str, Any]:
    """Return a configuration that chooses among targets."""
    one = {"provider": "openai", "api_key": SECRET, "custom_host": host}
    return {
        "gateway": "portkey",
        "api_key": None,
        "portkey": {"config": {"strategy": {"mode": mode}, "targets": [one]}},
    }


WAYS: Mapping[str, Way] = {
    "provider-and-bearer": _bearer,
    "slash-after-the-host": lambda host: _bearer(f"{host}/"),
    "with-portkey-s-key": lambda host: _bearer(host, api_key={"env": "PORTKEY_KEY"}),
    "account": lambda host: {**_bearer(host), "openai_organization": "org-1", "openai_project": "proj-1"},
    "inline-configuration": _config,
    "inline-configuration-slash": lambda host: _config(f"{host}//"),
    "configuration-with-a-timeout": lambda host: _config(host, request_timeout=30_000),
    "configuration-in-the-environment": lambda _: {
        "gateway": "portkey", "api_key": None, "portkey": {"config": {"env": "REAL_CONFIG"}},
    },
    "configuration-and-bearer": lambda host: {
        "gateway": "portkey",
        "portkey": {"config": {"provider": "openai", "custom_host": host, "request_timeout": 30_000}},
    },
    "single": lambda host: _targets(host, "single"),
    "fallback": lambda host: _targets(host, "fallback"),
    "loadbalance": lambda host: _targets(host, "loadbalance"),
    "headers-by-hand": lambda host: {"headers": {"x-portkey-provider": "openai", "x-portkey-custom-host": host}},
}  # fmt: skip


@pytest.fixture(scope="module")
def portkey(software: Path) -> Iterator[str]:
    """Return the pinned gateway's address."""
    with gateway(software) as address:
        yield address


@pytest.fixture
def behind(upstream: tuple[Upstream, str]) -> Iterator[Witness]:
    """Return what arrives at the server."""
    with witness(upstream[1]) as seen:
        yield seen


@pytest.mark.parametrize("way", WAYS)
def test_every_way_in_converges_and_the_server_sees_its_own_headers(
    place: Place, portkey: str, upstream: tuple[Upstream, str], behind: Witness, way: str
) -> None:
    place.environ["PORTKEY_KEY"] = PORTKEY_KEY
    place.environ["REAL_CONFIG"] = json.dumps({"provider": "openai", "api_key": KEY, "custom_host": behind.url})
    options = WAYS[way](behind.url)
    place.target(f"{portkey}/v1", **options)
    place.write("math.yaml", ASSISTANT)
    _converges(place, upstream[0])

    assert {seen.path.partition("?")[0] for seen in behind.seen} == {"/v1/assistants"}
    for seen in behind.seen:
        assert seen.headers["authorization"] == f"Bearer {KEY}"
        assert seen.headers["openai-beta"] == "assistants=v2"
        assert seen.headers["user-agent"].startswith("trueup/")
        assert seen.headers.get("openai-organization") == options.get("openai_organization")
        assert seen.headers.get("openai-project") == options.get("openai_project")
        assert seen.among("x-portkey-") == {}
        assert PORTKEY_KEY not in str(seen)


def test_azure_behind_the_gateway_is_two_words(place: Place, portkey: str) -> None:
    """The dialect names who answers, the gateway what stands in front; the version is in the query once."""
    server = Upstream("azure-openai")
    with server, running(server, key=KEY) as url, witness(url) as behind:
        azure = {"resource_name": "school", "deployment_id": "ours", "api_version": "2025-03-01-preview"}
        options = {"provider": "azure-openai", "custom_host": f"{behind.url}/", "azure": azure}
        place.target(
            f"{portkey}/v1", dialect="azure-openai", gateway="portkey", portkey=options, models={"gpt-4.1": "ours"}
        )
        place.write("math.yaml", ASSISTANT)
        _converges(place, server)
        assert server.live()[0]["model"] == "ours"
    assert {seen.path.partition("?")[0] for seen in behind.seen} == {"/openai/assistants"}
    for seen in behind.seen:
        assert seen.path.count("api-version=2025-03-01-preview") == 1
        assert seen.headers["api-key"] == KEY
        assert "openai-beta" not in seen.headers
        assert seen.among("x-portkey-") == {}


def test_a_bearer_wins_over_a_configuration_s_key_so_both_are_refused(
    place: Place, portkey: str, upstream: tuple[Upstream, str]
) -> None:
    _, url = upstream
    for bearer, key, status in ((KEY, "sk-wrong", 200), ("sk-wrong", KEY, 401)):
        config = json.dumps({"provider": "openai", "api_key": key, "custom_host": url})
        headers = {"x-portkey-config": config, "authorization": f"Bearer {bearer}", "openai-beta": "assistants=v2"}
        assert httpx.get(f"{portkey}/v1/assistants", headers=headers, trust_env=False).status_code == status

    place.target(f"{portkey}/v1", **{**_config(url), "api_key": SECRET})
    place.write("math.yaml", ASSISTANT)
    refused = place.run("validate")
    assert refused.code == 1
    assert "api_key becomes an Authorization header, which overrides the configuration" in refused.said
    line = (place.root / "trueup.yaml").read_text("utf-8").splitlines().index('   "api_key": {') + 1
    assert f"trueup.yaml:{line}:4:" in refused.said
    assert place.run("apply", "--yes").code == 1
    assert upstream[0].writes == []


def test_a_bearer_written_as_a_header_is_refused_as_well(place: Place, portkey: str) -> None:
    place.target(f"{portkey}/v1", **{**_config("http://127.0.0.1:9/v1"), "headers": {"Authorization": SECRET}})
    refused = place.run("validate")
    assert refused.code == 1
    assert "headers.Authorization becomes an Authorization header" in refused.said


def _converges(place: Place, server: Upstream) -> None:
    """Apply; check that everything is kept and that the next plan is empty."""
    ran = place.run("apply", "--yes")
    assert ran.code == 0, ran.said
    assert "did not keep" not in ran.said
    again = place.run("plan", "--detailed-exitcode")
    assert (again.code, again.summary) == (0, unchanged(1)), again.said
    assert len(server.live()) == 1
