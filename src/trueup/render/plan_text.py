"""A plan and a drift report for people: a heading for each assistant, its fields, and the line that sums it up.

Knows how changes are grouped and called; the fields are another file's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from trueup.core.command import Selection, texts_of
from trueup.core.errors import Exit
from trueup.core.plans.exits import is_blocked
from trueup.core.plans.ignored import sentences
from trueup.core.plans.outside import OUTSIDE
from trueup.core.plans.outside import is_outside as is_outside
from trueup.core.plans.plan import Action, Cause, Change, Options, Plan, Reason
from trueup.core.plans.summary import as_of, drift_summary, summary
from trueup.core.plans.unmanaged import Unmanaged
from trueup.core.plans.wording import add_words, quoted, say
from trueup.core.projects.project import LOCAL
from trueup.core.source import in_order
from trueup.render.field_rows import fields
from trueup.render.messages import diagnostic_rows
from trueup.render.shared import Shared, shared
from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.unmanaged_text import unmanaged_rows
from trueup.render.values import many, value
from trueup.render.visible import columns, hanging, sentence, shortened, spoken, visible

STAMPS = 5
"""Assistants that get nothing but the stamp and are listed one by one."""


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

_HINT_ONCE = frozenset({Action.DRIFT, Action.ORPHAN, Action.STAMP, Action.UNREAD})


def plan_rows(plan: Plan, look: Look, code: Exit = Exit.OK) -> Iterator[Row]:
    """Yield the whole plan; its last row is the summary, with the exit code."""
    plan = add_words(plan)
    yield from _header(plan, look)
    changes = shown_changes(plan, everything=look.verbose)
    yield from change_rows(changes, look)
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


def drift_rows(plan: Plan, look: Look, unmanaged: Unmanaged | None = None) -> Iterator[Row]:
    """Only what differs from what was applied, what nobody manages if that is asked for, and a summary of its own."""
    plan = add_words(plan)
    yield from _header(plan, look)
    outside = [as_drift(change, plan.selection) for change in plan.changes if is_outside(change)]
    others = [change for change in plan.changes if change.action in (Action.ORPHAN, Action.UNREAD)]
    yield from change_rows([*outside, *others], look)
    if not outside and not others and plan.complete:
        yield ()
        yield from sentence("Nothing differs from what was applied.", 0, look)
    if unmanaged is not None:
        yield from unmanaged_rows(unmanaged, look)
    yield from _doubts(plan, look, sentences(plan.ignored, whole=True))
    yield ()
    yield (Piece(drift_summary(plan), Tone.STRONG),)


_AS_DRIFT = {Reason.REVERTED: Reason.DRIFTED, Reason.RECREATED: Reason.DELETED_OUTSIDE}
"""What a target that reverts drift makes of a row → the row that `drift` reports."""


def as_drift(change: Change, selection: Selection) -> Change:
    """The change as news about live alone: what the file wants besides, and what will be done, is left out."""
    outside = tuple(item for item in change.fields if item.cause in OUTSIDE)
    reason = _AS_DRIFT.get(change.reason, change.reason)
    message, hint = change.message, change.hint
    if reason is not change.reason:
        message, hint = say(reason, change.name, selection=selection)
    return replace(
        change,
        action=Action.DRIFT,
        reason=reason,
        fields=outside,
        message=message,
        hint=hint,
        backup=False,
        adopted=False,
    )


def change_rows(changes: Sequence[Change], look: Look) -> Iterator[Row]:
    """The changes one after the other; many stamps are told as one, advice that repeats is given once."""
    common = shared([change for change in changes if change.action in (Action.MODIFY, Action.HELD)])
    stamps = [change for change in changes if change.action is Action.STAMP]
    hints: set[tuple[str, ...]] = set()
    for change in changes:
        if change.action is Action.STAMP and len(stamps) > STAMPS and not look.verbose:
            if change is stamps[0]:
                yield ()
                yield from _stamped(stamps, look)
            continue
        yield ()
        yield from _change(change, look, common, hints)


def _header(plan: Plan, look: Look) -> Iterator[Row]:
    to = plan.identity
    is_local = to.base_url == LOCAL
    name = visible(to.target if is_local else f"{to.project}/{to.target}", look)
    where = "the embedded server" if is_local else f"{visible(to.protocol, look)} at {visible(to.base_url, look)}"
    yield from hanging((), [Piece(f"Target {name}", Tone.STRONG), Piece(f": {where}", Tone.FAINT)], look.width, 2)
    if plan.snapshot:
        yield from sentence(old(plan), 2, look, Tone.WARNING, "! ")
    if flags := flags_of(plan.options, look):
        yield from hanging((Piece("  with "),), [Piece(flags, Tone.FAINT)], look.width)


def nothing_to_do(plan: Plan) -> str:
    """Return the sentence for a plan without a change."""
    what = "everything" if plan.limit is None else "what it is limited to"
    return f"Nothing to do: {what} is as the files say."


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


def _change(change: Change, look: Look, common: Shared, hints: set[tuple[str, ...]]) -> Iterator[Row]:
    yield from _heading(change, look)
    if change.action not in (Action.DELETE, Action.ORPHAN, Action.FORGET, Action.UNREAD):
        yield from fields(change, look, common)
    for note in notes(change):
        yield from sentence(note, 4, look, Tone.FAINT)
    advice = texts_of(change.hint) if change.action is Action.DRIFT else (change.hint,)
    known = advice in hints and change.action in _HINT_ONCE
    if change.hint and not known:
        hints.add(advice)
        yield from sentence(change.hint, 4, look, Tone.HINT, f"{look.arrow} ")


def _heading(change: Change, look: Look) -> Iterator[Row]:
    """`~ support/triage  modify: the file changed` and the id at the right end, or below where it does not fit."""
    sign = sign_of(change)
    name = shortened(visible(change.name, look), look.width - 4, look)
    first = (Piece(f"{sign.symbol} ", sign.tone), Piece(name, sign.tone), Piece(f"  {sign.word}: "))
    lead = sum(columns(piece.text) for piece in first)
    words = spoken(change.message, look)
    if lead > look.width // 2 and lead + sum(columns(piece.text) for piece in words) > look.width:
        rows: list[Row] = [first[:2], *hanging((Piece("    "),), [Piece(f"{sign.word}: "), *words], look.width)]
    else:
        rows = list(hanging(first, words, look.width, min(lead, 4)))
    yield from _with_id(rows, change, look)


def _with_id(rows: list[Row], change: Change, look: Look) -> Iterator[Row]:
    live_id = shortened(visible(change.id, look), look.width - 4, look)
    free = look.width - sum(columns(piece.text) for piece in rows[-1])
    if not live_id:
        yield from rows
    elif free >= columns(live_id) + 2:
        yield from rows[:-1]
        yield (*rows[-1], Piece(" " * (free - columns(live_id))), Piece(live_id, Tone.FAINT))
    else:
        yield from rows
        yield (Piece(" " * (look.width - columns(live_id))), Piece(live_id, Tone.FAINT))


def notes(change: Change) -> Iterable[str]:
    """What a reader should know beside the fields, a sentence each."""
    if change.adopted and change.action is not Action.ADOPT:
        yield "Adopted by its stamp first."
    if change.moved_from and change.reason is not Reason.MOVED:
        yield f"Renamed from {change.moved_from}."
    if change.recreate and change.reason is not Reason.RECREATED:
        yield "It is created again under a new id."
    if change.display_name and change.action in (Action.DELETE, Action.ORPHAN):
        yield f"Its display name is {quoted(change.display_name)}."
    yield from change.remarks
    if change.backup:
        yield "The live object is kept in .trueup/backup/ first."


def _stamped(stamps: Sequence[Change], look: Look) -> Iterator[Row]:
    """Many writes of the stamp alone as one block."""
    sign = SIGNS[Action.STAMP]
    first = (Piece(f"{sign.symbol} ", sign.tone), Piece(many(len(stamps), "assistant"), sign.tone))
    yield from hanging(first, [Piece(f"  {sign.word}: nothing else of them changes")], look.width, 4)
    names = ", ".join(visible(change.name, look) for change in stamps[:12])
    more = f" and {len(stamps) - 12:,} more (-v names them all)" if len(stamps) > 12 else ""
    yield from hanging((Piece("    "),), [Piece(names + more, Tone.FAINT)], look.width)


def _doubts(plan: Plan, look: Look, ignored: Sequence[str]) -> Iterator[Row]:
    """What is left alone by the files' own word, and what is known to be wrong or missing in the plan itself."""
    for number, words in enumerate(ignored):
        if not number:
            yield ()
        yield from sentence(words, 2, look, Tone.FAINT)
    for item in in_order(plan.diagnostics):
        yield ()
        yield from diagnostic_rows(item, look)
    if not plan.complete:
        yield ()
        words = "Not everything could be read, so nothing is created or deleted. Try again when the target answers."
        yield from sentence(words, 2, look, Tone.UNREAD, "? ")
