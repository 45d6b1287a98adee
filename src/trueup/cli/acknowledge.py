"""Acknowledging a plan: the command line that does it, and what is said of an --ack that acknowledges nothing.

Knows flags and a plan's digest; what makes a guard ask is the core's.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup.cli.session import Session
    from trueup.core.plans.plan import Plan


def line(session: Session, plan: Plan, words: Sequence[str] = (), *, file: str = "", is_page: bool = False) -> str:
    """The line that applies this very plan: its flags, the NAMEs or the plan file, and the digest's beginning.

    On a page, which is read elsewhere and later, it names no folder of this machine: it is for the project's root.
    """
    from trueup.core.plans.guard import ACK_DIGITS
    from trueup.core.plans.plan_codec import digest

    flags = session.flags
    parts = [
        "trueup",
        "destroy" if plan.options.destroy else "apply",
        *([_plan_file(file, is_page=is_page)] if file else words),
    ]
    parts += ["-C", flags.chdir] if flags.chdir != "." and not is_page else []
    parts += ["-t", flags.target] if flags.target and not file else []  # a plan file knows its target
    parts += [part for name, text in flags.vars.items() for part in ("--var", f"{name}={text}")]
    parts += ["--on-drift", flags.on_drift] if flags.on_drift is not None else []
    parts += [] if flags.prune is None else ["--prune" if flags.prune else "--no-prune"]
    parts += ["--stamp"] if flags.stamp else []
    parts += ["--yes"] if flags.yes else []
    acks = [*plan.options.accepted_ids, digest(plan)[:ACK_DIGITS]]
    return shlex.join([*parts, *(part for ack in acks for part in ("--ack", ack))])


def _plan_file(file: str, *, is_page: bool) -> str:
    """A plan file as apply takes it for one, on a page without a folder of this machine."""
    from trueup.edge.plan_file import is_path, is_plan_named

    name = PurePath(file).name if is_page and PurePath(file).is_absolute() else file
    return name if is_plan_named(name) or is_path(name) else f"./{name}"


def tell_idle(session: Session, plans: Sequence[Plan]) -> None:
    """Says on stderr which --ack is neither the beginning of a plan's digest nor the id of anything live."""
    from trueup.core.plans.guard import ACK_DIGITS, is_acknowledged
    from trueup.core.plans.plan_codec import digest

    used = {ack for plan in plans for ack in plan.options.accepted_ids}
    for ack in dict.fromkeys(session.flags.acks):
        if ack not in used and not any(is_acknowledged(digest(plan), (ack,)) for plan in plans):
            session.screen.say(
                f"--ack {ack} acknowledges nothing: it is neither the beginning of this plan's digest "
                f"({ACK_DIGITS} characters or more) nor the id of a live assistant."
            )
