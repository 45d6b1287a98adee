"""The line that a guard asks for, and an --ack that is unused.

Property: the printed line, run as it stands, does what the plan that was shown says.
"""

from __future__ import annotations

import shlex

import pytest

from tests.cli.place import Place
from tests.ran import Ran

TWO = "default_target: one\ntargets: {one: {base_url: local}, two: {base_url: local}}\n"


def _line(ran: Ran) -> list[str]:
    """Return the arguments of the command to use."""
    return shlex.split(next(text for text in ran.err.splitlines() if text.startswith("  trueup ")))[1:]


def _many(place: Place) -> Place:
    place.write("trueup.yaml", TWO)
    place.write("assistants/team/beta.yaml", "model: gpt-4.1\nmetadata: {owner: {var: owner}}\n")
    for number in range(4):
        place.write(f"assistants/old/n{number}.yaml", "model: gpt-4.1\n")
    assert place.run("apply", "--yes", "-t", "two", "--var", "owner=bea").code == 0
    for number in range(4):
        (place.root / f"assistants/old/n{number}.yaml").unlink()
    return place


@pytest.mark.parametrize("names", [(), ("old/*", "alpha")])
@pytest.mark.parametrize("out", ["", "change.plan"])
def test_the_line_to_use_does_what_was_planned(place: Place, names: tuple[str, ...], out: str) -> None:
    flags = ["-t", "two", "--prune", "--var", "owner=bea o'neill", "--on-drift", "revert"]
    ran = _many(place).run("plan", *names, *flags, *(["--out", out] if out else []))
    line = _line(ran)
    assert (line[1] == out) == bool(out)
    assert place.run(*line).code == (0 if out else 1), "without a plan file there is nobody here to ask"
    ran = place.run(*line, "--yes")
    assert ran.code == 0, ran.err
    assert len(place.live()) == 2
    owner = "bea o'neill" if not names else "bea"
    assert place.live()["beta"]["metadata"]["owner"] == owner


def test_a_refusal_prints_the_line_too(place: Place) -> None:
    ran = _many(place).run("apply", "-t", "two", "--yes", "--prune", "--var", "owner=bea")
    assert ran.code == 4
    assert place.run(*_line(ran)).code == 0
    assert len(place.live()) == 2
    ran = place.run("destroy", "-t", "two", "--yes", "--var", "owner=bea")
    assert ran.code == 4
    assert place.run(*_line(ran)).code == 0
    assert place.live() == {}


def test_a_plan_file_that_a_guard_refuses_is_in_the_line(place: Place) -> None:
    _many(place).run("plan", "-t", "two", "--prune", "--var", "owner=bea", "--out", "change.plan")
    ran = place.run("apply", "change.plan", "--prune", "--var", "owner=bea")
    assert ran.code == 4
    assert place.run(*_line(ran)).code == 0


@pytest.mark.parametrize("ack", ["abc", "0123456789abcdef", "asst_of_nobody"])
def test_an_ack_that_acknowledges_nothing_is_noted(place: Place, ack: str) -> None:
    for command in (["plan"], ["apply", "--yes"], ["plan"]):
        ran = place.run(*command, "--ack", ack)
        assert ran.code == 0
        assert f"--ack {ack} is unused" in ran.err


def test_an_ack_that_is_used_draws_no_remark(place: Place) -> None:
    digest = place.run("plan", "--json").json["digest"]
    assert place.run("plan", "--ack", digest[:16]).err == ""
    place.ask("POST", "/assistants", {"model": "gpt-4.1", "name": "alpha"})
    live_id = place.live()["alpha"]["id"]
    assert place.run("plan", "--ack", live_id).err == ""


def test_a_page_names_no_folder_of_the_machine_that_wrote_it(place: Place) -> None:
    _many(place)
    root = str(place.root)
    flags = ["-C", root, "-t", "two", "--var", "owner=bea", "--format", "markdown"]
    ran = place.run("plan", *flags, "--prune", "--out", f"{root}/kept.plan")
    assert "To go on: `trueup apply kept.plan" in ran.out
    assert root not in ran.out
    assert root in ran.err, "at the terminal the line can be pasted as it is"
    refused = place.run("apply", f"{root}/kept.plan", *flags, "--prune")
    assert refused.code == 4
    assert "To go on: `trueup apply kept.plan" in refused.out
    assert root not in refused.out
    place.write("broken.plan", "{")
    broken = place.run("show", f"{root}/broken.plan", "-C", root, "--format", "markdown")
    assert broken.code != 0
    assert root not in broken.out
    assert "broken.plan" in broken.out
