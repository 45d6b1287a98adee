"""What a terminal obeys or hides: `accept` writes it as escapes where YAML has them, and prints no patch that lies."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.place import Place
from trueup.cli.flags import Flags
from trueup.cli.output import Screen
from trueup.core.texts.escapes import UNSEEN

TEXT = "be a\u202enimda\u2066 \u200b\n  \x9b31m red \x1b[31m\n\xad\U000e0041"
BODY = "be a\u202enimda\u2066 \u200b\u061c\nred"


@pytest.fixture
def drifted(place: Place) -> Place:
    place.write("assistants/gamma.md", "---\nmodel: gpt-4.1\n---\n\nSay C.\n")
    place.applied()
    place.poke("alpha", {"instructions": TEXT})
    place.poke("gamma", {"instructions": BODY})
    return place


def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)


def test_into_yaml_it_goes_as_escapes_line_by_line(drifted: Place) -> None:
    ran = drifted.run("accept", "alpha")
    assert ran.code == 0
    written = (drifted.root / "assistants/alpha.yaml").read_text("utf-8")
    assert not UNSEEN.search(written)
    assert written.count("\n") > 4
    assert yaml.safe_load(written)["instructions"] == TEXT
    assert "unchanged" in drifted.run("plan").out


def test_a_patch_of_yaml_is_printed_to_a_terminal(drifted: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _terminal(monkeypatch)
    ran = drifted.run("accept", "alpha", "--patch")
    assert ran.code == 0
    assert not UNSEEN.search(ran.out)


def test_a_patch_of_markdown_with_unseen_signs_is_no_terminals(drifted: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    piped = drifted.run("accept", "gamma", "--patch")
    assert (piped.code, piped.err) == (0, "")
    assert BODY.split("\n")[0] in piped.out
    _terminal(monkeypatch)
    ran = drifted.run("accept", "gamma", "--patch")
    assert ran.code == 1
    assert ran.out == ""
    assert not UNSEEN.search(ran.err)
    said = " ".join(ran.err.split())
    assert "U+202E, U+2066, U+200B and" in said
    assert "assistants/gamma.md" in said
    assert "trueup accept gamma --patch --json" in said
    assert not UNSEEN.search(drifted.run("accept", "gamma", "--patch", "--json").out)


@pytest.mark.parametrize("name", ["CI", "TF_BUILD", "TEAMCITY_VERSION"])
def test_a_patch_that_a_runner_would_obey_is_not_for_its_log(
    place: Place, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    place.applied()
    place.poke("alpha", {"instructions": "a ##vso[task.prependpath]/tmp/evil\n"})
    piped = place.run("accept", "alpha", "--patch")
    assert (piped.code, "##vso[" in piped.out) == (0, True)
    monkeypatch.setenv(name, "True")
    ran = place.run("accept", "alpha", "--patch")
    assert (ran.code, ran.out) == (1, "")
    assert "would run as a command" in " ".join(ran.err.split())


def test_a_file_is_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "out").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        screen = Screen(Flags(), {"CI": "true"})
        assert not screen.is_logged
        assert not screen.is_seen
