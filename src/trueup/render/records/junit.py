"""JUnit's XML for `validate` and `drift`: a test case for each file or assistant, failed where a finding is an error.

There is no standard of it; the elements and attributes are those that CI systems agree on: `testsuites`, `testsuite`,
`testcase` with `failure`, `system-out`. Characters that XML 1.0 cannot hold are made visible. Knows no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trueup.core.command import write_for_page
from trueup.core.errors import TrueupError
from trueup.core.plans.plan import Plan
from trueup.core.plans.summary import drift_summary
from trueup.core.source import Diagnostic, Severity
from trueup.render import findings
from trueup.render.style import Look, disarm
from trueup.render.visible import make_visible

PROJECT = "the project as a whole"
"""The test case of what belongs to no file."""

_LOOK = Look(color=False)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


@dataclass(frozen=True, slots=True)
class Case:
    """One test case: what it is called, where it stands, and what was found."""

    name: str
    file: str = ""
    found: tuple[Diagnostic, ...] = ()


def drift(plan: Plan, *, folder: str = "") -> str:
    """Return what differs from what was applied: a case for each assistant of the plan, and one for all the others."""
    by_name: dict[str, list[Diagnostic]] = {change.name: [] for change in plan.changes}
    whole: list[Diagnostic] = []
    for item in findings.of_drift(plan):
        names = [str(part) for part in item.path[:1]]
        (by_name[names[0]] if names and names[0] in by_name else whole).append(item)
    files = {change.name: change.file for change in plan.changes}
    cases = [Case(name, files[name], tuple(items)) for name, items in by_name.items()]
    cases.append(Case(PROJECT, "", tuple(whole)))
    suite = f"trueup drift {plan.identity.project}/{plan.identity.target}"
    return _document(suite, "trueup.drift", cases, folder, drift_summary(plan))


def diagnostics(diagnostics: Sequence[Diagnostic], files: Iterable[str], checked: str = "", *, folder: str = "") -> str:
    """Return problems of files; `files` are all that were checked, `checked` is the sentence that sums up."""
    by_file: dict[str, list[Diagnostic]] = {file: [] for file in sorted(files)}
    for item in diagnostics:
        by_file.setdefault(item.position.file if item.position is not None else "", []).append(item)
    cases = [Case(file or PROJECT, file, tuple(items)) for file, items in by_file.items()]
    return _document("trueup validate", "trueup.validate", cases, folder, checked)


def error(error: TrueupError, *, folder: str = "") -> str:
    """Return what ended a command, as a case that failed beside those of its problems."""
    whole = Diagnostic(Severity.ERROR, "failed", error.message, hint=error.hint)
    by_file: dict[str, list[Diagnostic]] = {}
    for item in (*error.diagnostics, whole):
        by_file.setdefault(item.position.file if item.position is not None else "", []).append(item)
    cases = [Case(file or PROJECT, file, tuple(items)) for file, items in by_file.items()]
    return _document("trueup", "trueup", cases, folder)


def _document(suite: str, kind: str, cases: Sequence[Case], folder: str, summary: str = "") -> str:
    numbers = {"tests": str(len(cases)), "failures": str(sum(map(_has_error, cases))), "errors": "0", "skipped": "0"}
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', _tag("testsuites", {"name": "trueup", **numbers})]
    lines.append("  " + _tag("testsuite", {"name": suite, **numbers}))
    for case in cases:
        lines += _case(case, kind, folder)
    if summary:
        lines.append(f"    <system-out>{_escape_xml(summary)}</system-out>")
    return "\n".join([*lines, "  </testsuite>", "</testsuites>"]) + "\n"


def _has_error(case: Case) -> bool:
    return any(item.severity is Severity.ERROR for item in case.found)


def _case(case: Case, kind: str, folder: str) -> list[str]:
    """Return one case; all its errors are one failure, since many readers show only the first."""
    facts = {"classname": kind, "name": case.name}
    if case.file:
        facts["file"] = f"{folder}/{case.file}" if folder else case.file
    errors = [item for item in case.found if item.severity is Severity.ERROR]
    others = [item for item in case.found if item.severity is not Severity.ERROR]
    lines = ["    " + _tag("testcase", facts)]
    if errors:
        first = {"type": errors[0].code, "message": write_for_page(errors[0].message)}
        lines.append(f"      {_tag('failure', first)}{_escape_xml(_write_findings(errors))}</failure>")
    if others:
        lines.append(f"      <system-out>{_escape_xml(_write_findings(others))}</system-out>")
    return [*lines, "    </testcase>"]


def _write_findings(items: Sequence[Diagnostic]) -> str:
    """Return each finding with its place and how to go on, on lines of its own."""
    lines: list[str] = []
    for item in items:
        at = f"{item.position}: " if item.position is not None else ""
        lines.append(f"{at}{item.severity.value}[{item.code}]: {write_for_page(item.message)}")
        lines += [f"  {write_for_page(item.hint)}"] if item.hint else []
    return "\n".join(lines)


def _tag(name: str, attributes: Mapping[str, str]) -> str:
    written = "".join(f' {key}="{_escape_xml(value).replace(chr(10), "&#10;")}"' for key, value in attributes.items())
    return f"<{name}{written}>"


def _escape_xml(text: str) -> str:
    """Return text as XML holds it: its lines stay lines, all else that cannot be seen is shown as a sign."""
    shown = "\n".join(make_visible(line, _LOOK) for line in text.split("\n"))
    safe = "".join(_ENTITIES.get(sign, sign) for sign in shown)
    return disarm(safe.replace("::", "&#58;:"), "&#35;")
