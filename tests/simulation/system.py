"""What the code under test takes for the operating system: `os`, with the schedule's disks beneath it.

Only files beneath a disk's root are the disk's; no thread is started, so that a schedule comes out the same each time.
Knows no file's meaning.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.engine.world import Killed
from tests.simulation.disk import Disk, File, Folder, Node, Torn

PATCHED = ("open", "close", "write", "ftruncate", "fsync", "fdopen", "replace", "rename", "unlink", "mkdir")


class System:
    """`os` for one schedule: the disks beneath it, and all else as it really is."""

    def __init__(self) -> None:
        self.disks: list[Disk] = []
        self.real = {name: getattr(os, name) for name in PATCHED}
        self.open_files: dict[int, tuple[Disk, Node, str]] = {}

    @contextmanager
    def patched(self) -> Iterator[None]:
        """`os` answers from the disks, and no thread is started: a schedule must come out the same each time."""
        with ExitStack() as stack:
            for name in PATCHED:
                stack.enter_context(patch.object(os, name, getattr(self, name)))
            stack.enter_context(patch.object(asyncio, "to_thread", _in_turn))
            yield

    def _disk(self, path: Any) -> Disk | None:
        text = "" if isinstance(path, int) else str(os.fspath(path))
        return next((disk for disk in self.disks if disk.holds(text)), None)

    def _opened(self, descriptor: int) -> tuple[Disk, Node]:
        disk, node, path = self.open_files[descriptor]
        disk.at = path
        return disk, node

    def open(self, path: Any, flags: int, mode: int = 0o777, **rest: Any) -> int:
        disk = self._disk(path)
        if disk is None:
            return int(self.real["open"](path, flags, mode, **rest))
        disk.at = text = os.fspath(path)
        is_new = bool(flags & os.O_CREAT) and not os.path.lexists(text)
        if is_new:
            disk.before()
        descriptor = int(self.real["open"](path, flags, mode))
        if is_new:
            disk.enter(text, File())
        node = disk.node(text)
        if node is not None:
            self.open_files[descriptor] = disk, node, text
        if is_new:
            disk.after(f"open {Path(text).name}")
        return descriptor

    def close(self, descriptor: int) -> None:
        self.open_files.pop(descriptor, None)
        self.real["close"](descriptor)

    def write(self, descriptor: int, data: Any) -> int:
        if descriptor not in self.open_files:
            return int(self.real["write"](descriptor, data))
        disk, node = self._opened(descriptor)
        assert isinstance(node, File)
        try:
            whole = disk.fitting(bytes(data))
        except Torn as torn:
            self._put(descriptor, node, torn.args[0])
            raise Killed from torn
        self._put(descriptor, node, whole)
        disk.after()
        return len(whole)

    def _put(self, descriptor: int, node: File, data: bytes) -> None:
        if data:
            self.real["write"](descriptor, data)
            node.waiting.append(data)

    def ftruncate(self, descriptor: int, size: int) -> None:
        if descriptor not in self.open_files:
            self.real["ftruncate"](descriptor, size)
            return
        disk, node = self._opened(descriptor)
        assert isinstance(node, File)
        disk.before()
        self.real["ftruncate"](descriptor, size)
        node.waiting.append(size)
        disk.after()

    def fsync(self, descriptor: int) -> None:
        if descriptor not in self.open_files:
            self.real["fsync"](descriptor)
            return
        disk, node = self._opened(descriptor)
        disk.before(sync=True)
        node.sync()
        disk.after()

    def fdopen(self, descriptor: int, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if descriptor in self.open_files and mode == "wb":
            return Writer(descriptor)
        return self.real["fdopen"](descriptor, mode, *rest, **more)

    def replace(self, source: Any, place: Any, **rest: Any) -> None:
        self._move("replace", source, place, **rest)

    def rename(self, source: Any, place: Any, **rest: Any) -> None:
        self._move("rename", source, place, **rest)

    def _move(self, how: str, source: Any, place: Any, **rest: Any) -> None:
        disk = self._disk(source)
        if disk is None:
            self.real[how](source, place, **rest)
            return
        old, new = os.fspath(source), os.fspath(place)
        disk.at = new
        disk.before()
        node = disk.node(old)
        self.real[how](source, place)
        disk.enter(new, node, instead=old)
        disk.after(f"replace {Path(new).name}")

    def unlink(self, path: Any, **rest: Any) -> None:
        disk = self._disk(path)
        if disk is None:
            self.real["unlink"](path, **rest)
            return
        disk.at = os.fspath(path)
        disk.before()
        self.real["unlink"](path)
        disk.enter(os.fspath(path), None)
        disk.after()

    def mkdir(self, path: Any, mode: int = 0o777, **rest: Any) -> None:
        disk = self._disk(path)
        if disk is None or os.path.lexists(path):
            self.real["mkdir"](path, mode, **rest)
            return
        disk.at = os.fspath(path)
        disk.before()
        self.real["mkdir"](path, mode)
        disk.enter(os.fspath(path), Folder())
        disk.after(f"mkdir {Path(path).name}")


class Writer:
    """What `os.fdopen` gives for writing: no buffer, so that each write is a moment of its own."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def write(self, content: bytes) -> None:
        left = content
        while left:
            left = left[os.write(self.descriptor, left) :]

    def writelines(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            self.write(piece)

    def flush(self) -> None:
        """Nothing is blocked."""

    def fileno(self) -> int:
        return self.descriptor


async def _in_turn(work: Callable[..., Any], *arguments: Any) -> Any:
    """`asyncio.to_thread` without a thread: others have their turn before it."""
    await asyncio.sleep(0)
    return work(*arguments)
