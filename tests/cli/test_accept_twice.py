"""What was accepted is the base of what comes next: a second accept edits cleanly, and a plan tells drift from an edit.

It is so only while the file holds what was accepted. What a person made of it since is merged as ever, and an accept
that was undone, or is another branch's, is no leave to overwrite what is live.
"""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from tests.cli.place import Place, run_git

GIT = shutil.which("git")


FIRST = {"instructions": "Say A, kindly.\nThen stop.\n", "temperature": 0.4, "metadata": {"owner": "ann"}}


SECOND = {"instructions": "Say A, sternly.\nThen stop.\n", "temperature": 0.6, "metadata": {"owner": "bob"}}


@pytest.fixture(params=["local", "file", "stamps"])
def applied(request: pytest.FixtureRequest, place: Place) -> Place:
    """Alpha applied: to the embedded server, and over HTTP with a state file and with stamps alone."""
    if request.param != "local":
        place = request.getfixturevalue("hosted")
        place.replace("trueup.yaml", "settle: 0", f"settle: 0, state: {request.param}")
    place.replace("assistants/alpha.yaml", "temperature", "metadata: {owner: al}\ntemperature")
    return place.applied()


def _poke(place: Place, **body: Any) -> None:
    """Change alpha outside of Trueup; its stamp stays."""
    if "metadata" in body:
        body["metadata"] = {**place.live()["alpha"]["metadata"], **body["metadata"]}
    place.poke("alpha", body)


def _accept(place: Place, *fields: str) -> str:
    ran = place.run("accept", "alpha", *fields)
    assert ran.code == 0, ran.out + ran.err
    return ran.out


def _file(place: Place) -> str:
    return (place.root / "assistants/alpha.yaml").read_text("utf-8")


def _changes(place: Place) -> dict[str, dict[str, str]]:
    """Return the cause of each field of a plan, by assistant."""
    changes = place.run("plan", "--json").json["plan"]["changes"]
    return {
        change["name"]: {
            field["path"]: field["cause"] for field in change.get("fields", []) if field["cause"] != "recorded"
        }
        for change in changes
        if change["action"] not in ("record", "stamp", "nothing")
    }


@pytest.mark.parametrize("committed", [None, "before", "after"])
def test_a_second_accept_is_a_clean_edit(applied: Place, committed: str | None) -> None:
    if committed is not None and GIT is None:
        pytest.skip("git is not installed")
    if committed is not None:
        run_git(applied.root, "init", "-q")
        run_git(applied.root, "add", "-A")
        run_git(applied.root, "commit", "-qm", "before")
    fields = ("instructions", "temperature", "metadata.owner")
    _poke(applied, **FIRST)
    _accept(applied, *fields)
    if committed == "after":
        run_git(applied.root, "commit", "-qam", "accepted")
    _poke(applied, **SECOND)
    said = _accept(applied)
    assert "conflict" not in said
    assert "<<<<<<<" not in _file(applied)
    assert "Say A, sternly." in _file(applied)
    assert "temperature: 0.6" in _file(applied)
    assert "owner: bob" in _file(applied)
    assert _changes(applied) == {}
    _poke(applied, instructions="Say A, at last.\nThen stop.\n")
    assert "<<<<<<<" not in _accept(applied) + _file(applied)
    assert applied.run("apply", "--yes").code == 0
    assert applied.run("plan", "--detailed-exitcode").code == 0
    _poke(applied, instructions="And after an apply.\nThen stop.\n")
    assert "<<<<<<<" not in _accept(applied) + _file(applied)


def test_what_changes_live_after_an_accept_is_drift_and_no_conflict(applied: Place) -> None:
    _poke(applied, temperature=0.4)
    _accept(applied, "temperature")
    assert applied.run("drift").code == 0
    assert applied.run("plan", "--detailed-exitcode").code in (0, 2), "where the stamps are the state they are written"
    _poke(applied, temperature=0.6)
    assert _changes(applied) == {"alpha": {"temperature": "drifted"}}
    assert applied.run("drift").code == 2
    applied.run("apply", "--yes")
    assert applied.live()["alpha"]["temperature"] == pytest.approx(0.6)
    assert applied.run("apply", "--yes", "--on-drift", "revert").code == 0
    assert applied.live()["alpha"]["temperature"] == pytest.approx(0.4)


def test_a_field_that_only_the_accept_declared_is_not_overwritten(applied: Place) -> None:
    _poke(applied, top_p=0.5)
    _accept(applied, "top_p")
    _poke(applied, top_p=0.9)
    assert _changes(applied) == {"alpha": {"top_p": "drifted"}}
    applied.run("apply", "--yes")
    assert applied.live()["alpha"]["top_p"] == pytest.approx(0.9)
    _accept(applied)
    assert "top_p: 0.9" in _file(applied)


@pytest.mark.skipif(GIT is None, reason="git is not installed")
def test_what_a_person_edited_in_between_is_merged_with_the_committed_accept(applied: Place) -> None:
    applied.replace("assistants/alpha.yaml", "  Then", "  Go on.\n  Then")
    applied.applied()
    run_git(applied.root, "init", "-q")
    _poke(applied, instructions="Say A, kindly.\nGo on.\nThen stop.\n")
    _accept(applied)
    run_git(applied.root, "add", "-A")
    run_git(applied.root, "commit", "-qm", "accepted")
    applied.replace("assistants/alpha.yaml", "Then stop.", "Then stop. Really.")
    _poke(applied, instructions="Say A, sternly.\nGo on.\nThen stop.\n")
    assert "merged with the file's own edit" in " ".join(_accept(applied).split())
    assert "  Say A, sternly.\n  Go on.\n  Then stop. Really.\n" in _file(applied)


def test_what_a_person_edited_in_between_stays_a_conflict(applied: Place) -> None:
    _poke(applied, temperature=0.4)
    _accept(applied)
    applied.replace("assistants/alpha.yaml", "temperature: 0.4", "temperature: 0.5")
    _poke(applied, temperature=0.6)
    assert _changes(applied) == {"alpha": {"temperature": "conflict"}}
    assert applied.run("accept", "alpha").code == 3
    assert "<<<<<<<" in _file(applied)
    assert "temperature: 0.5" in _file(applied)


def test_an_accept_that_was_undone_is_no_leave_to_overwrite(applied: Place) -> None:
    before = _file(applied)
    _poke(applied, temperature=0.4)
    _accept(applied)
    applied.write("assistants/alpha.yaml", before)
    assert _changes(applied) == {"alpha": {"temperature": "drifted"}}
    applied.run("apply", "--yes")
    assert applied.live()["alpha"]["temperature"] == pytest.approx(0.4)


def test_another_edit_in_its_place_is_a_conflict_as_ever(applied: Place) -> None:
    _poke(applied, temperature=0.4)
    _accept(applied)
    applied.replace("assistants/alpha.yaml", "temperature: 0.4", "temperature: 0.9")
    assert _changes(applied) == {"alpha": {"temperature": "conflict"}}
    assert applied.run("apply", "--yes").code == 3
    assert applied.live()["alpha"]["temperature"] == pytest.approx(0.4)


def test_an_apply_ends_what_was_accepted_before_it(applied: Place) -> None:
    before = _file(applied)
    _poke(applied, temperature=0.4)
    _accept(applied)
    accepted = _file(applied)
    applied.write("assistants/alpha.yaml", before)
    assert applied.run("apply", "--yes", "--on-drift", "revert").code == 0
    applied.write("assistants/alpha.yaml", accepted)
    assert _changes(applied) == {"alpha": {"temperature": "edited"}}


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff", b'{"digest_rules": 1, "assistants": {"alpha": {}}}'])
def test_without_its_memory_it_is_a_conflict_as_ever(place: Place, damage: bytes) -> None:
    place.applied()
    _poke(place, temperature=0.4)
    _accept(place)
    kept = place.root / ".trueup/local/local~accepted.journal"
    assert b"0.4" not in kept.read_bytes(), "digests alone"
    kept.write_bytes(damage)
    _poke(place, temperature=0.6)
    assert _changes(place) == {"alpha": {"temperature": "conflict"}}
    assert place.run("accept", "alpha").code == 3
    assert "<<<<<<<" in _file(place)
    place.replace("assistants/alpha.yaml", _file(place)[_file(place).index("<<<") :], "temperature: 0.5\n")
    _poke(place, temperature=0.5)
    assert _changes(place) == {}


def test_a_patch_remembers_nothing(place: Place) -> None:
    place.applied()
    _poke(place, temperature=0.4)
    before = place.files()
    assert place.run("accept", "alpha", "--patch").code == 0
    assert place.files() == before


def test_git_leaves_the_memory_alone(place: Place) -> None:
    place.applied()
    _poke(place, temperature=0.4)
    _accept(place)
    lines = (place.root / ".trueup/.gitignore").read_text("utf-8").split()
    assert "*.journal" in lines
