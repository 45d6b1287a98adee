"""What state holds, as text and as JSON: the map from names to ids, one record, and what a command changed of it.

Knows digests as opaque words. `schemas/list.schema.json` describes the JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from trueup.core.command import Command
from trueup.core.memory.state import Applied, Pending, Record
from trueup.core.memory.state_codec import record_value
from trueup.render.records.documents import write_document
from trueup.render.style import Look
from trueup.render.values import pluralize
from trueup.render.visible import count_columns, make_visible

_LOOK = Look(False, 80)


def write_listing(records: Mapping[str, Record], pending: Mapping[str, Pending]) -> str:
    """Return a line for each assistant, name and id; what is unclear is said."""
    shown = {_show(name): _show(records[name].id) for name in sorted(records)}
    width = max(map(count_columns, shown), default=0)
    lines = [f"{name}{' ' * (width - count_columns(name))}  {live_id}" for name, live_id in shown.items()]
    lines += [f"{_show(name)}  {describe_pending(entry)}" for name, entry in sorted(pending.items())]
    return "".join(f"{line}\n" for line in lines) or "The state has no assistant.\n"


def write_listing_json(records: Mapping[str, Record], target: str) -> str:
    """Return the stable map from names to ids that applications read."""
    return write_document(
        "list", {"target": target, "assistants": {name: records[name].id for name in sorted(records)}}
    )


def write_record(name: str, record: Record | None, pending: Pending | None) -> str:
    """Return all that is remembered of one assistant."""
    lines = [_show(name)]
    if record is not None:
        facts = {
            "id": _show(record.id),
            "created": _write_time(record.created_at),
            "operation": record.operation or "none",
            "protected": "yes" if record.protect else "no",
            "stamped": {True: "yes", False: "sent, but not kept by the server", None: "no"}[record.stamped],
            "complete": "no: rebuilt from the stamp" if record.partial else "yes",
        }
        lines += [f"  {word:<11}{fact}" for word, fact in facts.items()]
        width = max((count_columns(_show(field)) for field in record.fields), default=0)
        lines.append(f"  {pluralize(len(record.fields), 'field')} applied{':' if record.fields else ''}")
        lines += [
            f"    {_show(field):<{width}}  {_describe_field(record.fields[field])}" for field in sorted(record.fields)
        ]
    if pending is not None:
        lines.append(f"  {describe_pending(pending)}")
    return "\n".join(lines) + "\n"


def write_record_json(name: str, record: Record | None, pending: Pending | None, target: str) -> str:
    """Return one record as state holds it; null where there is only an unclear request."""
    value = record_value(record) if record is not None else None
    waiting = {"action": pending.action, "since": pending.since} if pending is not None else None
    return write_document("record", {"target": target, "name": name, "record": value, "pending": waiting})


def write_change_json(what: str, target: str, assistants: Mapping[str, str], **more: Any) -> str:
    """Return what a command did to state: `what` is linked, forgotten or rebuilt; `assistants` maps names to ids."""
    return write_document("state-change", {"what": what, "target": target, "assistants": dict(assistants), **more})


def describe_pending(pending: Pending) -> str:
    """Return what is not known of a request."""
    return f"({pending.action} sent, outcome unknown)"


def write_change(word: str, assistants: Mapping[str, str], target: str, notes: Sequence[str] = ()) -> str:
    """Write a sentence for each assistant: `support/triage was linked to asst_… on prod`."""
    lines = [f"{_show(name)} was {word} {_show(live_id)} on {target}" for name, live_id in assistants.items()]
    return "".join(f"{line}\n" for line in [*lines, *notes])


def write_forgotten(assistants: Mapping[str, str], pending: Mapping[str, Pending], target: str, plan: Command) -> str:
    """Write what `state rm` forgot: records, and requests of which only that they were sent was known.

    `plan` is the command that shows what became of these.
    """
    lines = [
        f"{_show(name)} was forgotten on {target}; its id was {_show(live_id)}, and nothing was sent"
        if live_id
        else f"{_show(name)}: the {pending[name].action} with the unknown outcome was forgotten on {target}."
        for name, live_id in sorted(assistants.items(), key=lambda item: not item[1])
    ]
    lines += [] if all(assistants.values()) else [f"To check its outcome: {plan}"]
    return "".join(f"{line}\n" for line in lines)


def name_ids(assistants: Mapping[str, str]) -> str:
    """Write names with the ids that are known: `triage (asst_…), quotes`."""
    return ", ".join(
        f"{_show(name)} ({_show(live_id)})" if live_id else _show(name) for name, live_id in assistants.items()
    )


def _show(text: str) -> str:
    return make_visible(text, _LOOK)


def _write_time(seconds: int) -> str:
    """Return Unix seconds as a person reads them, in UTC."""
    if not 0 < seconds < 1 << 37:
        return "not known"
    return f"{datetime(1970, 1, 1) + timedelta(seconds=seconds)} UTC"


def _describe_field(applied: Applied) -> str:
    if applied.sent is not None:
        return "kept as sent" if applied.kept == applied.sent else "kept otherwise" if applied.kept else "sent"
    return "as it was live" if applied.kept is not None else "from the stamp"
