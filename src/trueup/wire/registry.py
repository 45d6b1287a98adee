"""Lists the protocols that there are, one row each, and finds what a target needs of its own.

A protocol's modules are imported only when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from trueup.core.definitions.definition import Definition
from trueup.core.errors import TrueupError
from trueup.core.field_table import FieldTable
from trueup.core.memory.capabilities import Capabilities
from trueup.core.memory.state import Identity
from trueup.core.projects.project import LOCAL, PORTABLE, ProtocolRow, SecretRef, Target
from trueup.core.rules.fault import Fault
from trueup.core.source import Severity
from trueup.wire import portkey
from trueup.wire.access import Access, access_of
from trueup.wire.base import Adapter, Dialect
from trueup.wire.model_names import is_reasoning, vendor_of
from trueup.wire.probe import Probe

GATEWAYS: Final = (portkey.NAME,)
"""What may stand in front of a server."""

ROWS: Final[Mapping[str, ProtocolRow]] = {
    "openai-assistants": ProtocolRow(
        package="trueup.wire.openai_assistants",
        adapter="OpenAIAssistants",
        noun="assistant",
        dialect="openai",
        aliases={
            "azure": "azure-openai",
            "foundry": "foundry-classic",
            "openai-v2": "openai",
            "v1": "openai-v1",
            "v2": "openai",
        },
        scope={"openai_organization": "OpenAI-Organization", "openai_project": "OpenAI-Project"},
        gateways=GATEWAYS,
        has_probe=True,
    ),
    "openai-agents": ProtocolRow(
        package="trueup.wire.openai_agents",
        adapter="OpenAIAgents",
        noun="agent",
        dialect="openai",
        scope={"openai_organization": "OpenAI-Organization", "openai_project": "OpenAI-Project"},
        schema="openai-agents",
        editor_schema="definition.openai-agents",
        is_translated=True,
    ),
}
"""The protocols by name."""


def protocols() -> tuple[str, ...]:
    """Return the names of all protocols."""
    return tuple(ROWS)


def row_of(protocol: str) -> ProtocolRow:
    """Return the row of a protocol. Raises `TrueupError` for an unknown one."""
    if protocol not in ROWS:
        raise TrueupError(f"There is no protocol {protocol!r}.", f"Write one of: {', '.join(sorted(ROWS))}.")
    return ROWS[protocol]


def scope_keys() -> tuple[str, ...]:
    """Return the keys by which targets of any protocol scope their requests."""
    return tuple(dict.fromkeys(key for row in ROWS.values() for key in row.scope))


def field_table(protocol: str) -> FieldTable:
    """Return the fields of a protocol's bodies. Raises `TrueupError` for an unknown protocol."""
    table: FieldTable = _module(protocol, "fields").TABLE
    return table


def definition_table(protocol: str) -> FieldTable:
    """Return the fields that definitions of a protocol may hold, of whichever dialect. Raises `TrueupError`."""
    table: FieldTable = _module(protocol, "fields").DEFINITIONS
    return table


def rules(protocol: str) -> Callable[[Definition], Iterable[Fault]]:
    """Return what says what a protocol asks of a definition beside its schema. Raises `TrueupError`."""
    check: Callable[[Definition], Iterable[Fault]] = _module(protocol, "rules").check
    return check


@cache
def built_in_tools() -> frozenset[str]:
    """Return the names of all tools that vendors provide, of whatever protocol."""
    return frozenset().union(*(field_table(protocol).built_in for protocol in ROWS))


def translator(source: str, protocol: str) -> Callable[..., Any] | None:
    """Return what translates a body of `source` into one of `protocol`; None where nothing does."""
    if source != PORTABLE or not row_of(protocol).is_translated:
        return None
    translate: Callable[..., Any] = _module(protocol, "translation").translate
    return translate


def probe_of(protocol: str) -> Probe | None:
    """Return a protocol's probe; None where its servers cannot be probed. Raises `TrueupError` for an unknown one."""
    if not row_of(protocol).has_probe:
        return None
    probe: Probe = _module(protocol, "probe").PROBE
    return probe


def losses(protocol: str) -> frozenset[str]:
    """Return the paths that `allow_loss` can hold for a target of a protocol."""
    found: frozenset[str] = _module(protocol, "rules").loss_keys(tuple(dialects(protocol).values()))
    return found


def lacking(protocol: str, row: Dialect, *, translate: bool = False) -> tuple[str, ...]:
    """Return what a dialect of a protocol cannot hold, as people name it; `translate`: of portable definitions too."""
    found: tuple[str, ...] = _module(protocol, "rules").lacking(row, translate=translate)
    return found


def dialects(protocol: str) -> dict[str, Dialect]:
    """Return the dialects of a protocol by name. Raises `TrueupError` for an unknown protocol."""
    return dict(_module(protocol, "fields").DIALECTS)


def adapter_for(target: Target, found: Capabilities | None = None) -> Adapter:
    """Return the target's protocol in its dialect, as a probe found its server.

    Raises `TrueupError` naming what there is. A server at another address than the dialect's own is not known to tell
    the truth about `has_more`.
    """
    row = _row(target)
    address = base_url(target)
    if not address:
        raise TrueupError(
            f"Target {target.name}: the dialect {row.name} has no default URL.",
            f"Write `base_url: {row.example}` for it into trueup.yaml, with your own names in it.",
        )
    row = replace(
        row,
        honest=target.is_local or (row.honest and address == row.base_url),
        api_version=row.api_version and (target.api_version or row.api_version),
        reasoning=_reasoning(target, row),
    )
    if found is not None:
        row = _apply_capabilities(target.protocol, row, found)
    made = getattr(_module(target.protocol, "adapter"), row_of(target.protocol).adapter)
    adapter: Adapter = made(row, target.gateway, target.allow_loss, _access(target, address))
    return adapter


def model_faults(target: Target, definition: Definition) -> Iterator[Fault]:
    """Yield a warning where a definition's model looks like another vendor's than the one whose models a target has.

    Only at the vendor's own address, or the embedded server that stands for it; what `models` maps is meant so.
    """
    row, model = _row(target), definition.body.get("model")
    looks_like = vendor_of(model)
    is_own = target.is_local or (not target.gateway and base_url(target) == row.base_url)
    if is_own and row.vendor and looks_like not in ("", row.vendor) and model not in target.models.values():
        message = f"the model {model} looks like one of {looks_like}; this target has those of {row.vendor}"
        hint = f"Write one of its models, or map this one at the target: `models: {{{model}: MODEL}}`."
        yield Fault("foreign-model", ("model",), message, hint, severity=Severity.WARNING)


def _apply_capabilities(protocol: str, row: Dialect, found: Capabilities) -> Dialect:
    """Return a dialect's row with what a probe found out, which goes before what its vendor documents."""
    probe = probe_of(protocol)
    return probe.apply(row, found) if probe is not None else row


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
    """Return the headers without secrets: those the dialect and the gateway want, and the target's own."""
    return {name: value for name, value in _headers(target).items() if isinstance(value, str)}


def sealed_headers(target: Target) -> dict[str, SecretRef | Mapping[str, Any]]:
    """Return the headers that hold a secret: its source, or JSON in which some values are such sources."""
    return {name: value for name, value in _headers(target).items() if not isinstance(value, str)}


def identity_of(target: Target) -> Identity:
    """Which account and place a state belongs to."""
    scope = dict(target.scope)
    if target.gateway:
        scope.update(portkey.scope(target))
    return Identity(
        project=LOCAL if target.is_local else target.project,
        target=target.name,
        protocol=target.protocol,
        base_url=base_url(target),
        scope=scope,
    )


def _headers(target: Target) -> dict[str, portkey.Header]:
    row = _row(target)
    own = {name.lower(): value for name, value in target.headers.items()}
    if target.gateway:
        plain = {name.lower(): value for name, value in row.headers.items()}
        asked = {f"x-portkey-{name}": value for name, value in plain.items()}
        return {**plain, **asked, **own, **portkey.headers(target)}
    scoping = row_of(target.protocol).scope
    plain = {**row.headers, **{scoping[key]: value for key, value in target.scope.items()}}
    return {**{name: value for name, value in plain.items() if name.lower() not in own}, **target.headers}


def _reasoning(target: Target, row: Dialect) -> dict[str, bool]:
    """Return the target's own words first, then its names for models of the table, then the table."""
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


def _module(protocol: str, name: str) -> Any:
    """Import one module of a protocol's package. Raises `TrueupError` for an unknown protocol."""
    return import_module(f"{row_of(protocol).package}.{name}")
