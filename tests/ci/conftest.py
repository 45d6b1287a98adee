"""The world of a company whose jobs are tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci.forges import GitHubStandIn, served
from tests.ci.world import KEY, World
from trueup.local.openai_assistants import Server
from trueup.local.serve import running


@pytest.fixture
def world(tmp_path: Path, capfd: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> Iterator[World]:
    """Two assistants on main, applied; `state` of the target is the fixture's parameter."""
    forge = GitHubStandIn()
    with Server() as vendor, running(vendor, key=KEY, faults=True) as url, served(forge):
        made = World(tmp_path / "world", vendor, url, forge, capfd)
        made.state = getattr(request, "param", "file")
        yield made.begin()
