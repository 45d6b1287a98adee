"""What is said of renames that are blocked: who was who, and the lines for `moved` to paste. Decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from trueup.core.command import Message, Selection
from trueup.core.plans.judge import Facts, Verdict
from trueup.core.plans.plan import Action, Reason
from trueup.core.plans.wording import yaml_word

Moves = Mapping[str, str]
"""New names to the old ones that they alone may have had: several are one mapping to paste, shown with the first."""


def likely_moves(facts: Mapping[str, Facts], verdicts: Mapping[str, Verdict]) -> Moves:
    """Return the likely renames of which both sides are sure; none where there is only one, which has its own line."""
    likely = {
        name: verdict.others[0]
        for name, verdict in verdicts.items()
        if verdict.reason is Reason.RENAME and facts[name].file is not None and len(verdict.others) == 1
    }
    olds = Counter(likely.values())
    sure = {new: old for new, old in likely.items() if olds[old] == 1}
    return sure if len(sure) > 1 else {}


def rename_words(fact: Facts, verdict: Verdict, selection: Selection, moves: Moves) -> tuple[str, str]:
    """The message and the hint of a declared rename that cannot be, and of either side of a likely one."""
    live = [verdict.live.id] if verdict.live else []
    if fact.moved_onto and fact.file is None:
        new, live_id = fact.moved_onto
        return (
            f"`moved` in trueup.yaml makes it {new}, and state records another assistant as {new} ({live_id}): "
            "nothing is moved",
            Message(
                f"Take `{yaml_word(fact.name)}: {yaml_word(new)}` out of `moved`: then {fact.name} is one that no file "
                "describes. To delete it then: ",
                selection.command("apply", fact.name, prune=True),
            ),
        )
    others = ", ".join(verdict.others)
    if verdict.action is Action.HELD and fact.file is not None:
        again = selection.command("apply", fact.name, ack=fact.rename_ids)
        return (
            f"has the display name or the instructions of {others}, which no file describes any more",
            Message(_how_to_move(fact.name, verdict.others[0], moves), "If it is a new one: ", again),
        )
    return (
        f"looks as if it was renamed to {others}",
        Message(
            f"If it was, {_where_moved(verdict.others[0], fact.name, moves)} If not: ",
            selection.command("apply", fact.name, prune=True, ack=live),
        ),
    )


def _how_to_move(new: str, old: str, moves: Moves) -> str:
    """The line of a rename to paste, or where it stands in the one mapping of several."""
    if new not in moves:
        return f"If it was renamed, {_line(old, new)} "
    first = next(iter(moves))
    if new != first:
        return f"If it was renamed: its line stands with {first}'s. "
    lines = "".join(f"\n  {yaml_word(before)}: {yaml_word(after)}" for after, before in moves.items())
    return f"If they were renamed, write into trueup.yaml:\nmoved:{lines}\n"


def _where_moved(new: str, old: str, moves: Moves) -> str:
    """The line of a rename to paste, or with whose new name it stands."""
    return f"its line stands with {next(iter(moves))}'s." if new in moves else _line(old, new)


def _line(old: str, new: str) -> str:
    return f"write into trueup.yaml: `moved: {{{yaml_word(old)}: {yaml_word(new)}}}`."
