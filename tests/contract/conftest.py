"""A plain environment with the key of the contract's servers, and a folder to be in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import PLAIN, TEST_SETTINGS
from tests.contract.house import KEY


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name in PLAIN or (name.startswith("TRUEUP_") and name not in TEST_SETTINGS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CONTRACT_KEY", KEY)
    monkeypatch.chdir(tmp_path)
