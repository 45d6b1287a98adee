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
from trueup.render.style import Look, disarm, disarm_line
from trueup.render.values import pluralize
from trueup.render.visible import make_visible
from trueup.render.weight import Rest, choose, count_by_code, sort_by_weight

LIMIT = 10
"""Annotations of one kind that a runner shows for a step."""

CODE = 60
"""Characters of a code that are shown where findings are only counted."""

LONGEST = 4_000
"""Characters of one message; a runner takes more, a reader does not."""

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_LOOK = Look(color=False)


def plan(plan: Plan, alerts: Sequence[str] = (), code: Exit = Exit.OK, *, folder: str = "") -> str:
    """Return what a plan would do, and the exit code; `alerts` must be read first.

    `folder` is where the project lies within the repository.
    """
    first = [Diagnostic(Severity.WARNING, "guard", alert) for alert in alerts]
    return _write_findings([*first, *findings.of_plan(plan)], folder, summary(plan, code), _title(plan))


def drift(plan: Plan, *, folder: str = "") -> str:
    """Return what differs from what was applied."""
    return _write_findings(findings.of_drift(plan), folder, drift_summary(plan), _title(plan))


def report(report: Report, *, folder: str = "") -> str:
    """Return what an apply did."""
    return _write_findings(findings.of_report(report), folder, report_summary(report), _title(report.plan))


def diagnostics(diagnostics: Sequence[Diagnostic], checked: str, *, folder: str = "") -> str:
    """Return problems of files; `checked` is the sentence that sums up."""
    return _write_findings(sort_by_weight(diagnostics), folder, make_visible(checked, _LOOK), "Trueup")


def error(error: TrueupError, *, folder: str = "") -> str:
    """Return what ended a command: its problems, and itself as one more."""
    whole = Diagnostic(Severity.ERROR, "failed", error.message, hint=error.hint)
    return _write_findings([*sort_by_weight(error.diagnostics), whole], folder, "", "Trueup")


def _title(plan: Plan) -> str:
    return f"Trueup {plan.identity.project}/{plan.identity.target}"


def _write_findings(found: Sequence[Diagnostic], folder: str, last: str, title: str) -> str:
    lines = [line for severity in Severity for line in _annotations(found, severity, folder, title)]
    return "".join(f"{line}\n" for line in [*lines, *([disarm_line(last)] if last else [])])


def _annotations(found: Sequence[Diagnostic], severity: Severity, folder: str, title: str) -> Iterator[str]:
    """Yield the annotations of one kind, the last of them a count where there are too many."""
    items = [item for item in found if item.severity is severity]
    shown, rest = choose(items, LIMIT if len(items) <= LIMIT else LIMIT - 1, few=LIMIT)
    for item in shown:
        yield _command(item, folder, title)
    if rest:
        words = _describe_rest(rest, _COMMANDS[severity])
        yield f"::{_COMMANDS[severity]} title={_property(title)}::{_message_data(words)}"


def _describe_rest(rest: Rest, word: str) -> str:
    """Return how many are not shown, and of which codes."""
    left = sum(map(len, rest.values()))
    codes = count_by_code({code[:CODE]: len(items) for code, items in rest.items()})
    return f"{pluralize(left, f'more {word}')} ({codes}): see the whole output of the command."


def _command(item: Diagnostic, folder: str, title: str) -> str:
    properties = {"title": f"{title}: {item.code}"}
    if item.position is not None:
        path = f"{folder}/{item.position.file}" if folder else item.position.file
        place = {"file": path, "line": str(item.position.line), "col": str(item.position.column)}
        properties = {**place, **properties}
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[item.severity]} {written}::{_message_data(item.message, item.hint)}"


def _message_data(*parts: str) -> str:
    """Return a message for a runner; each part is a line of its own."""
    shown = [disarm(make_visible(write_for_page(part)[:LONGEST], _LOOK)) for part in parts if part]
    return "%0A".join(part.replace("%", "%25") for part in shown)


def _property(text: str) -> str:
    """Return a property's value for a runner, which splits at colons and commas."""
    shown = disarm(make_visible(text[:LONGEST], _LOOK)).replace("%", "%25")
    return shown.replace(":", "%3A").replace(",", "%2C")
