"""The journal on disk: order, shared writes, torn lines, a full disk."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from trueup.core.command import Selection
from trueup.core.errors import StateError, TrueupError
from trueup.core.memory.journal import Entry, to_line
from trueup.core.memory.state import Applied, Record
from trueup.edge.state.journal_file import Journal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs the locks and links of a POSIX system")


def entry(number: int) -> Entry:
    record = Record(f"asst_{number}", fields={"model": Applied("a", "b", "c")})
    return Entry("intent", f"n{number}", "create", f"op{number}", 1.0, record=record)


def write(path: Path, entries: list[Entry]) -> None:
    async def run() -> None:
        journal = Journal.open(path)
        try:
            await asyncio.gather(*(journal.append(item) for item in entries))
        finally:
            journal.close()

    asyncio.run(run())


def test_what_was_appended_is_read_in_the_order_of_the_appends(tmp_path: Path) -> None:
    path, entries = tmp_path / "t.journal", [entry(number) for number in range(200)]
    write(path, entries[:150])
    write(path, entries[150:])
    assert Journal.read(path) == entries


def test_no_journal_is_an_empty_one(tmp_path: Path) -> None:
    assert Journal.read(tmp_path / "t.journal") == []


def test_an_entry_is_on_disk_when_append_returns(tmp_path: Path) -> None:
    async def run() -> list[Entry]:
        journal = Journal.open(tmp_path / "t.journal")
        try:
            await journal.append(entry(1))
            return Journal.read(tmp_path / "t.journal")
        finally:
            journal.close()

    assert asyncio.run(run()) == [entry(1)]


def test_appends_of_one_turn_share_a_sync_and_a_slow_disk_makes_no_queue_of_syncs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real = os.fsync

    def counted(descriptor: int) -> None:
        synced.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", counted)

    async def run() -> None:
        journal = Journal.open(tmp_path / "t.journal")
        synced.clear()
        await asyncio.gather(*(journal.append(entry(number)) for number in range(1000)))
        assert len(synced) == 1
        journal.close()

    asyncio.run(run())


@pytest.mark.parametrize("keep", [1, 20, -1])
def test_a_torn_last_line_is_left_out_and_cut_before_the_next_append(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "t.journal"
    write(path, [entry(1)])
    with path.open("a") as file:
        file.write(to_line(entry(2))[:keep])
    assert Journal.read(path) == [entry(1)]
    write(path, [entry(3)])
    assert Journal.read(path) == [entry(1), entry(3)]


def test_a_torn_line_longer_than_a_block_is_cut_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.journal"
    write(path, [entry(1)])
    with path.open("ab") as file:
        file.write(b"\0" * 200_000)
    write(path, [entry(2)])
    assert Journal.read(path) == [entry(1), entry(2)]


@pytest.mark.parametrize("damage", ["", "{}", "\0\0\0", "\udcff", to_line(entry(1))[:-2]])
def test_any_other_damage_is_refused_with_its_line_and_the_command_that_mends_it(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "t.journal"
    lines = [to_line(entry(1)), damage, to_line(entry(2)), ""]
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    with pytest.raises(StateError, match=r"t\.journal:2: the journal is damaged") as caught:
        Journal.read(path, Selection("here", "prod"))
    assert "trueup state rebuild -C here -t prod" in caught.value.hint


def test_clear_leaves_nothing_and_appends_go_on(tmp_path: Path) -> None:
    path = tmp_path / "t.journal"

    async def run() -> None:
        journal = Journal.open(path)
        await journal.append(entry(1))
        journal.clear()
        assert path.read_bytes() == b""
        await journal.append(entry(2))
        journal.close()

    asyncio.run(run())
    assert Journal.read(path) == [entry(2)]


def test_a_full_disk_is_told_to_every_waiter_and_the_journal_takes_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.journal"
    real = os.write
    full = False

    def half(descriptor: int, content: bytes) -> int:
        nonlocal full
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        full = True
        return real(descriptor, bytes(content)[: len(content) // 2])

    async def run() -> None:
        journal = Journal.open(path)
        await journal.append(entry(0))
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", half)
            results = await asyncio.gather(
                *(journal.append(entry(number)) for number in range(1, 6)), return_exceptions=True
            )
        assert all(isinstance(result, TrueupError) and "no space left" in result.message for result in results)
        with pytest.raises(TrueupError, match="no space left"):
            await journal.append(entry(6))
        journal.close()

    asyncio.run(run())
    assert Journal.read(path) == [entry(0)]


def test_a_failing_sync_is_a_failing_append(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    async def run() -> None:
        journal = Journal.open(tmp_path / "t.journal")
        monkeypatch.setattr(os, "fsync", broken)
        with pytest.raises(TrueupError, match="could not be written"):
            await journal.append(entry(1))
        journal.close()

    asyncio.run(run())


def test_a_cancelled_waiter_does_not_stop_the_others(tmp_path: Path) -> None:
    async def run() -> None:
        journal = Journal.open(tmp_path / "t.journal")
        first = asyncio.create_task(journal.append(entry(1)))
        second = asyncio.create_task(journal.append(entry(2)))
        await asyncio.sleep(0)
        first.cancel()
        await second
        with pytest.raises(asyncio.CancelledError):
            await first
        await journal.append(entry(3))
        journal.close()

    asyncio.run(run())
    assert Journal.read(tmp_path / "t.journal") == [entry(1), entry(2), entry(3)]


def test_a_closed_journal_says_so(tmp_path: Path) -> None:
    async def run() -> None:
        journal = Journal.open(tmp_path / "t.journal")
        journal.close()
        journal.close()
        with pytest.raises(TrueupError, match="is closed"):
            await journal.append(entry(1))

    asyncio.run(run())


def test_a_link_or_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("precious\n")
    (tmp_path / "t.journal").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "d.journal").mkdir()
    for name in ("t.journal", "d.journal"):
        with pytest.raises(TrueupError, match="could not be written"):
            Journal.open(tmp_path / name)
        with pytest.raises(StateError, match="not a plain file"):
            Journal.read(tmp_path / name)
    assert (tmp_path / "elsewhere").read_text() == "precious\n"
