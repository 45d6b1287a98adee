"""No answer claims a success that its exit code denies: the last line counts what is left, and names the code."""

from __future__ import annotations

import json

import pytest

from tests.cli.place import Place
from tests.cli.test_formats import PAGES


@pytest.fixture
def blocked(place: Place) -> Place:
    """One in conflict, edited in the file and outside; nothing else to do."""
    place.applied().poke("alpha", {"temperature": 1.5})
    place.replace("assistants/alpha.yaml", "0.2", "0.3")
    return place


APPLIED = "Applied: 0 created, 0 modified, 0 deleted, 0 failed, 1 blocked (exit 3)."


@pytest.mark.parametrize("form", PAGES)
def test_an_apply_that_sends_nothing_counts_what_is_blocked(blocked: Place, form: str) -> None:
    ran = blocked.run("apply", "--yes", "--format", form, "--also", "json=report.json")
    assert ran.code == 3
    assert APPLIED in ran.out.replace("&#x27;", "'")
    assert json.loads((blocked.root / "report.json").read_text("utf-8"))["summary"] == APPLIED


def test_quiet_keeps_the_line(blocked: Place) -> None:
    assert blocked.run("apply", "--yes", "-q").summary == APPLIED


def test_an_apply_of_some_counts_the_rest(blocked: Place) -> None:
    blocked.replace("assistants/team/beta.yaml", "bea", "bob")
    ran = blocked.run("apply", "--yes")
    assert (ran.code, ran.summary) == (
        3, "Applied: 0 created, 1 modified, 0 deleted, 0 failed, 1 blocked (exit 3).",
    )  # fmt: skip


@pytest.mark.parametrize("form", PAGES)
def test_a_plan_has_the_code_that_was_asked_for(blocked: Place, form: str) -> None:
    line = "Plan: 0 to create, 0 to modify, 0 to delete, 0 drifted, 1 unchanged, 1 blocked"
    assert f"{line}." in blocked.run("plan", "--format", form).out
    ran = blocked.run("plan", "--detailed-exitcode", "--format", form)
    assert (ran.code, f"{line} (exit 3)." in ran.out) == (3, True)


@pytest.mark.parametrize("form", [*PAGES, "junit"])
def test_drift_has_its_code(blocked: Place, form: str) -> None:
    ran = blocked.run("drift", "--format", form)
    assert (ran.code, "Drift: 1 drifted, 0 deleted outside, 1 as applied (exit 2)." in ran.out) == (2, True)


@pytest.mark.parametrize("form", [*PAGES, "junit"])
def test_validate_has_its_code(place: Place, form: str) -> None:
    place.write("assistants/bad.yaml", "model: gpt-4.1\ntemprature: 1\n")
    ran = place.run("validate", "--format", form)
    assert (ran.code, "3 assistants checked for target local: 1 error (exit 1)." in ran.out) == (1, True)


def test_destroy_counts_what_is_protected(place: Place) -> None:
    place.write("assistants/alpha.yaml", "model: gpt-4.1\nlifecycle: {protect: true}\n")
    place.applied()
    ran = place.run("destroy", "--yes")
    assert (ran.code, ran.summary) == (
        4, "Applied: 0 created, 0 modified, 1 deleted, 0 failed, 1 blocked (exit 4).",
    )  # fmt: skip


def test_a_guard_that_refuses_counts_what_was_not_sent(place: Place) -> None:
    place.applied()
    ran = place.run("destroy", "--yes", "--json")
    assert ran.code == 4
    assert ran.json["summary"] == "Applied: 0 created, 0 modified, 0 deleted, 0 failed, 2 not sent (exit 4)."


NOT_SENT = "Applied: 0 created, 0 modified, 0 deleted, 0 failed, 2 not sent"


@pytest.mark.parametrize("flags", [(), ("-q",)])
def test_an_apply_that_nobody_confirms_ends_with_what_was_not_sent(place: Place, flags: tuple[str, ...]) -> None:
    ran = place.run("apply", *flags)
    assert (ran.code, ran.summary) == (1, f"{NOT_SENT} (exit 1).")


@pytest.mark.parametrize("flags", [(), ("-q",)])
def test_an_apply_that_a_guard_refuses_ends_with_what_was_not_sent(place: Place, flags: tuple[str, ...]) -> None:
    ran = place.applied().run("destroy", "--yes", *flags)
    assert (ran.code, ran.summary) == (4, f"{NOT_SENT} (exit 4).")


def test_accept_and_import_have_their_codes(blocked: Place) -> None:
    ran = blocked.run("accept", "alpha")
    assert (ran.code, ran.summary) == (3, "Accept: 0 taken, 0 merged, 0 the same already, 1 in conflict (exit 3).")
    blocked.write("broken.json", "{")
    blocked.write("one.json", json.dumps({"object": "assistant", "id": "asst_9", "model": "m", "name": "Nine"}))
    blocked.write("assistants/alpha.yaml", "model: gpt-4.1\n")
    ran = blocked.run("import", "--from", "one.json", "--from", "broken.json", "--json")
    assert (ran.code, ran.json["summary"]) == (3, "Import: 1 written, 0 linked, 0 there already, 1 left out (exit 3).")


def test_drift_that_is_reverted_reports_what_was_deleted_outside(place: Place) -> None:
    place.write("trueup.yaml", "targets:\n  local: {base_url: local, on_drift: revert}\n")
    place.applied().remove("alpha")
    ran = place.run("drift")
    assert (ran.code, ran.summary) == (2, "Drift: 0 drifted, 1 deleted outside, 1 as applied (exit 2).")
    assert "! alpha  drifted: was deleted outside" in ran.out
    assert [item["name"] for item in place.run("drift", "--json").json["seen"]] == ["alpha"]
