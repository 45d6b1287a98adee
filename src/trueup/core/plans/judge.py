"""One assistant's record, live objects and file, and the one thing to do. Knows no request: that is the engine's plan.

Each function is one part of the contract's second table; `judge` finds the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from trueup.core.memory.stamp import Stamp, record_of
from trueup.core.memory.state import Pending, Record
from trueup.core.plans.fields import WISHES, Rules, compare_fields, mark_unreachable
from trueup.core.plans.live import LiveAssistant
from trueup.core.plans.plan import MISSING, OUTSIDE, Action, Cause, FieldChange, Reason


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one name. `live` is the recorded id's object; `stamped` are all live ones with our stamp
    of this name. `unread`: the recorded id could not be read; `maybe_gone`: its 404 does not say what is missing;
    `complete`: the whole listing could be read."""

    name: str
    file: Mapping[str, Any] | None
    record: Record | None
    live: LiveAssistant | None
    stamped: tuple[LiveAssistant, ...] = ()
    unread: bool = False
    maybe_gone: bool = False
    complete: bool = True
    protect: bool | None = None
    ignored: frozenset[str] = frozenset()
    pending: Pending | None = None
    moved_from: str = ""
    moved_onto: tuple[str, ...] = ()  # the name `moved` gives it, which another record has, and that one's id
    same_named: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()  # who else manages one of this display name, and its id
    rename_of: tuple[str, ...] = ()
    rename_ids: tuple[str, ...] = ()  # the live ids of `rename_of`
    renamed_to: tuple[str, ...] = ()
    full: bool = False  # live metadata has no room for a stamp
    released: bool = False  # `released` names it
    crowded: bool = False  # the file's metadata leaves no room for one


@dataclass(frozen=True, slots=True)
class DecisionPolicy:
    """The target's rules and the flags that decide rows."""

    project: str
    target: str
    rules: Rules
    revert: bool = False
    prune: bool = False
    destroy: bool = False
    stamps: bool = True  # the target's assistants are stamped
    stamp_all: bool = False
    stamp_lost: bool = False  # this server was sent stamps and keeps none


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with one assistant; `live` is the one to write to, `record` what to start from."""

    action: Action
    reason: Reason
    live: LiveAssistant | None = None
    record: Record | None = None
    fields: tuple[FieldChange, ...] = ()
    adopted: bool = False
    wanted: bool = False
    others: tuple[str, ...] = ()
    recreate: bool = False
    backup: bool = False


def judge(facts: Facts, choices: DecisionPolicy) -> Verdict:
    """Exactly one verdict for every combination of file, record and live."""
    if facts.released and facts.file is None:
        return _judge_released(facts, choices)
    if choices.destroy or facts.file is None:
        return _judge_unwanted(facts, choices)
    if facts.record is None:
        return _judge_without_record(facts, choices)
    if facts.live is None:
        return _judge_without_live(facts, facts.record, choices)
    return _judge_recorded(facts, facts.record, facts.live, choices)


def is_ours(stamp: Stamp, facts: Facts, choices: DecisionPolicy) -> bool:
    """Whether a stamp names this project, this target and this name (or the one it is moved from)."""
    names = {facts.name, facts.moved_from} - {""}
    return stamp.project == choices.project and stamp.target == choices.target and stamp.name in names


def _judge_released(facts: Facts, choices: DecisionPolicy) -> Verdict:
    """Let go of: a stamp of ours is taken off, everything else is only forgotten."""
    record, live = facts.record, facts.live or (facts.stamped[0] if facts.stamped else None)
    if live is None and facts.unread:
        return Verdict(Action.UNREAD, Reason.UNREADABLE, record=record, wanted=True)
    if live is None:
        return Verdict(Action.FORGET if record else Action.NOTHING, Reason.GONE, record=record)
    others = _sorted_ids(seen for seen in facts.stamped if seen.id != live.id)
    if live.stamp is None or not is_ours(live.stamp, facts, choices):
        return Verdict(Action.FORGET, Reason.RELEASED, live, record, others=others)
    if record is not None and (record.id != live.id or not is_known(live.stamp, record, facts.pending)):
        return Verdict(Action.HELD, Reason.BEHIND, live, record, wanted=True, others=others)
    found = record or record_of(live.stamp, live.id, live.created_at)
    return Verdict(Action.RELEASE, Reason.RELEASED, live, found, others=others)


def _judge_unwanted(facts: Facts, choices: DecisionPolicy) -> Verdict:
    """No file for this target, or everything is to go."""
    record, live = facts.record, facts.live
    if record is None:
        if not facts.stamped:
            return Verdict(Action.NOTHING, Reason.GONE)
        return Verdict(Action.ORPHAN, Reason.ORPHANED, facts.stamped[0], others=_sorted_ids(facts.stamped[1:]))
    if live is None:
        if facts.unread:
            return Verdict(Action.UNREAD, Reason.UNREADABLE, record=record)
        if facts.stamped:
            return Verdict(Action.ORPHAN, Reason.BEHIND, facts.stamped[0], record, others=_sorted_ids(facts.stamped))
        return Verdict(Action.FORGET, Reason.GONE, record=record)
    others = _sorted_ids(seen for seen in facts.stamped if seen.id != live.id)
    blocked = _not_to_be_deleted(facts, record, live, choices)
    if blocked is not None:
        return Verdict(Action.ORPHAN, blocked, live, record, others=others)
    if facts.moved_onto and not choices.destroy:
        return Verdict(Action.HELD, Reason.RENAME, live, record, wanted=True, others=facts.moved_onto[:1])
    if not (choices.prune or choices.destroy):
        return Verdict(Action.ORPHAN, Reason.ORPHANED, live, record, others=others)
    if not facts.complete:
        return Verdict(Action.UNREAD, Reason.UNREADABLE, live, record, wanted=True, others=others)
    if facts.renamed_to and not choices.destroy:
        return Verdict(Action.HELD, Reason.RENAME, live, record, wanted=True, others=facts.renamed_to)
    if _is_protected(facts, record, live):
        return Verdict(Action.HELD, Reason.PROTECTED, live, record, wanted=True)
    return Verdict(Action.DELETE, Reason.PRUNED, live, record, backup=True, others=others)


def _not_to_be_deleted(facts: Facts, record: Record, live: LiveAssistant, choices: DecisionPolicy) -> Reason | None:
    """Somebody else's stamp, or one that another checkout wrote since."""
    if live.stamp is None:
        return None
    if not is_ours(live.stamp, facts, choices):
        return Reason.FOREIGN
    return None if is_known(live.stamp, record, facts.pending) else Reason.BEHIND


def _is_protected(facts: Facts, record: Record, live: LiveAssistant) -> bool:
    if facts.protect is not None:
        return facts.protect
    return record.protect or (live.stamp is not None and live.stamp.protect)


def is_known(stamp: Stamp, record: Record, pending: Pending | None) -> bool:
    """Return whether this checkout knows of the stamp's operation; else another one has applied since."""
    known = {record.operation, pending.operation if pending else record.operation}
    return not record.operation or stamp.operation in known


def _judge_without_record(facts: Facts, choices: DecisionPolicy) -> Verdict:
    if len(facts.stamped) > 1:
        return Verdict(Action.HELD, Reason.TWINS, wanted=True, others=_sorted_ids(facts.stamped))
    if facts.stamped:
        live = facts.stamped[0]
        assert live.stamp is not None
        record = record_of(live.stamp, live.id, live.created_at)
        return _judge_by_fields(facts, record, live, choices, adopted=True)
    if facts.pending is not None and facts.pending.action == "create" and not choices.stamps:
        return Verdict(Action.HELD, Reason.UNSETTLED, wanted=True)
    if not facts.complete:
        return Verdict(Action.UNREAD, Reason.UNREADABLE, wanted=True)
    if facts.rename_of:
        return Verdict(Action.HELD, Reason.RENAME, wanted=True, others=facts.rename_of)
    if facts.same_named:
        return Verdict(Action.HELD, Reason.NAMESAKE, wanted=True, others=facts.same_named)
    return _create(facts, choices)


def _create(facts: Facts, choices: DecisionPolicy, record: Record | None = None) -> Verdict:
    assert facts.file is not None
    if choices.stamp_lost:
        return Verdict(Action.HELD, Reason.STAMP_LOST, record=record, wanted=True)
    if choices.stamps and facts.crowded:
        return Verdict(Action.HELD, Reason.NO_ROOM, record=record, wanted=True)
    table = choices.rules.table
    fields = tuple(
        FieldChange(name, MISSING, value, Cause.NEW, table.kind_of(name)) for name, value in facts.file.items()
    )
    reason = Reason.RECREATED if record else Reason.NEW
    return Verdict(Action.CREATE, reason, record=record, fields=fields, recreate=record is not None)


def _judge_without_live(facts: Facts, record: Record, choices: DecisionPolicy) -> Verdict:
    if facts.unread:
        return Verdict(Action.UNREAD, Reason.UNREADABLE, record=record, wanted=True)
    if len(facts.stamped) > 1:
        return Verdict(Action.HELD, Reason.TWINS, record=record, wanted=True, others=_sorted_ids(facts.stamped))
    if facts.stamped:
        return _judge_behind(facts, record, facts.stamped[0], choices)
    if not facts.complete:
        return Verdict(Action.UNREAD, Reason.UNREADABLE, record=record, wanted=True)
    if not choices.revert:
        return Verdict(Action.HELD, Reason.DELETED_OUTSIDE, record=record, wanted=True)
    return _create(facts, choices, record)


def _judge_recorded(facts: Facts, record: Record, live: LiveAssistant, choices: DecisionPolicy) -> Verdict:
    if live.stamp is not None:
        if not is_ours(live.stamp, facts, choices):
            return Verdict(Action.HELD, Reason.FOREIGN, live, record, wanted=True)
        if not is_known(live.stamp, record, facts.pending):
            return _judge_behind(facts, record, live, choices)
    return _judge_by_fields(facts, record, live, choices)


def _judge_behind(facts: Facts, record: Record, live: LiveAssistant, choices: DecisionPolicy) -> Verdict:
    """Another checkout applied since: the record follows only if every field matches the file."""
    assert live.stamp is not None
    assert facts.file is not None
    found = record_of(live.stamp, live.id, live.created_at)
    changes = compare_fields(facts.file, live.fields, found, facts.ignored, choices.rules)
    differing = tuple(change for change in changes if change.cause is not Cause.RECORDED)
    others = _sorted_ids(seen for seen in facts.stamped if seen.id != live.id)
    if not differing:
        return Verdict(Action.RECORD, Reason.BEHIND, live, found, changes, others=others)
    ours = compare_fields(facts.file, live.fields, record, facts.ignored, choices.rules)
    edited = any(change.cause in (Cause.EDITED, Cause.REMOVED, Cause.CONFLICT) for change in ours)
    return Verdict(Action.HELD, Reason.BEHIND, live, record, differing, wanted=edited, others=others)


def _judge_by_fields(
    facts: Facts, record: Record, live: LiveAssistant, choices: DecisionPolicy, *, adopted: bool = False
) -> Verdict:
    """Judge an assistant by its fields, which is the usual case."""
    assert facts.file is not None
    changes = compare_fields(facts.file, live.fields, record, facts.ignored, choices.rules)
    changes = mark_unreachable(changes, choices.rules, revert=choices.revert)
    causes = {change.cause for change in changes}
    others = _sorted_ids(seen for seen in facts.stamped if seen.id != live.id)
    base = Verdict(Action.NOTHING, Reason.CLEAN, live, record, changes, adopted, others=others)
    problems, wishes = causes & OUTSIDE, causes & WISHES
    if problems and not choices.revert:
        reason = _worst_reason(problems)
        if not wishes and Cause.SECRET not in causes:
            return replace(base, action=Action.DRIFT, reason=reason)
        return replace(base, action=Action.HELD, reason=reason, wanted=True)
    if problems or wishes:
        reason = Reason.REVERTED if problems else Reason.EDITED
        return replace(base, action=Action.MODIFY, reason=reason, backup=bool(problems))
    if Cause.SECRET in causes:
        return replace(base, action=Action.HELD, reason=Reason.SECRET, wanted=True)
    return _judge_unchanged(facts, base, record, live, choices)


def _worst_reason(problems: set[Cause]) -> Reason:
    for cause, reason in ((Cause.CONFLICT, Reason.CONFLICT), (Cause.UNKNOWN, Reason.UNKNOWN)):
        if cause in problems:
            return reason
    return Reason.DRIFTED


def _judge_unchanged(
    facts: Facts, base: Verdict, record: Record, live: LiveAssistant, choices: DecisionPolicy
) -> Verdict:
    """Nothing differs: at most the record or the stamp is to be written."""
    moved = bool(facts.moved_from) and (live.stamp is None or live.stamp.name != facts.name)
    impossible = any(change.cause is Cause.IMPOSSIBLE for change in base.fields)
    recorded = bool(base.fields) or (facts.protect is not None and facts.protect != record.protect)
    if choices.stamps and live.stamp is None and choices.stamp_all and not facts.full:
        return replace(base, action=Action.STAMP, reason=Reason.NOT_STAMPED)
    if choices.rules.stamps:
        if not (moved or recorded or live.stamp is None):
            return base
        return replace(base, action=Action.STAMP, reason=Reason.MOVED if moved else Reason.CONVERGED)
    if choices.stamps and live.stamp is not None and facts.protect not in (None, live.stamp.protect):
        return replace(base, action=Action.STAMP, reason=Reason.MOVED if moved else Reason.CONVERGED)
    if facts.moved_from:
        action = Action.STAMP if moved and choices.stamps and live.stamp is not None else Action.RECORD
        return replace(base, action=action, reason=Reason.MOVED)
    if base.adopted:
        return replace(base, action=Action.ADOPT, reason=Reason.ADOPTED)
    if recorded or record.partial:
        return replace(base, action=Action.RECORD, reason=Reason.IMPOSSIBLE if impossible else Reason.CONVERGED)
    return base


def _sorted_ids(seen: Any) -> tuple[str, ...]:
    return tuple(sorted(entry.id for entry in seen))
