"""`import --from`: assistants in files become definitions, and where a file is this target's own export, state too.

Asks no network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Final

from trueup.cli.commands.import_work import ImportBuilder, ImportInput, find_writable_fields
from trueup.cli.commands.importing import (
    choose_ids,
    load_existing,
    pair_with_live,
    save_links,
    show_import,
    write_files,
)
from trueup.cli.session import Session
from trueup.core.command import Message, list_commands
from trueup.core.errors import Exit, TrueupError
from trueup.core.memory.state import Identity, is_plain_id
from trueup.core.memory.state_codec import flatten_identity
from trueup.core.migration.export import Export, is_of, is_same_place
from trueup.core.migration.first_protocol import has_first_words
from trueup.core.migration.foreign import SAVED_AGENTS, SERVER_KEYS, find_assistants, is_backup, saved_agents
from trueup.core.migration.imports import ImportedAssistant, Imports, NotAnAssistant, unknown_fields
from trueup.core.plans.live import LiveAssistant, read_live
from trueup.core.projects.project import PORTABLE
from trueup.edge.migration_files import CannotRead, read_export, read_values
from trueup.render.values import pluralize
from trueup.wire.registry import definition_table, identity_of, protocols

PAIRS: Final = 20
"""Links that one printed command makes."""


@dataclass(slots=True)
class _Sources:
    """What the files hold; `first` says that the target has the first API's words.

    `others` maps files that are exports of other targets to what those are; `elsewhere` are the ids in exports of
    other servers or accounts.
    """

    first: bool = False
    exported: dict[str, LiveAssistant] = field(default_factory=dict)
    extra: dict[str, dict[str, Any]] = field(default_factory=dict)
    loose: list[ImportedAssistant] = field(default_factory=list)
    unread: list[NotAnAssistant] = field(default_factory=list)
    others: dict[str, Identity] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)


def import_files(session: Session, names: Sequence[str], files: Sequence[str], *, dry_run: bool) -> Exit:
    """Import the named assistants from files, all without names. Raises TrueupError where there are none."""
    read = _read_sources(session, files)
    if not read.exported and not read.loose and read.unread:
        reasons = "; ".join(f"{item.where} {item.why}" for item in read.unread[:5])
        raise TrueupError(f"There is no assistant in what was given: {reasons}.", "Nothing was written.")
    chosen, loose = _choose(names, read)
    given = ImportInput(read.exported, chosen, read.extra, loose, elsewhere=read.elsewhere, unread=read.unread)
    with nullcontext() if dry_run else session.store.import_lock():
        loaded, state = load_existing(session), session.store.load()
        work = ImportBuilder(session, loaded, state).build(given)
        if not dry_run:
            write_files(session, work)
            if work.ids and session.target.state != "stamps":
                save_links(session, state, pair_with_live(session, work, read.exported))
    code = show_import(session, work, dry_run=dry_run)
    if not dry_run:
        _note_other_targets(session, read)
        _warn_unlinked(session, work)
    return code


def _read_sources(session: Session, files: Sequence[str]) -> _Sources:
    read = _Sources(has_first_words(session.adapter.dialect.fields))
    for file in dict.fromkeys(files):
        try:
            values = read_values(session.root / file, file)
        except CannotRead as error:
            read.unread.append(NotAnAssistant(file, str(error)))
            continue
        for where, value in values:
            if isinstance(value, dict) and value.get("kind") == "export":
                _add_export(read, session, file)
            elif is_backup(value) and _protocol_of(value) != PORTABLE:
                _add(read, [_extract_backup(value, where)])
            elif session.target.protocol != PORTABLE and (agents := saved_agents(value, where)) is not None:
                _add(read, map(_extract_answer, agents))
            else:
                _add(read, find_assistants(value, where, first=read.first))
    return _drop_contradictions(read)


def _add(read: _Sources, entries: Iterable[ImportedAssistant | NotAnAssistant]) -> None:
    for entry in entries:
        if isinstance(entry, NotAnAssistant):
            read.unread.append(entry)
        else:
            read.loose.append(entry)


def _add_export(read: _Sources, session: Session, file: str) -> None:
    """Add an export: this target's own counts as live, another's is a file like any other."""
    try:
        export = read_export(session.root / file, session.target.command("export", file))
    except TrueupError as error:
        read.unread.append(NotAnAssistant(file, f"is an export that cannot be read: {error.message.rstrip('.')}"))
        return
    if not is_of(export, session.identity) or session.target.state == "stamps":
        _add(read, _extract_export(export, file, first=read.first))
        if not is_of(export, session.identity):
            read.others[file] = export.identity
        if not is_same_place(export, session.identity):
            read.elsewhere |= {item.id for item in export.assistants}
        return
    for item in export.assistants:
        if item.id in read.exported and read.exported[item.id].body != item.body:
            raise TrueupError(
                f"{item.id} is in two exports of {session.target.name}, and they differ.", "Give only the newer one."
            )
        table = session.adapter.dialect.table
        read.exported[item.id] = read_live(item.id, item.body, item.created_at, table.read_stamp(item.body), table)
        read.extra[item.id] = {**item.extra, **unknown_fields(item.body, find_writable_fields(session))}


def _extract_export(export: Export, file: str, *, first: bool) -> Iterable[ImportedAssistant | NotAnAssistant]:
    """Return the assistants in an export of another target, each in the fields of its protocol."""
    protocol = export.identity.protocol
    if protocol not in protocols():
        return [NotAnAssistant(file, f"is an export of the protocol {protocol[:60]}, which this Trueup does not know")]
    if protocol == PORTABLE:
        values = [
            {"id": item.id, "created_at": item.created_at, "body": dict(item.body), "extra": dict(item.extra)}
            for item in export.assistants
        ]
        return find_assistants({"kind": "export", "assistants": values}, file, first=first)
    found = (
        (item, _extract_native(item.body, f"{file}, entry {number}", protocol))
        for number, item in enumerate(export.assistants, 1)
    )
    return [
        replace(one, id=item.id, created_at=item.created_at, extra={**item.extra, **one.extra}) for item, one in found
    ]


def _extract_answer(item: tuple[str, Mapping[str, Any]] | NotAnAssistant) -> ImportedAssistant | NotAnAssistant:
    """Return a saved agent as its server answered it, in its own fields."""
    if isinstance(item, NotAnAssistant):
        return item
    where, value = item
    live_id, created_at = value.get("id") or "", value.get("created_at")
    if not isinstance(live_id, str) or (live_id and not is_plain_id(live_id)):
        return NotAnAssistant(where, "has an id that is not valid for an assistant")
    found = _extract_native(value, where, SAVED_AGENTS)
    extra = {key: entry for key, entry in found.extra.items() if key not in SERVER_KEYS}
    return replace(found, id=live_id, created_at=created_at if type(created_at) is int else 0, extra=extra)


def _protocol_of(backup: Mapping[str, Any]) -> Any:
    """Return the protocol of a backup; of one that names none, the first that has all of its fields."""
    able = (name for name in protocols() if backup["body"].keys() <= definition_table(name).by_name.keys())
    return backup["protocol"] if "protocol" in backup else next(able, PORTABLE)


def _extract_backup(value: Mapping[str, Any], where: str) -> ImportedAssistant | NotAnAssistant:
    """Return the assistant in a backup of a protocol other than the portable one; a backup has no id."""
    protocol = _protocol_of(value)
    if not isinstance(protocol, str) or protocol not in protocols():
        return NotAnAssistant(
            where, f"is a backup of the protocol {str(protocol)[:60]}, which this Trueup does not know"
        )
    return _extract_native(value["body"], where, protocol)


def _extract_native(body: Mapping[str, Any], where: str, protocol: str) -> ImportedAssistant:
    """Return an object of a protocol in its own fields; fields that definitions do not have stand apart in `extra`."""
    known = definition_table(protocol).by_name
    return ImportedAssistant(
        "",
        {key: entry for key, entry in body.items() if key in known},
        where,
        extra={key: entry for key, entry in body.items() if key not in known},
        protocol=protocol,
    )


def _drop_contradictions(read: _Sources) -> _Sources:
    """Keep one assistant of each id: equal copies are taken once, differing ones are reported as unread."""
    kept: dict[str, ImportedAssistant] = {}
    differing: dict[str, list[str]] = {}
    for number, item in enumerate(read.loose):
        key = item.id or f"\n{number}"
        first = kept.setdefault(key, item)
        if first is not item and (first.body, first.extra) != (item.body, item.extra):
            differing.setdefault(key, [first.where]).append(item.where)
    for live_id, places in differing.items():
        read.unread.append(NotAnAssistant(", ".join(places), f"differ about {live_id}; give one of them"))
    read.loose = [item for key, item in kept.items() if key not in differing and key not in read.exported]
    return read


def _choose(names: Sequence[str], read: _Sources) -> tuple[list[str], list[ImportedAssistant]]:
    """Return the exported ids and the other assistants that the names stand for."""
    if not names:
        return list(read.exported), read.loose
    labels = {item.id or item.where: item for item in read.loose}
    known = {live_id: live.display_name for live_id, live in read.exported.items()}
    chosen = choose_ids(names, known | {label: item.display_name for label, item in labels.items()})
    return [name for name in chosen if name in known], [labels[name] for name in chosen if name in labels]


def _note_other_targets(session: Session, read: _Sources) -> None:
    """Say which files are exports of other targets, and how each is imported where it is from."""
    for file, there in read.others.items():
        words = (
            f"{file} is an export of {there.project}/{there.target}, so nothing was linked on {session.target.name}."
        )
        of_it = [
            one
            for one in session.project.targets.values()
            if flatten_identity(identity_of(one)) == flatten_identity(there)
        ]
        again = [replace(session.target.selection, target=one.name, is_default=False) for one in of_it]
        hints = [Message(" To link it there: ", selection.command("import", from_=file)) for selection in again]
        session.screen.note_wrapped(Message(words, *hints))


def _warn_unlinked(session: Session, work: Imports) -> None:
    """Warn that an apply would create second ones of what is live already, and print the commands that link them."""
    pairs = [f"{name}={live_id}" for name, live_id in work.unlinked.items()]
    if not pairs:
        return
    target, what = session.target, "a second one" if len(pairs) == 1 else "a second one of each"
    words = (
        f"{pluralize(len(pairs), 'assistant')} {'was' if len(pairs) == 1 else 'were'} not linked. "
        "Do not apply yet where "
        f"{'it is' if len(pairs) == 1 else 'they are'} live on {target.name}: an apply creates {what}. "
        "Link first: "
    )
    links = [target.command("import", *pairs[start : start + PAIRS]) for start in range(0, len(pairs), PAIRS)]
    session.screen.write_stderr(session.screen.wrap(Message(words, list_commands(links, "and"))))
