"""Which proxy and whose certificates a target is reached with; what cannot be used is told with its variable."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.errors import EndpointError
from trueup.edge.http.client import Client
from trueup.edge.http.environment import find_proxy

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
HOST = "http://api.example.com:8080/v1"
PASSWORD = "PROXYSECRET"


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NAMES, *map(str.upper, NAMES), "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)


def _refused(url: str, environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(EndpointError) as caught:
        Client(url)
    said = f"{caught.value.message} {caught.value.hint}"
    assert "Nothing was sent." in said
    assert PASSWORD not in said
    assert caught.value.__cause__ is None
    return said


@pytest.mark.parametrize(
    "value",
    [
        "http://[::1", f"ftp://x:{PASSWORD}@y", f"socks4://u:{PASSWORD}@h:1", "http://", "http://h:99999", "http://h:x",
        "http://h:0", f"http://u:{PASSWORD}@h o:1", "://h", "http://a\x07b:1", "http://\u2028:1", "http://h..:a/",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_that_is_none_is_named_by_its_variable(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = _refused(HOST, {name: value}, monkeypatch)
    assert said.startswith(f"The proxy that {name} names cannot be used: ")
    assert "add api.example.com to NO_PROXY" in said


@pytest.mark.skipif(find_spec("socksio") is not None, reason="socksio is installed")
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_socks_proxy_without_its_package_says_which(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = _refused(HOST, {"ALL_PROXY": f"{scheme}://u:{PASSWORD}@127.0.0.1:1080"}, monkeypatch)
    assert "ALL_PROXY" in said
    assert "pip install socksio" in said


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        (HOST, {"HTTPS_PROXY": "ftp://x"}),
        (HOST, {"ALL_PROXY": "socks5://127.0.0.1:1080", "HTTP_PROXY": "http://proxy:3128"}),
        (HOST, {"HTTP_PROXY": "http://[::1", "NO_PROXY": "localhost, .example.com"}),
        (HOST, {"HTTP_PROXY": "http://[::1", "http_proxy": ""}),
        (HOST, {"HTTP_PROXY": "http://[::1", "REQUEST_METHOD": "GET"}),
        ("https://127.0.0.1/v1", {"HTTP_PROXY": "garbage://"}),
    ],
)
def test_what_this_address_does_not_need_may_be_wrong(
    url: str, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert "pools" in repr(Client(url))


@pytest.mark.parametrize(
    ("entries", "url", "excepted"),
    [
        ("*", HOST, True), ("a, *", HOST, True), ("example.com", HOST, True), (".example.com", HOST, True),
        ("*.example.com", HOST, True), ("API.example.com", HOST, True), ("ample.com", HOST, False), ("", HOST, False),
        ("api.example.com:8080", HOST, True), ("api.example.com:80", HOST, False), ("com", HOST, True),
        ("http://api.example.com", HOST, True), ("https://api.example.com", HOST, False), ("[::", HOST, False),
        ("::1,[::", HOST, False), ("[::1]/128", "https://[::1]:9/", True), ("::1", "https://[::1]:9/", True),
        ("[::1]:9", "https://[::1]:9/", True), ("[::1]:8", "https://[::1]:9/", False),
        ("10.0.0.0/8", "http://10.1.2.3", True),
        ("10.0.0.0/8", "http://11.1.2.3", False), ("127.0.0.1", "https://127.0.0.1:1", True), (".", HOST, False),
        ("127.0.0.1/999", "https://127.0.0.1:1", False), ("a b,,;", HOST, False), ("http://", HOST, False),
    ],
)  # fmt: skip
def test_no_proxy_excepts_hosts_domains_and_networks_and_an_odd_entry_nothing(
    entries: str, url: str, excepted: bool
) -> None:
    found = find_proxy(url, {"ALL_PROXY": "proxy:3128", "NO_PROXY": entries})
    assert (found is None) is excepted
    assert found is None or (found.variable, found.url) == ("ALL_PROXY", "http://proxy:3128")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/v1", "http://localhost/v1", "http://[::1]:9/v1"])
def test_what_goes_to_this_machine_by_plain_http_meets_no_proxy_of_another(url: str) -> None:
    assert find_proxy(url, {"HTTP_PROXY": "http://proxy.example:3128"}) is None
    assert find_proxy(url, {"HTTP_PROXY": "http://127.0.0.1:3128"}) is not None
    assert find_proxy(url.replace("http:", "https:"), {"HTTPS_PROXY": "http://proxy.example:3128"}) is not None


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_setting_ends_in_anything_but_a_sentence(proxy: str, excepted: str) -> None:
    told = ""
    try:
        find_proxy(HOST, {"HTTP_PROXY": proxy, "NO_PROXY": excepted})
    except EndpointError as error:
        told = error.message
    assert told == "" or told.startswith("The proxy that HTTP_PROXY names")


@pytest.mark.parametrize(
    ("content", "said"), [(None, "there is no such file"), ("root:x:0:0", "has no certificate"), ("", "has no")]
)
def test_a_certificate_file_that_is_none_is_named(
    content: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    found = _refused("https://h/v1", {"SSL_CERT_FILE": str(path)}, monkeypatch)
    assert f"of SSL_CERT_FILE, cannot be used: {'' if said.startswith('there') else 'the file '}{said}" in found
    assert "unset it" in found
    assert "pools" in repr(Client("http://h/v1"))  # where nothing is verified nobody needs it


def test_a_certificate_file_that_is_a_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "it is not a file" in _refused("https://h/v1", {"SSL_CERT_FILE": str(tmp_path)}, monkeypatch)


def test_a_certificate_folder_without_certificates_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = _refused("https://h/v1", {"SSL_CERT_DIR": str(tmp_path / "none")}, monkeypatch)
    assert "of SSL_CERT_DIR, cannot be used: there is no such folder" in missing
    (tmp_path / "ca.pem").write_text("x", encoding="utf-8")
    assert "openssl rehash" in _refused("https://h/v1", {"SSL_CERT_DIR": str(tmp_path)}, monkeypatch)
    (tmp_path / "0a1b2c3d.0").write_text("x", encoding="utf-8")
    assert "pools" in repr(Client("https://h/v1"))


def test_a_key_log_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = _refused("https://h/v1", {"SSLKEYLOGFILE": str(tmp_path / "none" / "log")}, monkeypatch)
    assert said.startswith("The file that SSLKEYLOGFILE names cannot be written: no such file or directory.")
