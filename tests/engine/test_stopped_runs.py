"""An apply that has to stop, for its disk or its credential takes no more, tells of every change what became of it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.engine.world import World, code, definition, fleet, results
from tests.protocols import current
from trueup.core.call import Call, Reply
from trueup.core.errors import CredentialError, Exit, TrueupError
from trueup.core.memory.journal import Entry
from trueup.core.plans.plan import WRITES, Action
from trueup.core.plans.report import Outcome, Report, Result
from trueup.engine.apply import STOPPED, report_unsent

pytestmark = pytest.mark.usefixtures("protocol")

FULL = TrueupError("The journal could not be written: no space left on device.", "Make room.")
UNBACKED = TrueupError("The backup could not be written: no space left on device.", "Make room.")


@dataclass
class Failing(World):
    """A world whose journal takes so many lines (None: all), its backups none, or its credential so many writes."""

    lines: int | None = None
    backs_up: bool = True
    posts: int | None = None

    async def journal(self, entry: Entry) -> None:
        if self.lines is not None and len(self.journal_lines) >= self.lines:
            raise FULL
        await super().journal(entry)

    def backup(self, name: str, kind: str, body: object) -> None:
        if not self.backs_up:
            raise UNBACKED
        super().backup(name, kind, body)

    async def send(self, call: Call) -> Reply:
        if self.posts is not None and call.method != "GET" and len(self.writes) >= self.posts:
            raise CredentialError("The token command failed.", "Log in.")
        return await super().send(call)

    def heal(self) -> None:
        self.lines, self.backs_up, self.posts = None, True, None


def _busy() -> Failing:
    """Three to create, three to modify, one of them over drift, and one to delete."""
    names = ("keep", "mod1", "mod2", "mod3", "gone")
    world = Failing(definitions=fleet(*(definition(name, instructions="old") for name in names)))
    world.apply()
    world.edit(world.id_of("mod2"), instructions="by hand")
    fresh = [definition(name, instructions="new") for name in ("mod1", "mod2", "mod3", "add1", "add2", "add3")]
    world.definitions = fleet(definition("keep", instructions="old"), *fresh)
    world.calls.clear()
    return world


def _stopped(world: Failing) -> tuple[Report, set[str]]:
    """Check an apply that stopped: each change has its outcome, and it is true. Return the names without a request."""
    ids = {record.id: name for name, record in world.state().records.items()}
    report = world.apply(prune=True, on_drift="revert")
    wanted = {change.name for change in report.plan.changes if change.action in WRITES}
    assert wanted == {"mod1", "mod2", "mod3", "add1", "add2", "add3", "gone"}
    assert results(report).keys() == wanted
    assert code(report) is Exit.ERROR
    assert report.problems
    made = {call.json["name"] for call in world.writes if call.path == current().path}
    sent = made | {ids[call.path.rsplit("/", 1)[1]] for call in world.writes if call.path != current().path}
    return report, wanted - sent


def _skipped(report: Report) -> set[str]:
    skipped = [outcome for outcome in report.outcomes if outcome.result is Result.SKIPPED]
    assert {outcome.message for outcome in skipped} <= {STOPPED}
    return {outcome.name for outcome in skipped}


def _mended(world: Failing) -> None:
    """Check that the next apply goes on where this one stopped, and that the one after it has nothing to do."""
    world.heal()
    assert code(world.apply(prune=True, on_drift="revert")) is Exit.OK
    names = sorted(body["name"] for body in world.live().values())
    assert names == ["add1", "add2", "add3", "keep", "mod1", "mod2", "mod3"]
    world.calls.clear()
    assert code(world.apply(prune=True, on_drift="revert")) is Exit.OK
    assert world.writes == []


@pytest.mark.parametrize("parallelism", [1, 8])
@pytest.mark.parametrize("lines", range(14))
def test_a_journal_that_takes_no_more_leaves_nothing_untold(lines: int, parallelism: int) -> None:
    """A stranger's find: what was planned and not sent was in no line and in no count."""
    world = _busy().with_target(parallelism=parallelism)
    assert isinstance(world, Failing)
    world.lines = lines
    report, left = _stopped(world)
    assert _skipped(report) == left
    assert len(world.entries()) <= lines
    _mended(world)


@pytest.mark.parametrize("parallelism", [1, 8])
def test_a_backup_that_cannot_be_written_leaves_nothing_untold(parallelism: int) -> None:
    world = _busy().with_target(parallelism=parallelism)
    assert isinstance(world, Failing)
    world.backs_up = False
    report, left = _stopped(world)
    assert _skipped(report) == left >= {"mod2", "gone"}
    assert world.live()[world.id_of("mod2")]["instructions"] == "by hand"
    _mended(world)


@pytest.mark.parametrize("parallelism", [1, 8])
@pytest.mark.parametrize("posts", range(7))
def test_a_credential_that_ends_half_way_leaves_nothing_untold(posts: int, parallelism: int) -> None:
    """What has its line in the journal, and no end of it there, is told as unclear: the next run looks for it."""
    world = _busy().with_target(parallelism=parallelism)
    assert isinstance(world, Failing)
    world.posts = posts
    report, left = _stopped(world)
    unclear = {outcome.name: outcome for outcome in report.outcomes if outcome.result is Result.UNKNOWN}
    assert unclear.keys() == world.state().pending.keys()
    assert _skipped(report) | unclear.keys() == left
    assert all(outcome.hint for outcome in unclear.values())
    assert Exit.PARTIAL in report.codes
    _mended(world)


def test_what_was_told_before_the_run_keeps_its_word() -> None:
    world = _busy()
    promised = world.plan(prune=True, on_drift="revert")
    world.edit(world.id_of("mod1"), instructions="by another hand")
    world.lines = 2
    report = world.apply(promised, prune=True, on_drift="revert")
    assert results(report)["mod1"] == Result.REFUSED.value
    assert _skipped(report) == {"add3", "mod2", "mod3", "gone"}


def test_a_plan_whose_state_cannot_be_kept_is_told_as_unsent_as_a_whole() -> None:
    world = _busy()
    plan = world.plan(prune=True, on_drift="revert")
    refused = Outcome("held", Action.MODIFY, Result.REFUSED)
    report = report_unsent(plan, FULL, world.runner(world.ports()), (refused,), 2)
    assert _skipped(report) == {change.name for change in plan.changes if change.action in WRITES}
    assert [outcome.name for outcome in report.outcomes] == sorted(results(report))
    assert {*report.codes} == {Exit.ERROR, Exit.HELD}
    assert report.problems == (f"{FULL.message} {FULL.hint}",)
    assert report.only_fresh == 2
