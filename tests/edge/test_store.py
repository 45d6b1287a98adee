"""A target's memory on disk: kills at any moment, full disks, foreign files in its place, one writer at a time."""

from __future__ import annotations

import asyncio
import errno
import json
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trueup.core.canonical import DIGEST_RULES
from trueup.core.command import Selection
from trueup.core.errors import StateError, TrueupError
from trueup.core.memory.journal import Entry
from trueup.core.memory.state import Applied, Identity, Pending, Record, State
from trueup.core.projects.project import Target
from trueup.edge.state import lock_file
from trueup.edge.state.store import Store

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs the locks and links of a POSIX system")

IDENTITY = Identity("shop", "prod", "openai-assistants", "https://api.example.com/v1")
TARGET = Target("prod", "shop", base_url=IDENTITY.base_url, selection=Selection(target="prod"))
EMPTY = State(IDENTITY, DIGEST_RULES)
as_root = pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write anywhere")


def store(root: Path, **changes: Any) -> Store:
    return Store(root, replace(TARGET, **changes), IDENTITY, now=lambda: 1_700_000_000.0)


def record(operation: str = "op1") -> Record:
    return Record("asst_1", 5, operation, fields={"model": Applied("a", "b", "c")})


def lines(operation: str = "op1", after: str = "") -> list[Entry]:
    return [
        Entry(step, "tutor", "modify" if after else "create", operation, 3.0, after=after, record=record(operation))
        for step in ("intent", "done")
    ]


def journal(kept: Store, entries: list[Entry]) -> None:
    async def run() -> None:
        opened = kept.open_journal()
        for item in entries:
            await opened.append(item)
        opened.close()

    asyncio.run(run())


def test_nothing_there_is_an_empty_state_and_loading_makes_no_folder(tmp_path: Path) -> None:
    assert store(tmp_path).load() == EMPTY
    assert list(tmp_path.iterdir()) == []


def test_what_was_saved_is_loaded_and_the_folder_tells_git_what_to_leave(tmp_path: Path) -> None:
    saved = replace(EMPTY, records={"tutor": record()}, pending={"b": Pending("b", "op", "create", 1.0)})
    store(tmp_path).save(saved)
    assert store(tmp_path).load() == saved
    folder = tmp_path / ".trueup"
    assert sorted(path.name for path in folder.iterdir()) == [".gitignore", "prod.state.json"]
    ignored = (folder / ".gitignore").read_text().splitlines()
    assert set(ignored) >= {"local/", "backup/", "*.journal", "*.lock", "*.tmp"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# older\nlocal/\nbackup/\n*.journal\n*.lock\n*.tmp\n", ["*.damaged-*"]),
        ("# torn\nlocal/\nback", ["backup/", "*.journal", "*.lock", "*.tmp", "*.damaged-*"]),
        ("", ["local/", "backup/", "*.journal", "*.lock", "*.tmp", "*.damaged-*"]),
        ("/local/\n#backup/\n!*.journal\n*.lock\r\n *.tmp\n*.damaged-*\nmine", []),
    ],
)
def test_an_ignore_file_of_an_older_version_is_completed(tmp_path: Path, before: str, after: list[str]) -> None:
    """An older one lacked the files that a rebuild sets aside: they could be committed with all that is in them."""
    kept, path = store(tmp_path), tmp_path / ".trueup" / ".gitignore"
    path.parent.mkdir()
    path.write_bytes(before.encode())
    for _ in range(2):
        kept.prepare()
        text = path.read_bytes().decode()
        assert text.startswith(before)
        assert text[len(before) :].split() == after


def test_an_ignore_file_that_is_a_link_is_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine\n")
    (tmp_path / ".trueup").mkdir()
    (tmp_path / ".trueup/.gitignore").symlink_to(elsewhere)
    store(tmp_path).prepare()
    assert elsewhere.read_text() == "mine\n"


def test_git_sees_the_state_file_and_nothing_else(tmp_path: Path) -> None:
    kept = store(tmp_path)
    with kept.lock():
        journal(kept, lines())
        kept.save(kept.load())
        journal(kept, lines("op2", "op1"))
        kept.backup("tutor", "delete", {})
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
        shown = subprocess.run(
            ["git", "status", "--porcelain", "-uall"], cwd=tmp_path, check=True, capture_output=True, text=True
        )
    assert shown.stdout.split() == ["??", ".trueup/.gitignore", "??", ".trueup/prod.state.json"]


def test_a_local_target_keeps_everything_in_the_ignored_folder(tmp_path: Path) -> None:
    kept = store(tmp_path, base_url="local")
    with kept.lock():
        journal(kept, lines())
        kept.save(EMPTY)
    names = sorted(path.name for path in (tmp_path / ".trueup").iterdir())
    assert names == [".gitignore", "local"]
    inside = sorted(path.name for path in (tmp_path / ".trueup" / "local").iterdir())
    assert inside == ["prod.journal", "prod.lock", "prod.state.json"]


def test_a_killed_runs_journal_is_folded_in_and_saving_empties_it(tmp_path: Path) -> None:
    kept = store(tmp_path)
    journal(kept, lines())
    journal(kept, lines("op2", "op1")[:1])
    loaded = kept.load()
    assert loaded.records == {"tutor": record()}
    assert loaded.pending["tutor"].operation == "op2"
    kept.save(loaded)
    assert kept.journal_path.read_bytes() == b""
    assert kept.load() == loaded


def test_a_kill_between_saving_and_emptying_the_journal_changes_nothing(tmp_path: Path) -> None:
    kept = store(tmp_path)
    journal(kept, [*lines(), *lines("op2", "op1")])
    left = kept.journal_path.read_bytes()
    kept.save(kept.load())
    kept.journal_path.write_bytes(left)
    assert kept.load() == replace(EMPTY, records={"tutor": record("op2")})


def test_a_plan_beside_a_running_apply_never_sees_the_old_state_without_its_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = store(tmp_path)
    kept.save(EMPTY)
    journal(kept, lines())
    real = Store._read
    saved: list[bool] = []

    def read_then_saved(self: Store, other_target: bool) -> State:
        found = real(self, other_target)
        if not saved:
            saved.append(True)
            kept.save(replace(EMPTY, records={"tutor": record()}))
        return found

    monkeypatch.setattr(Store, "_read", read_then_saved)
    assert store(tmp_path).load().records == {"tutor": record()}


def test_saving_the_same_state_leaves_the_file_alone(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.save(EMPTY)
    before = kept.state_path.stat()
    kept.save(EMPTY)
    assert kept.state_path.stat().st_ino == before.st_ino


def test_stamps_have_no_state_file_and_remember_only_what_is_unsettled(tmp_path: Path) -> None:
    kept = store(tmp_path, state="stamps")
    journal(kept, [*lines(), *lines("op2", "from a stamp")[:1]])
    loaded = kept.load()
    assert (loaded.records, list(loaded.pending)) == ({}, ["tutor"])
    kept.save(loaded)
    assert kept.load().pending == loaded.pending
    kept.save(EMPTY)
    assert kept.load() == EMPTY
    assert not kept.state_path.exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
@pytest.mark.parametrize("call", ["fsync", "open"])
def test_a_disk_that_takes_nothing_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    kept = store(tmp_path)
    kept.save(replace(EMPTY, records={"tutor": record()}))
    journal(kept, lines("op2", "op1"))
    real = os.open

    def full(*arguments: Any) -> int:
        if call == "open" and not str(arguments[0]).endswith(".tmp"):
            return real(*arguments)
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(TrueupError, match="could not be written") as caught:
            kept.save(replace(EMPTY, records={"tutor": record("op2")}))
    assert "Nothing is lost" in caught.value.hint
    assert kept.load().records == {"tutor": record("op2")}
    assert not list(kept.folder.glob("*.tmp"))


@as_root
def test_a_read_only_folder_says_what_to_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(TrueupError, match="permission denied"):
            store(tmp_path).save(EMPTY)
    finally:
        tmp_path.chmod(0o700)


def test_a_temporary_file_of_a_killed_run_is_no_obstacle(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.save(EMPTY)
    kept.state_path.with_name(f".{kept.state_path.name}.{os.getpid()}.tmp").write_text("half")
    kept.save(replace(EMPTY, records={"tutor": record()}))
    assert kept.load().records == {"tutor": record()}


def test_a_damaged_state_is_refused_and_rebuilding_can_write_over_it(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.save(EMPTY)
    for damage in (b"", b"\xff\xfe", b"{", b"\0" * 100):
        kept.state_path.write_bytes(damage)
        with pytest.raises(StateError, match="is damaged") as caught:
            kept.load()
        assert "trueup state rebuild -t prod" in caught.value.hint
    kept.save(EMPTY)
    assert kept.load() == EMPTY


def test_a_damaged_journal_is_refused_and_rebuilding_can_write_over_it(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.save(EMPTY)
    kept.journal_path.write_text("what\n")
    with pytest.raises(StateError, match="journal is damaged"):
        kept.load()
    kept.save(EMPTY)
    assert kept.load() == EMPTY


def test_a_byte_order_mark_of_an_editor_is_read(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.save(EMPTY)
    kept.state_path.write_bytes(b"\xef\xbb\xbf" + kept.state_path.read_bytes())
    assert kept.load() == EMPTY


def test_another_targets_state_is_refused_unless_it_is_to_be_removed(tmp_path: Path) -> None:
    store(tmp_path).save(replace(EMPTY, records={"tutor": record()}))
    other = Store(tmp_path, TARGET, replace(IDENTITY, base_url="https://elsewhere.example.com"))
    with pytest.raises(StateError, match="belongs to another target"):
        other.load()
    assert list(other.load(other_target=True).records) == ["tutor"]


def test_links_folders_pipes_and_giants_in_the_place_of_the_state_are_refused(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.save(EMPTY)
    content = kept.state_path.read_bytes()

    def refused(match: str) -> None:
        for act in (kept.load, lambda: kept.save(replace(EMPTY, digest_rules=9))):
            with pytest.raises(StateError, match=match):
                act()

    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_bytes(content)
    kept.state_path.unlink()
    kept.state_path.symlink_to(elsewhere)
    refused("a symbolic link")
    assert elsewhere.read_bytes() == content
    kept.state_path.unlink()
    kept.state_path.mkdir()
    refused("a folder")
    kept.state_path.rmdir()
    os.mkfifo(kept.state_path)
    refused("a device or a pipe")
    kept.state_path.unlink()
    with kept.state_path.open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    refused("64 MiB")


def test_a_linked_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".trueup").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError, match="symbolic link"):
        store(tmp_path).save(EMPTY)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_not_taken_for_no_state(tmp_path: Path) -> None:
    (tmp_path / ".trueup").write_text("")
    with pytest.raises(StateError, match="is not a folder"):
        store(tmp_path).load()


def test_only_one_apply_at_a_time_and_the_second_learns_who_holds_it(tmp_path: Path) -> None:
    with store(tmp_path).lock():
        with pytest.raises(TrueupError, match=f"Another apply is running on prod: process {os.getpid()} on") as caught:
            store(tmp_path).lock().__enter__()
        assert "2023-11-14 22:13:20 UTC" in caught.value.message
        assert "Wait until it ends" in caught.value.hint
        with store(tmp_path, name="stage").lock():
            pass
    with store(tmp_path).lock():
        pass


def test_an_error_inside_is_not_taken_for_one_of_the_lock(tmp_path: Path) -> None:
    def fail() -> None:
        with store(tmp_path).lock():
            raise BlockingIOError("mine")

    with pytest.raises(BlockingIOError, match="mine"):
        fail()
    with store(tmp_path).lock():
        pass


def _hold_for_ever(root: str, ready: Any) -> None:
    with store(Path(root)).lock():
        ready.send(True)
        signal.pause()


def test_the_lock_dies_with_its_holder(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    holder = context.Process(target=_hold_for_ever, args=(str(tmp_path), there))
    holder.start()
    try:
        assert here.poll(30)
        with pytest.raises(TrueupError, match=f"process {holder.pid}"):
            store(tmp_path).lock().__enter__()
    finally:
        holder.kill()
        holder.join()
    with store(tmp_path).lock():
        pass
    assert store(tmp_path).unlock() is False


def _no_locks(_descriptor: int, _operation: int) -> None:
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def test_without_locks_a_file_stands_in_and_unlock_takes_it_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fcntl.flock", _no_locks)
    kept = store(tmp_path)
    with kept.lock(), pytest.raises(TrueupError, match="Another apply is running") as caught:
        kept.lock().__enter__()
    assert "trueup state unlock -t prod" in caught.value.hint
    with kept.lock():
        pass
    abandoned = lock_file._find_stand_in(kept.lock_path)
    abandoned.write_text("not json")
    with pytest.raises(TrueupError, match="locked by an unknown process"):
        kept.lock().__enter__()
    assert kept.unlock() is True
    with kept.lock():
        pass


def test_a_backup_is_its_owners_alone_and_never_overwrites(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.backup("support/triage", "delete", {"instructions": "Grüße\n"})
    kept.backup("support/triage", "delete", {"instructions": "second"})
    folder = tmp_path / ".trueup" / "backup"
    assert sorted(path.name for path in folder.iterdir()) == [
        "20231114T221320Z-prod-support%2Ftriage-delete-2.json",
        "20231114T221320Z-prod-support%2Ftriage-delete.json",
    ]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    value = json.loads((folder / "20231114T221320Z-prod-support%2Ftriage-delete.json").read_text())
    assert (value["name"], value["body"]) == ("support/triage", {"instructions": "Grüße\n"})
    assert value["protocol"] == kept.identity.protocol


@pytest.mark.parametrize("name", ["..", ".", "../../etc/passwd", "a" * 300, "ü" * 100, "a\0b", "con:aux", "x" * 255])
def test_no_name_leads_out_of_the_backup_folder(tmp_path: Path, name: str) -> None:
    store(tmp_path).backup(name, "modify", None)
    assert [path.parent.name for path in tmp_path.rglob("*.json")] == ["backup"]


def test_long_names_that_differ_at_their_end_keep_files_of_their_own(tmp_path: Path) -> None:
    ours, theirs = store(tmp_path, name="a" * 200 + "1"), store(tmp_path, name="a" * 200 + "2")
    assert ours.state_path != theirs.state_path


def test_a_backup_that_cannot_be_written_stops_the_write_it_was_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = store(tmp_path)
    kept.prepare()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrueupError, match="no space left") as caught:
        kept.backup("tutor", "modify", {})
    assert "nothing is overwritten without a backup" in caught.value.hint
    assert list((tmp_path / ".trueup" / "backup").iterdir()) == []


def test_a_process_killed_at_any_line_leaves_a_loadable_state(tmp_path: Path) -> None:
    script = (
        "import asyncio, os, sys\n"
        "from pathlib import Path\n"
        "from trueup.core.memory.journal import Entry\n"
        "from trueup.core.projects.project import Target\n"
        "from trueup.core.memory.state import Identity, Record\n"
        "from trueup.edge.state.store import Store\n"
        "kept = Store(Path(sys.argv[1]), Target('prod', 'shop', base_url='https://api.example.com/v1'),\n"
        "    Identity('shop', 'prod', 'openai-assistants', 'https://api.example.com/v1'))\n"
        "async def run():\n"
        "    opened = kept.open_journal()\n"
        "    for number in range(5):\n"
        "        record = Record(f'asst_{number}', operation=f'op{number}')\n"
        "        await opened.append(Entry('intent', f'n{number}', 'create', f'op{number}', 1.0, record=record))\n"
        "        if number == 4: os.kill(os.getpid(), 9)\n"
        "        await opened.append(Entry('done', f'n{number}', 'create', f'op{number}', 1.0, record=record))\n"
        "        if number == 2: kept.save(kept.load())\n"
        "with kept.lock(): asyncio.run(run())\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with store(tmp_path).lock():
        loaded = store(tmp_path).load()
    assert sorted(loaded.records) == ["n0", "n1", "n2", "n3"]
    assert list(loaded.pending) == ["n4"]
