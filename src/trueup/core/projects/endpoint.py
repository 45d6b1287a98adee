"""What a project file may say about credentials and addresses. No message repeats a value.

Credentials and addresses are judged before a schema sees the file: `clean_target` puts stand-ins in their place, so
that no message of a validator can repeat one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from trueup.core.projects.project import LOCAL, SecretRef
from trueup.core.rules.fault import Fault
from trueup.core.source import Path, dotted

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_TELLTALE: Final = re.compile(r"key|token|secret|password|authorization|cookie|credential|virtual-key", re.IGNORECASE)
_INSIDE: Final = re.compile(r'"[^"]*(?:key|token|secret|password|authorization|credential)[^"]*"\s*:', re.IGNORECASE)
_SCHEME: Final = re.compile(r"(?:bearer|basic)\s", re.IGNORECASE)
_OWN: Final = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection"})

SECRET_HINT: Final = (
    "Write {env: NAME} for an environment variable, or {command: [program, argument]} for a secret manager."
)


def secret_problem(value: Any) -> str:
    """Why a value does not say where a secret is to be had, as the end of a sentence; empty when it does."""
    if not isinstance(value, Mapping):
        return "is a literal value; a secret must not be in a file"
    if len(value) != 1 or next(iter(value)) not in ("env", "command"):
        return "takes exactly one of `env` and `command`"
    if "env" in value:
        name = value["env"]
        return "" if isinstance(name, str) and _VARIABLE.match(name) else "has in `env` what is not a variable's name"
    words = value["command"]
    if isinstance(words, list) and words and all(isinstance(word, str) and word for word in words):
        return ""
    return "must have a list in `command`: the program, then its arguments"


def secret_ref(value: Any) -> SecretRef | None:
    """Return the secret reference in a checked value; None for null."""
    if not isinstance(value, Mapping):
        return None
    return SecretRef(value.get("env", ""), tuple(value.get("command", ())))


def header_problem(name: str, value: Any) -> str:
    """Why a header cannot be sent as it is written; a literal is only fine where no credential travels."""
    if name.lower() in _OWN:
        return "is set by Trueup itself"
    if isinstance(value, str):
        if _TELLTALE.search(_drop_brand(name)) or _SCHEME.match(value) or _INSIDE.search(_drop_brand(value)):
            return "contains a credential, which must not be in a file"
        return "" if value.isascii() and value.isprintable() else "may only hold printable ASCII characters"
    return secret_problem(value)


def _drop_brand(text: str) -> str:
    """Remove the name "portkey", whose "key" does not make a header such as x-portkey-provider a secret."""
    return re.sub("portkey", "", text, flags=re.IGNORECASE)


def base_url_problem(value: str) -> str:
    """Why a text is not a URL of an API, as the end of a sentence; empty when it is one."""
    if value == LOCAL:
        return ""
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if "@" in parts.netloc:
        return "contains a user or a password, which must not be in a file"
    if parts.scheme not in ("http", "https"):
        return f"does not start with https:// or http://, and is not `{LOCAL}`"
    if not host or not value.isascii() or not value.isprintable() or " " in value:
        return "is not a URL"
    if parts.query or parts.fragment or value.rstrip("/").endswith(("?", "#")):
        return "contains a query or a fragment"
    return ""


def is_plain_http(url: str) -> bool:
    """Whether an address sends everything, the key too, unencrypted to another machine: http, and not loopback."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and not is_loopback(parts.hostname or "")
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine."""
    try:
        return host.lower() == "localhost" or ("%" not in host and ip_address(host).is_loopback)
    except ValueError:  # any other name is what a resolver makes of it
        return False


STAND_IN: Final[dict[str, Any]] = {"env": "NAME"}

SECRETS: Final = ("api_key", "token")
"""Keys of a target that say where a secret is to be had."""

PORTKEY_SECRETS: Final = ("api_key", "virtual_key")
AZURE_SECRETS: Final = ("ad_token", "entra_client_secret")

_URL_HINT: Final = "Write https://host/path; credentials go into api_key or token, a version into api_version."
_HOST_HINT: Final = "Write https://host/path, as the gateway calls it."


def clean_target(name: str, target: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Return the target without credentials and addresses, and their faults; paths start inside the target."""
    clean, faults = dict(target), list(_check_secrets(target, SECRETS, (), f"of the target {name!r} "))
    clean.update({key: STAND_IN for key in SECRETS if key in target})
    if isinstance(target.get("headers"), dict):
        clean["headers"] = dict.fromkeys(target["headers"], STAND_IN)
        faults += _check_headers(target["headers"])
    elif target.get("headers") is not None:
        clean["headers"] = {}
        message = f"headers of the target {name!r} must be a mapping"
        faults.append(Fault("wrong-type", ("headers",), message, "Write `headers: {name: value}`."))
    if isinstance(target.get("base_url"), str):
        clean["base_url"] = LOCAL
        why = base_url_problem(target["base_url"])
        if why:
            faults.append(Fault("wrong-base-url", ("base_url",), f"base_url of the target {name!r} {why}", _URL_HINT))
    if isinstance(target.get("portkey"), dict):
        clean["portkey"] = _clean_portkey(target["portkey"])
        faults += _check_portkey(target["portkey"])
    return clean, faults


def _check_secrets(value: Mapping[str, Any], keys: tuple[str, ...], where: Path, whose: str = "") -> Iterator[Fault]:
    for key in keys:
        why = secret_problem(value[key]) if key in value else ""
        if why:
            path = (*where, key)
            yield Fault("secret-in-file", path, f"{dotted(path)} {whose}{why}", SECRET_HINT)


def _check_headers(headers: Mapping[str, Any]) -> Iterator[Fault]:
    for header, value in headers.items():
        why = header_problem(str(header), value)
        if why:
            code = "secret-in-file" if "credential" in why or "secret" in why else "wrong-header"
            yield Fault(code, ("headers", header), f"the header {header!r} {why}", SECRET_HINT)


def _clean_portkey(given: Mapping[str, Any]) -> dict[str, Any]:
    clean = {**given, **{key: STAND_IN for key in PORTKEY_SECRETS if key in given}}
    if isinstance(given.get("azure"), dict):
        clean["azure"] = {**given["azure"], **{key: STAND_IN for key in AZURE_SECRETS if key in given["azure"]}}
    if isinstance(given.get("config"), (dict, str)):
        clean["config"] = "pc-stand-in"
    if isinstance(given.get("custom_host"), str):
        clean["custom_host"] = LOCAL
    return clean


def _check_portkey(given: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _check_secrets(given, PORTKEY_SECRETS, ("portkey",))
    azure = given.get("azure")
    if isinstance(azure, dict):
        yield from _check_secrets(azure, AZURE_SECRETS, ("portkey", "azure"))
    host = given.get("custom_host")
    if isinstance(host, str):
        why = "is the embedded server, which no gateway can call" if host == LOCAL else base_url_problem(host)
        if why:
            yield Fault("wrong-base-url", ("portkey", "custom_host"), f"portkey.custom_host {why}", _HOST_HINT)
    yield from _check_config(given.get("config"))


def _check_config(config: Any) -> Iterator[Fault]:
    """Check a configuration: an id, or a mapping in which every credential is a reference."""
    where = ("portkey", "config")
    if isinstance(config, str):
        if not config.strip() or not config.isascii() or not config.isprintable():
            yield Fault(
                "wrong-header", where, "portkey.config is not the id of a configuration", "Write it like pc-abc123."
            )
        elif config.lstrip().startswith("{"):
            hint = "Write it as a mapping, so that each secret in it can be {env: NAME}."
            yield Fault("wrong-type", where, "portkey.config is JSON as text", hint)
    elif isinstance(config, dict) and secret_problem(config):
        yield from _check_inside(config, where)


def _check_inside(value: Any, where: Path) -> Iterator[Fault]:
    if isinstance(value, dict):
        for key, entry in value.items():
            if isinstance(entry, (dict, list)):
                if not (isinstance(entry, dict) and not secret_problem(entry)):
                    yield from _check_inside(entry, (*where, key))
            elif key == "custom_host" and isinstance(entry, str) and base_url_problem(entry):
                said = f"{dotted((*where, key))} {base_url_problem(entry)}"
                yield Fault("wrong-base-url", (*where, key), said, _HOST_HINT)
            elif isinstance(entry, str) and header_problem(str(key), entry) and key != "custom_host":
                said = f"{dotted((*where, key))} {header_problem(str(key), entry)}"
                yield Fault("secret-in-file", (*where, key), said, SECRET_HINT)
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _check_inside(entry, (*where, index))
