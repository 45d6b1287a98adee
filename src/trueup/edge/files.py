"""Files as the store needs them: whole or not at all, and on the disk when a call returns. Knows nothing of state."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from trueup.core.errors import StateError

PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
"""Opening fails on a symbolic link and changes no byte, on systems that would."""


def read_plain(path: Path, limit: int, hint: str) -> bytes | None:
    """The bytes of a plain file of at most `limit` bytes, None if there is none. Raises StateError for all else."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise StateError(f"{path} is {_kind(found.st_mode)}, not a plain file.", hint)
        if found.st_size > limit:
            raise StateError(f"{path} is larger than {limit >> 20} MiB, which is no size for it.", hint)
        descriptor = os.open(path, os.O_RDONLY | PLAIN)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(limit)
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        stands = next((place for place in path.parents if place.exists() and not place.is_dir()), path.parent)
        words = f"{path} could not be read: {stands} is not a folder."
        raise StateError(words, f"Move {stands} away: state is kept in a folder of that name.") from None
    except OSError as error:
        raise StateError(f"{path} could not be read: {reason(error)}.", "Make it readable and try again.") from None


def read_regular(path: Path, limit: int) -> bytes:
    """Return the start of a regular file, at most one byte more than `limit`; a symbolic link is followed.

    Raises OSError for anything else: a named pipe would wait for ever, and a device never end.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"it is {_kind(mode)}, not a plain file")
    with os.fdopen(descriptor, "rb") as file:
        return file.read(limit + 1)


def write_new(path: Path, content: bytes | Iterable[bytes], mode: int) -> None:
    """Writes a file that did not exist, on disk at return; a half-written one is removed. Raises OSError.

    Content that comes in pieces is written as it comes.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | PLAIN, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines((content,) if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def append(path: Path, content: bytes) -> None:
    """Adds to the end of a plain file that is there, in one write; on disk at return. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | PLAIN)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put(path: Path, content: bytes) -> None:
    """Puts the content in the file's place, or leaves the file as it was; on disk at return. Raises OSError.

    One process does so at a time. What runs that were killed in the middle of it left beside the file is removed.
    """
    for left in path.parent.glob(f"{glob.escape(path.name)}.*.tmp"):
        left.unlink()
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    write_new(beside, content, 0o666)
    try:
        beside.replace(path)
    except OSError:
        beside.unlink()
        raise
    sync_folder(path.parent)


def beside(path: Path) -> Path:
    """Where the next version of a file is written: `.NAME.PID.tmp`. What killed runs left there is removed.

    One process writes a file at a time. Raises OSError.
    """
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        if is_left(left.name):
            left.unlink(missing_ok=True)
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def is_left(name: str) -> bool:
    """Whether a file's name is one that only writers of ours give, for the time until the file has its own."""
    return name.startswith(".") and name.endswith(".tmp") and name[:-4].rpartition(".")[2].isdecimal()


def sync_folder(folder: Path) -> None:
    """Makes the folder's entries durable, where the system lets a folder be opened. Raises OSError."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def reason(error: OSError) -> str:
    """What the system says, without the path that the message names anyway."""
    return (error.strerror or str(error)).lower()


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
