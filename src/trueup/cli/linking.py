"""Links of definitions to live assistants, given as NAME=ID. Live counts as applied, so what differs is an edit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trueup.cli.session import Session
    from trueup.core.definitions.definition import Definition
    from trueup.core.memory.state import State
    from trueup.core.plans.live import Seen
    from trueup.core.plans.report import Report
    from trueup.edge.definitions.loader import Loaded
    from trueup.engine.refresh import View
    from trueup.engine.request_runner import RequestRunner
    from trueup.engine.takeover import Obstacle


def pairs_of(links: tuple[str, ...]) -> dict[str, str]:
    """The definitions' names and the ids they are given. Raises a usage error."""
    from trueup.core.memory.state import is_plain_id

    pairs: dict[str, str] = {}
    for link in links:
        name, equals, live_id = link.rpartition("=")
        if not equals or not name or not live_id:
            raise click.UsageError(f"{link!r} is no NAME=ID; write for example math-tutor=asst_abc123.")
        if not is_plain_id(live_id):
            raise click.UsageError(
                f"{live_id[:60]!r} cannot be an assistant's id: write it as the vendor shows it, such as asst_abc123."
            )
        if name in pairs or live_id in pairs.values():
            raise click.UsageError(f"{link!r} repeats a name or an id: each definition has one assistant of its own.")
        pairs[name] = live_id
    return pairs


async def link(session: Session, pairs: Mapping[str, str]) -> int:
    """Links all or none. Raises RefusedError where one cannot be linked, TrueupError where one is not there."""
    from dataclasses import replace

    from trueup.cli.planning import read_live
    from trueup.cli.session import definitions
    from trueup.cli.transport import reading, writing
    from trueup.core.command import Message
    from trueup.core.errors import worst
    from trueup.engine.facts import seen_in
    from trueup.engine.takeover import linked
    from trueup.render.records import state as memory

    loaded = definitions(session)
    pairs = _named(pairs, loaded, session.target.name)
    with session.store.lock():
        state = session.store.load()
        connected = writing if session.target.state == "stamps" else reading
        async with connected(session) as runner:
            view = await read_live(session, runner, state)
            seen = seen_in(view, session.adapter)
            found = _found(session, pairs, loaded, state, view, seen)
            if session.target.state == "stamps":
                _consent(session, found)
                report = await write_stamps(session, runner, found, state, view)
                tell_stamped(session, report)
                return int(worst(report.codes))
        records = {item.name: linked(item, live, session.adapter) for item, live in found}
        pending = {name: entry for name, entry in state.pending.items() if name not in records}
        session.store.save(replace(state, records={**state.records, **records}, pending=pending))
    if session.screen.json:
        session.screen.result(memory.changed_json("linked", session.target.name, dict(pairs)))
    else:
        note = Message("To see what the files would change: ", session.target.command("plan", *pairs))
        session.screen.result(memory.changed("linked to", pairs, session.target.name, [note]))
    return 0


def _named(pairs: Mapping[str, str], loaded: Loaded, target: str) -> dict[str, str]:
    """The pairs by the names of definitions; NAME may be a path or a glob that means one. Raises TrueupError."""
    from trueup.core.definitions.names import meant, select
    from trueup.core.errors import TrueupError

    names = {item.name for item in loaded.definitions}
    made: dict[str, str] = {}
    for given, live_id in pairs.items():
        known = {item.file for item in loaded.definitions} | names
        try:
            chosen = sorted(select([given], loaded.definitions))
        except TrueupError:
            raise TrueupError(f"No definition is named {given!r} for {target}.", meant(given, known)) from None
        if len(chosen) > 1:
            raise TrueupError(f"{given!r} stands for {len(chosen)} definitions: {', '.join(chosen)}.", "Name one.")
        if chosen[0] in made:
            raise TrueupError(f"{given!r} names {chosen[0]} a second time.", "Each definition has one assistant.")
        made[chosen[0]] = live_id
    return made


def _found(
    session: Session, pairs: Mapping[str, str], loaded: Loaded, state: State, view: View, seen: Mapping[str, Seen]
) -> list[tuple[Definition, Seen]]:
    """Each definition with its live assistant. Raises for the first that cannot be linked."""
    from trueup.core.errors import RefusedError, TrueupError, UnreadableError
    from trueup.engine.takeover import find_obstacle, has_room

    by_name = {item.name: item for item in loaded.definitions}
    found = []
    for name, live_id in pairs.items():
        live = seen.get(live_id)
        if live is None and not view.complete:
            raise UnreadableError(f"{live_id} was not found, but {view.problem}.", "Try again later.")
        if live is None:
            raise TrueupError(
                f"There is no live assistant {live_id} on {session.target.name}.",
                "Check the id, the target, and which account or project the credential belongs to.",
            )
        found_one = find_obstacle(name, live, session.identity, state, seen)
        if found_one is not None:
            hint = _link_hint(session, name, live, state, seen, found_one)
            raise RefusedError(f"{name} was not linked. {found_one.why}", hint)
        if session.target.state == "stamps" and live.stamp is None and not has_room(live, session.adapter):
            raise RefusedError(
                f"{live_id} has no room for the stamp: its metadata is full.", "Take one metadata key off it."
            )
        found.append((by_name[name], live))
    return found


def _link_hint(session: Session, name: str, live: Seen, state: State, seen: Mapping[str, Seen], found: Obstacle) -> str:
    """Return how to go on where an assistant cannot be linked under a name."""
    from trueup.core.command import Message
    from trueup.engine.takeover import is_duplicate

    record, held = state.records.get(name), {record.id for record in state.records.values()}
    beside = record is not None and record.id in seen and live.id not in held
    if beside and is_duplicate(live, name, session.identity):
        return Message(
            f"{live.id} is a duplicate of it. To delete it: ",
            session.target.command("delete-duplicate", f"{name}={live.id}"),
            ". To keep it instead, forget the other first: ",
            session.target.command("state", "rm", name),
        )
    if found.record:
        forget = session.target.command("state", "rm", found.record)
        return Message("One assistant has one owner. To forget the record: ", forget)
    return "One assistant has one owner. A stamp goes with its metadata key `trueup`."


def _consent(session: Session, found: list[tuple[Definition, Seen]]) -> None:
    """Ask for leave to write stamps. Raises TrueupError where it is declined, and where there is nobody to ask."""
    from trueup.core.command import Message
    from trueup.core.errors import TrueupError
    from trueup.render.values import many

    if session.flags.yes:
        return
    stamps = many(len(found), "stamp")
    if not session.screen.can_ask:
        raise TrueupError(
            f"Confirmation required to write {stamps}, and there is nobody to ask. Nothing was written.",
            Message("To link without a question: ", session.flags.again(yes=True)),
        )
    for item, live in found:
        session.screen.say(f"{item.name} is to be linked to {live.id}.")
    question = f"\nWrite {stamps} to {session.target.name}? Only yes goes on: "
    if session.screen.ask(question).lower() != "yes":
        raise TrueupError("Not imported: nothing was written.")


async def write_stamps(
    session: Session, runner: RequestRunner, found: list[tuple[Definition, Seen]], state: State, view: View
) -> Report:
    """Writes the stamps, which are the state here, as any write is: journaled, compared, told."""
    from trueup.cli.applying import locator, stoppable
    from trueup.cli.transport import journaled
    from trueup.core.plans.plan import Options, Plan
    from trueup.engine.apply import execute
    from trueup.engine.facts import seen_in
    from trueup.engine.plan import Planning
    from trueup.engine.takeover import stamping

    changes = tuple(stamping(item, live, session.identity, session.adapter) for item, live in found)
    plan = Plan(session.identity, Options(), changes, records=len(changes), complete=view.complete)
    planning = Planning(plan, state, view, seen_in(view, session.adapter), {})
    with journaled(session, runner), stoppable(session, runner.ports.stop):
        report, after = await execute(
            planning, plan, session.adapter, runner, session.target, locator([item for item, _ in found])
        )
        session.store.save(after)
    return report


def tell_stamped(session: Session, report: Report) -> None:
    """Shows what became of each stamp."""
    from trueup.render.records import json as as_json
    from trueup.render.terminal import text

    screen = session.screen
    screen.result(as_json.report(report) if screen.json else text.report(report, **screen.look))
