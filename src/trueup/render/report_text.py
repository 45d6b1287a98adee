"""What an apply did, for people: a sentence for each assistant, what failed and why, and a line that sums it up.

Knows no diff: the plan that was confirmed has shown it.
"""

from __future__ import annotations

from collections.abc import Iterator

from trueup.core.command import Message
from trueup.core.plans.plan import Action
from trueup.core.plans.report import Outcome, Report, Result
from trueup.core.plans.summary import report_summary
from trueup.render.messages import source_rows
from trueup.render.plan_text import SIGNS
from trueup.render.style import Look, Piece, Row, Tone
from trueup.render.values import many
from trueup.render.visible import columns, sentence, shortened, visible

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


def ended(outcome: Outcome) -> str:
    """The words that finish a sentence begun with the assistant's name."""
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
    """Each outcome that a person wants to know of, the problems, and the summary as the last row."""
    for outcome in report.outcomes:
        if outcome.result not in _QUIET or look.verbose or outcome.message or outcome.not_kept:
            yield from _outcome(outcome, look)
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


def _outcome(outcome: Outcome, look: Look) -> Iterator[Row]:
    well = outcome.result is Result.DONE or outcome.result in _GOOD
    sign = SIGNS[outcome.action]
    symbol, tone = (sign.symbol, sign.tone) if well else ("!", Tone.ERROR)
    name = shortened(visible(outcome.name, look), look.width // 2, look)
    words = ended(outcome) + (f" after {many(outcome.attempts, 'attempt')}" if outcome.attempts > 1 else "")
    row = (Piece(f"{symbol} ", tone), Piece(name, tone), Piece(f" {words}"))
    live_id = shortened(visible(outcome.id, look), look.width - 4, look)
    free = look.width - sum(columns(piece.text) for piece in row) - columns(live_id)
    if live_id and free >= 2:
        row = (*row, Piece(" " * free), Piece(live_id, Tone.FAINT))  # type: ignore[assignment]
    yield row
    if live_id and free < 2:
        yield (Piece(" " * (look.width - columns(live_id))), Piece(live_id, Tone.FAINT))
    yield from _details(outcome, look)


def _details(outcome: Outcome, look: Look) -> Iterator[Row]:
    if outcome.message:
        at = f"{outcome.position}: " if outcome.position else ""
        yield from sentence(Message(at, outcome.message), 4, look)
    if outcome.position is not None and outcome.position.text.strip():
        yield from source_rows(outcome.position, Tone.ERROR, look)
    if outcome.not_kept:
        words = f"The server did not keep {', '.join(outcome.not_kept)} as sent."
        yield from sentence(words, 4, look, Tone.WARNING)
    if outcome.others:
        yield from sentence(f"Others: {', '.join(outcome.others)}", 4, look)
    if outcome.hint:
        yield from sentence(outcome.hint, 4, look, Tone.HINT, f"{look.arrow} ")
