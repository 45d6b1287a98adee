"""What a checked project file says, as a `Project`: defaults filled in, renames followed to their end. No checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from trueup.core.definitions.names import normalize
from trueup.core.projects.endpoint import secret_problem, secret_ref
from trueup.core.projects.project import (
    LOCAL,
    PORTABLE,
    Guard,
    Portkey,
    Project,
    ProtocolRow,
    SecretRef,
    Target,
)

_PLAIN: Final = (
    "protocol",
    "allow_http",
    "api_version",
    "gateway",
    "state",
    "stamp",
    "translate",
    "on_drift",
    "prune",
    "settle",
    "parallelism",
    "rate_limit",
    "timeout",
    "max_retries",
)
"""Keys of a target that are taken as they stand."""


def is_local_target(name: str, target: Any) -> bool:
    """Check whether a target is the embedded server: declared so, or named `local` without a `base_url`."""
    given = target.get("base_url") if isinstance(target, dict) else None
    return given == LOCAL or (given is None and name == LOCAL)


def read_definitions_folder(value: Mapping[str, Any]) -> str:
    """Return the folder of definitions that the file's mapping names, else the default one."""
    return normalize((value.get("definitions") or "assistants").rstrip("/"))


def read_project(value: Mapping[str, Any], protocols: Mapping[str, ProtocolRow]) -> Project:
    """Return the project that the file's mapping describes; an empty one describes the default project."""
    name = value.get("project") or LOCAL
    given: Mapping[str, Any] = value.get("targets") or {LOCAL: {"base_url": LOCAL}}
    targets = {key: read_target(key, target or {}, name, protocols) for key, target in given.items()}
    moved: Mapping[str, str] = value.get("moved") or {}
    return Project(
        name,
        read_definitions_folder(value),
        value.get("default_target") or (next(iter(targets)) if len(targets) == 1 else ""),
        targets,
        _read_vars(value),
        {normalize(old): follow_renames(old, moved) or new for old, new in moved.items()},
        tuple(normalize(entry) for entry in value.get("released") or ()),
        value.get("protocol") or "",
    )


def read_target(name: str, value: Mapping[str, Any], project: str, protocols: Mapping[str, ProtocolRow]) -> Target:
    """Return the target that a checked mapping of the file describes."""
    is_local = is_local_target(name, value)
    row = protocols[value.get("protocol", PORTABLE)]
    return Target(
        name,
        LOCAL if is_local else project,
        dialect=value.get("dialect", row.dialect),
        base_url=LOCAL if is_local else value.get("base_url", "").rstrip("/"),
        api_key=secret_ref(value.get("api_key")),
        token=secret_ref(value.get("token")),
        headers=read_headers(value.get("headers") or {}),
        models=dict(value.get("models") or {}),
        guard=Guard(**(value.get("guard") or {})),
        vars=_read_vars(value),
        allow_loss=tuple(value.get("allow_loss") or ()),
        always_send=tuple(value.get("always_send") or ()),
        portkey=read_portkey(value.get("portkey") or {}),
        reasoning_models=dict(value.get("reasoning_models") or {}),
        scope=read_scope(value, row.scope),
        **{key: value[key] for key in _PLAIN if key in value},
    )


def read_scope(value: Mapping[str, Any], keys: Iterable[str]) -> dict[str, str]:
    """Return what a target's mapping says in the keys that scope requests."""
    return {key: value[key] for key in keys if value.get(key)}


def read_portkey(value: Mapping[str, Any]) -> Portkey:
    """Read the gateway's settings from the checked mapping of the file."""
    return Portkey(
        secret_ref(value.get("api_key")),
        secret_ref(value.get("virtual_key")),
        value.get("provider", ""),
        _read_config(value.get("config")),
        value.get("custom_host", ""),
        read_headers(value.get("azure") or {}),
        value.get("request_timeout", 0),
    )


def _read_config(value: Any) -> Any:
    """Return a configuration with references in place of its secrets."""
    if isinstance(value, Mapping):
        inner = {key: _read_config(entry) for key, entry in value.items()}
        return inner if secret_problem(value) else secret_ref(value)
    return [_read_config(entry) for entry in value] if isinstance(value, list) else value


def read_headers(value: Mapping[str, Any]) -> dict[str, str | SecretRef]:
    """Texts as they stand, and references to secrets, by name."""
    return {key: entry if isinstance(entry, str) else secret_ref(entry) or "" for key, entry in value.items()}


def _read_vars(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(entry) if isinstance(entry, list) else entry for key, entry in (value.get("vars") or {}).items()}


def follow_renames(old: str, moved: Mapping[str, Any]) -> str | None:
    """Return the name at the end of a chain of renames; None if the chain is a circle."""
    name, seen = old, {old}
    while isinstance(moved.get(name), str):
        name = moved[name]
        if name in seen:
            return None
        seen.add(name)
    return normalize(name)
