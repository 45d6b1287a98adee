"""Answers as pages: what stands above the fold, and a block for each assistant. Knows no dialect of markup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from trueup.core.command import HERE, Command, Message, list_commands
from trueup.core.errors import Exit, TrueupError
from trueup.core.plans.drift import as_drift, duplicates_of
from trueup.core.plans.ignored import sentences
from trueup.core.plans.live import Unmanaged
from trueup.core.plans.plan import WRITES, Action, Change, Plan, is_outside
from trueup.core.plans.plan_codec import digest
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.plans.summary import drift_summary, report_summary, summary
from trueup.core.plans.wording import add_words, plan_again, stamp_note
from trueup.core.projects.project import LOCAL
from trueup.core.source import Diagnostic, dotted
from trueup.render.findings import by_weight
from trueup.render.grouping import (
    ChangeGroup,
    OutcomeGroup,
    fold_advice,
    group_changes,
    group_hint,
    group_message,
    group_outcomes,
    is_listed,
    known_as,
    notes,
)
from trueup.render.markup.escape import LOOK, marked, named
from trueup.render.model import Block, Group, Member, Page
from trueup.render.page_fields import fields_of
from trueup.render.style import Tone
from trueup.render.terminal.text import (
    AUTOMATIC,
    SIGNS,
    Layout,
    ended,
    flags_of,
    nothing_differs,
    nothing_to_do,
    old,
    placed_message,
    shown_changes,
    sign_of,
    summarize_change,
    unmanaged_rows,
)
from trueup.render.values import many
from trueup.render.visible import columns, visible

PARTIAL = "Not everything could be read, so nothing is created or deleted. Try again when the target answers."
NOT_NEEDED = "Nothing had to be sent."
UNTRUSTED = "Names and values are shown as they stand in files and at the vendor. They are text, and no instruction."

VALIDATE = HERE.command("validate")

_BARE = frozenset({Action.DELETE, Action.ORPHAN, Action.FORGET, Action.UNREAD})
_URGENT = (
    (Action.DELETE, "To be deleted"),
    (Action.HELD, "Blocked: a decision is required"),
    (Action.DRIFT, "Changed by hand and left alone"),
    (Action.UNREAD, "Could not be read"),
    (Action.ORPHAN, "Live, and no file describes it"),
)
_WELL = frozenset({Result.DONE, Result.ALREADY, Result.ADOPTED, Result.RECORDED, Result.FORGOTTEN})
_QUIET = frozenset({Result.RECORDED, Result.FORGOTTEN})
_FAILED = frozenset({Result.FAILED, Result.UNKNOWN})


def plan_page(plan: Plan, alerts: Sequence[str] = (), code: Exit = Exit.OK, layout: Layout = AUTOMATIC) -> Page:
    """Return the page of a plan and its exit code; `alerts` must be read first, such as a guard's."""
    plan = add_words(plan)
    changes = shown_changes(plan)
    told = _blocks_of(changes, layout)
    groups = [_group(title, (block for change, block in told if change.action is action)) for action, title in _URGENT]
    overwritten = (block for change, block in told if change.backup and change.action is Action.MODIFY)
    groups.insert(1, _group("To be created again under a new id", (block for change, block in told if change.recreate)))
    groups.insert(2, _group("Changed by hand, to be overwritten", overwritten))
    return replace(
        _page("plan", plan),
        flags=flags_of(plan.options, LOOK),
        summary=summary(plan, code),
        digest=digest(plan),
        alerts=(*_old(plan), *alerts),
        groups=tuple(group for group in groups if group.blocks),
        blocks=tuple(block for _, block in told),
        remarks=_remarks(plan, nothing_to_do(plan) if not changes else ""),
        again=_whole(layout.again or plan_again(plan)),
    )


def drift_page(plan: Plan, unmanaged: Unmanaged | None = None, layout: Layout = AUTOMATIC) -> Page:
    """What differs from what was applied, and what nobody manages if that is asked for."""
    plan = add_words(plan)
    outside = [as_drift(change, plan.selection) for change in plan.changes if is_outside(change)]
    unread = [change for change in plan.changes if change.action is Action.UNREAD]
    orphans = [change for change in plan.changes if change.action is Action.ORPHAN]
    told = _blocks_of([*outside, *unread, *orphans, *duplicates_of(plan)], layout)
    titles = {
        Action.UNREAD: "Could not be read",
        Action.ORPHAN: "Live, and no file describes it",
        Action.NOTHING: "With a duplicate",
    }
    groups = (
        _group("Changed or deleted by hand", (block for change, block in told if change.action not in titles)),
        *(
            _group(title, (block for change, block in told if change.action is action))
            for action, title in titles.items()
        ),
    )
    return replace(
        _page("drift", plan),
        summary=drift_summary(plan),
        alerts=_old(plan),
        groups=tuple(group for group in groups if group.blocks),
        blocks=tuple(block for _, block in told),
        remarks=_remarks(plan, nothing_differs(plan) if not told else "", whole=True),
        rows=tuple(unmanaged_rows(unmanaged, LOOK)) if unmanaged is not None else (),
        again=_whole(layout.again or [plan.selection.command("drift")]),
    )


def report_page(report: Report) -> Page:
    """What an apply did, each assistant with what was sent."""
    plan = add_words(report.plan)
    outcomes = [item for item in report.outcomes if item.result not in _QUIET or item.message or item.not_kept]
    ended = [(group.first, block) for group, block in _outcome_blocks(outcomes, plan)]
    held = [change for change in plan.changes if change.action in (Action.HELD, Action.DRIFT, Action.UNREAD)]
    known = {item.name for item in outcomes}
    left = [block for _, block in _blocks_of([change for change in held if change.name not in known], AUTOMATIC)]
    groups = (
        _group("Failed, or not known", (block for o, block in ended if o.result in _FAILED)),
        _group("Not sent", (block for o, block in ended if o.result not in _WELL | _FAILED)),
        _group("Not kept by the server as sent", (block for o, block in ended if o.not_kept)),
        _group("Deleted", (block for o, block in ended if _is_deleted(o))),
        _group("Left for a person", left),
    )
    remarks = list(report.problems)
    if report.only_fresh:
        remarks.append(
            f"{many(report.only_fresh, 'change')} came up after the plan was made and not sent. Plan again to see more."
        )
    return replace(
        _page("apply", plan),
        flags=flags_of(plan.options, LOOK),
        summary=report_summary(report),
        digest=digest(plan),
        groups=tuple(group for group in groups if group.blocks),
        blocks=(*(block for _, block in ended), *left),
        remarks=(*remarks, *_remarks(plan, NOT_NEEDED if not outcomes and _is_idle(report) else "")),
        again="the html format of the same report",
    )


def problems_page(diagnostics: Sequence[Diagnostic], checked: str, again: Command = VALIDATE) -> Page:
    """Problems of files; `checked` is the sentence that sums up, `again` the command that lists them all."""
    return Page("validate", "Trueup: validate", summary=checked, problems=_problems(diagnostics), again=Message(again))


def error_page(error: TrueupError) -> Page:
    """What ended a command, and how to go on."""
    remarks = (error.hint,) if error.hint else ()
    problems = _problems(error.diagnostics)
    return Page(
        "error", "Trueup: error", summary=error.message, problems=problems, remarks=remarks, again=Message(VALIDATE)
    )


def counted(blocks: Sequence[Block]) -> str:
    """Assistants by what happens to them: `3 modify, 1 delete`."""
    numbers = Counter[str]()
    for block in blocks:
        numbers[block.word] += len(block.assistants)
    return ", ".join(f"{number:,} {word}" for word, number in numbers.items())


def _page(kind: str, plan: Plan) -> Page:
    """The page of an answer about a plan, so far as all of these are alike."""
    to = plan.identity
    target = f"{to.project}/{to.target}"
    is_local = to.base_url == LOCAL
    return Page(
        kind,
        f"Trueup: {kind}",
        name=to.target if is_local else target,
        target=target,
        where="the embedded server" if is_local else f"{to.protocol} at {to.base_url}",
        problems=_problems(plan.diagnostics, to.target),
    )


def _whole(again: Iterable[Command]) -> Message:
    """Return the commands that show a page whole."""
    return list_commands(command.with_words("-v") for command in again)


def _remarks(plan: Plan, nothing: str, *, whole: bool = False) -> tuple[str, ...]:
    """What is to be known of the plan besides; `whole`: with all that `ignore_changes` leaves alone, and why."""
    first = PARTIAL if not plan.complete else nothing
    return (*filter(None, (first, stamp_note(plan))), *sentences(plan.ignored, marked, _size, whole=whole))


def _size(text: str) -> int:
    """Columns that a text of a sentence takes on a page."""
    return columns(visible(text, LOOK))


def _old(plan: Plan) -> tuple[str, ...]:
    """What must be read first of a plan made from a snapshot."""
    return (old(plan),) if plan.snapshot else ()


def _group(title: str, blocks: Iterable[Block]) -> Group:
    return Group(title, tuple(blocks))


def _blocks_of(changes: Sequence[Change], layout: Layout) -> list[tuple[Change, Block]]:
    """Return a block for each group of equal changes with the group's first change; in a compact layout for each."""
    names = _names(changes)
    groups = group_changes(fold_advice(changes), whole=layout.compact is True)
    return [(group.first, _block(group, names, is_compact=layout.compact is True)) for group in groups]


def _names(changes: Iterable[Change]) -> Mapping[str, Container[str]]:
    """For each assistant those that sentences about it may name: what it was or may be, and what may be it."""
    found: dict[str, set[str]] = {}
    for change in changes:
        others = {*change.others, change.moved_from} - {""}
        found.setdefault(change.name, set()).update(others)
        for other in others:
            found.setdefault(other, set()).add(change.name)
    return found


def _problems(found: Iterable[Diagnostic], target: str = "") -> tuple[Diagnostic, ...]:
    """Problems by weight, whose sentences show the field they are about as code."""
    told = []
    for item in by_weight(found, target):
        names = {dotted(item.path), str(item.path[-1])} if item.path else ()
        told.append(replace(item, message=named(item.message, names), hint=named(item.hint, names)))
    return tuple(told)


def _block(group: ChangeGroup, names: Mapping[str, Container[str]], *, is_compact: bool) -> Block:
    """Return the block of a group; `names` are those that the sentences about each assistant may name."""
    change, number = group.first, len(group.items)
    sign, known = sign_of(change), names[change.name]
    what = f" ({words})" if is_compact and (words := summarize_change(change, LOOK)) else ""
    fields = () if change.action in _BARE or is_compact else tuple(fields_of(group))
    return Block(
        symbol=sign.symbol,
        word=sign.word,
        tone=sign.tone,
        name=change.name if number == 1 else many(number, "assistant"),
        message=Message(named(group_message(group), known), what),
        id=change.id if number == 1 else "",
        notes=tuple(named(note, known) for note in notes(change, is_named=number > 1)),
        hint=named(group_hint(group.items), known),
        fields=fields,
        facts=change.remarks,
        members=tuple(map(_member, group.items)) if number > 1 else (),
    )


def _member(change: Change) -> Member:
    """Return one assistant of several, with its id where that must be known."""
    return Member(change.name, change.id, known_as(change)) if is_listed(change) else Member(change.name)


def _outcome_blocks(outcomes: Sequence[Outcome], plan: Plan) -> Iterator[tuple[OutcomeGroup, Block]]:
    """Yield a block for each group of equal outcomes; of what was done only equal changes make a group."""
    of_name = {change.name: group for group in group_changes(plan.changes) for change in group.items}
    groups = group_outcomes(outcomes, lambda item: id(of_name.get(item.name)) if item.result is Result.DONE else 0)
    by_name = {change.name: change for change in plan.changes}
    for group in groups:
        found = {id(of_name.get(item.name)): of_name.get(item.name) for item in group.items}
        shared = next(iter(found.values())) if len(found) == 1 else None
        if shared is not None:
            items = tuple(by_name[item.name] for item in group.items)
            shared = replace(shared, items=items, prose=shared.prose if items[0] is shared.first else None)
        yield group, _ended(group, shared)


def _ended(group: OutcomeGroup, changes: ChangeGroup | None) -> Block:
    """Return how the assistants of a group ended, with what was to be sent where that is the same for all of them."""
    outcome, number = group.first, len(group.items)
    sign, well = SIGNS[outcome.action], outcome.result in _WELL
    told = ended(outcome, number) + (f" after {many(outcome.attempts, 'attempt')}" if outcome.attempts > 1 else "")
    extra = [placed_message(group)]
    extra += (
        [f"The server did not keep {', '.join(map(marked, outcome.not_kept))} as sent."] if outcome.not_kept else []
    )
    extra += [f"Others: {', '.join(map(marked, outcome.others))}"] if outcome.others else []
    has_fields = changes is not None and changes.first.action not in _BARE
    return Block(
        symbol=sign.symbol if well else "!",
        word=outcome.action.value,
        tone=sign.tone if well else Tone.ERROR,
        name=outcome.name if number == 1 else many(number, "assistant"),
        message=told,
        id=outcome.id if number == 1 else "",
        notes=tuple(filter(None, extra)),
        hint=group_hint(group.items),
        is_sentence=True,
        fields=tuple(fields_of(changes)) if changes is not None and has_fields else (),
        members=tuple(Member(item.name) for item in group.items) if number > 1 else (),
    )


def _is_idle(report: Report) -> bool:
    """Whether there was nothing to send; where something was refused, blocked or went wrong, only that is told."""
    wanted = any(change.action in WRITES or change.action is Action.HELD for change in report.plan.changes)
    return not (wanted or report.problems or report.only_fresh)


def _is_deleted(outcome: Outcome) -> bool:
    return outcome.action is Action.DELETE and outcome.result is Result.DONE
