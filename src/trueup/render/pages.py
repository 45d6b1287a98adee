"""What an answer shows, decided once for every format: which assistants, in which order, grouped how, with which words.

Makes a `PageView` of a plan, a drift report, an apply, problems or an error. Knows no format; what a terminal shows
differs from a page where `Detail` says so: it cannot fold a block, and is read from top to bottom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from trueup.core.command import HERE, Command, Message, list_commands, texts_of
from trueup.core.errors import Exit, TrueupError
from trueup.core.plans.drift import as_drift, list_duplicates
from trueup.core.plans.exits import is_blocked
from trueup.core.plans.ignored import describe_ignored, except_ignored, no_size
from trueup.core.plans.live import Unmanaged
from trueup.core.plans.plan import WRITES, Action, Cause, Change, Options, Plan, Reason, is_outside
from trueup.core.plans.plan_codec import digest
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.plans.summary import drift_summary, report_summary, snapshot_sentence, summary
from trueup.core.plans.wording import add_words, plan_again, stamp_note
from trueup.core.projects.project import LOCAL
from trueup.core.source import Diagnostic, dotted, in_order
from trueup.render.grouping import (
    COMPACT_ABOVE,
    ChangeGroup,
    OutcomeGroup,
    advice_key,
    change_notes,
    distinct_name,
    fold_advice,
    group_changes,
    group_equal,
    group_hint,
    group_message,
    group_outcomes,
    is_listed,
    mark_name,
    mark_names,
)
from trueup.render.model import SIGNS, Block, FieldView, Group, Member, Note, PageView, Sign
from trueup.render.page_fields import brief_fields, fields_of
from trueup.render.style import PAGE, Tone
from trueup.render.values import pluralize, write_value
from trueup.render.visible import count_columns, make_visible
from trueup.render.weight import sort_by_weight

PARTIAL = "Not everything could be read, so nothing is created or deleted. Try again when the target answers."
NOT_NEEDED = "Nothing to send."
VALIDATE = HERE.command("validate")

_DUPLICATE = Sign("!", "duplicate", Tone.HELD)
"""Of one that is as it should be, but not alone."""

_BEHIND = Sign("!", "behind", Tone.HELD)
"""Of one that another checkout has applied since, and that no file wants changed."""

_SILENT = frozenset({Action.RECORD, Action.FORGET, Action.NOTHING})
_BARE = frozenset({Action.DELETE, Action.ORPHAN, Action.FORGET, Action.UNREAD})
"""Actions whose fields nobody needs to see."""

_URGENT = (
    (Action.DELETE, "To be deleted"),
    (Action.HELD, "Blocked: a decision is required"),
    (Action.DRIFT, "Manual changes, left alone"),
    (Action.UNREAD, "Could not be read"),
    (Action.ORPHAN, "Live, and no file describes it"),
)
_FIRST = (Action.DELETE, Action.HELD, Action.DRIFT, Action.UNREAD, Action.ORPHAN)
"""What comes first where each assistant has one row; behind it the order is that of `SIGNS`."""

_USUAL = frozenset({Reason.NEW, Reason.EDITED})
"""Reasons that the word of an action says."""

_DONE = {
    Action.CREATE: "created",
    Action.MODIFY: "modified",
    Action.STAMP: "stamped",
    Action.RELEASE: "released",
    Action.DELETE: "deleted",
    Action.ADOPT: "adopted",
    Action.RECORD: "recorded",
    Action.FORGET: "forgotten",
}
_GOOD = {Result.ALREADY: "was already in place", Result.ADOPTED: "was adopted", Result.RECORDED: "was recorded",
         Result.FORGOTTEN: "was forgotten"}  # fmt: skip
_WELL = frozenset({Result.DONE, *_GOOD})
_QUIET = frozenset({Result.RECORDED, Result.FORGOTTEN})
_FAILED = frozenset({Result.FAILED, Result.UNKNOWN})


class Detail(NamedTuple):
    """How much of each change is shown.

    `compact` is a row for each assistant, None that only where there are many in a terminal. `again` are commands that
    show the same changes, to be followed by a flag such as `--compact`; empty for those of the plan. `whole` groups
    nothing and leaves nothing out. `in_terminal`: blocks do not fold, and names are not marked as code.
    """

    compact: bool | None = None
    again: Sequence[Command] = ()
    whole: bool = False
    in_terminal: bool = False


AUTOMATIC = Detail()
"""Equal changes once, each block in full."""

TERMINAL = Detail(in_terminal=True)
"""Equal changes once, and a row for each assistant where even so there are many."""


class _Blocks(NamedTuple):
    """Changes with their blocks, in the order in which they are shown; `reasons` stand below a compact page."""

    shown: list[tuple[Change, Block]]
    is_compact: bool = False
    reasons: tuple[Block, ...] = ()

    def group(self, title: str, *actions: Action) -> Group:
        """Return the blocks of some actions under a title."""
        return Group(title, tuple(block for change, block in self.shown if change.action in actions))


def plan_page(plan: Plan, alerts: Sequence[str] = (), code: Exit = Exit.OK, detail: Detail = AUTOMATIC) -> PageView:
    """Return the page of a plan and its exit code; `alerts` must be read first, such as a guard's."""
    plan = add_words(plan)
    again = tuple(detail.again or plan_again(plan))
    changes = shown_changes(plan, everything=detail.whole)
    blocks = _blocks_of(changes, detail, again)
    groups = [blocks.group(title, action) for action, title in _URGENT]
    overwritten = (block for change, block in blocks.shown if change.backup and change.action is Action.MODIFY)
    recreated = (block for change, block in blocks.shown if change.recreate)
    groups.insert(1, Group("To be created again under a new id", tuple(recreated)))
    groups.insert(2, Group("Manual changes, to be overwritten", tuple(overwritten)))
    what = "everything" if plan.limit is None else "what it is limited to"
    nothing = f"Nothing to do: {except_ignored(plan.ignored)}{what} matches the files."
    return replace(
        _page("plan", plan, detail, again),
        summary=summary(plan, code),
        digest=digest(plan),
        alerts=(*_snapshot_alerts(plan), *alerts),
        groups=tuple(filter(len, groups)),
        blocks=tuple(block for _, block in blocks.shown),
        is_compact=blocks.is_compact,
        reasons=blocks.reasons,
        nothing="" if changes or not plan.complete else nothing,
    )


def drift_page(plan: Plan, unmanaged: Unmanaged | None = None, detail: Detail = AUTOMATIC) -> PageView:
    """Return what differs from what was applied, and what is unmanaged if that is asked for."""
    plan = add_words(plan)
    again = tuple(detail.again or [plan.selection.command("drift")])
    blocks = _blocks_of(drift_changes(plan), detail, again)
    groups = (
        blocks.group("Manual changes and deletions", Action.DRIFT),
        blocks.group("Could not be read", Action.UNREAD),
        blocks.group("Live, and no file describes it", Action.ORPHAN),
        blocks.group("With a duplicate", Action.NOTHING),
    )
    nothing = f"{except_ignored(plan.ignored)}no drift: live matches what was applied.".capitalize()
    return replace(
        _page("drift", plan, detail, again),
        summary=drift_summary(plan),
        alerts=_snapshot_alerts(plan),
        groups=tuple(filter(len, groups)),
        blocks=tuple(block for _, block in blocks.shown),
        is_compact=blocks.is_compact,
        reasons=blocks.reasons,
        unmanaged=unmanaged,
        nothing="" if blocks.shown or not plan.complete else nothing,
    )


def report_page(report: Report, detail: Detail = AUTOMATIC, *, with_blocked: bool = False) -> PageView:
    """Return what an apply did; on a page with what was sent, in a terminal the plan has just shown that.

    `with_blocked`: a terminal, too, shows what waits for a decision, because it has not shown the plan.
    """
    plan = add_words(report.plan)
    outcomes = [
        item for item in report.outcomes if detail.whole or item.result not in _QUIET or item.message or item.not_kept
    ]
    remarks = [Note(problem, Tone.WARNING) for problem in report.problems]
    if report.only_fresh:
        words = f"{pluralize(report.only_fresh, 'change')} appeared after the plan was made, and not sent."
        remarks.append(Note(f"{words} Plan again to see more."))
    held = [change for change in plan.changes if change.action in (Action.HELD, Action.DRIFT, Action.UNREAD)]
    known = {item.name for item in outcomes}
    waiting = [change for change in held if change.name not in known]
    if detail.in_terminal:
        if detail.whole:
            sent = pluralize(report.calls, "HTTP request")
            remarks.append(Note(f"{sent} sent, {report.retries:,} of them retries."))
        blocked = [change for change in waiting if with_blocked and change.action is not Action.DRIFT]
        left = [block for _, block in _blocks_of(blocked, detail).shown]
        blocks = (*_terminal_outcomes(outcomes, plan, whole=detail.whole), *left)
        page = _target_page("apply", plan)
        return replace(page, summary=report_summary(report), blocks=blocks, remarks=tuple(remarks))
    ended = [(group.first, block) for group, block in _outcome_blocks(outcomes, plan)]
    left = [block for _, block in _blocks_of(waiting, detail).shown]
    page = _page("apply", plan, detail)
    groups = (
        Group("Failed, or unknown outcome", tuple(block for item, block in ended if item.result in _FAILED)),
        Group("Not sent", tuple(block for item, block in ended if item.result not in _WELL | _FAILED)),
        Group("Not kept by the server as sent", tuple(block for item, block in ended if item.not_kept)),
        Group("Deleted", tuple(block for item, block in ended if _is_deleted(item))),
        Group("Manual decision required", tuple(left)),
    )
    return replace(
        page,
        summary=report_summary(report),
        digest=digest(plan),
        groups=tuple(filter(len, groups)),
        blocks=(*(block for _, block in ended), *left),
        nothing=NOT_NEEDED if plan.complete and not outcomes and _is_idle(report) else "",
        remarks=(*remarks, *page.remarks),
        whole="the html format of the same report",
    )


def problems_page(diagnostics: Sequence[Diagnostic], checked: str, again: Command = VALIDATE) -> PageView:
    """Return problems of files; `checked` is the sentence that sums up, `again` the command that lists them all."""
    return PageView(
        "validate", "Trueup: validate", summary=checked, problems=_problems(diagnostics), whole=Message(again)
    )


def error_page(error: TrueupError) -> PageView:
    """Return what ended a command, and how to go on."""
    return PageView(
        "error",
        "Trueup: error",
        summary=error.message,
        problems=_problems(error.diagnostics),
        remarks=(Note(error.hint, Tone.HINT),) if error.hint else (),
        whole=Message(VALIDATE),
    )


def count_words(blocks: Sequence[Block]) -> str:
    """Return how many assistants there are by what happens to them: `3 modify, 1 delete`."""
    numbers = Counter[str]()
    for block in blocks:
        numbers[block.sign.word] += len(block.assistants)
    return ", ".join(f"{number:,} {word}" for word, number in numbers.items())


def shown_changes(plan: Plan, *, everything: bool = False) -> list[Change]:
    """Return the changes that a plan shows, in the order in which it does; `everything`: also what is only recorded."""
    order = list(SIGNS)
    return sorted(
        (change for change in plan.changes if everything or _is_shown(change)),
        key=lambda change: order.index(change.action),
    )


def _is_shown(change: Change) -> bool:
    """Whether there is something to do, to decide, or to know that the server cannot do."""
    impossible = any(item.cause is Cause.IMPOSSIBLE for item in change.fields)
    return bool(change.others) or impossible or change.action not in _SILENT


def drift_changes(plan: Plan) -> list[Change]:
    """Return the changes that a drift report shows, as news about live: drift, unreadable ones, orphans, duplicates."""
    return [
        *(as_drift(change, plan.selection) for change in plan.changes if is_outside(change)),
        *(change for change in plan.changes if change.action is Action.UNREAD),
        *(change for change in plan.changes if change.action is Action.ORPHAN),
        *list_duplicates(plan),
    ]


def sign_of(change: Change) -> Sign:
    """Return the sign of a change: its action's, unless that alone would mislead."""
    if change.others and change.action in _SILENT:
        return _DUPLICATE
    return _BEHIND if change.action is Action.HELD and not is_blocked(change) else SIGNS[change.action]


def describe_snapshot(plan: Plan) -> str:
    """Return what a reader of a plan made from a snapshot must know first."""
    return f"{snapshot_sentence(plan)} It may have changed since; this plan cannot be applied."


def describe_outcome(outcome: Outcome, number: int = 1) -> str:
    """Return the words that finish a sentence begun with the assistant's name, or with a number of assistants."""
    if outcome.result is Result.DONE:
        words = f"was {_DONE.get(outcome.action, 'left as it is')}"
    elif outcome.result in _GOOD:
        words = _GOOD[outcome.result]
    else:
        verb = _DONE.get(outcome.action, "changed")
        words = {
            Result.FAILED: f"could not be {verb}",
            Result.REFUSED: f"was not {verb}",
            Result.CHANGED: f"was not {verb}: it changed since the plan",
            Result.UNKNOWN: f"may or may not have been {verb}",
            Result.SKIPPED: f"was not {verb}",
        }[outcome.result]
    return words if number == 1 else words.replace("was ", "were ", 1).replace(": it ", ": they ")


def _target_page(kind: str, plan: Plan) -> PageView:
    """Return the page of an answer about a plan with no more than its target."""
    to = plan.identity
    target = f"{to.project}/{to.target}"
    is_local = to.base_url == LOCAL
    return PageView(
        kind,
        f"Trueup: {kind}",
        name=to.target if is_local else target,
        target=target,
        where="the embedded server" if is_local else f"{to.protocol} at {to.base_url}",
    )


def _page(kind: str, plan: Plan, detail: Detail, again: tuple[Command, ...] = ()) -> PageView:
    """Return the page of an answer about a plan, so far as all of these are alike."""
    mark, size = (str, no_size) if detail.in_terminal else (mark_name, _columns_on_page)
    target = plan.identity.target
    return replace(
        _target_page(kind, plan),
        flags=_flags(plan.options),
        partial="" if plan.complete else PARTIAL,
        ignored=tuple(describe_ignored(plan.ignored, mark, size, whole=kind == "drift")),
        remarks=tuple(Note(text) for text in [stamp_note(plan)] if text),
        problems=tuple(in_order(plan.diagnostics)) if detail.in_terminal else _problems(plan.diagnostics, target),
        again=again,
        whole=list_commands(command.with_words("-v") for command in again),
    )


def _columns_on_page(text: str) -> int:
    """Return the columns that a text of a sentence takes on a page."""
    return count_columns(make_visible(text, PAGE))


def _snapshot_alerts(plan: Plan) -> tuple[str, ...]:
    return (describe_snapshot(plan),) if plan.snapshot else ()


def _flags(options: Options) -> str:
    """Return the flags that made this plan another one than the plain command makes."""
    found = [f"--on-drift {options.on_drift}"] if options.on_drift != "refuse" else []
    found += ["--prune"] if options.prune else []
    found += ["--stamp"] if options.stamp_all else []
    found += [f"--var {name}={write_value(options.vars[name], PAGE, 30)}" for name in sorted(options.vars)]
    found += [f"--ack {item}" for item in options.accepted_ids]
    return " ".join(found)


def _problems(found: Iterable[Diagnostic], target: str = "") -> tuple[Diagnostic, ...]:
    """Return problems by weight, whose sentences show the field they are about as code."""
    shown = []
    for item in sort_by_weight(found, target):
        names = {dotted(item.path), str(item.path[-1])} if item.path else ()
        shown.append(replace(item, message=mark_names(item.message, names), hint=mark_names(item.hint, names)))
    return tuple(shown)


def _blocks_of(changes: Sequence[Change], detail: Detail, again: Sequence[Command] = ()) -> _Blocks:
    """Return a block for each group of equal changes, or on a compact page for each change."""
    changes = changes if detail.whole else fold_advice(changes)
    names = {} if detail.in_terminal else _names_in_sentences(changes)
    more = Message("All names: ", again[0].with_words("--compact")) if again else ""
    groups = [] if detail.compact else group_changes(changes, whole=detail.whole)
    is_many = detail.in_terminal and not detail.whole and len(groups) > COMPACT_ABOVE
    if detail.compact or (detail.compact is None and is_many):
        order = [*_FIRST, *(action for action in SIGNS if action not in _FIRST)]
        ordered = sorted(changes, key=lambda change: (not is_listed(change), order.index(change.action)))
        singles = [ChangeGroup((change,)) for change in ordered]
        shown = [(group.first, _change_block(group, names, is_compact=True)) for group in singles]
        return _Blocks(shown, True, tuple(_reasons(ordered)) if detail.in_terminal else ())
    return _Blocks([(group.first, _change_block(group, names, more, whole=detail.whole)) for group in groups])


def _names_in_sentences(changes: Iterable[Change]) -> Mapping[str, Container[str]]:
    """Return for each assistant those that sentences about it may name: what it was or may be, and what may be it."""
    found: dict[str, set[str]] = {}
    for change in changes:
        others = {*change.others, change.moved_from} - {""}
        found.setdefault(change.name, set()).update(others)
        for other in others:
            found.setdefault(other, set()).add(change.name)
    return found


def _change_block(
    group: ChangeGroup,
    names: Mapping[str, Container[str]],
    names_all: str = "",
    *,
    is_compact: bool = False,
    whole: bool = False,
) -> Block:
    """Return the block of a group; `names` are those that the sentences about each assistant may name."""
    change, number = group.first, len(group.items)
    known = names.get(change.name, ())
    listed = is_listed(change)
    has_fields = change.action not in _BARE and not is_compact
    return Block(
        sign_of(change),
        name=change.name if number == 1 else pluralize(number, "assistant"),
        message=mark_names(group_message(group), known),
        id=change.id if number == 1 else "",
        also=distinct_name(change) if is_compact else "",
        notes=tuple(Note(mark_names(note, known)) for note in change_notes(change, is_named=number > 1)),
        hint=mark_names(group_hint(group.items), known),
        fields=tuple(fields_of(group, whole=whole)) if has_fields else (),
        briefs=tuple(brief_fields(change, by_name=listed)) if is_compact else (),
        facts=change.remarks,
        members=tuple(map(_member, group.items)) if number > 1 else (),
        is_listed=listed,
        is_same_advice=change.action is Action.DRIFT,
        names_all=names_all,
    )


def _member(change: Change) -> Member:
    """Return one assistant of several, with its id where that must be known."""
    return Member(change.name, change.id, distinct_name(change)) if is_listed(change) else Member(change.name)


def _reasons(changes: Sequence[Change]) -> Iterator[Block]:
    """Yield what rows have no room for: the sentences that are the same for several assistants, with their names."""
    for items in group_equal([change for change in changes if any(_sentences_below(change))], _key_below, 1):
        message, *beside, _ = _sentences_below(items[0])
        yield Block(
            sign_of(items[0]),
            name="",
            message=message,
            notes=tuple(map(Note, beside)),
            hint=group_hint(items),
            members=tuple(Member(change.name) for change in items),
        )


def _sentences_below(change: Change) -> tuple[str, ...]:
    """Return the sentences on a change that its one row has no room for."""
    return "" if change.reason in _USUAL else change.message, *change_notes(change, is_named=True), change.hint


def _key_below(change: Change) -> Hashable:
    """Return what is shown below of an assistant; its advice without the commands, which are shown of the first one."""
    *said, hint = _sentences_below(change)
    return sign_of(change).word, *(advice_key(text, (change.name, change.id)) for text in said), texts_of(hint)


def _terminal_outcomes(outcomes: Sequence[Outcome], plan: Plan, *, whole: bool) -> Iterator[Block]:
    """Yield how each assistant ended; equal ends as one block, of those that went well only where they are many."""
    every_name = Message("All names, with their ids: ", plan.selection.command("state", "list"))
    again = plan_again(plan)[:1]
    left = Message("To show what is left to do, with all names: ", again[0].with_words("--compact")) if again else ""
    for group in group_outcomes(outcomes):
        is_well = group.first.result in _WELL
        if whole or (is_well and len(group.items) <= COMPACT_ABOVE):
            yield from (_outcome_block(OutcomeGroup((item,))) for item in group.items)
        else:
            yield replace(_outcome_block(group), names_all=every_name if is_well else left)


def _outcome_blocks(outcomes: Sequence[Outcome], plan: Plan) -> Iterator[tuple[OutcomeGroup, Block]]:
    """Yield a block for each group of equal outcomes; of what was done only equal changes make a group."""
    of_name = {change.name: group for group in group_changes(plan.changes) for change in group.items}
    groups = group_outcomes(outcomes, lambda item: id(of_name.get(item.name)) if item.result is Result.DONE else 0)
    by_name = {change.name: change for change in plan.changes}
    for group in groups:
        found = {id(of_name.get(item.name)): of_name.get(item.name) for item in group.items}
        shared = next(iter(found.values())) if len(found) == 1 else None
        fields: tuple[FieldView, ...] = ()
        if shared is not None and shared.first.action not in _BARE:
            items = tuple(by_name[item.name] for item in group.items)
            shared = replace(shared, items=items, prose=shared.prose if items[0] is shared.first else None)
            fields = tuple(fields_of(shared))
        yield group, replace(_outcome_block(group, mark_name), fields=fields)


def _outcome_block(group: OutcomeGroup, mark: Callable[[str], str] = str) -> Block:
    """Return how the assistants of a group ended."""
    outcome, number = group.first, len(group.items)
    well = outcome.result in _WELL
    sign = SIGNS[outcome.action]
    return Block(
        Sign(sign.symbol if well else "!", outcome.action.value, sign.tone if well else Tone.ERROR),
        name=outcome.name if number == 1 else pluralize(number, "assistant"),
        message=describe_outcome(outcome, number)
        + (f" after {pluralize(outcome.attempts, 'attempt')}" if outcome.attempts > 1 else ""),
        id=outcome.id if number == 1 else "",
        notes=tuple(_outcome_notes(group, mark)),
        hint=group_hint(group.items),
        is_sentence=True,
        members=tuple(Member(item.name) for item in group.items) if number > 1 else (),
    )


def _outcome_notes(group: OutcomeGroup, mark: Callable[[str], str]) -> Iterator[Note]:
    """Yield what a server or a file has to do with an outcome, that of the first one for example."""
    outcome = group.first
    position = outcome.position if outcome.position is not None and outcome.position.text.strip() else None
    message = outcome.message
    if outcome.position and message:
        is_same = all(item.position == outcome.position for item in group.items)
        message = (
            Message(f"{outcome.position}: ", message)
            if is_same
            else Message(message, f" (first at {outcome.position})")
        )
    if message or position is not None:
        yield Note(message, Tone.PLAIN, position)
    if outcome.not_kept:
        yield Note(f"The server did not keep {', '.join(map(mark, outcome.not_kept))} as sent.", Tone.WARNING)
    if outcome.others:
        yield Note(f"Others: {', '.join(map(mark, outcome.others))}", Tone.PLAIN)


def _is_idle(report: Report) -> bool:
    """Whether there was nothing to send; where something was refused, blocked or went wrong, only that is shown."""
    is_wanted = any(change.action in WRITES or change.action is Action.HELD for change in report.plan.changes)
    return not (is_wanted or report.problems or report.only_fresh)


def _is_deleted(outcome: Outcome) -> bool:
    return outcome.action is Action.DELETE and outcome.result is Result.DONE
