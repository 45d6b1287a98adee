"""Plans and reports as files that pipelines keep: plans written whole and for their owner only, both read as hostile.

What is in a file is the core's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from trueup.core.command import HERE, Command, Message, Selection
from trueup.core.errors import TrueupError
from trueup.core.plans.plan import Plan, with_kinds
from trueup.core.plans.plan_codec import BEGINNING, MAX_CHARACTERS, loads, pieces
from trueup.edge.collector import paused
from trueup.edge.files import read_named, read_regular, reason, write_named
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
    write_named(path, "plan file", pieces(plan))


LARGEST = 256 * 1024 * 1024
"""Bytes of the largest report that is read."""

MOST = 20_000
"""Reports of a folder that are read: 50 applies a day for a year."""


def read_report(path: Path) -> Any:
    """The JSON value in a file, None where there is no such file. Raises TrueupError where it cannot be read."""
    try:
        data = read_regular(path, LARGEST)
        if len(data) > LARGEST:
            raise TrueupError(f"{path} is larger than {LARGEST >> 20} MiB, which no report is.", "Name another file.")
        text = data.decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TrueupError(f"{path} could not be read: {reason(error)}.", "Name another file.") from None
    except UnicodeDecodeError:
        raise TrueupError(f"{path} is no report: it is not UTF-8 text.", "Name another file.") from None
    try:
        with paused():
            return json.loads(text)
    except (ValueError, RecursionError):
        raise TrueupError(f"{path} is no report: it is no JSON, or is cut off.", "Name another file.") from None


def read_reports(folder: Path) -> Iterator[tuple[str, Any]]:
    """Each `.json` file below a folder with its value, in the order of paths; None for one that cannot be read.

    Raises TrueupError where there is no such folder, or it holds too many.
    """
    if not folder.is_dir():
        raise TrueupError(f"There is no folder {folder}.", "Name the folder that holds the JSON reports of applies.")
    files = sorted(path for path in folder.rglob("*.json") if path.is_file() and not path.is_symlink())
    if len(files) > MOST:
        raise TrueupError(f"{folder} holds {len(files):,} reports, more than {MOST:,}.", "Name a folder with fewer.")
    for path in files:
        try:
            value = read_report(path)
        except TrueupError:
            value = None  # told in sum by the caller: one damaged report hides no other
        yield path.relative_to(folder).as_posix(), value
