"""Two branches apply to one target, and their state files conflict: the printed commands lead back to an empty plan."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable

import pytest

from tests.cli.place import Place, run_git

GIT = shutil.which("git")


STATE = ".trueup/prod.state.json"


pytestmark = pytest.mark.skipif(GIT is None, reason="git is not installed")


def _commit(place: Place) -> None:
    run_git(place.root, "add", "-A")
    run_git(place.root, "commit", "-qm", "work")


def _branch(place: Place, name: str, change: Callable[[Place], None]) -> None:
    """Make a branch that starts at main, applies a change to the one target there is, and commits its state."""
    run_git(place.root, "checkout", "-q", "-b", name, "main")
    change(place)
    ran = place.run("apply", "--yes")
    assert ran.code in (0, 3), ran.out + ran.err
    _commit(place)


def _printed(text: str) -> list[list[str]]:
    """Return the commands on lines of their own, as somebody pastes them."""
    lines = [line.strip().removesuffix(".") for line in text.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith(("git ", "trueup "))]


def _follow(place: Place, text: str) -> list[str]:
    """Run the commands that a message prints, as they stand."""
    commands = _printed(text)
    assert commands, text
    outs = []
    for program, *words in commands:
        if program == "git":
            outs.append(run_git(place.root, *words))
        else:
            ran = place.run(*words)
            assert ran.code == 0, ran.out + ran.err
            outs.append(ran.out)
    return outs


def _started(place: Place, default: str = "prod") -> Place:
    text = (place.root / "trueup.yaml").read_text("utf-8")
    place.write("trueup.yaml", f"default_target: {default}\n{text}  other: {{base_url: local}}\n")
    run_git(place.root, "init", "-qb", "main")
    assert place.run("apply", "--yes", "-t", "prod").code == 0
    _commit(place)
    return place


def _ours(place: Place) -> None:
    place.replace("assistants/alpha.yaml", "Say A.", "Say AA.")
    place.write("assistants/gamma.yaml", "model: gpt-4.1\nmetadata: {owner: ours}\n")


def _theirs(place: Place) -> None:
    place.replace("assistants/team/beta.yaml", "Say B.", "Say BB.")
    place.replace("assistants/team/beta.yaml", "owner: bea", "owner: ben")
    place.write("assistants/delta.yaml", "model: gpt-4.1\nmetadata: {owner: theirs}\n")


def _merge(place: Place, into: str, other: str) -> None:
    run_git(place.root, "checkout", "-q", into)
    run_git(place.root, "merge", "-q", other, code=1)
    assert "<<<<<<<" in (place.root / STATE).read_text("utf-8")
    status = run_git(place.root, "status", "--short").splitlines()
    assert [line for line in status if line[:2] in ("AA", "UU", "AU", "UA")] in (
        [f"UU {STATE}"],
        [f"AA {STATE}"],
    ), status


@pytest.mark.parametrize(("into", "other"), [("ours", "theirs"), ("theirs", "ours")])
def test_the_hint_for_conflict_markers_leads_to_an_empty_plan(hosted: Place, into: str, other: str) -> None:
    place = _started(hosted)
    _branch(place, "ours", _ours)
    _branch(place, "theirs", _theirs)
    _merge(place, into, other)
    refused = place.run("plan")
    assert refused.code == 4
    said = _follow(place, refused.err)
    stale = {"ours": "team/beta", "theirs": "alpha"}[into]
    assert f"Another checkout had applied since this state was written: {stale}." in " ".join(said[-1].split())
    plan = place.run("plan", "--detailed-exitcode")
    assert plan.code == 0, plan.out
    assert plan.summary.startswith("Plan: 0 to create, 0 to modify, 0 to delete, 0 drifted, 4 unchanged")
    assert (
        place.run("state", "rebuild").out
        == "Nothing to rebuild on prod: every assistant with a stamp of shop/prod already has its record.\n"
    )
    writes = len(place.live())
    assert place.run("apply", "--yes").code == 0
    assert len(place.live()) == writes == 4
    assert place.run("drift").code == 0


def test_the_hint_names_the_target_where_it_is_not_the_default(hosted: Place) -> None:
    place = _started(hosted, default="other")
    place.write(STATE, "<<<<<<< ours\n")
    refused = place.run("plan", "-t", "prod")
    assert _printed(refused.err)[-1] == ["trueup", "state", "rebuild", "-t", "prod"]


def test_a_rename_of_the_other_side_is_rebuilt_under_its_new_name(hosted: Place) -> None:
    def rename(place: Place) -> None:
        (place.root / "assistants/alpha.yaml").rename(place.root / "assistants/first.yaml")
        place.replace("assistants/first.yaml", "model:", "name: alpha\nmodel:")
        text = (place.root / "trueup.yaml").read_text("utf-8")
        place.write("trueup.yaml", f"moved: {{alpha: first}}\n{text}")

    place = _started(hosted)
    _branch(place, "renaming", rename)
    live_id = place.live()["alpha"]["id"]
    run_git(place.root, "checkout", "main", "--", STATE)
    ran = place.run("state", "rebuild")
    assert f"first was rebuilt as {live_id} on prod\n" in ran.out
    assert "alpha" not in place.run("state", "list", "--json").json["assistants"]
    assert place.run("plan", "--detailed-exitcode").code == 0


def test_a_manual_change_is_not_taken_for_what_the_other_side_applied(hosted: Place) -> None:
    place = _started(hosted)
    _branch(place, "theirs", _theirs)
    place.poke("beta", {"instructions": "By hand."})
    run_git(place.root, "checkout", "main", "--", STATE)
    assert "team/beta" in place.run("state", "rebuild").out
    assert place.run("plan", "--detailed-exitcode").code == 3
    place.run("apply", "--yes")
    assert place.live()["beta"]["instructions"] == "By hand."


def test_what_is_up_to_date_keeps_all_that_its_record_knows(hosted: Place) -> None:
    place = _started(hosted)
    before = (place.root / STATE).read_bytes()
    assert place.run("state", "rebuild").code == 0
    assert (place.root / STATE).read_bytes() == before


def test_an_assistant_that_the_other_side_made_anew_is_found_under_its_new_id(hosted: Place) -> None:
    place = _started(hosted)
    place.remove("alpha")
    refused = place.run("apply", "--yes", "--on-drift", "revert")
    assert refused.code == 0, refused.err
    made = place.live()["alpha"]["id"]
    run_git(place.root, "checkout", "main", "--", STATE)
    assert place.run("state", "rebuild").out.startswith(f"alpha was rebuilt as {made} on prod\n")
    assert place.run("plan", "--detailed-exitcode").code == 0


def test_of_two_that_carry_the_stamp_the_recorded_one_is_rebuilt_and_the_other_named(hosted: Place) -> None:
    place = _started(hosted)
    _branch(place, "theirs", _theirs)
    recorded = place.live()["beta"]
    copy = {key: recorded[key] for key in ("model", "name", "instructions", "metadata")}
    other = place.ask("POST", "/assistants", copy)["id"]
    run_git(place.root, "checkout", "main", "--", STATE)
    ran = place.run("state", "rebuild")
    assert ran.code == 3
    assert f"team/beta was rebuilt as {recorded['id']} on prod\n" in ran.out
    assert f"team/beta: has a live duplicate with the same stamp: {other}." in ran.out
