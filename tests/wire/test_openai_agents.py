"""What is read from a saved agent's server, and what is refused as something else. Requests: the exchanges' test."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.core.call import Body, Reply
from trueup.wire.access import Access
from trueup.wire.base import Live, Unexpected
from trueup.wire.openai_agents.adapter import OpenAIAgents
from trueup.wire.openai_agents.fields import DIALECTS
from trueup.wire.replies import read_time

ADAPTER = OpenAIAgents(DIALECTS["openai"])
AGENT: dict[str, Any] = {"id": "agent_1", "object": "agent", "created_at": 1, "model": "gpt-5.5", "metadata": {}}


def ok(body: Any) -> Reply:
    return Reply(200, json=body)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (ok({**AGENT, "object": "assistant"}), "not an agent"),
        (ok({"id": "agent_1", "object": "agent"}), "not an agent"),
        (ok([]), "not an agent"),
        (ok({**AGENT, "id": ""}), "without an id"),
        (ok({**AGENT, "id": "../files"}), "cannot be an agent's id"),
        (ok({**AGENT, "metadata": []}), "metadata of agent_1 is not an object"),
        (ok({**AGENT, "reasoning": "low"}), "reasoning of agent_1 is not an object"),
        (Reply(200, json=Body.NOT_JSON, text="<html><title>Login</title>"), "a web page ('Login')"),
        (Reply(200, json=Body.TOO_LARGE), "larger than"),
    ],
)
def test_what_is_no_agent_is_not_read_as_one(reply: Reply, words: str) -> None:
    with pytest.raises(Unexpected, match=words.replace("(", r"\(").replace(")", r"\)")):
        ADAPTER.read(reply)


def test_values_that_may_hold_a_secret_are_read_as_they_are() -> None:
    transport = {"type": "http", "server_url": "https://example.com/mcp", "headers": {"authorization": "Bearer x"}}
    tools = [{"type": "mcp", "server_label": "docs", "transport": transport}]
    live = ADAPTER.read(ok({**AGENT, "tools": tools}))
    assert (live.body["tools"], live.raw["tools"]) == (tools, tools)


def test_what_nobody_knows_is_kept_apart() -> None:
    live = ADAPTER.read(ok({**AGENT, "updated_at": 2, "idle_ttl": 5, "metadata": {"trueup": "S"}}))
    assert (dict(live.extra), live.stamp, "idle_ttl" in live.body) == ({"idle_ttl": 5}, "S", False)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1790000000, 1790000000),
        ("2026-12-01T02:37:05.272771+00:00", 1796092625),
        ("2026-12-01T02:37:05.272771", 1796092625),
        ("2026-12-01T02:37:05Z", 1796092625),
        ("2026-12-01T04:37:05+02:00", 1796092625),
        ("yesterday", 0),
        (True, 0),
        (None, 0),
    ],
)
def test_a_time_is_read_in_either_spelling(value: Any, seconds: int) -> None:
    assert read_time(value) == seconds


def test_a_read_of_another_agent_is_refused() -> None:
    steps = ADAPTER.get("agent_2")
    next(steps)
    with pytest.raises(Unexpected, match="asked for agent_2, got agent_1"):
        steps.send(ok(AGENT))


def test_a_404_of_another_agent_says_nothing_of_this_one() -> None:
    steps = ADAPTER.get("agent_2")
    next(steps)
    error = {"message": "No agent found with id 'agent_1'.", "type": "invalid_request_error", "param": None}
    with pytest.raises(Unexpected, match="asked for agent_2, got HTTP 404"):
        steps.send(Reply(404, json={"error": error}))


def test_an_id_cannot_lead_to_another_path() -> None:
    with pytest.raises(ValueError, match="cannot be an agent's id"):
        ADAPTER.remove(Live("../files", {}))


def test_a_refused_key_is_named_by_its_source() -> None:
    adapter = OpenAIAgents(
        DIALECTS["openai"], access=Access("prod", "https://example.com/v1", "the key in OPENAI_API_KEY")
    )
    message = adapter.problem(Reply(401, json={"error": {"message": "Incorrect API key."}})).message
    assert message == "prod refused the key in OPENAI_API_KEY: HTTP 401: Incorrect API key."


def test_a_key_is_sent_as_a_bearer() -> None:
    assert ADAPTER.auth("s") == ADAPTER.auth("s", "token") == {"Authorization": "Bearer s"}


def test_a_page_that_cannot_be_read_says_what_it_is() -> None:
    with pytest.raises(Unexpected, match="HTTP 503"):
        ADAPTER.read_page(Reply(503, json={"error": {"message": "busy"}}))
    assert ADAPTER.read_page(ok({"data": [AGENT], "has_more": "yes"})).doubt


def test_the_stamp_needs_one_of_the_pairs() -> None:
    metadata = {f"k{number}": "v" for number in range(16)}
    assert not ADAPTER.has_room({"metadata": metadata}, {})
    assert ADAPTER.has_room({"metadata": metadata}, {"metadata.k1": None})
    assert DIALECTS["openai"].table.maps["metadata"].max_entries == 16
