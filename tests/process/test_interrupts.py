"""Ctrl-C and SIGTERM at a slow rate: what waits for its turn is never sent, and the command ends at once."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

import pytest

from tests.process.project import Project, Vendor, ended, hosted, prod

pytestmark = pytest.mark.in_turn

COUNT = 6


def _fleet(project: Project, url: str) -> None:
    """Everything is applied, and from now on a request goes every second."""
    for number in range(COUNT):
        project.write(f"assistants/n{number}.yaml", "model: gpt-4o\ninstructions: I am here.\n")
    assert project.run("apply", "--yes").code == 0
    project.write("trueup.yaml", prod(url, rate_limit=1, guard={"deletes": 100, "modifies": 100}))


def _url(project: Project) -> str:
    text = (project.root / "trueup.yaml").read_text("utf-8")
    return text.partition('"base_url": "')[2].partition('"')[0]


def _struck(project: Project, vendor: Vendor, number: int, *arguments: str) -> tuple[str, float]:
    """Return the output of a command that got a signal right after its first write, and how long it went on."""
    writes = vendor.writes
    process = project.start(*arguments)
    while vendor.writes == writes and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    began = time.monotonic()
    ran = ended(process)
    assert ran.code == 130, ran
    assert vendor.writes == writes + 1
    return ran.out, time.monotonic() - began


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_destroy_at_a_slow_rate_deletes_no_more_after_an_interrupt(tmp_path: Path, number: signal.Signals) -> None:
    """With a rate limit as many as there were workers were deleted after it, one after the other."""
    with hosted(tmp_path) as (project, vendor):
        _fleet(project, _url(project))
        out, seconds = _struck(project, vendor, number, "destroy", "--yes")
        assert seconds < 5.0
        assert out.count("was deleted") == 1
        _, left = out.split("interrupted before it was sent\n")
        assert len(re.findall(r"\bn[0-9]\b", left.split("\n\n")[0])) == COUNT - 1
        assert len(vendor.live()) == len(project.records()) == COUNT - 1


def test_an_apply_at_a_slow_rate_modifies_no_more_after_an_interrupt_and_the_next_ends_it(tmp_path: Path) -> None:
    with hosted(tmp_path) as (project, vendor):
        url = _url(project)
        _fleet(project, url)
        for number in range(COUNT):
            project.write(f"assistants/n{number}.yaml", "model: gpt-4o\ninstructions: I am new.\n")
        out, seconds = _struck(project, vendor, signal.SIGINT, "apply", "--yes")
        assert seconds < 5.0
        assert out.count("was modified") == 1
        project.write("trueup.yaml", prod(url, guard={"modifies": 100}))
        assert project.run("apply", "--yes").code == 0
        assert {entry["instructions"] for entry in vendor.live()} == {"I am new."}
