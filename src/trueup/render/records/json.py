"""The JSON format: one versioned document for each answer, with stable keys; `schemas/report.schema.json` has them all.

Values are as they are, also untrusted ones: JSON's own escapes make them harmless. Returns strings with a newline at
the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from trueup.core.acceptance.accepted import Accepted
from trueup.core.errors import Exit, TrueupError, worst
from trueup.core.memory.capabilities import Capabilities, Difference
from trueup.core.plans.drift import History, Sighting
from trueup.core.plans.live import Unmanaged
from trueup.core.plans.plan import Change, Plan, is_outside
from trueup.core.plans.plan_codec import digest, to_plain
from trueup.core.plans.reasons import Why
from trueup.core.plans.report import Outcome, Report
from trueup.core.plans.summary import (
    accept_summary,
    count_changes,
    drift_summary,
    report_summary,
    summary,
)
from trueup.core.source import Diagnostic
from trueup.core.texts.prose import encode_prose
from trueup.render.grouping import compare_texts
from trueup.render.pages import describe_outcome
from trueup.render.records.documents import write_document
from trueup.render.terminal.answers import list_impossible, summarize_probe
from trueup.render.values import is_text
from trueup.wire.described import Described, Table

NO_HISTORY = History("")


def plan(plan: Plan, code: Exit = Exit.OK, guard: Sequence[str] = ()) -> str:
    """Write a plan with its digest, its counts, why an apply needs an acknowledgement, and its summary line."""
    return _document(
        "plan",
        plan={key: value for key, value in to_plain(plan).items() if key != "selection"},
        digest=digest(plan),
        counts=asdict(count_changes(plan)),
        summary=summary(plan, code),
        texts=_texts(plan.changes),
        guard=guard,
    )


def drift(plan: Plan, unmanaged: Unmanaged | None = None, history: History = NO_HISTORY) -> str:
    """Return what was changed manually, what is unmanaged if that is asked for, and the summary of `drift`.

    `history` is since when, and by whom it was applied before.
    """
    more: dict[str, Any] = {} if unmanaged is None else {"unmanaged": unmanaged}
    outside = [to_plain(change) for change in plan.changes if is_outside(change)]
    return _document(
        "drift",
        target=to_plain(plan.identity),
        complete=plan.complete,
        drifted=outside,
        texts=_texts([change for change in plan.changes if is_outside(change)]),
        summary=drift_summary(plan),
        snapshot=plan.snapshot or None,
        limit=to_plain(plan.limit),
        ignored=plan.ignored,
        diagnostics=[_diagnostic(item) for item in plan.diagnostics],
        checked_at=history.checked_at,
        seen=[_sighting(item) for item in (*history.shown, *history.carried)],
        applied=[{"name": name, **to_plain(origin)} for name, origin in history.origins.items()],
        **more,
    )


def report(report: Report) -> str:
    """Return what an apply did, one outcome for each assistant; `exit` is the code the command ends with."""
    operations = {change.name: change.operation for change in report.plan.changes}
    return _document(
        "report",
        target=to_plain(report.plan.identity),
        digest=digest(report.plan),
        limit=to_plain(report.plan.limit),
        commit=report.provenance.commit or None,
        pipeline=report.provenance.pipeline or None,
        applied_at=report.provenance.at or None,
        outcomes=[_outcome(outcome, operations.get(outcome.name, "")) for outcome in report.outcomes],
        only_fresh=report.only_fresh,
        calls=report.calls,
        retries=report.retries,
        problems=to_plain(report.problems),
        guard=report.guard,
        exit=int(worst(report.codes)),
        summary=report_summary(report),
    )


def diagnostics(diagnostics: Sequence[Diagnostic], checked: str) -> str:
    """Return problems in the order given; `checked` is the sentence that sums up."""
    return _document("diagnostics", diagnostics=[_diagnostic(item) for item in diagnostics], summary=checked)


def error(error: TrueupError) -> str:
    """Return what ended a command; `exit` is the code it ends with."""
    found = [_diagnostic(item) for item in error.diagnostics]
    return _document(
        "error", error={"message": error.message, "hint": error.hint}, diagnostics=found, exit=int(error.exit)
    )


def why(why: Why) -> str:
    """Return why each field is as it is; a side without a value has no key."""
    return _document("why", why=to_plain(why))


def accept(accepted: Accepted) -> str:
    """Return what became of each field, the patches, and who else changes: pairs of a name and a target."""
    fields = [
        {
            "name": item.name, "ending": item.ending.name.lower(), "message": item.message, "hint": item.hint,
            "position": item.position, "paste": item.paste,
        }
        for item in accepted.fields
    ]  # fmt: skip
    return _document(
        "accept",
        name=accepted.name,
        target=accepted.target,
        id=accepted.id,
        fields=fields,
        files=[
            {"file": item.file, "patch": item.patch.decode("utf-8", "backslashreplace")} for item in accepted.patches
        ],
        also=[{"name": name, "target": target} for name, target in accepted.also],
        written=accepted.written,
        summary=accept_summary(accepted),
    )


def targets(targets: Sequence[Described], default: str) -> str:
    """Return the targets of a project; of their credentials only where each is to be had."""
    shown = [
        {
            "name": item.target.name, "project": item.target.project, "protocol": item.target.protocol,
            "dialect": item.target.dialect, "gateway": item.target.gateway, "base_url": item.address,
            "api_version": item.api_version, "credentials": item.credentials, "state": item.target.state,
            "stamp": item.target.stamp, "on_drift": item.target.on_drift, "cannot_hold": item.lacks,
            "allow_loss": item.target.allow_loss, "default": item.target.name == default,
        }
        for item in targets
    ]  # fmt: skip
    return _document("targets", targets=shown)


def probe(found: Capabilities, changed: Sequence[Difference], file: str) -> str:
    """Return what a probe found out, as the file of answers has it, and what is new in it."""
    return _document(
        "probe",
        target=to_plain(found.identity),
        dialect=found.dialect,
        gateway=found.gateway,
        model=found.model,
        answers=dict(found.answers),
        tried=dict(found.tried),
        fills=dict(found.fills),
        words=dict(found.words),
        cannot=list_impossible(found),
        changed=[{"what": item.what, "before": item.before, "after": item.after} for item in changed],
        file=file,
        summary=summarize_probe(found, changed),
    )


def dialects(tables: Sequence[Table]) -> str:
    """Return what each dialect of every protocol holds, in the words of the text."""
    shown = [
        {
            "protocol": table.protocol,
            "name": name,
            "holds": {field: words[place] for field, words in table.rows},
        }
        for table in tables
        for place, name in enumerate(table.names)
    ]
    return _document("dialects", dialects=shown)


def _texts(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Return the differences of the texts that changed, in the order of the changes and their fields."""
    return [
        {
            "name": change.name,
            "path": item.path,
            "difference": encode_prose(compare_texts(change, item.before, item.after)),
        }
        for change in changes
        for item in change.fields
        if isinstance(item.before, str) and isinstance(item.after, str) and item.before != item.after
        if is_text(item.before) or is_text(item.after)
    ]


def _document(kind: str, **content: Any) -> str:
    return write_document(kind, to_plain(content))


def _sighting(item: Sighting) -> dict[str, Any]:
    """Return one drifted field; `since` is always there, null where it is not known."""
    return {"name": item.name, "field": item.field, "live": item.live, "since": item.since}


def _outcome(outcome: Outcome, operation: str) -> dict[str, Any]:
    """Return an outcome with every key, so that a reader needs no defaults."""
    return {
        "name": outcome.name,
        "action": outcome.action.value,
        "result": outcome.result.value,
        "sentence": f"{outcome.name} {describe_outcome(outcome)}",
        "id": outcome.id,
        "message": outcome.message,
        "hint": outcome.hint,
        "not_kept": list(outcome.not_kept),
        "others": list(outcome.others),
        "attempts": outcome.attempts,
        "operation": operation,
        "position": to_plain(outcome.position),
    }


def _diagnostic(item: Diagnostic) -> dict[str, Any]:
    return {
        "severity": item.severity.value,
        "code": item.code,
        "message": item.message,
        "position": to_plain(item.position),
        "path": list(item.path),
        "hint": item.hint,
    }
