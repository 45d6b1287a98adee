"""What only Portkey's hosted product looks up (virtual keys, saved configurations, slugs): the headers leave just so.

The embedded stand-in is in Portkey's place, so this proves what we send and not what the hosted one makes of it. It
needs no software of others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.real.place import KEY, Place
from tests.real.upstream import Upstream
from tests.real.witness import Seen, witness
from trueup.local.portkey import Gateway
from trueup.local.serve import running

PORTKEY = {"env": "PORTKEY_KEY"}
PORTKEY_KEY = "pk-real-0123456789"
VIRTUAL = {"env": "VIRTUAL_KEY"}
VIRTUAL_KEY = "vk-real-0123456789"
STORED: dict[str, Any] = {"gateway": "portkey", "api_key": None}
BETA = {"openai-beta": "assistants=v2", "x-portkey-openai-beta": "assistants=v2"}
OURS = {"x-portkey-api-key": PORTKEY_KEY}


@dataclass(frozen=True, slots=True)
class Way:
    """The keys of a target, and the headers that say whom a request is for, all of them."""

    options: Mapping[str, Any]
    headers: Mapping[str, str]
    dialect: str = "openai"


WAYS: Mapping[str, Way] = {
    "virtual-key": Way(
        {**STORED, "portkey": {"api_key": PORTKEY, "virtual_key": VIRTUAL}},
        {**OURS, **BETA, "x-portkey-virtual-key": VIRTUAL_KEY},
    ),
    "slug": Way(
        {**STORED, "portkey": {"api_key": PORTKEY, "provider": "@openai-prod"}},
        {**OURS, **BETA, "x-portkey-provider": "@openai-prod"},
    ),
    "saved-configuration": Way(
        {**STORED, "portkey": {"api_key": PORTKEY, "config": "pc-support-1a2b3c"}},
        {**OURS, **BETA, "x-portkey-config": "pc-support-1a2b3c"},
    ),
    "virtual-key-in-a-configuration": Way(
        {**STORED, "portkey": {"api_key": PORTKEY, "config": {"virtual_key": VIRTUAL, "retry": {"attempts": 0}}}},
        {**OURS, **BETA, "x-portkey-config": json.dumps({"virtual_key": VIRTUAL_KEY, "retry": {"attempts": 0}})},
    ),
    "bearer-and-account": Way(
        {
            "gateway": "portkey",
            "portkey": {"api_key": PORTKEY, "provider": "openai"},
            "openai_organization": "org-1",
            "openai_project": "proj-1",
        },
        {
            **OURS,
            **BETA,
            "authorization": f"Bearer {KEY}",
            "x-portkey-provider": "openai",
            "x-portkey-openai-organization": "org-1",
            "x-portkey-openai-project": "proj-1",
        },
    ),
    "azure-by-virtual-key": Way(
        {
            **STORED,
            "dialect": "azure-openai",
            "portkey": {"api_key": PORTKEY, "virtual_key": VIRTUAL, "azure": {"resource_name": "school"}},
            "headers": {"x-portkey-metadata": '{"_user":"ci"}'},
        },
        {
            **OURS,
            "x-portkey-virtual-key": VIRTUAL_KEY,
            "x-portkey-azure-resource-name": "school",
            "x-portkey-metadata": '{"_user":"ci"}',
        },
        "azure-openai",
    ),
}


@pytest.mark.parametrize("name", WAYS)
def test_the_headers_leave_exactly_so(place: Place, name: str) -> None:
    way, server = WAYS[name], Upstream(WAYS[name].dialect)
    place.environ |= {"PORTKEY_KEY": PORTKEY_KEY, "VIRTUAL_KEY": VIRTUAL_KEY}
    place.write("math.yaml", {"model": "gpt-4.1", "instructions": "Count."})
    hosted = Gateway(hosted=True, key=KEY)
    with server, running(server, key=KEY, gateway=hosted) as url, witness(url) as front:
        place.target(front.url, **way.options)
        ran = place.run("apply", "--yes")
        assert ran.code == 0, ran.said
        assert len(server.live()) == 1
    assert {seen.method for seen in front.seen} == {"GET", "POST"}
    for seen in front.seen:
        assert _telling(seen) == way.headers
        assert seen.path.count("api-version=") == (way.dialect == "azure-openai")


def _telling(seen: Seen) -> dict[str, str]:
    """Return the headers that say whom a request is for; a configuration as its JSON, whatever the spaces."""
    found = seen.among("x-portkey-", "openai-", "authorization", "api-key")
    config = found.get("x-portkey-config", "")
    return {**found, "x-portkey-config": json.dumps(json.loads(config))} if config.startswith("{") else found
