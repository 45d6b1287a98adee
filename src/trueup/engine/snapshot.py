"""An export in the place of what is live: the view that a refresh would have had at that moment. Sends nothing.

Knows no file. What state has recorded since is not in it, and is told as unread, never as deleted.
"""

from __future__ import annotations

from dataclasses import replace

from trueup.core.memory.state import State
from trueup.core.migration.export import Export, moment
from trueup.core.plans.plan import Action, Change, Plan, Reason
from trueup.engine.refresh import View
from trueup.wire.base import Live

TOO_YOUNG = "was created after the snapshot was taken, which cannot tell of it"
OUT_OF_STEP = "state and the snapshot are of different moments"
NEWER = "Make a newer snapshot with `trueup export FILE`, or leave --snapshot out."


def view_of(export: Export, state: State) -> View:
    """What was live at the moment of the export; of what it lacks, only what is older than it counts as absent."""
    view = View(pages=1)
    for entry in export.assistants:
        view.live[entry.id] = Live(entry.id, entry.body, entry.created_at, entry.version, entry.extra)
        view.read_at[entry.id] = 0.0
    for record in state.records.values():
        if record.id and record.id not in view.live:
            (view.unread if record.created_at > export.exported_at else view.absent).add(record.id)
    return view


def marked(plan: Plan, export: Export) -> Plan:
    """The plan as one of that moment; what only comes of its age says so."""
    return replace(plan, snapshot=moment(export.exported_at), changes=tuple(map(_reworded, plan.changes)))


def _reworded(change: Change) -> Change:
    if change.action is Action.UNREAD:
        return replace(change, message=TOO_YOUNG, hint=NEWER)
    if change.reason is Reason.BEHIND and change.action is Action.HELD:
        return replace(change, message=OUT_OF_STEP, hint=NEWER)
    return change
