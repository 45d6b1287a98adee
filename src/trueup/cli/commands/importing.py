"""`import` from what is live: reads it, shows or writes the files, and then state, or with `state: stamps` the stamps.

Files come first and state last: killed in between, the same command goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace

from trueup.cli.applying import make_locator, stoppable
from trueup.cli.commands.import_work import ImportBuilder, ImportInput, find_writable_fields
from trueup.cli.planning import read_live
from trueup.cli.session import Session, load_definitions
from trueup.cli.transport import journal_writes, reading, writing
from trueup.core.command import Message
from trueup.core.definitions.definition import Definition
from trueup.core.definitions.names import select, suggest
from trueup.core.errors import Exit, RefusedError, TrueupError, UnreadableError, worst
from trueup.core.memory.journal import resolve_pending
from trueup.core.memory.state import State
from trueup.core.migration.imports import Imports, unknown_fields
from trueup.core.plans.live import LiveAssistant
from trueup.core.plans.plan import Options, Plan
from trueup.core.plans.report import Report
from trueup.core.plans.summary import import_summary
from trueup.edge.definitions.drafts import SCHEMA_FOLDER
from trueup.edge.definitions.loader import LoadResult
from trueup.edge.files import sweep_folders, write_inside
from trueup.engine.apply import execute
from trueup.engine.facts import read_stamps
from trueup.engine.plan import Planning
from trueup.engine.probe import is_probe_made
from trueup.engine.refresh import View
from trueup.engine.request_runner import RequestRunner
from trueup.engine.takeover import Obstacle, find_obstacle, has_room, is_duplicate, make_link_change, make_link_record
from trueup.render import pages
from trueup.render.records import imports as render
from trueup.render.records import json as as_json
from trueup.render.records import state as memory
from trueup.render.terminal import text
from trueup.render.values import pluralize


async def import_live(session: Session, names: Sequence[str], *, dry_run: bool) -> Exit:
    """Import the named live assistants, all without names. Raises TrueupError where nothing could be imported."""
    with nullcontext() if dry_run else session.store.import_lock():
        loaded, state = load_existing(session), session.store.load()
        async with _connect(session, dry_run=dry_run) as runner:
            view = await read_live(session, runner, state)
            seen = read_stamps(view, session.adapter)
            state = resolve_pending(state, seen, frozenset(view.absent))
            chosen = _choose_live(names, seen, view)
            if not names:
                chosen = _leave_out_probes(session, chosen, state, view)
            given = ImportInput(
                seen, chosen, {live_id: _find_unknown_fields(session, view, live_id) for live_id in chosen}
            )
            work = ImportBuilder(session, loaded, state).build(given)
            if dry_run:
                return show_import(session, work, dry_run=True)
            return await _write_import(session, runner, work, state, view)


def load_existing(session: Session) -> LoadResult:
    """Load the definitions; none where their folder does not exist yet. Raises DefinitionError."""
    if not (session.root / session.project.definitions).exists():
        return LoadResult((), frozenset(), ())
    return load_definitions(session)


def write_files(session: Session, work: Imports) -> None:
    """Write shared texts, then definitions, then the entries for the target. Raises TrueupError."""
    sweep_folders(session.root, session.project.definitions, SCHEMA_FOLDER)
    for file, content in work.parts.items():
        write_inside(session.root, file, content.encode())
    for item in work.files:
        write_inside(session.root, item.file, item.text.encode())
    for link in work.links:
        if link.edit is not None:
            before, after = link.edit
            write_inside(session.root, link.file, after, before)


def pair_with_live(
    session: Session, work: Imports, seen: Mapping[str, LiveAssistant]
) -> list[tuple[Definition, LiveAssistant]]:
    """Load the definitions again and pair each with its live assistant. Raises DefinitionError."""
    by_name = {item.name: item for item in load_definitions(session).definitions}
    return [(by_name[name], seen[live_id]) for name, live_id in work.ids.items()]


def save_links(session: Session, state: State, found: Sequence[tuple[Definition, LiveAssistant]]) -> None:
    """Save records in which live counts as applied. Raises TrueupError."""
    records = {item.name: make_link_record(item, live, session.adapter) for item, live in found}
    pending = {name: entry for name, entry in state.pending.items() if name not in records}
    session.store.save(replace(state, records={**state.records, **records}, pending=pending))


def show_import(session: Session, work: Imports, codes: Sequence[Exit] = (), *, dry_run: bool = False) -> Exit:
    """Show an import on stdout and return its exit code; `codes` are those of what was sent for it."""
    code = worst([*codes, Exit.OK if work.is_whole else Exit.HELD])
    if session.screen.json:
        session.screen.write_result(render.write_json(work, code, dry_run=dry_run))
    elif session.screen.quiet:
        session.screen.write_result(import_summary(work, code, dry_run=dry_run))
    else:
        session.screen.write_result(render.write_text(work, code, dry_run=dry_run))
    return code


@asynccontextmanager
async def _connect(session: Session, *, dry_run: bool = False) -> AsyncIterator[RequestRunner]:
    """Open a connection that can write only where stamps are to be written."""
    kind = writing if session.target.state == "stamps" and not dry_run else reading
    async with kind(session) as runner:
        yield runner


async def _write_import(session: Session, runner: RequestRunner, work: Imports, state: State, view: View) -> Exit:
    seen = read_stamps(view, session.adapter)
    if session.target.state == "stamps":
        _confirm_import(session, work)
    write_files(session, work)
    if not work.ids:
        return show_import(session, work)
    found = pair_with_live(session, work, seen)
    if session.target.state != "stamps":
        save_links(session, state, found)
        return show_import(session, work)
    report = await write_stamps(session, runner, found, state, view)
    code = show_import(session, work, report.codes)
    if worst(report.codes) or session.screen.verbose:
        page = pages.report_page(report, pages.TERMINAL)
        session.screen.write_stderr(text.write_page(page, **session.screen.note_look))
    return code


def _confirm_import(session: Session, work: Imports) -> None:
    """Ask for leave to write stamps. Raises TrueupError where it is declined or cannot be asked for."""
    if not work.ids:
        return
    stamps, again = pluralize(len(work.ids), "stamp"), session.flags.again
    unasked = TrueupError(
        f"Confirmation required to write {stamps}, and no terminal to ask on. Nothing was written.",
        Message("To write them without confirmation: ", again(yes=True), ". To look first: ", again(dry_run=True)),
    )
    session.confirm(
        f"Write these files, and {stamps} to {session.target.name}?", "write them",
        unasked=unasked, declined="Not imported: nothing was written.",
        preview=lambda: render.write_text(work, Exit.OK, dry_run=True),
    )  # fmt: skip


def _find_unknown_fields(session: Session, view: View, live_id: str) -> dict[str, object]:
    """Return what the server answered beside the fields that definitions have."""
    live = view.live[live_id]
    return {**live.extra, **unknown_fields(live.body, find_writable_fields(session))}


def _choose_live(names: Sequence[str], seen: Mapping[str, LiveAssistant], view: View) -> list[str]:
    """Return the ids that the names stand for. Raises UnreadableError on a partial view, else as `choose_ids` does."""
    if not view.complete and not (names and all(name in seen for name in names)):
        raise UnreadableError(
            f"Nothing was imported, because not everything could be read: {view.problem}.",
            "An incomplete listing is never used. Try again later, or name what you want by its id.",
        )
    return choose_ids(names, {live_id: live.display_name for live_id, live in seen.items()})


def _leave_out_probes(session: Session, chosen: Sequence[str], state: State, view: View) -> list[str]:
    """Drop what probes left behind, and note each: the next probe removes it."""
    recorded = {record.id for record in state.records.values()}
    left = [live_id for live_id in chosen if live_id not in recorded and is_probe_made(view.live[live_id])]
    for live_id in left:
        session.screen.note_wrapped(
            Message(
                f"{live_id} was made by a probe and is not imported. To import it anyway: ",
                session.target.command("import", live_id),
            )
        )
    return [live_id for live_id in chosen if live_id not in left]


def choose_ids(names: Sequence[str], known: Mapping[str, str]) -> list[str]:
    """Return the ids that names stand for, all without names; `known` maps ids to display names.

    Raises TrueupError for a name that none has, or that several have.
    """
    if not names:
        return list(known)
    chosen: dict[str, None] = {}
    for name in names:
        ids = [name] if name in known else [live_id for live_id, display in known.items() if display == name]
        if not ids:
            words = {*known, *known.values()} - {""}
            raise TrueupError(f"No assistant has the id or the display name {name!r}.", suggest(name, words))
        if len(ids) > 1:
            raise TrueupError(
                f"{len(ids)} assistants have the display name {name!r}: {', '.join(sorted(ids))}.",
                "Name the ones you want by their ids.",
            )
        chosen[ids[0]] = None
    return list(chosen)


async def link_definitions(session: Session, pairs: Mapping[str, str]) -> int:
    """Link all or none. Raises RefusedError where one cannot be linked, TrueupError where one is missing."""
    loaded = load_definitions(session)
    pairs = _find_definitions(pairs, loaded, session.target.name)
    with session.store.lock():
        state = session.store.load()
        async with _connect(session) as runner:
            view = await read_live(session, runner, state)
            seen = read_stamps(view, session.adapter)
            found = _check_links(session, pairs, loaded, state, view, seen)
            if session.target.state == "stamps":
                _confirm_links(session, found)
                report = await write_stamps(session, runner, found, state, view)
                show_stamped(session, report)
                return int(worst(report.codes))
        save_links(session, state, found)
    if session.screen.json:
        session.screen.write_result(memory.write_change_json("linked", session.target.name, dict(pairs)))
    else:
        note = Message("To see what the files would change: ", session.target.command("plan", *pairs))
        session.screen.write_result(memory.write_change("linked to", pairs, session.target.name, [note]))
    return 0


def _find_definitions(pairs: Mapping[str, str], loaded: LoadResult, target: str) -> dict[str, str]:
    """Resolve each NAME to one definition; it may be a path or a glob. Raises TrueupError."""
    names = {item.name for item in loaded.definitions}
    made: dict[str, str] = {}
    for given, live_id in pairs.items():
        known = {item.file for item in loaded.definitions} | names
        try:
            chosen = sorted(select([given], loaded.definitions))
        except TrueupError:
            raise TrueupError(f"No definition is named {given!r} for {target}.", suggest(given, known)) from None
        if len(chosen) > 1:
            raise TrueupError(f"{given!r} matches {len(chosen)} definitions: {', '.join(chosen)}.", "Name one.")
        if chosen[0] in made:
            raise TrueupError(f"{given!r} names {chosen[0]} a second time.", "Each definition has one assistant.")
        made[chosen[0]] = live_id
    return made


def _check_links(
    session: Session,
    pairs: Mapping[str, str],
    loaded: LoadResult,
    state: State,
    view: View,
    seen: Mapping[str, LiveAssistant],
) -> list[tuple[Definition, LiveAssistant]]:
    """Pair each definition with its live assistant. Raises for the first that cannot be linked."""
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
            hint = _explain_obstacle(session, name, live, state, seen, found_one)
            raise RefusedError(f"{name} was not linked. {found_one.why}", hint)
        if session.target.state == "stamps" and live.stamp is None and not has_room(live, session.adapter):
            raise RefusedError(
                f"The metadata of {live_id} is full: there is no room for the stamp.",
                "Remove one of its metadata keys at the vendor.",
            )
        found.append((by_name[name], live))
    return found


def _explain_obstacle(
    session: Session, name: str, live: LiveAssistant, state: State, seen: Mapping[str, LiveAssistant], found: Obstacle
) -> str:
    """Return how to go on where an assistant cannot be linked under a name."""
    record, held = state.records.get(name), {record.id for record in state.records.values()}
    beside = record is not None and record.id in seen and live.id not in held
    if beside and is_duplicate(live, name, session.identity):
        return Message(
            f"{live.id} is a duplicate. To delete it: ",
            session.target.command("delete-duplicate", f"{name}={live.id}"),
            ". To keep it instead, forget the other first: ",
            session.target.command("state", "rm", name),
        )
    if found.record:
        forget = session.target.command("state", "rm", found.record)
        return Message("An assistant belongs to one definition. To forget the record: ", forget)
    return "An assistant belongs to one definition. To remove a stamp, delete its metadata key `trueup`."


def _confirm_links(session: Session, found: Sequence[tuple[Definition, LiveAssistant]]) -> None:
    """Ask for leave to write stamps. Raises TrueupError where it is declined or cannot be asked for."""
    stamps, screen = pluralize(len(found), "stamp"), session.screen
    unasked = TrueupError(
        f"Confirmation required to write {stamps}, and no terminal to ask on. Nothing was written.",
        Message("To link without confirmation: ", session.flags.again(yes=True)),
    )
    session.confirm(
        f"Write {stamps} to {session.target.name}?", "write them",
        unasked=unasked, declined="Not imported: nothing was written.",
        preview=lambda: "\n".join(screen.wrap(f"This links {item.name} to {live.id}.") for item, live in found),
    )  # fmt: skip


async def write_stamps(
    session: Session, runner: RequestRunner, found: list[tuple[Definition, LiveAssistant]], state: State, view: View
) -> Report:
    """Write the stamps, which are the state here, as an apply does: with journal, comparison and report."""
    changes = tuple(make_link_change(item, live, session.identity, session.adapter) for item, live in found)
    plan = Plan(session.identity, Options(), changes, records=len(changes), complete=view.complete)
    planning = Planning(plan, state, view, read_stamps(view, session.adapter), {})
    with journal_writes(session, runner), stoppable(session, runner.ports.stop):
        report, after = await execute(
            planning, plan, session.adapter, runner, session.target, make_locator([item for item, _ in found])
        )
        session.store.save(after)
    return report


def show_stamped(session: Session, report: Report) -> None:
    """Show what became of each stamp."""
    screen = session.screen
    if screen.json:
        screen.write_result(as_json.report(report))
    else:
        screen.write_result(text.write_page(pages.report_page(report, pages.TERMINAL), **screen.look))
