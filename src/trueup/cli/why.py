"""`why`: file, applied, live, and the rule that decided. It cannot write: it only has the reading transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trueup.cli.flags import Flags
from trueup.cli.options import DECIDING, NETWORK, VARS, takes
from trueup.cli.provenance import REPORTS

if TYPE_CHECKING:
    from trueup.cli.session import Session
    from trueup.core.definitions.definition import Definition
    from trueup.core.field_table import FieldTable
    from trueup.core.plans.reasons import Locate, Why
    from trueup.core.source import Position
    from trueup.engine.plan import Planning


@click.command(short_help="Explain what decides each field of an assistant.")
@click.argument("name")
@click.argument("field", required=False)
@takes(VARS, NETWORK, DECIDING, REPORTS)
def why(flags: Flags, name: str, field: str | None, reports: str | None) -> int:
    """Explain what decides each field of an assistant: file, what was applied, live, and the rule.

    FIELD is one field, as a plan calls it: `instructions`, `metadata.owner`. Nothing is written.
    With --reports it is told who applied last.
    """
    from trueup.cli.loop import complete
    from trueup.cli.session import open_session

    session = open_session(flags)
    answer = complete(_answer(session, name, field, reports))
    if flags.json:
        from trueup.render.records import json as as_json

        session.screen.result(as_json.why(answer))
    else:
        from trueup.render.terminal import answers

        session.screen.result(answers.why(answer, verbose=session.screen.verbose > 0, **session.screen.look))
    return 0


async def _answer(session: Session, asked: str, field: str | None, reports: str | None) -> Why:
    from dataclasses import replace

    from trueup.cli.planning import plan_afresh
    from trueup.cli.provenance import origins_of
    from trueup.cli.session import definitions
    from trueup.cli.transport import reading
    from trueup.core.definitions.names import meant, select
    from trueup.core.errors import TrueupError

    loaded = definitions(session)
    async with reading(session) as runner:
        planning = await plan_afresh(session, runner, loaded, session.store.load())
    chosen = sorted(select([asked], loaded.definitions, loaded.names | planning.state.records.keys()))
    if len(chosen) > 1:
        raise TrueupError(f"{asked!r} stands for {len(chosen)} assistants: {', '.join(chosen)}.", "Name one of them.")
    definition = next((item for item in loaded.definitions if item.name == chosen[0]), None)
    made = _why(session, chosen[0], definition, planning)
    made = replace(made, origin=origins_of(session, planning, chosen, reports).get(chosen[0]))
    fields = {item.name: item for item in made.fields}
    if field is None:
        return made
    if field not in fields:
        raise TrueupError(
            f"{chosen[0]} has no field {field!r} in its file, in what was applied, or live beside its default.",
            meant(field, fields.keys()),
        )
    return replace(made, fields=(fields[field],))


def _why(session: Session, name: str, definition: Definition | None, planning: Planning) -> Why:
    """What the plan says of one assistant, and why."""
    from trueup.cli.planning import remembered
    from trueup.core.plans.fields import Rules
    from trueup.core.plans.plan import Reason
    from trueup.core.plans.reasons import Why, reasons
    from trueup.core.plans.wording import say
    from trueup.engine.facts import declared

    record, live = remembered(session, name, planning)
    rules = Rules(session.adapter.dialect.semantics, stamps=session.target.state == "stamps")
    file = declared(definition, session.adapter) if definition is not None else {}
    locate = _locator(definition, session.adapter.dialect.table)
    fields = reasons(definition, file, live.fields if live else None, record, rules, locate)
    change = next((item for item in planning.plan.changes if item.name == name), None)
    message, hint = (change.message, change.hint) if change is not None else say(Reason.CLEAN, name)
    if change is None and definition is None:
        message = f"is left out of the target {session.target.name}"
    notes = {} if planning.view.complete else {"partial view": planning.view.problem}
    return Why(name, live.id if live else record.id if record else "", message, fields, hint, notes)


def _locator(definition: Definition | None, table: FieldTable) -> Locate:
    """Where a field stands in the files; they are read again for it, once."""
    source = definition.locate() if definition is not None else None

    def locate(field: str) -> Position | None:
        return source.key(table.path_of(field)) if source is not None else None

    return locate


COMMANDS = {"why": why}
