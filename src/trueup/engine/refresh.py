"""Reads what is live, and says whether that is all of it. A partial view is never taken for the whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from trueup.core.call import Reply
from trueup.core.errors import EndpointError, NotSent, OutcomeUnknown
from trueup.engine.courier import Courier, each
from trueup.wire.base import Adapter, Live, Unexpected


@dataclass(slots=True)
class View:
    """What was read. `read_at` is monotonic seconds; `absent` are recorded ids whose own 404 was seen; `unread` are
    recorded ids that could not be read; `problem` says why `complete` is False."""

    live: dict[str, Live] = field(default_factory=dict)
    read_at: dict[str, float] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    complete: bool = True
    problem: str = ""
    pages: int = 0

    def cut(self, problem: str) -> None:
        """Marks the view as partial; the first reason is kept."""
        self.problem = self.problem or problem
        self.complete = False


async def refresh(adapter: Adapter, courier: Courier, recorded: Iterable[str]) -> View:
    """Lists everything, then reads each recorded id that the listing did not show.

    Raises `EndpointError` when nothing at all can be read.
    """
    view = await walk(adapter, courier)
    missing = sorted(set(recorded) - view.live.keys())

    async def look(live_id: str) -> None:
        try:
            live = await courier.follow(adapter.get(live_id))
        except (Unexpected, NotSent, OutcomeUnknown) as error:
            view.unread.add(live_id)
            view.cut(f"{live_id} could not be read: {error}")
            return
        if live is None:
            view.absent.add(live_id)
            return
        view.cut(f"the listing did not show {live_id}, which exists")
        _keep(view, live, courier)

    await each(missing, courier.pace.parallelism, look)
    return view


async def walk(adapter: Adapter, courier: Courier) -> View:
    """One complete listing, oldest first, or a view that says where it was cut."""
    view, after = View(), ""
    while True:
        reply: Reply | None = None
        try:
            reply = await courier.read(adapter.list_page(after))
            page = adapter.read_page(reply)
        except (Unexpected, NotSent, OutcomeUnknown) as error:
            if view.pages == 0:
                raise _unreachable(adapter, error, reply) from error
            view.cut(f"page {view.pages + 1} of the listing could not be read: {error}")
            return view
        view.pages += 1
        if any(item.id in view.live for item in page.items) or len({item.id for item in page.items}) < len(page.items):
            view.cut(f"page {view.pages} of the listing repeats an id")
            return view
        for item in page.items:
            _keep(view, item, courier)
        if not page.items:
            if page.has_more:
                view.cut(f"page {view.pages} of the listing is empty and says that there is more")
            return view
        full = len(page.items) >= adapter.dialect.page_size
        if adapter.dialect.honest and not (full or page.has_more):
            return view  # elsewhere only an empty page is the end
        after = page.cursor


def _keep(view: View, live: Live, courier: Courier) -> None:
    view.live[live.id] = live
    view.read_at[live.id] = courier.ports.clock.monotonic()


def _unreachable(adapter: Adapter, error: Exception, reply: Reply | None) -> EndpointError:
    """Why nothing could be read at all, and what to do about it."""
    if isinstance(error, (NotSent, OutcomeUnknown)):
        return EndpointError(f"The target cannot be reached: {error}", "Check base_url, the network and any proxy.")
    status = reply.status if reply is not None else 0
    text = str(error)
    if status in (401, 403):
        return EndpointError(
            f"The target refused the credentials: {text}",
            "Check that the key belongs to this account and project and may read assistants.",
        )
    if status == 404:
        return EndpointError(
            f"There is no assistants endpoint here: {text}",
            f"Check base_url. OpenAI switched its own ({adapter.dialect.base_url}/assistants) off on 2026-08-26; "
            "definitions can be applied to another target.",
        )
    if status == 200:
        return EndpointError(
            f"The target's answer is no listing of assistants: {text}",
            "Check base_url: a proxy or a login page may be answering in its place.",
        )
    return EndpointError(f"The target could not be read: {text}", "Nothing was changed. Try again later.")
