"""`apply` and `destroy`: plan, show, guard, confirm, execute. The steps are in `applying`."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from trueup.cli.flags import Flags
from trueup.cli.options import CONSENT, DECIDING, LAYOUT, NETWORK, PAGES, STAMPING, VARS, Decorator, flag, takes

if TYPE_CHECKING:
    from pathlib import Path

    from trueup.core.plans.plan import Plan
    from trueup.core.plans.report import Provenance

NAMED: Sequence[Decorator] = (
    flag("--commit", metavar="TEXT", help="The commit, for the report; default: GITHUB_SHA or CI_COMMIT_SHA."),
    flag("--pipeline", metavar="TEXT", help="The pipeline's URL, for the report; default: from GitHub or GitLab."),
)
"""What `apply` and `destroy` take, to say in their report who applied."""

LONGEST = 500
"""Characters of a commit or of a pipeline's address that are kept."""


@click.command(short_help="Change what is live to match the files.")
@click.argument("what", nargs=-1, metavar="[NAME… | PLAN]")
@takes(VARS, NETWORK, DECIDING, STAMPING, LAYOUT, CONSENT, NAMED, formats=PAGES)
def apply(flags: Flags, what: tuple[str, ...], commit: str | None, pipeline: str | None) -> int:
    """Change what is live so that it matches the files: plan, show, confirm, execute.

    NAME is a name, a path, a folder, a glob, or a shared file (everything that uses it). PLAN
    is a file of `trueup plan --out`: only its changes that are still current are sent, without confirmation. A file
    counts as a PLAN if its name ends in .plan or .json, or if it is given with its folder, as in ./change, and starts
    as a plan does.
    """
    from trueup.cli import applying
    from trueup.cli.session import open_on_target, open_project
    from trueup.cli.transport import run_async

    made = find_provenance(commit, pipeline, os.environ)
    root, project = open_project(flags)
    promised = _read_promised_plan(flags, root, project.definitions, what)
    if promised is not None:
        applying.refuse_snapshot(promised, what[0])
    if promised is None:
        session = open_on_target(flags, root, project, flags.target)
        return int(run_async(applying.apply(session, what, made)))
    session = open_on_target(flags, root, project, flags.target or promised.identity.target)
    applying.refuse_other_plan(promised, session, what[0])
    applying.announce_plan_file(promised, what[0], session)
    return int(run_async(applying.apply(session, (), made, promised=promised, file=what[0])))


@click.command(short_help="Delete what is in the target's state.")
@takes(VARS, NETWORK, LAYOUT, CONSENT, DECIDING[-1:], NAMED, formats=PAGES)
def destroy(flags: Flags, commit: str | None, pipeline: str | None) -> int:
    """Delete every assistant that is in the target's state; protected ones stay."""
    from trueup.cli import applying
    from trueup.cli.session import open_session
    from trueup.cli.transport import run_async

    made = find_provenance(commit, pipeline, os.environ)
    return int(run_async(applying.apply(open_session(flags), (), made, destroy=True)))


def _read_promised_plan(flags: Flags, root: Path, definitions: str, what: tuple[str, ...]) -> Plan | None:
    """Return the saved plan that the one argument is; None when assistants are meant. Raises TrueupError."""
    if not what:
        return None
    from trueup.edge.artifacts import read_plan

    plans = [text for text in what if _is_plan(root, definitions, text)]
    if plans and len(what) > 1:
        raise click.UsageError("A plan file takes no NAME beside it: it has the names that it is for.")
    if not plans:
        _note_plan_files(root, what, flags)
    return read_plan(root, plans[0], flags.selection) if plans else None


def _is_plan(root: Path, definitions: str, text: str) -> bool:
    """Return whether an argument means a plan file: by its ending, or as the way to a file that begins as a plan does.

    Nothing in the definitions folder is one, and a bare name is an assistant's, whatever file there is of that name.
    """
    from trueup.edge.artifacts import begins_as_plan, is_path, is_plan_named

    path = root / text
    if path.resolve().is_relative_to((root / definitions).resolve()):
        return False
    return is_plan_named(text) or (is_path(text) and begins_as_plan(path))


def _note_plan_files(root: Path, what: tuple[str, ...], flags: Flags) -> None:
    """Say on stderr which NAMEs are those of a plan file too, and how it would be meant."""
    from trueup.cli.output import Screen
    from trueup.core.command import Message, Selection
    from trueup.edge.artifacts import begins_as_plan, is_path

    for text in what:
        if not is_path(text) and begins_as_plan(root / text):
            again = Selection(flags.folder).command("apply", f"./{text}")
            Screen(flags).note_wrapped(
                Message(f"{text} is read as a NAME. To apply the plan in the file {text}: ", again)
            )


def find_provenance(commit: str | None, pipeline: str | None, environ: Mapping[str, str]) -> Provenance:
    """Return who applies now: flags first, then what GitHub Actions and GitLab CI set.

    Raises TrueupError for an address that carries a user or a password.
    """
    from trueup.core.migration.export import format_moment
    from trueup.core.plans.report import Provenance

    commit = commit or environ.get("GITHUB_SHA") or environ.get("CI_COMMIT_SHA") or ""
    pipeline = pipeline or _find_github_run(environ) or environ.get("CI_PIPELINE_URL") or ""
    _refuse_credential(pipeline)
    return Provenance(commit[:LONGEST], pipeline[:LONGEST], format_moment(time.time()))


def _find_github_run(environ: Mapping[str, str]) -> str:
    """Return the address of a workflow's run, as GitHub's documentation puts it together."""
    parts = [environ.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    if not all(parts):
        return ""
    attempt = environ.get("GITHUB_RUN_ATTEMPT", "")
    return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}" + (f"/attempts/{attempt}" if attempt else "")


def _refuse_credential(address: str) -> None:
    from trueup.core.errors import TrueupError

    try:
        carries = "@" in urlsplit(address).netloc
    except ValueError:
        carries = "@" in address
    if carries:
        raise TrueupError(
            "The pipeline's URL contains a user or a password, which reports would keep.",
            "Give the URL without them.",
        )


COMMANDS = {"apply": apply, "destroy": destroy}
