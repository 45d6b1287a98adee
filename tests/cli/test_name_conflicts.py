"""Two assistants with the same name: no message reads as if an id were the name, and what it prints works."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.cli.place import Place


@pytest.fixture
def taken(place: Place) -> tuple[Place, str]:
    """Return a project where an unmanaged assistant has the display name of a definition, and its id."""
    (place.root / ".trueup/local").mkdir(parents=True)
    return place, str(place.ask("POST", "/assistants", {"model": "gpt-4.1", "name": "alpha"})["id"])


def test_the_conflict_names_the_id_as_an_id(taken: tuple[Place, str]) -> None:
    place, live_id = taken
    ran = place.run("plan", "--detailed-exitcode")
    assert ran.code == 3
    assert f"! alpha blocked: an unmanaged assistant with the same name is already live ({live_id})" in ran.said
    assert f"To manage it: trueup import alpha={live_id}\n" in ran.out
    assert f"To create a second one: trueup apply alpha --ack {live_id}" in ran.said


@pytest.mark.parametrize("way", ["To manage it: ", "To create a second one: "])
def test_each_way_that_is_printed_works(taken: tuple[Place, str], way: str) -> None:
    place, _ = taken
    found = re.search(r"\s+".join([*way.split(), "(trueup .*)"]), place.run("plan").out)
    assert found is not None
    words = found[1]
    assert place.run(*shlex.split(words)[1:], *(["--yes"] if " apply " in f" {words} " else [])).code == 0
    assert place.run("plan", "alpha", "--detailed-exitcode").summary.count("blocked") == 0


def test_several_of_one_name_are_each_offered(taken: tuple[Place, str]) -> None:
    place, first = taken
    second = place.ask("POST", "/assistants", {"model": "gpt-4.1", "name": "alpha"})["id"]
    said = place.run("plan").said
    assert f"is already live ({first}, {second})" in said
    assert f"trueup import alpha={first} or trueup import alpha={second}" in said
    assert f"trueup apply alpha --ack {first} --ack {second}" in said


def test_an_import_that_cannot_tell_names_ids_and_the_name_apart(taken: tuple[Place, str]) -> None:
    place, first = taken
    second = place.ask("POST", "/assistants", {"model": "gpt-4.1", "name": "alpha"})["id"]
    ran = place.run("import")
    assert ran.code == 3
    assert f"! The definition alpha and the live assistants {first}, {second} have the same name, alpha." in ran.said
