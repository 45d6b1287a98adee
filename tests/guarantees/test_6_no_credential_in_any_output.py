"""Guarantee 6: no credential in any output, whatever the server, the secret manager or the files do.

Canaries come from a variable, from a command and in a header; then every command runs against every failure, and all
that was written, to the terminal and to the disk, is searched for them.
"""

from __future__ import annotations

import json
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from tests.guarantees.terminal import Done, define, files, project, run
from tests.protocols import Protocol, current
from trueup.core.call import Call
from trueup.local.serve import running

ENV, HEADER, COMMAND = "sk-canary/env+7Qx=1", "canary-header/4Wz+2", "canary.command-9Kd~3"
CANARIES = (ENV, HEADER, COMMAND)
KEEPER = "import sys; sys.stdout.write('canary.command' + '-9Kd~3')"
"""A secret manager that works; the canary stands in two halves, so that the project file does not hold it."""

PROJECT = """\
project: canaries
default_target: env
targets:
  env:
    protocol: {protocol}
    base_url: {url}
    api_key: {{env: CANARY}}
    headers: {{X-Scope: {{env: CANARY_HEADER}}, X-Plain: visible}}
    settle: 0
    max_retries: 0
    timeout: 5
  command:
    protocol: {protocol}
    base_url: {url}
    token: {{command: ["{python}", -c, "{keeper}"]}}
    settle: 0
    max_retries: 0
    timeout: 5
"""

MODES = (
    "good",
    "unauthorized",
    "forbidden",
    "echo-400",
    "echo-500",
    "html",
    "redirect",
    "cut",
    "garbage",
    "echo-header",
)

LINES = (
    ("validate",),
    ("render",),
    ("plan",),
    ("plan", "--out", "change.plan"),
    ("apply", "--yes"),
    ("apply", "change.plan"),
    ("drift",),
    ("drift", "--all"),
    ("why", "one"),
    ("import", "one=asst_1"),
    ("state", "list"),
    ("state", "show", "one"),
    ("state", "rebuild"),
    ("targets",),
    ("destroy", "--yes"),
)


class Hostile(BaseHTTPRequestHandler):
    """A server that misbehaves as `server.mode` says, and repeats the credentials that it was sent."""

    server: Any

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.seen.append(dict(self.headers.items()))
        mode = self.server.mode
        echo = "; ".join(f"{name}: {value}" for name, value in self.headers.items())
        told = json.dumps({"error": {"message": f"Incorrect API key provided: {echo}", "type": "x", "param": None}})
        answers = {
            "unauthorized": (401, told),
            "forbidden": (403, told),
            "echo-400": (400, told),
            "echo-500": (500, told),
            "html": (200, f"<html><title>Sign in</title>{echo}</html>"),
            "garbage": (502, echo),
        }
        if mode == "cut":
            self.connection.close()
        elif mode == "redirect":
            self._send(302, "", {"Location": f"/login?{quote(echo)}"})
        elif mode in answers:
            self._send(*answers[mode])
        else:
            where = urlsplit(self.path)
            call = Call(self.command, where.path.removeprefix("/v1"), dict(parse_qsl(where.query)), _json(body))
            reply = self.server.vendor.answer(call)
            extra = {"X-Echo": echo, "Set-Cookie": f"key={quote(echo)}"} if mode == "echo-header" else {}
            self._send(reply.status, json.dumps(reply.json), extra)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names that http.server wants

    def _send(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _json(body: bytes) -> Any:
    return json.loads(body) if body else None


@pytest.fixture
def hostile() -> Iterator[Any]:
    """Run the server on a port of its own; tests set its `mode`."""
    with current().server(":memory:") as vendor, ThreadingHTTPServer(("127.0.0.1", 0), Hostile) as server:
        found: Any = server
        found.vendor, found.mode, found.seen = vendor, "good", []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path, hostile: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project whose credentials are the canaries."""
    monkeypatch.setenv("CANARY", ENV)
    monkeypatch.setenv("CANARY_HEADER", HEADER)
    url = f"http://127.0.0.1:{hostile.server_port}/v1"
    text = PROJECT.format(protocol=current().name, url=url, python=sys.executable, keeper=KEEPER)
    (tmp_path / "trueup.yaml").write_text(text, encoding="utf-8")
    for name in ("one", "two"):
        define(tmp_path, name)
    return tmp_path


def leaks(text: str) -> list[str]:
    """Return the canaries in a text, as they are or as URLs, JSON, base64 and reprs hold them, white space or not."""
    dense = "".join(text.split())
    forms = {
        form: canary
        for canary in CANARIES
        for form in (
            canary,
            quote(canary),
            quote(canary, safe=""),
            json.dumps(canary)[1:-1],
            b64encode(canary.encode()).decode(),
        )
    }
    return sorted({canary for form, canary in forms.items() if form in dense})


def _assert_clean(folder: Path, done: Done, words: tuple[str, ...]) -> None:
    assert leaks(done.said) == [], f"{words} showed a credential:\n{done.said}"
    for name, content in files(folder).items():
        assert leaks(content.decode("utf-8", "replace")) == [], f"{words} wrote a credential to {name}"


@pytest.mark.any_protocol("it sends nothing")
def test_the_search_finds_what_leaks() -> None:
    assert leaks(f"x {ENV} y") == [ENV]
    assert leaks(f"{HEADER[:5]}\n  {HEADER[5:]}") == [HEADER]
    assert leaks(quote(COMMAND + ENV, safe="")) == [COMMAND, ENV]


@pytest.mark.exhaustive
@pytest.mark.alternates("credentials are added and masked by the client, which no protocol changes")
@pytest.mark.parametrize(
    ("mode", "target"),
    [*((mode, "env") for mode in MODES), *((mode, "command") for mode in ("good", "unauthorized", "echo-500"))],
)
def test_every_command_in_every_trouble(folder: Path, hostile: Any, mode: str, target: str) -> None:
    assert run(folder, "apply", "-t", target, "--yes").code == 0
    assert run(folder, "plan", "-t", target, "--out", "change.plan").code == 0
    define(folder, "one", "Be very brief.")
    define(folder, "three")
    hostile.mode = mode
    failures = 0
    for words in LINES:
        for flags in (("-vv",), ("--json",)):
            done = run(folder, *words, "-t", target, *flags)
            failures += done.code == 1
            _assert_clean(folder, done, (*words, *flags))
    assert failures or mode in ("good", "echo-header")
    sent = ENV if target == "env" else COMMAND
    assert any(value == f"Bearer {sent}" for headers in hostile.seen for value in headers.values())


@pytest.mark.any_protocol("it ends before a request is sent")
@pytest.mark.parametrize("flags", [(), ("-vv",), ("--json",)], ids=" ".join)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("env.state.json", b"{"),
        ("env.state.json", b"<<<<<<< ours\n"),
        ("env.journal", b"not json\n{}\n"),
    ],
)
def test_damaged_memory(folder: Path, flags: tuple[str, ...], name: str, content: bytes) -> None:
    assert run(folder, "apply", "--yes").code == 0
    (folder / ".trueup" / name).write_bytes(content)
    for words in (("plan",), ("apply", "--yes"), ("state", "list"), ("drift",)):
        done = run(folder, *words, *flags)
        assert done.code == 4, done.said
        _assert_clean(folder, done, words)


@pytest.mark.any_protocol("it ends before a request is sent")
@pytest.mark.parametrize("flags", [(), ("-vv",), ("--json",)], ids=" ".join)
@pytest.mark.parametrize(
    "program",
    [
        KEEPER + "; sys.stderr.write('denied for canary.command' + '-9Kd~3'); sys.exit(3)",
        KEEPER.replace("9Kd~3'", "9Kd~3\\\\nmore'"),
        KEEPER.replace("9Kd~3'", "9Kd~3\\\\x01'"),
    ],
    ids=["fails", "two-lines", "control"],
)
def test_a_secret_manager_that_says_too_much(folder: Path, program: str, flags: tuple[str, ...]) -> None:
    path = folder / "trueup.yaml"
    path.write_text(path.read_text().replace(KEEPER, program), encoding="utf-8")
    done = run(folder, "plan", "-t", "command", *flags)
    assert done.code == 1
    assert "credential" in done.said or "command" in done.said
    _assert_clean(folder, done, ("plan",))


@pytest.mark.any_protocol("it ends before a request is sent")
@pytest.mark.parametrize("flags", [(), ("-vv",), ("--json",)], ids=" ".join)
@pytest.mark.parametrize("value", [f"{ENV}\nX-Evil: 1", f"{ENV}\x00", f"{ENV}☃", " "])
def test_a_variable_that_no_header_can_carry(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: str, flags: tuple[str, ...]
) -> None:
    if "\x00" in value:
        value = value.replace("\x00", "\x01")  # no environment can hold a NUL
    monkeypatch.setenv("CANARY", value)
    done = run(folder, "plan", *flags)
    assert done.code == 1, done.said
    assert "CANARY" in done.said
    _assert_clean(folder, done, ("plan",))


@pytest.mark.any_protocol("it ends before a request is sent")
@pytest.mark.parametrize(
    "lines",
    [
        f"api_key: {ENV}",
        f"api_key: {{env: {ENV}}}",
        f"token: {{value: {ENV}}}",
        f"headers: {{Authorization: Bearer {ENV}}}",
        f"headers: {{x-api-key: {HEADER}}}",
        f"base_url: https://user:{quote(ENV, safe='')}@example.com/v1",
    ],
)
def test_a_secret_in_the_project_file_is_refused_and_not_repeated(tmp_path: Path, lines: str) -> None:
    base = "" if lines.startswith("base_url") else "    base_url: https://example.com/v1\n"
    (tmp_path / "trueup.yaml").write_text(f"project: p\ntargets:\n  prod:\n{base}    {lines}\n", encoding="utf-8")
    define(tmp_path, "one")
    for flags in ((), ("-vv",), ("--json",)):
        for words in (("validate",), ("plan",), ("targets",)):
            done = run(tmp_path, *words, *flags)
            assert done.code == 1, done.said
            assert leaks(done.said) == [], done.said


@pytest.mark.any_protocol("it ends before a request is sent")
def test_a_server_that_cannot_be_reached(folder: Path) -> None:
    path = folder / "trueup.yaml"
    before = path.read_text(encoding="utf-8")
    port = before.split("127.0.0.1:", 1)[1].split("/", 1)[0]
    path.write_text(before.replace(f"127.0.0.1:{port}", "127.0.0.1:9"), encoding="utf-8")
    for flags in ((), ("-vv",), ("--json",)):
        for words in (("plan",), ("apply", "--yes"), ("drift",)):
            done = run(folder, *words, *flags)
            assert done.code == 1, done.said
            _assert_clean(folder, done, words)


def test_a_key_that_stands_in_a_live_field_is_shown_nowhere(
    protocol: Protocol, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", ENV)
    server = protocol.server()
    with server, running(server) as url:
        target = protocol.yaml(base_url=url, api_key={"env": "CANARY"}, settle=0)
        place = project(tmp_path, "math", "art", extra=json.dumps({"project": "acme", "targets": {"prod": target}}))
        assert run(place, "apply", "--yes").code == 0
        live_id = json.loads(run(place, "state", "list", "--json").out)["assistants"]["math"]
        edit = Call("POST", protocol.path_of(live_id), json={"instructions": f"use {ENV}", "name": ENV})
        assert server.answer(edit).status == 200
        for words in (
            ("drift",), ("drift", "--json"), ("why", "math"), ("plan", "--on-drift", "revert", "--out", "p.plan"),
            ("plan", "--json"), ("apply", "--yes", "-vv"), ("apply", "--yes", "--on-drift", "revert", "--json"),
        ):  # fmt: skip
            done = run(place, *words)
            assert leaks(done.said) == [], words
    for path in place.rglob("*"):
        assert not path.is_file() or leaks(path.read_bytes().decode("utf-8", "replace")) == [], path
