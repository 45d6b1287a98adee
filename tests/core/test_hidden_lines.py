"""A line that may hold a credential is shown with no problem, whatever the problem is."""

from __future__ import annotations

import pytest

from trueup.core.source import Diagnostic, Position, Severity


@pytest.mark.parametrize(
    "line",
    [
        'header: {Authorization: "Bearer S3CRET"}',
        "  - {type: mcp, transport: {type: http, url: 'https://u:S3CRET@mcp.example.com'}}",
        '  - {type: mcp, transport: {type: htp, server_url: "https://x/?token=S3CRET"}}',
        '  - {type: stdio, command: npx, args: ["--token", "S3CRET"]}',
        '  - {type: stdio, command: npx, args: ["--token=S3CRET"], env_vars: {TOK: S3CRET}}',
        "  - {type: stdio, command: npx, env: {TOK: S3CRET}}",
        "  - {type: web_search, authorization: S3CRET}",
        "api_key: S3CRET",
        '"api_key": "S3CRET"',
        "haeders: {X-Api-Key: 1, Authorization: Basic S3CRET}",
    ],
)
def test_a_line_that_may_hold_a_credential_is_left_out(line: str) -> None:
    found = Diagnostic(Severity.ERROR, "unknown-key", "unknown key", Position("a.yaml", 3, 1, line))
    assert found.position is not None
    assert "S3CRET" not in found.position.text
    assert (found.position.file, found.position.line) == ("a.yaml", 3)


@pytest.mark.parametrize(
    "line",
    [
        "max_tokens: 12",
        "    api_key: {env: OPENAI_API_KEY}",
        "    token: {command: [az, account, get-access-token]}",
        "modle: gpt-5",
        "instructions: Ask for the token, never for the password.",
        "  Basic questions first: what is the order number?",
        "server_url: https://mcp.example.com/zd?page=2",
        "headers:",
    ],
)
def test_any_other_line_is_shown(line: str) -> None:
    found = Diagnostic(Severity.ERROR, "unknown-key", "unknown key", Position("a.yaml", 3, 1, line))
    assert found.position == Position("a.yaml", 3, 1, line)
