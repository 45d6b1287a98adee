"""The whole way of a fleet, in every dialect there is, and behind every gateway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.contract.house import DEFINITIONS, GATEWAYS, ROWS, House, house
from trueup.local.openai_assistants.vendors import VENDORS

MOMENTS = ("first", "second")
CASES = [(dialect, gateway) for dialect in ROWS for gateway in GATEWAYS]


@pytest.fixture(params=CASES, ids=[f"{dialect}{'-behind-' + gateway if gateway else ''}" for dialect, gateway in CASES])
def placed(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[tuple[House, str]]:
    dialect, gateway = request.param
    with house(tmp_path, capsys, dialect, gateway) as made:
        yield made, dialect


def test_every_row_has_a_vendor_to_be_held_against_and_the_other_way_round() -> None:
    assert set(ROWS) == set(VENDORS) == {path.name for path in DEFINITIONS.iterdir()} - {"any"}


@pytest.mark.parametrize("dialect", ROWS)
def test_the_definitions_use_everything_that_the_row_holds(dialect: str) -> None:
    both = [yaml.safe_load((DEFINITIONS / dialect / f"{moment}.yaml").read_text("utf-8")) for moment in MOMENTS]
    row = ROWS[dialect]
    assert set().union(*both) == set(row.fields)
    tools = [tool if isinstance(tool, str) else tool["type"] for body in both for tool in body["tools"]]
    assert set(tools) == set(row.holds.kinds["tools"])
    formats = [body["response_format"] for body in both]
    assert {entry if isinstance(entry, str) else entry["type"] for entry in formats} <= set(
        row.holds.kinds["response_format"]
    )


@pytest.mark.exhaustive
def test_a_fleet_s_whole_life(placed: tuple[House, str]) -> None:
    made, dialect = placed
    valid = made.run("validate")
    assert valid.code == 0, valid.out
    first = made.applies()
    assert "did not keep" not in first.out + first.err
    sent = next(entry["json"] for entry in made.writes() if entry["json"]["name"] != "plain")
    assert set(sent) == set(yaml.safe_load((made.root / "assistants/math.yaml").read_text("utf-8")))
    assert set(made.live()) == {"Math Tutor é🎓", "plain"}

    made.put(dialect, "second")
    second = made.applies()
    assert "did not keep" not in second.out + second.err
    live = made.live()["Math Tutor"]
    assert (live["instructions"], live["temperature"], live["description"]) == ("Help by answers.", 2, None)
    assert {"owner": "al", "more": "2"}.items() <= live["metadata"].items()
    assert "stage" not in live["metadata"]

    made.poke("Math Tutor", {"instructions": "By hand.", "temperature": 0.5})
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
def test_fields_that_leave_the_file_are_cleared_once(placed: tuple[House, str]) -> None:
    made, _ = placed
    made.applies()
    made.write("assistants/math.yaml", "model: gpt-4o\n")
    made.applies()
    live = made.live()["math"]
    assert (live["description"], live["instructions"], live["tools"]) == (None, None, [])
    assert (live["temperature"], live["top_p"], live["response_format"]) == (1.0, 1.0, "auto")
    assert set(live["metadata"]) <= {"trueup"}
    assert live.get("file_ids", []) == []
    lists = live.get("tool_resources", {})
    assert [name for tool in lists.values() for name, entries in tool.items() if entries] == []


@pytest.mark.exhaustive
def test_a_move_to_a_reasoning_model_takes_the_sampling_along(placed: tuple[House, str]) -> None:
    made, _ = placed
    made.applies()
    made.write("assistants/math.yaml", "name: Math Tutor\nmodel: o3-mini\n")
    made.applies()
    live = made.live()["Math Tutor"]
    assert (live["model"], live["temperature"], live["top_p"]) == ("o3-mini", None, None)
    made.write("assistants/math.yaml", "name: Math Tutor\nmodel: gpt-4o\ntemperature: 0.3\n")
    made.applies()
    assert round(made.live()["Math Tutor"]["temperature"], 6) == 0.3


@pytest.mark.exhaustive
def test_a_fleet_of_more_than_a_page_is_seen_whole(placed: tuple[House, str]) -> None:
    made, _ = placed
    for number in range(101):
        made.write(f"assistants/many/{number:03d}.yaml", "model: gpt-4o\n")
    made.applies()
    assert len(made.run("state", "list", "--json").json["assistants"]) == 103
