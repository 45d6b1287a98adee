"""`drift` and `why`: does live differ from what was applied, and what decides each field.

Neither can write: they only have the reading transport.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trueup.cli.flags import Flags
from trueup.cli.options import DECIDING, LAYOUT, LISTS, NETWORK, VARS, Decorator, flag, takes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trueup.cli.session import Session
    from trueup.core.definitions.definition import Definition
    from trueup.core.field_table import FieldTable
    from trueup.core.plans.drift import ApplyOrigin, Earlier, History
    from trueup.core.plans.live import Unmanaged
    from trueup.core.plans.plan import Plan
    from trueup.core.plans.reasons import Locate, Why
    from trueup.core.source import Position
    from trueup.edge.definitions.loader import LoadResult
    from trueup.engine.plan import Planning

REPORTS: Sequence[Decorator] = (
    flag("--reports", metavar="FOLDER", help="JSON reports of applies: shows who applied each last."),
)
"""What commands take that show who applied last."""


@click.command(short_help="Show what differs from what was applied.")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--all", "everything", is_flag=True, help="Also undeclared and unknown fields, and unmanaged assistants.")
@click.option("--since", metavar="FILE", help="An earlier JSON report of drift: shows since when each drifts.")
@click.option("--snapshot", metavar="FILE", help="Compare with an export instead of live: offline, marked as old.")
@takes(VARS, NETWORK, REPORTS, LAYOUT, formats=LISTS)
def drift(
    flags: Flags,
    names: tuple[str, ...],
    everything: bool,
    since: str | None,
    snapshot: str | None,
    reports: str | None,
) -> int:
    """Show what differs from what was applied: manual and other changes outside Trueup.

    Exit code 2 when there is any, 6 when something could not be read or is not known, else 0. With --all also
    undeclared fields that hold no default and unmanaged assistants are listed; they change no exit code.
    With --since the report says since when each drift is seen, with --reports who applied before it.
    """
    from trueup.cli import answers
    from trueup.cli.planning import plan_live_or_snapshot
    from trueup.cli.session import open_session
    from trueup.cli.transport import run_async
    from trueup.core.plans.exits import drift_exit

    session = open_session(flags)
    loaded, planning = run_async(plan_live_or_snapshot(session, names, snapshot))
    unmanaged = _find_unmanaged(session, names, loaded, planning) if everything else None
    plan, history = _add_history(session, planning, since, reports)
    files = {"since": since or "", "snapshot": snapshot or "", "reports": reports or ""}
    again = plan.selection.command("drift", *names, all=everything, **files)
    session.screen.write_answer(lambda place: answers.write_drift(plan, unmanaged, history, place, again))
    return int(drift_exit(plan))


def _find_unmanaged(session: Session, names: tuple[str, ...], loaded: LoadResult, planning: Planning) -> Unmanaged:
    from trueup.core.definitions.names import select
    from trueup.core.plans.live import find_unmanaged

    known = loaded.names | planning.state.records.keys() | set(names)  # each name was found in the plan already
    chosen = select(names, loaded.definitions, known)
    bodies = {item.name: item.body for item in loaded.definitions if item.name in chosen}
    extra = {live_id: live.extra for live_id, live in planning.view.live.items()}
    return find_unmanaged(bodies, planning.state, planning.seen, session.adapter.dialect.table, extra)


def _add_history(session: Session, planning: Planning, since: str | None, reports: str | None) -> tuple[Plan, History]:
    """Return the plan with what is known of each drift's beginning and of the applies before it. Raises TrueupError."""
    import time
    from dataclasses import replace

    from trueup.core.migration.export import format_moment
    from trueup.core.plans.drift import History, add_first_seen, find_sightings
    from trueup.core.plans.plan import is_outside

    plan = planning.plan
    now = plan.snapshot or format_moment(time.time())
    earlier = _read_earlier(session, since) if since is not None else None
    shown, carried = find_sightings(plan, planning.judged, earlier, now)
    names = [change.name for change in plan.changes if is_outside(change)]
    origins = find_origins(session, planning, names, reports)
    plan = add_first_seen(plan, shown)
    changes = tuple(
        replace(change, remarks=(*change.remarks, origins[change.name].sentence)) if change.name in origins else change
        for change in plan.changes
    )
    return replace(plan, changes=changes), History(now, shown, carried, origins)


def _read_earlier(session: Session, file: str) -> Earlier:
    """Return what an earlier report saw; nothing, and that is said, where there is none yet. Raises TrueupError."""
    from trueup.core.errors import TrueupError
    from trueup.core.plans.drift import Earlier, read_earlier
    from trueup.edge.artifacts import read_report

    document = read_report(session.root / file)
    if document is None:
        session.screen.note_wrapped(f"There is no earlier report {file}: all drift counts as seen since now.")
        return Earlier("", ())
    try:
        found = read_earlier(document, session.identity)
    except TrueupError as error:
        raise TrueupError(f"{file}: {error.message}", error.hint) from None
    if found is None:
        session.screen.note_wrapped(
            f"{file} is the report of a command that failed: all drift counts as seen since now."
        )
    return found or Earlier("", ())


@click.command(short_help="Explain the state of each field of an assistant.")
@click.argument("name")
@click.argument("field", required=False)
@takes(VARS, NETWORK, DECIDING, REPORTS)
def why(flags: Flags, name: str, field: str | None, reports: str | None) -> int:
    """Explain the state of each field of an assistant: file, last applied, live, and the rule that decides.

    FIELD is one field, as a plan calls it: `instructions`, `metadata.owner`. Nothing is written.
    With --reports it also shows who applied last.
    """
    from trueup.cli.session import open_session
    from trueup.cli.transport import run_async

    session = open_session(flags)
    answer = run_async(_explain(session, name, field, reports))
    if flags.json:
        from trueup.render.records import json as as_json

        session.screen.write_result(as_json.why(answer))
    else:
        from trueup.render.terminal import answers

        session.screen.write_result(answers.write_why(answer, **session.screen.look))
    return 0


async def _explain(session: Session, asked: str, field: str | None, reports: str | None) -> Why:
    from dataclasses import replace

    from trueup.cli.planning import plan_live
    from trueup.cli.session import load_definitions, require_one
    from trueup.cli.transport import reading
    from trueup.core.definitions.names import select, suggest
    from trueup.core.errors import TrueupError

    loaded = load_definitions(session)
    async with reading(session) as runner:
        planning = await plan_live(session, runner, loaded, session.store.load())
    name = require_one(asked, sorted(select([asked], loaded.definitions, loaded.names | planning.state.records.keys())))
    definition = next((item for item in loaded.definitions if item.name == name), None)
    made = _explain_fields(session, name, definition, planning)
    made = replace(made, origin=find_origins(session, planning, [name], reports).get(name))
    fields = {item.name: item for item in made.fields}
    if field is None:
        return made
    if field not in fields:
        raise TrueupError(
            f"{name} has no field {field!r}: not in its file, not applied, and live at its default.",
            suggest(field, fields.keys()),
        )
    return replace(made, fields=(fields[field],))


def _explain_fields(session: Session, name: str, definition: Definition | None, planning: Planning) -> Why:
    """Return what the plan says of one assistant, and why."""
    from trueup.cli.planning import find_record_and_live
    from trueup.core.plans.fields import Rules
    from trueup.core.plans.plan import Reason
    from trueup.core.plans.reasons import Why, reasons
    from trueup.core.plans.wording import say
    from trueup.engine.facts import declare_fields

    record, live = find_record_and_live(session, name, planning)
    rules = Rules(session.adapter.dialect.table, stamps=session.target.state == "stamps")
    file = declare_fields(definition, session.adapter) if definition is not None else {}
    locate = _make_locator(definition, session.adapter.dialect.table)
    fields = reasons(definition, file, live.fields if live else None, record, rules, locate)
    change = next((item for item in planning.plan.changes if item.name == name), None)
    message, hint = (change.message, change.hint) if change is not None else say(Reason.CLEAN, name)
    if change is None and definition is None:
        message = f"is left out of the target {session.target.name}"
    notes = {} if planning.view.complete else {"partial view": planning.view.problem}
    return Why(name, live.id if live else record.id if record else "", message, fields, hint, notes)


def _make_locator(definition: Definition | None, table: FieldTable) -> Locate:
    """Return where a field stands in the files; they are read again for it, once."""
    source = definition.locate() if definition is not None else None

    def locate(field: str) -> Position | None:
        return source.key(table.path_of(field)) if source is not None else None

    return locate


def find_origins(
    session: Session, planning: Planning, names: Sequence[str], folder: str | None
) -> dict[str, ApplyOrigin]:
    """Return the last apply of each assistant, by the reports in a folder (relative to the project); none without.

    Where no report has an operation, its origin names nothing else. Raises TrueupError.
    """
    from trueup.core.plans.drift import ApplyOrigin, find_origins
    from trueup.edge.artifacts import read_reports

    if folder is None:
        return {}
    found, others = find_origins(read_reports(session.root / folder))
    if others:
        files = "1 file is" if others == 1 else f"{others} files are"
        session.screen.note_wrapped(f"In {folder} {files} no report of an apply and not used.")
    known = {name: find_operation(name, planning) for name in names}
    return {name: found.get(text, ApplyOrigin(text)) for name, text in known.items() if text}


def find_operation(name: str, planning: Planning) -> str:
    """Return the operation that an assistant's stamp names, else the one in state; empty where there is none."""
    record = planning.state.records.get(name)
    live = planning.seen.get(record.id) if record is not None else None
    if live is not None and live.stamp is not None and live.stamp.operation:
        return live.stamp.operation
    return record.operation if record is not None else ""


COMMANDS = {"drift": drift, "why": why}
