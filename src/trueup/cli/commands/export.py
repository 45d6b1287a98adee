"""`export`: everything that is live on a target, whole, in one file. It cannot write anywhere else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trueup.cli.flags import Flags
from trueup.cli.options import NETWORK, takes

if TYPE_CHECKING:
    from trueup.cli.session import Session
    from trueup.core.migration.export import Export

STDOUT = "-"


@click.command(short_help="Write the target's live assistants to a file.")
@click.argument("file", metavar="FILE")
@click.option("--force", is_flag=True, help="Overwrite a file that is not an export.")
@takes(NETWORK)
def export(flags: Flags, file: str, force: bool) -> int:
    """Write the target's live assistants to FILE, complete, or to stdout if FILE is -.

    It contains everything that the server returns, including secrets in assistants, but not the target's credential.
    Use it with `trueup import --from`, or as a backup. Nothing is written if not everything could be read.
    """
    from trueup.cli.session import open_session
    from trueup.cli.transport import run_async

    session = open_session(flags)
    place = session.root / file if file != STDOUT else None
    if place is not None:
        _refuse_place(place, session, force=force)
    made = run_async(_read_export(session))
    if place is None:
        from trueup.core.migration.export import dumps

        session.screen.write_result(dumps(made))
        return 0
    from trueup.edge.migration_files import write_export

    write_export(place, made)
    _show(session, made, file)
    return 0


def _refuse_place(path: Path, session: Session, *, force: bool) -> None:
    """Refuse a place where the export would overwrite something, before anything is read. Raises TrueupError."""
    from trueup.edge.migration_files import refuse_export_place
    from trueup.edge.state.store import FOLDER

    again = session.flags.again(force=True)
    refuse_export_place(path, (session.root / FOLDER, session.root / session.project.definitions), again, force=force)


async def _read_export(session: Session) -> Export:
    """Read everything that is live. Raises UnreadableError where the listing is not complete."""
    import time

    from trueup.cli.planning import read_live
    from trueup.cli.transport import reading
    from trueup.core.errors import UnreadableError
    from trueup.core.migration.export import Export, Exported

    async with reading(session) as runner:
        now = int(time.time())
        view = await read_live(session, runner, session.store.load())  # what is recorded must be among it
    if not view.complete:
        raise UnreadableError(
            f"Nothing was written, because not everything could be read: {view.problem}.",
            "An incomplete listing is never used. Try again later.",
        )
    assistants = (
        Exported(live.id, live.body, live.created_at, live.version, live.extra) for live in view.live.values()
    )
    return Export(session.identity, now, tuple(assistants))


def _show(session: Session, made: Export, file: str) -> None:
    from trueup.render.values import pluralize

    screen = session.screen
    count = len(made.assistants)
    if screen.json:
        screen.write_json("exported", target=session.target.name, file=file, count=count)
        return
    screen.write_result(f"{pluralize(count, 'assistant')} of {session.target.name} written to {file}.")


COMMANDS = {"export": export}
