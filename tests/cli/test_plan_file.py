"""Where a plan file may be written, and what is said of a file that is none.

Property: `plan --out` overwrites nothing but an older plan.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.place import Place


@pytest.mark.parametrize(
    ("out", "words"),
    [(".", "for --out"), ("assistants", "is for other files"), ("assistants/alpha.yaml", "is for other files"),
     ("assistants/new.plan", "is for other files"), (".trueup/local/local.state.json", "is for other files"),
     (".trueup/new.plan", "is for other files"), ("docs/../.trueup/new.plan", "is for other files"),
     ("trueup.yaml", "is no plan"), ("notes.json", "is no plan"), ("/dev/null", "is no plan"), ("docs", "is a folder"),
     ("gone/new.plan", "there is no folder")],
)  # fmt: skip
def test_a_plan_overwrites_nothing_else(place: Place, out: str, words: str) -> None:
    place.applied()
    place.write("trueup.yaml", "project: local\n")
    place.write("notes.json", '{"changes": []}\n')
    (place.root / "docs").mkdir()
    before = place.files()
    ran = place.run("plan", "--out", out)
    assert (ran.code, ran.out) == (1, "")
    assert words in " ".join(ran.err.split())
    assert place.files() == before
    assert not Path("/dev/null").is_file()


def test_an_older_plan_and_an_empty_file_make_room(place: Place) -> None:
    place.write("change.plan", "")
    assert place.run("plan", "--out", "change.plan").code == 0
    first = (place.root / "change.plan").read_bytes()
    place.replace("assistants/alpha.yaml", "0.2", "0.3")
    assert place.run("plan", "--out", "change.plan").code == 0
    assert (place.root / "change.plan").read_bytes() != first
    assert place.run("apply", "change.plan").code == 0
    assert place.run("plan", "--out", "change.plan").code == 0, "a plan without changes is one too"
    assert place.run("plan", "--out", "change.plan").code == 0


def test_a_link_to_another_file_is_left_alone(place: Place) -> None:
    place.write("notes.txt", "mine\n")
    (place.root / "change.plan").symlink_to("notes.txt")
    assert place.run("plan", "--out", "change.plan").code == 1
    assert (place.root / "change.plan").is_symlink()


@pytest.mark.parametrize("text", ["", "null\n", "{}", "[]", "hello", "\x00"])
def test_a_file_that_is_no_plan_is_said_to_be_none(place: Place, text: str) -> None:
    place.write("saved", text)
    ran = place.run("apply", "saved")
    assert ran.code == 1
    assert "plan" in ran.err
    assert "No assistant matches" not in ran.err


def test_a_name_wins_over_a_file_of_no_plan(place: Place) -> None:
    place.write("alpha", "some notes\n")
    ran = place.run("apply", "--yes", "alpha")
    assert ran.code == 0, ran.err
    assert list(place.live()) == ["alpha"]


def test_a_part_is_no_plan_whatever_its_ending(place: Place) -> None:
    place.write("assistants/_shared/look.json", '{"type": "function", "function": {"name": "look"}}')
    place.write("assistants/alpha.yaml", "model: gpt-4.1\ntools: [{file: _shared/look.json}]\n")
    ran = place.run("apply", "--yes", "assistants/_shared/look.json")
    assert ran.code == 0, ran.err
    assert list(place.live()) == ["alpha"]
