"""The world of a company whose jobs are tried."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from trueup_ci import tool

from tests.ci.begun import Templates
from tests.ci.platforms import GitHubStandIn
from tests.ci.world import World
from tests.forks import start_python


@pytest.fixture(autouse=True)
def commands_in_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the jobs start the command as all tests do."""
    doors = SimpleNamespace(Popen=start_python, PIPE=subprocess.PIPE, DEVNULL=subprocess.DEVNULL)
    monkeypatch.setattr(tool, "subprocess", doors)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Worlds that have begun."""
    return Templates(tmp_path_factory.mktemp("begun"))


@pytest.fixture
def world(
    templates: Templates, tmp_path: Path, capfd: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> Iterator[World]:
    """Two assistants on main, applied; `state` of the target is the fixture's parameter."""
    state = getattr(request, "param", "file")
    with templates.copied(World, GitHubStandIn(), state, tmp_path / "world", capfd) as made:
        yield made
