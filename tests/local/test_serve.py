"""The embedded server over HTTP: headers, sockets, other people's clients."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from trueup.core.errors import TrueupError
from trueup.local.openai_assistants import Server
from trueup.local.serve import BODY_LIMIT, app, listen, missing, run, running

HEADERS = {"authorization": "Bearer any", "openai-beta": "assistants=v2"}


@pytest.fixture
def api() -> Iterator[httpx.Client]:
    with Server() as server, running(server) as url, httpx.Client(base_url=url, headers=HEADERS) as client:
        yield client


def test_an_assistant_lives_and_dies_over_http(api: httpx.Client) -> None:
    made = api.post("/assistants", json={"model": "m", "name": "é🎓"})
    assert (made.status_code, made.headers["content-type"]) == (200, "application/json")
    path = f"/assistants/{made.json()['id']}"
    assert api.get(path).json() == made.json()
    assert api.post(path, json={"name": None}).json()["name"] is None
    assert len(api.get("/assistants", params={"limit": 1, "order": "asc"}).json()["data"]) == 1
    assert api.request("DELETE", path, json={}).json()["deleted"] is True
    assert api.get(path).status_code == 404


def test_a_key_and_the_version_header_are_wanted(api: httpx.Client) -> None:
    def refused(**headers: str) -> tuple[int, Any]:
        reply = httpx.get(f"{api.base_url}assistants", headers=headers)
        return reply.status_code, reply.json()["error"]["code"]

    assert refused() == (401, None)
    assert refused(authorization="Bearer", **{"openai-beta": "assistants=v2"}) == (401, None)
    assert refused(authorization="Basic eDp5", **{"openai-beta": "assistants=v2"}) == (401, None)
    assert refused(authorization="Bearer x") == (400, "invalid_beta")
    assert refused(authorization="Bearer x", **{"openai-beta": "assistants=v1"}) == (400, "invalid_beta")
    version = {"openai-beta": "realtime=v1, assistants=v2"}
    assert httpx.get(f"{api.base_url}assistants", headers={**HEADERS, **version}).status_code == 200


def test_a_pinned_key_is_the_only_one_and_never_repeated() -> None:
    with Server() as server, running(server, key="sk-right", faults=True) as url:
        wrong = httpx.get(f"{url}/assistants", headers={**HEADERS, "authorization": "Bearer sk-wrong"})
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "invalid_api_key")
        assert "sk-" not in wrong.text
        right = {**HEADERS, "authorization": "Bearer sk-right"}
        assert httpx.get(f"{url}/assistants", headers=right).status_code == 200
        control = url.replace("/v1", "/_control/log")
        assert httpx.get(control).status_code == 401
        assert "sk-" not in httpx.get(control, headers=right).text


def test_health_needs_no_key_and_unknown_paths_answer_as_the_vendor(api: httpx.Client) -> None:
    root = str(api.base_url).removesuffix("v1/")
    assert httpx.get(root).json()["api"] == "/v1"
    assert httpx.post(root).status_code == 405
    for path in ("assistants", "v2/assistants", "_control/log"):
        reply = httpx.get(root + path)
        assert reply.status_code == 404
        assert reply.json()["error"]["message"] == f"Invalid URL (GET /{path})"
    assert api.get("/threads").json()["error"]["message"] == "Invalid URL (GET /v1/threads)"
    for method in ("PUT", "PATCH", "OPTIONS", "QUERY"):
        reply = api.request(method, "/assistants")
        assert (reply.status_code, reply.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"model": NaN}', b'{"model": "m", "top_p": 1e999}', b"[" * 100_000,
     b'{"model": "m", "top_p": ' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_a_body_that_is_no_object_is_a_400(api: httpx.Client, content: bytes) -> None:
    reply = api.post("/assistants", content=content)
    assert (reply.status_code, list(reply.json())) == (400, ["error"])
    assert api.get("/assistants").json()["data"] == []


def test_other_content_and_enormous_bodies_are_refused(api: httpx.Client) -> None:
    other = api.post("/assistants", content=b'{"model": "m"}', headers={"content-type": "text/plain"})
    assert (other.status_code, other.json()["error"]["code"]) == (400, "unsupported_content_type")
    pieces = (b" " * (1 << 20) for _ in range(BODY_LIMIT // (1 << 20) + 1))
    large = api.post("/assistants", content=pieces)
    assert (large.status_code, large.json()["error"]["code"]) == (413, "request_too_large")


def test_an_answer_is_one_piece_and_comes_at_once() -> None:
    """In two pieces, on a connection that waits for more, every answer would take 40 ms."""
    with Server() as server, running(server) as url:
        host, port = url.removeprefix("http://").removesuffix("/v1").split(":")
        for _ in range(20):
            with socket.create_connection((host, int(port))) as client:
                client.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
                head, _, body = client.recv(65_536).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert json.loads(body)["server"] == "trueup"
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_faults_are_armed_over_http_and_a_drop_closes_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    with Server() as server, running(server, faults=True) as url, httpx.Client(headers=HEADERS) as client:
        control = url.replace("/v1", "/_control")
        armed = client.post(f"{control}/faults", json=[
            {"kind": "drop", "method": "POST", "commit": True}, {"kind": "cut", "method": "POST", "nth": 2},
            {"status": 429, "method": "POST", "nth": 3, "headers": {"retry-after": "3"}},
        ])  # fmt: skip
        assert armed.json() == {"armed": 3}
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            client.post(f"{url}/assistants", json={"model": "dropped"})
        cut = client.post(f"{url}/assistants", json={"model": "cut"})
        assert cut.status_code == 200
        with pytest.raises(json.JSONDecodeError):
            cut.json()
        limited = client.post(f"{url}/assistants", json={"model": "limited"})
        assert (limited.status_code, limited.headers["retry-after"]) == (429, "3")
        held = client.get(f"{url}/assistants", params={"order": "asc"}).json()["data"]
        assert [item["model"] for item in held] == ["dropped", "cut"]
        log = client.get(f"{control}/log").json()
        assert [(entry["method"], entry["status"], entry["fault"]) for entry in log] == [
            ("POST", 0, "drop"), ("POST", 200, "cut"), ("POST", 429, "answer"), ("GET", 200, ""),
        ]  # fmt: skip
        client.post(f"{control}/faults", json={"status": 500, "times": 0})
        assert client.get(f"{url}/assistants").status_code == 500
        assert client.delete(f"{control}/faults").json() == {"armed": 0}
        assert client.get(f"{url}/assistants").status_code == 200
        assert client.post(f"{control}/faults", json=[{"kind": "explode"}]).status_code == 400
        assert client.get(f"{control}/faults").status_code == 404
    assert [record.message for record in caplog.records if record.levelname != "INFO"] == []


def test_the_application_also_runs_without_a_socket() -> None:
    import asyncio

    async def scene() -> int:
        with Server() as server:
            transport = httpx.ASGITransport(app=app(server))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost/v1", headers=HEADERS
            ) as client:
                return (await client.post("/assistants", json={"model": "m"})).status_code

    assert asyncio.run(scene()) == 200


def test_a_taken_port_is_said_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, Server() as server:
        with pytest.raises(TrueupError, match="cannot listen") as caught:
            run(server, port=taken.getsockname()[1])
        assert "--port" in caught.value.hint
        with pytest.raises(TrueupError, match="cannot listen"):
            run(server, port=70_000)


@pytest.mark.parametrize("absent", ["starlette.applications", "uvicorn"])
def test_without_the_extra_it_says_what_to_install(absent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, absent, None)
    with Server() as server, pytest.raises(TrueupError, match="not installed") as caught:
        run(server)
    assert caught.value.hint == "Run: pip install 'trueup[serve]'"


@pytest.mark.parametrize(
    ("prefix", "command"),
    [
        ("/home/ada/.local/share/pipx/venvs/trueup", "pipx inject trueup starlette uvicorn"),
        ("/home/ada/.local/share/uv/tools/trueup", "uv tool install --with starlette --with uvicorn trueup"),
        ("/home/ada/project/.venv", "pip install 'trueup[serve]'"),
    ],
)
def test_the_extra_is_added_the_way_that_trueup_was_installed(prefix: str, command: str) -> None:
    assert missing("starlette", prefix).hint == f"Run: {command}"


def test_run_tells_its_address_and_ends_with_the_interrupt(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from trueup.local.openai_assistants import Server\n"
        "from trueup.local.serve import run\n"
        "run(Server(sys.argv[1]), ready=lambda url: print(url, flush=True))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "db")], stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.PIPE)  # fmt: skip
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.post(f"{url}/assistants", json={"model": "m"}, headers=HEADERS).status_code == 200
    finally:
        process.send_signal(2)
        process.communicate(timeout=20)
    with Server(tmp_path / "db") as server, running(server) as url:
        assert len(httpx.get(f"{url}/assistants", headers=HEADERS).json()["data"]) == 1


def test_the_vendors_own_client_creates_pages_changes_and_deletes() -> None:
    openai = pytest.importorskip("openai", reason="the official client is not installed")
    with Server() as server, running(server, key="sk-test") as url, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with openai.OpenAI(api_key="sk-test", base_url=url, max_retries=0) as client:
            assistants = client.beta.assistants
            made = [
                assistants.create(model="gpt-4o", name=f"a{n}", tools=[{"type": "file_search"}], metadata={"n": str(n)})
                for n in range(45)
            ]
            assert [item.id for item in assistants.list(order="asc", limit=20)] == [item.id for item in made]
            assert [item.id for item in assistants.list()] == [item.id for item in reversed(made)]
            changed = assistants.update(made[0].id, instructions="New.", temperature=0.5)
            assert (changed.name, changed.instructions, changed.temperature) == ("a0", "New.", 0.5)
            assert assistants.retrieve(made[0].id) == changed
            assert assistants.delete(made[0].id).deleted is True
            with pytest.raises(openai.NotFoundError, match="No assistant found with id"):
                assistants.retrieve(made[0].id)
            with pytest.raises(openai.BadRequestError) as caught:
                assistants.create(model="gpt-4o", temperature=3)
            assert (caught.value.param, caught.value.code) == ("temperature", "decimal_above_max_value")
            assert caught.value.request_id
        other = openai.OpenAI(api_key="sk-other", base_url=url, max_retries=0)
        with other, pytest.raises(openai.AuthenticationError):
            other.beta.assistants.list()


def test_threads_over_http_lose_nothing(api: httpx.Client) -> None:
    def create(number: int) -> None:
        for turn in range(20):
            body = {"model": "m", "name": f"{number}-{turn}"}
            httpx.post(f"{api.base_url}assistants", headers=HEADERS, json=body)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = [item["name"] for item in api.get("/assistants", params={"limit": 100}).json()["data"]]
    assert len(names) == len(set(names)) == 80
