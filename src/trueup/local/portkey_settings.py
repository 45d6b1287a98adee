"""What a request to Portkey's gateway asks of it in its headers: whom to call, with which key, how often.

As the open-source gateway 1.15.2 was seen to read them, and, where `hosted`, as Portkey documents its service. Knows
no transport and calls nobody.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from trueup.core.call import Reply
from trueup.local.answers import failure, reply
from trueup.local.javascript_json import no_constant

PREFIX = "x-portkey-"
PROVIDERS = ("openai", "azure-openai", "azure-ai")
"""Those that can speak this protocol; the real one knows many more that cannot."""

RETRIED = (429, 500, 502, 503, 504)
MOST_ATTEMPTS = 5
LONGEST = 1e12
"""Milliseconds beyond which a timeout is none that a clock can keep."""

TRUSTED = ("localhost", "127.0.0.1")
PRIVATE_ENDINGS = (
    ".local", ".localdomain", ".internal", ".intranet", ".lan", ".home", ".corp", ".test", ".invalid", ".localhost",
)  # fmt: skip
STORED_KEY = "the-gateways-own"
"""The provider's key that the hosted gateway sends when one of its own names stands for it."""


class Refused(Exception):
    """Headers that the gateway does not take, with its answer."""

    def __init__(self, said: Reply) -> None:
        super().__init__(said.status)
        self.reply = said


@dataclass(frozen=True, slots=True)
class Settings:
    """Whom to call and how: `custom_host` empty for the provider's own address, `timeout` in milliseconds, 0: none.

    `stored`: the hosted gateway knows the provider and its key by itself. `next_on` are the statuses on which the next
    of `others` is called; None: on all but success.
    """

    provider: str = ""
    api_key: str = ""
    custom_host: str = ""
    timeout: float = 0
    attempts: int = 0
    retried: tuple[int, ...] = RETRIED
    overrides: Mapping[str, Any] = field(default_factory=dict)
    stored: bool = False
    others: tuple[Settings, ...] = ()
    next_on: tuple[int, ...] | None = ()


def read_settings(headers: Mapping[str, str], hosted: bool) -> Settings:
    """The settings that the headers ask for. Raises `Refused`."""
    own = {name.removeprefix(PREFIX): value for name, value in headers.items() if name.startswith(PREFIX)}
    if hosted and not own.get("api-key"):
        raise _refused("Portkey's API key is missing: send it as x-portkey-api-key.", 401)
    if hosted and (own.get("virtual-key") or own.get("provider", "").startswith("@")):
        return replace(_by_header(own, ""), stored=True)
    provider, config = own.get("provider", ""), own.get("config", "")
    if not provider and not config:
        raise _refused("Either x-portkey-config or x-portkey-provider header is required")
    if provider and provider not in PROVIDERS:
        raise _refused("Invalid provider passed")
    if not is_allowed_host(own.get("custom-host", "")):
        raise _refused("Invalid custom host")
    if not config:
        return _by_header(own, provider)
    if hosted and config.startswith("pc-"):
        return replace(_by_header(own, ""), stored=True)
    return _by_config(config, own, hosted)


def _by_header(own: Mapping[str, str], provider: str) -> Settings:
    asked = own.get("request-timeout", "")
    timeout = float(asked) if asked.isascii() and asked.isdigit() else 0
    return Settings(provider, custom_host=own.get("custom-host", ""), timeout=timeout)


def _by_config(text: str, own: Mapping[str, str], hosted: bool) -> Settings:
    """Settings from an inline configuration; single headers fill in what it lacks."""
    try:
        config = json.loads(text, parse_constant=no_constant)
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise _refused("Invalid config passed. You need to pass a valid json")
    stored = hosted and bool(config.get("virtual_key"))
    if not (own.get("provider") or config.get("provider") or config.get("targets") or stored):
        raise _refused(
            "Either x-portkey-provider needs to be passed. Or the x-portkey-config header should have a valid config "
            "with provider details in it."
        )
    errors = _config_errors(config, stored)
    if errors:
        raise Refused(reply(400, failure("Invalid config passed", errors=errors)))
    settings = _of_config(config, _by_header(own, own.get("provider", "")), stored)
    targets = config.get("targets") or []
    if not targets:
        return settings
    strategy = config.get("strategy", {})
    first, *others = (_of_config(target, settings, stored) for target in targets)
    if strategy.get("mode") != "fallback":
        return first
    statuses = strategy.get("on_status_codes")
    return replace(first, others=tuple(others), next_on=None if statuses is None else tuple(statuses))


def _of_config(config: Mapping[str, Any], under: Settings, stored: bool) -> Settings:
    """One configuration, or one of its targets, over what holds for all."""
    retry = config.get("retry") or {}
    return Settings(
        provider=config.get("provider", under.provider),
        api_key=config.get("api_key", under.api_key),
        custom_host=config.get("custom_host", under.custom_host),
        timeout=config.get("request_timeout", under.timeout),
        attempts=max(0, min(retry.get("attempts", under.attempts), MOST_ATTEMPTS)),
        retried=tuple(retry.get("on_status_codes") or under.retried),
        overrides={**under.overrides, **config.get("override_params", {})},
        stored=stored,
    )


def _config_errors(config: Mapping[str, Any], stored: bool) -> list[str]:
    """What is wrong with a configuration, as the gateway lists it."""
    wanted: dict[str, type | tuple[type, ...]] = {
        "provider": str, "api_key": str, "custom_host": str, "request_timeout": (int, float), "retry": dict,
        "targets": list, "strategy": dict, "override_params": dict, "cache": dict,
    }  # fmt: skip
    errors = [
        f"path: {name}, message: wrong type"
        for name, kind in wanted.items()
        if name in config and (not isinstance(config[name], kind) or isinstance(config[name], bool))
    ]
    if errors:
        return errors
    retry, strategy = config.get("retry", {"attempts": 0}), config.get("strategy", {})
    if type(retry.get("attempts")) is not int:
        errors.append("path: retry.attempts, message: Required")
    if any(not isinstance(part.get("on_status_codes", []), list) for part in (retry, strategy)):
        errors.append("path: on_status_codes, message: Expected array")
    if not -LONGEST < config.get("request_timeout", 0) < LONGEST:
        errors.append("path: request_timeout, message: Expected number")
    if "provider" in config and config["provider"] not in PROVIDERS:
        errors.append(f"path: provider, message: Must be one of: {', '.join(PROVIDERS)}")
    if not is_allowed_host(config.get("custom_host", "")):
        errors.append("path: custom_host, message: Invalid custom host")
    pairs = (("provider", "api_key"), ("strategy", "targets"))
    enough = stored or any(config.get(name) for name in ("cache", "retry", "request_timeout"))
    if not (enough or any(one in config and other in config for one, other in pairs)):
        errors.append("path: , message: it must have 'provider' and 'api_key', or 'strategy' and 'targets', or 'retry'")
    for target in config.get("targets", []):
        errors += _config_errors(target, stored) if isinstance(target, dict) else ["path: targets, message: wrong type"]
    return errors


def is_allowed_host(url: str) -> bool:
    """Whether the gateway calls this address: none that is private, but for this machine's own; empty is none."""
    if not url:
        return True
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or parts.username or parts.password or ":" in host:
            return False
    except ValueError:
        return False
    if host in TRUSTED:
        return True
    if not host or host.endswith(PRIVATE_ENDINGS) or host.startswith("api.portkey"):
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host


def _refused(message: str, status: int = 400) -> Refused:
    return Refused(reply(status, failure(message)))
