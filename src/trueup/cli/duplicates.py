"""`delete-duplicate`: deletes one live assistant that carries the stamp of another one, which is recorded and stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trueup.cli.flags import Flags
from trueup.cli.options import CONSENT, NETWORK, VARS, takes

if TYPE_CHECKING:
    from trueup.cli.session import Session
    from trueup.core.plans.plan import Change
    from trueup.engine.plan import Planning
    from trueup.engine.request_runner import RequestRunner


@click.command("delete-duplicate", short_help="Delete one duplicate of an assistant.")
@click.argument("pair", metavar="NAME=ID")
@takes(VARS, NETWORK, CONSENT)
def delete_duplicate(flags: Flags, pair: str) -> int:
    """Delete the live assistant ID, which carries the same stamp as the one that is recorded as NAME.

    It is read again right before and kept in .trueup/backup. Nothing else is ever deleted: not the recorded assistant,
    none without this stamp, and none while it is not clear which one is to be kept (exit code 4).
    """
    from trueup.cli.linking import pairs_of
    from trueup.cli.loop import complete
    from trueup.cli.session import open_session

    ((name, live_id),) = pairs_of((pair,)).items()
    return int(complete(_delete(open_session(flags), name, live_id)))


async def _delete(session: Session, name: str, live_id: str) -> int:
    from trueup.cli import answers
    from trueup.cli.applying import stoppable
    from trueup.cli.transport import journaled, writing
    from trueup.core.errors import worst
    from trueup.engine import duplicates

    with session.store.lock():
        async with writing(session) as runner:
            planning, change = await _plan(session, runner, name, live_id)
            if _confirm(session, change):
                planning, change = await _plan(session, runner, name, live_id)
            with journaled(session, runner), stoppable(session, runner.ports.stop):
                report, state = await duplicates.delete_duplicate(
                    planning, change, session.adapter, runner, session.target
                )
                session.store.save(state)
    session.screen.result(answers.report(report, session.screen))
    return int(worst(report.codes))


async def _plan(session: Session, runner: RequestRunner, asked: str, live_id: str) -> tuple[Planning, Change]:
    """Return the delete, of what is live now. Raises TrueupError where it may not be sent."""
    from trueup.cli.planning import plan_afresh
    from trueup.cli.session import definitions
    from trueup.core.errors import TrueupError
    from trueup.engine.duplicates import plan_delete

    planning = await plan_afresh(session, runner, definitions(session), session.store.load(), [asked])
    names = sorted(planning.judged)
    if len(names) > 1:
        raise TrueupError(f"{asked!r} stands for {len(names)} assistants: {', '.join(names)}.", "Name one of them.")
    return planning, plan_delete(planning, names[0], live_id, session.target, session.adapter)


def _confirm(session: Session, change: Change) -> bool:
    """Return whether a person was asked and said yes. Raises TrueupError where there is no yes."""
    from trueup.core.command import Message
    from trueup.core.errors import TrueupError

    if session.flags.yes:
        return False
    what = f"{change.id} of {session.target.name} {change.message}."
    if not session.screen.can_ask:
        raise TrueupError(
            f"Confirmation required: {what} Nothing was deleted.",
            Message(
                "To confirm: ",
                session.target.command("delete-duplicate", f"{change.name}={change.id}", yes=True),
            ),
        )
    session.screen.complain(session.screen.filled(what))
    if session.screen.ask(f"\nDelete {change.id}? Type 'yes' to delete it: ").lower() != "yes":
        raise TrueupError("Not deleted: nothing was sent.")
    return True


COMMANDS = {"delete-duplicate": delete_duplicate}
