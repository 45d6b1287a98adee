"""From files, state and what is live to a plan, as every command that compares does it. Reads; never writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from trueup.cli.session import Session
from trueup.core.command import Message
from trueup.core.definitions.names import select
from trueup.core.memory.stamp import record_of
from trueup.core.memory.state import Record, State
from trueup.core.plans.live import Seen
from trueup.core.plans.plan import Plan
from trueup.core.plans.summary import NAMED
from trueup.core.rules.fault import counted
from trueup.core.source import Diagnostic, Severity
from trueup.edge.collector import paused
from trueup.edge.definitions.loader import Loaded
from trueup.edge.state.store import read_accepted
from trueup.engine.facts import DesiredState, is_ours, seen_in
from trueup.engine.plan import Planning, make_plan
from trueup.engine.refresh import View, refresh
from trueup.engine.request_runner import RequestRunner
from trueup.engine.takeover import has_room


async def read_live(session: Session, runner: RequestRunner, state: State) -> View:
    """Everything that is live, and each recorded id. Raises EndpointError when nothing at all can be read."""
    session.screen.begin()
    by_age = sorted(state.records.values(), key=lambda record: record.created_at)
    ids = [*(record.id for record in by_age), *(entry.id for entry in state.pending.values())]
    with paused():
        return await refresh(session.adapter, runner, filter(None, ids))


async def plan_afresh(
    session: Session,
    runner: RequestRunner,
    loaded: Loaded,
    state: State,
    names: Sequence[str] = (),
    *,
    destroy: bool = False,
) -> Planning:
    """The plan for the assistants that `names` stand for, all without any. Raises TrueupError."""
    view = await read_live(session, runner, state)
    return plan_of(session, loaded, state, view, names, destroy=destroy)


def plan_of(
    session: Session, loaded: Loaded, state: State, view: View, names: Sequence[str] = (), *, destroy: bool = False
) -> Planning:
    """The same, of a view that was read before. Raises TrueupError."""
    with paused():
        planning = _compared(session, loaded, state, view, names, destroy=destroy)
    return replace(planning, plan=_with_notes(planning, session, loaded, view))


def _compared(
    session: Session, loaded: Loaded, state: State, view: View, names: Sequence[str], *, destroy: bool
) -> Planning:
    accepted = [ack for ack in session.flags.acks if ack in view.live]
    desired = DesiredState(
        target=session.target,
        identity=session.identity,
        definitions={definition.name: definition for definition in loaded.definitions},
        names=loaded.names,
        targets=frozenset(session.project.targets),
        options=session.options(destroy=destroy, accepted_ids=accepted),
        moved=session.project.moved,
        released=frozenset(session.project.released),
        accepted=read_accepted(session.store),
    )
    if names:
        seen = seen_in(view, session.adapter)
        desired = replace(desired, selected=_selected(names, loaded, state, seen, desired), words=tuple(names))
    return make_plan(desired, state, view, session.adapter)


def _selected(
    names: Sequence[str], loaded: Loaded, state: State, seen: Mapping[str, Seen], desired: DesiredState
) -> frozenset[str]:
    """The names that were meant: of files, of records, and of our stamps."""
    stamped = {live.stamp.name for live in seen.values() if live.stamp is not None and is_ours(live, desired)}
    known = loaded.names | state.records.keys() | stamped
    return frozenset(desired.new_name(name) for name in select(names, loaded.definitions, known))


def remembered(session: Session, name: str, planning: Planning) -> tuple[Record | None, Seen | None]:
    """The record and what is live; without a record the stamp serves as one."""
    record = planning.state.records.get(name)
    if record is not None:
        return record, planning.seen.get(record.id)
    identity = session.identity
    for live in planning.seen.values():
        stamp = live.stamp
        if stamp and (stamp.project, stamp.target, stamp.name) == (identity.project, identity.target, name):
            return record_of(stamp, live.id, live.created_at), live
    return None, None


def _with_notes(planning: Planning, session: Session, loaded: Loaded, view: View) -> Plan:
    """The plan with what of the project file is not used, the files' warnings, and what could not be done or read."""
    warnings = [*session.notes, *_without_room(planning, session)]
    warnings += counted(item for item in loaded.diagnostics if item.severity is Severity.WARNING)
    if not view.complete:
        warnings.append(
            Diagnostic(
                Severity.WARNING,
                "partial-view",
                f"not everything could be read: {view.problem}",
                hint="Nothing is created or deleted on a partial view. Try again later.",
            )
        )
    return replace(planning.plan, diagnostics=tuple(warnings))


def _without_room(planning: Planning, session: Session) -> list[Diagnostic]:
    """Warn of assistants that are to be stamped and whose metadata has no room for it."""
    if not (planning.plan.not_stamped and planning.plan.options.stamp_all):
        return []
    found = [(name, remembered(session, name, planning)[1]) for name in sorted(planning.judged)]
    full = [name for name, live in found if live and not live.stamp and not has_room(live, session.adapter)]
    if not full:
        return []
    more = f" and {len(full) - NAMED} more" if len(full) > NAMED else ""
    message = f"no stamp can be written, for the metadata is full: {', '.join(full[:NAMED])}{more}"
    again = session.target.command("apply", stamp=True)
    hint = Message("Take one metadata key off each in its file, and stamp them: ", again)
    return [Diagnostic(Severity.WARNING, "no-room-for-stamp", message, hint=hint)]
