"""Which renderer writes an answer in the format that was asked for. Knows formats and no command; prints nothing.

Text knows the terminal; every other format is one document that is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup.cli.output import Screen
    from trueup.core.command import Command
    from trueup.core.errors import Exit, TrueupError
    from trueup.core.plans.drift import History
    from trueup.core.plans.live import Unmanaged
    from trueup.core.plans.plan import Plan
    from trueup.core.plans.report import Report
    from trueup.core.source import Diagnostic
    from trueup.render.model import PageView
    from trueup.render.pages import Detail

PAGES = ("markdown", "html")
"""Formats that write the same page, each in its own markup."""


def write_plan(
    plan: Plan, screen: Screen, alerts: Sequence[str], code: Exit, again: Sequence[Command] = (),
    guard: Sequence[str] = (),
) -> str:  # fmt: skip
    """Write a plan and the exit code; `alerts` must be read first, where the format has a place for them.

    `again` are the commands that show the same plan, `guard` why an apply of it needs an acknowledgement.
    """
    if screen.format == "json":
        from trueup.render.records import json

        return json.plan(plan, code, guard)
    if screen.format == "github":
        from trueup.render.records import github

        return github.plan(plan, alerts, code, folder=screen.folder)
    from trueup.render import pages

    first = alerts if screen.format in PAGES else ()
    return _write_page(pages.plan_page(plan, first, code, _detail(screen, again)), screen)


def write_plan_text(plan: Plan, screen: Screen) -> str:
    """Write a plan for people, whatever format was asked for."""
    from trueup.render import pages
    from trueup.render.terminal import text

    detail = pages.Detail(screen.compact, (), screen.verbose > 0, in_terminal=True)
    return text.write_page(pages.plan_page(plan, detail=detail), verbose=screen.verbose > 0, **screen.look)


def write_drift(plan: Plan, unmanaged: Unmanaged | None, history: History, screen: Screen, again: Command) -> str:
    """Write a drift report; `again` is the command that shows the same."""
    if screen.format == "json":
        from trueup.render.records import json

        return json.drift(plan, unmanaged, history)
    if screen.format in ("github", "sarif", "junit"):
        from trueup.render.records import github, junit, sarif

        listed = {"github": github.drift, "sarif": sarif.drift, "junit": junit.drift}
        return listed[screen.format](plan, folder=screen.folder)
    from trueup.render import pages

    return _write_page(pages.drift_page(plan, unmanaged, _detail(screen, [again])), screen)


def write_report(report: Report, screen: Screen, *, headed: bool = True) -> str:
    """Write what an apply did; as text without its target where `headed` is false: the reader has just seen it."""
    if screen.format == "json":
        from trueup.render.records import json

        return json.report(report)
    if screen.format == "github":
        from trueup.render.records import github

        return github.report(report, folder=screen.folder)
    from trueup.render import pages

    return _write_page(pages.report_page(report, _detail(screen), with_blocked=headed), screen, is_headed=headed)


def write_diagnostics(found: Sequence[Diagnostic], checked: str, files: Iterable[str], screen: Screen) -> str:
    """Write the problems of files; `checked` is the sentence that sums up, `files` are all that were checked."""
    if screen.format == "json":
        from trueup.render.records import json

        return json.diagnostics(found, checked)
    if screen.format in PAGES:
        from trueup.render import pages

        return _write_page(pages.problems_page(found, checked), screen)
    if screen.format == "github":
        from trueup.render.records import github

        return github.diagnostics(found, checked, folder=screen.folder)
    if screen.format == "sarif":
        from trueup.render.records import sarif

        return sarif.diagnostics(found, folder=screen.folder)
    if screen.format == "junit":
        from trueup.render.records import junit

        return junit.diagnostics(found, files, checked, folder=screen.folder)
    from trueup.render.terminal import problems

    return problems.write_diagnostics(found, checked, **screen.look)


def write_error(error: TrueupError, screen: Screen) -> str:
    """Write an error as a document; empty where the format is text, which goes to stderr."""
    if screen.format == "json":
        from trueup.render.records import json

        return json.error(error)
    error = _strip_root(error, screen.root)
    if screen.format in PAGES:
        from trueup.render import pages

        return _write_page(pages.error_page(error), screen)
    if screen.format in ("github", "sarif", "junit"):
        from trueup.render.records import github, junit, sarif

        listed = {"github": github.error, "sarif": sarif.error, "junit": junit.error}
        return listed[screen.format](error, folder=screen.folder)
    return ""


def _detail(screen: Screen, again: Sequence[Command] = ()) -> Detail:
    """Return how much of each change is shown: a page is whole in itself, a terminal takes what was asked for."""
    from trueup.render.pages import Detail

    if screen.format in PAGES:
        return Detail(screen.compact, again)
    return Detail(screen.compact, again, screen.verbose > 0, in_terminal=True)


def _write_page(page: PageView, screen: Screen, *, is_headed: bool = True) -> str:
    """Write a page as text, or in one of the formats `PAGES`; `is_headed`: the text names the target."""
    if screen.format == "markdown":
        from trueup.render.markup import markdown

        return markdown.write_page(page)
    if screen.format == "html":
        from trueup.render.markup import html

        return html.write_page(page)
    from trueup.render.terminal import text

    return text.write_page(page, verbose=screen.verbose > 0, is_headed=is_headed, **screen.look)


def _strip_root(error: TrueupError, root: str) -> TrueupError:
    """Name an error's files from the project's root: who reads a page is not on the machine that wrote it."""
    from trueup.core.command import change_texts
    from trueup.core.errors import TrueupError

    folders = sorted({f"{root.rstrip('/')}/", f"{Path(root).absolute()}/", f"{Path(root).resolve()}/"} - {"./", "/"})

    def strip(text: str) -> str:
        for folder in reversed(folders):
            text = text.replace(folder, "")
        return text

    found = [
        replace(item, message=change_texts(item.message, strip), hint=change_texts(item.hint, strip))
        for item in error.diagnostics
    ]
    return TrueupError(change_texts(error.message, strip), change_texts(error.hint, strip), found)
