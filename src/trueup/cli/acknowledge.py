"""Acknowledging a plan: the command line that does it, and what is said of an --ack that acknowledges nothing.

Knows flags and a plan's digest; what makes a guard ask is the core's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup.cli.session import Session
    from trueup.core.command import Command
    from trueup.core.plans.plan import Plan


def command_to_go_on(session: Session, plan: Plan, names: Sequence[str] = (), *, file: str = "") -> Command:
    """Return the command that applies this very plan: the NAMEs or the plan file, its flags, the digest's beginning."""
    from trueup.core.plans.exits import ACK_DIGITS
    from trueup.core.plans.plan_codec import digest

    flags, selection = session.flags, session.target.selection
    if file:
        selection = replace(selection, target="")  # a plan file knows its target
    return selection.command(
        "destroy" if plan.options.destroy else "apply",
        *([_plan_file(file)] if file else names),
        on_drift=flags.on_drift or "",
        prune=flags.prune is True,
        no_prune=flags.prune is False,
        stamp=flags.stamp,
        yes=flags.yes,
        ack=(*plan.options.accepted_ids, digest(plan)[:ACK_DIGITS]),
    )


def _plan_file(file: str) -> str:
    """A plan file as apply takes it for one."""
    from trueup.edge.artifacts import is_path, is_plan_named

    return file if is_plan_named(file) or is_path(file) else f"./{file}"


def tell_idle(session: Session, plans: Sequence[Plan]) -> None:
    """Says on stderr which --ack is neither the beginning of a plan's digest nor the id of anything live."""
    from trueup.core.plans.exits import ACK_DIGITS, is_acknowledged
    from trueup.core.plans.plan_codec import digest

    used = {ack for plan in plans for ack in plan.options.accepted_ids}
    for ack in dict.fromkeys(session.flags.acks):
        if ack not in used and not any(is_acknowledged(digest(plan), (ack,)) for plan in plans):
            session.screen.say(
                f"--ack {ack} acknowledges nothing: it is neither the beginning of this plan's digest "
                f"({ACK_DIGITS} characters or more) nor the id of a live assistant."
            )
