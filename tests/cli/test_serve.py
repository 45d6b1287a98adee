"""`serve`: the project's embedded server for other clients, until Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
import sys

import httpx

from tests.cli.place import Place


def test_it_serves_what_was_applied_until_ctrl_c(place: Place) -> None:
    place.applied()
    command = [sys.executable, "-m", "trueup", "serve", "--port", "0", "--key", "let-me-in"]
    with subprocess.Popen(
        command, cwd=place.root, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        headers = {"Authorization": "Bearer let-me-in", "OpenAI-Beta": "assistants=v2"}
        names = {item["name"] for item in httpx.get(f"{url}/assistants", headers=headers).json()["data"]}
        refused = httpx.get(f"{url}/assistants", headers={**headers, "Authorization": "Bearer wrong"})
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert names == {"alpha", "beta"}
    assert refused.status_code == 401
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "let-me-in" not in err


def test_a_taken_port_is_said(place: Place) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = place.run("serve", "--memory", "--port", str(taken.getsockname()[1]))
    assert ran.code == 1
    assert "--port" in ran.err
