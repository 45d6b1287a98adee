"""SARIF 2.1.0 for `validate` and `drift`: findings as code scanners read them, with rules and stable fingerprints.

Facts are from the OASIS standard, version 2.1.0: addresses are relative to `%SRCROOT%`, columns count code points. A
fingerprint has no line in it, so that a finding stays the same one when text above it grows. Knows no platform.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from trueup import __version__
from trueup.core.command import join_messages, write_for_page
from trueup.core.errors import TrueupError
from trueup.core.plans.plan import Plan
from trueup.core.source import Diagnostic, Severity, dotted
from trueup.render import findings
from trueup.render.style import Look, disarm_json
from trueup.render.visible import make_visible

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINT = "trueupFinding/v1"
NOWHERE = "trueup.yaml"
"""Where a finding is shown that stands in no file: scanners of platforms want a file for each."""

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_LOOK = Look(color=False)


def drift(plan: Plan, *, folder: str = "") -> str:
    """Return what differs from what was applied. `folder` is where the project lies within the repository."""
    category = f"trueup/drift/{plan.identity.project}/{plan.identity.target}/"
    return _document(findings.of_drift(plan), folder, category)


def diagnostics(diagnostics: Sequence[Diagnostic], *, folder: str = "") -> str:
    """Return problems of files."""
    return _document(diagnostics, folder, "trueup/validate/")


def error(error: TrueupError, *, folder: str = "") -> str:
    """Return what ended a command: its problems, and itself as a notification of a run that did not succeed."""
    return _document(error.diagnostics, folder, "trueup/error/", join_messages((error.message, error.hint)))


def _document(found: Sequence[Diagnostic], folder: str, category: str, failure: str = "") -> str:
    rules = sorted({item.code for item in found})
    seen: Counter[str] = Counter()
    invocation: dict[str, Any] = {"executionSuccessful": not failure}
    if failure:
        notice = {"level": "error", "message": {"text": _text(failure)}}
        invocation["toolExecutionNotifications"] = [notice]
    driver = {"name": "trueup", "version": __version__, "rules": [_rule(code) for code in rules]}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": _text(category)},
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": [_result(item, folder, rules.index(item.code), seen) for item in found],
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return disarm_json(json.dumps(document, indent=2, allow_nan=False)) + "\n"


def _rule(code: str) -> dict[str, Any]:
    words = _text(code.replace("-", " "))
    return {"id": _text(code), "shortDescription": {"text": f"{words[:1].upper()}{words[1:]}"}}


def _result(item: Diagnostic, folder: str, rule: int, seen: Counter[str]) -> dict[str, Any]:
    print_of_it = _fingerprint(item)
    seen[print_of_it] += 1
    name = dotted(item.path)
    location: dict[str, Any] = {"physicalLocation": _place(item, folder)}
    if name:
        location["logicalLocations"] = [{"fullyQualifiedName": _text(name)}]
    return {
        "ruleId": _text(item.code),
        "ruleIndex": rule,
        "level": _LEVELS[item.severity],
        "message": {"text": _text(join_messages((item.message, item.hint), "\n"))},
        "locations": [location],
        "partialFingerprints": {FINGERPRINT: f"{print_of_it}:{seen[print_of_it]}"},
    }


def _place(item: Diagnostic, folder: str) -> dict[str, Any]:
    """Return the file as an address, and the place in it where one is known."""
    file = item.position.file if item.position is not None else NOWHERE
    address = quote(f"{folder}/{file}" if folder else file, errors="replace")
    place: dict[str, Any] = {"artifactLocation": {"uri": address, "uriBaseId": "%SRCROOT%"}}
    if item.position is not None:
        place["region"] = {"startLine": item.position.line, "startColumn": item.position.column}
    return place


def _fingerprint(item: Diagnostic) -> str:
    """Return what makes a finding the same one tomorrow: rule, file, and path or sentence."""
    file = item.position.file if item.position is not None else ""
    facts = [item.code, file, dotted(item.path) or item.message]
    return sha256(json.dumps(facts).encode("ascii")).hexdigest()[:32]


def _text(text: str) -> str:
    """Return text with all that a viewer would obey made visible; lines stay lines."""
    return "\n".join(make_visible(line, _LOOK) for line in write_for_page(text).split("\n"))
