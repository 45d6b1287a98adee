"""Guarantee 2: a saved plan survives every edit of what it does not touch, and no edit of what it overwrites."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.engine.world import World, actions, code, definition, fleet, results
from tests.protocols import Protocol
from trueup.core.call import Call
from trueup.core.errors import Exit
from trueup.core.plans.plan import Plan
from trueup.core.plans.plan_codec import digest, dumps, loads
from trueup.local.faults import Kind

BODY: Mapping[str, Any] = {"instructions": "one", "metadata": {"team": "x", "owner": "ann"}}
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "a text": {"instructions": "two"},
    "a metadata key": {"metadata": {"team": "y", "owner": "ann"}},
    "a metadata key that goes": {"metadata": {"owner": "ann"}},
    "both": {"instructions": "two", "metadata": {"team": "x", "owner": "ann", "more": "m"}},
}
MOST = 16
"""Entries that metadata may have."""


def applied(**body: Any) -> World:
    """Return a world with `a` live, and a stranger's note in its metadata."""
    world = World(definitions=fleet(definition("a", **BODY, **body)))
    world.apply()
    note(world, note="n")
    return world


def note(world: World, **entries: str | None) -> dict[str, Any]:
    """Change what is in the metadata of `a` behind the tool's back; None takes an entry away."""
    live_id = world.id_of("a")
    merged = {**world.live()[live_id]["metadata"], **entries}
    world.edit(live_id, metadata={key: value for key, value in merged.items() if value is not None})
    return metadata(world)


def metadata(world: World) -> dict[str, Any]:
    """Return what is in the metadata of `a`, without the stamp."""
    return {key: value for key, value in world.live()[world.id_of("a")]["metadata"].items() if key != "trueup"}


def save(world: World) -> Plan:
    """Return the plan as it comes back from its file."""
    return loads(dumps(world.plan()))


EDITS: Mapping[str, Callable[[World], object]] = {
    "fields that nobody declared": lambda world: world.edit(world.id_of("a"), **world.protocol.unsaid(3)),
    "a new metadata key": lambda world: note(world, late="l"),
    "another value of an undeclared metadata key": lambda world: note(world, note="other"),
    "an undeclared metadata key that goes": lambda world: note(world, note=None),
    "metadata with room for one key more": lambda world: note(world, **keys(MOST - 5)),
}


def keys(count: int) -> dict[str, str]:
    """So many entries of metadata that no definition has."""
    return {f"k{number}": "v" for number in range(count)}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("change", CHANGES)
def test_an_edit_of_what_nobody_declared_changes_nothing_and_is_kept(change: str, edit: str) -> None:
    world = applied()
    world.definitions["a"] = definition("a", **{**BODY, **CHANGES[change]})
    plan = save(world)
    EDITS[edit](world)
    assert digest(world.plan()) == digest(plan), "what people acknowledged is another plan now"
    before, theirs = world.live()[world.id_of("a")], metadata(world)
    assert results(world.apply(plan)) == {"a": "done"}
    live = world.live()[world.id_of("a")]
    wanted = {**BODY, **CHANGES[change]}
    foreign = {key: value for key, value in theirs.items() if key not in BODY["metadata"]}
    assert metadata(world) == {**foreign, **wanted["metadata"]}
    assert live["instructions"] == wanted["instructions"]
    follows = {"instructions", "metadata", *world.protocol.sample.follows}
    assert {key: value for key, value in live.items() if key not in follows} == {
        key: value for key, value in before.items() if key not in follows
    }
    assert actions(world.plan()) == {}


@pytest.mark.only_protocol("openai-assistants", "lists of resources are its own")
def test_an_edit_of_a_list_that_nobody_declared_is_kept() -> None:
    tools = [{"type": "file_search"}, {"type": "code_interpreter"}]

    def searching(store: str) -> Any:
        return definition("a", tools=tools, tool_resources={"file_search": {"vector_store_ids": [store]}}, **BODY)

    world = World(definitions=fleet(searching("vs_1")))
    world.apply()
    world.definitions["a"] = searching("vs_2")
    plan = save(world)
    world.edit(world.id_of("a"), tool_resources={"code_interpreter": {"file_ids": ["file-9"]}})
    assert digest(world.plan()) == digest(plan)
    assert results(world.apply(plan)) == {"a": "done"}
    resources = world.live()[world.id_of("a")]["tool_resources"]
    assert resources["code_interpreter"]["file_ids"] == ["file-9"]
    assert resources["file_search"]["vector_store_ids"] == ["vs_2"]


@pytest.mark.parametrize("change", CHANGES)
def test_an_edit_that_takes_the_room_of_the_stamp_changes_nothing_and_is_kept(change: str) -> None:
    world = applied()
    note(world, trueup=None)
    world.definitions["a"] = definition("a", **{**BODY, **CHANGES[change]})
    plan = save(world)
    assert plan.changes[0].stamp
    wanted = {**BODY, **CHANGES[change]}["metadata"]
    theirs = note(world, **keys(MOST - 1 - max(len(wanted), 2)))
    assert digest(world.plan()) == digest(plan)
    assert results(world.apply(plan)) == {"a": "done"}
    foreign = {key: value for key, value in theirs.items() if key not in BODY["metadata"]}
    assert metadata(world) == {**foreign, **wanted}
    is_stamped = "trueup" in world.live()[world.id_of("a")]["metadata"]
    assert is_stamped is (world.state().records["a"].stamped is True) is (len(metadata(world)) < MOST)
    assert actions(world.plan()) == {}


def test_room_that_an_edit_makes_is_used() -> None:
    world = applied()
    note(world, trueup=None, **keys(MOST - 3))
    world.definitions["a"] = definition("a", **{**BODY, "instructions": "two"})
    plan = save(world)
    note(world, k0=None)
    assert digest(world.plan()) == digest(plan)
    assert results(world.apply(plan)) == {"a": "done"}
    live = world.live()[world.id_of("a")]["metadata"]
    assert ("trueup" in live, len(live)) == (True, MOST)
    assert world.state().records["a"].stamped is True
    assert actions(world.plan()) == {}


@pytest.mark.parametrize("change", ["a text", "both"])
def test_an_edit_of_what_is_overwritten_is_refused(change: str) -> None:
    world = applied()
    world.definitions["a"] = definition("a", **{**BODY, **CHANGES[change]})
    plan = save(world)
    world.edit(world.id_of("a"), instructions="by hand")
    report = world.apply(plan)
    assert (results(report), code(report)) == ({"a": "refused"}, Exit.HELD)
    assert world.live()[world.id_of("a")]["instructions"] == "by hand"


@pytest.mark.parametrize("theirs", ["by hand", None])
def test_an_edit_of_a_metadata_key_that_is_overwritten_is_refused(theirs: str | None) -> None:
    world = applied()
    world.definitions["a"] = definition("a", **{**BODY, "metadata": {"team": "y", "owner": "ann"}})
    plan = save(world)
    before = note(world, team=theirs)
    assert results(world.apply(plan)) == {"a": "refused"}
    assert metadata(world) == before


def test_an_edit_of_a_declared_field_beside_what_is_overwritten_is_not_touched() -> None:
    """It is drift now: the plan that people looked at did not show it."""
    world = applied()
    world.definitions["a"] = definition("a", **{**BODY, "instructions": "two"})
    plan = save(world)
    before = note(world, team="by hand")
    report = world.apply(plan)
    assert (results(report), code(report)) == ({"a": "refused"}, Exit.HELD)
    assert metadata(world) == before


def test_every_edit_stops_a_delete(protocol: Protocol) -> None:
    world = applied()
    world.definitions = fleet(definition("b"))
    plan = loads(dumps(world.plan(prune=True)))
    world.edit(world.id_of("a"), **protocol.unsaid(3))
    assert results(world.apply(plan, prune=True)) == {"a": "refused", "b": "done"}
    assert world.id_of("a") in world.live()


def test_a_stamp_alone_that_has_no_room_by_now_is_refused() -> None:
    world = applied()
    note(world, trueup=None)
    plan = loads(dumps(world.plan(stamp_all=True)))
    assert actions(plan) == {"a": "stamp"}
    theirs = note(world, **keys(MOST - 3))
    world.calls.clear()
    assert results(world.apply(plan, stamp_all=True)) == {"a": "refused"}
    assert (metadata(world), world.writes) == (theirs, [])


@pytest.mark.parametrize("count", [0, MOST - 4, MOST - 3])
def test_an_edit_after_the_listing_of_the_apply_itself_is_kept(count: int) -> None:
    """The write of `a` comes more than ten seconds after what was listed, so it is read again."""
    world = World(definitions=fleet(definition("a", **BODY), definition("0")))
    world.apply()
    note(world, trueup=None, note="n")
    for name in ("0", "a"):
        world.definitions[name] = definition(name, **{**BODY, "instructions": "two"})
    world.with_target(parallelism=1)
    world.fail(kind=Kind.PASS, method="POST", path=f"{world.protocol.path}/", nth=1, delay=11.0)
    first, theirs = world.id_of("0"), dict[str, Any]()

    def meddle(call: Call) -> None:
        if call.method == "POST" and call.path.endswith(first):
            theirs.update(note(world, late="l", note="other", **keys(count - 1)))

    world.before_call = meddle
    assert results(world.apply()) == {"0": "done", "a": "done"}
    assert theirs
    assert metadata(world) == theirs
    live = world.live()[world.id_of("a")]
    assert live["instructions"] == "two"
    assert ("trueup" in live["metadata"]) is (len(theirs) < MOST)
