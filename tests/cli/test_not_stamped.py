"""What is not stamped comes with the command that stamps it, which works."""

from __future__ import annotations

import shlex

import pytest

from tests.cli.place import Place


@pytest.fixture
def linked(place: Place) -> Place:
    """Two definitions, linked to live assistants that carry no stamp."""
    (place.root / ".trueup/local").mkdir(parents=True)
    for name in ("alpha", "beta"):
        place.ask("POST", "/assistants", {"model": "gpt-4.1", "name": name})
    assert place.run("import").code == 0
    return place


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
@pytest.mark.parametrize("command", ["plan", "drift"])
def test_it_says_what_to_do(linked: Place, command: str, form: str) -> None:
    said = linked.run(command, "--format", form).said
    assert "2 assistants do not have the stamp, a metadata entry by which Trueup finds an assistant" in said
    assert "trueup apply --stamp" in said


def test_what_is_printed_stamps_them(linked: Place) -> None:
    (line,) = (line for line in linked.run("plan").out.splitlines() if "with the next apply: " in line)
    words = shlex.split(line.split("with the next apply: ")[1])
    assert words == ["trueup", "apply", "--stamp"]
    assert linked.run(*words[1:], "--yes").code == 0
    after = linked.run("plan")
    assert "stamp" not in after.out
    assert all("trueup" in body["metadata"] for body in linked.live().values())


def test_a_limited_plan_stamps_what_it_is_limited_to(linked: Place) -> None:
    said = linked.run("plan", "team/").said
    assert "1 assistant does not have the stamp" in said
    assert "trueup apply team/ --stamp" in said
    assert linked.run("plan", "--stamp").out.count("do not carry") == 0


def test_what_has_no_room_for_a_stamp_is_named(place: Place) -> None:
    full = {f"key-{number}": "x" for number in range(16)}
    (place.root / ".trueup/local").mkdir(parents=True)
    for name in ("alpha", "beta"):
        place.ask("POST", "/assistants", {"model": "gpt-4.1", "name": name, "metadata": full})
    place.write("assistants/team/beta.yaml", "model: gpt-4.1\n")
    assert place.run("import").code == 0
    assert "no-room-for-stamp" not in place.run("plan").out
    for command in ("plan", "apply"):
        said = place.run(command, "--stamp").said
        assert "warning[no-room-for-stamp]: the metadata is full, so no stamp can be written: alpha, team/beta" in said
    assert "the metadata is full, so no stamp can be written: alpha Remove" in place.run(
        "plan", "alpha", "--stamp"
    ).said.replace("→ ", "")
