"""What a target may say in each dialect and behind a gateway; every refusal has its line and shows no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.errors import DefinitionError
from trueup.core.projects.endpoint import clean_target
from trueup.core.projects.project import SecretRef, Target
from trueup.core.source import Diagnostic, dotted
from trueup.edge.project_file import load_project
from trueup.wire.openai_assistants.fields import DIALECTS
from trueup.wire.registry import base_url, headers, identity_of, sealed_headers
from trueup.wire.target_rules import target_faults

SECRET = "hunter2-abcdef"
ENV = {"env": "KEY"}
AZURE = "https://res.openai.azure.com/openai"
FOUNDRY = "https://res.services.ai.azure.com/api/projects/p"


def target(root: Path, **value: Any) -> Target:
    """Return the target that a project file with these keys describes."""
    text = yaml.safe_dump({"project": "acme", "targets": {"prod": value}}, sort_keys=False)
    (root / "trueup.yaml").write_text(text, encoding="utf-8")
    return load_project(root).targets["prod"]


def problems(root: Path, **value: Any) -> tuple[Diagnostic, ...]:
    with pytest.raises(DefinitionError) as caught:
        target(root, **value)
    found = caught.value.diagnostics
    assert SECRET not in repr(found)
    assert all(item.position is not None and item.position.file == "trueup.yaml" for item in found)
    assert all(item.hint for item in found)
    return found


def places(found: tuple[Diagnostic, ...]) -> list[tuple[str, str]]:
    return [(item.code, dotted(item.path[2:])) for item in found]


REFUSED: list[tuple[str, dict[str, Any], list[tuple[str, str]], str]] = [
    ("unknown protocol", {"protocol": "x"}, [("not-allowed", "protocol")], "openai-assistants"),
    ("unknown dialect", {"dialect": "klingon"}, [("not-allowed", "dialect")], "foundry-classic"),
    ("short name", {"dialect": "azure"}, [("not-allowed", "dialect")], "'azure-openai'"),
    ("misspelt", {"dialect": "foundry-clasic"}, [("not-allowed", "dialect")], "'foundry-classic'"),
    ("a gateway as a dialect", {"dialect": "portkey"}, [("not-allowed", "dialect")], "gateway: portkey"),
    ("no address on azure", {"dialect": "azure-openai"}, [("no-address", "dialect")], "RESOURCE.openai.azure.com"),
    ("no address on foundry", {"dialect": "foundry-classic"}, [("no-address", "dialect")], "/api/projects/PROJECT"),
    (
        "embedded apipi",
        {"protocol": "openai-agents", "dialect": "apipi", "base_url": "local"},
        [("not-allowed", "dialect")],
        "Remove the dialect",
    ),
    (
        "azure without assistants",
        {"dialect": "azure-openai", "base_url": f"{AZURE}/v1/"},
        [("wrong-base-url", "base_url")],
        "https://RESOURCE",
    ),
    (
        "foundry without project",
        {"dialect": "foundry-classic", "base_url": "https://res.services.ai.azure.com"},
        [("wrong-base-url", "base_url")],
        "/api/projects/PROJECT",
    ),
    ("plain http", {"base_url": "http://api.example.com/v1"}, [("plain-http", "base_url")], "`allow_http: true`"),
    ("plain http of a network", {"base_url": "http://10.0.0.7/v1"}, [("plain-http", "base_url")], "https://"),
    (
        "plain http of a gateway",
        {"base_url": "http://gw.example/v1", "gateway": "portkey", "portkey": {"provider": "openai"}, "api_key": ENV},
        [("plain-http", "base_url")],
        "`allow_http: true`",
    ),
    (
        "plain http, plainly not allowed",
        {"base_url": "http://api.example.com/v1", "allow_http": False},
        [("plain-http", "base_url")],
        "",
    ),
    ("a version for openai", {"api_version": "v1"}, [("key-not-here", "api_version")], "Remove"),
    (
        "azure's first version",
        {"dialect": "azure-openai", "base_url": AZURE, "api_version": "2024-02-15-preview"},
        [("not-allowed", "api_version")],
        "2025-03-01-preview",
    ),
    (
        "a version that is a query",
        {"dialect": "azure-openai", "base_url": AZURE, "api_version": "v1&x=y"},
        [("bad-format", "api_version")],
        "",
    ),
    (
        "a key for foundry",
        {"dialect": "foundry-classic", "base_url": FOUNDRY, "api_key": ENV},
        [("key-not-here", "api_key")],
        "https://ai.azure.com/.default",
    ),
    ("two credentials", {"api_key": ENV, "token": ENV}, [("key-not-here", "token")], "Keep"),
    (
        "an organization on azure",
        {"dialect": "azure-openai", "base_url": AZURE, "openai_project": "p"},
        [("key-not-here", "openai_project")],
        "Remove",
    ),
    (
        "a field that is not there",
        {"dialect": "azure-openai", "base_url": AZURE, "always_send": ["reasoning_effort"]},
        [("not-allowed", "always_send[0]")],
        "instructions",
    ),
    ("a loss of nothing", {"allow_loss": ["temprature"]}, [("unknown-field", "allow_loss[0]")], "'temperature'"),
    ("an unknown gateway", {"gateway": "kong"}, [("not-allowed", "gateway")], "portkey"),
    ("portkey without its gateway", {"portkey": {"provider": "openai"}}, [("key-not-here", "portkey")], "gateway:"),
    ("in front of nothing", {"base_url": "local", "gateway": "portkey"}, [("key-not-here", "gateway")], "serve"),
    (
        "hosted and told nothing",
        {"gateway": "portkey"},
        [("missing-key", "gateway"), ("missing-key", "gateway")],
        "provider, config and virtual_key",
    ),
    (
        "hosted without its key",
        {"gateway": "portkey", "portkey": {"provider": "openai"}},
        [("missing-key", "gateway")],
        "PORTKEY_API_KEY",
    ),
    (
        "a key beside a virtual key",
        {"gateway": "portkey", "api_key": ENV, "portkey": {"api_key": ENV, "virtual_key": ENV}},
        [("key-not-here", "api_key")],
        "virtual key",
    ),
    (
        "a token beside a saved configuration",
        {"gateway": "portkey", "token": ENV, "portkey": {"api_key": ENV, "config": "pc-1"}},
        [("key-not-here", "token")],
        "configuration",
    ),
    (
        "an authorization beside an inline configuration with a key",
        {
            "gateway": "portkey",
            "base_url": "http://127.0.0.1:8787",
            "headers": {"Authorization": ENV},
            "portkey": {"config": {"targets": [{"provider": "openai", "api_key": ENV}]}},
        },
        [("key-not-here", "headers.Authorization")],
        "configuration",
    ),
    (
        "a header twice",
        {
            "gateway": "portkey",
            "base_url": "http://127.0.0.1:8787",
            "headers": {"X-Portkey-Provider": "openai"},
            "portkey": {"provider": "openai"},
        },
        [("repeated", "headers.X-Portkey-Provider")],
        "Keep",
    ),
    (
        "a secret in an inline configuration",
        {"gateway": "portkey", "portkey": {"api_key": ENV, "config": {"provider": "openai", "api_key": SECRET}}},
        [("secret-in-file", "portkey.config.api_key")],
        "{env: NAME}",
    ),
    (
        "a secret deep in it",
        {"gateway": "portkey", "portkey": {"api_key": ENV, "config": {"targets": [{"virtual_key": SECRET}]}}},
        [("secret-in-file", "portkey.config.targets[0].virtual_key")],
        "{env: NAME}",
    ),
    (
        "a configuration as a text",
        {"gateway": "portkey", "portkey": {"api_key": ENV, "config": json.dumps({"api_key": SECRET})}},
        [("wrong-type", "portkey.config")],
        "mapping",
    ),
    (
        "a literal virtual key",
        {"gateway": "portkey", "portkey": {"api_key": ENV, "virtual_key": SECRET}},
        [("secret-in-file", "portkey.virtual_key")],
        "{env: NAME}",
    ),
    (
        "a password in the custom host",
        {
            "gateway": "portkey",
            "portkey": {"api_key": ENV, "provider": "openai", "custom_host": f"https://u:{SECRET}@h"},
        },
        [("wrong-base-url", "portkey.custom_host")],
        "https://host/path",
    ),
    (
        "a literal azure token",
        {"gateway": "portkey", "portkey": {"api_key": ENV, "provider": "azure-openai", "azure": {"ad_token": SECRET}}},
        [("secret-in-file", "portkey.azure.ad_token")],
        "{env: NAME}",
    ),
    (
        "an unknown key of portkey",
        {"gateway": "portkey", "portkey": {"api_key": ENV, "provider": "openai", "custom_hst": "https://h"}},
        [("unknown-key", "portkey.custom_hst")],
        "",
    ),
]


@pytest.mark.parametrize(("what", "value", "expected", "said"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_a_target_may_not_say(
    tmp_path: Path, what: str, value: dict[str, Any], expected: list[tuple[str, str]], said: str
) -> None:
    if what in ("a version that is a query", "an unknown key of portkey"):
        with pytest.raises(DefinitionError) as caught:
            target(tmp_path, **value)
        assert places(caught.value.diagnostics) == expected
        return
    found = problems(tmp_path, **value)
    assert places(found) == expected
    assert said in " ".join(item.message + item.hint for item in found)


# --- the header sets

GATE = "https://api.portkey.ai/v1"
SETS: list[tuple[str, dict[str, Any], dict[str, str], dict[str, Any]]] = [
    (
        "A: virtual key",
        {"portkey": {"api_key": {"env": "PK"}, "virtual_key": {"env": "VK"}}},
        {},
        {"x-portkey-api-key": SecretRef("PK"), "x-portkey-virtual-key": SecretRef("VK")},
    ),
    (
        "A: a provider of the catalogue",
        {"portkey": {"api_key": {"env": "PK"}, "provider": "@openai-prod"}},
        {"x-portkey-provider": "@openai-prod"},
        {"x-portkey-api-key": SecretRef("PK")},
    ),
    (
        "B: bearer and provider",
        {"api_key": {"env": "OPENAI"}, "portkey": {"api_key": {"env": "PK"}, "provider": "openai"}},
        {"x-portkey-provider": "openai"},
        {"x-portkey-api-key": SecretRef("PK")},
    ),
    (
        "C: a saved configuration",
        {"portkey": {"api_key": {"env": "PK"}, "config": "pc-support-1a2b3c"}},
        {"x-portkey-config": "pc-support-1a2b3c"},
        {"x-portkey-api-key": SecretRef("PK")},
    ),
    (
        "C: an inline configuration",
        {
            "base_url": "http://127.0.0.1:8787/v1/",
            "portkey": {
                "config": {"provider": "openai", "api_key": {"env": "K"}, "custom_host": "http://127.0.0.1:9000/v1//"}
            },
        },
        {},
        {
            "x-portkey-config": {
                "provider": "openai",
                "api_key": SecretRef("K"),
                "custom_host": "http://127.0.0.1:9000/v1",
            }
        },
    ),
    (
        "D: a custom host",
        {
            "base_url": "http://127.0.0.1:8787",
            "token": {"command": ["vault", "read"]},
            "portkey": {"provider": "openai", "custom_host": "https://models.example.com/v1/", "request_timeout": 500},
        },
        {
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": "https://models.example.com/v1",
            "x-portkey-request-timeout": "500",
        },
        {},
    ),
    (
        "organization and project",
        {
            "openai_organization": "org-1",
            "openai_project": "proj-1",
            "portkey": {"api_key": {"env": "PK"}, "virtual_key": {"env": "VK"}},
        },
        {"x-portkey-openai-organization": "org-1", "x-portkey-openai-project": "proj-1"},
        {"x-portkey-api-key": SecretRef("PK"), "x-portkey-virtual-key": SecretRef("VK")},
    ),
]


@pytest.mark.parametrize(("value", "plain", "sealed"), [row[1:] for row in SETS], ids=[row[0] for row in SETS])
def test_each_set_of_headers_leaves_exactly_so(
    tmp_path: Path, value: dict[str, Any], plain: dict[str, str], sealed: dict[str, Any]
) -> None:
    found = target(tmp_path, gateway="portkey", **value)
    beta = {"openai-beta": "assistants=v2", "x-portkey-openai-beta": "assistants=v2"}
    assert headers(found) == {**beta, **plain}
    assert sealed_headers(found) == sealed
    assert base_url(found) in (GATE, "http://127.0.0.1:8787/v1")


def test_portkey_before_azure_is_two_words(tmp_path: Path) -> None:
    found = target(
        tmp_path,
        dialect="azure-openai",
        gateway="portkey",
        api_key=ENV,
        portkey={"api_key": {"env": "PK"}, "provider": "azure-openai", "azure": {"resource_name": "res"}},
    )
    assert base_url(found) == GATE
    assert headers(found) == {"x-portkey-provider": "azure-openai", "x-portkey-azure-resource-name": "res"}
    assert identity_of(found).scope == {"x-portkey-provider": "azure-openai", "x-portkey-azure-resource-name": "res"}


@pytest.mark.parametrize(
    ("dialect", "given", "whole"),
    [
        ("azure-openai", "https://res.openai.azure.com", AZURE),
        ("azure-openai", "https://res.openai.azure.com/", AZURE),
        ("azure-openai", AZURE + "/", AZURE),
        ("foundry-classic", FOUNDRY + "//", FOUNDRY),
        ("openai", "http://127.0.0.1:9404", "http://127.0.0.1:9404"),
    ],
)
def test_an_address_gets_the_path_that_it_lacks(tmp_path: Path, dialect: str, given: str, whole: str) -> None:
    assert base_url(target(tmp_path, dialect=dialect, base_url=given)) == whole


# --- whose account it is

BEHIND: dict[str, Any] = {"gateway": "portkey", "base_url": "http://127.0.0.1:8787/v1"}


def scope(root: Path, **portkey: Any) -> Any:
    return identity_of(target(root, **BEHIND, portkey=portkey)).scope


def test_another_account_behind_the_gateway_is_another_target(tmp_path: Path) -> None:
    scopes = [
        scope(tmp_path, provider="openai"),
        scope(tmp_path, provider="@openai-prod"),
        scope(tmp_path, provider="openai", custom_host="https://a.example/v1"),
        scope(tmp_path, virtual_key={"env": "ONE"}),
        scope(tmp_path, virtual_key={"env": "TWO"}),
        scope(tmp_path, virtual_key={"command": ["vault", SECRET]}),
        scope(tmp_path, config="pc-1"),
        scope(tmp_path, config={"provider": "openai", "api_key": ENV}),
        scope(tmp_path, config={"provider": "openai", "api_key": {"env": "OTHER"}}),
    ]
    assert len({json.dumps(entry) for entry in scopes}) == len(scopes)
    assert SECRET not in repr(scopes)


def test_how_the_gateway_works_is_no_other_account(tmp_path: Path) -> None:
    account = {"provider": "openai", "api_key": ENV}
    plain = scope(tmp_path, config=account)
    assert scope(tmp_path, config={**account, "request_timeout": 500, "retry": {"attempts": 3}}) == plain
    assert scope(tmp_path, config={"api_key": ENV, "cache": {"mode": "simple"}, "provider": "openai"}) == plain


def test_headers_written_by_hand_count_alike(tmp_path: Path) -> None:
    by_hand = target(tmp_path, **BEHIND, headers={"X-Portkey-Provider": "openai"})
    assert identity_of(by_hand).scope == scope(tmp_path, provider="openai")


# --- hostile files

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just({"env": "A"}),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["env", "command", "provider", "api_key"]), inner, max_size=2)
    ),
    max_leaves=5,
)
KEYS = st.sampled_from(
    [
        *("protocol", "dialect", "gateway", "portkey", "base_url", "api_key", "token", "headers"),
        *("api_version", "openai_project", "always_send", "allow_loss"),
    ]
)
PORTKEYS = st.dictionaries(
    st.sampled_from(["api_key", "virtual_key", "provider", "config", "custom_host", "azure", "x"]), JUNK, max_size=3
)


@given(st.dictionaries(KEYS, JUNK | PORTKEYS | st.sampled_from([*DIALECTS, "portkey"]), max_size=5))
def test_a_file_of_any_shape_is_judged_and_nothing_breaks(value: dict[str, Any]) -> None:
    clean, faults = clean_target("prod", value)
    assert clean.keys() == value.keys()
    assert all(fault.message and fault.code for fault in [*faults, *target_faults("prod", value)])
