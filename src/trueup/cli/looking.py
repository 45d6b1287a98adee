"""What `plan` and `drift` look at: the target as it is now, or an export in its place. Neither can write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trueup.cli.planning import plan_afresh, plan_of
from trueup.cli.session import Session, definitions
from trueup.cli.transport import reading
from trueup.edge.loader import Loaded
from trueup.engine.plan import Planning


async def looked(session: Session, names: Sequence[str], snapshot: str | None) -> tuple[Loaded, Planning]:
    """The definitions and the plan; with a `snapshot` nothing is sent and no credential is needed. Raises TrueupError.

    The file is seen from the project's folder.
    """
    loaded = definitions(session)
    if snapshot is not None:
        return loaded, _of_snapshot(session, loaded, names, snapshot)
    async with reading(session) as courier:
        return loaded, await plan_afresh(session, courier, loaded, session.store.load(), names)


def _of_snapshot(session: Session, loaded: Loaded, names: Sequence[str], file: str) -> Planning:
    from trueup.core.migration.export import refuse_other_target
    from trueup.edge.export_file import read_export
    from trueup.engine.snapshot import marked, view_of

    export = read_export(session.root / file)
    refuse_other_target(export, session.identity)
    state = session.store.load()
    planning = plan_of(session, loaded, state, view_of(export, state), names)
    return replace(planning, plan=marked(planning.plan, export))
