"""Finds the protocol module that a target names, and says where the target is. Knows which there are; imports one only
when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from trueup.core.errors import TrueupError
from trueup.core.memory.capabilities import Capabilities
from trueup.core.memory.state import Identity
from trueup.core.projects.project import LOCAL, SecretRef, Target
from trueup.wire import portkey
from trueup.wire.access import Access, access_of
from trueup.wire.base import Adapter, Dialect
from trueup.wire.openai_assistants.probe_results import answered
from trueup.wire.openai_assistants.reasoning_models import is_reasoning

PROTOCOLS = {"openai-assistants": ("trueup.wire.openai_assistants.adapter", "OpenAIAssistants")}
"""Protocol name to module and class."""

GATEWAYS = (portkey.NAME,)
"""What may stand in front of a server."""


def dialects(protocol: str) -> dict[str, Dialect]:
    """The dialects of one protocol, by name. Raises `TrueupError` for an unknown protocol."""
    return dict(_module(protocol).DIALECTS)


def adapter_for(target: Target, found: Capabilities | None = None) -> Adapter:
    """The target's protocol in its dialect, and as a probe found its server. Raises `TrueupError` naming what there is.

    A server at another address than the dialect's own is not known to tell the truth about `has_more`.
    """
    row = _row(target)
    address = base_url(target)
    if not address:
        raise TrueupError(
            f"Target {target.name}: the dialect {row.name} has no address of its own.",
            f"Write `base_url: {row.example}` for it into trueup.yaml, with your own names in it.",
        )
    row = replace(
        row,
        honest=target.is_local or (row.honest and address == row.base_url),
        api_version=row.api_version and (target.api_version or row.api_version),
        reasoning=_reasoning(target, row),
    )
    if found is not None:
        row = answered(row, found)
    adapter: Adapter = getattr(_module(target.protocol), PROTOCOLS[target.protocol][1])(
        row, target.gateway, target.allow_loss, _access(target, address)
    )
    return adapter


def _access(target: Target, address: str) -> Access:
    """Return the way to a target, whose own protocol or gateway says what an address looks like."""
    own = portkey.BASE_URL if target.gateway else _row(target).base_url
    return access_of(target, address, own, sealed_headers(target))


def base_url(target: Target) -> str:
    """Where the target is: its own address, else its gateway's or its dialect's; empty where there is none."""
    if target.is_local:
        return target.base_url
    row = _row(target)
    own, prefix = (portkey.BASE_URL, portkey.PREFIX) if target.gateway else (row.base_url, row.prefix)
    address = target.base_url.rstrip("/")
    return f"{address}{prefix}" if address and not urlsplit(address).path else address or own


def headers(target: Target) -> dict[str, str]:
    """The headers without secrets: those the dialect and the gateway want, and the target's own."""
    return {name: value for name, value in _headers(target).items() if isinstance(value, str)}


def sealed_headers(target: Target) -> dict[str, SecretRef | Mapping[str, Any]]:
    """The headers that hold a secret: where it is to be had, or JSON in which some values are such references."""
    return {name: value for name, value in _headers(target).items() if not isinstance(value, str)}


def identity_of(target: Target) -> Identity:
    """Which account and place a state belongs to."""
    scope = {"openai_organization": target.openai_organization, "openai_project": target.openai_project}
    if target.gateway:
        scope.update(portkey.scope(target))
    return Identity(
        project=LOCAL if target.is_local else target.project,
        target=target.name,
        protocol=target.protocol,
        base_url=base_url(target),
        scope={name: value for name, value in scope.items() if value},
    )


def _headers(target: Target) -> dict[str, portkey.Header]:
    row = _row(target)
    own = {name.lower(): value for name, value in target.headers.items()}
    if target.gateway:
        plain = {name.lower(): value for name, value in row.headers.items()}
        asked = {f"x-portkey-{name}": value for name, value in plain.items()}
        return {**plain, **asked, **own, **portkey.headers(target)}
    scoping = {"OpenAI-Organization": target.openai_organization, "OpenAI-Project": target.openai_project}
    plain = {**row.headers, **{name: value for name, value in scoping.items() if value}}
    return {**{name: value for name, value in plain.items() if name.lower() not in own}, **target.headers}


def _reasoning(target: Target, row: Dialect) -> dict[str, bool]:
    """The target's own words first, then its names for models of the table, then the table."""
    own = target.reasoning_models
    named = {here: True for there, here in target.models.items() if is_reasoning(there, row.reasoning)}
    table = {**named, **row.reasoning}
    return {**own, **{name: sure for name, sure in table.items() if name not in own}}


def _row(target: Target) -> Dialect:
    rows = dialects(target.protocol)
    if target.dialect not in rows:
        raise TrueupError(
            f"Target {target.name}: the protocol {target.protocol} has no dialect {target.dialect!r}.",
            f"Write one of: {', '.join(sorted(rows))}.",
        )
    return rows[target.dialect]


def _module(protocol: str) -> Any:
    if protocol not in PROTOCOLS:
        raise TrueupError(
            f"There is no protocol {protocol!r}.",
            f"Write one of: {', '.join(sorted(PROTOCOLS))}.",
        )
    return import_module(PROTOCOLS[protocol][0])
