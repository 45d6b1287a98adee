"""Guarantee 8: a partial view is never taken for the whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.engine.world import World, actions, code, definition, fleet, results
from tests.protocols import current
from trueup.core.call import Call
from trueup.core.errors import EndpointError, Exit, RefusedError
from trueup.local.faults import Kind


def crowd(count: int = 230) -> World:
    """More than two pages of strangers, and two assistants of ours on the last page."""
    world = World()
    for index in range(count):
        world.add(name=f"stranger {index}")
    world.definitions = fleet(definition("a"), definition("b"))
    world.apply()
    world.calls.clear()
    world.definitions["new"] = definition("new")
    del world.definitions["b"]
    return world


def assert_nothing_dangerous(world: World) -> None:
    plan = world.plan(prune=True)
    assert not plan.complete
    assert not {"create", "delete"} & set(actions(plan).values())
    report = world.apply(prune=True)
    assert code(report) is Exit.UNREADABLE
    assert world.writes == []


def says_of_more(world: World, value: Any, nth: int = 1) -> None:
    """From its n-th on every page of a listing says this as its `has_more`, whatever is true."""
    whole, pages = world.send, 0

    async def send(call: Call) -> Any:
        nonlocal pages
        reply = await whole(call)
        if call.method != "GET" or call.path != world.protocol.path:
            return reply
        pages = pages + 1 if call.query.get("after") else 1
        said = {**reply.json, "has_more": value}
        return replace(reply, json=said) if pages >= nth else reply

    world.send = send  # type: ignore[method-assign]


SPOILED: list[dict[str, Any]] = [
    *({"kind": Kind.ANSWER, "status": status} for status in (403, 404, 500, 502, 503)),
    {"kind": Kind.HTML, "status": 200},
    {"kind": Kind.HTML, "status": 502},
    {"kind": Kind.DROP},
    {"kind": Kind.REFUSE},
    {"kind": Kind.REDIRECT},
    {"kind": Kind.CUT},
    {"kind": Kind.ANSWER, "status": 200, "body": {"object": "list", "data": [], "has_more": True}},
    {"kind": Kind.ANSWER, "status": 200, "body": {"object": "list", "data": [], "has_more": "true"}},
    {"kind": Kind.ANSWER, "status": 200, "body": {"object": "list", "data": [{"object": "thread", "id": "x"}]}},
    {"kind": Kind.ANSWER, "status": 200, "body": {"object": "list", "data": None}},
    {"kind": Kind.ANSWER, "status": 200, "body": []},
]


@pytest.mark.parametrize("fault", SPOILED, ids=lambda fault: f"{fault['kind'].value}-{fault.get('status', '')}")
@pytest.mark.parametrize("page", [2, 3])
def test_a_page_that_cannot_be_read_makes_the_view_partial(fault: dict[str, Any], page: int) -> None:
    world = crowd()
    cursor = list(world.live())[100 * (page - 1) - 1]
    seen = world.send

    async def send(call: Call) -> Any:
        if call.query.get("after") == cursor:
            world.faults.clear()
            world.fail(**fault, times=0)
        else:
            world.faults.clear()
        return await seen(call)

    world.send = send  # type: ignore[method-assign]
    assert_nothing_dangerous(world)


@pytest.mark.parametrize("fault", SPOILED, ids=lambda fault: f"{fault['kind'].value}-{fault.get('status', '')}")
def test_nothing_readable_at_all_is_an_error(fault: dict[str, Any]) -> None:
    world = crowd(0)
    world.fail(**fault, times=0)
    if "has_more" in (fault.get("body") or {}):
        assert not world.plan().complete
        return
    with pytest.raises(EndpointError) as caught:
        world.plan()
    assert caught.value.hint


def test_a_page_that_repeats_itself_does_not_loop() -> None:
    world = crowd()
    first = world.server.answer(Call("GET", world.protocol.path, {"limit": "100", "order": "asc"})).json
    world.fail(kind=Kind.ANSWER, status=200, body=first, method="GET", path=world.protocol.path, times=0, nth=2)
    plan = world.plan()
    assert not plan.complete
    assert len(world.calls) < 20


def test_a_full_page_is_followed_whatever_has_more_says() -> None:
    world = crowd()
    says_of_more(world, False)
    plan = world.plan()
    assert plan.complete
    assert actions(plan) == {"b": "orphan", "new": "create"}


@pytest.mark.parametrize(("count", "nth"), [(0, 1), (0, 2), (230, 1), (230, 2), (230, 3), (230, 4)])
@pytest.mark.parametrize("says", ["true", "false", 0, 1, {"more": 1}, []])
def test_a_has_more_of_a_wrong_type_makes_the_view_partial(says: Any, count: int, nth: int) -> None:
    """Whatever else the page holds, and whichever page it is, the empty one at the end as well."""
    world = crowd(count)
    says_of_more(world, says, nth)
    assert_nothing_dangerous(world)


def test_a_has_more_of_a_wrong_type_does_not_make_a_lost_fleet_again() -> None:
    """A stranger's find: an empty page with "true" was taken for all there is, and the fleet created once more."""
    world = crowd(0)
    world.state_text = ""
    empty = {"object": "list", "data": [], "has_more": "true"}
    world.fail(kind=Kind.ANSWER, status=200, body=empty, method="GET", path=world.protocol.path)
    report = world.apply()
    assert code(report) is Exit.UNREADABLE
    assert set(actions(report.plan).values()) == {"unread"}
    assert world.writes == []


def test_without_has_more_a_listing_is_read_as_ever() -> None:
    world = crowd()
    says_of_more(world, None)
    assert world.plan().complete


def test_a_server_not_known_to_be_honest_is_asked_for_one_page_more() -> None:
    world = World(definitions=fleet(definition("a")))
    world.apply()
    world.calls.clear()
    world.plan()
    assert [dict(call.query).get("after", "") for call in world.calls] == ["", world.id_of("a")]


def test_a_recorded_id_that_the_walk_did_not_show_is_read_by_itself() -> None:
    world = crowd(0)
    hidden = world.id_of("a")
    whole = world.send

    async def hide(call: Call) -> Any:
        reply = await whole(call)
        if call.path == world.protocol.path and call.method == "GET":
            data = [item for item in reply.json["data"] if item["id"] != hidden]
            return type(reply)(reply.status, reply.headers, {**reply.json, "data": data}, reply.text)
        return reply

    world.send = hide  # type: ignore[method-assign]
    assert_nothing_dangerous(world)
    assert any(call.path.endswith(hidden) for call in world.calls)


def _of_another(quote: str) -> dict[str, Any]:
    spoken = current()
    return {"error": {"message": f"No {spoken.server.noun} found with id {quote}{spoken.id_of('other')}{quote}"}}


NO_404_OF_ITS_OWN: dict[str, Callable[[], dict[str, Any]]] = {
    "another service": lambda: {"message": "Not Found", "ok": False},
    "the path": lambda: {
        "error": {"message": f"Invalid URL (GET /v1{current().path_of('x')})", "type": "invalid_request_error"}
    },
    "the project": lambda: {"error": {"message": "project not found", "code": None}},
    "another id in quotes": lambda: _of_another("'"),
    "another id": lambda: _of_another(""),
}


@pytest.mark.parametrize("what", NO_404_OF_ITS_OWN)
def test_only_the_assistants_own_404_means_missing(what: str) -> None:
    world = crowd(0)
    world.remove(world.id_of("a"))
    assert world.plan().complete
    body = NO_404_OF_ITS_OWN[what]()
    world.fail(kind=Kind.ANSWER, status=404, body=body, method="GET", path=f"{world.protocol.path}/", times=0)
    plan = world.plan()
    assert not plan.complete
    assert actions(plan)["a"] == "unread"


def test_the_404_of_another_assistant_makes_no_twin_of_a_living_one() -> None:
    """It once counted as deleted outside, and a revert created what was there all the time."""
    world = crowd(0)
    world.definitions = fleet(definition("a"), definition("b"))
    hidden, whole = world.id_of("a"), world.send

    async def confused(call: Call) -> Any:
        reply = await whole(call)
        if call.path == world.protocol.path and call.method == "GET":
            data = [item for item in reply.json["data"] if item["id"] != hidden]
            return type(reply)(reply.status, reply.headers, {**reply.json, "data": data}, reply.text)
        return reply

    world.send = confused  # type: ignore[method-assign]
    other = world.protocol.absent(world.protocol.id_of("other"))
    world.fail(kind=Kind.ANSWER, status=404, body=other, method="GET", path=f"{world.protocol.path}/", times=0)
    report = world.apply(on_drift="revert")
    assert code(report) is Exit.UNREADABLE
    assert world.writes == []
    assert actions(report.plan)["a"] == "unread"


def test_deleted_outside_is_held_back_and_created_again_only_on_revert() -> None:
    world = crowd(0)
    world.definitions = fleet(definition("a"), definition("b"))
    world.remove(world.id_of("a"))
    report = world.apply()
    assert code(report) is Exit.HELD
    assert world.writes == []
    assert results(world.apply(on_drift="revert"))["a"] == "done"
    assert actions(world.plan()) == {}


def test_when_nothing_recorded_is_live_this_is_another_account() -> None:
    world = crowd(0)
    for live_id in list(world.live()):
        world.remove(live_id)
    world.add(name="somebody else's")
    with pytest.raises(RefusedError, match="another account") as caught:
        world.apply()
    assert "state rm" in caught.value.hint
    assert world.writes == []


def test_creates_are_refused_while_stamps_name_a_target_the_project_lacks() -> None:
    world = crowd(0)
    world.state_text = ""
    world.with_target(name="production")
    world.targets = frozenset({"production"})
    with pytest.raises(RefusedError, match="prod"):
        world.apply()
    assert world.writes == []


def test_no_definitions_at_all_is_not_a_wish_to_delete() -> None:
    world = crowd(0)
    world.definitions = {}
    with pytest.raises(RefusedError, match="no definitions"):
        world.apply(prune=True)
    assert world.writes == []
