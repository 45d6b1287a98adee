"""Which answers say of a saved agent that it is not there, and which speak of an address or of something else."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.wire.openai_agents.adapter import id_named, is_absent

UUID = "0275b7b1-8fb3-4b11-9b9b-0756035b0736"


def error(message: str, **rest: Any) -> dict[str, Any]:
    return {"error": {"message": message, **rest}}


OPENAI = {"type": "invalid_request_error", "param": None, "code": None}
OWN = {
    "recorded": error("No agent found", **OPENAI),
    "with the id": error("No agent found with id 'agent_1'.", **OPENAI),
    "in other words": error("Agent agent_1 does not exist in this project.", **OPENAI),
    "by its param": error("The agent was not found.", type="invalid_request_error", param="agent_id"),
    "by its code": error("Nothing here.", type="invalid_request_error", code="agent_not_found"),
    "apipi": error("Not found", type="invalid_request", code="not_found"),
    "not found type": error("Agent not found", type="not_found_error"),
    "fastapi": {"detail": "Agent not found"},
    "fastapi with the id": {"detail": f"No agent {UUID}"},
}
OTHER = {
    "wrong address at OpenAI": error("Invalid URL (GET /v1/agentz/agent_1)", **OPENAI),
    "unknown path": error("Unknown request URL: GET /agents/agent_1.", **OPENAI),
    "router": {"detail": "Not Found"},
    "express": error("Cannot GET /v1/agents/agent_1", type="invalid_request_error", code="unknown_route"),
    "kong": {"message": "no Route matched with those values"},
    "azure's wrong address": error("Resource not found", code="404"),
    "a model": error("The model `gpt-9` does not exist", type="invalid_request_error", code="model_not_found"),
    "a project": error("Project proj_1 not found.", type="invalid_request_error", code="project_not_found"),
    "a parameter": error("No agent found", type="invalid_request_error", param="model"),
    "access": error("Agents are not enabled for you.", type="permission_error"),
    "access in other words": error("The Agents API is not enabled for this project.", **OPENAI),
    "access to one": error("You do not have access to this agent.", **OPENAI),
    "the other protocol": error("No assistant found with id 'asst_1'.", **OPENAI),
    "silence": {},
    "no message": {"error": {"type": "invalid_request_error"}},
    "text": {"error": "not found"},
}


@pytest.mark.parametrize("body", OWN.values(), ids=OWN)
def test_an_agent_is_absent(body: dict[str, Any]) -> None:
    assert is_absent(body)


@pytest.mark.parametrize("body", OTHER.values(), ids=OTHER)
def test_something_else_is_absent(body: dict[str, Any]) -> None:
    assert not is_absent(body)


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("No agent found with id 'agent_1'.", "agent_1"),
        (f"Agent {UUID} not found", UUID),
        ("Agent not found", None),
        ("No agent found with id `agent_6-b_C`", "agent_6-b_C"),
    ],
)
def test_the_id_in_a_message(message: str, named: str | None) -> None:
    assert id_named(error(message)) == named
