"""`accept`, `import` and `delete-duplicate`: what is live goes into files, is linked to them, or is removed.

The work of the first two is in `accepting`, `importing` and `import_files`.
"""

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


@click.command(short_help="Write live values into a definition's file.")
@click.argument("name")
@click.argument("fields", nargs=-1, metavar="[FIELD]…")
@click.option("--patch", "as_patch", is_flag=True, help="Print a patch for git apply and write nothing.")
@takes(VARS, NETWORK, CONSENT)
def accept(flags: Flags, name: str, fields: tuple[str, ...], as_patch: bool) -> int:
    """Write live values into a definition's file: the fields that were changed outside, or the named ones.

    Only the lines of each value change. Where the file was edited too, both are merged as git does it, with conflict
    markers where needed. Exit code 3 if something is left to do by hand.
    """
    from trueup.cli.commands.accepting import accept_live
    from trueup.cli.session import open_session
    from trueup.cli.transport import run_async

    return int(run_async(accept_live(open_session(flags), name, fields, as_patch=as_patch)))


@click.command("import", short_help="Turn live assistants into definitions, or link them.")
@click.argument("names", nargs=-1, metavar="[NAME=ID | ID | NAME]…")
@click.option("--from", "files", multiple=True, metavar="FILE", help="Read assistants from a file; repeatable.")
@click.option("--dry-run", is_flag=True, help="Show the files and the links; write nothing.")
@takes(VARS, NETWORK, CONSENT)
def import_(flags: Flags, names: tuple[str, ...], files: tuple[str, ...], dry_run: bool) -> int:
    """Turn live assistants into definitions and state: all, or those with an ID or a display NAME.

    NAME=ID links an existing definition: live counts as applied for the fields that it declares; where they differ, the
    next plan shows an edit. --from reads files: a response of the API, a listing, an export, objects of the first API,
    a Terraform state. Nothing is sent, except with `state: stamps`, where the stamps are written.
    """
    links = [name for name in names if "=" in name]
    if links and (len(links) < len(names) or files or dry_run):
        raise click.UsageError("NAME=ID links an existing definition; give it without other names and flags.")
    from trueup.cli.session import open_session
    from trueup.cli.transport import run_async

    if links:
        from trueup.cli.commands.importing import link_definitions

        pairs = parse_pairs(names)
        return int(run_async(link_definitions(open_session(flags), pairs)))
    session = open_session(flags, may_begin=bool(files))
    if files:
        from trueup.cli.commands.import_files import import_files

        return int(import_files(session, names, files, dry_run=dry_run))
    from trueup.cli.commands.importing import import_live

    return int(run_async(import_live(session, names, dry_run=dry_run)))


def parse_pairs(links: tuple[str, ...]) -> dict[str, str]:
    """Parse NAME=ID arguments into a map from name to id. Raises UsageError."""
    from trueup.core.memory.state import is_plain_id

    pairs: dict[str, str] = {}
    for link in links:
        name, equals, live_id = link.rpartition("=")
        if not equals or not name or not live_id:
            raise click.UsageError(f"{link!r} is not NAME=ID; write for example math-tutor=asst_abc123.")
        if not is_plain_id(live_id):
            raise click.UsageError(
                f"{live_id[:60]!r} cannot be an assistant's id: write it as the vendor shows it, such as asst_abc123."
            )
        if name in pairs or live_id in pairs.values():
            raise click.UsageError(f"{link!r} repeats a name or an id: each definition has one assistant of its own.")
        pairs[name] = live_id
    return pairs


@click.command("delete-duplicate", short_help="Delete one duplicate of an assistant.")
@click.argument("pair", metavar="NAME=ID")
@takes(VARS, NETWORK, CONSENT)
def delete_duplicate(flags: Flags, pair: str) -> int:
    """Delete the live assistant ID, which has the same stamp as the one that is recorded as NAME.

    It is read again right before, and backed up in .trueup/backup. Nothing else is ever deleted: not the recorded
    assistant, none without this stamp, and none while it is unclear which one to keep (exit code 4).
    """
    from trueup.cli.session import open_session
    from trueup.cli.transport import run_async

    ((name, live_id),) = parse_pairs((pair,)).items()
    return int(run_async(_delete(open_session(flags), name, live_id)))


async def _delete(session: Session, name: str, live_id: str) -> int:
    from trueup.cli import answers
    from trueup.cli.applying import stoppable
    from trueup.cli.transport import journal_writes, writing
    from trueup.core.errors import worst
    from trueup.engine import duplicates

    with session.store.lock():
        async with writing(session) as runner:
            planning, change = await _plan_delete(session, runner, name, live_id)
            if _confirm(session, change):
                planning, change = await _plan_delete(session, runner, name, live_id)
            with journal_writes(session, runner), stoppable(session, runner.ports.stop):
                report, state = await duplicates.delete_duplicate(
                    planning, change, session.adapter, runner, session.target
                )
                session.store.save(state)
    session.screen.write_result(answers.write_report(report, session.screen))
    return int(worst(report.codes))


async def _plan_delete(session: Session, runner: RequestRunner, asked: str, live_id: str) -> tuple[Planning, Change]:
    """Return the delete, of what is live now. Raises TrueupError where it may not be sent."""
    from trueup.cli.planning import plan_live
    from trueup.cli.session import load_definitions, require_one
    from trueup.engine.duplicates import plan_delete

    planning = await plan_live(session, runner, load_definitions(session), session.store.load(), [asked])
    name = require_one(asked, sorted(planning.judged))
    return planning, plan_delete(planning, name, live_id, session.target, session.adapter)


def _confirm(session: Session, change: Change) -> bool:
    """Return whether a person was asked and said yes. Raises TrueupError where there is no yes."""
    from trueup.core.command import Message
    from trueup.core.errors import TrueupError

    what = f"{change.id} of {session.target.name} {change.message}."
    again = session.target.command("delete-duplicate", f"{change.name}={change.id}", yes=True)
    unasked = TrueupError(f"Confirmation required: {what} Nothing was deleted.", Message("To confirm: ", again))
    return session.confirm(
        f"Delete {change.id}?", "delete it",
        unasked=unasked, declined="Not deleted: nothing was sent.", preview=lambda: session.screen.wrap(what),
    )  # fmt: skip


COMMANDS = {"accept": accept, "import": import_, "delete-duplicate": delete_duplicate}
