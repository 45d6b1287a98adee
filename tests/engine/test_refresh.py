"""A listing read in stretches is the listing read page by page, or says that it is not whole; never silently less."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from sys import intern
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.world import Clock
from tests.extent import examples
from trueup.core.call import Body, Call, Reply
from trueup.core.errors import EndpointError, OutcomeUnknown
from trueup.engine import refresh as subject
from trueup.engine.ports import Ports, Progress
from trueup.engine.refresh import View, list_all, refresh
from trueup.engine.request_runner import Pace, RequestRunner
from trueup.wire.base import Page
from trueup.wire.openai_assistants.adapter import OpenAIAssistants
from trueup.wire.openai_assistants.fields import DIALECTS

GONE = ("bad request", "not found", "nothing", "nothing but more", "its old place", "the first page")
"""How servers answer a cursor whose object was deleted."""


@dataclass
class Shelf:
    """A vendor that only lists. What happens at the n-th request is set up by a test."""

    order: list[str]
    page_size: int = 2
    gone: str = "bad request"
    honest: bool = True
    lazy: int = 0
    deleted: set[str] = field(default_factory=set)
    large: dict[str, int] = field(default_factory=dict)
    bound: int = 0
    heeds_limit: bool = True
    sizes: list[int] = field(default_factory=list)
    births: dict[int, str] = field(default_factory=dict)
    deaths: dict[int, str] = field(default_factory=dict)
    replies: dict[int, Reply | Exception] = field(default_factory=dict)
    lists: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    busy: int = 0
    busiest: int = 0

    @property
    def alive(self) -> list[str]:
        return [name for name in self.order if name not in self.deleted]

    async def send(self, call: Call) -> Reply:
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        dice = random.Random(f"{self.lazy} {len(self.lists)} {len(self.reads)}")
        for _ in range(dice.randint(0, self.lazy)):
            await asyncio.sleep(0)
        self.busy -= 1
        if call.path != "/assistants":
            return self._read(call.path.rsplit("/", 1)[-1])
        number = len(self.lists)
        self.lists.append(call.query.get("after", ""))
        if number in self.births:
            self.order.append(self.births[number])
        if number in self.deaths:
            self.deleted.add(self.deaths[number])
        planned = self.replies.get(number)
        if isinstance(planned, Exception):
            raise planned
        self.sizes.append(int(call.query["limit"]))
        return planned or self._list(call.query.get("after", ""), min(self.page_size, self.sizes[-1]))

    def _read(self, name: str) -> Reply:
        self.reads.append(name)
        if name in self.alive:
            return Reply(200, {}, {"object": "assistant", "id": name})
        return Reply(404, {}, {"error": {"message": f"No assistant found with id '{name}'."}})

    def _list(self, after: str, size: int) -> Reply:
        start = 0
        if after in self.order:
            start = self.order.index(after) + 1
        if after and after not in self.alive:
            if self.gone in ("bad request", "not found"):
                status = 400 if self.gone == "bad request" else 404
                return Reply(status, {}, {"error": {"message": f"no object in this list has the id {after}"}})
            if self.gone.startswith("nothing"):
                return page([], more=self.gone != "nothing")
            start = 0 if self.gone == "the first page" else start
        rest = [name for name in self.order[start:] if name not in self.deleted]
        size = size if self.heeds_limit else self.page_size
        if self.bound and sum(self.large.get(name, 1) for name in rest[:size]) > self.bound:
            return Reply(200, {}, Body.TOO_LARGE, '{"object": "list"')
        return page(rest[:size], more=len(rest) > size)

    def adapter(self) -> OpenAIAssistants:
        plain = OpenAIAssistants(DIALECTS["openai"])
        plain.dialect = replace(plain.dialect, page_size=self.page_size, honest=self.honest)
        return plain

    def runner(self, parallelism: int = 8) -> RequestRunner:
        async def no_journal(_entry: object) -> None:
            raise AssertionError("reading writes no journal")

        def no_backup(_name: str, _kind: str, _body: object) -> None:
            raise AssertionError("reading makes no backup")

        return RequestRunner(
            Ports(self.send, Clock(), no_journal, no_backup, random.Random(1)), Pace(parallelism, 0.0, 1)
        )


def page(names: Sequence[str], *, more: bool) -> Reply:
    data = [{"object": "assistant", "id": name, "created_at": 1, "name": name} for name in names]
    return Reply(200, {}, {"object": "list", "data": data, "has_more": more})


def names(count: int) -> list[str]:
    return [f"asst_{index:05}" for index in range(count)]


def walked(shelf: Shelf, known: Sequence[str], parallelism: int = 8) -> View:
    with patch.object(subject, "MANY", 4):
        return asyncio.run(list_all(shelf.adapter(), shelf.runner(parallelism), known))


def refreshed(shelf: Shelf, known: Sequence[str]) -> View:
    with patch.object(subject, "MANY", 4):
        return asyncio.run(refresh(shelf.adapter(), shelf.runner(), known))


@st.composite
def shelves(draw: st.DrawFn, *, born: bool = False, died: bool = False) -> tuple[Shelf, list[str]]:
    """Draw a fleet, and what is known of it: some of it, some that is gone, some that never was, in any order."""
    order = draw(st.permutations(names(draw(st.integers(0, 40)))))
    known = draw(st.lists(st.sampled_from(order), unique=True)) if order else []
    known = draw(st.sampled_from([list(order), sorted(known, key=order.index), known]))
    known = known + draw(st.lists(st.sampled_from(["asst_of_another_world", "asst_x"]), unique=True))
    shelf = Shelf(
        order=list(order),
        page_size=draw(st.integers(1, 7)),
        gone=draw(st.sampled_from(GONE[:2] if died else GONE)),
        honest=draw(st.booleans()),
        lazy=draw(st.integers(0, 9)),
        deleted=set(draw(st.lists(st.sampled_from(order), unique=True, max_size=12))) if order else set(),
    )
    moments = st.integers(0, 25)
    if born:
        shelf.births = {at: f"asst_new_{at}" for at in draw(st.lists(moments, max_size=5))}
    if died and order:
        shelf.deaths = draw(st.dictionaries(moments, st.sampled_from(order), max_size=3))
    return shelf, known


@settings(deadline=None, max_examples=examples(300))
@given(shelves(), st.integers(1, 16))
def test_a_listing_that_holds_still_is_read_whole_and_in_order(made: tuple[Shelf, list[str]], parallelism: int) -> None:
    shelf, known = made
    view = walked(shelf, known, parallelism)
    assert view.complete
    assert list(view.live) == shelf.alive
    assert view.live.keys() == view.read_at.keys()
    assert shelf.busiest <= parallelism


@settings(deadline=None, max_examples=examples(300))
@given(shelves(born=True))
def test_what_is_created_meanwhile_hides_nothing(made: tuple[Shelf, list[str]]) -> None:
    shelf, known = made
    before = set(shelf.alive)
    view = walked(shelf, known)
    assert view.complete
    assert before <= view.live.keys() <= set(shelf.alive)


@settings(deadline=None, max_examples=examples(300))
@given(shelves(born=True, died=True))
def test_what_is_deleted_meanwhile_makes_it_partial_at_worst(made: tuple[Shelf, list[str]]) -> None:
    shelf, known = made
    before = set(shelf.alive)
    view = walked(shelf, known)
    if view.complete:
        assert before & set(shelf.alive) <= view.live.keys()


@settings(deadline=None, max_examples=examples(200))
@given(shelves(), st.data())
def test_a_page_that_fails_is_never_passed_over(made: tuple[Shelf, list[str]], data: st.DataObject) -> None:
    shelf, known = made
    failures: list[Reply | Exception] = [
        Reply(403, {}, {"error": {"message": "not yours"}}),
        Reply(500),
        Reply(200, {}, {"object": "list", "data": [], "has_more": True}),
        Reply(200, {}, {"object": "list", "data": [], "has_more": "no"}),
        Reply(200, {}, {"data": None}),
        OutcomeUnknown("silence"),
    ]
    failure = data.draw(st.sampled_from(failures))
    shelf.replies = dict.fromkeys(range(data.draw(st.integers(1, 20)), 99), failure)
    view = walked(shelf, known)
    if view.complete:
        assert list(view.live) == shelf.alive
    else:
        assert view.problem


@pytest.mark.parametrize("odd", [0, 99, 100, 450, 999])
def test_a_page_of_many_whose_has_more_is_no_word_cuts_the_listing(odd: int) -> None:
    """Also where it holds the id that another stretch begins after: nothing it says of itself can be relied on."""
    shelf, known = Shelf(names(1000), page_size=100, lazy=3), names(1000)
    whole = shelf._list

    def answer(after: str, size: int) -> Reply:
        reply = whole(after, size)
        struck = any(item["id"] == known[odd] for item in reply.json["data"])
        return replace(reply, json={**reply.json, "has_more": 1}) if struck else reply

    with patch.object(shelf, "_list", answer):
        view = walked(shelf, known)
    assert not view.complete
    assert view.problem.endswith("of the listing has a `has_more` that is neither true nor false")
    assert known[odd] in view.live


def test_many_known_ids_are_read_side_by_side() -> None:
    shelf = Shelf(names(1000), page_size=100, lazy=3)
    view = refreshed(shelf, names(1000))
    assert view.complete
    assert list(view.live) == shelf.alive
    assert len(shelf.lists) == 11  # a full last page is followed
    assert shelf.busiest == 8


def test_ten_thousand_take_sixteen_stretches_of_whole_pages() -> None:
    shelf = Shelf(names(10_000), page_size=100, lazy=3)
    view = walked(shelf, names(10_000), parallelism=16)
    assert len(view.live) == 10_000
    assert len(shelf.lists) == 101  # a full last page is followed
    assert shelf.busiest == 15


def test_a_prompt_that_a_file_holds_too_is_in_memory_once() -> None:
    written = intern("".join(["Be brief. "] * 9))
    entry = {"object": "assistant", "id": "asst_1", "created_at": 1, "instructions": "".join(["Be brief. "] * 9)}
    shelf = Shelf(["asst_1"], replies={0: Reply(200, {}, {"object": "list", "data": [entry], "has_more": False})})
    live = walked(shelf, []).live["asst_1"]
    assert live.body["instructions"] is written
    assert live.raw["instructions"] is written


def test_few_known_ids_are_read_page_by_page() -> None:
    shelf = Shelf(names(250), page_size=100, lazy=3)
    view = asyncio.run(refresh(shelf.adapter(), shelf.runner(), names(250)))
    assert view.complete
    assert shelf.busiest == 1


def test_a_deleted_cursor_costs_its_neighbour_a_few_pages_and_nobody_else() -> None:
    gone = names(1000)[199]
    for manner in GONE[:4]:
        shelf = Shelf(names(1000), page_size=100, gone=manner, deleted={gone})
        view = refreshed(shelf, names(1000))
        assert view.complete
        assert view.absent == {gone}
        assert list(view.live) == shelf.alive
        assert len(shelf.lists) == 12


class Tokens(OpenAIAssistants):
    """A protocol whose way to the next page is a token, which nobody can guess from an id."""

    def __init__(self, page_size: int) -> None:
        super().__init__(DIALECTS["openai"])
        self.dialect = replace(self.dialect, page_size=page_size, listing="tokens", honest=False)

    def list_page(self, cursor: str, order: str = "asc", size: int = 0) -> Call:
        return super().list_page(cursor.removeprefix("token-"), order, size)

    def read_page(self, reply: Reply) -> Page:
        found = super().read_page(reply)
        return replace(found, cursor=f"token-{found.items[-1].id if found.items else ''}" if found.has_more else None)


def test_a_server_that_goes_by_page_tokens_is_read_page_by_page() -> None:
    shelf = Shelf(names(1000), page_size=100, lazy=3)
    view = asyncio.run(list_all(Tokens(100), shelf.runner(), names(1000)))
    assert view.complete
    assert list(view.live) == shelf.alive
    assert shelf.busiest == 1


def test_a_full_last_page_without_a_token_is_the_end_and_page_one_is_read_once() -> None:
    shelf = Shelf(names(4), page_size=2)
    view = asyncio.run(list_all(Tokens(2), shelf.runner(), names(4)))
    assert (view.complete, list(view.live)) == (True, names(4))
    assert shelf.lists == ["", names(4)[1]]


@pytest.mark.parametrize("again", [names(2), []])
def test_a_token_that_leads_to_nothing_new_ends_the_walk_as_a_partial_view(again: list[str]) -> None:
    shelf = Shelf(names(4), page_size=2, replies={1: page(again, more=True)})
    view = asyncio.run(list_all(Tokens(2), shelf.runner()))
    assert not view.complete
    assert len(shelf.lists) == 2
    assert list(view.live) == names(2)


class Whole(OpenAIAssistants):
    """A protocol whose listing holds everything in one answer, and says nothing of `has_more`."""

    def __init__(self) -> None:
        super().__init__(DIALECTS["openai"])
        self.dialect = replace(self.dialect, page_size=100, listing="whole", honest=False)

    def read_page(self, reply: Reply) -> Page:
        return replace(super().read_page(reply), has_more=False)


@dataclass
class Heedless(Shelf):
    """A server that always lists from the beginning, like ApiPi 0.15; `heeds_limit` is about the limit alone."""

    def _list(self, _after: str, size: int) -> Reply:
        return super()._list("", size)


def test_a_whole_listing_may_change_its_order_between_its_readings() -> None:
    shelf = Heedless(names(3), page_size=1_000, replies={1: page(names(3)[::-1], more=False)})
    view = asyncio.run(list_all(Whole(), shelf.runner()))
    assert (view.complete, list(view.live)) == (True, names(3))


@pytest.mark.parametrize("count", [0, 1, 3, 100, 250])
def test_a_listing_that_ignores_cursor_and_limit_is_whole_where_its_dialect_says_so(count: int) -> None:
    shelf = Heedless(names(count), page_size=1_000, heeds_limit=False)
    view = asyncio.run(refresh(Whole(), shelf.runner(), names(count)))
    assert (view.complete, view.problem, list(view.live)) == (True, "", names(count))
    assert shelf.sizes == ([100, 1] if count else [100])


def test_the_same_of_a_dialect_that_does_not_say_so_is_partial() -> None:
    shelf = Heedless(names(3), page_size=100, heeds_limit=False, honest=False)
    view = asyncio.run(refresh(shelf.adapter(), shelf.runner(), names(3)))
    assert (view.complete, list(view.live), len(shelf.lists)) == (False, names(3), 2)
    assert view.problem == "page 2 of the listing repeats page 1, so the rest is unknown"


@pytest.mark.parametrize("count", [2, 100, 101])
def test_a_limit_that_is_heeded_and_a_cursor_that_is_not_hide_what_comes_after(count: int) -> None:
    """What would be read as the whole of a hundred and one is the first hundred of them."""
    shelf = Heedless(names(count), page_size=100)
    view = asyncio.run(refresh(Whole(), shelf.runner(), ()))
    assert not view.complete
    assert view.problem == "page 2 of the listing repeats an id"


@pytest.mark.parametrize("count", [1, 100, 101, 250])
def test_a_whole_listing_that_pages_after_all_is_read_page_by_page(count: int) -> None:
    shelf = Shelf(names(count), page_size=100)
    view = asyncio.run(list_all(Whole(), shelf.runner()))
    assert (view.complete, list(view.live)) == (True, names(count))


def test_a_whole_listing_that_changes_between_its_readings_is_partial() -> None:
    shelf = Heedless(names(3), page_size=100, heeds_limit=False, births={1: "asst_new"})
    assert not asyncio.run(list_all(Whole(), shelf.runner())).complete


def test_a_joint_that_nobody_comes_upon_has_everything_read_again() -> None:
    """A cursor that is deleted between its neighbour's page and its own."""
    shelf = Shelf(names(12), page_size=4, deaths={2: names(12)[7]}, gone="nothing")
    view = walked(shelf, names(12))
    assert view.complete
    assert list(view.live) == shelf.alive
    assert shelf.lists.count("") == 2


def test_a_recorded_one_behind_a_listing_that_lost_it_makes_the_view_partial() -> None:
    shelf = Shelf(names(12), page_size=4)
    hidden = names(12)[5]

    class Blind(OpenAIAssistants):
        def read_page(self, reply: Reply) -> Page:
            found = super().read_page(reply)
            return replace(found, items=tuple(item for item in found.items if item.id != hidden))

    adapter = Blind(DIALECTS["openai"])
    adapter.dialect = shelf.adapter().dialect
    with patch.object(subject, "MANY", 4):
        view = asyncio.run(refresh(adapter, shelf.runner(), names(12)))
    assert not view.complete
    assert hidden in view.problem


def test_when_reading_by_itself_fails_again_and_again_the_rest_is_not_asked_for() -> None:
    shelf = Shelf([], page_size=4)
    original = shelf.send
    reads: list[str] = []

    async def send(call: Call) -> Reply:
        if call.path == "/assistants":
            return await original(call)
        reads.append(call.path)
        return Reply(403, {}, {"error": {"message": "no"}})

    runner = shelf.runner(1)
    runner.ports.send = send
    view = asyncio.run(refresh(shelf.adapter(), runner, names(200)))
    assert not view.complete
    assert view.unread == set(names(200))
    assert len(reads) == subject.UNREADABLE


@pytest.mark.parametrize("failure", [Reply(401), Reply(404), Reply(500), OutcomeUnknown("silence")])
def test_nothing_at_all_is_asked_for_behind_a_first_page_that_cannot_be_read(failure: Any) -> None:
    shelf = Shelf(names(1000), page_size=100, replies=dict.fromkeys(range(99), failure))
    with pytest.raises(EndpointError):
        refreshed(shelf, names(1000))
    assert set(shelf.lists) == {""}


def test_a_listing_without_end_is_given_up_after_a_thousand_pages_and_told_meanwhile() -> None:
    shelf = Shelf(names(2_100), page_size=2)
    runner = shelf.runner(8)
    told: list[Progress] = []
    runner.ports.progress = told.append
    view = asyncio.run(list_all(shelf.adapter(), runner))
    assert not view.complete
    assert "has more than 1,000 pages" in view.problem
    assert (told[0].what, told[0].done, told[-1].done, told[-1].total) == ("Reading assistants", 0, 2_000, 0)
    assert asyncio.run(list_all(shelf.adapter(), shelf.runner(8), most=1_100)).complete


@settings(deadline=None, max_examples=examples(300))
@given(shelves(), st.integers(1, 12), st.data())
def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(
    made: tuple[Shelf, list[str]], bound: int, data: st.DataObject
) -> None:
    shelf, known = made
    shelf.bound = bound
    shelf.large = {name: data.draw(st.integers(1, bound)) for name in shelf.order}
    view = walked(shelf, known)
    assert view.complete
    assert list(view.live) == shelf.alive


@settings(deadline=None, max_examples=examples(200))
@given(shelves(), st.data())
def test_one_that_is_too_large_by_itself_is_never_passed_over(
    made: tuple[Shelf, list[str]], data: st.DataObject
) -> None:
    shelf, known = made
    if not shelf.alive:
        return
    shelf.bound, shelf.large = 5, {data.draw(st.sampled_from(shelf.alive)): 6}
    said = "the response is larger than 64 MiB, the most that Trueup reads, even where only one assistant is asked for"
    if shelf.alive[0] in shelf.large:
        with pytest.raises(EndpointError, match=said):
            walked(shelf, known)
        return
    view = walked(shelf, known)
    assert not view.complete
    before = shelf.alive[shelf.alive.index(next(iter(shelf.large))) - 1]
    assert view.problem.endswith(f" of the listing after {before} could not be read: HTTP 200, and {said}")


def test_the_walk_goes_on_with_the_page_size_that_was_taken() -> None:
    shelf = Shelf(names(400), page_size=100, bound=30)
    view = walked(shelf, [])
    assert view.complete
    assert list(view.live) == shelf.alive
    assert shelf.sizes == [100, 50, *[25] * 17]  # a full last page is followed

    shelf = Shelf(names(400), page_size=100, bound=30, lazy=3)
    view = walked(shelf, names(400))
    assert list(view.live) == shelf.alive
    assert shelf.sizes == [100, 50, *[25] * 17]
    assert shelf.busiest == 8


def test_a_page_of_the_smaller_size_is_no_end_by_itself() -> None:
    shelf = Shelf(names(7), page_size=4, bound=2, honest=False)
    view = walked(shelf, [])
    assert view.complete
    assert list(view.live) == shelf.alive
    assert shelf.sizes == [4, 2, 2, 2, 2, 2]  # only an empty one is


def test_smaller_pages_may_be_more() -> None:
    shelf = Shelf(names(5_000), page_size=4, bound=1)
    assert asyncio.run(list_all(shelf.adapter(), shelf.runner(), most=1_250 + 1)).complete
    assert not asyncio.run(list_all(shelf.adapter(), shelf.runner(), most=1_249)).complete


def test_a_server_that_takes_no_notice_of_the_limit_is_given_up() -> None:
    shelf = Shelf(names(10), page_size=100, bound=5, heeds_limit=False)
    with pytest.raises(EndpointError) as caught:
        refreshed(shelf, names(10))
    assert caught.value.message == (
        "The target's listing cannot be read: HTTP 200, and the response is larger than 64 MiB, the most that "
        "Trueup reads, even where only one assistant is asked for."
    )
    assert "whether the server supports `limit`" in caught.value.hint
    assert shelf.sizes == [100, 50, 25, 12, 6, 3, 1]


def test_an_error_that_is_too_large_is_not_asked_for_in_pieces() -> None:
    shelf = Shelf(names(10), replies=dict.fromkeys(range(9), Reply(403, {}, Body.TOO_LARGE)))
    with pytest.raises(
        EndpointError, match="refused the credentials: HTTP 403, and the response is larger than 64 MiB"
    ):
        refreshed(shelf, [])
    assert len(shelf.lists) == 1


def test_a_recorded_one_that_is_too_large_by_itself_is_unread_and_the_reason_is_told() -> None:
    shelf = Shelf(names(3), page_size=4)
    original = shelf.send

    async def send(call: Call) -> Reply:
        return await original(call) if call.path == "/assistants" else Reply(200, {}, Body.TOO_LARGE)

    runner = shelf.runner(1)
    runner.ports.send = send
    view = asyncio.run(refresh(shelf.adapter(), runner, ["asst_x"]))
    assert view.unread == {"asst_x"}
    assert view.problem == "asst_x could not be read: the response is larger than 64 MiB, the most that Trueup reads"


@pytest.mark.parametrize("status", [404, 500])
def test_a_404_that_names_nothing_is_told_from_other_failures(status: int) -> None:
    shelf = Shelf(names(3), page_size=4)
    original = shelf.send

    async def send(call: Call) -> Reply:
        return await original(call) if call.path == "/assistants" else Reply(status, {}, {"detail": "Not Found"})

    runner = shelf.runner(1)
    runner.ports.send = send
    view = asyncio.run(refresh(shelf.adapter(), runner, ["asst_x"]))
    assert (view.unread, view.maybe_gone) == ({"asst_x"}, {"asst_x"} if status == 404 else set())
