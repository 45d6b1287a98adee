"""Memory: what is sent is remembered before, what was created is remembered after, and what others wrote is left alone.

Looks at what a power cut would leave; changes nothing.
"""

from __future__ import annotations

from tests.simulation.checkout import Checkout, OnDisk
from tests.simulation.twins import Twins
from tests.simulation.watch import Told, stamp_of
from trueup.core.call import Call
from trueup.core.errors import StateError
from trueup.core.plans.plan import Reason
from trueup.local.faults import Kind


class Memory(Twins):
    """The part of the oracle that looks at what is remembered."""

    def check_sent(self, who: Checkout, call: Call) -> None:
        """Check that a write's intent, and the backup of what it deletes, are on the platter before it leaves."""
        if call.method == "GET":
            return
        for run in self.at_once:
            if run.who is who and run.planned_until is None:
                run.planned_until = len(self.vendor.shown)
        if not isinstance(who, OnDisk):
            return
        safe = who.disk.safe_files()
        if call.method == "DELETE":
            live_id = call.path.rsplit("/", 1)[1]
            if not any("/backup/" in path and live_id in path for path in safe):
                raise self.broken(f"{live_id} is deleted without a backup that is safe from a power cut")
        journal = safe.get(str(who.store.journal_path.relative_to(who.root)), b"")
        stamp = stamp_of(call)
        if stamp is not None and f'"operation":"{stamp.operation}"'.encode() not in journal:
            raise self.broken(f"{call.method} {call.path} of {stamp.name} leaves without a safe line in the journal")

    def behind(self, who: Checkout) -> frozenset[str]:
        """Return the recorded ids whose live stamp is of no operation that this checkout knows."""
        if who.target.state == "stamps":
            return frozenset()
        state, live = who.state(), self.vendor.live()
        found = set()
        for name, record in state.records.items():
            stamp = self.vendor.protocol.stamp_of(live[record.id]) if record.id in live else None
            waiting = state.pending.get(name)
            known = {record.operation, waiting.operation if waiting else ""}
            if stamp is not None and record.operation and stamp.operation not in known:
                found.add(record.id)
        return frozenset(found)

    def check_behind(self, told: Told) -> None:
        """Where nobody but us applied, nothing looks as if another checkout had."""
        changes = told.report.plan.changes if told.report else ()
        behind = [change for change in changes if change.reason is Reason.BEHIND]
        if not behind or self.writers > 1 or self.other_memory or self.ahead:
            return
        repeated = any(entry.fault == Kind.REPEAT.value for entry in told.who.faults.log)
        stale = all(self.was_shown_old(change.id) for change in behind)  # to this run, or to one that remembered it
        if not (repeated or stale or self.had_twins()):
            raise self.broken(f"{[change.name for change in behind]} look as if another checkout had applied")

    def check_memory(self, told: Told) -> None:
        """Check that the state can be read and holds every create that this run sent and that was not refused."""
        try:
            state = told.who.state()
        except StateError as error:
            raise self.broken(f"the memory cannot be read: {error.message} {error.hint}") from None
        if told.who.target.state == "stamps":
            return
        known = {record.operation for record in state.records.values()}
        known |= {entry.operation for entry in state.pending.values()}
        ids = {record.id for record in state.records.values()}
        live = self.vendor.live()
        for call in told.writes:
            stamp = stamp_of(call) if call.path == self.vendor.protocol.path else None
            if stamp is None or stamp.operation in known:
                continue
            made = [birth for birth in self.vendor.births.values() if birth.operation == stamp.operation]
            mine = {b.id for b in made if b.by == told.who.label and b.asked_at >= told.began and b.id in live}
            if mine - ids and not self.twins():
                raise self.broken(f"{stamp.name} was created as {mine}, and nothing remembers it")
