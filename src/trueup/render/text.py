"""The text format: every answer of Trueup as rows for a terminal or a pipe. Returns strings and prints nothing.

`width` is in columns. Values from outside are shown safely; colour is only ever added to what words or signs say too.
"""

from __future__ import annotations

from collections.abc import Sequence

from trueup.core.acceptance.accepted import Accepted
from trueup.core.errors import Exit
from trueup.core.memory.capabilities import Capabilities, Difference
from trueup.core.plans.plan import Plan
from trueup.core.plans.report import Report
from trueup.core.plans.unmanaged import Unmanaged
from trueup.core.plans.why import Why
from trueup.render.accept_text import accept_rows
from trueup.render.plan_text import AUTOMATIC, Layout, drift_rows, plan_rows, target_heading
from trueup.render.probe_text import probe_rows
from trueup.render.report_text import report_rows
from trueup.render.style import look_of, paint
from trueup.render.targets_text import dialect_rows, target_rows
from trueup.render.why_text import why_rows
from trueup.wire.described import Described, Table


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


def why(why: Why, *, color: bool, width: int, verbose: bool = False, ascii_only: bool = False) -> str:
    """Why each field is as it is."""
    return paint(why_rows(why, look_of(color, width, verbose, ascii_only)), color)


def accept(accepted: Accepted, *, color: bool, width: int, ascii_only: bool = False) -> str:
    """What was taken into which file, and what was not."""
    return paint(accept_rows(accepted, look_of(color, width, ascii_only=ascii_only)), color)


def targets(
    targets: Sequence[Described],
    default: str,
    *,
    color: bool,
    width: int,
    verbose: bool = False,
    ascii_only: bool = False,
) -> str:
    """The targets of a project."""
    return paint(target_rows(targets, default, look_of(color, width, verbose, ascii_only)), color)


def probe(
    found: Capabilities,
    changed: Sequence[Difference],
    file: str,
    *,
    color: bool,
    width: int,
    ascii_only: bool = False,
) -> str:
    """What a probe found out; the last line begins with `Probe:`."""
    return paint(probe_rows(found, changed, file, look_of(color, width, ascii_only=ascii_only)), color)


def dialects(
    tables: Sequence[Table], *, color: bool, width: int, verbose: bool = False, ascii_only: bool = False
) -> str:
    """What each dialect of every protocol holds."""
    return paint(dialect_rows(tables, look_of(color, width, verbose, ascii_only)), color)
