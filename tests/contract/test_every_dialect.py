"""The whole way of a fleet, in every dialect of every protocol, and behind every gateway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.house import DEFINITIONS, DIRECT, WAYS, House, Way, house
from tests.protocols import protocol_of
from trueup.core.canonical import canonical, same
from trueup.core.field_table import Kind
from trueup.wire.base import Dialect
from trueup.wire.registry import dialects, protocols

MOMENTS = ("first", "second")
Body = dict[str, Any]


@pytest.fixture(params=WAYS, ids=str)
def made(request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[House]:
    with house(tmp_path, capsys, request.param) as found:
        yield found


def body_of(way: Way, moment: str) -> Body:
    """Return what the definition of a moment says, as it is written."""
    found: Body = yaml.safe_load((way.definitions / f"{moment}.yaml").read_text("utf-8"))
    return found


def uncleared(row: Dialect, live: Body) -> list[str]:
    """Return the fields that are not as if nothing had ever been said of them, but for name, model and stamp."""
    values = {name: value for name, value in row.table.split(live).items() if row.table.field_of(name)}
    for name in ("name", "model", row.table.stamp):
        values.pop(name, None)
    return [name for name, value in values.items() if not is_default(row, name, value)]


def is_default(row: Dialect, name: str, value: Any) -> bool:
    """Whether a field's value is what its absence means; only the server knows some of them."""
    table, field = row.table, row.table.field_of(name)
    is_same = same(canonical(name, value, row.table), canonical(name, table.default_of(name), row.table))
    return is_same or (field is not None and field.resolved) or (table.kind_of(name) is Kind.MAP and not value)


@pytest.mark.parametrize("protocol", protocols())
def test_every_row_has_a_vendor_to_be_held_against_and_the_other_way_round(protocol: str) -> None:
    rows = {name for name, row in dialects(protocol).items() if row.embedded}
    assert rows == set(protocol_of(protocol).server.vendors)
    assert rows == {path.name for path in (DEFINITIONS / protocol).iterdir()}


@pytest.mark.parametrize("way", DIRECT, ids=str)
def test_the_definitions_use_everything_that_the_row_holds(way: Way) -> None:
    both = [body_of(way, moment) for moment in MOMENTS]
    assert set().union(*both) == set(way.row.fields)
    for field, kinds in way.row.holds.kinds.items():
        values = [body[field] for body in both if field in body]
        entries = [entry for value in values for entry in (value if isinstance(value, list) else [value])]
        used = {entry if isinstance(entry, str) else entry["type"] for entry in entries}
        assert used <= set(kinds)
        assert used == set(kinds) or field != way.row.table.tools


@pytest.mark.exhaustive
def test_a_fleet_s_whole_life(made: House) -> None:
    valid = made.run("validate")
    assert valid.code == 0, valid.out
    first = made.applies()
    assert "did not keep" not in first.out + first.err
    sent = next(entry["json"] for entry in made.writes() if entry["json"]["name"] != "plain")
    assert set(sent) == set(yaml.safe_load((made.root / "assistants/math.yaml").read_text("utf-8")))
    assert set(made.live()) == {"Math Tutor é🎓", "plain"}

    made.put("second")
    second = made.applies()
    assert "did not keep" not in second.out + second.err
    live, wanted = made.live()["Math Tutor"], body_of(made.way, "second")
    scalar = made.way.spoken.scalar
    assert (live["instructions"], live[scalar]) == ("Help by answers.", wanted[scalar])
    for left in set(body_of(made.way, "first")) - set(wanted):
        assert is_default(made.way.row, left, live[left]), left
    assert {"owner": "al", "more": "2"}.items() <= live["metadata"].items()
    assert "stage" not in live["metadata"]

    made.poke("Math Tutor", {"instructions": "By hand.", scalar: made.way.spoken.values[0]})
    drift = made.run("drift")
    assert drift.code == 2, drift.out
    assert "By hand." in drift.out
    held = made.run("apply", "--yes")
    assert made.live()["Math Tutor"]["instructions"] == "By hand.", held.out
    made.applies("--on-drift", "revert")
    assert made.live()["Math Tutor"]["instructions"] == "Help by answers."

    made.run("state", "rm", "math", "plain")
    assert made.run("state", "rebuild").code == 0
    made.rests()

    destroyed = made.run("destroy", "--yes")
    assert destroyed.code == 0, destroyed.out + destroyed.err
    assert made.live() == {}


@pytest.mark.exhaustive
def test_fields_that_leave_the_file_are_cleared_once(made: House) -> None:
    made.applies()
    assert len(uncleared(made.way.row, made.live()["Math Tutor é🎓"])) > 5
    made.write("assistants/math.yaml", "model: gpt-4o\n")
    made.applies()
    assert uncleared(made.way.row, made.live()["math"]) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", [way for way in WAYS if way.row.reasoning], ids=str)
def test_a_move_to_a_reasoning_model_takes_the_sampling_along(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], way: Way
) -> None:
    with house(tmp_path, capsys, way) as made:
        _move_to_a_reasoning_model(made)


def _move_to_a_reasoning_model(made: House) -> None:
    made.applies()
    made.write("assistants/math.yaml", "name: Math Tutor\nmodel: o3-mini\n")
    made.applies()
    live = made.live()["Math Tutor"]
    assert (live["model"], live["temperature"], live["top_p"]) == ("o3-mini", None, None)
    made.write("assistants/math.yaml", "name: Math Tutor\nmodel: gpt-4o\ntemperature: 0.3\n")
    made.applies()
    assert round(made.live()["Math Tutor"]["temperature"], 6) == 0.3


@pytest.mark.exhaustive
def test_a_fleet_of_more_than_a_page_is_seen_whole(made: House) -> None:
    for number in range(101):
        made.write(f"assistants/many/{number:03d}.yaml", "model: gpt-4o\n")
    made.applies()
    assert len(made.run("state", "list", "--json").json["assistants"]) == 103
