"""Prism with the other vendors' schemas as a referee: OpenAI's first version, Azure's, and Portkey's of its own API.

Each stands between us and the embedded server in that dialect. What the vendor's own answers break in a schema is taken
out of it first, and listed here. Foundry's is not published as a document that Prism reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.contract.house import DEFINITIONS
from tests.local.specs import spec, with_null
from tests.real.place import KEY, Place, unchanged
from tests.real.servers import prism
from tests.real.upstream import Upstream
from trueup.local.portkey import Gateway
from trueup.local.serve import running


@dataclass(frozen=True, slots=True)
class Referee:
    """A specification, the dialect that it judges, how a target reaches it, and what it must refuse.

    `instead` is what a definition with every field of the dialect says otherwise here; null: nothing.
    """

    document: str
    dialect: str
    target: Mapping[str, Any]
    headers: Mapping[str, str]
    refused: tuple[Mapping[str, Any], ...]
    gateway: Gateway | None = None
    instead: Mapping[str, Any] = field(default_factory=dict)


PORTKEY = {"gateway": "portkey", "portkey": {"api_key": {"env": "PORTKEY_KEY"}, "provider": "openai"}}
PORTKEY_KEY = "pk-real-0123456789"
NO_MODEL = {"name": "no model"}
REFEREES: Mapping[str, Referee] = {
    "azure": Referee(
        "azure-2025-03-01-preview.json",
        "azure-openai",
        {"dialect": "azure-openai"},
        {"api-key": KEY},
        (NO_MODEL, {"model": "m", "reasoning_effort": "low"}, {"model": "m", "tools": None}),
    ),
    "openai-v1": Referee(
        "openai-v1.json",
        "openai-v1",
        {"dialect": "openai-v1"},
        {"authorization": f"Bearer {KEY}", "openai-beta": "assistants=v1"},
        (NO_MODEL, {"model": "m", "tool_resources": {}}, {"model": "m", "tools": [{"type": "file_search"}]}),
    ),
    "portkey": Referee(
        "portkey.json",
        "openai",
        PORTKEY,
        {"authorization": f"Bearer {KEY}", "x-portkey-api-key": PORTKEY_KEY, "x-portkey-provider": "openai"},
        (NO_MODEL, {"model": "m", "bogus": 1}),
        Gateway(hosted=True),
        {"reasoning_effort": None, "response_format": {"type": "json_object"}},  # not in Portkey's document
    ),
}


@pytest.mark.parametrize("name", REFEREES)
def test_what_is_sent_and_answered_is_as_the_vendor_publishes_it(
    place: Place, software: Path, tmp_path: Path, name: str
) -> None:
    referee, schema = REFEREES[name], tmp_path / "vendor.json"
    place.environ["PORTKEY_KEY"] = PORTKEY_KEY
    server = Upstream(referee.dialect)
    with server, running(server, key=KEY, gateway=referee.gateway) as url:
        mount = urlsplit(url).path
        schema.write_text(json.dumps(_mended(spec(referee.document), mount)), "utf-8")
        with prism(software, schema, url.removesuffix(mount), tmp_path) as address:
            place.target(f"{address}{mount}", **referee.target)
            _refuses(f"{address}{mount}", referee)
            assert server.writes == []
            _lives(place, referee)
        assert len(server.live()) == 1


def _lives(place: Place, referee: Referee) -> None:
    """Every field is created, changed and deleted, and every plan after an apply is empty."""
    place.write("bare.yaml", {"model": "gpt-4o"})
    place.write("full.yaml", {"extends": "_full.yaml", **referee.instead})
    for moment in ("first", "second"):
        full = DEFINITIONS / "openai-assistants" / referee.dialect / f"{moment}.yaml"
        place.write("_full.yaml", full.read_text("utf-8"))
        ran = place.run("apply", "--yes")
        assert ran.code == 0, ran.said
        assert "did not keep" not in ran.said
        again = place.run("plan", "--detailed-exitcode")
        assert (again.code, again.summary) == (0, unchanged(2)), again.said
    (place.root / "assistants" / "full.yaml").unlink()
    pruned = place.run("apply", "--yes", "--prune")
    assert pruned.code == 0, pruned.said


def _refuses(base: str, referee: Referee) -> None:
    """Check that the referee refuses a request without a credential, and what the schema does not allow."""
    query = {"api-version": "2025-03-01-preview"} if referee.dialect == "azure-openai" else {}
    bare = httpx.get(f"{base}/assistants", params=query, trust_env=False, timeout=30)
    assert bare.status_code == 401
    for body in referee.refused:
        said = httpx.post(
            f"{base}/assistants", json=body, params=query, headers=referee.headers, trust_env=False, timeout=30
        )
        assert said.status_code == 422, (body, said.text)


def _mended(document: Any, mount: str) -> Any:
    """Return the specification as Prism can use it below a path, without what the vendor's own responses break.

    It passes every body where a schema says `nullable` in a place that it cannot read, so that is said as JSON Schema
    says it. Left out are examples in files that are not there. An empty page has null for both ids.
    """
    plain = _without_examples(with_null(document))
    for name, schema in plain["components"]["schemas"].items():
        if name.lower() == "listassistantsresponse":
            for key in ("first_id", "last_id"):
                schema["properties"][key] = {"type": ["string", "null"]}
    paths = {f"{mount}{path}": entry for path, entry in plain["paths"].items()}
    return {**plain, "openapi": "3.1.0", "paths": paths, "servers": [{"url": "/"}]}


def _without_examples(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_examples(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {key: _without_examples(entry) for key, entry in value.items() if key != "x-ms-examples"}
