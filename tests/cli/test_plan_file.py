"""Where a plan file may be written, and what is said of a file that is none.

Property: `plan --out` overwrites nothing but an older plan.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from tests.cli.place import Place


@pytest.mark.parametrize(
    ("out", "words"),
    [(".", "trueup plan --out change.plan"),
     ("assistants", "is for other files"), ("assistants/alpha.yaml", "is for other files"),
     ("assistants/new.plan", "is for other files"), (".trueup/local/local.state.json", "is for other files"),
     (".trueup/new.plan", "is for other files"), ("docs/../.trueup/new.plan", "is for other files"),
     ("trueup.yaml", "is not a plan"), ("notes.json", "is not a plan"), ("/dev/null", "is not a plain file"),
     ("docs", "is a folder"), ("gone/new.plan", "there is no folder")],
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
@pytest.mark.parametrize("name", ["saved.plan", "saved.json", "sub/saved.PLAN"])
def test_a_file_that_is_no_plan_is_said_to_be_none(place: Place, name: str, text: str) -> None:
    place.write(name, text)
    ran = place.run("apply", name)
    assert ran.code == 1
    assert "plan" in ran.err
    assert "No assistant matches" not in ran.err


@pytest.mark.parametrize("text", ["", "{}", "hello", '{"changes": []}'])
@pytest.mark.parametrize("name", ["saved", "./saved"])
def test_another_file_without_that_ending_is_no_plan(place: Place, name: str, text: str) -> None:
    place.write("saved", text)
    ran = place.run("apply", "--yes", name)
    assert (ran.code, "No assistant matches" in ran.err) == (1, True)


def _planned(place: Place, name: str) -> Place:
    """All applied, then both edited, and the plan of both in a file of that name."""
    place.applied()
    place.replace("assistants/alpha.yaml", "Say A.", "Tell A.")
    place.replace("assistants/team/beta.yaml", "Say B.", "Tell B.")
    assert place.run("plan", "--out", name).code == 0
    return place


def test_a_bare_name_is_an_assistant_s_whatever_is_in_the_file(place: Place) -> None:
    """A stranger's find: a saved plan called like an assistant was applied, all of it and without a question."""
    _planned(place, "alpha")
    ran = place.run("apply", "alpha")
    assert (ran.code, "Confirmation required" in " ".join(ran.err.split())) == (1, True)
    assert "alpha is read as a NAME. To apply the plan in the file alpha: trueup apply ./alpha" in " ".join(
        ran.err.split()
    )
    assert place.live()["beta"]["instructions"] == "Say B."
    assert place.run("apply", "alpha", "--yes").code == 0
    assert place.live()["beta"]["instructions"] == "Say B.", "it was not asked for"
    assert place.run("apply", "./alpha").code == 0
    assert place.live()["beta"]["instructions"] == "Tell B."


def test_a_plan_is_found_by_the_way_to_it(place: Place) -> None:
    _planned(place, "change")
    bare = place.run("apply", "change")
    assert (bare.code, "No assistant matches" in bare.err) == (1, True)
    assert "./change" in bare.err, "the way on"
    ran = place.run("apply", str(place.root / "change"))
    assert ran.code == 0
    assert "2 modified" in ran.out


@pytest.mark.parametrize("name", ["change.plan", "change.JSON", "./change"])
def test_the_first_line_names_the_plan_that_is_applied(place: Place, name: str) -> None:
    _planned(place, name)
    ran = place.run("apply", name)
    shown = " ".join(ran.out.split())
    assert shown.startswith(f"Applying the plan file {name} to local: 0 to create, 2 to modify, 0 to delete, ")
    again = place.run("apply", name, "--format", "markdown")
    assert again.out.startswith("<!-- trueup:")
    assert again.err.startswith(f"Applying the plan file {name} to local: ")
    as_json = place.run("apply", name, "--json")
    assert as_json.json["kind"] == "report"
    assert "Applying" not in place.run("apply", name, "-q").out


def test_a_guard_s_line_names_the_plan_so_that_it_is_taken_for_one(place: Place) -> None:
    for number in range(9):
        place.write(f"assistants/many/a{number}.yaml", f"model: gpt-4.1\ninstructions: Say {number}.\n")
    place.applied()
    for number in range(9):
        place.replace(f"assistants/many/a{number}.yaml", "Say", "Tell")
    ran = place.run("plan", "--out", "change")
    line = next(text for text in ran.err.splitlines() if text.startswith("  trueup "))
    assert line.startswith("  trueup apply ./change ")
    assert place.run(*shlex.split(line)[1:]).code == 0


def test_a_pipe_is_not_drained_to_see_whether_it_is_a_plan(place: Place) -> None:
    os.mkfifo(place.root / "pipe")
    ran = place.run("apply", "./pipe")
    assert (ran.code, "No assistant matches" in ran.err) == (1, True)


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
