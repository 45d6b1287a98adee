"""What a person does from the command line, told once and walked through in every protocol of the registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.house import DIRECT, House, Way, house
from trueup.wire.registry import protocols

FIRST = [next(way for way in DIRECT if way.protocol == protocol) for protocol in protocols()]
"""One way for each protocol."""


@pytest.fixture(params=FIRST, ids=lambda way: way.protocol)
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    return found


@pytest.fixture
def made(way: Way, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[House]:
    """Make a fleet that is applied."""
    with house(tmp_path, capsys, way) as found:
        found.put("second")
        found.applies()
        yield found


def note(made: House, name: str) -> dict[str, object]:
    """Write at the vendor what no file declares; return what must be there from now on."""
    unsaid = made.way.spoken.unsaid(2)
    made.poke(name, {**unsaid, "metadata": {**made.live()[name]["metadata"], "note": "n"}})
    return unsaid


def test_a_manual_change_is_drift_and_is_accepted_into_its_file(made: House) -> None:
    spoken = made.way.spoken
    tools = [*made.live()["Math Tutor"]["tools"], spoken.function("look_up", "Finds a parcel.")]
    change = {"instructions": "By hand.\nTwo lines.", spoken.scalar: spoken.values[0], "tools": tools}
    made.poke("Math Tutor", change)
    drift = made.run("drift")
    assert drift.code == 2, drift.out + drift.err
    assert "Two lines." in drift.out
    before = len(made.writes())
    ran = made.run("accept", "math")
    assert ran.code == 0, ran.out + ran.err
    text = (made.root / "assistants/math.yaml").read_text("utf-8")
    assert "Two lines." in text
    assert "Finds a parcel." in text
    assert len(made.writes()) == before
    made.rests()


def test_a_saved_plan_outlives_what_it_does_not_touch_and_is_refused_where_it_would_overwrite(made: House) -> None:
    made.replace("assistants/plain.yaml", "Be plain.", "Be plainer.")
    assert made.run("plan", "--out", "change.plan").code == 0
    unsaid = note(made, "plain")
    ran = made.run("apply", "change.plan", "--yes")
    assert ran.code == 0, ran.out + ran.err
    live = made.live()["plain"]
    assert (live["instructions"], live["metadata"]["note"]) == ("Be plainer.", "n")
    assert {**live, **unsaid} == live
    made.rests()

    made.replace("assistants/plain.yaml", "Be plainer.", "Be very plain.")
    assert made.run("plan", "--out", "change.plan").code == 0
    made.poke("plain", {"instructions": "By hand."})
    ran = made.run("apply", "change.plan", "--yes")
    assert ran.code == 3, ran.out + ran.err
    assert made.live()["plain"]["instructions"] == "By hand."


def test_the_stamps_are_state_enough(way: Way, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with house(tmp_path, capsys, way, target={"state": "stamps"}) as made:
        made.applies()
        assert not (made.root / ".trueup/prod.state.json").exists()
        made.put("second")
        made.applies()
        note(made, "plain")
        made.rests()
        made.poke("Math Tutor", {way.spoken.scalar: way.spoken.values[0]})
        assert made.run("drift").code == 2
        made.applies("--on-drift", "revert")


def test_an_export_imports_into_another_folder_and_the_first_plan_is_empty(made: House) -> None:
    exported = made.run("export", "-").json["assistants"]
    made.run("export", "live.json")
    for path in [*(made.root / "assistants").glob("*.*"), made.root / ".trueup/prod.state.json"]:
        path.unlink()
    ran = made.run("import", "--from", "live.json")
    assert ran.code == 0, ran.out + ran.err
    before = len(made.writes())
    ran = made.run("state", "rebuild")
    assert ran.code == 0, ran.out + ran.err
    assert len(made.writes()) == before
    made.rests()
    assert made.run("export", "-").json["assistants"] == exported


@pytest.mark.parametrize("page", ["markdown", "html", "github", "json"])
def test_every_page_shows_a_change_in_the_protocol_s_own_fields(made: House, page: str) -> None:
    spoken = made.way.spoken
    made.replace("assistants/plain.yaml", "Be plain.", f"Be plainer.\n{spoken.scalar}: {spoken.values[1]}")
    ran = made.run("plan", "--also", f"{page}=page")
    assert ran.code == 0, ran.out + ran.err
    text = (made.root / "page").read_text("utf-8")
    assert "plain" in text
    assert spoken.scalar in text or page == "github"


def test_what_leaves_the_files_is_cleared_and_a_destroy_leaves_nothing(made: House) -> None:
    made.write("assistants/math.yaml", "model: gpt-4o\n")
    ran = made.applies()
    assert "did not keep" not in ran.out + ran.err
    live = made.live()["math"]
    assert (live["instructions"], live["tools"], set(live["metadata"])) == (None, [], {"trueup"})
    destroyed = made.run("destroy", "--yes")
    assert destroyed.code == 0, destroyed.out + destroyed.err
    assert made.live() == {}
