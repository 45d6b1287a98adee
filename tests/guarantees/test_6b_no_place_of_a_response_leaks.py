"""Guarantee 6 at the door: a server that echoes the key in each place of a response, in each spelling.

Every command and every format then runs against it; what is printed and written is searched with every spelling undone.
"""

from __future__ import annotations

import html
import json
import re
import threading
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from tests.guarantees.terminal import Done, define, files, run
from tests.protocols import current
from trueup.core.call import CREDENTIAL, Call, Reply
from trueup.edge.http.secrets import Secret, Secrets

KEY = "sk-Canary_9Kd7Qx2W.4zT8"
"""A key of the letters that a header's name and a host can carry too."""

PROJECT = """\
project: canaries
targets:
  prod: {{protocol: {protocol}, base_url: '{url}', api_key: {{env: CANARY}}, settle: 0, max_retries: 0, timeout: 5}}
"""

SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda text: "".join(f"%{ord(sign):02X}" for sign in text),
    "html": lambda text: "".join(f"&#{ord(sign)};" for sign in text),
    "json": lambda text: "".join(f"\\u{ord(sign):04x}" for sign in text),
    "swapped": str.swapcase,
    "split": lambda text: f"{text[:7]} {text[7:14]}\n {text[14:]}",
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64 of the header": lambda text: b64encode(f"Bearer {text}".encode()).decode(),
    "no semicolon": lambda text: "".join(f"&#{ord(sign)}" for sign in text),
    "widely split": lambda text: f"{text[:7]}\n{' ' * 30}{text[7:]}",
    "unseen": "\u200b".join,
    "soft hyphens and controls": lambda text: "\xad".join(text[:9]) + "\x08".join(text[9:]),
}

HEADERS = {
    "location-path": ("Location", "/login/{}/x"),
    "location-host": ("Location", "https://{}.example.com/"),
    "location-query": ("Location", "https://sso.example.com/?key={}"),
    "retry-after": ("Retry-After", "{}"),
    "content-type": ("Content-Type", "text/{}"),
    "x-echo": ("X-Echo", "Bearer {}"),
}

COMMANDS = (
    ("plan", "--out", "change.plan"),
    ("apply", "--yes"),
    ("apply", "change.plan"),
    ("drift", "--all"),
    ("why", "one"),
    ("accept", "one"),
    ("import", "other=asst_1"),
    ("import",),
    ("export", "all.json"),
    ("state", "rebuild"),
    ("targets", "probe", "prod"),
    ("destroy", "--yes"),
)
PAGES = ("text", "json", "markdown", "html", "github")
FORMATS = {"plan": PAGES, "apply": PAGES, "destroy": PAGES, "drift": (*PAGES, "sarif", "junit")}
"""The formats that a command has beside text and JSON."""


class Echo(BaseHTTPRequestHandler):
    """A server that repeats the key in the one place that `server.place` names, spelled in one way."""

    server: Any

    def log_message(self, *_arguments: object) -> None:
        """Write no log."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        place, key = self.server.place, SPELLINGS[self.server.spelling](KEY)
        message = {"error": {"message": f"Incorrect API key: {key}.", "type": "x", "param": None, "code": key}}
        if place in HEADERS:
            name, value = HEADERS[place]
            self._send(302 if name == "Location" else 429, "{}", {name: value.format(key.replace("\n", ""))})
        elif place == "header-name":
            self._send(500, "{}", {key: "x"})
        elif place == "status-line":
            self._send(500, "", reason=key.replace("\n", ""))
        elif place == "trailer-of-a-cut-answer":
            self.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{key}".encode())
            self.close_connection = True
        elif place == "no-http":
            self.wfile.write(f"{key}\r\n\r\n".encode())
            self.close_connection = True
        elif place == "error":
            self._send(self.server.status, json.dumps(message))
        elif place == "title":
            self._send(200, f"<html><title>Sign in as {key}</title>{key}</html>")
        elif place == "padded":
            self._send(502, self.server.body)
        elif place == "text":
            self._send(502, f"upstream refused {key}")
        elif place == "json-key":
            self._send(400, json.dumps({key: {key: [key]}, "detail": [{"loc": ["body", key], "msg": key}]}))
        else:
            self._from_vendor(body, key)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names that http.server wants

    def _from_vendor(self, body: bytes, key: str) -> None:
        """Answer as the vendor does; where the place is `live`, with the key in the fields of every assistant."""
        where = urlsplit(self.path)
        call = Call(
            self.command, where.path.removeprefix("/v1"), dict(parse_qsl(where.query)), json.loads(body or b"null")
        )
        reply = self.server.vendor.answer(call)
        value = reply.json
        if self.server.place == "live" and isinstance(value, dict):
            for item in value.get("data", [value] if "model" in value else []):
                item |= {"instructions": f"use {key}", "description": key, "strange": {key: key}}
                item["metadata"] = {**item.get("metadata", {}), "note": key}
        self._send(reply.status, json.dumps(value))

    def _send(self, status: int, text: str, headers: dict[str, str] | None = None, reason: str | None = None) -> None:
        data = text.encode()
        self.send_response(status, reason)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def echo() -> Iterator[Any]:
    """Run the server on a port of its own; tests set its `place` and `spelling`."""
    with current().server(":memory:") as vendor, ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        found: Any = server
        found.vendor, found.place, found.spelling, found.status = vendor, "nowhere", "plain", 400
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path, echo: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project with two assistants that are applied, one edit and a saved plan."""
    monkeypatch.setenv("CANARY", KEY)
    text = PROJECT.format(protocol=current().name, url=f"http://127.0.0.1:{echo.server_port}/v1")
    (tmp_path / "trueup.yaml").write_text(text, encoding="utf-8")
    for name in ("one", "two"):
        define(tmp_path, name)
    assert run(tmp_path, "apply", "--yes").code == 0
    define(tmp_path, "one", "Be very brief.")
    define(tmp_path, "three")
    assert run(tmp_path, "plan", "--out", "change.plan").code == 0
    return tmp_path


def undo_spellings(text: str) -> str:
    """Return a text without white space and in lower case, every escape taken back three times over."""
    for _ in range(3):
        text = html.unescape(unquote(text))
        text = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
        text = re.sub(r"\\+(?:[nrtb]|x08|xad)", "", text)
    seen = (sign for sign in text.replace("\\", "") if unicodedata.category(sign) not in ("Cf", "Cc", "Zs"))
    return "".join("".join(seen).split()).replace("\u2408", "").lower()


def leaks(text: str) -> bool:
    """Whether the key can be read in a text, in any spelling."""
    dense = "".join(text.split())
    encoded = [b64encode(before + KEY.encode()).decode()[3:-4] for before in (b"", b"x", b"xx")]
    return KEY.lower() in undo_spellings(text) or any(form in dense for form in encoded)


@pytest.mark.any_protocol("it sends nothing")
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_search_finds_every_spelling(spelling: str) -> None:
    assert leaks(f"a {SPELLINGS[spelling](KEY)} b")
    assert not leaks(f"a {KEY[:-1]} b")


def run_everything(folder: Path) -> Iterator[tuple[str, Done]]:
    """Run each command in text with -vv and as JSON, and once more with all its other formats at a time."""
    for words in COMMANDS:
        formats = FORMATS.get(words[0], ())
        also = [part for name in formats for part in ("--also", f"{name}=out-{words[0]}.{name}")]
        for flags in ([*also, "-vv"], ["--json"]):
            yield " ".join((*words, *flags)), run(folder, *words, *flags)


def assert_nothing_leaks(folder: Path) -> int:
    """Run everything and search all that was printed and written; return how many commands failed."""
    failed = 0
    for words, done in run_everything(folder):
        failed += done.code != 0
        assert not leaks(done.said), f"{words} printed the key:\n{done.said}"
        for name, content in files(folder).items():
            assert not leaks(content.decode("utf-8", "replace")), f"{words} wrote the key to {name}"
    return failed


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "place",
    [
        *HEADERS, "header-name", "status-line", "trailer-of-a-cut-answer", "no-http", "error", "title", "text",
        "json-key", "live",
    ],
)  # fmt: skip
def test_no_place_of_a_response_leaks(folder: Path, echo: Any, place: str) -> None:
    echo.place = place
    assert assert_nothing_leaks(folder) or place == "live"


@pytest.mark.exhaustive
@pytest.mark.alternates("the client masks an answer before a protocol reads it; each place is tried in both above")
@pytest.mark.parametrize("place", ["error", "title", "text", "location-path", "x-echo"])
@pytest.mark.parametrize("spelling", [name for name in SPELLINGS if name != "plain"])
def test_no_spelling_leaks(folder: Path, echo: Any, place: str, spelling: str) -> None:
    echo.place, echo.spelling, echo.status = place, spelling, 401
    assert assert_nothing_leaks(folder)


@pytest.mark.exhaustive
@pytest.mark.parametrize("spelling", ["percent", "html", "json", "swapped", "base64"])
def test_no_spelling_in_a_live_field_leaks(folder: Path, echo: Any, spelling: str) -> None:
    echo.place, echo.spelling = "live", spelling
    assert_nothing_leaks(folder)


@pytest.mark.any_protocol("it is about the address")
def test_plain_http_to_another_machine_is_refused_and_where_it_is_allowed_every_plan_warns(
    folder: Path,
) -> None:
    path = folder / "trueup.yaml"
    text = path.read_text(encoding="utf-8").replace("127.0.0.1", "0.0.0.0")  # this machine, but not by loopback
    path.write_text(text, encoding="utf-8")
    for words in (("validate",), ("plan",), ("apply", "--yes"), ("drift",)):
        done = run(folder, *words)
        assert done.code == 1, done.said
        assert "plain-http" in done.said, words
    path.write_text(text.replace("settle: 0", "settle: 0, allow_http: true"), encoding="utf-8")
    (folder / ".trueup" / "prod.state.json").unlink()
    assert run(folder, "validate").code == 0
    for words in (("plan",), ("plan", "--json"), ("apply", "--yes"), ("drift",)):
        done = run(folder, *words)
        assert "plain-http" in done.said, done.said


@pytest.mark.any_protocol("the client masks an answer before anybody reads it")
@pytest.mark.parametrize("blank", [" ", "\n", "\t"])
@pytest.mark.parametrize("before", [440, 475, 490, 65_500])
def test_a_key_that_a_bound_of_ours_would_cut_is_masked_first(folder: Path, echo: Any, blank: str, before: int) -> None:
    """A body of 475 blanks and the key showed all of the key but its last letter."""
    echo.place, echo.spelling = "padded", "plain"
    echo.body = blank * before + KEY + "!" * 9
    for words in (("plan",), ("plan", "--json"), ("export", "all.json")):
        said = run(folder, *words).said
        assert not any(KEY[:length] in said for length in range(8, len(KEY) + 1)), said


@pytest.mark.any_protocol("the client masks an answer before anybody reads it")
def test_a_body_of_nothing_but_keys_shows_none_at_its_end(folder: Path, echo: Any) -> None:
    echo.place, echo.body = "padded", KEY * 10_000
    said = run(folder, "plan").said
    assert KEY[:8] not in said


@pytest.mark.any_protocol("it sends nothing")
def test_a_key_of_digits_is_masked_as_a_number_too() -> None:
    secrets = Secrets([Secret("123456789012345678901234567890")])
    reply = Reply(200, {}, {"default": 123456789012345678901234567890, "other": 12}, "")
    assert secrets.mask_reply(reply).json == {"default": CREDENTIAL, "other": 12}
