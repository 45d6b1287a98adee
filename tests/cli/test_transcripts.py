"""Whole sessions as a person sees them, at 80 columns in colour and in a pipe; TRUEUP_REGOLD=1 writes them anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.place import Place

GOLDEN = Path(__file__).parents[1] / "golden" / "cli"


def _first_apply(place: Place) -> list[list[str]]:
    place.root.joinpath("assistants/team/beta.yaml").unlink()
    return [["validate"], ["apply", "--yes"], ["state", "list"]]


def _second_apply(place: Place) -> list[list[str]]:
    place.applied()
    return [["apply"], ["plan"], ["drift"]]


def _edit(place: Place) -> list[list[str]]:
    place.applied()
    place.replace("assistants/alpha.yaml", "Then stop.", "Then stop, and wait.")
    place.replace("assistants/alpha.yaml", "0.2", "0.7")
    place.write("assistants/gamma.yaml", "model: gpt-5-mini\n")
    place.root.joinpath("assistants/team/beta.yaml").unlink()
    return [["plan", "--out", "saved.plan"], ["apply", "saved.plan"], ["apply", "--prune"]]


def _drift(place: Place) -> list[list[str]]:
    place.applied()
    place.poke("alpha", {"instructions": "Say A.\nThen go on.", "top_p": 0.5})
    place.remove("beta")
    place.ask("POST", "/assistants", {"model": "gpt-4o", "name": "Stray \x1b[31mcat"})
    return [["drift", "--all"], ["plan", "-q"], ["why", "alpha", "instructions"], ["apply", "--yes", "-q"]]


def _errors(place: Place) -> list[list[str]]:
    place.write("assistants/alpha.yaml", "model: gpt-4.1\ntemprature: 0.2\ntemperature: 3\ntools: [code_interpretr]\n")
    place.write("assistants/team/beta.yaml", "model: {var: modle}\nextends: ../_bas.yaml\n")
    return [["validate"], ["validate", "team"], ["plann"], ["plan", "-t", "prod"]]


def _guard(place: Place) -> list[list[str]]:
    place.applied()
    return [["destroy", "--yes"], ["apply", "alhpa"]]


SESSIONS: dict[str, Callable[[Place], list[list[str]]]] = {
    "first-apply": _first_apply,
    "second-apply": _second_apply,
    "edit-and-plan": _edit,
    "drift": _drift,
    "errors": _errors,
    "guard": _guard,
}


@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("look", ["pipe", "terminal"])
def test_a_session_reads_as_it_did(place: Place, session: str, look: str, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = SESSIONS[session](place)
    if look == "terminal":
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "80")
    shown = ""
    for command in commands:
        ran = place.run(*command)
        shown += f"$ trueup {' '.join(command)}\n{ran.out}"
        shown += f"--- stderr\n{ran.err}" if ran.err else ""
        shown += f"--- exit {ran.code}\n\n"
    path = GOLDEN / f"{session}.{look}.txt"
    if os.environ.get("TRUEUP_REGOLD") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(shown.encode("utf-8"))
    assert shown == path.read_bytes().decode("utf-8")
    assert str(place.root) not in shown
