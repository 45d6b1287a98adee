"""Fills a verdict in: what is set, what that overwrites and what is remembered afterwards. Renders no request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from trueup.core.canonical import digest
from trueup.core.field_table import FieldTable, top_of
from trueup.core.memory import stamp as stamps
from trueup.core.memory.stamp import OPERATION_DIGITS, Stamp
from trueup.core.memory.state import Applied, Identity, Record
from trueup.core.plans.fields import SETTLED, UNSENT
from trueup.core.plans.judge import Verdict
from trueup.core.plans.live import LiveAssistant
from trueup.core.plans.plan import MISSING, Cause, Change, FieldChange
from trueup.wire.base import Adapter, Live
from trueup.wire.bodies import create_body, patch_body


@dataclass(frozen=True, slots=True)
class WriteSpec:
    """What one assistant is to become. `file` are its declared fields, `ignored` those that are never overwritten,
    `always` the top-level fields that this target wants in every modify."""

    name: str
    identity: Identity
    file: Mapping[str, Any]
    ignored: frozenset[str]
    protect: bool
    stamped: bool
    table: FieldTable
    always: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WriteContent:
    """What one change sets, the stamp that goes with it, the operation they carry and the record that follows.

    `forced` are the fields that are set although nothing wants them changed.
    """

    sets: Mapping[str, Any]
    operation: str
    record: Record
    stamp: str = ""
    overwritten: Mapping[str, str] = field(default_factory=dict)
    forced: tuple[FieldChange, ...] = ()


def build_create(spec: WriteSpec, verdict: Verdict) -> WriteContent:
    """Set every declared field that is not null, and the stamp."""
    sets = {name: value for name, value in spec.file.items() if value is not None}
    operation = _make_operation(spec, create_body(sets, "", spec.table), verdict.record)
    fields = stamps.about_to_send(spec.file, spec.table)
    record = Record(
        id="",
        operation=operation,
        protect=spec.protect,
        stamped=spec.stamped or None,
        fields=fields,
    )
    return WriteContent(sets, operation, record, _make_stamp(spec, operation, fields))


def build_modify(spec: WriteSpec, verdict: Verdict, adapter: Adapter) -> WriteContent:
    """Set what differs; a stamp alone where nothing does."""
    live, old = verdict.live, verdict.record
    assert live is not None
    assert old is not None
    changed = [change.path for change in verdict.fields if change.cause not in UNSENT]
    sets = _list_changed_fields(spec, changed)
    own = adapter.list_forced_fields(live.fields, sets)
    forced = _list_forced(spec, live, sets, own)
    sets.update({change.path: change.after for change in forced})
    body = patch_body({}, sets, "", spec.table)
    body.update({name: value for name, value in own.items() if name in sets and sets[name] is None})
    operation = _make_operation(spec, body, old)
    fields = stamps.about_to_send(spec.file, spec.table)
    written = {top_of(path) for path in sets}
    if spec.stamped:  # the map that holds the stamp is sent whole
        sets.update(_list_declared(spec, top_of(spec.table.stamp)))
    carries = spec.stamped and adapter.has_room(live.body, sets)
    if carries:
        written.add(top_of(spec.table.stamp))
    sent = {name: value for name, value in fields.items() if top_of(name) in written and name not in spec.ignored}
    return WriteContent(
        sets,
        operation,
        make_record(spec, verdict, operation, sent, stamped=True if carries else old.stamped),
        _make_stamp(spec, operation, fields),
        overwritten={name: digest(live.fields.get(name)) for name in (*changed, *(f.path for f in forced))},
        forced=forced,
    )


def build_delete(verdict: Verdict, identity: Identity, name: str) -> WriteContent:
    """Return the removal of an assistant, which overwrites everything."""
    live, old = verdict.live, verdict.record
    assert live is not None
    assert old is not None
    content = {"delete": live.id, "after": old.operation, "name": name, "target": identity.target}
    overwritten = {field: digest(value) for field, value in live.fields.items()}
    return WriteContent({}, digest(content, OPERATION_DIGITS), old, overwritten=overwritten)


def build_release(verdict: Verdict, identity: Identity, name: str) -> WriteContent:
    """Return the removal of the stamp; nothing else is touched."""
    live, old = verdict.live, verdict.record
    assert live is not None
    assert old is not None
    content = {"release": live.id, "after": old.operation, "name": name, "target": identity.target}
    return WriteContent({}, digest(content, OPERATION_DIGITS), old)


def drop_stamp(change: Change, old: Record | None, live: Live, table: FieldTable) -> Change:
    """Return the change for a live object that has no room for its stamp; `old` is the record until then.

    It leaves the map that holds the stamp alone unless it changes another entry of it.
    """
    assert change.record is not None
    holder = top_of(table.stamp)
    record = replace(change.record, stamped=old.stamped if old is not None else None)
    if any(top_of(path) == holder for path in change.overwritten):
        return replace(change, stamp="", record=record)
    known, found = old.fields if old is not None else {}, table.split(live.body)
    fields = {
        name: known.get(name, Applied(sent=applied.sent, kept=digest(found.get(name))))
        if top_of(name) == holder and applied.kept is None
        else applied
        for name, applied in record.fields.items()
    }
    sets = {path: value for path, value in change.sets.items() if top_of(path) != holder}
    return replace(change, sets=sets, stamp="", record=replace(record, fields=fields))


def make_record(
    spec: WriteSpec, verdict: Verdict, operation: str, sent: Mapping[str, Applied], *, stamped: bool | None
) -> Record:
    """Return the record after a write or a record-only change: sent fields wait for the answer."""
    live, old = verdict.live, verdict.record
    assert live is not None
    assert old is not None
    differing = {change.path: change.cause for change in verdict.fields}
    fields: dict[str, Applied] = {}
    for name, value in spec.file.items():
        if name in sent:
            fields[name] = sent[name]
        elif name in spec.ignored or differing.get(name) not in (None, *SETTLED):
            if name in old.fields:
                fields[name] = old.fields[name]
        elif differing.get(name) is None and name in old.fields and old.fields[name].sent is not None:
            fields[name] = old.fields[name]
        else:
            fields[name] = Applied(sent=digest(value), kept=digest(live.fields.get(name)))
    return Record(
        id=live.id,
        created_at=live.created_at or old.created_at,
        operation=operation,
        protect=spec.protect,
        stamped=stamped,
        partial=False,
        fields=fields,
    )


def build_record_only(spec: WriteSpec, verdict: Verdict) -> Record:
    """Return the record when nothing is sent."""
    old = verdict.record
    assert old is not None
    record = make_record(spec, verdict, old.operation, {}, stamped=old.stamped)
    live = verdict.live
    return replace(record, stamped=True) if live is not None and live.stamp is not None else record


def _list_changed_fields(spec: WriteSpec, changed: Sequence[str]) -> dict[str, Any]:
    """Return what is to change: each field by itself, and of a map with a change everything that is declared."""
    sets = {path: spec.file.get(path) for path in changed if top_of(path) not in spec.table.maps}
    for name in sorted(spec.table.maps):
        entries = [path for path in changed if top_of(path) == name]
        if entries:
            sets.update({path: spec.file.get(path) for path in entries})
            sets.update(_list_declared(spec, name))
    return sets


def _list_forced(
    spec: WriteSpec, live: LiveAssistant, sets: Mapping[str, Any], forced: Mapping[str, Any]
) -> tuple[FieldChange, ...]:
    """Return what a modify carries beside what is wanted: the protocol's own, then what the target always wants.

    Where the file says something of a field, or leaves it alone, the protocol's word does not count.
    """
    table = spec.table
    own = {
        name: FieldChange(name, live.fields.get(name, MISSING), value, Cause.FORCED, table.kind_of(name))
        for name, value in forced.items()
        if name not in sets and spec.file.get(name) is None and name not in spec.ignored
    }
    kept = {name for name in spec.always if table.has_secret(name, live.fields.get(name))}
    always = (_force_field(spec, live, name) for name in spec.always if name not in {*sets, *own, *kept})
    return (*own.values(), *always)


def _force_field(spec: WriteSpec, live: LiveAssistant, name: str) -> FieldChange:
    """Return a field that is only sent because the target wants it: the file's value, else the live one."""
    found = live.fields.get(name, MISSING)
    value = spec.file[name] if name in spec.file and name not in spec.ignored else live.fields.get(name)
    table = spec.table
    sent = table.clear_of(name) if value is None else value
    return FieldChange(name, found, sent, Cause.FORCED, table.kind_of(name))


def _list_declared(spec: WriteSpec, name: str) -> dict[str, Any]:
    """Return the declared, not ignored and not null entries of a map."""
    return {
        path: value
        for path, value in spec.file.items()
        if top_of(path) == name and path not in spec.ignored and value is not None
    }


def _make_operation(spec: WriteSpec, body: Mapping[str, Any], record: Record | None) -> str:
    """Return the operation's id: the same change of the same assistant has the same one on every machine."""
    identity = spec.identity
    after = [record.id, record.operation] if record else []
    where = [identity.project, identity.target, identity.protocol, identity.base_url, dict(identity.scope)]
    return digest([where, spec.name, body, spec.protect, after], OPERATION_DIGITS)


def _make_stamp(spec: WriteSpec, operation: str, fields: Mapping[str, Applied]) -> str:
    """Return the stamp's text; empty where the target's assistants are not stamped."""
    if not spec.stamped:
        return ""
    known = stamps.list_held_digests(fields, spec.table)
    identity = spec.identity
    stamp = Stamp(identity.project, identity.target, spec.name, operation, spec.protect, fields=known)
    return stamps.encode(stamp, spec.table.letters)
