"""Each vendor's door: paths, keys, versions, and the words with which it stays shut."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from trueup.core.call import Reply
from trueup.local.admission import Asked, entrance
from trueup.local.openai_assistants import Server
from trueup.local.openai_assistants.vendors import VENDORS

BEARER = {"authorization": "Bearer k"}
KEY = {"api-key": "k"}
V1, V2 = {"openai-beta": "assistants=v1"}, {"openai-beta": "assistants=v2"}
DATED, STABLE = {"api-version": "2025-03-01-preview"}, {"api-version": "v1"}
FOUNDRY = "/api/projects/local/assistants"
LOST = {"error": {"code": "404", "message": "Resource not found"}}


def ask(dialect: str, path: str, headers: Any, query: Any, key: str = "", body: bytes | None = None) -> Reply:
    with Server(dialect=dialect) as server:
        method = "GET" if body is None else "POST"
        return asyncio.run(entrance(server, key)(Asked(method, path, query, headers, body or b"")))


@pytest.mark.parametrize(
    ("dialect", "path", "headers", "query"),
    [
        ("openai", "/v1/assistants", {**BEARER, **V2}, {}),
        ("openai", "/v1/assistants", {"authorization": "bearer k", "openai-beta": "x=1, assistants=v2"}, {}),
        ("openai-v1", "/v1/assistants", {**BEARER, **V1}, {}),
        ("openai-v1", "/v1/assistants", {**BEARER, **V2}, {}),
        ("azure-openai", "/openai/assistants", KEY, DATED),
        ("azure-openai", "/openai/assistants", BEARER, {"api-version": "2024-05-01-preview"}),
        ("azure-openai", "/openai/assistants", {**BEARER, **KEY}, {"api-version": "2025-04-01-preview"}),
        ("foundry-classic", FOUNDRY, BEARER, STABLE),
        ("foundry-classic", FOUNDRY, BEARER, {"api-version": "2025-05-15-preview"}),
    ],
)
def test_who_is_let_in(dialect: str, path: str, headers: dict[str, str], query: dict[str, str]) -> None:
    reply = ask(dialect, path, headers, query)
    assert (reply.status, reply.json["data"]) == (200, [])


@pytest.mark.parametrize(
    ("dialect", "path", "headers", "query", "status", "code"),
    [
        ("openai", "/v1/assistants", V2, {}, 401, None),
        ("openai", "/v1/assistants", {**KEY, **V2}, {}, 401, None),
        ("openai", "/v1/assistants", BEARER, {}, 400, "invalid_beta"),
        ("openai", "/v1/assistants", {**BEARER, **V1}, {}, 400, "invalid_beta"),
        ("openai-v1", "/v1/assistants", BEARER, {}, 400, "invalid_beta"),
        ("openai", "/openai/assistants", {**BEARER, **V2}, {}, 404, None),
        ("openai", "/v1//assistants", {**BEARER, **V2}, {}, 404, None),
        ("azure-openai", "/openai/assistants", {}, DATED, 401, "401"),
        ("azure-openai", "/openai/assistants", {"api-key": ""}, DATED, 401, "401"),
        ("azure-openai", "/openai/assistants", KEY, {}, 404, "404"),
        ("azure-openai", "/openai/assistants", KEY, {"api-version": "2024-02-15-preview"}, 404, "404"),
        ("azure-openai", "/openai/assistants", KEY, {"api-version": "2024-10-21"}, 404, "404"),
        ("azure-openai", "/v1/assistants", KEY, DATED, 404, "404"),
        ("foundry-classic", FOUNDRY, KEY, STABLE, 401, "Unauthorized"),
        ("foundry-classic", FOUNDRY, BEARER, {}, 400, "BadRequest"),
        ("foundry-classic", FOUNDRY, BEARER, DATED, 400, "BadRequest"),
        ("foundry-classic", "/api/projects/other/assistants", BEARER, STABLE, 404, "404"),
    ],
)
def test_who_is_not(
    dialect: str, path: str, headers: dict[str, str], query: dict[str, str], status: int, code: str | None
) -> None:
    reply = ask(dialect, path, headers, query)
    assert (reply.status, reply.json["error"]["code"]) == (status, code)
    assert "No assistant found" not in reply.text


@pytest.mark.parametrize("dialect", VENDORS)
def test_a_pinned_key_is_wanted_in_whatever_header_and_never_repeated(dialect: str) -> None:
    vendor = VENDORS[dialect]
    query = {"api-version": vendor.versions[0]} if vendor.versions else {}
    beta = {"openai-beta": next(iter(vendor.betas))} if vendor.betas else {}
    for kind in vendor.credentials:

        def header(key: str, kind: str = kind) -> dict[str, str]:
            return {"authorization": f"Bearer {key}"} if kind == "bearer" else {"api-key": key}

        path = f"{vendor.mount}/assistants"
        assert ask(dialect, path, {**header("sk-right"), **beta}, query, "sk-right").status == 200
        wrong = ask(dialect, path, {**header("sk-wrong-é"), **beta}, query, "sk-right")
        assert wrong.status == 401
        assert "sk-" not in wrong.text
        assert wrong.headers["www-authenticate"] == "Bearer"


def test_azure_s_missing_version_looks_like_a_missing_place() -> None:
    assert ask("azure-openai", "/openai/assistants", KEY, {}).json == LOST


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"{", "application/json", "could not be read as JSON"),
        (b"[" * 100_000, "application/json", "could not be read as JSON"),
        (b'{"model": NaN}', "application/json", "NaN is no JSON"),
        (b"\xff\xfe", "application/json", "could not be read as JSON"),
        (b"{}", "text/plain", "Unsupported content type"),
        (b"", "application/json", "must be a JSON object"),
    ],
)
def test_bodies_that_cannot_be_read(body: bytes, kind: str, said: str) -> None:
    reply = ask("openai", "/v1/assistants", {**BEARER, **V2, "content-type": kind}, {}, body=body)
    assert reply.status == 400
    assert said in reply.json["error"]["message"]
