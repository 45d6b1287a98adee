"""Folders and files on a command line: where the project is, how paths read from elsewhere, where `--also` may write.

Reads `trueup.yaml` for its folder of definitions and nothing else, and writes nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from trueup.cli.flags import Flags
from trueup.cli.output import Screen
from trueup.core.command import Command, Message, Selection
from trueup.core.definitions.sources import PROJECT_FILE
from trueup.core.errors import TrueupError
from trueup.edge.files import explain_error
from trueup.edge.project_file import find_definitions_folder
from trueup.edge.state.store import FOLDER

DEFINITIONS = "assistants"
"""The folder of definitions that is used without a project file."""

FILES = frozenset({"FILE", "FOLDER", "PLAN", "FORMAT=FILE"})
"""What a parameter that takes a path is called in the help."""

MEMORY, GIT = ".trueup", ".git"
"""Folders in which each file is somebody's: what Trueup remembers, and what git does."""

NAMED_FILES = {
    "out": "--out writes the plan there",
    "snapshot": "it is what --snapshot reads",
    "file": "it is the plan to show",
    "what": "the command line names it as the plan to apply",
}
"""Parameters of commands that name files of another kind, and why an answer is not written over one."""


def check_project_folder(root: Path, flags: Flags, *, may_begin: bool = False) -> None:
    """Note on stderr where a project file above is not used; `may_begin`: the command may start a project.

    Raises TrueupError where there is nothing to work on.
    """
    if os.path.lexists(root / PROJECT_FILE):
        return
    above = find_project_above(root)
    here = "here" if flags.chdir == "." else f"in {flags.chdir!r}"
    at = Path(above, PROJECT_FILE)
    again = _make_command_above(flags, root, above) if above else None
    if any(os.path.lexists(root / name) for name in (DEFINITIONS, FOLDER)):
        if again is not None:
            screen = Screen(flags)
            screen.note(
                f"There is no {PROJECT_FILE} {here}: the target is local. The nearest one above is {at}; to use it:"
            )
            screen.note(f"  {again}")
        return
    message = f"There is no {PROJECT_FILE} and no folder {DEFINITIONS} {here}."
    if again is not None:
        raise TrueupError(message, Message(f"The nearest {PROJECT_FILE} above is {at}. To work there: ", again))
    if not may_begin:
        begin = Selection(flags.folder).command("init")
        raise TrueupError(
            message, Message(f"To start a project {here}: ", begin, ". Or name the project's folder with -C.")
        )


def _make_command_above(flags: Flags, root: Path, above: str) -> Command:
    """Return this command line for the project above; its paths still name the same files."""
    typed = replace(flags, arguments=move_paths(flags.arguments, Folders(root, Path(above))))
    return replace(typed.again(), selection=Selection(above))


def find_project_above(root: Path) -> str:
    """Return the nearest folder above that has a project file, seen from the current one; empty where none has."""
    found = next((folder for folder in root.resolve().parents if os.access(folder / PROJECT_FILE, os.F_OK)), None)
    return os.path.relpath(found) if found is not None else ""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the paths of a command line are seen from, and from where they are to be seen."""

    old: Path
    new: Path

    def move(self, word: str) -> str:
        """Return a path as it is seen from the new folder; one from the machine's root stays."""
        if Path(word).is_absolute():
            return word
        moved = os.path.relpath(self.old.resolve() / word, self.new.resolve())
        return f"{moved}/" if word.endswith("/") else moved

    def move_name(self, word: str) -> str:
        """Return a NAME or NAME=ID; one that is a path is seen from the new folder."""
        name, equals, live_id = word.rpartition("=") if "=" in word else (word, "", "")
        return f"{self.move(name)}{equals}{live_id}" if self._is_path(name) else word

    def _is_path(self, name: str) -> bool:
        if name.split("/")[0] in (".", ".."):
            return True
        return (self.old / name).is_dir() if name.endswith("/") else (self.old / name).is_file()


def move_paths(words: Sequence[str], folders: Folders) -> tuple[str, ...]:
    """Return the words of the running command's line, with its paths seen from the new folder."""
    ctx = click.get_current_context()
    options = {name: item for item in ctx.command.params if isinstance(item, click.Option) for name in item.opts}
    return tuple(_move_words(words, ctx, options, folders))


def _move_words(
    words: Sequence[str], ctx: click.Context, options: dict[str, click.Option], folders: Folders
) -> Iterator[str]:
    """Yield the words one by one: options with their values, the command's own words, then its arguments."""
    names = len(ctx.command_path.split()) - 1
    takes_file = any(isinstance(item, click.Argument) and item.metavar in FILES for item in ctx.command.params)
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        option = options.get(name)
        if option is not None:
            yield f"{name}={_move_value(option, value, folders)}" if equals else word
            if not (equals or option.is_flag or option.count):
                yield _move_value(option, next(rest), folders)
        elif word.startswith("-"):
            yield word
        elif names:
            names -= 1
            yield word
        else:
            yield folders.move(word) if takes_file else folders.move_name(word)


def _move_value(option: click.Option, value: str, folders: Folders) -> str:
    """Return the value of an option; a file's is seen from the new folder."""
    if option.metavar not in FILES or option.name == "chdir":
        return value
    format_, equals, file = value.rpartition("=") if option.metavar == "FORMAT=FILE" else ("", "", value)
    return f"{format_}{equals}{folders.move(file)}"


def refuse_places(flags: Flags, given: Mapping[str, Any], ctx: click.Context) -> None:
    """Refuse a file of --also that must not or cannot be written. Raises UsageError.

    `given` are the command's own parameters.
    """
    root = Path(flags.chdir)
    folder = find_definitions_folder(root)
    used = [*_find_named_files(root, given)]
    for _, file in flags.also:
        place = root / file
        words = explain_refusal(root, place, folder) or next((why for other, why in used if _is_same(other, place)), "")
        if words:
            hint = "Name another file, such as report.json."
            raise click.UsageError(f"--also cannot write {place}: {words}. {hint}", ctx)
        used.append((place, "another --also writes there"))


def explain_refusal(root: Path, place: Path, definitions: str | None) -> str:
    """Say why an answer is not written to a place, as the end of a sentence; empty where it may be.

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
        return explain_error(error)
    found, top = Path(os.path.realpath(place)), Path(os.path.realpath(root))
    parts = [part.casefold() for part in (found.relative_to(top) if found.is_relative_to(top) else found).parts]
    if MEMORY in parts or _is_within(found, root / MEMORY):
        return f"{MEMORY} is for Trueup's own files"
    if GIT in parts:
        return f"{GIT} is git's own"
    if parts[-1] == PROJECT_FILE or _is_same(found, root / PROJECT_FILE):
        return f"{PROJECT_FILE} is the project's own file"
    if definitions is not None and _is_within(found, root / definitions):
        return f"{definitions} is for definitions"
    return ""


def find_writable_also(flags: Flags) -> tuple[tuple[str, str], ...]:
    """Return the files of --also that may be written where a command has failed, however early."""
    root = Path(flags.chdir)
    folder = find_definitions_folder(root)
    return tuple(
        (format_, file)
        for format_, file in flags.also
        if not explain_refusal(root, root / file, folder) and not (folder is None and _may_be_one(root, root / file))
    )


def _may_be_one(root: Path, place: Path) -> bool:
    """Return whether a place may be a definition, where the folder of definitions is not known."""
    found, top = Path(os.path.realpath(place)), Path(os.path.realpath(root))
    return found.exists() and found.is_relative_to(top) and found.parent != top


def _find_named_files(root: Path, given: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield the files that a command's own parameters name, each with the reason not to overwrite it."""
    for name, why in NAMED_FILES.items():
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
    """Return whether a resolved place is a folder or in it, however both are spelled."""
    return any(_is_same(one, folder) for one in (found, *found.parents))


def _is_same(one: Path, other: Path) -> bool:
    """Return whether two paths are one file, which need not exist."""
    try:
        return one.samefile(other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)
