"""`export`: whole, complete or not at all, over nothing that is no export, and without a credential."""

from __future__ import annotations

import os
import stat
from typing import Any

import pytest

from tests.cli.place import Place
from trueup.core.command import Command
from trueup.core.memory.state import Identity
from trueup.edge.migration_files import read_export
from trueup.local.faults import Fault, Kind

AGAIN = Command(("export", "live.json"))


def test_everything_that_is_live_is_in_it_as_the_server_answers_it(place: Place) -> None:
    place.applied()
    place.poke("alpha", {"metadata": {"of": "somebody"}})
    ran = place.run("export", "live.json")
    assert (ran.code, ran.out, ran.err) == (0, "2 assistants of local written to live.json.\n", "")
    export = read_export(place.root / "live.json", AGAIN)
    assert export.identity == Identity("local", "local", "openai-assistants", "local")
    live = {entry["id"]: entry for entry in place.live().values()}
    assert {entry.id for entry in export.assistants} == live.keys()
    for entry in export.assistants:
        whole = {"object": "assistant", "id": entry.id, "created_at": entry.created_at, **entry.body, **entry.extra}
        assert whole == live[entry.id]
    if os.name == "posix":
        assert stat.S_IMODE((place.root / "live.json").stat().st_mode) == 0o600


def test_a_hyphen_is_stdout_and_the_same_bytes_but_for_the_time(place: Place) -> None:
    place.applied()
    ran = place.run("export", "-")
    assert ran.code == 0
    assert [entry["body"]["name"] for entry in ran.json["assistants"]] == ["alpha", "beta"]
    assert place.run("export", "live.json", "--json").json == {
        "count": 2, "file": "live.json", "format_version": 1, "kind": "exported", "target": "local",
    }  # fmt: skip
    mine = (place.root / "live.json").read_text("utf-8").split('"target":', 1)[1]
    assert mine == ran.out.split('"target":', 1)[1]


def test_nothing_is_live(place: Place) -> None:
    assert place.run("export", "live.json").out == "0 assistants of local written to live.json.\n"
    assert read_export(place.root / "live.json", AGAIN).assistants == ()


@pytest.mark.parametrize("content", ["not ours", "{}", '{"format_version":1,"kind":"other"}'])
def test_a_file_that_is_no_export_is_not_overwritten(place: Place, content: str) -> None:
    place.write("notes.json", content)
    ran = place.run("export", "notes.json")
    assert ran.code == 1
    assert "is there already, and is not" in ran.err
    assert "--force" in ran.err
    assert (place.root / "notes.json").read_text("utf-8") == content
    assert place.run("export", "notes.json", "--force").code == 0
    assert place.run("export", "notes.json").code == 0  # now it is one


@pytest.mark.parametrize("file", ["assistants/live.json", ".trueup/live.json", "nowhere/live.json", "assistants"])
def test_places_where_an_export_does_not_belong(place: Place, file: str) -> None:
    place.applied()
    before = place.files()
    ran = place.run("export", file, "--force")
    assert ran.code == 1
    assert place.files() == before


def test_a_link_is_not_followed(place: Place) -> None:
    place.write("real.txt", "mine")
    (place.root / "link.json").symlink_to("real.txt")
    assert place.run("export", "link.json", "--force").code == 1
    assert (place.root / "real.txt").read_text("utf-8") == "mine"


def test_a_partial_view_is_not_written(hosted: Place, faulty: Any) -> None:
    for number in range(101):
        hosted.ask("POST", "/assistants", {"model": "m", "name": f"a{number}"})
    hosted.write("live.json", "")
    faulty(Fault(Kind.ANSWER, method="GET", status=500, nth=2, times=20))
    ran = hosted.run("export", "live.json", "--max-retries", "0")
    assert ran.code == 6, ran.out + ran.err
    assert "Nothing was written" in ran.err
    assert (hosted.root / "live.json").read_text("utf-8") == ""
    assert hosted.run("export", "-", "--max-retries", "0").out == ""


def test_no_credential_is_in_it(hosted: Place) -> None:
    hosted.applied()
    hosted.poke("alpha", {"metadata": {"pasted": "sk-canary-123456"}})
    assert hosted.run("export", "live.json").code == 0
    assert "sk-canary" not in (hosted.root / "live.json").read_text("utf-8")
