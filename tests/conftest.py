"""How hypothesis works here: the gate sees the same examples each time, and a busy machine is no failure of the code.

`TRUEUP_EXPLORE=1 pytest -m hypothesis` looks for new ones; what it finds becomes a case of its own.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "trueup",
    deadline=None,
    derandomize=not os.environ.get("TRUEUP_EXPLORE"),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("trueup")
