"""A target of the project file with stand-ins where credentials and addresses are, and what is wrong with those.

They are judged here, before a schema sees the file, so that no message of a validator can repeat one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from trueup.core.projects.endpoint import SECRET_HINT, base_url_problem, header_problem, secret_problem
from trueup.core.projects.project import LOCAL
from trueup.core.rules.fault import Fault
from trueup.core.source import Path, dotted

STAND_IN: Final[dict[str, Any]] = {"env": "NAME"}

SECRETS: Final = ("api_key", "token")
"""Keys of a target that say where a secret is to be had."""

PORTKEY_SECRETS: Final = ("api_key", "virtual_key")
AZURE_SECRETS: Final = ("ad_token", "entra_client_secret")

_URL_HINT: Final = "Write https://host/path; credentials go into api_key or token, a version into api_version."
_HOST_HINT: Final = "Write https://host/path, as the gateway is to call it."


def clean_target(name: str, target: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """The target without credentials and addresses, and the faults of these; paths begin inside the target."""
    clean, faults = dict(target), list(_secrets(target, SECRETS, (), f"of the target {name!r} "))
    clean.update({key: STAND_IN for key in SECRETS if key in target})
    if isinstance(target.get("headers"), dict):
        clean["headers"] = dict.fromkeys(target["headers"], STAND_IN)
        faults += _headers(target["headers"])
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
        faults += _portkey(target["portkey"])
    return clean, faults


def _secrets(value: Mapping[str, Any], keys: tuple[str, ...], where: Path, whose: str = "") -> Iterator[Fault]:
    for key in keys:
        why = secret_problem(value[key]) if key in value else ""
        if why:
            path = (*where, key)
            yield Fault("secret-in-file", path, f"{dotted(path)} {whose}{why}", SECRET_HINT)


def _headers(headers: Mapping[str, Any]) -> Iterator[Fault]:
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


def _portkey(given: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _secrets(given, PORTKEY_SECRETS, ("portkey",))
    azure = given.get("azure")
    if isinstance(azure, dict):
        yield from _secrets(azure, AZURE_SECRETS, ("portkey", "azure"))
    host = given.get("custom_host")
    if isinstance(host, str):
        why = "is the embedded server, which no gateway can call" if host == LOCAL else base_url_problem(host)
        if why:
            yield Fault("wrong-base-url", ("portkey", "custom_host"), f"portkey.custom_host {why}", _HOST_HINT)
    yield from _config(given.get("config"))


def _config(config: Any) -> Iterator[Fault]:
    """A configuration: an id without a credential in it, or JSON in which every credential is a reference."""
    where = ("portkey", "config")
    if isinstance(config, str):
        if not config.strip() or not config.isascii() or not config.isprintable():
            yield Fault("wrong-header", where, "portkey.config is no id of a configuration", "Write it like pc-abc123.")
        elif config.lstrip().startswith("{"):
            hint = "Write it as a mapping, so that each secret in it can be {env: NAME}."
            yield Fault("wrong-type", where, "portkey.config is JSON in a text", hint)
    elif isinstance(config, dict) and secret_problem(config):
        yield from _inside(config, where)


def _inside(value: Any, where: Path) -> Iterator[Fault]:
    if isinstance(value, dict):
        for key, entry in value.items():
            if isinstance(entry, (dict, list)):
                if not (isinstance(entry, dict) and not secret_problem(entry)):
                    yield from _inside(entry, (*where, key))
            elif key == "custom_host" and isinstance(entry, str) and base_url_problem(entry):
                said = f"{dotted((*where, key))} {base_url_problem(entry)}"
                yield Fault("wrong-base-url", (*where, key), said, _HOST_HINT)
            elif isinstance(entry, str) and header_problem(str(key), entry) and key != "custom_host":
                said = f"{dotted((*where, key))} {header_problem(str(key), entry)}"
                yield Fault("secret-in-file", (*where, key), said, SECRET_HINT)
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _inside(entry, (*where, index))
