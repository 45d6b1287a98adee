"""What the environment says of the way to a target: which proxy, and whose certificates. Opens no connection.

Only the setting that this very address needs is looked at: a proxy for other addresses may be as wrong as it likes.
What cannot be used is said with the variable's name and never its value, which may hold a password.
"""

from __future__ import annotations

import re
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from trueup.core.errors import EndpointError
from trueup.core.projects.endpoint import is_loopback, is_plain_http

_SCHEMES: Final = ("http", "https", "socks5", "socks5h")
_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]+\Z")
"""How a certificate's file is called in a folder that OpenSSL looks into."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy to go through, and the variable that names it."""

    variable: str
    url: str = field(repr=False)


def find_proxy(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for an address, None where there is none or NO_PROXY excepts it. Raises EndpointError.

    What goes to this machine by plain http is not sent through another one, which could read it.
    """
    parts = urlsplit(url)
    if _is_excepted(parts, _read_variable("no", environ)[1]):
        return None
    for kind in (parts.scheme.lower(), "all"):
        variable, value = _read_variable(kind, environ)
        if value:
            proxy = Proxy(variable, value if "://" in value else f"http://{value}")
            why = _find_fault(proxy.url)
            if why:
                raise make_proxy_error(proxy, why, parts.hostname or "")
            stays_here = parts.scheme.lower() == "http" and not is_plain_http(url)
            return None if stays_here and not is_loopback(urlsplit(proxy.url).hostname or "") else proxy
    return _find_system_proxy(parts.scheme.lower())


def make_proxy_error(proxy: Proxy, why: str, host: str) -> EndpointError:
    """Return the error for a proxy that cannot be used."""
    return EndpointError(
        f"The proxy that {proxy.variable} names cannot be used: {why}. Nothing was sent.",
        f"Set {proxy.variable} to an address such as http://proxy.example:3128, unset it, or add {host} to NO_PROXY.",
    )


def refuse_empty_folder(environ: Mapping[str, str]) -> None:
    """Raise EndpointError where SSL_CERT_DIR decides and is no folder with certificates: TLS would trust nobody."""
    value = environ.get("SSL_CERT_DIR", "")
    if not value or environ.get("SSL_CERT_FILE"):
        return
    folders = [Path(part) for part in value.split(":" if sys.platform != "win32" else ";") if part]
    try:
        found = any(_HASHED.match(entry.name) for folder in folders if folder.is_dir() for entry in folder.iterdir())
    except OSError as error:
        raise _make_trust_error(
            "SSL_CERT_DIR", f"it cannot be read ({(error.strerror or 'no reason given').lower()})"
        ) from None
    if not any(folder.is_dir() for folder in folders):
        raise _make_trust_error("SSL_CERT_DIR", "there is no such folder")
    if not found:
        raise _make_trust_error(
            "SSL_CERT_DIR", "it has no certificate under the name of its hash (run `openssl rehash`)"
        )


def make_tls_error(error: OSError, environ: Mapping[str, str]) -> EndpointError:
    """Why TLS could not be prepared: which variable leads to a file that cannot be used."""
    reason = (error.strerror or "no reason given").lower()
    value = environ.get("SSL_CERT_FILE", "")
    if value and not Path(value).is_file():
        is_there = Path(value).exists()
        return _make_trust_error("SSL_CERT_FILE", "it is not a file" if is_there else "there is no such file")
    if value and isinstance(error, ssl.SSLError):
        return _make_trust_error("SSL_CERT_FILE", "the file has no certificate in PEM form")
    if environ.get("SSLKEYLOGFILE") and error.filename is not None:
        return EndpointError(
            f"The file that SSLKEYLOGFILE names cannot be written: {reason}. Nothing was sent.",
            "Unset SSLKEYLOGFILE, or name a file in a folder that you may write.",
        )
    return _make_trust_error("SSL_CERT_FILE" if value else "the installed list", f"the file cannot be read ({reason})")


def _make_trust_error(variable: str, why: str) -> EndpointError:
    return EndpointError(
        f"The certificates to trust, of {variable}, cannot be used: {why}. Nothing was sent.",
        f"Correct {variable}, or unset it: then the certificates that come with Trueup's HTTP library are trusted.",
    )


def _read_variable(kind: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the variable that decides and its value: lower case first, as elsewhere, even if it is empty.

    Where a web server runs us, HTTP_PROXY may be a header that a stranger sent.
    """
    names = [f"{kind}_proxy", f"{kind.upper()}_PROXY"]
    if kind == "http" and "REQUEST_METHOD" in environ:
        names.pop()
    name = next((name for name in names if name in environ), names[0])
    return name, environ.get(name, "").strip()


def _find_system_proxy(scheme: str) -> Proxy | None:
    """Return the proxy of the desktop's settings, which Linux has none of."""
    if sys.platform not in ("darwin", "win32"):
        return None
    from urllib.request import getproxies

    url = getproxies().get(scheme, "")
    return Proxy("the system's settings", url) if url else None


def _find_fault(url: str) -> str:
    """Why an address can be no proxy's, as the end of a sentence; empty where it can."""
    scheme = url.partition("://")[0].lower()
    if scheme not in _SCHEMES:
        return "it is neither an HTTP proxy nor a SOCKS5 proxy"
    if scheme.startswith("socks5") and find_spec("socksio") is None:
        return "SOCKS needs the Python package socksio, which is not installed (pip install socksio)"
    try:
        parts = urlsplit(url)
        sound = bool(parts.hostname) and parts.port != 0 and url.isprintable() and " " not in url
    except ValueError:
        sound = False
    return "" if sound else "its URL is invalid"


def _is_excepted(parts: SplitResult, listed: str) -> bool:
    """Whether one of NO_PROXY's entries is the host, a domain around it, or a network that holds its address.

    An entry that is none of these says nothing of any host.
    """
    host = (parts.hostname or "").lower()
    return any(_is_match(entry.strip().lower(), host, parts) for entry in listed.split(","))


def _is_match(entry: str, host: str, parts: SplitResult) -> bool:
    if entry == "*":
        return True
    scheme, mark, rest = entry.rpartition("://")
    if (mark and scheme not in (parts.scheme, "all")) or not rest:
        return False
    name, port = _split_port(rest)
    if port and port != str(parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)):
        return False
    try:
        return ip_address(host) in ip_network(name.replace("[", "").replace("]", ""), strict=False)
    except ValueError:  # one of the two is a name
        name = name.lstrip("*").lstrip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))


def _split_port(text: str) -> tuple[str, str]:
    """Return a host and its port; an IPv6 address has one only behind brackets."""
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*):(\d+)", text)
    return (found[1], found[2]) if found else (text, "")
