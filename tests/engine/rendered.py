"""The requests that a change stands for where nothing undeclared is live; what is repeated comes on top."""

from __future__ import annotations

from trueup.core.call import Call
from trueup.core.plans.plan import WRITES, Action, Change
from trueup.wire.base import Adapter, Live


def render(change: Change, adapter: Adapter) -> tuple[Call, ...]:
    """Return the requests of one change, in the order in which they are tried."""
    live = Live(change.id, {})
    if change.action not in WRITES:
        return ()
    if change.action is Action.CREATE:
        return (adapter.create(change.sets, change.stamp),)
    if change.action is Action.DELETE:
        return (adapter.remove(live),)
    if change.action is Action.RELEASE:
        return adapter.release(live)
    return (adapter.modify(live, change.sets, change.stamp),)
