"""What state holds, as text and as JSON: the map from names to ids, one record, and what a command changed of it.

Knows digests as opaque words. `schemas/list.schema.json` describes the JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from trueup.core.command import Command
from trueup.core.memory.state import Applied, Pending, Record
from trueup.core.memory.state_codec import record_value
from trueup.render.style import Look
from trueup.render.values import many
from trueup.render.visible import columns, visible

FORMAT_VERSION = 1

_LOOK = Look(False, 80)


def listing(records: Mapping[str, Record], pending: Mapping[str, Pending]) -> str:
    """A line for each assistant, name and id; what is unclear is said."""
    shown = {visible(name, _LOOK): visible(records[name].id, _LOOK) for name in sorted(records)}
    width = max(map(columns, shown), default=0)
    lines = [f"{name}{' ' * (width - columns(name))}  {live_id}" for name, live_id in shown.items()]
    lines += [f"{visible(name, _LOOK)}  {unclear(entry)}" for name, entry in sorted(pending.items())]
    return "".join(f"{line}\n" for line in lines) or "State holds no assistant.\n"


def listing_json(records: Mapping[str, Record], target: str) -> str:
    """The stable map from names to ids that applications read."""
    return _document("list", target=target, assistants={name: records[name].id for name in sorted(records)})


def record(name: str, record: Record | None, pending: Pending | None) -> str:
    """All that is remembered of one assistant."""
    lines = [visible(name, _LOOK)]
    if record is not None:
        facts = {
            "id": visible(record.id, _LOOK),
            "created": _day(record.created_at),
            "operation": record.operation or "none",
            "protected": "yes" if record.protect else "no",
            "stamped": {True: "yes", False: "sent, but not kept by the server", None: "no"}[record.stamped],
            "complete": "no: rebuilt from the stamp" if record.partial else "yes",
        }
        lines += [f"  {word:<11}{fact}" for word, fact in facts.items()]
        width = max((columns(visible(field, _LOOK)) for field in record.fields), default=0)
        lines.append(f"  {many(len(record.fields), 'field')} applied{':' if record.fields else ''}")
        lines += [
            f"    {visible(field, _LOOK):<{width}}  {_known(record.fields[field])}" for field in sorted(record.fields)
        ]
    if pending is not None:
        lines.append(f"  {unclear(pending)}")
    return "\n".join(lines) + "\n"


def record_json(name: str, record: Record | None, pending: Pending | None, target: str) -> str:
    """One record as state holds it; null where there is only an unclear request."""
    value = record_value(record) if record is not None else None
    waiting = {"action": pending.action, "since": pending.since} if pending is not None else None
    return _document("record", target=target, name=name, record=value, pending=waiting)


def changed_json(what: str, target: str, assistants: Mapping[str, str], **more: Any) -> str:
    """What a command did to state: `what` is linked, forgotten or rebuilt; `assistants` maps names to ids."""
    return _document("state-change", what=what, target=target, assistants=dict(assistants), **more)


def unclear(pending: Pending) -> str:
    """What is not known of a request."""
    return f"({pending.action} sent, outcome not known yet)"


def changed(word: str, assistants: Mapping[str, str], target: str, notes: Sequence[str] = ()) -> str:
    """Write a sentence for each assistant: `support/triage was linked to asst_… on prod`."""
    lines = [
        f"{visible(name, _LOOK)} was {word} {visible(live_id, _LOOK)} on {target}"
        for name, live_id in assistants.items()
    ]
    return "".join(f"{line}\n" for line in [*lines, *notes])


def forgotten(assistants: Mapping[str, str], pending: Mapping[str, Pending], target: str, plan: Command) -> str:
    """Write what `state rm` forgot: records, and requests of which only that they were sent was known.

    `plan` is the command that shows what became of these.
    """
    lines = [
        f"{visible(name, _LOOK)} was forgotten on {target}; its id was {visible(live_id, _LOOK)}, and nothing was sent"
        if live_id
        else f"{visible(name, _LOOK)}: the {pending[name].action} whose outcome is not known was forgotten on {target}."
        for name, live_id in sorted(assistants.items(), key=lambda item: not item[1])
    ]
    lines += [] if all(assistants.values()) else [f"To see what became of it: {plan}"]
    return "".join(f"{line}\n" for line in lines)


def name_ids(assistants: Mapping[str, str]) -> str:
    """Write names with the ids that are known: `triage (asst_…), quotes`."""
    return ", ".join(
        f"{visible(name, _LOOK)} ({visible(live_id, _LOOK)})" if live_id else visible(name, _LOOK)
        for name, live_id in assistants.items()
    )


def _day(seconds: int) -> str:
    """Unix seconds as a person reads them, in UTC."""
    if not 0 < seconds < 1 << 37:
        return "not known"
    return f"{datetime(1970, 1, 1) + timedelta(seconds=seconds)} UTC"


def _known(applied: Applied) -> str:
    if applied.sent is not None:
        return "kept as sent" if applied.kept == applied.sent else "kept otherwise" if applied.kept else "sent"
    return "as it was live" if applied.kept is not None else "from the stamp"


def _document(kind: str, **content: Any) -> str:
    document = {"format_version": FORMAT_VERSION, "kind": kind, **content}
    return json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n"
