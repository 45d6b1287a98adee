"""Answers as text, the way the command line has them written."""

from __future__ import annotations

from typing import Any

from trueup.core.errors import Exit
from trueup.core.plans.live import Unmanaged
from trueup.core.plans.plan import Plan
from trueup.core.plans.report import Report
from trueup.render import pages
from trueup.render.pages import AUTOMATIC, Detail
from trueup.render.terminal.text import write_page


def plan(plan: Plan, code: Exit = Exit.OK, detail: Detail = AUTOMATIC, *, verbose: bool = False, **look: Any) -> str:
    """Return a plan as text."""
    return write_page(pages.plan_page(plan, (), code, _in_terminal(detail, verbose)), verbose=verbose, **look)


def drift(plan: Plan, unmanaged: Unmanaged | None = None, *, verbose: bool = False, **look: Any) -> str:
    """Return a drift report as text."""
    return write_page(pages.drift_page(plan, unmanaged, _in_terminal(AUTOMATIC, verbose)), verbose=verbose, **look)


def report(report: Report, *, verbose: bool = False, **look: Any) -> str:
    """Return what an apply did as text."""
    return write_page(pages.report_page(report, _in_terminal(AUTOMATIC, verbose)), verbose=verbose, **look)


def _in_terminal(detail: Detail, verbose: bool) -> Detail:
    return detail._replace(whole=verbose, in_terminal=True)
