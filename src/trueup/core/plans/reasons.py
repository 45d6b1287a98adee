"""Why each field of one assistant is as it is: its three sides and the sentence of the rule that decided.

Asks the same judge that plans ask. Knows no file and no network; positions are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from trueup.core.canonical import canonical, fits, same
from trueup.core.definitions.definition import Definition, Ignore
from trueup.core.memory.state import Record
from trueup.core.plans.drift import ApplyOrigin
from trueup.core.plans.fields import Rules, judge_field, mark_unreachable, matches
from trueup.core.plans.plan import MISSING, Cause, FieldChange
from trueup.core.source import Position


class AppliedAs(Enum):
    """How what was last applied relates to file and live; its value itself is not kept anywhere."""

    BOTH = "same as file and live"
    FILE = "same as the file"
    LIVE = "same as live"
    NEITHER = "differs from file and live"
    NEVER = "never applied"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class WhyField:
    """One field; MISSING stands for a side that has none, `rule` is the sentence of the contract's table."""

    name: str
    file: Any
    applied: AppliedAs
    live: Any
    rule: str
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """One assistant: `message` says what the plan does with it, `fields` are in the definition's order.

    `origin` is the apply that sent what its stamp names, None where nobody asked.
    """

    name: str
    id: str
    message: str
    fields: tuple[WhyField, ...]
    hint: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    origin: ApplyOrigin | None = None


Locate = Callable[[str], Position | None]
"""Where a field stands in the files."""

RULES: Mapping[Cause | None, str] = {
    None: "in sync: live matches the file and what was applied",
    Cause.NEW: "new: sent when the assistant is created",
    Cause.EDITED: "edited: the file changed and live did not; the file's value is sent",
    Cause.REMOVED: "removed: it was applied and is no longer in the file; it is cleared",
    Cause.DRIFTED: "drifted: live changed and the file did not; left alone unless drift is reverted",
    Cause.CONFLICT: "conflict: file and live both changed; blocked unless drift is reverted",
    Cause.UNKNOWN: "unknown: live does not match the file, and what was applied is not recorded; blocked unless "
    "drift is reverted",
    Cause.IMPOSSIBLE: "not possible: the file has no value, and this server cannot clear it (probed)",
    Cause.SECRET: "blocked: live has a secret there, which a definition cannot hold and a write would erase",
    Cause.RECORDED: "converged: live matches the file; only the record changes",
}
"""The contract's table, a sentence for each row."""

UNDECLARED = "not declared: no file has it, so it is never compared or changed"
WITHOUT_CHANGE = "in sync: the server returned this form when it was applied, and it counts as equal"


def reasons(
    definition: Definition | None,
    file: Mapping[str, Any],
    live: Mapping[str, Any] | None,
    record: Record | None,
    rules: Rules,
    locate: Locate,
) -> tuple[WhyField, ...]:
    """Every field that is declared, was applied, or is live beside its default, in that order.

    `file` are the declared fields, `live` those that are live or None where the assistant is not.
    """
    found = live or {}
    recorded = record.fields if record is not None else {}
    ignored = {entry.field: entry for entry in definition.lifecycle.ignore_changes} if definition is not None else {}
    names = dict.fromkeys([*file, *recorded, *(name for name in found if not _is_default(name, found[name], rules))])
    return tuple(
        WhyField(
            name=name,
            file=file.get(name, MISSING),
            applied=_applied_as(name, file.get(name, MISSING), found.get(name, MISSING), record, rules),
            live=rules.table.mask_secrets(name, found.get(name, MISSING)),
            rule=_rule(name, file, live, record, ignored.get(name), rules),
            position=locate(name) if name in file else None,
        )
        for name in names
    )


def _rule(
    name: str,
    file: Mapping[str, Any],
    live: Mapping[str, Any] | None,
    record: Record | None,
    ignored: Ignore | None,
    rules: Rules,
) -> str:
    if live is None or record is None:
        return RULES[Cause.NEW] if name in file else UNDECLARED
    if ignored is not None:
        why = f" ({ignored.reason})" if ignored.reason else ""
        until = f", until {ignored.until}" if ignored.until else ""
        return f"ignored: lifecycle.ignore_changes lists it{why}{until}; it is only sent on create"
    if name not in file and name not in record.fields:
        return UNDECLARED
    wanted, found = file.get(name, MISSING), live.get(name, MISSING)
    cause = judge_field(name, wanted, found, record, rules)
    if cause is not None:
        told = mark_unreachable((FieldChange(name, found, wanted, cause),), rules, revert=False)
        cause = told[0].cause if told else None
    plain, there = (None if value is MISSING else value for value in (wanted, found))
    if cause is None and not fits(name, plain, there, rules.table):
        return WITHOUT_CHANGE
    return RULES[cause]


def _applied_as(name: str, file: Any, live: Any, record: Record | None, rules: Rules) -> AppliedAs:
    """Compare what was last applied, of which only digests are known, with the file and the live value."""
    if record is None:
        return AppliedAs.NEVER
    applied = record.fields.get(name)
    if applied is None:
        lost = rules.table.is_unstamped(name)
        return AppliedAs.UNKNOWN if record.partial and (lost or not record.fields) else AppliedAs.NEVER
    as_file = file is not MISSING and matches(name, file, applied, rules.table)
    as_live = matches(name, live, applied, rules.table)
    if as_file or as_live:
        return AppliedAs.BOTH if as_file and as_live else AppliedAs.FILE if as_file else AppliedAs.LIVE
    return AppliedAs.UNKNOWN if applied.kept is None and not rules.stamps else AppliedAs.NEITHER


def _is_default(name: str, value: Any, rules: Rules) -> bool:
    return same(_form(name, value, rules), _form(name, None, rules))


def _form(name: str, value: Any, rules: Rules) -> Any:
    return canonical(name, None if value is MISSING else value, rules.table)
