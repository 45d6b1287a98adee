"""Which assistant a 404 speaks of: ours, another, or nobody in particular."""

from __future__ import annotations

import time
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.call import Reply
from trueup.wire.base import Live, Unexpected
from trueup.wire.openai_assistants.adapter import OpenAIAssistants, id_named
from trueup.wire.openai_assistants.fields import DIALECTS

OURS = "asst_1"

NAMED = {
    "No assistant found with id 'asst_1'.": "asst_1",
    'No assistant found with id "asst_1".': "asst_1",
    "No assistant found with id `asst_1`": "asst_1",
    "No assistant found with id \u2018asst_1\u2019.": "asst_1",
    "No assistant found with id asst_1.": "asst_1",
    "No assistant found with id: asst_1": "asst_1",
    "No assistant found with id=asst_1, project proj_9": "asst_1",
    "No assistant found with the ID 'asst_1'": "asst_1",
    "No assistant found: asst_1": "asst_1",
    "No assistant found (asst_1)": "asst_1",
    "No assistant found with id 'a%3Ab'.": "a:b",
    "No assistant found with id '5f3a-77'.": "5f3a-77",
    "No assistant found with id 'asst_1'. Did you mean 'asst_2'?": "asst_1",
    "No assistant found with id 'asst_2'. (GET /v1/assistants/asst_1)": "asst_2",
    "No assistant found with id 'asst_1'. (request id: req_8)": "asst_1",
    "No assistant found with id 'asst_1' in project 'proj_9'.": "asst_1",
    "litellm.NotFoundError: {'error': {'message': \"No assistant found with id 'asst_1'.\"}}": "asst_1",
    '{"message": "No assistant found with id \\"asst_1\\"."}': "asst_1",
    "No assistant found with id ''.": "",
    "No assistant found with id 'null'.": "null",
    "No assistant found": None,
    "No assistant found.": None,
    "No assistant found with this id.": None,
    "No assistant found with this id in project proj_9.": None,
    "No assistant found (request id: req_8)": None,
    "No assistant found in project 'proj_9'.": None,
}


@pytest.mark.parametrize("message", NAMED)
def test_the_id_behind_the_words_is_the_one_that_is_meant(message: str) -> None:
    assert id_named(message) == NAMED[message]


def _reply(message: str) -> Reply:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return Reply(404, json={"error": error})


def _read(adapter: OpenAIAssistants, message: str) -> Live | None:
    steps = adapter.get(OURS)
    next(steps)
    try:
        steps.send(_reply(message))
    except StopIteration as end:
        live: Live | None = end.value
        return live
    raise AssertionError("reading one assistant takes one request")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("message", NAMED)
def test_only_the_404_of_ours_or_of_nobody_says_that_ours_is_gone(dialect: str, message: str) -> None:
    adapter = OpenAIAssistants(DIALECTS[dialect])
    problem = adapter.problem(_reply(message))
    assert problem.is_own_404(OURS) is (NAMED[message] in (None, OURS))
    assert problem.is_of_another(OURS) is not problem.is_own_404(OURS)
    with (
        nullcontext() if problem.is_own_404(OURS) else pytest.raises(Unexpected, match="asked for asst_1, got HTTP 404")
    ):
        assert _read(adapter, message) is None


@given(st.from_regex(r"(?!\.+\Z)[A-Za-z0-9_.:-]{1,64}", fullmatch=True), st.sampled_from(("'", '"', "`")))
def test_every_plain_id_in_quotes_is_read_as_it_is(live_id: str, quote: str) -> None:
    assert id_named(f"No assistant found with id {quote}{live_id}{quote}.") == live_id


@given(st.text())
def test_whatever_a_server_says_is_read(text: str) -> None:
    assert isinstance(id_named("No assistant found" + text), str | None)


@pytest.mark.parametrize("filling", [" ", " a", " id", "'", "\\", "asst_", " with id "])
def test_a_long_message_costs_no_time(filling: str) -> None:
    started = time.monotonic()
    id_named("No assistant found" + filling * 200_000)
    assert time.monotonic() - started < 1.0
