"""Errors of servers written with FastAPI, which speak this protocol but not the vendor's error shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trueup.core.call import Reply
from trueup.wire.openai_assistants.adapter import OpenAIAssistants
from trueup.wire.openai_assistants.fields import DIALECTS

MISSING_MODEL = {"detail": [{"type": "missing", "loc": ["body", "model"], "msg": "Field required", "input": {}}]}


def _reply(status: int, body: Any) -> Reply:
    return Reply(status, {}, body, json.dumps(body))


def test_a_field_that_is_missing_is_named_in_words_and_by_its_path() -> None:
    problem = OpenAIAssistants(DIALECTS["openai"]).problem(_reply(422, MISSING_MODEL))
    assert problem.message == "HTTP 422: model: Field required"
    assert problem.path == ("model",)


def test_several_problems_are_all_told_and_the_first_gives_the_place() -> None:
    entries = [
        {"loc": ["body", "tools", 0, "type"], "msg": "Input should be a string"},
        {"loc": ["query", "limit"], "msg": "Too large"},
    ]
    problem = OpenAIAssistants(DIALECTS["openai"]).problem(_reply(422, {"detail": entries}))
    assert problem.message == "HTTP 422: tools.0.type: Input should be a string; Too large"
    assert problem.path == ("tools", 0, "type")


def test_only_the_assistants_own_404_means_that_it_is_gone() -> None:
    adapter = OpenAIAssistants(DIALECTS["openai"])
    assert adapter.problem(_reply(404, {"detail": "Assistant not found"})).absent
    assert not adapter.problem(_reply(404, {"detail": "Not Found"})).absent
    assert not adapter.problem(_reply(500, {"detail": "Assistant not found"})).absent
    assert not adapter.problem(_reply(404, {"message": "Assistant not found"})).absent
    assert not adapter.problem(_reply(404, {"error": {"message": "Assistant not found"}})).absent


@pytest.mark.parametrize("detail", [None, 7, [], [7], [{}], [{"msg": 7}], {"loc": "body"}, [{"loc": "x", "msg": "y"}]])
def test_any_other_detail_is_still_an_answer(detail: Any) -> None:
    problem = OpenAIAssistants(DIALECTS["openai"]).problem(_reply(400, {"detail": detail}))
    assert problem.message.startswith("HTTP 400: ")
    assert problem.path == ()
    assert not problem.absent
