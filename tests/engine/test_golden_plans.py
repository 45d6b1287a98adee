"""Every row of the contract's two tables as a folder of data: the plan, the exact requests, the exit codes.

`TRUEUP_REGOLD=1` writes the goldens anew; what changed is then read against the contract before it is committed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.engine.cases import Case, Story, codes, listing, options_of, read, requests
from trueup.core.plans.plan import WRITES

ROOT = Path(__file__).parent.parent / "golden" / "plan"
FOLDERS = sorted(path.parent for path in ROOT.glob("*/case.yaml"))
REGOLD = os.environ.get("TRUEUP_REGOLD") == "1"


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request: pytest.FixtureRequest) -> Path:
    """One case after the other."""
    path: Path = request.param
    return path


def _told(case: Case) -> tuple[dict[str, str], Story]:
    """Return what the case gives as the golden files' texts, and the world after both applies."""
    story = Story.of(case)
    world, options = story.world, options_of(case)
    plan = world.plan(**options)
    assert not world.writes, "a plan wrote"
    first = world.apply(**options)
    sent = requests(world)
    world.calls.clear()
    again = world.plan(**options)
    second = world.apply(**options)
    texts = {"plan.txt": listing(case, plan), "calls.json": sent, "codes.txt": codes(first, second, again)}
    writing = [change.name for change in again.changes if change.action in WRITES]
    if not case.again:
        assert writing == [], "the plan after an apply has writes"
        assert world.writes == [], "the apply after an apply wrote"
    else:
        assert writing or world.writes, f"the second run is empty after all, so this does not hold: {case.again}"
    return texts, story


def test_case(folder: Path) -> None:
    texts, _ = _told(read(folder))
    for name, text in texts.items():
        path = folder / name
        if REGOLD:
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text, f"{folder.name}/{name} differs (TRUEUP_REGOLD=1 rewrites)"


@pytest.mark.exhaustive
def test_a_case_tells_the_same_every_time(folder: Path) -> None:
    case = read(folder)
    assert _told(case)[0] == _told(case)[0]


def test_there_are_cases_and_each_has_an_about_of_its_own() -> None:
    abouts = [read(folder).about for folder in FOLDERS]
    assert len(abouts) >= 60
    assert len(set(abouts)) == len(abouts)
    assert all("\n" not in about and about.endswith(".") for about in abouts)


def test_every_golden_has_its_case() -> None:
    stray = [path for path in ROOT.iterdir() if not (path / "case.yaml").is_file()]
    assert stray == []
    for folder in FOLDERS:
        assert sorted(path.name for path in folder.iterdir()) == ["calls.json", "case.yaml", "codes.txt", "plan.txt"]


def test_no_request_carries_what_a_person_put_there() -> None:
    """Undeclared metadata keys are repeated, never changed: each that was live is sent back as it was."""
    case = read(ROOT / "metadata-key-edited-beside-foreign-keys")
    texts, _ = _told(case)
    (call,) = json.loads(texts["calls.json"])
    assert call["json"]["metadata"]["by-hand"] == "kept"
