"""A line in `moved` whose both names have an assistant of their own: nothing is renamed and no twin is named.

The rows themselves are the cases `moved-onto-another*` among the golden plans.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from tests.engine.world import World, definition, fleet
from trueup.core.errors import Exit, worst
from trueup.core.plans.plan import Action, Options, Plan, Reason
from trueup.engine.facts import DesiredState

pytestmark = pytest.mark.usefixtures("protocol")


@dataclass
class Some(World):
    """A world in which a plan can be about some names only."""

    selected: frozenset[str] | None = None

    def desired(self, options: Options) -> DesiredState:
        return replace(super().desired(options), selected=self.selected)


@pytest.fixture
def world() -> Some:
    """`old` and `new` were applied; then the file of `old` went, and `moved` says that it is `new`."""
    made = Some()
    made.definitions = fleet(definition("old"), definition("new"), definition("other"))
    made.apply()
    made.definitions = fleet(definition("new"), definition("other"))
    made.moved = {"old": "new"}
    return made


def rows(plan: Plan) -> dict[str, tuple[Action, Reason]]:
    return {change.name: (change.action, change.reason) for change in plan.changes}


HELD = {"old": (Action.HELD, Reason.RENAME)}


@pytest.mark.parametrize(
    ("selected", "expected"),
    [(None, HELD), ({"new"}, HELD), ({"old"}, HELD), ({"new", "other"}, HELD), ({"other"}, {})],
)
def test_it_is_told_wherever_one_of_the_two_is_meant(
    world: Some, selected: set[str] | None, expected: dict[str, tuple[Action, Reason]]
) -> None:
    world.selected = frozenset(selected) if selected is not None else None
    assert rows(world.plan()) == expected


def test_no_twin_is_named_and_nothing_is_written(world: Some) -> None:
    before = world.live()
    world.calls.clear()
    report = world.apply(prune=True)
    assert worst(report.codes) is Exit.HELD
    assert (world.live(), world.writes) == (before, [])
    (change,) = report.plan.changes
    assert (change.id, change.others) == (world.id_of("old"), ("new",))
    assert world.id_of("new") in change.message
    assert "twin" not in change.message + change.hint


def test_the_way_on_that_is_told_leads_on(world: Some) -> None:
    kept = world.id_of("new"), world.id_of("other")
    assert "Remove `old: new` from `moved`" in world.plan().changes[0].hint
    world.moved = {}
    assert rows(world.plan()) == {"old": (Action.ORPHAN, Reason.ORPHANED)}
    world.apply(prune=True, accepted_ids=(world.id_of("old"),))
    assert tuple(sorted(world.live())) == tuple(sorted(kept))
    assert world.plan().changes == ()


def test_destroy_deletes_both(world: Some) -> None:
    assert {name: action for name, (action, _) in rows(world.plan(destroy=True)).items()} == dict.fromkeys(
        ("old", "new", "other"), Action.DELETE
    )


def test_one_that_only_its_stamp_tells_of_is_a_twin_by_the_old_name(world: Some) -> None:
    lost = world.id_of("old")
    state = world.state()
    world.save(replace(state, records={name: kept for name, kept in state.records.items() if name != "old"}))
    plan = world.plan()
    (change,) = plan.changes
    assert (change.name, change.action, change.others, change.moved_from) == ("new", Action.NOTHING, (lost,), "")
    assert f"the same stamp, or that of old, which `moved` renames to new: {lost}" in change.message


def test_where_the_other_one_is_gone_nothing_is_moved_either(world: Some) -> None:
    world.remove(world.id_of("new"))
    assert rows(world.plan()) == {**HELD, "new": (Action.HELD, Reason.DELETED_OUTSIDE)}


def test_where_the_old_one_is_gone_it_is_forgotten(world: Some) -> None:
    world.remove(world.id_of("old"))
    assert rows(world.plan()) == {"old": (Action.FORGET, Reason.GONE)}
