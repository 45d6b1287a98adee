"""Reads what is live, and says whether that is all of it. A partial view is never taken for the whole.

Pages come one after another, unless many ids are known: then the listing is read in stretches side by side, each from
a known id to where the next one begins. That nothing lies between two stretches is proven by the joins: each must have
come upon the very id that another one began after. On any doubt the whole is read again, page after page.

A page that is larger than is read of an answer is asked for again with half as many assistants, down to one.

By page tokens there is one way only, and it ends where the server gives no further token. Of a server whose one answer
is known to hold everything a second one is asked for, of a single assistant after the last: the same answer again shows
that it heeds neither, so that nothing was left out for their sake.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from sys import intern
from typing import TYPE_CHECKING

from trueup.core.call import Body, Reply
from trueup.core.command import join_messages
from trueup.core.errors import EndpointError, NotSent, OutcomeUnknown
from trueup.core.field_table import FieldTable
from trueup.core.memory.state import State
from trueup.core.source import Diagnostic, Path, Severity
from trueup.engine.ports import Progress, estimate_left
from trueup.engine.request_runner import RequestRunner, run_concurrently
from trueup.engine.write_failures import ELSEWHERE, NETWORK, REDIRECT
from trueup.wire.base import Adapter, Dialect, Live, Page, UnclearAbsence, Unexpected
from trueup.wire.registry import row_of

if TYPE_CHECKING:
    from trueup.core.migration.export import Export

STRETCHES = 16
"""Stretches of a listing that are read side by side, at most."""

PAGES = 1_000
"""Pages after which a listing counts as endless, unless more are known: 100,000 assistants of a hundred a page, ten
times the largest fleet that was measured. Where more ids are recorded, it is twice as many pages as there are ids.
"""

MANY = 300
"""Known ids from which on stretches are worth their requests."""

UNREADABLE = 20
"""Recorded assistants that could not be read by themselves, after which the others are not asked for."""

ALONE = ", even where only one assistant is asked for"
LARGE = (
    "Check base_url, and whether the server supports `limit`. If a single assistant is that large, shrink it at the "
    "vendor or delete it there."
)
"""What is said of a page that is larger than is read of an answer, however few assistants are asked for."""


@dataclass(slots=True)
class View:
    """What was read. `read_at` is monotonic seconds; `absent` are recorded ids whose own 404 was seen; `unread` are
    recorded ids that could not be read, and `maybe_gone` those of them whose 404 does not say what is missing;
    `problem` says why `complete` is False."""

    live: dict[str, Live] = field(default_factory=dict)
    read_at: dict[str, float] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    maybe_gone: set[str] = field(default_factory=set)
    complete: bool = True
    problem: str = ""
    pages: int = 0

    def cut(self, problem: str) -> None:
        """Mark the view as partial; the first reason is kept."""
        self.problem = self.problem or problem
        self.complete = False


class Reach(Enum):
    """How far a stretch was read."""

    OPEN = "there is more to read"
    JOINED = "up to the id that another part starts after"
    ENDED = "up to the end of the listing"
    LOST = "not at all: the id that it starts after no longer exists"
    CUT = "up to a page that could not be read"


@dataclass(slots=True)
class Stretch:
    """A piece of the listing: what follows the id `start`, or the beginning where that is empty. `size` is how many
    assistants a page is asked for, `most` how many pages of the dialect's own size are followed."""

    size: int
    start: str = ""
    items: dict[str, Live] = field(default_factory=dict)
    read_at: dict[str, float] = field(default_factory=dict)
    pages: int = 0
    reach: Reach = Reach.OPEN
    cursor: str | None = None
    problem: str = ""
    most: int = PAGES

    def cut(self, problem: str) -> None:
        """Note why nothing behind the last page is known."""
        self.reach, self.problem = Reach.CUT, problem


async def refresh(adapter: Adapter, runner: RequestRunner, recorded: Iterable[str]) -> View:
    """List everything, then reads each recorded id that the listing did not show.

    `recorded` is best handed in oldest first: the nearer to the listing's order, the more evenly it is divided.
    Raises `EndpointError` when nothing at all can be read.
    """
    known = list(dict.fromkeys(recorded))
    view = await list_all(adapter, runner, known)
    missing = sorted(set(known) - view.live.keys())

    count = 0

    async def read_one(live_id: str) -> None:
        nonlocal count
        runner.ports.progress(Progress("Reading single assistants", count, len(missing), name=live_id))
        count += 1
        if len(view.unread) >= UNREADABLE:
            view.unread.add(live_id)
            return
        try:
            live = await runner.run_reads(adapter.get(live_id))
        except (Unexpected, NotSent, OutcomeUnknown) as error:
            view.unread.add(live_id)
            if isinstance(error, UnclearAbsence):
                view.maybe_gone.add(live_id)
            view.cut(f"{live_id} could not be read: {error}")
            return
        if live is None:
            view.absent.add(live_id)
            return
        view.cut(f"the listing lacks {live_id}, which exists")
        view.live[live_id] = live
        view.read_at[live_id] = runner.ports.clock.monotonic()

    await run_concurrently(missing, runner.pace.parallelism, read_one)
    return view


async def list_all(adapter: Adapter, runner: RequestRunner, known: Sequence[str] = (), most: int = PAGES) -> View:
    """Return one complete listing, oldest first, or a view that says where it was cut.

    `known` are ids that are, or were, in it; `most` is how many pages at least are followed.
    Raises `EndpointError` when not even the first page can be read.
    """
    most = max(most, 2 * len(known))
    start = runner.ports.clock.monotonic()

    def report_progress(done: int) -> None:
        total = len(known) if done <= len(known) else 0
        left = estimate_left(runner.ports.clock.monotonic() - start, done, total)
        runner.ports.progress(Progress("Reading assistants", done, total, left))

    report_progress(0)
    first = Stretch(adapter.dialect.page_size, most=most)
    page = await _fetch_page(first, adapter, runner)
    starts = _choose_starts(known, first.size) if page is not None and adapter.dialect.listing == "ids" else []
    stretches = [first, *(Stretch(first.size, start, most=most) for start in starts)]
    stops = frozenset(starts)
    if page is not None:
        _take_page(first, page, adapter, runner, stops)

    async def read_on(stretch: Stretch) -> None:
        while stretch.reach is Reach.OPEN and not _is_cut(stretches):
            report_progress(sum(len(item.items) for item in stretches))
            page = await _fetch_page(stretch, adapter, runner)
            if page is not None:
                _take_page(stretch, page, adapter, runner, stops)

    if first.reach in (Reach.OPEN, Reach.JOINED):
        await run_concurrently(stretches, len(stretches), read_on)
    if _is_cut(stretches):
        return _make_view(stretches)
    chain = _join(stretches)
    return _make_view(chain) if chain else await _list_in_sequence(adapter, runner, stretches)


async def _list_in_sequence(adapter: Adapter, runner: RequestRunner, stretches: Sequence[Stretch]) -> View:
    """Read page after page, since the stretches did not join; where that fails, return what they read, as partial."""
    try:
        return await list_all(adapter, runner, most=stretches[0].most)
    except EndpointError as error:
        view = _make_view(stretches)
        view.cut(error.message)
        return view


def _choose_starts(known: Sequence[str], page_size: int) -> list[str]:
    """Return the known ids to begin at, a whole number of pages apart if they are in the listing's order.

    Behind the last one there is a page of known ids: were there nothing, it could not be told from one that is gone.
    """
    if len(known) < MANY:
        return []
    pages = -(-len(known) // page_size)
    step = -(-pages // STRETCHES) * page_size
    return list(known[step - 1 : len(known) - page_size : step])


async def request_page(
    adapter: Adapter, runner: RequestRunner, cursor: str, order: str, size: int
) -> tuple[Reply, int]:
    """Return the answer to the request for a page, and how many assistants were asked for in the end.

    Half as many as long as the page is larger than is read of an answer. Raises `NotSent` or `OutcomeUnknown`.
    """
    while True:
        reply = await runner.read(adapter.list_page(cursor, order, size))
        if size == 1 or not _is_too_large(reply):
            return reply, size
        size //= 2


def _is_too_large(reply: Reply | None) -> bool:
    """Return whether it is a success of which only the start was read."""
    return reply is not None and reply.status < 300 and reply.json is Body.TOO_LARGE


async def _fetch_page(stretch: Stretch, adapter: Adapter, runner: RequestRunner) -> Page | None:
    """Return the next page of a stretch; None, noted in it, when there is none to be had. Raises `EndpointError`."""
    reply: Reply | None = None
    if stretch.pages * stretch.size >= stretch.most * adapter.dialect.page_size:
        stretch.cut(f"the listing has more than {stretch.pages:,} pages; reading stopped there")
        return None
    try:
        if adapter.dialect.listing == "whole" and stretch.pages == 1:
            reply, _ = await request_page(adapter, runner, stretch.cursor or "", "asc", 1)
        else:
            reply, stretch.size = await request_page(
                adapter, runner, stretch.cursor or stretch.start, "asc", stretch.size
            )
        return adapter.read_page(reply)
    except (Unexpected, NotSent, OutcomeUnknown) as error:
        if stretch.pages == 0 and not stretch.start:
            raise _describe_unreachable(adapter, error, reply) from error
        if stretch.pages == 0 and reply is not None and reply.status in (400, 404):
            stretch.reach = Reach.LOST
        else:
            where = f"page {stretch.pages + 1} of the listing"
            last = (stretch.cursor if _is_too_large(reply) else "") or stretch.start
            after = f" after {last}" if last else ""
            stretch.cut(f"{where}{after} could not be read: {error}{ALONE if _is_too_large(reply) else ''}")
        return None


def _take_page(stretch: Stretch, page: Page, adapter: Adapter, runner: RequestRunner, stops: Collection[str]) -> None:
    """Add a page to a stretch, up to where another one begins, and judge how far that is."""
    if not page.items and stretch.start and stretch.pages == 0:
        stretch.reach = Reach.LOST
        return
    stretch.pages += 1
    ids = [item.id for item in page.items]
    if len({*ids}) < len(ids) or not stretch.items.keys().isdisjoint(ids):
        _judge_repeat(stretch, ids, page, adapter)
        return
    now = runner.ports.clock.monotonic()
    for item in page.items:
        stretch.items[item.id], stretch.read_at[item.id] = _share_prompt(item, adapter.dialect.table.prompt), now
        if item.id in stops and not page.doubt:
            stretch.reach, stretch.cursor = Reach.JOINED, item.id
            return
    stretch.cursor = page.cursor
    if page.doubt:
        stretch.cut(f"page {stretch.pages} of the listing {page.doubt}")
    elif not page.items and (page.has_more or page.cursor is not None):
        stretch.cut(f"page {stretch.pages} of the listing is empty with `has_more` true")
    elif page.cursor is None or _is_last(page, stretch, adapter.dialect):
        stretch.reach = Reach.ENDED


def _is_last(page: Page, stretch: Stretch, dialect: Dialect) -> bool:
    """Return whether a page by ids is the last one; of a server not known to be honest only an empty page is."""
    return dialect.listing == "ids" and dialect.honest and not page.has_more and len(page.items) < stretch.size


def _judge_repeat(stretch: Stretch, ids: Sequence[str], page: Page, adapter: Adapter) -> None:
    """Judge a page that brings again what was there already."""
    is_first_again = stretch.pages == 2 and sorted(ids) == sorted(stretch.items)
    if adapter.dialect.listing == "whole" and is_first_again and not page.has_more:
        stretch.reach = Reach.ENDED
    elif is_first_again:
        stretch.cut("page 2 of the listing repeats page 1, so the rest is unknown")
    else:
        stretch.cut(f"page {stretch.pages} of the listing repeats an id")


def _share_prompt(live: Live, prompt: str) -> Live:
    """Return the same with its prompt as the one copy of that text there is: most often a file holds it too."""
    text = live.body.get(prompt)
    if type(text) is not str:
        return live
    shared = {prompt: intern(text)}
    raw = {**live.raw, **shared} if prompt in live.raw else live.raw
    return replace(live, body={**live.body, **shared}, raw=raw)


def _is_cut(stretches: Sequence[Stretch]) -> bool:
    return any(stretch.reach is Reach.CUT for stretch in stretches)


def _join(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Return the stretches from beginning to end, each where the one before it stopped; none if there is any doubt.

    A stretch that no other one came upon began after an id that is gone: it must hold nothing that the others lack.
    """
    waiting = {stretch.start: stretch for stretch in stretches if stretch.reach is not Reach.LOST}
    chain = [waiting.pop("")]
    while chain[-1].reach is Reach.JOINED:
        follower = waiting.pop(chain[-1].cursor or "", None)
        if follower is None:
            return []
        chain.append(follower)
    seen = [live_id for stretch in chain for live_id in stretch.items]
    whole = set(seen)
    proven = len(whole) == len(seen) and all(stretch.items.keys() <= whole for stretch in waiting.values())
    return chain if proven else []


def _make_view(stretches: Sequence[Stretch]) -> View:
    view = View()
    for stretch in stretches:
        view.live.update(stretch.items)
        view.read_at.update(stretch.read_at)
        view.pages += stretch.pages
        if stretch.reach is Reach.CUT:
            view.cut(stretch.problem)
    return view


def _noun_of(adapter: Adapter) -> str:
    return row_of(adapter.name).noun


def _describe_missing_endpoint(adapter: Adapter, text: str) -> EndpointError:
    """Return that the address has no such endpoint, with the one that the protocol's own address lets expect."""
    access = adapter.access
    message = f"There is no {_noun_of(adapter)}s endpoint at {access.url}{adapter.list_page('').path}: {text}"
    if not access.proposal:
        more = (adapter.dialect.ended, "Definitions can be applied to another target.")
        return EndpointError(message, join_messages(("Check base_url.", *more)))
    path: Path = ("targets", access.target, "base_url")
    end = access.proposal.removeprefix(access.url)
    found = f"the URL does not end in {end}, as usual for this protocol"
    write = f"If the API is there, write `base_url: {access.proposal}`."
    return EndpointError(
        message, "Check base_url.", [Diagnostic(Severity.ERROR, "no-endpoint", found, None, path, write)]
    )


def _describe_unreachable(adapter: Adapter, error: Exception, reply: Reply | None) -> EndpointError:
    """Return why nothing could be read at all, and what to do about it."""
    text = f"{str(error).rstrip('.')}."
    if isinstance(error, (NotSent, OutcomeUnknown)):
        return EndpointError(f"The target did not respond: {text}", NETWORK)
    if _is_too_large(reply):
        return EndpointError(f"The target's listing cannot be read: {error}{ALONE}.", LARGE)
    status = reply.status if reply is not None else 0
    if status in (401, 403):
        return EndpointError(
            text if adapter.access.keys else f"The target refused the credentials: {text}",
            f"Check that the key belongs to this account and project and may read {_noun_of(adapter)}s.",
        )
    if status == 404:
        return _describe_missing_endpoint(adapter, text)
    if status == 200:
        return EndpointError(
            f"The target's response is not a listing of {_noun_of(adapter)}s: {text}",
            ELSEWHERE,
        )
    if status == 407 or 300 <= status < 400:
        return EndpointError(
            f"Something in front of the target responded instead: {text}",
            REDIRECT,
        )
    return EndpointError(f"The target could not be read: {text}", "Nothing was changed. Try again later.")


def view_export(export: Export, state: State, table: FieldTable) -> View:
    """Return what was live at the moment of an export; of what it lacks, only what is older than it counts as absent.

    What state has recorded since is unread.
    """
    view = View(pages=1)
    for entry in export.assistants:
        stamp = table.read_stamp(entry.body)
        view.live[entry.id] = Live(entry.id, entry.body, entry.created_at, entry.version, entry.extra, stamp=stamp)
        view.read_at[entry.id] = 0.0
    for record in state.records.values():
        if record.id and record.id not in view.live:
            (view.unread if record.created_at > export.exported_at else view.absent).add(record.id)
    return view
