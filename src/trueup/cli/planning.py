"""From files, state and what is live to a plan, as every command that compares does it. Reads; never writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from trueup.cli.session import Session, load_definitions
from trueup.cli.transport import reading
from trueup.core.command import Command, Message
from trueup.core.definitions.names import select
from trueup.core.memory.stamp import record_of
from trueup.core.memory.state import Record, State
from trueup.core.plans.live import LiveAssistant
from trueup.core.plans.plan import Plan
from trueup.core.plans.summary import NAMED
from trueup.core.projects.connections import list_lifecycle_differences
from trueup.core.projects.project_values import follow_renames
from trueup.core.rules.fault import count_losses
from trueup.core.source import Diagnostic, Severity
from trueup.edge.collector import pause_collector
from trueup.edge.definitions.loader import LoadResult, Workspace
from trueup.edge.project_file import describe_difference, load_project
from trueup.edge.state.store import read_accepted
from trueup.engine.facts import DesiredState, is_ours, read_stamps
from trueup.engine.plan import Planning, make_plan
from trueup.engine.refresh import View, refresh
from trueup.engine.request_runner import RequestRunner
from trueup.engine.takeover import has_room


async def plan_live_or_snapshot(
    session: Session, names: Sequence[str], snapshot: str | None
) -> tuple[LoadResult, Planning]:
    """Return the definitions and the plan; with a `snapshot` nothing is sent and no credential is needed.

    The file is seen from the project's folder. Raises TrueupError.
    """
    loaded = load_definitions(session)
    if session.commands is not None:
        session = replace(session, notes=(*session.notes, *_compare_lifecycles(session, loaded, session.commands)))
    if snapshot is not None:
        return loaded, _plan_snapshot(session, loaded, names, snapshot)
    state = session.store.load()
    async with reading(session) as runner:
        view = await read_live(session, runner, state)
    return loaded, plan_view(session, loaded, state, view, names)


def _compare_lifecycles(session: Session, loaded: LoadResult, folder: Path) -> Iterator[Diagnostic]:
    """Return what definitions say of their lifecycle otherwise than those in a folder, where these can be read."""
    trusted = load_project(folder)
    target = trusted.targets.get(session.target.name)
    if target is None:
        return
    in_force = {item.name: item for item in Workspace(folder, trusted).load(target, session.flags.vars).definitions}
    before = {follow_renames(name, session.project.moved) or name: item for name, item in in_force.items()} | in_force
    for definition in loaded.definitions:
        if definition.name in before:
            for item in list_lifecycle_differences(definition, before[definition.name]):
                yield describe_difference(item, definition.locate())


def _plan_snapshot(session: Session, loaded: LoadResult, names: Sequence[str], file: str) -> Planning:
    from trueup.core.migration.export import format_moment, refuse_other_target
    from trueup.edge.migration_files import read_export
    from trueup.engine.plan import mark_as_snapshot
    from trueup.engine.refresh import view_export

    again = session.target.command("export", file)
    export = read_export(session.root / file, again)
    refuse_other_target(export, session.identity, again)
    state = session.store.load()
    planning = plan_view(session, loaded, state, view_export(export, state, session.adapter.dialect.table), names)
    return replace(planning, plan=mark_as_snapshot(planning.plan, format_moment(export.exported_at), again))


async def read_live(session: Session, runner: RequestRunner, state: State) -> View:
    """Everything that is live, and each recorded id. Raises EndpointError when nothing at all can be read."""
    session.screen.start_work()
    by_age = sorted(state.records.values(), key=lambda record: record.created_at)
    ids = [*(record.id for record in by_age), *(entry.id for entry in state.pending.values())]
    with pause_collector():
        return await refresh(session.adapter, runner, filter(None, ids))


async def plan_live(
    session: Session, runner: RequestRunner, loaded: LoadResult, state: State, names: Sequence[str] = ()
) -> Planning:
    """Return the plan for the assistants that `names` stand for, all without any. Raises TrueupError."""
    return plan_view(session, loaded, state, await read_live(session, runner, state), names)


def plan_view(
    session: Session, loaded: LoadResult, state: State, view: View, names: Sequence[str] = (), *, destroy: bool = False
) -> Planning:
    """Return the plan for what was read before. Raises TrueupError."""
    with pause_collector():
        desired = DesiredState(
            target=session.target,
            identity=session.identity,
            definitions={definition.name: definition for definition in loaded.definitions},
            names=loaded.names,
            targets=frozenset(session.project.targets),
            options=session.plan_options(
                destroy=destroy, accepted_ids=[ack for ack in session.flags.acks if ack in view.live]
            ),
            moved=session.project.moved,
            released=frozenset(session.project.released),
            accepted=read_accepted(session.store),
        )
        if names:
            seen = read_stamps(view, session.adapter)
            desired = replace(desired, selected=_select_names(names, loaded, state, seen, desired), words=tuple(names))
        planning = make_plan(desired, state, view, session.adapter)
    return replace(planning, plan=_with_notes(planning, session, loaded, view))


def _select_names(
    names: Sequence[str], loaded: LoadResult, state: State, seen: Mapping[str, LiveAssistant], desired: DesiredState
) -> frozenset[str]:
    """Return the names that were meant: of files, of records, and of our stamps."""
    stamped = {live.stamp.name for live in seen.values() if live.stamp is not None and is_ours(live, desired)}
    known = loaded.names | state.records.keys() | stamped
    return frozenset(desired.new_name(name) for name in select(names, loaded.definitions, known))


def find_record_and_live(session: Session, name: str, planning: Planning) -> tuple[Record | None, LiveAssistant | None]:
    """Return the record and what is live; without a record the stamp serves as one."""
    record = planning.state.records.get(name)
    if record is not None:
        return record, planning.seen.get(record.id)
    identity = session.identity
    for live in planning.seen.values():
        stamp = live.stamp
        if stamp and (stamp.project, stamp.target, stamp.name) == (identity.project, identity.target, name):
            return record_of(stamp, live.id, live.created_at), live
    return None, None


def _with_notes(planning: Planning, session: Session, loaded: LoadResult, view: View) -> Plan:
    """Return the plan with its warnings: unused settings, the files' own, and what could not be done or read."""
    warnings = [*session.notes, *_without_room(planning, session)]
    warnings += count_losses(item for item in loaded.diagnostics if item.severity is Severity.WARNING)
    if not view.complete:
        warnings.append(
            Diagnostic(
                Severity.WARNING,
                "partial-view",
                f"not everything could be read: {view.problem}",
                hint="Nothing is created or deleted after a partial read. Try again later.",
            )
        )
    return replace(planning.plan, diagnostics=tuple(warnings))


def _without_room(planning: Planning, session: Session) -> list[Diagnostic]:
    """Warn of assistants that are to be stamped and whose metadata has no room for it."""
    if not (planning.plan.not_stamped and planning.plan.options.stamp_all):
        return []
    found = [(name, find_record_and_live(session, name, planning)[1]) for name in sorted(planning.judged)]
    full = [name for name, live in found if live and not live.stamp and not has_room(live, session.adapter)]
    if not full:
        return []
    more = f" and {len(full) - NAMED} more" if len(full) > NAMED else ""
    message = f"the metadata is full, so no stamp can be written: {', '.join(full[:NAMED])}{more}"
    again = session.target.command("apply", stamp=True)
    hint = Message("Remove one metadata key of each in its file, and stamp them: ", again)
    return [Diagnostic(Severity.WARNING, "no-room-for-stamp", message, hint=hint)]


def command_to_go_on(session: Session, plan: Plan, names: Sequence[str] = (), *, file: str = "") -> Command:
    """Return the command that applies this very plan: the NAMEs or the plan file, its flags, the digest's beginning."""
    from trueup.core.plans.exits import ACK_DIGITS
    from trueup.core.plans.plan_codec import digest

    flags, selection = session.flags, session.target.selection
    if file:
        selection = replace(selection, target="")  # a plan file knows its target
    return selection.command(
        "destroy" if plan.options.destroy else "apply",
        *([_plan_file(file)] if file else names),
        on_drift=flags.on_drift or "",
        prune=flags.prune is True,
        no_prune=flags.prune is False,
        stamp=flags.stamp,
        yes=flags.yes,
        ack=(*plan.options.accepted_ids, digest(plan)[:ACK_DIGITS]),
    )


def _plan_file(file: str) -> str:
    """Return a plan file as apply takes it for one."""
    from trueup.edge.artifacts import is_path, is_plan_named

    return file if is_plan_named(file) or is_path(file) else f"./{file}"


def warn_unused_acks(session: Session, plans: Sequence[Plan]) -> None:
    """Say on stderr which --ack is neither the beginning of a plan's digest nor the id of anything live."""
    from trueup.core.plans.exits import ACK_DIGITS, is_acknowledged
    from trueup.core.plans.plan_codec import digest

    used = {ack for plan in plans for ack in plan.options.accepted_ids}
    for ack in dict.fromkeys(session.flags.acks):
        if ack not in used and not any(is_acknowledged(digest(plan), (ack,)) for plan in plans):
            session.screen.note_wrapped(
                f"--ack {ack} is unused: it is neither the start of this plan's digest "
                f"({ACK_DIGITS} characters or more) nor the id of a live assistant."
            )
