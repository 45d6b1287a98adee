"""v1 and v2 of OpenAI's API as two views of one assistant, and v1's files."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.local.requests import error, listed, made, modified, post
from tests.local.specs import validator
from trueup.core.call import Call
from trueup.local.admission import Asked, entrance
from trueup.local.openai_assistants import Server

BOTH = [{"type": "code_interpreter"}, {"type": "retrieval"}]
Views = tuple[Server, Server]


@pytest.fixture
def views() -> Iterator[Views]:
    numbers, seconds = itertools.count(1), itertools.count(100)
    with Server(clock=lambda: next(seconds), ids=lambda: f"asst_{next(numbers)}", dialect="openai-v1") as old:
        yield old, old.seen_as("openai")


def seen(server: Server, assistant: dict[str, Any]) -> dict[str, Any]:
    reply = server.answer(Call("GET", f"/assistants/{assistant['id']}"))
    assert reply.status == 200, reply.text
    return dict(reply.json)


def files(server: Server, assistant: dict[str, Any], method: str, file_id: str = "", **query: str) -> Any:
    path = f"/assistants/{assistant['id']}/files" + (f"/{file_id}" if file_id and method != "POST" else "")
    return server.answer(Call(method, path, query, {"file_id": file_id} if method == "POST" else None))


def test_files_of_v1_are_where_v2_looks_for_them(views: Views) -> None:
    old, new = views
    answer = made(old, tools=BOTH, file_ids=["b", "a"])
    assert answer["tools"] == BOTH
    assert answer["file_ids"] == ["a", "b"]  # by creation, not as they were sent
    assert "tool_resources" not in answer
    other = seen(new, answer)
    assert [tool["type"] for tool in other["tools"]] == ["code_interpreter", "file_search"]
    assert sorted(other["tool_resources"]["code_interpreter"]["file_ids"]) == ["a", "b"]
    assert other["tool_resources"]["file_search"]["vector_store_ids"] == ["vs_1"]
    assert not {"file_ids", "v1"} & set(other)
    validator("openai-v2.json", "AssistantObject")(other)


def test_without_a_tool_for_them_files_lead_nowhere_until_there_is_one(views: Views) -> None:
    old, new = views
    answer = made(old, file_ids=["a"])
    assert seen(new, answer)["tool_resources"] == {}
    modified(old, answer, tools=[{"type": "code_interpreter"}])
    assert seen(new, answer)["tool_resources"] == {"code_interpreter": {"file_ids": ["a"]}}


def test_taking_off_under_v1_reaches_v2_and_not_the_reverse(views: Views) -> None:
    old, new = views
    answer = made(old, tools=BOTH, file_ids=["a", "b"])
    modified(new, answer, tool_resources={"code_interpreter": {"file_ids": ["b", "c"]}})
    assert seen(old, answer)["file_ids"] == ["a", "b"]
    modified(old, answer, file_ids=["a"])
    assert seen(new, answer)["tool_resources"]["code_interpreter"]["file_ids"] == ["c"]
    modified(old, answer, name="x")
    assert seen(new, answer)["tool_resources"]["code_interpreter"]["file_ids"] == ["c"]


def test_both_views_together_cannot_fill_a_list_beyond_its_limit(views: Views) -> None:
    old, new = views
    answer = made(old, tools=BOTH)
    modified(new, answer, tool_resources={"code_interpreter": {"file_ids": [f"n{n}" for n in range(20)]}})
    path = f"/assistants/{answer['id']}"
    assert error(post(old, {"file_ids": ["one-more"]}, path))["code"] == "array_above_max_length"
    assert seen(old, answer)["file_ids"] == []


def test_formats_and_options_of_one_view_do_not_break_the_other(views: Views) -> None:
    old, new = views
    answer = made(old, response_format="none", tools=[{"type": "retrieval"}])
    assert answer["response_format"] == "none"
    assert seen(new, answer)["response_format"] == "auto"
    modified(new, answer, name="y")
    assert seen(old, answer)["response_format"] == "none"
    modified(new, answer, response_format={"type": "json_object"})
    assert seen(old, answer)["response_format"] == {"type": "json_object"}
    modified(old, answer, response_format={})
    assert seen(new, answer)["response_format"] == {"type": "text"}
    tool = {"type": "function", "function": {"name": "f", "strict": True}}
    modified(new, answer, tools=[tool, {"type": "file_search", "file_search": {"max_num_results": 3}}])
    shown = seen(old, answer)["tools"]
    assert shown[1] == {"type": "retrieval"}
    assert "strict" not in shown[0]["function"]
    validator("openai-v1.json", "AssistantObject")(seen(old, answer))
    assert seen(new, answer)["tools"][1]["file_search"]["max_num_results"] == 3


def test_files_are_attached_read_listed_and_taken_off_one_by_one(views: Views) -> None:
    old, new = views
    answer = made(old, tools=[{"type": "code_interpreter"}])
    attached = [files(old, answer, "POST", name).json for name in ("a", "b", "c")]
    for entry in attached:
        validator("openai-v1.json", "AssistantFileObject")(entry)
    assert files(old, answer, "POST", "a").json == attached[0]
    assert files(old, answer, "GET", "b").json == attached[1]
    page = files(old, answer, "GET").json
    assert (page["data"], page["has_more"]) == (attached[::-1], False)
    first = files(old, answer, "GET", limit="2", order="asc").json
    assert (first["data"], first["has_more"], first["last_id"]) == (attached[:2], True, "b")
    assert files(old, answer, "GET", order="asc", after="b").json["data"] == attached[2:]
    assert files(old, answer, "GET", order="asc", before="c", limit="1").json["data"] == attached[1:2]
    assert files(old, answer, "GET", after="nowhere").status == 400
    deleted = files(old, answer, "DELETE", "b").json
    validator("openai-v1.json", "DeleteAssistantFileResponse")(deleted)
    assert seen(old, answer)["file_ids"] == ["a", "c"]
    assert seen(new, answer)["tool_resources"]["code_interpreter"]["file_ids"] == ["a", "c"]


def test_files_that_are_not_there_and_one_too_many_are_refused(views: Views) -> None:
    old, new = views
    answer = made(old, file_ids=[f"f{n:02d}" for n in range(20)])
    assert files(old, answer, "GET", "nowhere").status == 404
    assert files(old, answer, "DELETE", "nowhere").status == 404
    assert error(files(old, answer, "POST", "one-more"))["code"] == "array_above_max_length"
    assert post(old, {"file": "x"}, f"/assistants/{answer['id']}/files").status == 400
    absent = files(old, {"id": "asst_x"}, "POST", "a")
    assert error(absent, 404)["message"] == "No assistant found with id 'asst_x'."
    assert error(files(old, {"id": "asst_x"}, "DELETE", "a"), 404) == error(absent, 404)
    assert error(files(old, {"id": "asst_x"}, "GET"), 404) == error(absent, 404)
    assert files(new, answer, "GET").status == 404
    for path in ("/files/a/b", "/file", "/files/"):
        assert old.answer(Call("GET", f"/assistants/{answer['id']}{path}")).status == 404


def test_the_header_chooses_the_view(views: Views) -> None:
    old, _ = views
    answer = made(old, file_ids=["a"])
    enter = entrance(old)

    def ask(beta: str) -> Any:
        headers = {"authorization": "Bearer k", "openai-beta": beta}
        return asyncio.run(enter(Asked("GET", f"/v1/assistants/{answer['id']}", {}, headers))).json

    assert ask("assistants=v1")["file_ids"] == ["a"]
    assert "tool_resources" in ask("assistants=v2")
    assert ask("")["error"]["code"] == "invalid_beta"


def test_deleting_is_the_same_in_both(views: Views) -> None:
    old, new = views
    answer = made(old)
    new.answer(Call("DELETE", f"/assistants/{answer['id']}"))
    assert listed(old)["data"] == []
