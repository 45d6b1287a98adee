"""How hypothesis works here: what a slow or busy machine does to it is no failure of the code."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("trueup", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("trueup")
