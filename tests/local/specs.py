"""Where published specifications and recordings lie, for tests that read them: they are no part of the repository."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest


def spec(name: str) -> Any:
    """A specification's JSON; skips the test when the folder (TRUEUP_SPECS, or ../shared/specs) lacks it."""
    root = Path(__file__).resolve().parents[2]
    path = Path(os.environ.get("TRUEUP_SPECS", root / ".." / "shared" / "specs")) / name
    if not path.is_file():
        pytest.skip(f"{name} is not there: set TRUEUP_SPECS to the folder of the specifications")
    return json.loads(path.read_text(encoding="utf-8"))
