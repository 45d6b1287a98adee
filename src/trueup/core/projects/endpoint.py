"""What a project file may say about credentials and addresses. No message repeats a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from trueup.core.projects.project import LOCAL, SecretRef

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_TELLTALE: Final = re.compile(r"key|token|secret|password|authorization|cookie|credential|virtual-key", re.IGNORECASE)
_INSIDE: Final = re.compile(r'"[^"]*(?:key|token|secret|password|authorization|credential)[^"]*"\s*:', re.IGNORECASE)
_SCHEME: Final = re.compile(r"(?:bearer|basic)\s", re.IGNORECASE)
_KEY: Final = re.compile(r"\s*[A-Za-z_][A-Za-z0-9_-]{0,40}:(?=\s|\Z)")
_OWN: Final = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection"})

SECRET_HINT: Final = (
    "Write {env: NAME} for an environment variable, or {command: [program, argument]} for a secret manager."
)


def secret_problem(value: Any) -> str:
    """Why a value does not say where a secret is to be had, as the end of a sentence; empty when it does."""
    if not isinstance(value, Mapping):
        return "holds a value; a secret must never stand in a file"
    if len(value) != 1 or next(iter(value)) not in ("env", "command"):
        return "takes exactly one of `env` and `command`"
    if "env" in value:
        name = value["env"]
        return (
            ""
            if isinstance(name, str) and _VARIABLE.match(name)
            else "has something in `env` that is no variable's name"
        )
    words = value["command"]
    if isinstance(words, list) and words and all(isinstance(word, str) and word for word in words):
        return ""
    return "takes in `command` a list: the program, then its arguments"


def secret_ref(value: Any) -> SecretRef | None:
    """The reference that a checked value is; None for null."""
    if not isinstance(value, Mapping):
        return None
    return SecretRef(value.get("env", ""), tuple(value.get("command", ())))


def header_problem(name: str, value: Any) -> str:
    """Why a header cannot be sent as it is written; a literal is only fine where no credential travels."""
    if name.lower() in _OWN:
        return "is set by Trueup itself"
    if isinstance(value, str):
        if _TELLTALE.search(_unbranded(name)) or _SCHEME.match(value) or _INSIDE.search(_unbranded(value)):
            return "carries a credential, which must never stand in a file"
        return "" if value.isascii() and value.isprintable() else "may only hold printable ASCII characters"
    return secret_problem(value)


def _unbranded(text: str) -> str:
    """The text without the name of a gateway that has "key" in it: x-portkey-provider is no secret."""
    return re.sub("portkey", "", text, flags=re.IGNORECASE)


def base_url_problem(value: str) -> str:
    """Why a text is no address of an API, as the end of a sentence; empty when it is one."""
    if value == LOCAL:
        return ""
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if "@" in parts.netloc:
        return "holds a user or a password, which must never stand in a file"
    if parts.scheme not in ("http", "https"):
        return f"begins neither with https:// nor http://, and is not `{LOCAL}`"
    if not host or not value.isascii() or not value.isprintable() or " " in value:
        return "is no address"
    if parts.query or parts.fragment or value.rstrip("/").endswith(("?", "#")):
        return "holds a query or a fragment"
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


def discreet(line: str) -> str:
    """A line of a project file as a message may show it: its key, since anything behind it could be a credential."""
    key = _KEY.match(line)
    return f"{key.group()} …" if key else ""
