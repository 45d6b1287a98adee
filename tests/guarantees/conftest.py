"""Every guarantee is proved with every protocol of the registry."""

from __future__ import annotations

from tests.protocols import protocol, pytest_generate_tests

__all__ = ["protocol", "pytest_generate_tests"]
