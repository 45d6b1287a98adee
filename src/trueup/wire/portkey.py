"""Portkey's gateway in front of a server: which headers tell it where a request goes, and whose account that is.

Knows no dialect and reads no secret: a header's value may be a reference to one, or JSON with such references in it.
Facts are from Portkey's published specification and from its open-source gateway as it was seen to behave.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from trueup.core.canonical import digest
from trueup.core.projects.project import SecretRef, Target

NAME: Final = "portkey"

BASE_URL: Final = "https://api.portkey.ai/v1"
"""The hosted gateway; one's own is named with `base_url`."""

PREFIX: Final = "/v1"
"""The path of a gateway's API, for an address that has none."""

Header = str | SecretRef | Mapping[str, Any]
"""A header's value: a text, where a secret one is to be had, or JSON in which some values are secrets."""

MEANINGS: Final[Mapping[int, str]] = {
    408: "Portkey stopped waiting; the server may still have done it",
    412: "the Portkey budget is used up",
    446: "a Portkey guardrail refused it",
}
"""What statuses of the gateway's own mean, from its documentation; 246 is an answer with a guardrail's remarks."""

_SCOPING: Final = ("provider", "virtual-key", "config", "custom-host", "azure-resource-name")
"""Headers that decide whose account a request reaches, without `x-portkey-`."""

_ACCOUNT: Final = frozenset(
    {"provider", "virtual_key", "custom_host", "api_key", "azure_resource_name", "resource_name"}
)
"""Keys of a configuration that do so; the others say how, and may change."""

_KEYS: Final = frozenset({"api_key", "virtual_key"})
"""Keys of a configuration that carry a provider's credential or stand for one."""


def headers(target: Target) -> dict[str, Header]:
    """Every `x-portkey-` header of a target, lower case, its `headers:` included."""
    given = target.portkey
    found: dict[str, Header | None] = {
        "api-key": given.api_key,
        "virtual-key": given.virtual_key,
        "provider": given.provider,
        "config": given.config,
        "custom-host": given.custom_host,
        **{key.replace("_", "-"): value for key, value in target.scope.items()},
        "request-timeout": str(given.request_timeout) if given.request_timeout else "",
        **{f"azure-{key.replace('_', '-')}": value for key, value in given.azure.items()},
    }
    own = {f"x-portkey-{name}": value for name, value in found.items() if value}
    written = {name.lower(): value for name, value in target.headers.items() if name.lower().startswith("x-portkey-")}
    return {name: _tidy(name, value) for name, value in {**own, **written}.items()}


def scope(target: Target) -> dict[str, str]:
    """Which account the gateway leads to, by header; a secret by where it is to be had, a configuration as a digest."""
    found = headers(target)
    names = [f"x-portkey-{name}" for name in _SCOPING]
    return {name: _identity_text(found[name]) for name in names if name in found}


def brings_a_key(value: Header) -> bool:
    """Return whether a configuration holds a provider's credential, or may: a saved one cannot be looked into."""
    config = _parse(value)
    return any(True for _ in _entries(config, _KEYS)) if isinstance(config, Mapping) else True


def reasons(body: Mapping[str, Any]) -> str:
    """Return what the gateway lists beside its own message, to be put behind it; empty for anybody else's error."""
    listed = body.get("errors") if body.get("status") == "failure" else None
    entries = listed if isinstance(listed, list) else []
    found = [entry.get("message") for entry in entries if isinstance(entry, Mapping)]
    texts = [text for text in found if isinstance(text, str)]
    return f": {'; '.join(texts[:3])}" if texts else ""


def _tidy(name: str, value: Header) -> Header:
    """Without the slashes at the end of a host: the gateway would send requests to `//assistants`."""
    if name == "x-portkey-custom-host" and isinstance(value, str):
        return value.rstrip("/")
    return _without_slashes(value) if name == "x-portkey-config" and isinstance(value, Mapping) else value


def _without_slashes(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_slashes(entry) for entry in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: entry.rstrip("/") if key == "custom_host" and isinstance(entry, str) else _without_slashes(entry)
        for key, entry in value.items()
    }


def _identity_text(value: Header) -> str:
    """Return a header as an identity may hold it: no secret, and of an inline configuration only what scopes it."""
    if isinstance(value, SecretRef):
        return _place(value)
    config = _parse(value)
    if isinstance(config, Mapping):
        return digest(sorted([key, _plain(entry)] for key, entry in _entries(config, _ACCOUNT)), 16)
    return str(value)


def _place(ref: SecretRef) -> str:
    return f"env {ref.env}" if ref.env else f"command {digest(list(ref.command), 16)}"


def _plain(value: Any) -> Any:
    return _place(value) if isinstance(value, SecretRef) else str(value)


def _parse(value: Header) -> Any:
    """Return an inline configuration as a mapping; anything else as it stands."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _entries(value: Any, names: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """Return the entries of these names anywhere in a configuration, in its order."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if key in names:
                yield key, entry
            else:
                yield from _entries(entry, names)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _entries(entry, names)
