"""A plan, a drift report and what an apply did as text: a heading for each assistant, its fields, a line that sums up.

`width` is in columns. Values from outside are shown safely; colour is only ever added to what words or signs say too.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator, Sequence
from typing import NamedTuple

from trueup.core.command import Command, Message, texts_of
from trueup.core.errors import Exit
from trueup.core.plans.drift import as_drift, duplicates_of
from trueup.core.plans.exits import is_blocked
from trueup.core.plans.ignored import except_ignored, sentences
from trueup.core.plans.live import Unmanaged
from trueup.core.plans.plan import Action, Cause, Change, Options, Plan, Reason, is_outside
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.plans.summary import as_of, drift_summary, report_summary, summary
from trueup.core.plans.wording import add_words, plan_again, quoted, stamp_note
from trueup.core.projects.project import LOCAL
from trueup.core.source import Diagnostic, dotted, in_order
from trueup.render.grouping import (
    COMPACT_ABOVE,
    SMALLEST,
    ChangeGroup,
    OutcomeGroup,
    advice_key,
    fold_advice,
    group_changes,
    group_equal,
    group_hint,
    group_message,
    group_outcomes,
    is_listed,
    known_as,
    notes,
)
from trueup.render.page_fields import brief_fields, fields_of
from trueup.render.style import Look, Piece, Row, Tone, look_of, paint
from trueup.render.terminal.fields import field_rows, summarize
from trueup.render.terminal.problems import diagnostic_rows, source_rows
from trueup.render.values import many, value
from trueup.render.visible import columns, hanging, sentence, shortened, spoken, visible

NAMED = 20
"""Names of a group that are listed unless everything is asked for; what must be known of each one is listed whole."""


class Sign(NamedTuple):
    """An action's symbol, its word and its tone."""

    symbol: str
    word: str
    tone: Tone


SIGNS = {
    Action.CREATE: Sign("+", "create", Tone.CREATE),
    Action.MODIFY: Sign("~", "modify", Tone.MODIFY),
    Action.STAMP: Sign("~", "stamp", Tone.MODIFY),
    Action.RELEASE: Sign("~", "release", Tone.MODIFY),
    Action.ADOPT: Sign("=", "adopt", Tone.ADOPT),
    Action.DELETE: Sign("-", "delete", Tone.DELETE),
    Action.HELD: Sign("!", "blocked", Tone.HELD),
    Action.DRIFT: Sign("!", "drifted", Tone.HELD),
    Action.ORPHAN: Sign("!", "orphaned", Tone.HELD),
    Action.UNREAD: Sign("?", "unreadable", Tone.UNREAD),
    Action.RECORD: Sign("=", "remember", Tone.FAINT),
    Action.FORGET: Sign("=", "forget", Tone.FAINT),
    Action.NOTHING: Sign(" ", "unchanged", Tone.FAINT),
}
"""In the order in which a plan shows them: what is sent first, then what needs a person."""

_QUIET = frozenset({Action.RECORD, Action.FORGET, Action.NOTHING})
_DUPLICATE = Sign("!", "duplicate", Tone.HELD)
"""Of one that is as it should be, but not alone."""

_BEHIND = Sign("!", "behind", Tone.HELD)
"""Of one that another checkout has applied since, and that no file wants changed."""


class Layout(NamedTuple):
    """How much of each change is shown: `compact` is a row for each assistant, None that only where there are many.

    `again` are commands that show the same changes, to be followed by a flag of layout; empty for those of the plan.
    """

    compact: bool | None = None
    again: Sequence[Command] = ()


AUTOMATIC = Layout()
"""Equal changes once, and a row for each assistant where even so there are many."""


def plan_rows(plan: Plan, look: Look, code: Exit = Exit.OK, layout: Layout = AUTOMATIC) -> Iterator[Row]:
    """Yield the whole plan; its last row is the summary, with the exit code."""
    plan = add_words(plan)
    yield from _header(plan, look)
    changes = shown_changes(plan, everything=look.verbose)
    yield from change_rows(changes, look, layout.compact, layout.again or plan_again(plan))
    if not changes and plan.complete:
        yield ()
        yield from sentence(nothing_to_do(plan), 0, look)
    yield from _doubts(plan, look, sentences(plan.ignored, whole=False))
    yield ()
    yield (Piece(summary(plan, code), Tone.STRONG),)


def sign_of(change: Change) -> Sign:
    """Return the sign of a change: its action's, unless that alone would mislead."""
    if change.others and change.action in _QUIET:
        return _DUPLICATE
    return _BEHIND if change.action is Action.HELD and not is_blocked(change) else SIGNS[change.action]


def shown_changes(plan: Plan, *, everything: bool = False) -> list[Change]:
    """The changes that a plan shows, in the order in which it does; `everything`: also what is only remembered."""
    order = list(SIGNS)
    return sorted(
        (change for change in plan.changes if everything or _is_told(change)),
        key=lambda change: order.index(change.action),
    )


def _is_told(change: Change) -> bool:
    """Whether there is something to do, to decide, or to know that the server cannot do."""
    impossible = any(item.cause is Cause.IMPOSSIBLE for item in change.fields)
    return bool(change.others) or impossible or change.action not in _QUIET


def drift_rows(plan: Plan, look: Look, unmanaged: Unmanaged | None = None, layout: Layout = AUTOMATIC) -> Iterator[Row]:
    """Only what differs from what was applied, what nobody manages if that is asked for, and a summary of its own."""
    plan = add_words(plan)
    yield from _header(plan, look)
    outside = [as_drift(change, plan.selection) for change in plan.changes if is_outside(change)]
    others = [change for change in plan.changes if change.action in (Action.ORPHAN, Action.UNREAD)]
    others += duplicates_of(plan)
    again = layout.again or [plan.selection.command("drift")]
    yield from change_rows([*outside, *others], look, layout.compact, again)
    if not outside and not others and plan.complete:
        yield ()
        yield from sentence(nothing_differs(plan), 0, look)
    if unmanaged is not None:
        yield from unmanaged_rows(unmanaged, look)
    yield from _doubts(plan, look, sentences(plan.ignored, whole=True))
    yield ()
    yield (Piece(drift_summary(plan), Tone.STRONG),)


def change_rows(changes: Sequence[Change], look: Look, compact: bool | None, again: Sequence[Command]) -> Iterator[Row]:
    """Yield the changes one after the other; equal ones are one, and advice that repeats is given once."""
    changes = changes if look.verbose else fold_advice(changes)
    groups = group_changes(changes, whole=look.verbose)
    if compact or (compact is None and not look.verbose and len(groups) > COMPACT_ABOVE):
        yield from compact_rows(changes, look)
        yield from _more_commands("A row for each assistant. Each change in full: ", "--no-compact", again, look)
        return
    hints: set[tuple[str, ...]] = set()
    for group in groups:
        yield ()
        yield from _group(group, look, hints)
    if any(len(group.items) > NAMED and not is_listed(group.first) for group in groups):
        yield from _more_commands(f"Of each list {NAMED} names are shown. All of them: ", "--compact", again, look)


def _more_commands(said: str, flag: str, again: Sequence[Command], look: Look) -> Iterator[Row]:
    """Yield what is left out, and the first of the commands, which shows it with a flag more."""
    for command in again[:1]:
        yield ()
        yield from sentence(Message(said, command.with_words(flag)), 2, look, Tone.FAINT)


def _header(plan: Plan, look: Look) -> Iterator[Row]:
    yield from target_heading(plan, look)
    if plan.snapshot:
        yield from sentence(old(plan), 2, look, Tone.WARNING, "! ")
    if flags := flags_of(plan.options, look):
        yield from hanging((Piece("  with "),), [Piece(flags, Tone.FAINT)], look.width)


def target_heading(plan: Plan, look: Look) -> Iterator[Row]:
    """Yield the target that an answer is about."""
    to = plan.identity
    is_local = to.base_url == LOCAL
    name = visible(to.target if is_local else f"{to.project}/{to.target}", look)
    where = "the embedded server" if is_local else f"{visible(to.protocol, look)} at {visible(to.base_url, look)}"
    yield from hanging((), [Piece(f"Target {name}", Tone.STRONG), Piece(f": {where}", Tone.FAINT)], look.width, 2)


def nothing_to_do(plan: Plan) -> str:
    """Return the sentence for a plan without a change."""
    what = "everything" if plan.limit is None else "what it is limited to"
    return f"Nothing to do: {except_ignored(plan.ignored)}{what} is as the files say."


def nothing_differs(plan: Plan) -> str:
    """Return the sentence for a drift report without a difference."""
    return f"{except_ignored(plan.ignored)}nothing differs from what was applied.".capitalize()


def old(plan: Plan) -> str:
    """What a reader of a plan made from a snapshot must know first."""
    return f"{as_of(plan)} It may have changed since: nothing was read now, and nothing of this can be applied."


def flags_of(options: Options, look: Look) -> str:
    """The flags that made this plan another one than the plain command makes."""
    found = [f"--on-drift {visible(options.on_drift, look)}"] if options.on_drift != "refuse" else []
    found += ["--prune"] if options.prune else []
    found += ["--stamp"] if options.stamp_all else []
    found += [f"--var {visible(name, look)}={value(options.vars[name], look, 30)}" for name in sorted(options.vars)]
    found += [f"--ack {visible(item, look)}" for item in options.accepted_ids]
    return " ".join(found)


def _group(group: ChangeGroup, look: Look, hints: set[tuple[str, ...]]) -> Iterator[Row]:
    """Yield a heading, what changes, whom it is about, and how to go on."""
    change, names = group.first, [change.name for change in group.items]
    yield from _heading(group, look)
    if change.action not in (Action.DELETE, Action.ORPHAN, Action.FORGET, Action.UNREAD):
        yield from field_rows([*fields_of(group, whole=look.verbose)], look)
    if len(names) > 1:
        yield from _members(group, look)
    for note in notes(change, is_named=len(group.items) > 1):
        yield from sentence(note, 4, look, Tone.FAINT)
    hint = group_hint(group.items)
    advice = texts_of(hint) if change.action is Action.DRIFT else (hint,)
    if hint and advice not in hints:
        hints.add(advice)
        yield from sentence(hint, 4, look, Tone.HINT, f"{look.arrow} ")


def _heading(group: ChangeGroup, look: Look) -> Iterator[Row]:
    """`~ support/triage  modify: the file changed` and the id at the right end, or below where it does not fit."""
    change, number = group.first, len(group.items)
    sign = sign_of(change)
    name = shortened(visible(change.name, look) if number == 1 else many(number, "assistant"), look.width - 4, look)
    first = (Piece(f"{sign.symbol} ", sign.tone), Piece(name, sign.tone), Piece(f"  {sign.word}: "))
    lead = sum(columns(piece.text) for piece in first)
    words = spoken(group_message(group), look)
    if lead > look.width // 2 and lead + sum(columns(piece.text) for piece in words) > look.width:
        rows: list[Row] = [first[:2], *hanging((Piece("    "),), [Piece(f"{sign.word}: "), *words], look.width)]
    else:
        rows = list(hanging(first, words, look.width, min(lead, 4)))
    yield from with_id(rows, change.id if number == 1 else "", look)


def with_id(rows: list[Row], live_id: str, look: Look) -> Iterator[Row]:
    """Yield rows with an id at the right end of the last one, or on a row of its own below."""
    live_id = shortened(visible(live_id, look), look.width - 4, look)
    free = look.width - sum(columns(piece.text) for piece in rows[-1])
    if not live_id:
        yield from rows
    elif free >= columns(live_id) + 2:
        yield from rows[:-1]
        yield (*rows[-1], Piece(" " * (free - columns(live_id))), Piece(live_id, Tone.FAINT))
    else:
        yield from rows
        yield (Piece(" " * (look.width - columns(live_id))), Piece(live_id, Tone.FAINT))


def _members(group: ChangeGroup, look: Look) -> Iterator[Row]:
    """Yield the names of a group: a row for each with its id where that must be known, else some and their number."""
    if not is_listed(group.first):
        yield from name_rows([change.name for change in group.items], look)
        return
    for change in group.items:
        beside = f"  {quoted(known_as(change))}" if known_as(change) else ""
        words = Piece(visible(f"{change.name}{beside}", look))
        yield from with_id(list(hanging((Piece("    "),), [words], look.width, 6)), change.id, look)


def name_rows(names: Sequence[str], look: Look) -> Iterator[Row]:
    """Yield names on as few rows as they need, and how many are left out."""
    yield from hanging((Piece("    "),), [Piece(visible(list_names(names), look), Tone.FAINT)], look.width)


def list_names(names: Sequence[str]) -> str:
    """Return the first names of a list, and how many are left out."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")


_FIRST = (Action.DELETE, Action.HELD, Action.DRIFT, Action.UNREAD, Action.ORPHAN)
"""What comes first where each assistant has one row; behind it the order is that of `SIGNS`."""

_USUAL = frozenset({Reason.NEW, Reason.EDITED})
"""Reasons that the word of an action says."""


def compact_rows(changes: Sequence[Change], look: Look) -> Iterator[Row]:
    """Yield a row for each assistant, deletes first, then what waits for a decision; below stands why, and what to do.

    Nothing is cut of a row about what is destroyed or waits for a decision.
    """
    order = [*_FIRST, *(action for action in SIGNS if action not in _FIRST)]
    ordered = sorted(changes, key=lambda change: (not is_listed(change), order.index(change.action)))
    wide = min(max((columns(visible(change.name, look)) for change in changes), default=0), look.width // 2)
    yield ()
    for change in ordered:
        yield from _compact(change, wide, look)
    told = [change for change in ordered if any(_sentences_below(change))]
    for group in group_equal(told, _key_below, 1):
        yield ()
        yield from _below(group, look)


def _sentences_below(change: Change) -> tuple[str, ...]:
    """Return the sentences on a change that its one row has no room for."""
    return "" if change.reason in _USUAL else change.message, *notes(change, is_named=True), change.hint


def _key_below(change: Change) -> Hashable:
    """Return what is shown below of an assistant; its advice without the commands, which are shown of the first one."""
    *said, hint = _sentences_below(change)
    return sign_of(change).word, *(advice_key(text, (change.name, change.id)) for text in said), texts_of(hint)


def _below(changes: Sequence[Change], look: Look) -> Iterator[Row]:
    """Yield the sentences that are the same for several assistants, with their names."""
    sign, (message, *beside, hint) = sign_of(changes[0]), _sentences_below(changes[0])
    names = [change.name for change in changes]
    yield from hanging(
        (Piece(f"  {sign.word}: ", sign.tone),), [Piece(visible(list_names(names), look))], look.width, 4
    )
    for text in filter(None, (message, *beside)):
        yield from sentence(text, 4, look, Tone.FAINT)
    if hint:
        yield from sentence(group_hint(changes), 4, look, Tone.HINT, f"{look.arrow} ")


def _compact(change: Change, wide: int, look: Look) -> Iterator[Row]:
    """Yield the row of one assistant; what is destroyed or waits for a decision is never cut."""
    sign, name = sign_of(change), visible(change.name, look)
    beside = f"  {quoted(known_as(change))}" if known_as(change) else ""
    lead = f"{sign.symbol} {name}{' ' * (wide - columns(name))}"
    what = summarize_change(change, look)
    words = visible(f"  {sign.word}{': ' if what else ''}{what}{beside}", look)
    if is_listed(change):
        yield from with_id(list(hanging((Piece(lead, sign.tone),), [Piece(words)], look.width, 4)), change.id, look)
        return
    lead = shortened(lead, look.width // 2 + 2, look)
    yield (Piece(lead, sign.tone), Piece(shortened(words, look.width - columns(lead), look)))


def summarize_change(change: Change, look: Look) -> str:
    """Return what happens to one assistant in a few words: its fields, by name alone where its id takes the room."""
    return ", ".join(item.path if is_listed(change) else summarize(item, look) for item in brief_fields(change))


def _said_of(item: Diagnostic) -> Hashable:
    """Return what is shown of a problem, without its place."""
    return item.severity, item.code, item.message, item.hint


def _doubts(plan: Plan, look: Look, ignored: Sequence[str]) -> Iterator[Row]:
    """What is left alone by the files' own word, and what is known to be wrong or missing in the plan itself."""
    for number, words in enumerate(ignored):
        if not number:
            yield ()
        yield from sentence(words, 2, look, Tone.FAINT)
    if note := stamp_note(plan):
        yield ()
        yield from sentence(note, 2, look, Tone.FAINT)
    smallest = len(plan.diagnostics) + 1 if look.verbose else SMALLEST
    for same in group_equal(in_order(plan.diagnostics), _said_of, smallest):
        yield ()
        yield from diagnostic_rows(same[0], look)
        if len(same) > 1:
            places = list_names([str(item.position or dotted(item.path)) for item in same[1:]])
            yield from sentence(f"The same at {places}", 2, look, Tone.FAINT)
    if not plan.complete:
        yield ()
        words = "Not everything could be read, so nothing is created or deleted. Try again when the target answers."
        yield from sentence(words, 2, look, Tone.UNREAD, "? ")


def unmanaged_rows(unmanaged: Unmanaged, look: Look) -> Iterator[Row]:
    """Both lists, each under a line that says what it is; nothing where there is nothing."""
    if unmanaged.undeclared:
        yield ()
        yield from sentence("Not declared by any file, and not at their defaults:", 0, look)
    for name, found in unmanaged.undeclared.items():
        yield (Piece(f"  {visible(name, look)}", Tone.STRONG),)
        for field, entry in found.items():
            lead = (Piece(f"    {visible(field, look)}: "),)
            yield from hanging(lead, [Piece(value(entry, look, look.width // 2), Tone.FAINT)], look.width, 6)
    if unmanaged.strangers:
        yield ()
        yield from sentence(f"{many(len(unmanaged.strangers), 'assistant')} live that nobody manages:", 0, look)
    for stranger in unmanaged.strangers:
        shown = f"  {visible(stranger.display_name, look)}" if stranger.display_name else ""
        yield (Piece(f"  {visible(stranger.id, look)}"), Piece(shown, Tone.FAINT))


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
_GOOD = {Result.ALREADY: "was in place already", Result.ADOPTED: "was adopted", Result.RECORDED: "was recorded",
         Result.FORGOTTEN: "was forgotten"}  # fmt: skip
_UNTOLD = frozenset({Result.RECORDED, Result.FORGOTTEN})
_WELL = frozenset({Result.DONE, *_GOOD})


def ended(outcome: Outcome, number: int = 1) -> str:
    """The words that finish a sentence begun with the assistant's name, or with a number of assistants."""
    words = _ended(outcome)
    return words if number == 1 else words.replace("was ", "were ", 1).replace(": it ", ": they ")


def _ended(outcome: Outcome) -> str:
    if outcome.result is Result.DONE:
        return f"was {_DONE.get(outcome.action, 'left as it is')}"
    if outcome.result in _GOOD:
        return _GOOD[outcome.result]
    verb = _DONE.get(outcome.action, "changed")
    return {
        Result.FAILED: f"could not be {verb}",
        Result.REFUSED: f"was not {verb}",
        Result.CHANGED: f"was not {verb}: it changed since the plan",
        Result.UNKNOWN: f"may or may not have been {verb}",
        Result.SKIPPED: f"was not {verb}",
    }[outcome.result]


def report_rows(report: Report, look: Look) -> Iterator[Row]:
    """Each outcome that a person wants to know of, equal ones as one, the problems, and the summary as the last row."""
    outcomes = [
        item for item in report.outcomes if item.result not in _UNTOLD or look.verbose or item.message or item.not_kept
    ]
    cut: set[bool] = set()
    for group in group_outcomes(outcomes):
        if look.verbose or (group.first.result in _WELL and len(group.items) <= COMPACT_ABOVE):
            for outcome in group.items:
                yield from _outcome(OutcomeGroup((outcome,)), look)
        else:
            yield from _outcome(group, look)
            cut |= {group.first.result in _WELL} if len(group.items) > NAMED else set()
    for way in _list_commands(report.plan, cut):
        yield ()
        yield from sentence(way, 2, look, Tone.FAINT)
    for problem in report.problems:
        yield ()
        yield from sentence(problem, 2, look, Tone.WARNING, "! ")
    if report.only_fresh:
        yield ()
        words = (
            f"{many(report.only_fresh, 'change')} came up after the plan was made and not sent. Plan again to see more."
        )
        yield from sentence(words, 2, look, Tone.FAINT)
    if look.verbose:
        yield ()
        words = f"{many(report.calls, 'request')} sent, {many(report.retries, 'repeat')}."
        yield (Piece(words, Tone.FAINT),)
    if report.outcomes or report.problems or report.only_fresh or look.verbose:
        yield ()
    yield (Piece(report_summary(report), Tone.STRONG),)


def _list_commands(plan: Plan, cut: Container[bool]) -> Iterator[Message]:
    """Yield what names all of lists that were cut: of those that ended well (True), and of what is still to be done."""
    if True in cut:
        yield Message("All names, with their ids: ", plan.selection.command("state", "list"))
    for command in plan_again(plan)[:1] if False in cut else ():
        yield Message("What is still to be done, with all names: ", command.with_words("--compact"))


def placed_message(group: OutcomeGroup) -> str:
    """Return the message of a group and where in the files its cause stands, that of the first one for example."""
    outcome = group.first
    if not outcome.position or not outcome.message:
        return outcome.message
    if all(item.position == outcome.position for item in group.items):
        return Message(f"{outcome.position}: ", outcome.message)
    return Message(outcome.message, f" (first at {outcome.position})")


def _outcome(group: OutcomeGroup, look: Look) -> Iterator[Row]:
    outcome, number = group.first, len(group.items)
    sign = SIGNS[outcome.action]
    symbol, tone = (sign.symbol, sign.tone) if outcome.result in _WELL else ("!", Tone.ERROR)
    name = shortened(visible(outcome.name, look), look.width // 2, look) if number == 1 else many(number, "assistant")
    words = ended(outcome, number) + (f" after {many(outcome.attempts, 'attempt')}" if outcome.attempts > 1 else "")
    row = (Piece(f"{symbol} ", tone), Piece(name, tone), Piece(f" {words}"))
    yield from with_id([row], outcome.id if number == 1 else "", look)
    if placed := placed_message(group):
        yield from sentence(placed, 4, look)
    if outcome.position is not None and outcome.position.text.strip():
        yield from source_rows(outcome.position, Tone.ERROR, look)
    if outcome.not_kept:
        words = f"The server did not keep {', '.join(outcome.not_kept)} as sent."
        yield from sentence(words, 4, look, Tone.WARNING)
    if outcome.others:
        yield from sentence(f"Others: {', '.join(outcome.others)}", 4, look)
    if number > 1:
        yield from name_rows([item.name for item in group.items], look)
    if hint := group_hint(group.items):
        yield from sentence(hint, 4, look, Tone.HINT, f"{look.arrow} ")


def plan(
    plan: Plan,
    code: Exit = Exit.OK,
    layout: Layout = AUTOMATIC,
    *,
    color: bool,
    width: int,
    verbose: bool = False,
    ascii_only: bool = False,
) -> str:
    """A plan; the last line is the summary.

    `verbose` folds nothing, shows each of what is equal, and lists what is only remembered.
    """
    return paint(plan_rows(plan, look_of(color, width, verbose, ascii_only), code, layout), color)


def drift(
    plan: Plan,
    unmanaged: Unmanaged | None = None,
    layout: Layout = AUTOMATIC,
    *,
    color: bool,
    width: int,
    verbose: bool = False,
    ascii_only: bool = False,
) -> str:
    """What differs from what was applied, out of a plan; the last line begins with `Drift:`."""
    return paint(drift_rows(plan, look_of(color, width, verbose, ascii_only), unmanaged, layout), color)


def report(
    report: Report, *, color: bool, width: int, verbose: bool = False, ascii_only: bool = False, headed: bool = True
) -> str:
    """What an apply did; the last line begins with `Applied:`. `headed`: the first one names the target."""
    look = look_of(color, width, verbose, ascii_only)
    heading = [*target_heading(report.plan, look), ()] if headed else []
    return paint([*heading, *report_rows(report, look)], color)
