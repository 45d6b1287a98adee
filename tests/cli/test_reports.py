"""What the page of an apply says where nothing was sent: that nothing had to be is only said where that is so."""

from __future__ import annotations

import re

import pytest

from tests.cli.place import Place

FORMS = ("markdown", "html", "github", "text")
NOT_NEEDED = "Nothing to send."


def _said(text: str) -> str:
    return " ".join(re.sub("<[^>]*>|`", "", text).split())


def _pages(place: Place, *words: str, code: int) -> dict[str, str]:
    """Return the report of an apply in each format, written by one run."""
    also = [part for form in FORMS for part in ("--also", f"{form}=report.{form}")]
    ran = place.run("apply", *words, "--format", "github", *also)
    assert ran.code == code, ran.out + ran.err
    return {form: _said((place.root / f"report.{form}").read_text("utf-8")) for form in FORMS}


def test_where_all_is_as_the_files_say_nothing_had_to_be_sent(place: Place) -> None:
    pages = _pages(place.applied(), "--yes", code=0)
    assert NOT_NEEDED in pages["markdown"]
    assert NOT_NEEDED in pages["html"]


def test_a_hand_s_edit_that_is_left_alone_wants_nothing_to_be_sent(place: Place) -> None:
    place.applied().poke("alpha", {"instructions": "by hand"})
    pages = _pages(place, "--yes", code=0)
    assert NOT_NEEDED in pages["markdown"]
    assert "Manual changes" in pages["markdown"] or "Manual decision required" in pages["markdown"]


@pytest.mark.parametrize("saved", [False, True])
def test_a_guard_that_refused_leaves_something_to_send(place: Place, saved: bool) -> None:
    """A stranger's find: one page said that a guard refused, and below that nothing had to be sent."""
    for number in range(9):
        place.write(f"assistants/many/a{number}.yaml", f"model: gpt-4.1\ninstructions: Say {number}.\n")
    place.applied()
    for number in range(9):
        place.replace(f"assistants/many/a{number}.yaml", "Say", "Tell")
    assert place.run("plan", "--out", "p.plan").code == 0
    pages = _pages(place, *(["p.plan"] if saved else ["--yes"]), code=4)
    for form, page in pages.items():
        assert NOT_NEEDED not in page, form
    assert "Nothing was sent. A guard requires an acknowledgement" in pages["markdown"]


def test_a_backup_that_cannot_be_written_leaves_something_to_send(place: Place) -> None:
    """A stranger's find: beside it stood that nothing had to be sent, and a path of the machine that ran."""
    place.applied()
    (place.root / "assistants/alpha.yaml").unlink()
    place.write(".trueup/backup", "not a folder")
    for form, page in _pages(place, "--prune", "--yes", code=1).items():
        assert NOT_NEEDED not in page, form
        assert str(place.root) not in page, form
    assert "alpha" in place.live()


def test_a_conflict_leaves_something_to_send(place: Place) -> None:
    place.applied().poke("alpha", {"temperature": 0.9})
    place.replace("assistants/alpha.yaml", "0.2", "0.3")
    pages = _pages(place, "--yes", code=3)
    assert NOT_NEEDED not in pages["markdown"]
    assert "Manual decision required" in pages["markdown"]
