"""Fills a verdict's requests in: the exact bodies, what they overwrite and what is remembered afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from trueup.core.call import Call
from trueup.core.canonical import Semantics, digest
from trueup.core.memory import stamp as stamps
from trueup.core.memory.stamp import KEY, Stamp
from trueup.core.memory.state import Applied, Identity, Record
from trueup.core.plans.fields import UNSENT
from trueup.core.plans.judge import Verdict
from trueup.core.plans.plan import MISSING, Cause, FieldChange
from trueup.core.plans.seen import Seen
from trueup.wire.base import Adapter

METADATA, RESOURCES = "metadata", "tool_resources"


@dataclass(frozen=True, slots=True)
class Order:
    """What one assistant is to become. `file` are its declared fields, `ignored` those that are never overwritten,
    `always` the top-level fields that this target wants in every modify."""

    name: str
    identity: Identity
    file: Mapping[str, Any]
    ignored: frozenset[str]
    protect: bool
    stamped: bool
    semantics: Semantics
    always: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """The calls of one change, the operation they carry and the record that follows.

    `forced` are the fields that are sent although nothing wants them changed.
    """

    calls: tuple[Call, ...]
    operation: str
    record: Record
    repeats: tuple[str, ...] = ()
    overwritten: Mapping[str, str] | None = None
    forced: tuple[FieldChange, ...] = ()


def create(order: Order, verdict: Verdict, adapter: Adapter) -> Request:
    """The one POST of a new assistant: every declared field that is not null, and the stamp."""
    body = order.semantics.table.join({name: value for name, value in order.file.items() if value is not None})
    operation = _operation(order, body, verdict.record)
    fields = stamps.about_to_send(order.file, order.semantics)
    if order.stamped:
        text = _stamp(order, operation, fields)
        body = {**body, METADATA: {**body.get(METADATA, {}), KEY: text}}
    record = Record(
        id="",
        operation=operation,
        protect=order.protect,
        stamped=order.stamped or None,
        fields=fields,
    )
    return Request((adapter.create(body),), operation, record)


def modify(order: Order, verdict: Verdict, adapter: Adapter) -> Request:
    """The one POST that sets what differs; a stamp alone when nothing does."""
    live, old = verdict.live, verdict.record
    assert live is not None
    assert old is not None
    changed = {change.path: change for change in verdict.fields if change.cause not in UNSENT}
    body, repeats = _changed_body(order, changed)
    own = adapter.forced(live.fields, body)
    body.update({name: value for name, value in own.items() if name in body and order.file.get(name) is None})
    forced = _beside(order, live, body, own)
    body.update({change.path: change.after for change in forced})
    operation = _operation(order, body, old)
    fields = stamps.about_to_send(order.file, order.semantics)
    carries = order.stamped and _has_room(order, live, changed, adapter)
    if carries:
        body[METADATA] = {**_declared(order, METADATA), KEY: _stamp(order, operation, fields)}
        body[METADATA] = {**_removed(order, changed), **body[METADATA]}
        repeats = tuple(sorted({*repeats, METADATA}))
    sent = {
        name: fields[name] for name in _sent_fields(body, order) if name in order.file and name not in order.ignored
    }
    return Request(
        calls=(adapter.modify(live.id, body),),
        operation=operation,
        record=remembered(order, verdict, operation, sent, stamped=True if carries else old.stamped),
        repeats=repeats,
        overwritten={name: digest(plain(live.fields.get(name))) for name in (*changed, *(f.path for f in forced))},
        forced=forced,
    )


def delete(verdict: Verdict, identity: Identity, name: str, adapter: Adapter) -> Request:
    """The one DELETE; it overwrites everything."""
    live, old = verdict.live, verdict.record
    assert live is not None
    assert old is not None
    content = {"delete": live.id, "after": old.operation, "name": name, "target": identity.target}
    overwritten = {field: digest(plain(value)) for field, value in live.fields.items()}
    return Request((adapter.delete(live.id),), digest(content, 16), old, overwritten=overwritten)


def release(verdict: Verdict, identity: Identity, name: str, adapter: Adapter) -> Request:
    """The write without our stamp; and, for a server that keeps the key, the one that says `released` in its place.

    Which of them is of use is known where the server was probed.
    """
    live, old = verdict.live, verdict.record
    assert live is not None
    assert old is not None
    content = {"release": live.id, "after": old.operation, "name": name, "target": identity.target}
    rules, said = adapter.dialect.semantics, {KEY: stamps.RELEASED}
    off: tuple[dict[str, str | None], ...] = ({KEY: None},) if rules.null_removes else ({},)
    entries = (said,) if rules.is_stuck(METADATA) else (*off, said)
    calls = tuple(adapter.modify(live.id, {METADATA: entry}) for entry in entries)
    return Request(calls, digest(content, 16), old, repeats=(METADATA,), overwritten={})


def remembered(
    order: Order, verdict: Verdict, operation: str, sent: Mapping[str, Applied], *, stamped: bool | None
) -> Record:
    """The record after a write or a record-only change: sent fields wait for the answer, the others are as planned."""
    live, old = verdict.live, verdict.record
    assert live is not None
    assert old is not None
    differing = {change.path: change.cause for change in verdict.fields}
    fields: dict[str, Applied] = {}
    for name, value in order.file.items():
        if name in sent:
            fields[name] = sent[name]
        elif name in order.ignored or differing.get(name) not in (None, *UNSENT):
            if name in old.fields:
                fields[name] = old.fields[name]
        elif differing.get(name) is None and name in old.fields and old.fields[name].sent is not None:
            fields[name] = old.fields[name]
        else:
            fields[name] = Applied(sent=digest(value), kept=digest(plain(live.fields.get(name))))
    return Record(
        id=live.id,
        created_at=live.created_at or old.created_at,
        operation=operation,
        protect=order.protect,
        stamped=stamped,
        partial=False,
        fields=fields,
    )


def record_only(order: Order, verdict: Verdict) -> Record:
    """The record when nothing is sent."""
    old = verdict.record
    assert old is not None
    record = remembered(order, verdict, old.operation, {}, stamped=old.stamped)
    live = verdict.live
    return replace(record, stamped=True) if live is not None and live.stamp is not None else record


def plain(value: Any) -> Any:
    """An absent field is digested as null."""
    return None if value is MISSING else value


def completed(call: Call, repeats: tuple[str, ...], live: Mapping[str, Any], gone: frozenset[str]) -> Call:
    """The call with the undeclared entries of the last read in the keys that a request must carry whole.

    `gone` names the fields that the change clears (`metadata.owner`); they are not repeated.
    """
    body = dict(call.json)
    for key in repeats:
        if key == METADATA:
            kept = {name: entry for name, entry in (live.get(key) or {}).items() if f"{key}.{name}" not in gone}
            body[key] = {**kept, **body[key]}
        else:
            body[key] = _merged_lists(live.get(key) or {}, body[key])
    return replace(call, json=body)


def _merged_lists(live: Mapping[str, Any], planned: Mapping[str, Any]) -> dict[str, Any]:
    """Resource lists: the planned ones, and every other list that is live and not empty."""
    merged: dict[str, Any] = {tool: dict(lists) for tool, lists in planned.items()}
    for tool, lists in live.items():
        for name, entry in (lists or {}).items():
            if entry:
                merged.setdefault(tool, {}).setdefault(name, entry)
    return merged


def _changed_body(order: Order, changed: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    body: dict[str, Any] = {}
    for name in changed:
        top = name.split(".", 1)[0]
        if top == name:
            value = order.file.get(name)
            body[name] = order.semantics.table.clear_of(name) if value is None else value
    repeats: list[str] = []
    if any(name.startswith(f"{METADATA}.") for name in changed):
        body[METADATA] = {**_removed(order, changed), **_declared(order, METADATA)}
        repeats.append(METADATA)  # right under either habit: a server that merged when it was probed may replace today
    if any(name.startswith(f"{RESOURCES}.") for name in changed):
        emptied = order.semantics.table.join({name: [] for name in changed if name.startswith(f"{RESOURCES}.")})
        body[RESOURCES] = _over(emptied.get(RESOURCES, {}), _declared(order, RESOURCES))
        repeats.append(RESOURCES)
    return body, tuple(repeats)


def _removed(order: Order, changed: Mapping[str, Any]) -> dict[str, None]:
    """The metadata keys that go, as null, where the server is known to take them away so."""
    if not order.semantics.null_removes:
        return {}
    gone = [name for name in changed if name.startswith(f"{METADATA}.") and order.file.get(name) is None]
    return dict.fromkeys(name.removeprefix(f"{METADATA}.") for name in gone)


def _beside(order: Order, live: Seen, body: Mapping[str, Any], forced: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """What a modify carries beside what is wanted: the protocol's own, then what the target always wants.

    Where the file says something of a field, or leaves it alone, the protocol's word does not count.
    """
    table = order.semantics.table
    own = {
        name: FieldChange(name, live.fields.get(name, MISSING), value, Cause.FORCED, table.kind_of(name))
        for name, value in forced.items()
        if name not in body and order.file.get(name) is None and name not in order.ignored
    }
    always = (_forced(order, live, name) for name in order.always if name not in body and name not in own)
    return (*own.values(), *always)


def _forced(order: Order, live: Seen, name: str) -> FieldChange:
    """A field that is only sent because the target wants it: the file's value, live's where the file has no say."""
    found = live.fields.get(name, MISSING)
    value = order.file[name] if name in order.file and name not in order.ignored else plain(found)
    table = order.semantics.table
    sent = table.clear_of(name) if value is None else value
    return FieldChange(name, found, sent, Cause.FORCED, table.kind_of(name))


def _over(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    return {tool: {**low.get(tool, {}), **high.get(tool, {})} for tool in {**low, **high}}


def _declared(order: Order, key: str) -> dict[str, Any]:
    """The declared, not ignored and not null entries of metadata or tool resources."""
    mine = {
        name: value
        for name, value in order.file.items()
        if name.startswith(f"{key}.") and name not in order.ignored and value is not None
    }
    entries: dict[str, Any] = order.semantics.table.join(mine).get(key, {})
    return entries


def _sent_fields(body: Mapping[str, Any], order: Order) -> set[str]:
    """The declared fields that a request sets; a declared null entry is set by its absence."""
    sent = {name for name in body if name not in (METADATA, RESOURCES)}
    for key in (METADATA, RESOURCES):
        if key in body:
            sent |= {name for name in order.file if name.startswith(f"{key}.") and name not in order.ignored}
    return sent


def _has_room(order: Order, live: Seen, changed: Mapping[str, Any], adapter: Adapter) -> bool:
    """Whether the stamp fits among the metadata pairs that will be there."""
    there = {name for name in live.fields if name.startswith(f"{METADATA}.")}
    gone = {name for name in changed if order.file.get(name) is None}
    wanted = {f"{METADATA}.{name}" for name in _declared(order, METADATA)}
    return len((there - gone) | wanted) < adapter.dialect.metadata_pairs


def _operation(order: Order, body: Mapping[str, Any], record: Record | None) -> str:
    """Derived, never random: the same change of the same assistant is the same operation on every machine."""
    identity = order.identity
    after = [record.id, record.operation] if record else []
    where = [identity.project, identity.target, identity.protocol, identity.base_url, dict(identity.scope)]
    return digest([where, order.name, body, order.protect, after], 16)


def _stamp(order: Order, operation: str, fields: Mapping[str, Applied]) -> str:
    known = stamps.held(fields, order.semantics)
    identity = order.identity
    stamp = Stamp(identity.project, identity.target, order.name, operation, order.protect, fields=known)
    return stamps.encode(stamp, order.semantics.table.letters)
