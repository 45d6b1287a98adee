"""Whether the folder that a command works in holds a project. Looks above it for a hint alone, reading nothing."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from trueup.cli.flags import Flags
from trueup.cli.output import Screen
from trueup.cli.typed_paths import Folders, move_paths
from trueup.core.command import Command, Message, Selection
from trueup.core.definitions.sources import PROJECT_FILE
from trueup.core.errors import TrueupError
from trueup.edge.state.store import FOLDER

DEFINITIONS = "assistants"
"""The folder of definitions that is used without a project file."""


def check_folder(root: Path, flags: Flags, *, may_begin: bool = False) -> None:
    """Note on stderr where a project file above is not used; `may_begin`: the command may start a project.

    Raises TrueupError where there is nothing to work on.
    """
    if os.path.lexists(root / PROJECT_FILE):
        return
    above = folder_above(root)
    here = "here" if flags.chdir == "." else f"in {flags.chdir!r}"
    at = Path(above, PROJECT_FILE)
    again = _command_above(flags, root, above) if above else None
    if any(os.path.lexists(root / name) for name in (DEFINITIONS, FOLDER)):
        if again is not None:
            screen = Screen(flags)
            screen.note(
                f"There is no {PROJECT_FILE} {here}: the target is local. The nearest one above is {at}; to use it:"
            )
            screen.note(f"  {again}")
        return
    message = f"There is neither a {PROJECT_FILE} nor a folder {DEFINITIONS} {here}: there is nothing to work on."
    if again is not None:
        raise TrueupError(message, Message(f"The nearest {PROJECT_FILE} above is {at}. To work there: ", again))
    if not may_begin:
        begin = Selection(flags.folder).command("init")
        raise TrueupError(message, Message(f"To start a project {here}: ", begin, ". Else name its folder with -C."))


def _command_above(flags: Flags, root: Path, above: str) -> Command:
    """Return this command line for the project above; its paths still name the same files."""
    typed = replace(flags, arguments=move_paths(flags.arguments, Folders(root, Path(above))))
    return replace(typed.again(), selection=Selection(above))


def folder_above(root: Path) -> str:
    """Return the nearest folder above that has a project file, seen from the current one; empty where none has."""
    found = next((folder for folder in root.resolve().parents if os.access(folder / PROJECT_FILE, os.F_OK)), None)
    return os.path.relpath(found) if found is not None else ""
