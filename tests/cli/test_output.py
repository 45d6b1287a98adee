"""What goes where: stdout and stderr, JSON that is always one document, colour, failures without a traceback."""

from __future__ import annotations

import io
import json
import re
import socket
import time
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from tests.cli.place import Place
from trueup.cli.flags import Flags
from trueup.cli.output import Screen, wants_color
from trueup.edge import schemas
from trueup.engine.ports import Progress, Wait

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


class Terminal(io.StringIO):
    """A stderr that is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def _screen(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, **flags: Any) -> tuple[Screen, io.StringIO]:
    """Return a screen whose work began long ago, and its stderr."""
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    screen = Screen(Flags(**flags), {"TERM": "xterm", "COLUMNS": "80"})
    screen._since -= 60
    screen._noted = screen._since + 55
    return screen, stream


def _in(seconds: float) -> float:
    return time.time() + seconds


REFUSED = "example.com could not be reached: the connection was refused; retrying"


def test_a_terminal_shows_how_far_it_is_and_how_long_it_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, said = _screen(monkeypatch, terminal=True)
    screen.show_progress(Progress("Creating", 12, 3_000, 125.0, "billing/\x1b[31mred"))
    assert said.getvalue() == "\r\x1b[KCreating 12 of 3,000, about 2 min left: billing/?[31mred"
    screen.clear_progress()
    assert said.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.2, "4 s"), (89.0, "89 s"), (90.0, "2 min"), (3_300.0, "55 min"), (4_800.0, "1 h 20 min")]
)
def test_a_duration_is_written_as_people_say_it(seconds: float, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    screen, said = _screen(monkeypatch, terminal=True)
    screen.show_progress(Progress("Reading assistants", 5, 10, seconds))
    assert said.getvalue().endswith(f"Reading assistants 5 of 10, about {words} left")


def test_what_takes_no_time_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, said = _screen(monkeypatch, terminal=True)
    screen.start_work()
    screen.show_progress(Progress("Creating", 1, 2))
    screen.tick()
    assert said.getvalue() == ""


@pytest.mark.parametrize("terminal", [True, False])
def test_trouble_is_shown_at_once_with_until_when(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    screen, said = _screen(monkeypatch, terminal=terminal)
    screen.start_work()
    end = _in(4)
    screen.show_wait(Wait(REFUSED, end, at_once=True))
    clock = time.strftime("%H:%M:%S", time.localtime(end))
    assert re.sub(r"\([34] s\)", "(N s)", said.getvalue()) == (
        f"\r\x1b[K{REFUSED[:47]}…; retrying until {clock} (N s)" if terminal else f"{REFUSED} until {clock} (N s).\n"
    )


def test_a_narrow_terminal_never_cuts_off_until_when(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, said = _screen(monkeypatch, terminal=True)
    screen.width = 60
    screen.show_progress(Progress("Creating", 12, 300, None, "a"))
    screen.show_wait(Wait(REFUSED, _in(300), at_once=True))
    line = said.getvalue().rsplit("\r\x1b[K", 1)[1]
    assert line.startswith("Creating 12 of 300. e")
    assert re.search(r"…; retrying until \d\d:\d\d:\d\d \(5 min\)$", line)
    assert len(line) < 60


def test_a_wait_without_a_second_half_is_cut_before_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, said = _screen(monkeypatch, terminal=True)
    screen.width = 50
    screen.show_wait(Wait("HTTP 429: the target asks to wait", _in(300), at_once=True))
    assert re.search(r"HTTP 429: .+… until \d\d:\d\d:\d\d \(5 min\)$", said.getvalue())


def test_a_log_names_the_same_trouble_once(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, said = _screen(monkeypatch, terminal=False)
    for _ in range(9):
        screen.show_wait(Wait(REFUSED, _in(4), at_once=True))
        screen.show_wait(Wait(REFUSED, _in(4)))
    assert said.getvalue().count("\n") == 1


def test_a_log_shows_now_and_then_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, said = _screen(monkeypatch, terminal=False)
    screen.show_progress(Progress("Creating", 12, 300, 40.0, "alpha"))
    assert said.getvalue() == ""
    screen._noted -= 60
    for _ in range(3):
        screen.show_progress(Progress("Creating", 13, 300, 40.0, "alpha"))
        screen.tick()
    assert said.getvalue() == "Creating 13 of 300, about 40 s left.\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_quiet_tells_of_no_progress_and_no_trouble(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    screen, said = _screen(monkeypatch, terminal=terminal, quiet=True)
    screen._noted -= 60
    screen.show_progress(Progress("Creating", 12, 300))
    screen.show_wait(Wait(REFUSED, _in(4), at_once=True))
    screen.tick()
    assert said.getvalue() == ""


def test_after_the_result_nothing_of_the_work_is_shown_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, said = _screen(monkeypatch, terminal=True)
    screen.show_progress(Progress("Creating", 12, 300))
    screen.write_result("done")
    screen._since -= 60
    screen.tick()
    assert said.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_server_that_is_down_is_named_in_a_pipe(place: Place, form: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    target = f"{{base_url: 'http://127.0.0.1:{port}/v1', api_key: {{command: [echo, sk-x]}}}}"
    place.write("trueup.yaml", f"project: shop\ntargets:\n  prod: {target}\n")
    ran = place.run("plan", "--format", form, "--max-retries", "1")
    assert ran.code == 1
    line = ran.err.splitlines()[0]
    assert re.fullmatch(
        rf"127\.0\.0\.1:{port} could not be reached: the connection was refused; retrying "
        r"until \d\d:\d\d:\d\d \([0-2] s\)\.",
        line,
    )
    assert ran.err.count("retrying") == 1
    assert "retrying" not in ran.out
    assert "retrying" not in place.run("plan", "-q", "--max-retries", "1").err


def test_a_quiet_apply_shows_what_is_blocked_and_how_to_go_on(place: Place) -> None:
    place.applied()
    place.poke("alpha", {"instructions": "By hand."})
    place.write("assistants/alpha.yaml", "model: gpt-4.1\ninstructions: In the file.\n")
    quiet = place.run("apply", "--yes", "-q")
    assert quiet.code == 3
    assert "! alpha  blocked: was changed both in the file and live" in quiet.out
    assert "trueup apply alpha --on-drift revert" in quiet.out
    assert quiet.out.count("! alpha") == place.run("apply", "--yes").out.count("! alpha") == 1
