"""Makes a plan of definitions, state and what is live, and words its messages. Sends nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from trueup.core.command import Command, Message, Selection, join_messages
from trueup.core.definitions.definition import Definition
from trueup.core.errors import RefusedError
from trueup.core.field_table import FieldTable, Kind
from trueup.core.memory.journal import resolve_pending
from trueup.core.memory.state import Record, State
from trueup.core.plans.ignored import find_ignored
from trueup.core.plans.judge import Facts, Verdict, judge
from trueup.core.plans.live import LiveAssistant
from trueup.core.plans.plan import OUTSIDE, WRITES, Action, Cause, Change, Ignored, Limit, Plan, Reason
from trueup.core.plans.wording import (
    DESTROYED,
    DOUBLED_STRAY,
    ELSEWHERE,
    FORGET_DELETED,
    HINTS,
    KEEP_ORPHAN,
    KEEP_PROTECTED,
    LET_GO,
    MANAGE_LEFT_OUT,
    UNHELD,
    Advice,
    say,
    yaml_word,
)
from trueup.core.texts.words import function_names
from trueup.engine.facts import (
    DesiredState,
    count_accepted,
    gather_facts,
    group_by_stamp,
    make_policy,
    make_records,
    read_stamps,
    rename_state,
)
from trueup.engine.refresh import View
from trueup.engine.write_specs import (
    WriteSpec,
    build_create,
    build_delete,
    build_modify,
    build_record_only,
    build_release,
)
from trueup.wire.base import Adapter


@dataclass(frozen=True, slots=True)
class Planning:
    """A plan with what it was made from. `operations` are the operations known to be in place, by name; `judged` are
    the names that the plan is about, also those with nothing to do."""

    plan: Plan
    state: State
    view: View
    seen: Mapping[str, LiveAssistant]
    operations: Mapping[str, frozenset[str]]
    judged: frozenset[str] = frozenset()


def make_plan(desired: DesiredState, state: State, view: View, adapter: Adapter) -> Planning:
    """Return the plan. Raises `RefusedError` where any plan would be unsafe."""
    seen = read_stamps(view, adapter)
    before = state.records
    state = resolve_pending(state, seen, frozenset(view.absent))
    stamped = group_by_stamp(desired, seen.values(), {} if desired.target.state == "stamps" else state.records)
    state = rename_state(state, desired)
    if desired.target.state == "stamps":
        state = replace(state, records=make_records(stamped, desired.identity))
    else:
        _refuse_another_account(desired, state, view)
    _refuse_empty(desired, state)
    state = count_accepted(state, desired, adapter) if desired.accepted else state
    facts = gather_facts(desired, state, view, seen, stamped, before, adapter)
    choices = make_policy(desired, state, seen, adapter)
    verdicts = {
        name: judge(fact, choices)
        for name, fact in facts.items()
        if desired.selected is None or name in desired.selected or desired.selected.intersection(fact.moved_onto[:1])
    }
    moves = find_likely_moves(facts, verdicts)
    changes = [_make_change(facts[name], verdict, desired, adapter, moves) for name, verdict in verdicts.items()]
    _refuse_unknown_target(desired, changes, seen)
    plan = Plan(
        identity=desired.identity,
        options=desired.options,
        changes=tuple(change for change in changes if _is_listed(change)),
        unchanged=sum(not _is_listed(change) for change in changes),
        not_stamped=sum(_lacks_stamp(verdict, desired) for verdict in verdicts.values()),
        records=len(state.records),
        complete=view.complete,
        ignored=tuple(_list_ignored(facts, verdicts, desired, adapter)),
        limit=_describe_limit(desired, len(verdicts), len(facts)),
        selection=desired.target.selection,
    )
    operations = _list_operations({**make_records(stamped, desired.identity), **state.records}, seen)
    return Planning(plan, state, view, seen, operations, frozenset(verdicts))


def _describe_limit(desired: DesiredState, chosen: int, total: int) -> Limit | None:
    """Return what the plan is limited to; None where it is about all there are."""
    if desired.selected is None or chosen == total:
        return None
    return Limit(desired.words or tuple(sorted(desired.selected)), chosen, total)


def _list_ignored(
    facts: Mapping[str, Facts], verdicts: Mapping[str, Verdict], desired: DesiredState, adapter: Adapter
) -> Iterator[Ignored]:
    """Return what the definitions that this plan is about leave alone."""
    for name, verdict in verdicts.items():
        definition, file = desired.definitions.get(name), facts[name].file
        if definition is not None and file is not None and definition.lifecycle.ignore_changes:
            live = verdict.live.fields if verdict.live is not None else None
            yield from find_ignored(definition, file, live, adapter.dialect.table)


def _is_listed(change: Change) -> bool:
    """Return whether a change is listed: without anything to do it is only counted, unless a duplicate is named."""
    return change.action is not Action.NOTHING or bool(change.others)


def _list_operations(records: Mapping[str, Record], seen: Mapping[str, LiveAssistant]) -> dict[str, frozenset[str]]:
    """Return the operations that are in place, by name: the record's and the stamp's."""
    found = {}
    for name, record in records.items():
        live = seen.get(record.id)
        stamp = live.stamp if live is not None else None
        found[name] = frozenset({record.operation, stamp.operation if stamp is not None else record.operation})
    return found


def _make_change(fact: Facts, verdict: Verdict, desired: DesiredState, adapter: Adapter, moves: Moves) -> Change:
    definition = desired.definitions.get(fact.name)
    message, hint = _word_change(fact, verdict, desired, moves, adapter.dialect.table)
    live, record = verdict.live, verdict.record
    base = Change(
        name=fact.name,
        action=verdict.action,
        reason=verdict.reason,
        id=live.id if live else record.id if record else "",
        fields=verdict.fields,
        adopted=verdict.adopted,
        backup=verdict.backup,
        wanted=verdict.wanted,
        recreate=verdict.recreate,
        moved_from=fact.moved_from,
        others=verdict.others,
        display_name=live.display_name if live else "",
        message=message,
        hint=hint,
        file=definition.file if definition else "",
        parts=definition.parts if definition else (),
    )
    if verdict.action is Action.DELETE:
        made = build_delete(verdict, desired.identity, fact.name)
        return replace(base, operation=made.operation, overwritten=made.overwritten)
    if verdict.action is Action.RELEASE:
        return replace(base, operation=build_release(verdict, desired.identity, fact.name).operation)
    if definition is None or fact.file is None:
        return base
    base = _add_positions(base, definition, verdict, adapter.dialect.table)
    spec = _make_write_spec(fact, verdict, desired, adapter)
    if verdict.action in WRITES:
        is_new = verdict.action is Action.CREATE
        made = build_create(spec, verdict) if is_new else build_modify(spec, verdict, adapter)
        return replace(
            base,
            operation=made.operation,
            record=made.record,
            fields=(*verdict.fields, *made.forced),
            sets=made.sets,
            stamp=made.stamp,
            overwritten=made.overwritten,
            protect=spec.protect,
        )
    if verdict.action in (Action.RECORD, Action.ADOPT):
        record = build_record_only(spec, verdict)
        return replace(base, record=record, operation=record.operation, protect=spec.protect)
    return replace(base, record=verdict.record if verdict.adopted else None)


def _make_write_spec(fact: Facts, verdict: Verdict, desired: DesiredState, adapter: Adapter) -> WriteSpec:
    old = verdict.record
    return WriteSpec(
        name=fact.name,
        identity=desired.identity,
        file=fact.file or {},
        ignored=fact.ignored,
        protect=fact.protect if fact.protect is not None else bool(old and old.protect),
        stamped=desired.target.stamp,
        table=adapter.dialect.table,
        always=desired.target.always_send,
    )


def _add_positions(base: Change, definition: Definition, verdict: Verdict, table: FieldTable) -> Change:
    """Return the change with the positions of its fields that change or differ; a create's are found when needed."""
    shown = [change for change in verdict.fields if change.cause is not Cause.RECORDED]
    if verdict.action is Action.CREATE or not shown:
        return base
    where = definition.locate()
    found = {}
    for change in shown:
        position = where.key(table.path_of(change.path))
        if position is not None:
            found[change.path] = position
    if not any(change.kind is Kind.TEXT for change in shown):
        return replace(base, sources=found)
    names = function_names(definition.body.get(table.tools))
    return replace(base, sources=found, stretches=where.stretches, functions=names)


def _word_change(
    fact: Facts, verdict: Verdict, desired: DesiredState, moves: Moves, table: FieldTable
) -> tuple[str, str]:
    """Return the message and the hint of a change."""
    selection = desired.target.selection
    if verdict.reason is Reason.RENAME:
        return word_rename(fact, verdict, selection, moves)
    message, hint = say(verdict.reason, fact.name, verdict.others, fact.moved_from, selection)
    if verdict.action is Action.DELETE and fact.file is not None:
        message = DESTROYED
    problems = [change for change in verdict.fields if change.cause in OUTSIDE]
    if problems and all(table.has_secret(change.path, change.before) for change in problems):
        hint = Advice(fact.name, (), selection).fill(HINTS[Reason.SECRET])  # it can be neither put back nor taken
    if verdict.reason is Reason.ORPHANED:
        hint = word_orphan_hint(fact, verdict, desired)
        message = UNHELD if verdict.record is None and fact.file is not None else message
    if verdict.action is Action.CREATE and fact.elsewhere:
        who, live_id = fact.elsewhere
        hint = Advice(fact.name, (live_id,), selection).fill(ELSEWHERE, who=who)
    if verdict.reason is Reason.UNREADABLE and fact.maybe_gone:
        hint = join_messages((hint, Advice(fact.name, (), selection).fill(FORGET_DELETED)))
    if verdict.reason is Reason.RELEASED and verdict.live is not None:
        hint = Advice(fact.name, (verdict.live.id,), selection).fill(LET_GO)
    if verdict.others and verdict.reason not in (Reason.TWINS, Reason.NAMESAKE):
        old = next((name for name in _list_stamped_names(fact, verdict) if name != fact.name), "")
        extra, how = say(Reason.TWIN_BESIDE, fact.name, verdict.others, old, selection)
        if verdict.record is None and verdict.live is not None:
            return f"{message}; {extra}", _choose_one(fact, (verdict.live.id, *verdict.others), selection)
        return f"{message}; {extra}", join_messages((hint, how))
    return message, hint


def _choose_one(fact: Facts, ids: tuple[str, ...], selection: Selection) -> Message:
    """Return how to record one of several that carry a name's stamp, of which none is recorded."""
    return Advice(fact.name, ids, selection).fill(DOUBLED_STRAY if fact.file is None else HINTS[Reason.TWINS])


def _list_stamped_names(fact: Facts, verdict: Verdict) -> list[str]:
    """Return the names in the stamps of the duplicates."""
    return [live.stamp.name for live in fact.stamped if live.stamp is not None and live.id in verdict.others]


def _lacks_stamp(verdict: Verdict, desired: DesiredState) -> bool:
    quiet = verdict.action in (Action.NOTHING, Action.RECORD, Action.DRIFT, Action.HELD, Action.ADOPT)
    record = verdict.record
    lost = record is not None and record.stamped is False
    return desired.target.stamp and quiet and verdict.live is not None and verdict.live.stamp is None and not lost


def _refuse_another_account(desired: DesiredState, state: State, view: View) -> None:
    ids = {record.id for record in state.records.values()}
    if len(ids) >= 2 and ids <= view.absent:
        raise RefusedError(
            f"None of the {len(ids)} assistants in the state exists here: this is another account or project.",
            Message(
                "Check the credential and the scoping headers. If all of them were deleted: ",
                desired.target.command("state", "rm", "*"),
                ", then apply again.",
            ),
        )


def _refuse_empty(desired: DesiredState, state: State) -> None:
    if not desired.names and state.records.keys() - desired.released and not desired.options.destroy:
        count = "an assistant" if len(state.records) == 1 else f"{len(state.records)} assistants"
        raise RefusedError(
            f"There are no definitions, but the state has {count}.",
            Message(
                "Check the folder (-C, and `definitions` in trueup.yaml). To delete them all: ",
                desired.target.command("destroy"),
            ),
        )


def _refuse_unknown_target(desired: DesiredState, changes: list[Change], seen: Mapping[str, LiveAssistant]) -> None:
    if not any(change.action is Action.CREATE for change in changes):
        return
    project = desired.identity.project
    strangers = {
        live.stamp.target
        for live in seen.values()
        if live.stamp is not None and live.stamp.project == project and live.stamp.target not in desired.targets
    }
    if strangers:
        names = ", ".join(sorted(strangers))
        raise RefusedError(
            f"Live assistants of this project have the stamp of a target that is not in trueup.yaml: {names}.",
            "A target's name cannot change: if it was renamed, restore its old name, or all would be created twice.",
        )


Moves = Mapping[str, str]
"""New names to the old ones that they alone may have had: several are one mapping to paste, shown with the first."""


def find_likely_moves(facts: Mapping[str, Facts], verdicts: Mapping[str, Verdict]) -> Moves:
    """Return the likely renames of which both sides are sure; none where there is only one, which has its own line."""
    likely = {
        name: verdict.others[0]
        for name, verdict in verdicts.items()
        if verdict.reason is Reason.RENAME and facts[name].file is not None and len(verdict.others) == 1
    }
    olds = Counter(likely.values())
    sure = {new: old for new, old in likely.items() if olds[old] == 1}
    return sure if len(sure) > 1 else {}


def word_rename(fact: Facts, verdict: Verdict, selection: Selection, moves: Moves) -> tuple[str, str]:
    """Return the message and the hint of a declared rename that cannot be, and of either side of a likely one."""
    live = [verdict.live.id] if verdict.live else []
    if fact.moved_onto and fact.file is None:
        new, live_id = fact.moved_onto
        return (
            f"`moved` in trueup.yaml renames it to {new}, and the state has another assistant as {new} ({live_id}): "
            "nothing is renamed",
            Message(
                f"Remove `{yaml_word(fact.name)}: {yaml_word(new)}` from `moved`: then {fact.name} is one that no file "
                "describes. To delete it then: ",
                selection.command("apply", fact.name, prune=True),
            ),
        )
    others = ", ".join(verdict.others)
    if verdict.action is Action.HELD and fact.file is not None:
        again = selection.command("apply", fact.name, ack=fact.rename_ids)
        return (
            f"has the display name or the instructions of {others}, which no longer has a file",
            Message(_word_move(fact.name, verdict.others[0], moves), "If it is a new one: ", again),
        )
    return (
        f"may have been renamed to {others}",
        Message(
            f"If it was, {_word_where_moved(verdict.others[0], fact.name, moves)} If not: ",
            selection.command("apply", fact.name, prune=True, ack=live),
        ),
    )


def _word_move(new: str, old: str, moves: Moves) -> str:
    """Return the line of a rename to paste, or where it stands in the one mapping of several."""
    if new not in moves:
        return f"If it was renamed, {_write_moved_line(old, new)} "
    first = next(iter(moves))
    if new != first:
        return f"If it was renamed: see the lines at {first}. "
    lines = "".join(f"\n  {yaml_word(before)}: {yaml_word(after)}" for after, before in moves.items())
    return f"If they were renamed, write into trueup.yaml:\nmoved:{lines}\n"


def _word_where_moved(new: str, old: str, moves: Moves) -> str:
    """Return the line of a rename to paste, or with whose new name it stands."""
    return f"see the lines at {next(iter(moves))}." if new in moves else _write_moved_line(old, new)


def _write_moved_line(old: str, new: str) -> str:
    return f"write into trueup.yaml: `moved: {{{yaml_word(old)}: {yaml_word(new)}}}`."


def word_orphan_hint(fact: Facts, verdict: Verdict, desired: DesiredState) -> Message:
    """Return how to go on with an orphan; each command in it does what it is printed for."""
    live = verdict.live
    advice = Advice(fact.name, (live.id,) if live is not None else (), desired.target.selection)
    if _is_protected(fact, verdict):
        delete = advice.fill(KEEP_PROTECTED)
    elif verdict.record is None:
        go = advice.destroy if desired.options.destroy else advice.prune
        delete = Message("To delete it: ", advice.rebuild, ", then ", go, ".")
    elif fact.renamed_to:
        delete = Message("If not, to delete it: ", advice.prune_beside, ".")
    else:
        delete = Message("To delete it: ", advice.prune, ".")
    keep = "" if fact.file is not None else advice.fill(MANAGE_LEFT_OUT if fact.name in desired.names else KEEP_ORPHAN)
    return join_messages((_word_why_kept(fact, verdict, desired), delete, keep))


def _word_why_kept(fact: Facts, verdict: Verdict, desired: DesiredState) -> str:
    """Return the sentence that says that it is kept, and what it may be."""
    if verdict.record is None:
        return "Kept: it is not in the state. If another checkout created it, pull its files and state."
    if fact.renamed_to:
        return f"Kept, because it may be {', '.join(fact.renamed_to)} now."
    if desired.target.state == "stamps" and fact.name not in desired.names:
        return "Kept. If another checkout created it, pull its files."
    return "Kept."


def _is_protected(fact: Facts, verdict: Verdict) -> bool:
    """Return whether a delete of it is refused."""
    if fact.protect is not None:
        return fact.protect
    stamp = verdict.live.stamp if verdict.live is not None else None
    return bool(verdict.record and verdict.record.protect) or bool(stamp and stamp.protect)


TOO_YOUNG = "was created after the snapshot was taken"
OUT_OF_STEP = "state and the snapshot are of different moments"


def mark_as_snapshot(plan: Plan, taken: str, again: Command) -> Plan:
    """Return the plan as one of a snapshot `taken` then; what only comes of its age says so.

    `again` makes a newer snapshot.
    """
    hint = Message("Plan against what is live now, or make a newer snapshot: ", again)
    changes = tuple(_reword(change, hint) for change in plan.changes)
    return replace(plan, snapshot=taken, changes=changes)


def _reword(change: Change, hint: Message) -> Change:
    if change.action is Action.UNREAD:
        return replace(change, message=TOO_YOUNG, hint=hint)
    if change.reason is Reason.BEHIND and change.action is Action.HELD:
        return replace(change, message=OUT_OF_STEP, hint=hint)
    return change
