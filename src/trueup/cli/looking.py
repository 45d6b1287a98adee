"""What `plan` and `drift` look at: the target as it is now, or an export in its place. Neither can write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from trueup.cli.planning import plan_afresh, plan_of
from trueup.cli.session import Session, definitions
from trueup.cli.transport import reading
from trueup.core.projects.connections import lifecycle_differences
from trueup.core.projects.project_values import last_name
from trueup.core.source import Diagnostic
from trueup.edge.definitions.loader import Loaded, Workspace
from trueup.edge.project_file import difference_note, load_project
from trueup.engine.plan import Planning


async def looked(session: Session, names: Sequence[str], snapshot: str | None) -> tuple[Loaded, Planning]:
    """The definitions and the plan; with a `snapshot` nothing is sent and no credential is needed. Raises TrueupError.

    The file is seen from the project's folder.
    """
    loaded = definitions(session)
    if session.commands is not None:
        session = replace(session, notes=(*session.notes, *_lifecycles(session, loaded, session.commands)))
    if snapshot is not None:
        return loaded, _of_snapshot(session, loaded, names, snapshot)
    async with reading(session) as runner:
        return loaded, await plan_afresh(session, runner, loaded, session.store.load(), names)


def _lifecycles(session: Session, loaded: Loaded, folder: Path) -> Iterator[Diagnostic]:
    """What definitions say of their lifecycle otherwise than those in a folder, where these can be read."""
    trusted = load_project(folder)
    target = trusted.targets.get(session.target.name)
    if target is None:
        return
    in_force = {item.name: item for item in Workspace(folder, trusted).load(target, session.flags.vars).definitions}
    before = {last_name(name, session.project.moved) or name: item for name, item in in_force.items()} | in_force
    for definition in loaded.definitions:
        if definition.name in before:
            for item in lifecycle_differences(definition, before[definition.name]):
                yield difference_note(item, definition.locate())


def _of_snapshot(session: Session, loaded: Loaded, names: Sequence[str], file: str) -> Planning:
    from trueup.core.migration.export import moment, refuse_other_target
    from trueup.edge.migration_files import read_export
    from trueup.engine.plan import mark_as_snapshot
    from trueup.engine.refresh import view_export

    again = session.target.command("export", file)
    export = read_export(session.root / file, again)
    refuse_other_target(export, session.identity, again)
    state = session.store.load()
    planning = plan_of(session, loaded, state, view_export(export, state, session.adapter.dialect.table), names)
    return replace(planning, plan=mark_as_snapshot(planning.plan, moment(export.exported_at), again))
