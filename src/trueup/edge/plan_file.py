"""Plan files on disk: written whole and for their owner only, read as hostile. What is in one is the codec's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePath

from trueup.core.command import HERE, Command, Message, Selection
from trueup.core.errors import TrueupError
from trueup.core.plans.plan import Plan, with_kinds
from trueup.core.plans.plan_codec import BEGINNING, MAX_CHARACTERS, loads, pieces
from trueup.edge.named_files import put_named, read_named
from trueup.wire.registry import field_table, protocols

SUFFIXES = (".json", ".plan")
"""Endings by which a bare name means a plan file, whatever is in it."""


def is_plan_named(text: str) -> bool:
    """Whether an argument has the ending of a plan file."""
    return PurePath(text).suffix.lower() in SUFFIXES


def is_path(text: str) -> bool:
    """Whether an argument leads to a file by its folder, as `./change` does and no bare name."""
    return "/" in text or os.sep in text


def begins_as_plan(path: Path) -> bool:
    """Whether a plain file begins as each plan of ours does."""
    try:
        return path.is_file() and _start(path) == BEGINNING
    except OSError:
        return False


def read_plan(root: Path, file: str, selection: Selection = HERE) -> Plan:
    """The plan in a file, seen from the project's folder; its commands are for the project of `selection`.

    Raises TrueupError saying what is wrong with the file and how to go on.
    """
    again = Message("To make one: ", selection.command("plan", out=file))
    read = partial(loads, folder=selection.folder)
    plan = read_named(root / file, "plan file", 4 * MAX_CHARACTERS, again, read)
    protocol = plan.identity.protocol
    return with_kinds(plan, field_table(protocol)) if protocol in protocols() else plan


def refuse_place(path: Path, kept: Sequence[Path], again: Command) -> None:
    """Raises TrueupError where a plan may not be written: over what is no plan, or in a folder of `kept`.

    `again` is the command with a place that would do.
    """
    elsewhere = Message("Name another file: ", again)
    for folder in kept:
        if path.resolve().is_relative_to(folder.resolve()):
            raise TrueupError(f"A plan is not written to {path}: {folder} is for other files.", elsewhere)
    if not path.parent.is_dir():
        raise TrueupError(f"A plan cannot be written to {path}: there is no folder {path.parent}.", "Make it first.")
    if path.is_dir():
        raise TrueupError(f"A plan cannot be written to {path}: it is a folder.", elsewhere)
    if path.exists() and not (path.is_file() and _may_go(path)):
        raise TrueupError(
            f"A plan is not written to {path}: it is there already, and is no plan.",
            Message("Remove it first if it may go, or name another file: ", again),
        )


def _may_go(path: Path) -> bool:
    """Whether a file is empty, as mktemp leaves one, or begins as each plan of ours does."""
    return _start(path) in (b"", BEGINNING)


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(BEGINNING))


def write_plan(path: Path, plan: Plan) -> None:
    """Puts the plan in the file's place, readable by its owner only. Raises TrueupError; the old file then stands."""
    put_named(path, "plan file", pieces(plan))
