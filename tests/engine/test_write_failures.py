"""A write that fails, or whose end is unknown, says what was answered and how to go on, each for its own cause."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.engine.world import World, code, definition, fleet, results
from tests.protocols import current
from trueup.core.call import Reply
from trueup.core.command import HERE, Command, Selection, change_commands, parts_of
from trueup.core.errors import Exit
from trueup.core.memory.state import Identity
from trueup.core.plans.plan import Options, Plan
from trueup.core.plans.report import Outcome, Result
from trueup.core.plans.wording import go_on
from trueup.engine import write_failures as words
from trueup.local.faults import Kind
from trueup.wire.base import Adapter, Problem, is_unclear
from trueup.wire.registry import adapter_for

pytestmark = pytest.mark.usefixtures("protocol")

LOGIN = {"kind": Kind.HTML, "status": 200}


def _error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **more}}


def _answer(status: int, body: Any) -> dict[str, Any]:
    return {"kind": Kind.ANSWER, "status": status, "body": body}


@dataclass(frozen=True)
class Cause:
    """What a server does, what of it is said, and what of the way on, in their order; nothing else ends the hint."""

    fault: dict[str, Any]
    said: str
    hint: str
    methods: tuple[str, ...] = field(default=("POST", "DELETE"))


OTHER = "No assistant found with id 'asst_other'."
CAUSES = {
    "429": Cause(_answer(429, _error("slow")), "HTTP 429: slow", words.SLOWER),
    "500": Cause(_answer(500, _error("broke")), "HTTP 500: broke", words.SLOWER),
    "a gateway's page": Cause({"kind": Kind.HTML, "status": 502}, "HTTP 502 with a web page", words.SLOWER),
    "no quota": Cause(_answer(429, _error("Quota.", code="insufficient_quota")), "HTTP 429: Quota.", words.QUOTA),
    "401": Cause(_answer(401, _error("wrong key")), "HTTP 401: wrong key", words.RIGHT),
    "403": Cause(_answer(403, _error("no right")), "HTTP 403: no right", words.RIGHT),
    "a wall's 403": Cause({"kind": Kind.HTML, "status": 403}, "HTTP 403 with a web page", words.ELSEWHERE),
    "the endpoint's 404": Cause(_answer(404, {"message": "Not Found"}), "HTTP 404: Not Found", words.NO_PATH),
    "405": Cause(_answer(405, _error("Not allowed")), "HTTP 405: Not allowed", words.NO_PATH),
    "another's 404": Cause(
        _answer(404, _error(OTHER)), f"the response is about another assistant: HTTP 404: {OTHER}", words.ANEW
    ),
    "400": Cause(_answer(400, _error("Odd.")), "HTTP 400: Odd.", words.MEND),
    "451": Cause(_answer(451, _error("Law.")), "HTTP 451: Law.", words.MEND),
    "redirect": Cause({"kind": Kind.REDIRECT}, "HTTP 302, a redirect to", words.REDIRECT),
    "proxy": Cause(_answer(407, "log in"), "HTTP 407", words.REDIRECT),
    "silence": Cause({"kind": Kind.DROP}, "the connection broke", words.PATIENCE),
    "nobody": Cause({"kind": Kind.REFUSE}, "the connection was refused", words.NETWORK),
    "a login page": Cause(LOGIN, "the response is a web page ('Bad gateway')", words.ELSEWHERE),
    "another object": Cause(
        _answer(200, {"object": "assistant", "id": "asst_other", "model": "m", "metadata": {}}),
        "the response is another assistant (asst_other)", words.ANEW, ("POST",),
    ),
    "another kind": Cause(_answer(200, {"object": "list"}), "the response is not an assistant", words.ANEW, ("POST",)),
    "an empty answer": Cause(_answer(204, ""), "the response is not an assistant", words.ANEW, ("POST",)),
    "not deleted": Cause(
        _answer(200, {"id": "asst_000002", "object": "assistant.deleted", "deleted": False}),
        "the target reports that it was not deleted", words.STAYS, ("DELETE",),
    ),
    "another deleted": Cause(
        _answer(200, {"id": "asst_other", "object": "assistant.deleted", "deleted": True}),
        "the response is about another assistant (asst_other)", words.STAYS, ("DELETE",),
    ),
    "nothing said": Cause(
        _answer(200, {}), "the response does not confirm the delete", words.STAYS, ("DELETE",)
    ),
}  # fmt: skip


def spoken(cause: Cause) -> Cause:
    """Return a cause in the words of the protocol spoken."""
    words, fault = current().words, dict(cause.fault)
    if "body" in fault:
        fault["body"] = json.loads(words(json.dumps(fault["body"])))
    return replace(cause, fault=fault, said=words(cause.said))


CASES = [(name, method) for name, cause in CAUSES.items() for method in cause.methods]


def _world(method: str) -> World:
    """One modify or one delete to be done, and one assistant beside it."""
    world = World(definitions=fleet(definition("a"), definition("b"))).with_target(max_retries=1, prune=True)
    assert code(world.apply()) is Exit.OK
    if method == "POST":
        world.definitions["b"] = definition("b", **{current().scalar: current().values[0]})
    else:
        del world.definitions["b"]
    world.calls.clear()
    return world


def _ended(world: World) -> Outcome:
    (outcome,) = (outcome for outcome in world.apply(prune=True).outcomes if outcome.name == "b")
    return outcome


def _of_run(hint: str, *, prune: bool = True, selection: Selection = HERE) -> str:
    """Return the hint with the commands that go on with this run: on its target, with its flags."""
    plan = Plan(Identity("p", "t", "", ""), Options(prune=prune), (), selection=selection)
    return change_commands(hint, lambda command: go_on(command, plan))


@pytest.mark.parametrize(("name", "method"), CASES)
def test_a_write_that_was_not_done_says_what_was_answered_and_how_to_go_on(name: str, method: str) -> None:
    cause, world = spoken(CAUSES[name]), _world(method)
    before = world.live()
    world.fail(**cause.fault, method=method, times=0)
    outcome = _ended(world)
    assert outcome.result is Result.FAILED
    assert cause.said in outcome.message
    assert _of_run(cause.hint) in outcome.hint
    assert "shows nothing" not in outcome.message
    assert world.live() == before
    assert world.state().pending == {}
    world.faults.clear()
    assert _ended(world).result is Result.DONE


@pytest.mark.parametrize(("name", "method"), CASES)
def test_the_same_where_nothing_can_be_read_afterwards(name: str, method: str) -> None:
    """What was not clear is unknown then; a clear no stays one."""
    cause, world = spoken(CAUSES[name]), _world(method)
    world.fail(**cause.fault, method=method, times=0)
    world.fail(kind=Kind.ANSWER, status=503, body=_error("busy"), method="GET", path=f"{current().path}/", times=0)
    outcome = _ended(world)
    assert outcome.result in (Result.UNKNOWN, Result.FAILED)
    assert cause.said in outcome.message
    assert outcome.hint.startswith(_of_run(words.JUDGE)) or _of_run(cause.hint) in outcome.hint
    clear = ("401", "403", "a wall's 403", "the endpoint's 404", "405", "400", "451", "proxy")
    assert (outcome.result is Result.FAILED) is (name in clear)


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_its_own_404_is_gone_for_a_delete_and_to_be_judged_anew_for_a_modify(method: str) -> None:
    world = _world(method)
    gone = current().words(f"No assistant found with id '{world.id_of('b')}'.")
    world.fail(kind=Kind.ANSWER, status=404, body=_error(gone), method=method, times=0)
    outcome = _ended(world)
    if method == "DELETE":
        assert outcome.result is Result.DONE
        return
    assert (outcome.result, outcome.message) == (Result.FAILED, f"HTTP 404: {gone}")
    assert outcome.hint == _of_run(words.JUDGE)


@pytest.mark.parametrize("is_done", [False, True])
def test_a_delete_answered_with_the_404_of_another_is_read_back(*, is_done: bool) -> None:
    """It once counted as done, whoever the answer spoke of: the assistant lived on, and its record was forgotten."""
    world = _world("DELETE")
    recorded = world.id_of("b")
    of_another = _error(current().words(OTHER))
    world.fail(kind=Kind.ANSWER, status=404, body=of_another, method="DELETE", commit=is_done, times=0)
    outcome = _ended(world)
    assert outcome.result is (Result.DONE if is_done else Result.FAILED)
    assert (recorded in world.live()) is not is_done
    assert ("b" in world.state().records) is not is_done
    assert any(call.method == "GET" and call.path.endswith(recorded) for call in world.calls)


def test_a_delete_answered_so_whose_assistant_cannot_be_read_is_unknown() -> None:
    world = _world("DELETE")
    world.fail(kind=Kind.ANSWER, status=404, body=_error(current().words(OTHER)), path=f"{current().path}/", times=0)
    report = world.apply(prune=True)
    assert results(report)["b"] == "unknown outcome"
    assert code(report) is Exit.UNREADABLE
    assert "b" in world.state().records
    world.faults.clear()
    assert results(world.apply(prune=True))["b"] == "done"


CREATES = {
    "429": (_answer(429, _error("slow")), Result.UNKNOWN, words.SLOWER),
    "a login page": (LOGIN, Result.UNKNOWN, words.ELSEWHERE),
    "redirect": ({"kind": Kind.REDIRECT}, Result.UNKNOWN, words.REDIRECT),
    "another kind": (_answer(200, {"object": "list"}), Result.UNKNOWN, ""),
    "silence": ({"kind": Kind.DROP}, Result.UNKNOWN, words.PATIENCE),
    "nobody": ({"kind": Kind.REFUSE}, Result.FAILED, words.NETWORK),
    "no quota": (_answer(429, _error("Quota.", code="insufficient_quota")), Result.FAILED, words.QUOTA),
    "403": (_answer(403, _error("no right")), Result.FAILED, words.RIGHT),
    "the endpoint's 404": (_answer(404, {"message": "Not Found"}), Result.FAILED, words.NO_PATH),
    "the model's 404": (_answer(404, _error("No model.", param="model")), Result.FAILED, words.MEND),
    "400": (_answer(400, _error("Odd.")), Result.FAILED, words.MEND),
}


@pytest.mark.parametrize("name", CREATES)
def test_a_create_says_the_same_words(name: str) -> None:
    fault, result, hint = CREATES[name]
    prod = Selection(target="prod")
    world = World(definitions=fleet(definition("a"))).with_target(max_retries=0, selection=prod)
    world.fail(**fault, method="POST", times=0)
    (outcome,) = world.apply().outcomes
    assert outcome.result is result
    hint = _of_run(hint, prune=False, selection=prod)
    assert outcome.hint.endswith((hint, f"{hint} To try again: trueup apply -t prod"))
    if result is Result.UNKNOWN:
        assert outcome.hint.startswith("To list what is live, and create it if it is not there: trueup apply -t prod")
    assert all(part.selection == prod for part in parts_of(outcome.hint) if isinstance(part, Command))


def test_one_try_is_a_try() -> None:
    world = _world("POST").with_target(max_retries=0)
    world.fail(kind=Kind.ANSWER, status=429, body=_error("slow"), method="POST", times=0)
    assert _ended(world).message == "failed after 1 attempt: HTTP 429: slow"


def test_a_field_that_the_server_ignores_leads_to_its_definition() -> None:
    world = _world("POST")
    unchanged = world.live()[world.id_of("b")]
    world.fail(kind=Kind.ANSWER, status=200, body=unchanged, method="POST", times=0)
    outcome = _ended(world)
    assert outcome.message.endswith(f"the response shows nothing of what was sent ({current().scalar})")
    assert "ignore_changes" in outcome.hint


def test_a_stamp_that_the_server_ignores_leads_to_the_target() -> None:
    world = World(definitions=fleet(definition("a"))).with_target(max_retries=0)
    world.apply()
    world.edit(world.id_of("a"), metadata={})
    world.fail(kind=Kind.ANSWER, status=200, body=world.live()[world.id_of("a")], method="POST", times=0)
    (outcome,) = world.apply(stamp_all=True).outcomes
    assert outcome.message == "failed after 1 attempt: the response shows nothing of what was sent"
    assert outcome.hint == words.NO_STAMP


def versioned(world: World) -> Adapter:
    """Return the protocol with versions: its 409 refuses a write that rests on an old one."""
    adapter = adapter_for(world.target)
    read = adapter.problem

    def problem(reply: Reply) -> Problem:
        stale = reply.status == 409
        return replace(read(reply), conflict=stale, unclear=is_unclear(reply.status) and not stale)

    adapter.problem = problem  # type: ignore[method-assign]
    return adapter


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_write_on_an_old_version_is_sent_once(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an experiment with a second protocol it was sent four times, and each time refused."""
    world = _world(method)
    monkeypatch.setattr(world, "adapter", lambda: versioned(world))
    world.fail(kind=Kind.ANSWER, status=409, body=_error("stale"), method=method, times=0)
    outcome = _ended(world)
    assert (outcome.result, outcome.message, outcome.attempts) == (Result.FAILED, "HTTP 409: stale", 1)
    assert outcome.hint == _of_run(words.JUDGE)
    assert [call.method for call in world.calls].count(method) == 1
    assert world.state().pending == {}
