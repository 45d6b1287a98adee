"""One writer for each target: a lock of the operating system, which dies with its holder. Knows nothing of state.

Where the file system has no such locks, a file that must not exist yet takes its place; `trueup state unlock` removes
one that a killed process left behind.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from trueup.core.command import HERE, Command, Message
from trueup.core.errors import TrueupError
from trueup.edge.files import PLAIN, explain_error

UNLOCK = HERE.command("state", "unlock")

_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL})


@contextlib.contextmanager
def hold_lock(
    path: Path, target: str, now: float, *, others: str = "apply", unlock: Command = UNLOCK
) -> Iterator[None]:
    """Hold the lock for the length of the block; `now` (Unix seconds) is what others are told, who are said to
    be another of `others`; `unlock` is the command for a lock that was left behind. Raises TrueupError."""
    stand_in = _find_stand_in(path)
    if stand_in.exists():
        raise _make_taken_error(stand_in, target, others, unlock)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | PLAIN, 0o600)
    except OSError as error:
        raise _make_lock_error(path, error) from None
    try:
        by_file = not _take_lock(descriptor, path, target, others)
        if by_file:
            descriptor, unused = _create_stand_in(stand_in, target, others, unlock), descriptor
            os.close(unused)
        _write_holder(descriptor, _describe_self(now))
        try:
            yield
        finally:
            if by_file:
                stand_in.unlink(missing_ok=True)
            _write_holder(descriptor, b"")
    finally:
        os.close(descriptor)


def remove_abandoned(path: Path) -> bool:
    """Remove the file that stands in for a lock; True if there was one. Raises TrueupError."""
    try:
        _find_stand_in(path).unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _make_lock_error(_find_stand_in(path), error) from None
    return True


def _take_lock(descriptor: int, path: Path, target: str, others: str) -> bool:
    """Take the lock without waiting; False where there are no locks. Raises TrueupError when it is held."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _make_taken_error(path, target, others) from None
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return False
        raise _make_lock_error(path, error) from None
    return True


def _create_stand_in(path: Path, target: str, others: str, unlock: Command) -> int:
    """Return the descriptor of the file that stands in for a lock. Raises TrueupError when there is one already."""
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | PLAIN, 0o600)
    except FileExistsError:
        raise _make_taken_error(path, target, others, unlock) from None
    except OSError as error:
        raise _make_lock_error(path, error) from None


def _write_holder(descriptor: int, holder: bytes) -> None:
    """Write down who holds the lock; the lock holds also where that fails (a full disk)."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, holder)


def _find_stand_in(path: Path) -> Path:
    return path.with_name(f"{path.stem}~held.lock")


def _describe_self(now: float) -> bytes:
    import socket  # only a run that writes pays for it

    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    return json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since}).encode("ascii")


def _make_taken_error(path: Path, target: str, others: str, unlock: Command | None = None) -> TrueupError:
    """Return the error of a lock that is held; `unlock` takes it away where a file stands in for it."""
    hint = Message("Wait until it ends, and run the command again.")
    if unlock is not None:
        hint = Message(hint, " If that process is gone, remove the lock: ", unlock)
    return TrueupError(f"Another {others} is running on {target}: {_read_holder(path)}.", hint)


def _read_holder(path: Path) -> str:
    """Who holds the lock, as far as its file says."""
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(1000))
        pid, host, since = int(value["pid"]), str(value["host"]), str(value["since"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return f"{path} is locked by an unknown process"
    shown = "".join(letter if letter.isprintable() else "?" for letter in f"process {pid} on {host}, since {since}")
    return shown[:200]


def _make_lock_error(path: Path, error: OSError) -> TrueupError:
    return TrueupError(
        f"The lock {path} could not be taken: {explain_error(error)}.",
        "Nothing was sent. Make it writable, and run the command again.",
    )
