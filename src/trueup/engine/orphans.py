"""The hint for an assistant that no file describes: how to delete it, how to let go of it. Decides nothing."""

from __future__ import annotations

from trueup.core.command import Message, join_messages
from trueup.core.plans.judge import Facts, Verdict
from trueup.core.plans.wording import KEEP_ORPHAN, KEEP_PROTECTED, MANAGE_LEFT_OUT, Advice
from trueup.engine.facts import Wish


def orphan_hint(fact: Facts, verdict: Verdict, wish: Wish) -> Message:
    """Return how to go on with an orphan; each command in it does what it is printed for."""
    live = verdict.live
    advice = Advice(fact.name, (live.id,) if live is not None else (), wish.target.selection)
    if _is_protected(fact, verdict):
        delete = advice.fill(KEEP_PROTECTED)
    elif verdict.record is None:
        go = advice.destroy if wish.options.destroy else advice.prune
        delete = Message("To delete it: ", advice.rebuild, ", then ", go, ".")
    elif fact.renamed_to:
        delete = Message("If not, and it is to go: ", advice.prune_beside, ".")
    else:
        delete = Message("To delete it: ", advice.prune, ".")
    keep = "" if fact.file is not None else advice.fill(MANAGE_LEFT_OUT if fact.name in wish.names else KEEP_ORPHAN)
    return join_messages((_why_kept(fact, verdict, wish), delete, keep))


def _why_kept(fact: Facts, verdict: Verdict, wish: Wish) -> str:
    """Return the sentence that says that it is kept, and what it may be."""
    if verdict.record is None:
        return "Kept: state does not record it. If another checkout created it, pull its files and state."
    if fact.renamed_to:
        return f"Kept, for it may be {', '.join(fact.renamed_to)} now."
    if wish.target.state == "stamps" and fact.name not in wish.names:
        return "Kept. If another checkout created it, pull its files."
    return "Kept."


def _is_protected(fact: Facts, verdict: Verdict) -> bool:
    """Whether a delete of it is refused."""
    if fact.protect is not None:
        return fact.protect
    stamp = verdict.live.stamp if verdict.live is not None else None
    return bool(verdict.record and verdict.record.protect) or bool(stamp and stamp.protect)
