"""What a dialect of saved agents cannot hold is an error or a warning at its place, and is left out of what is sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.agents import FULL, FUNCTION
from trueup.core.call import Reply
from trueup.core.definitions.definition import Definition
from trueup.core.source import Severity
from trueup.wire.openai_agents.adapter import OpenAIAgents
from trueup.wire.openai_agents.fields import DIALECTS
from trueup.wire.openai_agents.rules import lacking, loss_keys, losses
from trueup.wire.openai_agents.translation import LOSSES

APIPI = DIALECTS["apipi"]
LOST = {
    "compaction": ("compaction",),
    "experimental": ("experimental",),
    "multi_agent": ("multi_agent",),
    "reasoning.summary": ("reasoning", "summary"),
    "service_tier": ("service_tier",),
    "text": ("text",),
    "tools.automations": ("tools", 7),
    "tools.computer_use": ("tools", 4),
    "tools.function.async": ("tools", 0, "async"),
    "tools.function.defer_loading": ("tools", 0, "defer_loading"),
    "tools.programmatic_tool_calling": ("tools", 6),
    "tools.tool_search": ("tools", 5),
    "tools.web_search.allowed_domains": ("tools", 3, "allowed_domains"),
    "tools.web_search.context_size": ("tools", 3, "context_size"),
    "tools.web_search.location": ("tools", 3, "location"),
    "tools.web_search.mode": ("tools", 3, "mode"),
}


def defined(body: dict[str, Any]) -> Definition:
    return Definition("a", body, "a.yaml")


def test_all_that_the_vendor_s_own_dialect_has_is_held_by_it() -> None:
    adapter = OpenAIAgents(DIALECTS["openai"])
    assert adapter.audit(defined(FULL)) == []
    assert adapter.drop_unsupported(defined(FULL)).body is FULL


def test_what_a_partial_server_lacks_is_an_error_at_its_place() -> None:
    found = {loss.key: loss.path for loss in losses(FULL, APIPI)}
    assert found == {**LOST, "tools.mcp": ("tools", 2)}
    problems = OpenAIAgents(APIPI).audit(defined(FULL))
    assert len(problems) == len(LOST) + 2
    assert {problem.severity for problem in problems} == {Severity.ERROR}
    assert any(problem.message == "apipi does not support text" for problem in problems)


def test_what_is_allowed_to_be_lost_is_a_warning_and_is_not_sent() -> None:
    adapter = OpenAIAgents(APIPI, allow_loss=[*LOST, "tools.mcp"])
    problems = adapter.audit(defined(FULL))
    assert {problem.severity for problem in problems} == {Severity.WARNING}
    kept = adapter.drop_unsupported(defined(FULL)).body
    assert kept == {
        **{name: FULL[name] for name in ("model", "name", "instructions", "metadata")},
        "tools": [FUNCTION, {"type": "web_search"}],
        "reasoning": {"effort": "low"},
    }
    assert list(losses(kept, APIPI)) == []


@pytest.mark.parametrize(
    "body",
    [
        {"text": None},
        {"service_tier": "auto"},
        {"experimental": {}},
        {"reasoning": {"summary": None}},
        {"tools": [{**FUNCTION, "async": False, "defer_loading": False}]},
        {"tools": [{"type": "web_search", "mode": "live"}]},
        {"tools": "none", "reasoning": "low"},
        {"tools": ["web_search", {"type": 1}]},
    ],
    ids=str,
)
def test_what_only_says_the_default_or_is_of_no_shape_is_no_loss(body: dict[str, Any]) -> None:
    assert OpenAIAgents(APIPI).audit(defined(body)) == []


def test_allow_loss_knows_what_a_translation_and_each_dialect_can_lose() -> None:
    known = loss_keys(DIALECTS.values())
    assert known == LOSSES | {*LOST, "tools.mcp"}
    assert set(lacking(APIPI, translate=True)) == known


def test_a_target_that_translates_nothing_is_only_told_what_its_server_lacks() -> None:
    assert lacking(DIALECTS["openai"]) == ()
    assert lacking(DIALECTS["openai"], translate=True) == tuple(sorted(LOSSES))
    assert set(lacking(APIPI)) == {*LOST, "tools.mcp"}


def test_agents_without_object_and_with_times_as_text_are_read() -> None:
    agent = {
        "id": "fa7b94fb-eaca-4af2-b61e-5762353952a7", "name": None, "model": None, "instructions": None,
        "idle_ttl": None, "metadata": {"trueup": "S"}, "tools": None, "session_defaults": None,
        "reasoning": {"effort": None}, "created_at": "1970-01-01T00:00:07.272771", "updated_at": "",
    }  # fmt: skip
    page = OpenAIAgents(APIPI).read_page(Reply(200, json={"data": [agent]}))
    (live,) = page.items
    assert (live.id, live.created_at, live.stamp) == (agent["id"], 7, "S")
    assert (page.has_more, page.cursor, page.doubt) == (False, agent["id"], "")
    assert dict(live.extra) == {"idle_ttl": None, "session_defaults": None}
