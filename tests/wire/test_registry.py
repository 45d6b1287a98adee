"""Which protocol a target speaks, and where it is: unknown names are refused with what there is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trueup.core.errors import TrueupError
from trueup.core.projects.project import LOCAL, Target
from trueup.core.projects.project_values import read_target
from trueup.core.source import dotted
from trueup.wire import registry, target_rules
from trueup.wire.registry import adapter_for, base_url, dialects, headers, identity_of, protocols
from trueup.wire.target_rules import target_faults

TARGET = Target("prod", "acme", base_url="")
ELSEWHERE = replace(TARGET, base_url="https://gateway.example.com/v1")


@pytest.mark.parametrize("protocol", protocols())
def test_every_protocol_offers_its_dialects_under_their_own_names(protocol: str) -> None:
    rows = dialects(protocol)
    assert rows
    for name, row in rows.items():
        assert row.name == name
        assert row.page_size >= 1
        target = replace(TARGET, protocol=protocol, dialect=name, base_url=row.base_url or row.example)
        assert adapter_for(target).name == protocol
        assert adapter_for(target).dialect.name == name


@pytest.mark.parametrize(("protocol", "dialect"), [("telepathy", "openai"), ("openai-assistants", "klingon")])
def test_an_unknown_name_is_refused_with_what_there_is(protocol: str, dialect: str) -> None:
    with pytest.raises(TrueupError) as refusal:
        adapter_for(replace(TARGET, protocol=protocol, dialect=dialect))
    known = sorted(protocols()) if protocol == "telepathy" else sorted(dialects(protocol))
    assert all(name in refusal.value.hint for name in known)


def test_only_the_vendor_itself_and_the_embedded_server_are_believed_about_has_more() -> None:
    assert adapter_for(TARGET).dialect.honest
    assert adapter_for(replace(TARGET, base_url=LOCAL)).dialect.honest
    assert not adapter_for(ELSEWHERE).dialect.honest


def test_an_empty_address_is_the_dialects_own() -> None:
    assert base_url(TARGET) == dialects(TARGET.protocol)[TARGET.dialect].base_url
    assert base_url(ELSEWHERE) == "https://gateway.example.com/v1"


def test_scoping_is_in_the_headers_and_in_the_identity() -> None:
    target = replace(ELSEWHERE, scope={"openai_organization": "org-1", "openai_project": "proj-1"})
    assert headers(target).items() >= {("OpenAI-Organization", "org-1"), ("OpenAI-Project", "proj-1")}
    assert identity_of(target).scope == {"openai_organization": "org-1", "openai_project": "proj-1"}
    assert identity_of(target) != identity_of(ELSEWHERE)
    assert identity_of(ELSEWHERE).scope == {}


def test_a_local_targets_project_is_always_local() -> None:
    assert identity_of(replace(TARGET, base_url=LOCAL)).project == LOCAL
    assert identity_of(ELSEWHERE).project == "acme"


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> str:
    """Register a protocol with another default dialect, without gateways and probe, and with a scope of its own."""
    row = replace(registry.ROWS["openai-assistants"], dialect="azure-openai", aliases={}, gateways=(), has_probe=False)
    rows = {**registry.ROWS, "other": replace(row, scope={"openai_project": "Other-Project"})}
    for module in (registry, target_rules):
        monkeypatch.setattr(module, "ROWS", rows)
    return "other"


def _faults(**value: Any) -> list[tuple[str, str, str]]:
    return [(fault.code, dotted(fault.path), fault.message) for fault in target_faults("prod", value)]


def test_a_target_has_the_default_dialect_of_its_own_protocol(other: str) -> None:
    value = {"protocol": other, "base_url": "https://x.example.com/openai"}
    assert _faults(**value) == []
    assert read_target("prod", value, "acme", registry.ROWS).dialect == "azure-openai"


def test_a_scoping_key_is_refused_with_the_protocols_that_know_it(other: str) -> None:
    value = {"protocol": other, "base_url": "https://x.example.com/openai", "openai_organization": "org"}
    message = "openai_organization is a key of openai-assistants and openai-agents, and this target speaks other"
    assert _faults(**value) == [("key-not-here", "openai_organization", message)]
    assert registry.scope_keys() == ("openai_organization", "openai_project")


def test_a_scoping_key_becomes_the_protocols_own_header(other: str) -> None:
    target = replace(ELSEWHERE, protocol=other, dialect="azure-openai", scope={"openai_project": "p"})
    assert headers(target)["Other-Project"] == "p"


def test_a_gateway_is_refused_that_does_not_pass_the_protocol_on(other: str) -> None:
    value = {"protocol": other, "gateway": "portkey", "portkey": {"provider": "openai"}}
    message = "portkey passes on openai-assistants, and this target speaks other"
    assert _faults(**value) == [("key-not-here", "gateway", message)]


def test_nothing_is_translated_but_the_portable_format() -> None:
    assert registry.translator("telepathy", "openai-assistants") is None
    assert registry.translator("openai-assistants", "openai-assistants") is None
