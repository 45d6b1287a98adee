"""`plan` and `show`: what apply would do. Neither can write: they only have the reading transport."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trueup.cli.flags import Flags
from trueup.cli.options import DECIDING, LAYOUT, NETWORK, PAGES, STAMPING, VARS, takes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trueup.cli.output import Screen
    from trueup.cli.session import Session
    from trueup.core.command import Command
    from trueup.core.errors import Exit
    from trueup.core.plans.plan import Plan


@click.command(short_help="Show what apply would do.")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--out", metavar="FILE", help="Also write the plan to a file, for `trueup apply FILE`.")
@click.option("--snapshot", metavar="FILE", help="Compare with an export instead of live: offline, never applied.")
@click.option("--connections", metavar="FOLDER", help="Take URLs, credentials and commands from the trueup.yaml there.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 if there are changes, 3 if one is blocked.")
@takes(VARS, NETWORK, DECIDING, STAMPING, LAYOUT, formats=PAGES)
def plan(
    flags: Flags,
    names: tuple[str, ...],
    out: str | None,
    snapshot: str | None,
    connections: str | None,
    detailed_exitcode: bool,
) -> int:
    """Show what apply would do: compare files, what was applied, and what is live.

    NAME is a name, a path, a folder, a glob, or a shared file (everything that uses it). Nothing is written except
    FILE. With --snapshot nothing is sent and no credential is needed; the plan is marked as old and cannot be applied.
    With --connections, connection settings of this checkout are ignored, with a warning: for unreviewed files.
    """
    from trueup.cli.planning import plan_live_or_snapshot
    from trueup.cli.session import open_guarded, open_session
    from trueup.cli.transport import run_async
    from trueup.core.plans.exits import plan_exit
    from trueup.core.plans.wording import plan_again

    session = open_session(flags) if connections is None else open_guarded(flags, connections)
    place = session.root / out if out is not None else None
    if place is not None:
        _refuse_place(place, session)
    _, planning = run_async(plan_live_or_snapshot(session, names, snapshot))
    made = planning.plan
    if place is not None:
        save(made, place)
    again = plan_again(made, out or "", snapshot=snapshot or "", connections=connections or "")
    code = plan_exit(made, detailed=detailed_exitcode)
    show_guarded(made, session, names, out or "", code, again)
    return int(code)


@click.command(short_help="Show a saved plan again.")
@click.argument("file", metavar="PLAN")
@takes(LAYOUT, formats=PAGES)
def show(flags: Flags, file: str) -> int:
    """Show a saved plan again, in any format. Nothing is sent."""
    from trueup.cli.output import Screen
    from trueup.core.plans.wording import plan_again
    from trueup.edge.artifacts import read_plan

    plan = read_plan(Path(flags.chdir), file, flags.selection)
    show_plan(plan, Screen(flags), plan_again(plan, file))
    return 0


def show_plan(
    plan: Plan,
    screen: Screen,
    again: Sequence[Command],
    alerts: Sequence[str] = (),
    code: Exit | None = None,
    guard: Sequence[str] = (),
) -> None:
    """Write a plan to stdout; quiet leaves a text's summary.

    `again` are the commands that show it again, `alerts` must be read first, `code` ends the command,
    `guard` are the reasons for which an apply needs an acknowledgement.
    """
    from trueup.cli import answers
    from trueup.core.errors import Exit
    from trueup.core.plans.summary import summary

    code = code or Exit.OK
    is_short = screen.quiet and screen.is_text
    screen.write_result(
        summary(plan, code) if is_short else answers.write_plan(plan, screen, alerts, code, again, guard)
    )
    screen.write_also(lambda place: answers.write_plan(plan, place, alerts, code, again, guard))


def _refuse_place(path: Path, session: Session) -> None:
    """Raise TrueupError where a plan would overwrite something, before anything is read for it."""
    from trueup.edge.artifacts import refuse_plan_place
    from trueup.edge.state.store import FOLDER

    again = session.flags.again(out="change.plan")
    refuse_plan_place(path, (session.root / FOLDER, session.root / session.project.definitions), again)


def save(plan: Plan, path: Path) -> None:
    """Write a plan file, whole or not at all, readable by its owner only. Raises TrueupError."""
    from trueup.edge.artifacts import write_plan

    write_plan(path, plan)


def show_guarded(
    plan: Plan, session: Session, names: tuple[str, ...], file: str, code: Exit, same: Sequence[Command]
) -> None:
    """Show a plan, and say which guard an apply of it would meet and the line to use: on stderr, and in the page.

    `same` are the commands that show it again.
    """
    from trueup.cli.planning import command_to_go_on, warn_unused_acks
    from trueup.core.command import Message
    from trueup.core.plans.exits import ask_for_acknowledgement, find_guard_reasons

    reasons = find_guard_reasons(plan, session.target.guard) if not plan.snapshot else ()
    words = ask_for_acknowledgement(reasons)
    again = command_to_go_on(session, plan, names, file=file) if reasons else ""
    alerts = [Message(words, " To go on: ", again)] if reasons else []
    show_plan(plan, session.screen, same, alerts, code, reasons)
    warn_unused_acks(session, [plan])
    if reasons and not session.screen.json:
        session.screen.note("")
        session.screen.note_wrapped(words)
        session.screen.note(f"  {again}")


COMMANDS = {"plan": plan, "show": show}
