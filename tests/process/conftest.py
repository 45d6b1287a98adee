"""Processes die and are interrupted in every protocol of the registry; a plain run has each test in one of them."""

from __future__ import annotations

from tests.protocols import protocol, pytest_generate_tests

__all__ = ["protocol", "pytest_generate_tests"]
