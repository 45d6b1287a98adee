"""`serve`: the project's embedded server for other clients, until Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import httpx
import pytest

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


def test_it_names_the_vendors_that_there_are() -> None:
    from trueup.cli import serve
    from trueup.local.vendors import VENDORS

    assert set(serve.DIALECTS) == set(VENDORS)


@pytest.mark.parametrize(
    ("flags", "path", "headers", "query"),
    [
        (["--dialect", "azure-openai"], "/openai", {"api-key": "k"}, {"api-version": "2025-03-01-preview"}),
        (["--dialect", "foundry-classic"], "/api/projects/local", {"Authorization": "Bearer k"}, {"api-version": "v1"}),
        (
            ["--gateway", "portkey", "--dialect", "openai-v1"],
            "/v1",
            {"Authorization": "Bearer k", "OpenAI-Beta": "assistants=v1", "x-portkey-provider": "openai"},
            {},
        ),
    ],
)
def test_it_is_the_vendor_that_is_asked_for(
    place: Place, flags: list[str], path: str, headers: dict[str, str], query: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "trueup", "serve", "--port", "0", "--memory", "--json", *flags]
    with subprocess.Popen(
        command, cwd=place.root, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        shut = httpx.get(f"{told['url']}/assistants", params=query)
        reply = httpx.get(f"{told['url']}/assistants", headers=headers, params=query)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert told["url"].endswith(path)
    assert told["dialect"] in flags
    assert shut.status_code in (400, 401)
    assert (reply.status_code, reply.json()["data"]) == (200, [])


def test_a_taken_port_is_said(place: Place) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = place.run("serve", "--memory", "--port", str(taken.getsockname()[1]))
    assert ran.code == 1
    assert "--port" in ran.err
