"""In every dialect: what is live becomes definitions that say it, sends nothing, and leaves nothing to plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.house import DIRECT, House, Way, house


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", DIRECT, ids=str)
@pytest.mark.parametrize("stamp", [True, False])
@pytest.mark.parametrize("moment", ["first", "second"])
def test_a_fleet_whose_files_and_state_are_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], way: Way, stamp: bool, moment: str
) -> None:
    with house(tmp_path, capsys, way, target={"stamp": stamp}) as made:
        made.put(moment)
        made.applies()
        exported = made.run("export", "-").json["assistants"]
        _lose(made)
        before = len(made.writes())
        ran = made.run("import")
        assert ran.code == 0, ran.out + ran.err
        assert ran.out.strip().endswith("Import: 2 written, 0 linked, 0 there already.")
        assert "!" not in ran.out
        assert len(made.writes()) == before
        made.rests()
        assert made.run("export", "-").json["assistants"] == exported


def _lose(made: House) -> None:
    """Remove every definition and the state."""
    for path in [*(made.root / "assistants").glob("*.*"), *(made.root / ".trueup").glob("*.state.json")]:
        path.unlink()
