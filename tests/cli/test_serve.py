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
    command = [sys.executable, "-m", "trueup", "serve", "--port", "0", "--memory", "--json", "--key", "any", *flags]
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


def test_it_speaks_the_protocol_that_is_asked_for(place: Place) -> None:
    place.applied()
    command = [sys.executable, "-m", "trueup", "serve", "--protocol", "openai-agents", "--port", "0", "--key", "any"]
    with subprocess.Popen(
        [*command, "--json"], cwd=place.root, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        headers = {"Authorization": "Bearer k", "OpenAI-Beta": "agents=v1"}
        shut = httpx.get(f"{told['url']}/agents", headers={**headers, "OpenAI-Beta": "assistants=v2"})
        made = httpx.post(f"{told['url']}/agents", headers=headers, json={"model": "m"})
        other = httpx.get(f"{told['url']}/assistants", headers=headers)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert (told["protocol"], told["dialect"]) == ("openai-agents", "openai")
    assert (shut.status_code, made.status_code, other.status_code) == (400, 200, 404)
    assert (place.root / ".trueup/local/openai-agents.db").exists()


def test_a_dialect_of_another_protocol_is_refused(place: Place) -> None:
    ran = place.run("serve", "--memory", "--protocol", "openai-agents", "--dialect", "azure-openai")
    assert ran.code == 1
    assert "The protocol openai-agents has no dialect azure-openai; choose one of: openai." in ran.err


@pytest.mark.parametrize("as_json", [False, True])
def test_without_a_key_a_random_one_is_made_and_printed(place: Place, as_json: bool) -> None:
    command = [sys.executable, "-m", "trueup", "serve", "--port", "0", "--memory", *(["--json"] if as_json else [])]
    with subprocess.Popen(
        command, cwd=place.root, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline().strip()
        url = json.loads(line)["url"] if as_json else line
        key = json.loads(line)["key"] if as_json else process.stderr.readline().removeprefix("Key: ").strip()
        statuses = [
            httpx.get(f"{url}/assistants", headers={"Authorization": f"Bearer {shown}", "OpenAI-Beta": "assistants=v2"})
            for shown in ("any", key)
        ]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert len(key) > 20
    assert [reply.status_code for reply in statuses] == [401, 200]
    assert "Warning" not in err


def test_any_key_is_for_loopback_alone(place: Place) -> None:
    ran = place.run("serve", "--memory", "--port", "0", "--host", "0.0.0.0", "--key", "any")
    assert ran.code == 1
    assert "--key any is for loopback only" in ran.err


def test_what_other_machines_can_reach_is_warned_of(place: Place) -> None:
    command = [sys.executable, "-m", "trueup", "serve", "--port", "0", "--memory", "--host", "0.0.0.0", "-q"]
    with subprocess.Popen(
        command, cwd=place.root, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert "Warning: 0.0.0.0 can be reached from other machines" in err


def test_a_taken_port_is_said(place: Place) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = place.run("serve", "--memory", "--port", str(taken.getsockname()[1]))
    assert ran.code == 1
    assert "--port" in ran.err
