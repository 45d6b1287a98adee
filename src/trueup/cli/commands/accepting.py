"""`accept`: live values go into a definition's files. It only reads what is live, and asks before others change too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trueup.cli.output import Screen
from trueup.cli.planning import find_record_and_live, plan_live
from trueup.cli.session import Session, check_definitions, refuse_errors, require_one
from trueup.cli.transport import reading
from trueup.core.acceptance.accepted import Accepted, AcceptedField, AcceptResult, FilePatch, add_accepted, base_digests
from trueup.core.acceptance.placing import AcceptWay, FieldToAccept, list_fields_to_accept
from trueup.core.command import Command, Message
from trueup.core.definitions.definition import Definition
from trueup.core.definitions.names import select, suggest
from trueup.core.errors import Exit, TrueupError, UnreadableError
from trueup.core.memory.state import Record
from trueup.core.plans.fields import Rules
from trueup.core.plans.live import LiveAssistant
from trueup.core.plans.plan import MISSING, Reason
from trueup.core.texts.escapes import name_unseen
from trueup.core.texts.merge import make_patch
from trueup.edge.definitions.edits import CannotTake, Contents, Editor
from trueup.edge.definitions.loader import LoadResult, Workspace
from trueup.edge.files import write_inside
from trueup.edge.state.store import read_accepted, write_accepted
from trueup.engine.facts import declare_fields
from trueup.engine.plan import Planning
from trueup.engine.takeover import count_as_applied
from trueup.render.records import json as as_json
from trueup.render.style import disarm_lines
from trueup.render.terminal import answers
from trueup.wire.model_names import name_in_files


async def accept_live(session: Session, asked: str, fields: Sequence[str], *, as_patch: bool) -> Exit:
    """Take live values into the files of one definition, or print them as a patch. Raises TrueupError."""
    workspace = Workspace(session.root, session.project)
    loaded = check_definitions(workspace, session.target, session.flags)
    refuse_errors(loaded.diagnostics)
    async with reading(session) as runner:
        planning = await plan_live(session, runner, loaded, session.store.load())
    definition, record, live = _choose_one(session, asked, loaded, planning)
    table = session.adapter.dialect.table
    editor = Editor(session.root, session.project, session.target, session.flags.vars, table, workspace)
    made, settled, ended = _take_fields(session, editor, definition, record, live, fields)
    described = Accepted(
        definition.name,
        session.target.name,
        live.id,
        tuple(ended),
        _make_patches(editor, made),
        again=session.target.command("plan"),
    )
    accepted = replace(described, also=_find_affected(session, editor, workspace, described, settled))
    if not as_patch and accepted.patches:
        _confirm(session, accepted)
        accepted = _write_files(session, editor, accepted, made)
        _remember_base(session, accepted, record, live)
    _show(session, accepted, as_patch=as_patch)
    return Exit.HELD if accepted.left else Exit.OK


def _choose_one(
    session: Session, asked: str, loaded: LoadResult, planning: Planning
) -> tuple[Definition, Record, LiveAssistant]:
    """Return the chosen definition, its record and its live assistant. Raises TrueupError where one is missing."""
    name = require_one(asked, sorted(select([asked], loaded.definitions, loaded.names | planning.state.records.keys())))
    definition = next((item for item in loaded.definitions if item.name == name), None)
    if definition is None:
        where = "is left out of" if name in loaded.left_out else "has no definition for"
        raise TrueupError(
            f"{name} {where} the target {session.target.name}, so there is no file to write to.",
            Message(
                "Use a target that has it, or write a definition from live: ",
                session.target.command("import", *_find_recorded_id(planning, name)),
            ),
        )
    record, live = find_record_and_live(session, name, planning)
    change = next((item for item in planning.plan.changes if item.name == name), None)
    clear = (Reason.BEHIND, Reason.TWINS, Reason.FOREIGN)
    if change is not None and (live is None or record is None or change.reason in clear):
        if not planning.view.complete:
            raise UnreadableError(f"{name} was not found, but {planning.view.problem}.", "Try again later.")
        raise TrueupError(Message(f"{name}: ", change.message, ". Nothing was written."), change.hint)
    if live is None or record is None:
        hint = Message("To see what an apply would do: ", session.target.command("plan", name))
        raise TrueupError(f"{name} is not live on {session.target.name}.", hint)
    return definition, record, live


def _find_recorded_id(planning: Planning, name: str) -> tuple[str, ...]:
    """Return the id that state records under a name, if there is one."""
    record = planning.state.records.get(name)
    return (record.id,) if record is not None and record.id else ()


def _take_fields(
    session: Session,
    editor: Editor,
    definition: Definition,
    record: Record,
    live: LiveAssistant,
    asked: Sequence[str],
) -> tuple[Contents, Contents, list[AcceptedField]]:
    """Return the files with the live values, the same without conflict markers, and what became of each field."""
    found = _choose_takings(session, definition, record, live, asked)
    contents: dict[str, bytes | None] = {}
    ended: dict[str, AcceptedField] = {}
    for taking in found:
        if taking.way is AcceptWay.NOTHING:
            ended[taking.field] = AcceptedField(taking.field, AcceptResult.SAME)
    waiting = [taking for taking in found if taking.way is AcceptWay.TAKE]
    while waiting:  # what stood in the way of one may have gone with another
        for taking in waiting:
            contents = _take_field(editor, contents, definition.name, taking, ended)
        left = [taking for taking in waiting if ended[taking.field].ending is AcceptResult.REFUSED]
        waiting = left if len(left) < len(waiting) else []
    both = [taking for taking in found if taking.way is AcceptWay.MERGE]
    theirs: dict[str, bytes | None] = contents
    for taking in both:
        theirs = _take_field(editor, theirs, definition.name, taking, ended)
    both = [taking for taking in both if ended[taking.field].ending is AcceptResult.TAKEN]
    if both:
        base = _rebuild_base(session, editor, contents, definition.name, both, record)
        contents, conflicts = editor.merge_conflicts(contents, theirs, base)
        for taking in both:
            ended[taking.field] = _describe_merge(session, definition.name, taking.field, conflicts)
    return contents, theirs, [ended[taking.field] for taking in found]


def _describe_merge(session: Session, name: str, field: str, conflicts: int) -> AcceptedField:
    if conflicts:
        return AcceptedField(field, AcceptResult.CONFLICT)
    hint = Message(
        "The next plan shows a conflict, because live does not match the file yet. To apply the file's value: ",
        session.target.command("apply", name, on_drift="revert"),
    )
    return AcceptedField(field, AcceptResult.MERGED, hint=hint)


def _take_field(
    editor: Editor, contents: dict[str, bytes | None], name: str, taking: FieldToAccept, ended: dict[str, AcceptedField]
) -> dict[str, bytes | None]:
    """Take one more field into the files; where that is impossible, note why in `ended` and leave them as they are."""
    try:
        made = editor.take_live(contents, name, taking)
    except CannotTake as error:
        ended[taking.field] = AcceptedField(
            taking.field, AcceptResult.REFUSED, error.message, error.hint, error.position, error.paste
        )
        return contents
    ended[taking.field] = AcceptedField(taking.field, AcceptResult.TAKEN)
    return made


def _rebuild_base(
    session: Session,
    editor: Editor,
    contents: dict[str, bytes | None],
    name: str,
    both: Sequence[FieldToAccept],
    record: Record,
) -> Contents | None:
    """Return the files with the values that were last applied or accepted; None unless git has all of them."""
    accepted = read_accepted(session.store).get(name)
    for taking in both:
        value = editor.find_applied_value(name, taking.field, base_digests(record, accepted, taking.field))
        if value is MISSING:
            return None
        try:
            contents = editor.take_live(contents, name, taking, value)
        except CannotTake:  # the layout of today has no place for it, so nobody can tell the two edits apart
            return None
    return contents


def _choose_takings(
    session: Session, definition: Definition, record: Record, live: LiveAssistant, asked: Sequence[str]
) -> list[FieldToAccept]:
    """Return the fields to take. Raises TrueupError for a field that neither the file nor live has."""
    rules = Rules(session.adapter.dialect.table, stamps=session.target.state == "stamps")
    file = declare_fields(definition, session.adapter)
    known = dict.fromkeys([*file, *record.fields, *live.fields])
    wanted: dict[str, None] = {}
    for field in asked:
        below = [name for name in known if name == field or name.startswith(f"{field}.")]
        if not below:
            raise TrueupError(f"{definition.name} has no field {field!r}, in its file or live.", suggest(field, known))
        wanted.update(dict.fromkeys(below))
    found = list_fields_to_accept(file, live.fields, record, definition.ignored, rules, tuple(wanted))
    models = session.target.models
    return [
        replace(item, live=name_in_files(item.live, models))
        if item.field == "model" and isinstance(item.live, str)
        else item
        for item in found
    ]


def _make_patches(editor: Editor, made: Contents) -> tuple[FilePatch, ...]:
    """Return a patch for each file that changes."""
    both = ((file, editor.originals[file], content) for file, content in sorted(made.items()))
    return tuple(
        FilePatch(file, make_patch(file, before, content))
        for file, before, content in both
        if content is not None and before != content
    )


def _find_affected(
    session: Session, editor: Editor, workspace: Workspace, accepted: Accepted, settled: Contents
) -> tuple[tuple[str, str], ...]:
    """Return the other assistants, on any target, that change with these files."""
    if not accepted.patches:
        return ()
    for target in session.project.targets.values():
        workspace.load(target, session.flags.vars)
    users = {item.file: sorted(workspace.find_users(item.file)) for item in accepted.patches}
    return tuple(editor.find_affected(settled, accepted.name, users))


def _confirm(session: Session, accepted: Accepted) -> None:
    """Ask before other assistants change too. Raises TrueupError where that is declined."""
    names = ", ".join(sorted({name for name, _ in accepted.also} - {accepted.name}))
    if not names:
        return
    files = ", ".join(item.file for item in accepted.patches)
    unasked = TrueupError(
        f"{files} also goes into {names}. Nothing was written.",
        Message(
            "To change those too: ",
            session.flags.again(yes=True),
            ". To see it first: ",
            session.flags.again(patch=True),
        ),
    )
    session.confirm(
        f"Change {files}, and with it {names}?", "change them",
        unasked=unasked, declined="Not accepted: nothing was written.",
        preview=lambda: answers.write_accept(accepted, **session.screen.note_look),
    )  # fmt: skip


def _write_files(session: Session, editor: Editor, accepted: Accepted, made: Contents) -> Accepted:
    """Write the files, each whole. Raises TrueupError."""
    for item in accepted.patches:
        after = made[item.file]
        assert after is not None
        write_inside(session.root, item.file, after, editor.originals[item.file])
    return replace(accepted, written=True)


def _remember_base(session: Session, accepted: Accepted, record: Record, live: LiveAssistant) -> None:
    """Keep what was taken as the base of the next accept and plan, for as long as the file holds it."""
    names = [item.name for item in accepted.fields if item.ending is AcceptResult.TAKEN]
    loaded = check_definitions(Workspace(session.root, session.project), session.target, session.flags)
    definition = next((item for item in loaded.definitions if item.name == accepted.name), None)
    if definition is None or not names:
        return
    file, table = declare_fields(definition, session.adapter), session.adapter.dialect.table
    taken = {name: count_as_applied(name, file[name], live.fields.get(name), table) for name in names if name in file}
    known = read_accepted(session.store)
    known[accepted.name] = add_accepted(known.get(accepted.name), record, taken)
    write_accepted(session.store, known)


def _show(session: Session, accepted: Accepted, *, as_patch: bool) -> None:
    """Write the result to stdout; beside a patch, what was not taken goes to stderr. Raises TrueupError."""
    screen = session.screen
    if screen.json:
        screen.write_result(as_json.accept(accepted))
    elif as_patch:
        refuse_unprintable_patch(screen, accepted, session.flags.again(json=True))
        screen.write_bytes(b"".join(item.patch for item in accepted.patches))
        if accepted.left or accepted.also or not accepted.patches:
            screen.note(answers.write_accept(replace(accepted, patches=()), **screen.note_look))
    else:
        screen.write_result(answers.write_accept(accepted, **screen.look))


def refuse_unprintable_patch(screen: Screen, accepted: Accepted, again: Command) -> None:
    """Refuse to print a patch that a terminal would hide or a CI runner would obey. Raises TrueupError.

    Bytes for `git apply` cannot be escaped. `again` is the same command for JSON.
    """
    for item in accepted.patches:
        text = item.patch.decode("utf-8", "replace").replace("\r\n", "\n")
        signs = name_unseen(text) if screen.is_seen else ""
        if signs or (screen.is_logged and disarm_lines(text) != text):
            what = (
                f"{signs}, which a terminal interprets or hides" if signs else "what a CI runner would run as a command"
            )
            raise TrueupError(
                f"The patch was not printed: for {item.file} it contains {what}, which a patch cannot escape.",
                Message(
                    "Send the output to a file. To see it with escapes: ",
                    again,
                    ". Quoted YAML text can escape such characters; a Markdown body cannot.",
                ),
            )
