"""Servers of others as processes on 127.0.0.1. Knows no test and no assistant.

Each is started from the folder that `.ci/real` filled, on a free port, and ended by its own process when the block is
left. A server that is not installed skips the test with a reason.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

HOST = "127.0.0.1"
HERE = Path(__file__).parent
START_SECONDS = 60.0


def installed(folder: Path, *parts: str) -> Path:
    """Return a file that `.ci/real` installed; skip the test if it is absent, with the installer's message."""
    path = folder.joinpath(*parts)
    if not path.exists():
        why = folder / f"{parts[0]}.absent"
        said = why.read_text("utf-8", "replace").strip() if why.exists() else "run .ci/real, which installs it"
        pytest.skip(f"{parts[0]} is not installed: {said}")
    return path


def environment() -> dict[str, str]:
    """Return the environment of foreign software: no key, no proxy, nothing of Trueup."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}


def free_port() -> int:
    """Return a port of 127.0.0.1 that was free a moment ago."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Run a small server of our own while the block runs; yield its port."""
    listener = ThreadingHTTPServer((HOST, 0), handler)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield listener.server_port
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


@contextmanager
def gateway(folder: Path, kind: str = "node", **environment: str) -> Iterator[str]:
    """Portkey's gateway; its address without a path. `kind` is the folder of the install."""
    script = installed(folder, kind, "node_modules", "@portkey-ai", "gateway", "build", "start-server.js")
    port = free_port()
    preload = {"NODE_OPTIONS": f"--require {json.dumps(str(HERE / 'loopback.js'))}", **environment}
    with _process(["node", str(script), f"--port={port}", "--headless"], script.parent, preload, port):
        yield f"http://{HOST}:{port}"


@contextmanager
def prism(folder: Path, spec: Path, upstream: str, logs: Path) -> Iterator[str]:
    """Prism in front of another server, refusing every request and answer that a specification does not allow."""
    script = installed(folder, "node", "node_modules", "@stoplight", "prism-cli", "dist", "index.js")
    port = free_port()
    command = ["node", str(script), "proxy", str(spec), upstream, "--errors", "-h", HOST, "-p", str(port)]
    with _process(command, logs, {}, port):
        yield f"http://{HOST}:{port}"


@contextmanager
def myla(folder: Path, data: Path) -> Iterator[tuple[str, str]]:
    """myla with an empty database: its base URL and the key of its administrator."""
    python = installed(folder, "myla", "bin", "python")
    port = free_port()
    settings = {"LLM_ENDPOINT": f"http://{HOST}:9/v1", "LLM_API_KEY": "none", "DEFAULT_LLM_MODEL_NAME": "none"}
    command = [str(python), "-m", "myla", "-H", HOST, "-p", str(port), "--data", str(data / "data")]
    with _process(command, data, settings, port):
        base = f"http://{HOST}:{port}/api/v1"
        login = httpx.post(
            f"{base}/users/admin/login", json={"username": "admin", "password": "admin"}, trust_env=False
        )
        yield base, login.json()["secret_key"]["id"]


@contextmanager
def apipi(folder: Path, data: Path) -> Iterator[str]:
    """ApiPi with an empty database; its base URL. Each bearer is an account of its own.

    It asks a model host which models there are, and at its start whether there is a `pi`; both are stand-ins.
    """
    program = installed(folder, "apipi", "bin", "apipi")
    port = free_port()
    pi = data / "bin" / "pi"
    pi.parent.mkdir()
    pi.write_text("#!/bin/sh\necho 1.0.0\n", "utf-8")
    pi.chmod(0o755)
    settings = {"HOME": str(data), "PATH": f"{pi.parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(
        [str(program), "migrate"], cwd=data, env={**environment(), **settings}, check=True, capture_output=True,
        timeout=START_SECONDS,
    )  # fmt: skip
    with _model_host("gpt-5", "gpt-5.5") as models:
        command = [str(program), "serve", "--host", HOST, "--port", str(port)]
        with _process(command, data, {**settings, "OPENAI_BASE_URL": models}, port):
            yield f"http://{HOST}:{port}/v1"


@contextmanager
def _model_host(*names: str) -> Iterator[str]:
    """Run a server that only lists models; yield its base URL."""
    listed = json.dumps({"object": "list", "data": [{"id": name, "object": "model"} for name in names]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(listed)))
            self.end_headers()
            self.wfile.write(listed)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with listening(Handler) as port:
        yield f"http://{HOST}:{port}/v1"


@contextmanager
def litellm(folder: Path, data: Path, upstream: str, key: str, provider_key: str) -> Iterator[str]:
    """LiteLLM's proxy, let in by `key`, with pass-through routes to a server that takes `provider_key`; its address.

    `/through/v1` is a route of the configuration, `/openai/v1` its own one for the provider.
    """
    python = installed(folder, "litellm", "bin", "python")
    port = free_port()
    config = {
        "model_list": [],
        "assistant_settings": {
            "custom_llm_provider": "openai",
            "litellm_params": {"api_key": provider_key, "api_base": upstream},
        },
        "general_settings": {
            "master_key": key,
            "pass_through_endpoints": [
                {
                    "path": "/through/v1",
                    "target": upstream,
                    "include_subpath": True,
                    "headers": {"Authorization": f"Bearer {provider_key}"},
                    "forward_headers": True,
                }
            ],
        },
    }
    (data / "litellm.yaml").write_text(json.dumps(config), "utf-8")
    settings = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "OPENAI_API_KEY": provider_key,
        "OPENAI_API_BASE": upstream.removesuffix("/v1"),
        "NO_PROXY": HOST,
    }
    script = python.with_name("litellm")
    command = [str(python), str(script), "--config", "litellm.yaml", "--host", HOST, "--port", str(port)]
    with _process(command, data, settings, port):
        yield f"http://{HOST}:{port}"


@contextmanager
def _process(command: Sequence[str], folder: Path, settings: Mapping[str, str], port: int) -> Iterator[None]:
    """Run a server while the block runs; show its output if it does not start."""
    log = folder / f"server-{port}.log"
    with log.open("wb") as said:
        server = subprocess.Popen(
            command, cwd=folder, env={**environment(), **settings}, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        try:
            _await(server, port, log)
            yield
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _await(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until the server answers any request at all, and check that it listens nowhere but here."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            httpx.get(f"http://{HOST}:{port}/", timeout=5, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        assert _listens_only_here(port), f"port {port} is open to other machines"
        return
    tail = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text("utf-8", "replace"))[-2000:]
    pytest.fail(f"The server did not start within {START_SECONDS:g} seconds:\n{tail}")


def _listens_only_here(port: int) -> bool:
    """Whether every socket that listens on a port is bound to 127.0.0.1, where the system tells."""
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    rows = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    listening = [row[1] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port]
    return all(address.startswith("0100007F:") for address in listening)
