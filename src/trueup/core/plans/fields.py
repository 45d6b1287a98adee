"""One field's file, applied and live: the first table of the contract, and live values as they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from trueup.core.canonical import canonical, digest, fits, list_closed_forms, same, strip_server_defaults
from trueup.core.field_table import FieldTable, Kind
from trueup.core.memory.stamp import short
from trueup.core.memory.state import Applied, Record
from trueup.core.plans.plan import MISSING, OUTSIDE, Cause, FieldChange, Missing

WISHES = frozenset({Cause.EDITED, Cause.REMOVED, Cause.CONFLICT, Cause.UNKNOWN})
SENT_ALWAYS = WISHES - OUTSIDE
"""Why a field is sent whether or not drift is reverted."""

STRUCTURED = frozenset({Kind.TOOLS, Kind.OBJECT})
"""The kinds of fields in which servers fill in what nobody wrote."""

SETTLED = frozenset({Cause.RECORDED, Cause.IMPOSSIBLE})
"""Why a field is listed that is remembered as it is live, without a request."""

UNSENT = SETTLED | {Cause.SECRET}
"""Why a field is listed that no request is made for."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How fields are judged on one target; `stamps`: there is no state but the stamps."""

    table: FieldTable
    stamps: bool = False


def judge_field(
    name: str,
    file: Any | Missing,
    live: Any | Missing,
    record: Record,
    rules: Rules,
) -> Cause | None:
    """Return the row of the contract's table that applies to a field; None if the field is clean."""
    table = rules.table
    applied = record.fields.get(name)
    if file is MISSING and applied is None:
        return None  # neither declared nor ever applied: not ours to look at
    equal = same(file, live)  # most often: then their canonical forms are, and need not be made
    if equal or same(canonical(name, _to_json(file), table), canonical(name, _to_json(live), table)):
        known = _is_recorded(name, file, live, applied, rules, equal=equal)
        return None if known else Cause.RECORDED
    if applied is None:
        lost = record.partial and not rules.stamps and table.is_unstamped(name)
        return Cause.UNKNOWN if lost else Cause.EDITED
    file_same = file is not MISSING and matches(name, file, applied, table)
    if file_same and fits(name, _to_json(file), _to_json(live), table):
        return None if _is_recorded(name, file, live, applied, rules, equal=False) else Cause.RECORDED
    live_same = matches(name, live, applied, table) or _is_answer(name, live, applied, table)
    if live_same:
        if file is MISSING:
            return Cause.REMOVED
        return None if file_same else Cause.EDITED
    if table.is_resolved(name) and file in (MISSING, None):
        return Cause.RECORDED  # to be cleared, and what the server makes of that nobody else knows
    if not _has_digest(applied, rules):
        return Cause.UNKNOWN
    return Cause.DRIFTED if file_same else Cause.CONFLICT


def _has_digest(applied: Applied, rules: Rules) -> bool:
    """Whether what was applied is known well enough to tell drift from a server that does not keep what it is sent."""
    return applied.kept is not None or (rules.stamps and applied.stamp is not None)


def _is_recorded(name: str, file: Any, live: Any, applied: Applied | None, rules: Rules, *, equal: bool) -> bool:
    """Whether the record already says what is true: this file value was applied and this answer belongs to it."""
    if rules.stamps and rules.table.is_unstamped(name):
        return True
    if applied is None or file is MISSING:
        return False
    if rules.stamps:
        return applied.stamp == short(name, file, rules.table)
    if applied.kept is None:
        return False
    return applied.sent == digest(file) and (equal or digest(_to_json(live)) == applied.kept)


def matches(name: str, value: Any | Missing, applied: Applied, table: FieldTable) -> bool:
    """Whether a value is the one that was applied, or what the server answered to it."""
    plain = _to_json(value)
    if applied.sent is not None or applied.kept is not None:
        if digest(plain) in (applied.sent, applied.kept):
            return True
        if applied.kept is not None:
            return False
    return applied.stamp is not None and short(name, plain, table) == applied.stamp


def _is_answer(name: str, live: Any, applied: Applied, table: FieldTable) -> bool:
    """Return whether a live value answers the one that was applied, whatever the server alone decides in it."""
    return any(
        digest(form) == applied.sent
        or (applied.sent is applied.kept is None and short(name, form, table) == applied.stamp)
        for form in list_closed_forms(name, _to_json(live), table)
    )


def _to_json(value: Any | Missing) -> Any:
    """Return null for an absent field, which means the same."""
    return None if value is MISSING else value


def compare_fields(
    file: Mapping[str, Any],
    live: Mapping[str, Any],
    record: Record,
    ignored: frozenset[str],
    rules: Rules,
) -> tuple[FieldChange, ...]:
    """Every field that is not clean, declared or recorded, in the file's order and then the record's."""
    changes = []
    for name in [*file, *(name for name in record.fields if name not in file)]:
        if name in ignored:
            continue
        wanted, found = file.get(name, MISSING), live.get(name, MISSING)
        cause = judge_field(name, wanted, found, record, rules)
        if cause is not None:
            kind = rules.table.kind_of(name)
            if kind in STRUCTURED and found is not MISSING and wanted is not MISSING:
                found = _shown(name, found, wanted, record.fields.get(name), rules.table)
            found = rules.table.mask_secrets(name, found)
            changes.append(FieldChange(name, found, wanted, cause, kind))
    return tuple(changes)


def _shown(name: str, live: Any, file: Any, applied: Applied | None, table: FieldTable) -> Any:
    """Return a live value as it stands beside the file's: without what the server fills in.

    A part that only the server decides is kept where it was declared and has left the file: then it is what changes.
    """
    shown = strip_server_defaults(name, live, file, table)
    was_declared = applied is not None and applied.sent is not None and applied.sent == digest(live)
    is_all_there_is = same(canonical(name, shown, table), canonical(name, file, table))
    if was_declared or is_all_there_is:
        return strip_server_defaults(name, live, file, table, keep_open=True)
    return shown


def mark_unreachable(changes: tuple[FieldChange, ...], rules: Rules, *, revert: bool) -> tuple[FieldChange, ...]:
    """Mark changes that clear a field this server cannot clear as impossible, and those that erase a secret.

    What was changed outside stays drift unless it would be reverted now. The stamps cannot hold that such a field was
    kept as it was, so where they are the state it is no drift either.
    """
    found = []
    for change in changes:
        cause = change.cause
        is_sent = cause in SENT_ALWAYS or (cause in OUTSIDE and revert)
        if is_sent and rules.table.has_secret(change.path, change.before):
            cause = Cause.SECRET
        elif rules.table.is_stuck(change.path) and _clears(change, rules.table):
            if rules.stamps and cause is Cause.DRIFTED:
                continue
            if is_sent:
                cause = Cause.IMPOSSIBLE
        found.append(change if cause is change.cause else replace(change, cause=cause))
    return tuple(found)


def _clears(change: FieldChange, table: FieldTable) -> bool:
    """Whether the file wants the field at its default."""
    wanted = canonical(change.path, _to_json(change.after), table)
    return same(wanted, canonical(change.path, None, table))
