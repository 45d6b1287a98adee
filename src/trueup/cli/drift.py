"""`drift`: does live differ from what was applied? It cannot write: it only has the reading transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trueup.cli.flags import Flags
from trueup.cli.options import LAYOUT, LISTS, NETWORK, VARS, takes
from trueup.cli.provenance import REPORTS

if TYPE_CHECKING:
    from trueup.cli.session import Session
    from trueup.core.plans.drift import Earlier, History
    from trueup.core.plans.live import Unmanaged
    from trueup.core.plans.plan import Plan
    from trueup.edge.definitions.loader import Loaded
    from trueup.engine.plan import Planning


@click.command(short_help="Show what differs from what was applied.")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--all", "everything", is_flag=True, help="Also undeclared fields, and assistants nobody manages.")
@click.option("--since", metavar="FILE", help="An earlier JSON report of drift: since when each drift is seen.")
@click.option("--snapshot", metavar="FILE", help="Look at an export instead of what is live: offline, marked as old.")
@takes(VARS, NETWORK, REPORTS, LAYOUT, formats=LISTS)
def drift(
    flags: Flags,
    names: tuple[str, ...],
    everything: bool,
    since: str | None,
    snapshot: str | None,
    reports: str | None,
) -> int:
    """Show what differs from what was applied: what somebody changed or deleted by other ways.

    Exit code 2 when there is any, 6 when something could not be read or is not known, else 0. With --all also
    undeclared fields that hold no default and assistants that nobody manages are listed; they change no exit code.
    With --since each drift tells since when it is seen, with --reports who applied before it.
    """
    from trueup.cli import answers
    from trueup.cli.looking import looked
    from trueup.cli.loop import complete
    from trueup.cli.session import open_session
    from trueup.core.plans.exits import drift_exit

    session = open_session(flags)
    loaded, planning = complete(looked(session, names, snapshot))
    unmanaged = _unmanaged(session, names, loaded, planning) if everything else None
    plan, history = _history(session, planning, since, reports)
    files = {"since": since or "", "snapshot": snapshot or "", "reports": reports or ""}
    again = plan.selection.command("drift", *names, all=everything, **files)
    session.screen.results(lambda place: answers.drift(plan, unmanaged, history, place, again))
    return int(drift_exit(plan))


def _unmanaged(session: Session, names: tuple[str, ...], loaded: Loaded, planning: Planning) -> Unmanaged:
    from trueup.core.definitions.names import select
    from trueup.core.plans.live import unmanaged

    known = loaded.names | planning.state.records.keys() | set(names)  # each name was found in the plan already
    chosen = select(names, loaded.definitions, known)
    bodies = {item.name: item.body for item in loaded.definitions if item.name in chosen}
    return unmanaged(bodies, planning.state, planning.seen, session.adapter.dialect.semantics)


def _history(session: Session, planning: Planning, since: str | None, reports: str | None) -> tuple[Plan, History]:
    """The plan with what is known of each drift's beginning and of the applies before it. Raises TrueupError."""
    import time
    from dataclasses import replace

    from trueup.cli.provenance import origins_of
    from trueup.core.migration.export import moment
    from trueup.core.plans.drift import History, sightings, told
    from trueup.core.plans.plan import is_outside

    plan = planning.plan
    now = plan.snapshot or moment(time.time())
    earlier = _earlier(session, since) if since is not None else None
    shown, carried = sightings(plan, planning.judged, earlier, now)
    names = [change.name for change in plan.changes if is_outside(change)]
    origins = origins_of(session, planning, names, reports)
    plan = told(plan, shown)
    changes = tuple(
        replace(change, remarks=(*change.remarks, origins[change.name].sentence)) if change.name in origins else change
        for change in plan.changes
    )
    return replace(plan, changes=changes), History(now, shown, carried, origins)


def _earlier(session: Session, file: str) -> Earlier:
    """What an earlier report saw; nothing, and that is said, where there is none yet. Raises TrueupError."""
    from trueup.core.errors import TrueupError
    from trueup.core.plans.drift import Earlier, read_earlier
    from trueup.edge.artifacts import read_report

    document = read_report(session.root / file)
    if document is None:
        session.screen.say(f"There is no earlier report {file}: what drifts is told as seen since now.")
        return Earlier("", ())
    try:
        found = read_earlier(document, session.identity)
    except TrueupError as error:
        raise TrueupError(f"{file}: {error.message}", error.hint) from None
    if found is None:
        session.screen.say(f"{file} tells of a command that failed: what drifts is told as seen since now.")
    return found or Earlier("", ())


COMMANDS = {"drift": drift}
