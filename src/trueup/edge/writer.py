"""New files of a project, and old ones in a new version: whole or not at all, and on the disk at return.

A new file never takes the place of another, whatever appears while it is written. No link is followed. Does not know
what is in the files.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from trueup.core.definitions.names import folded
from trueup.core.errors import TrueupError
from trueup.edge.definition_files import SUFFIXES, link_on_the_way, read_inside
from trueup.edge.files import beside, is_left, reason, sync_folder, write_new
from trueup.edge.yaml_reader import read


def create(root: Path, file: str, text: str) -> None:
    """Writes a file that is not there, with the folders on the way to it. Raises TrueupError."""
    path = _place(root, file)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = beside(path)
        write_new(made, text.encode("utf-8"), 0o666)
        try:
            _into_place(made, path)
        finally:
            made.unlink(missing_ok=True)
        sync_folder(path.parent)
    except FileExistsError:
        raise TrueupError(
            f"{file} was not written: there is something of that name already.",
            "Run the command again: a definition takes another name then. If it says this once more, move that away.",
        ) from None
    except OSError as error:
        raise TrueupError(
            f"{file} could not be written: {reason(error)}.",
            "Make room, or give the right to write there, and run the command again: it goes on where it stopped.",
        ) from None


def replace(root: Path, file: str, before: bytes, after: bytes) -> None:
    """Puts a new version in the place of a file that still holds `before`. Raises TrueupError."""
    path = _place(root, file)
    if read_inside(root, file) != before:
        raise TrueupError(f"{file} changed meanwhile, and was left as it is.", "Run the command again.")
    try:
        made = beside(path)
        write_new(made, after, path.stat().st_mode & 0o777)
        try:
            made.replace(path)
        finally:
            made.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise TrueupError(
            f"{file} could not be written: {reason(error)}.", "Make room, or give the right to write there."
        ) from None


def sweep(root: Path, *below: str) -> None:
    """Removes what killed writers left below folders in which no other writes now. Raises TrueupError."""
    try:
        for place, folders, names in (step for folder in below for step in os.walk(root / folder)):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in filter(is_left, names):
                (Path(place) / name).unlink(missing_ok=True)
    except OSError as error:
        raise TrueupError(
            f"{error.filename}, which a killed run left, could not be removed: {reason(error)}.",
            "Remove it, or give the right to, and run the command again.",
        ) from None


def content(root: Path, file: str) -> bytes:
    """The bytes of a file of the project. Raises TrueupError."""
    found = link_on_the_way(root, file) or read_inside(root, file)
    if isinstance(found, str):
        raise TrueupError(f"{file} {found}.", "Make it a plain file that you may read and write.")
    return found


def taken_names(root: Path, folder: str, protocols: Collection[str] = ()) -> set[str]:
    """The names below the definitions folder that no new definition can have, as `folded` makes them.

    Each file's path without its ending is one, whatever the ending is, and without one of the `protocols` at its end;
    and a folder's that ends as a definition does.
    """
    start = root / folder
    folders = (Path(place) / name for place, names, _ in os.walk(start) for name in names)
    there = [*_files(start), *(path for path in folders if path.suffix.lower() in SUFFIXES)]
    names = {path.relative_to(start).with_suffix("").as_posix() for path in there}
    bare = {name.removesuffix(f".{protocol}") for name in names for protocol in protocols}
    return {folded(name) for name in names | bare}


def parts_in(root: Path, folder: str) -> dict[str, Any]:
    """The YAML parts below a folder that can be read, path from there to value; none where there is no such folder."""
    found = {}
    for path in sorted(_files(root / folder)):
        inner = path.relative_to(root).as_posix()
        data = read_inside(root, inner) if path.suffix == ".yaml" and not link_on_the_way(root, inner) else ""
        value = read(data, inner).value if isinstance(data, bytes) else None
        if value is not None:
            found[path.relative_to(root / folder).as_posix()] = value
    return found


def _files(start: Path) -> Iterator[Path]:
    """Everything below a folder that is no folder and not hidden; links are not followed."""
    for place, folders, names in os.walk(start):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place) / name for name in names if not name.startswith("."))


def _place(root: Path, file: str) -> Path:
    link = link_on_the_way(root, str(PurePosixPath(file).parent))
    if link:
        raise TrueupError(f"{file} was not written: it {link}.", "Put a folder of its own in the link's place.")
    return root / file


def _into_place(made: Path, path: Path) -> None:
    """Gives a written file its name, unless something has it. Raises OSError."""
    try:
        os.link(made, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: what appears between these two lines would be lost
        with contextlib.suppress(FileNotFoundError):
            path.lstat()
            raise FileExistsError from None
        made.replace(path)
