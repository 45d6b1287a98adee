"""Which protocol a target speaks, and where it is: unknown names are refused with what there is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trueup.core.errors import TrueupError
from trueup.core.projects.project import LOCAL, Target
from trueup.wire.adapters import PROTOCOLS, adapter_for, base_url, dialects, headers, identity_of

TARGET = Target("prod", "acme", base_url="")
ELSEWHERE = replace(TARGET, base_url="https://gateway.example.com/v1")


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
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
    known = sorted(PROTOCOLS) if protocol == "telepathy" else sorted(dialects(protocol))
    assert all(name in refusal.value.hint for name in known)


def test_only_the_vendor_itself_and_the_embedded_server_are_believed_about_has_more() -> None:
    assert adapter_for(TARGET).dialect.honest
    assert adapter_for(replace(TARGET, base_url=LOCAL)).dialect.honest
    assert not adapter_for(ELSEWHERE).dialect.honest


def test_an_empty_address_is_the_dialects_own() -> None:
    assert base_url(TARGET) == dialects(TARGET.protocol)[TARGET.dialect].base_url
    assert base_url(ELSEWHERE) == "https://gateway.example.com/v1"


def test_scoping_is_in_the_headers_and_in_the_identity() -> None:
    target = replace(ELSEWHERE, openai_organization="org-1", openai_project="proj-1")
    assert headers(target).items() >= {("OpenAI-Organization", "org-1"), ("OpenAI-Project", "proj-1")}
    assert identity_of(target).scope == {"openai_organization": "org-1", "openai_project": "proj-1"}
    assert identity_of(target) != identity_of(ELSEWHERE)
    assert identity_of(ELSEWHERE).scope == {}


def test_a_local_targets_project_is_always_local() -> None:
    assert identity_of(replace(TARGET, base_url=LOCAL)).project == LOCAL
    assert identity_of(ELSEWHERE).project == "acme"
