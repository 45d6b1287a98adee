"""Definitions, state and what is live, made into a plan. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from trueup.core.command import Message, Selection, join_messages
from trueup.core.definitions.definition import Definition
from trueup.core.errors import RefusedError
from trueup.core.field_table import FieldTable, Kind
from trueup.core.memory.settle import settled
from trueup.core.memory.state import Record, State
from trueup.core.plans.ignored import ignored_in
from trueup.core.plans.judge import Facts, Verdict, judge
from trueup.core.plans.plan import WRITES, Action, Cause, Change, Ignored, Limit, Plan, Reason
from trueup.core.plans.seen import Seen
from trueup.core.plans.wording import (
    DESTROYED,
    DOUBLED_STRAY,
    ELSEWHERE,
    FORGET_DELETED,
    HINTS,
    LET_GO,
    UNHELD,
    Advice,
    say,
)
from trueup.core.texts.mentions import function_names
from trueup.engine import requests
from trueup.engine.facts import Wish, by_stamp, choices_of, count_accepted, gather, records_of_stamps, renamed, seen_in
from trueup.engine.orphans import orphan_hint
from trueup.engine.refresh import View
from trueup.engine.renames import Moves, likely_moves, rename_words
from trueup.wire.base import Adapter


@dataclass(frozen=True, slots=True)
class Planning:
    """A plan with what it was made from. `operations` are the operations known to be in place, by name; `judged` are
    the names that the plan is about, also those with nothing to do."""

    plan: Plan
    state: State
    view: View
    seen: Mapping[str, Seen]
    operations: Mapping[str, frozenset[str]]
    judged: frozenset[str] = frozenset()


def make_plan(wish: Wish, state: State, view: View, adapter: Adapter) -> Planning:
    """The plan. Raises `RefusedError` where any plan would be unsafe."""
    seen = seen_in(view, adapter)
    before = state.records
    state = settled(state, seen, frozenset(view.absent))
    stamped = by_stamp(wish, seen.values(), {} if wish.target.state == "stamps" else state.records)
    state = renamed(state, wish)
    if wish.target.state == "stamps":
        state = replace(state, records=records_of_stamps(stamped, wish.identity))
    else:
        _refuse_another_account(wish, state, view)
    _refuse_empty(wish, state)
    state = count_accepted(state, wish, adapter) if wish.accepted else state
    facts = gather(wish, state, view, seen, stamped, before, adapter)
    choices = choices_of(wish, state, seen, adapter)
    verdicts = {
        name: judge(fact, choices)
        for name, fact in facts.items()
        if wish.selected is None or name in wish.selected or wish.selected.intersection(fact.moved_onto[:1])
    }
    moves = likely_moves(facts, verdicts)
    changes = [_change(facts[name], verdict, wish, adapter, moves) for name, verdict in verdicts.items()]
    _refuse_unknown_target(wish, changes, seen)
    plan = Plan(
        identity=wish.identity,
        options=wish.options,
        changes=tuple(change for change in changes if _is_listed(change)),
        unchanged=sum(not _is_listed(change) for change in changes),
        not_stamped=sum(_lacks_stamp(verdict, wish) for verdict in verdicts.values()),
        records=len(state.records),
        complete=view.complete,
        ignored=tuple(_ignored(facts, verdicts, wish, adapter)),
        limit=_limit(wish, len(verdicts), len(facts)),
        selection=wish.target.selection,
    )
    operations = _operations({**records_of_stamps(stamped, wish.identity), **state.records}, seen)
    return Planning(plan, state, view, seen, operations, frozenset(verdicts))


def _limit(wish: Wish, chosen: int, total: int) -> Limit | None:
    """Return what the plan is limited to; None where it is about all there are."""
    if wish.selected is None or chosen == total:
        return None
    return Limit(wish.words or tuple(sorted(wish.selected)), chosen, total)


def _ignored(
    facts: Mapping[str, Facts], verdicts: Mapping[str, Verdict], wish: Wish, adapter: Adapter
) -> Iterator[Ignored]:
    """What the definitions that this plan is about leave alone."""
    for name, verdict in verdicts.items():
        definition, file = wish.definitions.get(name), facts[name].file
        if definition is not None and file is not None and definition.lifecycle.ignore_changes:
            live = verdict.live.fields if verdict.live is not None else None
            yield from ignored_in(definition, file, live, adapter.dialect.semantics)


def _is_listed(change: Change) -> bool:
    """Assistants with nothing to do are only counted, unless a duplicate is to be named."""
    return change.action is not Action.NOTHING or bool(change.others)


def _operations(records: Mapping[str, Record], seen: Mapping[str, Seen]) -> dict[str, frozenset[str]]:
    """The operations that are in place, by name: the record's and the stamp's."""
    found = {}
    for name, record in records.items():
        live = seen.get(record.id)
        stamp = live.stamp if live is not None else None
        found[name] = frozenset({record.operation, stamp.operation if stamp is not None else record.operation})
    return found


def _change(fact: Facts, verdict: Verdict, wish: Wish, adapter: Adapter, moves: Moves) -> Change:
    definition = wish.definitions.get(fact.name)
    message, hint = _words(fact, verdict, wish, moves)
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
        made = requests.delete(verdict, wish.identity, fact.name)
        return replace(base, operation=made.operation, overwritten=made.overwritten)
    if verdict.action is Action.RELEASE:
        return replace(base, operation=requests.release(verdict, wish.identity, fact.name).operation)
    if definition is None or fact.file is None:
        return base
    base = _located(base, definition, verdict, adapter.dialect.table)
    order = _order(fact, verdict, wish, adapter)
    if verdict.action in WRITES:
        is_new = verdict.action is Action.CREATE
        made = requests.create(order, verdict) if is_new else requests.modify(order, verdict, adapter)
        return replace(
            base,
            operation=made.operation,
            record=made.record,
            fields=(*verdict.fields, *made.forced),
            sets=made.sets,
            stamp=made.stamp,
            overwritten=made.overwritten,
            protect=order.protect,
        )
    if verdict.action in (Action.RECORD, Action.ADOPT):
        record = requests.record_only(order, verdict)
        return replace(base, record=record, operation=record.operation, protect=order.protect)
    return replace(base, record=verdict.record if verdict.adopted else None)


def _order(fact: Facts, verdict: Verdict, wish: Wish, adapter: Adapter) -> requests.Order:
    old = verdict.record
    return requests.Order(
        name=fact.name,
        identity=wish.identity,
        file=fact.file or {},
        ignored=fact.ignored,
        protect=fact.protect if fact.protect is not None else bool(old and old.protect),
        stamped=wish.target.stamp,
        semantics=adapter.dialect.semantics,
        always=wish.target.always_send,
    )


def _located(base: Change, definition: Definition, verdict: Verdict, table: FieldTable) -> Change:
    """The change with where its fields stand, if they are to change or differ; a create's are found when needed."""
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


def _words(fact: Facts, verdict: Verdict, wish: Wish, moves: Moves) -> tuple[str, str]:
    """The message and the hint of a change."""
    selection = wish.target.selection
    if verdict.reason is Reason.RENAME:
        return rename_words(fact, verdict, selection, moves)
    message, hint = say(verdict.reason, fact.name, verdict.others, fact.moved_from, selection)
    if verdict.action is Action.DELETE and fact.file is not None:
        message = DESTROYED
    if verdict.reason is Reason.ORPHANED:
        hint = orphan_hint(fact, verdict, wish)
        message = UNHELD if verdict.record is None and fact.file is not None else message
    if verdict.action is Action.CREATE and fact.elsewhere:
        who, live_id = fact.elsewhere
        hint = Advice(fact.name, (live_id,), selection).fill(ELSEWHERE, who=who)
    if verdict.reason is Reason.UNREADABLE and fact.maybe_gone:
        hint = join_messages((hint, Advice(fact.name, (), selection).fill(FORGET_DELETED)))
    if verdict.reason is Reason.RELEASED and verdict.live is not None:
        hint = Advice(fact.name, (verdict.live.id,), selection).fill(LET_GO)
    if verdict.others and verdict.reason not in (Reason.TWINS, Reason.NAMESAKE):
        old = next((name for name in _stamped_names(fact, verdict) if name != fact.name), "")
        extra, how = say(Reason.TWIN_BESIDE, fact.name, verdict.others, old, selection)
        if verdict.record is None and verdict.live is not None:
            return f"{message}; {extra}", _choose_one(fact, (verdict.live.id, *verdict.others), selection)
        return f"{message}; {extra}", join_messages((hint, how))
    return message, hint


def _choose_one(fact: Facts, ids: tuple[str, ...], selection: Selection) -> Message:
    """Return how to record one of several that carry a name's stamp, of which none is recorded."""
    return Advice(fact.name, ids, selection).fill(DOUBLED_STRAY if fact.file is None else HINTS[Reason.TWINS])


def _stamped_names(fact: Facts, verdict: Verdict) -> list[str]:
    """The names in the stamps of the duplicates."""
    return [live.stamp.name for live in fact.stamped if live.stamp is not None and live.id in verdict.others]


def _lacks_stamp(verdict: Verdict, wish: Wish) -> bool:
    quiet = verdict.action in (Action.NOTHING, Action.RECORD, Action.DRIFT, Action.HELD, Action.ADOPT)
    record = verdict.record
    lost = record is not None and record.stamped is False
    return wish.target.stamp and quiet and verdict.live is not None and verdict.live.stamp is None and not lost


def _refuse_another_account(wish: Wish, state: State, view: View) -> None:
    ids = {record.id for record in state.records.values()}
    if len(ids) >= 2 and ids <= view.absent:
        raise RefusedError(
            f"None of the {len(ids)} assistants that state records exists here: this is another account or project.",
            Message(
                "Check the credential and the scoping headers. If they were really all deleted: ",
                wish.target.command("state", "rm", "*"),
                ", then apply again.",
            ),
        )


def _refuse_empty(wish: Wish, state: State) -> None:
    if not wish.names and state.records.keys() - wish.released and not wish.options.destroy:
        count = "an assistant" if len(state.records) == 1 else f"{len(state.records)} assistants"
        raise RefusedError(
            f"There are no definitions, but state records {count}.",
            Message(
                "Check the folder (-C, and `definitions` in trueup.yaml). To delete them all: ",
                wish.target.command("destroy"),
            ),
        )


def _refuse_unknown_target(wish: Wish, changes: list[Change], seen: Mapping[str, Seen]) -> None:
    if not any(change.action is Action.CREATE for change in changes):
        return
    project = wish.identity.project
    strangers = {
        live.stamp.target
        for live in seen.values()
        if live.stamp is not None and live.stamp.project == project and live.stamp.target not in wish.targets
    }
    if strangers:
        names = ", ".join(sorted(strangers))
        raise RefusedError(
            f"Live assistants of this project carry the stamp of a target that trueup.yaml lacks: {names}.",
            "Target names are for life: if it was renamed, give it its old name back, else creates would double it.",
        )
