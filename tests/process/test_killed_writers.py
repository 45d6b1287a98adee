"""Commands that write a person's files, killed before every single change of the disk: nothing half, nothing lost.

`python -m tests.process` strikes the same commands at random moments.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.extent import third
from tests.process.project import KEY, Project, Vendor, ended, hosted
from tests.protocols import current
from tests.ran import Ran

pytestmark = pytest.mark.in_turn

DYING = Path(__file__).with_name("dying.py")
MOST = 150
"""More changes of the disk than any of these commands makes."""

LONG = "Answer in full sentences.\n" * 30


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Project, Vendor]]:
    with hosted(tmp_path) as (project, vendor):
        for name, text in (("Math Tutor", LONG), ("Ünïcode", "Short."), ("third", "Also.")):
            body = {"model": "gpt-4.1", "name": name, "instructions": text, "tools": [current().function()]}
            vendor.ask("POST", current().path, body)
        yield project, vendor


def killed_before(project: Project, number: int, *command: str) -> Ran:
    """Run the command, killed before its n-th change of the project's disk, or to its end where it makes fewer."""
    prefix = (sys.executable, str(DYING), str(number), str(project.root))
    return ended(project.start_as(prefix, *command))


def mine(project: Project) -> dict[str, bytes]:
    """Return a person's files by name; what a killed writer left beside them has a name with a dot."""
    return {name: data for name, data in project.files().items() if not any(p[0] == "." for p in name.split("/"))}


def at_every_moment(project: Project, *command: str) -> Iterator[tuple[dict[str, bytes], dict[str, bytes]]]:
    """Kills the command before each change; gives the person's files before and after each kill."""
    for number in third(range(1, MOST), current().turn):
        before = mine(project)
        ran = killed_before(project, number, *command)
        assert KEY not in ran.out + ran.err
        if ran.code != -signal.SIGKILL:
            assert ran.code == 0, ran
            assert number > 3, "nothing was written at all"
            return
        yield before, mine(project)
    raise AssertionError(f"more than {MOST} changes of the disk")


def whole(project: Project) -> None:
    """Check that nothing half is left, and that the next plan is empty."""
    assert [name for name in project.files() if name.endswith(".tmp")] == []
    assert project.run("validate").code == 0
    ran = project.run("plan", "--detailed-exitcode")
    assert ran.code == 0, ran


def test_an_import_that_is_killed_at_any_change_is_finished_by_the_next(place: tuple[Project, Vendor]) -> None:
    project, vendor = place
    theirs = project.write("assistants/third.yaml", "model: gpt-4.1\nname: Somebody's\ntools: []\n")
    live, text = vendor.live(), theirs.read_bytes()
    seen: list[dict[str, bytes]] = []
    for before, after in at_every_moment(project, "import", "--yes"):
        assert before.items() <= after.items(), "a file was overwritten or lost"
        seen.append(after)
    last = mine(project)
    assert all(after.items() <= last.items() for after in seen), "a file was half written"
    assert theirs.read_bytes() == text
    assert vendor.live() == live
    assert set(project.records().values()) == {body["id"] for body in live}
    theirs.unlink()
    whole(project)


def test_an_accept_that_is_killed_at_any_change_leaves_the_old_file_or_the_new_one(
    place: tuple[Project, Vendor],
) -> None:
    project, vendor = place
    assert project.run("import", "--yes").code == 0
    project.write("assistants/third.yaml", "# kept\n" + (project.root / "assistants/third.yaml").read_text())
    old = mine(project)
    live_id = project.records()["third"]
    change = {"instructions": "By hand.\nTwo lines.", current().scalar: current().values[1]}
    vendor.ask("POST", current().path_of(live_id), change)
    live, seen = vendor.live(), []
    for _, after in at_every_moment(project, "accept", "third", "instructions", current().scalar, "--yes"):
        seen.append(after)
    new = mine(project)
    assert all(after in (old, new) for after in seen)
    assert {name for name in new if new[name] != old.get(name)} == {"assistants/third.yaml"}
    assert new["assistants/third.yaml"].startswith(b"# kept\n")
    assert vendor.live() == live
    whole(project)


@pytest.mark.parametrize("command", [("plan", "--out", "change.plan"), ("export", "live.export")])
def test_a_file_that_is_asked_for_is_the_old_one_or_the_new_one(
    place: tuple[Project, Vendor], command: tuple[str, ...]
) -> None:
    project, vendor = place
    project.write("assistants/only.yaml", "model: gpt-4.1\n")
    path = project.root / command[-1]
    assert project.run(*command).code == 0
    old = path.read_bytes()
    project.write("assistants/only.yaml", "model: gpt-4.1\ninstructions: New.\n")
    vendor.ask("POST", current().path, {"model": "gpt-4.1", "name": "fourth"})
    seen = []
    for _ in at_every_moment(project, *command):
        seen.append(path.read_bytes())
    assert path.read_bytes() != old
    assert set(seen) <= {old, path.read_bytes()} or command[0] == "export"  # an export says when it was made
    assert all(data.endswith(old[-1:]) for data in seen)
    assert [name for name in project.files() if name.endswith(".tmp")] == []
