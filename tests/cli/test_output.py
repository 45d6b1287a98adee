"""What goes where: stdout and stderr, JSON that is always one document, colour, failures without a traceback."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from tests.cli.place import Place
from trueup.cli.flags import Flags
from trueup.cli.output import Screen, wants_color
from trueup.edge import schemas

Arm = Callable[..., None]


class Tty(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("asked", "environ", "terminal", "colour"),
    [
        (None, {}, True, True),
        (None, {}, False, False),
        (None, {"NO_COLOR": "1"}, True, False),
        (None, {"NO_COLOR": ""}, True, True),
        (None, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        (None, {"FORCE_COLOR": "1"}, False, True),
        (None, {"FORCE_COLOR": "0"}, True, False),
        (None, {"CLICOLOR_FORCE": "1"}, False, True),
        (None, {"CLICOLOR_FORCE": "0"}, False, False),
        (None, {"CLICOLOR": "0"}, True, False),
        (None, {"TERM": "dumb"}, True, False),
        (None, {"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
        (True, {"NO_COLOR": "1"}, False, True),
        (False, {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_who_decides_on_colour(asked: bool | None, environ: dict[str, str], terminal: bool, colour: bool) -> None:
    assert wants_color(asked, environ, Tty() if terminal else io.StringIO()) is colour


ANSWERS: list[list[str]] = [
    ["validate"], ["render"], ["plan"], ["plan", "--detailed-exitcode"], ["apply", "--yes"], ["apply"], ["drift"],
    ["drift", "--all"], ["show", "saved.plan"], ["why", "alpha"], ["why", "alpha", "model"], ["state", "list"],
    ["state", "show", "alpha"], ["state", "rm", "alpha"], ["state", "rebuild"], ["state", "unlock"], ["targets"],
    ["init"], ["schema"], ["import", "alpha=asst_x"], ["destroy"], ["plan", "nobody"], ["plan", "--nonsense"],
    ["nonsense"], ["state", "nonsense"], ["-C", "nowhere", "plan"], ["apply", "missing.plan"],
]  # fmt: skip


@pytest.mark.exhaustive
@pytest.mark.parametrize("arguments", ANSWERS, ids=" ".join)
@pytest.mark.parametrize("before", ["fresh", "applied", "drifted", "broken"])
def test_with_json_stdout_is_one_document_of_the_schema(place: Place, before: str, arguments: list[str]) -> None:
    place.run("plan", "--out", "saved.plan")
    if before != "fresh":
        place.applied()
    if before == "drifted":
        place.poke("alpha", {"temperature": 1.9, "top_p": 0.5})
        place.ask("POST", "/assistants", {"model": "gpt-4.1", "name": "stray"})
    if before == "broken":
        place.write("assistants/alpha.yaml", "model: [\n")
    ran = place.run(*arguments, "--json")
    document = json.loads(ran.out)
    jsonschema.Draft202012Validator(_schema()).validate(document)
    assert ran.out.endswith("}\n")
    if document["kind"] in ("error", "report"):
        assert document["exit"] == ran.code


def _schema() -> dict[str, Any]:
    schema = schemas.load("report")
    plan = schemas.load("plan")
    if "urn:" in json.dumps(schema).replace(schema["$id"], ""):
        schema = {**schema, "$defs": {**schema["$defs"], **plan.get("$defs", {})}}
    return schema


def test_what_nobody_foresaw_asks_for_a_report(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr("trueup.cli.planning.make_plan", broken)
    ran = place.run("plan")
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert "KeyError" in ran.err
    assert "-vv" in ran.err
    assert "Traceback" in place.run("plan", "-vv").err
    assert place.run("plan", "--json").json["kind"] == "error"


def test_quiet_leaves_the_result_and_errors(place: Place) -> None:
    ran = place.run("plan", "-q")
    assert ran.out == "Plan: 2 to create, 0 to modify, 0 to delete, 0 drifted, 0 unchanged.\n"
    assert ran.err == ""


def test_very_verbose_names_each_request_and_nothing_in_it(hosted: Place) -> None:
    ran = hosted.run("apply", "--yes", "-vv")
    lines = [line for line in ran.err.splitlines() if line.startswith(("GET", "POST"))]
    assert any(line.startswith("POST /assistants  200") for line in lines)
    assert "Say A" not in ran.err
    assert "canary" not in ran.err


def test_a_narrow_encoding_gets_signs_it_can_write(place: Place) -> None:
    import os
    import subprocess
    import sys

    environ = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    place.write("assistants/alpha.yaml", "model: gpt-4.1\ninstructions: Grüße — 日本 …\n")
    for arguments in (["plan"], ["render"], ["plan", "--json"], ["apply", "--yes"], ["plan", "nichts"]):
        process = subprocess.run([sys.executable, "-m", "trueup", *arguments], cwd=place.root, env=environ,
                                 capture_output=True, check=False)  # fmt: skip
        assert process.returncode == (1 if "nichts" in arguments else 0), process.stderr
        process.stdout.decode("ascii")
        process.stderr.decode("ascii")


def test_progress_is_for_terminals_only(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(Flags())
    screen._since = 0.0
    screen.progress(1, 2, "alpha")
    assert capsys.readouterr().err == ""


def test_a_log_is_told_of_a_long_wait_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(Flags())
    screen.waits("reading the listing")
    assert capsys.readouterr().err == ""
    screen._since -= 60
    screen.waits("reading the listing")
    screen.waits("reading the listing")
    assert capsys.readouterr().err == "Still at it, 60 seconds: reading the listing.\n"
