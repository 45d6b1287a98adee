"""Each kind of misbehaviour: what the client gets, and whether the work was done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from trueup.core.call import Body, Call, Reply
from trueup.core.errors import NotSent, OutcomeUnknown
from trueup.local.faults import Fault, Faults, Kind, read_fault
from trueup.local.openai_assistants import Server

CREATE = Call("POST", "/assistants", json={"model": "m", "name": "n", "metadata": {"a.b": "c", "d": "e"}})
LIST = Call("GET", "/assistants")


def drive(*faults: Fault, calls: tuple[Call, ...] = (CREATE,)) -> tuple[list[Reply | Exception], list[Any]]:
    """Return what each call got, and what the server holds in the end."""
    with Server() as server:
        send = Faults(faults).wrap(server.send)

        async def each() -> list[Reply | Exception]:
            got: list[Reply | Exception] = []
            for call in calls:
                try:
                    got.append(await send(call))
                except (NotSent, OutcomeUnknown) as error:
                    got.append(error)
            return got

        return asyncio.run(each()), server.answer(LIST).json["data"]


def one(*faults: Fault) -> tuple[Reply, list[Any]]:
    (got,), held = drive(*faults)
    assert isinstance(got, Reply)
    return got, held


def test_without_faults_everything_passes() -> None:
    reply, held = one()
    assert held == [reply.json]


@pytest.mark.parametrize("kind", [Kind.ANSWER, Kind.HTML, Kind.REDIRECT])
@pytest.mark.parametrize("commit", [False, True])
def test_an_answer_instead_comes_with_or_without_the_work(kind: Kind, commit: bool) -> None:
    reply, held = one(Fault(kind, status=502, commit=commit, headers={"retry-after": "7", "location": "/x"}))
    assert reply.status == (302 if kind is Kind.REDIRECT else 502)
    assert (reply.headers["retry-after"], reply.headers["location"]) == ("7", "/x")
    assert (reply.json is Body.NOT_JSON) is (kind is not Kind.ANSWER)
    assert len(held) == commit


def test_an_answer_may_be_json_or_text() -> None:
    assert one(Fault(status=404, body={"message": "Not Found", "ok": False}))[0].json == {
        "message": "Not Found", "ok": False,
    }  # fmt: skip
    text = one(Fault(body="Internal Server Error"))[0]
    assert (text.json, text.text) == (Body.NOT_JSON, "Internal Server Error")
    assert one(Fault(status=500))[0].json["error"]["type"] == "server_error"


@pytest.mark.parametrize("commit", [False, True])
def test_a_dropped_connection_leaves_the_outcome_unknown(commit: bool) -> None:
    (got,), held = drive(Fault(Kind.DROP, commit=commit))
    assert isinstance(got, OutcomeUnknown)
    assert len(held) == commit


def test_a_refused_connection_was_never_sent() -> None:
    (got,), held = drive(Fault(Kind.REFUSE, commit=True))
    assert isinstance(got, NotSent)
    assert held == []


def test_a_cut_answer_is_no_json_and_the_work_is_done() -> None:
    reply, held = one(Fault(Kind.CUT))
    assert (reply.status, reply.json) == (200, Body.NOT_JSON)
    assert reply.text.startswith('{"id": "asst_')
    assert len(held) == 1


def test_a_repeated_create_makes_twins() -> None:
    reply, held = one(Fault(Kind.REPEAT))
    assert [item["name"] for item in held] == ["n", "n"]
    assert reply.json["id"] == held[0]["id"] != held[1]["id"]


@pytest.mark.parametrize("name", ["name", "metadata", "metadata.a.b"])
def test_a_field_is_lacking_in_the_answer_or_in_the_storage(name: str) -> None:
    reply, held = one(Fault(Kind.LACK, field=name))
    at = name.split(".", 1)
    lacking = reply.json["metadata"] if len(at) == 2 else reply.json
    assert at[-1] not in lacking
    assert held[0]["name"] == "n"
    assert held[0]["metadata"] == {"a.b": "c", "d": "e"}
    _, held = one(Fault(Kind.LACK, field=name, storage=True))
    assert not held[0][name] if len(at) == 1 else held[0]["metadata"] == {"d": "e"}


def test_a_field_is_rewritten_in_answers_listings_included() -> None:
    fault = Fault(Kind.REWRITE, field="metadata.d", value="x", times=0)
    (_, page), held = drive(fault, calls=(CREATE, LIST))
    assert isinstance(page, Reply)
    assert page.json["data"][0]["metadata"]["d"] == "x"
    assert held[0]["metadata"]["d"] == "e"


def test_a_field_is_rewritten_in_storage_and_the_caller_keeps_its_own() -> None:
    _, held = one(Fault(Kind.REWRITE, field="model", value="other", storage=True))
    assert held[0]["model"] == "other"
    assert CREATE.json["model"] == "m"


def test_fields_inside_lists_are_found_and_absent_ones_change_nothing() -> None:
    call = Call("POST", "/assistants", json={"model": "m", "tools": [{"type": "function", "function": {"name": "f"}}]})
    (got,), _ = drive(Fault(Kind.REWRITE, field="tools.0.function.strict", value=True), calls=(call,))
    assert isinstance(got, Reply)
    assert got.json["tools"][0]["function"]["strict"] is True
    for name in ("tools.7.type", "name.first", "nowhere.at.all", ""):
        (got,), held = drive(Fault(Kind.REWRITE, field=name, value=True), calls=(call,))
        assert isinstance(got, Reply)
        assert [got.json] == held


def test_it_strikes_from_the_nth_for_so_many_times_and_counts_only_its_own() -> None:
    fault = Fault(method="POST", path="/assistants", having='"n"', nth=2, times=2, status=503)
    other = Call("POST", "/assistants", json={"model": "m"})
    got, held = drive(fault, calls=(CREATE, other, LIST, CREATE, other, CREATE, CREATE))
    assert [reply.status for reply in got if isinstance(reply, Reply)] == [200, 200, 200, 503, 200, 503, 200]
    assert len(held) == 4


def test_the_first_of_two_faults_strikes_and_both_count() -> None:
    got, _ = drive(Fault(status=500), Fault(status=501, nth=2), calls=(LIST, LIST, LIST))
    assert [reply.status for reply in got if isinstance(reply, Reply)] == [500, 501, 200]


def test_a_delay_comes_between_the_work_and_the_answer() -> None:
    with Server() as server:
        seen: list[Any] = []

        async def sleep(seconds: float) -> None:
            seen.append((seconds, len(server.answer(LIST).json["data"])))

        send = Faults([Fault(Kind.PASS, delay=3.0)], sleep=sleep).wrap(server.send)
        assert asyncio.run(_await(send, CREATE)).status == 200
    assert seen == [(3.0, 1)]


async def _await(send: Callable[[Call], Awaitable[Reply]], call: Call) -> Reply:
    return await send(call)


def test_late_work_is_done_after_the_answer() -> None:
    async def scene(server: Server) -> list[int]:
        gate = asyncio.Event()

        async def sleep(seconds: float) -> None:
            assert seconds == 8.0
            await gate.wait()

        faults = Faults([Fault(status=504, late=8.0)], sleep=sleep)
        counts = [(await faults.wrap(server.send)(CREATE)).status]
        counts.append(len(server.answer(LIST).json["data"]))
        gate.set()
        await faults.settle()
        return [*counts, len(server.answer(LIST).json["data"])]

    with Server() as server:
        assert asyncio.run(scene(server)) == [504, 0, 1]


def test_the_log_tells_what_arrived_and_what_struck() -> None:
    with Server() as server:
        faults = Faults([Fault(Kind.DROP, method="POST")])
        send = faults.wrap(server.send)
        with pytest.raises(OutcomeUnknown):
            asyncio.run(_await(send, CREATE))
        asyncio.run(_await(send, LIST))
    assert [(entry.method, entry.status, entry.fault) for entry in faults.log] == [
        ("POST", 0, "drop"),
        ("GET", 200, ""),
    ]
    assert faults.log[0].json == CREATE.json


def test_cleared_faults_strike_no_more_and_new_ones_count_from_their_arming() -> None:
    with Server() as server:
        faults = Faults([Fault(times=0)])
        send = faults.wrap(server.send)
        assert asyncio.run(_await(send, LIST)).status == 500
        faults.clear()
        assert asyncio.run(_await(send, LIST)).status == 200
        faults.add(Fault(status=418))
        assert asyncio.run(_await(send, LIST)).status == 418


def test_faults_are_read_from_json() -> None:
    entry = {"kind": "answer", "method": "POST", "path": "/assistants", "nth": 2, "status": 500, "commit": True,
             "delay": 1, "body": None}  # fmt: skip
    assert read_fault(entry) == Fault(method="POST", path="/assistants", nth=2, commit=True, delay=1)
    assert read_fault({}) == read_fault({"status": None, "kind": None, "headers": None}) == Fault()


@pytest.mark.parametrize(
    "entry",
    [None, "drop", {"kind": "explode"}, {"kind": 5}, {"nth": "2"}, {"nth": True}, {"status": 99}, {"stauts": 500},
     {"headers": 5}, {"headers": {"a": 1}}],
)  # fmt: skip
def test_wrong_faults_are_refused_with_what_is_known(entry: Any) -> None:
    with pytest.raises(ValueError, match="A fault"):
        read_fault(entry)
