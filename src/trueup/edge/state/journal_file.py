"""The journal on disk: append-only JSON lines, each there before its request goes out. Knows nothing of what they mean.

Appends that come in while the disk is busy share its next write: the cost is linear in entries, and a fleet at
parallelism 64 waits for a few writes instead of for thousands.
"""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.core.command import HERE, Message, Selection
from trueup.core.errors import StateError, TrueupError
from trueup.core.memory.journal import Entry, from_line, to_line
from trueup.edge.files import PLAIN, explain_error, read_plain, sync_folder

if TYPE_CHECKING:
    import asyncio

LIMIT = 256 * 1024 * 1024
"""Bytes of a journal; an apply of 10,000 assistants writes about a tenth of it."""

_BLOCK = 65_536


class Journal:
    """An open journal. One process has it open at a time: the target's lock sees to that."""

    __slots__ = ("_descriptor", "_disk", "_failure", "_path", "_queue", "_writer")

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._disk = threading.Lock()  # held while a worker thread writes, so that nobody closes the file under it
        self._queue: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._failure: TrueupError | None = None

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Open the journal for appending, making it if need be; a line torn by a kill is cut off first.

        Raises TrueupError when the file cannot be opened for writing.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | PLAIN, 0o600)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise OSError("it is not a plain file")
                _cut_torn_tail(descriptor)
                sync_folder(path.parent)  # always: a killed run may have made this file, or a state beside it, no more
            except BaseException:
                os.close(descriptor)
                raise
        except OSError as error:
            raise _make_write_error(path, error) from None
        return cls(path, descriptor)

    @staticmethod
    def read(path: Path, selection: Selection = HERE) -> list[Entry]:
        """Return the entries of the journal at `path`, none if there is no file; a torn last line is left out.

        Raises StateError, naming the command that mends it, when any other line is damaged.
        """
        hint = Message("To read what is live and start a new journal: ", selection.command("state", "rebuild"))
        content = read_plain(path, LIMIT, hint)
        entries: list[Entry] = []
        for number, line in enumerate((content or b"").split(b"\n")[:-1], start=1):
            try:
                entries.append(from_line(line.decode("utf-8")))
            except ValueError as error:
                raise StateError(f"{path}:{number}: the journal is damaged: {error}.", hint) from None
        return entries

    async def append(self, entry: Entry) -> None:
        """Append an entry; return once it is on disk, behind all earlier ones. Raises TrueupError if it is not.

        After one failure the journal takes nothing more: what cannot be remembered must not be sent.
        """
        import asyncio  # only a run that writes pays for it

        if self._failure is not None:
            raise self._failure
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((to_line(entry).encode("ascii") + b"\n", written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._drain())
        await written

    def clear(self) -> None:
        """Empty the journal, on disk at return. Raises TrueupError."""
        with self._disk:
            try:
                os.ftruncate(self._descriptor, 0)
                os.fsync(self._descriptor)
            except OSError as error:
                raise _make_write_error(self._path, error) from None

    def close(self) -> None:
        """Close the file once a write in flight is through; what still waits in the queue is told so."""
        with self._disk:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
        if self._failure is None:
            self._failure = TrueupError(f"The journal {self._path} is closed.", "Run the command again.")

    async def _drain(self) -> None:
        waiting: list[asyncio.Future[None]] = []
        try:
            while self._queue:
                batch, self._queue = self._queue, []
                waiting = [written for _, written in batch]
                await self._write(b"".join(line for line, _ in batch), waiting)
        finally:  # nobody waits for ever, also when the loop is being torn down
            for written in (*waiting, *(entry for _, entry in self._queue)):
                written.cancel()
            self._queue = []
            self._writer = None

    async def _write(self, content: bytes, waiting: list[asyncio.Future[None]]) -> None:
        import asyncio

        if self._failure is None:
            try:
                await asyncio.to_thread(self._to_disk, content)
            except OSError as error:
                self._failure = _make_write_error(self._path, error)
        for written in waiting:
            if written.done():
                continue  # its task was cancelled; the line stands all the same
            if self._failure is None:
                written.set_result(None)
            else:
                written.set_exception(self._failure)

    def _to_disk(self, content: bytes) -> None:
        with self._disk:
            size = os.fstat(self._descriptor).st_size
            try:
                left = memoryview(content)
                while left:
                    left = left[os.write(self._descriptor, left) :]
                os.fsync(self._descriptor)
            except OSError:
                os.ftruncate(self._descriptor, size)
                raise


def _cut_torn_tail(descriptor: int) -> None:
    """Cuts what follows the last newline: a line that was being written when its process died."""
    size = end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - _BLOCK)
        os.lseek(descriptor, start, os.SEEK_SET)
        found = os.read(descriptor, end - start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end != size:
        os.ftruncate(descriptor, end)
        os.fsync(descriptor)


def _make_write_error(path: Path, error: OSError) -> TrueupError:
    return TrueupError(
        f"The journal {path} could not be written: {explain_error(error)}.",
        "Every request that was sent is in the journal. Make room or make it writable, and run the command again: it "
        "continues where this one stopped.",
    )
