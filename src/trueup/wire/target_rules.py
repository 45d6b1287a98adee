"""What is wrong with a target of the project file because of its protocol, its dialect or its gateway.

Takes the file's own mapping and gives faults with paths inside the target. Knows no file and no position, and shows no
credential; that a value has the wrong type is the schema's to say, and passed over here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from trueup.core.command import HERE, Message
from trueup.core.definitions.names import suggest
from trueup.core.projects.endpoint import is_plain_http, secret_problem
from trueup.core.projects.project import PORTABLE, Target
from trueup.core.projects.project_values import is_local_target, read_headers, read_portkey, read_scope
from trueup.core.rules.fault import Fault, nearest, show_value
from trueup.wire import portkey
from trueup.wire.base import Dialect
from trueup.wire.registry import GATEWAYS, ROWS, dialects, losses, scope_keys, translator


def target_faults(name: str, value: Mapping[str, Any]) -> Iterator[Fault]:
    """Everything in a target that its protocol, dialect and gateway cannot make sense of."""
    protocol = value.get("protocol", PORTABLE)
    if not isinstance(protocol, str) or protocol not in ROWS:
        if isinstance(protocol, str):
            message = f"there is no protocol {show_value(protocol)}"
            is_other_vendor = not nearest(protocol.partition("-")[0], {row.partition("-")[0] for row in ROWS})
            yield Fault("not-allowed", ("protocol",), message, suggest("" if is_other_vendor else protocol, ROWS))
        return
    rows = dialects(protocol)
    dialect = value.get("dialect", ROWS[protocol].dialect)
    if not isinstance(dialect, str) or dialect not in rows:
        if isinstance(dialect, str):
            yield _no_dialect(protocol, dialect, rows)
        return
    row = rows[dialect]
    yield from _address(name, protocol, value, row)
    yield from _version(value, row)
    yield from _credential(value, row)
    yield from _scope(protocol, value, row)
    yield from _fields(value, row, losses(protocol))
    yield from _gateway(protocol, value)
    if value.get("translate") is True and translator(PORTABLE, protocol) is None:
        message = f"definitions of {PORTABLE} cannot be translated to {protocol}"
        yield Fault("key-not-here", ("translate",), message, "Remove the line.", at_key=True)


def _no_dialect(protocol: str, word: str, rows: Mapping[str, Dialect]) -> Fault:
    message = f"the protocol {protocol} has no dialect {show_value(word)}"
    if word in GATEWAYS:
        hint = f"{word} is a gateway: write `gateway: {word}`, and the server behind it as `dialect`."
        return Fault("not-allowed", ("dialect",), message, hint)
    close = ROWS[protocol].aliases.get(word)
    return Fault("not-allowed", ("dialect",), message, f"Did you mean {close!r}?" if close else suggest(word, rows))


def _address(name: str, protocol: str, value: Mapping[str, Any], row: Dialect) -> Iterator[Fault]:
    url = value.get("base_url")
    if isinstance(url, str) and is_plain_http(url) and value.get("allow_http") is not True:
        yield Fault(
            "plain-http", ("base_url",), "base_url sends the key and every prompt unencrypted to another machine",
            "Write https://; or, where the network between is yours alone, add `allow_http: true` to this target.",
        )  # fmt: skip
    if is_local_target(name, value) and not row.embedded:
        message = f"the embedded server does not support {row.name}"
        yield Fault("not-allowed", ("dialect",), message, "Remove the dialect to use a local target.")
    if is_local_target(name, value) or value.get("gateway"):
        return
    if url is None and not row.base_url:
        yield Fault(
            "no-address", ("dialect",), f"{row.name} has no default URL, and base_url is missing",
            f"Add `base_url: {row.example}`, with your own names in it.",
        )  # fmt: skip
    if isinstance(url, str):
        yield from _wrong_path(url, row, ROWS[protocol].noun)


def _wrong_path(url: str, row: Dialect, noun: str) -> Iterator[Fault]:
    """Yield a fault for an address of Microsoft's at which there is nothing that the protocol manages."""
    try:
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path.rstrip("/")
    except ValueError:
        return
    hint = f"Write it like {row.example or row.base_url}."
    if host.endswith(".openai.azure.com") and path.endswith("/openai/v1"):
        message = f"base_url ends in /openai/v1, where there are no {noun}s"
        yield Fault("wrong-base-url", ("base_url",), message, hint)
    if host.endswith(".services.ai.azure.com") and "/api/projects/" not in path:
        yield Fault("wrong-base-url", ("base_url",), "base_url names no project of the Foundry resource", hint)


def _version(value: Mapping[str, Any], row: Dialect) -> Iterator[Fault]:
    version = value.get("api_version")
    if version is None:
        return
    if not row.api_version:
        yield Fault("key-not-here", ("api_version",), f"{row.name} has no api-version", "Remove the line.", at_key=True)
    elif version == "2024-02-15-preview":
        yield Fault(
            "not-allowed", ("api_version",), "the api-version 2024-02-15-preview is of the first assistants API",
            f"Write one of: {', '.join(row.api_versions)}.",
        )  # fmt: skip


def _credential(value: Mapping[str, Any], row: Dialect) -> Iterator[Fault]:
    both = [key for key in ("api_key", "token") if value.get(key) is not None]
    if len(both) > 1:
        yield Fault("key-not-here", ("token",), "both api_key and token are set", "Keep one of them.", True)
    elif both and not value.get("gateway") and both[0] not in row.auth:
        yield _no_way_in(both[0], row)


def _no_way_in(key: str, row: Dialect) -> Fault:
    """Return the fault of a credential that a dialect does not take, with the one that it takes."""
    if row.token_scope:
        ways = "token: {command: [az, account, get-access-token, --scope, " + row.token_scope + ", -o, json]}"
        return Fault(
            "key-not-here", (key,), f"{row.name} does not accept {key}, only an Entra token", f"Write `{ways}`.", True
        )
    return Fault(
        "key-not-here", (key,), f"{row.name} does not accept {key}", f"Write it as {', '.join(row.auth)}.", True
    )


def _scope(protocol: str, value: Mapping[str, Any], row: Dialect) -> Iterator[Fault]:
    """Yield a fault for each scoping key that the dialect, or the whole protocol, does not know."""
    for key in scope_keys():
        if value.get(key) is None or (row.scoped and key in ROWS[protocol].scope):
            continue
        if key in ROWS[protocol].scope:
            yield Fault("key-not-here", (key,), f"{row.name} has no {key}", "Remove the line.", at_key=True)
        else:
            known = " and ".join(name for name, other in ROWS.items() if key in other.scope)
            message = f"{key} is a key of {known}, and this target speaks {protocol}"
            yield Fault("key-not-here", (key,), message, "Remove the line.", at_key=True)


def _fields(value: Mapping[str, Any], row: Dialect, known: frozenset[str]) -> Iterator[Fault]:
    for index, name in enumerate(_texts(value.get("always_send"))):
        if name not in row.fields:
            hint = f"It has {', '.join(row.fields)}."
            yield Fault("not-allowed", ("always_send", index), f"{row.name} has no field {show_value(name)}", hint)
    tops = {key.partition(".")[0] for key in known} | {key.rpartition(".")[0] for key in known}
    for index, name in enumerate(_texts(value.get("allow_loss"))):
        if name not in known | tops - {""}:
            message = f"{show_value(name)} is nothing that could be lost"
            yield Fault("unknown-field", ("allow_loss", index), message, suggest(name, known))


def _texts(value: Any) -> list[str]:
    return [entry if isinstance(entry, str) else "" for entry in value] if isinstance(value, list) else []


def _gateway(protocol: str, value: Mapping[str, Any]) -> Iterator[Fault]:
    gateway, given = value.get("gateway"), value.get("portkey")
    if gateway in GATEWAYS and gateway not in ROWS[protocol].gateways:
        known = " and ".join(name for name, row in ROWS.items() if gateway in row.gateways)
        message = f"{gateway} passes on {known}, and this target speaks {protocol}"
        yield Fault("key-not-here", ("gateway",), message, "Remove the gateway from this target.", at_key=True)
        return
    if gateway not in GATEWAYS:
        if given is not None and gateway is None:
            message = "portkey is set, but no gateway"
            yield Fault("key-not-here", ("portkey",), message, "Add `gateway: portkey`.", at_key=True)
        return
    if value.get("base_url") == "local":
        yield Fault(
            "key-not-here", ("gateway",), "the embedded server of this process cannot have a gateway",
            Message("Set base_url to the URL of this: ", HERE.command("serve", gateway="portkey")), at_key=True,
        )  # fmt: skip
        return
    if _is_readable(value):
        yield from _portkey(value)


def _is_readable(value: Mapping[str, Any]) -> bool:
    """Return whether the parts have the types that they should have; what has not was told already."""
    given, headers = value.get("portkey") or {}, value.get("headers") or {}
    azure = given.get("azure") or {} if isinstance(given, dict) else None
    if not (isinstance(given, dict) and isinstance(headers, dict) and isinstance(azure, dict)):
        return False
    texts = [given.get("provider", ""), given.get("custom_host", ""), *(value.get(key, "") for key in scope_keys())]
    secrets = [entry for key, entry in given.items() if key in ("api_key", "virtual_key")]
    mixed = [entry for entry in (*headers.values(), *azure.values()) if not isinstance(entry, str)]
    return all(isinstance(text, str) for text in texts) and not any(map(secret_problem, [*secrets, *mixed]))


def _gateway_headers(value: Mapping[str, Any], headers: Mapping[str, Any]) -> dict[str, portkey.Header]:
    target = Target(
        "", "", headers=read_headers(headers), portkey=read_portkey(value.get("portkey") or {}),
        scope=read_scope(value, scope_keys()),
    )  # fmt: skip
    return portkey.headers(target)


def _portkey(value: Mapping[str, Any]) -> Iterator[Fault]:
    headers = value.get("headers") or {}
    found = _gateway_headers(value, headers)
    written = {name.lower(): name for name in headers}
    for name in sorted(_gateway_headers(value, {}).keys() & written.keys()):
        message = f"{name} is set twice, here and by another key of the target"
        yield Fault("repeated", ("headers", written[name]), message, "Keep one of the two.", at_key=True)
    if not found.keys() & {"x-portkey-provider", "x-portkey-config", "x-portkey-virtual-key"}:
        yield Fault(
            "missing-key", ("gateway",), "the Portkey gateway has no destination for requests",
            "Write under `portkey:` one of provider, config and virtual_key.",
        )  # fmt: skip
    if not value.get("base_url") and "x-portkey-api-key" not in found:
        yield Fault(
            "missing-key", ("gateway",), "the hosted Portkey needs its own key",
            "Write `portkey: {api_key: {env: PORTKEY_API_KEY}}`, or set base_url to your own gateway.",
        )  # fmt: skip
    yield from _winning(_authorization(value, written), found)


def _authorization(value: Mapping[str, Any], written: Mapping[str, str]) -> tuple[str, ...]:
    """Return the path of what would become the Authorization header; empty when nothing would."""
    key = next((key for key in ("api_key", "token") if value.get(key) is not None), "")
    return (key,) if key else ("headers", written["authorization"]) if "authorization" in written else ()


def _winning(path: tuple[str, ...], found: Mapping[str, portkey.Header]) -> Iterator[Fault]:
    """Say that an Authorization header wins over the credential that a configuration or a virtual key stands for."""
    if not path:
        return
    config = found.get("x-portkey-config")
    if "x-portkey-virtual-key" in found or (config is not None and portkey.brings_a_key(config)):
        other = "virtual key" if "x-portkey-virtual-key" in found else "configuration"
        yield Fault(
            "key-not-here", path, f"{'.'.join(path)} becomes an Authorization header, which overrides the {other}",
            f"Remove it, or the {other}: Portkey would not use both.", at_key=True,
        )  # fmt: skip
