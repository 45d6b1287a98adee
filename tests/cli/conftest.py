"""A project in a folder of its own, and the command run on it in this process, with a plain environment."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.agents import TRIAGE
from tests.cli.place import Place
from trueup.local import server as embedded
from trueup.local.faults import Fault
from trueup.local.openai_assistants import Server
from trueup.local.serve import running

TEST_SETTINGS = ("TRUEUP_REGOLD", "TRUEUP_SPECS")
PLAIN = (
    "CI",
    "TF_BUILD",
    "TEAMCITY_VERSION",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "TERM",
    "COLUMNS",
)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name in PLAIN or (name.startswith("TRUEUP_") and name not in TEST_SETTINGS):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def counted_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make ids that are the same in every run."""
    numbers = itertools.count(1)
    monkeypatch.setattr(embedded, "new_id", lambda prefix: f"{prefix}_{next(numbers):024d}")


@pytest.fixture
def place(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return two small assistants for the local target, nothing applied yet."""
    monkeypatch.chdir(tmp_path)
    made = Place(tmp_path, capsys)
    made.write("assistants/alpha.yaml", "model: gpt-4.1\ninstructions: |\n  Say A.\n  Then stop.\ntemperature: 0.2\n")
    made.write("assistants/team/beta.yaml", "model: gpt-4.1\ninstructions: Say B.\nmetadata: {owner: bea}\n")
    return made


@pytest.fixture
def vendor() -> Iterator[tuple[Server, str]]:
    """Run the embedded server over HTTP, where faults can be asked for."""
    with Server() as server, running(server, key="sk-canary-123456", faults=True) as url:
        yield server, url


@pytest.fixture
def hosted(place: Place, vendor: tuple[Server, str], monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return the same two assistants, for a target over HTTP."""
    server, url = vendor
    monkeypatch.setenv("CANARY_KEY", "sk-canary-123456")
    text = (
        f"project: shop\ntargets:\n  prod: {{base_url: {json.dumps(url)}, api_key: {{env: CANARY_KEY}}, settle: 0}}\n"
    )
    place.write("trueup.yaml", text)
    place.server = server
    return place


@pytest.fixture
def faulty(vendor: tuple[Server, str]) -> object:
    """Return a function that arms faults on the server."""
    import httpx

    _, url = vendor
    base = url.removesuffix("/v1")

    def arm(*faults: Fault) -> None:
        entries = [
            {"kind": fault.kind.value, "method": fault.method, "path": fault.path, "status": fault.status,
             "times": fault.times, "nth": fault.nth, "delay": fault.delay, "commit": fault.commit,
             "having": fault.having, "body": fault.body}
            for fault in faults
        ]  # fmt: skip
        key = {"Authorization": "Bearer sk-canary-123456"}
        assert httpx.post(f"{base}/_control/faults", json=entries, headers=key).status_code == 200

    return arm


@pytest.fixture
def fleet(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return two saved agents for the local target, nothing applied yet."""
    monkeypatch.chdir(tmp_path)
    made = Place(tmp_path, capsys, protocol="openai-agents", objects="/agents")
    made.write("trueup.yaml", "project: shop\ntargets:\n  local: {base_url: local, protocol: openai-agents}\n")
    made.write("assistants/triage.yaml", TRIAGE)
    made.write("assistants/team/writer.md", "---\nmodel: gpt-5.5\n---\nWrite well.\n")
    return made


@pytest.fixture
def no_definitions(place: Place) -> Place:
    """Return a project without a definition, whose server is made by the first assistant."""
    for path in sorted((place.root / "assistants").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (place.root / "assistants").rmdir()
    (place.root / ".trueup/local").mkdir(parents=True)
    return place
