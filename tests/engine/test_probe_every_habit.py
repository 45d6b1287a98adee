"""Every habit that a server can have, every two of them together: a probe tells it as it is, and what is applied by
its answers converges: nothing is sent that is not kept, and what cannot be done is said once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import combinations, product
from typing import Any, Literal

import pytest

from tests.engine.probed import Probed
from tests.engine.world import definition, fleet
from trueup.core.call import Call, Reply
from trueup.core.errors import Exit, worst
from trueup.core.memory.capabilities import decode, encode
from trueup.core.memory.journal import Entry
from trueup.core.plans.plan import WRITES, Cause, Plan
from trueup.core.plans.report import Result
from trueup.core.plans.summary import count_changes, summary
from trueup.engine.ports import Ports
from trueup.local.openai_assistants import Server
from trueup.local.openai_assistants.bodies import Habits
from trueup.wire.openai_assistants.probe import QUESTIONS

ALL = frozenset({
    "name", "description", "instructions", "temperature", "top_p", "reasoning_effort", "response_format", "metadata",
    "tool_resources",
})  # fmt: skip
FACTORS: Mapping[str, tuple[Any, ...]] = {
    "metadata": ("replace", "merge"),
    "null_key": ("refuse", "remove"),
    "resources": ("merge", "replace"),
    "kept_on_null": (frozenset(), frozenset({"description", "response_format"}), ALL),
    "refuses_unknown": (True, False),
    "float32": (False, True),
    "fills_schema": (False, True),
    "dates_ranker": (False, True),
    "empty_is_null": (False, True),
    "refuses_sampling": (True, False),
}


def pairwise() -> Iterator[dict[str, Any]]:
    """Few combinations in which every two values of two habits come together once."""
    names = list(FACTORS)
    open_pairs = {
        ((one, a), (two, b)) for one, two in combinations(names, 2) for a, b in product(FACTORS[one], FACTORS[two])
    }
    while open_pairs:
        chosen: dict[str, Any] = dict(min(open_pairs, key=repr))
        for name in names:
            if name not in chosen:
                chosen[name] = max(FACTORS[name], key=partial(_met, open_pairs, chosen, name))
        open_pairs -= {pair for pair in open_pairs if all(chosen[name] == value for name, value in pair)}
        yield chosen


def _met(open_pairs: set[Any], chosen: Mapping[str, Any], name: str, value: Any) -> int:
    """How many open pairs this value would close, together with what is chosen."""
    return sum(
        (name, value) in pair and all(key in chosen or key == name for key, _ in pair)
        and all(chosen.get(key, value) == entry for key, entry in pair if key != name)
        for pair in open_pairs
    )  # fmt: skip


COMBINATIONS = list(pairwise())

SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
FIRST: dict[str, Any] = {
    "description": "First.",
    "instructions": "Help.",
    "temperature": 0.7,
    "top_p": 0.3,
    "reasoning_effort": "low",
    "response_format": SCHEMA,
    "tools": [
        {"type": "code_interpreter"},
        {"type": "file_search", "file_search": {"ranking_options": {"ranker": "auto", "score_threshold": 0}}},
        {"type": "function", "function": {"name": "look"}},
    ],
    "tool_resources": {
        "code_interpreter": {"file_ids": ["file-1"]}, "file_search": {"vector_store_ids": ["vs_1"]},
    },
    "metadata": {"owner": "ann", "stage": "one"},
}  # fmt: skip
SECOND: dict[str, Any] = {
    **FIRST,
    "description": None,
    "temperature": 0.2,
    "tool_resources": {"code_interpreter": {"file_ids": ["file-2"]}, "file_search": {"vector_store_ids": ["vs_1"]}},
    "metadata": {"owner": "bea"},
}


def expected(habits: Habits) -> dict[str, str]:
    """Return what a probe must report of these habits."""
    merges, removes = habits.metadata == "merge", habits.null_key == "remove"
    kept = habits.kept_on_null
    answers = {
        "metadata": "merges" if merges else "replaces",
        "metadata-key": "left-out" if not merges else "null" if removes else "never",
        "resources": "merges" if habits.resources == "merge" else "replaces",
        "clear.tools": "empty",
        "clear.tool_resources": "empty",
        "listing": "at-once",
        "has-more": "unknown",
    }
    for name in ALL - {"metadata", "tool_resources"}:
        answers[f"clear.{name}"] = "null" if name not in kept else "never" if name == "reasoning_effort" else "default"
    return answers


def test_every_two_habits_come_together() -> None:
    for one, two in combinations(FACTORS, 2):
        met = {(chosen[one], chosen[two]) for chosen in COMBINATIONS}
        assert met == set(product(FACTORS[one], FACTORS[two]))


def impossible(plan: Plan) -> set[str]:
    return {item.path for change in plan.changes for item in change.fields if item.cause is Cause.IMPOSSIBLE}


def applied(world: Probed) -> set[str]:
    """Return what an apply reports as impossible; check that nothing is left to plan and all that was sent is kept."""
    said = impossible(world.plan())
    report = world.apply()
    assert worst(report.codes) is Exit.OK
    assert [outcome.not_kept for outcome in report.outcomes if outcome.not_kept] == []
    plan = world.plan()
    assert plan.changes == (), plan.changes
    return said


@pytest.mark.parametrize("state", ["file", "stamps"])
@pytest.mark.parametrize("chosen", COMBINATIONS, ids=[str(number) for number in range(len(COMBINATIONS))])
def test_a_probe_tells_the_truth_and_apply_goes_by_it(chosen: dict[str, Any], state: str) -> None:
    habits = Habits(**chosen)
    world = Probed(habits=habits).with_target(state=state)
    assert isinstance(world, Probed)
    found = world.probe()
    assert found.answers == expected(habits)
    assert ("response_format.json_schema" in found.fills) is habits.fills_schema
    assert ("ranking_options.ranker" in found.words) is habits.dates_ranker
    assert world.live() == {}
    assert decode(encode(found), found.identity, "openai", "", "caps", QUESTIONS) == found

    stuck = expected(habits)["metadata-key"] == "never"
    world.definitions = fleet(definition("math", **FIRST))
    assert applied(world) == set()
    world.definitions = fleet(definition("math", **SECOND))
    named = {"metadata.stage"} if state == "file" and stuck else set()  # a stamp holds no metadata key
    assert applied(world) == named
    world.definitions = fleet(definition("math"))
    left = {"reasoning_effort"} if expected(habits)["clear.reasoning_effort"] == "never" else set()
    left |= {"metadata.owner"} if state == "file" and stuck else set()
    assert applied(world) == left
    (live,) = world.live().values()
    assert (live["description"] or None, live["instructions"] or None, live["tools"]) == (None, None, [])
    assert (live["temperature"], live["top_p"], live["response_format"]) == (1.0, 1.0, "auto")
    assert (live["reasoning_effort"] is None) is ("reasoning_effort" not in left)


def test_a_second_probe_of_the_same_server_writes_the_same_bytes() -> None:
    world = Probed(habits=Habits(metadata="merge", dates_ranker=True, fills_schema=True))
    world.add(name="mine")
    first = encode(world.probe())
    world.add(name="somebody's")
    assert encode(world.probe(nonce="ba9876543210")) == first


def test_what_is_not_possible_is_counted_said_once_and_changes_no_code() -> None:
    world = Probed(habits=Habits(metadata="merge"))
    world.probe()
    world.definitions = fleet(definition("math", metadata={"owner": "ann", "stage": "one"}))
    world.apply()
    world.definitions = fleet(definition("math", metadata={"owner": "ann"}))
    plan = world.plan()
    assert count_changes(plan).impossible == 1
    assert summary(plan).endswith("0 to modify, 0 to delete, 0 drifted, 1 unchanged; of these 1 not possible here.")
    assert not [change for change in plan.changes if change.action in WRITES]
    before = len(world.writes)
    assert worst(world.apply().codes) is Exit.OK
    assert len(world.writes) == before
    assert world.plan().changes == ()


def test_drift_of_a_field_that_cannot_be_cleared_stays_drift_until_it_would_be_reverted() -> None:
    world = Probed(habits=Habits(kept_on_null=ALL))
    world.probe()
    world.definitions = fleet(definition("math", reasoning_effort=None))
    world.apply()
    world.edit(world.id_of("math"), reasoning_effort="high")
    (change,) = world.plan().changes
    assert [item.cause for item in change.fields] == [Cause.DRIFTED]
    assert impossible(world.plan(on_drift="revert")) == {"reasoning_effort"}
    world.apply(on_drift="revert")
    assert world.plan().changes == ()


@pytest.mark.parametrize(
    ("habits", "requests"),
    [
        (Habits(), [{}]),
        (Habits(metadata="merge"), [{"trueup": "released"}]),
        (Habits(metadata="merge", null_key="remove"), [{"trueup": None}]),
    ],
)
def test_a_stamp_is_taken_off_in_the_one_way_that_works(habits: Habits, requests: list[Any]) -> None:
    world = Probed(habits=habits)
    world.probe()
    world.definitions = fleet(definition("math"))
    world.apply()
    world.definitions, world.released = {}, {"math"}
    before = len(world.writes)
    world.apply()
    assert [call.json["metadata"] for call in world.writes[before:]] == requests


@pytest.mark.parametrize("before", ["merge", "replace"])
@pytest.mark.parametrize("today", ["merge", "replace"])
def test_a_key_that_somebody_else_adds_stays_whatever_the_server_did_when_it_was_probed(
    before: Literal["merge", "replace"], today: Literal["merge", "replace"]
) -> None:
    world = Probed(habits=Habits(metadata=before))
    world.probe()
    assert isinstance(world.server, Server)
    world.server.habits = Habits(metadata=today)
    world.definitions = fleet(definition("math", metadata={"owner": "ann"}))
    world.apply()
    world.edit(world.id_of("math"), metadata={**world.live()[world.id_of("math")]["metadata"], "theirs": "1"})
    world.definitions = fleet(definition("math", metadata={"owner": "bea"}))
    world.apply()
    (live,) = world.live().values()
    assert (live["metadata"]["owner"], live["metadata"]["theirs"]) == ("bea", "1")
    assert "trueup" in live["metadata"]


@pytest.mark.parametrize("dialect", ["openai", "openai-v1", "azure-openai", "foundry-classic"])
def test_every_dialect_can_be_probed(dialect: str) -> None:
    world = Probed(dialect=dialect)
    mine = world.add(name="mine")
    found = world.probe()
    assert set(world.live()) == {mine}
    assert [name for name, answer in found.answers.items() if answer == "unknown"] == []
    assert ("clear.file_ids" in found.answers) is (dialect == "openai-v1")
    assert ("limit.instructions" in found.answers) is (dialect == "azure-openai")


@pytest.mark.parametrize("kept", [{"temperature", "top_p"}, set()])
@pytest.mark.parametrize("declared", [{"temperature": 0.5, "top_p": 0.5}, {}])
def test_a_move_to_a_reasoning_model_sends_null_whatever_way_of_clearing_was_found(
    kept: set[str], declared: dict[str, Any]
) -> None:
    world = Probed(habits=Habits(kept_on_null=frozenset(kept), refuses_sampling=False))
    found = world.probe()
    assert found.answers["clear.temperature"] == ("default" if kept else "null")
    world.definitions = fleet(definition("math", **declared))
    world.apply()

    async def refuses(call: Call) -> Any:
        body = call.json or {}
        if body.get("model") == "o3-mini" and any(body.get(name) is not None for name in ("temperature", "top_p")):
            return Reply(
                400, {}, {"error": {"message": "Unsupported parameter: 'temperature'", "param": "temperature"}}
            )
        return await world.server.send(call)

    world.answer = refuses  # type: ignore[method-assign]
    world.definitions = fleet(definition("math", model="o3-mini"))
    world.edit(world.id_of("math"), top_p=0.5)
    report = world.apply(on_drift="revert")
    assert worst(report.codes) is Exit.OK
    assert world.writes[-1].json["model"] == "o3-mini"
    assert world.writes[-1].json["top_p"] is None
    assert world.plan().changes == ()


class _Stopped(Probed):
    """A world whose apply is interrupted while its write number `stop_at` is under way."""

    stop_at = 0
    noted = 0

    async def journal(self, entry: Entry) -> None:
        self.noted += 1
        await super().journal(entry)

    def ports(self) -> Ports:
        running = super().ports()

        def strike(call: Call) -> None:
            if call.method != "GET" and len(self.writes) + 1 == self.stop_at:
                running.stop.set()

        self.before_call = strike
        return running


def test_an_interrupt_between_two_ways_to_take_a_stamp_off_says_that_the_first_was_sent() -> None:
    world = _Stopped(habits=Habits(metadata="merge"))
    world.definitions = fleet(definition("math"))
    world.apply()
    world.definitions, world.released = {}, {"math"}
    world.stop_at = len(world.writes) + 1
    (outcome,) = world.apply().outcomes
    assert (outcome.result, outcome.attempts) == (Result.FAILED, 1)
    assert outcome.message == "this server kept the stamp; interrupted before it was sent again"
    assert world.state().pending == {}
    world.stop_at = world.noted = 0
    (outcome,) = world.apply().outcomes
    assert (outcome.result, outcome.attempts) == (Result.DONE, 2)
    assert world.noted == 2, "one intent, one conclusion"
