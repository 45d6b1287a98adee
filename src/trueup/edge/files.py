"""Reads files as untrusted, and writes them whole or not at all, on the disk when a call returns.

Knows plain files, files inside a project (no link on the way) and files that the command line names; nothing of what
is in one.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeVar

from trueup.core.command import join_messages
from trueup.core.definitions.document import SIZE_LIMIT
from trueup.core.errors import StateError, TrueupError
from trueup.core.rules.fault import nearest
from trueup.edge.collector import pause_collector

_READ_PLAIN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
"""Opening fails on a symbolic link and changes no byte, on systems that would."""


def read_plain(path: Path, limit: int, hint: str) -> bytes | None:
    """Return the bytes of a plain file of at most `limit` bytes, None if there is none. Raises StateError."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise StateError(f"{path} is {_describe_kind(found.st_mode)}, not a plain file.", hint)
        if found.st_size > limit:
            raise StateError(f"{path} is larger than {limit >> 20} MiB, more than is allowed.", hint)
        descriptor = os.open(path, os.O_RDONLY | PLAIN)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(limit)
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        stands = next((place for place in path.parents if place.exists() and not place.is_dir()), path.parent)
        words = f"{path} could not be read: {stands} is not a folder."
        raise StateError(words, f"Move {stands} away: Trueup needs a folder of that name.") from None
    except OSError as error:
        raise StateError(
            f"{path} could not be read: {explain_error(error)}.", "Make it readable and try again."
        ) from None


def read_regular(path: Path, limit: int) -> bytes:
    """Return the start of a regular file, at most one byte more than `limit`; a symbolic link is followed.

    Raises OSError for anything else: a named pipe would wait for ever, and a device never end.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"it is {_describe_kind(mode)}, not a plain file")
    with os.fdopen(descriptor, "rb") as file:
        return file.read(limit + 1)


def read_inside(root: Path, file: str) -> bytes | str:
    """Return the bytes of a plain file, at most one more than may be read; or why not, as the end of a sentence."""
    try:
        descriptor = os.open(root / file, _READ_PLAIN)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return "is not a plain file"
            return _read_whole(descriptor)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return _describe_missing(root, file)
    except (NotADirectoryError, IsADirectoryError):
        return "is not a plain file"
    except OSError as error:
        return find_link(root, file) or f"cannot be read: {(error.strerror or str(error)).lower()}"
    except ValueError:
        return "is not a possible path of a file"


def _read_whole(descriptor: int) -> bytes:
    """Everything in an open file, up to one byte more than may be read."""
    content = os.read(descriptor, SIZE_LIMIT + 1)
    while len(content) <= SIZE_LIMIT:
        more = os.read(descriptor, SIZE_LIMIT + 1 - len(content))
        if not more:
            break
        content += more
    return content


def find_link(root: Path, file: str) -> str:
    """Return why a file that somebody named is not opened: a symbolic link on the way to it; empty if there is none."""
    path = root
    for piece in PurePosixPath(file).parts:
        path = path / piece
        if path.is_symlink():
            return (
                f"is reached through the symbolic link {path.relative_to(root).as_posix()}, and links are not followed"
            )
    return ""


def _describe_missing(root: Path, file: str) -> str:
    folder = (root / file).parent
    beside = sorted(entry.name for entry in os.scandir(folder)) if folder.is_dir() else []
    stems = {PurePosixPath(name).stem: name for name in reversed(beside) if not name.startswith(".")}
    close = stems.get(nearest(PurePosixPath(file).stem, stems))
    return f"does not exist; did you mean {close!r}?" if close else "does not exist"


def write_new(path: Path, content: bytes | Iterable[bytes], mode: int) -> None:
    """Write a file that did not exist, on disk at return; a half-written one is removed. Raises OSError.

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


def append_file(path: Path, content: bytes) -> None:
    """Add to the end of a plain file that is there, in one write; on disk at return. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | PLAIN)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(
    path: Path, content: bytes | Iterable[bytes], mode: int | None = 0o666, *, may_exist: bool = True
) -> None:
    """Write a file whole, or leave its place as it was; on disk at return. Raises OSError.

    `mode` None keeps the permissions of the file that is there. Without `may_exist` the new file never takes the place
    of another, whatever appears meanwhile. One process writes a file at a time; what runs that were killed in the
    middle of it left beside the file is removed.
    """
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        if _is_left(left.name):
            left.unlink(missing_ok=True)
    made = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    write_new(made, content, 0o600 if mode is None else mode)
    try:
        if mode is None:
            made.chmod(stat.S_IMODE(path.stat().st_mode))
        if may_exist:
            made.replace(path)
        else:
            _give_name(made, path)
    except BaseException:
        with contextlib.suppress(OSError):
            made.unlink()
        raise
    sync_folder(path.parent)


def _give_name(made: Path, path: Path) -> None:
    """Give a written file its name, unless something has it. Raises OSError."""
    try:
        os.link(made, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: what appears between these two lines would be lost
        with contextlib.suppress(FileNotFoundError):
            path.lstat()
            raise FileExistsError from None
        made.replace(path)
    else:
        made.unlink()


def _is_left(name: str) -> bool:
    """Return whether a file's name is one that only writers of ours give, for the time until the file has its own."""
    return name.startswith(".") and name.endswith(".tmp") and name[:-4].rpartition(".")[2].isdecimal()


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable, where the system lets a folder be opened. Raises OSError."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def explain_error(error: OSError) -> str:
    """Return what the system says, without the path that the message names anyway."""
    return (error.strerror or str(error)).lower()


def _describe_kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"


_T = TypeVar("_T")


def read_named(path: Path, what: str, limit: int, again: str, loads: Callable[[str], _T]) -> _T:
    """Return what `loads` makes of a file's text; `what` names its kind ("plan file"), `limit` are bytes.

    `again` is a hint with the command that makes one.

    Raises TrueupError saying what is wrong with the file and how to go on.
    """
    try:
        data = read_regular(path, limit)
        if len(data) > limit:
            raise TrueupError(f"{path} is larger than any {what}.", again)
        text = data.decode("utf-8-sig")
    except FileNotFoundError:
        raise TrueupError(f"There is no {what} {path}.", again) from None
    except UnicodeDecodeError:
        raise TrueupError(f"{path} is no {what}: it is not UTF-8 text.", again) from None
    except OSError as error:
        raise TrueupError(f"The {what} {path} could not be read: {explain_error(error)}.", again) from None
    try:
        with pause_collector():
            return loads(text)
    except TrueupError as error:
        raise TrueupError(f"{path}: {error.message}", join_messages((error.hint, again))) from None


def write_named(path: Path, what: str, content: Iterable[bytes]) -> None:
    """Write the pieces of a file that the command line names, readable by its owner only.

    Raises TrueupError; the old file then stands.
    """
    try:
        with pause_collector():
            write_file(path, content, 0o600)
    except OSError as error:
        raise TrueupError(
            f"The {what} {path} could not be written: {explain_error(error)}.",
            "Make room, or name a file in a writable folder.",
        ) from None


def refuse_place(
    path: Path,
    what: str,
    beginning: bytes,
    kept: Sequence[Path],
    elsewhere: str,
    overwrite: str,
    *,
    force: bool = False,
) -> None:
    """Raise TrueupError where a file of a kind may not be written: over what is none, or in a folder of `kept`.

    `what` is the kind with its article ("a plan"), `beginning` the bytes that each of the kind begins with.
    `elsewhere` and `overwrite` are hints: how to name another place, and how to take this one. An empty file, as mktemp
    leaves one, may go; with `force` any plain file may.
    """
    refused = f"Cannot write {what} to {path}:"
    for folder in kept:
        if path.resolve().is_relative_to(folder.resolve()):
            raise TrueupError(f"{refused} {folder} is for other files.", elsewhere)
    if not path.parent.is_dir():
        raise TrueupError(f"{refused} there is no folder {path.parent}.", "Make it first.")
    if path.is_dir():
        raise TrueupError(f"{refused} it is a folder.", elsewhere)
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise TrueupError(f"{refused} it is not a plain file.", elsewhere)
    if path.exists() and not force and read_start(path, len(beginning)) not in (b"", beginning):
        raise TrueupError(f"{refused} it is there already, and is not {what}.", overwrite)


def read_start(path: Path, size: int) -> bytes:
    """Return the first bytes of a file. Raises TrueupError."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise TrueupError(f"{path} could not be read: {explain_error(error)}.", "Name another file.") from None


def write_inside(root: Path, file: str, content: bytes, before: bytes | None = None) -> None:
    """Write a file of the project, with the folders on the way to it; no link is followed.

    `before` is what a file that is there must still hold; it keeps its permissions. Without it there must be none.

    Raises TrueupError, and nothing has changed then.
    """
    path = root / file
    link = find_link(root, file if before is not None else str(PurePosixPath(file).parent))
    found = link or (read_inside(root, file) if before is not None else None)
    if isinstance(found, str):
        raise TrueupError(
            f"{file} was not written: it {found}.", "Replace it with a plain file or folder of the project."
        )
    if found != before:
        raise TrueupError(f"{file} changed meanwhile, and was not written.", "Run the command again.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, content, 0o666 if before is None else None, may_exist=before is not None)
    except FileExistsError:
        raise TrueupError(
            f"{file} was not written: a file or folder of that name exists already.",
            "Run the command again: it uses another name then. If this repeats, move that file away.",
        ) from None
    except OSError as error:
        raise TrueupError(
            f"{file} could not be written: {explain_error(error)}.",
            "Make room, or make it writable, and run the command again: it continues where it stopped.",
        ) from None


def read_content(root: Path, file: str) -> bytes:
    """Return the bytes of a file of the project. Raises TrueupError."""
    found = find_link(root, file) or read_inside(root, file)
    if isinstance(found, str):
        raise TrueupError(f"{file} {found}.", "Replace it with a plain file that you may read and write.")
    return found


def sweep_folders(root: Path, *below: str) -> None:
    """Remove what killed writers left below folders in which no other writes now. Raises TrueupError."""
    try:
        for place, folders, names in (step for folder in below for step in os.walk(root / folder)):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in filter(_is_left, names):
                (Path(place) / name).unlink(missing_ok=True)
    except OSError as error:
        raise TrueupError(
            f"{error.filename}, which a killed run left behind, could not be removed: {explain_error(error)}.",
            "Remove it, or make it writable, and run the command again.",
        ) from None
