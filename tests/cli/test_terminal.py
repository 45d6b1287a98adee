"""On a terminal: the question, the digest that is typed, the progress line; and what a signal does to a run."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.place import Place
from trueup.local.faults import Fault, Kind

Arm = Callable[..., None]


COMMAND = [sys.executable, "-m", "trueup"]


PATIENCE = 20.0


class Terminal:
    """The command with a terminal of its own, as a person has it."""

    def __init__(self, root: Path, *arguments: str, **environ: str) -> None:
        self.said = ""
        mine, theirs = pty.openpty()
        self._file = mine
        keep = {name: value for name, value in os.environ.items() if name != "CI"}
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], cwd=root, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
            env={**keep, "TERM": "xterm-256color", "COLUMNS": "80", **environ},
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(theirs)

    def wait_for(self, text: str) -> str:
        """Return what was shown until this text came."""
        end = time.monotonic() + PATIENCE
        while text not in self.said:
            assert time.monotonic() < end, self.said
            if not self._read():
                break
        assert text in self.said, self.said
        return self.said

    def type(self, text: str) -> None:
        """Types a line."""
        os.write(self._file, f"{text}\n".encode())

    def press(self, key: bytes) -> None:
        """Presses a key."""
        os.write(self._file, key)

    def ended(self) -> int:
        """Return the exit code."""
        while self._read():
            pass
        os.close(self._file)
        return self.process.wait(timeout=PATIENCE)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._file], [], [], PATIENCE)
        if not ready:
            return False
        try:
            content = os.read(self._file, 65536)
        except OSError:
            return False
        self.said += content.decode("utf-8", "replace")
        return bool(content)


def test_yes_applies_what_was_shown(place: Place) -> None:
    terminal = Terminal(place.root, "apply")
    shown = terminal.wait_for("Type 'yes' to apply: ")
    assert "\x1b[1;32m" in shown, "on a terminal there is colour"
    assert "Plan: 2 to create" in shown
    terminal.type("yes")
    terminal.wait_for("Applied: 2 created")
    assert terminal.ended() == 0
    assert len(place.live()) == 2


def test_anything_else_declines(place: Place) -> None:
    for answer in ("", "y", "no", "yes please"):
        terminal = Terminal(place.root, "apply")
        terminal.wait_for("Type 'yes' to apply: ")
        terminal.type(answer)
        terminal.wait_for("Not applied: nothing was sent.")
        assert terminal.ended() == 1
    assert place.live() == {}


def test_the_end_of_input_declines(place: Place) -> None:
    terminal = Terminal(place.root, "apply")
    terminal.wait_for("Type 'yes' to apply: ")
    terminal.press(b"\x04")
    assert terminal.ended() == 1


def test_ctrl_c_at_the_question(place: Place) -> None:
    terminal = Terminal(place.root, "apply")
    terminal.wait_for("Type 'yes' to apply: ")
    terminal.press(b"\x03")
    assert terminal.ended() == 130
    assert "Traceback" not in terminal.said
    assert place.live() == {}


def test_what_changed_while_the_question_stood_is_not_sent(place: Place) -> None:
    place.applied().replace("assistants/alpha.yaml", "0.2", "0.3")
    place.replace("assistants/team/beta.yaml", "Say B", "Say BB")
    terminal = Terminal(place.root, "apply")
    terminal.wait_for("Type 'yes' to apply: ")
    place.replace("assistants/alpha.yaml", "0.3", "0.9")
    terminal.type("yes")
    assert terminal.ended() == 3
    assert place.live()["alpha"]["temperature"] == 0.2
    assert place.live()["beta"]["instructions"] == "Say BB."


def _doubled(place: Place) -> tuple[str, str]:
    """Return the id of what is recorded as alpha, and of a duplicate of it."""
    body = place.applied().live()["alpha"]
    made = place.ask("POST", "/assistants", {key: body[key] for key in ("name", "model", "metadata")})
    return body["id"], made["id"]


@pytest.mark.parametrize(("typed", "code"), [("yes", 0), ("y", 1), ("", 1)])
def test_only_a_yes_deletes_a_duplicate(place: Place, typed: str, code: int) -> None:
    kept, other = _doubled(place)
    terminal = Terminal(place.root, "delete-duplicate", f"alpha={other}")
    shown = terminal.wait_for("Type 'yes' to delete it: ")
    assert f"is a duplicate of {kept}, which stays managed." in " ".join(shown.split())
    terminal.type(typed)
    assert terminal.ended() == code
    assert (other in place.live_ids()) == (code != 0)
    assert kept in place.live_ids()


def test_what_changed_while_the_question_stood_is_no_duplicate_any_more(place: Place) -> None:
    kept, other = _doubled(place)
    terminal = Terminal(place.root, "delete-duplicate", f"alpha={other}")
    terminal.wait_for("Type 'yes' to delete it: ")
    place.ask("DELETE", f"/assistants/{kept}")
    terminal.type("yes")
    assert terminal.ended() == 4
    assert other in place.live_ids()


def test_a_guard_is_answered_with_the_digest(place: Place) -> None:
    place.applied()
    terminal = Terminal(place.root, "destroy")
    shown = terminal.wait_for(" to apply: ")
    terminal.type("yes")
    assert terminal.ended() == 4
    assert len(place.live()) == 2
    found = re.search(r"Type ([0-9a-f]{16}) to apply", shown)
    assert found is not None
    terminal = Terminal(place.root, "destroy")
    terminal.wait_for(" to apply: ")
    terminal.type(found[1])
    assert terminal.ended() == 0
    assert place.live() == {}


def test_no_question_in_ci_or_where_it_is_forbidden(place: Place) -> None:
    for arguments, environ in (
        (["apply"], {"CI": "true"}),
        (["apply", "--no-input"], {}),
        (["apply"], {"TRUEUP_NO_INPUT": "1"}),
    ):
        terminal = Terminal(place.root, *arguments, **environ)
        assert terminal.ended() == 1
        assert "--yes" in terminal.said
    assert place.live() == {}


def test_long_work_shows_how_far_it_is(hosted: Place, faulty: Arm) -> None:
    for number in range(6):
        hosted.write(f"assistants/n{number}.yaml", "model: gpt-4.1\n")
    faulty(Fault(Kind.PASS, method="POST", times=0, delay=0.4))
    terminal = Terminal(hosted.root, "apply", "--yes", "--parallelism", "1")
    assert terminal.ended() == 0
    assert re.search(r"\r\x1b\[KCreating [2-7] of 8(, about \d s left)?: n\d", terminal.said)
    assert "about" in terminal.said
    assert "\r\x1b[K" in terminal.said.split("of 8")[-1], "the progress line is taken away at the end"


def _interrupted(hosted: Place, faulty: Arm, number: int, times: int) -> str:
    """Apply slowly, with signals during the first writes; return what was shown."""
    for index in range(6):
        hosted.write(f"assistants/n{index}.yaml", "model: gpt-4.1\n")
    faulty(Fault(Kind.PASS, method="POST", times=0, delay=0.6))
    assert hosted.server is not None
    process = subprocess.Popen(
        [*COMMAND, "apply", "--yes", "--parallelism", "1"], cwd=hosted.root, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    end = time.monotonic() + PATIENCE
    while not hosted.live() and time.monotonic() < end:
        time.sleep(0.02)
    for _ in range(times):
        process.send_signal(number)
        time.sleep(0.05)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, out + err
    assert "Traceback" not in err
    return out + err


def test_ctrl_c_lets_nothing_new_start_and_state_is_saved(hosted: Place, faulty: Arm) -> None:
    said = _interrupted(hosted, faulty, signal.SIGINT, 1)
    assert "no new request starts" in said
    done = len(hosted.live())
    assert 1 <= done < 8
    assert len(hosted.run("state", "list", "--json").json["assistants"]) == done
    assert hosted.run("apply", "--yes").code == 0
    assert len(hosted.live()) == 8


def test_a_second_ctrl_c_is_as_safe_as_the_first(hosted: Place, faulty: Arm) -> None:
    _interrupted(hosted, faulty, signal.SIGINT, 3)
    assert len(hosted.run("state", "list", "--json").json["assistants"]) == len(hosted.live())


def test_sigterm_is_as_ctrl_c(hosted: Place, faulty: Arm) -> None:
    _interrupted(hosted, faulty, signal.SIGTERM, 1)
    assert len(hosted.run("state", "list", "--json").json["assistants"]) == len(hosted.live())


def _interrupt_read(hosted: Place, number: int, *arguments: str) -> tuple[str, str]:
    """Interrupt a plan once its first request has arrived at a server that never answers; return what it printed."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE)
        base_url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        target = f"{{base_url: {json.dumps(base_url)}, api_key: {{env: CANARY_KEY}}}}"
        hosted.write("trueup.yaml", f"project: shop\ntargets:\n  prod: {target}\n")
        process = subprocess.Popen(
            [*COMMAND, "plan", *arguments], cwd=hosted.root, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        connection, _ = silent.accept()
        with connection:
            assert connection.recv(4) == b"GET "
            process.send_signal(number)
            out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
    return out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_while_reading_sends_nothing(hosted: Place, number: signal.Signals) -> None:
    assert _interrupt_read(hosted, number)[1].strip() == "Interrupted."


def test_ctrl_c_while_reading_is_told_in_json_where_that_was_asked_for(hosted: Place) -> None:
    out, _ = _interrupt_read(hosted, signal.SIGINT, "--json")
    assert json.loads(out)["kind"] == "error"
    assert json.loads(out)["exit"] == 130


def test_a_reader_that_goes_away_is_no_failure(place: Place) -> None:
    for number in range(40):
        place.write(f"assistants/n{number}.yaml", "model: gpt-4.1\n")
    command = [*COMMAND, "render"]
    with subprocess.Popen(command, cwd=place.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=PATIENCE) == 0
