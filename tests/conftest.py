"""How the tests run: the same hypothesis examples each time, one worker for each core.

`TRUEUP_EXPLORE=1 pytest -m hypothesis` looks for new examples; what it finds becomes a case of its own.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "trueup",
    deadline=None,
    derandomize=not os.environ.get("TRUEUP_EXPLORE"),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("trueup")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Start no worker for single files or tests: they end before workers would have started."""
    places = [Path(argument.partition("::")[0]) for argument in config.args]
    return 0 if all(place.is_file() for place in places) else None
