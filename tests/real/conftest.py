"""Real software: what needs it runs where TRUEUP_REAL names the folder that `.ci/real` filled, and skips elsewhere."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.real.place import KEY, Place
from tests.real.upstream import Upstream
from trueup.local.serve import running

HERE = Path(__file__).parent


def pytest_configure() -> None:
    """End the servers with a run that is told to end, as with Ctrl-C."""
    if os.environ.get("TRUEUP_REAL"):
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Skips what needs software of others, with a reason, unless it was installed."""
    if os.environ.get("TRUEUP_REAL"):
        return
    skip = pytest.mark.skip(reason="TRUEUP_REAL is not set: .ci/real installs this software and runs these tests")
    for item in items:
        if item.path.is_relative_to(HERE) and "software" in getattr(item, "fixturenames", ()):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def software() -> Path:
    """Return the folder that holds what was installed."""
    return Path(os.environ["TRUEUP_REAL"])


@pytest.fixture
def upstream() -> Iterator[tuple[Upstream, str]]:
    """Serve the embedded server over HTTP to whoever has the key; yield it and its base URL."""
    server = Upstream()
    with server, running(server, key=KEY) as url:
        yield server, url


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Make an empty project."""
    return Place(tmp_path)
