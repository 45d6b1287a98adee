"""An apply that its disk stops says of each change that it was not sent: in text, as JSON and on the pages."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.place import Place
from trueup.edge import files
from trueup.edge.state.journal_file import Journal
from trueup.edge.state.store import Store
from trueup.engine.apply import STOPPED

ALL = {"alpha", "team/beta"}
FORMS = ("json", "markdown", "html")


def _stopped(place: Place, *flags: str) -> tuple[str, dict[str, str]]:
    """Run an apply that ends with exit code 1; return its text, and what it writes in each other format."""
    also = [part for form in FORMS for part in ("--also", f"{form}={form}.out")]
    ran = place.run("apply", "--yes", *flags, *also)
    assert ran.code == 1, ran.out + ran.err
    assert "Traceback" not in ran.out + ran.err
    return ran.out, {form: (place.root / f"{form}.out").read_text("utf-8") for form in FORMS}


def _assert_told(place: Place, text: str, pages: dict[str, str], names: set[str], why: str) -> None:
    assert text.rstrip().endswith(f"0 failed, {len(names)} not sent (exit 1).")
    said = " ".join(text.split())
    report = json.loads(pages["json"])
    assert report["calls"] > 0, "it was read all the same"
    assert report["summary"].endswith(f"{len(names)} not sent (exit 1).")
    assert {item["name"]: item["result"] for item in report["outcomes"]} == dict.fromkeys(names, "skipped")
    assert {item["message"] for item in report["outcomes"]} == {STOPPED}
    assert why in " ".join(report["problems"])
    assert why in said
    for name in names:
        assert f"! {name} was not " in said
        assert name in pages["markdown"]
        assert name in pages["html"]
    for form in ("markdown", "html"):
        assert f"{len(names)} not sent" in pages[form], form
        assert STOPPED in pages[form], form
        assert str(place.root) not in pages[form], form


def _full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_journal_that_takes_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journal, "_to_disk", _full)
    text, pages = _stopped(place)
    _assert_told(place, text, pages, ALL, "could not be written: no space left on device")
    assert place.live() == {}


def test_a_journal_that_cannot_be_opened(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trueup.edge.state.journal_file.sync_folder", _full)
    text, pages = _stopped(place)
    _assert_told(place, text, pages, ALL, "The journal")
    assert place.live() == {}


def test_a_state_that_cannot_be_written_before(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "is_folded", property(lambda _store: False))
    monkeypatch.setattr(files, "write_file", _full)
    text, pages = _stopped(place)
    _assert_told(place, text, pages, ALL, "The state file")
    assert place.live() == {}


def test_a_backup_that_cannot_be_written(place: Place) -> None:
    place.applied().poke("alpha", {"instructions": "by hand"})
    place.write(".trueup/backup", "not a folder")
    text, pages = _stopped(place, "--on-drift", "revert")
    _assert_told(place, text, pages, {"alpha"}, "The backup of alpha")
    assert place.live()["alpha"]["instructions"] == "by hand"


def test_without_anything_to_send_a_state_that_cannot_be_written_is_an_error(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.applied()
    (state,) = Path(place.root, ".trueup").rglob("*.state.json")
    state.write_text(state.read_text("utf-8") + "\n", "utf-8")
    monkeypatch.setattr(Store, "is_folded", property(lambda _store: False))
    monkeypatch.setattr(files, "write_file", _full)
    ran = place.run("apply", "--yes")
    assert ran.code == 1
    assert "The state file" in ran.err
