"""The world of a company whose jobs are tried."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from trueup_ci import tool

from tests.ci.forges import GitHubStandIn, served
from tests.ci.world import KEY, World
from tests.forks import start_python
from trueup.local.openai_assistants import Server
from trueup.local.serve import running


@pytest.fixture(autouse=True)
def commands_in_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the jobs start the command as all tests do."""
    doors = SimpleNamespace(Popen=start_python, PIPE=subprocess.PIPE, DEVNULL=subprocess.DEVNULL)
    monkeypatch.setattr(tool, "subprocess", doors)


@pytest.fixture
def world(tmp_path: Path, capfd: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> Iterator[World]:
    """Two assistants on main, applied; `state` of the target is the fixture's parameter."""
    forge = GitHubStandIn()
    with Server() as vendor, running(vendor, key=KEY, faults=True) as url, served(forge):
        made = World(tmp_path / "world", vendor, url, forge, capfd)
        made.state = getattr(request, "param", "file")
        yield made.begin()
