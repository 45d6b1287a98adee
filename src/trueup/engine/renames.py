"""What is said of renames that are blocked: who was who, and the lines for `moved` to paste. Decides nothing."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from trueup.core.plans.judge import Facts, Verdict
from trueup.core.plans.plan import Action, Change, Reason

_PLAIN = re.compile(r"[A-Za-z_][\w./-]*(?: [\w./-]+)*\Z", re.ASCII)
_LINE = "write into trueup.yaml: `moved: {{{old}: {new}}}`."


def rename_words(fact: Facts, verdict: Verdict) -> tuple[str, str]:
    """The message and the hint of a declared rename that cannot be, and of either side of a likely one."""
    if fact.moved_onto and fact.file is None:
        new, live_id = fact.moved_onto
        line = f"{_word(fact.name)}: {_word(new)}"
        return (
            f"`moved` in trueup.yaml makes it {new}, and state records another assistant as {new} ({live_id}): "
            "nothing is moved",
            f"Take `{line}` out of `moved`: then {fact.name} is one that no file describes, and --prune deletes it.",
        )
    others = ", ".join(verdict.others)
    if verdict.action is Action.HELD and fact.file is not None:
        line = _LINE.format(old=_word(verdict.others[0]), new=_word(fact.name))
        return (
            f"has the display name or the instructions of {others}, which no file describes any more",
            f"If it was renamed, {line} If it is a new one: --ack {' --ack '.join(fact.rename_ids)}",
        )
    line = _LINE.format(old=_word(fact.name), new=_word(verdict.others[0]))
    ack = verdict.live.id if verdict.live else "its id"
    return f"looks as if it was renamed to {others}", f"If it was, {line} If not: --ack {ack}"


def orphan_hint(fact: Facts, verdict: Verdict) -> str:
    """How to go on with an orphan that may live on under another name."""
    ack = verdict.live.id if verdict.live else "its id"
    return f"Kept, for it may be {', '.join(fact.renamed_to)} now. If not, and it is to go: --prune --ack {ack}"


def with_one_block(changes: Sequence[Change]) -> list[Change]:
    """Several renames, such as of a folder, with one mapping to paste instead of a line each."""
    likely = [item for item in changes if item.reason is Reason.RENAME and item.file and len(item.others) == 1]
    olds = Counter(change.others[0] for change in likely)
    sure = {change.name: change.others[0] for change in likely if olds[change.others[0]] == 1}
    if len(sure) < 2:
        return list(changes)
    first = next(iter(sure))
    lines = "".join(f"\n  {_word(old)}: {_word(new)}" for new, old in sure.items())
    made = []
    for change in changes:
        if change.name in sure:
            line = _LINE.format(old=_word(sure[change.name]), new=_word(change.name))
            words = (
                f"If they were renamed, write into trueup.yaml:\nmoved:{lines}\n"
                if change.name == first
                else f"If it was renamed: its line stands with {first}'s."
            )
            hint = change.hint.replace(f"If it was renamed, {line}", words).replace("\n If", "\nIf")
            made.append(replace(change, hint=hint))
        else:
            made.append(change)
    return made


def _word(name: str) -> str:
    """A name as YAML, in quotes where it needs them."""
    return name if _PLAIN.match(name) else json.dumps(name, ensure_ascii=False)
