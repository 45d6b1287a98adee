"""`drift`: does live differ from what was applied? It cannot write: it only has the reading transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trueup.cli.options import LISTS, NETWORK, VARS, Flags, takes

if TYPE_CHECKING:
    from trueup.cli.session import Session
    from trueup.core.errors import Exit
    from trueup.core.plans.plan import Plan
    from trueup.core.plans.unmanaged import Unmanaged


@click.command(short_help="Show what differs from what was applied.")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--all", "everything", is_flag=True, help="Also undeclared fields, and assistants nobody manages.")
@takes(VARS, NETWORK, formats=LISTS)
def drift(flags: Flags, names: tuple[str, ...], everything: bool) -> int:
    """Show what differs from what was applied: what somebody changed or deleted by other ways.

    Exit code 2 when there is any, 6 when something could not be read or is not known, else 0. With --all also
    undeclared fields that hold no default and assistants that nobody manages are listed; they change no exit code.
    """
    from trueup.cli import answers
    from trueup.cli.loop import complete
    from trueup.cli.session import open_session

    session = open_session(flags)
    loaded, planning = complete(looked(session, names, snapshot))
    unmanaged = _unmanaged(session, names, loaded, planning) if everything else None
    plan, history = _history(session, planning, since, reports)
    session.screen.results(lambda place: answers.drift(plan, unmanaged, history, place))
    return int(_exit(plan))


async def _look(session: Session, names: tuple[str, ...], everything: bool) -> tuple[Plan, Unmanaged | None]:
    from trueup.cli.planning import plan_afresh
    from trueup.cli.session import definitions
    from trueup.cli.transport import reading
    from trueup.core.definitions.names import select
    from trueup.core.plans.unmanaged import unmanaged

    loaded = definitions(session)
    async with reading(session) as courier:
        planning = await plan_afresh(session, courier, loaded, session.store.load(), names)
    if not everything:
        return planning.plan, None
    known = loaded.names | planning.state.records.keys() | set(names)  # each name was found in the plan already
    chosen = select(names, loaded.definitions, known)
    bodies = {item.name: item.body for item in loaded.definitions if item.name in chosen}
    return planning.plan, unmanaged(bodies, planning.state, planning.seen, session.adapter.dialect.semantics)


def _exit(plan: Plan) -> Exit:
    """The exit code: drift, a conflict and a deletion outside differ; behind is none, unknown is unreadable."""
    from trueup.core.errors import Exit, worst
    from trueup.core.plans.plan import Action, Cause, Reason

    codes = {Exit.UNREADABLE} if not plan.complete else set()
    for change in plan.changes:
        causes = {item.cause for item in change.fields}
        if change.action is Action.UNREAD or Cause.UNKNOWN in causes:
            codes.add(Exit.UNREADABLE)
        if change.reason is Reason.DELETED_OUTSIDE:
            codes.add(Exit.DIFFERS)
        if change.reason is not Reason.BEHIND and causes & {Cause.DRIFTED, Cause.CONFLICT}:
            codes.add(Exit.DIFFERS)
    return worst(tuple(codes))


COMMANDS = {"drift": drift}
