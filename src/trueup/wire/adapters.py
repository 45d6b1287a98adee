"""Finds the protocol module that a target names. Knows which there are; imports one only when it is asked for."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

from trueup.core.errors import TrueupError
from trueup.core.project import LOCAL, Target
from trueup.core.state import Identity
from trueup.wire.base import Adapter, Dialect

PROTOCOLS = {"openai-assistants": ("trueup.wire.openai_assistants", "OpenAIAssistants")}
"""Protocol name to module and class."""


def dialects(protocol: str) -> dict[str, Dialect]:
    """The dialects of one protocol, by name. Raises `TrueupError` for an unknown protocol."""
    return dict(_module(protocol).DIALECTS)


def adapter_for(target: Target) -> Adapter:
    """The target's protocol in its dialect. Raises `TrueupError` naming what there is.

    A server at another address than the dialect's own is not known to tell the truth about `has_more`.
    """
    rows = dialects(target.protocol)
    if target.dialect not in rows:
        raise TrueupError(
            f"Target {target.name}: the protocol {target.protocol} has no dialect {target.dialect!r}.",
            f"Write one of: {', '.join(sorted(rows))}.",
        )
    row = rows[target.dialect]
    honest = target.is_local or (row.honest and base_url(target) == row.base_url)
    adapter: Adapter = getattr(_module(target.protocol), PROTOCOLS[target.protocol][1])(replace(row, honest=honest))
    return adapter


def base_url(target: Target) -> str:
    """Where the target is: its own address, else its dialect's."""
    return target.base_url or dialects(target.protocol)[target.dialect].base_url


def headers(target: Target) -> dict[str, str]:
    """The headers without secrets that the dialect wants."""
    row = dialects(target.protocol)[target.dialect]
    scoping = {"OpenAI-Organization": target.openai_organization, "OpenAI-Project": target.openai_project}
    return {**row.headers, **{name: value for name, value in scoping.items() if value}}


def identity_of(target: Target) -> Identity:
    """Which account and place a state belongs to."""
    scope = {"openai_organization": target.openai_organization, "openai_project": target.openai_project}
    return Identity(
        project=LOCAL if target.is_local else target.project,
        target=target.name,
        protocol=target.protocol,
        base_url=base_url(target),
        scope={name: value for name, value in scope.items() if value},
    )


def _module(protocol: str) -> Any:
    if protocol not in PROTOCOLS:
        raise TrueupError(
            f"There is no protocol {protocol!r}.",
            f"Write one of: {', '.join(sorted(PROTOCOLS))}.",
        )
    return import_module(PROTOCOLS[protocol][0])
