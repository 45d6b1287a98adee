"""Export files on disk: written whole and for their owner only, read as hostile. What they hold: `core.migration`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from trueup.core.command import Command, Message
from trueup.core.errors import TrueupError
from trueup.core.migration.export import BEGINNING, LIMIT, Export, dumps, loads
from trueup.edge.collector import paused
from trueup.edge.files import reason
from trueup.edge.named_files import put_named, read_named
from trueup.wire.registry import definition_table, protocols

_ELSEWHERE = "Name another file, such as live.json."


def read_export(path: Path, again: Command) -> Export:
    """The export in a file; `again` is the command that makes it.

    Raises TrueupError saying what is wrong with the file and how to go on.
    """
    return read_named(path, "export", 4 * LIMIT, Message("To make one: ", again), partial(loads, maps=_maps))


def _maps(protocol: str) -> dict[str, int]:
    return {name: row.depth for name, row in definition_table(protocol).maps.items()} if protocol in protocols() else {}


def refuse_place(path: Path, kept: Sequence[Path], again: Command, *, force: bool = False) -> None:
    """Raises TrueupError where an export may not be written: over what is no export, or in a folder of `kept`.

    `force` lets it take the place of any plain file, and nothing else; `again` is the command with it.
    """
    for folder in kept:
        if path.resolve().is_relative_to(folder.resolve()):
            raise TrueupError(f"An export is not written to {path}: {folder} is for other files.", _ELSEWHERE)
    if not path.parent.is_dir():
        raise TrueupError(f"An export cannot be written to {path}: there is no folder {path.parent}.", "Make it first.")
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise TrueupError(f"An export cannot be written to {path}: it is no plain file.", _ELSEWHERE)
    if path.exists() and not force and not _may_go(path):
        raise TrueupError(
            f"An export is not written to {path}: it is there already, and is no export.",
            Message("Name another file, or if it may go, write over it: ", again),
        )


def write_export(path: Path, export: Export) -> None:
    """Puts the export in the file's place, readable by its owner only. Raises TrueupError; the old file then stands."""
    with paused():
        content = dumps(export).encode("utf-8")
    put_named(path, "export", [content])


def _may_go(path: Path) -> bool:
    """Whether a file is empty, as mktemp leaves one, or begins as each export of ours does."""
    beginning = BEGINNING.encode()
    try:
        with path.open("rb") as file:
            return file.read(len(beginning)) in (b"", beginning)
    except OSError as error:
        raise TrueupError(f"{path} could not be read: {reason(error)}.", _ELSEWHERE) from None
