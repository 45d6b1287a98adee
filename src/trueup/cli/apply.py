"""`apply` and `destroy`: plan, show, guard, confirm, execute. The steps are in `applying`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from trueup.cli.flags import Flags
from trueup.cli.options import CONSENT, DECIDING, LAYOUT, NETWORK, PAGES, STAMPING, VARS, takes
from trueup.cli.provenance import NAMED, provenance

if TYPE_CHECKING:
    from pathlib import Path

    from trueup.core.plans.plan import Plan


@click.command(short_help="Make what is live as the files say.")
@click.argument("what", nargs=-1, metavar="[NAME… | PLAN]")
@takes(VARS, NETWORK, DECIDING, STAMPING, LAYOUT, CONSENT, NAMED, formats=PAGES)
def apply(flags: Flags, what: tuple[str, ...], commit: str | None, pipeline: str | None) -> int:
    """Make what is live as the files say: plan, show, confirm, execute.

    NAME is a name, a path, a folder, a glob, or a part (all who use it). With a PLAN that `trueup plan --out` wrote,
    only those of its changes are sent that still stand, and nothing is asked. A file counts as a PLAN if its name ends
    in .plan or .json, or if it is given with its folder, as in ./change, and begins as a plan does.
    """
    from trueup.cli import applying
    from trueup.cli.loop import complete
    from trueup.cli.session import open_project, session_of

    made = provenance(commit, pipeline, os.environ)
    root, project = open_project(flags)
    promised = _promised(flags, root, project.definitions, what)
    if promised is not None:
        applying.refuse_snapshot(promised, what[0])
    session = session_of(flags, root, project, promised.identity.target if promised is not None else "")
    if promised is None:
        return int(complete(applying.apply(session, what, made)))
    applying.refuse_other_plan(promised, session, what[0])
    applying.tell_plan(promised, what[0], session)
    return int(complete(applying.apply(session, (), made, promised=promised, file=what[0])))


@click.command(short_help="Delete what state holds for the target.")
@takes(VARS, NETWORK, LAYOUT, CONSENT, DECIDING[-1:], NAMED, formats=PAGES)
def destroy(flags: Flags, commit: str | None, pipeline: str | None) -> int:
    """Delete every assistant that state holds for the target; what is protected stays."""
    from trueup.cli import applying
    from trueup.cli.loop import complete
    from trueup.cli.session import open_session

    made = provenance(commit, pipeline, os.environ)
    return int(complete(applying.apply(open_session(flags), (), made, destroy=True)))


def _promised(flags: Flags, root: Path, definitions: str, what: tuple[str, ...]) -> Plan | None:
    """The saved plan that the one argument is; None when assistants are meant. Raises TrueupError."""
    if not what:
        return None
    from trueup.cli.session import selection_of
    from trueup.edge.artifacts import read_plan

    plans = [text for text in what if _is_plan(root, definitions, text)]
    if plans and len(what) > 1:
        raise click.UsageError("A plan file stands alone: it holds the names that it is about.")
    if not plans:
        _tell_files(root, what, flags)
    return read_plan(root, plans[0], selection_of(flags)) if plans else None


def _is_plan(root: Path, definitions: str, text: str) -> bool:
    """Whether an argument means a plan file: by its ending, or as the way to a file that begins as a plan does.

    Nothing in the definitions folder is one, and a bare name is an assistant's, whatever file there is of that name.
    """
    from trueup.edge.artifacts import begins_as_plan, is_path, is_plan_named

    path = root / text
    if path.resolve().is_relative_to((root / definitions).resolve()):
        return False
    return is_plan_named(text) or (is_path(text) and begins_as_plan(path))


def _tell_files(root: Path, what: tuple[str, ...], flags: Flags) -> None:
    """Says on stderr which NAMEs are those of a plan file too, and how it would be meant."""
    from trueup.cli.output import Screen
    from trueup.core.command import Message, Selection
    from trueup.edge.artifacts import begins_as_plan, is_path

    for text in what:
        if not is_path(text) and begins_as_plan(root / text):
            again = Selection(flags.folder).command("apply", f"./{text}")
            Screen(flags).say(Message(f"{text} is taken for a NAME. To apply the plan in the file {text}: ", again))


COMMANDS = {"apply": apply, "destroy": destroy}
