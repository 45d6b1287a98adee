"""The github format: workflow commands that put each finding beside the definition's line, and a line that sums up.

A runner obeys any line of a log that begins with two colons: nothing from outside begins a line here, and line breaks,
percent signs and separators are escaped as the runner unescapes them. It shows at most ten of a kind for each step, so
no more are written; the tenth then counts the rest. What destroys or decides something is among the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trueup.core.command import write_for_page
from trueup.core.errors import Exit, TrueupError
from trueup.core.plans.plan import Plan
from trueup.core.plans.report import Report
from trueup.core.plans.summary import drift_summary, report_summary, summary
from trueup.core.source import Diagnostic, Severity
from trueup.render import findings
from trueup.render.style import Look, defused, unrunnable
from trueup.render.values import many
from trueup.render.visible import visible
from trueup.render.weight import Rest, by_code, by_weight, chosen

LIMIT = 10
"""Annotations of one kind that a runner shows for a step."""

CODE = 60
"""Characters of a code that are told where findings are only counted."""

LONGEST = 4_000
"""Characters of one message; a runner takes more, a reader does not."""

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_LOOK = Look(color=False)


def plan(plan: Plan, alerts: Sequence[str] = (), code: Exit = Exit.OK, *, folder: str = "") -> str:
    """Return what a plan would do, and the exit code; `alerts` must be read first.

    `folder` is where the project lies within the repository.
    """
    first = [Diagnostic(Severity.WARNING, "guard", alert) for alert in alerts]
    return _written([*first, *findings.of_plan(plan)], folder, summary(plan, code), _title(plan))


def drift(plan: Plan, *, folder: str = "") -> str:
    """What differs from what was applied."""
    return _written(findings.of_drift(plan), folder, drift_summary(plan), _title(plan))


def report(report: Report, *, folder: str = "") -> str:
    """What an apply did."""
    return _written(findings.of_report(report), folder, report_summary(report), _title(report.plan))


def diagnostics(diagnostics: Sequence[Diagnostic], checked: str, *, folder: str = "") -> str:
    """Problems of files; `checked` is the sentence that sums up."""
    return _written(by_weight(diagnostics), folder, visible(checked, _LOOK), "Trueup")


def error(error: TrueupError, *, folder: str = "") -> str:
    """What ended a command: its problems, and itself as one more."""
    whole = Diagnostic(Severity.ERROR, "failed", error.message, hint=error.hint)
    return _written([*by_weight(error.diagnostics), whole], folder, "", "Trueup")


def _title(plan: Plan) -> str:
    return f"Trueup {plan.identity.project}/{plan.identity.target}"


def _written(found: Sequence[Diagnostic], folder: str, last: str, title: str) -> str:
    lines = [line for severity in Severity for line in _of_kind(found, severity, folder, title)]
    return "".join(f"{line}\n" for line in [*lines, *([defused(last)] if last else [])])


def _of_kind(found: Sequence[Diagnostic], severity: Severity, folder: str, title: str) -> Iterator[str]:
    """The annotations of one kind, the last of them a count where there are too many."""
    items = [item for item in found if item.severity is severity]
    shown, rest = chosen(items, LIMIT if len(items) <= LIMIT else LIMIT - 1, few=LIMIT)
    for item in shown:
        yield _command(item, folder, title)
    if rest:
        yield f"::{_COMMANDS[severity]} title={_property(title)}::{_data(_left(rest, _COMMANDS[severity]))}"


def _left(rest: Rest, word: str) -> str:
    """How many are not shown, and of which codes."""
    left = sum(map(len, rest.values()))
    codes = by_code({code[:CODE]: len(items) for code, items in rest.items()})
    return f"{many(left, f'more {word}')} ({codes}): see the whole output of the command."


def _command(item: Diagnostic, folder: str, title: str) -> str:
    properties = {"title": f"{title}: {item.code}"}
    if item.position is not None:
        path = f"{folder}/{item.position.file}" if folder else item.position.file
        place = {"file": path, "line": str(item.position.line), "col": str(item.position.column)}
        properties = {**place, **properties}
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[item.severity]} {written}::{_data(item.message, item.hint)}"


def _data(*parts: str) -> str:
    """A message for a runner; each part is a line of its own."""
    shown = [unrunnable(visible(write_for_page(part)[:LONGEST], _LOOK)) for part in parts if part]
    return "%0A".join(part.replace("%", "%25") for part in shown)


def _property(text: str) -> str:
    """A property's value for a runner, which splits at colons and commas."""
    shown = unrunnable(visible(text[:LONGEST], _LOOK)).replace("%", "%25")
    return shown.replace(":", "%3A").replace(",", "%2C")
