"""`import`: live assistants, or those in files, become definitions and state; or definitions are linked to live ones.

The plan afterwards is empty for what was linked. Nothing is overwritten: files are new, or get an entry for a target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trueup.cli.flags import Flags
from trueup.cli.options import CONSENT, NETWORK, VARS, takes

if TYPE_CHECKING:
    from trueup.cli.session import Session


@click.command("import", short_help="Turn live assistants into definitions, or link them.")
@click.argument("names", nargs=-1, metavar="[NAME=ID | ID | NAME]…")
@click.option("--from", "files", multiple=True, metavar="FILE", help="Read assistants from a file; repeatable.")
@click.option("--dry-run", is_flag=True, help="Show the files and the links, and write nothing.")
@takes(VARS, NETWORK, CONSENT)
def import_(flags: Flags, names: tuple[str, ...], files: tuple[str, ...], dry_run: bool) -> int:
    """Turn live assistants into definitions and state, all or those of an ID or a display NAME.

    With NAME=ID a definition that is there is linked: live counts as applied for the fields that it declares; where
    they differ, the next plan shows an edit. With --from they come from files: an answer of the API, a listing, an
    export, the first API's objects, a Terraform state. Nothing is sent, except with `state: stamps`, where the stamps
    are written.
    """
    links = [name for name in names if "=" in name]
    if links and (len(links) < len(names) or files or dry_run):
        raise click.UsageError("NAME=ID links a definition that is there; give it without other names and flags.")
    from trueup.cli.loop import complete
    from trueup.cli.session import open_session

    if links:
        from trueup.cli.linking import link, pairs_of

        pairs = pairs_of(names)
        return int(complete(link(open_session(flags), pairs)))
    session = open_session(flags, may_begin=bool(files))
    return int(_from_files(session, names, files, dry_run) if files else complete(_from_live(session, names, dry_run)))


async def _from_live(session: Session, names: tuple[str, ...], dry_run: bool) -> int:
    from trueup.cli.import_live import import_live

    return await import_live(session, names, dry_run=dry_run)


def _from_files(session: Session, names: tuple[str, ...], files: tuple[str, ...], dry_run: bool) -> int:
    from trueup.cli.import_files import import_files

    return import_files(session, names, files, dry_run=dry_run)


COMMANDS = {"import": import_}
