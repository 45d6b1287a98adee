"""The installed command dies at random moments against a served vendor. `python -m tests.process 1000` is the storm.

TRUEUP_KILLS says how many processes have to die of SIGKILL here, in each protocol.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.extent import examples
from tests.process.file_storm import FileStory
from tests.process.kill_storm import Story, Tally, run
from tests.process.project import ended, hosted
from trueup.cli.failure import report_failure
from trueup.local.faults import Fault, Kind

KILLS = int(os.environ.get("TRUEUP_KILLS", examples(8)))
ENOUGH = 20.0
"""Seconds after which no further story is begun, so that a busy machine is not kept."""


def test_nothing_is_lost_and_nothing_doubled_whenever_the_process_dies() -> None:
    seed, tally, started = 0, Tally(), time.monotonic()
    while tally.killed < KILLS and ("TRUEUP_KILLS" in os.environ or time.monotonic() - started < ENOUGH):
        run(seed, tally, rounds=2, kind=FileStory if seed % 3 == 2 else Story)
        seed += 1
    assert tally.killed > 0


@pytest.mark.real_start
def test_what_a_killed_run_left_in_the_journal_is_in_the_state_file_after_an_apply_with_nothing_to_do(
    tmp_path: Path,
) -> None:
    """Found by the storm: the record stayed in the journal, which git ignores, and every other checkout lacked it."""
    with hosted(tmp_path) as (project, vendor):
        project.write("assistants/only.yaml", "model: gpt-4.1\n")
        assert project.run("apply", "--yes").code == 0
        state = project.root / ".trueup/prod.state.json"
        project.write("assistants/only.yaml", "model: gpt-4.1\ninstructions: New.\n")
        vendor.faults.add(Fault(Kind.PASS, method="POST", delay=2))
        process, before = project.start("apply", "--yes"), state.read_bytes()
        vendor.wait_for(vendor.arrived + 2, 10.0)
        process.kill()
        assert ended(process).code == -9
        ran = project.run("apply", "--yes")
        assert ran.code == 0, ran
        assert "1 unchanged" in ran.out or "1 modified" in ran.out
        assert state.read_bytes() != before
        assert (project.root / ".trueup/prod.journal").read_bytes() == b""


def test_half_a_state_file_that_a_killed_run_left_is_cleared_away(tmp_path: Path) -> None:
    """Found by the storm: each kill in the middle of a save left one more file behind, for ever."""
    with hosted(tmp_path) as (project, _):
        project.write("assistants/only.yaml", "model: gpt-4.1\n")
        left = project.write(".trueup/.prod.state.json.12345.tmp", '{"half')
        others = project.write(".trueup/.stage.state.json.12345.tmp", "another target's")
        assert project.run("apply", "--yes").code == 0
        assert not left.exists()
        assert others.exists()


def test_an_interrupt_that_python_wrapped_is_an_interrupt(capsys: pytest.CaptureFixture[str]) -> None:
    """Found by the storm: a Ctrl-C while a class was being made came out as a RuntimeError that nobody foresaw."""
    wrapped = RuntimeError("Error calling __set_name__ on 'Field' instance 'vars' in 'Options'")
    wrapped.__cause__ = KeyboardInterrupt()
    assert report_failure(wrapped, ["plan"]) == 130
    assert capsys.readouterr().err == "Interrupted.\n"
    assert report_failure(RuntimeError("another"), ["plan"]) == 1
