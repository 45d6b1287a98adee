"""The requests of the tests, in a word each: what they answer, with its status already looked at."""

from __future__ import annotations

from typing import Any

from trueup.core.call import Call, Reply
from trueup.local.openai_assistants import Server


def post(server: Server, body: Any, path: str = "/assistants") -> Reply:
    return server.answer(Call("POST", path, json=body))


def made(server: Server, **fields: Any) -> dict[str, Any]:
    reply = post(server, {"model": "gpt-4o", **fields})
    assert reply.status == 200, reply.text
    return dict(reply.json)


def modified(server: Server, assistant: dict[str, Any], **fields: Any) -> dict[str, Any]:
    reply = post(server, fields, f"/assistants/{assistant['id']}")
    assert reply.status == 200, reply.text
    return dict(reply.json)


def listed(server: Server, **query: str) -> Any:
    reply = server.answer(Call("GET", "/assistants", query))
    assert reply.status == 200, reply.text
    return reply.json


def error(reply: Reply, status: int = 400) -> dict[str, Any]:
    assert reply.status == status, reply
    assert list(reply.json) == ["error"]
    assert list(reply.json["error"]) == ["message", "type", "param", "code"]
    return dict(reply.json["error"])
