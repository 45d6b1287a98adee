"""Stories that are told by hand are told in every protocol of the registry; of the others the seed decides."""

from __future__ import annotations

from tests.protocols import protocol, pytest_generate_tests

__all__ = ["protocol", "pytest_generate_tests"]
