"""What a probe leaves behind, whatever happens: nothing, or what the next one knows for its own and removes."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.probed import Probed
from tests.engine.world import Killed, definition, fleet
from tests.extent import examples, third
from trueup.core.call import Call, Reply
from trueup.core.errors import EndpointError, Exit, InterruptedRun, TrueupError, UnreadableError
from trueup.core.memory.capabilities import decode, encode
from trueup.engine.probe import MARK, StillThereError, find_in_use, find_left_over, probe, probe_name, remove
from trueup.engine.refresh import View, list_all
from trueup.local.faults import Kind
from trueup.wire.openai_assistants.fields import DIALECTS
from trueup.wire.openai_assistants.probe import PROBE, QUESTIONS
from trueup.wire.registry import adapter_for, identity_of

NONCE = "0123456789ab"


def seen(world: Probed) -> View:
    return asyncio.run(list_all(world.adapter(), world.runner(world.ports())))


def cleaned(world: Probed) -> list[str]:
    """Return what the next probe removes."""
    found = find_left_over(seen(world), identity_of(world.target), world.notes.open, world.notes.spared)
    left = [item for item in found if item.sure]
    for item in left:
        gone = asyncio.run(remove(item.id, world.adapter(), world.runner(world.ports())))
        assert gone == ""
    return [item.id for item in left]


def test_it_is_noted_before_it_is_made_and_no_other_assistant_is_written_to() -> None:
    world = Probed()
    others = {world.add(name=f"mine {number}", metadata={"a": "1"}) for number in range(3)}
    before = {live_id: world.live()[live_id] for live_id in others}
    first_write: list[list[str]] = []

    def watch(call: Call) -> None:
        if call.method != "GET":
            first_write.append(list(world.notes.steps))

    world.before_call = watch
    world.probe()
    assert first_write[:2] == [["begun"], ["begun", "made asst_000004"]]
    assert world.notes.steps == ["begun", "made asst_000004", "ended"]
    assert world.live() == before
    assert world.touched() == {"asst_000004"}


def test_killed_at_any_step_it_leaves_at_most_one_which_the_next_probe_knows() -> None:
    whole = Probed()
    whole.probe()
    for step in third(range(1, whole.steps + 1)):
        world = Probed()
        world.kill_at = step
        with pytest.raises(Killed):
            world.probe()
        world.kill_at, world.steps = 0, 0
        live = world.live()
        assert len(live) <= 1
        assert cleaned(world) == sorted(live), step
        assert world.live() == {}


@pytest.mark.parametrize("step", [3, 4, 5, 40, 60])
def test_interrupted_it_removes_what_it_made_and_stores_nothing(step: int) -> None:
    world = Probed()
    mine = world.add(name="mine")

    async def run() -> None:
        ports = world.ports()
        runner, adapter = world.runner(ports), adapter_for(world.target)
        view = await list_all(adapter, runner)

        def watch(_call: Call) -> None:
            if len(world.calls) >= step:
                ports.stop.set()

        world.before_call = watch
        await probe(world.order(), PROBE, adapter, runner, view, world.notes)

    with pytest.raises(InterruptedRun) as caught:
        asyncio.run(run())
    assert caught.value.exit is Exit.INTERRUPTED
    assert set(world.live()) == {mine}
    assert world.notes.open == {}


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_server_that_breaks_in_the_middle_is_told_and_the_assistant_removed(status: int) -> None:
    world = Probed()
    gone_wrong: list[str] = []

    def watch(call: Call) -> None:
        if call.json and "temperature" in call.json and not gone_wrong:
            gone_wrong.append(call.path)
            world.fail(kind=Kind.ANSWER, method="POST", path=call.path, status=status, times=4)
            if status == 500:
                world.fail(kind=Kind.ANSWER, method="GET", path=call.path, status=status, times=4)

    world.before_call = watch
    with pytest.raises(TrueupError):
        world.probe()
    assert world.live() == {}
    assert world.notes.open == {}


def test_a_server_that_answers_500_to_one_question_has_refused_it() -> None:
    world = Probed()
    world.fail(method="POST", path="/assistants/", having='"description": null', status=500, times=0)
    found = world.probe()
    assert found.answers["clear.description"] == "default"
    assert world.live() == {}


@pytest.mark.parametrize("status", [402, 404, 409, 412, 418, 446, 503])
@pytest.mark.parametrize("times", [8, 0])
def test_a_refusal_that_is_not_about_what_was_sent_is_no_answer(status: int, times: int) -> None:
    world = Probed()
    body = {"message": "Not Found", "ok": False}
    world.fail(method="POST", path="/assistants/", status=status, nth=12, times=times, body=body)
    with pytest.raises(TrueupError, match="The probe ended early") as caught:
        world.probe()
    assert "Nothing was stored" in caught.value.hint
    assert (world.live(), world.notes.open) == ({}, {})


@pytest.mark.parametrize("every", [3, 4, 5, 7, 11, 29])
def test_a_refusal_that_comes_now_and_then_is_no_answer(every: int) -> None:
    plain = Probed().probe().answers
    world = Probed()
    for nth in range(every, 400, every):
        world.fail(method="POST", path="/assistants/", status=400, nth=nth, body={"message": "upstream unavailable"})
    said = ""
    try:
        found = world.probe().answers
    except TrueupError as error:
        found, said = plain, error.message
    assert found == plain
    assert said in ("", "The probe ended early: the server now refuses what it accepted before.")
    assert world.live() == {}


def test_a_refusal_that_comes_once_does_not_end_the_probe() -> None:
    plain = Probed().probe().answers
    world = Probed()
    world.fail(method="POST", path="/assistants/", status=400, nth=12, body={"message": "upstream unavailable"})
    assert world.probe().answers == plain


def test_a_server_that_begins_to_refuse_everything_ends_the_probe() -> None:
    world = Probed()
    world.fail(method="POST", path="/assistants/", status=400, nth=13, times=0, body={"message": "no more"})
    with pytest.raises(TrueupError, match="the server now refuses what it accepted before"):
        world.probe()
    assert (world.live(), world.notes.open) == ({}, {})


def refusing(world: Probed, refuses: Callable[[Mapping[str, Any]], bool]) -> None:
    """Has the server refuse some modifies with 400, by their body."""

    async def answer(call: Call) -> Reply:
        if call.method == "POST" and call.path != "/assistants" and refuses(call.json):
            return Reply(400, {}, {"error": {"message": "not offered here", "type": "invalid_request_error"}})
        return await world.server.send(call)

    world.answer = answer  # type: ignore[method-assign]


@pytest.mark.parametrize("status", [400, 413, 422, 500, 501])
def test_a_server_that_takes_no_modify_at_all_has_answered_nothing(status: int) -> None:
    world = Probed()
    body = {"error": {"message": "modify is not offered here."}}
    world.fail(method="POST", path="/assistants/", status=status, times=0, body=body)
    with pytest.raises(TrueupError, match="The server refuses every modify, even one without a change") as caught:
        world.probe()
    assert caught.value.message.endswith(f"HTTP {status}: modify is not offered here.")
    assert "Nothing was stored" in caught.value.hint
    assert (world.live(), world.notes.open, world.found) == ({}, {}, None)


def test_what_is_refused_where_nothing_of_its_kind_is_taken_is_not_known() -> None:
    world = Probed()
    refusing(world, lambda body: body.keys() != {"model"})
    found = world.probe()
    known = {name: answer for name, answer in found.answers.items() if answer != "unknown"}
    assert known == {"listing": "at-once"}
    assert found.tried == {}
    assert decode(encode(found), found.identity, found.dialect, "", "here", QUESTIONS) == found


@pytest.mark.parametrize("refused", [{"model"}, {"model", "name"}])
def test_a_server_that_refuses_what_changes_nothing_is_asked_with_something_else(refused: set[str]) -> None:
    plain = Probed().probe().answers
    world = Probed()
    refusing(world, lambda body: bool(refused & body.keys()))
    found = world.probe().answers
    assert {name for name in plain if found[name] != plain[name]} == ({"clear.name"} if "name" in refused else set())


@settings(deadline=None, max_examples=25)
@given(st.sets(st.sampled_from([*DIALECTS["openai"].fields, "trueup_probe"])))
def test_no_answer_tells_of_a_field_that_was_never_taken(refused: set[str]) -> None:
    """Where a server refuses whole fields, each is not known, and what is known of the others is as without that."""
    plain = Probed().probe()
    world = Probed()
    refusing(world, lambda body: bool(refused & body.keys()))
    if {"model", "name", "metadata"} <= refused:
        with pytest.raises(TrueupError, match="refuses every modify"):
            world.probe()
        return
    found = world.probe()
    for name, answer in found.answers.items():
        assert answer in (plain.answers[name], "unknown"), name
    assert (found.answers["clear.description"] == "unknown") is ("description" in refused)


def test_a_create_whose_answer_is_lost_is_not_repeated_and_what_it_made_is_removed() -> None:
    world = Probed()
    world.fail(kind=Kind.DROP, method="POST", path="/assistants", commit=True)
    with pytest.raises(TrueupError, match="It had created asst_000001, which is removed"):
        world.probe()
    assert [call.path for call in world.writes if call.method == "POST"] == ["/assistants"]
    assert world.live() == {}
    assert world.notes.open == {}


def test_a_create_that_certainly_was_refused_says_how_to_go_on() -> None:
    world = Probed()
    world.fail(kind=Kind.ANSWER, method="POST", path="/assistants", status=400)
    with pytest.raises(TrueupError) as caught:
        world.probe()
    assert "trueup targets probe prod --model gpt-4.1-mini" in caught.value.hint
    assert world.notes.open == {}


def test_an_assistant_that_cannot_be_removed_is_named_and_stays_noted() -> None:
    world = Probed()
    world.fail(kind=Kind.ANSWER, method="DELETE", path="/assistants/", status=403, times=0)
    with pytest.raises(StillThereError, match="asst_000001 could not be removed") as caught:
        world.probe()
    assert caught.value.exit is Exit.PARTIAL
    assert world.notes.open == {NONCE: "asst_000001"}


def test_an_answer_that_is_somebody_else_s_assistant_is_never_written_to() -> None:
    world = Probed()
    mine = world.add(name="mine")
    entry = world.live()[mine]
    world.fail(kind=Kind.ANSWER, method="POST", path="/assistants", status=200, body=entry)
    with pytest.raises(TrueupError, match=f"it shows {mine}, which existed before"):
        world.probe()
    assert world.live() == {mine: entry}
    assert world.touched() == set()


def _marked(world: Probed, name: str = probe_name(NONCE), **more: str) -> str:
    mark = {"project": world.target.project, "target": world.target.name, "probe": NONCE, **more}
    return world.add(name=name, metadata={MARK: json.dumps(mark)})


def test_only_what_carries_exactly_the_mark_of_this_target_is_removed() -> None:
    world = Probed()
    ours = _marked(world)
    kept: list[Any] = [
        _marked(world, target="other"),
        _marked(world, project="other"),
        _marked(world, probe=""),
        _marked(world, more="1"),
        world.add(name=probe_name(NONCE)),
        _marked(world, name="x"),
        _marked(world, name=probe_name("ba9876543210")),
        world.add(name="x", metadata={MARK: "released"}),
        world.add(name="x", metadata={MARK: "[" * 400}),
        world.add(name="x", metadata={"other": json.dumps({"project": "acme", "target": "prod", "probe": NONCE})}),
    ]
    managed = _marked(world)
    world.edit(managed, metadata={**world.live()[managed]["metadata"], "trueup": "released"})
    assert cleaned(world) == [ours]
    assert sorted(world.live()) == sorted([*kept, managed])


def test_a_noted_id_counts_only_with_the_name_that_goes_with_it() -> None:
    world = Probed()
    named, renamed = world.add(name=probe_name(NONCE)), world.add(name="mine")
    world.notes.open = {NONCE: renamed}
    assert cleaned(world) == []
    world.notes.open = {NONCE: named}
    assert cleaned(world) == [named]


def test_a_young_one_that_was_not_noted_here_may_be_in_use_elsewhere() -> None:
    world = Probed()
    _marked(world)
    left = find_left_over(seen(world), identity_of(world.target))
    now = world.clock.now
    assert find_in_use(left, (), now + 599) == find_in_use(left, (), now - 599) == left
    assert find_in_use(left, (), now + 601) == find_in_use(left, (NONCE,), now) == ()


def test_an_endpoint_that_is_gone_is_told_before_anything_is_made() -> None:
    world = Probed()
    world.fail(kind=Kind.ANSWER, method="GET", path="/assistants", status=404, times=0)
    with pytest.raises(EndpointError):
        world.probe()
    assert world.writes == []
    assert world.notes.steps == []


def test_a_listing_that_lags_and_a_has_more_that_lies_are_found_out() -> None:
    world = Probed()
    for number in range(3):
        world.add(name=f"mine {number}")
    late = {"until": 0.0}

    async def lagging(call: Call) -> Any:
        reply = await world.server.send(call)
        if call.method == "POST" and call.path == "/assistants":
            late["until"] = world.clock.now + 1.5
        if call.method == "GET" and call.path == "/assistants" and isinstance(reply.json, dict):
            data = reply.json["data"]
            if world.clock.now < late["until"]:
                data[:] = [entry for entry in data if not entry["name"].startswith("Trueup probe")]
            reply.json["has_more"] = False
        return reply

    world.answer = lagging  # type: ignore[method-assign]  # a server of other habits than any that can be asked for
    found = world.probe()
    assert (found.answers["listing"], found.answers["has-more"]) == ("later", "wrong")
    assert world.adapter().dialect.honest is False


def test_a_server_that_keeps_no_metadata_is_asked_all_the_same_and_its_assistant_known_by_name() -> None:
    world = Probed()
    world.fail(kind=Kind.LACK, method="POST", path="/assistants", field="metadata", times=0)
    world.fail(kind=Kind.LACK, method="GET", path="/assistants", field="metadata", times=0)
    found = world.probe()
    assert (found.answers["metadata"], found.answers["metadata-key"]) == ("ignored", "unknown")
    assert found.answers["clear.description"] == "null"
    assert world.live() == {}
    left = world.add(name=probe_name(NONCE))
    world.notes.open = {NONCE: left}
    assert cleaned(world) == [left]


def test_reads_that_come_late_are_waited_for() -> None:
    world = Probed()
    plain = dict(Probed().probe().answers)
    stale: dict[str, Any] = {}

    async def late(call: Call) -> Any:
        if call.method == "GET" and call.path in stale:
            return stale.pop(call.path)
        if call.method == "POST" and call.path != "/assistants":
            stale[call.path] = await world.server.send(Call("GET", call.path))
        return await world.server.send(call)

    world.answer = late  # type: ignore[method-assign]
    assert world.probe().answers == plain


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(-5, 5), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)
FIELDS = (*DIALECTS["openai"].fields, "trueup_probe")


@settings(max_examples=examples(60), deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, min_size=1, max_size=4), st.integers(1, 60))
def test_whatever_a_server_answers_the_assistant_is_removed_and_all_is_told_in_words(
    values: dict[str, Any], since: int
) -> None:
    """From some read on, fields of the answers hold anything at all."""
    world = Probed()
    reads = iter(range(10**6))

    async def hostile(call: Call) -> Any:
        reply = await world.server.send(call)
        if call.method == "GET" and call.path != "/assistants" and reply.status == 200 and next(reads) >= since:
            reply.json.update(values)
        return reply

    world.answer = hostile  # type: ignore[method-assign]
    hint = "none was wanted"
    try:
        found = world.probe()
        assert decode(encode(found), found.identity, "openai", "", "caps", QUESTIONS).answers == found.answers
        world.definitions = fleet(definition("math", tools=[{"type": "code_interpreter"}]))
        world.plan()
    except TrueupError as error:
        hint = error.hint
    assert hint
    assert world.live() == {}
    assert world.notes.open == {}


@pytest.mark.parametrize(("others", "said"), [(0, "unknown"), (2, "honest"), (30, "honest")])
def test_a_has_more_that_lies_on_large_pages_makes_no_twin_after_any_probe(others: int, said: str) -> None:
    world = Probed()
    for number in range(others):
        world.add(name=f"theirs {number}")

    async def capped(call: Call) -> Any:
        """Pages hold twenty at most, and those of more than one all say that nothing follows."""
        wanted = int(call.query.get("limit", "20"))
        if call.method != "GET" or call.path != "/assistants" or wanted == 1:
            return await world.server.send(call)
        reply = await world.server.send(replace(call, query={**call.query, "limit": str(min(wanted, 20))}))
        reply.json["has_more"] = False
        return reply

    world.answer = capped  # type: ignore[method-assign]
    assert world.probe().answers["has-more"] == said
    world.definitions = fleet(*(definition(f"a{number:02}") for number in range(25)))
    world.apply()
    live = len(world.live())
    assert live == 25 + others
    world.state_text, world.journal_lines = "", []
    world.apply()
    assert len(world.live()) == live


@pytest.mark.parametrize("laid_over", [("metadata",), ("metadata", "name"), ("name",)])
def test_what_was_there_before_the_create_is_never_removed_even_where_the_server_lays_the_probe_over_it(
    laid_over: tuple[str, ...],
) -> None:
    world = Probed()
    mine = world.add(name="mine", instructions="Precious.", metadata={"a": "b"})

    async def upsert(call: Call) -> Any:
        if call.method == "POST" and call.path == "/assistants" and call.json:
            body = {key: call.json[key] for key in laid_over}
            return await world.server.send(Call("POST", f"/assistants/{mine}", json=body))
        return await world.server.send(call)

    world.answer = upsert  # type: ignore[method-assign]
    with pytest.raises(TrueupError, match=f"{mine} existed before and looks like the probe's now: it is left alone"):
        world.probe()
    assert world.live()[mine]["instructions"] == "Precious."
    assert [call.method for call in world.writes] == ["POST"]
    world.answer = world.server.send  # type: ignore[method-assign]
    assert cleaned(world) == []
    assert set(world.live()) == {mine}


@pytest.mark.parametrize("lost", [("metadata",), ("name",), ("name", "metadata")])
def test_a_create_without_an_answer_at_a_server_that_keeps_half_is_found_by_the_other_half(
    lost: tuple[str, ...],
) -> None:
    world = Probed()
    mine = world.add(name="mine")

    async def forgets(call: Call) -> Any:
        if call.method == "POST" and call.path == "/assistants" and call.json:
            kept = {key: value for key, value in call.json.items() if key not in lost}
            await world.server.send(replace(call, json=kept))
            return Reply(500, {}, {"error": {"message": "boom"}})
        return await world.server.send(call)

    world.answer = forgets  # type: ignore[method-assign]
    with pytest.raises(TrueupError) as caught:
        world.probe()
    if len(lost) == 1:
        assert "It had created asst_000002, which is removed." in caught.value.message
        assert (set(world.live()), world.notes.open) == ({mine}, {})
    else:
        assert "The listing shows nothing that it created." in caught.value.message
        assert len(world.live()) == 2


def test_what_comes_into_the_listing_late_is_known_by_the_name_that_was_noted() -> None:
    world = Probed()
    hidden = [True]

    async def late(call: Call) -> Any:
        if call.method == "POST" and call.path == "/assistants" and call.json:
            await world.server.send(replace(call, json={**call.json, "metadata": {}}))
            return Reply(500, {}, {"error": {"message": "boom"}})
        reply = await world.server.send(call)
        if hidden[0] and call.path == "/assistants":
            reply.json["data"] = []
        return reply

    world.answer = late  # type: ignore[method-assign]
    with pytest.raises(TrueupError, match="The listing shows nothing"):
        world.probe()
    assert world.notes.open == {NONCE: ""}
    hidden[0] = False
    assert cleaned(world) == ["asst_000001"]
    assert world.live() == {}


def test_an_answer_with_neither_name_nor_mark_is_left_alone_and_named() -> None:
    world = Probed()

    async def forgets(call: Call) -> Any:
        if call.method == "POST" and call.path == "/assistants" and call.json:
            return await world.server.send(replace(call, json={"model": "gpt-4o"}))
        return await world.server.send(call)

    world.answer = forgets  # type: ignore[method-assign]
    with pytest.raises(TrueupError, match="asst_000001, which has neither the name nor the stamp of this probe"):
        world.probe()
    assert world.touched() == set()
    assert world.notes.open == {NONCE: ""}


def test_where_not_everything_can_be_read_nothing_is_made() -> None:
    world = Probed()
    for number in range(3):
        world.add(name=f"mine {number}")

    async def endless(call: Call) -> Any:
        reply = await world.server.send(call)
        if call.path == "/assistants" and not reply.json["data"]:
            reply.json["has_more"] = True
        return reply

    world.answer = endless  # type: ignore[method-assign]
    with pytest.raises(UnreadableError, match="is empty with `has_more` true"):
        world.probe()
    assert world.writes == []
    assert world.notes.steps == []


@pytest.mark.parametrize("dies", [False, True])
def test_a_twin_that_a_gateway_makes_of_the_create_is_removed_too(dies: bool) -> None:
    world = Probed()
    mine = world.add(name="mine")
    world.fail(kind=Kind.REPEAT, method="POST", path="/assistants", having="trueup_probe")
    if dies:
        world.fail(method="POST", path="/assistants/", status=403, nth=3)
        with pytest.raises(TrueupError, match="ended early"):
            world.probe()
    else:
        world.probe()
    assert (set(world.live()), world.notes.open) == ({mine}, {})


@pytest.mark.parametrize("lag", [4.0, 9.0, 600.0])
def test_reads_that_lag_by_seconds_give_no_false_answer(lag: float) -> None:
    plain = Probed().probe().answers
    world = Probed()
    past: dict[str, list[tuple[float, Any]]] = {}

    async def lagging(call: Call) -> Any:
        reply = await world.server.send(call)
        if call.method == "POST" and reply.status == 200:
            past.setdefault(reply.json["id"], []).append((world.clock.now, copy.deepcopy(reply.json)))
        if call.method == "GET" and call.path != "/assistants" and reply.status == 200:
            seen = past[reply.json["id"]]
            old = [entry for at, entry in seen if at <= world.clock.now - lag] or [seen[0][1]]
            return replace(reply, json=copy.deepcopy(old[-1]))
        return reply

    world.answer = lagging  # type: ignore[method-assign]
    found = world.probe().answers
    asked = {name: answer for name, answer in found.items() if answer != "unknown"}
    assert {name: plain[name] for name in asked} == asked
    assert ("clear.description" in asked) is (lag < 600)
    assert world.live() == {}


def test_a_modify_that_is_answered_with_another_assistant_answers_nothing() -> None:
    world = Probed()
    mine = world.add(name="mine")

    async def mixed_up(call: Call) -> Any:
        reply = await world.server.send(call)
        is_modify = call.method == "POST" and call.path != "/assistants"
        return await world.server.send(Call("GET", f"/assistants/{mine}")) if is_modify else reply

    world.answer = mixed_up  # type: ignore[method-assign]
    found = world.probe()
    known = {name for name, answer in found.answers.items() if answer != "unknown"}
    assert known == {"listing", "has-more"}
    assert (found.tried, found.fills, found.words) == ({}, {}, {})
    assert set(world.live()) == {mine}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/assistants", 400),
        ("POST", "/assistants/", 403),
        ("GET", "/assistants/", 403),
        ("DELETE", "/assistants/", 403),
    ],
)
def test_what_the_server_says_is_quoted_with_one_full_stop(method: str, path: str, status: int) -> None:
    world = Probed()
    body = {"error": {"message": "You may not do that.", "type": "x", "param": None, "code": None}}
    world.fail(method=method, path=path, status=status, times=0, body=body)
    with pytest.raises(TrueupError) as caught:
        world.probe()
    assert "You may not do that." in caught.value.message
    assert ".." not in caught.value.message
