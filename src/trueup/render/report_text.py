"""What an apply did, for people: a sentence for each assistant, what failed and why, and a line that sums it up.

Knows no diff: the plan that was confirmed has shown it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from trueup.core.command import Message
from trueup.core.plans.plan import Action, Plan
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.plans.summary import report_summary
from trueup.core.plans.wording import plan_again
from trueup.render.grouping import COMPACT_ABOVE, OutcomeGroup, group_hint, group_outcomes
from trueup.render.messages import source_rows
from trueup.render.plan_text import NAMED, SIGNS, name_rows, with_id
from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.values import many
from trueup.render.visible import sentence, shortened, visible

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
_QUIET = frozenset({Result.RECORDED, Result.FORGOTTEN})
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
        item for item in report.outcomes if item.result not in _QUIET or look.verbose or item.message or item.not_kept
    ]
    cut: set[bool] = set()
    for group in group_outcomes(outcomes):
        if look.verbose or (group.first.result in _WELL and len(group.items) <= COMPACT_ABOVE):
            for outcome in group.items:
                yield from _outcome(OutcomeGroup((outcome,)), look)
        else:
            yield from _outcome(group, look)
            cut |= {group.first.result in _WELL} if len(group.items) > NAMED else set()
    for way in _more_commands(report.plan, cut):
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


def _more_commands(plan: Plan, cut: Container[bool]) -> Iterator[Message]:
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
