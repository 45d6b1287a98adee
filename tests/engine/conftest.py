"""A module about faults is marked `usefixtures("protocol")`, and told in every protocol of the registry."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.protocols import Protocol, pytest_generate_tests, speaking

__all__ = ["pytest_generate_tests"]


@pytest.fixture
def protocol(request: pytest.FixtureRequest) -> Iterator[Protocol]:
    """Speak the protocol that a test is run with."""
    with speaking(request.param) as spoken:
        yield spoken
