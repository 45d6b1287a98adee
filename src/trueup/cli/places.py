"""Where `--also` may write: over an earlier answer, and over nothing that a project or the same command lives by.

A place counts as what it points to. Knows names of files and what a command line says of them; reads `trueup.yaml` for
its folder of definitions and nothing else, and writes nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from trueup.cli.flags import Flags
from trueup.core.definitions.sources import PROJECT_FILE
from trueup.edge.files import reason
from trueup.edge.project_file import definitions_folder

MEMORY, GIT = ".trueup", ".git"
"""Folders in which each file is somebody's: what Trueup remembers, and what git does."""

NAMED = {
    "out": "--out writes the plan there",
    "snapshot": "it is what --snapshot reads",
    "file": "it is the plan that is to be shown",
    "what": "the command line names it as the plan to apply",
}
"""Parameters of commands that name files of another kind, and why an answer is not written over one."""


def refuse_places(flags: Flags, given: Mapping[str, Any], ctx: click.Context) -> None:
    """Raises a usage error for a file of --also that is not for it, or could not be written when all is done.

    `given` are the command's own parameters.
    """
    root = Path(flags.chdir)
    folder = definitions_folder(root)
    used = [*_named(root, given)]
    for _, file in flags.also:
        place = root / file
        words = why_not(root, place, folder) or next((why for other, why in used if _same(other, place)), "")
        if words:
            hint = "Name another file, such as report.json."
            raise click.UsageError(f"--also cannot write {place}: {words}. {hint}", ctx)
        used.append((place, "another --also writes there"))


def why_not(root: Path, place: Path, definitions: str | None) -> str:
    """Why an answer is not written to a place, as the end of a sentence; empty where it may be.

    `definitions` is the project's folder of them; where nobody knows it, a command that needs it fails by itself.
    """
    try:
        if place.is_symlink():
            return "it is a symbolic link"
        if stat.S_ISDIR(place.stat().st_mode):
            return "it is a folder"
    except (FileNotFoundError, NotADirectoryError):
        missing = next((one.parent for one in (place, Path(os.path.realpath(place))) if not one.parent.is_dir()), None)
        if missing is not None:
            return f"there is no folder {missing}"
    except OSError as error:
        return reason(error)
    found, top = Path(os.path.realpath(place)), Path(os.path.realpath(root))
    parts = [part.casefold() for part in (found.relative_to(top) if found.is_relative_to(top) else found).parts]
    if MEMORY in parts or _is_within(found, root / MEMORY):
        return f"{MEMORY} is for what Trueup remembers"
    if GIT in parts:
        return f"{GIT} is git's own"
    if parts[-1] == PROJECT_FILE or _same(found, root / PROJECT_FILE):
        return f"{PROJECT_FILE} is the project's own file"
    if definitions is not None and _is_within(found, root / definitions):
        return f"{definitions} is for definitions"
    return ""


def fit(flags: Flags) -> tuple[tuple[str, str], ...]:
    """The files of --also that may be written where a command has failed, however early."""
    root = Path(flags.chdir)
    folder = definitions_folder(root)
    return tuple(
        (format_, file)
        for format_, file in flags.also
        if not why_not(root, root / file, folder) and not (folder is None and _may_be_one(root, root / file))
    )


def _may_be_one(root: Path, place: Path) -> bool:
    """Whether a place may be a definition of a project whose folder of them nobody knows."""
    found, top = Path(os.path.realpath(place)), Path(os.path.realpath(root))
    return found.exists() and found.is_relative_to(top) and found.parent != top


def _named(root: Path, given: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """The files that a command's own parameters name, each with what an answer would spoil there."""
    for name, why in NAMED.items():
        value = given.get(name)
        for file in value if isinstance(value, tuple) else () if value is None else (value,):
            if name != "what" or _is_file(root / file):  # else it is a NAME
                yield root / file, why


def _is_file(place: Path) -> bool:
    try:
        return stat.S_ISREG(place.stat().st_mode)
    except OSError:
        return False


def _is_within(found: Path, folder: Path) -> bool:
    """Whether a resolved place is a folder or in it, however both are spelled."""
    return any(_same(one, folder) for one in (found, *found.parents))


def _same(one: Path, other: Path) -> bool:
    """Whether two places are one file, which need not be there."""
    try:
        return one.samefile(other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)
