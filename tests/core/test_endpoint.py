"""Which headers may stand in a project file as they are, and which must come from a secret manager."""

from __future__ import annotations

import pytest

from trueup.core.projects.endpoint import header_problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-portkey-provider", "openai"),
        ("X-Portkey-Custom-Host", "https://api.openai.com/v1"),
        ("x-portkey-config", "pc-prod-123"),
        ("x-portkey-config", '{"strategy": {"mode": "single"}, "provider": "openai"}'),
        ("x-portkey-metadata", '{"team": "support"}'),
        ("x-portkey-forward-headers", "x-portkey-api-key"),
        ("x-team", "support"),
    ],
)
def test_what_is_no_secret_may_stand_in_the_file(name: str, value: str) -> None:
    assert header_problem(name, value) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-portkey-api-key", "v"),
        ("x-portkey-virtual-key", "v"),
        ("X-PORTKEY-AZURE-ENTRA-CLIENT-SECRET", "v"),
        ("x-portkey-azure-ad-token", "v"),
        ("apikey", "v"),
        ("X-AccessToken", "v"),
        ("Cookie", "v"),
        ("x-anything", "Bearer abc"),
        ("x-portkey-config", '{"provider": "openai", "api_key": "v"}'),
        ("x-portkey-config", '{"targets": [{"virtual_key" : "v"}]}'),
    ],
)
def test_what_carries_a_credential_may_not(name: str, value: str) -> None:
    assert "contains a credential" in header_problem(name, value)
    assert header_problem(name, {"env": "SECRET"}) == ""
