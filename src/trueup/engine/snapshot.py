"""An export in the place of what is live: the view that a refresh would have had at that moment. Sends nothing.

Knows no file. What state has recorded since is not in it, and is told as unread, never as deleted.
"""

from __future__ import annotations

from dataclasses import replace

from trueup.core.command import Command, Message
from trueup.core.field_table import FieldTable
from trueup.core.memory.state import State
from trueup.core.migration.export import Export, moment
from trueup.core.plans.plan import Action, Change, Plan, Reason
from trueup.engine.refresh import View
from trueup.wire.base import Live

TOO_YOUNG = "was created after the snapshot was taken, which cannot tell of it"
OUT_OF_STEP = "state and the snapshot are of different moments"


def view_of(export: Export, state: State, table: FieldTable) -> View:
    """What was live at the moment of the export; of what it lacks, only what is older than it counts as absent."""
    view = View(pages=1)
    for entry in export.assistants:
        stamp = table.read_stamp(entry.body)
        view.live[entry.id] = Live(entry.id, entry.body, entry.created_at, entry.version, entry.extra, stamp=stamp)
        view.read_at[entry.id] = 0.0
    for record in state.records.values():
        if record.id and record.id not in view.live:
            (view.unread if record.created_at > export.exported_at else view.absent).add(record.id)
    return view


def marked(plan: Plan, export: Export, again: Command) -> Plan:
    """The plan as one of that moment; what only comes of its age says so. `again` makes a newer snapshot."""
    hint = Message("Look at what is live now, or make a newer snapshot: ", again)
    changes = tuple(_reworded(change, hint) for change in plan.changes)
    return replace(plan, snapshot=moment(export.exported_at), changes=changes)


def _reworded(change: Change, hint: Message) -> Change:
    if change.action is Action.UNREAD:
        return replace(change, message=TOO_YOUNG, hint=hint)
    if change.reason is Reason.BEHIND and change.action is Action.HELD:
        return replace(change, message=OUT_OF_STEP, hint=hint)
    return change
