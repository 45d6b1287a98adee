"""The shapes in which vendors and gateways say no, as plain functions. Knows no vendor's rules and no transport."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from trueup.core.call import Body, Reply

TEXT_START = 500
"""Characters of an answer that `Reply.text` repeats."""


def envelope(
    message: str, param: str | None = None, code: str | None = None, kind: str = "invalid_request_error"
) -> dict[str, Any]:
    """OpenAI's error body, which Azure and Foundry share."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def short(code: str, message: str) -> dict[str, Any]:
    """The error body of Microsoft's front doors: a code and a message, and nothing else."""
    return {"error": {"code": code, "message": message}}


def failure(message: str, **more: Any) -> dict[str, Any]:
    """Portkey's own error body."""
    return {"status": "failure", "message": message, **more}


def reply(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer with a JSON body."""
    text = json.dumps(body)
    return Reply(status, {"content-type": "application/json", **(headers or {})}, body, text[:TEXT_START])


def plain(status: int, text: str) -> Reply:
    """An answer in plain text."""
    return Reply(status, {"content-type": "text/plain;charset=UTF-8"}, Body.NOT_JSON, text)
