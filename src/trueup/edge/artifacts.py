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
from trueup.core.plans.plan_codec import BEGINNING, MAX_CHARACTERS, dump_pieces, loads
from trueup.edge.files import read_named, read_start, refuse_place, write_named
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
        return path.is_file() and read_start(path, len(BEGINNING)) == BEGINNING
    except (OSError, TrueupError):
        return False


def read_plan(root: Path, file: str, selection: Selection = HERE) -> Plan:
    """Return the plan in a file, seen from the project's folder; its commands are for the project of `selection`.

    Raises TrueupError saying what is wrong with the file and how to go on.
    """
    again = Message("To make one: ", selection.command("plan", out=file))
    read = partial(loads, folder=selection.folder)
    plan = read_named(root / file, "plan file", 4 * MAX_CHARACTERS, again, read)
    protocol = plan.identity.protocol
    return with_kinds(plan, field_table(protocol)) if protocol in protocols() else plan


def refuse_plan_place(path: Path, kept: Sequence[Path], again: Command) -> None:
    """Raise TrueupError where a plan may not be written: over what is no plan, or in a folder of `kept`.

    `again` is the command with a place that would do.
    """
    elsewhere = Message("Name another file: ", again)
    overwrite = Message("Remove it first, or name another file: ", again)
    refuse_place(path, "a plan", BEGINNING, kept, elsewhere, overwrite)


def write_plan(path: Path, plan: Plan) -> None:
    """Put the plan in the file's place, readable by its owner only. Raises TrueupError; the old file then stands."""
    write_named(path, "plan file", dump_pieces(plan))


LARGEST = 256 * 1024 * 1024
"""Bytes of the largest report that is read."""

MOST = 20_000
"""Reports of a folder that are read: 50 applies a day for a year."""


def read_report(path: Path) -> Any:
    """Return the JSON value in a file, None where there is no such file. Raises TrueupError where it cannot be read."""
    return read_named(path, "report", LARGEST, "Name another file.", _parse_report) if path.exists() else None


def _parse_report(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise TrueupError("it is not a report: it is not JSON, or is cut off.", "Remove it if it is useless.") from None


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
