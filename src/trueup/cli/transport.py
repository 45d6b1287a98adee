"""Connections to a target, in two kinds: `reading` cannot write, `writing` can. Knows no command and judges no answer.

A command that only looks imports only `reading`: a test holds that. The transport itself is private to this file.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from trueup.cli.session import Session
from trueup.core.call import Call, Reply, Send, read_only
from trueup.core.errors import EndpointError
from trueup.core.memory.journal import Entry
from trueup.core.source import Diagnostic
from trueup.engine.ports import Ports
from trueup.engine.request_runner import Pace, RequestRunner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.cli.output import Screen
    from trueup.edge.state.journal_file import Journal


T = TypeVar("T")

TICK = 0.5
"""Seconds after which what is shown of the work is brought up to date."""


class WallClock:
    """The machine's clock; satisfies `engine.ports.Clock`."""

    def wall(self) -> float:
        """Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run the work in an event loop and return its result; a Ctrl-C is raised in it, as `asyncio.run` does.

    The loop's task is never given the result: Python 3.11 spells a task out, with all that it returned, each time
    the handler of Ctrl-C is put back, and for a plan of thousands that takes seconds.
    """
    found: list[T] = []

    async def keep_result() -> None:
        found.append(await work)

    asyncio.run(keep_result())
    return found[0]


@asynccontextmanager
async def reading(session: Session) -> AsyncIterator[RequestRunner]:
    """Open a connection whose runner can send nothing but GET, and write no journal and no backup."""
    async with _open_transport(session, writes=False) as send:
        yield RequestRunner(_make_ports(session, read_only(send), _refuse_journal, _refuse_backup), _make_pace(session))


@asynccontextmanager
async def writing(session: Session) -> AsyncIterator[RequestRunner]:
    """Open a connection whose runner can write, under the target's lock; `journal_writes` opens its journal."""
    async with _open_transport(session, writes=True) as send:
        yield RequestRunner(_make_ports(session, send, _refuse_journal, session.store.backup), _make_pace(session))


@contextmanager
def journal_writes(session: Session, runner: RequestRunner) -> Iterator[Journal]:
    """Open the target's journal for the runner's writes. Raises TrueupError."""
    journal = session.store.open_journal()
    runner.ports.journal = journal.append
    try:
        yield journal
    finally:
        runner.ports.journal = _refuse_journal
        journal.close()


def _make_ports(
    session: Session,
    send: Send,
    journal: Callable[[Entry], Any],
    backup: Callable[[str, str, object], None],
) -> Ports:
    return Ports(
        send, WallClock(), journal, backup, progress=session.screen.show_progress, waiting=session.screen.show_wait
    )


def _make_pace(session: Session) -> Pace:
    target = session.target
    most = session.adapter.dialect.parallelism or target.parallelism
    return Pace(min(target.parallelism, most), target.rate_limit, target.max_retries)


async def _refuse_journal(entry: Entry) -> None:
    raise PermissionError(f"{entry.action} of {entry.name} refused: no journal is open")


def _refuse_backup(name: str, _kind: str, _body: object) -> None:
    raise PermissionError(f"backup of {name} refused: this command is read-only")


@asynccontextmanager
async def _open_transport(session: Session, *, writes: bool) -> AsyncIterator[Send]:
    """Open the target's transport: the embedded server in this process, or HTTP."""
    async with _connect(session, writes=writes) as send, _keep_ticking(session.screen):
        try:
            yield _log_requests(send, session) if session.screen.verbose >= 2 else send
        except EndpointError as error:
            error.diagnostics = _locate_problems(error, session)
            raise


def _connect(session: Session, *, writes: bool) -> AbstractAsyncContextManager[Send]:
    if session.target.is_local:
        return _connect_local(session, writes)
    from trueup.cli.remote import connect_remote

    return connect_remote(session)


@asynccontextmanager
async def _keep_ticking(screen: Screen) -> AsyncIterator[None]:
    """Keep what is shown of the work up to date, also while one answer takes long."""

    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK)
            screen.tick()

    ticking = asyncio.ensure_future(tick())
    try:
        yield
    finally:
        ticking.cancel()
        screen.start_work()


def _locate_problems(error: EndpointError, session: Session) -> tuple[Diagnostic, ...]:
    """Return an error's problems with where their settings stand in the project file, unless another file gave them."""
    from trueup.edge.project_file import locate_setting

    if session.commands is not None:
        return error.diagnostics
    return tuple(replace(item, position=locate_setting(session.root, item.path)) for item in error.diagnostics)


@asynccontextmanager
async def _connect_local(session: Session, writes: bool) -> AsyncIterator[Send]:
    """Open the embedded server of the target's protocol; where nothing was ever applied, reading it makes no file."""
    from trueup.local.registry import local_database, open_server

    target = session.target
    path = local_database(session.root, target.protocol)
    with open_server(target.protocol, path if writes or path.exists() else ":memory:", target.dialect) as server:

        async def send(call: Call) -> Reply:
            await asyncio.sleep(0)  # lets an interrupt and the progress line have their turn
            return server.answer(call)

        yield send


def _log_requests(send: Send, session: Session) -> Send:
    """Tells each request on stderr: method, path, status and time; never a header or a body."""

    async def send_logged(call: Call) -> Reply:
        start, end = time.monotonic(), "no answer"
        query = "&".join(f"{name}={value}" for name, value in call.query.items())
        try:
            reply = await send(call)
            end = str(reply.status)
            return reply
        finally:
            spent = (time.monotonic() - start) * 1000
            session.screen.note(f"{call.method} {call.path}{'?' if query else ''}{query}  {end}  {spent:.0f} ms")

    return send_logged
