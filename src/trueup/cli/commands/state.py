"""`state`: list, show, forget and rebuild the records of a target.

Each command that changes state holds the target's lock; nothing is sent but GET.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from trueup.cli.flags import Flags
from trueup.cli.options import NETWORK, make_family, takes

if TYPE_CHECKING:
    from pathlib import Path

    from trueup.cli.session import Session
    from trueup.core.memory.state import State
    from trueup.engine.takeover import Rebuilt


@click.command("list", short_help="List names and ids.")
@takes(NETWORK)
def list_(flags: Flags) -> int:
    """List the assistants in the state: the stable map from name to id.

    With `state: stamps` the stamps are read.
    """
    from trueup.cli.session import open_session
    from trueup.render.records import state as memory

    session = open_session(flags)
    state = _load_state(session)
    if flags.json:
        session.screen.write_result(memory.write_listing_json(state.records, session.target.name))
    else:
        session.screen.write_result(memory.write_listing(state.records, state.pending))
    return 0


@click.command(short_help="Show the record of one assistant.")
@click.argument("name")
@takes(NETWORK)
def show(flags: Flags, name: str) -> int:
    """Show the record of one assistant: its id, and what is known of each field."""
    from trueup.cli.session import open_session, require_one
    from trueup.render.records import state as memory

    session = open_session(flags)
    state = _load_state(session)
    found = require_one(name, _choose_names(session, [name], state))
    known = (found, state.records.get(found), state.pending.get(found))
    if flags.json:
        session.screen.write_result(memory.write_record_json(*known, session.target.name))
    else:
        session.screen.write_result(memory.write_record(*known))
    return 0


@click.command(short_help="Forget assistants; they stay live.")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@takes()
def rm(flags: Flags, names: tuple[str, ...]) -> int:
    """Forget assistants, and their requests with an unknown outcome; they stay live.

    NAME may be a folder or a glob. If the state belongs to another target, only '*' is accepted.
    """
    from dataclasses import replace

    from trueup.cli.session import open_session
    from trueup.render.records import state as memory

    session = open_session(flags)
    _refuse_stamps(session, "forgotten")
    with session.store.lock():
        state = _load_even_if_foreign(session, names)
        gone = _choose_names(session, names, state)
        ids = {name: state.records[name].id if name in state.records else "" for name in gone}
        records = {name: record for name, record in state.records.items() if name not in ids}
        pending = {name: entry for name, entry in state.pending.items() if name not in ids}
        session.store.save(replace(state, records=records, pending=pending))
    if flags.json:
        session.screen.write_result(memory.write_change_json("forgotten", session.target.name, ids))
    else:
        target = session.target
        session.screen.write_result(memory.write_forgotten(ids, state.pending, target.name, target.command("plan")))
    return 0


@click.command(short_help="Rebuild lost or stale records from the stamps.")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@takes(NETWORK)
def rebuild(flags: Flags, names: tuple[str, ...]) -> int:
    """Rebuild records from the stamps of live assistants: the missing and the stale ones, or the named ones.

    A record is stale if another checkout has applied since. A damaged state file or journal is moved aside, never
    deleted.
    """
    from trueup.cli.session import open_session
    from trueup.cli.transport import run_async
    from trueup.core.errors import Exit
    from trueup.edge.state.store import put_back, set_damaged_aside

    session = open_session(flags)
    _refuse_stamps(session, "rebuilt")
    with session.store.lock():
        aside = set_damaged_aside(session.store)
        try:
            made = run_async(_read_stamps(session, names))
        except BaseException:
            put_back(session.store, aside)
            raise
        for path in aside:
            session.screen.note(f"The damaged file was moved to {path}.")
        session.store.save(made.state)
    lost = _find_lost(made, aside)
    _show_rebuilt(session, made, aside, lost)
    return int(Exit.HELD if made.duplicates or lost else Exit.OK)


@click.command(short_help="Remove a stale lock.")
@takes()
def unlock(flags: Flags) -> int:
    """Remove a stale lock, on file systems where a lock outlives its process."""
    from trueup.cli.session import open_session
    from trueup.render.records import state as memory

    session = open_session(flags)
    removed = session.store.unlock()
    target = session.target.name
    if flags.json:
        session.screen.write_result(memory.write_change_json("unlocked", target, {}, removed=removed))
    else:
        words = "The lock was removed." if removed else "There was no stale lock."
        session.screen.write_result(f"{target}: {words}")
    return 0


def _load_state(session: Session) -> State:
    """Load the state, from the stamps where they are the state."""
    from dataclasses import replace

    state = session.store.load()
    if session.target.state == "file":
        return state
    from trueup.cli.transport import run_async

    return replace(run_async(_read_stamps(session, (), state)).state, pending=state.pending)


async def _read_stamps(session: Session, names: Sequence[str], state: State | None = None) -> Rebuilt:
    """Rebuild records from the stamps of everything live. Raises UnreadableError for a partial view."""
    from trueup.cli.planning import read_live
    from trueup.cli.transport import reading
    from trueup.core.errors import UnreadableError
    from trueup.engine.facts import read_stamps
    from trueup.engine.takeover import rebuild_records

    loaded = state or session.store.load()
    async with reading(session) as runner:
        view = await read_live(session, runner, loaded)
    if not view.complete:
        raise UnreadableError(f"Not everything could be read: {view.problem}.", "Nothing was changed. Try again later.")
    seen = read_stamps(view, session.adapter)
    stamped = {live.stamp.name for live in seen.values() if live.stamp is not None}
    return rebuild_records(
        loaded, session.identity, seen, _match_names(session, names, stamped | loaded.records.keys())
    )


def _find_lost(made: Rebuilt, aside: Sequence[Path]) -> dict[str, str]:
    """Map the names that damaged files hold, and that the state now lacks, to their ids."""
    from trueup.edge.state.store import find_names_in

    held = {record.id for record in made.state.records.values()}
    known = made.state.records.keys() | made.state.pending.keys() | made.duplicates.keys()
    return {
        name: live_id
        for path in aside
        for name, live_id in sorted(find_names_in(path).items())
        if name not in known and live_id not in held
    }


def _show_rebuilt(session: Session, made: Rebuilt, aside: Sequence[Path], lost: Mapping[str, str]) -> None:
    from trueup.render.records import state as memory

    ids = {name: record.id for name, record in made.found.items()}
    if session.screen.json:
        duplicates = {name: list(known) for name, known in made.duplicates.items()}
        more = {"aside": list(map(str, aside)), "twins": duplicates, "not_restored": dict(lost)}
        session.screen.write_result(memory.write_change_json("rebuilt", session.target.name, ids, **more))
        return
    notes = [*_note_rebuilt(session, made), *_note_lost(session, lost)]
    notes = notes or ([] if ids else [_explain_nothing_rebuilt(session, made)])
    session.screen.write_result(memory.write_change("rebuilt as", ids, session.target.name, notes))


def _explain_nothing_rebuilt(session: Session, made: Rebuilt) -> str:
    """Say why no record was made: all are there, or no stamp is this target's, and whose the others are."""
    here = f"{session.identity.project}/{session.identity.target}"
    why = (
        f"every assistant with a stamp of {here} already has its record"
        if made.stamped
        else f"no live assistant has the stamp of {here}"
    )
    words = f"Nothing to rebuild on {session.target.name}: {why}."
    if made.strangers:
        total = sum(made.strangers.values())
        verb = "has the stamp" if total == 1 else "have the stamps"
        whose = ", ".join(f"{name} ({count})" for name, count in sorted(made.strangers.items()))
        words += f" {total} {verb} of other targets: {whose}."
    return words


def _note_lost(session: Session, lost: Mapping[str, str]) -> list[str]:
    """Name the records that no stamp restored, and how to link those that are live."""
    from trueup.core.command import Message
    from trueup.render.records import state as memory

    if not lost:
        return []
    linked = [f"{name}={live_id}" for name, live_id in lost.items() if live_id]
    notes: list[str] = [f"Not rebuilt, because no stamp names them: {memory.name_ids(lost)}."]
    if linked:
        notes.append(Message("To link those that are live: ", session.target.command("import", *linked)))
    return notes


def _note_rebuilt(session: Session, made: Rebuilt) -> list[str]:
    """Name the records that were behind, and the names that several assistants carry."""
    from trueup.core.command import Message
    from trueup.core.plans.plan import Reason
    from trueup.core.plans.wording import DOUBLED_STRAY, HINTS, Advice, say
    from trueup.edge.definitions.documents import find_files
    from trueup.wire.registry import protocols

    notes: list[str] = []
    if made.behind:
        names, plan = ", ".join(sorted(made.behind)), session.target.command("plan")
        notes.append(
            Message(
                f"Another checkout had applied since this state was written: {names}. "
                "If your files lack its changes, an apply would undo them; check first: ",
                plan,
            )
        )
    for name, ids in made.duplicates.items():
        kept = made.found.get(name)
        if kept is not None:
            others = tuple(live_id for live_id in ids if live_id != kept.id)
            message, hint = say(Reason.TWIN_BESIDE, name, others, selection=session.target.selection)
            notes.append(Message(f"{name}: {message}. ", hint))
        else:
            files = dict(find_files(session.root, session.project.definitions, protocols()).files)
            hint = Advice(name, ids, session.target.selection).fill(
                HINTS[Reason.TWINS] if name in files else DOUBLED_STRAY
            )
            notes.append(Message(f"{name} was not rebuilt: {' and '.join(ids)} carry its stamp. ", hint))
    return notes


def _load_even_if_foreign(session: Session, names: Sequence[str]) -> State:
    """Load the state; that of another target only if all of it is to be forgotten. Raises StateError."""
    from trueup.core.errors import ForeignStateError

    try:
        return session.store.load()
    except ForeignStateError:
        if tuple(names) != ("*",):
            raise
        return session.store.load(other_target=True)


def _choose_names(session: Session, names: Sequence[str], state: State) -> list[str]:
    """Return the names in state that were chosen. Raises TrueupError for one that is not there."""
    return sorted(_match_names(session, names, state.records.keys() | state.pending.keys()))


def _match_names(session: Session, names: Sequence[str], known: set[str]) -> set[str]:
    from trueup.core.definitions.names import select

    folder = session.project.definitions
    return (
        select([name if name in known else _strip_folder(name, folder) for name in names], (), known)
        if names
        else set()
    )


def _strip_folder(text: str, folder: str) -> str:
    """Turn a path in the definitions folder into a name, folder or glob, whether or not the file exists."""
    from pathlib import PurePosixPath

    from trueup.core.definitions.document import DEFINITION_ENDINGS

    path = PurePosixPath(text)
    if text and path.is_relative_to(folder):
        inner = path.relative_to(folder)
        shown = str(inner.with_suffix("") if inner.suffix in DEFINITION_ENDINGS else inner)
        return f"{shown}/" if text.endswith("/") and shown != "." else shown
    return text


def _refuse_stamps(session: Session, what: str) -> None:
    from trueup.core.errors import TrueupError

    if session.target.state == "stamps":
        raise TrueupError(
            f"The target {session.target.name} has no state file (`state: stamps`), so nothing can be {what}.",
            "A stamp changes with the next apply.",
        )


COMMANDS = {
    "state": make_family(
        "state",
        {
            "State": {
                "list": ("state", "List names and ids."),
                "show": ("state", "Show the record of one assistant."),
                "rm": ("state", "Forget assistants; they stay live."),
                "rebuild": ("state", "Rebuild lost or stale records from the stamps."),
                "unlock": ("state", "Remove a stale lock."),
            }
        },
        "List, show, forget and rebuild the state of a target: names, ids, and digests of what was applied.",
    ),
    "list": list_,
    "show": show,
    "rm": rm,
    "rebuild": rebuild,
    "unlock": unlock,
}
