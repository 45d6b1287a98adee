"""The assistants protocol: exact calls out, replies in, and which 404 is which."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from trueup.core.call import Body, Call, Reply
from trueup.core.canonical import canonical, same
from trueup.wire.base import Live, Unexpected
from trueup.wire.openai_assistants.adapter import OpenAIAssistants
from trueup.wire.openai_assistants.fields import DIALECTS, TABLE

ADAPTER = OpenAIAssistants(DIALECTS["openai"])
ASSISTANT: dict[str, Any] = {"id": "asst_1", "object": "assistant", "created_at": 7, "model": "a", "metadata": {}}
SPECS = Path(os.environ.get("TRUEUP_SPECS") or Path(__file__).parents[2] / "../shared/specs")
RECORDED = SPECS / "recorded-openai.json"


NO_IDS = ["", ".", "..", "...", "a/b", "../x", "../../x?y=1", "a?b=c", "a#b", "ä", "a b", "a%2e", "a\n", "x" * 257]


def _ok(body: Any) -> Reply:
    return Reply(200, json=body, text=json.dumps(body))


def _error(status: int, message: Any, **more: Any) -> Reply:
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **more}}
    return Reply(status, json=body, text=json.dumps(body))


def test_the_calls_are_exact() -> None:
    assert ADAPTER.create({"model": "a"}, "") == Call("POST", "/assistants", json={"model": "a"})
    live = Live("asst_1", {"metadata": {"team": "x"}})
    assert ADAPTER.modify(live, {"tools": None}, "") == Call("POST", "/assistants/asst_1", json={"tools": []})
    assert ADAPTER.modify(live, {}, "s").json == {"metadata": {"team": "x", "trueup": "s"}}
    assert ADAPTER.remove(live) == Call("DELETE", "/assistants/asst_1")
    assert ADAPTER.list_page("") == Call("GET", "/assistants", {"limit": "100", "order": "asc"})
    query = {"limit": "100", "order": "desc", "after": "asst_9"}
    assert ADAPTER.list_page("asst_9", "desc") == Call("GET", "/assistants", query)


@pytest.mark.parametrize("live_id", NO_IDS)
def test_an_id_cannot_leave_its_place_in_the_path(live_id: str) -> None:
    """`..` from a state file once became a GET of the API's root."""
    with pytest.raises(ValueError, match="cannot be an assistant's id"):
        ADAPTER.remove(Live(live_id, {}))
    with pytest.raises(ValueError, match="cannot be an assistant's id"):
        ADAPTER.modify(Live(live_id, {}), {}, "")
    with pytest.raises(ValueError, match="cannot be an assistant's id"):
        next(ADAPTER.get(live_id))


@pytest.mark.parametrize("live_id", ["asst_abc123", "a", "7", "a.b-c_d:e", "x" * 256])
def test_any_plain_id_has_its_path(live_id: str) -> None:
    assert ADAPTER.remove(Live(live_id, {})).path == "/assistants/" + live_id.replace(":", "%3A")


def test_a_key_is_only_in_the_headers_of_auth() -> None:
    assert ADAPTER.auth("sk-secret") == {"Authorization": "Bearer sk-secret"}
    assert "sk-secret" not in repr(ADAPTER.__dict__)


def test_bodies_handed_in_are_not_shared_with_the_call() -> None:
    body = {"model": "a"}
    ADAPTER.create(body, "").json["model"] = "b"
    assert body == {"model": "a"}


# --- reading one


def _get(reply: Reply, live_id: str = "asst_1") -> Any:
    steps = ADAPTER.get(live_id)
    assert next(steps) == Call("GET", f"/assistants/{live_id}")
    with pytest.raises(StopIteration) as end:
        steps.send(reply)
    return end.value.value


def _refused(reply: Reply) -> str:
    steps = ADAPTER.get("asst_1")
    next(steps)
    with pytest.raises(Unexpected) as refusal:
        steps.send(reply)
    return str(refusal.value)


def test_an_assistant_is_read_without_the_servers_own_keys() -> None:
    live = _get(_ok({**ASSISTANT, "brand_new": 1, "temperature": 1.0}))
    assert (live.id, live.created_at, live.version) == ("asst_1", 7, None)
    assert live.body == {"model": "a", "metadata": {}, "temperature": 1.0}
    assert set(live.body) <= set(TABLE.names)


def test_only_the_assistants_own_404_means_absent() -> None:
    assert _get(_error(404, "No assistant found with id 'asst_1'.")) is None


@pytest.mark.parametrize(
    "reply",
    [
        _error(404, "Invalid URL (GET /v1/assistants/asst_1)"),
        _error(404, None),
        _error(404, ["No assistant found"]),
        Reply(404, json={"message": "Not Found", "ok": False}, text=""),
        Reply(404, json={"message": "No assistant found with id 'asst_1'."}, text=""),
        Reply(404, json=Body.NOT_JSON, text="<html>No assistant found</html>"),
        Reply(404, json=[], text="[]"),
        Reply(404, json=None, text="null"),
        _error(410, "No assistant found with id 'asst_1'."),
        _error(403, "No assistant found with id 'asst_1'."),
        Reply(500, json={"status": "failure", "message": "broke"}, text=""),
        Reply(204),
    ],
)
def test_any_other_refusal_is_no_absence(reply: Reply) -> None:
    assert not ADAPTER.problem(reply).absent
    assert _refused(reply)


NO_ASSISTANTS: list[Any] = [
    None,
    [],
    "assistant",
    7,
    {},
    Body.NOT_JSON,
    {"object": "list", "data": []},
    {**ASSISTANT, "object": "thread"},
    {**ASSISTANT, "id": ""},
    {**ASSISTANT, "id": None},
    {**ASSISTANT, "id": 7},
    *({**ASSISTANT, "id": live_id} for live_id in NO_IDS),
    {key: value for key, value in ASSISTANT.items() if key != "id"},
    {**ASSISTANT, "metadata": []},
    {**ASSISTANT, "metadata": "text"},
    {**ASSISTANT, "tool_resources": [1]},
    {**ASSISTANT, "tool_resources": {"file_search": []}},
]


@pytest.mark.parametrize("body", NO_ASSISTANTS)
def test_what_is_no_assistant_is_never_taken_for_one(body: Any) -> None:
    with pytest.raises(Unexpected):
        ADAPTER.read(Reply(200, json=body))
    assert _refused(Reply(200, json=body))
    with pytest.raises(Unexpected):
        ADAPTER.read_page(Reply(200, json={"object": "list", "data": [ASSISTANT, body], "has_more": False}))


def test_another_assistant_is_not_the_one_asked_for() -> None:
    assert "asst_2" in _refused(_ok({**ASSISTANT, "id": "asst_2"}))


@pytest.mark.parametrize(("created_at", "read"), [(7, 7), (None, 0), ("7", 0), (7.5, 0), (True, 0)])
def test_a_strange_creation_time_is_none(created_at: Any, read: int) -> None:
    found = ADAPTER.read(_ok({**ASSISTANT, "created_at": created_at})).created_at
    assert (found, type(found)) == (read, int)


def test_null_metadata_and_resources_are_read() -> None:
    live = ADAPTER.read(_ok({**ASSISTANT, "metadata": None, "tool_resources": {"file_search": None}}))
    assert TABLE.split(live.body) == {"model": "a"}


# --- listings


def test_a_pages_cursor_is_its_last_id_whatever_it_says_itself() -> None:
    body = {"data": [ASSISTANT, {**ASSISTANT, "id": "asst_2"}], "has_more": True, "last_id": "asst_9", "first_id": None}
    page = ADAPTER.read_page(_ok(body))
    assert ([item.id for item in page.items], page.has_more, page.cursor) == (["asst_1", "asst_2"], True, "asst_2")


@pytest.mark.parametrize("data", [[], [ASSISTANT]])
@pytest.mark.parametrize("has_more", [0, 0.0, 1, "true", "yes", "", "false", {"more": 1}, {}, []])
def test_a_has_more_that_is_neither_true_nor_false_is_a_doubt_about_the_page(has_more: Any, data: list[Any]) -> None:
    """An empty page with `"true"` was once the whole: a fleet whose state was lost was created a second time."""
    page = ADAPTER.read_page(_ok({"data": data, "has_more": has_more}))
    assert page.doubt
    assert page.has_more


@pytest.mark.parametrize("has_more", [None, False, "missing"])
def test_only_no_or_nothing_means_that_this_is_all(has_more: Any) -> None:
    body = {"data": [], "has_more": has_more} if has_more != "missing" else {"data": []}
    page = ADAPTER.read_page(_ok(body))
    assert (page.items, page.has_more, page.cursor) == ((), False, None)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, json=Body.NOT_JSON, text="<html>"),
        Reply(200, json=[]),
        Reply(200, json={}),
        Reply(200, json={"data": None}),
        Reply(200, json={"data": {}}),
        Reply(204, json={"data": []}),
        Reply(302, json={"data": []}),
        Reply(403, json={"data": []}),
        _error(401, "Incorrect API key provided."),
    ],
)
def test_what_is_no_page_is_never_an_empty_one(reply: Reply) -> None:
    with pytest.raises(Unexpected):
        ADAPTER.read_page(reply)


# --- deletes and problems


@pytest.mark.parametrize(
    ("reply", "deleted"),
    [
        (_ok({"id": "asst_1", "object": "assistant.deleted", "deleted": True}), True),
        (_ok({"id": "asst_2", "object": "assistant.deleted", "deleted": True}), False),
        (_ok({"id": "asst_1", "object": "assistant.deleted", "deleted": False}), False),
        (_ok({"id": "asst_1", "deleted": 1}), False),
        (_ok({"id": "asst_1"}), False),
        (_ok([]), False),
        (Reply(204), False),
        (Reply(202, json={"id": "asst_1", "deleted": True}), False),
        (Reply(200, json=Body.NOT_JSON, text="OK"), False),
    ],
)
def test_deleted_is_only_what_says_so(reply: Reply, deleted: bool) -> None:
    assert ADAPTER.is_deleted(reply, "asst_1") is deleted


@pytest.mark.parametrize(
    ("param", "path"),
    [
        ("tools[2].function.name", ("tools", 2, "function", "name")),
        ("metadata.owner", ("metadata", "owner")),
        ("temperature", ("temperature",)),
        ("", ()),
        (None, ()),
        (7, ()),
        ("tools[].x", ("tools", "x")),
        ("tools[²]", ("tools", "²")),
    ],
)
def test_an_errors_param_is_a_path(param: Any, path: tuple[Any, ...]) -> None:
    assert ADAPTER.problem(_error(400, "Invalid.", param=param)).path == path


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (_error(400, "Invalid 'tools'."), "HTTP 400: Invalid 'tools'."),
        (Reply(500, json={"status": "failure", "message": "broke"}), "HTTP 500: broke"),
        (Reply(404, json={"message": "Not Found", "ok": False}), "HTTP 404: Not Found"),
        (Reply(502, text="<html>\n<h1>Bad gateway"), "HTTP 502 with a web page instead of JSON"),
        (Reply(502, json={}, text=""), "HTTP 502"),
        (Reply(400, json={"error": "text"}, text='{"error": "text"}'), 'HTTP 400: {"error": "text"}'),
    ],
)
def test_a_problem_is_told_from_whatever_shape_it_has(reply: Reply, message: str) -> None:
    assert ADAPTER.problem(reply).message == message


def test_a_quota_that_is_used_up_is_told_by_its_code() -> None:
    assert ADAPTER.problem(_error(429, "Quota.", code="insufficient_quota")).code == "insufficient_quota"
    assert ADAPTER.problem(_error(429, "Rate.", code=None)).code == ""


# --- held against recordings


@pytest.mark.skipif(not RECORDED.is_file(), reason="the recordings are not here: set TRUEUP_SPECS to their folder")
def test_recorded_answers_are_what_was_sent() -> None:
    """Every recorded create or modify compares clean with its own answer, field by field."""
    exchanges = _recorded_writes()
    assert len(exchanges) >= 5
    for sent, answer in exchanges:
        live = TABLE.split(ADAPTER.read(_ok(answer)).body)
        for name, value in TABLE.split(sent).items():
            if name.endswith(".vector_stores"):
                continue
            left, right = canonical(name, value, TABLE), canonical(name, live.get(name), TABLE)
            assert same(left, right), (name, value, live.get(name))


def _recorded_writes() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    found: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def walk(value: Any) -> None:
        if isinstance(value, list):
            for entry in value:
                walk(entry)
        if not isinstance(value, dict):
            return
        bodies = [_body(value.get(key)) for key in ("request", "response")]
        if value.get("request") and all(isinstance(body, dict) for body in bodies):
            sent, answer = bodies
            if answer.get("object") == "assistant" and sent:
                found.append((sent, answer))
        for entry in value.values():
            walk(entry)

    walk(json.loads(RECORDED.read_text(encoding="utf-8")))
    return found


def _body(value: Any) -> Any:
    """Return the body inside a recorded request or response."""
    if isinstance(value, dict) and "body" in value:
        value = value["body"]
    return json.loads(value) if isinstance(value, str) and value.startswith("{") else value


def test_which_answers_leave_a_write_unclear() -> None:
    statuses = (301, 302, 400, 404, 408, 409, 422, 429, 500, 503)
    found = {status for status in statuses if ADAPTER.problem(_error(status, "No.")).unclear}
    assert found == {301, 302, 408, 409, 429, 500, 503}
    assert not any(ADAPTER.problem(_error(status, "No.")).conflict for status in statuses)
    assert ADAPTER.problem(Reply(502, text="<html>")).unclear
